//! An operator and a host, and the ways in which a system gets from one to the other.

use std::{io::Write as _, sync::Mutex, sync::PoisonError, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use daemon::{Client, GarbageAction, Stream};
use lab::{Host, Lab};
use run::{Command, Output};
use store::{
    path_info::PathInfo,
    store_path::{StoreDir, StorePath},
};

use super::{
    draft::Set,
    fleets::{FLEET, Fleet},
    watch::{Taken, Watch},
};

/// The host.
pub(crate) const HOST: &str = "web1";
/// How long one transfer may take.
const LIMIT: Duration = Duration::from_secs(900);
const DAEMON: [&str; 2] = ["nix-daemon", "--stdio"];

/// The line to the host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Direct,
    Far,
    Narrow,
}

impl Line {
    pub(crate) const ALL: [Self; 3] = [Self::Direct, Self::Far, Self::Narrow];

    /// As it is called in names of results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Far => "50ms",
            Self::Narrow => "10mbit",
        }
    }
}

/// What brings a system to the host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Push,
    SshNg,
    Ssh,
    CopyClosure,
}

impl Way {
    /// As it is called in names of results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::SshNg => "ssh_ng",
            Self::Ssh => "ssh",
            Self::CopyClosure => "copy_closure",
        }
    }
}

/// A system to bring: its path, and what of its closure the host lacks.
pub(crate) struct Load {
    pub(crate) system: StorePath,
    pub(crate) lacks: Vec<PathInfo>,
}

impl Load {
    /// Bytes of the NARs.
    pub(crate) fn nar_bytes(&self) -> u64 {
        self.lacks.iter().map(|info| info.nar_size).sum()
    }
}

/// Operator and host.
pub(crate) struct Rig<'lab> {
    fleet: Fleet<'lab>,
    host: Host<'lab>,
}

impl<'lab> Rig<'lab> {
    /// The host has an agent afterwards.
    pub(crate) fn new(lab: &'lab Lab) -> Result<Self> {
        let rig = Self { fleet: Fleet::new(lab, &[HOST])?, host: lab.host(HOST) };
        rig.fleet.expect(0, &["deploy", HOST, "--yes"])?;
        Ok(rig)
    }

    /// Adds a set to the operator's store.
    pub(crate) fn add(&self, set: &Set, salt: &str) -> Result<StorePath> {
        set.add(&mut connect(&self.fleet.operator)?, salt)
    }

    /// Lets the host's description lead to a path, or to nothing of ours.
    pub(crate) fn define(&mut self, root: &StorePath) -> Result<()> {
        let root = StoreDir::default().display(root).to_string();
        let path = format!(r#"builtins.appendContext "{root}" {{ "{root}" = {{ path = true; }}; }}"#);
        self.fleet.define(HOST, &format!(r#"environment.etc."bench".text = {path};"#))
    }

    /// The host runs what its description says.
    pub(crate) fn deploy(&self) -> Result<()> {
        self.fleet.expect(0, &["deploy", HOST, "--yes"]).map(drop)
    }

    /// Builds what the description says.
    pub(crate) fn build(&self) -> Result<Load> {
        let toplevel = format!("{FLEET}#nixosConfigurations.{HOST}.config.system.build.toplevel");
        let words = ["nix", "build", "--no-link", "--print-out-paths", &toplevel];
        let built = self.fleet.operator.command(words)?.timeout(LIMIT).run()?.stdout_text();
        let system = StoreDir::default().parse(built.as_bytes())?;
        let closure = eval::closure(&mut connect(&self.fleet.operator)?, &system)?;
        let all = closure.iter().map(|info| info.path.clone()).collect();
        let valid = connect(&self.host)?.query_valid_paths(&all, false)?;
        let lacks = closure.iter().filter(|info| !valid.contains(&info.path)).cloned().collect();
        Ok(Load { system, lacks })
    }

    /// Brings what the description says to the host, which has all of it afterwards.
    pub(crate) fn bring(&self, way: Way, load: &Load) -> Result<Taken> {
        let path = StoreDir::default().display(&load.system).to_string();
        let nix = |words: &[&str]| self.fleet.operator.command([words, &[&path]].concat());
        let (ng, plain) = (format!("ssh-ng://{HOST}"), format!("ssh://{HOST}"));
        let command = match way {
            Way::Push => self.fleet.command(&["push", HOST])?,
            Way::SshNg => nix(&["nix", "copy", "--no-check-sigs", "--to", &ng])?,
            Way::Ssh => nix(&["nix", "copy", "--no-check-sigs", "--to", &plain])?,
            Way::CopyClosure => nix(&["nix-copy-closure", "--to", HOST])?,
        };
        let taken = self.watch(command, way)?;
        let all = load.lacks.iter().map(|info| info.path.clone()).collect();
        let valid = connect(&self.host)?.query_valid_paths(&all, false)?;
        ensure!(valid.len() == all.len(), "{} brought {} of {} paths", way.name(), valid.len(), all.len());
        Ok(taken)
    }

    fn watch(&self, command: Command, way: Way) -> Result<Taken> {
        let watch = Watch { operator: self.fleet.operator, host: self.host };
        watch.take(command.timeout(LIMIT), way.name())
    }

    /// Takes all of it away from the host again.
    pub(crate) fn wipe(&self, load: &Load) -> Result<()> {
        let all = load.lacks.iter().map(|info| info.path.clone()).collect();
        let delete = GarbageAction::Delete(all);
        // The process that served the connection before holds on to what was added until it has ended.
        let mut last = Ok(());
        for _ in 0..100 {
            last = connect(&self.host)?.collect_garbage(&delete).map(drop);
            if last.is_ok() {
                self.host.run(["sync"])?;
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        last.context("what was brought cannot be taken away again")
    }

    /// Nothing is left to be written when somebody is measured.
    pub(crate) fn settle(&self) -> Result<()> {
        [self.fleet.operator, self.host].iter().try_for_each(|host| host.run(["sync"]).map(drop))
    }

    /// Makes the line like this.
    pub(crate) fn line(&self, line: Line) -> Result<()> {
        self.host.delay((line == Line::Far).then_some(25))?;
        self.host.limit_rate((line == Line::Narrow).then_some(10_000))?;
        self.host.wait_ssh(Duration::from_secs(30))
    }

    /// How what the description says differs from what the host runs, by the product's own account.
    pub(crate) fn difference(&self, load: &Load) -> Result<String> {
        let old = self.host.run(["readlink", "-f", "/run/current-system"])?;
        let new = StoreDir::default().display(&load.system).to_string();
        self.fleet.expect(0, &["diff", "--closures", &old, &new])
    }

    /// Bytes of these paths' NARs in one zstd stream of level 9.
    pub(crate) fn packed<'p>(&self, paths: impl IntoIterator<Item = &'p PathInfo>) -> Result<u64> {
        let mut client = connect(&self.fleet.operator)?;
        let mut packed = zstd::Encoder::new(Counting(0), 9)?;
        for info in paths {
            client.nar_from_path(&info.path, info.nar_size, &mut packed)?;
        }
        packed.flush()?;
        Ok(packed.finish()?.0)
    }
}

/// A daemon of a host's own store, reached over its console.
fn connect(host: &Host<'_>) -> Result<Client> {
    let mut child = host.command(DAEMON)?.timeout(LIMIT).input_pipe().stdout(Output::Pipe).spawn()?;
    let (output, input) = child.take_streams().context("both were asked for")?;
    let child = Mutex::new(child);
    let hang_up = move || child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    Ok(Client::connect(Stream::new(output, input, hang_up), StoreDir::default())?)
}

struct Counting(u64);

impl std::io::Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
