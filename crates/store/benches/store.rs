//! Speeds of the formats, on one core and in memory: `cargo bench -p store`.
//!
//! Each line is `bench <name> <value> <unit>`, the best of several rounds.
#![allow(missing_docs, reason = "a program, not a library")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::print_stdout, reason = "a bench prints its results")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use store::{
    derivation::Derivation,
    hash::Sha256,
    nar::{Decoder, Encoder, Event},
    references::ReferenceScanner,
    store_path::{HashPart, StoreDir},
};

/// Rounds of each measurement; the fastest counts, because the machine is shared.
const ROUNDS: usize = 7;

/// What a socket or a decompressor would hand over at once.
const PIECE: usize = 64 * 1024;

fn main() {
    let files = files();
    let nar = encode(&files);
    rate("nar_encode_mib_s", nar.len(), || encode(&files));
    rate("nar_decode_mib_s", nar.len(), || decode(&nar));
    rate("refscan_mib_s", nar.len(), || scan(&nar));
    let digits = vec![b'7'; WORST];
    // Digits only: every byte begins a window that has to be looked up.
    rate("refscan_worst_mib_s", WORST, || scan(&digits));
    rate("sha256_mib_s", nar.len(), || Sha256::of(&nar));
    let text = derivation();
    let parse = || Derivation::parse(&text, &StoreDir::default());
    per_second("drv_parse_per_s", parse);
    let parsed = Derivation::parse(&text, &StoreDir::default()).expect("a derivation");
    per_second("drv_write_per_s", || parsed.to_text(&StoreDir::default()));
}

/// Bytes of the worst case of the reference scan.
const WORST: usize = 8 << 20;

/// Prints how many MiB of `bytes` bytes the `work` gets through in a second.
#[expect(clippy::cast_precision_loss, reason = "sizes here are far below 2^52")]
fn rate<T>(name: &str, bytes: usize, work: impl FnMut() -> T) {
    let value = bytes as f64 / f64::from(1 << 20) / fastest(work).as_secs_f64();
    println!("bench {name} {value:.0} MiB/s");
}

/// Prints how often the `work` is done in a second.
fn per_second<T>(name: &str, mut work: impl FnMut() -> T) {
    const TIMES: u16 = 1000;
    let time = fastest(|| (0..TIMES).for_each(|_| drop(black_box(work()))));
    println!("bench {name} {:.0} /s", f64::from(TIMES) / time.as_secs_f64());
}

/// A derivation of the size that packages of nixpkgs have: 20 inputs, 40 variables, 5 KB.
fn derivation() -> Vec<u8> {
    let path = |index: u32, name: &str| format!("/nix/store/{}-{name}-1.2.3", hash_part(index));
    let list = |items: Vec<String>| items.join(",");
    let inputs = list((0..20).map(|n| format!("(\"{}.drv\",[\"dev\",\"out\"])", path(n, "input"))).collect());
    let sources = list((0..3).map(|n| format!("\"{}\"", path(n, "source.patch"))).collect());
    let variables =
        list((0..40).map(|n| format!("(\"variable{n:02}\",\"a value\\n{}\")", path(n, "value"))).collect());
    format!(
        "Derive([(\"out\",\"{}\",\"\",\"\")],[{inputs}],[{sources}],\"x86_64-linux\",\"/bin/sh\",[\"-e\",\"builder.sh\"],[{variables}])",
        path(0, "package")
    )
    .into_bytes()
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

/// A tree of about 70 MiB in 4,096 files: most are small, a few hold most of the bytes, a third is text.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut random = Random(1);
    let file = |index: u32| {
        let size = if index.is_multiple_of(64) { 1 << 20 } else { 1 << (index % 14) };
        let text = index.is_multiple_of(3);
        let contents = (0..size).map(|_| random.byte(text)).collect();
        (format!("file-{index:06}"), contents)
    };
    (0..4096).map(file).collect()
}

/// A generator of bytes that look like text or like machine code.
struct Random(u64);

impl Random {
    fn byte(&mut self, text: bool) -> u8 {
        const TEXT: &[u8] = b"etaoin shrdlu,etaoin shrdlu;cmfwyp vbgkqj xz.{}()0123456789_ETAOIN\n";
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [.., high] = self.0.to_le_bytes();
        if text { TEXT[usize::from(high) % TEXT.len()] } else { high }
    }
}

fn encode(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(128 << 20));
    let mut write = |event| encoder.write(event).expect("the tree is valid");
    write(Event::Directory { name: b"" });
    for (name, contents) in files {
        write(Event::File { name: name.as_bytes(), executable: false, size: contents.len() as u64 });
        contents.chunks(PIECE).for_each(|piece| write(Event::Contents(piece)));
        write(Event::EndFile);
    }
    write(Event::EndDirectory);
    encoder.finish().expect("the tree is complete")
}

fn decode(nar: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut decoder = Decoder::new();
    let mut files = Vec::new();
    for mut input in nar.chunks(PIECE) {
        while let Some(event) = decoder.next_event(&mut input).expect("the NAR is valid") {
            match event {
                Event::File { name, .. } => files.push((name.to_vec(), Vec::new())),
                Event::Contents(bytes) => {
                    files.last_mut().expect("contents follow a file").1.extend_from_slice(bytes);
                }
                _ => {}
            }
        }
    }
    files
}

fn scan(nar: &[u8]) -> ReferenceScanner {
    let mut scanner = ReferenceScanner::new((0..1000).map(hash_part));
    nar.chunks(PIECE).for_each(|piece| scanner.update(piece));
    scanner
}

/// Hash parts that ascend with `index`.
fn hash_part(index: u32) -> HashPart {
    let mut bytes = [7; HashPart::LEN];
    // The text begins with the last byte.
    bytes[HashPart::LEN - 4..].copy_from_slice(&index.to_le_bytes());
    HashPart(bytes)
}
