//! The JSON schema of the attribute set `lockstep`, for editors and for checks before an evaluation.

use serde_json::{Map, Value, json};

use crate::table::{self, ADDRESS, CHECK, DURATION, HOST, Kind, Place, Setting};

/// A schema (draft 2020-12) of the attribute set `lockstep`, as pretty JSON with a line feed at its end.
///
/// It knows names and types. What holds between settings (durations that fit together, hosts that exist) is only known
/// to [`Index::parse`](crate::Index::parse).
#[must_use]
pub fn schema() -> String {
    let mut schema = group(table::FLEET, true);
    let definitions = json!({
        "address": group(ADDRESS, true),
        "check": check(),
        "defaults": group(HOST, false),
        "host": group(HOST, true),
    });
    if let Value::Object(members) = &mut schema {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("$defs".to_owned(), definitions);
        members.insert("title".to_owned(), json!("The attribute set `lockstep` of a fleet"));
    }
    format!("{schema:#}\n")
}

/// The schema of an attribute set with these settings.
fn group(table: &'static [Setting], is_host: bool) -> Value {
    let here = |setting: &&Setting| is_host || setting.place == Place::Anywhere;
    let properties = table.iter().filter(here).map(|setting| (setting.name.to_owned(), property(setting)));
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

/// Exactly one thing is tried.
fn check() -> Value {
    let mut check = group(CHECK, true);
    if let Value::Object(members) = &mut check {
        let one = ["http", "tcp", "command"].map(|name| json!({ "required": [name] }));
        members.insert("oneOf".to_owned(), json!(one));
        members.insert("dependentRequired".to_owned(), json!({ "status": ["http"] }));
    }
    check
}

/// The schema of one setting, with its description; `null` is taken everywhere.
fn property(setting: &Setting) -> Value {
    let value = match setting.name {
        "defaults" => json!({ "$ref": "#/$defs/defaults" }),
        _ => values(setting.kind),
    };
    let parse = |text| serde_json::from_str::<Value>(text).unwrap_or_default();
    json!({
        "description": setting.doc,
        "default": parse(setting.default),
        "examples": [parse(setting.example)],
        "anyOf": [value, { "type": "null" }],
    })
}

fn values(kind: Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Number(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Kind::Duration => json!({ "type": "string", "pattern": DURATION }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Text(_, pattern) => json!({ "type": "string", "pattern": pattern }),
        Kind::Texts(_, pattern) => list(&json!({ "type": "string", "pattern": pattern }), 0),
        Kind::Command => list(&json!({ "type": "string" }), 1),
        Kind::CommandOrUrl => {
            json!({ "oneOf": [values(Kind::Command), { "type": "string", "pattern": table::URL }] })
        }
        Kind::Addresses => {
            list(&json!({ "oneOf": [{ "type": "string" }, { "$ref": "#/$defs/address" }] }), 1)
        }
        Kind::Group(inner) => group(inner, true),
        Kind::Named(_, inner) => {
            let name = if inner[0].name == CHECK[0].name { "check" } else { "host" };
            let mut one = vec![json!({ "$ref": format!("#/$defs/{name}") })];
            one.extend((name == "check").then(|| json!({ "type": "null" })));
            json!({ "type": "object", "additionalProperties": { "anyOf": one } })
        }
    }
}

fn list(item: &Value, at_least: usize) -> Value {
    json!({ "type": "array", "items": item, "minItems": at_least })
}
