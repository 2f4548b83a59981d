//! Paths as few are.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, File, Permissions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
};

use anyhow::{Result, ensure};

use super::{
    There, Wish, only,
    shelf::{Shelf, full, noise, path},
};

/// How many paths one refers to.
const MANY: usize = 10_000;

/// Makes one at a place; it knows its own path.
type Make = fn(&Path, &str) -> io::Result<()>;

const ODD: [(&str, Make); 11] = [
    ("empty-file", |at, _| fs::write(at, "")),
    ("empty-directory", |at, _| fs::create_dir(at)),
    ("executable", |at, own| {
        fs::write(at, format!("#!{own}\n"))?;
        fs::set_permissions(at, Permissions::from_mode(0o755))
    }),
    ("link", |at, own| symlink(format!("{own}/x"), at)),
    ("dangling", |at, _| symlink("../nothing/at/all", at)),
    ("of-itself", |at, own| fs::write(at, own.repeat(20_000))),
    ("huge", |at, _| File::create(at)?.set_len(64 << 20)),
    ("names", odd_names),
    ("deep", |at, own| {
        let inner = at.join(["d"; 60].join("/"));
        fs::create_dir_all(&inner)?;
        fs::write(inner.join("own"), own)
    }),
    ("wide", |at, own| {
        fs::create_dir(at)?;
        (0..3_000).try_for_each(|number| fs::write(at.join(number.to_string()), own))
    }),
    // Hash parts across the ends of windows.
    ("windows", |at, own| {
        let mut bytes = noise(3, 9 << 20);
        for place in [4 << 20, 8 << 20] {
            bytes[place - 150..place - 150 + own.len()].copy_from_slice(own.as_bytes());
        }
        fs::write(at, bytes)
    }),
];

/// Names that are no text, or as long as they can be.
fn odd_names(at: &Path, own: &str) -> io::Result<()> {
    fs::create_dir(at)?;
    for name in [&b"\xff\xfe not UTF-8"[..], b"\n", b" ", b"-", "caf\u{e9}".as_bytes(), &[b'n'; 255]] {
        let name = OsStr::from_bytes(name);
        fs::create_dir(at.join(name))?;
        fs::write(at.join(name).join("own"), own)?;
        symlink(name, at.join(name).join("link"))?;
    }
    Ok(())
}

/// All of them, and one that refers to all.
fn odd(shelf: &mut Shelf, generation: u8) -> Result<()> {
    let mut all = BTreeSet::new();
    for (number, (name, make)) in ODD.into_iter().enumerate() {
        let path = path(generation, number, name)?;
        let own = full(&path);
        shelf.put(path.clone(), [path.clone()].into(), |at| make(at, &own))?;
        all.insert(path);
    }
    let path = path(generation, ODD.len(), &"r".repeat(211))?;
    let names: Vec<_> = all.iter().map(full).collect();
    shelf.put(path, all, |at| fs::write(at, names.join("\n")))
}

pub(super) fn odd_paths_arrive_as_they_are(there: &There<'_>) -> Result<()> {
    let mut old = Shelf::new()?;
    odd(&mut old, 1)?;
    let line = there.line()?;
    let given = only(Wish::all(&old)?.send(&line)?)?;
    assert_eq!((given.whole, given.nar_bytes), (ODD.len() + 1, old.nar_size()));
    there.check(&old)?;
    there.check_peak("odd paths, whole")?;
    let mut new = old.next(&[])?;
    odd(&mut new, 2)?;
    let given = only(Wish::after(&new, &old)?.send(&line)?)?;
    assert_eq!((given.whole, given.patched, given.rewritten), (0, 0, ODD.len() + 1));
    ensure!(given.sent < 300 * 12 + 1_000, "{given:?}");
    there.check(&new)?;
    there.check_peak("odd paths, of others")
}

/// Very many, and one that refers to all of them.
fn many(shelf: &mut Shelf, generation: u8) -> Result<()> {
    let mut all = BTreeSet::new();
    for number in 0..MANY {
        let path = path(generation, number, "one-of-many")?;
        shelf.put(path.clone(), BTreeSet::new(), |at| fs::write(at, number.to_string()))?;
        all.insert(path);
    }
    let names: Vec<_> = all.iter().map(full).collect();
    let root = path(generation, MANY, "many")?;
    shelf.put(root, all, |at| fs::write(at, names.join("\n")))
}

pub(super) fn a_path_may_refer_to_very_many(there: &There<'_>) -> Result<()> {
    let mut shelf = Shelf::new()?;
    many(&mut shelf, 1)?;
    let line = there.line()?;
    let given = only(Wish::all(&shelf)?.send(&line)?)?;
    assert_eq!(given.whole, MANY + 1);
    there.check(&shelf)?;
    there.check_peak("very many paths")
}
