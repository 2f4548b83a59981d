//! `lockstep gc`: what is kept here from Nix's garbage collector, and what of it can go.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use deploy::{Fate, Garbage, HostRoot, State, Stored};
use order::SystemPath;
use report::Timestamp;

use crate::{
    arguments::NixOptions,
    context::{Context, Description},
    failure::Failure,
    progress::now,
    style::{Style, paint},
    table::{Cell, Column, Table},
    terminal::Look,
    text::{bytes, clean, counted, duration, system},
    wire,
};

const AFTER: &str = "\
What a host has is what an update for it can be made of, so that it need not be sent whole. So of
each host some systems are kept here as roots of Nix, which a garbage collection leaves alone.

WHY is
  running    the host ran it when it last said so, and it is in the store here
  booted     the same of what it had booted
  profile    the same of its system profile
  confirmed  it was the last to be confirmed from here
  built      it is one of the two newest builds for the host

TRIM says why a root need not stay
  not in the fleet  the description does not have its host, though it has others of these
  surplus           there are newer builds
  gone              the store does not have it any more

Without --trim nothing is removed. With it links are, and nothing of the store: what deletes is
`nix-collect-garbage`. What was learned of hosts that left stays. All fleets of a user are
remembered in one place, so a host of one fleet is 'not in the fleet' of another.

Examples:
  lockstep gc                                  what is kept, and what can go
  lockstep gc --trim && nix-collect-garbage    let it go, and delete it
  lockstep gc --json | jq -r 'select(.trim == \"departed\") | .host'";

/// Without a description that has some of the hosts.
const UNKNOWN: &str = "it is not known which hosts have left the fleet";

/// Show what is kept here for later updates, and let go of what nobody needs
///
/// The size of a closure is that of its NARs, everything that the system refers to included; most of it is usually
/// shared with other systems. Below the table all of it is counted once.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// Remove the roots that need not stay, and the logs of old runs
    #[arg(long)]
    trim: bool,
    #[command(flatten)]
    nix: NixOptions,
}

/// Shows what is kept, and removes what need not be if that is wished.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let state = State::usual().map_err(Failure::machine)?;
    let description = description(context, &arguments.nix)?;
    let garbage = deploy::garbage(&state, description.as_ref().map(|description| &description.fleet));
    let place = description.as_ref().map(|description| description.place.as_str());
    if let Some(place) = place.filter(|_| !garbage.knows_fleet) {
        context.terminal.note(&format!("{} has none of these hosts, so {UNKNOWN}", clean(place)));
    }
    if let Some(why) = &garbage.unweighed {
        context.terminal.note(&format!("sizes are not known: {}", clean(why)));
    }
    let trimmed = arguments.trim.then(|| deploy::trim(&state, &garbage)).transpose();
    let trimmed = trimmed.map_err(Failure::machine)?;
    if context.common.json {
        for root in &garbage.roots {
            context.terminal.json(&wire::root(root));
        }
        let place = place.filter(|_| garbage.knows_fleet);
        context.terminal.json(&wire::garbage(&garbage, place, trimmed));
    } else {
        let look = context.terminal.out();
        context.terminal.print(lines(&garbage, trimmed, now(), look));
    }
    Ok(0)
}

/// The description that was named, which must be one, or the nearest one if there is any.
fn description(context: &Context, options: &NixOptions) -> Result<Option<Description>, Failure> {
    match context.description(options) {
        Ok(description) => Ok(Some(description)),
        Err(failure) if context.common.file.is_none() => {
            context.terminal.note(&format!("{UNKNOWN}: {}", failure.why()));
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// The table, and what it comes to. `trimmed` links were removed, if that was wished.
fn lines(garbage: &Garbage, trimmed: Option<usize>, now: Timestamp, look: Look) -> Vec<String> {
    let mut lines = table(garbage, now).lines(look.width, look.color);
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(total(garbage));
    lines.extend(to_trim(garbage, trimmed));
    lines.push(logs(garbage, trimmed.is_some()));
    lines.push(format!("reports: {}", stored("host", garbage.reports)));
    let last = "lockstep deletes nothing of the store: `nix-collect-garbage` does";
    lines.push(paint(last, Style::Dim, look.color));
    lines
}

fn table(garbage: &Garbage, now: Timestamp) -> Table {
    let mut table = Table::new([
        Column::text("HOST"),
        Column::text("SYSTEM"),
        Column::flexible("NAME"),
        Column::text("WHY"),
        Column::number("SINCE"),
        Column::number("CLOSURE"),
        Column::text("TRIM"),
    ]);
    for roots in rows(garbage) {
        table.row(row(&roots, now));
    }
    table
}

/// The links, those together that keep one system of one host and have one fate.
fn rows(garbage: &Garbage) -> Vec<Vec<&HostRoot>> {
    let mut rows: Vec<Vec<&HostRoot>> = Vec::new();
    for root in &garbage.roots {
        let same = |row: &&mut Vec<&HostRoot>| {
            let first = row[0];
            (&first.host, &first.root.system, first.fate) == (&root.host, &root.root.system, root.fate)
        };
        match rows.iter_mut().rev().take(8).find(same) {
            Some(row) => row.push(root),
            None => rows.push(vec![root]),
        }
    }
    rows
}

fn row(roots: &[&HostRoot], now: Timestamp) -> Vec<Cell> {
    let HostRoot { host, root, fate, nar_size } = roots[0];
    let style = if *fate == Fate::Kept { Style::Plain } else { Style::Dim };
    let mut whys: Vec<&str> = roots.iter().map(|root| root.root.why.word()).collect();
    whys.dedup();
    let since = roots.iter().map(|root| root.root.since).min().unwrap_or(root.since);
    vec![
        host.as_str().into(),
        Cell::styled(system(&SystemPath::from(root.system.clone())), style),
        Cell::styled(clean(root.system.name().as_str()), style),
        Cell::styled(whys.join(", "), style),
        Cell::styled(duration(since.until(now)), style),
        Cell::styled(nar_size.map(bytes).unwrap_or_default(), style),
        Cell::styled(word(*fate), Style::Warn),
    ]
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Kept => "",
        Fate::Departed => "not in the fleet",
        Fate::Surplus => "surplus",
        Fate::Gone => "gone",
    }
}

fn total(garbage: &Garbage) -> String {
    let systems: BTreeSet<_> = garbage.roots.iter().map(|root| &root.root.system).collect();
    let hosts: BTreeSet<_> = garbage.roots.iter().map(|root| &root.host).collect();
    let size = garbage.nar_size.map(|size| format!(", {} of NARs in all", bytes(size)));
    let (systems, hosts) = (counted(systems.len(), "system"), counted(hosts.len(), "host"));
    format!("{systems} of {hosts}{}", size.unwrap_or_default())
}

/// What can go, or is gone.
fn to_trim(garbage: &Garbage, trimmed: Option<usize>) -> Option<String> {
    let mut counts: BTreeMap<Fate, usize> = BTreeMap::new();
    garbage.surplus().for_each(|root| *counts.entry(root.fate).or_default() += 1);
    let all: usize = counts.values().sum();
    if all == 0 {
        return None;
    }
    let each: Vec<_> = counts.iter().map(|(fate, count)| format!("{count} {}", word(*fate))).collect();
    let (each, when) = (each.join(", "), if trimmed.is_some() { "now" } else { "then" });
    let freed = garbage.freed.map(|freed| format!("; at most {} of NARs are garbage {when}", bytes(freed)));
    let freed = freed.unwrap_or_default();
    Some(match trimmed {
        None => format!("{} can go ({each}): `lockstep gc --trim`{freed}", counted(all, "root")),
        Some(removed) => format!("{} removed ({each}){freed}", counted(removed, "root")),
    })
}

/// The logs, and whether some of them are about to go or have gone.
fn logs(garbage: &Garbage, is_trimmed: bool) -> String {
    let verb = if is_trimmed { "were removed" } else { "can go" };
    let surplus = match garbage.surplus_logs {
        0 => String::new(),
        surplus => format!(", of which {surplus} {verb}"),
    };
    format!("logs: {}{surplus}", stored("run", garbage.logs))
}

fn stored(noun: &str, stored: Stored) -> String {
    format!("{}, {}", counted(stored.count, noun), bytes(stored.bytes))
}

#[cfg(test)]
mod tests;
