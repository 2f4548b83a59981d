//! Programs that must outlive us: each in a transient service outside every session, its output in a file, its
//! result in another.
//!
//! The service's own result is not asked for: a service that has ended and was collected reads as success.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use activate::{Fault, SwitchUnit};
use order::{OrderId, SystemPath};
use run::{Command, Output};

use crate::{
    cgroup::Group,
    chain::chain,
    links,
    manager::{Attendance, attended},
    paths,
    runtime::make_runtime,
};

/// How long systemd may take to start a service.
const START: Duration = Duration::from_secs(60);
/// The same where somebody waits for an answer, and the next contact tries again.
const QUICK_START: Duration = Duration::from_secs(15);
/// Between SIGTERM and SIGKILL, and after SIGKILL.
const GRACE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a result is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// What a job of an activation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `switch-to-configuration test` of the new system.
    Test,
    /// `switch-to-configuration test` of the old system.
    Back,
    /// `switch-to-configuration boot` of any.
    Boot,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Back => "back",
            Self::Boot => "boot",
        }
    }
}

/// One run of a system's `switch-to-configuration` in a service of its own.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    order: OrderId,
    purpose: Purpose,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobEnd {
    /// With this exit code.
    Exited(i32),
    /// It is gone and left no result.
    Lost,
}

impl Job {
    pub(crate) fn new(order: &OrderId, purpose: Purpose) -> Self {
        Self { order: order.clone(), purpose }
    }

    pub(crate) fn unit(&self) -> String {
        format!("lockstep-{}-{}.service", self.purpose.word(), self.order)
    }

    /// What the program writes, from all jobs of the order.
    pub(crate) fn log(order: &OrderId) -> PathBuf {
        PathBuf::from(format!("{}/{order}.log", paths::RUN))
    }

    fn result_file(&self) -> PathBuf {
        PathBuf::from(format!("{}/{}-{}.result", paths::RUN, self.order, self.purpose.word()))
    }

    pub(crate) fn state(&self) -> SwitchUnit {
        Group::of(&self.unit()).state()
    }

    /// Starts it with the `systemd-run` of `tools` and returns once its first process runs.
    pub(crate) fn start(&self, system: &SystemPath, tools: &SystemPath) -> Result<(), Fault> {
        match fs::remove_file(self.result_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Fault::new(format!("an old result cannot be removed: {error}")));
            }
            Ok(()) | Err(_) => {}
        }
        let result = self.result_file();
        let words = [
            "run-job",
            &links::program_of(system, "bin/switch-to-configuration"),
            self.purpose.word(),
            result.to_str().unwrap_or_default(),
            Self::log(&self.order).to_str().unwrap_or_default(),
        ]
        .map(str::to_owned);
        start_with(Some(tools), &self.unit(), (&[], START), &words)
    }

    /// Its result, once it has ended.
    pub(crate) fn end(&self) -> Option<JobEnd> {
        // In this order: a job writes its result before it ends.
        let running = self.state() != SwitchUnit::Absent;
        match fs::read_to_string(self.result_file()).ok().and_then(|text| text.trim().parse().ok()) {
            Some(code) => Some(JobEnd::Exited(code)),
            None if running => None,
            None => Some(JobEnd::Lost),
        }
    }

    /// Waits for its result, however long it takes.
    pub(crate) fn wait(&self) -> JobEnd {
        loop {
            if let Some(end) = self.end() {
                return end;
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits for its result; an error if the time is over first, or whom it needs is gone.
    pub(crate) fn wait_at_most(&self, limit: Duration) -> Result<JobEnd, Fault> {
        let (start, mut attendance) = (Instant::now(), Attendance::of_manager_and_bus());
        loop {
            if let Some(end) = self.end() {
                return Ok(end);
            }
            if start.elapsed() >= limit {
                return Err(Fault::new(format!("was not done after {} s", limit.as_secs())));
            }
            if let Some(trouble) = attendance.lost() {
                return Err(Fault::new(format!("was ended: {}", chain(&trouble))));
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until it has no process any more.
    pub(crate) fn wait_gone(&self) {
        while self.state() == SwitchUnit::Running {
            thread::sleep(LOOK);
        }
    }

    /// Ends all of its processes.
    pub(crate) fn kill(&self) -> Result<(), Fault> {
        let ended = Group::of(&self.unit()).end(GRACE, PATIENCE);
        ended.map_err(|error| Fault::new(format!("{} cannot be ended: {error}", self.unit())))
    }
}

/// What a job's service executes: runs the program for a purpose, its output behind what `log` has, and writes the exit code to
/// `result`. The file appears as a whole, and before this process ends.
#[must_use]
pub fn run_job(program: &str, purpose: &str, result: &str, log: &str) -> ExitCode {
    let code = match run(program, purpose, log) {
        Ok(code) => code,
        Err(error) => {
            // Without a result the job counts as lost, and its reason stands in the log if it can be written.
            let _full = File::options().append(true).open(log).and_then(|mut file| writeln!(file, "{error}"));
            return ExitCode::FAILURE;
        }
    };
    let part = format!("{result}.part");
    match fs::write(&part, format!("{code}\n")).and_then(|()| fs::rename(&part, result)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(program: &str, purpose: &str, log: &str) -> io::Result<i32> {
    let action = if purpose == Purpose::Boot.word() { "boot" } else { "test" };
    let log = File::options().create(true).append(true).open(log)?;
    let mut command =
        Command::new(program).arg(action).stdout(Output::File(log.try_clone()?)).stderr(Output::File(log));
    if purpose != Purpose::Test.word() {
        // What was checked on the way in may not hold up the way back, nor a decision that has fallen.
        command = command.env("NIXOS_NO_CHECK", "1");
    }
    if purpose == Purpose::Back.word() {
        // Nothing new lies in the store, and a disk that takes no writes would refuse the way back.
        command = command.env("NIXOS_NO_SYNC", "1");
    }
    let finished = command.output().map_err(|error| io::Error::other(chain(&error)))?;
    Ok(finished.status.code().unwrap_or_else(|| 128 + finished.status.signal().unwrap_or(0)))
}

/// What every service of an activation has. `switch-to-configuration` stops services with default dependencies in
/// emergency mode, and `isolate` stops what does not ignore it; a working or state directory would tie them to a mount.
const PROPERTIES: [&str; 4] =
    ["DefaultDependencies=no", "IgnoreOnIsolate=yes", "Type=exec", "KillMode=control-group"];

/// Starts this very program with `words` in a transient service; returns once it is executed.
///
/// # Errors
/// If systemd does not start it.
pub fn start_service(unit: &str, properties: &[&str], words: &[String]) -> Result<(), Fault> {
    start_with(None, unit, (properties, START), words)
}

/// The same, but systemd has less time.
///
/// # Errors
/// If systemd does not start it in time.
pub fn start_service_quickly(unit: &str, properties: &[&str], words: &[String]) -> Result<(), Fault> {
    start_with(None, unit, (properties, QUICK_START), words)
}

fn start_with(
    tools: Option<&SystemPath>,
    unit: &str,
    (properties, limit): (&[&str], Duration),
    words: &[String],
) -> Result<(), Fault> {
    let fault = |text: String| Fault::new(format!("{unit} cannot be started: {text}"));
    let this = std::env::current_exe().map_err(|error| fault(error.to_string()))?;
    let systemd_run = tools.cloned().or_else(links::running).or_else(links::booted);
    let systemd_run = systemd_run.map(|system| links::program_of(&system, "systemd/bin/systemd-run"));
    let systemd_run = systemd_run.ok_or_else(|| fault("/run/current-system names no system".to_owned()))?;
    // The output goes there, and after a boot nothing is there.
    make_runtime().map_err(|error| fault(format!("{}: {error}", paths::RUN)))?;
    let log = format!("append:{}/services.log", paths::RUN);
    let output = [format!("StandardOutput={log}"), format!("StandardError={log}")];
    let all = PROPERTIES.iter().chain(properties).map(|text| (*text).to_owned()).chain(output);
    let command = Command::new(systemd_run)
        .args(["--quiet", "--collect", "--no-ask-password"])
        .arg(format!("--unit={unit}"))
        .args(all.map(|property| format!("--property={property}")))
        .arg("--")
        .arg(this)
        .args(words);
    attended(command, limit).map(drop).map_err(|why| fault(why.to_string()))
}

/// Whether a service has any process.
#[must_use]
pub fn service_lives(unit: &str) -> bool {
    Group::of(unit).state() != SwitchUnit::Absent
}
