//! Ctrl-C, SIGTERM and SIGHUP: the first asks for an orderly stop, the second leaves.

use std::{fs, sync::Arc, thread, time::Duration};

use deploy::{Stop, Urgency};
use nix::sys::signal::{SigSet, Signal};

use crate::terminal::{Terminal, leave};

/// How long an operation may take to end after the second wish.
const GRACE: Duration = Duration::from_secs(3);
/// The exit code then, as shells have it for SIGINT.
const LEFT: i32 = 130;

const FIRST: &str = "stopping: nothing more is begun, and activations that are not confirmed go back; press Ctrl-C again to leave";
const SECOND: &str =
    "leaving: what goes on on hosts is ended or taken back by their guards; see `lockstep status`";

/// Hears the wishes from here on.
pub(crate) fn install(terminal: Arc<Terminal>, stop: Stop) -> Result<(), ctrlc::Error> {
    if ignores_hangup() {
        // The handler is for all signals. What is blocked before any other thread begins never comes.
        let mut hangup = SigSet::empty();
        hangup.add(Signal::SIGHUP);
        hangup.thread_block().map_err(|error| ctrlc::Error::System(error.into()))?;
    }
    ctrlc::set_handler(move || {
        stop.wish();
        if stop.urgency() == Urgency::Leave {
            terminal.note(SECOND);
            thread::sleep(GRACE);
            leave(LEFT);
        }
        terminal.note(FIRST);
    })
}

/// Whether whoever started us wants us to go on when the terminal is gone (`nohup`).
fn ignores_hangup() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, Signal::SIGHUP))
}

/// Whether `SigIgn` in proc_pid_status(5), a mask of hexadecimal digits, has this signal.
fn ignores(status: &str, signal: Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal as i32 - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_signal_is_known_by_its_bit() {
        let status =
            |mask: &str| format!("Name:\tlockstep\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\nSigCgt:\t1\n");
        for (mask, hangup) in
            [("0000000000000001", true), ("0000000000001001", true), ("0000000000001000", false)]
        {
            assert_eq!(ignores(&status(mask), Signal::SIGHUP), hangup, "{mask}");
        }
        assert!(!ignores("Name:\tlockstep\n", Signal::SIGHUP));
    }
}
