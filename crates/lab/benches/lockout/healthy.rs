//! Two hundred healthy deploys of random changes over a line of 50 ms: none of them may go back.

use std::{collections::BTreeMap, thread};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    fleets::{self, Fleet},
    report,
};

const HOSTS: usize = 10;
const ROUNDS: usize = 20;
/// One way, in milliseconds.
const DELAY: u32 = 25;
/// The seed of the changes; another one is another two hundred deploys.
const SEED: u64 = 0x0010_c357_e900_0001;

/// The kinds of changes; `N` is a number that changes. Each touches something else, some of it the network.
const KINDS: [&str; 8] = [
    r#"systemd.services.worker = { wantedBy = [ "multi-user.target" ]; script = "sleep 10000N"; };"#,
    r#"systemd.services.once = { wantedBy = [ "multi-user.target" ]; script = "echo N"; serviceConfig = { Type = "oneshot"; RemainAfterExit = true; }; };"#,
    r#"environment.etc."app.conf".text = "value = N\n";"#,
    r#"users.users.userN = { isNormalUser = true; };"#,
    r#"boot.kernel.sysctl."net.ipv4.tcp_keepalive_time" = 7N;"#,
    r#"environment.systemPackages = [ (pkgs.labPackage { pname = "tool"; version = "N"; size = 20000; }) ];"#,
    r#"networking.firewall.allowedTCPPorts = [ 80N ];"#,
    r#"networking.interfaces.lo.ipv4.addresses = [ { address = "203.0.113.N"; prefixLength = 32; } ];"#,
];

/// A sequence of numbers that is the same every time (xorshift64).
struct Numbers(u64);

impl Numbers {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }
}

/// What a host has of each kind.
type Has = BTreeMap<usize, usize>;

fn definitions(has: &Has) -> String {
    has.iter().map(|(kind, number)| KINDS[*kind].replace('N', &number.to_string())).collect()
}

/// Changes one kind for sure and another perhaps.
fn change(has: &mut Has, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(2) {
        let kind = numbers.below(KINDS.len());
        let before = has.get(&kind).copied().unwrap_or(9);
        has.insert(kind, 10 + (before + 1 + numbers.below(80)) % 90);
    }
}

pub(crate) fn measure() -> Result<()> {
    let names: [String; HOSTS] = std::array::from_fn(|number| format!("h{number}"));
    let hosts = names.each_ref().map(String::as_str);
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(r#"{ defaults.settle = "1s"; }"#)?;
    fleet.expect(0, &["deploy", "--all", "--yes"])?;
    thread::scope(|scope| {
        let slowed = hosts.map(|name| scope.spawn(|| lab.host(name).delay(Some(DELAY))));
        slowed.into_iter().try_for_each(|slowed| slowed.join().expect("invariant: it does not panic"))
    })?;
    let mut numbers = Numbers(SEED);
    let mut has = hosts.map(|_| Has::new());
    let (mut deploys, mut wrong) = (0, Vec::new());
    for round in 1..=ROUNDS {
        let before = wrong.len();
        for (name, has) in hosts.iter().zip(&mut has) {
            change(has, &mut numbers);
            fleet.define(name, &definitions(has))?;
        }
        let done = fleet.run(&["deploy", "--all", "--yes", "--json"])?;
        let said = done.stdout_text();
        let outcome = said.lines().find(|line| line.contains(r#""event":"outcome""#));
        let outcome: Value = serde_json::from_str(outcome.with_context(|| done.stderr_text())?)?;
        for host in outcome["hosts"].as_array().context("no hosts")? {
            deploys += 1;
            let result = &host["report"]["what"]["deployed"]["result"];
            if result["activated"]["ending"] != "confirmed" {
                wrong.push(format!("{}: {result} {}", host["host"], host["notes"]));
            }
        }
        tell(round, &wrong[before..]);
    }
    ensure!(deploys == HOSTS * ROUNDS, "{deploys} deploys");
    report("healthy_deploys", f64::from(u32::try_from(deploys)?), "deploys");
    report("false_rollbacks", f64::from(u32::try_from(wrong.len())?), "deploys");
    Ok(())
}

#[expect(
    clippy::print_stderr,
    reason = "how far it is, and why a healthy deploy went back, beside the results"
)]
fn tell(round: usize, wrong: &[String]) {
    eprintln!("lockout: round {round} of {ROUNDS}, {} went wrong", wrong.len());
    for line in wrong {
        eprintln!("{line}");
    }
}
