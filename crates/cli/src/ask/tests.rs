//! What people are asked.

use deploy::{Candidate, Goal, PasswordRequest, Question};
use order::Mode;

use super::{final_words, prompt, question_lines};
use crate::samples::{host, system};

#[test]
fn a_password_prompt_names_user_host_and_program() {
    let request = PasswordRequest {
        host: host("web1"),
        address: "deploy@192.0.2.1".to_owned(),
        command: "sudo -S -p x /nix/store/agent session".to_owned(),
        again: false,
    };
    assert_eq!(prompt(&request), "Password for deploy@192.0.2.1 (sudo on web1)");
    let again = prompt(&PasswordRequest { again: true, ..request });
    assert_eq!(again, "The password was wrong. Password for deploy@192.0.2.1 (sudo on web1)");
}

fn candidate(name: &str) -> Candidate {
    Candidate { host: host(name), system: Some(system('a')), remarks: Vec::new(), unguarded: None }
}

#[test]
fn a_question_about_reboots_says_what_nothing_guards() {
    let refuses = "reboots, as it refuses a switch: systemd changes".to_owned();
    let unguarded = Some("extlinux has no one-shot entries".to_owned());
    let mut question = Question {
        goal: Goal::Activate(Mode::Switch),
        reboots: true,
        ready: vec![
            candidate("web1"),
            Candidate { remarks: vec![refuses], ..candidate("web2") },
            Candidate { system: None, unguarded, ..candidate("web3") },
        ],
        left_out: Vec::new(),
        failed: Vec::new(),
        unguarded: None,
    };
    let mut told = question_lines(&question, Some(80), false);
    for goal in [Goal::Activate(Mode::Switch), Goal::Activate(Mode::Reboot), Goal::Reboot] {
        question.goal = goal;
        told.push(final_words(&question));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_question_lists_what_would_be_done() {
    let question = Question {
        goal: Goal::Activate(Mode::Boot),
        reboots: false,
        ready: (0..50).map(|number| candidate(&format!("web{number:02}"))).collect(),
        left_out: vec![("iso".to_owned(), "an installer image".to_owned())],
        failed: vec![host("db1")],
        unguarded: Some("mode boot is not guarded yet"),
    };
    let lines = question_lines(&question, Some(80), false);
    let [first, .., left_out, failed, unguarded] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(first, "HOST   NEW SYSTEM");
    assert_eq!(lines[1], "web00  aaaaaaaa  nixos-system-web1-25.11");
    assert!(lines.contains(&"and 10 more".to_owned()));
    assert_eq!(left_out, "left out: iso: an installer image");
    assert_eq!(failed, "failed: db1");
    assert_eq!(unguarded, "not guarded: mode boot is not guarded yet");
}
