//! What was packed comes out, whatever it is cut into; what nobody packed does not.

use proptest::prelude::*;

use super::*;

/// What is written to a stream of records.
#[derive(Debug, Clone)]
enum Part {
    Bytes(Vec<u8>),
    Flush,
    Payload(Vec<u8>),
    Level(i32),
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..300);
    let many = (any::<u8>(), 1..300_000_usize).prop_map(|(byte, length)| vec![byte; length]);
    prop::collection::vec(
        prop_oneof![
            bytes().prop_map(Part::Bytes),
            many.prop_map(Part::Bytes),
            Just(Part::Flush),
            bytes().prop_map(Part::Payload),
            (1..10).prop_map(Part::Level),
        ],
        0..12,
    )
}

fn pack(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut packer = Packer::new(&mut bytes, 3).unwrap();
    for part in parts {
        match part {
            Part::Bytes(bytes) => packer.write_all(bytes).unwrap(),
            Part::Flush => packer.flush().unwrap(),
            Part::Payload(payload) => packer.payload(payload).unwrap(),
            Part::Level(level) => packer.set_level(*level).unwrap(),
        }
    }
    packer.flush().unwrap();
    packer.stop().unwrap();
    let sent = packer.sent();
    drop(packer);
    assert_eq!(sent, bytes.len() as u64);
    bytes
}

proptest! {
    #[test]
    fn what_was_packed_comes_out(parts in parts()) {
        let bytes = pack(&parts);
        let mut unpacker = Unpacker::new(&bytes[..]).unwrap();
        for part in &parts {
            match part {
                Part::Bytes(bytes) => {
                    let mut found = vec![0; bytes.len()];
                    unpacker.read_exact(&mut found).unwrap();
                    prop_assert!(found == *bytes);
                }
                Part::Payload(payload) => {
                    let mut found = Vec::new();
                    unpacker.payload(u32::try_from(payload.len()).unwrap(), &mut found).unwrap();
                    prop_assert!(found == *payload);
                }
                Part::Flush | Part::Level(_) => {}
            }
        }
        let error = unpacker.read(&mut [0]).unwrap_err();
        prop_assert_eq!(error.to_string(), Stopped.to_string());
        prop_assert!(unpacker.from.is_empty());
    }

    #[test]
    fn any_bytes_are_records_or_an_error(bytes: Vec<u8>) {
        let mut unpacker = Unpacker::new(&bytes[..]).unwrap();
        prop_assert!(unpacker.read_to_end(&mut Vec::new()).is_err(), "a stream never just ends");
    }
}

#[test]
fn what_is_not_due_is_refused() {
    let record = |kind: u8, length: u32, bytes: &[u8]| [&[kind], &length.to_be_bytes()[..], bytes].concat();
    let cases = [
        record(9, 0, &[]),
        record(PACKED, 0, &[]),
        record(PACKED, MAX_PACKED + 1, &[]),
        record(PACKED, u32::MAX, &[]),
        record(PAYLOAD, 1, &[1]),
        record(STOP, 1, &[1]),
        record(PACKED, 5, &[1, 2]),
        record(PACKED, 5, b"junk!"),
    ];
    for case in cases {
        let mut unpacker = Unpacker::new(&case[..]).unwrap();
        assert!(unpacker.read(&mut [0; 9]).is_err(), "{case:?}");
    }
    for (announced, due) in [(2, 1), (MAX_PAYLOAD + 1, MAX_PAYLOAD + 1), (u32::MAX, u32::MAX)] {
        let case = record(PAYLOAD, announced, &[1, 2]);
        let found = Unpacker::new(&case[..]).unwrap().payload(due, &mut Vec::new());
        assert!(matches!(found, Err(Malformed::Unexpected { .. })), "{found:?}");
    }
    // Packed bytes that nobody has read stand before the payload.
    let bytes = pack(&[Part::Bytes(vec![1; 3]), Part::Payload(vec![2])]);
    let mut unpacker = Unpacker::new(&bytes[..]).unwrap();
    unpacker.read_exact(&mut [0; 2]).unwrap();
    assert!(unpacker.payload(1, &mut Vec::new()).is_err());
}
