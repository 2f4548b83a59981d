//! Narinfos that Nix wrote, and everything that is nearly one.

use proptest::prelude::*;

use super::*;
use crate::{hash::ParseHashError, signature::TrustedKeys, store_path::StorePathError};

/// Written by `nix copy --to file://` (Nix 2.26.3).
const REAL: &[&str] = &[
    include_str!("../../tests/data/narinfo/k0bq3s4hdvxal217l04jr24n8jm5l29g.narinfo"),
    include_str!("../../tests/data/narinfo/k4nfvx2wvzzag82s8ld0hbk3vhi9ykpw.narinfo"),
    include_str!("../../tests/data/narinfo/lplhk45ggnnzylyd33xywdlkxg2gkgkz.narinfo"),
    include_str!("../../tests/data/narinfo/ncn4hq9gfzxr0b20mmqscfkky6lw69gp.narinfo"),
    include_str!("../../tests/data/narinfo/p2qkh6lklg7zljx468xsl3gwif574nq4.narinfo"),
    include_str!("../../tests/data/narinfo/z4asv3j07d89ywjf8fxkn7sg6mf5s9q5.narinfo"),
];

/// One with every kind of line but `CA`.
const SIGNED: &str = REAL[2];

fn parse(text: &str) -> Result<NarInfo, ParseNarInfoError> {
    NarInfo::parse(text.as_bytes(), &StoreDir::default())
}

#[test]
fn nix_text_is_written_as_it_was_read() {
    for text in REAL {
        let narinfo = parse(text).unwrap();
        assert_eq!(narinfo.display(&StoreDir::default()).to_string(), *text);
        if narinfo.info.content_address.is_some() {
            assert!(narinfo.info.is_content_addressed(&StoreDir::default()));
        }
    }
}

#[test]
fn what_nix_signed_is_what_was_read() {
    let key = "test-1:hPm+viuRcH+5taDC3mgTUTbfMvtSeRXWlFIJhkSXni8=";
    let trusted = TrustedKeys::from_iter([key.parse().unwrap()]);
    let info = parse(SIGNED).unwrap().info;
    assert_eq!(info.count_valid_signatures(&StoreDir::default(), &trusted), 1);
    assert_eq!(info.references.len(), 2);
    assert_eq!(info.deriver.unwrap().to_string(), "k4nfvx2wvzzag82s8ld0hbk3vhi9ykpw-selfy.drv");
}

/// [`SIGNED`] with the value of a line replaced, or without the line.
fn with(name: &str, value: Option<&str>) -> String {
    let prefix = format!("{name}: ");
    let line = |line: &str| match value {
        _ if !line.starts_with(&prefix) => Some(format!("{line}\n")),
        Some(value) => Some(format!("{prefix}{value}\n")),
        None => None,
    };
    SIGNED.lines().filter_map(line).collect()
}

#[test]
fn what_may_be_left_out() {
    let of = |name, value| parse(&with(name, value)).unwrap();
    assert_eq!(of("Compression", None).compression.as_str(), "bzip2");
    assert_eq!(of("FileHash", None).file_hash, None);
    assert_eq!(of("FileSize", None).file_size, None);
    assert!(of("References", None).info.references.is_empty());
    assert!(of("References", Some("")).info.references.is_empty());
    assert!(of("Sig", None).info.signatures.is_empty());
    assert_eq!(of("Deriver", None).info.deriver, None);
    assert_eq!(of("Deriver", Some("unknown-deriver")).info.deriver, None);
    assert_eq!(parse(&format!("New: field\n{SIGNED}")), parse(SIGNED));
}

#[test]
fn what_nix_lets_pass() {
    let of = |name: &str, value: &str| parse(&with(name, Some(value))).unwrap();
    assert_eq!(of("Compression", "").compression.as_str(), "bzip2");
    assert_eq!(parse(&format!("{SIGNED}CA: \n")), parse(SIGNED));
    let dep = "z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep";
    for references in [format!("{dep} {dep}"), format!("  {dep}   {dep} ")] {
        assert!(of("References", &references).info.references.iter().eq([&dep.parse().unwrap()]));
    }
    assert!(of("References", " ").info.references.is_empty());
    for signature in ["", "test-1", "test-1:AAAA", "mldsa-1:not base-64"] {
        let with_another = format!("{SIGNED}Sig: {signature}\n");
        assert_eq!(parse(&with_another), parse(SIGNED), "{signature}");
    }
}

#[test]
fn bad_values_are_found_at_their_place() {
    use ParseNarInfoErrorKind as Kind;

    let no_hash_part = |text: &str| Kind::StorePath(StorePathError::NoHashPart { base_name: text.into() });
    let cases = [
        (
            "StorePath",
            "z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep",
            Kind::StorePath(StorePathError::NotInStore {
                path: "z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep".into(),
                store_dir: "/nix/store".into(),
            }),
        ),
        ("URL", "", Kind::Empty { field: "URL" }),
        ("FileHash", "00", Kind::Hash(ParseHashError::NoAlgorithm { text: "00".into() })),
        ("FileSize", "+1", Kind::Number),
        ("FileSize", "18446744073709551616", Kind::Number),
        (
            "NarHash",
            "md5:900150983cd24fb0d6963f7d28e17f72",
            Kind::NarHashAlgorithm { algorithm: crate::hash::Algorithm::Md5 },
        ),
        ("NarSize", "0", Kind::Empty { field: "NarSize" }),
        ("NarSize", "", Kind::Number),
        ("NarSize", "0x10", Kind::Number),
        ("References", "a", no_hash_part("a")),
        ("Deriver", "", no_hash_part("")),
    ];
    for (name, value, kind) in cases {
        let text = with(name, Some(value));
        let offset = text.find(&format!("{name}: ")).unwrap() + name.len() + 2;
        assert_eq!(parse(&text), Err(ParseNarInfoError { offset, kind }), "{name}: {value}");
    }
}

#[test]
fn what_would_not_be_one_line_is_no_value() {
    let control = |offset| Err(LineValueError::Control { offset });
    let cases = [
        ("", Err(LineValueError::Empty)),
        ("nar/x.nar\nSig: mine", control(9)),
        ("\n", control(0)),
        ("a\rb", control(1)),
        ("a\u{85}b", control(1)),
        ("../ünï code", Ok("../ünï code")),
    ];
    for (text, expected) in cases {
        let value = text.parse::<LineValue>().map(|value| value.to_string());
        assert_eq!(value, expected.map(str::to_owned), "{text:?}");
    }
}

#[test]
fn a_bad_reference_is_found_at_its_place() {
    let dep = "z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep";
    for before in ["", "  ", &format!("{dep} "), &format!(" {dep}  {dep} ")] {
        let text = with("References", Some(&format!("{before}bad {dep}")));
        let offset = text.find("bad").unwrap();
        let kind = ParseNarInfoErrorKind::StorePath(StorePathError::NoHashPart { base_name: "bad".into() });
        assert_eq!(parse(&text), Err(ParseNarInfoError { offset, kind }), "{before:?}");
    }
}

#[test]
fn bad_lines_are_found_at_their_place() {
    use ParseNarInfoErrorKind as Kind;

    let length = SIGNED.len();
    let missing = |field| (with(field, None), with(field, None).len(), Kind::Missing { field });
    let cases = [
        (String::new(), 0, Kind::Missing { field: "StorePath" }),
        missing("StorePath"),
        missing("URL"),
        missing("NarHash"),
        missing("NarSize"),
        (format!("{SIGNED}CA:x\n"), length, Kind::Line),
        (format!("{SIGNED}\n"), length, Kind::Line),
        (format!("{SIGNED}x"), length + 1, Kind::Unfinished),
        (format!("{SIGNED}URL: x\n"), length + 5, Kind::Duplicate { field: "URL" }),
        (format!("{SIGNED}CA: a\0b\n"), length + 5, Kind::NotText),
        (SIGNED.replace('\n', "\r\n"), SIGNED.find('\n').unwrap(), Kind::NotText),
        ("x".repeat(MAX_TEXT + 1), MAX_TEXT, Kind::TooLong { length: MAX_TEXT + 1 }),
    ];
    for (text, offset, kind) in cases {
        assert_eq!(parse(&text), Err(ParseNarInfoError { offset, kind }));
    }
    let not_utf8 = NarInfo::parse(b"URL: \xff\n", &StoreDir::default());
    assert_eq!(not_utf8, Err(ParseNarInfoError { offset: 5, kind: Kind::NotText }));
}

proptest! {
    #[test]
    fn round_trip(
        url in "[ -~]{1,30}", compression in "[a-z0-9]{1,8}", sizes: (u64, Option<u64>), hash: Option<[u8; 32]>,
    ) {
        let mut narinfo = parse(SIGNED).unwrap();
        narinfo.url = url.parse().unwrap();
        narinfo.compression = compression.parse().unwrap();
        (narinfo.info.nar_size, narinfo.file_size) = (sizes.0.max(1), sizes.1);
        narinfo.file_hash = hash.map(|hash| crate::hash::Sha256(hash).into());
        prop_assert_eq!(parse(&narinfo.display(&StoreDir::default()).to_string()), Ok(narinfo));
    }

    #[test]
    fn changed_text_never_panics(index: prop::sample::Index, byte: u8) {
        let mut text = SIGNED.as_bytes().to_vec();
        let index = index.index(text.len());
        text[index] = byte;
        if let Ok(narinfo) = NarInfo::parse(&text, &StoreDir::default()) {
            let written = narinfo.display(&StoreDir::default()).to_string();
            prop_assert_eq!(parse(&written), Ok(narinfo));
        }
    }
}
