//! How long a function and a file may be, and how many parameters a function may take.

use super::python;
use super::repo::Repo;
use super::source::{Function, RustFile};
use super::violation::Violation;

/// Lines between a function's braces, tests apart (clippy counts those without comments).
const FUNCTION_LINES: usize = 80;

/// Parameters, `self` included.
const PARAMETERS: usize = 5;

/// Lines of a file without its inline tests; a file that is all tests counts whole.
const FILE_LINES: usize = 600;

/// Nothing is longer than one can hold in mind.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found: Vec<Violation> = repo.rust.iter().flat_map(check_rust).collect();
    for (path, text, language) in scripts(repo) {
        found.extend(check_file(path, text.lines().count()));
        found.extend(check_script(path, text, language));
    }
    found
}

/// The files in languages beside Rust that hold to the size of a file.
pub(crate) fn scripts(repo: &Repo) -> impl Iterator<Item = (&str, &str, Language)> {
    repo.texts.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_str(), language(path, text)?)))
}

/// What tidy can tell about a language that is not Rust.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Its functions are counted.
    Python,
    /// Nix, shell and Perl: only the file is counted.
    Other,
}

/// By the ending, or by the interpreter that the first line names.
fn language(path: &str, text: &str) -> Option<Language> {
    let interpreter = text.lines().next().filter(|line| line.starts_with("#!")).unwrap_or_default();
    match path.rsplit_once('.') {
        Some((_, "py")) => Some(Language::Python),
        Some((_, "nix" | "sh" | "pl")) => Some(Language::Other),
        Some((_, "rs")) => None,
        _ if interpreter.contains("python") => Some(Language::Python),
        _ if !interpreter.is_empty() => Some(Language::Other),
        _ => None,
    }
}

fn check_rust(file: &RustFile) -> Vec<Violation> {
    let lines = if file.is_test() { file.lines } else { file.lines - file.test_lines() };
    let mut found: Vec<Violation> = check_file(&file.path, lines).into_iter().collect();
    for function in file.product_functions() {
        found.extend(check_function(&file.path, function));
        found.extend(check_parameters(&file.path, function));
    }
    found
}

fn check_script(path: &str, text: &str, language: Language) -> Vec<Violation> {
    let functions = if language == Language::Python { python::functions(text) } else { Vec::new() };
    functions.iter().filter_map(|function| check_function(path, function)).collect()
}

fn check_file(path: &str, lines: usize) -> Option<Violation> {
    let wrong = format!("the file has {lines} lines, {FILE_LINES} are allowed");
    (lines > FILE_LINES)
        .then(|| Violation::new(path, FILE_LINES + 1, wrong, "split it by what its parts are for"))
}

fn check_function(path: &str, function: &Function) -> Option<Violation> {
    let lines = function.body_lines.filter(|lines| *lines > FUNCTION_LINES)?;
    let wrong = format!("`{}` has {lines} lines, {FUNCTION_LINES} are allowed", function.name);
    Some(Violation::new(path, function.line, wrong, "give its parts names"))
}

fn check_parameters(path: &str, function: &Function) -> Option<Violation> {
    let wrong =
        format!("`{}` takes {} parameters, {PARAMETERS} are allowed", function.name, function.parameters);
    let remedy = "put what belongs together into a type";
    (function.parameters > PARAMETERS).then(|| Violation::new(path, function.line, wrong, remedy))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};
    use super::{FILE_LINES, FUNCTION_LINES};

    fn check(path: &str, text: &str, expected: &[&str]) {
        let name = format!("{path}, {} lines", text.lines().count());
        check_cases(super::check, &[Case { name: &name, files: &[(path, text)], expected }]);
    }

    #[test]
    fn long_functions() {
        let function = |lines: usize| format!("//! x\nfn f() {{\n{}}}\n", "    x();\n".repeat(lines));
        check("crates/lab/src/x.rs", &function(FUNCTION_LINES), &[]);
        check("crates/lab/src/x.rs", &function(FUNCTION_LINES + 1), &["crates/lab/src/x.rs:2: `f` has 81"]);
        check("crates/lab/tests/x.rs", &function(FUNCTION_LINES + 1), &[]);
        let method = function(FUNCTION_LINES + 1).replace("fn f", "impl X { fn f").replace("}\n", "}}\n");
        check("crates/lab/src/x.rs", &method, &["crates/lab/src/x.rs:2: `f` has 81"]);
        let python =
            |lines: usize| format!("#!/usr/bin/env python3\ndef f():\n{}", "    x()\n".repeat(lines));
        check("lab/tool", &python(FUNCTION_LINES), &[]);
        check("lab/tool", &python(FUNCTION_LINES + 1), &["lab/tool:2: `f` has 81"]);
        check("lab/tool.py", &python(FUNCTION_LINES + 1), &["lab/tool.py:2: `f` has 81"]);
    }

    #[test]
    fn many_parameters() {
        check("crates/lab/src/x.rs", "//! x\nfn f(a: A, b: A, c: A, d: A, e: A) {}\n", &[]);
        let six = "//! x\nimpl A {\n    fn f(&self, b: A, c: A, d: A, e: A, f: A) {}\n}\n";
        check("crates/lab/src/x.rs", six, &["crates/lab/src/x.rs:3: `f` takes 6"]);
    }

    #[test]
    fn long_files() {
        let rust = |lines: usize| format!("//! x\n{}", "// y\n".repeat(lines - 1));
        let tests = "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n";
        check("crates/lab/src/x.rs", &(rust(FILE_LINES) + tests), &[]);
        check("crates/lab/src/x.rs", &rust(FILE_LINES + 1), &["crates/lab/src/x.rs:601: the file has 601"]);
        check("crates/lab/tests/x.rs", &rust(FILE_LINES), &[]);
        check("crates/lab/tests/x.rs", &rust(FILE_LINES + 1), &["crates/lab/tests/x.rs:601:"]);
        check("lab/os/x.nix", &"x\n".repeat(FILE_LINES), &[]);
        check("lab/os/x.nix", &"x\n".repeat(FILE_LINES + 1), &["lab/os/x.nix:601:"]);
        check("README.md", &"x\n".repeat(FILE_LINES + 1), &[]);
    }
}
