//! Speeds of rewriting and of patches, on one core and in memory: `cargo bench -p delta`.
//!
//! Each line is `bench <name> <value> <unit>`, the best of several rounds. The bytes are made up: what patches save on
//! real updates is measured elsewhere.
#![allow(missing_docs, reason = "a program, not a library")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::cast_precision_loss, reason = "sizes here are far below 2^52")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use delta::{
    rewrite::Rewriter,
    window::{self, Shape, Window},
};
use store::{nar::Node, store_path::HashPart};

/// Rounds of each measurement; the fastest counts, because the machine is shared.
const ROUNDS: usize = 5;

/// Bytes of the NARs.
const SIZE: usize = 32 << 20;

/// References that are mapped.
const REFERENCES: u32 = 10_000;

fn main() {
    let old = bytes();
    // Each becomes the other, so that the same bytes can be rewritten again and again.
    let swapped = |n| [(hash_part(n), hash_part(n + REFERENCES)), (hash_part(n + REFERENCES), hash_part(n))];
    let rewriter = Rewriter::new((0..REFERENCES).flat_map(swapped));
    let none = Rewriter::new((0..REFERENCES).map(|n| (hash_part(!n), hash_part(n))));
    let mut bytes = old.clone();
    mib("rewrite_no_hits_mib_s", SIZE, || none.rewrite(&mut bytes));
    mib("rewrite_20000_hits_mib_s", SIZE, || rewriter.rewrite(&mut bytes));
    let mut digits = vec![b'7'; 8 << 20];
    // Digits only: every byte begins a window that has to be looked up.
    mib("rewrite_worst_mib_s", digits.len(), || rewriter.rewrite(&mut digits));
    let new = updated(&old, &rewriter);
    let windows = window::plan(&shape(&new), &shape(&old));
    for level in [3, 9] {
        let payloads = encode(&windows, &old, &new, &rewriter, level);
        let bytes: usize = payloads.iter().map(Vec::len).sum();
        println!("bench patch_{level}_bytes_ratio {:.4} ratio", bytes as f64 / new.len() as f64);
        mb(&format!("patch_encode_{level}_mb_s"), SIZE, || encode(&windows, &old, &new, &rewriter, level));
        mb(&format!("patch_decode_{level}_mb_s"), SIZE, || decode(&windows, &old, &payloads, &rewriter));
    }
}

fn mib<T>(name: &str, bytes: usize, work: impl FnMut() -> T) {
    println!("bench {name} {:.0} MiB/s", bytes as f64 / f64::from(1 << 20) / fastest(work).as_secs_f64());
}

fn mb<T>(name: &str, bytes: usize, work: impl FnMut() -> T) {
    println!("bench {name} {:.0} MB/s", bytes as f64 / 1e6 / fastest(work).as_secs_f64());
}

fn fastest<T>(mut work: impl FnMut() -> T) -> Duration {
    let timed = |_| {
        let start = Instant::now();
        let result = black_box(work());
        let elapsed = start.elapsed();
        drop(result);
        elapsed
    };
    (0..ROUNDS).map(timed).min().unwrap_or_default()
}

fn hash_part(number: u32) -> HashPart {
    let mut random = Random(number.into());
    HashPart(std::array::from_fn(|_| random.byte()))
}

/// A generator of bytes that look random.
struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [low, ..] = (mixed ^ (mixed >> 31)).to_le_bytes();
        low
    }
}

/// Something like machine code and text, with 20,000 hashes in it.
fn bytes() -> Vec<u8> {
    const WORDS: &[u8] = b"\x48\x89\xe5\x0f\x1f\x00 return nix store lib {}();\n\0\0\0\0\xff\xff\x8b\x45";
    let mut random = Random(1);
    let mut bytes: Vec<u8> = (0..SIZE)
        .map(|place| {
            let byte = random.byte();
            if place / 4096 % 2 == 0 { byte } else { WORDS[usize::from(byte) % WORDS.len()] }
        })
        .collect();
    for number in 0..20_000_u32 {
        let place = number as usize * (SIZE / 20_000) + 7;
        let text = hash_part(number % REFERENCES).to_string();
        bytes[place..place + 32].copy_from_slice(text.as_bytes());
    }
    bytes
}

/// The same rewritten, with one byte of 2,000 changed in every other MiB.
fn updated(old: &[u8], rewriter: &Rewriter) -> Vec<u8> {
    let mut new = old.to_vec();
    rewriter.rewrite(&mut new);
    for place in (0..SIZE).step_by(2000).filter(|place| place >> 20 & 1 == 1) {
        new[place] ^= 0x55;
    }
    new
}

fn shape(nar: &[u8]) -> Shape {
    let size = nar.len() as u64;
    Shape::new(size, &Node::File { executable: false, size, offset: 0 })
}

/// The bytes that have to be read of the base for a window.
fn source(window: &Window, old: &[u8]) -> Vec<u8> {
    let range = window.source(old.len() as u64).expect("within the base");
    let [start, end] = [range.start, range.end].map(|place| usize::try_from(place).expect("in memory"));
    old[start..end].to_vec()
}

fn encode(windows: &[Window], old: &[u8], new: &[u8], rewriter: &Rewriter, level: i32) -> Vec<Vec<u8>> {
    let mut rest = new;
    let payloads = windows.iter().map(|window| {
        let (target, after) = rest.split_at(window.target() as usize);
        rest = after;
        let mut source = source(window, old);
        window::encode(window, (&mut source, old.len() as u64), rewriter, target, level).expect("a window")
    });
    payloads.collect()
}

fn decode(windows: &[Window], old: &[u8], payloads: &[Vec<u8>], rewriter: &Rewriter) -> usize {
    let mut target = Vec::new();
    let decoded = windows.iter().zip(payloads).map(|(window, payload)| {
        let mut source = source(window, old);
        window::decode(window, (&mut source, old.len() as u64), rewriter, payload, &mut target)
            .expect("a window");
        target.len()
    });
    decoded.sum()
}
