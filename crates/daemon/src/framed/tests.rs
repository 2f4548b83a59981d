//! Frames are what was written, and the last one is held back.

use proptest::{collection, prelude::*};

use super::*;

/// The contents of frames up to the empty one, and whether there was one. What follows is an error.
fn unframe(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut contents = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
        if length == 0 {
            assert_eq!(rest, b"");
            return (contents, true);
        }
        contents.extend(&rest[..length]);
        bytes = &rest[length..];
    }
    assert_eq!(bytes, b"");
    (contents, false)
}

proptest! {
    #[test]
    fn frames_hold_what_was_written(pieces in collection::vec(collection::vec(any::<u8>(), 0..90_000), 0..6)) {
        let failed = AtomicBool::new(false);
        let mut stream = Vec::new();
        let mut frames = FrameWriter::new(&mut stream, &failed);
        for piece in &pieces {
            frames.write_all(piece).unwrap();
            frames.flush().unwrap();
        }
        frames.finish().unwrap();
        prop_assert_eq!(unframe(&stream), (pieces.concat(), true));
    }

    #[test]
    fn the_last_byte_is_held_back(size in 1..300_000_usize) {
        let failed = AtomicBool::new(false);
        let mut stream = Vec::new();
        let mut frames = FrameWriter::new(&mut stream, &failed);
        frames.write_all(&vec![1; size]).unwrap();
        frames.flush().unwrap();
        drop(frames);
        let (contents, ended) = unframe(&stream);
        prop_assert!(contents.len() < size && contents.len() + FRAME >= size);
        prop_assert!(!ended);
    }
}

#[test]
fn nothing_is_one_empty_frame() {
    let failed = AtomicBool::new(false);
    let mut stream = Vec::new();
    FrameWriter::new(&mut stream, &failed).finish().unwrap();
    assert_eq!(stream, [0; 8]);
}

#[test]
fn after_the_daemon_has_failed_only_the_end_is_sent() {
    let failed = AtomicBool::new(false);
    let mut stream = Vec::new();
    let mut frames = FrameWriter::new(&mut stream, &failed);
    frames.write_all(&[1; FRAME + 1]).unwrap();
    assert!(!frames.has_refused());
    failed.store(true, Ordering::Relaxed);
    frames.write_all(&[2; FRAME]).unwrap_err();
    assert!(frames.has_refused());
    frames.write_all(b"more").unwrap_err();
    frames.finish().unwrap();
    assert_eq!(unframe(&stream), (vec![1; FRAME], true));
}

#[test]
fn a_failed_stream_stays_failed() {
    struct Failing;
    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let failed = AtomicBool::new(false);
    let mut stream = Failing;
    let mut frames = FrameWriter::new(&mut stream, &failed);
    frames.write_all(&[0; 2 * FRAME]).unwrap_err();
    assert!(frames.has_refused());
    assert_eq!(frames.finish().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}
