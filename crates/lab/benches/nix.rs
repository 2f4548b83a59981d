//! Our speed against that of a real Nix: `cargo bench -p lab --bench nix`, with `-- sid` for the other image.
//!
//! Each result is a line `bench <name> <value> <unit>`, the best of several rounds that take turns with Nix's.
//! The image's programs run in two writable copies of it, all in memory, inside namespaces of their own that end
//! with this program.
#![allow(missing_docs, reason = "a program, not a library")]
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot measure ends")]

#[path = "nix/add.rs"]
mod add;
#[path = "../../daemon/benches/daemon/measure.rs"]
mod measure;
#[path = "nix/rig.rs"]
mod rig;
#[path = "../../daemon/benches/daemon/tree.rs"]
mod tree;

use std::{io, time::Duration};

use daemon::files::dump;
use lab::{Layout, Suite, image::Image};
use run::Command;

use self::{
    measure::{ROUNDS, time},
    rig::Rig,
    tree::{Scratch, make_tree},
};

fn main() {
    // Cargo adds this one.
    let words: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => enter(Suite::Trixie),
        ["inside", lower] => measure_inside(lower),
        [suite] => enter(suite.parse().unwrap()),
        _ => panic!("expected nothing or the name of an image, found {words:?}"),
    }
}

/// Starts this program again in namespaces of its own.
fn enter(suite: Suite) {
    let image = Image::find(&Layout::from_env(), suite).unwrap();
    let lower = format!("{}:{}", image.layer.display(), image.root.display());
    let program = std::env::current_exe().unwrap();
    let inside = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(program)
        .args(["inside", &lower]);
    inside.foreground().run().unwrap();
}

fn measure_inside(lower: &str) {
    let rig = Rig::new();
    let (from, to) = (rig.start(lower, "from"), rig.start(lower, "to"));
    against_dump(&from);
    add::against_copy(&from, &to);
}

/// Prints the time our dump of a tree takes against that of `nix-store --dump`, each writing to nowhere.
fn against_dump(nix: &rig::Nix) {
    let scratch = Scratch::new();
    let tree = scratch.path("tree");
    make_tree(&tree);
    let script = r#"nix-store --dump "$1" > /dev/null"#;
    let command = ["sh", "-euc", script, "sh", tree.to_str().unwrap()];
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        ours = ours.min(time(|| dump(&tree, &mut io::sink()).unwrap()));
        theirs = theirs.min(time(|| nix.run(&command)));
    }
    println!("bench nar_dump_s {:.3} s", ours.as_secs_f64());
    println!("bench nar_vs_nix_ratio {:.2} ratio", ours.as_secs_f64() / theirs.as_secs_f64());
}
