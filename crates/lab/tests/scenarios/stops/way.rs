//! A way through the machine, and what it must come to when it is struck.

use order::Mode;

use super::case::Blow;

/// What is asked of a host again and again.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) mode: Mode,
    /// What is wrong with the new system.
    pub(super) bad: Option<Bad>,
    /// The first point to strike at; those before are another way's too.
    pub(super) since: &'static str,
    /// What was struck before, and where: somebody else has taken over by then.
    pub(super) killed: Option<(Blow, &'static str)>,
}

/// What is wrong with a system.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    /// A unit fails newly.
    Unit,
    /// The boot loader's installer does its work and says that it failed.
    Loader,
}

/// Two systems that hold.
const GOOD: [&str; 2] =
    [r#"environment.etc."generation".text = "a";"#, r#"environment.etc."generation".text = "b";"#];
const UNIT: &str = r#"systemd.services.fails = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "${pkgs.coreutils}/bin/false"; }; };"#;
const LOADER: &str = r##"system.build.installBootLoader =
    let whole = (import /lab/os { configuration = /lab/os/base/configuration.nix; }).config.system.build; in
    lib.mkForce "${pkgs.writeScript "half" "#!/bin/sh\n${whole.installBootLoader} \"$@\"\nexit 1\n"}";"##;

impl Way {
    /// Definitions of two systems: a host is asked for the one that it does not have.
    pub(super) fn systems(&self) -> [&'static str; 2] {
        match self.bad {
            None => GOOD,
            Some(Bad::Unit) => [UNIT, UNIT],
            Some(Bad::Loader) => [LOADER, LOADER],
        }
    }

    /// Whether it gets so far that a confirmation is waited for.
    pub(super) fn awaits(&self) -> bool {
        self.mode != Mode::Boot && self.bad != Some(Bad::Unit) && self.killed.is_none()
    }

    /// Whether the new system wins where nothing is struck.
    fn ends_new(&self) -> bool {
        self.bad.is_none() && self.killed.is_none()
    }
}

/// The points of a way up to where it is struck.
pub(super) struct Passed<'a> {
    pub(super) way: &'a Way,
    pub(super) points: &'a [String],
}

impl Passed<'_> {
    /// Whether a point was passed.
    fn has(&self, point: &str) -> bool {
        self.points.iter().any(|passed| passed == point)
    }

    /// The point where it is struck.
    pub(super) fn point(&self) -> &str {
        self.points.last().map_or("", String::as_str)
    }

    /// Whose point that is: `own`, `guard` or `resume`.
    pub(super) fn role(&self) -> &str {
        self.point().split(' ').next().unwrap_or_default()
    }

    /// Whether anything was written. Who took over has found it; what was passed before that is not listed.
    pub(super) fn is_begun(&self) -> bool {
        self.way.killed.is_some() || self.has("own after:journal:prepared")
    }

    /// Whether whoever has the activation here has a guard.
    pub(super) fn is_guarded(&self) -> bool {
        let has = |act: &str| self.has(&format!("{} after:effect:{act}", self.role()));
        has("arm") && !has("disarm") && self.way.killed.is_none()
    }

    /// Whether a confirmation was asked for and given.
    pub(super) fn is_confirmed(&self) -> bool {
        ["own", "resume"].iter().any(|role| {
            let before = |state: &str| self.has(&format!("{role} before:journal:{state}"));
            before("committing") || before("confirmed")
        })
    }

    /// Whether the host has rebooted on the way.
    pub(super) fn has_rebooted(&self) -> bool {
        self.way.mode == Mode::Reboot && self.role() == "resume"
    }

    /// Whether the host boots the new system from here on: always, or once.
    pub(super) fn boots_new(&self) -> bool {
        let once = self.has("own after:effect:set-once") && !self.has_rebooted();
        match self.way.mode {
            Mode::Reboot => once || self.has("resume after:effect:set-default"),
            _ => self.has("own after:effect:set-default"),
        }
    }

    /// Whether the new system wins: from the decision on, but after a reboot only if it runs.
    pub(super) fn new_wins(&self, blow: Blow) -> bool {
        match (self.way.ends_new(), self.way.mode, blow) {
            (false, ..) => false,
            (true, _, Blow::Guard) => true,
            (true, Mode::Test, _) => self.has("own after:journal:confirmed"),
            (true, Mode::Switch | Mode::Reboot, Blow::Cut) => self.boots_new(),
            (true, Mode::Reboot, _) => self.has("resume after:journal:committing"),
            (true, ..) => self.has("own after:journal:committing"),
        }
    }
}
