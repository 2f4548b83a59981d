//! Where descriptions are found, in directories made for it.

use std::{
    env, fs, process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;

/// A directory that is removed in the end, with these files in it.
struct Tree(PathBuf);

impl Tree {
    fn new(files: &[&str]) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let name = format!("eval-source-{}-{}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let root = env::temp_dir().join(name);
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if !file.ends_with('/') {
                fs::write(path, "{ }").unwrap();
            }
        }
        Self(root)
    }

    /// A source as `kind path`, paths relative to the tree; errors by what they say.
    fn tell(&self, source: Result<Source, SourceError>) -> String {
        let inside =
            |path: &Path| path.strip_prefix(&self.0).map_or("?".into(), |path| path.display().to_string());
        match source {
            Ok(Source::Flake { directory, .. }) => format!("flake {}", inside(&directory)),
            Ok(Source::File { path, .. }) => format!("file {}", inside(&path)),
            Ok(Source::Reference { reference, .. }) => format!("reference {reference}"),
            Err(SourceError::NotFound { start }) => format!("not found from {}", inside(&start)),
            Err(SourceError::NothingInDirectory { directory }) => {
                format!("nothing in {}", inside(&directory))
            }
            Err(SourceError::NoSuchFile { path }) => format!("no file {}", inside(&path)),
            Err(SourceError::NoNixFile { path }) => format!("no nix {}", inside(&path)),
            Err(SourceError::Fragment { argument }) => format!("fragment {argument}"),
            Err(SourceError::NoReference { argument }) => format!("no reference {argument:?}"),
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn the_nearest_description_upward_is_found() {
    let tree = Tree::new(&[
        "both/flake.nix",
        "both/fleet.nix",
        "plain/fleet.nix",
        "plain/hosts/web/deep.nix",
        "both/inner/fleet.nix",
        "both/inner/x/y",
        "directory/flake.nix/x",
        "directory/fleet.nix",
    ]);
    let cases = [
        ("both", "flake both"),
        ("plain", "file plain/fleet.nix"),
        ("plain/hosts/web", "file plain/fleet.nix"),
        ("both/inner/x", "file both/inner/fleet.nix"),
        ("directory", "file directory/fleet.nix"),
    ];
    for (start, expected) in cases {
        assert_eq!(tree.tell(Source::find(&tree.0.join(start))), expected, "{start}");
    }
    // Nobody has a description in the directories above the temporary ones.
    let empty = Tree::new(&["nothing/here"]);
    let error = Source::find(&empty.0.join("nothing")).unwrap_err();
    assert_eq!(empty.tell(Err(error.clone())), "not found from nothing");
    assert!(error.to_string().contains("flake.nix") && error.to_string().contains("fleet.nix"), "{error}");
}

#[test]
fn what_the_user_names() {
    let tree = Tree::new(&[
        "infra/flake.nix",
        "here/sub/x",
        "here/hosts.nix",
        "here/notes.txt",
        "here/nixpkgs/x",
        "here/named/fleet.nix",
        "odd#name?x/flake.nix",
    ]);
    let cases = [
        ("../infra", "flake here/../infra"),
        ("../infra/", "flake here/../infra"),
        ("../infra/flake.nix", "flake here/../infra"),
        ("../odd#name?x", "flake here/../odd#name?x"),
        ("hosts.nix", "file here/hosts.nix"),
        ("./hosts.nix", "file here/hosts.nix"),
        ("named", "file here/named/fleet.nix"),
        ("./sub", "nothing in here/sub"),
        (".", "nothing in here"),
        ("notes.txt", "no nix here/notes.txt"),
        ("missing.nix", "no file here/missing.nix"),
        ("./missing", "no file here/missing"),
        ("nixpkgs", "reference nixpkgs"),
        ("github:owner/name?ref=main", "reference github:owner/name?ref=main"),
        ("path:../infra", "reference path:../infra"),
        ("git+ssh://git@host/x", "reference git+ssh://git@host/x"),
        ("../infra#web1", "fragment ../infra#web1"),
        ("github:owner/name#web1", "fragment github:owner/name#web1"),
        ("a b", "no reference \"a b\""),
        ("--help", "no reference \"--help\""),
    ];
    for (argument, expected) in cases {
        assert_eq!(tree.tell(Source::named(argument, &tree.0.join("here"))), expected, "{argument}");
    }
    assert_eq!(tree.tell(Source::named("", &tree.0.join("here"))), "no reference \"\"");
    let absolute = tree.0.join("infra").display().to_string();
    assert_eq!(tree.tell(Source::named(&absolute, Path::new("/"))), "flake infra");
}
