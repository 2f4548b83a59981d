//! What a session answers beside activations: programs, status, history, and the host's store.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, PipeReader, Write, pipe},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use daemon::{Client, ContentMethod, Stream};
use lab::{Host, wait};
use report::{HostStatus, LoaderDefault};
use session::{Channel, Exec, Exit, MAX_DATA, Reply, Request, read_frame, write_frame};
use store::{hash::Algorithm, store_path::StoreDir};

use super::{Session, deploy, install};
use crate::{
    lab,
    systems::{self, SOON},
};

/// What a program wrote, and how it ended.
fn exec(session: &mut Session, words: &[&str], limit: Option<Duration>) -> Result<(String, String, Exit)> {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    session.send(&Request::Exec(Exec { words, limit }))?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    loop {
        let frame = read_frame(&mut session.output)?.context("the session ended")?;
        match frame.channel {
            Channel::Out => out.extend(frame.payload),
            Channel::Err => err.extend(frame.payload),
            _ => match Reply::from_payload(&frame.payload)? {
                Reply::Exited(exit) => {
                    return Ok((String::from_utf8(out)?, String::from_utf8(err)?, exit));
                }
                other => bail!("{other:?}"),
            },
        }
    }
}

fn status(host: &Host<'_>) -> Result<HostStatus> {
    match Session::start(host)?.ask(&Request::Status)? {
        Reply::Status(status) => Ok(*status),
        other => bail!("{other:?}"),
    }
}

#[test]
fn a_program_is_run_and_ends_with_its_session() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    install(&host)?;
    let mut session = Session::start(&host)?;
    let sh = |script| ["sh", "-c", script];
    let (out, err, exit) = exec(&mut session, &sh("echo to out; echo to err >&2; exit 7"), None)?;
    assert_eq!((out.as_str(), err.as_str(), exit), ("to out\n", "to err\n", Exit::Code(7)));
    assert_eq!(exec(&mut session, &sh("kill -USR1 $$"), None)?.2, Exit::Signal(10));
    let limit = Some(Duration::from_millis(300));
    assert_eq!(exec(&mut session, &["sleep", "1000"], limit)?.2, Exit::TimedOut);
    let (out, _, exit) = exec(&mut session, &["head", "-c", "3000000", "/dev/zero"], None)?;
    assert_eq!((out.len(), exit), (3_000_000, Exit::Code(0)));
    let words = Request::Exec(Exec { words: vec!["/no/such".to_owned()], limit: None });
    let refused = session.ask(&words)?;
    ensure!(matches!(&refused, Reply::Refused(cause) if cause.text.contains("/no/such")), "{refused:?}");

    let script = "sleep 1001 & sleep 1002".to_owned();
    let words = vec!["sh".to_owned(), "-c".to_owned(), script];
    session.send(&Request::Exec(Exec { words, limit: None }))?;
    let sleepers = || Ok::<_, anyhow::Error>(host.output(["pgrep", "-f", "sleep 100"])?.stdout_text());
    wait::until("the program", SOON, || {
        ensure!(sleepers()?.lines().count() >= 2);
        Ok(())
    })?;
    drop(session.input);
    wait::until("what it started to be gone", SOON, || {
        let left = sleepers()?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    })
}

#[test]
fn status_and_history_say_what_is() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    install(&host)?;
    let old = systems::current(&host)?;
    let [kernel] =
        systems::build(&host, [r#"lab.kernel.version = "6.99.1"; environment.etc.a.text = "a";"#])?;
    let before = status(&host)?;
    let path = |path: &order::SystemPath| path.in_store(&StoreDir::default());
    ensure!(before.failed.is_empty() && before.reboot.is_empty(), "{before:?}");
    ensure!(before.pending.is_none() && before.last.is_none(), "{before:?}");
    assert_eq!(before.running.as_ref().map(path), Some(old));
    host.output(["systemd-run", "--wait", "--unit=sad", "false"])?;
    deploy(&host, &kernel)?;
    let after = status(&host)?;
    assert_eq!(after.running.as_ref().map(path).as_deref(), Some(kernel.as_str()));
    assert_eq!(after.profile.as_ref().map(|profile| path(&profile.system)).as_deref(), Some(kernel.as_str()));
    ensure!(matches!(&after.default, LoaderDefault::System(system) if path(system) == kernel), "{after:?}");
    ensure!(after.reboot.iter().any(|reason| reason.contains("kernel")), "{:?}", after.reboot);
    let last = after.last.context("the last activation")?;
    assert_eq!(path(&last.system), kernel);

    let Reply::History { entries, generations } =
        Session::start(&host)?.ask(&Request::History { limit: 5 })?
    else {
        bail!("no history")
    };
    assert_eq!(entries, [last]);
    assert_eq!(generations.iter().map(|each| each.number).collect::<Vec<_>>(), [2, 1]);
    Ok(())
}

/// A store channel as a stream: what the daemon says comes out of the pipe, what is written goes into frames.
struct Frames<W>(Arc<Mutex<W>>);

impl<W: Write> Write for Frames<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stream = self.0.lock().map_err(|_| io::ErrorKind::Other)?;
        let count = bytes.len().min(MAX_DATA);
        write_frame(&mut *stream, Channel::Store, &bytes[..count]).map_err(io::Error::other)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Passes the daemon's bytes into a pipe until the store channel ends; returns how it ended.
fn unframe(mut output: PipeReader, mut answers: impl Write) -> Result<(PipeReader, Option<String>)> {
    loop {
        let frame = read_frame(&mut output)?.context("the session ended")?;
        match frame.channel {
            Channel::Store => answers.write_all(&frame.payload)?,
            _ => match Reply::from_payload(&frame.payload)? {
                Reply::StoreEnded { error } => return Ok((output, error)),
                other => bail!("{other:?}"),
            },
        }
    }
}

#[test]
fn the_store_of_a_host_is_spoken_to_through_its_session() -> Result<()> {
    const SIZE: usize = 50 << 20;
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    install(&host)?;
    let mut session = Session::start(&host)?;
    assert_eq!(session.ask(&Request::Store)?, Reply::StoreReady);
    let Session { input, output, child, .. } = session;
    let input = Arc::new(Mutex::new(input));
    let (answers, to_answers) = pipe()?;
    let passing = thread::spawn(move || unframe(output, to_answers));
    let stream =
        Stream::new(File::from(std::os::fd::OwnedFd::from(answers)), Frames(Arc::clone(&input)), || {});
    let mut client = Client::connect(stream, StoreDir::default())?;
    let content: Vec<u8> = (0..SIZE).map(|at| u8::try_from(at * at % 251).unwrap_or(0)).collect();
    let info = client.add_content(
        &"fifty".parse()?,
        ContentMethod::Flat(Algorithm::Sha256),
        &BTreeSet::new(),
        |sink| sink.write_all(&content),
    )?;
    let mut back = Vec::new();
    client.nar_from_path(&info.path, info.nar_size, &mut back)?;
    ensure!(
        back.windows(content.len()).next().is_some() && back.len() > SIZE,
        "{} bytes came back",
        back.len()
    );
    ensure!(client.is_valid_path(&info.path)?);
    drop(client);
    write_frame(&mut *input.lock().expect("the writer"), Channel::Control, &Request::StoreEnd.to_payload())?;
    let (mut output, error) = passing.join().expect("the reader")?;
    assert_eq!(error, None);
    // The session goes on, and the store can be opened again.
    write_frame(&mut *input.lock().expect("the writer"), Channel::Control, &Request::Store.to_payload())?;
    let again = read_frame(&mut output)?.context("the session ended")?;
    assert_eq!(Reply::from_payload(&again.payload)?, Reply::StoreReady);
    drop((input, output, child));
    Ok(())
}
