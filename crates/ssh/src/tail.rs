//! The end of what a program says on standard error, read by a thread of its own so that nobody blocks on it.

use std::io::{PipeReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::prompt::Scanner;

/// How much is kept: the end, where the reason stands.
const KEPT: usize = 16 * 1024;

/// What has been said so far, bounded. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Tail {
    /// Reads `stream` to its end. Each time `prompt` comes it is taken out and `on_prompt` is called.
    pub(crate) fn follow(
        mut stream: PipeReader,
        prompt: &str,
        on_prompt: impl Fn() + Send + 'static,
    ) -> Self {
        let (tail, mut scanner) = (Self::default(), Scanner::new(prompt.as_bytes()));
        let ours = tail.clone();
        thread::spawn(move || {
            let (mut chunk, mut passed) = ([0; 4096], Vec::new());
            while let Ok(read @ 1..) = stream.read(&mut chunk) {
                let found = scanner.push(&chunk[..read], &mut passed);
                ours.add(&passed);
                passed.clear();
                (0..found).for_each(|_| on_prompt());
            }
            scanner.finish(&mut passed);
            ours.add(&passed);
            ours.end();
        });
        tail
    }

    fn add(&self, bytes: &[u8]) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes.extend_from_slice(bytes);
        let excess = state.bytes.len().saturating_sub(KEPT);
        state.bytes.drain(..excess);
    }

    fn end(&self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.0.1.notify_all();
    }

    /// Waits for the end of the stream, at most `limit`: somebody else may hold it open.
    pub(crate) fn wait_end(&self, limit: Duration) {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(state, limit, |state| !state.ended);
        drop(waited);
    }

    /// What was said, without white space at its end and without the carriage returns of terminals.
    pub(crate) fn text(&self) -> String {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&state.bytes).replace('\r', "").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::{KEPT, Tail};

    #[test]
    fn the_end_is_kept_and_prompts_are_told_and_taken_out() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (told, prompts) = channel();
        let tail = Tail::follow(reader, "ask-1", move || told.send(()).unwrap());
        writer.write_all("x".repeat(2 * KEPT).as_bytes()).unwrap();
        writer.write_all(b"\nfirst ask-1").unwrap();
        prompts.recv().unwrap();
        writer.write_all(b"second\r\n").unwrap();
        drop(writer);
        tail.wait_end(Duration::from_secs(60));
        let text = tail.text();
        assert!(text.ends_with("x\nfirst second") && text.len() <= KEPT, "{text}");
        assert!(prompts.recv().is_err(), "one prompt");
    }
}
