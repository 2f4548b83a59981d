//! Uploads to daemons that answer early, talk all the time, lie, leave, or do nothing.

use std::{
    io::Read,
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Arc, mpsc},
};

use store::hash::Algorithm;

use super::*;
use crate::{
    fake::{log_message, socket_client},
    stderr::LAST,
};

const POLICY: AddPolicy = AddPolicy { repair: false, check_signatures: true };

/// More than any socket buffers.
const MUCH: usize = 8 << 20;

/// A path with a NAR of a little more than `size` bytes.
fn large(size: usize) -> (PathInfo, Vec<u8>) {
    let nar = file_nar(&vec![1; size]);
    (PathInfo { nar_size: nar.len() as u64, ..info() }, nar)
}

/// Reads the head of an upload of `info` by [`Client::add_nar`].
fn hear_head(socket: &mut UnixStream, info: &PathInfo) {
    let expected = request(39, |to| {
        to.path(&info.path);
        to.path_info(info);
        to.flag(false);
        to.flag(false);
    });
    let mut head = vec![0; expected.len()];
    socket.read_exact(&mut head).unwrap();
    assert_eq!(head, expected);
}

/// Reads frames to the empty one, or to the end of the stream; with what they hold.
fn hear_frames(socket: &mut UnixStream) -> (Vec<u8>, bool) {
    let mut contents = Vec::new();
    let mut length = [0; 8];
    while socket.read_exact(&mut length).is_ok() {
        match usize::try_from(u64::from_le_bytes(length)).unwrap() {
            0 => return (contents, true),
            length => {
                let start = contents.len();
                contents.resize(start + length, 0);
                socket.read_exact(&mut contents[start..]).unwrap();
            }
        }
    }
    (contents, false)
}

#[test]
fn a_nar_goes_out_in_frames() {
    let (info, nar) = large(1 << 20);
    let (heard_info, sent_nar) = (info.clone(), nar.clone());
    let (mut client, daemon) = socket_client(move |mut socket| {
        hear_head(&mut socket, &heard_info);
        let heard = hear_frames(&mut socket);
        socket.write_all(&answer(|_| {})).unwrap();
        heard
    });
    client.add_nar(&PathInfo { ultimate: true, ..info }, POLICY, |sink| sink.write_all(&nar)).unwrap();
    assert!(client.is_usable());
    assert!(daemon.join().unwrap() == (sent_nar, true));
}

#[test]
fn paths_go_out_in_one_stream() {
    let (first, second) = (large(10), large(100_000));
    let infos = [first.0, PathInfo { path: path("b"), references: set(&["a", "b"]), ..second.0 }];
    let nars = [first.1, second.1];
    let expected = say(|to| {
        to.number(2);
        to.path(&infos[0].path);
        to.path_info(&infos[0]);
    });
    let behind = say(|to| {
        to.path(&infos[1].path);
        to.path_info(&infos[1]);
    });
    let expected = [expected, nars[0].clone(), behind, nars[1].clone()].concat();
    let (mut client, daemon) = socket_client(|mut socket| {
        let mut head = [0; 24];
        socket.read_exact(&mut head).unwrap();
        assert_eq!(head[..], request(44, |to| [1, 1].into_iter().for_each(|number| to.number(number))));
        let heard = hear_frames(&mut socket);
        socket.write_all(&answer(|_| {})).unwrap();
        heard
    });
    let policy = AddPolicy { repair: true, check_signatures: false };
    let mut given = nars.iter();
    client
        .add_paths(&infos, policy, |_, sink| sink.write_all(given.next().ok_or(io::ErrorKind::NotFound)?))
        .unwrap();
    assert!(daemon.join().unwrap() == (expected, true));
}

/// Two paths go out as they are told, or the connection ends before the one that cannot be told.
#[test]
fn paths_that_are_told_one_by_one_go_out_in_one_stream() {
    for told in [1, 2] {
        let (first, second) = (large(10), large(100_000));
        let all = [first, (PathInfo { path: path("b"), ..second.0 }, second.1)];
        let mut expected = say(|to| to.number(2));
        for (info, nar) in &all[..told] {
            expected.extend(say(|to| {
                to.path(&info.path);
                to.path_info(info);
            }));
            expected.extend(nar);
        }
        let (mut client, daemon) = socket_client(move |mut socket| {
            socket.read_exact(&mut [0; 24]).unwrap();
            let heard = hear_frames(&mut socket);
            // Nobody may listen any more.
            let _gone = socket.write_all(&answer(|_| {}));
            heard
        });
        let mut left = all[..told].iter();
        let result = client.add_each(2, POLICY, |nar| {
            let (info, bytes) = left.next().ok_or(io::Error::from(io::ErrorKind::NotFound))?;
            nar.extend_from_slice(bytes);
            Ok::<_, io::Error>(info.clone())
        });
        assert_eq!((result.is_ok(), client.is_usable()), (told == 2, told == 2));
        drop(client);
        let (heard, ended_well) = daemon.join().unwrap();
        assert!(ended_well == (told == 2) && expected.starts_with(&heard), "{told}");
        assert!(told == 1 || heard == expected);
    }
}

#[test]
fn content_becomes_a_path() {
    let info = info();
    let says = info.clone();
    let (mut client, daemon) = socket_client(move |mut socket| {
        let expected = request(7, |to| {
            to.string(b"source");
            to.string(b"fixed:r:sha256");
            to.paths(&set(&["b"]));
            to.flag(false);
        });
        let mut head = vec![0; expected.len()];
        socket.read_exact(&mut head).unwrap();
        assert_eq!(head, expected);
        let heard = hear_frames(&mut socket);
        let answer = answer(|to| {
            to.path(&says.path);
            to.path_info(&says);
        });
        socket.write_all(&answer).unwrap();
        heard
    });
    let name = "source".parse().unwrap();
    let method = ContentMethod::Nar(Algorithm::Sha256);
    let added = client.add_content(&name, method, &set(&["b"]), |sink| sink.write_all(b"data"));
    assert_eq!(added.unwrap(), info);
    assert_eq!(daemon.join().unwrap(), (b"data".to_vec(), true));
}

#[test]
fn a_flood_of_messages_stops_nobody() {
    let (info, nar) = large(MUCH);
    let heard_info = info.clone();
    let (mut client, daemon) = socket_client(move |mut socket| {
        // Nothing is read until more was said than the system buffers.
        let message = log_message(&"x".repeat(1 << 16));
        (0..MUCH >> 16).for_each(|_| socket.write_all(&message).unwrap());
        hear_head(&mut socket, &heard_info);
        let (contents, ended) = hear_frames(&mut socket);
        socket.write_all(&answer(|_| {})).unwrap();
        (contents.len(), ended)
    });
    let (tell, told) = mpsc::channel();
    client.on_log(move |event| tell.send(event).unwrap());
    client.add_nar(&info, POLICY, |sink| sink.write_all(&nar)).unwrap();
    assert_eq!(daemon.join().unwrap(), (nar.len(), true));
    assert_eq!(told.try_iter().count(), MUCH >> 16);
}

#[test]
fn a_flood_during_a_large_question_stops_nobody() {
    let paths: BTreeSet<_> = (0..50_000).map(|index| path(&format!("path-{index}"))).collect();
    let expected = request(31, |to| {
        to.paths(&paths);
        to.flag(false);
    });
    let (mut client, daemon) = socket_client(move |mut socket| {
        let message = log_message(&"x".repeat(1 << 16));
        (0..MUCH >> 16).for_each(|_| socket.write_all(&message).unwrap());
        let mut heard = vec![0; expected.len()];
        socket.read_exact(&mut heard).unwrap();
        socket.write_all(&answer(|to| to.paths(&BTreeSet::new()))).unwrap();
        heard == expected
    });
    assert_eq!(client.query_valid_paths(&paths, false).unwrap(), BTreeSet::new());
    assert!(daemon.join().unwrap());
}

#[test]
fn an_error_within_a_large_question_ends_the_connection() {
    let paths: BTreeSet<_> = (0..50_000).map(|index| path(&format!("path-{index}"))).collect();
    let (mut client, daemon) = socket_client(|mut socket| {
        socket.shutdown(Shutdown::Read).unwrap();
        socket.write_all(&daemon_error("too much")).unwrap();
    });
    let error = client.query_valid_paths(&paths, false).unwrap_err();
    assert_eq!(error.daemon().unwrap().message, "too much");
    assert!(!error.connection_usable());
    assert!(!client.is_usable());
    daemon.join().unwrap();
}

#[test]
fn an_early_error_ends_the_upload_in_order() {
    let (info, nar) = large(MUCH);
    let heard_info = info.clone();
    let (mut client, daemon) = socket_client(move |mut socket| {
        hear_head(&mut socket, &heard_info);
        socket.write_all(&daemon_error("I have seen enough")).unwrap();
        let (contents, ended) = hear_frames(&mut socket);
        let mut question = [0; 8];
        socket.read_exact(&mut question).unwrap();
        socket.write_all(&answer(|_| {})).unwrap();
        (contents.len(), ended)
    });
    let mut written = 0;
    let error = client
        .add_nar(&info, POLICY, |sink| {
            for piece in nar.chunks(1 << 10) {
                sink.write_all(piece)?;
                written += piece.len();
                // Give the daemon's words the time to arrive; without it the test checks less, but does not
                // fail.
                thread::yield_now();
            }
            io::Result::Ok(())
        })
        .unwrap_err();
    assert!(error.connection_usable(), "{error:?}");
    assert_eq!(error.to_string(), "cannot add a path: the Nix daemon says no");
    client.set_options(&Options::default()).unwrap();
    let (heard, ended) = daemon.join().unwrap();
    assert!(ended);
    assert!(heard <= nar.len());
}

#[test]
fn a_source_that_fails_ends_the_connection() {
    for size in [1, 100_000] {
        let (info, nar) = large(size);
        let heard_info = info.clone();
        let (mut client, daemon) = socket_client(move |mut socket| {
            hear_head(&mut socket, &heard_info);
            hear_frames(&mut socket)
        });
        let error = client.add_nar(&info, POLICY, |sink| {
            sink.write_all(&nar)?;
            Err(io::Error::other("the hash is wrong"))
        });
        let error = error.unwrap_err();
        assert!(
            matches!(&error, UploadError::Source { source, .. } if source.to_string() == "the hash is wrong")
        );
        assert!(!error.connection_usable());
        assert!(!client.is_usable());
        let (heard, ended) = daemon.join().unwrap();
        assert!(!ended && heard.len() < nar.len(), "the daemon has {} of {}", heard.len(), nar.len());
    }
}

#[test]
fn nars_of_another_size_end_the_connection() {
    let (info, nar) = large(1000);
    let cases = [
        (nar.len() - 8, "but there are 1104"),
        (nar.len() + 8, "but there are more"),
        (0, "but there are 0"),
    ];
    for (size, expected) in cases {
        let heard_info = info.clone();
        let (mut client, daemon) = socket_client(move |mut socket| {
            hear_head(&mut socket, &heard_info);
            hear_frames(&mut socket)
        });
        let mut nar = nar.clone();
        nar.resize(size, 0);
        let error = client.add_nar(&info, POLICY, |sink| sink.write_all(&nar)).unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
        assert!(!client.is_usable());
        assert!(!daemon.join().unwrap().1);
    }
}

#[test]
fn a_daemon_that_leaves_or_lies_ends_the_upload() {
    type Play = fn(UnixStream);
    let (info, nar) = large(MUCH);
    let cases: [(&str, Play, &str); 4] = [
        ("leaves", |socket| drop(socket), ""),
        ("lies", |mut socket| lie(&mut socket, &[0xff; 8]), "the answer is not what a Nix daemon says"),
        (
            "fails and leaves",
            |mut socket| {
                // In this order: whoever finds that nobody listens any more hangs up, and would not be told.
                socket.write_all(&daemon_error("no")).unwrap();
                socket.shutdown(Shutdown::Read).unwrap();
            },
            "the Nix daemon says no",
        ),
        (
            "lies about a length",
            |mut socket| {
                lie(
                    &mut socket,
                    &say(|to| [stderr::NEXT, u64::MAX].into_iter().for_each(|number| to.number(number))),
                );
            },
            "the answer is not what a Nix daemon says",
        ),
    ];
    for (name, play, expected) in cases {
        let (mut client, daemon) = socket_client(play);
        let error = client.add_nar(&info, POLICY, |sink| sink.write_all(&nar)).unwrap_err();
        assert!(!error.connection_usable(), "{name}: {error:?}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(!client.is_usable());
        daemon.join().unwrap();
    }
}

/// Says something and reads nothing, until the client has hung up.
fn lie(socket: &mut UnixStream, bytes: &[u8]) {
    socket.write_all(bytes).unwrap();
    // An error or an end: either way the client has left.
    let _left = io::copy(&mut &*socket, &mut io::sink());
}

#[test]
fn a_stuck_daemon_can_be_left() {
    let (info, nar) = large(MUCH);
    let (release, released) = mpsc::channel::<()>();
    let (mut client, daemon) = socket_client(move |_socket| released.recv());
    let hangup = client.hangup();
    let (begun, has_begun) = mpsc::channel();
    let watchdog = thread::spawn(move || {
        has_begun.recv().unwrap();
        hangup.hang_up();
    });
    let error = client.add_nar(&info, POLICY, |sink| {
        begun.send(()).unwrap();
        sink.write_all(&nar)
    });
    let error = error.unwrap_err();
    assert!(!error.connection_usable());
    assert!(!client.is_usable());
    watchdog.join().unwrap();
    release.send(()).unwrap();
    daemon.join().unwrap().unwrap();
}

#[test]
fn an_answer_before_the_end_waits_for_the_end() {
    let (info, nar) = large(MUCH);
    let heard_info = info.clone();
    let (mut client, daemon) = socket_client(move |mut socket| {
        hear_head(&mut socket, &heard_info);
        socket.write_all(&say(|to| to.number(LAST))).unwrap();
        hear_frames(&mut socket).0.len()
    });
    client.add_nar(&info, POLICY, |sink| sink.write_all(&nar)).unwrap();
    assert_eq!(daemon.join().unwrap(), nar.len());
}

#[test]
fn a_panic_in_a_source_does_not_hang() {
    let (info, _) = large(1000);
    let (mut client, daemon) = socket_client(|mut socket| io::copy(&mut socket, &mut io::sink()));
    let add = || client.add_nar(&info, POLICY, |_| -> io::Result<()> { panic!("a mistake of the caller's") });
    assert!(panic::catch_unwind(panic::AssertUnwindSafe(add)).is_err());
    assert!(!client.is_usable());
    daemon.join().unwrap().unwrap();
}

/// A writer that would write the rest when it is dropped, and so must not be before the connection has ended.
struct Buffered {
    has_ended: Arc<AtomicBool>,
    dropped_in_time: mpsc::Sender<bool>,
}

impl Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Buffered {
    fn drop(&mut self) {
        self.dropped_in_time.send(self.has_ended.load(Ordering::SeqCst)).unwrap();
    }
}

#[test]
fn a_writer_goes_after_the_connection_has_ended() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(&fake::greeting(38)).unwrap();
    let has_ended = Arc::new(AtomicBool::new(false));
    let (dropped_in_time, was_dropped) = mpsc::channel();
    let writer = Buffered { has_ended: has_ended.clone(), dropped_in_time };
    let reader = ours.try_clone().unwrap();
    let hang_up = move || {
        has_ended.store(true, Ordering::SeqCst);
        ours.shutdown(Shutdown::Both).unwrap();
    };
    let mut client = Client::connect(Stream::new(reader, writer, hang_up), StoreDir::default()).unwrap();
    client.add_nar(&info(), POLICY, |_| Err(io::Error::other("no"))).unwrap_err();
    assert!(was_dropped.recv().unwrap());
}
