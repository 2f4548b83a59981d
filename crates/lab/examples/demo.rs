//! `make demo`: an operator deploys a small fleet to three real hosts, changes a line, and then lets one host cut its
//! own network.

#![expect(clippy::print_stdout, reason = "a demonstration is read")]

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use lab::{Builder, Host};
use run::Output;

const BOOT: Duration = Duration::from_secs(60);
const FLEET: &str = "/root/fleet";

const FLAKE: &str = r#"{
  inputs.pocket.url = "path:/lab/os";           # nixpkgs, for the hosts of the lab

  outputs = { self, pocket }:
    let
      host = name: module: pocket.lib.nixosSystem {
        modules = [ pocket.nixosModules.base { networking.hostName = name; } module ];
      };
    in
    {
      nixosConfigurations = builtins.mapAttrs host (import ./hosts.nix);

      lockstep = {
        defaults = { confirmTimeout = "10s"; settle = "2s"; };
        hosts.web1.tags = [ "web" ];
        hosts.web2.tags = [ "web" ];
      };
    };
}
"#;
const FIRST: &str = r#"{
  web1 = { services.static-web-server = { enable = true; root = "/etc"; }; };
  web2 = { services.static-web-server = { enable = true; root = "/etc"; }; };
  db1 = { environment.etc."motd".text = "the database\n"; };
}
"#;
const LINE: (&str, &str) = ("the database", "the database, second edition");
const CUT: (&str, &str) = (
    r#"web2 = { "#,
    r#"web2 = { networking.interfaces.host0.ipv4.addresses = [ { address = "192.0.2.1"; prefixLength = 24; } ]; networking.useDHCP = false; "#,
);

fn main() -> Result<()> {
    let demo = Demo { start: Instant::now() };
    let (lockstep, agent) = (built("lockstep")?, agent()?);
    let lab = Builder::new(built("lab")?)
        .operator()
        .tool(lockstep)
        .tool(agent)
        .hosts(["web1", "web2", "db1"])
        .start()?;
    demo.say("three hosts and an operator answer over ssh");
    let operator = lab.host("operator");
    operator.write(&format!("{FLEET}/flake.nix"), FLAKE)?;
    operator.write(&format!("{FLEET}/hosts.nix"), FIRST)?;
    operator.sh(&format!("cd {FLEET} && git init -q . && git add ."))?;

    demo.lockstep(&operator, &["deploy", "--all", "--yes"], 0)?;
    let second = FIRST.replace(LINE.0, LINE.1);
    demo.change(&operator, "db1 gets another line", &second)?;
    demo.lockstep(&operator, &["deploy", "--all", "--yes"], 0)?;
    let third = second.replace(CUT.0, CUT.1).replace("second edition", "third edition");
    demo.change(&operator, "db1 gets another line, and web2 an address at which nobody reaches it", &third)?;
    demo.lockstep(&operator, &["deploy", "--all", "--yes"], 3)?;
    lab.host("web2").wait_ssh(BOOT)?;
    demo.say("web2 went back by itself and is reachable, db1 moved on");
    demo.lockstep(&operator, &["status"], 0)?;
    drop(lab);
    demo.say("the lab has ended; nothing of it is left");
    Ok(())
}

struct Demo {
    start: Instant,
}

impl Demo {
    fn say(&self, what: &str) {
        println!("\n[{:5.1} s] {what}", self.start.elapsed().as_secs_f64());
    }

    fn change(&self, operator: &Host<'_>, what: &str, hosts: &str) -> Result<()> {
        self.say(what);
        operator.write(&format!("{FLEET}/hosts.nix"), hosts)
    }

    /// Runs `lockstep` as the operator does; what it says goes straight to the reader.
    fn lockstep(&self, operator: &Host<'_>, words: &[&str], code: i32) -> Result<()> {
        self.say(&format!("operator$ lockstep {}", words.join(" ")));
        io::stdout().flush()?;
        let line = [&["env", "-C", FLEET, "HOME=/root", "/lab/bin/lockstep"], words].concat();
        let command = operator.command(line)?.stdout(Output::Inherit).stderr(Output::Inherit);
        let ended = command.output()?.code();
        ensure!(ended == code, "lockstep ended with {ended}, expected was {code}");
        println!("         exit code {code}");
        Ok(())
    }
}

/// A program that cargo built beside this example's directory.
fn built(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let target = this.parent().and_then(Path::parent).context("an example lies in a target")?;
    Ok(target.join(name))
}

/// The static agent.
fn agent() -> Result<PathBuf> {
    let target = built("")?;
    let path = target.parent().context("a target has a parent")?;
    Ok(path.join(format!("{}-unknown-linux-gnu/agent/lockstep-agent", std::env::consts::ARCH)))
}
