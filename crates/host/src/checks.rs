//! The checks of an order, tried from the host itself.

use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    thread,
    time::{Duration, Instant},
};

use activate::{Fault, Record};
use order::{Check, CheckKind};

use crate::{chain, http, programs::operators_command};

/// Longest single try.
const TRY: Duration = Duration::from_secs(10);

/// Tries every check until it holds, each by itself, and tells of each that does not.
#[must_use]
pub fn all(checks: &[Check], stop: &mut dyn FnMut() -> bool) -> Vec<Fault> {
    checks.iter().filter_map(|check| until(std::slice::from_ref(check), stop).err()).collect()
}

/// Tries every check until it holds; an error names the first whose time is over.
pub(crate) fn hold(record: &Record, stop: &mut dyn FnMut() -> bool) -> Result<(), Fault> {
    until(&record.order.settings.checks, stop)
}

fn until(checks: &[Check], stop: &mut dyn FnMut() -> bool) -> Result<(), Fault> {
    let start = Instant::now();
    let mut open: Vec<(&Check, Instant)> = checks.iter().map(|check| (check, start)).collect();
    while !open.is_empty() {
        let mut still = Vec::new();
        for (check, next) in open {
            if Instant::now() < next {
                still.push((check, next));
                continue;
            }
            let left = check.timeout.saturating_sub(start.elapsed());
            match attempt(&check.kind, left.min(TRY)) {
                Ok(()) => {}
                Err(why) if start.elapsed() >= check.timeout || stop() => {
                    return Err(Fault::new(format!("check '{}': {why}", check.name)));
                }
                Err(_) => still.push((check, Instant::now() + check.period)),
            }
        }
        open = still;
        if !open.is_empty() {
            thread::sleep(nap(&open));
        }
    }
    Ok(())
}

/// Until the next try, but not so long that a wish to go back waits.
fn nap(open: &[(&Check, Instant)]) -> Duration {
    const LONGEST: Duration = Duration::from_millis(200);
    let now = Instant::now();
    open.iter().map(|(_, next)| next.saturating_duration_since(now)).min().unwrap_or(LONGEST).min(LONGEST)
}

/// One try.
fn attempt(kind: &CheckKind, limit: Duration) -> Result<(), Fault> {
    let limit = limit.max(Duration::from_millis(100));
    match kind {
        CheckKind::Tcp { address } => tcp(address, limit),
        CheckKind::Http { url, status } => http::get(url, *status, limit),
        CheckKind::Command { words } => command(words, limit),
    }
}

fn tcp(address: &str, limit: Duration) -> Result<(), Fault> {
    let fault = |error: std::io::Error| Fault::new(format!("{address}: {error}"));
    let addresses: Vec<SocketAddr> = address.to_socket_addrs().map_err(fault)?.collect();
    let mut last = Fault::new(format!("{address}: no such host"));
    for one in addresses {
        match TcpStream::connect_timeout(&one, limit) {
            Ok(_) => return Ok(()),
            Err(error) => last = fault(error),
        }
    }
    Err(last)
}

fn command(words: &[String], limit: Duration) -> Result<(), Fault> {
    let command = operators_command(words).ok_or_else(|| Fault::new("a command without words"))?;
    command.timeout(limit).run().map(drop).map_err(|error| Fault::new(chain(&error)))
}
