//! Values for the tests of this crate.

use std::path::PathBuf;

use deploy::{Event, HostOutcome, News, Outcome, Progress, RunId};
use order::{HostName, Mode, SystemPath};
use report::{
    Cause, CauseKind, Deployed, Ending, Generation, HostResult, HostStatus, LastActivation, LoaderDefault,
    Pending, Stage, Timestamp,
};
use store::store_path::StoreDir;

/// When everything here happens: 2026-11-21T09:30:00Z.
pub(crate) const NOON: Timestamp = Timestamp(1_795_253_400_000);

/// So many milliseconds after [`NOON`].
pub(crate) fn after(millis: u64) -> Timestamp {
    Timestamp(NOON.0 + millis)
}

pub(crate) fn host(name: &str) -> HostName {
    name.parse().expect("a host name")
}

/// A system whose hash begins with this letter.
pub(crate) fn system(letter: char) -> SystemPath {
    let hash: String =
        std::iter::repeat_n(letter, 8).chain("bkfhz0v2jcyj2m7hwzdzmyw".chars()).take(31).collect();
    let text = format!("/nix/store/{hash}0-nixos-system-web1-25.11");
    SystemPath::parse(&StoreDir::default(), &text).expect("a system")
}

pub(crate) fn run() -> RunId {
    RunId::new(NOON, [1, 2, 3, 4])
}

pub(crate) fn event(millis: u64, name: &str, what: News) -> Event {
    Event { at: after(millis), host: Some(host(name)), what }
}

/// An event of the whole run.
pub(crate) fn of_run(millis: u64, what: News) -> Event {
    Event { at: after(millis), host: None, what }
}

pub(crate) fn began(names: &[&str]) -> Event {
    of_run(0, News::Began { run: run(), hosts: names.iter().map(|name| host(name)).collect() })
}

pub(crate) fn copying(done: u64, all: u64) -> News {
    News::Progress(Progress {
        stage: Stage::Ship,
        text: String::new(),
        steps: Some((3, 12)),
        bytes: Some((done, all)),
    })
}

pub(crate) fn cause(kind: CauseKind, text: &str, log: &[&str]) -> Cause {
    Cause::new(kind, text).with_log(log.iter().copied())
}

fn not_back() -> Cause {
    let text = "it has not come back within 10m of its reboot: away since 2026-11-21T09:20:00Z";
    cause(CauseKind::NotBack, text, &["its boot loader names nixos-system-web1", "the last try: no route"])
}

/// Every way in which a host's part ends, each with a name for the host.
pub(crate) fn results() -> Vec<(&'static str, HostResult)> {
    let log = ["checking the configuration", "nginx: [emerg] \x1b[31munknown directive\x1b[0m \"lsten\""];
    let build = cause(CauseKind::Build, "nginx.conf did not build: builder failed with exit code 1", &log);
    let units = cause(
        CauseKind::Units,
        "1 unit fails that did not before: web.service",
        &["web: cannot bind to :80"],
    );
    let offline = cause(CauseKind::Offline, "cannot log in\nroot@off1: it does not answer", &[]);
    let boot = cause(CauseKind::BootLoader, "the boot loader still names the old system", &[]);
    let gone = cause(CauseKind::Unconfirmed, "nobody confirmed within 2m", &[]);
    vec![
        ("already", HostResult::AlreadyThere),
        ("built", HostResult::Done),
        ("good", HostResult::Activated(Ending::Confirmed { lasting: true })),
        ("tested", HostResult::Activated(Ending::Confirmed { lasting: false })),
        ("broken", HostResult::Failed { stage: Stage::Build, cause: build }),
        ("off1", HostResult::Failed { stage: Stage::Connect, cause: offline }),
        ("gone", HostResult::Failed { stage: Stage::Reboot, cause: not_back() }),
        ("held", HostResult::Pending { why: "it waits for `lockstep confirm held`, 5m left".to_owned() }),
        ("image", HostResult::Skipped { why: "an installer image".to_owned() }),
        ("units", HostResult::Activated(Ending::Unchanged { cause: units })),
        (
            "netless",
            HostResult::Activated(Ending::RolledBack {
                cause: gone,
                aftermath: vec!["route 10.1.0.0/16 is missing".to_owned()],
            }),
        ),
        ("stuck", HostResult::Activated(Ending::Stuck { cause: boot, remedy: "boot it by hand".to_owned() })),
    ]
}

pub(crate) fn deployed(result: HostResult) -> Deployed {
    let bytes = if result.exit_code() == 1 { 0 } else { 1_234_567 };
    Deployed {
        order: Some("0123456789abcdefghij".parse().expect("an order's id")),
        system: Some(system('a')),
        mode: Mode::Switch,
        extent: report::Extent::Activate,
        result,
        millis: 12_345,
        bytes,
    }
}

/// One host for each of [`results`].
pub(crate) fn outcome() -> Outcome {
    let hosts = results().into_iter().map(|(name, result)| HostOutcome {
        host: host(name),
        notes: if name == "good" { vec!["its clock is 3m behind".to_owned()] } else { Vec::new() },
        stages: vec![(Stage::Evaluate, 2100), (Stage::Build, 800)],
        log: (result.exit_code() != 0).then(|| PathBuf::from(format!("/state/logs/{}/{name}.log", run()))),
        deployed: deployed(result),
    });
    Outcome {
        run: run(),
        hosts: hosts.collect(),
        left_out: vec![("my iso".to_owned(), "not a host name".to_owned())],
    }
}

/// A host that runs, boots and has in its profile the system of this letter.
pub(crate) fn status(letter: char) -> HostStatus {
    HostStatus {
        at: NOON,
        boot_id: "3b241101-e2bb-4255-8caf-4136c566a962".to_owned(),
        up_millis: 86_400_000,
        version: Some("25.11.20261101.abcdef0".to_owned()),
        running: Some(system(letter)),
        booted: Some(system(letter)),
        profile: Some(Generation { number: 41, system: system(letter) }),
        default: LoaderDefault::System(system(letter)),
        once: None,
        starting: false,
        failed: Vec::new(),
        reboot: Vec::new(),
        pending: None,
        last: None,
    }
}

/// An activation that waits for a confirmation.
pub(crate) fn pending() -> Pending {
    Pending {
        order: "0123456789abcdefghij".parse().expect("an order's id"),
        system: system('b'),
        state: "AwaitingConfirm".to_owned(),
        awaits_confirm: true,
        left_millis: Some(80_000),
    }
}

/// An activation that ended an hour ago.
pub(crate) fn last(ending: Ending) -> LastActivation {
    LastActivation {
        order: "0123456789abcdefghij".parse().expect("an order's id"),
        system: system('a'),
        mode: Mode::Switch,
        at: Timestamp(NOON.0 - 3_600_000),
        ending,
    }
}
