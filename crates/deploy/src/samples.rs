//! Values for the tests of this crate.

use order::{HostName, Mode, Nonce, Order, OrderId, Settings};

/// An order for this host.
pub(crate) fn order(host: &HostName) -> Order {
    Order {
        id: OrderId::from_random([1; 20]),
        nonce: Nonce::from_random([2; 32]),
        host: host.clone(),
        system: "0bkfhz0v2jcyj2m7hwzdzmywav298dl2-nixos-system-web".parse().expect("a path"),
        mode: Mode::Switch,
        after: None,
        agent: None,
        settings: Settings::default(),
    }
}
