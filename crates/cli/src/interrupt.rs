//! Ctrl-C and SIGTERM: the first asks for an orderly stop, the second leaves.

use std::{sync::Arc, thread, time::Duration};

use deploy::{Stop, Urgency};

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
