//! Rewriting against a plain model of it.

use proptest::prelude::*;

use super::*;
use crate::cases::part;

/// What the rules say, read aloud: from left to right on the original bytes.
fn model(bytes: &[u8], pairs: &[(u8, u8)]) -> Vec<u8> {
    let mut result = bytes.to_vec();
    let mut place = 0;
    while place + DIGITS <= bytes.len() {
        let found = pairs.iter().rev().find(|(old, _)| bytes[place..place + DIGITS] == hash_text(part(*old)));
        if let Some((_, new)) = found {
            result[place..place + DIGITS].copy_from_slice(&hash_text(part(*new)));
            place += DIGITS;
        } else {
            place += 1;
        }
    }
    result
}

fn rewriter(pairs: &[(u8, u8)]) -> Rewriter {
    Rewriter::new(pairs.iter().map(|(old, new)| (part(*old), part(*new))))
}

fn rewritten(bytes: &[u8], rewriter: &Rewriter) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    rewriter.rewrite(&mut bytes);
    bytes
}

/// Few hashes, so that chains and the same ones come often.
fn some_pairs() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0_u8..6, 0_u8..6), 0..6)
}

/// Bytes in which hashes stand beside and inside of each other: whole ones, parts, digits, other bytes.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (0_u8..6).prop_map(|number| hash_text(part(number)).to_vec()),
        (0_u8..6, 0..DIGITS).prop_map(|(number, cut)| hash_text(part(number))[cut..].to_vec()),
        proptest::collection::vec(prop::sample::select(b"0z/-e\0".to_vec()), 0..40),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn the_cases_of_the_rules() {
    let text = |parts: &[u8]| parts.iter().flat_map(|number| hash_text(part(*number))).collect::<Vec<_>>();
    assert_eq!(
        rewritten(&text(&[1, 2]), &rewriter(&[(1, 2), (2, 3)])),
        text(&[2, 3]),
        "no run through a chain"
    );
    assert_eq!(rewritten(&text(&[1, 2]), &rewriter(&[(1, 2), (2, 1)])), text(&[2, 1]), "a swap");
    assert_eq!(rewritten(&text(&[1, 2]), &rewriter(&[(1, 3), (2, 3)])), text(&[3, 3]), "two become one");
    // The digits of part 0 are all zeros: from the left, and what is left over stays.
    let zeros = vec![b'0'; 2 * DIGITS + 5];
    let expected = [text(&[1, 1]), b"00000".to_vec()].concat();
    assert_eq!(rewritten(&zeros, &rewriter(&[(0, 1)])), expected);
    assert_eq!(rewritten(b"short", &rewriter(&[(0, 1)])), b"short");
}

#[test]
fn margins_end_where_the_bytes_do() {
    let cases =
        [((0..10, 10), 0..10), ((31..40, 100), 0..71), ((50..60, 100), 19..91), ((60..100, 100), 29..100)];
    for ((range, size), expected) in cases {
        assert_eq!(with_margins(&range, size), expected);
    }
}

#[test]
fn a_long_stream_is_written_in_pieces_of_any_size() {
    let line = format!("{} {}", part(1), part(2));
    let bytes = line.repeat(2 * PIECE / line.len()).into_bytes();
    let rewriter = rewriter(&[(1, 2), (2, 1)]);
    let mut writer = RewriteWriter::new(&rewriter, Vec::new());
    writer.write_all(&bytes).unwrap();
    assert_eq!(writer.finish().unwrap(), model(&bytes, &[(1, 2), (2, 1)]));
}

proptest! {
    #[test]
    fn as_the_model(bytes in some_bytes(), pairs in some_pairs()) {
        prop_assert_eq!(rewritten(&bytes, &rewriter(&pairs)), model(&bytes, &pairs));
    }

    #[test]
    fn a_stream_is_rewritten_as_if_it_came_at_once(
        bytes in some_bytes(),
        pairs in some_pairs(),
        sizes in proptest::collection::vec(1_usize..50, 1..8),
    ) {
        let rewriter = rewriter(&pairs);
        let mut writer = RewriteWriter::new(&rewriter, Vec::new());
        let mut rest = &bytes[..];
        for size in sizes.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            writer.write_all(piece).unwrap();
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(writer.finish().unwrap(), model(&bytes, &pairs));
    }

    /// Where no two mapped hashes overlap, what a range is rewritten to with its margins is what it is in the whole.
    #[test]
    fn a_range_with_its_margins_is_as_in_the_whole(
        hashes in proptest::collection::vec((1_u8..6, 0_usize..40), 0..12),
        pairs in proptest::collection::vec((1_u8..6, 0_u8..6), 0..6),
        cuts in any::<[prop::sample::Index; 2]>(),
    ) {
        let bytes: Vec<u8> = hashes
            .iter()
            .flat_map(|(number, gap)| [&hash_text(part(*number))[..], &vec![b'/'; gap + 1]].concat())
            .collect();
        let mut cuts = cuts.map(|cut| cut.index(bytes.len() + 1));
        cuts.sort_unstable();
        let [start, end] = cuts;
        let source = with_margins(&(start as u64..end as u64), bytes.len() as u64);
        let source = usize::try_from(source.start).unwrap()..usize::try_from(source.end).unwrap();
        let part = rewritten(&bytes[source.clone()], &rewriter(&pairs));
        prop_assert_eq!(&part[start - source.start..end - source.start], &model(&bytes, &pairs)[start..end]);
    }
}
