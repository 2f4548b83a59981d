//! Two doors: child processes are started by crate `run` alone, and loose JSON lives in `wire` modules alone.

use super::architecture::Kind;
use super::mentions::Mention;
use super::repo::Repo;
use super::source::RustFile;
use super::violation::Violation;

/// The crate that starts child processes.
const DOOR: &str = "run";

/// Ways to start a process.
const SPAWNING: &[&str] = &[
    "std::process::Command",
    "std::os::unix::process::CommandExt",
    "tokio::process",
    "rustix::runtime",
    "libc::fork",
    "libc::vfork",
    "libc::clone",
    "libc::system",
    "libc::popen",
    "libc::posix_spawn",
    "libc::execv",
    "libc::execve",
    "libc::execvp",
    "nix::unistd::fork",
    "nix::unistd::execv",
];

/// JSON without a type.
const LOOSE_JSON: &[&str] =
    &["serde_json::Value", "serde_json::Map", "serde_json::json", "serde_json::value"];

/// No process is started outside of `run`; tests are no exception, so that none of them leaves a process behind.
pub(crate) fn check_processes(repo: &Repo) -> Vec<Violation> {
    let outside = repo.rust.iter().filter(|file| file.krate.as_deref() != Some(DOOR));
    let started = |file: &RustFile| {
        let remedy = "use `run::Command`, whose children die with their owner";
        complaints(&file.path, file.mentions.iter(), SPAWNING, remedy)
    };
    outside.flat_map(started).collect()
}

/// No JSON without a type in the product, tests and `wire` modules apart.
pub(crate) fn check_json(repo: &Repo) -> Vec<Violation> {
    let is_product = |file: &&RustFile| repo.kind_of(file).is_some_and(Kind::is_product);
    let loose = |file: &RustFile| {
        let remedy = "read it into a type of a `wire` module";
        complaints(&file.path, file.product_mentions(), LOOSE_JSON, remedy)
    };
    repo.rust.iter().filter(is_product).filter(|file| !is_wire(&file.path)).flat_map(loose).collect()
}

/// `wire.rs` and everything under `wire/`.
fn is_wire(path: &str) -> bool {
    path.split('/').any(|part| part == "wire" || part == "wire.rs")
}

/// One violation for each line that mentions one of these paths.
fn complaints<'a>(
    path: &str,
    mentions: impl Iterator<Item = &'a Mention>,
    forbidden: &[&str],
    remedy: &str,
) -> Vec<Violation> {
    let mut found: Vec<Violation> = Vec::new();
    for mention in mentions {
        let Some(name) = forbidden.iter().find(|name| mention.starts_with(name)) else { continue };
        let violation = Violation::new(path, mention.line, format!("this names {name}"), remedy);
        if !found.contains(&violation) {
            found.push(violation);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::fixture::{Case, check_cases};

    fn check(rule: Rule, path: &str, text: &str, expected: &[&str]) {
        check_cases(rule, &[Case { name: text, files: &[(path, text)], expected }]);
    }

    #[test]
    fn processes_start_in_one_crate() {
        let imported = "//! x\nuse std::process::Command;\nfn f() {\n    Command::new(\"x\");\n}\n";
        let there = ["crates/lab/src/x.rs:2:", "crates/lab/src/x.rs:4:"];
        check(super::check_processes, "crates/lab/src/x.rs", imported, &there);
        check(
            super::check_processes,
            "crates/lab/tests/x.rs",
            imported,
            &there.map(|line| line.replace("src", "tests")).each_ref().map(String::as_str),
        );
        check(super::check_processes, "crates/run/src/x.rs", imported, &[]);
        check(super::check_processes, "fuzz/fuzz_targets/x.rs", imported, &["fuzz/", "fuzz/"]);
        let through_module = "//! x\nuse std::process;\nfn f() { process::Command::new(\"x\"); }\n";
        check(
            super::check_processes,
            "crates/cli/src/main.rs",
            through_module,
            &["crates/cli/src/main.rs:3:"],
        );
        for call in ["libc::fork()", "nix::unistd::fork()", "rustix::runtime::kernel_fork()"] {
            let text = format!("//! x\nfn f() {{ {call}; }}\n");
            check(super::check_processes, "crates/lab/src/x.rs", &text, &["crates/lab/src/x.rs:2:"]);
        }
        let leaving = "//! x\nuse std::process::ExitCode;\nfn f() -> ExitCode { std::process::exit(1) }\n";
        check(super::check_processes, "crates/cli/src/main.rs", leaving, &[]);
        let ours = "//! x\nuse clap::Command;\nfn f() { Command::new(\"x\"); run::Command::new(\"y\"); }\n";
        check(super::check_processes, "crates/cli/src/main.rs", ours, &[]);
    }

    #[test]
    fn loose_json_lives_in_wire_modules() {
        for text in [
            "//! x\nfn f(a: serde_json::Value) {}\n",
            "//! x\nuse serde_json::Value;\n",
            "//! x\nfn f() { serde_json::json!({}); }\n",
            "//! x\nuse serde_json as json; fn f(a: json::Map) {}\n",
        ] {
            check(super::check_json, "crates/order/src/x.rs", text, &["crates/order/src/x.rs:2:"]);
            check(super::check_json, "crates/cli/src/x.rs", text, &["crates/cli/src/x.rs:2:"]);
            check(super::check_json, "crates/order/src/wire.rs", text, &[]);
            check(super::check_json, "crates/order/src/wire/first.rs", text, &[]);
            check(super::check_json, "crates/order/tests/x.rs", text, &[]);
            check(super::check_json, "crates/lab/src/x.rs", text, &[]);
        }
        let typed = "//! x\nfn f() -> serde_json::Result<u8> { serde_json::from_str(\"1\") }\n";
        check(super::check_json, "crates/order/src/x.rs", typed, &[]);
    }
}
