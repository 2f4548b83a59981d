//! The figures of the repository on one page.

use std::fmt::Write;

use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemImpl, Visibility};

use super::repo::Repo;
use super::sizes;
use super::source::{Function, RustFile};
use super::syntax;
use super::unsafety;

/// What is counted of some files.
#[derive(Default)]
struct Figures<'a> {
    files: usize,
    lines: usize,
    test_lines: usize,
    tests: usize,
    /// Lines and name of each function that is no test, shortest first.
    functions: Vec<(usize, String)>,
    most_parameters: (usize, String),
    largest_file: (usize, &'a str),
    documented: usize,
    public: usize,
    unsafe_files: usize,
}

/// A line for each crate, one for what lies outside of crates, and the sums.
pub(crate) fn page(repo: &Repo) -> String {
    let mut page = String::from(
        "crate         kind          files  lines  tests  functions  median  p90  max  public documented\n",
    );
    for krate in &repo.architecture.rows {
        let own = repo.rust.iter().filter(|file| file.krate.as_ref() == Some(&krate.name));
        page += &line(&krate.name, &format!("{:?}", krate.kind).to_lowercase(), &Figures::of(own));
    }
    let outside = Figures::of(repo.rust.iter().filter(|file| file.krate.is_none()));
    if outside.files > 0 {
        page += &line("(outside)", "-", &outside);
    }
    let all = Figures::of(repo.rust.iter());
    page + &line("all", &format!("{} crates", repo.crates.len()), &all) + &extremes(&all) + &scripts(repo)
}

/// A line on what is not Rust.
fn scripts(repo: &Repo) -> String {
    let mut sizes: Vec<(usize, &str)> =
        sizes::scripts(repo).map(|(path, text, _)| (text.lines().count(), path)).collect();
    sizes.sort_unstable();
    let lines: usize = sizes.iter().map(|(lines, _)| lines).sum();
    let largest = sizes.last().map_or(String::new(), |(lines, path)| format!(", largest {lines}, {path}"));
    format!("nix, scripts       {} files, {lines} lines{largest}", sizes.len())
}

fn line(name: &str, kind: &str, figures: &Figures<'_>) -> String {
    format!(
        "{name:<13} {kind:<13} {:>5} {:>6} {:>6} {:>10} {:>7} {:>4} {:>4}  {}\n",
        figures.files,
        figures.lines,
        figures.test_lines,
        figures.functions.len(),
        figures.percentile(50),
        figures.percentile(90),
        figures.percentile(100),
        share(figures.documented, figures.public),
    )
}

fn extremes(all: &Figures<'_>) -> String {
    let mut text = String::new();
    let longest = all.functions.last().map_or("none", |(_, name)| name);
    let ratio = share(all.test_lines, all.lines);
    let _ = writeln!(text, "longest function   {} lines, {longest}", all.percentile(100));
    let _ = writeln!(text, "most parameters    {}, {}", all.most_parameters.0, all.most_parameters.1);
    let _ = writeln!(text, "largest file       {} lines, {}", all.largest_file.0, all.largest_file.1);
    let _ = writeln!(text, "tests              {}, test lines to others {ratio}", all.tests);
    let _ = writeln!(text, "files with unsafe  {}", all.unsafe_files);
    text
}

impl<'a> Figures<'a> {
    fn of(files: impl Iterator<Item = &'a RustFile>) -> Self {
        let mut figures = Self::default();
        files.for_each(|file| figures.add(file));
        figures.functions.sort();
        figures
    }

    fn add(&mut self, file: &'a RustFile) {
        let test_lines = file.test_lines();
        let lines = file.lines - test_lines;
        self.files += 1;
        self.lines += lines;
        self.test_lines += test_lines;
        self.unsafe_files += usize::from(unsafety::first_unsafe(file).is_some());
        self.largest_file = self.largest_file.max((lines, &file.path));
        file.product_functions().for_each(|function| self.add_function(file, function));
        Surface { file, figures: self }.visit_file(&file.tree);
    }

    fn add_function(&mut self, file: &RustFile, function: &Function) {
        let place = format!("{} at {}:{}", function.name, file.path, function.line);
        if function.parameters > self.most_parameters.0 {
            self.most_parameters = (function.parameters, place.clone());
        }
        self.functions.extend(function.body_lines.map(|lines| (lines, place)));
    }

    /// The length that so many of a hundred functions do not exceed.
    fn percentile(&self, percent: usize) -> usize {
        let rank = (self.functions.len() * percent).div_ceil(100);
        self.functions.get(rank.saturating_sub(1)).map_or(0, |(lines, _)| *lines)
    }
}

/// `part/whole` and per cent.
fn share(part: usize, whole: usize) -> String {
    match (part * 100).checked_div(whole) {
        Some(percent) => format!("{part}/{whole} ({percent}%)"),
        None => "-".to_owned(),
    }
}

/// Counts public items and tests.
struct Surface<'a, 'b> {
    file: &'a RustFile,
    figures: &'b mut Figures<'a>,
}

impl Surface<'_, '_> {
    fn count(&mut self, visibility: &Visibility, attributes: &[Attribute], line: usize) {
        if matches!(visibility, Visibility::Public(_)) && !self.file.is_test_line(line) {
            self.figures.public += 1;
            self.figures.documented += usize::from(syntax::is_documented(attributes));
        }
    }
}

impl<'ast> Visit<'ast> for Surface<'_, '_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = syntax::item_attributes(item);
        self.figures.tests += usize::from(attributes.iter().any(|one| one.path().is_ident("test")));
        if let Some(visibility) = visibility(item) {
            self.count(visibility, attributes, syntax::first_line(item));
        }
        visit::visit_item(self, item);
    }

    /// The methods of a trait's implementation are documented by the trait.
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if item.trait_.is_none() {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, method: &'ast ImplItemFn) {
        self.count(&method.vis, &method.attrs, syntax::first_line(&method.sig.ident));
    }
}

/// The visibility of what needs a documentation; modules have theirs inside, re-exports elsewhere.
fn visibility(item: &Item) -> Option<&Visibility> {
    match item {
        Item::Const(item) => Some(&item.vis),
        Item::Enum(item) => Some(&item.vis),
        Item::Fn(item) => Some(&item.vis),
        Item::Static(item) => Some(&item.vis),
        Item::Struct(item) => Some(&item.vis),
        Item::Trait(item) => Some(&item.vis),
        Item::Type(item) => Some(&item.vis),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::repo;
    use super::Figures;

    const TEXT: &str = "\
//! Words.
/// A word.
pub struct Word;
impl Word {
    pub fn spell(&self, loud: bool) -> u8 {
        1
    }
}
pub(crate) fn hidden() {}
#[cfg(test)]
mod tests {
    #[test]
    fn works() {
        hidden();
    }
}
";

    #[test]
    fn figures_are_counted() {
        let repo = repo(&[("crates/store/src/lib.rs", TEXT)]);
        let figures = Figures::of(repo.rust.iter().filter(|file| file.krate.as_deref() == Some("store")));
        assert_eq!((figures.files, figures.lines, figures.test_lines, figures.tests), (1, 9, 7, 1));
        assert_eq!((figures.documented, figures.public), (1, 2));
        assert_eq!(figures.most_parameters, (2, "spell at crates/store/src/lib.rs:5".to_owned()));
        assert_eq!([0, 50, 90, 100].map(|percent| figures.percentile(percent)), [0, 0, 1, 1]);
        assert_eq!(figures.largest_file, (9, "crates/store/src/lib.rs"));
    }

    #[test]
    fn the_page_has_a_line_for_each_crate() {
        let files = [("fuzz/fuzz_targets/x.rs", "//! x\n"), ("a.nix", "1\n"), ("b.sh", "1\n2\n")];
        let page = super::page(&repo(&files));
        let first: Vec<&str> = page.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(first[..8], ["crate", "store", "order", "run", "cli", "lab", "(outside)", "all"]);
        assert!(page.ends_with("nix, scripts       2 files, 3 lines, largest 2, b.sh"), "{page}");
    }
}
