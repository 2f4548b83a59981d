//! The sets, one after another, on each line and by each way.

use std::cell::{Cell, RefCell};

use anyhow::{Result, ensure};
use store::path_info::PathInfo;

use super::{
    draft::Set,
    figures::{Figures, as_number, median},
    note,
    packages::{self, Update},
    rig::{Line, Load, Rig, Way},
    usr::{SMALL, Usr},
    watch::Taken,
};

/// Rounds of what is quick, in which the ways take turns.
const ROUNDS: usize = 3;
/// What takes less is quick, in seconds.
const QUICK: f64 = 8.0;
/// What a rehashed path may cost beside a library that changed, in bytes.
const REHASHED: u64 = 250;

type Part<'lab> = (&'static str, fn(&Parts<'lab>) -> Result<()>);

/// All that is measured.
pub(crate) struct Parts<'lab> {
    rig: RefCell<Rig<'lab>>,
    figures: Figures,
    usr: Usr,
    sender_kib: Cell<u64>,
    receiver_kib: Cell<u64>,
    idle_kib: u64,
}

impl<'lab> Parts<'lab> {
    /// Learns what the agent takes in a session that brings nothing.
    pub(crate) fn new(rig: Rig<'lab>) -> Result<Self> {
        let idle = rig.bring(Way::Push, &rig.build()?)?;
        Ok(Self {
            rig: RefCell::new(rig),
            figures: Figures::default(),
            usr: Usr::read()?,
            sender_kib: Cell::new(0),
            receiver_kib: Cell::new(0),
            idle_kib: idle.receiver_kib,
        })
    }

    /// Measures the parts that are wanted.
    pub(crate) fn measure(&self, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
        let parts: [Part<'lab>; 6] = [
            ("full", Self::full),
            ("rehash", Self::rehash),
            ("update", Self::update),
            ("mixed", Self::mixed),
            ("initrd", Self::initrd),
            ("release", Self::release),
        ];
        for (_, part) in parts.iter().filter(|(name, _)| wanted(name)) {
            part(self)?;
        }
        self.figures.report_peak(as_number(self.receiver_kib.get()), as_number(self.idle_kib));
        self.figures.report("transfer_sender_peak_kib", as_number(self.sender_kib.get()), "KiB");
        self.figures.show_asked();
        Ok(())
    }

    /// A thousand small paths and a large one that the host has nothing of.
    fn full(&self) -> Result<()> {
        let set = self.usr.large(self.usr.small(Set::default())?)?.with_root();
        let load = self.prepare(None, (&set, "a"))?;
        let packed = as_number(self.packed("full", &load.lacks)?);
        self.line(Line::Direct)?;
        let ours = self.against_nix(&load)?;
        self.compare(("full", Line::Direct), &[Way::Ssh, Way::CopyClosure], ours, &load)?;
        self.nothing(&load)?;
        self.line(Line::Far)?;
        let rounds = (0..ROUNDS).map(|_| Ok(self.bring(Way::Push, &load)?.seconds)).collect::<Result<_>>()?;
        let ours = median(rounds);
        self.figures.report("transfer_full_50ms_s", ours, "s");
        self.compare(("full", Line::Far), &[Way::SshNg, Way::Ssh, Way::CopyClosure], ours, &load)?;
        self.line(Line::Narrow)?;
        let taken = self.push("full", Line::Narrow, &load)?;
        self.figures.report("transfer_full_10mbit_bytes_ratio", as_number(taken.bytes) / packed, "ratio");
        self.compare(("full", Line::Narrow), &[Way::SshNg], taken.seconds, &load)
    }

    /// Both in turn on a direct line, and what they cost; returns our seconds.
    fn against_nix(&self, load: &Load) -> Result<f64> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(self.bring(Way::Push, load)?);
            theirs.push(self.bring(Way::SshNg, load)?);
        }
        let seconds = |taken: &[Taken]| median(taken.iter().map(|taken| taken.seconds).collect());
        let report = |name: &str, value, unit| self.figures.report(name, value, unit);
        let [push, nix] = [seconds(&ours), seconds(&theirs)];
        report("transfer_full_direct_s", push, "s");
        report("transfer_full_direct_ssh_ng_s", nix, "s");
        report("transfer_full_direct_ratio", push / nix, "ratio");
        for (name, all) in [("", &ours), ("_ssh_ng", &theirs)] {
            let bytes = median(all.iter().map(|taken| as_number(taken.bytes)).collect());
            report(&format!("transfer_full_direct{name}_bytes"), bytes, "bytes");
        }
        let megabytes = as_number(load.nar_bytes()) / 1e6;
        for (name, all) in [("push", &ours), ("ssh_ng", &theirs)] {
            let cpu = |of: fn(&Taken) -> f64| median(all.iter().map(of).collect()) / megabytes * 1000.0;
            report(&format!("transfer_cpu_sender_{name}"), cpu(|taken| taken.sender_cpu), "ms/MB");
            report(&format!("transfer_cpu_receiver_{name}"), cpu(|taken| taken.receiver_cpu), "ms/MB");
        }
        Ok(push)
    }

    /// What a push costs of a closure that is there already.
    fn nothing(&self, load: &Load) -> Result<()> {
        let rig = self.rig.borrow();
        rig.bring(Way::Push, load)?;
        let nothing = rig.bring(Way::Push, load)?;
        self.figures.report("transfer_nothing_s", nothing.seconds, "s");
        self.figures.report("transfer_nothing_bytes", as_number(nothing.bytes), "bytes");
        rig.wipe(load)
    }

    /// The same after a rebuild that gave every path another hash.
    fn rehash(&self) -> Result<()> {
        let set = self.usr.large(self.usr.small(Set::default())?)?.with_root();
        let load = self.prepare(Some((&set, "a")), (&set, "b"))?;
        let difference = self.rig.borrow().difference(&load)?;
        ensure!(!difference.contains("changed"), "more than hashes changed:\n{difference}");
        note(&format!("rehash: {}", difference.trim()));
        let packed = as_number(self.packed("rehash", &load.lacks)?);
        for line in Line::ALL {
            self.line(line)?;
            let taken = self.push("rehash", line, &load)?;
            if line == Line::Narrow {
                self.figures.report("transfer_rehash_bytes_ratio", as_number(taken.bytes) / packed, "ratio");
            } else {
                self.compare(("rehash", line), &[Way::SshNg], taken.seconds, &load)?;
            }
        }
        Ok(())
    }

    /// Real updates.
    fn update(&self) -> Result<()> {
        let Update { old, new } = packages::updates()?;
        let load = self.prepare(Some((&old.with_root(), "old")), (&new.with_root(), "new"))?;
        let packed = as_number(self.packed("update", &load.lacks)?);
        for line in Line::ALL {
            self.line(line)?;
            let taken = self.push("update", line, &load)?;
            let ratio = as_number(taken.bytes) / packed;
            // The level is 9 on a slow line only, and that is what something is asked of.
            if line == Line::Narrow {
                self.figures.report("transfer_update_bytes_ratio", ratio, "ratio");
            } else {
                let name = format!("transfer_update_{}_bytes_ratio", line.name());
                self.figures.report(&name, ratio, "ratio");
                self.compare(("update", line), &[Way::SshNg], taken.seconds, &load)?;
            }
        }
        Ok(())
    }

    /// A library that changed, and a thousand paths above it that did not.
    fn mixed(&self) -> Result<()> {
        let Update { old, new } = packages::library()?;
        let [old, new] = [self.usr.small(old)?.with_root(), self.usr.small(new)?.with_root()];
        let load = self.prepare(Some((&old, "old")), (&new, "new"))?;
        let library = &new.0[0].name;
        let is_library = |info: &&PathInfo| info.path.name().as_str() == library;
        let packed = self.rig.borrow().packed(load.lacks.iter().filter(is_library))?;
        let rehashed = load.lacks.len() - 1;
        note(&format!("mixed: {library} and {rehashed} paths above it, {SMALL} of them slices"));
        let allowed = as_number(packed + REHASHED * rehashed as u64);
        for line in Line::ALL {
            self.line(line)?;
            let taken = self.push("mixed", line, &load)?;
            if line == Line::Narrow {
                self.figures.report("transfer_mixed_bytes_ratio", as_number(taken.bytes) / allowed, "ratio");
            } else {
                self.compare(("mixed", line), &[Way::SshNg], taken.seconds, &load)?;
            }
        }
        Ok(())
    }

    /// A compressed file in which only hashes changed.
    fn initrd(&self) -> Result<()> {
        let set = self.usr.initrd()?;
        self.reported_only("initrd", &Update { old: set.clone(), new: set })
    }

    /// Packages one release apart.
    fn release(&self) -> Result<()> {
        let Update { old, new } = packages::releases()?;
        self.reported_only("release", &Update { old: old.with_root(), new: new.with_root() })
    }

    /// Bytes against zstd, on each line.
    fn reported_only(&self, name: &str, update: &Update) -> Result<()> {
        let load = self.prepare(Some((&update.old, "old")), (&update.new, "new"))?;
        let packed = as_number(self.packed(name, &load.lacks)?);
        for line in Line::ALL {
            self.line(line)?;
            let taken = self.push(name, line, &load)?;
            let ratio = as_number(taken.bytes) / packed;
            self.figures.report(&format!("transfer_{name}_{}_bytes_ratio", line.name()), ratio, "ratio");
        }
        Ok(())
    }

    /// The host runs the old set, if there is one, and is described with the new one.
    fn prepare(&self, old: Option<(&Set, &str)>, (new, salt): (&Set, &str)) -> Result<Load> {
        let mut rig = self.rig.borrow_mut();
        rig.line(Line::Direct)?;
        if let Some((set, salt)) = old {
            let root = rig.add(set, salt)?;
            rig.define(&root)?;
            rig.deploy()?;
        }
        let root = rig.add(new, salt)?;
        rig.define(&root)?;
        let load = rig.build()?;
        rig.settle()?;
        Ok(load)
    }

    /// What the paths have in one stream of zstd's level 9, which is printed.
    fn packed(&self, name: &str, paths: &[PathInfo]) -> Result<u64> {
        let packed = self.rig.borrow().packed(paths)?;
        let nars: u64 = paths.iter().map(|info| info.nar_size).sum();
        note(&format!("{name}: {} paths, {nars} bytes of NARs, {packed} with zstd -9", paths.len()));
        self.figures.report(&format!("transfer_{name}_zstd9_bytes"), as_number(packed), "bytes");
        Ok(packed)
    }

    fn line(&self, line: Line) -> Result<()> {
        note(&format!("the line is {}", line.name()));
        self.rig.borrow().line(line)
    }

    /// Brings what the host lacks and takes it away again.
    fn bring(&self, way: Way, load: &Load) -> Result<Taken> {
        let rig = self.rig.borrow();
        let taken = rig.bring(way, load)?;
        rig.wipe(load)?;
        note(&format!(
            "{}: {:.2} s, {} bytes in {} on the line, processor {:.2} s and {:.2} s, peaks {} and {} KiB",
            way.name(),
            taken.seconds,
            taken.bytes,
            taken.on_line,
            taken.sender_cpu,
            taken.receiver_cpu,
            taken.sender_kib,
            taken.receiver_kib
        ));
        self.sender_kib.set(self.sender_kib.get().max(taken.sender_kib));
        self.receiver_kib.set(self.receiver_kib.get().max(taken.receiver_kib));
        Ok(taken)
    }

    /// Our way, with its time and bytes printed: of several rounds the one in the middle, if they are quick.
    fn push(&self, set: &str, line: Line, load: &Load) -> Result<Taken> {
        let mut taken = self.bring(Way::Push, load)?;
        if taken.seconds < QUICK {
            let mut rounds = vec![taken];
            for _ in 1..ROUNDS {
                rounds.push(self.bring(Way::Push, load)?);
            }
            rounds.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
            taken = rounds[ROUNDS / 2];
        }
        let name = format!("transfer_{set}_{}", line.name());
        self.figures.report(&format!("{name}_s"), taken.seconds, "s");
        self.figures.report(&format!("{name}_bytes"), as_number(taken.bytes), "bytes");
        Ok(taken)
    }

    /// Other ways, each once, and our time against theirs.
    fn compare(&self, (set, line): (&str, Line), ways: &[Way], ours: f64, load: &Load) -> Result<()> {
        for way in ways {
            let taken = self.bring(*way, load)?;
            let name = format!("transfer_{set}_{}_{}", line.name(), way.name());
            self.figures.report(&format!("{name}_s"), taken.seconds, "s");
            self.figures.report(&format!("{name}_bytes"), as_number(taken.bytes), "bytes");
            self.figures.report(&format!("{name}_ratio"), ours / taken.seconds, "ratio");
        }
        Ok(())
    }
}
