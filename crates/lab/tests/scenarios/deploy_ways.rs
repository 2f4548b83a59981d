//! Other ways than the usual one: builds on hosts, this machine as a host, ordinary users, nothing but words.

use anyhow::{Result, ensure};
use lab::Host;

use super::{
    fleets::{self, Fleet, profile, running},
    systems,
};

fn motd(text: &str) -> String {
    format!(r#"environment.etc."motd".text = "{text}\n";"#)
}

fn read_motd(host: &Host<'_>) -> Result<String> {
    host.run(["cat", "/etc/motd"])
}

#[test]
fn systems_are_built_on_the_host_itself_or_on_another() -> Result<()> {
    let lab = fleets::with_operator(["web1", "web2"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1", "web2"])?;
    fleet
        .settings(r#"{ defaults.settle = "0s"; hosts.web1.build = "target"; hosts.web2.build = "web1"; }"#)?;
    fleet.define("web1", &motd("built at home"))?;
    fleet.define("web2", &motd("built next door"))?;
    fleet.expect(0, &["deploy", "web1,web2"])?;
    for (name, text) in [("web1", "built at home"), ("web2", "built next door")] {
        let host = lab.host(name);
        assert_eq!(read_motd(&host)?, text);
        let system = running(&host)?;
        assert_eq!(system, profile(&host)?);
        let here = fleet.operator.output(["nix-store", "--check-validity", &system])?;
        ensure!(!here.status.success(), "{system} was built or copied here");
    }
    Ok(())
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    let web1 = lab.host("web1");
    let old = running(&web1)?;
    fleet.define("web1", r#"systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1000"; };"#)?;
    let said = fleet.expect(0, &["deploy", "web1", "--mode", "dry-activate"])?;
    ensure!(said.contains("web1 | would activate the configuration"), "{said}");
    assert_eq!((running(&web1)?, profile(&web1)?), (old.clone(), old));
    Ok(())
}

#[test]
fn this_machine_is_a_host() -> Result<()> {
    let lab = fleets::with_operator([])?.start()?;
    let mut fleet = Fleet::new(&lab, &["operator"])?;
    fleet.settings(r#"{ defaults.settle = "0s"; hosts.operator.addresses = [ "local" ]; }"#)?;
    fleet.define("operator", &motd("no ssh"))?;
    systems::wait_logged_out(&fleet.operator)?;
    fleet.expect(0, &["deploy", "operator"])?;
    assert_eq!(read_motd(&fleet.operator)?, "no ssh");
    assert_eq!(running(&fleet.operator)?, profile(&fleet.operator)?);
    Ok(())
}

#[test]
fn an_ordinary_user_with_sudo_deploys() -> Result<()> {
    const USER: &str = r#"users.users.deploy = { isNormalUser = true; extraGroups = [ "wheel" ];
        openssh.authorizedKeys.keyFiles = [ /run/lab/authorized_keys ]; };
        security.sudo.wheelNeedsPassword = false;"#;
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    let web1 = lab.host("web1");
    let [user] = systems::build(&web1, [USER])?;
    systems::test(&web1, &user)?;
    fleet.settings(r#"{ defaults = { settle = "0s"; user = "deploy"; }; }"#)?;
    fleet.define("web1", &format!("{USER} {}", motd("by an ordinary user")))?;
    fleet.expect(0, &["deploy", "web1", "--impure"])?;
    assert_eq!(read_motd(&web1)?, "by an ordinary user");
    assert_eq!(running(&web1)?, profile(&web1)?);
    Ok(())
}

#[test]
fn too_little_space_is_known_before_anything_is_copied() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    let web1 = lab.host("web1");
    let old = running(&web1)?;
    let large = r#"environment.systemPackages = [ (pkgs.labPackage { pname = "large"; version = "1"; size = 100000000; }) ];"#;
    fleet.define("web1", large)?;
    fleet.expect(0, &["build", "web1"])?;
    web1.fill_disk("/nix", 40 << 20)?;
    let said = fleet.expect(1, &["deploy", "web1"])?;
    ensure!(said.contains("are to be copied"), "{said}");
    assert_eq!(running(&web1)?, old);
    Ok(())
}
