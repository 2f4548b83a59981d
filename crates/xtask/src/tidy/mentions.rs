//! Which paths and macros a file mentions, read from its tokens so that the inside of macro calls counts too.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ItemUse, UseTree};

/// A path as it stands in a file, its first name replaced by what it was imported as.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// `name!`.
    pub(crate) is_macro: bool,
}

impl Mention {
    /// Whether the path is this one or begins with it; `prefix` is written with `::`.
    pub(crate) fn starts_with(&self, prefix: &str) -> bool {
        let mut names = self.path.iter();
        prefix.split("::").all(|name| names.next().is_some_and(|own| own == name))
    }

    /// Whether this calls one of these macros, however it is reached.
    pub(crate) fn calls_macro(&self, names: &[&str]) -> bool {
        self.is_macro && self.path.last().is_some_and(|last| names.contains(&last.as_str()))
    }
}

/// A name and the path that an import gave it.
type Import = (String, Vec<String>);

/// Every mention in a file, imports resolved.
pub(crate) fn collect(tree: &syn::File, tokens: TokenStream) -> Vec<Mention> {
    let mut imports = Imports(Vec::new());
    imports.visit_file(tree);
    let mut written = Vec::new();
    read_paths(tokens, &mut written);
    written.into_iter().flat_map(|mention| resolve(mention, &imports.0)).collect()
}

/// One mention for each import of the first name (a file may import it in several modules), or the path itself.
fn resolve(mention: Mention, imports: &[Import]) -> Vec<Mention> {
    let Mention { path, line, is_macro } = mention;
    let Some((first, rest)) = path.split_first() else { return Vec::new() };
    let targets: Vec<_> = imports.iter().filter(|(name, _)| name == first).collect();
    if targets.is_empty() {
        return vec![Mention { path, line, is_macro }];
    }
    let longer = |target: &Vec<String>| target.iter().chain(rest).cloned().collect();
    targets.into_iter().map(|(_, target)| Mention { path: longer(target), line, is_macro }).collect()
}

/// The names that `use` declarations bring into a file, in whatever module they stand.
struct Imports(Vec<Import>);

impl Imports {
    fn read(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.read(&step.tree, path);
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.read(item, path.clone())),
            UseTree::Name(leaf) => self.add(&leaf.ident.to_string(), &leaf.ident.to_string(), path),
            UseTree::Rename(leaf) => self.add(&leaf.rename.to_string(), &leaf.ident.to_string(), path),
            UseTree::Glob(_) => {}
        }
    }

    /// `self` in a group imports the path before it under its own last name.
    fn add(&mut self, name: &str, leaf: &str, mut path: Vec<String>) {
        if leaf != "self" {
            path.push(leaf.to_owned());
        }
        let name = if name == "self" { path.last().cloned().unwrap_or_default() } else { name.to_owned() };
        self.0.push((name, path));
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.read(&item.tree, Vec::new());
        visit::visit_item_use(self, item);
    }
}

/// Reads `a::b::c` and `a::b!` wherever they stand; names after a dot are fields and methods, not paths.
fn read_paths(tokens: TokenStream, found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = tokens.as_slice();
    let mut after_dot = false;
    while let [token, tail @ ..] = rest {
        rest = tail;
        match token {
            TokenTree::Group(group) => read_paths(group.stream(), found),
            TokenTree::Ident(name) if !after_dot => rest = read_path(name, tail, found),
            _ => {}
        }
        after_dot = is_punct(Some(token), '.');
    }
}

/// Reads the path that begins with `first` and answers what follows it.
fn read_path<'a>(first: &Ident, tail: &'a [TokenTree], found: &mut Vec<Mention>) -> &'a [TokenTree] {
    let mut path = vec![first.to_string()];
    let mut rest = tail;
    while let [one, two, TokenTree::Ident(next), after @ ..] = rest
        && is_punct(Some(one), ':')
        && is_punct(Some(two), ':')
    {
        path.push(next.to_string());
        rest = after;
    }
    // `name != other` is a comparison.
    let is_macro = is_punct(rest.first(), '!') && !is_punct(rest.get(1), '=');
    found.push(Mention { path, line: first.span().start().line, is_macro });
    rest
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    use super::collect;

    fn mentioned(text: &str) -> Vec<String> {
        let tokens: proc_macro2::TokenStream = text.parse().unwrap();
        let tree = syn::parse2(tokens.clone()).unwrap();
        let shown = |mention: super::Mention| {
            format!("{}{}", mention.path.join("::"), if mention.is_macro { "!" } else { "" })
        };
        collect(&tree, tokens).into_iter().map(shown).collect()
    }

    #[test]
    fn paths_are_seen_through_imports_and_macros() {
        for (text, wanted) in [
            ("fn f() { std::fs::read(\"x\"); }", "std::fs::read"),
            ("use std::fs; fn f() { fs::read(\"x\"); }", "std::fs::read"),
            ("use std::{io, fs as files}; fn f() { files::read(\"x\"); }", "std::fs::read"),
            (
                "use std::time::{self, Instant}; fn f() { time::SystemTime::now(); }",
                "std::time::SystemTime::now",
            ),
            ("use std::time::{self, Instant}; fn f() { Instant::now(); }", "std::time::Instant::now"),
            ("mod a { use std::env; } fn f() { env::var(\"x\"); }", "std::env::var"),
            ("fn f() { format!(\"{}\", std::env::var(\"x\")); }", "std::env::var"),
            ("fn f() { println!(\"x\"); }", "println!"),
            ("use serde_json::json; fn f() { json!({}); }", "serde_json::json!"),
            ("fn f() { a != b; }", "a"),
            ("use std::env; fn f() { x.env(1); }", "x"),
        ] {
            assert!(mentioned(text).iter().any(|path| path == wanted), "{text}: {:?}", mentioned(text));
        }
    }

    #[test]
    fn fields_and_methods_are_no_paths() {
        let expected = ["use", "std::env", "fn", "f", "x", "y"];
        assert_eq!(mentioned("use std::env; fn f() { x.env(1); y.env }"), expected);
    }
}
