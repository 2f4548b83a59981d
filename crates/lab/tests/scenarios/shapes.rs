//! Systems of unusual shapes: specialisations, containers' systems, systemd as `init`, a root that forgets.

use anyhow::Result;
use lab::Host;

use super::lab;
use super::systems::{boot, booted, build, current, power_cycle, reboot, set_profile, switch, test};

fn exists(host: &Host<'_>, path: &str) -> Result<bool> {
    Ok(host.output(["test", "-e", path])?.status.success())
}

#[test]
fn booting_a_specialisation_by_default_is_silently_not_done() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let definition = r#"specialisation.quiet.configuration.environment.etc."quiet".text = "yes";"#;
    let [parent] = build(&host, [definition])?;
    set_profile(&host, &parent)?;
    boot(&host, &parent)?;
    let variant = host.run(["readlink", "-f", &format!("{parent}/specialisation/quiet")])?;
    test(&host, &variant)?;
    assert_eq!(current(&host)?, variant);
    assert_eq!(host.run(["cat", "/etc/quiet"])?, "yes");
    let done = switch(&host, &variant, "boot")?;
    assert_eq!(done.code(), 0, "{}", done.stderr_text());
    reboot(&host)?;
    assert_eq!(booted(&host)?, parent);
    host.run(["bootctl", "set-oneshot", "nixos-generation-2-specialisation-quiet.conf"])?;
    reboot(&host)?;
    assert_eq!((booted(&host)?, current(&host)?), (variant.clone(), variant));
    Ok(())
}

#[test]
fn a_system_of_a_container_has_no_kernel_and_changes_no_default() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [container] = build(&host, ["boot.isContainer = true; boot.loader.systemd-boot.enable = false;"])?;
    for file in ["kernel", "initrd", "kernel-modules", "boot.json"] {
        assert!(!exists(&host, &format!("{container}/{file}"))?, "{file}");
        assert!(exists(&host, &format!("{old}/{file}"))?, "{file}");
    }
    set_profile(&host, &container)?;
    let done = switch(&host, &container, "switch")?;
    assert_eq!(done.code(), 0, "{}", done.stderr_text());
    assert_eq!(current(&host)?, container);
    power_cycle(&host)?;
    assert_eq!(booted(&host)?, old, "its boot step does nothing");
    Ok(())
}

#[test]
fn a_system_without_a_switch_can_be_booted_and_left() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [bare] = build(&host, ["system.switch.enable = false;"])?;
    assert!(!exists(&host, &format!("{bare}/bin/switch-to-configuration"))?);
    assert!(!exists(&host, &format!("{bare}/switch-inhibitors"))?);
    set_profile(&host, &bare)?;
    boot(&host, &old)?;
    host.run(["bootctl", "set-oneshot", "nixos-generation-2.conf"])?;
    reboot(&host)?;
    assert_eq!((booted(&host)?, current(&host)?), (bare.clone(), bare));
    test(&host, &old)?;
    assert_eq!(current(&host)?, old);
    Ok(())
}

/// Puts an init of our own before a system's: what an initrd would do, in a program that the entry names.
fn boot_through(host: &Host<'_>, initrd: &str) -> Result<()> {
    host.write("/tmp/initrd/init", initrd)?;
    host.run(["chmod", "+x", "/tmp/initrd/init"])?;
    let initrd = host.run(["nix-store", "--add", "/tmp/initrd"])?;
    host.sh(&format!("sed -i 's|init=[^ ]*|init={initrd}/init|' /boot/loader/entries/*.conf; sync"))?;
    reboot(host)
}

#[test]
fn a_system_with_systemd_as_init_is_activated_before_it() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let definition = r#"boot.initrd.systemd.enable = true; environment.etc."shape".text = "stage 1";"#;
    let [shaped] = build(&host, [definition])?;
    let magic = host.run(["head", "-c", "4", &format!("{shaped}/init")])?;
    assert_eq!(magic, "\u{7f}ELF", "init is systemd itself");
    boot_through(&host, &format!("#!/bin/sh\nexec {shaped}/prepare-root {shaped}/init\n"))?;
    assert_eq!((booted(&host)?, current(&host)?), (shaped.clone(), shaped.clone()));
    assert_eq!(host.run(["readlink", "/proc/1/exe"])?, format!("{shaped}/init"));
    assert_eq!(host.run(["cat", "/etc/shape"])?, "stage 1");
    test(&host, &old)?;
    test(&host, &shaped)?;
    assert_eq!(host.ssh("systemctl is-system-running")?, "running");
    Ok(())
}

/// What an initrd does for a root that forgets: only the store, the boot file system, and what was
/// chosen to be kept are there again. Debian's own directories stand for what NixOS has in its store.
const FORGETFUL: &str = r#"#!/bin/sh
set -eu
unset container_uuid
export PATH=/usr/sbin:/usr/bin
root=/mnt
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs $root
mkdir -p $root/nix $root/boot $root/persist $root/usr $root/lab $root/proc $root/sys $root/dev $root/run $root/tmp $root/etc $root/var $root/root /persist
for name in bin sbin lib lib64; do ln -s usr/$name $root/$name; done
cp -a /etc/. $root/etc
rm -f $root/etc/machine-id $root/etc/NIXOS $root/etc/.clean
cp -a /var/lib $root/var/
rm -rf $root/var/lib/nixos
for name in nix boot persist usr lab proc sys dev run; do mount --rbind /$name $root/$name; done
cd $root
mount --move . /
exec chroot . SYSTEM/init
"#;

#[test]
fn a_root_in_memory_keeps_the_store_and_what_was_chosen() -> Result<()> {
    let lab = lab(["web1", "web2"])?;
    let (host, other) = (lab.host("web1"), lab.host("web2"));
    let machine_id = |host: &Host<'_>| host.run(["cat", "/etc/machine-id"]);
    assert_ne!(machine_id(&host)?, machine_id(&other)?, "each host has one of its own");
    let system = current(&host)?;
    boot_through(&host, &FORGETFUL.replace("SYSTEM", &system))?;
    assert_eq!(host.run(["findmnt", "-n", "-o", "FSTYPE", "/"])?, "tmpfs");
    let before = machine_id(&host)?;
    host.sh("for dir in /var/lib /root /etc /nix/var /boot /persist; do echo kept > $dir/left; done; sync")?;
    reboot(&host)?;
    assert_eq!((booted(&host)?, current(&host)?), (system.clone(), system));
    assert_ne!(machine_id(&host)?, before, "a new machine id at each boot");
    for dir in ["/nix/var", "/boot", "/persist"] {
        assert!(exists(&host, &format!("{dir}/left"))?, "{dir} is kept");
    }
    for dir in ["/var/lib", "/root", "/etc"] {
        assert!(!exists(&host, &format!("{dir}/left"))?, "{dir} is forgotten");
    }
    Ok(())
}
