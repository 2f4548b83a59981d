//! Errors are types that a caller can tell apart: no text, no boxed anything, and no `anyhow` in libraries.

use syn::visit::{self, Visit};
use syn::{
    GenericArgument, ImplItemType, ItemType, PathArguments, PathSegment, Signature, Type, TypeParamBound,
};

use super::architecture::Kind;
use super::manifest::line_of;
use super::repo::{Crate, Repo};
use super::source::RustFile;
use super::syntax;
use super::violation::Violation;

/// Packages whose one error stands for all errors.
const ANY_ERROR: &[&str] = &["anyhow", "color-eyre", "eyre", "miette"];

/// No signature answers with an error that is a text, and no library with an error that is anything.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let libraries = repo.crates_of(Kind::Pure).chain(repo.crates_of(Kind::Effects));
    let mut found: Vec<Violation> = libraries.flat_map(|krate| check_dependencies(repo, krate)).collect();
    found.extend(repo.rust.iter().flat_map(check_file));
    found
}

fn check_dependencies(repo: &Repo, krate: &Crate) -> Vec<Violation> {
    let used = krate.manifest.builds_with(&repo.workspace);
    let violation = |name: &str| {
        let line = line_of(repo.texts.get(&krate.manifest_path), name);
        let wrong = format!("library `{}` is built with `{name}`", krate.name);
        Violation::new(&krate.manifest_path, line, wrong, "write a small error type with thiserror")
    };
    used.into_iter().filter(|name| ANY_ERROR.contains(name)).map(violation).collect()
}

fn check_file(file: &RustFile) -> Vec<Violation> {
    let mut signatures = Signatures { lines: Vec::new() };
    signatures.visit_file(&file.tree);
    let violation = |(line, what): (usize, &str)| {
        Violation::new(
            &file.path,
            line,
            format!("an error is {what}"),
            "write a small error type with thiserror",
        )
    };
    signatures.lines.into_iter().filter(|(line, _)| !file.is_test_line(*line)).map(violation).collect()
}

/// Collects the lines where a signature, a type alias or an associated `Err` or `Error` has a bad error.
struct Signatures {
    lines: Vec<(usize, &'static str)>,
}

impl Signatures {
    fn ask(&mut self, line: usize, bad: Option<&'static str>) {
        self.lines.extend(bad.map(|what| (line, what)));
    }
}

impl<'ast> Visit<'ast> for Signatures {
    fn visit_signature(&mut self, signature: &'ast Signature) {
        let mut errors = Errors { bad: None };
        errors.visit_return_type(&signature.output);
        self.ask(signature.ident.span().start().line, errors.bad);
        visit::visit_signature(self, signature);
    }

    fn visit_item_type(&mut self, alias: &'ast ItemType) {
        let mut errors = Errors { bad: None };
        errors.visit_item_type(alias);
        self.ask(syntax::first_line(&alias.ident), errors.bad);
    }

    fn visit_impl_item_type(&mut self, associated: &'ast ImplItemType) {
        if associated.ident == "Err" || associated.ident == "Error" {
            self.ask(syntax::first_line(&associated.ident), bad_error(&associated.ty));
        }
    }
}

/// Looks through a type for results with bad errors, at any depth.
struct Errors {
    bad: Option<&'static str>,
}

impl<'ast> Visit<'ast> for Errors {
    fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
        let bad = if segment.ident == "Result" { result_error(segment).and_then(bad_error) } else { None };
        self.bad = self.bad.or(bad).or_else(|| boxed_error(segment));
        visit::visit_path_segment(self, segment);
    }

    /// The bounds and defaults of an alias's parameters count as well: `type Answer<T, E = Box<dyn Error>>`.
    fn visit_item_type(&mut self, alias: &'ast ItemType) {
        visit::visit_generics(self, &alias.generics);
        self.visit_type(&alias.ty);
    }
}

/// The second argument of `Result<T, E>`.
fn result_error(segment: &PathSegment) -> Option<&Type> {
    types_in(segment).nth(1)
}

fn types_in(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

fn bad_error(error: &Type) -> Option<&'static str> {
    match error {
        Type::Reference(reference) => bad_error(&reference.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let is_text = ["String", "str"].iter().any(|name| last.ident == name);
            let holds_text = last.ident == "Cow" || last.ident == "Box";
            if is_text { Some("a text") } else { inner_error(last).filter(|_| holds_text) }
        }
        _ => None,
    }
}

/// What is wrong inside of `Cow<...>` or `Box<...>`.
fn inner_error(segment: &PathSegment) -> Option<&'static str> {
    boxed_error(segment).or_else(|| types_in(segment).find_map(bad_error))
}

/// `Box<dyn Error>`, whatever else it is bound by.
fn boxed_error(segment: &PathSegment) -> Option<&'static str> {
    let is_error = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == "Error"),
        _ => false,
    };
    let is_boxed = types_in(segment).any(|inner| match inner {
        Type::TraitObject(object) => object.bounds.iter().any(is_error),
        _ => false,
    });
    (segment.ident == "Box" && is_boxed).then_some("a box of any error")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    #[test]
    fn signatures_with_bad_errors() {
        for (code, bad) in [
            ("fn f() -> Result<u8, String> {}", true),
            ("fn f() -> Result<u8, &'static str> {}", true),
            ("fn f() -> Result<u8, Cow<'static, str>> {}", true),
            ("fn f() -> Result<u8, Box<str>> {}", true),
            ("fn f() -> std::result::Result<u8, std::string::String> {}", true),
            ("fn f() -> Result<u8, Box<dyn Error + Send + Sync>> {}", true),
            ("fn f() -> Option<Box<dyn std::error::Error>> {}", true),
            ("fn f() -> Option<Result<u8, String>> {}", true),
            ("fn f() -> impl Iterator<Item = Result<u8, String>> {}", true),
            ("trait T { fn f() -> Result<u8, String>; }", true),
            ("impl T { fn f() -> Result<u8, String> {} }", true),
            ("impl FromStr for T { type Err = String; }", true),
            ("type Answer<T> = Result<T, String>;", true),
            ("type Answer<T, E = Box<dyn Error>> = Result<T, E>;", true),
            ("fn f() -> Result<String, ParseError> {}", false),
            ("fn f() -> Result<u8, Mismatch<String>> {}", false),
            ("fn f() -> io::Result<String> {}", false),
            ("fn f() -> Result<Box<dyn Read>, io::Error> {}", false),
            ("fn f() -> Box<dyn Read> {}", false),
            ("impl Iterator for T { type Item = String; }", false),
            ("struct E { source: Box<dyn Error> }", false),
            ("#[cfg(test)] fn f() -> Result<u8, String> {}", false),
        ] {
            let text = format!("//! x\n{code}\n");
            let files = [("crates/lab/src/lib.rs", text.as_str())];
            let expected: &[&str] = if bad { &["crates/lab/src/lib.rs:2:"] } else { &[] };
            check_cases(super::check, &[Case { name: code, files: &files, expected }]);
        }
    }

    #[test]
    fn libraries_use_no_error_for_everything() {
        let with = |name: &str| format!("[package]\nname = \"{name}\"\n[dependencies]\nanyhow = \"1\"\n");
        for (name, expected) in [
            ("order", &["crates/order/Cargo.toml:4:"][..]),
            ("run", &["crates/run/Cargo.toml:4:"]),
            ("cli", &[]),
            ("lab", &[]),
        ] {
            let (path, text) = (format!("crates/{name}/Cargo.toml"), with(name));
            check_cases(super::check, &[Case { name, files: &[(&path, &text)], expected }]);
        }
    }
}
