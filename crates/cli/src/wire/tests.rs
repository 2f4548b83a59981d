//! The documented JSON, line by line. What stands in the snapshots may be added to, never changed.

use deploy::{Answered, Exit, News, Progress, Voice};
use report::{Ending, Generation, Stage};
use serde::Serialize;

use super::{event, exited, history, outcome};
use crate::samples::{began, cause, copying, deployed, event as about, host, last, of_run, results, system};

fn lines(values: impl IntoIterator<Item = impl Serialize>) -> String {
    let lines = values.into_iter().map(|value| serde_json::to_string(&value).unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn events() {
    let mut events = vec![
        began(&["web1", "web2"]),
        about(0, "web1", News::StageBegan(Stage::Build)),
        about(900, "web1", News::StageEnded { stage: Stage::Build, good: true, millis: 900 }),
        about(900, "web1", News::Waits { what: "for a place".to_owned() }),
        about(901, "web1", copying(45_200_000, 167_000_000)),
        about(
            902,
            "web1",
            News::Progress(Progress {
                stage: Stage::Activate,
                text: "starting units".to_owned(),
                steps: None,
                bytes: None,
            }),
        ),
        about(903, "web1", News::System(system('a'))),
        about(904, "web1", News::Line { from: Voice::Nix, text: "building".to_owned() }),
        of_run(905, News::Note("the fleet is large".to_owned())),
    ];
    events.extend(
        results().into_iter().map(|(name, result)| about(1000, name, News::Result(deployed(result).into()))),
    );
    events.push(of_run(1001, News::Ended { exit_code: 4 }));
    insta::assert_snapshot!(lines(events.iter().map(event)));
}

#[test]
fn outcomes() {
    let pretty = serde_json::to_string_pretty(&outcome(&crate::samples::outcome())).unwrap();
    insta::assert_snapshot!(pretty);
}

#[test]
fn answers() {
    let failed = || cause(report::CauseKind::Offline, "it does not answer", &["ssh: timed out"]);
    let answered = |answer| Answered { host: host("web1"), answer, millis: 40 };
    let exits =
        [Ok(Exit::Code(0)), Ok(Exit::Code(3)), Ok(Exit::Signal(9)), Ok(Exit::TimedOut), Err(failed())];
    let exits = exits.map(answered);
    insta::assert_snapshot!("exits", lines(exits.iter().map(exited)));

    let did = vec![last(Ending::Confirmed { lasting: true }), last(Ending::Unchanged { cause: failed() })];
    let generations = vec![Generation { number: 41, system: system('a') }];
    let histories = [Ok((did, generations)), Err(failed())].map(|answer| Answered {
        host: host("web1"),
        answer,
        millis: 40,
    });
    insta::assert_snapshot!("histories", lines(histories.iter().map(history)));
}
