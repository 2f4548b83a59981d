//! What the user says to Nix through us.

use std::path::{Component, Path};

/// Options for Nix that are handed through, each as Nix's option of the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `--option NAME VALUE`: settings of `nix.conf`.
    pub settings: Vec<(String, String)>,
    /// `--override-input INPUT FLAKE`, evaluation only. A relative path means the directory in which the
    /// description was looked for.
    pub override_inputs: Vec<(String, String)>,
    /// `--impure`, evaluation only.
    pub impure: bool,
    /// `--show-trace`, evaluation only.
    pub show_trace: bool,
    /// `--builders`.
    pub builders: Option<String>,
    /// `--accept-flake-config`, evaluation only: a build is of a derivation, so what a flake's `nixConfig` says of
    /// substituters has to be in `nix.conf` or [`Options::settings`].
    pub accept_flake_config: bool,
}

impl Options {
    /// Arguments for an evaluation that was asked for in `base`.
    pub(crate) fn for_evaluation(&self, base: &Path) -> Vec<String> {
        let mut arguments = self.for_build();
        for (input, flake) in &self.override_inputs {
            arguments.extend(["--override-input".to_owned(), input.clone(), absolute(flake, base)]);
        }
        let flags = [
            (self.impure, "--impure"),
            (self.show_trace, "--show-trace"),
            (self.accept_flake_config, "--accept-flake-config"),
        ];
        arguments.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| (*flag).to_owned()));
        arguments
    }

    /// Arguments for a build.
    pub(crate) fn for_build(&self) -> Vec<String> {
        let settings = self.settings.iter();
        let mut arguments: Vec<_> =
            settings.flat_map(|(name, value)| ["--option".to_owned(), name.clone(), value.clone()]).collect();
        if let Some(builders) = &self.builders {
            arguments.extend(["--builders".to_owned(), builders.clone()]);
        }
        arguments
    }
}

/// A flake that is named by a relative path means the user's directory, which is not the one Nix runs in.
fn absolute(flake: &str, base: &Path) -> String {
    let relative =
        matches!(Path::new(flake).components().next(), Some(Component::CurDir | Component::ParentDir));
    if relative { base.join(flake).to_string_lossy().into_owned() } else { flake.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_arguments() {
        let options = Options {
            settings: vec![("cores".into(), "2".into()), ("extra-substituters".into(), "a b".into())],
            override_inputs: vec![("nixpkgs".into(), "../nixpkgs".into()), ("x".into(), "github:a/b".into())],
            impure: true,
            show_trace: true,
            builders: Some("ssh://b x86_64-linux".into()),
            accept_flake_config: true,
        };
        let build =
            ["--option cores 2 --option extra-substituters", "a b", "--builders", "ssh://b x86_64-linux"];
        let words = |texts: &[&str]| -> Vec<String> {
            let split = |text: &&str| -> Vec<String> {
                if text.starts_with("--") {
                    text.split(' ').map(str::to_owned).collect()
                } else {
                    vec![(*text).to_owned()]
                }
            };
            texts.iter().flat_map(split).collect()
        };
        assert_eq!(options.for_build(), words(&build));
        let mut all = words(&build);
        all.extend(words(&[
            "--override-input nixpkgs",
            "/home/me/../nixpkgs",
            "--override-input x",
            "github:a/b",
            "--impure --show-trace --accept-flake-config",
        ]));
        assert_eq!(options.for_evaluation(Path::new("/home/me")), all);
        assert_eq!(Options::default().for_evaluation(Path::new("/")), Vec::<String>::new());
    }
}
