//! NARs, as bytes and as events.

use store::nar::{DecodeError, Decoder, Encoder, Event, ListingBuilder, Node, SizeCounter};

/// What accepted bytes say is written as those bytes, however they were cut; the listing and the size agree.
pub fn fuzz_nar(data: &[u8]) {
    let whole = recode(data, data.len().max(1));
    for piece in [1, 7, 64] {
        assert_eq!(recode(data, piece), whole, "in pieces of {piece}");
    }
    let listing = Node::list(data);
    match whole {
        Ok(nar) => {
            assert!(data.starts_with(&nar));
            assert_eq!(Node::list(&nar), listing);
        }
        Err(error) => {
            assert!(error.offset <= data.len() as u64);
            assert_eq!(listing, Err(error));
        }
    }
}

/// Decodes `data` and encodes the events as they come.
fn recode(data: &[u8], piece: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new();
    let mut encoder = Encoder::new(Vec::new());
    let mut size = SizeCounter::new();
    for mut input in data.chunks(piece) {
        while let Some(event) = decoder.next_event(&mut input)? {
            encoder.write(event).expect("what was decoded can be encoded");
            size.add(&event);
        }
    }
    decoder.finish()?;
    let nar = encoder.finish().expect("a NAR that was decoded is complete");
    assert_eq!(size.size(), nar.len() as u64);
    assert_eq!(decoder.offset(), nar.len() as u64);
    Ok(nar)
}

/// Whatever events the encoder takes for a whole tree, the decoder gives again.
///
/// The bytes are read as a program: an operation, then what it needs, each string with a byte of length
/// before it.
pub fn fuzz_nar_events(data: &[u8]) {
    let events = events(data);
    let mut encoder = Encoder::new(Vec::new());
    let mut size = SizeCounter::new();
    let mut listing = ListingBuilder::new();
    for event in &events {
        if encoder.write(*event).is_err() {
            return;
        }
        size.add(event);
        listing.add(event);
    }
    let Ok(nar) = encoder.finish() else { return };
    assert_eq!(size.size(), nar.len() as u64);
    assert_eq!(Node::list(&nar).ok(), listing.finish());
    let mut decoder = Decoder::new();
    let mut input = &*nar;
    // Contents may be cut elsewhere, and empty pieces of them are lost.
    let is_structure = |event: &Event<'_>| !matches!(event, Event::Contents(_));
    let mut expected = events.iter().filter(|event| is_structure(event));
    while let Some(event) = decoder.next_event(&mut input).expect("what was encoded can be decoded") {
        if is_structure(&event) {
            assert_eq!(expected.next(), Some(&event));
        }
    }
    assert_eq!(expected.next(), None);
    decoder.finish().expect("a NAR that was encoded is complete");
}

fn events(mut data: &[u8]) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    while let Some((operation, rest)) = data.split_first() {
        data = rest;
        events.push(match operation % 7 {
            0 => Event::Directory { name: string(&mut data) },
            1 => Event::EndDirectory,
            2 => Event::EndFile,
            3 => Event::Symlink { name: string(&mut data), target: string(&mut data) },
            4 => Event::Contents(string(&mut data)),
            executable => {
                let name = string(&mut data);
                let size = u64::from(byte(&mut data));
                Event::File { name, executable: executable == 5, size }
            }
        });
    }
    events
}

fn byte(data: &mut &[u8]) -> u8 {
    data.split_off_first().copied().unwrap_or(0)
}

fn string<'a>(data: &mut &'a [u8]) -> &'a [u8] {
    let length = usize::from(byte(data)).min(data.len());
    data.split_off(..length).unwrap_or(&[])
}
