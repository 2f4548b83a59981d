//! How fast trees on disk become NARs and NARs trees, everything in memory: `cargo bench -p daemon`.
//!
//! Each result is a line `bench <name> <value> <unit>`, the best of several rounds. What is measured against a
//! real Nix is a bench of the lab.
#![allow(missing_docs, reason = "a program, not a library")]
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot measure ends")]

#[path = "daemon/measure.rs"]
mod measure;
#[path = "daemon/tree.rs"]
mod tree;

use std::{
    fs::{self, File},
    io::BufReader,
    path::Path,
    time::Duration,
};

use daemon::files::{NarFile, dump, restore};

use self::{
    measure::{ROUNDS, time},
    tree::{Scratch, make_tree},
};

fn main() {
    let scratch = Scratch::new();
    let (tree, nar, copy) = (scratch.path("tree"), scratch.path("nar"), scratch.path("copy"));
    make_tree(&tree);
    let encode = fastest(|| time(|| dump(&tree, &mut File::create(&nar).unwrap()).unwrap()));
    let size = fs::metadata(&nar).unwrap().len();
    println!("bench nar_encode_fs_mib_s {:.0} MiB/s", rate(size, encode));
    let mut pieces = NarFile::open(&tree).unwrap();
    let read = fastest(|| time(|| read(&mut pieces)));
    println!("bench nar_read_at_fs_mib_s {:.0} MiB/s", rate(size, read));
    let decode = fastest(|| {
        let taken = time(|| restore(&mut open(&nar), &copy).unwrap());
        fs::remove_dir_all(&copy).unwrap();
        taken
    });
    println!("bench nar_decode_fs_mib_s {:.0} MiB/s", rate(size, decode));
}

/// The whole NAR in pieces of 4 MiB, as a session reads it.
fn read(nar: &mut NarFile) {
    let (mut position, mut piece) = (0, Vec::new());
    while position < nar.size() {
        let end = nar.size().min(position + (4 << 20));
        nar.read_at(position..end, &mut piece).unwrap();
        position = end;
    }
}

fn open(path: &Path) -> BufReader<File> {
    BufReader::with_capacity(256 << 10, File::open(path).unwrap())
}

/// The shortest of [`ROUNDS`] times.
fn fastest(mut round: impl FnMut() -> Duration) -> Duration {
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

/// MiB per second.
#[expect(clippy::cast_precision_loss, reason = "sizes here are far below 2^52")]
fn rate(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / f64::from(1 << 20) / time.as_secs_f64()
}
