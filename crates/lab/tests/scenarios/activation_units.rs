//! Units and checks that do not hold on the new system, and those that are none of its business.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::{Host, wait};
use order::{Check, CheckKind, Mode, Settings};
use report::CauseKind;

use super::{
    agents::{self, Going, deploy, promise, settings},
    lab,
    systems::{self, SOON},
};

/// A oneshot that ends as `test` does.
fn oneshot(name: &str, condition: &str) -> String {
    format!(
        r#"systemd.services.{name} = {{ wantedBy = [ "multi-user.target" ]; path = [ pkgs.coreutils ]; script = "echo {name} looks; test {condition}"; serviceConfig = {{ Type = "oneshot"; RemainAfterExit = true; }}; }};"#
    )
}

/// A service that ends after a moment and is started again for ever, so that it never counts as failed.
const LOOP: &str = r#"systemd.services.looper = { wantedBy = [ "multi-user.target" ]; script = "echo loops; sleep 0.4; false"; serviceConfig = { Restart = "always"; RestartSec = "200ms"; }; unitConfig.StartLimitIntervalSec = 0; };"#;

/// Tries a system that must not hold; what does not hold, and what its journal says, must be told.
fn fails(host: &Host<'_>, system: &str, text: &str, log: &str) -> Result<()> {
    let old = systems::current(host)?;
    let protect = Settings { protected: vec!["shop.service".parse()?], ..settings(SOON) };
    let mut going = Going::start(host, system, Mode::Switch, protect)?;
    let (cause, aftermath) = going.until_rolled_back()?;
    ensure!(cause.kind == CauseKind::Units && cause.text.contains(text), "{cause:?}");
    ensure!(cause.log.iter().any(|line| line.contains(log)), "{cause:?}");
    ensure!(aftermath.is_empty(), "{aftermath:?}");
    promise(host, &old)
}

#[test]
fn a_unit_that_fails_newly_or_is_lost_takes_the_system_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let shop = oneshot("shop", "-n x");
    let [old, failing, without] =
        systems::build(&host, [&shop, &format!("{shop} {}", oneshot("fails", "-z x")), ""])?;
    deploy(&host, &old)?;
    fails(&host, &failing, "fails.service is failed", "fails.service: fails looks")?;
    fails(&host, &without, "shop.service is protected and no longer active", "shop.service: shop looks")
}

#[test]
fn a_crash_loop_takes_the_system_back_and_an_old_failure_does_not() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let flaky = oneshot("flaky", "-e /run/well");
    let more = oneshot("flaky", "-e /run/well -o -e /run/better");
    let [old, loops, more] = systems::build(&host, [&flaky, &format!("{flaky} {LOOP}"), &more])?;
    host.write("/run/well", "")?;
    deploy(&host, &old)?;
    fails(&host, &loops, "looper.service starts again and again", "looper.service: loops")?;

    // What had failed before fails again: switch-to-configuration says 4, and the new system holds.
    host.run(["rm", "/run/well"])?;
    host.output(["systemctl", "restart", "flaky.service"])?;
    deploy(&host, &more)
}

fn check(name: &str, kind: CheckKind, seconds: u64) -> Check {
    Check {
        name: name.to_owned(),
        kind,
        period: Duration::from_millis(200),
        timeout: Duration::from_secs(seconds),
    }
}

fn command(words: &[&str]) -> CheckKind {
    CheckKind::Command { words: words.iter().map(|word| (*word).to_owned()).collect() }
}

fn http(url: &str, status: Option<u16>) -> CheckKind {
    CheckKind::Http { url: url.to_owned(), status }
}

#[test]
fn checks_hold_at_once_or_late_or_take_the_system_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [web] = systems::build(
        &host,
        [
            r#"services.static-web-server = { enable = true; root = pkgs.writeTextFile { name = "site"; destination = "/index.html"; text = "x"; }; };"#,
        ],
    )?;
    let page = "http://[::1]:8787/";
    let fails = [
        (
            check("shut", CheckKind::Tcp { address: "127.0.0.1:9".to_owned() }, 1),
            "check 'shut': 127.0.0.1:9: ",
        ),
        (check("missing", http("http://[::1]:8787/no", None), 1), "was answered with 404"),
        (check("other", http(page, Some(204)), 1), "was answered with 200"),
        (check("bad", command(&["sh", "-c", "echo it is broken >&2; exit 3"]), 1), "it is broken"),
    ];
    for (check, text) in fails {
        let with = Settings { checks: vec![check], ..settings(SOON) };
        let mut going = Going::start(&host, &web, Mode::Switch, with)?;
        let (cause, _) = going.until_rolled_back()?;
        let whole = format!("{} {:?}", cause.text, cause.log);
        ensure!(cause.kind == CauseKind::Check && whole.contains(text), "{cause:?}");
    }
    promise(&host, &old)?;

    let late = check("late", command(&["test", "-e", "/run/late"]), 60);
    let tcp = check("tcp", CheckKind::Tcp { address: "localhost:8787".to_owned() }, 20);
    let checks = vec![
        check("page", http(page, None), 20),
        check("gone", http("http://[::1]:8787/no", Some(404)), 20),
        tcp,
        late,
    ];
    let mut going = Going::start(&host, &web, Mode::Switch, Settings { checks, ..settings(SOON) })?;
    going.until_state("checking")?;
    wait::until("the system to run", SOON, || {
        ensure!(systems::current(&host)? == web);
        Ok(())
    })?;
    host.write("/run/late", "")?;
    going.session.until_awaits()?;
    agents::confirm(&host, &going.order)?;
    going.session.until_ended()?;
    promise(&host, &web)
}
