//! The pages in git are those of the table, and what the table says of itself is true.

use fleet::table::{self, Kind, Setting};
use fleet::{Fleet, Index, reference_page, schema};
use serde_json::{Value, json};

const RENEW: &str = "run `cargo xtask reference`";

#[test]
fn the_reference_page_is_fresh() {
    assert_eq!(reference_page(), include_str!("../../../docs/settings.md"), "{RENEW}");
}

#[test]
fn the_schema_is_fresh() {
    assert_eq!(schema(), include_str!("../../../docs/settings.schema.json"), "{RENEW}");
}

fn read(lockstep: &Value) -> Fleet {
    let names = ["web1", "web2", "db1", "bastion"];
    let json = json!({ "names": names, "lockstep": lockstep }).to_string();
    Index::parse(json.as_bytes()).expect("a right description").into_fleet()
}

/// `lockstep` with one setting of one group set to a value.
fn with(group: &str, setting: &str, value: &Value) -> Value {
    let host = |settings: Value| {
        let tagged = json!({ "tags": ["site-b"] });
        json!({ "hosts": { "bastion": settings, "web2": tagged } })
    };
    match group {
        "fleet" => json!({ setting: value }),
        "host" => host(json!({ setting: value })),
        "activation" => host(json!({ "activation": { setting: value } })),
        "reboot" => host(json!({ "reboot": { setting: value } })),
        "check" => {
            let mut check = json!({ setting: value });
            if setting == "status" {
                check["http"] = json!("http://localhost");
            } else if !["http", "tcp", "command"].contains(&setting) {
                check["tcp"] = json!("localhost:1");
            }
            host(json!({ "checks": { "a": check } }))
        }
        _ => {
            let mut address = json!({ "host": "a.example.org" });
            address[setting] = value.clone();
            host(json!({ "addresses": [address] }))
        }
    }
}

const GROUPS: [(&str, &[Setting]); 6] = [
    ("fleet", table::FLEET),
    ("host", table::HOST),
    ("activation", table::ACTIVATION),
    ("reboot", table::REBOOT),
    ("check", table::CHECK),
    ("address", table::ADDRESS),
];

fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("a right description")
}

/// What a setting of the group means if its value is taken away from the one that is set here.
fn plain(group: &str, setting: &Setting) -> Fleet {
    match (group, setting.name) {
        ("check", "http" | "tcp" | "command") | ("address", "host") => {
            read(&with("host", "tags", &Value::Null))
        }
        _ => read(&with(group, setting.name, &Value::Null)),
    }
}

/// The fleet as it holds, without where it was written.
fn without_origins(mut fleet: Fleet) -> Fleet {
    for member in fleet.hosts.values_mut() {
        member.origins = fleet::Origins::default();
    }
    fleet
}

#[test]
fn every_example_is_read_and_means_something() {
    for (group, settings) in GROUPS {
        for setting in settings {
            let example = read(&with(group, setting.name, &parse(setting.example)));
            let plain = plain(group, setting);
            assert_ne!(without_origins(example), without_origins(plain), "{group}: {}", setting.name);
        }
    }
}

#[test]
fn every_default_is_what_holds_if_nobody_says_anything() {
    for (group, settings) in GROUPS {
        for setting in settings.iter().filter(|setting| setting.default != "null") {
            let said = read(&with(group, setting.name, &parse(setting.default)));
            let plain = plain(group, setting);
            assert_eq!(without_origins(said), without_origins(plain), "{group}: {}", setting.name);
        }
    }
}

#[test]
fn names_are_each_once_and_groups_are_known() {
    for (group, settings) in GROUPS {
        for (index, setting) in settings.iter().enumerate() {
            let others = settings.iter().skip(index + 1);
            assert!(others.clone().all(|other| other.name != setting.name), "{group}: {}", setting.name);
            let known = |peer: &&str| settings.iter().all(|other| other.name != *peer);
            assert!(setting.peers.iter().all(known), "{group}: {}", setting.name);
            if let Kind::Group(inner) | Kind::Named(_, inner) = setting.kind {
                assert!(GROUPS.iter().any(|(_, settings)| settings[0].name == inner[0].name));
            }
        }
    }
}
