//! What is written is read again, and what nobody should have written is refused.

use std::{
    collections::BTreeSet,
    io::{self, Cursor, Read as _},
};

use proptest::{collection, option, prelude::*};
use store::{
    content_address::ContentAddress,
    hash::{Algorithm, Hash, Sha256},
    path_info::PathInfo,
    signature::{KeyName, Signature},
    store_path::{HashPart, StoreDir, StorePath},
};

use super::WireReader;
use crate::{
    error::ReadError,
    fake::{describe, path, reader, say},
    limits,
};

/// Any store path.
pub(crate) fn store_path() -> impl Strategy<Value = StorePath> {
    (any::<[u8; 20]>(), "[0-9a-zA-Z+_?=][0-9a-zA-Z+._?=-]{0,30}")
        .prop_map(|(hash, name)| StorePath::new(HashPart(hash), name.parse().unwrap()))
}

/// Any set of up to four store paths.
pub(crate) fn store_paths() -> impl Strategy<Value = BTreeSet<StorePath>> {
    collection::btree_set(store_path(), 0..4)
}

fn signature() -> impl Strategy<Value = Signature> {
    ("[a-z.-]{1,20}", any::<[u8; 64]>())
        .prop_map(|(name, bytes)| Signature { key_name: KeyName::new(&name).unwrap(), bytes })
}

fn content_address() -> impl Strategy<Value = ContentAddress> {
    let sha1 = any::<[u8; 20]>().prop_map(|bytes| Hash::from_digest(Algorithm::Sha1, &bytes).unwrap());
    prop_oneof![
        any::<[u8; 32]>().prop_map(|bytes| ContentAddress::Text(Sha256(bytes))),
        any::<[u8; 32]>().prop_map(|bytes| ContentAddress::Nar(Sha256(bytes).into())),
        sha1.prop_map(ContentAddress::Flat),
    ]
}

/// Any path information.
pub(crate) fn path_info() -> impl Strategy<Value = PathInfo> {
    let content = (any::<[u8; 32]>(), any::<u64>(), option::of(content_address()));
    let origin = (option::of(store_path()), any::<u64>(), any::<bool>());
    let signatures = collection::btree_set(signature(), 0..3);
    (store_path(), content, store_paths(), origin, signatures).prop_map(
        |(path, (hash, nar_size, content_address), references, origin, signatures)| {
            let (deriver, registration_time, ultimate) = origin;
            let nar_hash = Sha256(hash);
            PathInfo {
                path,
                deriver,
                nar_hash,
                nar_size,
                references,
                registration_time,
                ultimate,
                signatures,
                content_address,
            }
        },
    )
}

/// Reads with `read`, which must take all bytes.
fn all<T>(bytes: Vec<u8>, read: impl FnOnce(&mut WireReader) -> Result<T, ReadError>) -> T {
    let mut reader = reader(bytes);
    let value = read(&mut reader).unwrap();
    assert!(reader.peek().unwrap().is_empty());
    value
}

proptest! {
    #[test]
    fn numbers(number: u64, flag: bool) {
        prop_assert_eq!(all(say(|to| to.number(number)), |from| from.number("a number")), number);
        prop_assert_eq!(all(say(|to| to.flag(flag)), |from| from.flag("a flag")), flag);
    }

    #[test]
    fn strings(string: Vec<u8>, text: String) {
        prop_assert_eq!(all(say(|to| to.string(&string)), |from| from.string("bytes", 1000)), string);
        prop_assert_eq!(all(say(|to| to.text(&text)), |from| from.text("text", 10_000)), text);
    }

    #[test]
    fn lists(list: Vec<u64>) {
        let bytes = say(|to| to.list(list.iter().copied(), super::Encoder::number));
        let read: Vec<u64> = all(bytes, |from| from.list("a list", 1000, |from| from.number("a number")));
        prop_assert_eq!(read, list);
    }

    #[test]
    fn paths(path in store_path(), paths in store_paths()) {
        prop_assert_eq!(all(say(|to| to.path(&path)), |from| from.path("a path")), path.clone());
        let optional = |path: Option<&StorePath>| all(say(|to| to.optional_path(path)), |from| from.optional_path("a path"));
        prop_assert_eq!(optional(None), None);
        prop_assert_eq!(optional(Some(&path)), Some(path));
        let read: BTreeSet<_> = all(say(|to| to.paths(&paths)), |from| from.paths(10));
        prop_assert_eq!(read, paths);
    }

    #[test]
    fn path_infos(info in path_info()) {
        let read = all(say(|to| to.path_info(&info)), |from| from.path_info(info.path.clone()));
        prop_assert_eq!(read, info);
    }

    #[test]
    fn any_cut_is_an_early_end(info in path_info(), cut: prop::sample::Index) {
        let mut bytes = say(|to| to.path_info(&info));
        bytes.truncate(cut.index(bytes.len()));
        let error = reader(bytes).path_info(info.path.clone()).unwrap_err();
        prop_assert!(matches!(error, ReadError::Ended { .. }), "{error:?}");
    }
}

#[test]
fn what_is_refused() {
    type Read = fn(&mut WireReader) -> Result<(), ReadError>;
    let number: Read = |from| from.number("a number").map(drop);
    let flag: Read = |from| from.flag("a flag").map(drop);
    let string: Read = |from| from.string("a string", 9).map(drop);
    let text: Read = |from| from.text("a text", 9).map(drop);
    let message: Read = |from| from.message("a message").map(drop);
    let list: Read = |from| from.list::<_, Vec<_>>("a list", 2, |from| from.number("an item")).map(drop);
    let store_path: Read = |from| from.path("a path").map(drop);
    let info: Read = |from| from.path_info(path("x")).map(drop);
    let numbers =
        |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let cases: &[(&str, Vec<u8>, Read, &str)] = &[
        ("nothing", vec![], number, "ended at 0, expected a number"),
        ("half a number", vec![0; 7], number, "ended at 0, expected a number"),
        ("no flag", numbers(&[2]), flag, "byte 8: expected a flag, found 2"),
        (
            "a long string",
            numbers(&[10]),
            string,
            "byte 8: expected a string, found a length of 10, but the limit is 9",
        ),
        ("a lie", numbers(&[9, 0]), string, "ended at 16, expected a string"),
        (
            "no padding",
            [&numbers(&[9]), &[0; 9][..]].concat(),
            string,
            "ended at 17, expected zeros behind a string",
        ),
        (
            "bad padding",
            [&numbers(&[7]), &[1; 8][..]].concat(),
            string,
            "byte 16: expected zeros behind a string, found 0x01",
        ),
        (
            "not UTF-8",
            [&numbers(&[8]), &b"abcdefg\xff"[..]].concat(),
            text,
            "byte 16: expected a text, found 'abcdefg\\xff'",
        ),
        (
            "2^64 bytes",
            numbers(&[u64::MAX]),
            message,
            "byte 8: expected a message, found a length of 18446744073709551615, but the limit is 1099511627776",
        ),
        ("a long list", numbers(&[3]), list, "byte 8: expected a list, found 3, but the limit is 2"),
        ("a short list", numbers(&[2, 7]), list, "ended at 16, expected an item"),
        (
            "no store path",
            say(|to| to.string(b"/etc/passwd")),
            store_path,
            "byte 24: expected a path, found '/etc/passwd' is not a path directly in the store '/nix/store'",
        ),
        (
            "no hash",
            say(|to| {
                to.string(b"");
                to.string(b"sha256:0");
            }),
            info,
            "byte 24: expected a SHA-256 in hexadecimal, found 'sha256:0'",
        ),
    ];
    for (name, bytes, read, expected) in cases {
        assert_eq!(describe(&read(&mut reader(bytes.clone())).unwrap_err()), *expected, "{name}");
    }
}

#[test]
fn long_messages_are_cut() {
    let kept = usize::try_from(limits::KEPT_TEXT).unwrap();
    let bytes = say(|to| {
        to.string(&vec![b'x'; kept + 100]);
        to.number(7);
    });
    let mut reader = reader(bytes);
    assert_eq!(reader.message("a message").unwrap().len(), kept);
    assert_eq!(reader.number("a number").unwrap(), 7);
}

#[test]
fn an_answer_has_a_budget() {
    let quarter = limits::ANSWER / 4;
    let string = || Cursor::new(quarter.to_le_bytes()).chain(io::repeat(b'x').take(quarter));
    let strings = string().chain(string()).chain(string()).chain(string());
    let message = || Cursor::new(8_u64.to_le_bytes()).chain(io::repeat(b'x').take(8));
    let rest = message().chain(message()).chain(message());
    let mut reader = WireReader::new(Box::new(strings.chain(rest)), StoreDir::default());
    for _ in 0..4 {
        reader.string("a string", quarter).unwrap();
    }
    // Of a text for people nothing is kept then; the connection goes on.
    assert_eq!(reader.message("a message").unwrap(), "");
    assert!(describe(&reader.string("a string", quarter).unwrap_err()).contains("the limit is 0"));
    reader.number("the rest of it").unwrap();
    reader.begin_answer();
    assert_eq!(reader.message("a message").unwrap(), "xxxxxxxx");
}

#[test]
fn a_message_of_any_length_is_cut() {
    let length = 300 << 20;
    let message = Cursor::new(u64::to_le_bytes(length)).chain(io::repeat(0xff).take(length));
    let says = message.chain(Cursor::new(7_u64.to_le_bytes()));
    let mut reader = WireReader::new(Box::new(says), StoreDir::default());
    let kept = usize::try_from(limits::KEPT_TEXT).unwrap();
    let message = reader.message("a message").unwrap();
    // Each byte is replaced by three.
    assert_eq!(message, "\u{fffd}".repeat(kept / 3));
    assert!(message.capacity() <= kept);
    assert_eq!(reader.number("a number").unwrap(), 7);
}

#[test]
fn what_was_found_is_cut() {
    let ReadError::Protocol(error) = reader(vec![]).unexpected("nothing", "x\n".repeat(1000)) else {
        panic!("an error of the protocol")
    };
    assert_eq!(error.found, format!("{}…", r"x\n".repeat(256)));
}

#[test]
fn texts_that_are_no_signatures_are_left_out() {
    let signature = format!("key:{}==", "A".repeat(86));
    let texts = ["", "no signature", &signature, "key:short", "\u{fffd}"];
    let mut bytes = say(|to| {
        let mut info = PathInfo::new(path("x"), Sha256([0; 32]), 0);
        info.signatures.clear();
        to.path_info(&info);
    });
    // No signatures, no content address: the last two numbers.
    bytes.truncate(bytes.len() - 16);
    bytes.extend(say(|to| {
        to.list(texts, |to, text| to.string(text.as_bytes()));
        to.string(b"");
    }));
    let info = reader(bytes).path_info(path("x")).unwrap();
    assert_eq!(info.signatures.iter().map(ToString::to_string).collect::<Vec<_>>(), [signature]);
}

#[test]
fn debug_shows_no_contents() {
    let mut reader = reader(say(|to| to.string(b"secret secret secret")));
    reader.peek().unwrap();
    assert_eq!(format!("{reader:?}"), "WireReader { offset: 0, .. }");
}
