//! What the host gets from caches of its own.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::wait;
use transfer::Asked;

use super::{
    LIMIT, There, Wish,
    line::Line,
    only,
    refused::configure,
    shelf::{Shelf, items},
};

/// A cache that answers what it has and then nothing more, or that never answers.
const HANGING: &str = r#"
import http.server, sys, time
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if sys.argv[1] == "always" or self.path.startswith("/nar/"):
            time.sleep(10000)
        super().do_GET()
http.server.ThreadingHTTPServer(("127.0.0.1", 8099), Handler).serve_forever()
"#;

/// Paths of which the host's cache has the first ones.
fn in_cache(there: &There<'_>) -> Result<Shelf> {
    let items = items(20, 50_000);
    let some = Shelf::of(&items[..12])?;
    there.send(&mut Wish::all(&some)?)?;
    there.0.run(["nix", "copy", "--to", "file:///root/cache", &some.root()])?;
    there.wait_left()?;
    there.0.sh("nix-store --delete /nix/store/*-receiving-* >/dev/null")?;
    Shelf::of(&items)
}

fn hangs(there: &There<'_>, when: &str) -> Result<run::Child> {
    there.0.write("/root/hanging.py", HANGING)?;
    let words = ["env", "-C", "/root/cache", "python3", "/root/hanging.py", when];
    let cache = there.0.command(words)?.timeout(LIMIT).spawn()?;
    wait::until("the cache to listen", LIMIT, || there.0.sh("ss -ltn | grep -q :8099"))?;
    configure(there, "substituters = http://127.0.0.1:8099")?;
    configure(there, "require-sigs = false")?;
    Ok(cache)
}

/// Sends with caches asked for so long; gives how many paths the host said it would fetch.
fn send(line: &Line, shelf: &Shelf, limit: Duration) -> Result<(Vec<usize>, Vec<transfer::Given>)> {
    let mut fetched = Vec::new();
    let mut wish = Wish { substitute: Some(limit), ..Wish::all(shelf)? };
    let on_answer = |asked: &Asked<'_, '_>| {
        fetched.push(asked.fetched());
        Ok(())
    };
    let rounds = wish.send_with(line, on_answer, |_| ())?;
    Ok((fetched, rounds))
}

pub(super) fn what_caches_have_is_not_sent(there: &There<'_>) -> Result<()> {
    let shelf = in_cache(there)?;
    configure(there, "substituters = file:///root/cache")?;
    configure(there, "require-sigs = false")?;
    let line = there.line()?;
    let (fetched, rounds) = send(&line, &shelf, LIMIT)?;
    assert_eq!(fetched, [12]);
    let given = only(rounds)?;
    let rest: u64 = shelf.infos[12..].iter().map(|info| info.nar_size).sum();
    assert_eq!((given.whole, given.nar_bytes), (8, rest));
    there.check(&shelf)
}

pub(super) fn a_cache_that_hangs_is_not_waited_for_without_end(there: &There<'_>) -> Result<()> {
    let shelf = in_cache(there)?;
    for (when, all_fetched) in [("always", vec![0]), ("then", vec![12, 0])] {
        let cache = hangs(there, when)?;
        let line = there.line()?;
        let (fetched, rounds) = send(&line, &shelf, Duration::from_secs(4))?;
        assert_eq!(fetched, all_fetched, "{rounds:?}");
        let whole: usize = rounds.iter().map(|given| given.whole).sum();
        ensure!(whole >= shelf.infos.len(), "{rounds:?}");
        there.check(&shelf)?;
        drop((line, cache));
        there.0.output(["pkill", "-f", "hanging.py"])?;
        there.wait_left()?;
        there.0.sh("nix-store --delete /nix/store/*-receiving-* >/dev/null")?;
    }
    Ok(())
}
