//! Agents that are none: whatever answers on a host, the operator's end takes it for what it is, in bounded time and
//! memory, and goes on with the other hosts.

use std::thread;

use anyhow::{Context, Result, ensure};
use lab::Host;

use super::{
    fleets::{self, FLEET, Fleet, running},
    outcomes::{settled, start},
    systems::{SOON, build, test},
};

/// The most memory that the operator's program may ever have, in KiB.
const PEAK: u64 = 256 << 10;

/// What each host's own `lockstep-agent` does, and what is said of it.
const AGENTS: [(&str, &str, &str); 6] = [
    ("garbage", "head -c 30000 /dev/urandom", "ended with 0"),
    (
        "lengths",
        r"printf '\0lockstep-agent\0\377\377\377\377\0'; sleep 100",
        "4294967295 bytes was announced",
    ),
    (
        "flood",
        // Frames of an activation's log, 32 KiB each, though nobody asked.
        r"printf '\0lockstep-agent\0'; while :; do printf '\0\0\200\0\4'; head -c 32768 /dev/zero; done",
        "did not say who it is",
    ),
    ("noise", "yes", "said more than 65536 bytes"),
    ("words", r#"printf '\0lockstep-agent\0\0\0\0\2\0{}'; sleep 100"#, "not understood"),
    ("silence", "yes >&2 & sleep 100", "did not answer within"),
];

/// Runs its arguments and keeps the most memory that they have had in `/root/peak`.
const WATCHED: &str = r#"
"$@" &
pid=$!
while grep VmHWM: "/proc/$pid/status" >> /root/peak; do sleep 0.1; done 2>/dev/null
wait "$pid"
"#;

/// Lets the host's own system have this as its agent.
fn put_agent(host: &Host<'_>, script: &str) -> Result<()> {
    let agent = format!(
        "environment.systemPackages = [ (pkgs.writeShellScriptBin \"lockstep-agent\" ''\n{script}\n'') ];"
    );
    let [system] = build(host, [&agent])?;
    test(host, &system)
}

#[test]
fn what_answers_in_place_of_an_agent_is_an_error_soon_and_stops_no_other_host() -> Result<()> {
    let names = AGENTS.map(|(name, ..)| name);
    let lab = fleets::with_operator(names)?.hosts(["good"]).start()?;
    thread::scope(|scope| {
        let puts = AGENTS.map(|(name, script, _)| {
            let host = lab.host(name);
            scope.spawn(move || put_agent(&host, script))
        });
        puts.into_iter().try_for_each(|put| put.join().expect("invariant: it does not panic"))
    })?;
    let mut fleet = Fleet::new(&lab, &names)?;
    fleet.define("good", r#"environment.etc."motd".text = "good\n";"#)?;
    fleet.settings(r#"{ defaults = { settle = "0s"; }; }"#)?;
    let before: Vec<String> = names.iter().map(|name| running(&lab.host(name))).collect::<Result<_>>()?;

    let words = ["env", "-C", FLEET, "HOME=/root", "sh", "-uc", WATCHED, "sh"];
    let words = [&words[..], &["/lab/bin/lockstep", "deploy", "--json", "--all"]].concat();
    let command = fleet.operator.command(words)?.timeout(SOON * 8).limit(64 << 20);
    let outcome = start(command)?.end(1)?;
    for (name, _, why) in AGENTS {
        outcome.of(name)?.is("failed", "agent", &[why])?;
        ensure!(outcome.of(name)?.bytes == 0, "{outcome:?}");
    }
    outcome.of("good")?.is("confirmed", "", &[])?;
    settled(&lab.host("good"))?;
    let after: Vec<String> = names.iter().map(|name| running(&lab.host(name))).collect::<Result<_>>()?;
    assert_eq!(after, before);
    let peaks = fleet.operator.run(["cat", "/root/peak"])?;
    let last = peaks.lines().last().and_then(|line| line.split_whitespace().nth(1)).context("no figure")?;
    ensure!(last.parse::<u64>()? <= PEAK, "lockstep had {last} KiB");
    lab.host("silence").wait_ssh(SOON)
}
