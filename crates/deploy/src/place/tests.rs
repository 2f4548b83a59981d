//! Tables of places.

use super::*;

fn ours() -> Place {
    Place::Ours("0bkfhz0v2jcyj2m7hwzdzmywav298dl2-lockstep-agent-0.1.0".parse().expect("a path"))
}

#[test]
fn places_are_tried_in_order() {
    let Place::Ours(path) = ours() else { panic!("ours") };
    let cases = [
        (true, Elevation::None, vec![ours(), Place::System]),
        (true, Elevation::Sudo, vec![Place::System, ours()]),
        (true, Elevation::Doas, vec![Place::System, ours()]),
        (false, Elevation::None, vec![Place::System]),
        (false, Elevation::Run0, vec![Place::System]),
    ];
    for (have, elevation, expected) in cases {
        assert_eq!(places(have.then(|| path.clone()), elevation), expected, "{elevation:?}");
    }
    assert!(ours().program().ends_with("-lockstep-agent-0.1.0/bin/lockstep-agent"));
}

#[test]
fn an_agent_is_added_unless_that_could_not_help() {
    use Miss::{Absent, Forbidden};
    let cases = [
        (vec![(ours(), Absent), (Place::System, Absent)], true),
        (vec![(Place::System, Forbidden), (ours(), Absent)], true),
        (vec![(ours(), Forbidden), (Place::System, Absent)], false),
        (vec![(Place::System, Forbidden), (ours(), Forbidden)], false),
        (vec![(Place::System, Absent)], true),
    ];
    for (misses, expected) in cases {
        assert_eq!(should_add(&misses), expected, "{misses:?}");
    }
}

#[test]
fn uname_names_a_system() {
    let cases = [
        ("Linux x86_64\n", Some("x86_64-linux")),
        ("Linux aarch64", Some("aarch64-linux")),
        ("Linux i586\n", Some("i686-linux")),
        ("Linux armv8l\n", Some("armv7l-linux")),
        ("Linux s390x\n", None),
        ("Darwin arm64\n", None),
        ("", None),
        ("Linux", None),
        ("Linux x86_64 extra", None),
    ];
    for (text, expected) in cases {
        assert_eq!(system_of_uname(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn this_machine_has_nix_s_name() {
    let cases = [
        ("x86_64", "x86_64-linux"),
        ("aarch64", "aarch64-linux"),
        ("x86", "i686-linux"),
        ("arm", "armv7l-linux"),
        ("riscv64", "riscv64-linux"),
    ];
    for (arch, expected) in cases {
        assert_eq!(system_of_arch(arch), expected);
    }
}
