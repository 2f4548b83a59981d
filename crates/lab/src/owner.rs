//! The outside of a lab: starting one, finding one that runs, ending it.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use run::{Child, Command, Output};

use crate::host::Host;
use crate::image::{Image, Suite, VM_SUITE, VmImage};
use crate::keeper::cgroup;
use crate::layout::{LabDir, Layout};
use crate::preflight;
use crate::spec::{HostSpec, Loader, Spec};
use crate::wait;
use crate::wire::{Action, HostStatus, Reply, Request};

/// How long a lab may take until every host's init runs.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long after that until every host answers over ssh.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// The same for a virtual machine, which boots all of it, without the processor's help.
const VM_READY_LIMIT: Duration = Duration::from_secs(900);
/// The longest name of a lab.
const MAX_NAME: usize = 40;
/// The longest path of a Unix socket, see unix(7).
const MAX_SOCKET_PATH: usize = 107;
/// How long the kernel may take to end a lab's processes.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A lab to be: which hosts, of which image, kept by which program.
#[derive(Clone, Debug)]
pub struct Builder {
    layout: Layout,
    suite: Suite,
    program: PathBuf,
    hosts: Vec<HostSpec>,
    tools: Vec<PathBuf>,
}

/// A lab that runs. Dropping the one that started it ends it.
#[derive(Debug)]
pub struct Lab {
    dir: LabDir,
    spec: Spec,
    /// The `lab` program.
    program: PathBuf,
    /// The process id of the keeper as seen from here.
    keeper: u32,
    /// Held by the owner alone: its end of the keeper's standard input.
    owned: Option<Child>,
}

impl Builder {
    /// A lab without hosts, of the default image. `program` is the `lab` program, which becomes the keeper.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        Self {
            layout: Layout::from_env(),
            suite: Suite::Trixie,
            program,
            hosts: Vec::new(),
            tools: Vec::new(),
        }
    }

    /// Takes another image.
    #[must_use]
    pub fn suite(mut self, suite: Suite) -> Self {
        self.suite = suite;
        self
    }

    /// Adds hosts with the usual disk and no memory limit.
    #[must_use]
    pub fn hosts<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.hosts.extend(names.into_iter().map(HostSpec::new));
        self
    }

    /// Adds a host of a special kind.
    #[must_use]
    pub fn host(mut self, host: HostSpec) -> Self {
        self.hosts.push(host);
        self
    }

    /// Adds a virtual machine: a host with a real kernel and a real boot loader. It is slower by far.
    #[must_use]
    pub fn vm(self, name: impl Into<String>, loader: Loader) -> Self {
        self.host(HostSpec::vm(name, loader))
    }

    /// Adds the operator host, called `operator`.
    #[must_use]
    pub fn operator(self) -> Self {
        self.host(HostSpec { operator: true, ..HostSpec::new("operator") })
    }

    /// Puts a program of this machine on the operator host, under `/lab/bin`.
    #[must_use]
    pub fn tool(mut self, program: impl Into<PathBuf>) -> Self {
        self.tools.push(program.into());
        self
    }

    /// Brings the lab up under a name that nobody else has; it ends with the returned value.
    pub fn start(self) -> Result<Lab> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let id = format!("t{}-{}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let lab = self.launch(&id, Command::input_pipe)?;
        lab.wait_ready()?;
        Ok(lab)
    }

    /// Brings a lab up that outlives this process, until [`Lab::end`]. Until it is ready it ends with us.
    pub fn start_detached(self, id: &str) -> Result<Lab> {
        let mut lab = self.launch(id, |keeper| keeper.input_pipe().detached())?;
        lab.wait_ready()?;
        if let Some(mut keeper) = lab.owned.take() {
            keeper.write_input(b"!").context("cannot let the lab go")?;
        }
        Ok(lab)
    }

    fn launch(&self, id: &str, bond: impl FnOnce(Command) -> Command) -> Result<Lab> {
        preflight::check(self.layout.root())?;
        preflight::make_room_for(self.hosts.len())?;
        let image = Image::find(&self.layout, self.suite)?;
        let vm = self.find_vm(&image)?;
        let packages = vm.iter().map(|vm| vm.packages.clone());
        let layers = [image.layer].into_iter().chain(packages).chain([image.root]).collect();
        let spec = Spec { layers, boot: image.boot, vm, hosts: self.hosts.clone() };
        spec.check()?;
        let dir = self.layout.lab(id);
        let lock = claim(&self.layout, &dir)?;
        fs::write(dir.spec(), serde_json::to_vec_pretty(&spec)?)?;
        self.take_tools(&dir)?;
        let mut child = self.start_keeper(&dir, lock, bond)?;
        fs::write(dir.pid(), child.id().to_string())?;
        wait_for_control(&dir, &mut child)?;
        let keeper = keeper_of(child.id())?;
        Ok(Lab { dir, spec, program: self.program.clone(), keeper, owned: Some(child) })
    }

    /// The image of virtual machines, if there are any.
    fn find_vm(&self, image: &Image) -> Result<Option<VmImage>> {
        if self.hosts.iter().all(|host| host.vm.is_none()) {
            return Ok(None);
        }
        ensure!(self.suite == VM_SUITE, "virtual machines are made of the image `{}`", VM_SUITE.name());
        VmImage::find(image).map(Some)
    }

    fn take_tools(&self, dir: &LabDir) -> Result<()> {
        fs::create_dir_all(dir.tools())?;
        for tool in &self.tools {
            let name = tool.file_name().context("a tool is a program file")?;
            fs::copy(tool, dir.tools().join(name))
                .with_context(|| format!("cannot take {}", tool.display()))?;
        }
        Ok(())
    }

    fn start_keeper(&self, dir: &LabDir, lock: File, bond: impl FnOnce(Command) -> Command) -> Result<Child> {
        let log = File::create(dir.keeper_log())?;
        let command = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child", "--mount", "--net"])
            .arg(&self.program)
            .arg("keeper")
            .arg(dir.path())
            // The lock file is the keeper's standard output: locked as long as the keeper lives.
            .stdout(Output::File(lock))
            .stderr(Output::File(log));
        bond(command).spawn().context("cannot start the lab's keeper")
    }
}

/// Waits until every host has been started, or the keeper has given up.
fn wait_for_control(dir: &LabDir, keeper: &mut Child) -> Result<()> {
    wait::until("bringing the lab up", START_LIMIT, || {
        if dir.control().exists() {
            return Ok(Ok(()));
        }
        if !keeper.is_running() {
            return Ok(Err(keeper_ended(dir)));
        }
        Err(anyhow!("the hosts are not started yet"))
    })?
}

/// Makes the lab's directory and takes its lock; labs that have ended are cleared away on the way.
fn claim(layout: &Layout, dir: &LabDir) -> Result<File> {
    check_name(dir)?;
    let labs = layout.labs();
    fs::create_dir_all(&labs).with_context(|| format!("cannot create {}", labs.display()))?;
    let _all = lock_all(&labs)?;
    for entry in fs::read_dir(&labs)? {
        let path = entry?.path();
        if path.is_dir() && !is_alive(&LabDir::at(&path)) {
            // What is left of another lab is in nobody's way; the next one tries again.
            let _left = clear(&LabDir::at(path));
        }
    }
    if dir.path().exists() {
        bail!(
            "the lab `{0}` is up already; `cargo lab down --lab {0}` ends it, or give another name",
            dir.id()
        );
    }
    fs::create_dir(dir.path()).with_context(|| format!("cannot create {}", dir.path().display()))?;
    let lock = File::create(dir.lock())?;
    lock.lock()?;
    Ok(lock)
}

/// A name is one component of a path, and a socket's path has room for 107 bytes.
fn check_name(dir: &LabDir) -> Result<()> {
    let id = dir.id();
    let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !plain || id.len() > MAX_NAME {
        bail!("`{id}` is no name for a lab: use letters, digits and `-`, at most {MAX_NAME}");
    }
    let length = dir.control().as_os_str().len();
    if length > MAX_SOCKET_PATH {
        bail!(
            "the path of the lab's socket is {length} bytes long, {MAX_SOCKET_PATH} fit: set LOCKSTEP_LAB_DIR"
        );
    }
    Ok(())
}

/// Held while labs are made and cleared away.
fn lock_all(labs: &Path) -> Result<File> {
    let all = File::create(labs.join(".lock"))?;
    all.lock()?;
    Ok(all)
}

fn is_alive(dir: &LabDir) -> bool {
    File::open(dir.lock()).is_ok_and(|lock| lock.try_lock().is_err())
}

/// Removes what is left of a lab that has ended. The caller holds the lock on all labs.
fn clear(dir: &LabDir) -> Result<()> {
    cgroup::sweep(&dir.id());
    fs::remove_dir_all(dir.path()).with_context(|| format!("cannot clear {}", dir.path().display()))
}

fn keeper_ended(dir: &LabDir) -> anyhow::Error {
    let log = fs::read_to_string(dir.keeper_log()).unwrap_or_default();
    anyhow!("the lab did not come up: {}", log.trim_end())
}

/// The keeper is the only child of the `unshare` that made its namespaces.
fn keeper_of(unshare: u32) -> Result<u32> {
    let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"))
        .context("the lab's keeper is gone")?;
    let first = children.split_whitespace().next().context("the lab's keeper is gone")?;
    Ok(first.parse()?)
}

impl Lab {
    /// The lab of that name that runs, for the `lab` program itself.
    pub fn find(layout: &Layout, id: &str) -> Result<Self> {
        let dir = layout.lab(id);
        check_name(&dir)?;
        if !is_alive(&dir) {
            bail!("no lab `{id}` is up; `cargo lab up` brings one up");
        }
        let spec = serde_json::from_slice(&fs::read(dir.spec())?).context("the lab's spec cannot be read")?;
        let pid = fs::read_to_string(dir.pid()).context("the lab is not up yet")?;
        let keeper = keeper_of(pid.trim().parse()?)?;
        let program = env::current_exe().context("cannot find this program")?;
        Ok(Self { dir, spec, program, keeper, owned: None })
    }

    /// The lab's directory.
    #[must_use]
    pub fn dir(&self) -> &LabDir {
        &self.dir
    }

    /// The `lab` program, parts of which run inside namespaces.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The keeper's process id, as seen from here.
    #[must_use]
    pub fn keeper(&self) -> u32 {
        self.keeper
    }

    /// The host of that name.
    ///
    /// # Panics
    /// If the lab was asked for without it: a mistake in the scenario.
    #[must_use]
    pub fn host(&self, name: &str) -> Host<'_> {
        self.find_host(name).unwrap_or_else(|error| panic_with(&error))
    }

    /// The host of that name, if there is one.
    pub fn find_host(&self, name: &str) -> Result<Host<'_>> {
        let found = self.hosts().find(|host| host.name() == name);
        found.with_context(|| format!("this lab has no host `{name}`"))
    }

    /// All hosts, in the order of their addresses.
    pub fn hosts(&self) -> impl Iterator<Item = Host<'_>> {
        self.spec.hosts.iter().enumerate().map(|(index, host)| Host::new(self, host, index))
    }

    /// How all hosts are.
    pub fn status(&self) -> Result<Vec<HostStatus>> {
        match self.ask(&Request::Status)? {
            Reply::Status(hosts) => Ok(hosts),
            other => bail!("the keeper answered {other:?}"),
        }
    }

    /// Does something to a host from outside.
    pub(crate) fn act(&self, host: &str, action: Action) -> Result<()> {
        match self.ask(&Request::Host { host: host.to_owned(), action })? {
            Reply::Done => Ok(()),
            Reply::Failed(why) => bail!(why),
            Reply::Status(_) => bail!("the keeper answered another question"),
        }
    }

    fn ask(&self, request: &Request) -> Result<Reply> {
        let mut stream =
            UnixStream::connect(self.dir.control()).context("the lab's keeper does not answer")?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply)?;
        serde_json::from_str(&reply)
            .with_context(|| format!("the keeper hung up: {}", keeper_ended(&self.dir)))
    }

    /// Waits until every host answers over ssh.
    pub fn wait_ready(&self) -> Result<()> {
        thread::scope(|scope| {
            let wait =
                |host: Host<'_>| host.wait_ssh(if host.is_vm() { VM_READY_LIMIT } else { READY_LIMIT });
            let waiting: Vec<_> = self.hosts().map(|host| scope.spawn(move || wait(host))).collect();
            waiting.into_iter().try_for_each(|wait| wait.join().unwrap_or_else(|_| bail!("waiting panicked")))
        })
    }

    /// Ends a lab that outlives its starter.
    pub fn end(mut self) -> Result<()> {
        let pid = fs::read_to_string(self.dir.pid())?;
        let end = Command::new("kill").args(["-KILL", pid.trim()]).run();
        self.owned = None;
        end.context("cannot end the lab's keeper")?;
        self.clear_away()
    }

    /// Waits for the keeper's end and removes what is left, unless somebody else took the name meanwhile.
    fn clear_away(&self) -> Result<()> {
        self.wait_end()?;
        let labs = self.dir.path().parent().context("a lab lies below the layout")?;
        let _all = lock_all(labs)?;
        if is_alive(&self.dir) || !self.dir.path().exists() {
            return Ok(());
        }
        clear(&self.dir)
    }

    fn wait_end(&self) -> Result<()> {
        wait::until_true("ending the lab", END_LIMIT, || !is_alive(&self.dir))
    }

    /// Leaves the logs of a scenario where they can be read, in place of those of its last run.
    fn keep_logs(&self, scenario: &str) -> Result<PathBuf> {
        let root = self.dir.path().parent().and_then(Path::parent).context("a lab lies below the layout")?;
        let kept = root.join("logs").join(scenario.replace("::", "."));
        fs::create_dir_all(&kept)?;
        fs::copy(self.dir.keeper_log(), kept.join("keeper.log"))?;
        for host in self.hosts() {
            let name = host.name();
            fs::copy(self.dir.host(name).console(), kept.join(format!("{name}.console")))?;
            // A host that is down or hangs has no journal to give now.
            if let Ok(journal) = host.journal(&["--boot"]) {
                fs::write(kept.join(format!("{name}.journal")), journal)?;
            }
        }
        Ok(kept)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let Some(child) = self.owned.take() else { return };
        // The test harness runs each scenario in a thread of its name.
        if let Some(scenario) = thread::current().name().filter(|name| *name != "main") {
            report_logs(self.keep_logs(scenario));
        }
        drop(child);
        // What cannot be cleared now is cleared when the next lab comes up.
        let _later = self.clear_away();
    }
}

#[expect(clippy::print_stderr, reason = "shown by the test runner when the scenario fails")]
fn report_logs(kept: Result<PathBuf>) {
    match kept {
        Ok(dir) => eprintln!("the lab's logs are kept in {}", dir.display()),
        Err(error) => eprintln!("the lab's logs could not be kept: {error:#}"),
    }
}

#[expect(clippy::panic, reason = "a scenario that names a host it did not ask for is a bug in the scenario")]
fn panic_with(error: &anyhow::Error) -> ! {
    panic!("{error:#}")
}
