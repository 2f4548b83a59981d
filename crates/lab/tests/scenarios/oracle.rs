//! Nix itself as the judge: what `store` and `daemon` believe of bytes and of daemons, held against both
//! images' `nix`, `nix-store` and `nix-daemon`.

mod addresses;
mod derivations;
mod hostile;
mod nar;
mod narinfo;
#[expect(clippy::unwrap_used, clippy::panic, reason = "a check fails by panicking")]
mod protocol;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};

use anyhow::{Context, Result};
use lab::{Host, Suite};
use run::Command;

use super::builder;

/// The words that begin a command of the new command line.
const NIX: [&str; 3] = ["nix", "--extra-experimental-features", "nix-command"];

/// How long one command may take, most of which is the machine's other work.
const LIMIT: Duration = Duration::from_secs(200);

/// A test for each check and image.
macro_rules! oracles {
    ($($name:ident => $check:path,)*) => {
        mod trixie {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                super::ask(lab::Suite::Trixie, $check)
            })*
        }
        mod sid {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                super::ask(lab::Suite::Sid, $check)
            })*
        }
    };
}

oracles! {
    addresses => super::addresses::check,
    daemon => super::protocol::check,
    derivations => super::derivations::check,
    hostile_nars => super::hostile::check,
    nars => super::nar::check,
    narinfos_and_signatures => super::narinfo::check,
}

/// A host with a Nix, and which it is.
struct Oracle<'lab> {
    host: Host<'lab>,
    suite: Suite,
}

fn ask(suite: Suite, check: fn(&Oracle<'_>) -> Result<()>) -> Result<()> {
    let lab = builder().suite(suite).hosts(["nix"]).start()?;
    check(&Oracle { host: lab.host("nix"), suite })
}

impl Oracle<'_> {
    /// What a command writes.
    fn bytes(&self, words: &[&str]) -> Result<Vec<u8>> {
        let command = self.host.command(words)?.timeout(LIMIT).limit(1 << 30);
        Ok(command.run()?.stdout)
    }

    /// What a command writes, without the white space at its end.
    fn text(&self, words: &[&str]) -> Result<String> {
        Ok(String::from_utf8(self.bytes(words)?)?.trim_end().to_owned())
    }

    /// What a command of the new command line writes.
    fn nix(&self, words: &[&str]) -> Result<String> {
        self.text(&[&NIX[..], words].concat())
    }

    /// Everything in a directory, brought here without Nix.
    fn fetch(&self, directory: &str) -> Result<Scratch> {
        let packed = self.bytes(&["tar", "-C", directory, "-cf", "-", "."])?;
        let scratch = Scratch::new()?;
        let unpack = Command::new("tar").args(["--preserve-permissions", "-xf", "-", "-C"]).arg(&scratch.0);
        unpack.input(packed).run().with_context(|| format!("cannot unpack {directory}"))?;
        Ok(scratch)
    }
}

/// A directory here that is removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let name = format!("oracle-{}-{}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Names of everything in it, sorted.
    fn names(&self) -> Result<Vec<String>> {
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry?.file_name().into_string().ok().context("a file whose name is not text")
        };
        let mut names = fs::read_dir(&self.0)?.map(name).collect::<Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory that stays behind is in nobody's way.
        let _left = fs::remove_dir_all(&self.0);
    }
}
