//! What a description means: defaults, what goes before what, and where each value was written.

use std::collections::BTreeSet;
use std::time::Duration;

use fleet::{
    BuildOn, Delivery, Elevation, Fleet, Index, Member, OnResult, Origin, Substitute, order_waves, show,
};
use order::{HostName, Limits, OnFailure};
use serde_json::{Value, json};

fn read(names: &[&str], lockstep: &Value) -> Fleet {
    let json = json!({ "names": names, "lockstep": lockstep }).to_string();
    Index::parse(json.as_bytes()).expect("a right description").into_fleet()
}

fn name(text: &str) -> HostName {
    text.parse().expect("a host name")
}

fn member<'a>(fleet: &'a Fleet, host: &str) -> &'a Member {
    fleet.hosts.get(&name(host)).expect("a host of the fleet")
}

fn addresses(member: &Member) -> Vec<String> {
    member.reach.addresses.iter().map(ToString::to_string).collect()
}

#[test]
fn a_plain_flake_works() {
    for input in [r#"{"names":["web1.example.org"]}"#, r#"{"names":["web1.example.org"],"lockstep":null}"#] {
        let fleet = Index::parse(input.as_bytes()).expect("a fleet").into_fleet();
        let member = member(&fleet, "web1.example.org");
        assert_eq!(addresses(member), ["web1.example.org"]);
        assert_eq!(member.settings, order::Settings::default());
        assert_eq!(member.reach.elevation, Elevation::Sudo);
        assert_eq!((&member.build, member.substitute), (&BuildOn::Here, Substitute::OnTarget));
        assert_eq!(member.delivery, Delivery::Push);
        assert!(member.operator_checks.is_empty() && member.gateway_for.is_empty());
    }
    assert!(
        Index::parse(br#"{"names":[]}"#).expect("no hosts are a fleet too").into_fleet().hosts.is_empty()
    );
}

#[test]
fn names_that_cannot_be_hosts_are_left_out() {
    let fleet = read(&["web1", "user@laptop", "-x"], &Value::Null);
    assert_eq!(fleet.hosts.len(), 1);
    let left_out: Vec<_> = fleet.left_out.iter().map(|left_out| left_out.name.as_str()).collect();
    assert_eq!(left_out, ["-x", "user@laptop"]);
}

#[test]
fn a_host_goes_before_defaults_and_null_before_both() {
    let defaults = json!({
        "user": "deploy", "port": 2222, "tags": ["all"], "sshOptions": ["Port=1"], "elevation": "doas",
        "confirmTimeout": "5m", "activation": { "total": "1m" }, "protectedUnits": ["a.service"],
        "checks": { "a": { "tcp": "a:1" }, "b": { "tcp": "b:1" } },
    });
    let web1 = json!({
        "user": "root", "port": null, "tags": ["web"], "sshOptions": ["Port=2"], "elevation": null,
        "activation": { "idle": "10s" }, "protectedUnits": ["b.service", "a.service"],
        "checks": { "a": null, "c": { "command": ["true"], "from": "operator" } },
    });
    let fleet = read(&["web1", "web2"], &json!({ "defaults": defaults, "hosts": { "web1": web1 } }));
    let (web1, web2) = (member(&fleet, "web1"), member(&fleet, "web2"));
    assert_eq!(
        (addresses(web1), addresses(web2)),
        (vec!["root@web1".into()], vec!["deploy@web2:2222".into()])
    );
    assert_eq!(web1.tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["all", "web"]);
    assert_eq!(
        web1.reach.ssh_options.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["Port=2", "Port=1"]
    );
    assert_eq!((web1.reach.elevation, web2.reach.elevation), (Elevation::Sudo, Elevation::Doas));
    let minute = Duration::from_secs(60);
    let limits = Limits { total: minute, idle: minute, confirm: 5 * minute, ..Limits::default() };
    assert_eq!(web2.settings.limits, limits);
    assert_eq!(web1.settings.limits, Limits { idle: Duration::from_secs(10), ..limits });
    let protected: Vec<_> = web1.settings.protected.iter().map(ToString::to_string).collect();
    assert_eq!(protected, ["b.service", "a.service"]);
    let checks =
        |member: &Member| member.settings.checks.iter().map(|check| check.name.clone()).collect::<Vec<_>>();
    assert_eq!((checks(web1), checks(web2)), (vec!["b".to_owned()], vec!["a".into(), "b".into()]));
    assert_eq!(web1.operator_checks[0].name, "c");
}

#[test]
fn every_value_knows_where_it_was_written() {
    let lockstep = json!({
        "defaults": { "user": "deploy", "tags": ["all"], "settle": "1s", "checks": { "a.b": { "tcp": "a:1" } } },
        "hosts": { "web.1": { "tags": ["web"], "activation": { "idle": "1m" }, "settle": "2s" } },
    });
    let fleet = read(&["web.1"], &lockstep);
    let origins = &member(&fleet, "web.1").origins;
    for (setting, origin, paths) in [
        ("user", Origin::Defaults, "lockstep.defaults.user"),
        ("tags", Origin::Both, "lockstep.hosts.\"web.1\".tags lockstep.defaults.tags"),
        ("settle", Origin::Host, "lockstep.hosts.\"web.1\".settle"),
        ("activation.idle", Origin::Host, "lockstep.hosts.\"web.1\".activation.idle"),
        ("checks.a.b", Origin::Defaults, "lockstep.defaults.checks.\"a.b\""),
        ("port", Origin::Default, ""),
    ] {
        assert_eq!(origins.of(setting), origin, "{setting}");
        let found = origin.paths(&name("web.1"), setting);
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), paths);
    }
}

#[test]
fn what_is_shown_is_what_holds() {
    let lockstep = json!({
        "defaults": { "checks": { "web": { "http": "http://localhost", "status": 204 } } },
        "hosts": { "web1": {
            "addresses": ["local", { "host": "2001:db8::1", "user": "root", "port": 22 }],
            "build": "web2", "substitute": false, "rollback": false, "delivery": "pull",
            "sshOptions": ["ProxyCommand=a \"${b}\""], "gatewayFor": ["web*"],
            "checks": { "login": { "command": ["echo", "a b"], "from": "operator" } },
        } },
    });
    let fleet = read(&["web1", "web2"], &lockstep);
    let lines = show(member(&fleet, "web1")).into_iter();
    let lines: String =
        lines.map(|shown| format!("{} = {}; # {:?}\n", shown.setting, shown.value, shown.origin)).collect();
    insta::assert_snapshot!(lines);
    assert_eq!(member(&fleet, "web1").settings.on_failure, OnFailure::Keep);
}

#[test]
fn the_run_has_settings_too() {
    let run = |lockstep| read(&[], &lockstep).run;
    assert_eq!(run(json!({ "parallel": 5 })).parallel.map(u32::from), Some(5));
    let command = run(json!({ "onResult": ["notify", "a b"] })).on_result;
    assert!(
        matches!(command, Some(OnResult::Command(argv)) if argv.program() == "notify" && argv.arguments() == ["a b"])
    );
    let url = run(json!({ "onResult": "https://example.org/x" })).on_result;
    assert!(matches!(url, Some(OnResult::Webhook(url)) if url.as_str() == "https://example.org/x"));
}

#[test]
fn a_builder_that_is_the_host_itself_is_the_target() {
    let fleet = read(&["web1", "web2"], &json!({ "defaults": { "build": "web1" } }));
    assert_eq!(member(&fleet, "web1").build, BuildOn::Target);
    assert_eq!(member(&fleet, "web2").build, BuildOn::Host(name("web1")));
}

#[test]
fn one_private_address_behind_two_jump_hosts_is_two_machines() {
    let behind = |jump| json!({ "addresses": ["10.0.0.2"], "sshOptions": [format!("ProxyJump={jump}")] });
    read(&["a", "b"], &json!({ "hosts": { "a": behind("x"), "b": behind("y") } }));
    read(&["a", "b"], &json!({ "hosts": { "a": { "addresses": ["x:1"] }, "b": { "addresses": ["x:2"] } } }));
}

#[test]
fn gateways_come_after_those_behind_them_alone() {
    let lockstep = json!({ "hosts": {
        "a-jump": { "gatewayFor": ["m-router"] },
        "m-router": { "gatewayFor": ["@site & !db1"], "tags": ["site"] },
        "z-other": { "gatewayFor": ["web2"] },
        "web1": { "tags": ["site"] }, "db1": { "tags": ["site"] },
    } });
    let fleet = read(&["a-jump", "db1", "m-router", "web1", "web2", "z-other"], &lockstep);
    let waves = |selected: &[&str]| {
        let selected: BTreeSet<_> = selected.iter().map(|host| name(host)).collect();
        let waves = order_waves(&fleet, &selected);
        waves
            .iter()
            .map(|wave| wave.iter().map(HostName::as_str).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    let all = ["a-jump", "db1", "m-router", "web1", "web2", "z-other"];
    assert_eq!(waves(&all), ["db1 web1 web2", "m-router", "a-jump", "z-other"]);
    assert_eq!(waves(&["a-jump", "web1"]), ["web1", "a-jump"]);
    assert_eq!(waves(&["a-jump"]), ["a-jump"]);
    assert_eq!(waves(&["nobody"]), [""; 0]);
    let behind: Vec<_> = member(&fleet, "m-router").gateway_for.iter().map(HostName::as_str).collect();
    assert_eq!(behind, ["web1"]);
}

#[test]
fn many_mistakes_in_a_large_fleet_are_told() {
    let names: Vec<String> = (0..20_000).map(|number| format!("h{number}")).collect();
    let hosts: Value = (0..20_000).map(|number| (format!("x{number}"), json!({}))).collect();
    let lockstep = json!({ "defaults": { "build": "h99999" }, "hosts": hosts });
    let input = json!({ "names": names, "lockstep": lockstep }).to_string();
    let errors = Index::parse(input.as_bytes()).expect_err("mistakes");
    assert_eq!(errors.iter().len(), 20_001);
}

#[test]
fn a_large_fleet_is_read() {
    let names: Vec<String> = (0..20_000).map(|number| format!("h{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lockstep = json!({ "defaults": { "tags": ["a"] }, "hosts": { "h0": { "gatewayFor": ["!h0"] } } });
    let fleet = read(&names, &lockstep);
    let waves = order_waves(&fleet, &fleet.hosts.keys().cloned().collect());
    assert_eq!(waves.iter().map(Vec::len).collect::<Vec<_>>(), [19_999, 1]);
}
