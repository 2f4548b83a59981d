//! Summaries of runs small and large.

use super::{Form, lines};
use crate::samples::{host, outcome};

const FORM: Form = Form { width: Some(100), color: false, is_full: false };

#[test]
fn every_result_and_every_failure() {
    insta::assert_snapshot!(lines(&outcome(), FORM).join("\n"));
}

#[test]
fn narrow_terminals_and_files() {
    let narrow = lines(&outcome(), Form { width: Some(60), ..FORM });
    assert!(narrow[..12].iter().all(|line| console::measure_text_width(line) <= 60), "{narrow:#?}");
    let file = lines(&outcome(), Form { width: None, ..FORM }).join("\n");
    assert!(!file.contains('…'));
}

#[test]
fn good_hosts_of_a_large_fleet_share_a_line() {
    let mut outcome = outcome();
    let good = outcome.hosts[2].clone();
    outcome.hosts.retain(|host| host.deployed.result.exit_code() == 3);
    for number in 0..250 {
        let mut one = good.clone();
        one.host = host(&format!("web{number}"));
        one.notes.clear();
        outcome.hosts.push(one);
    }
    insta::assert_snapshot!(lines(&outcome, FORM).join("\n"));
    assert!(lines(&outcome, Form { is_full: true, ..FORM }).len() > 250);
}

#[test]
fn nothing_foreign_reaches_the_terminal() {
    let mut outcome = outcome();
    for host in &mut outcome.hosts {
        host.notes.push("a\x1b]0;title\x07b".to_owned());
    }
    let text = lines(&outcome, FORM).join("\n");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}
