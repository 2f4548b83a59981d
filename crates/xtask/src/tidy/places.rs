//! No file names a place that only one machine knows: where it keeps this repository, or where it fetches packages.
//!
//! The patterns are kept in pieces, so that this file does not break its own rule.

use super::repo::Repo;
use super::violation::Violation;

/// The folder of people, and people whom examples may name.
const HOMES: &str = "/home";
const PEOPLE: &[&str] = &["alice", "ann", "bob", "carol", "deploy", "me", "nixos", "user"];

/// Labels of a host's name that tell a registry or a mirror of one.
const REGISTRY_LABELS: &[&str] =
    &["crates", "pypi", "pythonhosted", "npmjs", "rubygems", "artifactory", "mirror", "mirrors"];

/// First labels that do.
const REGISTRY_FIRST_LABELS: &[&str] = &["deb", "ftp", "registry", "snapshot"];

/// First parts of an address's path that do.
const REGISTRY_PATHS: &[&str] = &["debian", "debian-security", "ubuntu", "pypi", "simple", "npm"];

/// Schemes of addresses.
const SCHEMES: &[&str] = &["http", "https"];

/// No machine's folders and no registry's hosts; what Cargo writes is Cargo's.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let written = repo.texts.iter().filter(|(path, _)| !path.ends_with("Cargo.lock"));
    let mut found = Vec::new();
    for (path, text) in written {
        for (index, line) in text.lines().enumerate() {
            found.extend(
                check_line(repo, line).map(|(wrong, remedy)| Violation::new(path, index + 1, wrong, remedy)),
            );
        }
    }
    found
}

fn check_line(repo: &Repo, line: &str) -> Option<(&'static str, &'static str)> {
    // A root like /src says nothing about a machine, and many a text names it.
    let mut roots = repo.root.iter().map(String::as_str).filter(|root| root.matches('/').count() > 1);
    if roots.any(|folder| names_folder(line, folder)) || names_home(line) {
        return Some(("this names a folder of one machine", "make it relative, or an argument"));
    }
    if addresses(line).any(|(host, path)| is_registry(host, path)) {
        return Some(("this names a registry's host", "take it from the settings of the machine"));
    }
    None
}

/// Whether the line has a path into this folder, and not one that merely ends in the folder's name.
fn names_folder(line: &str, folder: &str) -> bool {
    paths_below(line, folder).next().is_some()
}

/// Whether the line names the home of somebody who is no example.
fn names_home(line: &str) -> bool {
    paths_below(line, HOMES).any(|rest| {
        let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        !name.is_empty() && !PEOPLE.contains(&name.as_str())
    })
}

/// What follows `folder/` wherever it begins a path.
fn paths_below<'a>(line: &'a str, folder: &str) -> impl Iterator<Item = &'a str> {
    line.match_indices(folder).filter_map(move |(start, found)| {
        let before = line[..start].chars().next_back();
        let begins = !before.is_some_and(|letter| letter.is_ascii_alphanumeric() || "._-}*".contains(letter));
        line[start + found.len()..].strip_prefix('/').filter(|_| begins)
    })
}

/// Host and path of each address in the line.
fn addresses(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.match_indices("://").filter_map(|(start, mark)| {
        let scheme =
            line[..start].rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        let rest = line[start + mark.len()..].split([' ', '"', '\'', ')', '>', '`', ',']).next()?;
        SCHEMES.contains(&scheme).then(|| rest.split_once('/').unwrap_or((rest, "")))
    })
}

fn is_registry(host: &str, path: &str) -> bool {
    let host = host.rsplit('@').next().and_then(|host| host.split(':').next()).unwrap_or_default();
    let first = host.split('.').next().unwrap_or_default();
    host.split('.').any(|label| REGISTRY_LABELS.contains(&label))
        || REGISTRY_FIRST_LABELS.contains(&first)
        || path.split('/').next().is_some_and(|part| REGISTRY_PATHS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases, repo};

    fn check(line: &str, is_bad: bool) {
        let text = format!("first\n{line}\n");
        let expected: &[&str] = if is_bad { &["lab/tool:2:"] } else { &[] };
        check_cases(super::check, &[Case { name: line, files: &[("lab/tool", &text)], expected }]);
    }

    /// Joins pieces, so that this file does not name what it looks for.
    fn joined(pieces: &[&str]) -> String {
        pieces.concat()
    }

    #[test]
    fn folders_of_one_machine() {
        check(&joined(&["/ho", "me/jim/src"]), true);
        check("home = \"/home/alice\" or /home/$USER or /home/${name} or /home/<name>", false);
        check("lower/home/jim ../home/jim ${dir}/home/jim /homes/jim", false);
    }

    #[test]
    fn the_place_of_this_repository() {
        let text = "//! See /srv/lockstep/docs.\n";
        let rooted = |root: &str| repo(&[("crates/run/src/lib.rs", text)]).rooted_at(root.to_owned());
        let found = super::check(&rooted("/srv/lockstep"));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("crates/run/src/lib.rs:1:"), "{found:?}");
        assert_eq!(super::check(&rooted("/srv/other")), []);
        assert_eq!(super::check(&rooted("/srv")), []);
        assert_eq!(super::check(&rooted("/")), []);
    }

    #[test]
    fn hosts_of_registries() {
        for pieces in [
            &["http:/", "/deb.example.org/x"][..],
            &["deb http:/", "/example.org/debian trixie main"],
            &["https:/", "/user@mirror.example.org:8080/x"],
            &["sparse+https:/", "/index.crates.example/"],
            &["https:/", "/pypi.example/pypi"],
            &["https:/", "/packages.example/simple/x"],
            &["https:/", "/registry.npmjs.example"],
        ] {
            check(&joined(pieces), true);
        }
        for line in [
            "https://docs.rs/clap https://nixos.org/manual",
            "ssh-ng://deb.example.org/x",
            "https://example.org/wiki/debian",
            "the debian mirror, crates and pypi",
        ] {
            check(line, false);
        }
    }

    #[test]
    fn what_cargo_writes_is_left_alone() {
        let line = joined(&["source = \"registry+https:/", "/index.crates.example\"\n"]);
        check_cases(
            super::check,
            &[Case { name: "lock", files: &[("fuzz/Cargo.lock", &line)], expected: &[] }],
        );
    }
}
