//! What must hold whatever a sender of patches says, one function for each part of what it may say.
//!
//! The fuzz targets call these with bytes that the fuzzer makes up, and the test `corpus` of crate `delta`
//! with the bytes that are kept in `corpus/`. Each panics if its property does not hold.

use std::io::Write as _;

use delta::{
    op::Op,
    rewrite::{RewriteWriter, Rewriter, with_margins},
    window::{self, Head, MAX_BASE, MAX_HEAD, MAX_PAYLOAD, MAX_TARGET},
};
use store::{
    hash::Sha256,
    path_info::PathInfo,
    store_path::{HashPart, StorePath},
};

/// The hash part of this number.
fn part(number: u8) -> HashPart {
    HashPart([number; HashPart::LEN])
}

/// A path with references to itself and to three others.
fn info(number: u8) -> PathInfo {
    let path = |number, name: &str| StorePath::new(part(number), name.parse().expect("a name"));
    let mut info = PathInfo::new(path(number, "p-1"), Sha256([0; 32]), 1);
    info.references =
        [(number, "p-1"), (11, "a"), (12, "b"), (13, "c")].map(|(n, name)| path(n, name)).into();
    info
}

/// What is read of an operation is understood again when it is written, and its map fits or is refused.
pub fn fuzz_op(data: &[u8]) {
    let (path, base) = (info(1), info(2));
    let mut rest = data;
    let Ok(op) = Op::read(&path.path, &mut rest) else { return };
    assert!(rest.len() < data.len());
    let mut written = Vec::new();
    op.write(&path.path, &mut written);
    assert_eq!(Op::read(&path.path, &mut &written[..]).as_ref(), Ok(&op));
    if let Op::Rewrite(of) | Op::Patch(of) = op {
        let fits = of.references.pairs().iter().all(|(old, new)| *old < 3 && *new < 3);
        assert_eq!(of.rewriter(&path, &base).is_ok(), fits);
    }
}

/// The head of a window is written as it was read, and is within the limits that bound the receiver's memory.
pub fn fuzz_window(data: &[u8]) {
    let mut rest = data;
    let Ok(head) = Head::read(&mut rest) else { return };
    let read = &data[..data.len() - rest.len()];
    assert!(read.len() <= MAX_HEAD && head.payload <= MAX_PAYLOAD);
    assert!((1..=MAX_TARGET).contains(&head.window.target()));
    let base = head.window.base();
    assert!(base.end - base.start <= MAX_BASE.into());
    let mut written = Vec::new();
    head.write(&mut written);
    assert_eq!(written, read);
    if let Ok(source) = head.window.source(1 << 30) {
        assert!(source.start <= base.start && base.end <= source.end && source.end <= 1 << 30);
        assert!(source.end - source.start <= u64::from(MAX_BASE) + 62);
    }
}

/// A head and its payload make exactly the announced bytes, the same ones every time, or an error.
pub fn fuzz_patch(data: &[u8]) {
    let base = base();
    let size = base.len() as u64;
    let mut payload = data;
    let Ok(head) = Head::read(&mut payload) else { return };
    let Ok(source) = head.window.source(size) else { return };
    let [start, end] =
        [source.start, source.end].map(|place| usize::try_from(place).expect("within the base"));
    let rewriter = Rewriter::new([(part(11), part(12)), (part(12), part(13))]);
    let decode = || {
        let (mut source, mut made) = (base[start..end].to_vec(), vec![1; 7]);
        let decoded = window::decode(&head.window, (&mut source, size), &rewriter, payload, &mut made);
        decoded.map(|()| made)
    };
    let made = decode();
    assert_eq!(made, decode());
    if let Ok(made) = made {
        assert_eq!(made.len(), usize::try_from(head.window.target()).expect("a few MiB"));
    }
}

/// A base of 3,000 bytes that mentions three hashes.
fn base() -> Vec<u8> {
    let line = |n: u8| format!("{n} /nix/store/{}-a {}\n", part(11 + n % 3), "abcdefghijklmno");
    (0..40).map(line).collect::<String>().into_bytes()
}

/// A stream is rewritten as if it came at once, and a range with its margins as often as it is asked for.
///
/// The first byte is the size of the pieces; `@`, `#` and `%` stand for the texts of three hash parts, of which the
/// first becomes the second and the second the third.
pub fn fuzz_rewrite(data: &[u8]) {
    let Some((&piece, data)) = data.split_first() else { return };
    let texts = [(b'@', 1), (b'#', 2), (b'%', 3)].map(|(mark, number)| (mark, part(number).to_string()));
    let spelled = |byte: &u8| match texts.iter().find(|(mark, _)| mark == byte) {
        Some((_, text)) => text.clone().into_bytes(),
        None => vec![*byte],
    };
    let data: Vec<u8> = data.iter().flat_map(spelled).collect();
    let rewriter = Rewriter::new([(part(1), part(2)), (part(2), part(3))]);
    let mut whole = data.clone();
    let count = rewriter.rewrite(&mut whole);
    assert!(count * 32 <= data.len() && whole.len() == data.len());
    let mut writer = RewriteWriter::new(&rewriter, Vec::new());
    for piece in data.chunks(usize::from(piece) + 1) {
        writer.write_all(piece).expect("memory");
    }
    assert_eq!(writer.finish().expect("memory"), whole);
    let size = data.len() as u64;
    let range = with_margins(&(size / 3..size / 2), size);
    assert!(range.start <= size / 3 && size / 2 <= range.end && range.end <= size);
}
