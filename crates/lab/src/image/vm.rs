//! The image of virtual machines: Debian's Linux and boot loaders, the tools that run a machine (QEMU and
//! its firmware, of the image's Debian too, whatever this machine has), and a disk for each loader.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::{env, iter};

use anyhow::{Context, Result, bail, ensure};
use run::Command;
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use serde::{Deserialize, Serialize};

use super::inside::{self, chroot};
use super::key::Key;
use super::{COMPLETE, Image, build_beside, system};
use crate::spec::Loader;

/// What a machine gets over a host's Debian. Of what these depend on, only what is named in [`TAKEN`] is
/// taken: a machine of the lab has no udev, and the pocket NixOS makes its initrd.
const PACKAGES: [&str; 4] = ["grub-pc-bin", "grub2-common", "linux-image-cloud-amd64", "systemd-boot"];
/// The beginnings of the names of packages that a machine gets.
const TAKEN: [&str; 6] = ["gettext-base", "grub", "libdevmapper", "libefi", "linux-image-6", "systemd-boot"];
/// What runs a machine and makes its disks, with all that it needs.
const TOOLS: [&str; 4] = ["mtools", "ovmf", "qemu-system-x86", "qemu-utils"];
/// Modules of Linux that the initrd loads; the others are loaded from the root when they are asked for.
const MODULES: [&str; 5] = ["virtio_blk", "virtio_net", "vfat", "nls_ascii", "nls_cp437"];
/// What GRUB has in its core, which lies before the first partition.
const GRUB_MODULES: [&str; 12] = [
    "biosdisk",
    "configfile",
    "echo",
    "ext2",
    "halt",
    "linux",
    "loadenv",
    "normal",
    "part_msdos",
    "serial",
    "terminal",
    "test",
];
/// What GRUB's core does first.
const GRUB_EARLY: &str = "serial --unit=0\nterminal_output serial\n";
/// Raised when a step of [`build_parts`] changes in a way that the lists above do not show.
const RECIPE: &str = "1";
/// The size of a machine's root file system; the file is sparse.
const ROOT_BYTES: u64 = 4 << 30;
/// The size of the disk with the boot loader: room for a few kernels.
const BOOT_BYTES: u64 = 128 << 20;
/// Where the only partition of that disk begins.
const PARTITION_START: u64 = 1 << 20;
/// The largest `boot.img` of GRUB before the partition table, in bytes.
const BOOT_CODE: usize = 440;
const SECTOR: u64 = 512;

/// A finished image of virtual machines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VmImage {
    /// What a machine has over a host's Debian; also where an operator host finds Linux, to build systems.
    pub packages: PathBuf,
    /// The layers that QEMU runs in, the uppermost first.
    pub tools: Vec<PathBuf>,
    /// The disks: `LOADER.raw` and `LOADER.boot`.
    pub disks: PathBuf,
}

impl VmImage {
    /// The cached image, or what to do to have it.
    pub fn find(image: &Image) -> Result<Self> {
        let parts = parts_directory(&image.root)?;
        let disks = disks_directory(image, &parts)?;
        for dir in [&parts, &disks] {
            if !dir.join(COMPLETE).exists() {
                bail!(
                    "the image of virtual machines is not built yet; `cargo lab image trixie` builds it in a minute"
                );
            }
        }
        system::touch(&disks)?;
        let packages = parts.join("packages");
        let tools = vec![parts.join("tools"), packages.clone(), image.root.clone()];
        Ok(Self { packages, tools, disks })
    }

    /// Builds what is missing of it.
    pub(super) fn build(image: &Image, tell: &dyn Fn(&str)) -> Result<Self> {
        let parts = parts_directory(&image.root)?;
        if !parts.join(COMPLETE).exists() {
            tell("building the image of virtual machines (half a minute, once)");
            build_beside(&parts, |part| in_namespaces("image-vm-parts", &[&image.root, part]))?;
        }
        let disks = disks_directory(image, &parts)?;
        if !disks.join(COMPLETE).exists() {
            tell("building the disks of virtual machines");
            build_beside(&disks, |part| in_namespaces("image-vm-disks", &[&image.root, &parts, part]))?;
            system::prune(&parts.join("disks"))?;
        }
        Self::find(image)
    }
}

fn parts_directory(root: &Path) -> Result<PathBuf> {
    let lists = iter::empty().chain(PACKAGES).chain(TAKEN).chain(TOOLS).chain(MODULES);
    let key = Key::new().text(&lists.collect::<Vec<_>>().join(",")).text(RECIPE).finish();
    Ok(root.parent().context("a root lies in its image")?.join(format!("vm-{key}")))
}

fn disks_directory(image: &Image, parts: &Path) -> Result<PathBuf> {
    let system = image.layer.parent().and_then(Path::file_name).context("a layer lies in its system")?;
    let key = Key::new().text(&system.to_string_lossy()).text(include_str!("vm.rs")).finish();
    Ok(parts.join("disks").join(key))
}

/// Runs a part of this program in namespaces, so that a build cut short leaves no mount behind.
fn in_namespaces(part: &str, paths: &[&Path]) -> Result<()> {
    let program = env::current_exe().context("cannot find this program")?;
    Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child"])
        .arg(program)
        .arg(part)
        .args(paths)
        .run()
        .context("the image of virtual machines could not be built")?;
    Ok(())
}

/// What `lab image-vm-parts` does: fills `part` with `packages`, `tools` and the root of every machine.
pub fn build_parts(root: &Path, part: &Path) -> Result<()> {
    inside::own_mounts()?;
    let (packages, tools) = (part.join("packages"), part.join("tools"));
    download(root, part, |scratch| {
        let of = |list: &[&str]| downloaded(scratch, list);
        extract(&of(&PACKAGES)?, &packages, &|name| TAKEN.iter().any(|taken| name.starts_with(taken)))?;
        extract(&of(&TOOLS)?, &tools, &|_| true)
    })?;
    settle_linux(root, part, &packages)?;
    let merged = part.join("merged");
    inside::overlay(&[packages, root.to_owned()], None, &merged)?;
    make_ext4(&part.join("root.raw"), ROOT_BYTES, &merged, 0)?;
    unmount(&merged, UnmountFlags::DETACH)?;
    Ok(fs::remove_dir(&merged)?)
}

/// A root in which the packages can be downloaded; what that leaves is thrown away.
fn download(root: &Path, part: &Path, take: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let scratch = part.join("scratch");
    let upper = part.join("scratch-upper");
    inside::overlay(&[root.to_owned()], Some(&upper), &scratch)?;
    inside::furnish(&scratch)?;
    fs::copy("/etc/resolv.conf", scratch.join("etc/resolv.conf"))
        .context("this machine resolves no names")?;
    apt(&scratch).arg("update").run().context("the package lists could not be read")?;
    take(&scratch)?;
    inside::clear(&scratch)?;
    for left in [upper.with_extension("work"), upper] {
        fs::remove_dir_all(left)?;
    }
    Ok(())
}

/// Debian's package manager in the image, with the proxies of this machine.
fn apt(root: &Path) -> Command {
    Command::new("chroot").arg(root).args(["apt-get", "-qq"])
}

/// The files of these packages and of all that they need.
fn downloaded(scratch: &Path, packages: &[&str]) -> Result<Vec<PathBuf>> {
    let archives = scratch.join("downloaded").join(packages[0]);
    fs::create_dir_all(archives.join("partial"))?;
    apt(scratch)
        .args(["install", "--yes", "--download-only", "--no-install-recommends"])
        .args(["-o", &format!("Dir::Cache::archives=/downloaded/{}", packages[0])])
        .args(packages)
        .run()
        .context("the packages of virtual machines could not be downloaded")?;
    let files = fs::read_dir(&archives)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "deb")).collect())
}

/// Unpacks without running anything of the packages' own.
fn extract(packages: &[PathBuf], target: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
    fs::create_dir_all(target)?;
    for package in packages {
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        if wanted(&name) {
            Command::new("dpkg-deb").arg("-x").args([package, target]).run()?;
        }
    }
    for useless in ["usr/share/doc", "usr/share/man", "usr/share/locale"] {
        if target.join(useless).exists() {
            fs::remove_dir_all(target.join(useless))?;
        }
    }
    Ok(())
}

/// Puts Linux and the modules of the initrd where the pocket NixOS looks for them: `/lab/vm`.
fn settle_linux(root: &Path, part: &Path, packages: &Path) -> Result<()> {
    let merged = part.join("merged");
    inside::overlay(&[root.to_owned()], Some(packages), &merged)?;
    let version = only_entry(&merged.join("usr/lib/modules"))?;
    let target = merged.join("lab/vm/modules");
    fs::create_dir_all(&target)?;
    fs::copy(merged.join(format!("boot/vmlinuz-{version}")), merged.join("lab/vm/bzImage"))?;
    chroot(&merged, "depmod").arg(&version).run()?;
    let needed = chroot(&merged, "modprobe")
        .args(["--set-version", &version, "--show-depends", "--all"])
        .args(MODULES)
        .run()?
        .stdout_text();
    let mut seen: Vec<&str> = Vec::new();
    for file in needed.lines().filter_map(|line| line.strip_prefix("insmod ")).map(str::trim) {
        if seen.contains(&file) {
            continue;
        }
        let name = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".xz");
        let plain = chroot(&merged, "xz").args(["--decompress", "--stdout", file]).run()?.stdout;
        fs::write(target.join(format!("{:02}-{name}", seen.len())), plain)?;
        seen.push(file);
    }
    ensure!(seen.len() >= MODULES.len(), "modprobe knows only {seen:?}");
    fs::remove_dir_all(merged.join("boot"))?;
    fs::create_dir(merged.join("boot"))?;
    unmount(&merged, UnmountFlags::DETACH)?;
    fs::remove_dir(&merged)?;
    Ok(fs::remove_dir_all(packages.with_extension("work"))?)
}

fn only_entry(dir: &Path) -> Result<String> {
    let mut entries = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let first = entries.next().context("there is no Linux in the image")??;
    ensure!(entries.next().is_none(), "there is more than one Linux in {}", dir.display());
    Ok(first.file_name().to_string_lossy().into_owned())
}

/// What `lab image-vm-disks` does: a root disk and a boot disk for each loader.
pub fn build_disks(root: &Path, parts: &Path, part: &Path) -> Result<()> {
    inside::own_mounts()?;
    for loader in Loader::ALL {
        let disk = part.join(format!("{}.raw", loader.name()));
        Command::new("cp")
            .args(["--sparse=always", "--reflink=auto"])
            .args([&parts.join("root.raw"), &disk])
            .run()?;
        let mounted = part.join("root");
        fs::create_dir_all(&mounted)?;
        Command::new("mount").args(["-o", "loop,noatime"]).args([&disk, &mounted]).run()?;
        inside::furnish(&mounted)?;
        inside::copy_source(&mounted)?;
        inside::install(&mounted, &format!("vm-{}", loader.name()))?;
        let boot = part.join("boot");
        inside::take_boot(&mounted, &boot)?;
        for inner in ["dev", "proc"] {
            unmount(mounted.join(inner), UnmountFlags::DETACH)?;
        }
        // Not lazily: afterwards the file is whole.
        unmount(&mounted, UnmountFlags::empty()).context("the machine's root is still in use")?;
        make_boot_disk(loader, root, parts, part)?;
        fs::remove_dir_all(boot)?;
    }
    Ok(())
}

/// A disk with one partition that holds `part/boot`, and what the firmware starts.
fn make_boot_disk(loader: Loader, root: &Path, parts: &Path, part: &Path) -> Result<()> {
    let disk = part.join(format!("{}.boot", loader.name()));
    File::create(&disk)?.set_len(BOOT_BYTES)?;
    let tools = part.join("tools");
    inside::overlay(&[parts.join("tools"), parts.join("packages"), root.to_owned()], None, &tools)?;
    inside::furnish(&tools)?;
    mount_bind(part, tools.join("mnt"))?;
    let inside_disk = format!("/mnt/{}.boot", loader.name());
    match loader {
        Loader::SystemdBoot => make_esp(&tools, &inside_disk)?,
        Loader::Grub => make_grub(&tools, &inside_disk, &disk, part)?,
    }
    unmount(tools.join("mnt"), UnmountFlags::DETACH)?;
    inside::clear(&tools)
}

/// An EFI system partition with all of `part/boot`, systemd-boot among it.
fn make_esp(tools: &Path, disk: &str) -> Result<()> {
    let table = "label: gpt\nstart=2048, type=uefi, name=ESP\n";
    chroot(tools, "sfdisk").args(["--quiet", disk]).input(table).run()?;
    let partition = format!("{disk}@@{PARTITION_START}");
    // The backup of the partition table is at the end.
    let sectors = (BOOT_BYTES - 2 * PARTITION_START) / SECTOR;
    chroot(tools, "mformat")
        .args(["-i", &partition, "-T", &sectors.to_string(), "-h", "64", "-s", "32", "::"])
        .run()?;
    for name in ["EFI", "loader"] {
        chroot(tools, "mcopy").args(["-s", "-i", &partition, &format!("/mnt/boot/{name}"), "::/"]).run()?;
    }
    Ok(())
}

/// GRUB's boot record and core before a partition with all of `part/boot`, as `grub-install` lays them.
fn make_grub(tools: &Path, inside_disk: &str, disk: &Path, part: &Path) -> Result<()> {
    let table = "label: dos\nstart=2048, type=83, bootable\n";
    chroot(tools, "sfdisk").args(["--quiet", inside_disk]).input(table).run()?;
    make_ext4(disk, BOOT_BYTES, &part.join("boot"), PARTITION_START)?;
    fs::write(part.join("early.cfg"), GRUB_EARLY)?;
    chroot(tools, "grub-mkimage")
        .args(["--format=i386-pc", "--prefix=(hd0,msdos1)/grub", "--config=/mnt/early.cfg"])
        .arg("--output=/mnt/core.img")
        .args(GRUB_MODULES)
        .run()?;
    let core = fs::read(part.join("core.img"))?;
    for used in ["early.cfg", "core.img"] {
        fs::remove_file(part.join(used))?;
    }
    let record = fs::read(tools.join("usr/lib/grub/i386-pc/boot.img")).context("GRUB has no boot record")?;
    let code = record.get(..BOOT_CODE).context("GRUB's boot record is too short")?;
    let room = usize::try_from(PARTITION_START - SECTOR)?;
    ensure!(core.len() <= room, "GRUB's core has {} bytes, there is room for {room}", core.len());
    let file = File::options().write(true).open(disk)?;
    file.write_all_at(code, 0)?;
    file.write_all_at(&core, SECTOR)?;
    file.sync_all().context("the boot disk could not be written")
}

/// Makes an ext4 file system with this content from `offset` on.
fn make_ext4(file: &Path, bytes: u64, content: &Path, offset: u64) -> Result<()> {
    let mut disk = File::options().create(true).truncate(false).write(true).open(file)?;
    disk.set_len(bytes)?;
    disk.flush()?;
    let options = format!("offset={offset},lazy_itable_init=1,lazy_journal_init=1,nodiscard");
    Command::new("mke2fs")
        .args(["-q", "-F", "-t", "ext4", "-m", "0", "-E", &options, "-d"])
        .args([content, file])
        .arg(format!("{}k", (bytes - offset) >> 10))
        .run()?;
    Ok(())
}
