//! Stop points: the lab's own build of the agent (the example `lockstep-agent-stops`) is stopped before and after every
//! effect and every write of the journal, and there its owner, its guard or both are killed, or the power is cut.
//! Whatever it was, the host comes to the end that was decided.
//!
//! Which points there are is not written here: each way is first walked to its end, and the points that it passed are
//! the cases. Between the point after one act and the point before the next nothing changes, so of these two each gets
//! half of the blows.

mod case;
mod way;

use anyhow::{Context, Result, ensure};
use case::{Blow, Ground};
use order::Mode;
use way::{Bad, Way};

use super::lab;

const KILLS: [Blow; 3] = [Blow::Owner, Blow::Guard, Blow::Both];

/// Walks a way to its end once, and then once more for each of these blows at each of its points.
#[expect(clippy::print_stdout, reason = "a run that is broken off says at which case")]
fn strike(way: &Way, blows: &[Blow]) -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let ground = Ground::new(&host, way)?;
    let points = ground.walk()?;
    let since = points.iter().position(|point| point == way.since).context("the first point to strike at")?;
    let mut struck = 0;
    for at in since..points.len() {
        for blow in blows.iter().filter(|blow| blow.fits(&points[at])) {
            println!("{blow:?} at {}", points[at]);
            let done = ground.strike(&points[..=at], *blow);
            struck += u32::from(done.with_context(|| format!("{blow:?} at {}", points[at]))?);
        }
    }
    ensure!(struck > 0, "nothing was struck on {points:?}");
    Ok(())
}

const SWITCH: Way = Way { mode: Mode::Switch, bad: None, since: "own before:journal:prepared", killed: None };

#[test]
fn the_owner_is_killed_at_every_point_of_a_switch() -> Result<()> {
    strike(&SWITCH, &[Blow::Owner])
}

#[test]
fn the_guard_is_killed_at_every_point_of_a_switch() -> Result<()> {
    strike(&SWITCH, &[Blow::Guard])
}

#[test]
fn owner_and_guard_are_killed_at_every_point_of_a_switch() -> Result<()> {
    strike(&SWITCH, &[Blow::Both])
}

#[test]
fn the_power_is_cut_at_every_point_of_a_switch() -> Result<()> {
    strike(&SWITCH, &[Blow::Cut])
}

/// The new system does not hold: what runs is taken back.
const FAILED: Way = Way { bad: Some(Bad::Unit), since: "own before:journal:reverting", ..SWITCH };

#[test]
fn the_way_back_is_killed_at_every_point() -> Result<()> {
    strike(&FAILED, &KILLS)
}

#[test]
fn the_power_is_cut_at_every_point_of_the_way_back() -> Result<()> {
    strike(&FAILED, &[Blow::Cut])
}

/// The boot loader's installer sets the default and says that it failed: profile and default are taken back too.
const UNCOMMITTED: Way = Way { bad: Some(Bad::Loader), since: "own before:journal:committing#3", ..SWITCH };

#[test]
fn the_way_back_from_a_commit_is_killed_at_every_point() -> Result<()> {
    strike(&UNCOMMITTED, &KILLS)
}

#[test]
fn the_power_is_cut_at_every_point_of_the_way_back_from_a_commit() -> Result<()> {
    strike(&UNCOMMITTED, &[Blow::Cut])
}

#[test]
fn a_test_is_struck_at_every_point_of_its_end() -> Result<()> {
    let way = Way { mode: Mode::Test, since: "own before:journal:confirmed", ..SWITCH };
    strike(&way, &[Blow::Owner, Blow::Guard, Blow::Both, Blow::Cut])
}

#[test]
fn a_new_boot_default_is_struck_at_every_point() -> Result<()> {
    let way = Way { mode: Mode::Boot, ..SWITCH };
    strike(&way, &[Blow::Owner, Blow::Cut])
}

#[test]
fn a_guard_that_took_over_is_struck_at_every_point() -> Result<()> {
    let killed = Some((Blow::Owner, "own after:journal:awaiting-confirm"));
    let way = Way { killed, since: "guard before:take-over", ..SWITCH };
    strike(&way, &[Blow::Owner, Blow::Cut])
}

#[test]
fn a_contact_that_took_over_is_struck_at_every_point() -> Result<()> {
    let killed = Some((Blow::Both, "own after:journal:awaiting-confirm"));
    let way = Way { killed, since: "resume before:journal:reverting", ..SWITCH };
    strike(&way, &[Blow::Owner, Blow::Cut])
}
