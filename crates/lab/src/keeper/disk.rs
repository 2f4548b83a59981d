//! A host's disk: an ext4 file system in a loop file under an overlay, so that a power cut can drop what
//! was never synced.

use std::ffi::CString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use run::Command;
use rustix::fs::syncfs;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::layout::HostDir;
use crate::wait;

/// The size of the boot file system: small, as EFI partitions are.
const BOOT_BYTES: u64 = 64 << 20;
/// How long file systems may stay busy after their last process was killed.
const UNMOUNT_LIMIT: Duration = Duration::from_secs(10);

/// The disk of one host.
#[derive(Debug)]
pub(super) struct Disk {
    dir: HostDir,
    layers: Vec<PathBuf>,
}

impl Disk {
    /// Makes the two file systems; `boot` is the first content of the smaller one.
    pub(super) fn create(dir: &HostDir, layers: &[PathBuf], boot: &Path, mib: u64) -> Result<Self> {
        for mount_point in [dir.layer(), dir.root()] {
            fs::create_dir_all(&mount_point)?;
        }
        make_ext4(&dir.disk(), mib << 20, None)?;
        make_ext4(&dir.boot_disk(), BOOT_BYTES, Some(boot))?;
        Ok(Self { dir: dir.clone(), layers: layers.to_vec() })
    }

    /// Mounts the writable layer, the root over it and the boot file system.
    pub(super) fn mount(&self) -> Result<()> {
        let layer = self.dir.layer();
        mount_loop(&self.dir.disk(), &layer)?;
        for name in ["upper", "work"] {
            fs::create_dir_all(layer.join(name))?;
        }
        let lower: Vec<String> = self.layers.iter().map(|path| path.display().to_string()).collect();
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.join(":"),
            layer.join("upper").display(),
            layer.join("work").display()
        );
        let options = CString::new(options)?;
        mount("overlay", self.dir.root(), "overlay", MountFlags::empty(), options.as_c_str())
            .context("cannot mount the host's root")?;
        fs::create_dir_all(self.boot())?;
        mount_loop(&self.dir.boot_disk(), &self.boot())
    }

    /// Writes everything to the loop files: what a host finds at its first boot survives a power cut.
    pub(super) fn sync(&self) -> Result<()> {
        for path in [self.dir.layer(), self.boot()] {
            syncfs(File::open(&path)?).with_context(|| format!("cannot sync {}", path.display()))?;
        }
        Ok(())
    }

    /// Unmounts everything; waits for what a killed process still holds.
    pub(super) fn unmount(&self) -> Result<()> {
        for path in [self.boot(), self.dir.root(), self.dir.layer()] {
            wait::until(&format!("unmounting {}", path.display()), UNMOUNT_LIMIT, || {
                Ok(unmount(&path, UnmountFlags::empty())?)
            })?;
        }
        Ok(())
    }

    /// Copies both file systems as they are on the disk now, without what the kernel still holds in memory.
    pub(super) fn photograph(&self) -> Result<()> {
        for file in [self.dir.disk(), self.dir.boot_disk()] {
            Command::new("cp")
                .args(["--reflink=auto", "--sparse=always"])
                .args([&file, &photograph_of(&file)])
                .run()?;
        }
        Ok(())
    }

    /// Goes back to the last photograph. Nothing may be mounted.
    pub(super) fn develop(&self) -> Result<()> {
        for file in [self.dir.disk(), self.dir.boot_disk()] {
            fs::rename(photograph_of(&file), &file)
                .with_context(|| format!("cannot go back to the copy of {}", file.display()))?;
        }
        Ok(())
    }

    /// Makes ext4 stop taking writes, as it does by itself after an error on the device.
    pub(super) fn break_writes(&self) -> Result<()> {
        Command::new("mount").args(["-o", "remount,abort"]).arg(self.dir.layer()).run()?;
        Ok(())
    }

    /// The host's root file system.
    pub(super) fn root(&self) -> PathBuf {
        self.dir.root()
    }

    /// The host's boot file system.
    pub(super) fn boot(&self) -> PathBuf {
        self.dir.root().join("boot")
    }
}

fn photograph_of(file: &Path) -> PathBuf {
    file.with_extension("photograph")
}

fn make_ext4(file: &Path, bytes: u64, content: Option<&Path>) -> Result<()> {
    File::create(file)?.set_len(bytes).with_context(|| format!("cannot make {}", file.display()))?;
    let mut command = Command::new("mke2fs").args([
        "-q",
        "-F",
        "-t",
        "ext4",
        "-m",
        "0",
        "-E",
        "lazy_itable_init=1,lazy_journal_init=1,nodiscard",
    ]);
    if let Some(content) = content {
        command = command.arg("-d").arg(content);
    }
    command.arg(file).run()?;
    Ok(())
}

fn mount_loop(file: &Path, at: &Path) -> Result<()> {
    Command::new("mount").args(["-t", "ext4", "-o", "loop,noatime"]).args([file, at]).run()?;
    Ok(())
}
