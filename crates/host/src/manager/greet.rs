//! Whether anybody answers at a D-Bus socket, without a word of D-Bus: its first exchange is plain text.

use std::{
    io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
        socket_with,
    },
};

/// How a client of D-Bus begins, as user 0 ("Authentication Protocol" in D-Bus's specification).
const HELLO: &[u8] = b"\0AUTH EXTERNAL 30\r\n";

/// Why nobody has answered.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// There is no such socket, or nobody listens at it, or whoever did hung up.
    Nobody(io::Error),
    /// Somebody listens and says nothing.
    Silence,
}

/// Says hello at a socket; good if anything is answered within `limit`. Never waits longer, whatever the other end does.
pub(super) fn greet(path: &str, limit: Duration) -> Result<(), NoAnswer> {
    let start = Instant::now();
    let socket = match reach(path) {
        Ok(socket) => socket,
        // Whoever listens has not accepted for a long time: as many wait before us as may.
        Err(Errno::AGAIN) => return Err(NoAnswer::Silence),
        Err(error) => return Err(NoAnswer::Nobody(error.into())),
    };
    loop {
        match recv(&socket, &mut [0; 64], RecvFlags::DONTWAIT) {
            Ok((_, 0)) => return Err(NoAnswer::Nobody(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => return Ok(()),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(NoAnswer::Nobody(error.into())),
        }
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(NoAnswer::Silence);
        }
        wait(&socket, left);
    }
}

fn reach(path: &str) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    send(&socket, HELLO, SendFlags::NOSIGNAL)?;
    Ok(socket)
}

/// Until something can be read, or the time is over; whoever called looks again in any case.
fn wait(socket: &OwnedFd, left: Duration) {
    let left =
        Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(1), tv_nsec: left.subsec_nanos().into() };
    let _looked_at_again = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&left));
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::net::UnixListener, thread};

    use super::*;

    /// For answers that come, and for those that do not.
    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(50);

    fn said(answer: &Result<(), NoAnswer>) -> String {
        match answer {
            Ok(()) => "answered".to_owned(),
            Err(NoAnswer::Silence) => "silence".to_owned(),
            Err(NoAnswer::Nobody(error)) => format!("nobody: {:?}", error.kind()),
        }
    }

    #[test]
    fn who_answers_is_told_from_who_does_not() {
        let folder = std::env::temp_dir().join(format!("lockstep-greet-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = |name: &str| format!("{}/{name}", folder.display());
        let listen = |name: &str| UnixListener::bind(path(name)).expect("bound");
        let (answers, _silent, hangs_up) = (listen("answers"), listen("silent"), listen("hangs-up"));
        drop(listen("left"));
        let serving = thread::spawn(move || {
            let (mut client, _) = answers.accept().expect("a client");
            client.write_all(b"OK 1234\r\n").expect("said");
            drop(hangs_up.accept());
            client
        });
        let found = |name: &str, limit| said(&greet(&path(name), limit));
        assert_eq!(found("answers", LONG), "answered");
        assert_eq!(found("silent", SHORT), "silence");
        assert_eq!(found("left", LONG), "nobody: ConnectionRefused");
        assert_eq!(found("nothing", LONG), "nobody: NotFound");
        let hung_up = found("hangs-up", LONG);
        assert!(hung_up.starts_with("nobody: "), "{hung_up}");
        drop(serving.join());
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_full_queue_is_silence() {
        let path = std::env::temp_dir().join(format!("lockstep-full-{}", std::process::id()));
        let path = path.to_str().expect("text").to_owned();
        let _gone = std::fs::remove_file(&path);
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .expect("a socket");
        rustix::net::bind(&socket, &SocketAddrUnix::new(path.as_str()).expect("an address")).expect("bound");
        rustix::net::listen(&socket, 0).expect("listening");
        let waiting: Vec<_> = (0..4).map(|_| reach(&path)).collect();
        assert!(waiting.iter().any(|reached| matches!(reached, Err(Errno::AGAIN))), "the queue has an end");
        assert_eq!(said(&greet(&path, SHORT)), "silence");
        std::fs::remove_file(&path).expect("removed");
    }
}
