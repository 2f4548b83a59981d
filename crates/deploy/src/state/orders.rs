//! The last order that each host was given from here, with its nonce: what confirms it by hand.

use order::{HostName, Order};

use super::{State, StateError, files, wire};

impl State {
    /// Keeps an order, readable by the operator only.
    pub(crate) fn keep_order(&self, order: &Order) -> Result<(), StateError> {
        let (_lock, directory) = self.lock_host(&order.host)?;
        files::replace(&directory.join("order.json"), &wire::order_file(order))
    }

    /// The last order for a host from here, if there was one.
    pub(crate) fn order(&self, host: &HostName) -> Result<Option<Order>, StateError> {
        let path = self.directory.join("hosts").join(host.as_str()).join("order.json");
        let bytes = files::read_end(&path, wire::MAX_ORDER_FILE)?;
        bytes.map(|bytes| wire::read_order(&path, &bytes)).transpose()
    }
}
