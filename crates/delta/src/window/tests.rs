//! Windows: plans, round trips, and what a hostile sender may say.

use proptest::prelude::*;
use store::nar::Node;

use super::*;
use crate::cases::{Random, part};

fn file(size: u64, offset: u64) -> Node {
    Node::File { executable: false, size, offset }
}

fn directory(entries: Vec<(&str, Node)>) -> Node {
    let entries =
        entries.into_iter().map(|(name, node)| store::nar::Entry { name: name.as_bytes().into(), node });
    Node::Directory(entries.collect())
}

/// The parts of a plan: bytes of the target, offset and bytes of the base.
fn planned(target: &Shape, base: &Shape) -> Vec<(u32, u64, u32)> {
    plan(target, base).iter().map(|window| (window.target, window.base_offset, window.base)).collect()
}

const MIB: u64 = 1 << 20;
const T: u32 = MAX_TARGET;
const B: u32 = MAX_BASE;

#[test]
fn a_small_nar_is_one_window_on_all_of_the_base() {
    let shape = |size| Shape::new(size, &file(size - 200, 96));
    assert_eq!(planned(&shape(1000), &shape(900)), [(1000, 0, 900)]);
    assert_eq!(planned(&shape(1000), &shape(20 * MIB)), [(1000, 0, B)]);
}

#[test]
fn the_same_place_of_the_same_file_is_looked_for() {
    // The file `b` is at 1 MiB of the new NAR and at 31 MiB of the old one.
    let new = directory(vec![("a", file(MIB / 2, 400)), ("b", file(30 * MIB, MIB))]);
    let old = directory(vec![("a", file(30 * MIB, 400)), ("b", file(30 * MIB, 31 * MIB))]);
    let (new, old) = (Shape::new(31 * MIB + 400, &new), Shape::new(61 * MIB + 400, &old));
    let windows = planned(&new, &old);
    assert_eq!(windows[0], (T, 28 * MIB, B), "most of it is of `b`");
    assert_eq!(windows[1], (T, 32 * MIB, B));
    assert_eq!(windows[7].1, 61 * MIB + 400 - u64::from(B), "not beyond the end");
}

#[test]
fn otherwise_the_place_that_is_as_far() {
    let (new, old) =
        (directory(vec![("a", file(40 * MIB, 400))]), directory(vec![("b", file(80 * MIB, 400))]));
    let windows = planned(&Shape::new(40 * MIB, &new), &Shape::new(80 * MIB, &old));
    assert_eq!(windows[0], (T, 0, B));
    assert_eq!(windows[5], (T, 2 * 5 * u64::from(T) - 2 * MIB, B));
}

#[test]
fn a_piece_of_the_base_may_be_empty_and_is_never_beyond_it() {
    let window = Window { target: 5, base_offset: 10, base: 0 };
    assert_eq!(window.source(10), Ok(10..10));
    assert_eq!(window.source(9), Err(WindowError::Base { range: 10..10, size: 9 }));
    let window = Window { target: 5, base_offset: 10, base: 90 };
    assert_eq!(window.source(100), Ok(0..100));
    assert_eq!(window.source(99), Err(WindowError::Base { range: 10..100, size: 99 }));
}

fn rewriter() -> Rewriter {
    Rewriter::new([(part(1), part(2)), (part(3), part(4))])
}

fn slice<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
}

/// Encodes and decodes each window; returns the payloads' sizes.
fn round_trip(old: &[u8], new: &[u8], windows: &[Window]) -> Vec<usize> {
    let (base_size, mut at, mut made, mut sizes) = (old.len() as u64, 0, Vec::new(), Vec::new());
    for window in windows {
        let source = slice(old, &window.source(base_size).unwrap());
        let target = &new[at..][..window.target as usize];
        let payload = encode(window, (&mut source.to_vec(), base_size), &rewriter(), target, 3).unwrap();
        assert!(payload.len() <= max_payload(window.target) as usize);
        decode(window, (&mut source.to_vec(), base_size), &rewriter(), &payload, &mut made).unwrap();
        assert!(made == target, "window at {at}");
        at += target.len();
        sizes.push(payload.len());
    }
    assert_eq!(at, new.len());
    sizes
}

#[test]
fn a_rehashed_nar_costs_next_to_nothing_even_across_the_edges_of_windows() {
    let mut old = Random(7).bytes(10 << 20);
    let edges = [4 << 20, 6 << 20, 8 << 20, 100, 9 << 20];
    for (number, edge) in [1, 3].into_iter().cycle().zip(edges) {
        old[edge - 9..][..32].copy_from_slice(&crate::rewrite::hash_text(part(number)));
    }
    let mut new = old.clone();
    assert_eq!(rewriter().rewrite(&mut new), edges.len());
    let size = old.len() as u64;
    let shape = Shape::new(size, &file(size - 200, 96));
    let sizes = round_trip(&old, &new, &plan(&shape, &shape));
    assert_eq!(sizes.len(), 3);
    assert!(sizes.iter().all(|size| *size < 8000), "{sizes:?}");
}

#[test]
fn what_cannot_be_compressed_still_fits_its_bound() {
    for size in [1, 1000, 200_000, T] {
        let new = Random(1).bytes(size as usize);
        round_trip(b"", &new, &[Window { target: size, base_offset: 0, base: 0 }]);
    }
}

/// A window on 1000 bytes, and its payload.
fn sample() -> (Window, Vec<u8>, Vec<u8>, Vec<u8>) {
    let (old, new) = (Random(2).bytes(1000), [&Random(2).bytes(900)[..], b"changed"].concat());
    let window = Window { target: 907, base_offset: 0, base: 1000 };
    let payload = encode(&window, (&mut old.clone(), 1000), &rewriter(), &new, 9).unwrap();
    (window, old, new, payload)
}

#[test]
fn a_payload_that_is_not_one_frame_of_the_announced_size_is_refused() {
    let (window, mut old, _, payload) = sample();
    let mut decoded = |window: &Window, payload: &[u8]| {
        let mut made = Vec::new();
        decode(window, (&mut old, 1000), &rewriter(), payload, &mut made)
    };
    assert_eq!(decoded(&window, &payload), Ok(()));
    let frame = |target| Err(WindowError::Frame { target });
    assert_eq!(decoded(&Window { target: 906, ..window }, &payload), frame(906));
    assert_eq!(decoded(&Window { target: T, ..window }, &payload), frame(T));
    assert_eq!(decoded(&window, &payload[..payload.len() - 1]), frame(907));
    assert_eq!(decoded(&window, &[&payload[..], b"x"].concat()), frame(907));
    assert_eq!(decoded(&window, &[&payload[..], &payload].concat()), frame(907), "two frames");
    // A skippable frame before it.
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0], &payload[..]].concat();
    assert_eq!(decoded(&window, &skippable), frame(907));
    assert_eq!(decoded(&window, b"not zstd"), frame(907));
    let brought = WindowError::Source { expected: 1000, found: 999 };
    let mut made = Vec::new();
    assert_eq!(decode(&window, (&mut [0; 999], 1000), &rewriter(), &payload, &mut made), Err(brought));
}

#[test]
fn another_base_makes_other_bytes_or_an_error_but_never_more() {
    let (window, _, new, payload) = sample();
    let mut made = Vec::new();
    let decoded = decode(&window, (&mut vec![b'x'; 1000], 1000), &rewriter(), &payload, &mut made);
    assert!(decoded.is_err() || made != new);
    assert!(made.len() <= 907);
}

#[test]
fn hostile_heads_are_refused() {
    let size = "the size of a window";
    let cases: &[(&[u8], WireError)] = &[
        (&[], WireError::Truncated { what: size }),
        (&[0, 0, 0, 1, 1], WireError::Zero { what: size }),
        (&[1, 0, 0, 0, 1], WireError::Zero { what: "the size of a payload" }),
        (&[1, 0, 0, 1, 0], WireError::Codec { found: 0 }),
        (&[1, 0, 0, 1, 2], WireError::Codec { found: 2 }),
        (&[1, 0, 0, 1], WireError::Truncated { what: "the codec of a window" }),
        (&[0x81, 0x80, 0x80, 2], WireError::TooLarge { what: size, found: 4_194_305, limit: T.into() }),
        (
            &[1, 0, 0x81, 0x80, 0x80, 4],
            WireError::TooLarge {
                what: "the size of a piece of the base",
                found: 8_388_609,
                limit: B.into(),
            },
        ),
        (
            &[1, 0, 0, 0x82, 1, 1],
            WireError::TooLarge { what: "the size of a payload", found: 130, limit: 129 },
        ),
        (
            &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 1, 1],
            WireError::TooLarge { what: "the offset in the base", found: u64::MAX, limit: u64::MAX - 1 },
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(Head::read(&mut &bytes[..]).as_ref(), Err(error), "{bytes:?}");
    }
}

/// A NAR-like text and what became of it: pieces that are kept, changed, taken out and put in.
fn some_update() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let piece = (any::<u8>(), 0_usize..300, 0_u8..5);
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| {
        let (mut old, mut new) = (Vec::new(), b"x".to_vec());
        for (seed, length, change) in pieces {
            let bytes = [Random(seed.into()).bytes(length), part(seed % 5).to_string().into_bytes()].concat();
            if change != 1 {
                old.extend_from_slice(&bytes);
            }
            if change != 2 {
                new.extend_from_slice(&bytes);
            }
            if change == 3 {
                rewriter().rewrite(&mut new);
            }
        }
        (old, new)
    })
}

proptest! {
    #[test]
    fn windows_of_any_cut_round_trip(
        (old, new) in some_update(),
        cuts in proptest::collection::vec((1_u32..2000, any::<[prop::sample::Index; 2]>()), 1..6),
    ) {
        let mut left = u32::try_from(new.len()).unwrap();
        let mut windows = Vec::new();
        for (size, cuts) in cuts.into_iter().cycle() {
            let mut cuts = cuts.map(|cut| cut.index(old.len() + 1));
            cuts.sort_unstable();
            let [start, end] = cuts;
            let target = size.min(left);
            let base = u32::try_from(end - start).unwrap();
            windows.push(Window { target, base_offset: start as u64, base });
            left -= target;
            if left == 0 {
                break;
            }
        }
        round_trip(&old, &new, &windows);
    }

    #[test]
    fn heads_round_trip(target in 1..=T, base_offset in 0..u64::MAX - u64::from(B), base in 0..=B, after: u8) {
        let head = Head { window: Window { target, base_offset, base }, payload: max_payload(target) };
        let mut bytes = Vec::new();
        head.write(&mut bytes);
        prop_assert!(bytes.len() <= MAX_HEAD);
        bytes.push(after);
        let mut rest = &bytes[..];
        prop_assert_eq!(Head::read(&mut rest), Ok(head));
        prop_assert_eq!(rest, [after]);
    }

    #[test]
    fn a_damaged_payload_never_panics(place: prop::sample::Index, byte: u8) {
        let (window, mut old, _, mut payload) = sample();
        let place = place.index(payload.len());
        payload[place] = byte;
        let mut made = Vec::new();
        if decode(&window, (&mut old, 1000), &rewriter(), &payload, &mut made).is_ok() {
            prop_assert_eq!(made.len(), 907);
        }
    }
}
