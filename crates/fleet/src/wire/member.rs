//! Puts together what a host says and what `defaults` says, and splits it into the values of a member.

use std::collections::BTreeSet;

use order::{HostName, Limits, Settings, UnitName, format_duration};

use super::attributes::Errors;
use super::checks::{From, SaidCheck};
use super::host::HostSettings;
use crate::{
    Address, Addresses, AttrPath, BuildOn, Member, Origin, Origins, Problem, Reach, Reboots, SettingError,
    SshAddress,
};

/// Most checks, and most units, of an order.
const MAX_ITEMS: usize = 1000;
/// Most bytes of checks and units together: an order is bounded, and must hold all else too.
const MAX_BYTES: usize = order::MAX_ORDER / 4;

/// The host of this name. Which hosts it is the way to is found out later, when all are known.
pub(super) fn assemble(
    name: &HostName,
    own: &HostSettings,
    defaults: &HostSettings,
    errors: &mut Errors,
) -> Member {
    let mut origins = Origins::default();
    let reach = assemble_reach(name, own, defaults, &mut origins);
    let limits = assemble_limits(own, defaults, &mut origins);
    check_limits(name, limits, &origins, errors);
    let reboot = assemble_reboots(own, defaults, &mut origins);
    let protected = origins.note("protectedUnits", own.protected.join(&defaults.protected));
    let on_failure = origins.note("rollback", own.on_failure.over(&defaults.on_failure)).unwrap_or_default();
    let build = origins.note("build", own.build.over(&defaults.build)).unwrap_or_default();
    let substitute = origins.note("substitute", own.substitute.over(&defaults.substitute));
    let delivery = origins.note("delivery", own.delivery.over(&defaults.delivery));
    let tags = origins.note("tags", own.tags.join(&defaults.tags));
    let mut settings = Settings { limits, checks: Vec::new(), protected: unique(protected), on_failure };
    let mut operator_checks = Vec::new();
    for (origin, said) in own.checks.over(&defaults.checks) {
        origins.set(&format!("checks.{}", said.check.name), origin);
        check_timeout(said, limits, errors);
        match said.from {
            From::Host => settings.checks.push(said.check.clone()),
            From::Operator => operator_checks.push(said.check.clone()),
        }
    }
    check_size(name, &settings, errors);
    Member {
        reach,
        build: if build == BuildOn::Host(name.clone()) { BuildOn::Target } else { build },
        substitute: substitute.unwrap_or_default(),
        settings,
        operator_checks,
        reboot,
        tags: tags.into_iter().collect(),
        gateway_for: BTreeSet::new(),
        delivery: delivery.unwrap_or_default(),
        origins,
    }
}

fn assemble_reach(
    name: &HostName,
    own: &HostSettings,
    defaults: &HostSettings,
    origins: &mut Origins,
) -> Reach {
    let user = origins.note("user", own.user.over(&defaults.user));
    let port = origins.note("port", own.port.over(&defaults.port));
    let written = origins.note("addresses", own.addresses.over(&defaults.addresses)).unwrap_or_default();
    let filled = written.into_iter().map(|address| address.or(user.as_ref(), port)).collect();
    let by_name = || Addresses::from(Address::Ssh(SshAddress::of_host(name, user.clone(), port)));
    Reach {
        addresses: Addresses::new(filled).unwrap_or_else(by_name),
        ssh_options: origins.note("sshOptions", own.ssh_options.join(&defaults.ssh_options)),
        elevation: origins.note("elevation", own.elevation.over(&defaults.elevation)).unwrap_or_default(),
    }
}

fn assemble_limits(own: &HostSettings, defaults: &HostSettings, origins: &mut Origins) -> Limits {
    let fallback = Limits::default();
    let total = origins.note("activation.total", own.total.over(&defaults.total)).unwrap_or(fallback.total);
    let idle = origins.note("activation.idle", own.idle.over(&defaults.idle));
    let confirm = origins.note("confirmTimeout", own.confirm_timeout.over(&defaults.confirm_timeout));
    let settle = origins.note("settle", own.settle.over(&defaults.settle));
    Limits {
        total,
        idle: idle.unwrap_or_else(|| fallback.idle.min(total)),
        confirm: confirm.unwrap_or(fallback.confirm),
        settle: settle.unwrap_or(fallback.settle),
    }
}

fn assemble_reboots(own: &HostSettings, defaults: &HostSettings, origins: &mut Origins) -> Reboots {
    let timeout = origins.note("reboot.timeout", own.reboot_timeout.over(&defaults.reboot_timeout));
    let on_inhibitor = origins.note("reboot.onInhibitor", own.on_inhibitor.over(&defaults.on_inhibitor));
    Reboots {
        timeout: timeout.unwrap_or(Reboots::default().timeout),
        on_inhibitor: on_inhibitor.unwrap_or_default(),
    }
}

/// Each limit must leave time for what it bounds.
fn check_limits(name: &HostName, limits: Limits, origins: &Origins, errors: &mut Errors) {
    let Limits { total, idle, confirm, settle } = limits;
    let written = |setting| origins.of(setting).paths(name, setting).into_iter().next();
    let value = |setting, duration| {
        let default = if origins.of(setting) == Origin::Default { ", the default" } else { "" };
        format!("{setting} ({}{default})", format_duration(duration))
    };
    if confirm <= settle {
        let (path, found, relation, other) = match written("confirmTimeout") {
            Some(path) => (path, confirm, "longer than", value("settle", settle)),
            None => {
                let path = written("settle").unwrap_or_default();
                (path, settle, "shorter than", value("confirmTimeout", confirm))
            }
        };
        let problem = Problem::Durations { found: format_duration(found), relation, other };
        errors.push(SettingError { path, problem });
    }
    if idle > total {
        let (found, other) = (format_duration(idle), value("activation.total", total));
        let problem = Problem::Durations { found, relation: "within", other };
        errors.push(SettingError { path: written("activation.idle").unwrap_or_default(), problem });
    }
}

/// A check must end before its host goes back.
fn check_timeout(said: &SaidCheck, limits: Limits, errors: &mut Errors) {
    if said.check.timeout >= limits.confirm {
        let found = format_duration(said.check.timeout);
        let other = format!("confirmTimeout ({})", format_duration(limits.confirm));
        let problem = Problem::Durations { found, relation: "shorter than", other };
        errors.push(SettingError { path: said.path.attribute("timeout"), problem });
    }
}

/// What travels must fit into an order.
fn check_size(name: &HostName, settings: &Settings, errors: &mut Errors) {
    let path = || AttrPath::new(&["lockstep", "hosts", name.as_str()]);
    let mut complain = |setting: &str, found, items, max| {
        if found > max {
            let problem = Problem::TooMany { found, items, max };
            errors.push(SettingError { path: path().attribute(setting), problem });
        }
    };
    complain("checks", settings.checks.len(), "checks", MAX_ITEMS);
    complain("protectedUnits", settings.protected.len(), "units", MAX_ITEMS);
    // The debug form of a check is longer than its JSON.
    let checks: usize = settings.checks.iter().map(|check| format!("{check:?}").len()).sum();
    complain("checks", checks, "bytes of checks", MAX_BYTES);
    let units: usize = settings.protected.iter().map(|unit| unit.as_str().len() + 3).sum();
    complain("protectedUnits", units, "bytes of units", MAX_BYTES);
}

/// The units, each where it stands first.
fn unique(units: Vec<UnitName>) -> Vec<UnitName> {
    let mut seen = BTreeSet::new();
    units.into_iter().filter(|unit| seen.insert(unit.clone())).collect()
}
