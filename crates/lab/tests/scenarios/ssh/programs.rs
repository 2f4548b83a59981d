//! Programs on a host: their streams, their ends, and what is not theirs.

use anyhow::Result;

use super::{Door, lab, script};

#[test]
fn a_program_on_a_host_is_two_streams_and_an_end() -> Result<()> {
    let lab = lab(["web1.example"])?;
    let operator = lab.host("operator");
    let mut door = Door::to(&operator, &["root@web1.example"])?;
    door.expect(&[
        ("shared", "ok root@web1.example"),
        ("output none uname -n", "ok 0 web1.example"),
        ("output none /opt/ends 3", "ok 3"),
        // 255 is also what ssh itself ends with, and what is left of a signal.
        ("output none /opt/ends 255", "ok 255"),
        ("output none /opt/killed", "ok 255"),
        ("output none cat", "ok 0"),
        ("open GREETING none /opt/echo-server", "ok"),
        ("read", "ok GREETING 0"),
        ("say to and fro", "ok to and fro"),
        ("close", "ok"),
        ("read", "ok (end)"),
        ("wait", "ok 0"),
        ("wait", "ok 0"),
        ("quiet none cat", "ok"),
        ("say first", "ok first"),
        ("hangup", "ok"),
        ("read", "ok (end)"),
        ("wait", "ok 137"),
        ("quiet none /opt/ends 0", "ok"),
        ("check", "ok"),
    ])?;
    door.refuses(&[
        ("output none /does/not/exist", &["has no program `/does/not/exist`", "PATH"]),
        ("open G none /does/not/exist session", &["web1.example has no program", "NotFound"]),
        ("open G none /etc/passwd", &["cannot execute `/etc/passwd`"]),
        ("open G none /opt/ends 7", &["`/opt/ends 7` on root@web1.example ended with 7"]),
        ("open G none true", &["ended with 0"]),
    ])?;
    door.ask("quiet none /opt/ends 4")?;
    door.refuses(&[("check", &["ended with 4"])])?;
    door.end()
}

#[test]
fn this_machine_is_a_host_without_ssh() -> Result<()> {
    let lab = lab([])?;
    let operator = lab.host("operator");
    script(&operator, "echo-server", "echo noise; echo GREETING $(id -u); exec cat")?;
    let mut door = Door::to(&operator, &["local"])?;
    door.expect(&[
        ("shared", "ok local"),
        ("output none uname -n", "ok 0 operator"),
        ("open GREETING sudo /opt/echo-server", "ok"),
        ("read", "ok GREETING 0"),
        ("say hello", "ok hello"),
        ("hangup", "ok"),
        ("read", "ok (end)"),
    ])?;
    door.refuses(&[
        ("output none /does/not/exist", &["local has no program `/does/not/exist`"]),
        ("output none /etc/passwd", &["local cannot execute `/etc/passwd`"]),
        ("open G sudo /does/not/exist", &["local has no program `/does/not/exist`"]),
        ("open G doas true", &["doas on local: it is not installed"]),
    ])?;
    door.end()
}
