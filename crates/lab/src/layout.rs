//! Where images and labs lie on the disk.

use std::env;
use std::path::{Path, PathBuf};

/// The root of everything the lab writes: `$LOCKSTEP_LAB_DIR`, or `/var/lib/lockstep-lab`.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Takes the root from the environment.
    #[must_use]
    pub fn from_env() -> Self {
        let root = env::var_os("LOCKSTEP_LAB_DIR");
        Self { root: root.map_or_else(|| PathBuf::from("/var/lib/lockstep-lab"), PathBuf::from) }
    }

    /// The root itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where cached images lie.
    #[must_use]
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// Where labs that run (or ran and were cut off) lie.
    #[must_use]
    pub fn labs(&self) -> PathBuf {
        self.root.join("labs")
    }

    /// One lab.
    #[must_use]
    pub fn lab(&self, id: &str) -> LabDir {
        LabDir(self.labs().join(id))
    }
}

/// The directory of one lab.
#[derive(Clone, Debug)]
pub struct LabDir(PathBuf);

impl LabDir {
    /// The directory at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The lab's name: what stands below the directory of all labs.
    #[must_use]
    pub fn id(&self) -> String {
        let below = self.0.to_string_lossy();
        below.rsplit_once("/labs/").map_or_else(|| below.clone().into_owned(), |(_, id)| id.to_owned())
    }

    /// Locked by the keeper for as long as it lives.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// What the keeper was asked to bring up.
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    /// The keeper's socket; it exists once every host has been started.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.0.join("control")
    }

    /// The process id of `unshare`, as the owner sees it.
    #[must_use]
    pub fn pid(&self) -> PathBuf {
        self.0.join("pid")
    }

    /// What the keeper had to say.
    #[must_use]
    pub fn keeper_log(&self) -> PathBuf {
        self.0.join("keeper.log")
    }

    /// The private ssh key that may log in to every host as root.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.0.join("key")
    }

    /// The hosts' public host keys in `known_hosts` form.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.0.join("known_hosts")
    }

    /// Programs that the operator host finds under `/lab/bin`.
    #[must_use]
    pub fn tools(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// Where the image's tools for virtual machines are mounted, for the keeper.
    #[must_use]
    pub fn vm_tools(&self) -> PathBuf {
        self.0.join("vm-tools")
    }

    /// The directories of all hosts.
    #[must_use]
    pub fn hosts(&self) -> PathBuf {
        self.0.join("hosts")
    }

    /// The directory of one host.
    #[must_use]
    pub fn host(&self, name: &str) -> HostDir {
        HostDir(self.hosts().join(name))
    }
}

/// The directory of one host. The mount points below it are mounted only in the keeper's namespace.
#[derive(Clone, Debug)]
pub struct HostDir(PathBuf);

impl HostDir {
    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The loop file with the ext4 file system of the host's writable layer.
    #[must_use]
    pub fn disk(&self) -> PathBuf {
        self.0.join("disk.ext4")
    }

    /// The loop file with the host's 64 MiB boot file system.
    #[must_use]
    pub fn boot_disk(&self) -> PathBuf {
        self.0.join("boot.ext4")
    }

    /// A virtual machine's root disk: what it wrote over the image's.
    #[must_use]
    pub fn vm_root(&self) -> PathBuf {
        self.0.join("root.qcow2")
    }

    /// A virtual machine's second disk, with the boot loader.
    #[must_use]
    pub fn vm_boot(&self) -> PathBuf {
        self.0.join("boot.raw")
    }

    /// A virtual machine's third disk, with its identity.
    #[must_use]
    pub fn vm_identity(&self) -> PathBuf {
        self.0.join("identity.ext4")
    }

    /// A virtual machine's firmware variables.
    #[must_use]
    pub fn vm_variables(&self) -> PathBuf {
        self.0.join("variables.fd")
    }

    /// Where QEMU tells what becomes of a virtual machine.
    #[must_use]
    pub fn vm_monitor(&self) -> PathBuf {
        self.0.join("qmp")
    }

    /// Where the writable layer is mounted.
    #[must_use]
    pub fn layer(&self) -> PathBuf {
        self.0.join("layer")
    }

    /// Where the host's root file system is mounted.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    /// What the host reads of itself under `/run/lab`: its lease and who may log in.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.0.join("identity")
    }

    /// The firmware's variables, in the kernel's form: kept whatever happens to the power.
    #[must_use]
    pub fn efivars(&self) -> PathBuf {
        self.0.join("efivars")
    }

    /// What the host wrote to its console, over all boots.
    #[must_use]
    pub fn console(&self) -> PathBuf {
        self.0.join("console.log")
    }
}
