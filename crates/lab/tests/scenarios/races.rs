//! The races of an activation, each a test with its number. Where the machine decides, it is a test of crate `activate`
//! (`src/explore/races.rs` there, next to the exploration of all worlds); where systemd, ssh or Nix decide, one here.
//!
//! | race | between | tests |
//! |---|---|---|
//! | 1 | a confirmation and the deadline | `activate`: `race_01_*` |
//! | 2 | the guard and a slow installer of the loader | `activate`: `race_02_*`; here |
//! | 3 | the guard and the new system's unit, and who inherited its lock | `activate`: `race_03_*`; `activation_ends::race_03_*` |
//! | 4 | a confirmation and the old system, which runs again | `activate`: `race_04_*` |
//! | 5 | a guard that was left over and the next order | `activate`: `race_05_*`; here |
//! | 6 | a unit that is collected and who asks for its result | `activate`: `race_06_*`; here |
//! | 7 | a deadline and the accuracy of systemd's timers | here |
//! | 8 | a new connection and one that stands | `fleet_ways::race_08_*` |
//! | 9 | a second operator and the guard, after the owner's death | `activate`: `race_09_*`; here |
//! | 10 | a change by hand and the end of an activation | `activate`: `race_10_*`; `activation_ends::race_10_*` |
//! | 11 | the garbage collector and what the host will need | here |
//! | 12 | the garbage collector and what the operator sends | here |
//! | 13 | a reboot and a commit | `activate`: `race_13_*`; `stops`, the power cuts |
//! | 14 | an update of the agent and the agent that is at work | here, with 11 |
//! | 15 | the old system's tools and those in a search path | here |
//! | 16 | two first connections to a new store | here |
//! | 17 | what the journal says and what was done | `activate`: `race_17_*`; `stops`, all |
//! | 18 | an older agent and a newer journal | `activate`: `race_18_*`; here |

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::{Host, wait};
use order::Mode;
use report::{CauseKind, Ending};
use session::{Reply, Request};

use super::{
    agents::{self, AGENT, Going, Session, confirm, deploy, promise, settings},
    fleet_runs::{Live, QUICK, at_rest, motd, read_motd},
    fleets::{self, Fleet},
    lab,
    systems::{self, SOON},
};

const LONG: Duration = Duration::from_secs(120);
const NEW: &str = r#"environment.etc."new".text = "";"#;
const NEWER: &str = r#"environment.etc."newer".text = "";"#;
const HANGS: &str = r#"systemd.services.hangs = { wantedBy = [ "multi-user.target" ]; script = "sleep infinity"; serviceConfig.Type = "oneshot"; };"#;

fn kill(host: &Host<'_>, unit: &str) -> Result<()> {
    host.run(["systemctl", "kill", "--signal=KILL", unit]).map(drop)
}

#[test]
fn race_02_a_guard_leaves_an_installer_alone_that_takes_longer_than_the_deadline() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [slow] = systems::build(&host, ["lab.loader.slowSeconds = 25;"])?;
    let mut going = Going::start(&host, &slow, Mode::Switch, settings(Duration::from_secs(15)))?;
    going.session.until_awaits()?;
    confirm(&host, &going.order)?;
    assert_eq!(going.session.until_ended()?, Ending::Confirmed { lasting: true });
    promise(&host, &slow)
}

#[test]
fn race_05_a_guard_that_was_left_over_leaves_the_next_order_alone() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new, newer] = systems::build(&host, [NEW, NEWER])?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    going.session.until_awaits()?;
    let guard = format!("lockstep-guard-{}.service", going.order.id);
    let pid = host.run(["systemctl", "show", "--value", "-p", "MainPID", &guard])?;
    // Moved out of its unit it is not stopped with it, and asleep it does not see the end.
    let script = r#"group=$(dirname "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"); mkdir "$group/left-over"; echo "$1" > "$group/left-over/cgroup.procs"; kill -STOP "$1""#;
    host.run(["sh", "-euc", script, "sh", &pid])?;
    confirm(&host, &going.order)?;
    assert_eq!(going.session.until_ended()?, Ending::Confirmed { lasting: true });
    let mut next = Going::start(&host, &newer, Mode::Switch, settings(LONG))?;
    next.session.until_awaits()?;
    host.run(["kill", "-CONT", &pid])?;
    wait::until("the guard to have seen the next order", SOON, || {
        ensure!(!host.output(["kill", "-0", &pid])?.status.success());
        Ok(())
    })?;
    confirm(&host, &next.order)?;
    assert_eq!(next.session.until_ended()?, Ending::Confirmed { lasting: true });
    promise(&host, &newer)
}

#[test]
fn race_06_a_unit_that_was_killed_and_collected_reads_as_success_and_is_not_taken_for_one() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [hangs] = systems::build(&host, [HANGS])?;
    let mut going = Going::start(&host, &hangs, Mode::Switch, settings(LONG))?;
    going.until_state("switching")?;
    let unit = format!("lockstep-test-{}.service", going.order.id);
    wait::until("the unit to run", SOON, || {
        host.run(["systemctl", "is-active", "--quiet", &unit]).map(drop)
    })?;
    kill(&host, &unit)?;
    let (cause, aftermath) = going.until_rolled_back()?;
    ensure!(cause.text.contains("ended without a result"), "{cause:?}");
    ensure!(aftermath.is_empty(), "{aftermath:?}");
    let shown = ["systemctl", "show", "-p", "LoadState,Result,ExecMainStatus", &unit];
    let said = host.run(shown)?;
    for part in ["LoadState=not-found", "Result=success", "ExecMainStatus=0"] {
        ensure!(said.contains(part), "{said}");
    }
    promise(&host, &old)
}

#[test]
fn race_07_the_guard_keeps_its_deadline_without_a_timer_of_systemds() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new] = systems::build(&host, [NEW])?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(Duration::from_secs(3)))?;
    going.session.until_awaits()?;
    let owner = format!("lockstep-own-{}.service", going.order.id);
    host.run(["systemctl", "kill", "--signal=STOP", &owner])?;
    let timers = host.run(["systemctl", "list-timers", "--all", "--no-legend", "lockstep*"])?;
    ensure!(timers.is_empty(), "{timers}");
    let (_, aftermath) = going.until_rolled_back()?;
    ensure!(aftermath.is_empty(), "{aftermath:?}");
    promise(&host, &old)
}

#[test]
fn race_09_a_second_operator_recovers_what_a_dead_owner_left_before_anything_else() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new, newer] = systems::build(&host, [NEW, NEWER])?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    going.session.until_awaits()?;
    let mut second = Session::start(&host)?;
    let order = second.order(&newer, Mode::Switch, settings(LONG).limits)?;
    kill(&host, &format!("lockstep-guard-{}.service", going.order.id))?;
    kill(&host, &format!("lockstep-own-{}.service", going.order.id))?;
    // The lock is free, and nobody has been here since.
    second.deliver(&order)?;
    second.until_awaits()?;
    let Ending::RolledBack { cause, .. } = going.session.until_ended()? else { anyhow::bail!("not back") };
    assert_eq!(cause.kind, CauseKind::Interrupted);
    Session::start(&host)?.ask(&Request::Abort { order: order.id })?;
    let Ending::RolledBack { .. } = second.until_ended()? else { anyhow::bail!("not back") };
    promise(&host, &old)
}

/// Lets a host run the agent from its store, as it does after a deploy.
fn install_in_store(host: &Host<'_>) -> Result<String> {
    agents::install(host)?;
    host.sh("mkdir -p /root/pkg/bin; mv /root/lockstep-agent /root/pkg/bin")?;
    let package = host.run(["nix-store", "--add", "/root/pkg"])?;
    host.run(["ln", "-s", &format!("{package}/bin/lockstep-agent"), AGENT])?;
    Ok(package)
}

#[test]
fn race_11_and_14_the_garbage_collector_and_an_update_leave_what_the_way_back_needs() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let agent = install_in_store(&host)?;
    let [tested, new] = systems::build(&host, [NEW, NEWER])?;
    // What runs was only tested: no profile names it.
    systems::test(&host, &tested)?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    going.session.until_awaits()?;
    // Another agent takes its place, and nothing but the activation knows the old one.
    host.sh("mkdir /root/other; cp -r /root/pkg /root/other; echo >> /root/other/pkg/bin/lockstep-agent")?;
    let other = host.run(["nix-store", "--add", "/root/other/pkg"])?;
    host.run(["ln", "-sfn", &format!("{other}/bin/lockstep-agent"), AGENT])?;
    host.run(["nix-collect-garbage"])?;
    for path in [&agent, &tested, &new] {
        host.run(["nix-store", "--check-validity", path])?;
    }
    kill(&host, &format!("lockstep-own-{}.service", going.order.id))?;
    let (cause, aftermath) = going.until_rolled_back()?;
    ensure!(cause.kind == CauseKind::Interrupted && aftermath.is_empty(), "{cause:?} {aftermath:?}");
    assert_eq!(systems::current(&host)?, tested);
    host.wait_ssh(SOON)
}

/// A system that takes a while to copy over a slow line, and a deploy that is in the middle of it.
fn while_copying(collect_on: &str) -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    let big = format!(
        r#"{} environment.systemPackages = [ (pkgs.labPackage {{ pname = "big"; version = "1"; size = 12000000; }}) ];"#,
        motd("big")
    );
    fleet.define("web1", &big)?;
    host.limit_rate(Some(16_000))?;
    let mut live = Live::of(&fleet, &["deploy", "web1"])?;
    live.until_stage("ship")?;
    lab.host(collect_on).run(["nix-collect-garbage"])?;
    host.limit_rate(None)?;
    live.finish()?.insist(0)?;
    at_rest(&host)?;
    assert_eq!(read_motd(&host)?, "big");
    Ok(())
}

#[test]
fn race_11_garbage_is_collected_on_the_host_while_a_system_arrives() -> Result<()> {
    while_copying("web1")
}

#[test]
fn race_12_garbage_is_collected_at_the_operator_while_a_system_is_sent() -> Result<()> {
    while_copying("operator")
}

#[test]
fn race_15_no_program_of_a_search_path_is_run() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new, newer] = systems::build(&host, [NEW, NEWER])?;
    let trap = r#"for name in systemctl systemd-run nix-env nix-store nix bootctl sh; do
        for folder in /usr/local/sbin /usr/local/bin; do
            printf '#!/bin/sh\necho "%s $*" >> /run/trapped\nexit 1\n' "$name" > "$folder/$name"
            chmod +x "$folder/$name"
        done
    done"#;
    host.sh(trap)?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    going.session.until_awaits()?;
    kill(&host, &format!("lockstep-own-{}.service", going.order.id))?;
    let (_, aftermath) = going.until_rolled_back()?;
    ensure!(aftermath.is_empty(), "{aftermath:?}");
    promise(&host, &old)?;
    deploy(&host, &newer)?;
    let trapped = host.sh("cat /run/trapped 2>/dev/null || true")?;
    ensure!(trapped.is_empty(), "run from a search path:\n{trapped}");
    Ok(())
}

#[test]
fn race_16_the_first_connections_to_a_store_come_together_and_each_is_served() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let words = ["env", "NIX_REMOTE=daemon", "nix-store", "--query", "--hash", "/run/current-system"];
    let first = (0..8).map(|_| Ok(host.command(words)?.spawn()?)).collect::<Result<Vec<_>>>()?;
    for each in first {
        each.wait()?.check("nix-store")?;
    }
    Ok(())
}

#[test]
fn race_18_a_journal_of_a_newer_agent_is_not_guessed_at() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new, newer] = systems::build(&host, [NEW, NEWER])?;
    deploy(&host, &new)?;
    let journal = "/nix/var/lockstep/journal.json";
    host.run(["sed", "-i", r#"s/"version":1,/"version":99,/"#, journal])?;
    let before = host.run(["cat", journal])?;
    ensure!(before.contains(r#""version":99"#), "{before}");
    let mut session = Session::start(&host)?;
    let order = session.order(&newer, Mode::Switch, settings(SOON).limits)?;
    let refused = session.ask(&Request::Deliver(Box::new(order)))?;
    let Reply::Refused(cause) = refused else { anyhow::bail!("not refused: {refused:?}") };
    ensure!(cause.text.contains("of version 99") && cause.text.contains("deploy again"), "{cause:?}");
    assert_eq!(host.run(["cat", journal])?, before, "it was left alone");
    assert_eq!(systems::current(&host)?, new);
    host.wait_ssh(SOON).context("reachable")
}
