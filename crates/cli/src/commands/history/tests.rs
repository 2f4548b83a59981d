//! Histories as people see them.

use deploy::Answered;
use report::{CauseKind, Ending, Generation};

use super::lines;
use crate::{
    samples::{NOON, cause, host, last, system},
    terminal::Look,
};

#[test]
fn what_a_host_did_and_has() {
    let look = Look { color: false, width: Some(100), is_terminal: true };
    let gone = cause(CauseKind::Unconfirmed, "nobody confirmed within 2m", &[]);
    let did = vec![
        last(Ending::RolledBack { cause: gone.clone(), aftermath: Vec::new() }),
        last(Ending::Confirmed { lasting: true }),
    ];
    let generations =
        [(42, 'b'), (41, 'a')].map(|(number, letter)| Generation { number, system: system(letter) });
    let answers = [Ok((did, generations.to_vec())), Ok((Vec::new(), Vec::new())), Err(gone)];
    let told = answers
        .map(|answer| lines(&Answered { host: host("web1"), answer, millis: 40 }, NOON, look).join("\n"));
    insta::assert_snapshot!(told.join("\n\n"));
}
