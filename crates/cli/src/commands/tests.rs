//! What can be said on the command line, and what is answered to what cannot.

use clap::{CommandFactory, Parser};

use crate::arguments::Arguments;

/// The error of a command line, as it is printed; the command line must be wrong.
#[track_caller]
fn error(line: &str) -> String {
    let words = std::iter::once("lockstep").chain(line.split_whitespace());
    let error = Arguments::try_parse_from(words).expect_err(line);
    assert_eq!(error.exit_code(), 2, "{line}");
    error.to_string().lines().take_while(|said| !said.starts_with("For more")).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn accepts(line: &str) {
    let words = std::iter::once("lockstep").chain(line.split_whitespace());
    if let Err(error) = Arguments::try_parse_from(words) {
        panic!("{line}: {error}");
    }
}

#[test]
fn the_command_line_has_no_contradictions() {
    Arguments::command().debug_assert();
}

#[test]
fn what_can_be_said() {
    for line in [
        "deploy",
        "deploy web1 @db web*&!web3 -",
        "deploy --all --mode boot --yes --parallel 3",
        "-f ./x --json deploy web1 --color never -vv",
        "deploy web1 -f . --json --confirm-timeout 1m30s --no-rollback",
        "deploy a --option cores 2 --option max-jobs 1 --override-input nixpkgs ../nixpkgs --impure",
        "deploy a --show-trace --builders @/etc/nix/machines --accept-flake-config",
        "deploy a --batch 2 --stop-after 1 --hold",
        "build",
        "push @web --parallel 2",
        "status",
        "rollback web1 --to 41",
        "reboot web1 @db --batch 2 --keep-going --timeout 20m -y",
        "reboot --all",
        "deploy web1 --mode boot --reboot --unguarded --reboot-timeout 90s",
        "deploy web1 --mode reboot",
        "history web1 -n 3",
        "exec web1 @db --timeout 30s -- ls -l --all",
        "show",
        "diff --closures ./result /run/current-system --json",
        "gc",
        "gc --trim --json -f ./x --impure",
        "confirm web1",
        "attach web1 --no-rollback",
        "abort web1",
        "completions zsh",
        "man somewhere",
    ] {
        accepts(line);
    }
}

#[test]
fn what_cannot_be_said() {
    let lines = [
        "deplyo",
        "deploy --mode swich",
        "deploy [",
        "deploy web1&",
        "deploy --all web1",
        "deploy --parallel 0",
        "deploy --batch -1",
        "deploy --stop-after many",
        "deploy --confirm-timeout 90",
        "deploy --confirm-timeout 1s",
        "deploy --hold --no-rollback",
        "deploy --option cores",
        "deploy --pararel 2",
        "rollback --to latest",
        "reboot web1 --batch 0",
        "reboot web1 --timeout 1s",
        "exec web1",
        "diff",
        "diff --closures a",
        "gc web1",
        "completions tcsh",
        "man",
    ];
    let told = lines.map(|line| format!("$ lockstep {line}\n{}", error(line).trim_end()));
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn help_teaches() {
    // Whatever terminal the test runs on.
    let mut program = Arguments::command().term_width(100);
    program.build();
    insta::assert_snapshot!("help", program.render_long_help().to_string());
    for command in program.get_subcommands_mut() {
        let name = format!("help_{}", command.get_name());
        insta::assert_snapshot!(name, command.render_long_help().to_string());
    }
}

#[test]
fn every_command_says_what_it_is_for() {
    for command in Arguments::command().get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && !about.ends_with('.'), "{}: {about:?}", command.get_name());
        let has_examples =
            command.get_after_help().is_some_and(|help| help.to_string().contains("lockstep "));
        assert!(has_examples || command.is_hide_set(), "{} has no example", command.get_name());
    }
}
