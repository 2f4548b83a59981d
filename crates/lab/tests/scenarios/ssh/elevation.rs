//! Becoming root on the way: one process, and the password only when it is asked for.

use anyhow::Result;

use super::{Door, lab, script};
use crate::systems::{build, test};

/// A user with the lab's key and the password `secret`.
const USER: &str = r#"users.users.deploy = {
    isNormalUser = true;
    initialPassword = "secret";
    openssh.authorizedKeys.keyFiles = [ /run/lab/authorized_keys ];
};"#;
const WHEEL: &str = r#"users.users.deploy.extraGroups = [ "wheel" ];"#;
const GREET: &str = "open GREETING sudo /opt/echo-server";

#[test]
fn sudo_gets_the_password_only_where_it_asks() -> Result<()> {
    let lab = lab(["web1"])?;
    let (operator, host) = (lab.host("operator"), lab.host("web1"));
    let [asks, free, global, terminal, outsider] = build(
        &host,
        [
            &format!("{USER} {WHEEL}"),
            &format!("{USER} {WHEEL} security.sudo.wheelNeedsPassword = false;"),
            &format!(r#"{USER} {WHEEL} security.sudo.extraConfig = "Defaults timestamp_type=global";"#),
            &format!(r#"{USER} {WHEEL} security.sudo.extraConfig = "Defaults requiretty";"#),
            USER,
        ],
    )?;
    // Whoever takes the password for input would give it back here.
    let talk: [(&str, &str); 5] = [
        ("shared", "ok deploy@web1"),
        (GREET, "ok"),
        ("read", "ok GREETING 0"),
        ("say first line", "ok first line"),
        ("release", "ok"),
    ];
    test(&host, &asks)?;
    let mut door = Door::with_password(&operator, "secret", &["deploy@web1"])?;
    door.expect(&talk)?;
    door.expect(&[("asked", "ok 1"), ("close", "ok"), ("wait", "ok 0")])?;
    door.expect(&[("shared", "ok deploy@web1")])?;
    // sudo may complain of other things.
    assert!(door.ask("output sudo id -u")?.starts_with("ok 0 0"));
    door.expect(&[("asked", "ok 2")])?;
    door.refuses(&[("open G sudo /does/not/exist", &["web1 has no program `/does/not/exist`"])])?;
    door.end()?;

    let mut wrong = Door::with_password(&operator, "wrong", &["deploy@web1"])?;
    wrong.ask("shared")?;
    wrong.refuses(&[(GREET, &["sudo on deploy@web1: the password is wrong", "not root's"])])?;
    wrong.expect(&[("asked", "ok 1"), ("alive", "ok true")])?;
    wrong.end()?;
    let mut nobody = Door::to(&operator, &["deploy@web1"])?;
    nobody.ask("shared")?;
    nobody.refuses(&[(GREET, &["a password is needed, and none was given"])])?;
    nobody.expect(&[("quiet sudo id -u", "ok")])?;
    nobody.refuses(&[("check", &["a password is needed"])])?;
    nobody.end()?;

    test(&host, &free)?;
    let mut door = Door::with_password(&operator, "secret", &["deploy@web1"])?;
    door.expect(&talk)?;
    door.expect(&[("asked", "ok 0"), ("close", "ok"), ("wait", "ok 0"), ("shared", "ok deploy@web1")])?;
    door.expect(&[
        ("quiet sudo cat", "ok"),
        ("say quietly", "ok quietly"),
        ("close", "ok"),
        ("check", "ok"),
    ])?;
    door.end()?;

    // What another login was asked for is remembered.
    test(&host, &global)?;
    for asked in ["ok 1", "ok 0"] {
        let mut door = Door::with_password(&operator, "secret", &["deploy@web1"])?;
        door.expect(&talk)?;
        door.expect(&[("asked", asked), ("close", "ok"), ("wait", "ok 0")])?;
        door.end()?;
    }

    test(&host, &terminal)?;
    let mut door = Door::with_password(&operator, "secret", &["deploy@web1"])?;
    door.ask("shared")?;
    door.refuses(&[(GREET, &["sudo on deploy@web1: it insists on a terminal", "requiretty"])])?;
    door.end()?;
    test(&host, &outsider)?;
    let mut door = Door::with_password(&operator, "secret", &["deploy@web1"])?;
    door.ask("shared")?;
    door.refuses(&[(
        GREET,
        &["the user is not allowed to run this program", "deploy is not in the sudoers file"],
    )])?;
    door.end()
}

#[test]
fn run0_and_doas_work_or_say_why_not() -> Result<()> {
    let lab = lab(["web1"])?;
    let (operator, host) = (lab.host("operator"), lab.host("web1"));
    let [user] = build(&host, [USER])?;
    test(&host, &user)?;
    // Real NixOS has run0 in its system path.
    host.sh(
        "mkdir -p /nix/var/nix/profiles/default/bin; ln -s /usr/bin/run0 /nix/var/nix/profiles/default/bin/",
    )?;
    script(&host, "noisy", "echo 'sudo: a password is required' >&2; exit 1")?;
    let mut root = Door::to(&operator, &["root@web1"])?;
    root.expect(&[
        ("shared", "ok root@web1"),
        ("open GREETING run0 /opt/echo-server", "ok"),
        ("read", "ok GREETING 0"),
        ("say through run0", "ok through run0"),
        // A program may say what sudo says.
        ("output none /opt/noisy", "ok 1  sudo: a password is required"),
    ])?;
    root.refuses(&[("open G run0 /does/not/exist", &["web1 has no program"])])?;
    let mut user = Door::to(&operator, &["deploy@web1"])?;
    user.ask("shared")?;
    user.refuses(&[
        ("open G run0 id", &["run0 on deploy@web1: a password is needed", "polkit"]),
        ("open G doas id", &["doas on deploy@web1: it is not installed"]),
    ])?;
    root.end()?;
    user.end()
}
