//! The stored form of an order that is kept: JSON, version 1. The golden file must parse for ever.

use std::path::Path;

use order::{MAX_ORDER, Order};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::StateError;

/// The version that is written.
pub(super) const VERSION: u32 = 1;
/// Longest file in bytes that is read.
pub(super) const MAX_ORDER_FILE: u64 = 1024 + MAX_ORDER as u64;

#[derive(Serialize, Deserialize)]
struct OrderFile<'a> {
    version: u32,
    #[serde(borrow)]
    order: &'a RawValue,
}

pub(super) fn order_file(order: &Order) -> Vec<u8> {
    let json = String::from_utf8(order.to_json()).expect("invariant: JSON is UTF-8");
    let order = serde_json::from_str(&json).expect("invariant: JSON");
    serde_json::to_vec(&OrderFile { version: VERSION, order }).expect("invariant: plain data")
}

pub(super) fn read_order(path: &Path, bytes: &[u8]) -> Result<Order, StateError> {
    let path = || path.to_owned();
    let file: OrderFile<'_> = serde_json::from_slice(bytes).map_err(|error| StateError::File {
        doing: "understand",
        path: path(),
        source: error.into(),
    })?;
    if file.version != VERSION {
        return Err(StateError::Version { path: path(), version: file.version });
    }
    Order::from_json(file.order.get().as_bytes()).map_err(|source| StateError::Order { path: path(), source })
}
