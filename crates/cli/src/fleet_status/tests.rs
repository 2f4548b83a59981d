//! A fleet in which every host stands differently.

use order::Mode;
use report::{
    Cause, CauseKind, Ending, HostResult, HostStatus, Known, LoaderDefault, Report, Timestamp, What,
};

use super::{HostRow, lines};
use crate::{
    samples::{NOON, after, deployed, host, pending, status, system},
    wire,
};

/// A host of which this was learned, oldest first, each a minute after the other.
fn row(name: &str, learned: Vec<What>, cause: Option<Cause>) -> HostRow {
    let reports = learned.into_iter().zip(0_u64..);
    let reports: Vec<_> =
        reports.map(|(what, minute)| Report { at: after(minute * 60_000), host: host(name), what }).collect();
    HostRow { host: host(name), known: Known::fold(&reports), cause, millis: 40 }
}

fn seen(change: impl FnOnce(&mut HostStatus)) -> What {
    let mut status = status('a');
    change(&mut status);
    What::Seen(Box::new(status))
}

fn wanted(result: HostResult) -> What {
    What::Deployed(deployed(result))
}

fn confirmed() -> What {
    wanted(HostResult::Activated(Ending::Confirmed { lasting: true }))
}

fn rows() -> Vec<HostRow> {
    let offline = || Cause::new(CauseKind::Offline, "cannot log in\nroot@off1: it does not answer");
    let unreachable = || What::Unreachable { why: "it does not answer".to_owned() };
    let back = seen(|status| {
        status.running = Some(system('b'));
        status.failed = vec!["web.service".parse().unwrap(), "db.service".parse().unwrap()];
    });
    vec![
        row("good", vec![confirmed(), seen(|_| ())], None),
        row("new", vec![seen(|_| ())], None),
        row("silent", vec![], Some(Cause::new(CauseKind::Ssh, "the login was denied\x1b[2J"))),
        row("off1", vec![confirmed(), seen(|_| ()), unreachable(), unreachable()], Some(offline())),
        row("back", vec![wanted(HostResult::AlreadyThere), back], None),
        row(
            "boots",
            vec![
                confirmed(),
                seen(|status| {
                    status.default = LoaderDefault::System(system('c'));
                    status.once = Some(system('d'));
                    status.starting = true;
                }),
            ],
            None,
        ),
        row(
            "kernel",
            vec![
                confirmed(),
                seen(|status| {
                    status.booted = Some(system('c'));
                    status.reboot = vec!["kernel 6.12.1 -> 6.12.9".to_owned(), "initrd".to_owned()];
                }),
            ],
            None,
        ),
        row(
            "unread",
            vec![
                confirmed(),
                seen(|status| {
                    status.default = LoaderDefault::Unreadable("no loader.conf".to_owned());
                }),
            ],
            None,
        ),
        row("vm", vec![confirmed(), seen(|status| status.default = LoaderDefault::NoLoader)], None),
        row("held", vec![confirmed(), seen(|status| status.pending = Some(pending()))], None),
        row(
            "empty",
            vec![seen(|status| {
                status.running = None;
                status.booted = None;
                status.profile = None;
            })],
            None,
        ),
    ]
}

const NOW: Timestamp = Timestamp(NOON.0 + 7_500_000);

#[test]
fn the_table() {
    insta::assert_snapshot!(lines(&rows(), NOW, None, false).join("\n"));
}

#[test]
fn the_table_on_a_terminal() {
    insta::assert_snapshot!(lines(&rows(), NOW, Some(110), false).join("\n"));
}

#[test]
fn the_json() {
    let lines: Vec<_> =
        rows().iter().map(|row| serde_json::to_string(&wire::status(row, NOW)).unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn in_step_is_running_profile_and_boot_default() {
    let told: Vec<_> = rows().iter().map(|row| (row.host.to_string(), row.in_step())).collect();
    let told: Vec<_> = told.iter().map(|(name, step)| (name.as_str(), *step)).collect();
    assert_eq!(
        told,
        [
            ("good", Some(true)),
            ("new", None),
            ("silent", None),
            ("off1", None),
            ("back", Some(false)),
            ("boots", Some(false)),
            ("kernel", Some(true)),
            ("unread", Some(false)),
            ("vm", Some(true)),
            ("held", Some(true)),
            ("empty", None),
        ]
    );
    assert_eq!(deployed(HostResult::Done).mode, Mode::Switch, "what the rows expect is for good");
}
