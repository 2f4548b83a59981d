//! What must hold of any bytes whatever, one function for each parser of foreign bytes.
//!
//! The fuzz targets call these with bytes that the fuzzer makes up, and the test `corpus` of crate `store`
//! with the bytes that are kept in `corpus/`. Each panics if its property does not hold.

use std::str;

use store::{
    base32,
    content_address::{ContentAddress, References},
    derivation::Derivation,
    hash::{Hash, Sha256},
    name::{DrvName, compare_versions},
    narinfo::NarInfo,
    references::{ModuloHasher, ReferenceScanner},
    signature::{PublicKey, SecretKey, Signature},
    store_path::{HashPart, StoreDir, StorePath},
};

mod nar;

pub use nar::{fuzz_nar, fuzz_nar_events};

/// Base-32 is decoded only from its one encoding.
pub fn fuzz_base32(data: &[u8]) {
    if let Ok(bytes) = base32::decode(data) {
        assert_eq!(base32::encode(&bytes).as_bytes(), data);
    }
    assert_eq!(base32::decode(base32::encode(data).as_bytes()).as_deref(), Ok(data));
}

/// A hash is the same hash in every form.
pub fn fuzz_hash(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(hash) = text.parse::<Hash>() {
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_sri().parse(), Ok(hash));
        for digest in [hash.to_base16(), hash.to_base32(), hash.to_base64()] {
            assert_eq!(Hash::parse_digest(hash.algorithm(), &digest), Ok(hash));
        }
    }
}

/// Store paths and store directories are written as they were read.
pub fn fuzz_store_path(data: &[u8]) {
    if let Ok(path) = StorePath::from_base_name(data) {
        assert_eq!(path.to_string().as_bytes(), data);
    }
    let store_dir = StoreDir::default();
    if let Ok(path) = store_dir.parse(data) {
        assert_eq!(store_dir.display(&path).to_string().as_bytes(), data);
    }
    if let Ok(text) = str::from_utf8(data)
        && let Ok(store_dir) = text.parse::<StoreDir>()
    {
        let path = StorePath::new(HashPart([0; 20]), "a".parse().expect("a name"));
        let text = store_dir.display(&path).to_string();
        assert_eq!(store_dir.parse(text.as_bytes()), Ok(path));
    }
}

/// Names split and join; two versions (with a line feed between them) compare alike from both sides.
pub fn fuzz_version(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let DrvName { name, version } = DrvName::parse(&text);
    assert!(*text == *name || *text == format!("{name}-{version}"));
    let (left, right) = text.split_once('\n').unwrap_or((&text, &text));
    assert_eq!(compare_versions(left, right), compare_versions(right, left).reverse());
    assert!(compare_versions(left, left).is_eq());
}

/// A content address is read from what it is written as, and has a path.
pub fn fuzz_content_address(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(address) = text.parse::<ContentAddress>() {
        assert_eq!(address.to_string().parse(), Ok(address));
        assert_eq!(ContentAddress::new(address.method(), address.hash()), Ok(address));
        let name = "a".parse().expect("a name");
        address.store_path(&StoreDir::default(), &name, &References::default()).expect("no references");
    }
}

/// Keys and signatures are written as they were read.
pub fn fuzz_key(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(key) = SecretKey::parse(text) {
        assert_eq!(key.to_key_file(), text.trim_ascii_end());
        assert!(key.public_key().verify(b"message", &key.sign(b"message")));
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(signature) = text.parse::<Signature>() {
        assert_eq!(signature.to_string(), text);
    }
}

/// What was understood of a narinfo can be written and understood again.
pub fn fuzz_narinfo(data: &[u8]) {
    let store_dir = StoreDir::default();
    if let Ok(narinfo) = NarInfo::parse(data, &store_dir) {
        let text = narinfo.display(&store_dir).to_string();
        assert_eq!(NarInfo::parse(text.as_bytes(), &store_dir), Ok(narinfo));
    }
}

/// Derivations are written as they were read, and finding their output paths panics for none.
pub fn fuzz_derivation(data: &[u8]) {
    let store_dir = StoreDir::default();
    if let Ok(derivation) = Derivation::parse(data, &store_dir) {
        assert_eq!(derivation.to_text(&store_dir), data);
        let known = |_: &StorePath| Some(store::derivation::HashModulo::Known(Sha256([0; 32])));
        let name = "a".parse().expect("a name");
        if let Ok(paths) = derivation.output_paths(&name, &store_dir, known) {
            assert!(paths.keys().eq(derivation.outputs.keys()));
            assert!(derivation.hash_modulo(&name, &store_dir, known).is_ok());
        }
    }
}

/// The scan finds what a plain search finds, however the bytes are cut, and blanking leaves nothing of it.
///
/// The first byte is the size of the pieces, the next 20 the hash part looked for; a `@` stands for its text.
pub fn fuzz_references(data: &[u8]) {
    let Some((&piece, data)) = data.split_first() else { return };
    let Some((hash, data)) = data.split_first_chunk() else { return };
    let hash = HashPart(*hash);
    let text = hash.to_string();
    let data = data.split(|byte| *byte == b'@').collect::<Vec<_>>().join(text.as_bytes());
    let mut scanner = ReferenceScanner::new([hash]);
    let mut hasher = ModuloHasher::new(hash);
    for piece in data.chunks(usize::from(piece) + 1) {
        scanner.update(piece);
        hasher.update(piece);
    }
    let is_there = data.windows(text.len()).any(|window| window == text.as_bytes());
    assert_eq!(scanner.found().contains(&hash), is_there);
    let modulo = hasher.finish().expect("few occurrences");
    assert_eq!(modulo.refers_to_self(), is_there);
    let mut whole = ModuloHasher::new(hash);
    whole.update(&data);
    assert_eq!(whole.finish(), Ok(modulo));
}
