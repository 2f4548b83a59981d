//! What stands in the way of a lab is said, with what to do about it, and nothing is begun.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lab::Layout;
use run::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab");

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Result<Self> {
        let dir = env::temp_dir().join(format!("lab-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

/// What `command` says when it fails; it must fail.
fn refusal(command: Command) -> Result<String> {
    let done = command.output()?;
    assert_eq!(done.code(), 1, "{}", done.stdout_text());
    Ok(done.stderr_text())
}

#[test]
fn a_lab_without_root_is_refused() -> Result<()> {
    let scratch = Scratch::new("nobody")?;
    let program = scratch.0.join("lab");
    fs::copy(PROGRAM, &program)?;
    let command = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .args(["up", "--lab", "nobody"]);
    let said = refusal(command)?;
    assert!(said.contains("the lab needs root, for namespaces and mounts: run it as root"), "{said}");
    Ok(())
}

#[test]
fn a_lab_without_space_is_refused() -> Result<()> {
    let scratch = Scratch::new("small")?;
    let script = r#"mount -t tmpfs -o size=50m tmpfs "$1"; LOCKSTEP_LAB_DIR="$1/lab" exec "$2" up"#;
    let command =
        Command::new("unshare").args(["--mount", "sh", "-euc", script, "sh"]).arg(&scratch.0).arg(PROGRAM);
    let said = refusal(command)?;
    let free = "only 50 MiB are free for";
    assert!(said.contains(free) && said.contains("set LOCKSTEP_LAB_DIR to another disk"), "{said}");
    Ok(())
}

#[test]
fn a_missing_program_is_named_with_its_package() -> Result<()> {
    let said = refusal(Command::new(PROGRAM).arg("up").env("PATH", "/does/not/exist"))?;
    for line in [
        "- no `systemd-nspawn` in PATH: `apt-get install systemd-container`",
        "- no `debootstrap` in PATH: `apt-get install debootstrap`",
        "- no `ip` in PATH: `apt-get install iproute2`",
    ] {
        assert!(said.contains(line), "{said}");
    }
    Ok(())
}

/// The kernel's devices are hidden by an empty `/dev` in a mount namespace of the test's own.
#[test]
fn a_kernel_that_lacks_something_is_named() -> Result<()> {
    let script = r#"mount -t tmpfs tmpfs /dev; exec "$1" up"#;
    let command = Command::new("unshare").args(["--mount", "sh", "-euc", script, "sh"]).arg(PROGRAM);
    let said = refusal(command)?;
    assert!(said.contains("- the kernel offers no loop devices (module `loop`)"), "{said}");
    assert!(said.contains("- the kernel offers no tap interfaces (module `tun`)"), "{said}");
    Ok(())
}

/// An image directory as the real one, but with most of its content gone.
fn copy_without_content(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let target = to.join(&name);
        // A disk of a virtual machine is large, and sparse only where it lies.
        let is_large = ["root", "layer", "boot"].iter().any(|large| name == *large)
            || name.to_string_lossy().starts_with("vm-");
        if is_large {
            fs::create_dir_all(target)?;
        } else if path.is_dir() {
            fs::create_dir_all(&target)?;
            copy_without_content(&path, &target)?;
        } else {
            fs::copy(path, target)?;
        }
    }
    Ok(())
}

#[test]
fn a_broken_image_is_named_before_a_host_boots_from_it() -> Result<()> {
    let scratch = Scratch::new("broken")?;
    let images = scratch.0.join("images");
    fs::create_dir_all(&images)?;
    copy_without_content(&Layout::from_env().images(), &images)?;
    let said = refusal(Command::new(PROGRAM).arg("up").env("LOCKSTEP_LAB_DIR", &scratch.0))?;
    assert!(said.starts_with("lab: the image is broken: "), "{said}");
    assert!(
        said.contains("usr/bin/nix is missing; remove") && said.ends_with("and run `cargo lab image`"),
        "{said}"
    );
    Ok(())
}

#[test]
fn names_that_cannot_be_hosts_are_refused() -> Result<()> {
    for (names, expected) in [
        (["a", "a"], "lab: two hosts are called `a`"),
        (["a", "b c"], "lab: `b c` is no host name: use letters, digits, `-` and `.`, at most 63"),
    ] {
        let said = refusal(Command::new(PROGRAM).args(["up", "--lab", "misnamed"]).args(names))?;
        assert_eq!(said, expected);
    }
    let there = fs::exists(Layout::from_env().lab("misnamed").path()).context("cannot look")?;
    assert!(!there, "nothing was begun");
    Ok(())
}
