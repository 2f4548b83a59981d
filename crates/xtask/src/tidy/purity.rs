//! Pure crates take values and return values: no file, process, environment, network, clock or printing.
//!
//! clippy holds part of this through the pure crates' `clippy.toml`, which is one file in many copies; tidy compares
//! the copies and looks for what clippy cannot list function by function.

use super::architecture::Kind;
use super::manifest::line_of;
use super::mentions::Mention;
use super::repo::{Crate, Repo};
use super::source::RustFile;
use super::violation::Violation;

/// The copy of `clippy.toml` that the others are compared with.
const REFERENCE: &str = "crates/store/clippy.toml";

/// Paths of the standard library that have effects, and what to do instead.
const EFFECTS: &[(&str, &str)] = &[
    ("std::fs", "take the bytes, or a trait, as an argument"),
    ("std::os::unix::fs", "take the bytes, or a trait, as an argument"),
    ("std::process", "return a value that says what to run"),
    ("std::os::unix::process", "return a value that says what to run"),
    ("std::env", "take the value as an argument"),
    ("std::net", "take a byte stream; addresses are in core::net"),
    ("std::os::unix::net", "take a byte stream"),
    ("std::thread", "leave threads and waiting to the caller"),
    ("std::time::SystemTime::now", "take `now` as an argument"),
    ("std::time::Instant::now", "take `now` as an argument"),
    ("std::io::stdin", "take a reader as an argument"),
    ("std::io::stdout", "return what is to be printed"),
    ("std::io::stderr", "return what is to be printed"),
];

const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Packages whose use is an effect.
const EFFECTFUL: &[&str] = &[
    "async-std",
    "atomic-write-file",
    "ctrlc",
    "curl",
    "dirs",
    "duct",
    "fs-err",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "nix",
    "notify",
    "rand",
    "reqwest",
    "rustix",
    "signal-hook",
    "smol",
    "tempfile",
    "tokio",
    "ureq",
    "walkdir",
    "which",
];

/// Pure crates stay pure.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for krate in repo.crates_of(Kind::Pure) {
        found.extend(check_doors(repo, krate));
        found.extend(check_dependencies(repo, krate));
    }
    for file in repo.rust.iter().filter(|file| repo.kind_of(file) == Some(Kind::Pure)) {
        found.extend(check_file(file));
    }
    found
}

fn check_doors(repo: &Repo, krate: &Crate) -> Option<Violation> {
    let path = format!("crates/{}/clippy.toml", krate.name);
    let remedy = format!("copy {REFERENCE}");
    match (repo.texts.get(&path), repo.texts.get(REFERENCE)) {
        (None, _) => Some(Violation::new(&path, 1, "a pure crate has no clippy.toml of its own", remedy)),
        (own, reference) if own != reference => {
            Some(Violation::new(&path, 1, format!("it differs from {REFERENCE}"), remedy))
        }
        _ => None,
    }
}

fn check_dependencies(repo: &Repo, krate: &Crate) -> Vec<Violation> {
    let mut found = Vec::new();
    let line = |name: &str| line_of(repo.texts.get(&krate.manifest_path), name);
    for name in krate.manifest.builds_with(&repo.workspace) {
        let impure = repo.kind(name).is_some_and(|kind| kind != Kind::Pure);
        if impure || EFFECTFUL.contains(&name) {
            let wrong = format!("pure crate `{}` is built with `{name}`, which has effects", krate.name);
            let remedy = "take what it gives as an argument";
            found.push(Violation::new(&krate.manifest_path, line(name), wrong, remedy));
        }
    }
    found
}

/// One violation for each effect and line.
fn check_file(file: &RustFile) -> Vec<Violation> {
    let mut found: Vec<Violation> = Vec::new();
    for mention in file.product_mentions() {
        let Some((effect, remedy)) = effect(mention) else { continue };
        let violation =
            Violation::new(&file.path, mention.line, format!("a pure crate names {effect}"), remedy);
        if !found.contains(&violation) {
            found.push(violation);
        }
    }
    found
}

fn effect(mention: &Mention) -> Option<(String, &'static str)> {
    if mention.calls_macro(PRINTING) {
        return Some((format!("{}!", mention.path.join("::")), "return what is to be printed"));
    }
    let known = EFFECTS.iter().find(|(path, _)| mention.starts_with(path))?;
    Some((known.0.to_owned(), known.1))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    #[test]
    fn doors_and_dependencies() {
        let order = "[package]\nname = \"order\"\n[dependencies]\n";
        check_cases(
            super::check,
            &[
                Case { name: "sound", files: &[], expected: &[] },
                Case {
                    name: "other doors",
                    files: &[("crates/order/clippy.toml", "# none\n")],
                    expected: &["crates/order/clippy.toml:1:"],
                },
                Case {
                    name: "no doors",
                    files: &[("crates/order/clippy.toml", "")],
                    expected: &["crates/order/clippy.toml:1:"],
                },
                Case {
                    name: "a runtime",
                    files: &[("crates/order/Cargo.toml", &format!("{order}tokio = \"1\"\n"))],
                    expected: &["crates/order/Cargo.toml:4:"],
                },
                Case {
                    name: "a crate of ours with effects",
                    files: &[("crates/order/Cargo.toml", &format!("{order}store = \"1\"\nrun = \"1\"\n"))],
                    expected: &["crates/order/Cargo.toml:5:"],
                },
                Case {
                    name: "only for tests",
                    files: &[("crates/order/Cargo.toml", "[dev-dependencies]\ntempfile = \"1\"\n")],
                    expected: &[],
                },
            ],
        );
    }

    fn check_source(text: &str, expected: &[&str]) {
        let text = format!("//! Words.\n{text}");
        let case = Case { name: &text, files: &[("crates/store/src/lib.rs", &text)], expected };
        check_cases(super::check, &[case]);
        let case = Case { name: &text, files: &[("crates/run/src/lib.rs", &text)], expected: &[] };
        check_cases(super::check, &[case]);
        let case = Case { name: &text, files: &[("crates/store/tests/whole.rs", &text)], expected: &[] };
        check_cases(super::check, &[case]);
    }

    #[test]
    fn every_effect_is_seen_in_pure_code_only() {
        for effect in [
            "std::fs::read(p)",
            "std::process::id()",
            "std::env::var(n)",
            "std::net::TcpStream::connect(a)",
            "std::thread::sleep(d)",
            "std::time::SystemTime::now()",
            "std::time::Instant::now()",
            "std::io::stdout()",
            "println!(\"x\")",
            "eprintln!(\"x\")",
            "std::dbg!(x)",
            "std::os::unix::net::UnixStream::connect(p)",
            "format!(\"{}\", std::env::var(n))",
        ] {
            check_source(&format!("fn f() {{ {effect}; }}"), &["crates/store/src/lib.rs:2:"]);
            check_source(&format!("#[cfg(test)]\nmod tests {{\n fn f() {{ {effect}; }} }}"), &[]);
        }
        check_source("use std::{\n  io::Read,\n  fs,\n};", &["crates/store/src/lib.rs:4:"]);
        check_source("use std::time::Instant;\nfn f(now: Instant) -> core::net::IpAddr { x.process() }", &[]);
    }
}
