//! Keys and signatures made by Nix, and everything near them that is not one.

use proptest::prelude::*;

use super::*;

/// Made by `nix key generate-secret --key-name test-1` (Nix 2.26.3), of no use to anybody.
const SECRET: &str =
    "test-1:LLTqqJjXOeSDkRhwGkzGEwSoRyyTfBtzqqnPwwfIDcaE+b6+K5Fwf7m1oMLeaBNRNt8y+1J5FdaUUgmGRJeeLw==";
const PUBLIC: &str = "test-1:hPm+viuRcH+5taDC3mgTUTbfMvtSeRXWlFIJhkSXni8=";

#[test]
fn keys_are_those_of_nix() {
    let secret = SecretKey::parse(&format!("{SECRET}\n")).unwrap();
    assert_eq!(secret.to_key_file(), SECRET);
    assert_eq!(secret.public_key().to_string(), PUBLIC);
    assert_eq!(PUBLIC.parse(), Ok(secret.public_key()));
}

#[test]
fn a_secret_key_is_not_printed() {
    let secret = SecretKey::parse(SECRET).unwrap();
    assert_eq!(format!("{secret:?}"), r#"SecretKey { name: KeyName("test-1"), .. }"#);
}

#[test]
fn a_signature_counts_only_for_its_message_and_a_trusted_key() {
    let secret = SecretKey::parse(SECRET).unwrap();
    let other = SecretKey::from_seed(KeyName::new("test-1").unwrap(), &[7; 32]);
    let second = SecretKey::from_seed(KeyName::new("test-2").unwrap(), &[8; 32]);
    let trusted = TrustedKeys::from_iter([secret.public_key(), second.public_key()]);
    let signature = secret.sign(b"message");
    assert!(trusted.verify(b"message", &signature));
    assert!(!trusted.verify(b"another", &signature));
    assert!(!trusted.verify(b"message", &other.sign(b"message")), "the name alone is not enough");
    assert!(!TrustedKeys::default().verify(b"message", &signature));

    let renamed = Signature { key_name: KeyName::new("test-2").unwrap(), ..signature.clone() };
    assert!(!trusted.verify(b"message", &renamed));
    let all = [signature.clone(), signature, renamed, second.sign(b"message")];
    assert_eq!(trusted.count_valid(b"message", &all), 2);
}

#[test]
fn of_keys_with_one_name_the_first_counts() {
    let [first, second] = [1, 2].map(|seed| SecretKey::from_seed(KeyName::new("a").unwrap(), &[seed; 32]));
    let trusted = TrustedKeys::from_iter([first.public_key(), second.public_key()]);
    assert!(trusted.verify(b"message", &first.sign(b"message")));
    assert!(!trusted.verify(b"message", &second.sign(b"message")));
}

#[test]
fn refuses_what_is_no_key() {
    let data = |expected| Kind::Data { expected };
    let long = format!("{}:", "x".repeat(513));
    let public = |text: &str| text.parse::<PublicKey>().map(drop);
    let cases = [
        ("", Kind::NoName.at(0)),
        ("test-1", Kind::NoName.at(6)),
        (":hPm+viuRcH+5taDC3mgTUTbfMvtSeRXWlFIJhkSXni8=", Kind::NameLength.at(0)),
        (&long, Kind::NameLength.at(512)),
        ("a b:hPm+viuRcH+5taDC3mgTUTbfMvtSeRXWlFIJhkSXni8=", Kind::NameCharacter.at(1)),
        ("a:", data(32).at(2)),
        ("a:hPm+viuRcH+5taDC3mgTUTbfMvtSeRXWlFIJhkSXni8", data(32).at(2)),
        ("ab:hPm+viuRcH+5taDC3mgTUTbfMvtSeRXWlFIJhkSXni9=", data(32).at(3)),
        ("a:hPm+viuRcH+5taDC3mgTUTbfMvtSeRXWlFIJhkSXni8=\n", data(32).at(2)),
        ("a:AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", Kind::PublicKey.at(2)),
    ];
    for (text, error) in cases {
        assert_eq!(public(text), Err(error), "{text}");
    }
    assert_eq!(KeyName::new("a:b"), Err(Kind::NameCharacter.at(1)));
    let secret = |text: &str| SecretKey::parse(text).map(drop);
    assert_eq!(secret(PUBLIC), Err(data(64).at(7)));
    assert_eq!(secret(&SECRET.replace("+1J5FdaU", "+1J5FdaV")), Err(Kind::Mismatch.at(7)));
    assert_eq!(PUBLIC.parse::<Signature>(), Err(data(64).at(7)));
}

proptest! {
    #[test]
    fn round_trip(seed: [u8; 32], bytes: [u8; 32], name in "[^:\\s\\pC]{1,20}") {
        let secret = SecretKey::from_seed(KeyName::new(&name).unwrap(), &seed);
        let again = SecretKey::parse(&secret.to_key_file()).unwrap();
        let signature = again.sign(&bytes);
        prop_assert_eq!(signature.to_string().parse(), Ok(signature.clone()));
        let public: PublicKey = secret.public_key().to_string().parse().unwrap();
        prop_assert!(public.verify(&bytes, &signature));
    }
}
