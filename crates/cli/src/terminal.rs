//! The one owner of the terminal: what is printed, asked and drawn goes through here.
//!
//! Results go to standard output, everything else to standard error. Who reads standard output may hang up at any
//! time: the run goes on in silence.

mod keys;
mod tty;

use std::{
    io::{self, IsTerminal, Write, stderr, stdout},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::ValueEnum;
use console::Term;
use deploy::Stop;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::text::clean;

pub(crate) use tty::leave;

/// How often the live part is drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// When text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What one of the two streams can show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Whether colours are wanted.
    pub(crate) color: bool,
    /// Columns, if lines must fit.
    pub(crate) width: Option<usize>,
    /// Whether it is a terminal.
    pub(crate) is_terminal: bool,
}

/// The terminal, or what stands in its place.
pub(crate) struct Terminal {
    out: Look,
    err: Look,
    /// Who reads standard output has hung up.
    hung_up: Mutex<bool>,
    /// Whether a result could not be written although somebody may want it.
    lost_output: AtomicBool,
    live: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    /// Looks at both streams and at the environment, once.
    pub(crate) fn new(choice: ColorChoice) -> Self {
        let auto = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let look = |is_terminal: bool, term: &Term| Look {
            color: match choice {
                ColorChoice::Auto => auto && is_terminal,
                ColorChoice::Always => true,
                ColorChoice::Never => false,
            },
            width: term.size_checked().filter(|_| is_terminal).map(|(_, columns)| usize::from(columns)),
            is_terminal,
        };
        Self {
            out: look(stdout().is_terminal(), &Term::stdout()),
            err: look(stderr().is_terminal(), &Term::stderr()),
            hung_up: Mutex::new(false),
            lost_output: AtomicBool::new(false),
            live: Mutex::new(None),
        }
    }

    /// What standard output can show.
    pub(crate) fn out(&self) -> Look {
        self.out
    }

    /// What standard error can show.
    pub(crate) fn err(&self) -> Look {
        self.err
    }

    /// Lines of a result, on standard output. The caller has cleaned what is foreign.
    pub(crate) fn print(&self, lines: impl IntoIterator<Item = impl AsRef<str>>) {
        let mut text = String::new();
        for line in lines {
            text.push_str(line.as_ref());
            text.push('\n');
        }
        self.write_out(text.as_bytes());
    }

    /// One value as one line of JSON, on standard output.
    pub(crate) fn json(&self, value: &impl Serialize) {
        let mut line = serde_json::to_vec(value).unwrap_or_default();
        line.push(b'\n');
        self.write_out(&line);
    }

    /// Bytes of a result as they are.
    pub(crate) fn write_out(&self, bytes: &[u8]) {
        let mut hung_up = lock(&self.hung_up);
        if *hung_up {
            return;
        }
        let written = self.aside(|| {
            let mut out = stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        });
        // A closed pipe is how a reader says that it has enough; a full disk is said once.
        *hung_up = written.is_err();
        if let Err(error) = written.as_ref()
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.lost_output.store(true, Ordering::Relaxed);
            self.note(&format!("error: cannot write to standard output: {error}"));
        }
    }

    /// Whether a result could not be written, for another reason than that its reader has enough.
    pub(crate) fn has_lost_output(&self) -> bool {
        self.lost_output.load(Ordering::Relaxed)
    }

    /// A line for people, on standard error. The caller has cleaned what is foreign.
    pub(crate) fn note(&self, line: &str) {
        // Nobody is left to tell if this fails.
        self.aside(|| drop(writeln!(stderr().lock(), "{line}")));
    }

    /// Shows what `draw` gives for a width and a height, again and again, until [`Terminal::end_live`].
    pub(crate) fn begin_live(
        &self,
        draw: impl Fn(usize, usize) -> Vec<String> + Clone + Send + Sync + 'static,
    ) {
        let term = Term::stderr();
        let key = move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let (rows, columns) = term.size();
            let _ = out.write_str(&draw(usize::from(columns), usize::from(rows)).join("\n"));
        };
        let Ok(style) = ProgressStyle::with_template("{live}") else { return };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(15));
        bar.set_style(style.with_key("live", key));
        bar.enable_steady_tick(TICK);
        *lock(&self.live) = Some(bar);
    }

    /// Takes the live part away.
    pub(crate) fn end_live(&self) {
        if let Some(bar) = lock(&self.live).take() {
            bar.finish_and_clear();
        }
    }

    /// Whether somebody is there who can answer.
    pub(crate) fn can_ask(&self) -> bool {
        self.err.is_terminal && tty::is_there()
    }

    /// Asks for a yes or a no; an empty answer is a no, and so is nobody.
    pub(crate) fn confirm(&self, question: &str, stop: &Stop) -> bool {
        let answer = self.aside(|| tty::ask(&format!("{question} [y/N] "), keys::Echo::Shown, stop));
        let answer = answer.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_lowercase());
        answer.is_some_and(|answer| answer == "y" || answer == "yes")
    }

    /// Asks for a password without showing it; `None` if there is nobody or they do not want to.
    pub(crate) fn password(&self, question: &str, stop: &Stop) -> Option<String> {
        let prompt = format!("{}: ", clean(question));
        let typed = self.aside(|| tty::ask(&prompt, keys::Echo::Hidden, stop))?;
        String::from_utf8(typed).ok()
    }

    /// Does something while the live part is out of the way.
    fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        let bar = lock(&self.live).clone();
        match bar {
            Some(bar) => bar.suspend(act),
            None => act(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
