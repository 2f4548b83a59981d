//! One description, read by the user's Nix.

use std::{fs, num::NonZero, os::unix::process::ExitStatusExt, process::ExitStatus, thread};

use run::Command;

use crate::{
    build::{self, BuildError, BuildEvent, BuildRequest, Built},
    cancel::Cancel,
    error::{EvalError, Subject},
    evaluated::Evaluated,
    expression,
    invoke::{Ended, follow, nix},
    options::Options,
    pool::Pool,
    source::Source,
    text::{LINE, TAIL, Words, keep_start, plain},
    wire,
};

/// Memory that one evaluation of a NixOS system is taken to need, in bytes: from 0.5 to 1.7 GiB were seen.
const MEMORY_FOR_ONE: u64 = 1 << 30;
/// Builds that run at the same time, each of which the user's Nix divides further.
const BUILDS: usize = 4;
/// Warnings of one evaluation that are kept.
const WARNINGS: usize = 50;

/// What evaluates and builds the hosts of one description.
///
/// All of it may be used from many threads at the same time.
pub trait Evaluate: Send + Sync {
    /// The names of the hosts and what is said of them, as JSON: `{"names": [..], "lockstep": {..} or null}`.
    /// No configuration is evaluated for it, unless what is said of the hosts looks into one.
    ///
    /// # Errors
    /// If the description does not evaluate; `lockstep` is taken as a whole.
    fn index(&self, cancel: &Cancel) -> Result<Vec<u8>, EvalError>;

    /// The system of one host, whose derivation is in the store afterwards.
    ///
    /// # Errors
    /// If there is no such host or it does not evaluate.
    fn evaluate(&self, host: &str, cancel: &Cancel) -> Result<Evaluated, EvalError>;

    /// Builds the derivation of a system. What happens meanwhile is given to `on_event`, on this thread.
    ///
    /// # Errors
    /// If anything it needs does not build.
    fn build(
        &self,
        request: &BuildRequest<'_>,
        cancel: &Cancel,
        on_event: &mut dyn FnMut(BuildEvent),
    ) -> Result<Built, BuildError>;
}

/// How much runs at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Evaluations, each a process that needs about a gigabyte for a usual system.
    pub evaluations: usize,
    /// Builds of systems, each a `nix build`, which the user's Nix settings divide further.
    pub builds: usize,
}

impl Limits {
    /// As many evaluations as there are processors and gigabytes of free memory, at least one.
    #[must_use]
    pub fn detect() -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let by_memory = available_memory(&meminfo).map(|bytes| bytes / MEMORY_FOR_ONE);
        let by_memory = by_memory.map_or(processors, |count| usize::try_from(count).unwrap_or(usize::MAX));
        Self { evaluations: processors.min(by_memory).max(1), builds: BUILDS }
    }
}

/// Bytes that can be taken without swapping, as `/proc/meminfo` says.
fn available_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The user's Nix, for one description and one set of options.
#[derive(Debug)]
pub struct Nix {
    source: Source,
    options: Options,
    evaluations: Pool,
    builds: Pool,
}

impl Nix {
    /// Nothing is started yet.
    #[must_use]
    pub fn new(source: Source, options: Options, limits: Limits) -> Self {
        let (evaluations, builds) = (Pool::new(limits.evaluations), Pool::new(limits.builds));
        Self { source, options, evaluations, builds }
    }

    /// Where the description is.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// `nix eval` of what `attribute` of the description becomes when the function `apply` is called with it.
    fn eval_command(&self, attribute: &str, apply: &str) -> Command {
        let command = nix().args(["eval", "--json", "--no-write-lock-file"]);
        let command = match &self.source {
            Source::Flake { .. } => command.arg(format!(".#{attribute}")),
            Source::Reference { reference, .. } => command.arg(format!("{reference}#{attribute}")),
            Source::File { path, .. } => command.arg("--file").arg(path),
        };
        let base = self.source.base();
        command
            .args(["--apply", apply])
            .args(self.options.for_evaluation(base))
            .current_dir(self.source.directory())
    }

    fn eval(&self, subject: &Subject, command: Command, cancel: &Cancel) -> Result<Printed, EvalError> {
        let cancelled = || EvalError::Cancelled { subject: subject.clone() };
        let _permit = self.evaluations.enter(cancel).ok_or_else(cancelled)?;
        let mut printed = Printed::default();
        let ended = follow(command, cancel, &mut |line| printed.take(line));
        let Ended { status, stdout } = ended.map_err(|failure| EvalError::new(subject.clone(), failure))?;
        if !status.success() {
            let mut words = Words::new(&printed.text, &end(status));
            if *subject != Subject::Description {
                // The answer for a host is one that we made up; its attributes say nothing.
                words.attribute.clear();
            }
            return Err(EvalError::Nix { subject: subject.clone(), words });
        }
        printed.answer = stdout;
        Ok(printed)
    }

    /// For Nix before 2.19 and Lix, which cannot name the outputs of a flake as a whole: two evaluations.
    fn index_in_two(&self, cancel: &Cancel) -> Result<Vec<u8>, EvalError> {
        let subject = Subject::Description;
        let names = self.eval_command("nixosConfigurations", "builtins.attrNames");
        let names = or_nothing(self.eval(&subject, names, cancel), b"[]")?;
        let lockstep = self.eval_command("lockstep", "lockstep: lockstep");
        let lockstep = or_nothing(self.eval(&subject, lockstep, cancel), b"null")?;
        Ok([&b"{\"names\":"[..], &names, b",\"lockstep\":", &lockstep, b"}"].concat())
    }
}

impl Evaluate for Nix {
    fn index(&self, cancel: &Cancel) -> Result<Vec<u8>, EvalError> {
        // The dot is Nix's name for the outputs as a whole, without a search among packages.
        // The whole trace, for it names the attribute that does not evaluate.
        let command = self.eval_command(".", &expression::index()).arg("--show-trace");
        match self.eval(&Subject::Description, command, cancel) {
            Err(error) if lacks_attribute(&error) => self.index_in_two(cancel),
            printed => Ok(printed?.answer),
        }
    }

    fn evaluate(&self, host: &str, cancel: &Cancel) -> Result<Evaluated, EvalError> {
        let subject = Subject::Host(host.to_owned());
        let apply = match &self.source {
            Source::File { .. } => expression::system_of_file(host),
            Source::Flake { .. } | Source::Reference { .. } => expression::system_of_flake(host),
        };
        let printed = self.eval(&subject, self.eval_command("nixosConfigurations", &apply), cancel)?;
        let evaluated =
            wire::system(&printed.answer).map_err(|source| EvalError::Answer { subject, source })?;
        Ok(Evaluated { warnings: printed.warnings, ..evaluated })
    }

    fn build(
        &self,
        request: &BuildRequest<'_>,
        cancel: &Cancel,
        on_event: &mut dyn FnMut(BuildEvent),
    ) -> Result<Built, BuildError> {
        let _permit = self.builds.enter(cancel).ok_or(BuildError::Cancelled)?;
        build::build(request, &self.options.for_build(), cancel, on_event)
    }
}

/// Whether Nix says that the flake has not got what was named.
fn lacks_attribute(error: &EvalError) -> bool {
    matches!(error, EvalError::Nix { words, .. } if words.heart.contains("does not provide attribute"))
}

fn or_nothing(printed: Result<Printed, EvalError>, nothing: &[u8]) -> Result<Vec<u8>, EvalError> {
    match printed {
        Err(error) if lacks_attribute(&error) => Ok(nothing.to_vec()),
        printed => Ok(printed?.answer.trim_ascii().to_vec()),
    }
}

/// How a process ended, in words.
pub(crate) fn end(status: ExitStatus) -> String {
    match status.signal() {
        Some(9) => {
            "nix was killed; perhaps the memory was not enough, fewer evaluations at once need less".into()
        }
        Some(signal) => format!("nix was ended by signal {signal}"),
        None => format!("nix ended with {}", status.code().unwrap_or(-1)),
    }
}

/// What an evaluation printed.
#[derive(Debug, Default)]
struct Printed {
    answer: Vec<u8>,
    /// The end of it, a little more than is kept for people.
    text: String,
    warnings: Vec<String>,
}

impl Printed {
    fn take(&mut self, line: &str) {
        let line = keep_start(line, LINE);
        if self.text.len() > 4 * TAIL {
            let cut = self.text.ceil_char_boundary(self.text.len() - 2 * TAIL);
            self.text.drain(..cut);
        }
        self.text.push_str(&line);
        self.text.push('\n');
        let line = plain(&line);
        if is_warning(&line) && self.warnings.len() < WARNINGS {
            self.warnings.push(line);
        }
    }
}

/// Whether a line is of interest although the evaluation succeeded. What every evaluation of a flake may say
/// of its files is not.
fn is_warning(line: &str) -> bool {
    let of_files = ["warning: Git tree", "warning: not writing modified lock file"];
    let told = ["warning:", "evaluation warning:", "trace:"];
    told.iter().any(|start| line.starts_with(start)) && !of_files.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_that_is_free() {
        let text = "MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:    8192000 kB\n";
        assert_eq!(available_memory(text), Some(8_192_000 * 1024));
        for bad in ["", "MemAvailable: x kB", "MemAvailable: 5", "MemAvailable: 18446744073709551615 kB"] {
            assert_eq!(available_memory(bad), None, "{bad}");
        }
        assert!(Limits::detect().evaluations >= 1);
    }

    #[test]
    fn what_is_printed_is_bounded() {
        let mut printed = Printed::default();
        for number in 0..100_000 {
            printed.take(&format!("trace: {number}"));
            assert!(printed.text.len() <= 4 * TAIL + LINE + 8);
        }
        assert_eq!(printed.warnings.len(), WARNINGS);
        assert!(printed.text.ends_with("trace: 99999\n"));
    }

    #[test]
    fn warnings_are_told_from_the_rest() {
        let cases = [
            ("warning: unknown setting 'x'", true),
            ("evaluation warning: use y", true),
            ("trace: here", true),
            ("warning: Git tree '/x' is dirty", false),
            ("warning: not writing modified lock file of flake 'x':", false),
            ("copying path x", false),
        ];
        for (line, expected) in cases {
            assert_eq!(is_warning(line), expected, "{line}");
        }
    }
}
