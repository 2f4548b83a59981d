//! Trees there and back, and NARs and trees that are not allowed.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, BufRead, BufReader, Read as _, Write},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use proptest::{collection::btree_map, prelude::*};
use store::nar::{EncodeError, Encoder, Event};

use super::*;

/// A directory that is removed in the end.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("daemon-files-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A tree in memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Directory(Vec<(Vec<u8>, Tree)>),
    File { executable: bool, contents: Vec<u8> },
    Symlink(Vec<u8>),
}

impl Tree {
    fn encode(&self, name: &[u8], to: &mut Encoder<Vec<u8>>) {
        let mut write = |event: Event<'_>| to.write(event).unwrap();
        match self {
            Self::Directory(entries) => {
                write(Event::Directory { name });
                entries.iter().for_each(|(name, tree)| tree.encode(name, to));
                to.write(Event::EndDirectory).unwrap();
            }
            Self::File { executable, contents } => {
                write(Event::File { name, executable: *executable, size: contents.len() as u64 });
                write(Event::Contents(contents));
                write(Event::EndFile);
            }
            Self::Symlink(target) => write(Event::Symlink { name, target }),
        }
    }

    pub(super) fn nar(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        self.encode(b"", &mut encoder);
        encoder.finish().unwrap()
    }

    /// Makes the tree without [`restore`].
    pub(super) fn make(&self, path: &Path) {
        match self {
            Self::Directory(entries) => {
                fs::create_dir(path).unwrap();
                entries.iter().for_each(|(name, tree)| tree.make(&path.join(OsStr::from_bytes(name))));
            }
            Self::File { executable, contents } => {
                fs::write(path, contents).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            Self::Symlink(target) => symlink(OsStr::from_bytes(target), path).unwrap(),
        }
    }
}

pub(super) fn trees() -> impl Strategy<Value = Tree> {
    let contents = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        (0..600_000_usize, any::<u8>()).prop_map(|(size, byte)| vec![byte; size]),
    ];
    let leaf = prop_oneof![
        (any::<bool>(), contents).prop_map(|(executable, contents)| Tree::File { executable, contents }),
        prop::collection::vec(1..=255_u8, 1..30).prop_map(Tree::Symlink),
    ];
    let name = prop::collection::vec(any::<u8>(), 1..6)
        .prop_filter("a name", |name| !name.iter().any(|byte| matches!(byte, 0 | b'/' | b'.')));
    leaf.prop_recursive(4, 20, 5, move |inner| {
        btree_map(name.clone(), inner, 0..5)
            .prop_map(|entries| Tree::Directory(entries.into_iter().collect()))
    })
}

pub(super) fn dumped(path: &Path) -> Result<Vec<u8>, DumpError> {
    let mut nar = Vec::new();
    dump(path, &mut nar).map(|()| nar)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn trees_there_and_back(tree in trees(), piece in 1..100_usize) {
        let scratch = Scratch::new();
        let (made, restored) = (scratch.path("made"), scratch.path("restored"));
        tree.make(&made);
        let nar = tree.nar();
        prop_assert!(dumped(&made).unwrap() == nar);
        restore(&mut BufReader::with_capacity(piece, &*nar), &restored).unwrap();
        prop_assert!(dumped(&restored).unwrap() == nar);
    }
}

#[test]
fn what_follows_a_nar_is_left() {
    let scratch = Scratch::new();
    let nar = [Tree::Symlink(b"x".to_vec()).nar(), b"and more".to_vec()].concat();
    let mut input: &[u8] = &nar;
    restore(&mut input, &scratch.path("link")).unwrap();
    assert_eq!(input, b"and more");
}

#[test]
fn nothing_that_exists_is_touched() {
    let trees = [
        Tree::Directory(vec![]),
        Tree::File { executable: false, contents: b"new".to_vec() },
        Tree::Symlink(b"/nowhere".to_vec()),
    ];
    for tree in &trees {
        let scratch = Scratch::new();
        fs::write(scratch.path("file"), b"old").unwrap();
        fs::create_dir(scratch.path("directory")).unwrap();
        symlink("file", scratch.path("link")).unwrap();
        symlink("made-through-a-link", scratch.path("dangling")).unwrap();
        symlink("directory", scratch.path("directory-link")).unwrap();
        for target in ["file", "directory", "link", "dangling", "directory-link"] {
            let error = restore(&mut &*tree.nar(), &scratch.path(target)).unwrap_err();
            let RestoreError::Write { path, source, .. } = error else { panic!("{error:?}") };
            assert_eq!(path, scratch.path(target));
            assert_eq!(source.kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(scratch.path("file")).unwrap(), b"old");
        assert!(!scratch.path("made-through-a-link").exists());
        assert_eq!(fs::read_dir(scratch.path("directory")).unwrap().count(), 0);
    }
}

/// A NAR as its strings with spaces between them; `_` is an empty one.
fn strings(text: &str) -> Vec<u8> {
    let string = |word: &str| {
        let word = if word == "_" { "" } else { word };
        let mut string = (word.len() as u64).to_le_bytes().to_vec();
        string.extend(word.bytes());
        string.resize(string.len().next_multiple_of(8), 0);
        string
    };
    text.split_ascii_whitespace().flat_map(string).collect()
}

#[test]
fn hostile_nars_make_nothing_outside() {
    let file = "( type regular contents evil )";
    let through_link = format!(
        "nix-archive-1 ( type directory \
         entry ( name a node ( type symlink target .. ) ) \
         entry ( name a node ( type directory entry ( name evil node {file} ) ) ) )"
    );
    let name = |name: &str| format!("nix-archive-1 ( type directory entry ( name {name} node {file} ) )");
    let cases = [
        (name("../evil"), "../evil"),
        (name(".."), "'..'"),
        (name("."), "'.'"),
        (name("/evil"), "/evil"),
        (name("a/evil"), "a/evil"),
        (name("_"), "found 0"),
        (through_link, "comes twice"),
        (format!("nix-archive-1 {file}").replace("regular", "socket"), "found 'socket'"),
        ("nix-archive-1 ( type regular contents evil".to_owned(), "ends early"),
        (String::new(), "ends early"),
    ];
    for (nar, expected) in cases {
        let scratch = Scratch::new();
        let error = restore(&mut &*strings(&nar), &scratch.path("target")).unwrap_err();
        let RestoreError::Format { source, .. } = &error else { panic!("{error:?}") };
        assert!(source.kind.to_string().contains(expected), "{nar}: {}", source.kind);
        assert!(!scratch.path("evil").exists());
        assert!(fs::read_dir(&scratch.0).unwrap().all(|entry| entry.unwrap().file_name() == "target"));
    }
}

#[test]
fn a_deep_nar_ends_in_an_error() {
    let scratch = Scratch::new();
    let mut nar = strings("nix-archive-1 ( type directory");
    for _ in 0..100_000 {
        nar.extend(strings("entry ( name long-enough node ( type directory"));
    }
    let error = restore(&mut &*nar, &scratch.path("target")).unwrap_err();
    let RestoreError::Write { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.kind(), io::ErrorKind::InvalidFilename);
}

#[test]
fn a_reader_that_fails() {
    struct Failing;
    impl io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
    let scratch = Scratch::new();
    let nar = Tree::File { executable: false, contents: b"x".to_vec() }.nar();
    let mut cut = BufReader::new(nar[..20].chain(Failing));
    let error = restore(&mut cut as &mut dyn BufRead, &scratch.path("target")).unwrap_err();
    assert!(matches!(error, RestoreError::Read { .. }), "{error:?}");
}

#[test]
fn what_cannot_be_dumped() {
    let scratch = Scratch::new();
    let error = dumped(&scratch.path("missing")).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot look at {}", scratch.path("missing").display()));

    let _socket = UnixListener::bind(scratch.path("socket")).unwrap();
    for path in [scratch.path("socket"), scratch.0.clone()] {
        let error = dumped(&path).unwrap_err();
        assert!(matches!(&error, DumpError::Kind { path } if *path == scratch.path("socket")), "{error:?}");
    }

    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    fs::write(scratch.path("file"), b"contents").unwrap();
    let error = dump(&scratch.path("file"), &mut Full).unwrap_err();
    assert!(matches!(error, DumpError::Encode { source: EncodeError::Write(_), .. }), "{error:?}");
}

#[test]
fn only_the_owners_execute_permission_counts() {
    let scratch = Scratch::new();
    let path = scratch.path("file");
    fs::write(&path, b"x").unwrap();
    for (mode, executable) in [(0o644, false), (0o711, true), (0o655, false), (0o500, true), (0o6644, false)]
    {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            dumped(&path).unwrap(),
            Tree::File { executable, contents: b"x".to_vec() }.nar(),
            "{mode:o}"
        );
    }
}
