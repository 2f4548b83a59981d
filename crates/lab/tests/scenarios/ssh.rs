//! The door to the system's ssh, from the operator host: connections, programs, elevation.

mod connections;
mod elevation;
mod programs;
mod terminal;

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lab::{Host, Lab};
use run::{Child, Command, Output};

use super::builder;

/// The operator's end: a program that does what each line says, see `examples/door.rs`.
struct Door {
    lines: BufReader<PipeReader>,
    input: Option<PipeWriter>,
    child: Child,
}

impl Door {
    /// With a password to type if it is asked for one.
    fn with_password(operator: &Host<'_>, password: &str, arguments: &[&str]) -> Result<Self> {
        Self::start(operator, &[&format!("DOOR_PASSWORD={password}")], arguments)
    }

    fn to(operator: &Host<'_>, arguments: &[&str]) -> Result<Self> {
        Self::start(operator, &[], arguments)
    }

    fn start(operator: &Host<'_>, environment: &[&str], arguments: &[&str]) -> Result<Self> {
        let words = ["env"].iter().chain(environment).chain(&["/lab/bin/door"]).chain(arguments);
        Self::spawn(operator.command(words)?)
    }

    fn spawn(command: Command) -> Result<Self> {
        let mut child = command.input_pipe().stdout(Output::Pipe).spawn()?;
        let (output, input) = child.take_streams().context("both were asked for")?;
        Ok(Self { lines: BufReader::new(output), input: Some(input), child })
    }

    /// What it answers to this line.
    fn ask(&mut self, line: &str) -> Result<String> {
        let input = self.input.as_mut().context("the door is closed")?;
        writeln!(input, "{line}")?;
        let mut answer = String::new();
        self.lines.read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }

    /// Each line must be answered so.
    fn expect(&mut self, exchanges: &[(&str, &str)]) -> Result<()> {
        for (line, answer) in exchanges {
            assert_eq!(self.ask(line)?, *answer, "to `{line}`");
        }
        Ok(())
    }

    /// Each line must be answered by an error with each of these texts.
    fn refuses(&mut self, exchanges: &[(&str, &[&str])]) -> Result<()> {
        for (line, texts) in exchanges {
            let answer = self.ask(line)?;
            for text in *texts {
                assert!(
                    answer.starts_with("error ") && answer.contains(text),
                    "to `{line}`: {answer}, not {text}"
                );
            }
        }
        Ok(())
    }

    /// Lets it end by itself.
    fn end(mut self) -> Result<()> {
        self.input = None;
        let done = self.child.wait()?;
        assert!(done.status.success(), "{}", done.stderr_text());
        Ok(())
    }
}

/// An operator host and these, with programs to start on them.
fn lab<const N: usize>(hosts: [&str; N]) -> Result<Lab> {
    let lab = builder().operator().hosts(hosts).tool(door()).start()?;
    for name in hosts {
        let host = lab.host(name);
        // Says who it is, then gives back what it reads.
        script(&host, "echo-server", "echo noise; echo GREETING $(id -u); exec cat")?;
        script(&host, "ends", "exit $1")?;
        script(&host, "killed", "kill -9 $$")?;
        script(&host, "stays", "echo hello; trap '' HUP; while sleep 1; do echo still; done")?;
    }
    Ok(lab)
}

fn script(host: &Host<'_>, name: &str, text: &str) -> Result<()> {
    let path = format!("/opt/{name}");
    host.write(&path, format!("#!/bin/sh\n{text}\n"))?;
    host.run(["chmod", "755", &path]).map(drop)
}

/// Built with these tests, as all examples are.
fn door() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name("examples").join("door")
}

/// Processes of ssh on the operator host, and what is left of private directories.
fn left_on(operator: &Host<'_>) -> Result<String> {
    operator.sh("pgrep -a -x ssh || true; ls -d /tmp/lockstep-* /run/user/0/lockstep-* 2>/dev/null || true")
}
