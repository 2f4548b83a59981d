//! What systemctl prints, and every way from one moment to the next.

use proptest::prelude::*;

use super::*;

const SHOW: &str = "\
Id=web.service
LoadState=loaded
ActiveState=failed
SubState=failed
Result=exit-code
FragmentPath=/etc/systemd/system/web.service
NRestarts=3

Id=podman-1.service
LoadState=loaded
ActiveState=activating
SubState=auto-restart
Result=exit-code
FragmentPath=/run/systemd/transient/podman-1.service
NRestarts=12

Id=-.mount
LoadState=loaded
ActiveState=active
SubState=mounted
Result=success
FragmentPath=
";

#[test]
fn properties_are_read() {
    let units = UnitStates::from_show(SHOW.as_bytes()).expect("units");
    assert_eq!(units.failed().collect::<Vec<_>>(), ["podman-1.service", "web.service"]);
    let podman = &units.0["podman-1.service"];
    assert!(podman.transient && podman.is_crashing() && podman.restarts == Some(12));
    let lines: Vec<String> = units.0.iter().map(|(name, state)| format!("{name}: {state}")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    -.mount: active (mounted)
    podman-1.service: activating (auto-restart, exit-code)
    web.service: failed (failed, exit-code)
    ");
}

#[test]
fn lists_are_read() {
    let json =
        br#"[{"unit":"web.service","load":"loaded","active":"failed","sub":"failed","description":"x"},
        {"unit":"new.service","load":"loaded","active":"sleeping","sub":"deep","description":""}]"#;
    let units = UnitStates::from_list(json).expect("units");
    assert_eq!(units.failed().collect::<Vec<_>>(), ["web.service"]);
    assert_eq!(units.0["new.service"].active, ActiveState::Other("sleeping".to_owned()));
    assert!(UnitStates::from_list(b"[]").expect("none").0.is_empty());
}

#[test]
fn what_is_no_list_is_refused() {
    let show = |text: &str| UnitStates::from_show(text.as_bytes()).expect_err("bad").to_string();
    assert_eq!(show("garbage"), "'garbage' is not a property of a unit");
    assert_eq!(show("ActiveState=failed"), "properties of a unit without Id");
    assert_eq!(show("Id=a\nNRestarts=-1"), "a: '-1' is not a number of restarts");
    for json in ["", "{}", "[1]", "[{\"unit\":\"a\"}]"] {
        assert!(matches!(UnitStates::from_list(json.as_bytes()), Err(UnitsError::Json(_))), "{json}");
    }
}

fn units(states: &[(&str, &str)]) -> UnitStates {
    let blocks = states.iter().map(|(name, rest)| {
        let mut words = rest.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (active, sub, restarts, place) = (word(), word(), word(), word());
        format!(
            "Id={name}\nActiveState={active}\nSubState={sub}\nNRestarts={restarts}\nFragmentPath={place}\n"
        )
    });
    UnitStates::from_show(blocks.collect::<Vec<_>>().join("\n").as_bytes()).expect("units")
}

#[test]
fn changes_are_told_apart() {
    let before = units(&[
        ("always.service", "failed failed"),
        ("back.service", "failed failed"),
        ("gone.service", "failed failed"),
        ("reset.service", "failed failed"),
        ("fine.service", "active running 2"),
        ("loops.service", "active running 1"),
        ("breaks.service", "active running"),
    ]);
    let after = units(&[
        ("always.service", "activating auto-restart 4"),
        ("back.service", "active running"),
        ("reset.service", "inactive dead"),
        ("fine.service", "active running 0"),
        ("loops.service", "active running 2"),
        ("breaks.service", "failed failed"),
        ("new.service", "failed failed 0 /etc/systemd/system/new.service"),
        ("run-1.service", "failed failed 0 /run/systemd/transient/run-1.service"),
    ]);
    insta::assert_snapshot!(compare(&before, &after), @"newly failed: breaks.service, new.service; failed, made at run time: run-1.service; started again and again: loops.service; failed as before: always.service; recovered: back.service; no longer failed: gone.service, reset.service");
    assert_eq!(compare(&before, &before).still_failed.len(), 4);
    assert_eq!(compare(&after, &after).newly_failed, Vec::<String>::new());
    assert_eq!(UnitChanges::default().to_string(), "no unit failed or recovered");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(UnitStates::from_show(&bytes));
        drop(UnitStates::from_list(&bytes));
    }

    #[test]
    fn the_order_of_blocks_does_not_count(seed in any::<prop::sample::Index>()) {
        let mut blocks: Vec<&str> = SHOW.split("\n\n").collect();
        let middle = seed.index(blocks.len());
        blocks.rotate_left(middle);
        prop_assert_eq!(
            UnitStates::from_show(blocks.join("\n\n").as_bytes()).expect("units"),
            UnitStates::from_show(SHOW.as_bytes()).expect("units")
        );
    }
}
