//! Values as Nix writes them.

use serde_json::Value;

use crate::path::{quote, write_attribute};

/// Longest value in characters that an error shows.
const MAX_SHOWN: usize = 60;

/// A JSON text as Nix writes the same value; nothing if it is no JSON.
pub(crate) fn json_to_nix(json: &str) -> String {
    serde_json::from_str(json).map_or_else(|_| String::new(), |value: Value| to_nix(&value))
}

/// The value on one line, shortened.
pub(super) fn shorten(value: &Value) -> String {
    let text = to_nix(value);
    match text.char_indices().nth(MAX_SHOWN) {
        None => text,
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
    }
}

fn to_nix(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => quote(text),
        Value::Array(list) => {
            let elements: String = list.iter().map(|element| format!("{} ", to_nix(element))).collect();
            format!("[ {elements}]")
        }
        Value::Object(values) => {
            let attribute =
                |(name, value): (&String, _)| format!("{} = {}; ", write_attribute(name), to_nix(value));
            format!("{{ {}}}", values.iter().map(attribute).collect::<String>())
        }
    }
}
