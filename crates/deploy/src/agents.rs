//! The agents that can be put on hosts: static programs beside ours, one for each kind of machine.

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use store::content_address::{ContentAddress, References};
use store::hash::{Sha256, Sha256Hasher};
use store::nar::{EncodeError, Encoder, Event};
use store::store_path::{StoreDir, StorePath, StorePathName};
use thiserror::Error;

/// Longest agent in bytes that is taken; it is some 5 MB.
const MAX_AGENT: u64 = 128 << 20;

/// An agent for one kind of machine.
#[derive(Debug)]
pub(crate) struct Agent {
    /// The program.
    program: Vec<u8>,
    /// Its name in a store.
    pub(crate) name: StorePathName,
    /// Where adding it to a store puts it.
    pub(crate) path: StorePath,
}

/// There is no agent to put on a host.
#[derive(Debug, Clone, Error)]
pub(crate) enum NoAgent {
    /// None for this kind of machine.
    #[error(
        "there is no lockstep-agent for {system} here, looked for at {}; put the static one there, or install it on \
         the host (pkgs.lockstep-agent in environment.systemPackages)", places.join(", ")
    )]
    Missing {
        /// The kind of machine.
        system: String,
        /// Where it was looked for.
        places: Vec<String>,
    },
    /// It cannot be read.
    #[error("the agent {path} cannot be read: {why}")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system said.
        why: String,
    },
}

/// All agents that there are, each read once.
#[derive(Debug)]
pub(crate) struct Agents {
    first: Vec<PathBuf>,
    read: Mutex<BTreeMap<String, Result<Arc<Agent>, NoAgent>>>,
}

impl Agents {
    /// The agents in these directories, and then in the usual ones.
    pub(crate) fn new(first: Vec<PathBuf>) -> Self {
        Self { first, read: Mutex::new(BTreeMap::new()) }
    }

    /// The agent for this kind of machine.
    pub(crate) fn of(&self, system: &str) -> Result<Arc<Agent>, NoAgent> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry(system.to_owned()).or_insert_with(|| self.find(system).map(Arc::new)).clone()
    }

    fn find(&self, system: &str) -> Result<Agent, NoAgent> {
        let program = env::current_exe().ok();
        let places =
            places(&self.first, program.as_deref(), env::var_os("LOCKSTEP_AGENT").map(PathBuf::from), system);
        for place in &places {
            match read(place) {
                Ok(program) if machine(&program) == Some(system) => return Ok(Agent::new(program)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let path = place.display().to_string();
                    return Err(NoAgent::Unreadable { path, why: error.to_string() });
                }
            }
        }
        let places = places.iter().map(|place| place.display().to_string()).collect();
        Err(NoAgent::Missing { system: system.to_owned(), places })
    }
}

/// Where an agent for this system may be: named by `LOCKSTEP_AGENT`, in directories that the operator named, beside our
/// own program, in the package's `libexec`. Which machine a file is for says the file.
fn places(first: &[PathBuf], program: Option<&Path>, named: Option<PathBuf>, system: &str) -> Vec<PathBuf> {
    let beside = program.and_then(Path::parent).map(Path::to_owned);
    let libexec =
        beside.as_ref().and_then(|beside| beside.parent()).map(|above| above.join("libexec/lockstep"));
    let directories = first.iter().cloned().chain(beside).chain(libexec);
    let both = directories.flat_map(|directory| {
        [directory.join(format!("lockstep-agent-{system}")), directory.join("lockstep-agent")]
    });
    named.into_iter().chain(both).collect()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_AGENT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_AGENT { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// For which machine an ELF program is, in Nix's words (System V ABI, ELF header: class, data, `e_machine`).
fn machine(program: &[u8]) -> Option<&'static str> {
    let header = program.get(..20)?;
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    match (header[4], u16::from_le_bytes([header[18], header[19]])) {
        (2, 62) => Some("x86_64-linux"),
        (2, 183) => Some("aarch64-linux"),
        (2, 243) => Some("riscv64-linux"),
        (1, 3) => Some("i686-linux"),
        (1, 40) => Some("armv7l-linux"),
        _ => None,
    }
}

impl Agent {
    fn new(program: Vec<u8>) -> Self {
        let name = format!("lockstep-agent-{}", env!("CARGO_PKG_VERSION"));
        let name = StorePathName::new(name.as_bytes()).expect("invariant: a version is fit for a name");
        let mut hasher = Hashing(Sha256Hasher::new());
        write_nar(&program, &mut hasher).expect("invariant: a hash takes everything");
        let path = path_of(hasher.0.finish(), &name);
        Self { program, name, path }
    }

    /// Writes the NAR of a directory with `bin/lockstep-agent` in it.
    pub(crate) fn write_nar(&self, sink: impl Write) -> Result<(), EncodeError> {
        write_nar(&self.program, sink)
    }
}

fn path_of(hash: Sha256, name: &StorePathName) -> StorePath {
    let address = ContentAddress::Nar(hash.into());
    let path = address.store_path(&StoreDir::default(), name, &References::default());
    path.expect("invariant: SHA-256 of a NAR without references has a path")
}

fn write_nar(program: &[u8], sink: impl Write) -> Result<(), EncodeError> {
    let mut nar = Encoder::new(sink);
    nar.write(Event::Directory { name: b"" })?;
    nar.write(Event::Directory { name: b"bin" })?;
    let size = program.len() as u64;
    nar.write(Event::File { name: b"lockstep-agent", executable: true, size })?;
    for piece in program.chunks(256 << 10) {
        nar.write(Event::Contents(piece))?;
    }
    nar.write(Event::EndFile)?;
    nar.write(Event::EndDirectory)?;
    nar.write(Event::EndDirectory)?;
    nar.finish()?;
    Ok(())
}

struct Hashing(Sha256Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_for_which_machine_it_is() {
        let elf = |class: u8, machine: u16| {
            let mut bytes = b"\x7fELF".to_vec();
            bytes.push(class);
            bytes.resize(18, 0);
            bytes.extend(machine.to_le_bytes());
            bytes
        };
        assert_eq!(machine(&elf(2, 62)), Some("x86_64-linux"));
        assert_eq!(machine(&elf(2, 183)), Some("aarch64-linux"));
        for bad in [elf(1, 62), elf(2, 0), b"#!/bin/sh and some more text".to_vec(), Vec::new()] {
            assert_eq!(machine(&bad), None);
        }
    }

    #[test]
    fn places_are_looked_at_in_order() {
        let found = places(
            &["/a".into()],
            Some(Path::new("/opt/bin/lockstep")),
            Some("/x/agent".into()),
            "aarch64-linux",
        );
        let expected = [
            "/x/agent",
            "/a/lockstep-agent-aarch64-linux",
            "/a/lockstep-agent",
            "/opt/bin/lockstep-agent-aarch64-linux",
            "/opt/bin/lockstep-agent",
            "/opt/libexec/lockstep/lockstep-agent-aarch64-linux",
            "/opt/libexec/lockstep/lockstep-agent",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn a_missing_agent_names_the_places() {
        let error = Agents::new(vec!["/nowhere".into()]).of("riscv64-linux").expect_err("none");
        for part in ["/nowhere/lockstep-agent-riscv64-linux", "pkgs.lockstep-agent in"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
