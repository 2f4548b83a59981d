//! The documented JSON, line by line. What stands in the snapshots may be added to, never changed.

use deploy::{Answered, Exit};
use report::{CauseKind, Ending, Generation};
use serde::Serialize;

use super::{exited, history, outcome};
use crate::samples::{self, NOON, cause, host, last, system};

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
