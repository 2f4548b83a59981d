//! Configurations as they are read on a host: mistakes say where they are, and flake and plain use agree.

use anyhow::Result;
use lab::{Host, Suite};

use super::builder;

/// What a configuration that is wrong must say, besides its own file.
const MISTAKES: [(&str, &str, &[&str]); 6] = [
    (
        "unknown-option",
        "{ ... }:\n{\n  services.opensh.enable = true;\n}\n",
        &["`services.opensh' does not exist", "unknown-option.nix:3", "did you mean: `services.openssh'"],
    ),
    (
        "unknown-option-of-a-user",
        "{ users.users.deploy = { isNormalUser = true; shel = \"/bin/sh\"; }; }\n",
        &["`users.users.deploy.shel' does not exist", "unknown-option-of-a-user.nix:1"],
    ),
    (
        "wrong-type",
        "{ services.openssh.ports = [ \"22\" ]; }\n",
        &["`services.openssh.ports", "wrong-type.nix", "a string, \"22\""],
    ),
    (
        "conflict",
        "{ imports = [ { _file = \"other.nix\"; services.openssh.enable = false; } ]; services.openssh.enable = true; }\n",
        &["`services.openssh.enable' has conflicting definitions", "conflict.nix", "other.nix"],
    ),
    (
        "assertion",
        "{ assertions = [ { assertion = false; message = \"web needs a name.\"; } ]; }\n",
        &["Failed assertions:", "- web needs a name."],
    ),
    ("syntax", "{\n  services.openssh.enable = ;\n}\n", &["syntax error", "syntax.nix:2"]),
];

/// A configuration that is used plainly and from a flake.
const WEB: &str = r#"{ pkgs, ... }:
{
  networking.hostName = "web";
  services.static-web-server = { enable = true; root = "/var/www"; };
  users.users.deploy = { isNormalUser = true; extraGroups = [ "wheel" ]; };
  environment.systemPackages = [ (pkgs.labPackage { pname = "shop"; version = "1.2"; size = 100000; }) ];
}
"#;
const FLEET: &str = r#"{
  inputs.pocket.url = "path:/lab/os";
  outputs = { self, pocket }: {
    nixosConfigurations.web = pocket.lib.nixosSystem { modules = [ pocket.nixosModules.base ./web.nix ]; };
  };
}
"#;

fn read(host: &Host<'_>, name: &str) -> Result<String> {
    let file = format!("/root/{name}.nix");
    let imports = format!("{{ imports = [ /lab/os/base/configuration.nix {file} ]; }}");
    let words = ["nix-instantiate", "/lab/os", "-A", "system", "--arg", "configuration"];
    let done = host.command(words)?.arg(imports).output()?;
    assert!(!done.status.success(), "{name} was taken");
    Ok(done.stderr_text())
}

/// On both images, each with its Nix.
#[test]
fn mistakes_say_where_and_flake_and_plain_use_agree() -> Result<()> {
    for suite in Suite::ALL {
        let lab = builder().suite(suite).hosts(["web1"]).start()?;
        let host = lab.host("web1");
        for (name, text, pieces) in MISTAKES {
            host.write(&format!("/root/{name}.nix"), text)?;
            let said = read(&host, name)?;
            for piece in pieces {
                assert!(said.contains(piece), "{suite:?}, {name}: `{piece}` is missing in\n{said}");
            }
        }
        host.write("/root/fleet/web.nix", WEB)?;
        host.write("/root/fleet/flake.nix", FLEET)?;
        let web = "{ imports = [ /lab/os/base/configuration.nix /root/fleet/web.nix ]; }";
        let words = ["nix-build", "--quiet", "--no-out-link", "/lab/os", "-A", "system", "--arg"];
        let plain = host.command(words)?.args(["configuration", web]).run()?.stdout_text();
        let flake = "path:/root/fleet#nixosConfigurations.web.config.system.build.toplevel";
        let flake = host.run(["nix", "build", "--quiet", "--no-link", "--print-out-paths", flake])?;
        assert_eq!(plain, flake, "{suite:?}");
        assert_eq!(host.run(["cat", &format!("{plain}/etc/hostname")])?, "web");
    }
    Ok(())
}
