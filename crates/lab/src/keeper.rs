//! The keeper of a lab, in pid, mount and network namespaces of its own.
//!
//! Process 1 of the lab only buries the dead: whoever entered a host and lost its parent would stay a zombie in that
//! host, which then cannot shut down. The keeper itself is its child; it makes the network and the hosts, boots them, and then answers on the control socket. When its
//! standard input ends, its owner is gone and it ends too, unless it was let go before; the kernel then ends
//! everything inside.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, bail};
use run::Command;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{WaitOptions, wait};

use self::body::Body;
use self::cgroup::Cgroup;
use self::container::Container;
use self::disk::Disk;
use self::machine::Machine;
use self::vm::Vm;
use crate::layout::LabDir;
use crate::spec::{HostSpec, Spec};
use crate::wire::{Reply, Request};

mod body;
pub mod cgroup;
mod container;
mod delay;
mod disk;
mod firmware;
mod identity;
mod line;
mod machine;
mod net;
mod vm;

/// What `lab keeper` does.
pub fn run(program: &Path, dir: &LabDir) -> Result<()> {
    if process::id() == 1 { bury(program, dir) } else { keep(dir) }
}

/// Process 1: starts the keeper, waits for everybody who ends, and ends with it.
fn bury(program: &Path, dir: &LabDir) -> Result<()> {
    let keeper = Command::new(program).arg("keeper").arg(dir.path()).foreground().spawn()?;
    loop {
        // A signal, or nobody left: the next look tells.
        let Ok(Some((pid, status))) = wait(WaitOptions::empty()) else { continue };
        if pid.as_raw_nonzero().get().unsigned_abs() == keeper.id() {
            process::exit(status.exit_status().unwrap_or(1));
        }
    }
}

fn keep(dir: &LabDir) -> Result<()> {
    thread::spawn(end_with_owner);
    prepare_namespaces()?;
    let spec: Spec =
        serde_json::from_slice(&fs::read(dir.spec())?).context("the lab's spec cannot be read")?;
    net::create().context("cannot make the lab's network")?;
    let keys = identity::write(dir, &spec)?;
    if let Some(image) = &spec.vm {
        vm::mount_tools(dir, image)?;
    }
    let machines = start_all(dir, &spec, &keys)?;
    serve(dir, &machines)
}

/// The owner holds the other end of our standard input. It writes one byte if the lab shall outlive it.
fn end_with_owner() {
    if !matches!(io::stdin().read(&mut [0]), Ok(1)) {
        process::exit(0);
    }
}

fn prepare_namespaces() -> Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    mount("proc", "/proc", "proc", MountFlags::empty(), None).context("cannot mount /proc")?;
    mount("tmpfs", "/run", "tmpfs", MountFlags::empty(), None).context("cannot mount a private /run")?;
    // nspawn keeps state there that must not be shared between labs, or a reboot inside fails.
    fs::create_dir_all("/run/systemd/nspawn").context("cannot make nspawn's directory")
}

fn start_all(dir: &LabDir, spec: &Spec, keys: &[identity::HostKey]) -> Result<Vec<Arc<Machine>>> {
    thread::scope(|scope| {
        let numbered = spec.hosts.iter().enumerate().zip(keys);
        let started: Vec<_> = numbered
            .map(|((index, host), key)| {
                scope.spawn(move || {
                    let started = start_one(dir, spec, index, host, key);
                    started.with_context(|| format!("cannot start the host {}", host.name))
                })
            })
            .collect();
        let joined = started.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|start| start.unwrap_or_else(|_| bail!("starting a host panicked"))).collect()
    })
}

fn start_one(
    dir: &LabDir,
    spec: &Spec,
    index: usize,
    host: &HostSpec,
    key: &identity::HostKey,
) -> Result<Arc<Machine>> {
    let cgroup = Cgroup::create(&dir.id(), &host.name)?;
    let body: Box<dyn Body> = match host.vm {
        Some(loader) => Box::new(Vm::create(host, loader, index, dir)?),
        None => Box::new(container(dir, spec, index, host, key)?),
    };
    let machine = Arc::new(Machine::new(host.clone(), index, body, cgroup)?);
    machine.power_on()?;
    Ok(machine)
}

fn container(
    dir: &LabDir,
    spec: &Spec,
    index: usize,
    host: &HostSpec,
    key: &identity::HostKey,
) -> Result<Container> {
    let host_dir = dir.host(&host.name);
    fs::create_dir_all(host_dir.efivars())?;
    let disk = Disk::create(&host_dir, &spec.layers, &spec.boot, host.disk_mib)?;
    disk.mount()?;
    key.install(&disk.root())?;
    if host.operator {
        identity::install_operator(dir, spec, &disk.root())?;
    }
    disk.sync()?;
    Ok(Container::new(host.clone(), index, host_dir, disk))
}

/// Answers until the end. The socket appears only now, with every host started.
fn serve(dir: &LabDir, machines: &[Arc<Machine>]) -> Result<()> {
    let listener = UnixListener::bind(dir.control()).context("cannot make the control socket")?;
    fs::set_permissions(dir.control(), fs::Permissions::from_mode(0o600))?;
    for stream in listener.incoming() {
        let machines = machines.to_vec();
        let stream = stream?;
        thread::spawn(move || {
            // An owner that hangs up in the middle of an answer has nobody left to hear of it.
            let _hung_up = converse(&stream, &machines);
        });
    }
    Ok(())
}

fn converse(stream: &UnixStream, machines: &[Arc<Machine>]) -> Result<()> {
    let mut writer = stream;
    for line in BufReader::new(stream).lines() {
        let reply = match serde_json::from_str(&line?) {
            Ok(request) => answer(&request, machines).unwrap_or_else(|e| Reply::Failed(format!("{e:#}"))),
            Err(error) => Reply::Failed(format!("not a request: {error}")),
        };
        let mut line = serde_json::to_vec(&reply)?;
        line.push(b'\n');
        writer.write_all(&line)?;
    }
    Ok(())
}

fn answer(request: &Request, machines: &[Arc<Machine>]) -> Result<Reply> {
    match request {
        Request::Status => Ok(Reply::Status(machines.iter().map(|machine| machine.status()).collect())),
        Request::Host { host, action } => {
            let machine = machines.iter().find(|machine| machine.name() == host);
            machine.with_context(|| format!("this lab has no host `{host}`"))?.perform(action)?;
            Ok(Reply::Done)
        }
    }
}

/// Joins these groups, and those of the process `beside`, and becomes the program: how a process becomes
/// part of a host.
pub fn enter_groups(
    groups: &[PathBuf],
    beside: Option<u32>,
    program: &Path,
    arguments: &[OsString],
) -> Result<()> {
    cgroup::join(groups)?;
    if let Some(pid) = beside {
        cgroup::join(&cgroup::groups_of(pid)?)?;
    }
    Err(::run::Command::new(program).args(arguments).exec().into())
}
