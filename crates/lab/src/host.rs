//! One host of a lab, as a scenario holds it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use run::{Command, Finished};

use crate::clock;
use crate::owner::Lab;
use crate::spec::{HostSpec, Spec};
use crate::wait;
use crate::wire::{Action, HostStatus, Power};

/// How long one command on a host may take unless the scenario says otherwise.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// The same on a virtual machine, which is slower by far; also for a new connection to it.
const VM_COMMAND_LIMIT: Duration = Duration::from_secs(240);
/// The most that is copied to a host at once, in bytes: it is held in memory.
const COPY_LIMIT: usize = 1 << 30;
/// How long a host may take to hand out its journal.
const JOURNAL_LIMIT: Duration = Duration::from_secs(10);
/// Where programs are on a pocket NixOS, and on the Debian below it.
const PATH: &str = "/run/wrappers/bin:/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A host.
#[derive(Clone, Copy, Debug)]
pub struct Host<'lab> {
    lab: &'lab Lab,
    spec: &'lab HostSpec,
    index: usize,
}

/// Who logs in over ssh, and how.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The user on the host.
    pub user: &'a str,
    /// The port sshd listens on.
    pub port: u16,
    /// How long to wait for the connection.
    pub patience: Duration,
}

/// These words for a shell, each as it is.
fn quoted(words: impl Iterator<Item = OsString>) -> OsString {
    let mut line = OsString::new();
    for word in words {
        line.push("'");
        line.push(word.to_string_lossy().replace('\'', r"'\''"));
        line.push("' ");
    }
    line
}

impl Default for Login<'_> {
    fn default() -> Self {
        Self { user: "root", port: 22, patience: Duration::from_secs(10) }
    }
}

impl<'lab> Host<'lab> {
    pub(crate) fn new(lab: &'lab Lab, spec: &'lab HostSpec, index: usize) -> Self {
        Self { lab, spec, index }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'lab str {
        &self.spec.name
    }

    /// Whether it is a virtual machine.
    #[must_use]
    pub fn is_vm(&self) -> bool {
        self.spec.vm.is_some()
    }

    /// Its IPv4 address.
    #[must_use]
    pub fn address(&self) -> String {
        Spec::address(self.index)
    }

    /// Its IPv6 address.
    #[must_use]
    pub fn address6(&self) -> String {
        Spec::address6(self.index)
    }

    /// How it is.
    pub fn status(&self) -> Result<HostStatus> {
        let all = self.lab.status()?;
        all.into_iter().find(|host| host.name == self.name()).context("the keeper forgot a host")
    }

    /// A command that runs on the host as root, as from its console: without network or sshd. Only into a
    /// virtual machine there is no other way than over ssh.
    pub fn command<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Result<Command> {
        let Power::On { init } = self.status()?.power else { bail!("{} is not running", self.name()) };
        if self.is_vm() {
            let path = format!("PATH={PATH}");
            let first = ["env", &path, "HOME=/root"].map(OsString::from);
            let words = first.into_iter().chain(words.into_iter().map(|word| word.as_ref().to_owned()));
            return Ok(self.ssh_command(Login::default()).arg(quoted(words)).timeout(VM_COMMAND_LIMIT));
        }
        let (keeper, init) = (self.lab.keeper().to_string(), init.to_string());
        let inside = Command::new("nsenter")
            .args(["--target", &init, "--mount", "--root", "--uts", "--ipc", "--net", "--pid", "--cgroup"])
            .args(["--wdns=/", "--", "env", "-i", &format!("PATH={PATH}"), "HOME=/root", "LANG=C.UTF-8"])
            .arg(clock::KEEP_MONOTONIC)
            .args(words);
        let command = Command::new("nsenter")
            .args(["--target", &keeper, "--mount", "--root", "--net", "--pid", "--"])
            .arg(self.lab.program())
            .args(["enter-groups", "--beside", &init, "--"])
            .wrapping(&inside);
        Ok(command.timeout(COMMAND_LIMIT))
    }

    /// Runs a command on the host's console; fails unless it ends with 0.
    pub fn run<const N: usize>(&self, words: [&str; N]) -> Result<String> {
        let done = self.command(words)?.run().with_context(|| format!("on {}", self.name()))?;
        Ok(done.stdout_text())
    }

    /// Runs a command on the host's console, whatever it ends with.
    pub fn output<const N: usize>(&self, words: [&str; N]) -> Result<Finished> {
        Ok(self.command(words)?.output()?)
    }

    /// Runs a shell script on the host's console; fails unless it ends with 0.
    pub fn sh(&self, script: &str) -> Result<String> {
        self.run(["sh", "-euc", script])
    }

    /// A command that logs in over ssh, from the lab's network, over a connection of its own.
    pub fn ssh_command(&self, login: Login<'_>) -> Command {
        let dir = self.lab.dir();
        let keeper = self.lab.keeper().to_string();
        Command::new("nsenter")
            .args(["--target", &keeper, "--net", "--", "ssh", "-F", "none", "-i"])
            .arg(dir.key())
            .args(["-o", &format!("UserKnownHostsFile={}", dir.known_hosts().display())])
            .args(["-o", &format!("HostKeyAlias={}", self.name())])
            .args(["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"])
            .args(["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"])
            .args(["-o", &format!("ConnectTimeout={}", self.patience(login.patience).as_secs().max(1))])
            .args(["-p", &login.port.to_string(), "-l", login.user])
            .arg(self.address())
    }

    /// Runs a shell script on the host over ssh as root.
    pub fn ssh(&self, script: &str) -> Result<String> {
        let command = self.ssh_command(Login::default()).arg(script).timeout(self.patience(COMMAND_LIMIT));
        Ok(command.run().with_context(|| format!("over ssh to {}", self.name()))?.stdout_text())
    }

    /// Whether a new ssh connection works now.
    #[must_use]
    pub fn answers_ssh(&self) -> bool {
        let login = Login { patience: Duration::from_secs(2), ..Login::default() };
        self.ssh_command(login).arg("true").timeout(self.patience(Duration::from_secs(8))).run().is_ok()
    }

    /// A limit for other hosts, as a virtual machine needs it.
    fn patience(&self, usual: Duration) -> Duration {
        if self.is_vm() { usual.max(VM_COMMAND_LIMIT) } else { usual }
    }

    /// Waits until a new ssh connection works and the host's start is complete. One login alone takes a virtual
    /// machine seconds, and far more when others want the processor: it has minutes at least.
    pub fn wait_ssh(&self, limit: Duration) -> Result<()> {
        let limit = self.patience(limit);
        wait::until(&format!("{} to answer over ssh", self.name()), limit, || {
            let power = self.status()?.power;
            if !matches!(power, Power::On { .. } | Power::Off) {
                // Waiting longer does not help; the outer result ends the wait.
                return Ok(Err(anyhow!("{} does not run: {power:?}", self.name())));
            }
            let login = Login { patience: Duration::from_secs(2), ..Login::default() };
            let state = self.ssh_command(login).arg("systemctl is-system-running --wait");
            let state = state.timeout(limit).output()?;
            match state.stdout_text().as_str() {
                "running" | "degraded" => Ok(Ok(())),
                _ => bail!("{} {}", state.stdout_text(), state.stderr_text()),
            }
        })?
    }

    /// The host's journal, or the part of it that `journalctl` gives for these words.
    pub fn journal(&self, words: &[&str]) -> Result<String> {
        let words = ["journalctl", "--no-pager", "--quiet"].iter().chain(words);
        Ok(self.command(words)?.timeout(JOURNAL_LIMIT).run()?.stdout_text())
    }

    /// Writes a file on the host.
    pub fn write(&self, path: &str, content: impl Into<Vec<u8>>) -> Result<()> {
        let script = "mkdir -p \"$(dirname \"$1\")\" && cat > \"$1\"";
        self.command(["sh", "-euc", script, "sh", path])?.input(content).run()?;
        Ok(())
    }

    /// Copies a file or directory of this machine to a directory on the host.
    pub fn copy(&self, from: &Path, to: &str) -> Result<()> {
        let parent = from.parent().context("a path has a directory")?;
        let name = from.file_name().context("a path has a name")?;
        let packed = Command::new("tar")
            .arg("-C")
            .arg(parent)
            .args(["-cf", "-", "--"])
            .arg(name)
            .limit(COPY_LIMIT)
            .run()?;
        self.run(["mkdir", "-p", to])?;
        self.command(["tar", "-C", to, "-xf", "-"])?.input(packed.stdout).run()?;
        Ok(())
    }

    /// Cuts the power: what was not synced is lost. The host is down afterwards.
    pub fn cut_power(&self) -> Result<()> {
        self.lab.act(self.name(), Action::CutPower)
    }

    /// Switches the host on; returns when its init runs.
    pub fn power_on(&self) -> Result<()> {
        self.lab.act(self.name(), Action::PowerOn)
    }

    /// Cuts the power and switches it on again at once.
    pub fn power_cycle(&self) -> Result<()> {
        self.cut_power()?;
        self.power_on()
    }

    /// Lets the host reboot itself and waits until it has begun the next boot.
    pub fn reboot(&self, limit: Duration) -> Result<()> {
        let before = self.status()?.boots;
        self.run(["systemctl", "--no-block", "reboot"])?;
        wait::until_true(&format!("{} to reboot", self.name()), limit, || {
            self.status().is_ok_and(|status| status.boots > before)
        })
    }

    /// Pulls or plugs the network cable.
    pub fn plug(&self, up: bool) -> Result<()> {
        self.lab.act(self.name(), Action::Link { up })
    }

    /// Limits the line to so many kbit/s in each direction.
    pub fn limit_rate(&self, kbit: Option<u32>) -> Result<()> {
        self.lab.act(self.name(), Action::Rate { kbit })
    }

    /// Delays every frame by so many milliseconds in each direction: a round trip takes twice that.
    pub fn delay(&self, ms: Option<u32>) -> Result<()> {
        self.lab.act(self.name(), Action::Delay { ms })
    }

    /// Limits the host's memory.
    pub fn limit_memory(&self, mib: Option<u64>) -> Result<()> {
        self.lab.act(self.name(), Action::Memory { mib })
    }

    /// Makes the host's root read-only, as ext4 does after an error; a reboot or power cut mends it.
    pub fn break_disk(&self) -> Result<()> {
        self.lab.act(self.name(), Action::BreakDisk)
    }

    /// Stops the host's PID 1, or lets it go on.
    pub fn freeze_init(&self, frozen: bool) -> Result<()> {
        self.lab.act(self.name(), Action::FreezeInit { frozen })
    }

    /// Sends a signal to a process on the host.
    pub fn signal(&self, signal: &str, pid: &str) -> Result<()> {
        self.run(["kill", "-s", signal, pid]).map(drop)
    }

    /// Fills the disk below `dir` until only `leave` bytes are free; removing `dir/lab-fill` gives them back.
    pub fn fill_disk(&self, dir: &str, leave: u64) -> Result<()> {
        let free = self.run(["df", "--output=avail", "-B1", dir])?;
        let free: u64 = free.lines().last().context("df said nothing")?.trim().parse()?;
        ensure!(free > leave, "only {free} bytes are free in {dir}, {leave} should be left");
        self.run(["fallocate", "-l", &(free - leave).to_string(), &format!("{dir}/lab-fill")]).map(drop)
    }

    /// Sets the host's clock to a time such as `1970-01-01 00:00:00`, from each program's next start on.
    pub fn set_clock(&self, time: &str) -> Result<()> {
        clock::set(self, time)
    }
}
