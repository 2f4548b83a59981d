//! The ways to a host: who logs in and becomes root, over which ssh, to where; and what a new system does to them.

use anyhow::{Result, ensure};
use lab::{Host, Login};

use super::{
    fleets::{self, FLEET, Fleet, running},
    outcomes::{Outcome, settled, start},
    systems::SOON,
};

const FREE: &str = "security.sudo.wheelNeedsPassword = false;";
const REMEMBERS: &str = r#"security.sudo.extraConfig = "Defaults timestamp_type=global";"#;
const AS_ROOT: &str = r#"{ defaults = { confirmTimeout = "8s"; settle = "0s"; }; }"#;
const AS_USER: &str = r#"{ defaults = { confirmTimeout = "8s"; settle = "0s"; user = "deploy"; }; }"#;

/// Runs its arguments on a terminal of their own, with standard output left as it is. Types the word in `PASSWORD`
/// when a password is asked for, and writes every question to `/root/asked`.
const TYPIST: &str = r#"
import os, pty, re, sys
output = os.dup(1)
child, terminal = pty.fork()
if child == 0:
    os.dup2(output, 1)
    os.execv(sys.argv[1], sys.argv[1:])
shown = b""
while True:
    try:
        shown += os.read(terminal, 4096)
    except OSError:
        break
    question = re.search(rb"[^\r\n]*Password for [^\r\n]*: $", shown)
    if question:
        with open("/root/asked", "ab") as asked:
            asked.write(question.group(0) + b"\n")
        shown = b""
        os.write(terminal, os.environb[b"PASSWORD"] + b"\n")
sys.stderr.write(shown.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn motd(text: &str) -> String {
    format!(r#"environment.etc."motd".text = "{text}\n";"#)
}

fn read_motd(host: &Host<'_>) -> Result<String> {
    host.run(["cat", "/etc/motd"])
}

/// A user with the operator's key and the password `secret`, who may become root.
fn user(operator: &Host<'_>) -> Result<String> {
    let key = operator.run(["ssh-keygen", "-y", "-f", "/root/.ssh/id_ed25519"])?;
    Ok(format!(
        r#"users.users.deploy = {{
            isNormalUser = true;
            initialPassword = "secret";
            extraGroups = [ "wheel" ];
            openssh.authorizedKeys.keys = [ "{key}" ];
        }};"#
    ))
}

/// Deploys on a terminal, where this password is typed; gives the questions, too.
fn deploy_typing(fleet: &Fleet<'_>, password: &str, code: i32) -> Result<(Outcome, String)> {
    let operator = fleet.operator;
    operator.write("/root/typist.py", TYPIST)?;
    operator.write("/root/asked", "")?;
    let password = format!("PASSWORD={password}");
    let words = ["env", "-C", FLEET, "HOME=/root", "TERM=xterm", &password, "python3", "/root/typist.py"];
    let words = [&words[..], &["/lab/bin/lockstep", "deploy", "--json", "--all"]].concat();
    let outcome = start(operator.command(words)?.timeout(SOON * 6).limit(64 << 20))?.end(code)?;
    Ok((outcome, operator.run(["cat", "/root/asked"])?))
}

/// Deploys these definitions to web1 as root; from then on the user logs in. Gives what web1 runs.
fn begin(fleet: &mut Fleet<'_>, host: &Host<'_>, definitions: &str) -> Result<String> {
    fleet.settings(AS_ROOT)?;
    fleet.define("web1", definitions)?;
    fleet.deploy(0, &["--all"])?.of("web1")?.is("confirmed", "", &[])?;
    fleet.settings(AS_USER)?;
    settled(host)
}

#[test]
fn a_user_who_is_root_without_a_password_deploys_and_keeps_that() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    let user = user(&fleet.operator)?;
    let free = begin(&mut fleet, &host, &format!("{user} {FREE}"))?;

    // Nobody could deploy any more to what asks for a password that nobody can type: that goes back.
    fleet.define("web1", &user)?;
    let outcome = fleet.deploy(3, &["--all"])?;
    outcome.of("web1")?.is("rolled_back", "unconfirmed", &[])?;
    outcome.of("web1")?.noted("a password is needed")?;
    assert_eq!(settled(&host)?, free);

    fleet.define("web1", &format!("{user} {FREE} {}", motd("without a password")))?;
    fleet.deploy(0, &["--all"])?.of("web1")?.is("confirmed", "", &[])?;
    assert_eq!(read_motd(&host)?, "without a password");
    settled(&host)?;
    host.wait_ssh(SOON)
}

#[test]
fn a_user_who_is_root_with_a_password_is_asked_for_it_where_that_is_possible() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    let user = format!("{} {REMEMBERS}", user(&fleet.operator)?);
    let old = begin(&mut fleet, &host, &user)?;
    fleet.define("web1", &format!("{user} {}", motd("typed")))?;
    let outcome = fleet.deploy(1, &["--all"])?;
    outcome.of("web1")?.is("failed", "elevation", &["a password is needed", "NOPASSWD"])?;
    let (outcome, asked) = deploy_typing(&fleet, "wrong", 1)?;
    outcome.of("web1")?.is("failed", "elevation", &["the password is wrong", "not root's"])?;
    assert_eq!(asked.matches("Password for").count(), 3, "{asked}");
    assert_eq!(asked.matches("The password was wrong.").count(), 2, "{asked}");
    assert_eq!(settled(&host)?, old);
    let (outcome, asked) = deploy_typing(&fleet, "secret", 0)?;
    outcome.of("web1")?.is("confirmed", "", &[])?;
    assert_eq!(asked, "Password for deploy@web1 (sudo on web1):", "asked once");
    assert_eq!(read_motd(&host)?, "typed");

    // sudo there remembers it, as this configuration says, for logins to come.
    fleet.define("web1", &format!("{user} {}", motd("remembered")))?;
    fleet.deploy(0, &["--all"])?.of("web1")?.is("confirmed", "", &[])?;
    assert_eq!(read_motd(&host)?, "remembered");
    settled(&host)?;
    host.wait_ssh(SOON)
}

#[test]
fn a_name_with_a_dot_is_reached_with_options_that_hold_spaces() -> Result<()> {
    let name = "web1.example";
    let lab = fleets::with_operator([name])?.start()?;
    let host = lab.host(name);
    let mut fleet = Fleet::new(&lab, &[name])?;
    fleet.operator.sh("mkdir '/root/my keys'; mv /root/.ssh/id_ed25519 '/root/my keys/id'")?;
    let proxy = format!(
        "ProxyCommand=ssh -F none -i '/root/my keys/id' -o HostKeyAlias={name} -W %h:%p root@{}",
        host.address()
    );
    fleet.settings(&format!(
        r#"{{ hosts."{name}".sshOptions = [ "{proxy}" "IdentityFile=\"/root/my keys/id\"" ]; defaults.settle = "0s"; }}"#
    ))?;
    // NixOS takes no dots there.
    fleet.define(name, &format!(r#"networking.hostName = lib.mkForce "web1"; {}"#, motd("dotted")))?;
    fleet.deploy(0, &[name])?.of(name)?.is("confirmed", "", &[])?;
    assert_eq!(read_motd(&host)?, "dotted");
    settled(&host)?;
    host.wait_ssh(SOON)
}

/// The operator's own connection would still carry a confirmation, though nobody can log in any more.
#[test]
fn race_08_a_system_without_sshd_is_not_confirmed_over_a_connection_of_the_operators() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    let config = fleet.operator.run(["cat", "/root/.ssh/config"])?;
    let theirs = "  ControlMaster auto\n  ControlPath /root/theirs-%C\n  ControlPersist 600\n";
    fleet.operator.write("/root/.ssh/config", format!("{config}\n{theirs}"))?;
    fleet.operator.ssh("ssh web1 true")?;
    ensure!(!fleet.operator.sh("ls /root/theirs-*")?.is_empty(), "the operator has a connection");
    fleet.settings(AS_ROOT)?;
    let old = settled(&host)?;
    fleet.define("web1", "services.openssh.enable = lib.mkForce false;")?;
    let outcome = fleet.deploy(3, &["--all"])?;
    outcome.of("web1")?.is("rolled_back", "unconfirmed", &[])?;
    assert_eq!(settled(&host)?, old);
    host.wait_ssh(SOON)?;
    assert_eq!(fleet.operator.ssh("ssh -O check web1 && ssh web1 hostname")?, "web1", "theirs still stands");
    Ok(())
}

#[test]
fn three_ways_to_cut_the_network_are_each_taken_back() -> Result<()> {
    let hosts = ["address", "lease", "firewall", "good"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    let old = hosts.map(|name| settled(&lab.host(name)));
    fleet.settings(
        r#"{ defaults = { confirmTimeout = "8s"; settle = "0s"; sshOptions = [ "ConnectTimeout=2" ]; };
             hosts.lease = { settle = "6s"; confirmTimeout = "12s"; }; }"#,
    )?;
    fleet.define("address", "networking.useDHCP = lib.mkForce false;")?;
    fleet.define("lease", "lab.dhcp.loseAfter = 2;")?;
    fleet.define("firewall", "services.openssh.openFirewall = false;")?;
    fleet.define("good", &motd("good"))?;
    let outcome = fleet.deploy(3, &["--all"])?;
    for (name, old) in hosts.into_iter().zip(old).take(3) {
        outcome.of(name)?.is("rolled_back", "unconfirmed", &[])?;
        let host = lab.host(name);
        host.wait_ssh(SOON)?;
        assert_eq!(settled(&host)?, old?, "{name}");
    }
    outcome.of("good")?.is("confirmed", "", &[])?;
    assert_eq!(read_motd(&lab.host("good"))?, "good");
    fleet.expect(0, &["status", "--all"]).map(drop)
}

#[test]
fn a_port_that_moves_with_the_description_is_confirmed_there() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(
        r#"{ hosts.web1.addresses = [ "web1:2222" "web1:22" ];
             defaults = { confirmTimeout = "20s"; settle = "0s"; sshOptions = [ "ConnectTimeout=2" ]; }; }"#,
    )?;
    fleet.define("web1", "services.openssh.ports = [ 2222 ];")?;
    let old = settled(&host)?;
    fleet.deploy(0, &["--all"])?.of("web1")?.is("confirmed", "", &[])?;
    assert_ne!(settled(&host)?, old);
    let login = Login { port: 2222, ..Login::default() };
    assert_eq!(host.ssh_command(login).arg("hostname").run()?.stdout_text(), "web1");
    ensure!(!host.answers_ssh(), "the old port is closed");
    fleet.define("web1", &format!("services.openssh.ports = [ 2222 ]; {}", motd("moved")))?;
    fleet.deploy(0, &["--all"])?.of("web1")?.is("confirmed", "", &[])?;
    assert_eq!(read_motd(&host)?, "moved");
    Ok(())
}

#[test]
fn this_machine_is_deployed_and_guarded_as_any_other() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("operator");
    let mut fleet = Fleet::new(&lab, &["operator", "web1"])?;
    let settings = |check: &str| {
        format!(
            r#"{{ hosts.operator = {{ addresses = [ "local" ]; checks.it = {{ command = [ "{check}" ]; timeout = "3s"; }}; }};
                 defaults = {{ confirmTimeout = "8s"; settle = "0s"; }}; }}"#
        )
    };
    fleet.settings(&settings("true"))?;
    fleet.define("operator", &motd("here"))?;
    fleet.define("web1", &motd("there"))?;
    let outcome = fleet.deploy(0, &["--all"])?;
    for name in ["operator", "web1"] {
        outcome.of(name)?.is("confirmed", "", &[])?;
    }
    assert_eq!((read_motd(&host)?, read_motd(&lab.host("web1"))?), ("here".to_owned(), "there".to_owned()));
    let good = settled(&host)?;

    fleet.settings(&settings("false"))?;
    fleet.define("operator", &motd("never"))?;
    let outcome = fleet.deploy(3, &["operator"])?;
    outcome.of("operator")?.is("rolled_back", "check", &["it"])?;
    assert_eq!((settled(&host)?, read_motd(&host)?), (good, "here".to_owned()));
    host.wait_ssh(SOON)
}

#[test]
fn a_system_for_another_kind_of_machine_is_refused_before_anything_is_built_or_copied() -> Result<()> {
    let hosts = ["arm", "good"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    let flake = fleet.operator.run(["cat", &format!("{FLEET}/flake.nix")])?;
    let system = r#"system = if name == "arm" then "aarch64-linux" else "x86_64-linux";"#;
    let flake = flake.replace("nixosSystem {", &format!("nixosSystem {{ {system}"));
    fleet.operator.write(&format!("{FLEET}/flake.nix"), flake)?;
    fleet.define("arm", &motd("arm"))?;
    fleet.define("good", &motd("good"))?;
    let host = lab.host("arm");
    let (old, before) = (running(&host)?, host.sh("ls /nix/store | grep -v lockstep-agent")?);
    let outcome = fleet.deploy(1, &["--all"])?;
    let arm = outcome.of("arm")?;
    arm.is("failed", "architecture", &["for aarch64-linux", "is x86_64-linux", "hostPlatform"])?;
    assert_eq!(arm.bytes, 0);
    assert_eq!((settled(&host)?, host.sh("ls /nix/store | grep -v lockstep-agent")?), (old, before));
    outcome.of("good")?.is("confirmed", "", &[])?;
    host.wait_ssh(SOON)
}
