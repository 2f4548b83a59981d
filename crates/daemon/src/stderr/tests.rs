//! Every kind of message, and what is none.

use std::sync::{Arc, Mutex};

use super::*;
use crate::{
    fake::{answer, daemon_error, describe, log_message, reader, say},
    wire::Encoder,
};

/// What comes of these messages: the events, and how they end.
fn hear(bytes: Vec<u8>) -> (Vec<LogEvent>, Result<(), Failure>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = events.clone();
    let mut log = LogSink::new(move |event| heard.lock().unwrap().push(event));
    let ended = drain(&mut reader(bytes), &mut log);
    drop(log);
    (Arc::into_inner(events).unwrap().into_inner().unwrap(), ended)
}

fn write_fields(to: &mut Encoder<'_>, fields: &[Field]) {
    to.list(fields, |to, field| match field {
        Field::Number(number) => {
            to.number(0);
            to.number(*number);
        }
        Field::Text(text) => {
            to.number(1);
            to.text(text);
        }
    });
}

fn news(kind: u64, fields: &[Field]) -> Vec<u8> {
    say(|to| {
        to.number(RESULT);
        to.number(5);
        to.number(kind);
        write_fields(to, fields);
    })
}

fn text(text: &str) -> Field {
    Field::Text(text.to_owned())
}

#[test]
fn messages_become_events() {
    let start = say(|to| {
        [START_ACTIVITY, 5, 3, 105].into_iter().for_each(|number| to.number(number));
        to.string(b"building \x1b[1mx\x1b[0m");
        write_fields(to, &[text("x.drv"), Field::Number(1)]);
        to.number(4);
    });
    let activity = Activity {
        id: 5,
        parent: 4,
        verbosity: Verbosity::Info,
        kind: ActivityKind::Build,
        text: "building x".to_owned(),
        fields: vec![text("x.drv"), Field::Number(1)],
    };
    let stop = say(|to| [STOP_ACTIVITY, 5].into_iter().for_each(|number| to.number(number)));
    let numbers = [1, 2, 3, 4].map(Field::Number);
    let progress = |news| LogEvent::Progress { activity: 5, news };
    let cases = [
        (log_message("a \x1b[31mred\x1b[0m line\n"), LogEvent::Message("a red line".to_owned())),
        (start, LogEvent::Start(activity)),
        (stop, LogEvent::Stop { activity: 5 }),
        (news(101, &[text("cc -c x.c\r")]), progress(News::BuildLogLine("cc -c x.c".to_owned()))),
        (news(102, &[text("p")]), progress(News::UntrustedPath("p".to_owned()))),
        (news(103, &[text("p")]), progress(News::CorruptedPath("p".to_owned()))),
        (news(104, &[text("buildPhase")]), progress(News::Phase("buildPhase".to_owned()))),
        (news(105, &numbers), progress(News::Done { done: 1, expected: 2, running: 3, failed: 4 })),
        (
            news(106, &[Field::Number(100), Field::Number(9)]),
            progress(News::Expected { kind: ActivityKind::CopyPath, expected: 9 }),
        ),
        (news(107, &[text("l")]), progress(News::PostBuildLogLine("l".to_owned()))),
        (news(108, &[text("s")]), progress(News::FetchStatus("s".to_owned()))),
        (news(100, &numbers[..2]), progress(News::Other { kind: 100, fields: numbers[..2].to_vec() })),
        (news(101, &numbers[..1]), progress(News::Other { kind: 101, fields: numbers[..1].to_vec() })),
        (news(999, &[]), progress(News::Other { kind: 999, fields: vec![] })),
    ];
    for (bytes, event) in cases {
        let (events, ended) = hear([bytes, answer(|_| {})].concat());
        ended.unwrap();
        assert_eq!(events, [event]);
    }
}

#[test]
fn an_error_ends_the_messages() {
    let message = "\x1b[31;1merror:\x1b[0m path is not valid";
    let (events, ended) =
        hear([log_message("before"), daemon_error(message), log_message("behind")].concat());
    assert_eq!(events, [LogEvent::Message("before".to_owned())]);
    let Err(Failure::Daemon(error)) = ended else { panic!("{ended:?}") };
    assert_eq!(error.message, "error: path is not valid");
    assert_eq!(error.traces, ["while testing"]);
    assert_eq!(error.to_string(), "error: path is not valid\n… while testing");
}

#[test]
fn what_is_refused() {
    let numbers = |numbers: &[u64]| say(|to| numbers.iter().for_each(|number| to.number(*number)));
    let error = |kind: &str, rest: &[u64]| {
        say(|to| {
            to.number(ERROR);
            to.text(&kind);
            to.number(0);
            to.string(b"");
            to.string(b"");
            rest.iter().for_each(|number| to.number(*number));
        })
    };
    let cases = [
        (vec![], "ended at 0, expected a message"),
        (numbers(&[7]), "byte 8: expected a message, found one of type 0x7"),
        // Daemons asked for data and sent files in this way before protocol 1.23.
        (numbers(&[0x6461_7461]), "byte 8: expected a message, found one of type 0x64617461"),
        (numbers(&[0x6461_7416]), "byte 8: expected a message, found one of type 0x64617416"),
        (
            numbers(&[NEXT, 1 << 41]),
            "byte 16: expected a log message, found a length of 2199023255552, but the limit is 1099511627776",
        ),
        (numbers(&[RESULT, 5, 105, 65]), "byte 32: expected a list of fields, found 65, but the limit is 64"),
        (numbers(&[RESULT, 5, 105, 1, 2]), "byte 40: expected the type of a field, 0 or 1, found 2"),
        (error("Warning", &[]), "byte 24: expected 'Error', found \"Warning\""),
        (error("Error", &[1]), "byte 56: expected no position, found 1, but the limit is 0"),
        (
            error("Error", &[0, u64::MAX]),
            "byte 64: expected the number of traces, found 18446744073709551615, but the limit is 65536",
        ),
        (error("Error", &[0, 1, 0]), "ended at 72, expected a trace"),
    ];
    for (bytes, expected) in cases {
        match hear(bytes) {
            (_, Err(Failure::Read(error))) => assert_eq!(describe(&error), expected),
            (_, other) => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn traces_are_cut() {
    let bytes = say(|to| {
        to.string(b"Error");
        to.number(0);
        to.string(b"");
        to.string(b"message");
        to.number(0);
        to.number(1000);
        for index in 0..1000 {
            to.number(0);
            to.text(&index);
        }
        to.number(7);
    });
    let mut reader = reader(bytes);
    assert_eq!(read_error(&mut reader).unwrap().traces.len(), limits::KEPT_TRACES);
    assert_eq!(reader.number("what follows").unwrap(), 7);
}
