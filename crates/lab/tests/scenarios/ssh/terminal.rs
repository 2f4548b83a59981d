//! An operator with a terminal: ssh may ask there, and only where it must.

use anyhow::Result;

use super::{Door, lab, script};

/// Runs its arguments with a terminal of their own, beside the streams that it was given. Types an answer when a
/// question comes, and writes what it was asked to `/root/asked`.
const TYPIST: &str = r#"
import os, pty, sys
answers = [(b"passphrase for key", b"open sesame\n"), (b"continue connecting", b"yes\n")]
streams = os.dup(0), os.dup(1)
child, terminal = pty.fork()
if child == 0:
    os.dup2(streams[0], 0), os.dup2(streams[1], 1)
    os.execv(sys.argv[1], sys.argv[1:])
shown = b""
while True:
    try:
        shown += os.read(terminal, 4096)
    except OSError:
        break
    for question, answer in answers:
        if question in shown:
            with open("/root/asked", "ab") as asked:
                asked.write(question + b"\n")
            shown = b""
            os.write(terminal, answer)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn ssh_asks_on_a_terminal_and_only_where_it_must() -> Result<()> {
    let lab = lab(["web1"])?;
    let operator = lab.host("operator");
    operator.write("/root/typist.py", TYPIST)?;
    operator.sh(
        "cp /root/.ssh/id_ed25519 /root/locked; ssh-keygen -q -p -P '' -N 'open sesame' -f /root/locked",
    )?;
    script(&operator, "echo-server", "echo GREETING $(id -u); exec cat")?;
    let on_terminal = |arguments: &[&str]| {
        let words = ["python3", "/root/typist.py", "/lab/bin/door"].iter().chain(arguments);
        Door::spawn(operator.command(words)?)
    };
    let asked = || operator.sh("touch /root/asked; cat /root/asked; rm /root/asked");
    let talk = [
        ("output none uname -n", "ok 0 web1"),
        ("open GREETING none /opt/echo-server", "ok"),
        ("read", "ok GREETING 0"),
        ("say hello", "ok hello"),
    ];

    let locked = ["-o", "IdentityFile=/root/locked", "-o", "IdentitiesOnly=yes", "root@web1"];
    let mut door = on_terminal(&locked)?;
    door.expect(&[("shared", "ok root@web1")])?;
    door.expect(&talk)?;
    door.end()?;
    assert_eq!(asked()?, "passphrase for key");
    Door::to(&operator, &locked)?.refuses(&[("shared", &["the login was denied"])])?;

    let strange = ["-o", "UserKnownHostsFile=/root/new", "-o", "HostKeyAlias=web1", "root@web1"];
    for question in ["continue connecting", ""] {
        let mut door = on_terminal(&strange)?;
        door.expect(&[("shared", "ok root@web1")])?;
        door.expect(&talk)?;
        door.end()?;
        assert_eq!(asked()?, question, "asked once, then known");
    }

    let mut here = on_terminal(&["local"])?;
    here.expect(&[("shared", "ok local"), ("open GREETING sudo /opt/echo-server", "ok")])?;
    here.expect(&[("read", "ok GREETING 0"), ("say hello", "ok hello"), ("close", "ok"), ("wait", "ok 0")])?;
    here.end()
}
