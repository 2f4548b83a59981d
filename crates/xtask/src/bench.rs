//! `cargo xtask bench [AREA]`: runs what measures and prints nothing but `bench <name> <value> <unit>` lines.

use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use run::{Command, Output};

/// The areas, and for each the arguments of cargo that measure it.
const AREAS: &[(&str, &[&[&str]])] = &[
    (
        "store",
        &[
            &["bench", "--quiet", "--package", "store", "--bench", "store"],
            &["bench", "--quiet", "--package", "daemon", "--bench", "daemon"],
            &["bench", "--quiet", "--package", "lab", "--bench", "nix"],
        ],
    ),
    ("delta", &[&["bench", "--quiet", "--package", "delta", "--bench", "delta"]]),
    ("deploy", &[&["bench", "--quiet", "--package", "lab", "--bench", "deploy"]]),
    ("transfer", &[&["bench", "--quiet", "--package", "lab", "--bench", "transfer"]]),
    (
        "lockout",
        &[
            &["run", "--quiet", "--package", "xtask", "--", "no-lock-out", "--bench"],
            &["bench", "--quiet", "--package", "lab", "--bench", "lockout"],
        ],
    ),
    ("lab", &[&["run", "--quiet", "--release", "--package", "lab", "--", "bench"]]),
];

/// What `bench` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure this area only: `store`, `delta`, `deploy`, `transfer`, `lockout` or `lab`.
    area: Option<String>,
}

/// Measures the areas that were asked for; fails at the first program that does.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match select(arguments.area.as_deref()).and_then(|areas| areas.into_iter().try_for_each(measure)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// The programs of one area, or of all.
fn select(only: Option<&str>) -> Result<Vec<&'static [&'static str]>> {
    let areas: Vec<_> = AREAS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)).collect();
    if areas.is_empty() {
        let names: Vec<_> = AREAS.iter().map(|(name, _)| *name).collect();
        bail!("there is no area `{}`; there are {}", only.unwrap_or_default(), names.join(", "));
    }
    Ok(areas.into_iter().flat_map(|(_, programs)| programs.iter().copied()).collect())
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "results, and beside them what takes so long")]
fn measure(cargo: &[&str]) -> Result<()> {
    eprintln!("bench: cargo {}", cargo.join(" "));
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(program).args(cargo).stderr(Output::Inherit).run()?;
    let lines = results(&done.stdout_text())?.join("\n");
    println!("{lines}");
    Ok(())
}

/// The lines that are results; there is at least one, and each has a name, a number and a unit.
fn results(output: &str) -> Result<Vec<&str>> {
    let lines: Vec<_> = output.lines().filter(|line| line.starts_with("bench ")).collect();
    ensure!(!lines.is_empty(), "nothing was measured");
    for line in &lines {
        let wrong = || format!("`{line}` is not `bench <name> <value> <unit>`");
        let [_, _, value, _] = line.split(' ').collect::<Vec<_>>()[..] else { bail!(wrong()) };
        value.parse::<f64>().with_context(wrong)?;
    }
    Ok(lines)
}

#[expect(clippy::print_stderr, reason = "the one place where an error of bench is shown")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("bench: {error:#}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::{AREAS, results, select};

    #[test]
    fn only_results_are_passed_on() {
        let output = "running 0 tests\nbench a_s 0.125 s\n\nbench b_ratio 2 ratio\nbenches\n";
        assert_eq!(results(output).unwrap(), ["bench a_s 0.125 s", "bench b_ratio 2 ratio"]);
        let wrong = ["", "bench", "bench a", "bench a 1", "bench a b s", "bench a 1 s more", "bench a  1 s"];
        for output in wrong {
            assert!(results(output).is_err(), "{output}");
        }
    }

    #[test]
    fn one_area_or_all_are_selected() {
        let count = |area| select(area).unwrap().len();
        assert_eq!(count(None), AREAS.iter().map(|(name, _)| count(Some(*name))).sum::<usize>());
        let unknown = select(Some("nothing")).unwrap_err().to_string();
        assert_eq!(
            unknown,
            "there is no area `nothing`; there are store, delta, deploy, transfer, lockout, lab"
        );
    }
}
