//! The images hosts are made of, built once and cached: a Debian root with Nix, and over it a layer with
//! the pocket NixOS's base system in its store.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};

use crate::layout::Layout;

mod debian;
pub(crate) mod inside;
mod key;
pub mod system;
pub mod vm;

pub use self::vm::VmImage;

/// What virtual machines are made of.
pub const VM_SUITE: Suite = Suite::Trixie;

/// Written last; an image without it was never finished.
const COMPLETE: &str = "complete";

/// Which Debian an image is made of, and thereby which Nix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    /// Debian 13 with Nix 2.26.3: the default.
    Trixie,
    /// Debian unstable with Nix 2.34.8.
    Sid,
}

impl Suite {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Trixie, Self::Sid];

    /// The suite's name in Debian's archive.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trixie => "trixie",
            Self::Sid => "sid",
        }
    }
}

impl FromStr for Suite {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|suite| suite.name() == name);
        found.with_context(|| format!("there is no image `{name}`; there are `trixie` and `sid`"))
    }
}

/// A finished image.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its Debian root.
    pub root: PathBuf,
    /// What the base system added to it.
    pub layer: PathBuf,
    /// The first content of a host's boot file system.
    pub boot: PathBuf,
}

impl Image {
    /// The cached image, or what to do to have it.
    pub fn find(layout: &Layout, suite: Suite) -> Result<Self> {
        let debian = debian::directory(layout, suite);
        let system = system::directory(&debian)?;
        for (dir, what) in [(&debian, "image"), (&system, "base system of the image")] {
            if !dir.join(COMPLETE).exists() {
                let name = suite.name();
                bail!("the {what} `{name}` is not built yet; `cargo lab image {name}` builds it in a minute");
            }
        }
        let image = Self::of(&debian, &system);
        image.check()?;
        system::touch(&system)?;
        Ok(image)
    }

    /// Builds what is missing of the image; `tell` hears what is being done.
    pub fn build(layout: &Layout, suite: Suite, tell: &dyn Fn(&str)) -> Result<Self> {
        fs::create_dir_all(layout.images())
            .with_context(|| format!("cannot create {}", layout.images().display()))?;
        let lock = fs::File::create(layout.images().join("lock"))?;
        if lock.try_lock().is_err() {
            tell("another build of an image is under way; waiting for it");
            lock.lock()?;
        }
        let debian = debian::directory(layout, suite);
        if !debian.join(COMPLETE).exists() {
            tell(&format!("building the {} image (one to two minutes, once)", suite.name()));
            debian::build(suite, &debian)?;
        }
        let system = system::directory(&debian)?;
        if !system.join(COMPLETE).exists() {
            tell(&format!("building the base system of the {} image", suite.name()));
            system::build(&debian.join("root"), &system)?;
            system::prune(&debian.join("systems"))?;
        }
        let image = Self::find(layout, suite)?;
        if suite == VM_SUITE {
            VmImage::build(&image, tell)?;
        }
        Ok(image)
    }

    fn of(debian: &Path, system: &Path) -> Self {
        Self { root: debian.join("root"), layer: system.join("layer"), boot: system.join("boot") }
    }

    /// An image that somebody deleted half of is named as such, before a host fails to boot from it.
    fn check(&self) -> Result<()> {
        let needed = [
            self.root.join("usr/bin/nix"),
            self.root.join("usr/lib/systemd/systemd"),
            self.layer.join("nix/var/nix/profiles/system"),
            self.boot.join("loader"),
        ];
        match needed.iter().find(|path| path.symlink_metadata().is_err()) {
            None => Ok(()),
            Some(missing) => bail!(
                "the image is broken: {} is missing; remove {} and run `cargo lab image`",
                missing.display(),
                self.root.parent().unwrap_or(&self.root).display()
            ),
        }
    }
}

/// Makes `target` by filling a directory beside it, so that a build cut short never looks finished.
fn build_beside(target: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let part = target.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part).with_context(|| format!("cannot remove {}", part.display()))?;
    }
    fs::create_dir_all(&part).with_context(|| format!("cannot create {}", part.display()))?;
    fill(&part)?;
    fs::write(part.join(COMPLETE), "")?;
    if target.exists() {
        fs::remove_dir_all(target).with_context(|| format!("cannot remove {}", target.display()))?;
    }
    fs::rename(&part, target).with_context(|| format!("cannot name {}", target.display()))
}
