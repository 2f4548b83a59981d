//! Where TCP is listened for: `/proc/net/tcp` and `/proc/net/tcp6`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::collections::BTreeSet;

use thiserror::Error;

use crate::text::excerpt;

/// Longest text that is read.
const MAX_TEXT: usize = 32 << 20;
/// `TCP_LISTEN` of the kernel's `tcp_states.h`.
const LISTEN: &str = "0A";

/// Why a text is not a list of sockets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListenersError {
    /// More than any host has.
    #[error("a list of sockets has at most {MAX_TEXT} bytes, found {0}")]
    TooLong(usize),
    /// A line of another form.
    #[error("'{line}' is not a line of /proc/net/tcp")]
    Line {
        /// The line's beginning.
        line: String,
    },
}

/// Reads `/proc/net/tcp` or `/proc/net/tcp6` of a little-endian machine, which all of NixOS's are: a heading, then
/// addresses as words of 32 bits in the machine's order, ports in plain hexadecimal, and the state.
///
/// # Errors
/// If a line has another form.
pub fn from_proc_net_tcp(text: &[u8]) -> Result<BTreeSet<SocketAddr>, ListenersError> {
    let text = bounded(text)?;
    let mut found = BTreeSet::new();
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let bad = || ListenersError::Line { line: excerpt(line) };
        let mut columns = line.split_whitespace().skip(1);
        let (local, state) = (columns.next().ok_or_else(bad)?, columns.nth(1).ok_or_else(bad)?);
        if state == LISTEN {
            found.insert(hexadecimal(local).ok_or_else(bad)?);
        }
    }
    Ok(found)
}

fn bounded(text: &[u8]) -> Result<String, ListenersError> {
    if text.len() > MAX_TEXT {
        return Err(ListenersError::TooLong(text.len()));
    }
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// `0100007F:0016` or 32 digits and a port.
fn hexadecimal(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |index: usize| u32::from_str_radix(host.get(index * 8..index * 8 + 8)?, 16).ok();
    let host = match host.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?.to_le_bytes())),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index)?.to_le_bytes());
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(SocketAddr::new(host, port))
}
