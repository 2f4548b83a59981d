//! One run of `nix`: its output line by line as it comes, and its end, cancelled or not.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, PipeReader, Read},
    os::fd::OwnedFd,
    process::ExitStatus,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use run::{Child, Command, Finished, Output};
use rustix::process::{Pid, Signal, kill_process};

use crate::cancel::Cancel;

/// How often is looked whether the process still runs and is still wanted while it prints nothing.
const LOOK: Duration = Duration::from_millis(50);
/// The same once it has closed its output and is about to end.
const SHORT_LOOK: Duration = Duration::from_millis(2);
/// How long what it printed last may take to be read when it has ended; a process that it left behind may
/// hold the pipe open for ever.
const GRACE: Duration = Duration::from_secs(2);
/// How long a process that is asked to end may take before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest line that is held; the rest of it is thrown away.
const LONGEST_LINE: usize = 1 << 20;
/// Longest answer on standard output.
const LONGEST_ANSWER: usize = 64 << 20;
/// Lines that wait for us, until Nix has to.
const QUEUE: usize = 1024;

/// Why there is no end.
#[derive(Debug)]
pub(crate) enum Failure {
    NoNix(run::Error),
    Lost(run::Error),
    Cancelled,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
}

/// The `nix` program with what every use of it has in common.
pub(crate) fn nix() -> Command {
    Command::new("nix")
        .args(["--extra-experimental-features", "nix-command flakes"])
        .env("NO_COLOR", "1")
        .limit(LONGEST_ANSWER)
}

/// Runs to the end and gives every line of standard error to `on_line` as it comes.
pub(crate) fn follow(
    command: Command,
    cancel: &Cancel,
    on_line: &mut dyn FnMut(&str),
) -> Result<Ended, Failure> {
    if cancel.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    let name = command.to_string();
    let lost = |source| Failure::Lost(run::Error::Lost { command: name.clone(), source });
    let (reader, writer) = io::pipe().map_err(lost)?;
    let stderr = Output::File(File::from(OwnedFd::from(writer)));
    let mut child = command.stderr(stderr).spawn().map_err(Failure::NoNix)?;
    let lines = read_lines(reader);
    watch(&mut child, &lines, cancel, on_line)?;
    let Finished { status, stdout, .. } = child.wait().map_err(Failure::Lost)?;
    drain(&lines, on_line);
    Ok(Ended { status, stdout })
}

/// Follows the child until it has ended.
fn watch(
    child: &mut Child,
    lines: &Receiver<String>,
    cancel: &Cancel,
    on_line: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let mut closed = false;
    while !cancel.is_cancelled() {
        if closed {
            thread::sleep(SHORT_LOOK);
        } else {
            match lines.recv_timeout(LOOK) {
                Ok(line) => {
                    on_line(&line);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => closed = true,
            }
        }
        if !child.is_running() {
            return Ok(());
        }
    }
    end(child, lines);
    Err(Failure::Cancelled)
}

/// Ends a child that nobody wants any more. Nix is asked first, for only then does it end its builders where
/// there is no daemon (as root; 2.34 leaves some behind even so).
fn end(child: &mut Child, lines: &Receiver<String>) {
    if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
        // It has not been reaped, so the id is still its own; one that has ended is what we want.
        let _ended = kill_process(pid, Signal::TERM);
    }
    let deadline = Instant::now() + PATIENCE;
    while child.is_running() && Instant::now() < deadline {
        // What it prints now is read all the same, so that it can go on to its end.
        while lines.try_recv().is_ok() {}
        thread::sleep(SHORT_LOOK);
    }
    child.kill();
}

fn drain(lines: &Receiver<String>, on_line: &mut dyn FnMut(&str)) {
    let deadline = Instant::now() + GRACE;
    while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        on_line(&line);
    }
}

/// Reads from a thread of its own, which ends when nobody writes or nobody wants to know any more.
fn read_lines(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = sync_channel(QUEUE);
    thread::spawn(move || send_lines(BufReader::new(reader), &sender));
    receiver
}

fn send_lines(mut reader: impl BufRead, sender: &SyncSender<String>) {
    while let Ok(Some(line)) = read_line(&mut reader) {
        if sender.send(line).is_err() {
            return;
        }
    }
}

/// One line without its end, cut; nothing at the end of the stream.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        reader.skip_until(b'\n')?;
    }
    Ok(Some(String::from_utf8_lossy(line.trim_ascii_end()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_counted() {
        let long = vec![b'x'; LONGEST_LINE + 10];
        let cases: Vec<(Vec<u8>, Vec<usize>)> = vec![
            (b"".to_vec(), vec![]),
            (b"a".to_vec(), vec![1]),
            (b"a\nbb\r\n\nccc".to_vec(), vec![1, 2, 0, 3]),
            (b"\xff\n".to_vec(), vec![3]),
            ([&long[..], b"\nab\n"].concat(), vec![LONGEST_LINE, 2]),
        ];
        for (bytes, expected) in cases {
            let mut reader = &bytes[..];
            let lengths = std::iter::from_fn(|| read_line(&mut reader).unwrap()).map(|line| line.len());
            assert_eq!(lengths.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_run_ends_by_itself_or_is_cancelled() {
        let mut lines = Vec::new();
        let script = "echo out; echo one >&2; echo two >&2; exit 3";
        let command = Command::new("sh").args(["-c", script]);
        let ended = follow(command, &Cancel::default(), &mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!((ended.status.code(), &ended.stdout[..]), (Some(3), &b"out\n"[..]));
        assert_eq!(lines, ["one", "two"]);

        let cancel = Cancel::default();
        // It closes its output, so that only its end can be waited for; the second is silent.
        for script in ["echo go >&2; exec 2>&-; sleep 1000", "echo go >&2; sleep 1000"] {
            let cancel = cancel.clone();
            let command = Command::new("sh").args(["-c", script]);
            let ended = follow(command, &cancel, &mut |_| cancel.cancel());
            assert!(matches!(ended, Err(Failure::Cancelled)), "{ended:?}");
        }
        let none = follow(Command::new("sh"), &cancel, &mut |_| ());
        assert!(matches!(none, Err(Failure::Cancelled)), "nothing is started any more");
        let missing = follow(Command::new("/nowhere/nix"), &Cancel::default(), &mut |_| ());
        assert!(matches!(missing, Err(Failure::NoNix(run::Error::Start { .. }))));
    }

    #[test]
    fn who_keeps_the_output_open_is_not_waited_for() {
        let script = "setsid sleep 1000 & echo $! >&2; exit 0";
        let command = Command::new("sh").args(["-c", script]);
        let mut sleeper = String::new();
        // Standard output is not inherited by the sleeper alone: nobody reads the half of an answer.
        let command = command.stdout(Output::Null);
        let ended = follow(command, &Cancel::default(), &mut |line| line.clone_into(&mut sleeper)).unwrap();
        assert!(ended.status.success());
        Command::new("kill").arg(&sleeper).run().unwrap();
    }
}
