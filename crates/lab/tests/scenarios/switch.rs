//! Switching by hand between two generations, and where a power cut leads back to.

use std::time::Duration;

use anyhow::Result;
use lab::Host;

use super::lab;

const BOOT: Duration = Duration::from_secs(60);

/// Builds a system on the host itself: the base with one more module.
fn build(host: &Host<'_>, module: &str) -> Result<String> {
    host.write("/root/module.nix", module)?;
    let expression = "(import /lab/os { configuration = { imports = [ /lab/os/base/configuration.nix /root/module.nix ]; }; }).config.system.build.toplevel";
    host.run(["nix-build", "--quiet", "--no-out-link", "-E", expression])
}

#[test]
fn a_power_cut_comes_back_with_the_boot_default() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = host.run(["readlink", "-f", "/run/current-system"])?;
    let new = build(&host, r#"{ environment.etc."generation".text = "two"; }"#)?;
    assert_ne!(old, new);
    host.run([&format!("{new}/bin/switch-to-configuration"), "test"])?;
    assert_eq!(host.run(["readlink", "-f", "/run/current-system"])?, new);
    assert_eq!(host.run(["cat", "/etc/generation"])?, "two");
    host.power_cycle()?;
    host.wait_ssh(BOOT)?;
    assert_eq!(host.run(["readlink", "-f", "/run/current-system"])?, old, "`test` left the default alone");

    host.run(["nix-env", "--profile", "/nix/var/nix/profiles/system", "--set", &new])?;
    host.run([&format!("{new}/bin/switch-to-configuration"), "switch"])?;
    host.run(["sync"])?;
    host.power_cycle()?;
    host.wait_ssh(BOOT)?;
    assert_eq!(host.run(["readlink", "-f", "/run/booted-system"])?, new);
    assert_eq!(host.status()?.entry.as_deref(), Some("nixos-generation-2.conf"));
    Ok(())
}
