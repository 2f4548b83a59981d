//! Two closures of the operator's own store, compared path by path.

use anyhow::{Context, Result, ensure};
use lab::Host;

use super::{builder, fleets};

/// What is built twice: a library, a program that refers to it and to itself, data, and what leads to all of it.
/// `salt` gives every path another hash and changes nothing else.
const EXPRESSION: &str = r#"{ salt, data }:
let
  build = name: script: derivation {
    inherit name salt;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" script ];
  };
  library = build "library-1.0" "echo a library > $out";
  program = build "program" "echo $out uses ${library} > $out";
  contents = build "data-${data}" "echo ${data} > $out";
in build "root" "echo ${program} ${contents} > $out"
"#;

/// Builds it and returns its path.
fn build(operator: &Host<'_>, salt: &str, data: &str) -> Result<String> {
    let words = [
        "nix-build",
        "--no-out-link",
        "/root/closure.nix",
        "--argstr",
        "salt",
        salt,
        "--argstr",
        "data",
        data,
    ];
    let said = operator.run(words)?;
    Ok(said.lines().last().context("a path")?.to_owned())
}

#[test]
fn what_only_got_other_hashes_is_told_from_what_changed() -> Result<()> {
    let lab = builder().operator().tool(fleets::beside_lab("lockstep")?).start()?;
    let operator = lab.host("operator");
    operator.write("/root/closure.nix", EXPRESSION)?;
    let (old, new) = (build(&operator, "1", "1.0")?, build(&operator, "2", "2.0")?);
    operator.run(["ln", "-s", &new, "/root/result"])?;
    let diff = |words: &[&str]| -> Result<String> {
        let words = [&["/lab/bin/lockstep", "diff", "--closures", &old, "/root/result"], words].concat();
        Ok(operator.command(words)?.run()?.stdout_text())
    };

    let table = diff(&[])?;
    for part in ["data-1.0 -> data-2.0", "4 paths: 2 changed, 2 equivalent", &new] {
        ensure!(table.contains(part), "'{part}' is not told:\n{table}");
    }
    ensure!(!table.contains("library"), "what only got another hash is not listed:\n{table}");

    let lines = diff(&["--json"])?;
    let verdicts = lines.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let name = line["path"].as_str().and_then(|path| path.get(44..)).context("a path")?;
        Ok((name.to_owned(), line["verdict"].as_str().context("a verdict")?.to_owned()))
    });
    let mut verdicts = verdicts.collect::<Result<Vec<_>>>()?;
    verdicts.sort();
    let expected = [
        ("data-2.0", "changed"),
        ("library-1.0", "equivalent"),
        ("program", "equivalent"),
        ("root", "changed"),
    ];
    let expected = expected.map(|(name, verdict)| (name.to_owned(), verdict.to_owned()));
    assert_eq!(verdicts, expected);

    let same = operator.run(["/lab/bin/lockstep", "diff", "--closures", &new, &new])?;
    ensure!(same.contains("4 paths: 4 same"), "{same}");
    let refused = operator.output(["/lab/bin/lockstep", "diff", "--closures", &new, "/etc/hostname"])?;
    ensure!(refused.code() == 2 && refused.stderr_text().contains("is not in the store"), "{refused:?}");
    Ok(())
}

#[test]
fn files_that_were_compared_once_are_not_read_again() -> Result<()> {
    const CACHE: &str = "/root/.cache/lockstep/identities";
    let lab = builder().operator().tool(fleets::beside_lab("lockstep")?).start()?;
    let operator = lab.host("operator");
    operator.write("/root/closure.nix", EXPRESSION)?;
    let (old, new) = (build(&operator, "1", "1.0")?, build(&operator, "2", "2.0")?);
    let diff = || operator.output(["/lab/bin/lockstep", "diff", "--closures", &old, &new]);
    let first = diff()?;
    ensure!(first.code() == 0, "{first:?}");
    operator.run(["test", "-s", CACHE])?;

    // Whoever reads this path now finds something else than the store knows.
    operator.run(["mount", "-o", "remount,rw,bind", "/nix/store"])?;
    operator.write(&new, "something else")?;
    let again = diff()?;
    ensure!(again.code() == 0 && again.stdout_text() == first.stdout_text(), "{again:?}");

    operator.write(CACHE, "not a cache")?;
    let read = diff()?;
    ensure!(
        read.code() == 2 && read.stderr_text().contains("is not the one that the store knows"),
        "{read:?}"
    );
    // What was read before the error is known already.
    ensure!(operator.run(["stat", "--format=%s", CACHE])?.trim() != "11", "it was not replaced");
    Ok(())
}
