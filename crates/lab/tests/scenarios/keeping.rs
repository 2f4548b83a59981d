//! What the store keeps: roots, collections of garbage, builds under a switch, hosts that upgrade themselves.

use anyhow::{Result, ensure};
use lab::{Host, wait};

use super::lab;
use super::systems::{SOON, booted, build, current, power_cycle, test};

fn is_kept(host: &Host<'_>, path: &str) -> Result<bool> {
    Ok(host.output(["test", "-e", path])?.status.success())
}

/// Something in the store that nothing roots.
fn garbage(host: &Host<'_>, name: &str) -> Result<String> {
    let file = format!("/tmp/{name}");
    host.write(&file, name)?;
    host.run(["nix-store", "--add", &file])
}

fn wait_gone(host: &Host<'_>, path: &str) -> Result<()> {
    wait::until("garbage to be collected", SOON, || {
        ensure!(!is_kept(host, path)?, "{path} is there");
        Ok(())
    })
}

#[test]
fn what_runs_is_kept_and_what_was_only_tested_is_collected() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let boots = booted(&host)?;
    let definition = |name| format!(r#"environment.etc."generation".text = "{name}";"#);
    let timer = r#"nix.gc = { automatic = true; dates = "*:*:0/2"; }; systemd.timers.nix-gc.timerConfig.AccuracySec = "100ms";"#;
    let [first, second, third] = build(
        &host,
        [&definition("first"), &definition("second"), &format!("{timer} {}", definition("third"))],
    )?;
    test(&host, &first)?;
    host.run(["ln", "-s", &third, "/nix/var/nix/gcroots/third"])?;
    host.run(["ln", "-s", &second, "/nix/var/nix/gcroots/second"])?;
    assert_eq!(host.run(["readlink", "-f", "/nix/var/nix/gcroots/current-system"])?, first);
    host.run(["nix-collect-garbage"])?;
    assert!(is_kept(&host, &first)?, "no profile names it, but it runs");

    test(&host, &second)?;
    host.run(["rm", "/nix/var/nix/gcroots/second"])?;
    host.run(["nix-collect-garbage"])?;
    let kept = [is_kept(&host, &boots)?, is_kept(&host, &first)?, is_kept(&host, &second)?];
    assert_eq!(kept, [true, false, true], "booted, tested before, current");

    let dead = garbage(&host, "dead")?;
    test(&host, &third)?;
    wait_gone(&host, &dead)?;
    assert!(is_kept(&host, &third)?);
    Ok(())
}

#[test]
fn a_build_goes_on_while_a_switch_restarts_the_daemon() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [new] = build(&host, ["nix.settings.keep-outputs = true;"])?;
    host.write("/root/slow.nix", SLOW)?;
    let main = || host.run(["systemctl", "show", "--value", "-p", "MainPID", "nix-daemon.service"]);
    let words = ["env", "NIX_REMOTE=daemon", "nix-build", "--quiet", "--no-out-link", "/root/slow.nix"];
    let slow = host.command(words)?.spawn()?;
    wait::until("the build to begin", SOON, || host.run(["test", "-e", "/tmp/building"]))?;
    let before = main()?;
    test(&host, &new)?;
    assert_ne!(main()?, before);
    assert_eq!(host.run(["env", "NIX_REMOTE=daemon", "nix", "config", "show", "keep-outputs"])?, "true");
    host.run(["env", "NIX_REMOTE=daemon", "nix", "store", "info"])?;
    host.run(["touch", "/tmp/go-on"])?;
    let built = slow.wait()?.check("the build")?.stdout_text();
    assert_eq!(host.run(["cat", &built])?, "done");
    Ok(())
}

/// What was brought to a host and is not activated yet is garbage to `min-free`.
#[test]
fn a_build_where_space_is_short_collects_what_nothing_roots() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [short] = build(&host, ["nix.settings = { min-free = 1000000000000; max-free = 1000000000000; };"])?;
    test(&host, &short)?;
    let brought = garbage(&host, "brought")?;
    let rooted = garbage(&host, "rooted")?;
    host.run(["ln", "-s", &rooted, "/nix/var/nix/gcroots/rooted"])?;
    host.write("/root/small.nix", SLOW)?;
    host.run(["touch", "/tmp/go-on"])?;
    host.run(["env", "NIX_REMOTE=daemon", "nix-build", "--quiet", "--no-out-link", "/root/small.nix"])?;
    wait_gone(&host, &brought)?;
    assert!(is_kept(&host, &rooted)? && is_kept(&host, &short)?);
    Ok(())
}

/// Builds until it is told to end.
const SLOW: &str = r#"derivation {
  name = "slow"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin";
  args = [ "-c" "touch /tmp/building; while [ ! -e /tmp/go-on ]; do sleep 0.05; done; echo done > $out" ];
}"#;

#[test]
fn a_host_upgrades_itself_while_nobody_looks() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let upgrade = r#"system.autoUpgrade = { enable = true; dates = "*:*:0/1"; }; systemd.timers.nixos-upgrade.timerConfig.AccuracySec = "100ms";"#;
    let [old, new] = build(&host, [upgrade, r#"environment.etc."generation".text = "new";"#])?;
    test(&host, &old)?;
    host.write("/var/lib/lab/upgrade-to.part", new.as_str())?;
    host.run(["mv", "/var/lib/lab/upgrade-to.part", "/var/lib/lab/upgrade-to"])?;
    wait::until("the upgrade to be complete", SOON, || {
        ensure!(current(&host)? == new, "not switched yet");
        let state = host.output(["systemctl", "is-active", "nixos-upgrade.service"])?.stdout_text();
        ensure!(state == "inactive", "the upgrade is {state}");
        Ok(())
    })?;
    assert_eq!(host.run(["readlink", "-f", "/nix/var/nix/profiles/system"])?, new);
    assert_eq!(host.output(["systemctl", "is-active", "nixos-upgrade.timer"])?.stdout_text(), "inactive");
    host.run(["sync"])?;
    power_cycle(&host)?;
    assert_eq!(booted(&host)?, new, "it made itself the default");
    Ok(())
}
