//! What paths were to be made of is not there any more, or is something else.

use anyhow::{Context, Result, ensure};
use transfer::Asked;

use super::{
    There, Wish,
    shelf::{Shelf, full, items, rebuilt, rehashed},
};

pub(super) fn a_base_that_is_collected_meanwhile_is_not_needed(there: &There<'_>) -> Result<()> {
    let items = items(10, 30_000);
    let old = Shelf::of(&items)?;
    there.send(&mut Wish::all(&old)?)?;
    there.wait_left()?;
    // One of them, on which nothing stands; then all of them.
    let mut before = old;
    for (delete, whole) in [("nix-store --delete $1", 1), ("nix-collect-garbage", 10)] {
        let now = rehashed(&items, 0);
        let new = before.next(&if whole == 1 { now } else { rebuilt(&now, 0) })?;
        let line = there.line()?;
        let mut round = 0;
        let on_answer = |_: &Asked<'_, '_>| {
            round += 1;
            let words = ["sh", "-euc", delete, "sh", &before.root()];
            if round == 1 { there.0.run(words).map(drop) } else { Ok(()) }
        };
        let rounds = Wish::after(&new, &before)?.send_with(&line, on_answer, |_| ())?;
        let sent_whole: usize = rounds.iter().map(|given| given.whole).sum();
        assert_eq!((rounds.len(), sent_whole), (2, whole), "{rounds:?}");
        there.check(&new)?;
        drop(line);
        there.wait_left()?;
        before = new;
    }
    Ok(())
}

/// What is done to bases on the disk of the host, by the number of the path.
const CHANGES: [(usize, &str); 7] = [
    (0, "printf x | dd conv=notrunc status=none seek=20000 bs=1 of=$1/data"),
    (1, "printf x | dd conv=notrunc status=none seek=20000 bs=1 of=$1/data"),
    (2, "printf more >> $1/data"),
    (3, "rm $1/bin/start"),
    (4, "rm -r $1"),
    (5, "printf x | dd conv=notrunc status=none seek=8999999 bs=1 of=$1/data"),
    (6, "rm -r $1/data; ln -s /dev/zero $1/data"),
];

pub(super) fn a_base_that_was_changed_on_the_disk_does_no_harm(there: &There<'_>) -> Result<()> {
    let mut items = items(8, 30_000);
    items[5].size = 9_000_000;
    let old = Shelf::of(&items)?;
    there.send(&mut Wish::all(&old)?)?;
    for (number, change) in CHANGES {
        // The store is mounted read-only for all but those who have a mount namespace of their own.
        let script = format!("mount -o remount,rw,bind /nix/store; {change}");
        let path = full(&old.infos[number].path);
        there.0.run(["unshare", "--mount", "sh", "-euc", &script, "sh", &path])?;
    }
    let new = old.next(&rebuilt(&items, 0))?;
    let line = there.line()?;
    let rounds = Wish::after(&new, &old)?.send(&line)?;
    // In each round one is found wrong; what the daemon had not added by then comes once more.
    assert_eq!(rounds.len(), CHANGES.len() + 1, "{rounds:?}");
    let last = rounds.last().context("there are rounds")?;
    ensure!(last.whole <= CHANGES.len() && last.rewritten == 1, "{rounds:?}");
    there.check(&new)
}
