//! `lockstep diff`: what of a closure became what in another, and which of it only has other hashes.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use daemon::files::{self, DumpError};
use delta::equivalence::{Comparison, Identity, IdentityError, Verdict, compare, identities};
use deploy::Stop;
use store::{
    closure::Closure,
    path_info::PathInfo,
    store_path::{StoreDir, StorePath, StorePathError},
};
use thiserror::Error;

use crate::{
    context::Context,
    failure::Failure,
    identities::Identities,
    style::Style,
    table::{Cell, Column, Table},
    terminal::Look,
    text::{bytes, clean, counted},
    wire,
};

const AFTER: &str = "\
Two paths are equivalent if they are equal but for the hashes of what they refer to. After a
rebuild of everything most paths are: nothing of them really changed. To find out, all files of
both closures are read, a second or two for each GB, but those of each path only once: what was
found is kept in ~/.cache/lockstep.

Nothing is evaluated and no host is asked. Links are followed, as ./result or
/run/current-system.

Examples:
  lockstep diff --closures /run/current-system ./result      what the new system really changes
  lockstep diff --closures OLD NEW -v                        also what is the same or equivalent
  lockstep diff --closures OLD NEW --json | jq -r 'select(.verdict == \"changed\") | .path'";

/// Compare what two paths of the store here refer to, path by path
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// Compare the closures of two store paths, the old one and the new one
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], required = true)]
    closures: Vec<PathBuf>,
}

/// Why there is nothing to compare.
#[derive(Debug, Error)]
enum Error {
    /// A link that leads nowhere, or nothing at all.
    #[error("there is no {}", path.display())]
    Missing { path: PathBuf, source: io::Error },
    /// Something else than a store path.
    #[error("{} is not in the store", path.display())]
    NotInStore { path: PathBuf, source: StorePathError },
}

/// Shows what became of each path.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let mut roots = arguments.closures.iter().map(|path| store_path(path));
    let (Some(old), Some(new)) = (roots.next().transpose()?, roots.next().transpose()?) else {
        return Err(Failure::usage("two store paths are compared"));
    };
    let mut client = eval::local_daemon().map_err(Failure::machine)?;
    let mut closure = |root| eval::closure(&mut client, root).map_err(Failure::machine);
    let (old_closure, new_closure) = (closure(&old)?, closure(&new)?);
    let read = Read { store: StoreDir::default(), stop: context.stop.clone() };
    let mut known = Identities::recall();
    let all = identities_of([&old_closure, &new_closure], &mut known, &read);
    // Also what was computed before an error.
    if let Err(error) = known.keep() {
        let note = format!("files will be read again next time: {:#}", anyhow::Error::from(error));
        context.terminal.note(&clean(&note));
    }
    let all = all.map_err(unreadable)?;
    let comparison = compare((&new_closure, &old_closure), &all, &[(new, old)]);
    if context.common.json {
        for (path, (size, verdict)) in &comparison.paths {
            context.terminal.json(&wire::compared(path, *size, verdict));
        }
    } else {
        let is_full = context.common.verbose > 0;
        let lines = table(&comparison, is_full, context.terminal.out());
        context.terminal.print(lines.into_iter().chain(totals(&comparison, (&old_closure, &new_closure))));
    }
    Ok(0)
}

/// The identities of all paths of the closures.
fn identities_of(
    closures: [&Closure; 2],
    known: &mut Identities,
    read: &Read,
) -> Result<BTreeMap<StorePath, Identity>, IdentityError<DumpError>> {
    let mut all = BTreeMap::new();
    for closure in closures {
        all.extend(identities(closure, known, &mut |info, to| read.nar(info, to))?);
    }
    Ok(all)
}

/// The path of the store that a word on the command line means.
fn store_path(path: &Path) -> Result<StorePath, Failure> {
    let real = fs::canonicalize(path).map_err(|source| Error::Missing { path: path.to_owned(), source });
    let real = real.map_err(|error| Failure::new(crate::failure::Kind::Usage, error))?;
    let store = StoreDir::default();
    // A file within a path stands for the path.
    let depth = Path::new(store.as_str()).components().count() + 1;
    let root: PathBuf = real.components().take(depth).collect();
    store.parse(root.as_os_str().as_encoded_bytes()).map_err(|source| {
        let error = Error::NotInStore { path: path.to_owned(), source };
        Failure::new(crate::failure::Kind::Usage, error)
            .with_hint("build it first, or name a link to what was built: ./result, /run/current-system")
    })
}

fn unreadable(error: IdentityError<DumpError>) -> Failure {
    let is_damaged = matches!(error, IdentityError::Nar { .. });
    let failure = Failure::machine(error);
    if is_damaged {
        return failure.with_hint("`nix-store --verify --check-contents` looks for more of that kind");
    }
    failure
}

/// Reads NARs from the files of the store.
struct Read {
    store: StoreDir,
    stop: Stop,
}

impl Read {
    fn nar(&self, info: &PathInfo, to: &mut dyn Write) -> Result<(), DumpError> {
        let path = self.store.display(&info.path).to_string();
        files::dump(Path::new(&path), &mut Stoppable { stop: &self.stop, to })
    }
}

/// Ends what is written when the person at the terminal wishes so.
struct Stoppable<'a> {
    stop: &'a Stop,
    to: &'a mut dyn Write,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_wished() {
            return Err(io::Error::other("it was interrupted"));
        }
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// What changed, or with `is_full` all; what is gone comes first and what changed most comes last.
fn table(comparison: &Comparison, is_full: bool, look: Look) -> Vec<String> {
    let shown = comparison.paths.iter().filter(|(_, (_, verdict))| is_full || is_change(verdict));
    let mut shown: Vec<_> = shown.collect();
    shown.sort_by_key(|(path, (size, verdict))| (weight(verdict), growth(*size, verdict), *path));
    let mut table = Table::new([
        Column::text("WHAT"),
        Column::text("NAME"),
        Column::number("WAS"),
        Column::number("IS"),
        Column::flexible("PATH"),
    ]);
    for (path, (size, verdict)) in shown {
        table.row(row(path, *size, verdict));
    }
    table.lines(look.width, look.color)
}

fn row(path: &StorePath, size: u64, verdict: &Verdict) -> Vec<Cell> {
    let name = path.name().as_str();
    let (style, name, was, is) = match verdict {
        Verdict::Same | Verdict::Equivalent { .. } => (Style::Dim, name.to_owned(), Some(size), Some(size)),
        Verdict::Changed { old, old_size } if old.name() == path.name() => {
            (Style::Warn, name.to_owned(), Some(*old_size), Some(size))
        }
        Verdict::Changed { old, old_size } => {
            (Style::Warn, format!("{} -> {name}", old.name()), Some(*old_size), Some(size))
        }
        Verdict::New => (Style::Good, name.to_owned(), None, Some(size)),
        Verdict::Gone => (Style::Bad, name.to_owned(), Some(size), None),
    };
    let told = |size: Option<u64>| size.map(bytes).unwrap_or_default();
    let path = StoreDir::default().display(path).to_string();
    vec![
        Cell::styled(wire::verdict(verdict), style),
        name.into(),
        told(was).into(),
        told(is).into(),
        path.into(),
    ]
}

fn is_change(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::Same | Verdict::Equivalent { .. })
}

fn weight(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Same => 0,
        Verdict::Equivalent { .. } => 1,
        Verdict::Gone => 2,
        Verdict::New => 3,
        Verdict::Changed { .. } => 4,
    }
}

/// By how many bytes a path became larger or smaller.
fn growth(size: u64, verdict: &Verdict) -> u64 {
    match verdict {
        Verdict::Changed { old_size, .. } => size.abs_diff(*old_size),
        _ => size,
    }
}

/// How many paths of each kind there are, and what the closures weigh.
fn totals(comparison: &Comparison, (old, new): (&Closure, &Closure)) -> Vec<String> {
    let mut counts: BTreeMap<u8, (usize, &'static str)> = BTreeMap::new();
    for (_, verdict) in comparison.paths.values() {
        counts.entry(weight(verdict)).or_insert((0, wire::verdict(verdict))).0 += 1;
    }
    let counts: Vec<_> = counts.values().rev().map(|(count, word)| format!("{count} {word}")).collect();
    vec![
        format!("{}: {}", counted(comparison.paths.len(), "path"), counts.join(", ")),
        format!("NARs: {} in all before, {} now", bytes(old.nar_size()), bytes(new.nar_size())),
    ]
}

#[cfg(test)]
mod tests {
    use store::store_path::HashPart;

    use super::*;

    fn path(number: u8, name: &str) -> StorePath {
        StorePath::new(HashPart([number; HashPart::LEN]), name.parse().unwrap())
    }

    fn sample() -> Comparison {
        let changed = |old, old_size| Verdict::Changed { old, old_size };
        let paths = [
            (path(1, "bash-5.2"), (1_000_000, Verdict::Same)),
            (path(2, "etc-nginx"), (5_000, Verdict::Equivalent { old: path(12, "etc-nginx") })),
            (path(3, "openssl-3.4.1"), (7_000_000, changed(path(13, "openssl-3.4.0"), 6_900_000))),
            (path(4, "etc"), (60_000, changed(path(14, "etc"), 60_008))),
            (path(5, "tailscale-1.80"), (40_000_000, Verdict::New)),
            (path(16, "telnet-0.17"), (90_000, Verdict::Gone)),
        ];
        Comparison { paths: paths.into() }
    }

    const LOOK: Look = Look { color: false, width: Some(100), is_terminal: false };

    #[test]
    fn changes_are_shown_and_the_rest_is_counted() {
        let empty = Closure::default();
        let lines = [table(&sample(), false, LOOK), totals(&sample(), (&empty, &empty))].concat();
        insta::assert_snapshot!("diff_changes", lines.join("\n"));
    }

    #[test]
    fn all_is_shown_on_demand() {
        insta::assert_snapshot!("diff_all", table(&sample(), true, LOOK).join("\n"));
    }

    #[test]
    fn the_json_of_each_verdict() {
        let line = |(path, (size, verdict)): (&StorePath, &(u64, Verdict))| {
            serde_json::to_string(&wire::compared(path, *size, verdict)).unwrap()
        };
        insta::assert_snapshot!("diff_json", sample().paths.iter().map(line).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn what_is_no_store_path_is_refused_with_a_reason() {
        for word in ["/etc/passwd", "/nonexistent", "/"] {
            assert!(store_path(Path::new(word)).is_err(), "{word}");
        }
    }
}
