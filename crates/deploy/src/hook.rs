//! What follows each host's result: a command or a webhook, which never holds a run for long.

use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fleet::OnResult;
use report::Report;
use run::{Command, Output};

use crate::causes;
use crate::text::last_lines;

/// How long a command or a webhook may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Hands the result to the command's standard input, or posts it, as the JSON of its report. What went wrong is sent to
/// `failed`.
pub(crate) fn start(hook: &OnResult, result: &Report, failed: Sender<String>) -> JoinHandle<()> {
    let (hook, json) = (hook.clone(), result.to_json());
    thread::spawn(move || {
        let ended = match &hook {
            OnResult::Command(words) => command(words, json),
            OnResult::Webhook(url) => post(url.as_str(), &json),
        };
        if let Err(Fault(why)) = ended {
            // Nobody listens any more: the run is over.
            let _gone = failed.send(why);
        }
    })
}

/// Why it failed, in a line.
struct Fault(String);

fn command(words: &fleet::Argv, json: Vec<u8>) -> Result<(), Fault> {
    let command = Command::new(words.program()).args(words.arguments()).input(json);
    let finished = command.stdout(Output::Null).timeout(LIMIT).output();
    let finished = finished.map_err(|error| Fault(format!("onResult: {}", causes::chain(&error))))?;
    if finished.status.success() {
        return Ok(());
    }
    let said = last_lines(&String::from_utf8_lossy(&finished.stderr)).pop().unwrap_or_default();
    Err(Fault(format!("onResult: '{}' ended with {} {said}", words.program(), finished.status)))
}

fn post(url: &str, json: &[u8]) -> Result<(), Fault> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(LIMIT)).http_status_as_error(false).build().into();
    let answer = agent.post(url).header("content-type", "application/json").send(json);
    let answer = answer.map_err(|error| Fault(format!("onResult: {url}: {}", causes::chain(&error))))?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(Fault(format!("onResult: {url} answered with {status}"))) }
}
