//! What two looks at the units say of the new system.

use activate::Record;
use order::UnitName;
use system::units::{ActiveState, UnitStates};

use super::is_active;

/// What is to be said of the units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are well.
    Holds,
    /// These may still get well.
    Moves(Vec<(String, String)>),
    /// These do not.
    Broken(Vec<(String, String)>),
}

/// Judges what is seen now. `before` is from before the activation, `last` from the last look after it.
pub(super) fn judge(record: &Record, before: &UnitStates, last: &UnitStates, now: &UnitStates) -> Verdict {
    let failed_before = |name: &str| {
        record.before.failed.iter().any(|unit| unit.as_str() == name)
            // It crashed now and then already, and was not caught at it.
            || (before.0.get(name).is_some_and(|state| state.restarts.unwrap_or(0) > 0)
                && now.0.get(name).is_none_or(|state| state.active != ActiveState::Failed))
    };
    let (mut broken, mut moves) = (Vec::new(), Vec::new());
    for (name, state) in now.0.iter().filter(|(name, _)| counts(name, now) && !failed_before(name)) {
        if state.active == ActiveState::Failed {
            broken.push((name.clone(), format!("is {state}")));
        } else if state.is_crashing() || restarted(name, last, now) {
            moves.push((name.clone(), "starts again and again".to_owned()));
        }
    }
    for unit in record.before.active.iter().filter(|unit| !is_active(now, unit)) {
        let (name, what) = (unit.to_string(), "is protected and no longer active".to_owned());
        let list = if starts(unit, now) { &mut moves } else { &mut broken };
        if !list.iter().any(|(listed, _)| *listed == name) {
            list.push((name, what));
        }
    }
    match (broken.is_empty(), moves.is_empty()) {
        (false, _) => Verdict::Broken(broken),
        (true, false) => Verdict::Moves(moves),
        (true, true) => Verdict::Holds,
    }
}

/// Whether a unit is the system's own matter: not made at run time by somebody, not of a user's session, not one
/// connection of a socket (`sshd@3-10.0.0.1:22-...`, `systemd-coredump@1-99-0`).
pub(super) fn counts(name: &str, states: &UnitStates) -> bool {
    let of_user = ["user@", "user-runtime-dir@"].iter().any(|prefix| name.starts_with(prefix))
        || name.ends_with(".scope")
        || name.ends_with(".device");
    let instance = name.split_once('@').map_or("", |(_, instance)| instance);
    let digits = instance.bytes().take_while(u8::is_ascii_digit).count();
    let of_connection = digits > 0 && instance.as_bytes().get(digits) == Some(&b'-');
    let transient = states.0.get(name).is_some_and(|state| state.transient);
    !(of_user || of_connection || transient)
}

fn restarted(name: &str, last: &UnitStates, now: &UnitStates) -> bool {
    let count = |states: &UnitStates| states.0.get(name).and_then(|state| state.restarts).unwrap_or(0);
    count(now) > count(last)
}

fn starts(unit: &UnitName, states: &UnitStates) -> bool {
    states.0.get(unit.as_str()).is_some_and(|state| state.active == ActiveState::Activating)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use activate::{Before, BootDefault, BootId, Moment};
    use order::{HostName, Mode, Nonce, Order, OrderId, Settings};
    use store::store_path::StoreDir;

    use super::*;

    /// `name state[/sub][ restarts]`, one for each line.
    fn states(lines: &str) -> UnitStates {
        let mut text = String::new();
        for line in lines.lines() {
            let mut words = line.split_whitespace();
            let name = words.next().expect("a name");
            let (active, sub) = words.next().and_then(|word| word.split_once('/')).expect("active/sub");
            let restarts = words.next().unwrap_or("0");
            let fragment = if name.starts_with("run-") { "/run/systemd/transient/x" } else { "/etc/x" };
            write!(
                text,
                "Id={name}\nLoadState=loaded\nActiveState={active}\nSubState={sub}\nResult=exit-code\n\
                 FragmentPath={fragment}\nNRestarts={restarts}\n\n"
            )
            .expect("text");
        }
        UnitStates::from_show(text.as_bytes()).expect("states")
    }

    fn record(failed: &[&str], active: &[&str]) -> Record {
        let system = "/nix/store/00000000000000000000000000000000-nixos-system-a-1";
        let path = StoreDir::default().parse(system.as_bytes()).expect("a path");
        let units = |names: &[&str]| names.iter().map(|name| name.parse().expect("a unit")).collect();
        let order = Order {
            id: OrderId::from_random([1; 20]),
            nonce: Nonce::from_random([7; 32]),
            host: "web1".parse::<HostName>().expect("a name"),
            system: path.clone(),
            mode: Mode::Switch,
            after: None,
            agent: None,
            settings: Settings::default(),
        };
        let boot = BootId::from_bits(1);
        let before = Before {
            boot,
            running: path.into(),
            booted: None,
            profile: None,
            default: BootDefault::None,
            failed: units(failed),
            active: units(active),
            network: String::new(),
        };
        let now = Moment { boot, since_boot: std::time::Duration::ZERO, unix: 0 };
        Record::new(order, before, now).expect("a record")
    }

    fn words(verdict: &Verdict) -> String {
        let list = |items: &[(String, String)]| {
            items.iter().map(|(name, what)| format!(" {name} {what}")).collect::<String>()
        };
        match verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Moves(items) => format!("moves{}", list(items)),
            Verdict::Broken(items) => format!("broken{}", list(items)),
        }
    }

    #[test]
    fn what_is_seen_is_judged() {
        let cases = [
            ("all is well", "a.service active/running", "holds"),
            ("it failed", "a.service failed/failed", "broken a.service is failed (failed, exit-code)"),
            ("it had failed before", "old.service failed/failed", "holds"),
            (
                "it waits for its next start",
                "a.service activating/auto-restart 1",
                "moves a.service starts again and again",
            ),
            (
                "it was started again meanwhile",
                "a.service active/running 3",
                "moves a.service starts again and again",
            ),
            ("it crashed before too", "loop.service activating/auto-restart 9", "holds"),
            (
                "it crashed before and has now failed",
                "loop.service failed/failed",
                "broken loop.service is failed (failed, exit-code)",
            ),
            ("somebody's transient unit", "run-1.service failed/failed", "holds"),
            ("a user's manager", "user@1000.service failed/failed", "holds"),
            ("a user's session", "session-3.scope failed/failed", "holds"),
            ("one connection", "sshd@7-10.0.0.1:22-10.0.0.2:9.service failed/failed", "holds"),
            ("one core dump", "systemd-coredump@1-99-0.service failed/failed", "holds"),
            (
                "an instance like any other",
                "getty@tty1.service failed/failed",
                "broken getty@tty1.service is failed (failed, exit-code)",
            ),
        ];
        let record = record(&["old.service"], &[]);
        let before = states("a.service active/running\nloop.service active/running 4");
        let last = states("a.service active/running 1");
        for (what, now, expected) in cases {
            assert_eq!(words(&judge(&record, &before, &last, &states(now))), expected, "{what}");
        }
    }

    #[test]
    fn what_is_protected_must_run() {
        let record = record(&[], &["db.service"]);
        for (now, expected) in [
            ("db.service active/running", "holds"),
            ("db.service reloading/reload", "holds"),
            ("db.service activating/start", "moves db.service is protected and no longer active"),
            ("db.service inactive/dead", "broken db.service is protected and no longer active"),
            ("other.service active/running", "broken db.service is protected and no longer active"),
            ("db.service failed/failed", "broken db.service is failed (failed, exit-code)"),
        ] {
            let now = states(now);
            assert_eq!(words(&judge(&record, &now, &now, &now)), expected);
        }
    }
}
