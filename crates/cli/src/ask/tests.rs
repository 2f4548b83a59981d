//! What people are asked.

use deploy::{PasswordRequest, Question};
use order::Mode;

use super::{prompt, question_lines};
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

#[test]
fn the_question_lists_what_would_be_done() {
    let question = Question {
        mode: Mode::Boot,
        ready: (0..50).map(|number| (host(&format!("web{number:02}")), system('a'))).collect(),
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
