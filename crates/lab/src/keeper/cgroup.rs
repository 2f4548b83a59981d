//! A control group for each host: what freezes, kills and limits all of it at once.
//!
//! Freezing and killing need cgroup v2, which is at `/sys/fs/cgroup` or, where the machine still uses v1
//! controllers, at `/sys/fs/cgroup/unified`. Memory is limited by whichever of the two has the controller.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use run::Command;

use crate::wait;

const ROOT: &str = "/sys/fs/cgroup";
/// Everything of ours lies below this group.
const OURS: &str = "lockstep-lab";
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// The control group of one host.
#[derive(Debug)]
pub(super) struct Cgroup {
    unified: PathBuf,
    /// The host's group in each v1 hierarchy that it joins too; empty on a pure v2 machine.
    legacy: Vec<PathBuf>,
}

impl Cgroup {
    /// Makes the group of one host.
    pub(super) fn create(lab: &str, host: &str) -> Result<Self> {
        let below = Path::new(OURS).join(lab).join(host);
        let unified = unified_root().join(&below);
        let legacy = legacy_roots().map(|root| root.join(&below)).collect();
        let group = Self { unified, legacy };
        group.make()?;
        Ok(group)
    }

    fn make(&self) -> Result<()> {
        for dir in self.directories() {
            fs::create_dir_all(dir).with_context(|| format!("cannot create the group {}", dir.display()))?;
        }
        if self.legacy.is_empty() {
            delegate_memory(&self.unified)?;
        }
        Ok(())
    }

    /// The directories whose `cgroup.procs` a process of the host must join.
    fn directories(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.unified).chain(&self.legacy)
    }

    /// The command, as one that joins the group before it becomes the program.
    pub(super) fn enter(&self, command: &Command) -> Command {
        // Not by its path: the program may be built anew while a lab is up.
        let mut enter = Command::new("/proc/self/exe").arg("enter-groups");
        for group in self.directories() {
            enter = enter.arg("--group").arg(group);
        }
        enter.arg("--").wrapping(command)
    }

    /// Removes what an earlier boot made below the group; what is set on the group itself holds on.
    pub(super) fn renew(&self) -> Result<()> {
        remove_children(&self.unified);
        self.make()
    }

    /// Stops every process of the host; returns when none moves any more.
    pub(super) fn freeze(&self) -> Result<()> {
        self.write("cgroup.freeze", "1")?;
        let events = self.unified.join("cgroup.events");
        wait::until_true("freezing the host", KILL_LIMIT, || {
            fs::read_to_string(&events).is_ok_and(|text| text.contains("frozen 1"))
        })
    }

    /// Kills every process of the host and thaws the group for the next boot.
    pub(super) fn kill(&self) -> Result<()> {
        self.write("cgroup.kill", "1")?;
        self.thaw()?;
        let events = self.unified.join("cgroup.events");
        wait::until_true("killing the host", KILL_LIMIT, || {
            fs::read_to_string(&events).is_ok_and(|text| text.contains("populated 0"))
        })
    }

    /// Lets a frozen host go on.
    pub(super) fn thaw(&self) -> Result<()> {
        self.write("cgroup.freeze", "0")
    }

    /// Limits the host's memory together with its swap, or lifts the limit.
    pub(super) fn limit_memory(&self, mib: Option<u64>) -> Result<()> {
        let bytes = mib.map(|mib| mib.saturating_mul(1 << 20).to_string());
        let v1 = self.legacy.iter().find(|dir| dir.starts_with(Path::new(ROOT).join("memory")));
        let Some(group) = v1 else {
            write_if_there(&self.unified.join("memory.swap.max"), bytes.as_ref().map_or("max", |_| "0"))?;
            return self.write("memory.max", bytes.as_deref().unwrap_or("max"));
        };
        // Memory and swap together may never be limited to less than memory alone: lift one before the other.
        let (memory, both) = (group.join("memory.limit_in_bytes"), group.join("memory.memsw.limit_in_bytes"));
        write_if_there(&both, "-1")?;
        write_if_there(&memory, bytes.as_deref().unwrap_or("-1"))?;
        bytes.map_or(Ok(()), |bytes| write_if_there(&both, &bytes))
    }

    fn write(&self, file: &str, value: &str) -> Result<()> {
        let path = self.unified.join(file);
        fs::write(&path, value).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Writes a limit that some kernels do not have: without swap there is nothing to limit.
fn write_if_there(file: &Path, value: &str) -> Result<()> {
    if !file.exists() {
        return Ok(());
    }
    fs::write(file, value).with_context(|| format!("cannot write {}", file.display()))
}

/// Ends whatever still runs of a lab that has ended, and removes its groups.
pub(crate) fn sweep(lab: &str) {
    let group = unified_root().join(OURS).join(lab);
    // A group that does not exist has nothing left to kill.
    let _gone = fs::write(group.join("cgroup.kill"), "1");
    let _late = wait::until_true("the lab's processes to end", KILL_LIMIT, || {
        fs::read_to_string(group.join("cgroup.events")).is_ok_and(|text| text.contains("populated 0"))
            || !group.exists()
    });
    for root in std::iter::once(unified_root()).chain(legacy_roots()) {
        remove_tree(&root.join(OURS).join(lab));
    }
}

/// Adds the calling process to groups: for what becomes a host.
pub fn join(groups: &[PathBuf]) -> Result<()> {
    for group in groups {
        let file = group.join("cgroup.procs");
        fs::write(&file, "0").with_context(|| format!("cannot join {}", group.display()))?;
    }
    Ok(())
}

/// The groups a process is in, of those that a host joins. Tools on a host ask for their own group, and a
/// command that is run there must count and freeze with the rest.
pub fn groups_of(pid: u32) -> Result<Vec<PathBuf>> {
    let path = format!("/proc/{pid}/cgroup");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    Ok(text.lines().filter_map(group_of_line).collect())
}

/// `0::/path` is the unified hierarchy, `N:name=systemd:/path` and `N:memory:/path` the v1 ones.
fn group_of_line(line: &str) -> Option<PathBuf> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let root = match controllers {
        "" => unified_root(),
        "name=systemd" => Path::new(ROOT).join("systemd"),
        "memory" => Path::new(ROOT).join("memory"),
        _ => return None,
    };
    Some(root.join(path.trim_start_matches('/')))
}

fn unified_root() -> PathBuf {
    let hybrid = Path::new(ROOT).join("unified");
    if hybrid.exists() { hybrid } else { PathBuf::from(ROOT) }
}

fn legacy_roots() -> impl Iterator<Item = PathBuf> {
    ["systemd", "memory"].into_iter().map(|name| Path::new(ROOT).join(name)).filter(|dir| dir.exists())
}

/// Lets groups below the root of a pure v2 tree limit memory.
fn delegate_memory(group: &Path) -> Result<()> {
    let parents: Vec<&Path> = group.ancestors().skip(1).take_while(|dir| dir.starts_with(ROOT)).collect();
    for parent in parents.into_iter().rev() {
        let file = parent.join("cgroup.subtree_control");
        fs::write(&file, "+memory")
            .with_context(|| format!("cannot delegate memory in {}", file.display()))?;
    }
    Ok(())
}

/// Removes a tree of empty groups, deepest first; a group that is in use stays, which is what we want.
fn remove_tree(group: &Path) {
    remove_children(group);
    let _in_use = fs::remove_dir(group);
}

fn remove_children(group: &Path) {
    let Ok(entries) = fs::read_dir(group) else { return };
    for entry in entries.flatten() {
        if entry.path().is_dir() {
            remove_tree(&entry.path());
        }
    }
}
