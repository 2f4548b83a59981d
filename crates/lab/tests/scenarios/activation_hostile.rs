//! Other ends that are not Lockstep's: each is told so and changes nothing.

use std::io::{PipeReader, PipeWriter, Read, Write};

use anyhow::{Context, Result, ensure};
use lab::Host;
use order::Mode;
use report::Ending;
use run::{Child, Output};
use session::{Channel, Exec, Frame, MAGIC, MAX_PAYLOAD, Reply, Request, read_frame, write_frame};

use super::{
    agents::{self, AGENT, Going, confirm, promise, settings},
    lab,
    systems::{self, SOON},
};

fn raw(host: &Host<'_>) -> Result<(Child, PipeReader, PipeWriter)> {
    let mut child = host.command([AGENT, "session"])?.input_pipe().stdout(Output::Pipe).spawn()?;
    let (mut output, input) = child.take_streams().context("pipes")?;
    let mut magic = [0; MAGIC.len()];
    output.read_exact(&mut magic)?;
    read_frame(&mut output)?.context("hello")?;
    Ok((child, output, input))
}

fn frame(channel: Channel, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_frame(&mut bytes, channel, payload).expect("a frame");
    bytes
}

/// What the agent says to these bytes before it ends with 1.
fn verdict(host: &Host<'_>, bytes: &[u8], ends: bool) -> Result<String> {
    let (child, mut output, mut input) = raw(host)?;
    // An agent that has had enough does not read on.
    let _enough = input.write_all(bytes);
    if ends {
        drop(input);
    }
    let mut last = None;
    while let Some(Frame { payload, .. }) = read_frame(&mut output)? {
        last = Some(Reply::from_payload(&payload)?);
    }
    let ended = child.wait()?;
    match last {
        Some(Reply::Refused(cause)) if ended.code() == 1 => Ok(cause.text),
        other => anyhow::bail!("{other:?}, ended with {}", ended.code()),
    }
}

#[test]
fn a_hostile_operator_is_told_and_changes_nothing() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let begin = Request::Begin { version: session::VERSION, host: "web1".parse()? };
    let begin = frame(Channel::Control, &begin.to_payload());
    let after = |more: Vec<u8>| [begin.clone(), more].concat();
    let program = Request::Exec(Exec { words: vec!["sleep".to_owned(), "1234".to_owned()], limit: None });
    let program = frame(Channel::Control, &program.to_payload());
    let newer = Request::Begin { version: 999, host: "web1".parse()? };
    let huge = frame(Channel::Control, &vec![b'x'; MAX_PAYLOAD]);
    let nested = frame(Channel::Control, "[".repeat(500_000).as_bytes());
    let cases: Vec<(&str, Vec<u8>, bool, &str)> = vec![
        ("text", b"GET / HTTP/1.1\r\n\r\n".to_vec(), false, "the other end is not Lockstep's"),
        ("a length without end", vec![0xff; 5], false, "the other end is not Lockstep's"),
        ("no such channel", vec![0, 0, 0, 0, 99], false, "does not exist"),
        ("a cut message", vec![0, 0, 1, 0, 0, b'{'], true, "in the middle of a message"),
        ("the longest message", huge, false, ""),
        ("depth without end", after(nested), false, ""),
        (
            "no beginning",
            frame(Channel::Control, &Request::Status.to_payload()),
            false,
            "a request before the first",
        ),
        ("another version", frame(Channel::Control, &newer.to_payload()), false, "a version that this agent"),
        ("two beginnings", after(begin.clone()), false, "a second beginning"),
        ("store bytes too early", frame(Channel::Store, b"x"), false, "bytes before the first request"),
        (
            "store bytes without a store",
            after(frame(Channel::Store, b"x")),
            false,
            "a store that is not open",
        ),
        (
            "bytes of a program",
            after(frame(Channel::Out, b"x")),
            false,
            "a channel that the operator does not write",
        ),
        ("two programs", after([program.clone(), program].concat()), false, "a second program"),
        ("garbage for a request", after(frame(Channel::Control, b"{\"x\":1}")), false, ""),
    ];
    for (what, bytes, ends, expected) in cases {
        let said = verdict(&host, &bytes, ends).with_context(|| what.to_owned())?;
        ensure!(said.contains(expected), "{what}: {said}");
    }
    ensure!(
        host.output(["pgrep", "-f", "sleep 1234"])?.stdout_text().is_empty(),
        "a program outlived its session"
    );
    ensure!(!host.output(["test", "-e", "/nix/var/lockstep/journal.json"])?.status.success(), "a journal");
    promise(&host, &old)
}

/// Forty connections to the owner that say one byte and nothing more.
const LORIS: &str = "import socket, time
held = []
for _ in range(40):
    one = socket.socket(socket.AF_UNIX)
    one.connect('/run/lockstep/owner.socket')
    try: one.send(b'\\0')
    except OSError: pass
    held.append(one)
open('/run/loris', 'w').close()
time.sleep(1000)
";

#[test]
fn connections_that_say_nothing_do_not_keep_the_owner_from_a_confirmation() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new] = systems::build(&host, [r#"environment.etc."a".text = "a";"#])?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(SOON * 2))?;
    going.session.until_awaits()?;
    for (path, mode) in [
        ("/run/lockstep", "700"),
        ("/run/lockstep/owner.socket", "600"),
        ("/nix/var/lockstep", "700"),
        ("/nix/var/lockstep/journal.json", "600"),
        (&format!("/run/lockstep/{}.taken", going.order.id), "600"),
    ] {
        assert_eq!(host.run(["stat", "-c", "%a", path])?, mode, "{path}");
    }
    host.write("/root/loris.py", LORIS)?;
    host.run(["systemd-run", "--quiet", "--unit=loris", "python3", "/root/loris.py"])?;
    lab::wait::until("the connections", SOON, || host.run(["test", "-e", "/run/loris"]).map(drop))?;
    confirm(&host, &going.order)?;
    assert_eq!(going.session.until_ended()?, Ending::Confirmed { lasting: true });
    promise(&host, &new)?;
    let log = host.run(["cat", &format!("/nix/var/lockstep/logs/{}.log", going.order.id)])?;
    ensure!(!log.is_empty(), "the log of the activation is kept");
    Ok(())
}
