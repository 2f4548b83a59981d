//! The documented JSON, line by line. What stands in the snapshots may be added to, never changed.

use deploy::{Answered, Exit, News, Voice};
use report::{CauseKind, Ending, Generation, Stage};
use serde::Serialize;

use super::{exited, history, outcome};
use crate::samples::{
    self, NOON, began, cause, copying, deployed, event, host, last, of_run, results, system,
};

fn lines(values: impl IntoIterator<Item = impl Serialize>) -> String {
    let lines = values.into_iter().map(|value| serde_json::to_string(&value).unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_outcome() {
    let all = samples::outcome();
    let pretty: serde_json::Value = serde_json::to_value(outcome(&all, NOON)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&pretty).unwrap());
}

#[test]
fn events() {
    let mut events = vec![
        began(&["web1", "web2"]),
        event(0, "web1", News::StageBegan(Stage::Build)),
        event(900, "web1", News::StageEnded { stage: Stage::Build, good: true, millis: 900 }),
        event(900, "web1", News::Waits { what: "for a place".to_owned() }),
        event(901, "web1", copying(45_200_000, 167_000_000)),
        event(903, "web1", News::System(system('a'))),
        event(904, "web1", News::Line { from: Voice::Nix, text: "building".to_owned() }),
        of_run(905, News::Note("the fleet is large".to_owned())),
    ];
    let ended = |(name, result)| event(1000, name, News::Result(deployed(result).into()));
    events.extend(results().into_iter().map(ended));
    events.push(of_run(1001, News::Ended { exit_code: 4 }));
    let lines: Vec<_> = events.iter().map(|event| String::from_utf8(event.to_json()).unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn answers() {
    let failed = || cause(CauseKind::Offline, "it does not answer", &["ssh: timed out"]);
    let exits =
        [Ok(Exit::Code(0)), Ok(Exit::Code(3)), Ok(Exit::Signal(9)), Ok(Exit::TimedOut), Err(failed())];
    let exits = exits.map(|answer| Answered { host: host("web1"), answer, millis: 40 });
    insta::assert_snapshot!("exits", lines(exits.iter().map(exited)));

    let did = vec![last(Ending::Confirmed { lasting: true }), last(Ending::Unchanged { cause: failed() })];
    let generations = vec![Generation { number: 41, system: system('a') }];
    let answers = [Ok((did, generations)), Err(failed())];
    let answers = answers.map(|answer| Answered { host: host("web1"), answer, millis: 40 });
    insta::assert_snapshot!("histories", lines(answers.iter().map(history)));
}
