//! NARs from and to a file system in memory.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use daemon::files::{dump, restore};

use crate::{
    measure::{Random, fastest, rate, time},
    remote::run,
};

/// A directory in memory that is removed in the end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let path = PathBuf::from(format!("/dev/shm/bench-daemon-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Prints how fast trees become NARs and NARs trees, everything in memory.
pub(crate) fn rates() {
    let scratch = Scratch::new();
    let (tree, nar, copy) = (scratch.path("tree"), scratch.path("nar"), scratch.path("copy"));
    make_tree(&tree);
    let encode = || time(|| dump(&tree, &mut File::create(&nar).unwrap()).unwrap());
    let encode = fastest(encode);
    let size = fs::metadata(&nar).unwrap().len();
    println!("bench nar_encode_fs_mib_s {:.0} MiB/s", rate(size, encode));
    let decode = fastest(|| {
        let taken = time(|| restore(&mut open(&nar), &copy).unwrap());
        fs::remove_dir_all(&copy).unwrap();
        taken
    });
    println!("bench nar_decode_fs_mib_s {:.0} MiB/s", rate(size, decode));
}

/// Prints the time our dump of a tree takes against that of `nix-store --dump`, each writing to nowhere.
pub(crate) fn against_nix(nix_store: &[&str]) {
    let scratch = Scratch::new();
    let tree = scratch.path("tree");
    make_tree(&tree);
    let tree_text = tree.to_str().unwrap();
    let script = r#""$@" > /dev/null"#;
    let command = [&["sh", "-c", script, "sh"], nix_store, &["--dump", tree_text]].concat();
    let theirs = fastest(|| time(|| drop(run(&command))));
    let ours = fastest(|| time(|| dump(&tree, &mut io::sink()).unwrap()));
    println!("bench nar_vs_nix_ratio {:.2} ratio", ours.as_secs_f64() / theirs.as_secs_f64());
}

fn open(path: &Path) -> BufReader<File> {
    BufReader::with_capacity(256 << 10, File::open(path).unwrap())
}

/// A tree of about 100 MiB in 4,096 files and 64 directories: most files are small, a few hold most of the
/// bytes.
fn make_tree(path: &Path) {
    let mut random = Random(1);
    for index in 0..4096_usize {
        let directory = path.join(format!("directory-{:02}", index % 64));
        fs::create_dir_all(&directory).unwrap();
        let size = if index.is_multiple_of(43) { 1 << 20 } else { 1 << (index % 14) };
        fs::write(directory.join(format!("file-{index:06}")), random.bytes(size)).unwrap();
    }
}
