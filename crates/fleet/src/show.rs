//! What is known of one host, setting by setting, with where each was written.

use order::{Check, CheckKind, HostName, OnFailure, format_duration};

use crate::member::Word;
use crate::path::quote;
use crate::{BuildOn, Member, Origin, Substitute};

/// One setting of one host as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its path within the host, as `activation.idle`.
    pub setting: String,
    /// Its value as Nix writes it.
    pub value: String,
    /// Where it was written; [`Origin::paths`] names the attributes.
    pub origin: Origin,
}

/// Every setting of this host as it holds, defaults included, in the order of the reference page.
///
/// User and port are part of `addresses`. A selector in `gatewayFor` stands as the hosts that it means.
#[must_use]
pub fn show(member: &Member) -> Vec<Shown> {
    let Member { reach, settings, .. } = member;
    let limits = settings.limits;
    let mut all = vec![
        ("addresses", list(reach.addresses.iter())),
        ("sshOptions", list(reach.ssh_options.iter())),
        ("elevation", quote(reach.elevation.word())),
        ("tags", list(member.tags.iter())),
        ("build", quote(member.build.word())),
        ("substitute", (member.substitute == Substitute::OnTarget).to_string()),
        ("confirmTimeout", quote(&format_duration(limits.confirm))),
        ("settle", quote(&format_duration(limits.settle))),
        ("activation.idle", quote(&format_duration(limits.idle))),
        ("activation.total", quote(&format_duration(limits.total))),
        ("reboot.onInhibitor", quote(member.reboot.on_inhibitor.word())),
        ("reboot.timeout", quote(&format_duration(member.reboot.timeout))),
        ("protectedUnits", list(settings.protected.iter())),
        ("gatewayFor", list(member.gateway_for.iter().map(HostName::as_str))),
        ("delivery", quote(member.delivery.word())),
        ("rollback", (settings.on_failure == OnFailure::RollBack).to_string()),
    ]
    .into_iter()
    .map(|(setting, value)| (setting.to_owned(), value))
    .collect::<Vec<_>>();
    let named = |check: &Check, from| (format!("checks.{}", check.name), show_check(check, from));
    let checks = settings.checks.iter().map(|check| named(check, "host"));
    all.extend(checks.chain(member.operator_checks.iter().map(|check| named(check, "operator"))));
    let shown = |(setting, value): (String, String)| {
        let origin = member.origins.of(&setting);
        Shown { setting, value, origin }
    };
    all.into_iter().map(shown).collect()
}

impl BuildOn {
    /// The value of the setting `build`.
    fn word(&self) -> &str {
        match self {
            Self::Here => "here",
            Self::Target => "target",
            Self::Host(name) => name.as_str(),
        }
    }
}

fn list(items: impl Iterator<Item = impl ToString>) -> String {
    let items: String = items.map(|item| format!("{} ", quote(&item.to_string()))).collect();
    format!("[ {items}]")
}

fn show_check(check: &Check, from: &str) -> String {
    let tried = match &check.kind {
        CheckKind::Http { url, status: None } => format!("http = {};", quote(url)),
        CheckKind::Http { url, status: Some(status) } => format!("http = {}; status = {status};", quote(url)),
        CheckKind::Tcp { address } => format!("tcp = {};", quote(address)),
        CheckKind::Command { words } => format!("command = {};", list(words.iter())),
    };
    let [period, timeout] = [check.period, check.timeout].map(|duration| quote(&format_duration(duration)));
    format!("{{ {tried} from = {}; period = {period}; timeout = {timeout}; }}", quote(from))
}
