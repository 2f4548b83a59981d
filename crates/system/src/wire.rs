//! JSON that NixOS and iproute2 write, read into plain values.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{text::excerpt, tree::ReadError};

/// `switch-inhibitors` and `reboot-triggers`: an object of texts, or the older list of paths, one for each line.
pub(crate) fn inhibitors(path: &str, text: &str) -> Result<BTreeMap<String, String>, ReadError> {
    if text.trim_start().starts_with(['{', '[', '"']) {
        return serde_json::from_str(text).map_err(|source| ReadError::Json {
            path: excerpt(path),
            expected: "a JSON object of texts",
            source,
        });
    }
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| (line.to_owned(), String::new()))
        .collect())
}

/// One link of `ip -json addr`.
#[derive(Debug, Deserialize)]
pub(crate) struct WireLink {
    pub(crate) ifname: String,
    #[serde(default)]
    pub(crate) flags: Vec<String>,
    pub(crate) mtu: Option<u64>,
    pub(crate) master: Option<String>,
    pub(crate) link: Option<String>,
    #[serde(default)]
    pub(crate) addr_info: Vec<WireAddress>,
}

/// One address of a link.
#[derive(Debug, Deserialize)]
pub(crate) struct WireAddress {
    pub(crate) local: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) prefixlen: Option<u8>,
    #[serde(default)]
    pub(crate) temporary: bool,
    #[serde(default)]
    pub(crate) dadfailed: bool,
}

/// The links of `ip -json link` or `ip -json addr`. iproute2 writes `{}` for what a filter left out.
pub(crate) fn links(json: &[u8]) -> Result<Vec<WireLink>, serde_json::Error> {
    let rows: Vec<BTreeMap<String, Value>> = serde_json::from_slice(json)?;
    rows.into_iter()
        .filter(|row| !row.is_empty())
        .map(|row| serde_json::from_value(Value::Object(row.into_iter().collect())))
        .collect()
}

/// Rows of `ip -json route` or `ip -json rule`: every key with its value as text, lists and objects in one line.
pub(crate) fn rows(json: &[u8]) -> Result<Vec<BTreeMap<String, String>>, serde_json::Error> {
    let rows: Vec<BTreeMap<String, Value>> = serde_json::from_slice(json)?;
    Ok(rows
        .into_iter()
        .map(|row| row.into_iter().map(|(key, value)| (key, in_one_line(value))).collect())
        .collect())
}

fn in_one_line(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Array(items) => items.into_iter().map(in_one_line).collect::<Vec<_>>().join(","),
        Value::Object(items) => {
            let items: BTreeMap<String, Value> = items.into_iter().collect();
            items
                .into_iter()
                .map(|(key, value)| format!("{key} {}", in_one_line(value)))
                .collect::<Vec<_>>()
                .join(" ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
