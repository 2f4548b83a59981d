//! Reports that were written once must be read for ever, and what is written is what was read.

use order::SystemPath;
use report::{
    CauseKind, Ending, HostResult, Known, LoaderDefault, Report, ReportError, What, worst_exit_code,
};
use store::store_path::StoreDir;

/// One report on each line, every kind of what and of result among them.
const REPORTS_1: &str = include_str!("golden/reports-1.jsonl");

/// The same since hosts are rebooted.
const REPORTS_REBOOT: &str = include_str!("golden/reports-reboot.jsonl");

fn reports() -> Vec<Report> {
    REPORTS_1.lines().map(|line| Report::from_json(line.as_bytes()).expect(line)).collect()
}

#[test]
fn version_1_is_read_and_written_byte_for_byte() {
    for (report, line) in reports().iter().zip(REPORTS_1.lines()) {
        assert_eq!(String::from_utf8_lossy(&report.to_json()), line);
    }
}

#[test]
fn what_is_told_of_reboots_is_read_and_written_byte_for_byte() {
    let reports: Vec<Report> =
        REPORTS_REBOOT.lines().map(|line| Report::from_json(line.as_bytes()).expect(line)).collect();
    for (report, line) in reports.iter().zip(REPORTS_REBOOT.lines()) {
        assert_eq!(String::from_utf8_lossy(&report.to_json()), line);
    }
    let known = Known::fold(&reports);
    assert_eq!((known.deployed, known.expected), (None, None), "a reboot is no deploy");
    let (since, why) = known.unreachable.expect("it has not come back");
    assert_eq!((since.0, why.as_str()), (1_795_253_400_001, "it has not come back"));
    let status = known.seen.expect("the first says so").1;
    assert_eq!((status.once, status.starting), (status.running, true));
}

#[test]
fn what_is_known_is_the_fold_of_the_reports() {
    let known = Known::fold(&reports());
    let (since, why) = known.unreachable.clone().expect("the last two say so");
    assert_eq!((since.0, why.as_str()), (1_795_253_460_000, "connection refused"));
    assert_eq!(known.seen.expect("the first says so").0.0, 1_795_253_400_000);
    let (_, deployed) = known.deployed.expect("some");
    assert!(matches!(deployed.result, HostResult::Activated(Ending::Stuck { .. })), "{deployed:?}");
    assert!(known.expected.is_some());
}

#[test]
fn every_result_has_its_exit_code_and_the_worst_wins() {
    let codes: Vec<u8> = reports()
        .iter()
        .filter_map(|report| match &report.what {
            What::Deployed(deployed) => Some(deployed.result.exit_code()),
            What::Seen(_) | What::Unreachable { .. } => None,
        })
        .collect();
    assert_eq!(codes, [0, 0, 0, 1, 5, 5, 5, 3, 1, 4]);
    for (codes, worst) in [(&[][..], 0), (&[0, 5], 5), (&[5, 1], 1), (&[1, 3], 3), (&[3, 4, 0], 4)] {
        assert_eq!(worst_exit_code(codes.iter().copied()), worst, "{codes:?}");
    }
}

#[test]
fn what_is_not_a_report_is_refused_for_its_reason() {
    let line = REPORTS_1.lines().next().expect("a line");
    let refused = |from: &str, to: &str| {
        assert!(line.contains(from), "{from}");
        Report::from_json(line.replacen(from, to, 1).as_bytes()).expect_err(to)
    };
    assert!(matches!(refused(r#""version":1"#, r#""version":2"#), ReportError::Version(2)));
    assert!(matches!(refused(r#""host":"web1""#, r#""host":"""#), ReportError::Name(_)));
    assert!(matches!(refused("/nix/store/", "/tmp/"), ReportError::System(_)));
    assert!(matches!(refused(r#""mode":"switch""#, r#""mode":"?""#), ReportError::Word("mode")));
    assert!(matches!(refused("seen", "scene"), ReportError::Json(_)));
    assert!(matches!(Report::from_json(&vec![b' '; report::MAX_REPORT + 1]), Err(ReportError::TooLong(_))));
}

/// The second line of the golden file with another mode, extent, result and system.
fn deployed(letter: char, words: &str, result: &str) -> Report {
    let line = REPORTS_1.lines().nth(1).expect("a line");
    let line = line.replace("0bkfhz0v2jcyj2m7hwzdzmywav298dl2", &letter.to_string().repeat(32));
    let line = line.replace(r#""mode":"switch""#, words).replace(r#""already_there""#, result);
    Report::from_json(line.as_bytes()).expect(&line)
}

#[test]
fn only_what_was_to_last_and_was_taken_is_expected() {
    const SWITCH: &str = r#""mode":"switch""#;
    const CONFIRMED: &str = r#"{"activated":{"ending":"confirmed","lasting":true}}"#;
    const NOT_BACK: &str = r#"{"failed":{"stage":"reboot","cause":{"kind":"not-back","text":"x"}}}"#;
    let ended = |ending: &str| {
        format!(
            r#"{{"activated":{{"ending":"{ending}","cause":{{"kind":"units","text":"x"}},"aftermath":[],"remedy":"y"}}}}"#
        )
    };
    let cases = [
        (SWITCH, r#""already_there""#.to_owned(), true),
        (SWITCH, CONFIRMED.to_owned(), true),
        (r#""mode":"boot""#, CONFIRMED.to_owned(), true),
        (r#""mode":"reboot""#, CONFIRMED.to_owned(), true),
        (r#""mode":"reboot""#, NOT_BACK.to_owned(), true),
        (r#""mode":"dry-activate","extent":"reboot""#, NOT_BACK.to_owned(), false),
        (SWITCH, ended("rolled_back"), true),
        (SWITCH, ended("unchanged"), true),
        (SWITCH, ended("stuck"), true),
        (SWITCH, r#"{"pending":{"why":"x"}}"#.to_owned(), true),
        (SWITCH, r#"{"skipped":{"why":"x"}}"#.to_owned(), false),
        (SWITCH, r#"{"failed":{"stage":"build","cause":{"kind":"build","text":"x"}}}"#.to_owned(), false),
        (r#""mode":"test""#, CONFIRMED.to_owned(), false),
        (r#""mode":"dry-activate""#, r#""done""#.to_owned(), false),
        (r#""mode":"dry-activate","extent":"build""#, r#""done""#.to_owned(), false),
        (r#""mode":"dry-activate","extent":"push""#, r#""done""#.to_owned(), false),
    ];
    for (words, result, changes) in cases {
        let before = deployed('a', SWITCH, CONFIRMED);
        let after = deployed('b', words, &result);
        let known = Known::fold([&before, &after]);
        let expected = known.expected.expect("the first says so").to_string();
        assert_eq!(expected.contains("bbbb"), changes, "{words} {result}: {expected}");
        assert_eq!(Report::from_json(&after.to_json()).expect("its own form"), after);
    }
}

#[test]
fn every_boot_default_is_written_and_read_back() {
    let system = "/nix/store/0bkfhz0v2jcyj2m7hwzdzmywav298dl2-nixos-system-web1/specialisation/x";
    let system = SystemPath::parse(&StoreDir::default(), system).expect("a system");
    for default in
        [LoaderDefault::System(system), LoaderDefault::Unreadable("why".into()), LoaderDefault::NoLoader]
    {
        assert_eq!(LoaderDefault::from_json(&default.to_json()).expect("its own form"), default);
    }
}

#[test]
fn kinds_have_words_of_their_own() {
    for kind in CauseKind::ALL {
        assert_eq!(CauseKind::from_word(kind.word()), *kind);
    }
    assert_eq!(CauseKind::from_word("of tomorrow"), CauseKind::Internal);
}
