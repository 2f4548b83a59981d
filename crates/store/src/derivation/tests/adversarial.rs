//! What is refused, why, and at which byte.

use super::*;
use crate::{
    content_address::ParseContentAddressError,
    derivation::ParseDerivationErrorKind as Kind,
    hash::{Algorithm, ParseHashError},
};

const PATH: &str = "/nix/store/00000000000000000000000000000000-a";
const OTHER: &str = "/nix/store/00000000000000000000000000000001-a";

/// Checks the error of `text`; the `^` in it, which is left out, is where the error is expected.
#[track_caller]
fn check(text: &str, kind: &Kind) {
    let offset = text.find('^').expect("the case says where");
    let text = text.replacen('^', "", 1);
    assert_eq!(parse(text.as_bytes()), Err(ParseDerivationError { offset, kind: kind.clone() }), "{text}");
}

fn expected(expected: &'static str) -> Kind {
    Kind::Expected { expected }
}

#[test]
fn the_frame() {
    let cases = [
        ("^", "'Derive('"),
        ("^derive([],[],[],\"\",\"\",[],[])", "'Derive('"),
        ("Derive(^", "'['"),
        ("Derive([(^", "'\"'"),
        ("Derive([^,", "'('"),
        ("Derive([]^", "','"),
        ("Derive([],[^\"", "'('"),
        ("Derive([],[],[^(", "'\"'"),
        ("Derive([],[],[],^[", "'\"'"),
        ("Derive([],[],[],\"\",\"\",[\"a\"^;", "',' or ']'"),
        ("Derive([],[],[],\"\",\"\",[\"a\",^]", "'\"'"),
        ("Derive([],[],[],\"\",\"\",[],[(\"a\"^)", "','"),
        ("Derive([],[],[],\"\",\"\",[],[(\"a\",\"b\"^,", "')'"),
        ("Derive([],[],[],\"\",\"\",[],[]^", "')'"),
        ("Derive([],[],[],\"\",\"\",[],[])^\n", "the end"),
        ("Derive(^ ", "'['"),
    ];
    for (text, what) in cases {
        check(text, &expected(what));
    }
    check("^DrvWithVersion(\"xp-dyn-drv\",[],[],[],\"\",\"\",[],[])", &Kind::Dynamic);
}

#[test]
fn strings() {
    let cases = [
        ("^\"", Kind::Unterminated),
        ("^\"abc", Kind::Unterminated),
        ("\"^\\", Kind::Unterminated),
        ("\"a^\\q\"", Kind::Escape { byte: b'q' }),
        ("\"a^\\0\"", Kind::Escape { byte: b'0' }),
        // What Nix always writes with a backslash.
        ("\"a^\nb\"", Kind::Escape { byte: b'\n' }),
        ("\"a^\tb\"", Kind::Escape { byte: b'\t' }),
        ("\"a^\rb\"", Kind::Escape { byte: b'\r' }),
    ];
    for (string, kind) in cases {
        check(&format!("Derive([],[],[],{string}"), &kind);
    }
}

#[test]
fn outputs() {
    let hash = |error| Kind::Hash(error);
    let name_error = |error| Kind::StorePath(error);
    let hash32 = "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s";
    let hash16 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let upper = hash16.to_uppercase();
    let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let cases = [
        ("(^\"\",\"\",\"\",\"\")".into(), name_error(StorePathError::NameLength { length: 0 })),
        ("(^\"..\",\"\",\"\",\"\")".into(), name_error(StorePathError::NameDots { name: "..".into() })),
        (
            "(\"out\",^\"/a\",\"\",\"\")".into(),
            name_error(StorePathError::NotInStore { path: "/a".into(), store_dir: "/nix/store".into() }),
        ),
        ("(\"out\",^\"\",\"\",\"00\")".into(), Kind::Output),
        (format!("(\"out\",^\"{PATH}\",\"\",\"00\")"), Kind::Output),
        (format!("(\"out\",^\"{PATH}\",\"sha256\",\"\")"), Kind::Output),
        ("(\"out\",^\"\",\"sha256\",\"00\")".into(), Kind::Output),
        ("(\"out\",^\"\",\"r:sha0\",\"\")".into(), hash(ParseHashError::Algorithm { name: "sha0".into() })),
        (
            "(\"out\",^\"\",\"git:sha1\",\"\")".into(),
            hash(ParseHashError::Algorithm { name: "git:sha1".into() }),
        ),
        (
            format!("(\"out\",^\"{PATH}\",\"sha256\",\"00\")"),
            hash(ParseHashError::Length { algorithm: Algorithm::Sha256, found: 2 }),
        ),
        (format!("(\"out\",^\"{PATH}\",\"sha256\",\"{hash32}\")"), Kind::HashForm),
        (format!("(\"out\",^\"{PATH}\",\"sha256\",\"{upper}\")"), Kind::HashForm),
        (
            format!("(\"out\",^\"{PATH}\",\"text:sha1\",\"{sha1}\")"),
            Kind::ContentAddress(ParseContentAddressError::TextAlgorithm { algorithm: Algorithm::Sha1 }),
        ),
        ("(\"b\",\"\",\"\",\"\"),^(\"a\",\"\",\"\",\"\")".into(), Kind::Unsorted { what: "outputs" }),
        ("(\"a\",\"\",\"\",\"\"),^(\"a\",\"\",\"\",\"\")".into(), Kind::Unsorted { what: "outputs" }),
    ];
    for (outputs, kind) in cases {
        check(&format!("Derive([{outputs}],"), &kind);
    }
}

#[test]
fn inputs() {
    let unsorted = |what| Kind::Unsorted { what };
    let cases = [
        (format!("[^(\"{PATH}\",[])],"), Kind::NoOutputWanted),
        (format!("[(\"{PATH}\",[\"out\",^\"dev\"])],"), unsorted("outputs")),
        (format!("[(\"{OTHER}\",[\"out\"]),^(\"{PATH}\",[\"out\"])],"), unsorted("input derivations")),
        (format!("[],[\"{PATH}\",^\"{PATH}\"]"), unsorted("input sources")),
        (
            "[],[^\"\"]".into(),
            Kind::StorePath(StorePathError::NotInStore {
                path: String::new(),
                store_dir: "/nix/store".into(),
            }),
        ),
        ("[],[],\"\",\"\",[],[(\"b\",\"\"),^(\"a\",\"\")]".into(), unsorted("variables")),
        ("[],[],\"\",\"\",[],[(\"b\",\"\"),^(\"b\",\"\")]".into(), unsorted("variables")),
    ];
    for (inputs, kind) in cases {
        check(&format!("Derive([],{inputs}"), &kind);
    }
}

#[test]
fn a_text_that_is_too_long() {
    let text = vec![b'['; MAX_TEXT + 1];
    let kind = Kind::TooLong { length: MAX_TEXT + 1 };
    assert_eq!(parse(&text), Err(ParseDerivationError { offset: MAX_TEXT, kind }));
}

#[test]
fn every_cut_is_an_error() {
    let text = format!(
        "Derive([(\"out\",\"{PATH}\",\"\",\"\")],[(\"{PATH}\",[\"out\"])],[\"{OTHER}\"],\"s\",\"b\",[\"a\\n\"],[(\"k\",\"v\")])"
    );
    parse(text.as_bytes()).unwrap();
    for length in 0..text.len() {
        assert!(parse(&text.as_bytes()[..length]).is_err(), "{length}");
    }
}

#[test]
fn items_of_all_lists_are_bounded() {
    let text = |arguments: usize, end: &str| {
        format!("Derive([],[],[],\"\",\"\",[{}\"\"],[{end}])", "\"\",".repeat(arguments - 1))
    };
    assert!(parse(text(MAX_ITEMS, "").as_bytes()).is_ok());
    let variable = "(\"a\",\"\")";
    for text in [text(MAX_ITEMS + 1, ""), text(MAX_ITEMS, variable)] {
        let error = parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind, Kind::TooManyItems);
        assert!(text[error.offset..].starts_with("\"\"],[])") || text[error.offset..].starts_with(variable));
    }
}
