//! The world of an exploration as a value: what runs, what boots, who lives, what the journal says, what may still
//! go wrong.

use std::time::Duration;

use order::{Mode, Nonce, OnFailure, Order, OrderId, Settings, SystemPath};

use crate::{
    Before, BootDefault, BootId, Ended, Event, Fault, Moment, Observation, Once, Record, State, SwitchUnit,
    drive::Going,
};

/// The systems that there are: the one that ran, the boot default before, the new one, somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum System {
    Ran,
    Default,
    New,
    Third,
}

impl System {
    pub(super) fn path(self) -> SystemPath {
        let letter = match self {
            Self::Ran => 'a',
            Self::Default => 'b',
            Self::New => 'c',
            Self::Third => 'd',
        };
        let text = format!("/nix/store/{}-nixos-system", letter.to_string().repeat(32));
        SystemPath::parse(&store::store_path::StoreDir::default(), &text).expect("a system")
    }

    pub(super) fn of(path: &SystemPath) -> Self {
        let all = [Self::Ran, Self::Default, Self::New, Self::Third];
        all.into_iter().find(|system| system.path() == *path).expect("a system of this world")
    }
}

/// How the boot default can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultKind {
    Read,
    Unreadable,
    NoLoader,
}

pub(super) const DEFAULTS: [DefaultKind; 3] =
    [DefaultKind::Read, DefaultKind::Unreadable, DefaultKind::NoLoader];
/// What ran before: the default, a system that was only tested, or the new system itself.
pub(super) const BEFORES: [System; 3] = [System::Default, System::Ran, System::New];

/// What may still go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    pub(super) fails: u8,
    pub(super) crashes: u8,
    pub(super) cuts: u8,
    pub(super) thirds: u8,
}

impl Budget {
    pub(super) fn fail(self) -> Option<Self> {
        Some(Self { fails: self.fails.checked_sub(1)?, ..self })
    }

    pub(super) fn crash(self) -> Option<Self> {
        Some(Self { crashes: self.crashes.checked_sub(1)?, ..self })
    }

    /// A power cut is a crash too.
    pub(super) fn cut(self) -> Option<Self> {
        Some(Self { cuts: self.cuts.checked_sub(1)?, crashes: self.crashes.checked_sub(1)?, ..self })
    }

    pub(super) fn third(self) -> Option<Self> {
        Some(Self { thirds: self.thirds.checked_sub(1)?, ..self })
    }
}

/// One exploration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Config {
    pub(super) mode: Mode,
    pub(super) keep: bool,
    pub(super) default: DefaultKind,
    /// What ran before.
    pub(super) before: System,
    /// Whether the host is reachable while the new system runs.
    pub(super) network: bool,
    /// Whether the new system comes up when it is booted; if not, somebody resets the host.
    pub(super) boots: bool,
    pub(super) budget: Budget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unit {
    Absent,
    Running,
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) running: System,
    pub(super) booted: System,
    /// Whether the loader boots the new system next, once.
    pub(super) once: bool,
    /// Whether the trial profile is there.
    pub(super) trial: bool,
    /// Systemd cannot be asked until the next boot.
    pub(super) silent: bool,
    /// See [`Config::boots`].
    pub(super) new_boots: bool,
    /// An activation was left half-way: services of two systems.
    pub(super) mixed: bool,
    pub(super) profile: System,
    pub(super) default: System,
    /// Systems that a generation of the profile keeps.
    pub(super) kept: Vec<System>,
    pub(super) roots: bool,
    pub(super) unit: Unit,
    pub(super) guard: bool,
    /// What the guard has in memory.
    pub(super) mine: Option<Record>,
    pub(super) boots: u8,
    pub(super) clock: Duration,
    pub(super) journal: Option<Record>,
    /// The end that a process came to, if the journal does not have it.
    pub(super) unsaved: Option<State>,
    pub(super) confirmed: bool,
    /// The operator was told so.
    pub(super) told: bool,
    pub(super) lies: Option<String>,
    pub(super) default_kind: DefaultKind,
    pub(super) budget: Budget,
}

/// A process that runs the machine.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) going: Going,
    pub(super) is_guard: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) world: World,
    pub(super) process: Option<Process>,
}

impl Config {
    pub(super) fn order(self) -> Order {
        let on_failure = if self.keep { OnFailure::Keep } else { OnFailure::RollBack };
        Order {
            id: OrderId::from_random([1; 20]),
            nonce: Nonce::from_random([2; 32]),
            host: "web1".parse().expect("a name"),
            system: System::New.path().path,
            mode: self.mode,
            after: None,
            agent: None,
            settings: Settings { on_failure, ..Settings::default() },
        }
    }

    pub(super) fn start(self) -> Node {
        let world = World {
            running: self.before,
            booted: System::Default,
            once: false,
            trial: false,
            silent: false,
            new_boots: self.boots,
            mixed: false,
            profile: System::Default,
            default: System::Default,
            kept: vec![System::Default],
            roots: false,
            unit: Unit::Absent,
            guard: false,
            mine: None,
            boots: 0,
            clock: Duration::ZERO,
            journal: None,
            unsaved: None,
            confirmed: false,
            told: false,
            lies: None,
            default_kind: self.default,
            budget: self.budget,
        };
        let seen = world.observe();
        let before = Before {
            boot: seen.boot,
            running: self.before.path(),
            booted: seen.booted,
            profile: seen.profile,
            default: seen.default,
            failed: Vec::new(),
            active: Vec::new(),
            network: String::new(),
        };
        let record = Record::new(self.order(), before, world.now()).expect("a mode that activates");
        let going = Going { record, event: Event::Begin, unsaved: None };
        Node { world, process: Some(Process { going, is_guard: false }) }
    }
}

impl World {
    pub(super) fn now(&self) -> Moment {
        Moment { boot: BootId::from_bits(self.boots.into()), since_boot: self.clock, unix: 0 }
    }

    pub(super) fn observe(&self) -> Observation {
        Observation {
            boot: BootId::from_bits(self.boots.into()),
            running: Some(self.running.path()),
            booted: Some(self.booted.path()),
            once: if self.once { Once::Set(System::New.path()) } else { Once::Absent },
            profile: Some(self.profile.path()),
            default: match self.default_kind {
                DefaultKind::Read => BootDefault::System(self.default.path()),
                DefaultKind::Unreadable => BootDefault::Unreadable { why: Fault::new("fault") },
                DefaultKind::NoLoader => BootDefault::None,
            },
            switch: if self.unit == Unit::Running { SwitchUnit::Running } else { SwitchUnit::Absent },
        }
    }

    /// Without a loader the profile is what boots.
    pub(super) fn set_profile(&mut self, system: System) {
        self.profile = system;
        self.kept.push(system);
        self.kept.sort_by_key(|system| *system as u8);
        self.kept.dedup();
        if self.default_kind == DefaultKind::NoLoader {
            self.default = system;
        }
    }

    pub(super) fn set_default(&mut self, system: System) {
        if self.default_kind != DefaultKind::NoLoader {
            self.default = system;
        }
    }

    pub(super) fn boot(&mut self) {
        self.boots += 1;
        self.clock = Duration::ZERO;
        let tried = std::mem::take(&mut self.once) && self.new_boots;
        self.booted = if tried { System::New } else { self.default };
        self.running = self.booted;
        (self.mixed, self.silent, self.unit, self.guard) = (false, false, Unit::Absent, false);
    }

    pub(super) fn third(&mut self, lasting: bool) {
        self.running = System::Third;
        self.mixed = false;
        if lasting {
            self.set_profile(System::Third);
            self.set_default(System::Third);
        }
    }

    /// A guard that is killed guards no more.
    pub(super) fn dies(&mut self, is_guard: bool) -> Option<Process> {
        self.guard &= !is_guard;
        None
    }

    pub(super) fn ends(&mut self, ended: Ended, is_guard: bool) -> Option<Process> {
        self.unsaved = ended.unsaved.map(|_| ended.record.state);
        self.dies(is_guard)
    }
}

impl Node {
    /// The end, as far as it is known on the host.
    pub(super) fn end(&self) -> Option<State> {
        let written = self.world.journal.as_ref().map(|record| record.state.clone()).filter(State::is_end);
        written.or_else(|| self.world.unsaved.clone())
    }

    /// All that decides about the future: histories do not.
    pub(super) fn key(&self) -> String {
        let state = |record: &Option<Record>| record.as_ref().map(|record| record.state.clone());
        let world = World { journal: None, mine: None, ..self.world.clone() };
        let process = self.process.as_ref().map(|process| {
            let going = &process.going;
            (going.record.state.clone(), going.event.clone(), going.unsaved.is_some(), process.is_guard)
        });
        format!("{world:?}{:?}{:?}{process:?}", state(&self.world.journal), self.world.mine.is_some())
    }
}
