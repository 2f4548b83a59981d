//! A host that is a virtual machine: QEMU without the processor's help, real firmware, a real boot loader.
//!
//! QEMU runs in the image's own Debian, in the host's control group. When the machine resets, QEMU ends and
//! is started anew, so that a boot is a boot as of any host; its disks and firmware variables are files.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use run::{Child, Command, Output};
use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive};
use serde::Deserialize;

use super::body::{Body, Boot, Ending, Running};
use super::cgroup::Cgroup;
use super::net::{cable, ip};
use crate::image::{VmImage, inside};
use crate::layout::{HostDir, LabDir};
use crate::spec::{HostSpec, Loader};
use crate::wait;

/// The network card inside a virtual machine.
pub(super) const CARD: &str = "eth0";
/// Where QEMU finds the directories of the hosts, and the image's disks.
const HOSTS: &str = "/mnt";
const DISKS: &str = "/media";
/// A machine's memory unless it is said, in MiB.
const MEMORY: u64 = 512;
/// What QEMU may hold of translated code, in MiB; by itself it takes a gigabyte.
const CODE_CACHE: u64 = 256;
/// The disk with a machine's identity.
const IDENTITY_BYTES: u64 = 1 << 20;
/// How long QEMU may take until it can be asked.
const MONITOR_LIMIT: Duration = Duration::from_secs(60);

/// A virtual machine.
pub(super) struct Vm {
    name: String,
    index: usize,
    loader: Loader,
    memory_mib: u64,
    dir: HostDir,
    tools: PathBuf,
}

/// Makes the place where QEMU runs: the image's Debian, with all that it needs of the lab.
pub(super) fn mount_tools(dir: &LabDir, image: &VmImage) -> Result<()> {
    let tools = dir.vm_tools();
    inside::overlay(&image.tools, None, &tools)?;
    mount_bind_recursive("/dev", tools.join("dev"))?;
    mount("tmpfs", tools.join("tmp"), "tmpfs", MountFlags::empty(), None)?;
    mount_bind(&image.disks, tools.join(&DISKS[1..])).context("the image's disks cannot be mounted")?;
    mount_bind(dir.hosts(), tools.join(&HOSTS[1..])).context("the hosts' directories cannot be mounted")
}

impl Vm {
    /// Makes the machine's disks. Its identity lies in its directory already.
    pub(super) fn create(spec: &HostSpec, loader: Loader, index: usize, lab: &LabDir) -> Result<Self> {
        let dir = lab.host(&spec.name);
        let memory_mib = spec.memory_mib.unwrap_or(MEMORY);
        let vm = Self { name: spec.name.clone(), index, loader, memory_mib, dir, tools: lab.vm_tools() };
        let from = vm.tools.join(&DISKS[1..]).join(format!("{}.boot", loader.name()));
        Command::new("cp").args(["--sparse=always"]).args([&from, &vm.dir.vm_boot()]).run()?;
        let variables = vm.tools.join("usr/share/OVMF/OVMF_VARS_4M.fd");
        fs::copy(variables, vm.dir.vm_variables()).context("the image has no firmware")?;
        let backing = format!("{DISKS}/{}.raw", loader.name());
        vm.tool("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b", &backing, &vm.inside(&vm.dir.vm_root())])
            .run()?;
        make_identity(&vm.dir.identity(), &vm.dir.vm_identity())?;
        let tap = cable(index);
        ip(&["tuntap", "add", &tap, "mode", "tap"])?;
        Ok(vm)
    }

    /// A program of the image's Debian.
    fn tool(&self, program: &str) -> Command {
        Command::new("chroot").arg(&self.tools).arg(program).env_clear().env("PATH", "/usr/sbin:/usr/bin")
    }

    /// A file of the machine, as QEMU sees it.
    fn inside(&self, file: &Path) -> String {
        format!("{HOSTS}/{}/{}", self.name, file.file_name().unwrap_or_default().to_string_lossy())
    }

    fn qemu(&self) -> Command {
        let drive = |id: &str, format: &str, file: PathBuf| {
            format!("if=none,id={id},format={format},file={}", self.inside(&file))
        };
        let (memory, tap, index) = (self.memory_mib.to_string(), cable(self.index), self.index);
        let console = format!("file,id=console,append=on,path={}", self.inside(&self.dir.console()));
        let monitor = format!("unix:{},server=on,wait=off", self.inside(&self.dir.vm_monitor()));
        self.tool("qemu-system-x86_64")
            .args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"])
            .args(["-accel", &format!("tcg,tb-size={CODE_CACHE}"), "-machine", "q35"])
            .args(["-cpu", "qemu64", "-smp", "1", "-m", &memory])
            .args(self.firmware())
            .args(["-drive", &drive("root", "qcow2", self.dir.vm_root())])
            .args(["-device", "virtio-blk-pci,drive=root"])
            .args(["-drive", &drive("boot", "raw", self.dir.vm_boot())])
            .args(["-device", "virtio-blk-pci,drive=boot,bootindex=1"])
            .args(["-drive", &(drive("identity", "raw", self.dir.vm_identity()) + ",readonly=on")])
            .args(["-device", "virtio-blk-pci,drive=identity"])
            .args(["-netdev", &format!("tap,id=net,ifname={tap},script=no,downscript=no")])
            .args(["-device", &format!("virtio-net-pci,netdev=net,romfile=,mac=52:54:00:09:00:{index:02x}")])
            .args(["-device", "virtio-rng-pci"])
            .args(["-chardev", &console, "-serial", "chardev:console", "-qmp", &monitor])
    }

    /// A BIOS is QEMU's own; a UEFI comes with a flash chip that holds its variables.
    fn firmware(&self) -> Vec<String> {
        if self.loader == Loader::Grub {
            return Vec::new();
        }
        let chip = |unit: u8, rest: &str| format!("if=pflash,format=raw,unit={unit},{rest}");
        let variables = format!("file={}", self.inside(&self.dir.vm_variables()));
        let code = chip(0, "readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd");
        ["-drive", &code, "-drive", &chip(1, &variables)].map(str::to_owned).to_vec()
    }

    fn start(&self, cgroup: &Cgroup) -> Result<Child> {
        let log = fs::File::options().create(true).append(true).open(self.dir.path().join("qemu.log"))?;
        let command = cgroup.enter(&self.qemu()).stdout(Output::File(log.try_clone()?));
        Ok(command.stderr(Output::File(log)).spawn()?)
    }

    fn monitor(&self, qemu: &mut Child) -> Result<UnixStream> {
        wait::until("QEMU to answer", MONITOR_LIMIT, || {
            if !qemu.is_running() {
                let log = fs::read_to_string(self.dir.path().join("qemu.log")).unwrap_or_default();
                return Ok(Err(anyhow::anyhow!("QEMU did not start: {}", log.trim_end())));
            }
            Ok(UnixStream::connect(self.dir.vm_monitor()).map(Ok)?)
        })?
    }
}

impl Body for Vm {
    fn boot(&mut self, cgroup: &Cgroup) -> Result<Boot> {
        // The socket of the last boot would refuse us.
        let _none = fs::remove_file(self.dir.vm_monitor());
        let mut child = self.start(cgroup)?;
        let monitor = self.monitor(&mut child)?;
        let watch = thread::spawn(move || reason_of_end(&monitor));
        let meaning = move |code| match watch.join().unwrap_or_default().as_deref() {
            Some("guest-reset") => Ending::Reboot,
            Some("guest-shutdown") => Ending::Off,
            _ => Ending::Panicked(code),
        };
        let leader = child.id();
        Ok(Boot::Runs(Running { child, leader, choice: None, meaning: Box::new(meaning) }))
    }

    fn prepare_cut(&mut self, _cgroup: &Cgroup) -> Result<()> {
        Ok(())
    }

    fn cut(&mut self, cgroup: &Cgroup) -> Result<()> {
        cgroup.kill()
    }

    fn break_writes(&self) -> Result<()> {
        bail!("the disk of a virtual machine cannot be broken")
    }

    fn freeze_init(&self, _leader: u32, _frozen: bool) -> Result<()> {
        bail!("the PID 1 of a virtual machine cannot be reached from outside")
    }
}

/// What QEMU tells over its monitor, as far as it is of interest.
/// Format: QEMU Machine Protocol, event `SHUTDOWN`.
#[derive(Debug, Deserialize)]
struct Message {
    event: Option<String>,
    data: Option<Data>,
}

#[derive(Debug, Deserialize)]
struct Data {
    reason: Option<String>,
}

/// Listens until QEMU ends, and says why it did.
fn reason_of_end(monitor: &UnixStream) -> Option<String> {
    let mut writer = monitor;
    writer.write_all(b"{\"execute\":\"qmp_capabilities\"}\n").ok()?;
    let mut reason = None;
    for line in BufReader::new(monitor).lines().map_while(std::io::Result::ok) {
        reason = reason_in(&line).or(reason);
    }
    reason
}

fn reason_in(line: &str) -> Option<String> {
    let message: Message = serde_json::from_str(line).ok()?;
    message.event.filter(|event| event == "SHUTDOWN").and(message.data)?.reason
}

fn make_identity(content: &Path, file: &Path) -> Result<()> {
    fs::File::create(file)?.set_len(IDENTITY_BYTES)?;
    Command::new("mke2fs")
        .args(["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d"])
        .args([content, file])
        .run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::reason_in;

    #[test]
    fn qemu_says_why_it_ends() {
        let cases = [
            (r#"{"event":"SHUTDOWN","data":{"guest":true,"reason":"guest-reset"}}"#, Some("guest-reset")),
            (
                r#"{"timestamp":{"seconds":1},"event":"SHUTDOWN","data":{"reason":"host-signal"}}"#,
                Some("host-signal"),
            ),
            (r#"{"event":"RESET","data":{"guest":true,"reason":"guest-reset"}}"#, None),
            (r#"{"event":"NIC_RX_FILTER_CHANGED","data":{"path":"/x"}}"#, None),
            (r#"{"QMP":{"version":{}}}"#, None),
            (r#"{"return":{}}"#, None),
            ("not json", None),
        ];
        for (line, expected) in cases {
            assert_eq!(reason_in(line).as_deref(), expected, "{line}");
        }
    }
}
