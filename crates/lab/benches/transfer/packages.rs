//! Sets out of Debian's packages: what an update changes, and what a release does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use lab::{Layout, Suite};
use run::Command;

use super::{
    draft::{Draft, Form, Set, Source},
    note,
    usr::{root, tree},
};

/// What is updated, each after what it may need; of what this machine's package sources hold only one version of,
/// nothing is taken.
const UPDATED: &[&str] = &[
    "libssl3",
    "libexpat1",
    "libsystemd0",
    "libsystemd-shared",
    "libpq5",
    "libcurl4",
    "openssl",
    "curl",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "python3.11-minimal",
    "python3.11",
    "systemd",
    "systemd-container",
    "udev",
    "openssh-client",
    "openssh-server",
    "nginx-common",
    "nginx",
    "postgresql-client-15",
    "postgresql-15",
    "php8.2-common",
    "php8.2-cli",
    "unbound",
    "haproxy",
    "dovecot-core",
];
/// The library of a mixed update.
const LIBRARY: &str = "libssl3";
/// What both images have.
const RELEASED: &[&str] = &[
    "libc6",
    "libssl3t64",
    "perl-base",
    "libcurl4t64",
    "curl",
    "git",
    "nftables",
    "openssh-client",
    "openssh-server",
    "sudo",
    "systemd",
    "nix-bin",
];

/// A set before and after an update.
pub(crate) struct Update {
    pub(crate) old: Set,
    pub(crate) new: Set,
}

/// Packages of this machine's Debian and of its security pocket, before and after an update.
pub(crate) fn updates() -> Result<Update> {
    let (update, skipped) = pairs(UPDATED)?;
    if !skipped.is_empty() {
        note(&format!("skipped, for want of a second version: {}", skipped.join(", ")));
    }
    ensure!(!update.new.0.is_empty(), "no package is there in two versions: `apt-get update` may help");
    Ok(update)
}

/// One library, before and after.
pub(crate) fn library() -> Result<Update> {
    let (update, skipped) = pairs(&[LIBRARY])?;
    ensure!(skipped.is_empty(), "{LIBRARY} is not there in two versions: `apt-get update` may help");
    Ok(update)
}

/// The same packages as the two images have them.
pub(crate) fn releases() -> Result<Update> {
    let (old, new) = (root(Suite::Trixie)?, root(Suite::Sid)?);
    let mut update = Update { old: Set::default(), new: Set::default() };
    for package in RELEASED {
        let (before, after) = (installed(&old, package)?, installed(&new, package)?);
        let (Some(before), Some(after)) = (before, after) else {
            note(&format!("skipped, for want of a second version: {package}"));
            continue;
        };
        note(&format!("{package}: {} -> {}", before.version, after.version));
        for (Set(set), package) in [(&mut update.old, before), (&mut update.new, after)] {
            let references = (0..set.len()).collect();
            set.push(package.draft(references));
        }
    }
    Ok(update)
}

/// A package's files.
struct Package {
    name: String,
    version: String,
    files: Vec<Source>,
}

impl Package {
    fn draft(self, references: Vec<usize>) -> Draft {
        // The version of a store path's name must not have every sign that Debian's may have.
        let version = self.version.rsplit(':').next().unwrap_or_default().replace('~', "-");
        Draft { name: format!("{}-{version}", self.name), files: self.files, form: Form::Plain, references }
    }
}

/// Both versions of all packages that there are two of, and the names of the others.
fn pairs(names: &[&str]) -> Result<(Update, Vec<String>)> {
    let mut update = Update { old: Set::default(), new: Set::default() };
    let (mut taken, mut skipped) = (Vec::new(), Vec::new());
    for name in names {
        let Some((new, old)) = versions(name)? else {
            skipped.push((*name).to_owned());
            continue;
        };
        let (Ok(before), Ok(after)) = (fetched(name, &old), fetched(name, &new)) else {
            skipped.push(format!("{name} (not to be had)"));
            continue;
        };
        note(&format!("{name}: {old} -> {new}"));
        let needs = needs(&after.0)?;
        let references: Vec<usize> =
            taken.iter().enumerate().filter(|(_, name)| needs.contains(name)).map(|(at, _)| at).collect();
        taken.push((*name).to_owned());
        let package =
            |version, files| Package { name: (*name).to_owned(), version, files }.draft(references.clone());
        update.old.0.push(package(old, tree(&before.1)?));
        update.new.0.push(package(new, tree(&after.1)?));
    }
    Ok((update, skipped))
}

/// The newest version of a package that this machine's sources have, and the one before.
fn versions(package: &str) -> Result<Option<(String, String)>> {
    let said = Command::new("apt-cache").args(["madison", package]).run()?.stdout_text();
    let mut versions = Vec::new();
    for line in said.lines() {
        let version = line.split('|').nth(1).unwrap_or_default().trim();
        if !version.is_empty() && !versions.iter().any(|known| known == version) {
            versions.push(version.to_owned());
        }
    }
    let mut versions = versions.into_iter();
    Ok(versions.next().zip(versions.next()))
}

/// A package's archive, and the directory that it was unpacked to; both are kept.
fn fetched(package: &str, version: &str) -> Result<(PathBuf, PathBuf)> {
    let cache = Layout::from_env().root().join("packages");
    let place = cache.join(format!("{package}_{}", version.replace(':', "%3a")));
    let (part, unpacked) = (place.with_added_extension("part"), place.join("unpacked"));
    if !place.exists() {
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(part.join("unpacked"))?;
        // apt as root downloads as somebody else where it can, and warns where it cannot.
        Command::new("apt-get")
            .args(["-qq", "-o", "APT::Sandbox::User=root", "download", &format!("{package}={version}")])
            .current_dir(&part)
            .run()
            .with_context(|| format!("cannot download {package} {version}"))?;
        Command::new("dpkg-deb").arg("-x").arg(archive(&part)?).arg(part.join("unpacked")).run()?;
        fs::rename(&part, &place)?;
    }
    Ok((archive(&place)?, unpacked))
}

fn archive(place: &Path) -> Result<PathBuf> {
    let files = fs::read_dir(place)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let archive = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "deb"));
    archive.with_context(|| format!("no package is in {}", place.display()))
}

/// The names of the packages that an archive's package depends on.
fn needs(archive: &Path) -> Result<Vec<String>> {
    let fields = ["--show", "--showformat=${Depends}, ${Pre-Depends}"];
    let said = Command::new("dpkg-deb").args(fields).arg(archive).run()?.stdout_text();
    let names = said.split([',', '|']).filter_map(|need| need.split_whitespace().next());
    Ok(names.map(|name| name.split(':').next().unwrap_or(name).to_owned()).collect())
}

/// A package of an image, if it has it.
fn installed(root: &Path, package: &str) -> Result<Option<Package>> {
    let status = fs::read_to_string(root.join("var/lib/dpkg/status"))?;
    let head = format!("Package: {package}\n");
    let Some(entry) = status.split("\n\n").find(|entry| format!("{entry}\n").starts_with(&head)) else {
        return Ok(None);
    };
    let version = entry.lines().find_map(|line| line.strip_prefix("Version: ")).context("a version")?;
    let info = root.join("var/lib/dpkg/info");
    let lists = [format!("{package}.list"), format!("{package}:amd64.list")];
    let list = lists.iter().find_map(|list| fs::read_to_string(info.join(list)).ok());
    let mut files = Vec::new();
    for path in list.with_context(|| format!("no files of {package} are known"))?.lines() {
        let to = PathBuf::from(path.trim_start_matches('/'));
        let from = root.join(&to);
        // What the image leaves out, such as its documentation, is left out here.
        let kind = from.symlink_metadata().ok();
        if kind.is_some_and(|kind| kind.is_file() || kind.is_symlink()) {
            files.push(Source { to, from });
        }
    }
    Ok(Some(Package { name: package.to_owned(), version: version.to_owned(), files }))
}
