//! Operations: their sent form, and which one is taken.

use proptest::prelude::*;
use store::store_path::StorePathError;

use super::*;
use crate::cases::path;

fn base(name: &str) -> Base {
    Base { path: path(2, name), references: ReferenceMap::default() }
}

fn written(op: &Op) -> Vec<u8> {
    let mut bytes = Vec::new();
    op.write(&path(1, "a"), &mut bytes);
    bytes
}

#[test]
fn operations_round_trip() {
    for op in [Op::Whole, Op::Rewrite(base("a")), Op::Patch(base("b-1.0")), Op::Patch(base(&"n".repeat(211)))]
    {
        let bytes = written(&op);
        let mut rest = &bytes[..];
        assert_eq!(Op::read(&path(1, "a"), &mut rest), Ok(op));
        assert!(rest.is_empty());
        for end in 0..bytes.len() {
            let cut = Op::read(&path(1, "a"), &mut &bytes[..end]);
            assert!(matches!(cut, Err(WireError::Truncated { .. })), "{end} bytes");
        }
    }
}

#[test]
fn other_versions_and_kinds_are_refused() {
    let read = |bytes: &[u8]| Op::read(&path(1, "a"), &mut &bytes[..]);
    assert_eq!(read(&[0x00]), Err(WireError::Version { found: 0 }));
    assert_eq!(read(&[0x20]), Err(WireError::Version { found: 2 }));
    assert_eq!(read(&[0x13]), Err(WireError::Kind { found: 3 }));
    let bad_name = [&[0x12][..], &[0; 20], &[1, b'/', 0]].concat();
    assert!(matches!(read(&bad_name), Err(WireError::Name(StorePathError::NameByte { .. }))));
    let long_name = [&[0x12][..], &[0; 20], &[255], &[b'a'; 255], &[0]].concat();
    assert_eq!(read(&long_name), Err(WireError::Name(StorePathError::NameLength { length: 255 })));
}

#[test]
fn the_cheapest_is_taken() {
    let cases = [
        (true, Some(1), 1, Op::Rewrite(base("a"))),
        (true, None, 0, Op::Rewrite(base("a"))),
        (false, Some(1), 2, Op::Patch(base("a"))),
        (false, Some(2), 2, Op::Whole),
        (false, None, 9, Op::Whole),
    ];
    for (rewrites, patch, whole, expected) in cases {
        assert_eq!(Costs { rewrites, patch, whole }.cheapest(base("a")), expected);
    }
}

proptest! {
    #[test]
    fn what_is_read_is_what_is_written(bytes in proptest::collection::vec(any::<u8>(), 0..60), kind in 0x0f_u8..0x14) {
        let bytes = [&[kind][..], &bytes].concat();
        let mut rest = &bytes[..];
        if let Ok(op) = Op::read(&path(1, "a"), &mut rest) {
            let read = &bytes[..bytes.len() - rest.len()];
            let is_spelled_out = read.len() > 22 && read[21] == 1 && read[22] == b'a';
            prop_assert!(is_spelled_out || written(&op) == read);
        }
    }
}
