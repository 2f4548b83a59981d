//! A description as people see it.

use std::sync::Arc;

use deploy::{Limits, Nix, NixOptions, Source};
use fleet::{Fleet, Index};

use super::{full, overview};
use crate::{context::Description, samples::host, terminal::Look};

const LOOK: Look = Look { color: false, width: None, is_terminal: false };

fn fleet() -> Fleet {
    let json = br#"{"names": ["web1", "web2", "router", "a b"], "lockstep": {
        "defaults": {"user": "deploy", "confirmTimeout": "3m"},
        "hosts": {
            "web1": {"tags": ["web", "eu"], "addresses": ["web1.example.org", "root@192.0.2.1:2222"]},
            "web2": {"tags": ["web"], "delivery": "pull"},
            "router": {"gatewayFor": ["@web"], "checks": {"ping": {"tcp": "localhost:22"}}}
        }
    }}"#;
    Index::parse(json).expect("a fleet").into_fleet()
}

#[test]
fn all_hosts_in_a_table() {
    let source = Source::Reference { reference: "github:me/fleet".to_owned(), base: "/".into() };
    let nix = Nix::new(source.clone(), NixOptions::default(), Limits::detect());
    let description = Description { evaluate: Arc::new(nix), fleet: fleet(), place: source.to_string() };
    insta::assert_snapshot!(overview(&description, LOOK).join("\n"));
}

#[test]
fn every_setting_of_one_host() {
    insta::assert_snapshot!(full(&fleet(), &[host("router")], LOOK).join("\n"));
}
