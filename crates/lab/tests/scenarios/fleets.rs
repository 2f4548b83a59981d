//! A fleet as its operator has it: a flake on the operator host, and `lockstep` run in it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};
use lab::{Builder, Host, Lab};
use run::{Command, Finished};

use super::builder;

/// Where the operator keeps the fleet.
pub(super) const FLEET: &str = "/root/fleet";
/// How long one command may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

const FLAKE: &str = r#"{
  inputs.pocket.url = "path:/lab/os";
  outputs = { self, pocket }: {
    nixosConfigurations = builtins.mapAttrs
      (name: module: pocket.lib.nixosSystem {
        modules = [ pocket.nixosModules.base { networking.hostName = name; } module ];
      })
      (import ./hosts.nix);
    lockstep = import ./lockstep.nix;
  };
}
"#;

/// A lab with an operator host that has `lockstep` and the static agent, and these hosts.
pub(super) fn with_operator<const N: usize>(hosts: [&str; N]) -> Result<Builder> {
    let (lockstep, agent) = (beside_lab("lockstep")?, agent()?);
    Ok(builder().operator().tool(lockstep).tool(agent).hosts(hosts))
}

/// A program that cargo built into the same directory as `lab`.
pub(super) fn beside_lab(name: &str) -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name(name);
    ensure!(path.exists(), "{} is missing: 'make products' builds it", path.display());
    Ok(path)
}

/// The static agent, as hosts get it.
pub(super) fn agent() -> Result<PathBuf> {
    let target = format!("{}-unknown-linux-gnu/agent/lockstep-agent", std::env::consts::ARCH);
    let folder = Path::new(env!("CARGO_BIN_EXE_lab")).ancestors().nth(2).map(|folder| folder.join(target));
    let path = folder.filter(|path| path.exists());
    path.ok_or_else(|| anyhow::anyhow!("the static lockstep-agent is missing: 'make products' builds it"))
}

/// The description, and the operator who works on it.
pub(super) struct Fleet<'lab> {
    pub(super) operator: Host<'lab>,
    modules: Vec<(String, String)>,
}

impl<'lab> Fleet<'lab> {
    /// A fleet of these hosts, each with an empty module, in a git repository.
    pub(super) fn new(lab: &'lab Lab, hosts: &[&str]) -> Result<Self> {
        let modules = hosts.iter().map(|host| ((*host).to_owned(), String::new())).collect();
        let fleet = Self { operator: lab.host("operator"), modules };
        fleet.operator.write(&format!("{FLEET}/flake.nix"), FLAKE)?;
        fleet.settings("{ }")?;
        fleet.write_hosts()?;
        fleet.operator.sh(&format!("cd {FLEET} && git init -q . && git add ."))?;
        Ok(fleet)
    }

    /// Replaces a host's definitions.
    pub(super) fn define(&mut self, host: &str, definitions: &str) -> Result<()> {
        self.modules.retain(|(name, _)| name != host);
        self.modules.push((host.to_owned(), definitions.to_owned()));
        self.write_hosts()
    }

    /// Replaces the `lockstep` output.
    pub(super) fn settings(&self, nix: &str) -> Result<()> {
        self.operator.write(&format!("{FLEET}/lockstep.nix"), nix)
    }

    fn write_hosts(&self) -> Result<()> {
        let modules = self.modules.iter().map(|(host, definitions)| {
            format!("  \"{host}\" = {{ lib, pkgs, ... }}: {{ {definitions} }};\n")
        });
        let text = format!("{{\n{}}}\n", modules.collect::<String>());
        self.operator.write(&format!("{FLEET}/hosts.nix"), text)
    }

    /// A command line of the operator in the fleet's directory.
    pub(super) fn command(&self, words: &[&str]) -> Result<Command> {
        let words = [&["env", "-C", FLEET, "HOME=/root", "/lab/bin/lockstep"], words].concat();
        Ok(self.operator.command(words)?.timeout(LIMIT).limit(64 << 20))
    }

    /// Runs it to its end, whatever that is.
    pub(super) fn run(&self, words: &[&str]) -> Result<Finished> {
        Ok(self.command(words)?.output()?)
    }

    /// Runs it and insists on an exit code; returns both outputs, for what they must say.
    pub(super) fn expect(&self, code: i32, words: &[&str]) -> Result<String> {
        let done = self.run(words)?;
        let said = format!("{}\n{}", done.stdout_text(), done.stderr_text());
        ensure!(
            done.code() == code,
            "lockstep {words:?} ended with {}, expected {code}:\n{said}",
            done.code()
        );
        Ok(said)
    }
}

/// What a host runs.
pub(super) fn running(host: &Host<'_>) -> Result<String> {
    host.run(["readlink", "-f", "/run/current-system"])
}

/// What its profile names.
pub(super) fn profile(host: &Host<'_>) -> Result<String> {
    host.run(["readlink", "-f", "/nix/var/nix/profiles/system"])
}
