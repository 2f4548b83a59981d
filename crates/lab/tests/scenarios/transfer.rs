//! Closures on their way from one host's daemon to another's, of both images, and what stops them.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use daemon::{AddPolicy, Client, Stream};
use lab::{Host, Suite};
use run::Output;
use store::closure::Closure;
use store::hash::Sha256;
use store::nar::{Encoder, Event};
use store::path_info::PathInfo;
use store::store_path::{HashPart, StoreDir, StorePath};
use transfer::{Error, Need, Progress, Pulse, Refusal, Request, Sent, Side, need, send};

use super::builder;

/// How long one command may take, most of which is the machine's other work.
const LIMIT: Duration = Duration::from_secs(200);
/// The daemon of one connection.
const DAEMON: &[&str] = &["nix-daemon", "--stdio"];
/// The same without rights to the store: it only passes on to the daemon behind the socket.
const UNTRUSTED: &[&str] = &["setpriv", "--reuid=nobody", "--clear-groups", "nix-daemon", "--stdio"];
/// How many paths go over, and bytes of the file in each.
const PATHS: usize = 200;
const SIZE: usize = 100_000;

/// A test for each promise and image.
macro_rules! transfers {
    ($($name:ident,)*) => {
        mod trixie {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                super::on_pair(lab::Suite::Trixie, super::$name)
            })*
        }
        mod sid {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                super::on_pair(lab::Suite::Sid, super::$name)
            })*
        }
    };
}

transfers! {
    what_is_missing_goes_over_and_nothing_twice,
    who_is_not_trusted_is_told_both_remedies,
    a_full_disk_is_said_to_be_full,
    what_was_cut_goes_on_where_it_stopped,
    who_stops_is_noticed,
    what_is_damaged_here_is_not_taken_there,
}

/// Two hosts, and a closure that only the first has.
struct Pair<'lab> {
    here: Host<'lab>,
    there: Host<'lab>,
    closure: Closure,
}

fn on_pair(suite: Suite, check: fn(&Pair<'_>) -> Result<()>) -> Result<()> {
    let lab = builder().suite(suite).hosts(["here", "there"]).start()?;
    let (here, there) = (lab.host("here"), lab.host("there"));
    let mut client = connect(here, DAEMON)?;
    let root = fill(&mut client)?;
    let closure = eval::closure(&mut client, &root)?;
    assert_eq!(closure.len(), PATHS);
    check(&Pair { here, there, closure })
}

pub(super) fn connect(host: Host<'_>, words: &[&str]) -> Result<Client> {
    let mut child = host.command(words)?.timeout(LIMIT).input_pipe().stdout(Output::Pipe).spawn()?;
    let (output, input) = child.take_streams().context("both were asked for")?;
    let child = Mutex::new(child);
    let hang_up = move || child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    Ok(Client::connect(Stream::new(output, input, hang_up), StoreDir::default())?)
}

/// Adds files that refer to one another; the last leads to all of them.
fn fill(client: &mut Client) -> Result<StorePath> {
    let mut paths = Vec::new();
    let mut nars = Vec::new();
    for number in 0..PATHS {
        let contents = Sha256::of(number.to_string().as_bytes()).0.repeat(SIZE / 32);
        let mut hash_part = [7; HashPart::LEN];
        hash_part[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let path = StorePath::new(HashPart(hash_part), format!("transfer-{number}").parse()?);
        let nar = nar(&contents)?;
        let mut info = PathInfo::new(path, Sha256::of(&nar), nar.len() as u64);
        let before: &[PathInfo] = &paths;
        info.references.extend(
            [number.wrapping_sub(1), number / 2].iter().filter_map(|at| Some(before.get(*at)?.path.clone())),
        );
        info.references.insert(info.path.clone());
        paths.push(info);
        nars.push(nar);
    }
    let policy = AddPolicy { repair: false, check_signatures: false };
    let mut next = nars.iter();
    client.add_paths(&paths, policy, |_, sink| {
        let nar = next.next().map_or(&[][..], Vec::as_slice);
        // What cannot be sent is reported by the client itself.
        let _refused = sink.write_all(nar);
        Ok::<(), Infallible>(())
    })?;
    Ok(paths.last().context("there are some")?.path.clone())
}

fn nar(contents: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = Encoder::new(Vec::new());
    let size = contents.len() as u64;
    encoder.write(Event::File { name: b"", executable: false, size })?;
    encoder.write(Event::Contents(contents))?;
    encoder.write(Event::EndFile)?;
    Ok(encoder.finish()?)
}

impl Pair<'_> {
    /// Sends the closure over new connections, with `on_half` once half of it has gone.
    fn send(&self, limit: Option<Duration>, mut on_half: impl FnMut()) -> Result<Result<Sent, Error>> {
        let (mut local, mut remote) = (connect(self.here, DAEMON)?, connect(self.there, DAEMON)?);
        let request = Request { closure: &self.closure, substitute: true, pulse: &Pulse::new(limit) };
        let mut half = Some(self.closure.nar_size() / 2);
        Ok(send(&request, &mut local, &mut remote, &mut |progress| {
            if let Progress::Sending { bytes, .. } = progress
                && half.is_some_and(|half| bytes > half)
            {
                half = None;
                on_half();
            }
        }))
    }

    /// Sends the rest after something was mended: less than the whole, and then all is there and right.
    fn send_the_rest(&self) -> Result<()> {
        let sent = self.send(None, || ())??;
        ensure!((1..PATHS).contains(&sent.paths), "{sent:?}");
        self.check_all()
    }

    /// Nothing is missing or wrong on the target.
    fn check_all(&self) -> Result<()> {
        let there = self.there.run(["nix-store", "--query", "--requisites", &self.root()])?;
        assert_eq!(there.lines().count(), PATHS);
        self.there.sh(
            "nix-store --verify --check-contents 2>&1 | (! grep -E 'transfer.*(modified|disappeared)')",
        )?;
        Ok(())
    }

    fn root(&self) -> String {
        let root = self.closure.iter().last().map(|info| full(&info.path));
        root.unwrap_or_default()
    }

    /// The middle of the closure, a path with others before and behind it.
    fn middle(&self) -> &PathInfo {
        self.closure.iter().nth(PATHS / 2).expect("invariant: there are so many")
    }
}

fn full(path: &StorePath) -> String {
    StoreDir::default().display(path).to_string()
}

fn what_is_missing_goes_over_and_nothing_twice(pair: &Pair<'_>) -> Result<()> {
    let (mut local, mut remote) = (connect(pair.here, DAEMON)?, connect(pair.there, DAEMON)?);
    let pulse = Pulse::new(Some(LIMIT));
    let some = eval::closure(&mut local, &pair.middle().path)?;
    let first = Request { closure: &some, substitute: false, pulse: &pulse };
    let sent = send(&first, &mut local, &mut remote, &mut |_| ())?;
    assert_eq!(sent, Sent { paths: some.len(), nar_bytes: some.nar_size(), substituted: 0 });

    let valid: BTreeSet<_> = some.iter().map(|info| info.path.clone()).collect();
    let rest = need(&pair.closure, &valid);
    let rest_bytes = pair.closure.nar_size() - some.nar_size();
    assert_eq!(rest, Need { paths: PATHS - some.len(), nar_bytes: rest_bytes });
    let whole = Request { closure: &pair.closure, substitute: true, ..first };
    let (mut needed, mut last, mut finishing) = (None, (0, 0), false);
    let sent = send(&whole, &mut local, &mut remote, &mut |progress| match progress {
        Progress::Asking { paths } => assert_eq!(paths, PATHS),
        Progress::Needs(need) => needed = Some(need),
        Progress::Sending { path, paths, bytes } => {
            assert!((paths, bytes) > last && !valid.contains(path) && !finishing);
            last = (paths, bytes);
        }
        Progress::Finishing => finishing = true,
        _ => {}
    })?;
    assert_eq!((needed, finishing), (Some(rest), true));
    assert_eq!(sent, Sent { paths: rest.paths, nar_bytes: rest_bytes, substituted: 0 });
    assert_eq!(last, (rest.paths - 1, rest_bytes));
    pair.check_all()?;

    let nothing = send(&whole, &mut local, &mut remote, &mut |_| ())?;
    assert_eq!(nothing, Sent::default());
    ensure!(local.is_usable() && remote.is_usable(), "one connection for all of it");
    Ok(())
}

fn who_is_not_trusted_is_told_both_remedies(pair: &Pair<'_>) -> Result<()> {
    let (mut local, mut remote) = (connect(pair.here, DAEMON)?, connect(pair.there, UNTRUSTED)?);
    let request = Request { closure: &pair.closure, substitute: false, pulse: &Pulse::new(Some(LIMIT)) };
    let error = send(&request, &mut local, &mut remote, &mut |_| ()).expect_err("nothing is signed");
    ensure!(matches!(error, Error::Refused { refusal: Refusal::Signature, .. }), "{error:?}");
    let text = error.to_string();
    ensure!(text.contains("trusted-users") && text.contains("trusted-public-keys"), "{text}");
    ensure!(!error.can_resume() && error.side() == Side::Remote, "{error:?}");
    Ok(())
}

fn a_full_disk_is_said_to_be_full(pair: &Pair<'_>) -> Result<()> {
    let leave = pair.closure.nar_size() / 2;
    pair.there.fill_disk("/nix", leave)?;
    let error = pair.send(Some(LIMIT), || ())?.expect_err("it has no room");
    ensure!(matches!(error, Error::Refused { refusal: Refusal::DiskFull, .. }), "{error:?}");
    ensure!(!error.can_resume(), "room must be made first");
    pair.there.run(["rm", "/nix/lab-fill"])?;
    pair.send_the_rest()
}

fn what_was_cut_goes_on_where_it_stopped(pair: &Pair<'_>) -> Result<()> {
    let kill = |host: Host<'_>| host.run(["pkill", "-KILL", "-f", "nix-daemon --stdio"]).map(drop);
    for (host, side) in [(pair.there, Side::Remote), (pair.here, Side::Local)] {
        let mut killed = None;
        let error = pair.send(Some(LIMIT), || killed = Some(kill(host)))?;
        killed.context("half of it went over")??;
        let error = error.expect_err("one side is gone");
        ensure!(error.can_resume() && error.side() == side, "{side}: {error:?}");
        let expected = match side {
            Side::Remote => matches!(error, Error::RemoteLost { .. }),
            Side::Local => matches!(error, Error::Local { .. }),
        };
        ensure!(expected, "{error:?}");
        pair.send_the_rest()?;
        pair.there.sh("nix-store --delete /nix/store/*-transfer-* >/dev/null")?;
    }
    Ok(())
}

fn who_stops_is_noticed(pair: &Pair<'_>) -> Result<()> {
    let signal = |host: Host<'_>, name: &str| host.run(["pkill", name, "-f", "nix-daemon --stdio"]).map(drop);
    let limit = Duration::from_secs(2);
    for (host, side) in [(pair.there, Side::Remote), (pair.here, Side::Local)] {
        let mut stopped = None;
        let error = pair.send(Some(limit), || stopped = Some(signal(host, "-STOP")))?;
        stopped.context("half of it went over")??;
        let error = error.expect_err("one side has stopped");
        ensure!(
            matches!(error, Error::Stalled { side: stalled, .. } if stalled == side),
            "{side}: {error:?}"
        );
        ensure!(error.can_resume(), "{error:?}");
        pair.send_the_rest()?;
        pair.there.sh("nix-store --delete /nix/store/*-transfer-* >/dev/null")?;
    }
    Ok(())
}

fn what_is_damaged_here_is_not_taken_there(pair: &Pair<'_>) -> Result<()> {
    let path = full(&pair.middle().path);
    // The store is mounted read-only for all but those who have a mount namespace of their own.
    let damage = |script: &str| {
        let script = format!("mount -o remount,rw,bind /nix/store; {script}{path}");
        pair.here.run(["unshare", "--mount", "sh", "-euc", &script])
    };
    damage("printf x | dd conv=notrunc status=none of=")?;
    let error = pair.send(Some(LIMIT), || ())?.expect_err("one path is damaged");
    ensure!(matches!(error, Error::Refused { refusal: Refusal::Corrupt, .. }), "{error:?}");
    let message = format!("{:#}", anyhow::Error::from(error));
    ensure!(message.contains(&path) && message.contains("--check-contents"), "{message}");
    damage("printf more >> ")?;
    let error = pair.send(Some(LIMIT), || ())?.expect_err("it is too long as well");
    ensure!(error.side() == Side::Local && !error.can_resume(), "{error:?}");
    damage("rm ")?;
    let error = pair.send(Some(LIMIT), || ())?.expect_err("it is gone");
    ensure!(matches!(&error, Error::Local { path, .. } if path.contains("transfer-")), "{error:?}");
    Ok(())
}
