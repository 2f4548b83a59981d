//! Who may log in and who may become root, and how a switch gives and takes it.

use anyhow::Result;
use lab::{Host, Login};
use run::Finished;

use super::lab;
use super::systems::{build, test};

const DEPLOY: Login<'_> = Login { user: "deploy", port: 22, patience: std::time::Duration::from_secs(10) };

/// A user with the lab's key and the password `secret`.
const USER: &str = r#"users.users.deploy = {
    isNormalUser = true;
    initialPassword = "secret";
    openssh.authorizedKeys.keyFiles = [ /run/lab/authorized_keys ];
};"#;
const WHEEL: &str = r#"users.users.deploy.extraGroups = [ "wheel" ];"#;

/// Runs a script as the user, over a connection of its own.
fn as_user(host: &Host<'_>, script: &str) -> Result<Finished> {
    Ok(host.ssh_command(DEPLOY).arg(script).output()?)
}

/// What a script of the user ends with, prints and complains.
fn check(host: &Host<'_>, script: &str, code: i32, out: &str, complaint: &str) -> Result<()> {
    let done = as_user(host, script)?;
    assert_eq!((done.code(), done.stdout_text().as_str()), (code, out), "{script}: {}", done.stderr_text());
    assert!(done.stderr_text().contains(complaint), "{script}: {}", done.stderr_text());
    Ok(())
}

#[test]
fn sudo_reads_a_password_only_where_it_needs_one() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [asked, free, narrow, revoked] = build(
        &host,
        [
            &format!("{USER} {WHEEL}"),
            &format!("{USER} {WHEEL} security.sudo.wheelNeedsPassword = false;"),
            &format!(
                r#"{USER} security.sudo.extraRules = [ {{ users = [ "deploy" ]; commands = [ {{ command = "/run/current-system/sw/bin/id"; options = [ "NOPASSWD" ]; }} ]; }} ];"#
            ),
            USER,
        ],
    )?;
    test(&host, &asked)?;
    assert_eq!(host.run(["stat", "-L", "-c", "%a %u", "/run/wrappers/bin/sudo"])?, "4511 0");
    check(&host, "command -v sudo", 0, "/run/wrappers/bin/sudo", "")?;
    check(&host, "sudo -n id -u", 1, "", "a password is required")?;
    check(&host, "echo secret | sudo -S -p ASKED: id -u", 0, "0", "ASKED:")?;
    check(&host, "echo wrong | sudo -S -p ASKED: id -u", 1, "", "no password was provided")?;
    // Once it is remembered the line is not read: it becomes the command's first input.
    let remembered = "echo secret | sudo -S -p ASKED: true; echo secret | sudo -S -p AGAIN: cat";
    check(&host, remembered, 0, "secret", "ASKED:")?;
    let done = as_user(&host, remembered)?;
    assert!(!done.stderr_text().contains("AGAIN:"), "{}", done.stderr_text());

    test(&host, &free)?;
    check(&host, "echo secret | sudo -S -p ASKED: cat", 0, "secret", "")?;
    test(&host, &narrow)?;
    check(&host, "sudo -n /run/current-system/sw/bin/id -u", 0, "0", "")?;
    check(&host, "sudo -n /run/current-system/sw/bin/cat /etc/shadow", 1, "", "a password is required")?;
    test(&host, &revoked)?;
    check(&host, "echo secret | sudo -S -p ASKED: id -u", 1, "", "deploy is not in the sudoers file")?;
    assert_eq!(host.ssh("sudo -n id -u")?, "0", "root itself may");
    Ok(())
}

#[test]
fn a_users_key_is_good_until_a_generation_without_it() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let keyless = "users.users.deploy.isNormalUser = true;";
    let other = "users.users.other.isNormalUser = true;";
    let [with_key, without_key, without_user, with_other] =
        build(&host, [USER, keyless, "", &format!("{USER} {other}")])?;
    let mode = |path| host.run(["stat", "-c", "%a %U", path]);
    assert_eq!(as_user(&host, "true")?.code(), 255);
    test(&host, &with_key)?;
    check(&host, "id -un; pwd", 0, "deploy\n/home/deploy", "")?;
    assert_eq!(mode("/etc/ssh/authorized_keys.d/deploy")?, "444 root");
    let uid = host.run(["id", "-u", "deploy"])?;
    host.ssh("install -o deploy -m 600 /dev/null /home/deploy/mine")?;

    test(&host, &without_key)?;
    assert_eq!(as_user(&host, "true")?.code(), 255, "the key is gone");
    assert_eq!(host.run(["id", "-u", "deploy"])?, uid);

    test(&host, &without_user)?;
    assert_eq!(host.output(["id", "deploy"])?.code(), 1, "the user is gone");
    assert_eq!(host.run(["stat", "-c", "%u", "/home/deploy/mine"])?, uid, "and its files are nobody's");
    let map = host.run(["cat", "/var/lib/nixos/uid-map"])?;
    assert!(map.contains(&format!(r#""deploy": {uid}"#)), "{map}");

    test(&host, &with_other)?;
    assert_ne!(host.run(["id", "-u", "other"])?, uid, "a number that was given out is kept");
    check(&host, "cat mine && id -u", 0, &uid, "")
}
