//! Reboots into a new system: tried once, kept when confirmed, and left by itself when not.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use lab::{Host, wait, wire::Power};
use order::{Mode, Order, OrderId};
use report::{CauseKind, Ending};
use session::{Reply, Request};

use super::{
    agents::{self, CARRIES_AGENT, Going, Session, confirm, promise, settings},
    lab,
    systems::{self, BOOT, EXTLINUX, GRUB, LANZABOOTE},
};

const LONG: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_secs(2);
/// How long a host may take to be tried, to give up, and to be back.
const BACK: Duration = Duration::from_secs(180);
const SYSTEMD_BOOT: &str = "";

/// A host that runs and boots a system with this loader and the start unit, and another such system.
fn prepare(host: &Host<'_>, loader: &str, change: &str) -> Result<[String; 2]> {
    agents::install_module(host)?;
    let old = format!("{loader} {CARRIES_AGENT}");
    let pair = systems::build(host, [&old, &format!("{old} environment.etc.a.text = \"a\"; {change}")])?;
    let [old, _] = &pair;
    systems::set_profile(host, old)?;
    systems::boot(host, old)?;
    if loader == GRUB || loader == EXTLINUX {
        // What the loader before left behind is no longer anybody's.
        host.sh("rm -rf /boot/loader /boot/EFI; sync")?;
    }
    systems::reboot(host)?;
    ensure!(systems::booted(host)? == *old);
    Ok(pair)
}

/// Begins, and leaves the host to itself: a session that nobody reaps would hold up the end of its process 1.
fn leave(host: &Host<'_>, new: &str, limit: Duration) -> Result<Order> {
    let Going { session, order } = Going::start(host, new, Mode::Reboot, settings(limit))?;
    session.cut();
    Ok(order)
}

/// The same, and waits until the host was started again.
fn tried(host: &Host<'_>, new: &str, limit: Duration) -> Result<Order> {
    let boots = host.status()?.boots;
    let order = leave(host, new, limit)?;
    wait::until("the host to reboot", BOOT, || {
        ensure!(host.status()?.boots > boots, "{:?}", host.status()?.power);
        Ok(())
    })?;
    Ok(order)
}

/// Waits until nothing is unfinished, without a contact: what the host's own journal says.
fn ended_alone(host: &Host<'_>) -> Result<String> {
    wait::until("the host to come to an end by itself", BACK, || {
        ensure!(host.answers_ssh(), "no ssh");
        let journal = host.run(["cat", "/nix/var/lockstep/journal.json"])?;
        ensure!(journal.contains("\"rolled-back\"") || journal.contains("\"stuck\""), "{journal}");
        Ok(journal)
    })
}

/// The rolled-back end of an order, and that nothing of the trial is left.
fn rolled_back(host: &Host<'_>, order: &OrderId, kind: CauseKind, old: &str) -> Result<()> {
    ended_alone(host)?;
    let mut session = Session::start(host)?;
    session.send(&Request::Follow { order: order.clone() })?;
    let ending = session.until_ended()?;
    let Ending::RolledBack { cause, aftermath } = ending else { bail!("{ending:?}") };
    let told = aftermath.iter().all(|line| line == "the host was rebooted into its boot default");
    ensure!(cause.kind == kind && told, "{cause:?} {aftermath:?}");
    nothing_left(host)?;
    promise(host, old)
}

fn nothing_left(host: &Host<'_>) -> Result<()> {
    let left = host.sh(
        "set +e; ls /nix/var/nix/profiles/system-profiles 2>/dev/null | grep -v '\\.lock$'; ls /boot/loader/entries \
         /sys/firmware/efi/efivars 2>/dev/null | grep -E 'lockstep|OneShot'; \
         grep -a next_entry= /boot/grub/grubenv 2>/dev/null; true",
    )?;
    ensure!(left.is_empty(), "{left}");
    Ok(())
}

fn kept_when_confirmed(loader: &str) -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [_, new] = prepare(&host, loader, "")?;
    let order = tried(&host, &new, LONG)?;
    host.wait_ssh(BOOT)?;
    ensure!(systems::booted(&host)? == new);
    let mut session = Session::start(&host)?;
    session.send(&Request::Follow { order: order.id.clone() })?;
    session.until_awaits()?;
    confirm(&host, &order)?;
    let ending = session.until_ended()?;
    ensure!(ending == Ending::Confirmed { lasting: true }, "{ending:?}; {}", session.log);
    nothing_left(&host)?;
    promise(&host, &new)?;
    systems::power_cycle(&host)?;
    promise(&host, &new)
}

#[test]
fn systemd_boot_boots_once_and_keeps_what_was_confirmed() -> Result<()> {
    kept_when_confirmed(SYSTEMD_BOOT)
}

#[test]
fn grub_boots_once_and_keeps_what_was_confirmed() -> Result<()> {
    kept_when_confirmed(GRUB)
}

fn left_when_not_confirmed(loader: &str) -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [old, new] = prepare(&host, loader, "")?;
    let order = tried(&host, &new, SHORT)?;
    rolled_back(&host, &order.id, CauseKind::Unconfirmed, &old)
}

#[test]
fn systemd_boot_comes_back_from_what_nobody_confirmed() -> Result<()> {
    left_when_not_confirmed(SYSTEMD_BOOT)
}

#[test]
fn grub_comes_back_from_what_nobody_confirmed() -> Result<()> {
    left_when_not_confirmed(GRUB)
}

#[test]
fn a_system_that_panics_is_left_at_the_next_power_cycle() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [old, new] = prepare(&host, SYSTEMD_BOOT, r#"lab.init = "panic";"#)?;
    let order = leave(&host, &new, LONG)?;
    wait::until("the panic", BOOT, || {
        ensure!(matches!(host.status()?.power, Power::Panicked { .. }));
        Ok(())
    })?;
    // A real one would start again by itself after `panic=30`.
    systems::power_cycle(&host)?;
    rolled_back(&host, &order.id, CauseKind::BootLoader, &old)
}

/// What makes a system end in emergency mode when it boots, where nothing but the start unit is started.
const NO_FILE_SYSTEM: &str = r#"fileSystems."/data" = { device = "none"; fsType = "nothing"; };"#;

#[test]
fn a_system_in_emergency_mode_is_left_by_itself() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [old, new] = prepare(&host, SYSTEMD_BOOT, NO_FILE_SYSTEM)?;
    let order = tried(&host, &new, LONG)?;
    rolled_back(&host, &order.id, CauseKind::Units, &old)
}

/// Why an order for a reboot into this system is refused.
fn refusal(host: &Host<'_>, system: &str) -> Result<String> {
    let mut session = Session::start(host)?;
    let order = session.order(system, Mode::Reboot, agents::limits(LONG))?;
    match session.ask(&Request::Deliver(Box::new(order)))? {
        Reply::Refused(cause) => Ok(cause.text),
        other => bail!("{other:?}"),
    }
}

#[test]
fn what_leaves_a_reboot_unguarded_is_refused_before_anything_is_changed() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [_, new] = prepare(&host, SYSTEMD_BOOT, "")?;
    let [without] = systems::build(&host, ["environment.etc.b.text = \"b\";"])?;
    let variables = "/sys/firmware/efi/efivars";
    let cases = [
        ("true", without.as_str(), "no lockstep-boot.service"),
        (&format!("mount -o remount,bind,ro {variables}"), &new, "mounted read-only"),
        (
            &format!("mount -o remount,bind,rw {variables}; rm {variables}/LoaderInfo-*"),
            &new,
            "does not say its name",
        ),
        (&format!("umount {variables}"), &new, "the firmware's variables"),
        (
            "sed -i 's/^default .*/default nixos-*/' /boot/loader/loader.conf",
            &new,
            "would become the default",
        ),
        ("rm -r /boot/loader /boot/EFI", &new, "is the boot file system mounted?"),
    ];
    for (spoil, system, expected) in cases {
        host.sh(spoil)?;
        let text = refusal(&host, system)?;
        ensure!(text.contains("unguarded") && text.contains(expected), "{spoil}: {text}");
    }
    Ok(())
}

fn refused_with(loader: &str, spoil: &str, expected: &str) -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [_, new] = prepare(&host, loader, "")?;
    host.sh(spoil)?;
    let text = refusal(&host, &new)?;
    ensure!(text.contains(expected), "{text}");
    Ok(())
}

#[test]
fn loaders_without_an_entry_for_one_boot_are_told() -> Result<()> {
    refused_with(EXTLINUX, "true", "extlinux has no entry for one boot only")?;
    refused_with(LANZABOOTE, "true", "what is tried would become the default")
}

#[test]
fn grub_that_cannot_take_an_entry_back_is_told() -> Result<()> {
    let covered = "cp -r /boot /tmp/boot; mount -t tmpfs boot /boot; cp -r /tmp/boot/. /boot";
    refused_with(GRUB, covered, "it lies on tmpfs")
}
