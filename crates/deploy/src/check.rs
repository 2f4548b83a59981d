//! Checks that are tried from the operator's machine before a host is confirmed.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

use order::{Check, CheckKind};
use report::{Cause, CauseKind};
use run::{Command, Output};

use crate::causes;
use crate::text::last_lines;

/// One try takes at most this long.
const TRY: Duration = Duration::from_secs(30);

/// Tries each check until it holds or its time is over; `quit` is asked between tries.
///
/// # Errors
/// The first that does not hold.
pub(crate) fn all(checks: &[Check], quit: &dyn Fn() -> bool) -> Result<(), Cause> {
    checks.iter().try_for_each(|check| hold(check, quit))
}

fn hold(check: &Check, quit: &dyn Fn() -> bool) -> Result<(), Cause> {
    let began = Instant::now();
    loop {
        let left = check.timeout.saturating_sub(began.elapsed());
        let Err(Fault { why, log }) = attempt(&check.kind, left.clamp(Duration::from_millis(100), TRY))
        else {
            return Ok(());
        };
        if quit() || began.elapsed() + check.period >= check.timeout {
            let text = format!("the check '{}' from here does not hold: {why}", check.name);
            return Err(Cause::new(CauseKind::Check, text).with_log(log));
        }
        thread::sleep(check.period);
    }
}

/// Why a try failed.
struct Fault {
    why: String,
    /// The last lines of a command.
    log: Vec<String>,
}

impl Fault {
    fn new(why: String) -> Self {
        Self { why, log: Vec::new() }
    }
}

fn attempt(kind: &CheckKind, limit: Duration) -> Result<(), Fault> {
    match kind {
        CheckKind::Http { url, status } => http(url, *status, limit),
        CheckKind::Tcp { address } => {
            tcp(address, limit).map_err(|error| Fault::new(format!("{address}: {error}")))
        }
        CheckKind::Command { words } => command(words, limit),
    }
}

fn get(url: &str, limit: Duration, redirects: u32) -> Result<u16, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .max_redirects(redirects)
        .build()
        .into();
    Ok(agent.get(url).call()?.status().as_u16())
}

fn http(url: &str, status: Option<u16>, limit: Duration) -> Result<(), Fault> {
    // A wanted status may be that of a redirection itself.
    let found = get(url, limit, if status.is_some() { 0 } else { 5 });
    let found = found.map_err(|error| Fault::new(format!("{url}: {}", causes::chain(&error))))?;
    let good = status.map_or((200..300).contains(&found), |wanted| wanted == found);
    if good { Ok(()) } else { Err(Fault::new(format!("{url} was answered with {found}"))) }
}

fn tcp(address: &str, limit: Duration) -> io::Result<()> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn command(words: &[String], limit: Duration) -> Result<(), Fault> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let command = Command::new(program).args(arguments).timeout(limit).stdout(Output::Null);
    let finished = command.output().map_err(|error| Fault::new(causes::chain(&error)))?;
    if finished.status.success() {
        return Ok(());
    }
    let log = last_lines(&String::from_utf8_lossy(&finished.stderr));
    Err(Fault { why: format!("'{program}' ended with {}", finished.status), log })
}
