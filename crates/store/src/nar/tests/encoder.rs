//! What the encoder refuses to write.

use std::io;

use super::*;
use crate::nar::{EncodeError, Encoder, MAX_DEPTH};

const ROOT: Event<'static> = Event::Directory { name: b"" };
const FILE: Event<'static> = Event::File { name: b"f", executable: false, size: 2 };

/// The message, with its source, of the error that these events end in.
fn refusal(events: &[Event<'_>]) -> String {
    let mut encoder = Encoder::new(Vec::new());
    let error = events.iter().find_map(|event| encoder.write(*event).err());
    let error = error.or_else(|| encoder.finish().err()).unwrap();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn refuses_what_the_decoder_would_refuse() {
    let directory = |name| Event::Directory { name };
    let symlink = |target| Event::Symlink { name: b"", target };
    let cases: &[(&[Event<'_>], &str)] = &[
        (&[directory(b"a")], "expected the root next in the NAR, found a node with a name"),
        (&[ROOT, directory(b"")], "this tree has no NAR: a name has 1 to 255 bytes, found 0"),
        (&[ROOT, directory(b"..")], "this tree has no NAR: a name must not be '.' or '..'"),
        (&[ROOT, directory(b"a/b")], "this tree has no NAR: the name 'a/b' has '/' at byte 1"),
        (
            &[ROOT, directory(b"b"), Event::EndDirectory, directory(b"a")],
            "this tree has no NAR: the name 'a' comes after 'b', expected entries sorted by their bytes",
        ),
        (
            &[ROOT, directory(b"b"), Event::EndDirectory, directory(b"b")],
            "this tree has no NAR: the name 'b' comes twice",
        ),
        (&[symlink(b"")], "this tree has no NAR: a symbolic link's target has 1 to 4095 bytes, found 0"),
        (&[symlink(b"a\0")], "this tree has no NAR: a symbolic link's target has a NUL at byte 1"),
        (
            &[symlink(&[b'a'; 4096])],
            "this tree has no NAR: a symbolic link's target has 1 to 4095 bytes, found 4096",
        ),
        (
            &[ROOT, FILE, Event::Contents(b"abc")],
            "the file has more contents than the 2 bytes announced for it",
        ),
        (
            &[ROOT, FILE, Event::Contents(b"a"), Event::EndFile],
            "1 of the 2 bytes announced for the file are missing",
        ),
    ];
    for (events, message) in cases {
        assert_eq!(refusal(events), *message);
    }
    let deep: Vec<_> = std::iter::once(ROOT).chain(vec![directory(b"d"); MAX_DEPTH]).collect();
    assert_eq!(refusal(&deep), "this tree has no NAR: more than 2048 directories inside each other");
}

#[test]
fn refuses_events_out_of_order() {
    let cases: &[(&[Event<'_>], &str, &str)] = &[
        (&[], "the root", "the end"),
        (&[Event::EndDirectory], "the root", "the end of a directory"),
        (&[Event::Contents(b"")], "the root", "contents"),
        (&[ROOT], "an entry or the end of the directory", "the end"),
        (&[ROOT, Event::EndFile], "an entry or the end of the directory", "the end of a file"),
        (&[ROOT, FILE, ROOT], "contents or the end of the file", "a directory"),
        (&[ROOT, FILE, Event::EndDirectory], "contents or the end of the file", "the end of a directory"),
        (&[ROOT, Event::EndDirectory, ROOT], "nothing", "a directory"),
    ];
    for (events, expected, found) in cases {
        assert_eq!(refusal(events), format!("expected {expected} next in the NAR, found {found}"));
    }
}

#[test]
fn nothing_is_taken_after_an_error() {
    let mut encoder = Encoder::new(Vec::new());
    encoder.write(FILE).unwrap_err();
    let error = encoder.write(ROOT).unwrap_err();
    assert_eq!(error.to_string(), "expected nothing after an error next in the NAR, found a directory");
    encoder.finish().unwrap_err();
}

#[test]
fn a_failing_writer_is_reported() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = Encoder::new(Full).write(ROOT).unwrap_err();
    assert!(matches!(error, EncodeError::Write(source) if source.kind() == io::ErrorKind::StorageFull));
}
