//! `lockstep show`: what was read from the description, and where each setting was written.

use clap::Args;
use fleet::{Delivery, Fleet, Member, Shown};
use order::HostName;

use crate::{
    arguments::{Hosts, NixOptions},
    context::{Context, Description},
    failure::Failure,
    style::{Style, paint},
    table::{Cell, Column, Table},
    terminal::Look,
    text::{clean, counted},
    wire,
};

const AFTER: &str = "\
No configuration is evaluated and no host is asked.

Examples:
  lockstep show                 all hosts, a line each
  lockstep show web1            every setting of one host, and the attribute that says it
  lockstep show '@web' --json";

/// Show what was read from the description, and where it was written
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    nix: NixOptions,
}

/// Shows the hosts that were selected in full, or all of them in a table.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let description = context.description(&arguments.nix)?;
    let hosts = context.select(&description.fleet, &arguments.hosts)?;
    let look = context.terminal.out();
    let is_full = !arguments.hosts.selectors.is_empty() || context.common.verbose > 0;
    if context.common.json {
        for (host, shown) in settings(&description.fleet, &hosts) {
            context.terminal.json(&wire::setting(host, &shown));
        }
    } else if is_full {
        context.terminal.print(full(&description.fleet, &hosts, look));
    } else {
        context.terminal.print(overview(&description, look));
    }
    Ok(0)
}

fn settings<'a>(fleet: &'a Fleet, hosts: &'a [HostName]) -> impl Iterator<Item = (&'a HostName, Shown)> {
    let members = hosts.iter().filter_map(|host| Some((host, fleet.hosts.get(host)?)));
    members.flat_map(|(host, member)| fleet::show(member).into_iter().map(move |shown| (host, shown)))
}

/// One line for each host.
fn overview(description: &Description, look: Look) -> Vec<String> {
    let Description { fleet, place, .. } = description;
    let mut table = Table::new([
        Column::text("HOST"),
        Column::flexible("ADDRESSES"),
        Column::flexible("TAGS"),
        Column::text("DELIVERY"),
    ]);
    for (host, member) in &fleet.hosts {
        table.row(row(host, member));
    }
    let mut lines = vec![format!("{} in {}", counted(fleet.hosts.len(), "host"), clean(place))];
    lines.extend(table.lines(look.width, look.color));
    lines.extend(
        fleet
            .left_out
            .iter()
            .map(|left| format!("left out: {}: {}", clean(&left.name), clean(&left.reason.to_string()))),
    );
    lines
}

fn row(host: &HostName, member: &Member) -> Vec<Cell> {
    let joined = |texts: Vec<String>| clean(&texts.join(" ")).into_owned();
    vec![
        host.as_str().into(),
        joined(member.reach.addresses.iter().map(ToString::to_string).collect()).into(),
        joined(member.tags.iter().map(|tag| format!("@{tag}")).collect()).into(),
        if member.delivery == Delivery::Pull { "pull" } else { "" }.into(),
    ]
}

/// Every setting of each host.
fn full(fleet: &Fleet, hosts: &[HostName], look: Look) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, host) in hosts.iter().enumerate() {
        if index > 0 {
            lines.push(String::new());
        }
        lines.push(paint(host.as_str(), Style::Strong, look.color));
        let mut table =
            Table::new([Column::text("SETTING"), Column::flexible("VALUE"), Column::text("FROM")]);
        for (_, shown) in settings(fleet, std::slice::from_ref(host)) {
            table.row(setting(host, &shown));
        }
        lines.extend(table.lines(look.width, look.color));
    }
    lines
}

fn setting(host: &HostName, shown: &Shown) -> Vec<Cell> {
    let from: Vec<_> = shown.origin.paths(host, &shown.setting).iter().map(ToString::to_string).collect();
    let from = if from.is_empty() {
        Cell::styled("built in", Style::Dim)
    } else {
        clean(&from.join(" ")).into_owned().into()
    };
    vec![shown.setting.as_str().into(), clean(&shown.value).into_owned().into(), from]
}

#[cfg(test)]
mod tests;
