//! `unsafe` stands only in the crates that `docs/architecture.md` names, each time with a reason beside it.

use super::architecture::Architecture;
use super::repo::Repo;
use super::source::RustFile;
use super::syntax;
use super::violation::Violation;
use syn::Attribute;
use syn::visit::{self, Visit};

/// No `unsafe` outside of the named crates, and none without a reason in its file.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let allowed = &repo.architecture.may_be_unsafe;
    let is_allowed = |file: &RustFile| file.krate.as_ref().is_some_and(|name| allowed.contains(name));
    let mut found = Vec::new();
    for file in &repo.rust {
        let Some(line) = first_unsafe(file) else { continue };
        if !is_allowed(file) {
            let remedy = format!("write it safely, or argue for the crate in {}", Architecture::PATH);
            found.push(Violation::new(&file.path, line, "`unsafe` in a crate that may not use it", remedy));
        }
        if !says_why(file) {
            let remedy = "write #[expect(unsafe_code, reason = \"...\")] above it";
            found.push(Violation::new(&file.path, line, "`unsafe` without a reason in its file", remedy));
        }
    }
    found
}

/// The line of the first `unsafe`, tests included.
pub(crate) fn first_unsafe(file: &RustFile) -> Option<usize> {
    file.mentions.iter().find(|mention| mention.path == ["unsafe"]).map(|mention| mention.line)
}

fn says_why(file: &RustFile) -> bool {
    let mut reasons = Reasons { found: false };
    reasons.visit_file(&file.tree);
    reasons.found
}

/// Looks for `expect(unsafe_code, reason = "...")` or the same with `allow`.
struct Reasons {
    found: bool,
}

impl<'ast> Visit<'ast> for Reasons {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let is_exception = attribute.path().is_ident("expect") || attribute.path().is_ident("allow");
        let inner = syntax::inner(&attribute.meta);
        let is_unsafe = inner.iter().any(|meta| meta.path().is_ident("unsafe_code"));
        let has_reason = inner.iter().any(|meta| meta.path().is_ident("reason"));
        self.found |= is_exception && is_unsafe && has_reason;
        visit::visit_attribute(self, attribute);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    #[test]
    fn unsafe_code_has_a_place_and_a_reason() {
        let bare = "//! x\nfn f() { unsafe { g() } }\n";
        let reasoned =
            "//! x\n#[expect(unsafe_code, reason = \"a system call\")]\nfn f() { unsafe { g() } }\n";
        let unreasoned = "//! x\n#[expect(unsafe_code)]\nfn f() { unsafe { g() } }\n";
        check_cases(
            super::check,
            &[
                Case { name: "in its place", files: &[("crates/lab/src/x.rs", reasoned)], expected: &[] },
                Case {
                    name: "elsewhere",
                    files: &[("crates/run/src/x.rs", reasoned)],
                    expected: &["crates/run/src/x.rs:3: `unsafe` in a crate"],
                },
                Case {
                    name: "no exception",
                    files: &[("crates/lab/src/x.rs", bare)],
                    expected: &["crates/lab/src/x.rs:2: `unsafe` without"],
                },
                Case {
                    name: "no reason",
                    files: &[("crates/lab/src/x.rs", unreasoned)],
                    expected: &["crates/lab/src/x.rs:3: `unsafe` without"],
                },
                Case {
                    name: "outside of crates",
                    files: &[("fuzz/fuzz_targets/x.rs", reasoned)],
                    expected: &["fuzz/fuzz_targets/x.rs:3: `unsafe` in a crate"],
                },
            ],
        );
    }
}
