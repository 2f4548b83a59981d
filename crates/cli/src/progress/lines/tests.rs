//! The same events with more and less detail.

use deploy::{News, Voice};
use report::Stage;

use super::{Detail, Lines, Work};
use crate::samples::{began, copying, deployed, event, host, of_run, results, system};

/// All lines, those for standard output marked with `>`.
fn lines(detail: Detail) -> String {
    let mut events = vec![
        began(&["web1", "web2"]),
        event(0, "web1", News::StageBegan(Stage::Evaluate)),
        event(2100, "web1", News::StageEnded { stage: Stage::Evaluate, good: true, millis: 2100 }),
        event(2100, "web1", News::System(system('a'))),
        event(2100, "web1", News::Waits { what: "for a place".to_owned() }),
        event(2200, "web1", News::StageBegan(Stage::Ship)),
        event(2300, "web1", copying(1, 167_000_000)),
        event(2400, "web1", copying(2, 167_000_000)),
        event(13_000, "web1", copying(45_200_000, 167_000_000)),
        event(
            13_100,
            "web1",
            News::Line { from: Voice::Activation, text: "starting \x1b[1mnginx".to_owned() },
        ),
        event(13_200, "web1", News::Line { from: Voice::Out, text: "up 3 days\x07".to_owned() }),
        event(13_200, "web1", News::Line { from: Voice::Err, text: "warning".to_owned() }),
        event(14_000, "web2", News::StageEnded { stage: Stage::Build, good: false, millis: 900 }),
        of_run(14_000, News::Note("the fleet is large".to_owned())),
    ];
    events.extend(
        results()
            .into_iter()
            .map(|(name, result)| event(15_000, name, News::Result(deployed(result).into()))),
    );
    events.push(of_run(15_001, News::Ended { exit_code: 4 }));
    let mut lines = Lines::new(detail, false);
    let said = events.iter().filter_map(|event| lines.take(event));
    said.map(|said| format!("{} {}", if said.is_result { '>' } else { ' ' }, said.text))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn plain_lines() {
    insta::assert_snapshot!(lines(Detail::default()));
}

#[test]
fn above_a_board_only_what_matters() {
    insta::assert_snapshot!(lines(Detail { is_live: true, ..Detail::default() }));
}

#[test]
fn all_there_is() {
    insta::assert_snapshot!(lines(Detail { verbose: 2, ..Detail::default() }));
}

#[test]
fn what_commands_print_is_the_result_of_exec() {
    insta::assert_snapshot!(lines(Detail { work: Work::Exec(vec![host("web1")]), ..Detail::default() }));
}

#[test]
fn stages_of_a_question_are_not_told() {
    let work = Work::Question(vec![host("web1")]);
    let told = lines(Detail { work, ..Detail::default() });
    assert!(!told.contains("ship") && told.contains("note: the fleet is large"), "{told}");
}
