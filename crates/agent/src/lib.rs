//! `lockstep-agent`: one program on a host, in six roles.
//!
//! | role | started by | does |
//! |---|---|---|
//! | `session` | the operator, over ssh and as root | answers what crate `session` says, on its standard input and output |
//! | `own ORDER` | a session, in a transient service | holds the lock and carries one order out |
//! | `resume` | the start unit at every boot; a session that finds an unfinished activation | holds the lock and brings it to its end |
//! | `guard ORDER` | the owner, in a transient service | takes over when the owner is dead or late |
//! | `reboot` | a session, in a transient service | holds the lock and restarts the machine |
//! | `run-job ...` | owner or guard, in a transient service | runs one program and leaves its result in a file |
//!
//! Sessions may come and go: they hand an order to an owner, follow its journal and its log, and pass on what the
//! operator wants. Whatever dies, the journal has the truth and the guard goes on.

mod between;
mod confirm;
mod deliver;
mod exec;
mod facts;
mod follow;
mod guard;
mod handover;
mod history;
mod jobs;
mod outbox;
mod owner;
mod reboot;
mod receiving;
mod session;
mod tunnel;
mod words;

use std::{env, ffi::OsString, io, process::ExitCode};

use order::OrderId;

pub use between::Between;

/// Runs the role that the arguments name. Exit codes: 0 done, 1 failed, 2 usage.
#[must_use]
pub fn main() -> ExitCode {
    main_with(&between::Nothing)
}

/// The same with something between the activation and this machine: for the lab's own build of the agent only.
#[must_use]
pub fn main_with(between: &impl Between) -> ExitCode {
    let words: Vec<Option<String>> =
        env::args_os().skip(1).map(|word| OsString::into_string(word).ok()).collect();
    let words: Option<Vec<&str>> = words.iter().map(Option::as_deref).collect();
    match words.as_deref() {
        Some(["session"]) => session::serve(io::stdin().lock(), io::stdout()),
        Some(["own", order]) => with_order(order, |order| owner::own(order, between)),
        Some(["resume"]) => owner::resume(between),
        Some(["guard", order]) => with_order(order, |order| guard::stand(order, between)),
        Some(["reboot"]) => reboot::run(),
        Some(["run-job", program, action, result, log]) => host::run_job(program, action, result, log),
        Some(["--version"]) => {
            say(&format!("lockstep-agent {}", env!("CARGO_PKG_VERSION")), ExitCode::SUCCESS)
        }
        _ => say(USAGE, ExitCode::from(2)),
    }
}

const USAGE: &str = "lockstep-agent is started by lockstep, on the hosts that it deploys to.
usage: lockstep-agent session | own ORDER | resume | guard ORDER | reboot | run-job PROGRAM ACTION RESULT LOG | --version";

fn with_order(text: &str, role: impl FnOnce(&OrderId) -> ExitCode) -> ExitCode {
    match text.parse() {
        Ok(order) => role(&order),
        Err(error) => say(&format!("lockstep-agent: {error}"), ExitCode::from(2)),
    }
}

#[expect(clippy::print_stderr, reason = "a program's own words about how it was started")]
fn say(text: &str, code: ExitCode) -> ExitCode {
    eprintln!("{text}");
    code
}
