//! The operator's end of a session against peers that are not what they should be.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use report::{CauseKind, LoaderDefault};
use session::{MAGIC, read_frame, write_frame};

use super::*;
use crate::samples::order;

/// What a peer does with its end of the connection.
type Peer = fn(UnixStream);

fn host() -> HostName {
    "web1".parse().expect("a name")
}

fn link(peer: Peer) -> Link {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    thread::spawn(move || peer(theirs));
    let (reader, writer) = (ours.try_clone().expect("a clone"), ours.try_clone().expect("a clone"));
    Link::new(reader, writer, move || drop(ours.shutdown(Shutdown::Both)))
}

fn hello(oldest: u16, newest: u16) -> Reply {
    Reply::Hello(Box::new(Hello {
        oldest,
        newest,
        agent: "9.9\u{1b}[31m".to_owned(),
        path: None,
        platform: "x86_64-linux".to_owned(),
        free_store: 0,
        free_boot: None,
        running: None,
        profile: None,
        default: LoaderDefault::NoLoader,
        last: None,
        pending: None,
    }))
}

fn say(peer: &mut UnixStream, reply: &Reply) {
    write_frame(peer, Channel::Control, &reply.to_payload()).expect("said");
}

/// An agent up to its first answer.
fn greet(peer: &mut UnixStream) {
    peer.write_all(MAGIC).expect("said");
    say(peer, &hello(session::OLDEST, session::VERSION));
    let begin = request(peer);
    assert!(matches!(begin, Request::Begin { version: session::VERSION, .. }), "{begin:?}");
}

fn request(peer: &mut UnixStream) -> Request {
    let frame = read_frame(peer).expect("a frame").expect("a request");
    Request::from_payload(&frame.payload).expect("a request")
}

fn talk(peer: Peer) -> Talk {
    Talk::begin(link(peer), &host()).expect("a session")
}

/// Keeps the connection until the other end has gone.
fn wait_for_the_end(mut peer: UnixStream) {
    let _bytes = peer.read_to_end(&mut Vec::new());
}

#[test]
fn what_does_not_begin_as_an_agent_is_told_apart() {
    let cases: [(Peer, &str); 7] = [
        (drop, "not lockstep's agent"),
        (|mut peer| drop(peer.write_all(b"Welcome!\nrm: no\x1b[2Jsuch\n")), "Welcome! / rm: nosuch"),
        (|mut peer| while peer.write_all(&[b'x'; 4096]).is_ok() {}, "not lockstep's agent"),
        (|mut peer| drop(peer.write_all(&[&MAGIC[..], &[0xff; 5]].concat())), "4294967295 bytes"),
        (|mut peer| drop(peer.write_all(&[&MAGIC[..], &[0, 0, 0, 0, 77]].concat())), "channel 77"),
        (|mut peer| drop(peer.write_all(&[&MAGIC[..], &[0, 0, 0, 9, 0, 1]].concat())), "in the middle"),
        (|mut peer| drop(peer.write_all(&[&MAGIC[..], &[0, 0, 0, 2, 0], b"{}"].concat())), "not understood"),
    ];
    for (peer, expected) in cases {
        let Err(error) = Talk::begin(link(peer), &host()) else { panic!("{expected}: taken") };
        assert!(error.to_string().contains(expected), "{error} lacks {expected}");
    }
}

#[test]
fn an_agent_of_another_time_is_refused_by_its_version() {
    let peers: [Peer; 2] = [
        |mut peer| {
            peer.write_all(MAGIC).expect("said");
            say(&mut peer, &hello(session::VERSION + 1, session::VERSION + 3));
        },
        |mut peer| {
            peer.write_all(MAGIC).expect("said");
            say(&mut peer, &hello(0, 0));
        },
    ];
    for peer in peers {
        let Err(error) = Talk::begin(link(peer), &host()) else { panic!("taken") };
        assert!(matches!(error, TalkError::Version { .. }), "{error}");
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}

#[test]
fn an_agent_that_knows_no_reboots_is_not_asked_for_one() {
    let talk = talk(|mut peer| {
        peer.write_all(MAGIC).expect("said");
        say(&mut peer, &hello(session::OLDEST, session::REBOOTS - 1));
        assert!(matches!(request(&mut peer), Request::Begin { .. }));
        let mut more = Vec::new();
        peer.read_to_end(&mut more).expect("the end");
        assert!(more.is_empty(), "asked all the same");
    });
    let system = order(&host()).system;
    let errors =
        [talk.survey(&system).map(drop), talk.check(&Settings::default()).map(drop), talk.reboot("b")];
    for error in errors {
        let error = error.expect_err("too old");
        assert!(matches!(error, TalkError::Old { .. }) && error.to_string().contains("newer"), "{error}");
    }
}

#[test]
fn a_reboot_has_begun_when_the_host_says_so() {
    let talk = |peer: Peer| talk(peer).reboot("b");
    assert!(
        talk(|mut peer| {
            greet(&mut peer);
            assert_eq!(request(&mut peer), Request::Reboot { boot_id: "b".to_owned() });
            say(&mut peer, &Reply::Rebooting);
            wait_for_the_end(peer);
        })
        .is_ok()
    );
    let refused = talk(|mut peer| {
        greet(&mut peer);
        say(&mut peer, &Reply::Refused(Cause::new(CauseKind::Busy, "x")));
        wait_for_the_end(peer);
    });
    assert!(matches!(refused, Err(TalkError::Refused(cause)) if cause.kind == CauseKind::Busy));
}

#[test]
fn a_first_word_that_is_no_hello_is_refused() {
    let link = link(|mut peer| {
        peer.write_all(MAGIC).expect("said");
        say(&mut peer, &Reply::StoreReady);
    });
    assert!(matches!(Talk::begin(link, &host()), Err(TalkError::Link(LinkError::Unexpected { .. }))));
}

#[test]
fn silence_where_a_word_is_due_ends() {
    let link = link(|mut peer| {
        peer.write_all(MAGIC).expect("said");
        wait_for_the_end(peer);
    });
    let heard = expect(&link, Duration::from_millis(1), "anything");
    assert!(matches!(heard, Err(TalkError::Link(LinkError::Silent { what: "anything", .. }))));
}

#[test]
fn chatter_where_a_word_is_due_ends_too() {
    let link = link(|mut peer| {
        peer.write_all(MAGIC).expect("said");
        while write_frame(&mut peer, Channel::Log, b"still here\n").is_ok() {}
    });
    let heard = expect(&link, Duration::from_millis(1), "anything");
    assert!(matches!(heard, Err(TalkError::Link(LinkError::Silent { .. }))));
}

#[test]
fn an_order_is_taken_only_by_its_own_name() {
    let talk = talk(|mut peer| {
        greet(&mut peer);
        let _order = request(&mut peer);
        say(&mut peer, &Reply::Accepted { order: OrderId::from_random([9; 20]) });
        wait_for_the_end(peer);
    });
    assert!(matches!(talk.deliver(&order(&host())), Err(TalkError::Link(LinkError::Unexpected { .. }))));
}

#[test]
fn a_refusal_comes_with_its_cause() {
    let talk = talk(|mut peer| {
        greet(&mut peer);
        let delivered = request(&mut peer);
        assert!(matches!(delivered, Request::Deliver(_)), "{delivered:?}");
        // What belongs to something else may stand before it.
        write_frame(&mut peer, Channel::Log, b"late\n").expect("said");
        say(&mut peer, &Reply::StoreEnded { error: None });
        say(&mut peer, &Reply::Refused(Cause::new(CauseKind::Stale, "another order")));
        wait_for_the_end(peer);
    });
    let Err(TalkError::Refused(cause)) = talk.deliver(&order(&host())) else { panic!("not refused") };
    assert_eq!((cause.kind, cause.text.as_str()), (CauseKind::Stale, "another order"));
}

#[test]
fn a_session_that_ends_while_a_word_is_due_says_so() {
    let talk = talk(|mut peer| {
        greet(&mut peer);
        let _status = request(&mut peer);
    });
    assert!(matches!(talk.status(), Err(TalkError::Link(LinkError::Ended))));
}

#[test]
fn bytes_of_a_store_that_was_not_opened_end_the_session() {
    let talk = talk(|mut peer| {
        greet(&mut peer);
        write_frame(&mut peer, Channel::Store, b"surprise").expect("said");
        wait_for_the_end(peer);
    });
    assert!(matches!(talk.hear(Duration::from_secs(60)), Err(TalkError::Link(LinkError::Unopened))));
}

#[test]
fn a_store_that_talks_nonsense_or_ends_is_an_error() {
    let peers: [Peer; 2] = [
        |mut peer| {
            greet(&mut peer);
            let _store = request(&mut peer);
            say(&mut peer, &Reply::StoreReady);
            write_frame(&mut peer, Channel::Store, &[0xaa; 4096]).expect("said");
            wait_for_the_end(peer);
        },
        |mut peer| {
            greet(&mut peer);
            let _store = request(&mut peer);
            say(&mut peer, &Reply::StoreReady);
            say(&mut peer, &Reply::StoreEnded { error: Some("gone".to_owned()) });
            wait_for_the_end(peer);
        },
    ];
    for peer in peers {
        assert!(matches!(talk(peer).open_store(), Err(TalkError::Store(_))));
    }
}

#[test]
fn a_program_s_output_comes_before_its_end() {
    let talk = talk(|mut peer| {
        greet(&mut peer);
        let _exec = request(&mut peer);
        for (channel, bytes) in [(Channel::Out, b"a"), (Channel::Err, b"b"), (Channel::Out, b"c")] {
            write_frame(&mut peer, channel, bytes).expect("said");
        }
        say(&mut peer, &Reply::Exited(Exit::Code(7)));
        wait_for_the_end(peer);
    });
    let mut said = Vec::new();
    let wish = Exec { words: vec!["true".to_owned()], limit: None };
    let mut output = |channel, bytes: &[u8]| said.push((channel, bytes.to_vec()));
    let exit = talk.exec(&wish, &mut output, &|| true).expect("an end");
    assert_eq!(exit, Exit::Code(7));
    let expected = [(Channel::Out, b"a"), (Channel::Err, b"b"), (Channel::Out, b"c")];
    assert_eq!(said, expected.map(|(channel, bytes)| (channel, bytes.to_vec())));
}

#[test]
fn a_program_s_output_is_given_by_line() {
    let talk = talk(|mut peer| {
        greet(&mut peer);
        let _exec = request(&mut peer);
        for (channel, bytes) in [(Channel::Out, "a"), (Channel::Err, "b\nc"), (Channel::Out, "d\n")] {
            write_frame(&mut peer, channel, bytes.as_bytes()).expect("said");
        }
        say(&mut peer, &Reply::Exited(Exit::Code(0)));
        wait_for_the_end(peer);
    });
    let mut said = Vec::new();
    let wish = Exec { words: vec!["true".to_owned()], limit: None };
    let mut give = |voice, line: &str| said.push((voice, line.to_owned()));
    talk.exec_lines(&wish, &mut give, &|| true).expect("an end");
    let expected = [(Voice::Err, "b"), (Voice::Out, "ad"), (Voice::Err, "c")];
    assert_eq!(said, expected.map(|(voice, line)| (voice, line.to_owned())));
}

#[test]
fn an_endless_program_is_left_when_the_operator_wants() {
    let talk = talk(|mut peer| {
        greet(&mut peer);
        let _exec = request(&mut peer);
        wait_for_the_end(peer);
    });
    let wish = Exec { words: vec!["true".to_owned()], limit: None };
    assert!(talk.exec(&wish, &mut |_, _| (), &|| false).is_err());
}

#[test]
fn a_program_that_never_falls_silent_is_left_too() {
    let talk = talk(|mut peer| {
        greet(&mut peer);
        let _exec = request(&mut peer);
        while write_frame(&mut peer, Channel::Out, &[b'x'; 4096]).is_ok() {}
    });
    let wish = Exec { words: vec!["yes".to_owned()], limit: None };
    let heard = std::cell::Cell::new(0);
    let mut output = |_, _: &[u8]| heard.set(heard.get() + 1);
    let ended = talk.exec(&wish, &mut output, &|| heard.get() < 3);
    assert!(matches!(ended, Err(TalkError::Link(LinkError::Ended))), "{ended:?}");
}
