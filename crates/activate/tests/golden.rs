//! Journals that were written once must be read for ever, and what is written is what was read.

use activate::{MAX_RECORD, Phase, Record, RecordError};

const RECORD_1: &[u8] = include_bytes!("golden/record-1.json");

#[test]
fn version_1_is_read_and_written_byte_for_byte() {
    let record = Record::from_json(RECORD_1).expect("golden");
    assert_eq!(record.state.phase(), Phase::Reverting);
    same(RECORD_1, &record);
}

fn same(golden: &[u8], record: &Record) {
    assert_eq!(String::from_utf8_lossy(&record.to_json()), String::from_utf8_lossy(golden.trim_ascii_end()));
}

#[test]
fn the_way_through_a_reboot_is_read_and_written_byte_for_byte() {
    for (golden, phase) in [
        (include_bytes!("golden/record-1-rebooting.json").as_slice(), Phase::Rebooting),
        (include_bytes!("golden/record-1-left.json"), Phase::Reverting),
        (include_bytes!("golden/record-1-rolled-back.json"), Phase::RolledBack),
    ] {
        let record = Record::from_json(golden).expect("golden");
        assert_eq!(record.state.phase(), phase);
        same(golden, &record);
    }
}

#[test]
fn what_is_not_a_journal_is_refused_for_its_reason() {
    let text = std::str::from_utf8(RECORD_1).expect("text");
    let refused = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Record::from_json(text.replacen(from, to, 1).as_bytes()).expect_err(to)
    };
    assert!(matches!(refused(r#"{"version":1"#, r#"{"version":2"#), RecordError::Version(2)));
    assert!(matches!(refused(r#""part":"back""#, r#""part":"forth""#), RecordError::Json(_)));
    assert!(matches!(refused("/nix/store/aaaa", "/nix/stare/aaaa"), RecordError::Json(_)));
    assert!(matches!(refused(r#""mode":"switch""#, r#""mode":"swatch""#), RecordError::Order(_)));
    assert!(matches!(Record::from_json(&vec![b' '; MAX_RECORD + 1]), Err(RecordError::TooLong(_))));
    assert!(matches!(Record::from_json(b"{}"), Err(RecordError::Json(_))));
}
