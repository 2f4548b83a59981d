//! What systemctl prints.

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

Id=new.service
LoadState=loaded
ActiveState=sleeping
SubState=deep
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
    new.service: sleeping (deep)
    podman-1.service: activating (auto-restart, exit-code)
    web.service: failed (failed, exit-code)
    ");
}

#[test]
fn what_is_no_list_is_refused() {
    let show = |text: &str| UnitStates::from_show(text.as_bytes()).expect_err("bad").to_string();
    assert_eq!(show("garbage"), "'garbage' is not a property of a unit");
    assert_eq!(show("ActiveState=failed"), "properties of a unit without Id");
    assert_eq!(show("Id=a\nNRestarts=-1"), "a: '-1' is not a number of restarts");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(UnitStates::from_show(&bytes));
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
