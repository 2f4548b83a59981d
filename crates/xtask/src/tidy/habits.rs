//! Small habits: a file says what it is for, nothing is left unfinished, a test that is skipped says why.

use syn::Attribute;
use syn::visit::{self, Visit};

use super::repo::Repo;
use super::source::RustFile;
use super::syntax;
use super::violation::Violation;

/// Macros that stand for code which is not there.
const UNFINISHED: &[&str] = &["todo", "unimplemented"];

/// Words of comments that stand for work which is not done, in pieces for this file's own sake.
const UNFINISHED_NOTES: &[[&str; 2]] = &[["TO", "DO"], ["FIX", "ME"]];

/// What every Rust file keeps to, tests included.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in &repo.rust {
        let text = repo.texts.get(&file.path).map_or("", String::as_str);
        found.extend(check_opening(file, text));
        found.extend(check_name(file));
        found.extend(check_unfinished(file, text));
        found.extend(check_ignored(file));
    }
    found
}

fn check_opening(file: &RustFile, text: &str) -> Option<Violation> {
    let wrong = "the file does not say what it is for";
    let remedy = "open it with a `//!` sentence";
    let says = text
        .strip_prefix("//!")
        .and_then(|rest| rest.lines().next())
        .is_some_and(|rest| !rest.trim().is_empty());
    (!says).then(|| Violation::new(&file.path, 1, wrong, remedy))
}

fn check_name(file: &RustFile) -> Option<Violation> {
    let wrong = "mod.rs says nothing in a tab or a trace";
    file.path.ends_with("/mod.rs").then(|| Violation::new(&file.path, 1, wrong, "write foo.rs beside foo/"))
}

fn check_unfinished(file: &RustFile, text: &str) -> Vec<Violation> {
    let calls =
        file.mentions.iter().filter(|mention| mention.calls_macro(UNFINISHED)).map(|mention| mention.line);
    let is_note = |line: &str| {
        let comment = line.split_once("//").map_or("", |(_, comment)| comment);
        UNFINISHED_NOTES.iter().any(|word| comment.contains(&word.concat()))
    };
    let notes = text.lines().enumerate().filter(|(_, line)| is_note(line)).map(|(index, _)| index + 1);
    let violation = |line| {
        Violation::new(&file.path, line, "unfinished work", "finish it, or open an issue and remove it")
    };
    calls.chain(notes).map(violation).collect()
}

fn check_ignored(file: &RustFile) -> Vec<Violation> {
    let mut ignored = Ignored { lines: Vec::new() };
    ignored.visit_file(&file.tree);
    let remedy = "write #[ignore = \"reason\"]";
    let violation = |line| Violation::new(&file.path, line, "a test is skipped without a reason", remedy);
    ignored.lines.into_iter().map(violation).collect()
}

/// Collects the lines of `#[ignore]` without a text.
struct Ignored {
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Ignored {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let reason = syntax::text_value(&attribute.meta).unwrap_or_default();
        if attribute.path().is_ident("ignore") && reason.trim().is_empty() {
            self.lines.push(syntax::first_line(attribute));
        }
        visit::visit_attribute(self, attribute);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    #[test]
    fn habits_of_a_file() {
        let note = ["// TO", "DO: more"].concat();
        for (code, line) in [
            ("//! What it is for.\n", None),
            ("//!\n", Some(1)),
            ("// What it is for.\n", Some(1)),
            ("\n//! What it is for.\n", Some(1)),
            ("//! x\nfn f() { todo!() }\n", Some(2)),
            ("//! x\n#[cfg(test)] fn f() { std::unimplemented!(\"x\") }\n", Some(2)),
            (&format!("//! x\nfn f() {{}} {note}\n"), Some(2)),
            ("//! x\n#[test]\n#[ignore]\nfn f() {}\n", Some(3)),
            ("//! x\n#[test]\n#[ignore = \"\"]\nfn f() {}\n", Some(3)),
            ("//! x\n#[test]\n#[ignore = \"needs a network\"]\nfn f() {}\n", None),
            ("//! x\nfn f() -> u8 { todo(1) }\n", None),
        ] {
            for path in ["crates/lab/src/x.rs", "crates/lab/tests/x.rs", "fuzz/fuzz_targets/x.rs"] {
                let expected: Vec<String> = line.iter().map(|line| format!("{path}:{line}:")).collect();
                let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
                check_cases(
                    super::check,
                    &[Case { name: code, files: &[(path, code)], expected: &expected }],
                );
            }
        }
    }

    #[test]
    fn names_of_files() {
        for path in ["crates/lab/src/a/mod.rs", "crates/lab/tests/common/mod.rs"] {
            check_cases(super::check, &[Case { name: path, files: &[(path, "//! x\n")], expected: &[path] }]);
        }
        check_cases(
            super::check,
            &[Case { name: "no", files: &[("crates/lab/src/amod.rs", "//! x\n")], expected: &[] }],
        );
    }
}
