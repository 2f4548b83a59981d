//! What a host is: a machine with an init, an address, keys and a store of its own.

use std::collections::BTreeSet;

use anyhow::Result;
use lab::wire::Power;
use lab::{HostSpec, Lab, Layout, Suite};

use super::{builder, lab};

#[test]
fn three_hosts_boot_the_system_that_their_entry_names() -> Result<()> {
    let lab = lab(["web1", "web2", "db1"])?;
    let mut keys = BTreeSet::new();
    for host in lab.hosts() {
        let status = host.status()?;
        let toplevel = host.run(["readlink", "-f", "/nix/var/nix/profiles/system"])?;
        assert!(matches!(status.power, Power::On { .. }), "{status:?}");
        assert_eq!(status.entry.as_deref(), Some("nixos-generation-1.conf"));
        assert_eq!(status.init, Some(format!("{toplevel}/init")));
        assert_eq!(host.run(["readlink", "-f", "/run/booted-system"])?, toplevel);
        assert_eq!(host.ssh("systemctl is-system-running")?, "running");
        assert_eq!(host.run(["hostname"])?, host.name());
        assert_eq!(host.run(["cat", "/proc/1/comm"])?, "systemd");
        let address = host.run(["ip", "-brief", "-4", "address", "show", "host0"])?;
        assert!(address.contains(&format!("{}/24", host.address())), "{address}");
        keys.insert(host.run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"])?);
    }
    assert_eq!(keys.len(), 3, "each host has a key of its own");
    Ok(())
}

/// Both images have the Nix they are there for, with a daemon, and a store that works without a network.
#[test]
fn both_images_build_with_their_own_nix() -> Result<()> {
    for (suite, version) in [(Suite::Trixie, "nix (Nix) 2.26.3"), (Suite::Sid, "nix (Nix) 2.34.")] {
        let lab = builder().suite(suite).hosts(["h"]).start()?;
        let host = lab.host("h");
        let said = host.ssh("nix --version")?;
        assert!(said.starts_with(version), "{said}");
        let expression = r#"derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $word > $out" ]; word = "hello"; }"#;
        let built = host.run(["env", "NIX_REMOTE=daemon", "nix-build", "--no-out-link", "-E", expression])?;
        assert_eq!(host.run(["cat", &built])?, "hello");
    }
    Ok(())
}

#[test]
fn two_labs_live_side_by_side_with_the_same_addresses() -> Result<()> {
    let (one, two) = (lab(["a"])?, lab(["a"])?);
    let (one, two) = (one.host("a"), two.host("a"));
    one.write("/root/who", "one")?;
    two.write("/root/who", "two")?;
    assert_eq!(one.address(), two.address());
    assert_eq!((one.ssh("cat /root/who")?, two.ssh("cat /root/who")?), ("one".into(), "two".into()));
    Ok(())
}

#[test]
fn a_lab_of_a_name_that_is_up_is_refused() -> Result<()> {
    let id = format!("named-{}", std::process::id());
    let first = builder().hosts(["a"]).start_detached(&id)?;
    let second = builder().hosts(["a"]).start_detached(&id).unwrap_err().to_string();
    assert!(second.starts_with(&format!("the lab `{id}` is up already; `cargo lab down")), "{second}");
    first.end()?;
    let gone = Lab::find(&Layout::from_env(), &id).unwrap_err().to_string();
    assert_eq!(gone, format!("no lab `{id}` is up; `cargo lab up` brings one up"));
    Ok(())
}

#[test]
fn a_host_of_512_mib_kills_what_wants_more_and_lives_on() -> Result<()> {
    let lab = builder().host(HostSpec { memory_mib: Some(512), ..HostSpec::new("small") }).start()?;
    let small = lab.host("small");
    let hungry = "b = bytearray(700 << 20); print(len(b))";
    let unit = ["systemd-run", "--quiet", "--pipe", "--wait", "python3", "-c", hungry];
    let done = small.output(unit)?;
    assert!(!done.status.success(), "700 MiB fitted into 512: {}", done.stdout_text());
    small.limit_memory(None)?;
    assert_eq!(small.run(unit)?, (700 << 20).to_string());
    assert!(small.answers_ssh());
    Ok(())
}
