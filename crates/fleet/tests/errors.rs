//! What an operator reads when a description is wrong.

use fleet::Index;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The errors of `lockstep` in a fleet of four hosts; "none" if it is right.
fn errors_of(lockstep: &Value) -> String {
    let names = ["web1", "web2", "db1.example.org", "bastion"];
    let input = json!({ "names": names, "lockstep": lockstep }).to_string();
    match Index::parse(input.as_bytes()) {
        Ok(_) => "none".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

fn host(settings: &Value) -> Value {
    json!({ "hosts": { "web1": settings } })
}

/// Every case, what was written and below it what is said about it.
fn table(cases: &[Value]) -> String {
    cases.iter().map(|case| format!("{case}\n{}\n\n", errors_of(case))).collect()
}

#[test]
fn names_that_do_not_exist() {
    let shown = table(&[
        json!({ "paralel": 3 }),
        json!({ "nodes": {} }),
        json!({ "zebra": {} }),
        json!({ "hosts": { "wbe1": {} } }),
        json!({ "hosts": { "wholly different": {} } }),
        host(&json!({ "confirmTimout": "90s", "targetHost": "a", "buildOnTarget": true, "sshOpts": [] })),
        host(&json!({ "activation": { "ilde": "1m" } })),
        host(&json!({ "checks": { "a b": { "cmd": ["true"], "tcp": "a:1" } } })),
        host(&json!({ "addresses": [{ "hostname": "a" }] })),
        json!({ "defaults": { "addresses": ["a"], "gatewayFor": ["web1"] } }),
        json!({ "defaults": { "addresses": 3 } }),
        host(&json!({ "build": "web3" })),
        json!({ "defaults": { "build": "taget" } }),
        host(&json!({ "gatewayFor": ["web3", "@site"] })),
    ]);
    insta::assert_snapshot!(shown);
}

#[test]
fn values_of_a_wrong_type() {
    let shown = table(&[
        json!([]),
        json!("text"),
        json!({ "hosts": [], "defaults": 1, "parallel": 0, "onResult": "notify" }),
        json!({ "hosts": { "web1": "10.0.0.1" }, "onResult": [] }),
        host(&json!({ "addresses": "web1.example.org" })),
        host(&json!({ "addresses": [22, {}] })),
        host(&json!({ "addresses": [] })),
        host(&json!({ "user": 0, "port": "22", "sshOptions": "Port=22", "elevation": "su" })),
        host(&json!({ "tags": "web", "build": true, "substitute": "yes", "delivery": "poll" })),
        host(&json!({ "confirmTimeout": 90, "settle": 1.5, "activation": { "idle": true } })),
        host(&json!({ "checks": [], "protectedUnits": [1], "gatewayFor": "web2", "rollback": 1 })),
        host(&json!({ "checks": { "a": { "http": 80, "status": "ok", "from": "web1", "period": 1 } } })),
        host(&json!({ "checks": { "a": "http://localhost" } })),
        host(
            &json!({ "user": { "a": ["${x}\n", "a very long text that nobody would ever want to see whole"] } }),
        ),
    ]);
    insta::assert_snapshot!(shown);
}

#[test]
fn values_that_cannot_be() {
    let shown = table(&[
        host(&json!({ "port": 0 })),
        host(&json!({ "port": 65536 })),
        host(&json!({ "confirmTimeout": "5s" })),
        host(&json!({ "settle": "3m" })),
        json!({ "defaults": { "settle": "3m" } }),
        host(&json!({ "confirmTimeout": "0s" })),
        host(&json!({ "confirmTimeout": "1m30" })),
        host(&json!({ "confirmTimeout": "30s1m" })),
        host(&json!({ "activation": { "idle": "11m" } })),
        host(&json!({ "activation": { "idle": "2m", "total": "1m" } })),
        host(&json!({ "activation": { "total": "0s" } })),
        host(&json!({ "tags": ["a b", "@web", ""] })),
        host(&json!({ "user": "-oProxyCommand=x", "sshOptions": ["-p 22", "ControlMaster=auto", "x"] })),
        host(&json!({ "addresses": ["root@", "web1:0", "root@local", "2001:db8::1:2::3", "-x"] })),
        host(&json!({ "addresses": [{ "host": "local", "user": "root" }, { "host": "a", "port": 0 }] })),
        host(&json!({ "protectedUnits": ["sshd"] })),
        host(&json!({ "gatewayFor": ["[", "web1", ""] })),
    ]);
    insta::assert_snapshot!(shown);
}

#[test]
fn checks_that_cannot_be() {
    let shown = table(&[
        host(&json!({ "checks": { "a": {} } })),
        host(&json!({ "checks": { "a": { "http": "http://a", "tcp": "a:1" } } })),
        host(
            &json!({ "checks": { "a": { "http": "ftp://a" }, "b": { "tcp": "a" }, "c": { "command": [] } } }),
        ),
        host(&json!({ "checks": { "a": { "command": [""] }, "b": { "command": ["a\u{0}"] } } })),
        host(&json!({ "checks": { "a": { "tcp": "a:1", "status": 200, "period": "0s" } } })),
        host(&json!({ "checks": { "a": { "tcp": "a:1", "timeout": "2m" } } })),
        host(&json!({ "checks": { "": { "tcp": "a:1" } } })),
    ]);
    insta::assert_snapshot!(shown);
}

#[test]
fn hosts_that_do_not_fit_together() {
    let shown = table(&[
        json!({ "hosts": { "web2": { "addresses": ["a", "WEB1:22"] } } }),
        json!({ "hosts": { "bastion": { "addresses": ["a", "web2"] } } }),
        json!({ "hosts": { "web1": { "addresses": ["local"] }, "web2": { "addresses": ["local"] } } }),
        json!({ "hosts": { "web1": { "addresses": ["a", "a"] } } }),
        json!({ "hosts": { "web1": { "gatewayFor": ["web2"] }, "web2": { "gatewayFor": ["bastion"] },
            "bastion": { "gatewayFor": ["web1"] } } }),
    ]);
    insta::assert_snapshot!(shown);
}

#[test]
fn a_mistake_in_defaults_is_told_once() {
    let errors = errors_of(
        &json!({ "defaults": { "settle": "1h", "checks": { "a": { "tcp": "a:1", "timeout": "1h" } } } }),
    );
    assert_eq!(errors.lines().count(), 2, "{errors}");
}

#[test]
fn what_does_not_fit_into_an_order() {
    let many =
        |range: std::ops::Range<u32>| range.map(|number| format!("u{number}.service")).collect::<Vec<_>>();
    let errors = errors_of(&json!({
        "defaults": { "protectedUnits": many(0..900), "tags": vec!["a"; 1001] },
        "hosts": { "web1": {
            "protectedUnits": many(900..1800),
            "checks": { "a": { "command": ["x".repeat(70_000)] } },
        } },
    }));
    insta::assert_snapshot!(errors);
}

#[test]
fn what_is_not_the_json_of_an_evaluation() {
    let error = |input: &[u8]| Index::parse(input).map(|_| ()).expect_err("no index").to_string();
    for input in ["", "{", "[]", "{}", r#"{"names":3}"#, r#"{"names":[1]}"#, &"[".repeat(100_000)] {
        let error = error(input.as_bytes());
        assert!(error.contains("did not give the expected JSON"), "{error}");
    }
    assert!(error(&vec![b' '; fleet::MAX_INDEX + 1]).contains("more than any description"));
    let names: Vec<String> = (0..=fleet::MAX_HOSTS).map(|number| format!("h{number}")).collect();
    assert!(error(json!({ "names": names }).to_string().as_bytes()).contains("found 100001 hosts"));
}

/// JSON made of names and values that mean something, and of others.
fn any_json() -> impl Strategy<Value = Value> {
    let names = "addresses|hosts|web1|web2|defaults|checks|tags|port|user|http|tcp|command|gatewayFor|settle|activation|total|build|[a-z]{0,3}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "web1|web2|here|local|@a|1m|0s|host|a@b:1|.{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(lockstep in any_json(), host in any_json(), defaults in any_json()) {
        errors_of(&lockstep);
        errors_of(&json!({ "hosts": { "web1": host }, "defaults": defaults }));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Index::parse(&bytes).is_err());
    }
}
