//! Greetings of daemons, of all ages and of none.

use std::{error::Error as _, io::Read as _, os::unix::net::UnixStream, thread, time::Duration};

use store::store_path::StoreDir;

use super::*;
use crate::{
    client::Client,
    fake::{client, client_greeting_len, connect, daemon_error, greeting, say},
    stream::Stream,
};

/// What comes of a greeting: who the daemon is, or why not, with all sources.
fn greet(says: Vec<u8>) -> String {
    match connect(says).0 {
        Ok(client) => {
            let Peer { protocol, nix_version, trust } = client.peer();
            format!("{protocol}, Nix {nix_version}, {trust:?}")
        }
        Err(error) => {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            format!("{error}{source}")
        }
    }
}

/// A greeting with this version and what follows it, after the features if there are any.
fn custom(version: u64, features: &[&str], rest: &[u8]) -> Vec<u8> {
    let mut bytes = say(|to| {
        to.number(DAEMON_MAGIC);
        to.number(version);
        if version >= 0x126 {
            to.list(features, |to, feature| to.string(feature.as_bytes()));
        }
    });
    bytes.extend(rest);
    bytes
}

#[test]
fn greetings() {
    let identity = |trust: u64| {
        say(|to| {
            to.string(b"2.99\x1b[2J");
            to.number(trust);
            to.number(stderr::LAST);
        })
    };
    let too_many = vec!["x"; 1025];
    let wrong = "is too old or too new, every Nix since 2.15 and every Lix will do";
    let version = |spoken: &str| {
        format!("the Nix daemon speaks protocol {spoken}, needed is 1.35 or a later 1.x: it {wrong}")
    };
    let cases = [
        (greeting(38), "1.38, Nix 2.99.0, Trusted"),
        (greeting(37), "1.37, Nix 2.99.0, Trusted"),
        (greeting(35), "1.35, Nix 2.99.0, Trusted"),
        (custom(0x127, &["a", "b"], &identity(0)), "1.38, Nix 2.99, Unknown"),
        (custom(0x1ff, &[], &identity(2)), "1.38, Nix 2.99, NotTrusted"),
        (custom(0x122, &[], &[]), &version("1.34")),
        (custom(0x10a, &[], &[]), &version("1.10")),
        (custom(0x200, &[], &identity(1)), &version("2.0")),
        (custom(0x0026, &[], &identity(1)), &version("0.38")),
        (custom(0x1_0126, &[], &identity(1)), &version("of an unknown form")),
        (
            custom(0x126, &[], &identity(3)),
            "cannot greet the daemon: the answer is not what a Nix daemon says: byte 48: expected whether the daemon trusts the client, 0 to 2, found 3",
        ),
        (
            custom(0x126, &too_many, &[]),
            "cannot greet the daemon: the answer is not what a Nix daemon says: byte 24: expected a list of features, found 1025, but the limit is 1024",
        ),
        (
            vec![],
            "cannot greet the daemon: the stream of the Nix daemon ended at byte 0, expected the daemon's magic number",
        ),
        (
            b"HTTP/1.1 400 Bad".to_vec(),
            "this is no Nix daemon: expected its magic number 0x6478696f, found 0x312e312f50545448",
        ),
        (
            [&greeting(38)[..greeting(38).len() - 8], &daemon_error("go away")].concat(),
            "cannot greet the daemon: the Nix daemon says no: go away\n… while testing",
        ),
    ];
    for (says, expected) in cases {
        assert_eq!(greet(says), expected);
    }
}

#[test]
fn a_refused_greeting_leaves_no_connection() {
    let says = [&greeting(38)[..greeting(38).len() - 8], &daemon_error("go away")].concat();
    let Err(ConnectError::Exchange(error)) = connect(says).0 else { panic!("no connection is expected") };
    assert_eq!(error.daemon().unwrap().message, "go away");
    assert!(!error.connection_usable());
}

#[test]
fn a_silent_daemon_can_be_left_while_it_is_greeted() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let stream = Stream::socket(ours).unwrap();
    let hangup = stream.hangup();
    let daemon = thread::spawn(move || {
        theirs.read_exact(&mut [0; 16]).unwrap();
        hangup.hang_up();
        theirs.read_to_end(&mut Vec::new()).unwrap()
    });
    let error = Client::connect(stream, StoreDir::default()).unwrap_err();
    assert!(matches!(error, ConnectError::Exchange(Error::Ended { .. })), "{error:?}");
    assert_eq!(daemon.join().unwrap(), 0);
}

#[test]
fn a_hangup_does_not_keep_the_connection_open() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    theirs.write_all(&greeting(38)).unwrap();
    let client = Client::connect(Stream::socket(ours).unwrap(), StoreDir::default()).unwrap();
    let hangup = client.hangup();
    drop(client);
    theirs.read_to_end(&mut Vec::new()).expect("the end of the connection");
    hangup.hang_up();
}

#[test]
fn every_cut_greeting_is_an_error() {
    for minor in [35, 38] {
        let whole = greeting(minor);
        for length in 0..whole.len() {
            let error = connect(whole[..length].to_vec()).0.unwrap_err();
            assert!(matches!(error, ConnectError::Exchange(Error::Ended { .. })), "{length}: {error:?}");
        }
    }
}

#[test]
fn the_newest_version_is_offered_without_features() {
    let (connected, sent) = connect(greeting(38));
    connected.unwrap();
    let offered = say(|to| [CLIENT_MAGIC, 0x126, 0, 0, 0].into_iter().for_each(|number| to.number(number)));
    assert_eq!(sent.take(), offered);
    assert_eq!(offered.len(), client_greeting_len(38));
}

#[test]
fn debug_shows_the_peer_only() {
    let (client, _) = client(38, b"secret");
    let expected = "Client { peer: Peer { protocol: ProtocolVersion { major: 1, minor: 38 }, \
                    nix_version: \"2.99.0\", trust: Trusted }, unfinished: None, .. }";
    assert_eq!(format!("{client:?}"), expected);
}
