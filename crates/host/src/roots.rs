//! What the garbage collector must leave alone while an activation goes on.

use std::{fs, io, os::unix::fs::symlink, path::Path};

use activate::{Fault, Record};
use order::OrderId;
use store::store_path::{StoreDir, StorePath};

use crate::{links, paths};

/// Roots everything that the activation may have to run: again and again the same links.
pub(crate) fn root(record: &Record) -> Result<(), Fault> {
    let folder = folder(&record.order.id);
    let old = &record.before;
    let default = old.default.system().cloned();
    let systems = [
        ("new", Some(record.new_system())),
        ("old", Some(old.running.clone())),
        ("profile", old.profile.clone()),
        ("default", default),
    ];
    let fault = |error: io::Error| Fault::new(format!("{folder}: {error}"));
    fs::create_dir_all(&folder).map_err(fault)?;
    for (name, system) in systems {
        if let Some(system) = system {
            let target = StoreDir::default().display(&system.path).to_string();
            link(&target, &format!("{folder}/{name}")).map_err(fault)?;
        }
    }
    let agents = [("agent", record.order.agent.clone()), ("this-agent", own_path())];
    for (name, agent) in agents {
        if let Some(agent) = agent {
            link(&StoreDir::default().display(&agent).to_string(), &format!("{folder}/{name}"))
                .map_err(fault)?;
        }
    }
    // Only one activation goes on at a time; what is left of others was kept for a person until now.
    drop_others(&record.order.id);
    // A system that went between its arrival and its root is not there to be run.
    let new = links::folder(&record.new_system());
    if Path::new(&new).exists() {
        Ok(())
    } else {
        Err(Fault::new(format!("{new} is not in the store (any more)")))
    }
}

/// The store path that this program runs from, if it lies in the store.
#[must_use]
pub fn own_path() -> Option<StorePath> {
    let this = std::env::current_exe().ok()?;
    let below = this.to_str()?.strip_prefix(StoreDir::default().as_str())?.strip_prefix('/')?;
    let (base, _) = below.split_once('/')?;
    StorePath::from_base_name(base.as_bytes()).ok()
}

fn drop_others(order: &OrderId) {
    for entry in fs::read_dir(paths::ROOTS).into_iter().flatten().flatten() {
        // What has another name than an order's is somebody else's.
        let named = entry.file_name().to_str().and_then(|name| name.parse::<OrderId>().ok());
        if named.is_some_and(|other| other != *order) {
            // A root too many costs space only.
            let _kept = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes the roots of an activation.
pub(crate) fn unroot(order: &OrderId) -> Result<(), Fault> {
    let folder = folder(order);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Fault::new(format!("{folder}: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn folder(order: &OrderId) -> String {
    format!("{}/{order}", paths::ROOTS)
}

fn link(target: &str, name: &str) -> io::Result<()> {
    match fs::read_link(name) {
        Ok(there) if there == Path::new(target) => return Ok(()),
        Ok(_) => fs::remove_file(name)?,
        Err(_) => {}
    }
    symlink(target, name)
}
