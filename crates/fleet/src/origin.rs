//! Where each setting of a host was written.

use std::collections::BTreeMap;

use order::HostName;

use crate::AttrPath;

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Origin {
    /// Nobody wrote it.
    #[default]
    Default,
    /// `lockstep.defaults`.
    Defaults,
    /// `lockstep.hosts.<name>`.
    Host,
    /// A list: what the host says, then what `lockstep.defaults` says.
    Both,
}

/// Where each setting of one host was written, by its path within the host (`activation.idle`, `checks.web`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins(BTreeMap<Box<str>, Origin>);

impl Origins {
    /// Where this setting was written.
    #[must_use]
    pub fn of(&self, setting: &str) -> Origin {
        self.0.get(setting).copied().unwrap_or_default()
    }

    /// Notes where a value comes from, and gives the value.
    pub(crate) fn note<T>(&mut self, setting: &str, (value, origin): (T, Origin)) -> T {
        self.set(setting, origin);
        value
    }

    pub(crate) fn set(&mut self, setting: &str, origin: Origin) {
        if origin != Origin::Default {
            self.0.insert(setting.into(), origin);
        }
    }
}

impl Origin {
    /// The attributes that say this setting of this host, none if nobody wrote it.
    #[must_use]
    pub fn paths(self, host: &HostName, setting: &str) -> Vec<AttrPath> {
        let below = |path: AttrPath| setting.splitn(2, '.').fold(path, |path, name| path.attribute(name));
        let own = || below(AttrPath::new(&["lockstep", "hosts", host.as_str()]));
        let shared = || below(AttrPath::new(&["lockstep", "defaults"]));
        match self {
            Self::Default => Vec::new(),
            Self::Defaults => vec![shared()],
            Self::Host => vec![own()],
            Self::Both => vec![own(), shared()],
        }
    }
}
