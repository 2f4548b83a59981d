//! The pocket NixOS's own tests, on both Nix versions: what configurations evaluate to, and which errors bad
//! ones get; what activation's programs do to accounts and `/etc`.

use anyhow::Result;
use lab::Suite;

use super::builder;

#[test]
fn configurations_evaluate_as_told_or_say_where_they_are_wrong() -> Result<()> {
    for suite in Suite::ALL {
        let lab = builder().suite(suite).hosts(["h"]).start()?;
        let said = lab.host("h").run(["python3", "-B", "/lab/os/tests/run.py"])?;
        let last = said.lines().last().unwrap_or_default();
        assert!(last.contains("cases") && !last.contains("failed"), "{said}");
    }
    Ok(())
}

#[test]
fn activation_keeps_accounts_and_etc_as_nixos_does() -> Result<()> {
    let lab = builder().hosts(["h"]).start()?;
    let tests = ["python3", "-B", "-m", "unittest", "discover", "--start-directory", "/lab/os/tests"];
    let done = lab.host("h").command(tests)?.run()?;
    let said = done.stderr_text();
    assert!(said.ends_with("OK") && !said.contains("Ran 0 tests"), "{said}");
    Ok(())
}
