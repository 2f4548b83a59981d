//! The controlling terminal: one question at a time, and its settings put back whatever happens.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    process,
    sync::{Mutex, PoisonError},
};

use deploy::Stop;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::keys::{After, Echo, Line};

/// What has to be put back when the program leaves in the middle of a question.
static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);
/// One question at a time.
static ASKING: Mutex<()> = Mutex::new(());

/// How long a read waits for a key, in tenths of a second.
const PATIENCE: u8 = 2;

/// Whether there is a controlling terminal.
pub(crate) fn is_there() -> bool {
    open().is_ok()
}

/// Asks on the controlling terminal; `None` if there is none, or if the user gave it up with Ctrl-C or Ctrl-D, or
/// wished to stop meanwhile.
pub(crate) fn ask(prompt: &str, echo: Echo, stop: &Stop) -> Option<Vec<u8>> {
    let _one = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    answer(prompt, echo, stop).ok().flatten()
}

/// Puts the terminal's settings back and ends the program.
pub(crate) fn leave(code: i32) -> ! {
    restore();
    process::exit(code)
}

fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

fn answer(prompt: &str, echo: Echo, stop: &Stop) -> io::Result<Option<Vec<u8>>> {
    let mut tty = open()?;
    let _settings = Settings::unechoed(&tty)?;
    tty.write_all(prompt.as_bytes())?;
    let mut line = Line::new(echo);
    let typed = loop {
        let mut byte = [0];
        if stop.is_wished() {
            break None;
        }
        // Nothing was typed for a while.
        if tty.read(&mut byte)? == 0 {
            continue;
        }
        match line.push(byte[0]) {
            After::More(shown) => tty.write_all(&shown)?,
            After::Done => break Some(line.take()),
            After::Cancelled => break None,
        }
    };
    tty.write_all(b"\n")?;
    Ok(typed)
}

/// The terminal gives each key as it comes: no echo, no lines, no signals. What was set before comes back with the drop.
struct Settings;

impl Settings {
    fn unechoed(tty: &File) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        now.special_codes[SpecialCodeIndex::VMIN] = 0;
        now.special_codes[SpecialCodeIndex::VTIME] = PATIENCE;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some((tty.try_clone()?, before));
        // What was typed before the question is no answer to it.
        tcsetattr(tty, OptionalActions::Flush, &now)?;
        Ok(Self)
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if let Some((tty, before)) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // There is nobody to tell if the terminal is gone.
        let _ = tcsetattr(&tty, OptionalActions::Now, &before);
    }
}
