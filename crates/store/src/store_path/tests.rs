//! Store paths: what Nix accepts, what it refuses, and how it sorts.

use proptest::prelude::*;

use super::*;

const DIGITS: &str = "q8wz8r4ijw1b5a0mpx5yvb2d4z8wg1lp";

fn named(name: &str) -> Result<StorePath, StorePathError> {
    format!("{DIGITS}-{name}").parse()
}

#[test]
fn accepts_the_names_nix_accepts() {
    let longest = "x".repeat(MAX_NAME);
    for name in
        ["a", "hello-2.12", "A+b_c?d=e.f", ".a", "...", "..a", ".a-b", "-", "--", "-.", "a.drv", &longest]
    {
        let path = named(name).unwrap();
        assert_eq!(path.name().as_str(), name);
        assert_eq!(path.hash_part().to_string(), DIGITS);
        assert_eq!(path.is_derivation(), name == "a.drv");
    }
}

#[test]
fn refuses_the_names_nix_refuses() {
    let dots = |name: &str| StorePathError::NameDots { name: name.into() };
    let byte = |name: &str, offset, byte| StorePathError::NameByte { name: name.into(), offset, byte };
    let cases = [
        ("", StorePathError::NameLength { length: 0 }),
        (&"x".repeat(212), StorePathError::NameLength { length: 212 }),
        (".", dots(".")),
        ("..", dots("..")),
        (".-a", dots(".-a")),
        ("..-", dots("..-")),
        ("a b", byte("a b", 1, b' ')),
        ("a/b", byte("a/b", 1, b'/')),
        ("\0", byte("\\x00", 0, 0)),
        ("\u{e9}", byte("\\xc3\\xa9", 0, 0xc3)),
    ];
    for (name, error) in cases {
        assert_eq!(named(name), Err(error), "{name:?}");
    }
}

#[test]
fn refuses_what_has_no_hash_part() {
    let missing = |base_name: &str| StorePathError::NoHashPart { base_name: base_name.into() };
    let short = &DIGITS[1..];
    let with_e = format!("e{short}-a");
    let cases = [
        (String::new(), missing("")),
        (DIGITS.to_owned(), missing(DIGITS)),
        (format!("{short}-ab"), missing(&format!("{short}-ab"))),
        (
            with_e.clone(),
            StorePathError::HashPart {
                base_name: with_e,
                source: base32::DecodeError::Digit { offset: 0, byte: b'e' },
            },
        ),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<StorePath>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_full_path_lies_directly_in_its_store() {
    let store_dir = StoreDir::default();
    let path = named("a").unwrap();
    assert_eq!(store_dir.display(&path).to_string(), format!("/nix/store/{DIGITS}-a"));
    assert_eq!(store_dir.parse(format!("/nix/store/{DIGITS}-a").as_bytes()), Ok(path));
    let outside = ["", "/", "/nix/store", "nix/store/", "/nix/stor", "/gnu/store/"];
    let outside = outside.map(|prefix| format!("{prefix}{DIGITS}-a"));
    let below = [format!("/nix/store/{DIGITS}-a/bin"), format!("/nix/store//{DIGITS}-a")];
    for text in outside.into_iter().chain(below) {
        let error = StorePathError::NotInStore { path: text.clone(), store_dir: "/nix/store".into() };
        assert_eq!(store_dir.parse(text.as_bytes()), Err(error));
    }
}

#[test]
fn a_store_directory_is_absolute_and_canonical() {
    for path in ["/nix/store", "/s", "/home/me/.store", "/a b"] {
        assert_eq!(StoreDir::new(path).unwrap().as_str(), path);
    }
    for path in [
        "",
        "/",
        "nix/store",
        "/nix/store/",
        "/nix//store",
        "/nix/./store",
        "/nix/../store",
        "/a\0b",
        "/a\nb",
    ] {
        assert!(matches!(StoreDir::new(path), Err(StorePathError::StoreDir { .. })), "{path:?}");
    }
}

fn any_path() -> impl Strategy<Value = StorePath> {
    (any::<[u8; 20]>(), "[a-zA-Z0-9+_?=][a-zA-Z0-9+._?=-]{0,30}")
        .prop_map(|(hash, name)| StorePath::new(HashPart(hash), name.parse().unwrap()))
}

proptest! {
    #[test]
    fn round_trip(path in any_path()) {
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    #[test]
    fn the_order_is_that_of_the_text(left in any_path(), right in any_path()) {
        prop_assert_eq!(left.cmp(&right), left.to_string().cmp(&right.to_string()));
    }

    #[test]
    fn any_bytes_parse_or_fail(text: Vec<u8>) {
        if let Ok(path) = StorePath::from_base_name(&text) {
            prop_assert_eq!(path.to_string().into_bytes(), text);
        }
    }
}
