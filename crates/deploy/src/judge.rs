//! What follows from what a host says of itself: the deciding parts, without effects.

use order::{Mode, SystemPath};
use report::{Cause, CauseKind, Deployed, Ending, HostResult, HostStatus, Known, LoaderDefault};
use session::Hello;
use transfer::Need;

/// Bytes that are left free on the host's store beyond what is copied.
const ROOM: u64 = 16 << 20;

/// What a host says of its systems, at the beginning of a session or later.
pub(crate) struct Has<'a> {
    running: Option<&'a SystemPath>,
    profile: Option<&'a SystemPath>,
    default: &'a LoaderDefault,
    pending: bool,
}

impl<'a> From<&'a Hello> for Has<'a> {
    fn from(hello: &'a Hello) -> Self {
        Self {
            running: hello.running.as_ref(),
            profile: hello.profile.as_ref(),
            default: &hello.default,
            pending: hello.pending.is_some(),
        }
    }
}

impl<'a> From<&'a HostStatus> for Has<'a> {
    fn from(status: &'a HostStatus) -> Self {
        Self {
            running: status.running.as_ref(),
            profile: status.profile.as_ref().map(|generation| &generation.system),
            default: &status.default,
            pending: status.pending.is_some(),
        }
    }
}

/// Whether the host has all that a deploy of this system in this mode would bring.
pub(crate) fn is_there<'a>(has: impl Into<Has<'a>>, system: &SystemPath, mode: Mode) -> bool {
    let has = has.into();
    let boots = match has.default {
        LoaderDefault::System(default) => default == system,
        // Another activation would know no more, and would restart what runs at every deploy.
        LoaderDefault::NoLoader | LoaderDefault::Unreadable(_) => true,
    };
    let runs = has.running == Some(system);
    let lasts = has.profile == Some(system) && boots;
    !has.pending
        && match mode {
            Mode::Switch | Mode::Reboot => runs && lasts,
            Mode::Boot => lasts,
            Mode::Test => runs,
            Mode::DryActivate => false,
        }
}

/// What the operator must know of a host whose boot default cannot be read: a commit there is believed, not proven.
pub(crate) fn unread_loader(hello: &Hello) -> Option<String> {
    let LoaderDefault::Unreadable(why) = &hello.default else { return None };
    let why = crate::text::plain(why);
    Some(format!(
        "what this host would boot cannot be read back ({why}); a commit counts if the installer says so"
    ))
}

/// Whether the host can run a system for this kind of machine.
///
/// # Errors
/// The cause, if it cannot.
pub(crate) fn fits(platform: &str, host: &str) -> Result<(), Cause> {
    let runs_too = [("x86_64-linux", "i686-linux"), ("aarch64-linux", "armv7l-linux")];
    if platform == host || runs_too.contains(&(host, platform)) {
        return Ok(());
    }
    let host = crate::text::plain(host);
    let text = format!(
        "the system is for {platform}, the host is {host}; set nixpkgs.hostPlatform of this host, or check its address"
    );
    Err(Cause::new(CauseKind::Architecture, text))
}

/// Whether there is room for what is to be copied.
///
/// # Errors
/// The cause, if there is not.
pub(crate) fn has_room(need: &Need, free: u64) -> Result<(), Cause> {
    if need.paths == 0 || need.nar_bytes.saturating_add(ROOM) <= free {
        return Ok(());
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let text = format!(
        "{} MiB are to be copied and {} MiB are free on the host's store; remove old generations and collect garbage there",
        mib(need.nar_bytes),
        mib(free)
    );
    Err(Cause::new(CauseKind::Space, text))
}

/// What the operator should know of a host that is not as the last deploy from here left it.
pub(crate) fn changed_since(known: &Known, hello: &Hello) -> Option<String> {
    let Deployed { order, system, result, .. } = &known.deployed.as_ref()?.1;
    let (order, system) = (order.as_ref()?, system.as_ref()?);
    if hello.last.as_ref() != Some(order) {
        return Some(match &hello.last {
            Some(_) => "somebody else has deployed to this host since the last deploy from here".to_owned(),
            None => "this host remembers no deploy, though there was one from here".to_owned(),
        });
    }
    let lasting = matches!(result, HostResult::Activated(Ending::Confirmed { lasting: true }));
    match &hello.running {
        Some(running) if lasting && running != system => {
            Some(format!("the host was changed by hand since the last deploy: it runs {running}"))
        }
        _ => None,
    }
}

/// Why an order is not delivered to a host that is still busy with another.
pub(crate) fn busy(hello: &Hello) -> Option<Cause> {
    let order = hello.pending.as_ref()?;
    let text = format!(
        "the activation of order {order} has not ended there; `lockstep attach` follows it, `lockstep confirm` or \
         `lockstep abort` ends it"
    );
    Some(Cause::new(CauseKind::Busy, text))
}

#[cfg(test)]
mod tests;
