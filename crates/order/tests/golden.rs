//! Orders that were written once must be read for ever, and what is written is what was read.

use order::{Mode, Order, OrderError};

const ORDER_1: &[u8] = include_bytes!("golden/order-1.json");

#[test]
fn version_1_is_read_and_written_byte_for_byte() {
    let order = Order::from_json(ORDER_1).expect("golden");
    assert_eq!(order.mode, Mode::Switch);
    assert_eq!(order.settings.checks.len(), 3);
    assert_eq!(order.to_json(), ORDER_1.trim_ascii_end());
}

#[test]
fn what_is_not_an_order_is_refused_for_its_reason() {
    let text = std::str::from_utf8(ORDER_1).expect("text");
    let refused = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Order::from_json(text.replacen(from, to, 1).as_bytes()).expect_err(to)
    };
    assert!(matches!(refused(r#""version":1"#, r#""version":2"#), OrderError::Version(2)));
    assert!(matches!(refused("web1.example.org", "-web1"), OrderError::Name(_)));
    assert!(matches!(refused("0bkfhz0v2", "ebkfhz0v2"), OrderError::Path(_)));
    assert!(matches!(refused(r#""switch""#, r#""reebot""#), OrderError::Value(_)));
    assert!(matches!(refused(r#""mode""#, r#""mood""#), OrderError::Json(_)));
    assert!(matches!(refused(r#"["/run/current-system/sw/bin/true","a b"]"#, "[]"), OrderError::Value(_)));
    assert!(matches!(Order::from_json(&vec![b' '; order::MAX_ORDER + 1]), Err(OrderError::TooLong(_))));
    assert!(matches!(Order::from_json(b"{}"), Err(OrderError::Json(_))));
}
