//! What goes over where nothing goes wrong.

use anyhow::{Result, ensure};
use session::{Reply, Request};
use transfer::Need;

use super::{
    There, Wish,
    line::name,
    only,
    shelf::{Shelf, items, rebuilt, rehashed},
};

pub(super) fn nothing_goes_over_twice(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(20, 100_000))?;
    let line = there.line()?;
    let mut wish = Wish::all(&shelf)?;
    let given = only(wish.send(&line)?)?;
    assert_eq!((given.whole, given.patched, given.rewritten), (20, 0, 0));
    assert_eq!(given.nar_bytes, shelf.nar_size());
    ensure!(given.sent < shelf.nar_size() * 101 / 100, "{given:?}");
    there.check(&shelf)?;
    there
        .0
        .sh("nix-store --verify --check-contents 2>&1 | (! grep -E 'receiving.*(modified|disappeared)')")?;

    let nothing = |asked: &transfer::Asked<'_, '_>| {
        assert_eq!(asked.need(), Need::default());
        Ok(())
    };
    let given = only(wish.send_with(&line, nothing, |_| ())?)?;
    assert_eq!((given.whole, given.patched, given.rewritten, given.nar_bytes), (0, 0, 0, 0));
    ensure!(given.sent < 1_500, "only the question: {given:?}");

    // It is kept as long as the session lasts, and no longer.
    there.0.run(["nix-collect-garbage"])?;
    there.check(&shelf)?;
    drop((wish, line));
    there.wait_left()?;
    there.0.run(["nix-collect-garbage"])?;
    there.has_none(&shelf.infos)
}

pub(super) fn paths_that_differ_in_hashes_only_cost_almost_nothing(there: &There<'_>) -> Result<()> {
    let items = items(40, 50_000);
    let old = Shelf::of(&items)?;
    there.send(&mut Wish::all(&old)?)?;
    let new = old.next(&rehashed(&items, 0))?;
    let given = there.send(&mut Wish::after(&new, &old)?)?;
    assert_eq!((given.whole, given.patched, given.rewritten), (0, 0, 40));
    ensure!(given.sent < 40 * 300, "{given:?}");
    there.check(&new)
}

pub(super) fn a_changed_library_costs_its_difference(there: &There<'_>) -> Result<()> {
    // Of several windows: the library, and one that stands on it.
    let mut items = items(12, 100_000);
    items[2].size = 10_000_000;
    items[6].size = 9_000_000;
    let old = Shelf::of(&items)?;
    let line = there.line()?;
    let given = only(Wish::all(&old)?.send(&line)?)?;
    assert_eq!((given.whole, given.nar_bytes), (12, old.nar_size()));
    there.check(&old)?;
    let new = old.next(&rebuilt(&items, 2))?;
    let given = only(Wish::after(&new, &old)?.send(&line)?)?;
    assert_eq!((given.whole, given.patched, given.rewritten), (0, 1, 9));
    ensure!(given.sent < 12_000, "{given:?}");
    there.check(&new)?;
    there.check_peak("two paths of several windows, whole and made of others")
}

pub(super) fn another_session_carries_a_part(there: &There<'_>) -> Result<()> {
    let mut items = items(40, 300_000);
    items[20].size = 20_000_000;
    let shelf = Shelf::of(&items)?;
    let (line, second) = (there.line()?, there.line()?);
    let given = only(Wish { second: Some(&second), ..Wish::all(&shelf)? }.send(&line)?)?;
    assert_eq!((given.whole, given.nar_bytes), (40, shelf.nar_size()));
    there.check(&shelf)?;
    // One that is no longer awaited is told so, and no door is left.
    let late = second.ask(&Request::Lane { lane: name() })?;
    ensure!(matches!(&late, Reply::Refused(cause) if cause.text.contains("no other session")), "{late:?}");
    there.0.sh("! ls /run/lockstep/*.lane").map(drop)
}
