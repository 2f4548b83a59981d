//! NARs that Nix made, trees of any shape, and everything that is nearly a NAR.

mod adversarial;
mod encoder;
mod real;
mod round_trip;

use super::{DecodeError, Decoder, Event};

/// An event that owns what it holds; contents are joined until the file ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    Directory(Vec<u8>),
    EndDirectory,
    File { name: Vec<u8>, executable: bool, contents: Vec<u8> },
    Symlink { name: Vec<u8>, target: Vec<u8> },
}

/// The bytes of one string of a NAR.
fn string(bytes: &[u8]) -> Vec<u8> {
    let mut string = (bytes.len() as u64).to_le_bytes().to_vec();
    string.extend(bytes);
    string.resize(string.len().next_multiple_of(8), 0);
    string
}

/// A NAR written as its strings with spaces between them: `_` is the empty string, and `\x..` a byte.
fn strings(text: &str) -> Vec<u8> {
    let unescape = |word: &str| -> Vec<u8> {
        let mut parts = word.split("\\x");
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend(part[2..].bytes());
        }
        bytes
    };
    let words = text.split_ascii_whitespace();
    words.flat_map(|word| string(&if word == "_" { Vec::new() } else { unescape(word) })).collect()
}

/// Decodes `nar` given in pieces of `piece` bytes; with what is left behind its end.
fn decode(nar: &[u8], piece: usize) -> Result<(Vec<Owned>, usize), DecodeError> {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    let mut left = nar.len();
    for piece in nar.chunks(piece) {
        let mut input = piece;
        while let Some(event) = decoder.next_event(&mut input)? {
            push(&mut events, event);
        }
        left -= piece.len() - input.len();
    }
    decoder.finish()?;
    assert_eq!(decoder.offset(), (nar.len() - left) as u64);
    Ok((events, left))
}

fn push(events: &mut Vec<Owned>, event: Event<'_>) {
    match event {
        Event::Directory { name } => events.push(Owned::Directory(name.to_vec())),
        Event::EndDirectory => events.push(Owned::EndDirectory),
        Event::File { name, executable, .. } => {
            events.push(Owned::File { name: name.to_vec(), executable, contents: Vec::new() });
        }
        Event::Contents(bytes) => match events.last_mut() {
            Some(Owned::File { contents, .. }) => contents.extend(bytes),
            other => panic!("contents after {other:?}"),
        },
        Event::EndFile => assert!(matches!(events.last(), Some(Owned::File { .. }))),
        Event::Symlink { name, target } => {
            events.push(Owned::Symlink { name: name.to_vec(), target: target.to_vec() });
        }
    }
}

/// Calls `emit` with the events of an owned one, a file's contents in pieces of three bytes.
fn replay(event: &Owned, mut emit: impl FnMut(Event<'_>)) {
    match event {
        Owned::Directory(name) => emit(Event::Directory { name }),
        Owned::EndDirectory => emit(Event::EndDirectory),
        Owned::File { name, executable, contents } => {
            emit(Event::File { name, executable: *executable, size: contents.len() as u64 });
            contents.chunks(3).for_each(|piece| emit(Event::Contents(piece)));
            emit(Event::EndFile);
        }
        Owned::Symlink { name, target } => emit(Event::Symlink { name, target }),
    }
}
