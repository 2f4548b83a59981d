//! What happens while it happens: a live board on a terminal, plain lines elsewhere, or JSON.

mod board;
mod lines;

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc::Receiver},
    time::SystemTime,
};

use deploy::Event;
use order::HostName;
use report::Timestamp;

use self::{board::Board, lines::Lines};
use crate::terminal::Terminal;

pub(crate) use lines::Detail;

/// What an operation does, as far as it matters for how it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Work {
    /// It changes hosts, or prepares that; its events say which hosts take part.
    #[default]
    Run,
    /// These hosts are asked something.
    Question(Vec<HostName>),
    /// On these hosts a program runs, and what it prints is what was asked for.
    Exec(Vec<HostName>),
}

/// Shows events until there are no more.
pub(crate) struct Progress {
    terminal: Arc<Terminal>,
    lines: Lines,
    board: Arc<Mutex<Board>>,
    json: bool,
    is_live: bool,
}

impl Progress {
    /// JSON, or a board with few lines above it, or all lines.
    pub(crate) fn new(terminal: Arc<Terminal>, json: bool, verbose: u8, work: Work) -> Self {
        let look = terminal.err();
        let is_live = look.is_terminal && !json;
        let mut board = Board::new(look.color);
        if let Work::Question(hosts) | Work::Exec(hosts) = &work {
            board.ask(now(), hosts);
        }
        let board = Arc::new(Mutex::new(board));
        let detail = Detail { is_live, verbose, work };
        Self { lines: Lines::new(detail, look.color), terminal, board, json, is_live }
    }

    /// Shows every event that comes; returns when nobody is left to send any.
    pub(crate) fn show(mut self, events: Receiver<Event>) {
        if self.is_live {
            let board = Arc::clone(&self.board);
            let draw = move |width, height| lock(&board).lines(now(), width, height);
            self.terminal.begin_live(draw);
        }
        for event in events {
            self.take(&event);
        }
        self.terminal.end_live();
    }

    fn take(&mut self, event: &Event) {
        if self.json {
            let mut line = event.to_json();
            line.push(b'\n');
            self.terminal.write_out(&line);
            return;
        }
        lock(&self.board).take(event);
        if let Some(said) = self.lines.take(event) {
            if said.is_result {
                self.terminal.print([said.text]);
            } else {
                self.terminal.note(&said.text);
            }
        }
    }
}

/// The time of this machine's clock.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

fn lock(board: &Mutex<Board>) -> std::sync::MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}
