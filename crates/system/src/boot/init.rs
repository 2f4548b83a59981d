//! The system that an entry's command line starts.

use store::store_path::StoreDir;

use super::{BootDefault, Loader, Unreadable};
use crate::text::excerpt;

/// An entry of a loader's menu.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The loader's own name for it.
    pub(super) id: String,
    /// The kernel's file as the entry names it.
    pub(super) kernel: Option<String>,
    /// The initial ramdisks' files.
    pub(super) initrds: Vec<String>,
    /// The kernel's command line.
    pub(super) options: Vec<String>,
}

impl Entry {
    /// What the entry boots.
    pub(super) fn system(&self, loader: Loader) -> BootDefault {
        let entry = excerpt(&self.id);
        let mut inits: Vec<&str> =
            self.options.iter().filter_map(|option| option.strip_prefix("init=")).collect();
        inits.sort_unstable();
        inits.dedup();
        let why = match inits.as_slice() {
            [init] => match system_of(init) {
                Some(system) => return BootDefault::System { system, loader, entry },
                None => Unreadable::NoInit { entry },
            },
            [] => Unreadable::NoInit { entry },
            _ => Unreadable::SeveralInits { entry },
        };
        BootDefault::Unreadable { why }
    }
}

/// `/nix/store/<hash>-<name>[/specialisation/<name>]` of such a path with `/init` behind it.
fn system_of(init: &str) -> Option<String> {
    let system = init.strip_suffix("/init")?;
    let below = system.strip_prefix("/nix/store/")?;
    let (base, inside) = below.split_once('/').unwrap_or((below, ""));
    StoreDir::default().parse(format!("/nix/store/{base}").as_bytes()).ok()?;
    let name = match inside {
        "" if !below.contains('/') => return Some(system.to_owned()),
        inside => inside.strip_prefix("specialisation/")?,
    };
    (!matches!(name, "" | "." | "..") && !name.contains('/')).then(|| system.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_stands_before_init() {
        const BASE: &str = "/nix/store/0bkfhz0v2jcyj2m7hwzdzmywav298dl2-nixos-system-web";
        for inside in ["", "/specialisation/plain"] {
            let system = format!("{BASE}{inside}");
            assert_eq!(system_of(&format!("{system}/init")), Some(system));
        }
        for bad in ["", "/bin/sh", "/init", "/nix/store/init", "/nix/store/short-name/init", BASE] {
            assert_eq!(system_of(bad), None, "{bad}");
        }
        for inside in
            ["/", "/x/init", "/specialisation/init", "/specialisation//init", "/specialisation/../init"]
        {
            assert_eq!(system_of(&format!("{BASE}{inside}")), None, "{inside}");
        }
    }
}
