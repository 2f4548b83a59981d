//! Documents name only files that exist.

use std::collections::BTreeSet;

use super::markdown::{self, Named};
use super::repo::Repo;
use super::violation::Violation;

/// Folders at the top, present or to come: what begins with one of them is meant as a path.
const FOLDERS: &[&str] = &[".cargo", ".ci", "crates", "docs", "examples", "fuzz", "lab", "nix"];

/// Files at the top by name, and endings of files that are documents or settings.
const FILES: &[&str] = &["Makefile", "LICENSE-MIT", "LICENSE-APACHE"];
const ENDINGS: &[&str] = &[".md", ".toml"];

/// Every path in backticks and every relative link of a document leads to something.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let documents = repo.texts.iter().filter(|(path, _)| path.ends_with(".md"));
    documents.flat_map(|(path, text)| check_document(repo, path, text)).collect()
}

fn check_document(repo: &Repo, path: &str, text: &str) -> Vec<Violation> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let violation = |named: &Named<'_>| {
        let wrong = format!("there is no `{}`", named.text);
        Violation::new(path, named.line, wrong, "name what exists, or say it without a path")
    };
    let spans = markdown::code_spans(text);
    let lost_spans = spans.iter().filter(|span| is_path(span.text) && !is_there(repo, folder, span.text));
    let links = markdown::link_targets(text);
    let lost_links = links.iter().filter(|link| is_relative(link.text) && !leads_to(repo, folder, link.text));
    lost_spans.chain(lost_links).map(violation).collect()
}

/// Whether a code span is meant as a path in this repository, not as a command, a pattern or a word.
fn is_path(span: &str) -> bool {
    let path_like = |letter: char| letter.is_ascii_alphanumeric() || "./_-".contains(letter);
    let first = span.split('/').next().unwrap_or_default();
    let named = FOLDERS.contains(&first) && span.contains('/');
    let at_the_top = FILES.contains(&span) || ENDINGS.iter().any(|ending| span.ends_with(ending));
    span.chars().all(path_like) && (named || (at_the_top && !span.starts_with(['/', '.'])))
}

/// From the top, or beside the document; a name alone may be that of any file.
fn is_there(repo: &Repo, folder: &str, span: &str) -> bool {
    let span = span.trim_end_matches('/');
    let is_name = !span.contains('/');
    exists(&repo.paths, "", span)
        || exists(&repo.paths, folder, span)
        || (is_name && repo.paths.iter().any(|path| path.rsplit('/').next() == Some(span)))
}

fn is_relative(target: &str) -> bool {
    !target.contains("://") && !target.starts_with("mailto:") && !target.starts_with('#')
}

fn leads_to(repo: &Repo, folder: &str, target: &str) -> bool {
    let path = target.split('#').next().unwrap_or_default();
    exists(&repo.paths, folder, path.trim_end_matches('/'))
}

/// Whether `path`, seen from `folder`, is in the repository.
fn exists(paths: &BTreeSet<String>, folder: &str, path: &str) -> bool {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.is_empty() || paths.contains(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    fn check(path: &str, line: &str, is_lost: bool) {
        let start = format!("{path}:3:");
        let text = format!("# Title\n\n{line}\n");
        let files = [(path, text.as_str()), ("docs/there.md", "# There\n"), ("docs/deep/x.md", "# X\n")];
        let expected: &[&str] = if is_lost { &[&start] } else { &[] };
        check_cases(super::check, &[Case { name: line, files: &files, expected }]);
    }

    #[test]
    fn what_documents_name_exists() {
        for (line, is_lost) in [
            ("`crates/store`", false),
            ("`crates/store/src/lib.rs`", false),
            ("`crates/store/`", false),
            ("`Cargo.toml`", false),
            ("`docs/there.md`", false),
            ("`there.md`", false),
            ("`clippy.toml`", false),
            ("`crates/ghost`", true),
            ("`docs/ghost.md`", true),
            ("`ghost.toml`", true),
            ("`.ci/run`", true),
            ("`Makefile`", true),
            ("`lab/os/ghost.nix`", true),
            ("`crates/*` `lab up` `/lab/x` `label` `a/b` `foo.rs` `lab/os#x`", false),
            ("[there](docs/there.md#part)", false),
            ("[there](./docs/there.md)", false),
            ("[top](.)", false),
            ("[part](#part) [far](https://example.org/x) [mail](mailto:x@example.org)", false),
            ("[ghost](docs/ghost.md)", true),
            ("[beside](there.md)", true),
        ] {
            check("README.md", line, is_lost);
        }
        check("docs/other.md", "[beside](there.md) [up](../Cargo.toml)", false);
        check("docs/other.md", "[ghost](docs/there.md)", true);
        check("docs/other.md", "`deep/x.md`", false);
        check("docs/other.md", "`deep/ghost.md`", true);
        check("docs/notes.txt", "`docs/ghost.md`", false);
    }
}
