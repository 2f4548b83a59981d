//! The table of switch cases, run on real hosts: what `switch-to-configuration` does to units, mounts and
//! loaders, each case with its source. One test for each file of the table.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::{Host, wait};
use serde::Deserialize;

use super::lab;

const BUILD_LIMIT: Duration = Duration::from_secs(120);
const FORGET_LIMIT: Duration = Duration::from_secs(30);
const RUN_LIMIT: Duration = Duration::from_secs(150);

/// What the table's driver says of one case.
#[derive(Debug, Deserialize)]
struct Verdict {
    name: String,
    ok: bool,
    problems: Vec<String>,
    output: Option<String>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/cases")
}

fn check(table: &str) -> Result<()> {
    let lab = lab(["switched"])?;
    let host = lab.host("switched");
    host.copy(&directory(), "/lab")?;
    let build =
        ["nix-build", "--quiet", "--argstr", "only", table, "--out-link", "/root/cases", "/lab/cases"];
    host.command(build)?.timeout(BUILD_LIMIT).run().context("the systems of the cases do not build")?;
    forget_logins(&host)?;
    let run = ["python3", "/root/cases/run-case.py", "/root/cases/cases.json"];
    let done = host.command(run)?.timeout(RUN_LIMIT).output()?;
    let lines = done.stdout_text();
    let verdicts: Vec<Verdict> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(!verdicts.is_empty(), "no case of {table} ran: {}", done.stderr_text());
    let written = fs::read_to_string(directory().join(table))?.matches("[[case]]").count();
    ensure!(verdicts.len() == written, "{} of {written} cases ran: {}", verdicts.len(), done.stderr_text());
    let wrong: Vec<String> = verdicts.iter().filter(|verdict| !verdict.ok).map(describe).collect();
    ensure!(wrong.is_empty(), "{} of {written} cases are wrong\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// The lab logged in while it waited for the host, and a login is remembered for a while after its end; a
/// switch would talk to a user manager that is going away.
fn forget_logins(host: &Host<'_>) -> Result<()> {
    host.output(["loginctl", "terminate-user", "root"])?;
    wait::until("logind to forget the lab's login", FORGET_LIMIT, || {
        let users = host.run(["loginctl", "--no-legend", "list-users"])?;
        ensure!(users.is_empty(), "{users}");
        Ok(())
    })
}

fn describe(verdict: &Verdict) -> String {
    let output = verdict.output.as_deref().unwrap_or_default();
    format!("{}: {}\n{output}", verdict.name, verdict.problems.join("; "))
}

/// A test for each file of the table, and one that fails when a file has none.
macro_rules! tables {
    ($($test:ident => $file:literal,)*) => {
        $(
            #[test]
            fn $test() -> Result<()> {
                check($file)
            }
        )*

        #[test]
        fn every_file_of_the_table_has_a_test() -> Result<()> {
            let tested = BTreeSet::from([$($file.to_owned()),*]);
            let names = fs::read_dir(directory())?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<Result<BTreeSet<_>>>()?;
            let there = names.into_iter().filter(|name| name.ends_with(".toml")).collect::<BTreeSet<_>>();
            assert_eq!(there, tested);
            Ok(())
        }
    };
}

tables! {
    activation => "activation.toml",
    failures => "failures.toml",
    fstab => "fstab.toml",
    gates => "gates.toml",
    interrupted => "interrupted.toml",
    loaders => "loaders.toml",
    other_units => "other-units.toml",
    services => "services.toml",
    sockets => "sockets.toml",
    templates => "templates.toml",
    unit_files => "unit-files.toml",
    users => "users.toml",
}
