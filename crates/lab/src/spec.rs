//! What a lab is asked to be: names, image and roles of its hosts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::image::VmImage;

/// Addresses end at 10.9.0.254; the first ten are the keeper's.
const MAX_HOSTS: usize = 200;

/// A lab to bring up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// The image's debootstrap root and the layer with its base system, lowest last.
    pub layers: Vec<PathBuf>,
    /// The boot file system's first content.
    pub boot: PathBuf,
    /// The image of virtual machines, if there are any.
    pub vm: Option<VmImage>,
    /// The hosts, in the order of their addresses.
    pub hosts: Vec<HostSpec>,
}

/// A host to bring up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostSpec {
    /// Its name, which is also its host name.
    pub name: String,
    /// Whether it is the operator host: it gets the lab's private key and the product's programs.
    pub operator: bool,
    /// The size of its disk in MiB; the file is sparse.
    pub disk_mib: u64,
    /// Its memory limit in MiB, from the first boot on; a virtual machine's memory (512 if not said).
    pub memory_mib: Option<u64>,
    /// The loader that boots it, if it is a virtual machine.
    pub vm: Option<Loader>,
}

/// A real boot loader, and thereby the firmware below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loader {
    /// systemd-boot on a UEFI (OVMF).
    SystemdBoot,
    /// GRUB on a BIOS (`SeaBIOS`).
    Grub,
}

impl Loader {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SystemdBoot, Self::Grub];

    /// Its name, as NixOS's options have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemdBoot => "systemd-boot",
            Self::Grub => "grub",
        }
    }
}

impl FromStr for Loader {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|loader| loader.name() == name);
        found.with_context(|| format!("there is no loader `{name}`; there are `systemd-boot` and `grub`"))
    }
}

impl HostSpec {
    /// A host with a 4 GiB disk and no memory limit.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), operator: false, disk_mib: 4096, memory_mib: None, vm: None }
    }

    /// A virtual machine.
    pub fn vm(name: impl Into<String>, loader: Loader) -> Self {
        Self { vm: Some(loader), ..Self::new(name) }
    }
}

impl Spec {
    /// Refuses what cannot be brought up.
    pub fn check(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        for host in &self.hosts {
            if !is_host_name(&host.name) {
                bail!("`{}` is no host name: use letters, digits, `-` and `.`, at most 63", host.name);
            }
            if !seen.insert(&host.name) {
                bail!("two hosts are called `{}`", host.name);
            }
        }
        match self.hosts.len() {
            0 => bail!("a lab needs at least one host"),
            n if n > MAX_HOSTS => bail!("{n} hosts are too many: the lab's network has room for {MAX_HOSTS}"),
            _ => Ok(()),
        }
    }

    /// The IPv4 address of the host at `index`.
    #[must_use]
    pub fn address(index: usize) -> String {
        format!("10.9.0.{}", index + 11)
    }

    /// The IPv6 address of the host at `index`.
    #[must_use]
    pub fn address6(index: usize) -> String {
        format!("fd09::{:x}", index + 11)
    }
}

fn is_host_name(name: &str) -> bool {
    let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.len() <= 63
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
        && ends_well(name.chars().next())
        && ends_well(name.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(names: &[&str]) -> Spec {
        let hosts = names.iter().map(|name| HostSpec::new(*name)).collect();
        Spec { layers: Vec::new(), boot: PathBuf::new(), vm: None, hosts }
    }

    #[test]
    fn what_cannot_be_brought_up_is_refused() {
        let cases: [(&[&str], &str); 6] = [
            (&[], "a lab needs at least one host"),
            (&["a", "b", "a"], "two hosts are called `a`"),
            (&["-a"], "`-a` is no host name"),
            (&["a/b"], "`a/b` is no host name"),
            (&["a."], "`a.` is no host name"),
            (&[""], "`` is no host name"),
        ];
        for (names, expected) in cases {
            let error = spec(names).check().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let many: Vec<String> = (0..201).map(|n| format!("h{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(spec(&many).check().is_err());
        assert!(spec(&["web1", "web-2", "web.example"]).check().is_ok());
    }
}
