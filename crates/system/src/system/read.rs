//! Reading a system's directory.

use std::collections::BTreeMap;

use store::hash::Sha256;

use super::{System, etc, unit};
use crate::{
    tree::{ReadError, Tree, TreeError, at, canonical, if_present, list_names, read_text, resolve},
    wire,
};

/// Longest of the system's small files: versions, parameters, inhibitors.
const MAX_SMALL: usize = 256 << 10;
/// Longest `activate`.
const MAX_ACTIVATE: usize = 4 << 20;
/// Most specialisations.
const MAX_SPECIALISATIONS: usize = 1000;

impl System {
    /// Reads the system at `path` (`/run/current-system`, a store path, a specialisation) of a host's tree.
    ///
    /// Its links lead all over the store, so `tree` is the host's whole file system.
    ///
    /// # Errors
    /// Names the path that is missing, of another kind, or longer than any system's.
    pub fn read(tree: &dyn Tree, path: &str) -> Result<Self, ReadError> {
        let path = canonical(tree, path)?.ok_or_else(|| at(path)(TreeError::NotFound))?;
        tree.list(&path).map_err(at(&path))?;
        let small = |name: &str| read_small(tree, &format!("{path}/{name}"));
        let link = |name: &str| resolve(tree, &format!("{path}/{name}"));
        let keys = |name: &str| read_keys(tree, &format!("{path}/{name}"));
        Ok(Self {
            kernel: link("kernel")?,
            initrd: link("initrd")?,
            kernel_modules: link("kernel-modules")?,
            firmware: link("firmware")?,
            kernel_params: small("kernel-params")?
                .map(|text| text.split_whitespace().map(str::to_owned).collect()),
            init_interface: small("init-interface-version")?,
            nixos_version: small("nixos-version")?,
            platform: small("system")?,
            systemd: link("systemd")?,
            switchable: link("bin/switch-to-configuration")?.is_some(),
            switch_inhibitors: keys("switch-inhibitors")?,
            reboot_triggers: keys("reboot-triggers")?,
            units: match canonical(tree, &format!("{path}/etc/systemd/system"))? {
                Some(folder) => unit::read(tree, &folder)?,
                None => BTreeMap::new(),
            },
            etc: etc::read(tree, &format!("{path}/etc"))?,
            activation: read_activation(tree, &format!("{path}/activate"))?,
            specialisations: read_specialisations(tree, &format!("{path}/specialisation"))?,
            path,
        })
    }
}

fn read_small(tree: &dyn Tree, path: &str) -> Result<Option<String>, ReadError> {
    Ok(read_text(tree, path, MAX_SMALL)?.map(|text| text.trim().to_owned()))
}

fn read_keys(tree: &dyn Tree, path: &str) -> Result<Option<BTreeMap<String, String>>, ReadError> {
    read_text(tree, path, MAX_SMALL)?.map(|text| wire::inhibitors(path, &text)).transpose()
}

/// The script's digest, with the paths taken out that name the system itself and its `/etc`: they change whatever
/// changes, and what changes in them is compared by itself.
fn read_activation(tree: &dyn Tree, path: &str) -> Result<Option<Sha256>, ReadError> {
    let content = if_present(path, tree.read_file(path, MAX_ACTIVATE))?;
    Ok(content.map(|content| Sha256::of(&without_own_paths(&content))))
}

fn without_own_paths(script: &[u8]) -> Vec<u8> {
    const STORE: &[u8] = b"/nix/store/";
    const HASH: usize = 32;
    let mut masked = Vec::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.windows(STORE.len()).position(|window| window == STORE) {
        let (before, after) = rest.split_at(start + STORE.len());
        masked.extend_from_slice(before);
        let own = after.get(HASH..).is_some_and(|name| {
            name.starts_with(b"-nixos-system-") || name.strip_prefix(b"-etc").is_some_and(ends_here)
        });
        rest = if own { after.get(HASH..).unwrap_or_default() } else { after };
    }
    masked.extend_from_slice(rest);
    masked
}

/// Whether a store path's name ends before `rest`.
fn ends_here(rest: &[u8]) -> bool {
    !rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-._?=".contains(byte))
}

fn read_specialisations(tree: &dyn Tree, folder: &str) -> Result<BTreeMap<String, String>, ReadError> {
    let mut found = BTreeMap::new();
    for name in list_names(tree, folder, MAX_SPECIALISATIONS)?.unwrap_or_default() {
        if let Some(target) = resolve(tree, &format!("{folder}/{name}"))? {
            found.insert(name, target);
        }
    }
    Ok(found)
}
