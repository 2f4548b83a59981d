//! Who is who in a lab: keys, leases and names.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use run::Command;

use super::net::{CARD, GATEWAY};
use super::vm;
use crate::layout::LabDir;
use crate::spec::{HostSpec, Spec};

/// How sshd calls a host's key.
const KEY_NAME: &str = "ssh_host_ed25519_key";

/// A host's own ssh key, as two files beside its identity.
pub(super) struct HostKey(PathBuf);

/// Makes the lab's key, every host's key and lease, and the list of host keys.
pub(super) fn write(dir: &LabDir, spec: &Spec) -> Result<Vec<HostKey>> {
    make_key(&dir.key(), "lab")?;
    let may_log_in = fs::read_to_string(dir.key().with_extension("pub"))?;
    let mut known = String::new();
    let mut keys = Vec::new();
    for (index, host) in spec.hosts.iter().enumerate() {
        let host_dir = dir.host(&host.name);
        fs::create_dir_all(host_dir.identity())?;
        fs::write(host_dir.identity().join("lease"), lease(index, host))?;
        fs::write(host_dir.identity().join("authorized_keys"), &may_log_in)?;
        let key = host_dir.path().join(KEY_NAME);
        make_key(&key, &host.name)?;
        let public = fs::read_to_string(key.with_extension("pub"))?;
        known += &format!("{},{},{} {public}", host.name, Spec::address(index), Spec::address6(index));
        if host.vm.is_some() {
            // A machine's disk cannot be written from here: its initrd installs the key.
            HostKey(key.clone()).copy_to(&host_dir.identity().join(KEY_NAME))?;
        }
        keys.push(HostKey(key));
    }
    fs::write(dir.known_hosts(), known)?;
    Ok(keys)
}

impl HostKey {
    /// Puts the key where sshd looks for it.
    pub(super) fn install(&self, root: &Path) -> Result<()> {
        self.copy_to(&root.join("etc/ssh").join(KEY_NAME))
    }

    fn copy_to(&self, target: &Path) -> Result<()> {
        for (from, to) in [(self.0.clone(), target.to_owned()), (public(&self.0), public(target))] {
            fs::copy(&from, &to).with_context(|| format!("cannot install {}", to.display()))?;
        }
        Ok(())
    }
}

/// Lets root on the operator host log in to every host by name.
pub(super) fn install_operator(dir: &LabDir, spec: &Spec, root: &Path) -> Result<()> {
    let ssh = root.join("root/.ssh");
    DirBuilder::new().recursive(true).mode(0o700).create(&ssh)?;
    fs::copy(dir.key(), ssh.join("id_ed25519"))?;
    fs::copy(dir.known_hosts(), ssh.join("known_hosts"))?;
    let names = spec.hosts.iter().enumerate();
    let config =
        names.map(|(index, host)| format!("Host {}\n  HostName {}\n", host.name, Spec::address(index)));
    fs::write(ssh.join("config"), config.collect::<String>() + "Host *\n  User root\n")?;
    fs::set_permissions(ssh.join("config"), fs::Permissions::from_mode(0o600))?;
    Ok(())
}

fn make_key(path: &Path, comment: &str) -> Result<()> {
    Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
        .arg(path)
        .run()?;
    Ok(())
}

fn public(key: &Path) -> PathBuf {
    key.with_extension("pub")
}

fn lease(index: usize, host: &HostSpec) -> String {
    let card = if host.vm.is_some() { vm::CARD } else { CARD };
    format!(
        "HOSTNAME={}\nADDRESS={}/24\nADDRESS6={}/64\nGATEWAY={GATEWAY}\nINTERFACE={card}\n",
        host.name,
        Spec::address(index),
        Spec::address6(index)
    )
}
