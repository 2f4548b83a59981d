//! Connections, agents, daemons and disks that give up in the middle, and what goes over a second time.

use std::{sync::mpsc::channel, thread};

use anyhow::{Context, Result, bail, ensure};
use lab::wait;
use transfer::{Error, Refusal};

use super::{
    LIMIT, There, Wish,
    line::Line,
    only,
    shelf::{Shelf, items, rebuilt},
};

/// Bytes that go over or not at all.
const WINDOW: u64 = 4 << 20;
/// Most bytes that are on their way in pipes and buffers.
const ON_THE_WAY: u64 = 2 << 20;
/// When something breaks, in percent of the bytes of the NARs.
const MOMENTS: [u64; 3] = [1, 50, 99];

/// Sends until so many bytes have gone, then breaks it; gives how many had gone.
fn send_and_break(
    there: &There<'_>,
    wish: &mut Wish<'_>,
    moment: u64,
    mut breaks: impl FnMut(&Line) -> Result<()>,
) -> Result<u64> {
    let line = there.line()?;
    let mut broken = None;
    let sent = wish.send_with(
        &line,
        |_| Ok(()),
        |bytes| {
            if bytes > moment && broken.is_none() {
                broken = Some((bytes, breaks(&line)));
            }
        },
    );
    let error: Error = sent.err().context("it should break")?.downcast()?;
    ensure!(error.can_resume(), "{error:?}");
    let (gone, done) = broken.context("it did not come so far")?;
    done?;
    drop(line);
    Ok(gone)
}

fn cut(line: &Line) -> Result<()> {
    line.cut();
    Ok(())
}

/// Sends the rest, of which whole windows are there; then all is there.
fn send_the_rest(there: &There<'_>, wish: &mut Wish<'_>, shelf: &Shelf, gone: u64) -> Result<()> {
    there.wait_left()?;
    let spooled: u64 = there.spooled()?.iter().sum();
    ensure!(spooled + ON_THE_WAY >= gone, "{gone} had gone, {spooled} are there");
    let given = there.send(wish)?;
    assert_eq!(given.nar_bytes, shelf.nar_size() - spooled / WINDOW * WINDOW, "{given:?}");
    there.check(shelf)
}

fn delete(there: &There<'_>, shelf: &Shelf) -> Result<()> {
    there.wait_left()?;
    there.0.run(["nix-store", "--delete", &shelf.root()]).map(drop)
}

pub(super) fn a_long_path_goes_on_where_it_was_cut(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(1, 30_000_000))?;
    for percent in MOMENTS {
        let moment = shelf.nar_size() * percent / 100;
        let gone = send_and_break(there, &mut Wish::all(&shelf)?, moment, cut)?;
        send_the_rest(there, &mut Wish::all(&shelf)?, &shelf, gone)?;
        delete(there, &shelf)?;
    }
    Ok(())
}

/// A line that is gone looks to the host as one on which nothing comes, until it is told better.
pub(super) fn what_an_agent_holds_that_lives_on_is_not_sent_again(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(1, 20_000_000))?;
    let (wish, mut next) = (&mut Wish::all(&shelf)?, Wish::all(&shelf)?);
    let (line, second) = (there.line()?, there.line()?);
    let (answered, answer) = channel();
    thread::scope(|scope| {
        let mut going = None;
        let mut moment = Some(shelf.nar_size() / 2);
        let mut next = Some(&mut next);
        let sent = wish.send_with(
            &line,
            |_| Ok(()),
            |bytes| {
                if moment.take_if(|moment| bytes > *moment).is_some() {
                    let (answered, second, next) = (answered.clone(), &second, next.take());
                    going = next.map(|next| {
                        scope.spawn(move || next.send_with(second, |_| Ok(answered.send(())?), |_| ()))
                    });
                    // Only then does the first one notice that it is alone.
                    let _late = answer.recv_timeout(LIMIT);
                    line.cut();
                }
            },
        );
        ensure!(sent.is_err(), "it was cut: {sent:?}");
        let rest = going.context("half of it went over")?.join().expect("it does not panic");
        let rest = only(rest?)?;
        ensure!(rest.nar_bytes < shelf.nar_size() / 2 + WINDOW + ON_THE_WAY, "{rest:?}");
        Ok(())
    })?;
    drop((line, second));
    there.wait_left()?;
    // What the first one left is removed when the next one begins.
    there.send(&mut Wish::all(&shelf)?)?;
    there.check(&shelf)
}

pub(super) fn a_patch_goes_on_where_it_was_cut(there: &There<'_>) -> Result<()> {
    let items = items(1, 20_000_000);
    let old = Shelf::of(&items)?;
    there.send(&mut Wish::all(&old)?)?;
    let new = old.next(&rebuilt(&items, 0))?;
    // So little goes over that the sender would be done before anything had come.
    let come = |line: &Line| {
        wait::until("windows to come", LIMIT, || {
            let spooled = there.spooled()?;
            ensure!(spooled.iter().sum::<u64>() >= 2 * WINDOW, "{spooled:?}");
            Ok(())
        })?;
        cut(line)
    };
    send_and_break(there, &mut Wish::after(&new, &old)?, 2 * WINDOW, come)?;
    there.wait_left()?;
    let spooled: u64 = there.spooled()?.iter().sum();
    let given = there.send(&mut Wish::after(&new, &old)?)?;
    assert_eq!(
        (given.patched, given.nar_bytes),
        (1, new.nar_size() - spooled / WINDOW * WINDOW),
        "{given:?}"
    );
    there.check(&new)
}

pub(super) fn many_short_paths_go_on_where_they_were_cut(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(150, 100_000))?;
    for percent in MOMENTS {
        let moment = shelf.nar_size() * percent / 100;
        let gone = send_and_break(there, &mut Wish::all(&shelf)?, moment, cut)?;
        there.wait_left()?;
        let given = there.send(&mut Wish::all(&shelf)?)?;
        ensure!(given.nar_bytes <= shelf.nar_size() - gone + WINDOW, "{gone} had gone: {given:?}");
        there.check(&shelf)?;
        there.wait_left()?;
        there.0.sh("nix-store --delete /nix/store/*-receiving-* >/dev/null")?;
    }
    Ok(())
}

pub(super) fn what_is_cut_on_either_of_two_sessions_goes_on(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(1, 30_000_000))?;
    for cut_second in [false, true] {
        let second = there.line()?;
        let mut wish = Wish { second: Some(&second), ..Wish::all(&shelf)? };
        let gone = send_and_break(there, &mut wish, shelf.nar_size() / 2, |line| {
            cut(if cut_second { &second } else { line })
        });
        drop(wish);
        drop(second);
        let gone = gone?;
        send_the_rest(there, &mut Wish::all(&shelf)?, &shelf, gone)?;
        delete(there, &shelf)?;
    }
    Ok(())
}

pub(super) fn an_agent_that_is_killed_is_followed_by_another(there: &There<'_>) -> Result<()> {
    let mut items = items(3, 5_000_000);
    items[1].size = 15_000_000;
    let shelf = Shelf::of(&items)?;
    let kill = |_: &Line| there.0.run(["pkill", "-KILL", "-x", "lockstep-agent"]).map(drop);
    let gone = send_and_break(there, &mut Wish::all(&shelf)?, shelf.nar_size() / 2, kill)?;
    there.wait_left()?;
    let given = there.send(&mut Wish::all(&shelf)?)?;
    ensure!(given.nar_bytes <= shelf.nar_size() - gone + WINDOW + ON_THE_WAY, "{gone} had gone: {given:?}");
    there.check(&shelf)
}

pub(super) fn a_daemon_that_is_killed_is_asked_again(there: &There<'_>) -> Result<()> {
    let mut items = items(40, 100_000);
    items[20].size = 15_000_000;
    let shelf = Shelf::of(&items)?;
    for how in ["pkill -KILL -x nix-daemon", "pkill -KILL -x nix-daemon; systemctl restart nix-daemon"] {
        let line = there.line()?;
        let mut killed = None;
        let rounds = Wish::all(&shelf)?.send_with(
            &line,
            |_| Ok(()),
            |bytes| {
                if bytes > shelf.nar_size() / 2 && killed.is_none() {
                    killed = Some(there.0.sh(how));
                }
            },
        )?;
        killed.context("half of it went over")??;
        let [_, rest] = &rounds[..] else { bail!("two rounds were expected: {rounds:?}") };
        ensure!(rest.nar_bytes <= shelf.nar_size() / 2 + WINDOW + ON_THE_WAY, "{rounds:?}");
        there.check(&shelf)?;
        drop(line);
        there.wait_left()?;
        there.0.sh("nix-store --delete /nix/store/*-receiving-* >/dev/null")?;
    }
    Ok(())
}

pub(super) fn a_disk_that_is_full_is_said_to_be_full(there: &There<'_>) -> Result<()> {
    for items in [items(30, 1_000_000), items(1, 30_000_000)] {
        let shelf = Shelf::of(&items)?;
        there.0.fill_disk("/nix", 15_000_000)?;
        let line = there.line()?;
        let error = Wish::all(&shelf)?.fail(&line)?;
        ensure!(matches!(error, Error::Refused { refusal: Refusal::DiskFull, .. }), "{error:?}");
        ensure!(!error.can_resume(), "room must be made first");
        there.0.run(["rm", "/nix/lab-fill"])?;
        let given = only(Wish::all(&shelf)?.send(&line)?)?;
        ensure!(
            items.len() == 1 || given.nar_bytes < shelf.nar_size(),
            "what came is not sent again: {given:?}"
        );
        there.check(&shelf)?;
        drop(line);
        there.wait_left()?;
        there.0.sh("nix-store --delete /nix/store/*-receiving-* >/dev/null")?;
    }
    Ok(())
}

/// What is kept for a broken connection must not take the room that the path itself needs.
pub(super) fn a_disk_with_room_for_one_copy_is_enough(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(1, 30_000_000))?;
    there.0.fill_disk("/nix", 45_000_000)?;
    there.send(&mut Wish::all(&shelf)?)?;
    there.check(&shelf)
}
