//! Boot loaders: what is committed is what boots, and what does not take is told and taken back.

use anyhow::{Result, ensure};
use order::Mode;
use report::{CauseKind, Ending, LoaderDefault};
use session::Answer;

use super::{
    agents::{self, Going, Session, confirm, deploy, promise, settings},
    lab,
    systems::{self, EXTLINUX, GRUB, SOON},
};

#[test]
fn a_loader_that_does_not_take_the_default_takes_the_system_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [deaf] = systems::build(
        &host,
        [r#"system.build.installBootLoader = lib.mkForce "${pkgs.coreutils}/bin/true";"#],
    )?;
    let mut going = Going::start(&host, &deaf, Mode::Switch, settings(SOON))?;
    going.session.until_awaits()?;
    let answer = confirm(&host, &going.order)?;
    ensure!(
        matches!(&answer, Answer::Refused { why } if why.contains("could not be made to last")),
        "{answer:?}"
    );
    let (cause, aftermath) = going.until_rolled_back()?;
    ensure!(cause.kind == CauseKind::BootLoader && cause.text.contains(&old), "{cause:?}");
    ensure!(aftermath.is_empty(), "{aftermath:?}");
    promise(&host, &old)?;
    systems::power_cycle(&host)?;
    promise(&host, &old)
}

/// A host whose systems use this loader boots what was confirmed.
fn boots_what_was_confirmed(loader: &str) -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [old, new] = systems::build(&host, [loader, &format!("{loader} environment.etc.a.text = \"a\";")])?;
    systems::set_profile(&host, &old)?;
    systems::boot(&host, &old)?;
    // What the loader before left behind is no longer anybody's.
    host.sh("rm -rf /boot/loader /boot/EFI; sync")?;
    systems::test(&host, &old)?;
    deploy(&host, &new)?;
    systems::power_cycle(&host)?;
    promise(&host, &new)
}

#[test]
fn grub_boots_what_was_confirmed() -> Result<()> {
    boots_what_was_confirmed(GRUB)
}

#[test]
fn extlinux_boots_what_was_confirmed() -> Result<()> {
    boots_what_was_confirmed(EXTLINUX)
}

#[test]
fn a_host_without_a_loader_boots_its_profile() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let shape = "boot.isContainer = true; boot.loader.systemd-boot.enable = false;";
    let [old, new] = systems::build(&host, [shape, &format!("{shape} environment.etc.a.text = \"a\";")])?;
    systems::set_profile(&host, &old)?;
    systems::test(&host, &old)?;
    host.sh("rm -rf /boot/loader /boot/EFI /boot/lab-firmware")?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(SOON))?;
    assert_eq!(going.session.hello.default, LoaderDefault::NoLoader);
    going.session.until_awaits()?;
    confirm(&host, &going.order)?;
    assert_eq!(going.session.until_ended()?, Ending::Confirmed { lasting: true });
    assert_eq!(host.run(["readlink", "-f", "/nix/var/nix/profiles/system"])?, new);
    host.wait_ssh(SOON)
}

#[test]
fn a_specialisation_that_runs_is_gone_back_to() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [parent, new] = systems::build(
        &host,
        [
            r#"specialisation.quiet.configuration.environment.etc."quiet".text = "yes";"#,
            r#"environment.etc."a".text = "a";"#,
        ],
    )?;
    deploy(&host, &parent)?;
    let variant = host.run(["readlink", "-f", &format!("{parent}/specialisation/quiet")])?;
    systems::test(&host, &variant)?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(std::time::Duration::from_secs(1)))?;
    let (cause, aftermath) = going.until_rolled_back()?;
    ensure!(cause.kind == CauseKind::Unconfirmed && aftermath.is_empty(), "{cause:?} {aftermath:?}");
    promise(&host, &variant)?;
    let boots = Session::start(&host)?.hello.default;
    ensure!(
        matches!(&boots, LoaderDefault::System(system) if parent.ends_with(&system.path.to_string())),
        "{boots:?}"
    );
    deploy(&host, &new)
}
