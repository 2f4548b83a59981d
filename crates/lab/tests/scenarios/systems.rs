//! Systems that a scenario switches its hosts between: built on the host itself, several in one go.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::{Host, wait};
use run::Finished;

/// How long a host may take to build a handful of systems on a busy machine.
const BUILD: Duration = Duration::from_secs(120);
/// How long a host may take from power to ssh.
pub(super) const BOOT: Duration = Duration::from_secs(60);
/// How long what a switch set going may take to show.
pub(super) const SOON: Duration = Duration::from_secs(20);

/// Makes the configuration use GRUB.
pub(super) const GRUB: &str =
    r#"boot.loader.systemd-boot.enable = false; boot.loader.grub = { enable = true; device = "/dev/vda"; };"#;
/// Makes the configuration use lanzaboote, whose default is the highest number.
pub(super) const LANZABOOTE: &str = "boot.loader.systemd-boot.enable = false; boot.lanzaboote.enable = true;";
/// Makes the configuration use an `extlinux.conf`.
pub(super) const EXTLINUX: &str =
    "boot.loader.systemd-boot.enable = false; boot.loader.generic-extlinux-compatible.enable = true;";

/// Builds one system for each list of definitions, each over the lab's base; returns their paths.
pub(super) fn build<const N: usize>(host: &Host<'_>, definitions: [&str; N]) -> Result<[String; N]> {
    let system = |text: &&str| format!("  (system ({{ lib, pkgs, ... }}: {{ {text} }}))\n");
    let expression = format!(
        "let system = module: (import /lab/os {{ configuration = {{ imports = [ /lab/os/base/configuration.nix module ]; }}; }}).system; in [\n{}]\n",
        definitions.iter().map(system).collect::<String>()
    );
    end_users_at_once(host)?;
    host.write("/root/systems.nix", expression)?;
    let command = host.command(["nix-build", "--quiet", "--no-out-link", "/root/systems.nix"])?;
    let built = command.timeout(BUILD).run().context("building the scenario's systems")?.stdout_text();
    let paths: Vec<String> = built.lines().map(str::to_owned).collect();
    ensure!(paths.len() == N, "asked for {N} systems, got:\n{built}");
    Ok(paths.try_into().expect("invariant: as many paths as systems"))
}

/// A switch that falls into the end of a user's manager ends with 4. It ends ten seconds after the last
/// session; here it ends at once, so that it can be waited for.
fn end_users_at_once(host: &Host<'_>) -> Result<()> {
    host.write("/etc/systemd/logind.conf.d/50-lab.conf", "[Login]\nUserStopDelaySec=0\n")?;
    host.run(["systemctl", "restart", "systemd-logind.service"]).map(drop)
}

/// Waits until no user's manager runs, whose end would fall into a switch.
pub(super) fn wait_logged_out(host: &Host<'_>) -> Result<()> {
    wait::until("everybody to be logged out", SOON, || {
        let users = host.run(["loginctl", "--no-legend", "list-users"])?;
        ensure!(users.is_empty(), "{users}");
        Ok(())
    })
}

/// Runs a system's own `switch-to-configuration`, whatever it ends with.
pub(super) fn switch(host: &Host<'_>, system: &str, action: &str) -> Result<Finished> {
    wait_logged_out(host)?;
    host.output([&format!("{system}/bin/switch-to-configuration"), action])
}

/// Activates a system until the next boot; it must succeed.
pub(super) fn test(host: &Host<'_>, system: &str) -> Result<()> {
    wait_logged_out(host)?;
    test_while_logged_in(host, system)
}

/// The same while root holds a connection.
pub(super) fn test_while_logged_in(host: &Host<'_>, system: &str) -> Result<()> {
    host.run([&format!("{system}/bin/switch-to-configuration"), "test"]).map(drop)
}

/// Makes a system the newest generation of the host's profile.
pub(super) fn set_profile(host: &Host<'_>, system: &str) -> Result<()> {
    host.run(["nix-env", "--profile", "/nix/var/nix/profiles/system", "--set", system]).map(drop)
}

/// Installs the boot loader of a system, with that system as the default it is asked for.
pub(super) fn boot(host: &Host<'_>, system: &str) -> Result<()> {
    let script = format!("NIXOS_INSTALL_BOOTLOADER=1 {system}/bin/switch-to-configuration boot; sync");
    host.sh(&script).map(drop)
}

/// Lets the host reboot itself and waits until it is there again.
pub(super) fn reboot(host: &Host<'_>) -> Result<()> {
    host.reboot(BOOT)?;
    host.wait_ssh(BOOT)
}

/// Cuts the host's power and waits until it is there again.
pub(super) fn power_cycle(host: &Host<'_>) -> Result<()> {
    host.power_cycle()?;
    host.wait_ssh(BOOT)
}

/// The system that the host was booted into.
pub(super) fn booted(host: &Host<'_>) -> Result<String> {
    host.run(["readlink", "-f", "/run/booted-system"])
}

/// The system that was activated last.
pub(super) fn current(host: &Host<'_>) -> Result<String> {
    host.run(["readlink", "-f", "/run/current-system"])
}
