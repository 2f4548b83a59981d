//! Messages that were sent once must be read for ever, and what is written is what was read.

use session::{MessageError, Reply, Request, common_version};

const REQUESTS_1: &str = include_str!("golden/requests-1.jsonl");
const REPLIES_1: &str = include_str!("golden/replies-1.jsonl");
const REQUESTS_2: &str = include_str!("golden/requests-2.jsonl");
const REQUESTS_3: &str = include_str!("golden/requests-3.jsonl");
const REPLIES_3: &str = include_str!("golden/replies-3.jsonl");
const REPLIES_2: &str = include_str!("golden/replies-2.jsonl");

#[test]
fn every_version_is_read_and_written_byte_for_byte() {
    for line in REQUESTS_1.lines().chain(REQUESTS_2.lines()).chain(REQUESTS_3.lines()) {
        let request = Request::from_payload(line.as_bytes()).expect(line);
        assert_eq!(String::from_utf8_lossy(&request.to_payload()), line);
    }
    for line in REPLIES_1.lines().chain(REPLIES_2.lines()).chain(REPLIES_3.lines()) {
        let reply = Reply::from_payload(line.as_bytes()).expect(line);
        assert_eq!(String::from_utf8_lossy(&reply.to_payload()), line);
    }
}

#[test]
fn what_is_not_a_message_is_refused_for_its_reason() {
    let request = |text: &str| Request::from_payload(text.as_bytes()).expect_err(text);
    assert!(matches!(request(r#"{"exec":{"words":[],"limit_ms":null}}"#), MessageError::Items(0)));
    assert!(matches!(request(r#"{"follow":{"order":"short"}}"#), MessageError::Name(_)));
    assert!(matches!(request(r#"{"deliver":{}}"#), MessageError::Order(_)));
    assert!(matches!(request(r#""of tomorrow""#), MessageError::Json(_)));
    let reply = |text: &str| Reply::from_payload(text.as_bytes()).expect_err(text);
    assert!(matches!(reply(r#"{"status":{"version":2}}"#), MessageError::Report(_)));
    let long = vec![b' '; session::MAX_PAYLOAD + 1];
    assert!(matches!(Reply::from_payload(&long), Err(MessageError::TooLong(_))));
}

#[test]
fn both_ends_talk_in_the_newest_version_that_both_know() {
    for (theirs, common) in
        [(1..=1, Some(1)), (1..=9, Some(3)), (2..=2, Some(2)), (3..=9, Some(3)), (4..=9, None), (0..=0, None)]
    {
        assert_eq!(common_version(theirs.clone()), common, "{theirs:?}");
    }
}
