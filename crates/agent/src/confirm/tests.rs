//! What a session answers from the journal alone.

use activate::{Before, BootDefault, BootId, Cause, CommitPart, Lasting, Moment, State};
use order::{HostName, Nonce, Order, Settings};
use store::store_path::StoreDir;

use super::*;

fn record() -> Record {
    let system = "/nix/store/00000000000000000000000000000000-nixos-system-a-1";
    let path = StoreDir::default().parse(system.as_bytes()).expect("a path");
    let order = Order {
        id: OrderId::from_random([1; 20]),
        nonce: Nonce::from_random([7; 32]),
        host: "web1".parse::<HostName>().expect("a name"),
        system: path.clone(),
        mode: Mode::Switch,
        after: None,
        agent: None,
        settings: Settings::default(),
    };
    let boot = BootId::from_bits(1);
    let before = Before {
        boot,
        running: path.into(),
        booted: None,
        profile: None,
        default: BootDefault::None,
        failed: Vec::new(),
        active: Vec::new(),
        network: String::new(),
    };
    Record::new(order, before, Moment { boot, since_boot: Duration::ZERO, unix: 0 }).expect("a record")
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Done(_) => "done",
        Answer::Aborting => "aborting",
        Answer::TooLate(None) => "too late",
        Answer::TooLate(Some(_)) => "has ended",
        Answer::Refused { why } if why.contains("being made to last") => "commits",
        Answer::Refused { .. } => "no answer",
    }
}

#[test]
fn a_commit_that_goes_on_is_never_too_late() {
    let mut record = record();
    let (order, nonce) = (record.order.id.clone(), record.order.nonce.clone());
    let confirm = Request::Confirm { order: order.clone(), nonce };
    let stranger = Request::Confirm { order: order.clone(), nonce: Nonce::from_random([8; 32]) };
    let abort = Request::Abort { order };
    for (state, expected) in [
        (State::Committing { part: CommitPart::Default, tries: 0 }, ["commits"; 3]),
        (State::Confirmed { lasting: Lasting::Always }, ["done", "has ended", "has ended"]),
        (State::Unchanged { cause: Cause::Aborted }, ["has ended"; 3]),
        (State::Prepared, ["no answer"; 3]),
    ] {
        record.state = state;
        let answers = [&confirm, &stranger, &abort].map(|request| from_journal(request, Some(&record)));
        assert_eq!(answers.each_ref().map(word), expected);
    }
    assert_eq!(word(&from_journal(&confirm, None)), "too late");
}
