//! Hash parts at every place and across every border.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;
use crate::hash::{Hash, Sha256};

fn found(candidates: &[HashPart], data: &[u8], piece: usize) -> BTreeSet<HashPart> {
    let mut scanner = ReferenceScanner::new(candidates.iter().copied());
    data.chunks(piece).for_each(|piece| scanner.update(piece));
    scanner.found().clone()
}

#[test]
fn finds_only_whole_hash_parts_that_are_wanted() {
    let wanted = HashPart([0x5a; 20]);
    let text = wanted.to_string();
    let cases = [
        (text.clone(), true),
        (format!("/nix/store/{text}-x"), true),
        // Digits on both sides do not hide it.
        (format!("0{text}0"), true),
        (format!("{}{text}", &text[..31]), true),
        (text[1..].to_owned(), false),
        (format!("{}e{}", &text[..16], &text[16..]), false),
        (text.to_uppercase(), false),
        (HashPart([0x5b; 20]).to_string(), false),
        (String::new(), false),
    ];
    for (data, expected) in cases {
        for piece in [1, 5, 31, 32, 33, 1000] {
            let found = found(&[wanted], data.as_bytes(), piece);
            assert_eq!(found.contains(&wanted), expected, "{data} in pieces of {piece}");
        }
    }
}

/// The NAR of the file that `nix store make-content-addressed` (Nix 2.26.3) made, and its content address.
const SELF: (&str, &str, &str) = (
    "ncn4hq9gfzxr0b20mmqscfkky6lw69gp",
    "DQAAAAAAAABuaXgtYXJjaGl2ZS0xAAAAAQAAAAAAAAAoAAAAAAAAAAQAAAAAAAAAdHlwZQAAAAAHAAAAAAAAAHJlZ3VsYXIACAAA\
     AAAAAABjb250ZW50c5QAAAAAAAAAL25peC9zdG9yZS9uY240aHE5Z2Z6eHIwYjIwbW1xc2Nma2t5Nmx3NjlncC1zZWxmeSAvbml4\
     L3N0b3JlL2swYnEzczRoZHZ4YWwyMTdsMDRqcjI0bjhqbTVsMjlnLWRlcCAvbml4L3N0b3JlL25jbjRocTlnZnp4cjBiMjBtbXFz\
     Y2Zra3k2bHc2OWdwLXNlbGZ5CgAAAAABAAAAAAAAACkAAAAAAAAA",
    "sha256:05aa6nrrhlndwgywnhgxrzx5156liyvl9gc3v0z9cfh2rx5hbc8d",
);

fn modulo(own: HashPart, data: &[u8], piece: usize) -> ModuloHash {
    let mut hasher = ModuloHasher::new(own);
    data.chunks(piece).for_each(|piece| hasher.update(piece));
    hasher.finish().unwrap()
}

#[test]
fn a_hash_without_ones_own_name_is_that_of_nix() {
    let (own, nar, expected) = SELF;
    let own = HashPart::parse(own.as_bytes()).unwrap();
    let nar = STANDARD.decode(nar).unwrap();
    for piece in [1, 7, 32, 1000] {
        let hash = modulo(own, &nar, piece);
        assert_eq!(Hash::from(hash.without_offsets).to_string(), expected);
        assert!(hash.refers_to_self());
    }
    let other = modulo(HashPart([0; 20]), &nar, 7);
    assert_eq!(other.with_offsets, Sha256::of(&nar));
    assert!(!other.refers_to_self());
}

#[test]
fn occurrences_are_bounded() {
    let text = format!("/{}", HashPart([0; 20]));
    let hash = |count| {
        let mut hasher = ModuloHasher::new(HashPart([0; 20]));
        hasher.update(text.repeat(count).as_bytes());
        hasher.finish()
    };
    assert!(hash(MAX_OCCURRENCES).unwrap().refers_to_self());
    let excess = TooManyOccurrences { offset: 1 + 33 * MAX_OCCURRENCES as u64 };
    assert_eq!(hash(MAX_OCCURRENCES + 9), Err(excess));
}

proptest! {
    #[test]
    fn finds_what_a_plain_search_finds(
        mut data in vec(any::<u8>(), 0..400),
        hashes in vec(any::<[u8; 20]>().prop_map(HashPart), 1..4),
        places in vec((any::<Index>(), any::<Index>()), 0..4),
        piece in 1..100_usize,
    ) {
        for (hash, place) in &places {
            let text = hash.get(&hashes).to_string();
            let place = place.index(data.len() + 1);
            data.splice(place..place, text.bytes());
        }
        let is_there = |hash: &&HashPart| data.windows(32).any(|window| window == hash.to_string().as_bytes());
        let expected: BTreeSet<_> = hashes.iter().filter(is_there).copied().collect();
        prop_assert_eq!(found(&hashes, &data, piece), expected);
    }

    #[test]
    fn a_new_name_changes_no_hash(
        own: [u8; 20], new: [u8; 20], around in vec("[a-z0-9/]{0,40}", 1..5), piece in 1..100_usize,
    ) {
        let named = |hash| around.join(&format!("/{hash}/"));
        let (own, new) = (HashPart(own), HashPart(new));
        let old_hash = modulo(own, named(own).as_bytes(), piece);
        prop_assert_eq!(old_hash, modulo(new, named(new).as_bytes(), 1000));
    }

    /// In a run of one digit the text overlaps itself.
    #[test]
    fn occurrences_do_not_overlap(length in 0..200_usize, piece in 1..100_usize) {
        let data = vec![b'0'; length];
        let blanked = length / 32;
        let mut expected = vec![0; blanked * 32];
        expected.resize(length, b'0');
        let hash = modulo(HashPart([0; 20]), &data, piece);
        prop_assert_eq!(hash.without_offsets, Sha256::of(&expected));
        for index in 0..blanked {
            expected.extend(format!("|{}", index * 32).bytes());
        }
        prop_assert_eq!(hash.with_offsets, Sha256::of(&expected));
    }
}
