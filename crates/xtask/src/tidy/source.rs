//! One Rust file, parsed once: its tree, its functions, what it mentions, and which of its lines are tests.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{Block, ImplItem, Item, ItemMod, Signature, TraitItem};

use super::mentions::{self, Mention};
use super::syntax;
use super::violation::Violation;

/// A Rust file.
pub(crate) struct RustFile {
    pub(crate) path: String,
    /// The crate whose folder it lies in; none for what lies outside `crates/`.
    pub(crate) krate: Option<String>,
    pub(crate) lines: usize,
    pub(crate) tree: syn::File,
    pub(crate) functions: Vec<Function>,
    /// Every path and macro call, whether it is parsed code or stands inside a macro.
    pub(crate) mentions: Vec<Mention>,
    test_modules: Vec<String>,
    tests: Tests,
}

/// Which part of a file is compiled for tests only.
enum Tests {
    All,
    Lines(Vec<RangeInclusive<usize>>),
}

/// A function, method or trait method.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// The lines between its braces; none for a trait method without a body.
    pub(crate) body_lines: Option<usize>,
    /// `self` included, as clippy counts.
    pub(crate) parameters: usize,
}

impl RustFile {
    /// Parses one file.
    pub(crate) fn parse(path: &str, text: &str) -> syn::Result<Self> {
        let tokens: TokenStream = text.parse()?;
        let tree: syn::File = syn::parse2(tokens.clone())?;
        let mut outline = Outline::default();
        outline.visit_file(&tree);
        let in_test_folder = path.split('/').any(|part| part == "tests" || part == "benches");
        Ok(Self {
            path: path.to_owned(),
            krate: path.strip_prefix("crates/").and_then(|rest| rest.split('/').next()).map(str::to_owned),
            lines: text.lines().count(),
            mentions: mentions::collect(&tree, tokens),
            tree,
            functions: outline.functions,
            test_modules: outline.test_modules,
            tests: if in_test_folder { Tests::All } else { Tests::Lines(outline.test_lines) },
        })
    }

    /// Whether a line, from one, is compiled for tests only.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        match &self.tests {
            Tests::All => true,
            Tests::Lines(ranges) => ranges.iter().any(|range| range.contains(&line)),
        }
    }

    /// Whether the whole file is tests.
    pub(crate) fn is_test(&self) -> bool {
        matches!(self.tests, Tests::All)
    }

    /// How many lines are compiled for tests only.
    pub(crate) fn test_lines(&self) -> usize {
        (1..=self.lines).filter(|line| self.is_test_line(*line)).count()
    }

    /// The functions that are no tests.
    pub(crate) fn product_functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(|function| !self.is_test_line(function.line))
    }

    /// What code that is no test mentions.
    pub(crate) fn product_mentions(&self) -> impl Iterator<Item = &Mention> {
        self.mentions.iter().filter(|mention| !self.is_test_line(mention.line))
    }

    /// Where a module declared in this file lies, without its extension.
    fn module_place(&self, module: &str) -> String {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        match name {
            "lib.rs" | "main.rs" | "mod.rs" => format!("{folder}/{module}"),
            _ => format!("{folder}/{}/{module}", name.trim_end_matches(".rs")),
        }
    }
}

/// Parses every Rust file but the data of tests, and marks the files of test modules.
pub(crate) fn parse_all(texts: &BTreeMap<String, String>, unreadable: &mut Vec<Violation>) -> Vec<RustFile> {
    let mut files = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| is_source(path)) {
        match RustFile::parse(path, text) {
            Ok(file) => files.push(file),
            Err(error) => {
                let line = error.span().start().line;
                unreadable.push(Violation::new(path, line, error.to_string(), "write Rust that parses"));
            }
        }
    }
    mark_test_modules(&mut files);
    files
}

/// Rust files in `tests/data` are what tests feed to something, not code of ours.
fn is_source(path: &str) -> bool {
    path.ends_with(".rs") && !path.contains("/tests/data/")
}

/// `#[cfg(test)] mod cases;` makes `cases.rs` and everything under `cases/` a test.
fn mark_test_modules(files: &mut [RustFile]) {
    let places: Vec<String> = files
        .iter()
        .flat_map(|file| file.test_modules.iter().map(|module| file.module_place(module)))
        .collect();
    for file in files {
        let below = |place: &String| {
            file.path.strip_prefix(place.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        if places.iter().any(below) {
            file.tests = Tests::All;
        }
    }
}

/// Walks a tree for its functions and for what is compiled for tests only.
#[derive(Default)]
struct Outline {
    functions: Vec<Function>,
    test_lines: Vec<RangeInclusive<usize>>,
    test_modules: Vec<String>,
}

impl Outline {
    fn function(&mut self, signature: &Signature, block: Option<&Block>) {
        self.functions.push(Function {
            name: signature.ident.to_string(),
            line: signature.ident.span().start().line,
            body_lines: block.map(lines_between_braces),
            parameters: signature.inputs.len(),
        });
    }
}

impl<'ast> Visit<'ast> for Outline {
    fn visit_item(&mut self, item: &'ast Item) {
        if syntax::is_for_tests(syntax::item_attributes(item)) {
            self.test_lines.push(syntax::first_line(item)..=syntax::last_line(item));
            if let Item::Mod(ItemMod { content: None, ident, .. }) = item {
                self.test_modules.push(ident.to_string());
            }
        }
        if let Item::Fn(function) = item {
            self.function(&function.sig, Some(&function.block));
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if syntax::is_for_tests(syntax::impl_item_attributes(item)) {
            self.test_lines.push(syntax::first_line(item)..=syntax::last_line(item));
        }
        if let ImplItem::Fn(method) = item {
            self.function(&method.sig, Some(&method.block));
        }
        visit::visit_impl_item(self, item);
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if let TraitItem::Fn(method) = item {
            self.function(&method.sig, method.default.as_ref());
        }
        visit::visit_trait_item(self, item);
    }
}

fn lines_between_braces(block: &Block) -> usize {
    let brace = block.brace_token.span;
    (brace.close().start().line - brace.open().start().line).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::{Function, RustFile, parse_all};

    const TEXT: &str = "\
//! A file.
fn one(a: u8, b: u8) -> u8 {
    let c = a;

    c + b
}
trait Door {
    fn open(&self);
    fn shut(&self) {}
}
/// Only for tests.
#[cfg(test)]
impl Door for u8 {
    fn open(&self) {
        drop(1);
    }
}
#[cfg(all(test, unix))]
mod tests {
    #[test]
    fn two() {}
}
#[cfg(any(test, unix))]
fn three() {}
";

    #[test]
    fn functions_and_test_lines() {
        let file = RustFile::parse("crates/a/src/x.rs", TEXT).unwrap();
        let row = |one: &Function| {
            (one.name.clone(), one.line, one.body_lines, one.parameters, file.is_test_line(one.line))
        };
        let found: Vec<_> = file.functions.iter().map(row).collect();
        let expected = [
            ("one", 2, Some(3), 2, false),
            ("open", 8, None, 1, false),
            ("shut", 9, Some(0), 1, false),
            ("open", 14, Some(1), 1, true),
            ("two", 21, Some(0), 0, true),
            ("three", 24, Some(0), 0, false),
        ];
        assert_eq!(
            found,
            expected.map(|(name, line, body, count, test)| (name.to_owned(), line, body, count, test))
        );
        assert_eq!(file.test_lines(), 12);
        assert_eq!(file.krate.as_deref(), Some("a"));
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_tests() {
        let declares = "//! x\n#[cfg(test)]\nmod cases;\nmod other;\n";
        let texts = [
            ("crates/a/src/lib.rs", declares),
            ("crates/a/src/cases.rs", "//! x\n"),
            ("crates/a/src/cases/deep.rs", "//! x\n"),
            ("crates/a/src/casework.rs", "//! x\n"),
            ("crates/a/src/other.rs", declares),
            ("crates/a/src/other/cases.rs", "//! x\n"),
            ("crates/a/tests/whole.rs", "//! x\n"),
            ("crates/a/tests/data/broken.rs", "fn ("),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into_iter().collect();
        let mut unreadable = Vec::new();
        let files = parse_all(&texts, &mut unreadable);
        let tests: Vec<_> =
            files.iter().filter(|file| file.is_test()).map(|file| file.path.as_str()).collect();
        assert_eq!(
            tests,
            [
                "crates/a/src/cases.rs",
                "crates/a/src/cases/deep.rs",
                "crates/a/src/other/cases.rs",
                "crates/a/tests/whole.rs"
            ]
        );
        assert_eq!(unreadable, []);
    }
}
