//! The operator host: where a scenario runs the product as a user does.

use anyhow::Result;

use super::builder;

#[test]
fn the_operator_host_has_what_an_operator_has() -> Result<()> {
    let lab = builder().operator().hosts(["web1"]).tool(env!("CARGO_BIN_EXE_lab")).start()?;
    let operator = lab.host("operator");
    assert_eq!(operator.ssh("ssh web1 hostname")?, "web1", "by name, with the lab's key, host key known");
    assert!(operator.ssh("git --version")?.starts_with("git version"));
    assert!(operator.ssh("/lab/bin/lab --version")?.starts_with("lab "), "the freshly built program runs");
    let toplevel = "path:/lab/os#nixosConfigurations.base.config.system.build.toplevel";
    let built = operator.ssh(&format!("nix build --no-link --print-out-paths {toplevel}"))?;
    let running = lab.host("web1").run(["readlink", "-f", "/run/current-system"])?;
    assert_eq!(built, running, "the base system is built the same on a host");
    operator.ssh(&format!("nix copy --to ssh-ng://web1 {built}"))?;
    Ok(())
}
