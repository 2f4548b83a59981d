//! Connections: which address, whose settings, what a cut does, and that nothing stays.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::wait;

use super::{Door, lab, left_on};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn the_operators_configuration_holds_and_does_not_get_in_the_way() -> Result<()> {
    let lab = lab(["web1"])?;
    let (operator, host) = (lab.host("operator"), lab.host("web1"));
    let config = operator.run(["cat", "/root/.ssh/config"])?;
    let theirs = "ControlMaster auto\nControlPath /root/theirs-%C\nControlPersist 60\nRemoteCommand false\nRequestTTY force\n\
                  LogLevel QUIET\nLocalForward 7777 localhost:22\nForkAfterAuthentication yes\n";
    operator.write(
        "/root/.ssh/config",
        format!(
            "{config}\nHost alias\n  HostName {}\n  HostKeyAlias web1\n\nHost *\n{theirs}",
            host.address()
        ),
    )?;
    let proxy = format!(
        "ProxyCommand=ssh -F none -i /root/.ssh/id_ed25519 -o HostKeyAlias=web1 -W %h:%p {}",
        host.address()
    );
    let mut plain = Door::to(&operator, &["root@alias"])?;
    plain.expect(&[("shared", "ok root@alias"), ("output none uname -n", "ok 0 web1")])?;
    plain.expect(&[("fresh", "ok root@alias"), ("output none uname -n", "ok 0 web1")])?;
    let mut spaced = Door::to(&operator, &["-o", &proxy, "root@web1"])?;
    spaced.expect(&[("shared", "ok root@web1"), ("output none uname -n", "ok 0 web1")])?;
    assert!(!operator.sh("ls /root")?.contains("theirs"), "no socket of the operator's own settings");

    // With sshd stopped the standing connection goes on, and only a new login shows it.
    host.run(["systemctl", "stop", "sshd.service"])?;
    plain.expect(&[("shared", "ok root@alias"), ("output none uname -n", "ok 0 web1")])?;
    plain.refuses(&[(
        "fresh",
        &["root@alias: the connection was refused", "Connection refused", "sshd runs"],
    )])?;
    plain.end()?;
    spaced.end()?;
    wait::until("everything to be gone", SOON, || {
        let left = left_on(&operator)?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    })
}

#[test]
fn the_first_address_that_works_is_taken_and_all_others_are_told() -> Result<()> {
    let lab = lab(["web1"])?;
    let (operator, host) = (lab.host("operator"), lab.host("web1"));
    let dead = ["root@10.9.0.99", "web1:2222", "no-such-name.invalid"];
    let by_number = format!("root@{}", host.address());
    let alias = ["-o", "HostKeyAlias=web1"];
    let all = [&alias[..], &dead, &[&by_number]].concat();
    let mut door = Door::to(&operator, &all)?;
    door.expect(&[("shared", &format!("ok {by_number}"))])?;
    let v6 = format!("[{}]:22", host.address6());
    let mut six = Door::to(&operator, &[&alias[..], &[&v6]].concat())?;
    six.expect(&[("shared", &format!("ok {v6}")), ("output none uname -n", "ok 0 web1")])?;
    let texts: [&str; 3] =
        ["web1:2222: it does not answer", "no-such-name.invalid: the name is not known", "root@10.9.0.99: "];
    Door::to(&operator, &dead)?.refuses(&[("shared", &texts)])?;
    Door::to(&operator, &["nobody-here@web1"])?
        .refuses(&[("shared", &["nobody-here@web1: the login was denied", "authorized keys"])])?;
    Door::to(&operator, &["-o", "NoSuchOption=1", "root@web1"])?
        .refuses(&[("shared", &["ssh refuses its configuration or options"])])?;
    let unknown = ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "root@web1"];
    Door::to(&operator, &unknown)?.refuses(&[("shared", &["its host key is not known here"])])?;
    operator.sh(
        "ssh-keygen -q -t ed25519 -N '' -f /root/other && sed 's/^/web1 /' /root/other.pub > /root/wrong",
    )?;
    let changed = [&alias[..], &["-o", "UserKnownHostsFile=/root/wrong", "root@web1"]].concat();
    Door::to(&operator, &changed)?.refuses(&[("shared", &["its host key is not the one", "listening"])])
}

#[test]
fn a_cut_line_ends_what_runs_over_it() -> Result<()> {
    let lab = lab(["web1"])?;
    let (operator, host) = (lab.host("operator"), lab.host("web1"));
    let mut door = Door::to(&operator, &["root@web1"])?;
    door.expect(&[("shared", "ok root@web1"), ("open GREETING none /opt/echo-server", "ok")])?;
    door.expect(&[("read", "ok GREETING 0")])?;
    host.plug(false)?;
    // Nobody says anything: only ssh's own questions find out.
    door.expect(&[("read", "ok (end)")])?;
    door.refuses(&[("wait", &["lost the connection to root@web1", "not responding", "Lost"])])?;
    door.expect(&[("alive", "ok false")])?;
    host.plug(true)?;
    door.expect(&[("shared", "ok root@web1"), ("output none uname -n", "ok 0 web1")])?;
    // What writes and never listens is left as well.
    door.expect(&[("open hello none /opt/stays", "ok"), ("read", "ok hello"), ("hangup", "ok")])?;
    door.end()?;
    wait::until("the host to be left", SOON, || {
        let there = host.output(["pgrep", "-f", "/opt/stays"])?.stdout_text();
        ensure!(there.is_empty(), "{there}");
        Ok(())
    })
}

#[test]
fn an_operator_that_is_killed_leaves_no_process_and_no_socket_for_long() -> Result<()> {
    let lab = lab(["web1"])?;
    let operator = lab.host("operator");
    let mut door = Door::to(&operator, &["root@web1"])?;
    door.expect(&[("shared", "ok root@web1"), ("open GREETING none /opt/echo-server", "ok")])?;
    let dir = door.ask("dir")?.replace("ok ", "");
    assert_eq!(operator.run(["stat", "-c", "%a", &dir])?, "700");
    ensure!(
        !left_on(&operator)?.is_empty(),
        "a living master is not seen, so a left one would not be either"
    );
    operator.sh("pkill -KILL -x door")?;
    wait::until("every ssh to be gone", SOON, || {
        let left = operator.sh("pgrep -a -x ssh || true")?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    })?;
    // The directory with its dead socket goes with the next run.
    let mut next = Door::to(&operator, &["root@web1"])?;
    next.expect(&[("shared", "ok root@web1")])?;
    next.end()?;
    assert_eq!(left_on(&operator)?, "");
    Ok(())
}
