//! How a host comes to its new system: what was asked for, or what is left where the system refuses that. Decided
//! without effects.

use fleet::OnInhibitor;
use order::Mode;
use report::{Cause, CauseKind};
use session::Survey;

/// How a host comes to its new system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// The mode of its order.
    pub(crate) mode: Mode,
    /// What follows when the order has ended well.
    pub(crate) then: Then,
    /// Why it is not what was asked for.
    pub(crate) remark: Option<String>,
    /// Why nothing brings the host back if the new system does not come up.
    pub(crate) unguarded: Option<String>,
}

/// What follows an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// All is done.
    Nothing,
    /// The system waits for the next boot.
    Waits,
    /// The host is restarted.
    Reboots,
}

impl Way {
    /// As it was asked for, without a look at the host.
    pub(crate) fn plain(mode: Mode) -> Self {
        Self { mode, then: Then::Nothing, remark: None, unguarded: None }
    }
}

/// Whether the host has to be asked what speaks against its new system.
pub(crate) fn needs_survey(mode: Mode, refused: OnInhibitor) -> bool {
    mode == Mode::Reboot || (mode == Mode::Switch && refused != OnInhibitor::Fail)
}

/// The way of a host that said this of its new system. `refused` is what follows if that refuses a switch.
///
/// # Errors
/// If there is none.
pub(crate) fn choose(mode: Mode, refused: OnInhibitor, survey: &Survey) -> Result<Way, Cause> {
    if mode == Mode::Reboot {
        return Ok(by_reboot(survey, None));
    }
    let Some(why) = survey.refused.as_ref().filter(|_| mode == Mode::Switch) else {
        return Ok(Way::plain(mode));
    };
    let why = crate::text::plain(why);
    match refused {
        OnInhibitor::Fail => {
            let text = format!("the new system refuses a switch: {why}; --reboot reboots the host into it");
            Err(Cause::new(CauseKind::Refused, text))
        }
        OnInhibitor::Boot => Ok(Way {
            mode: Mode::Boot,
            then: Then::Waits,
            remark: Some(format!("waits for the next boot, unguarded, as it refuses a switch: {why}")),
            unguarded: None,
        }),
        OnInhibitor::Reboot => Ok(by_reboot(survey, Some(format!("reboots, as it refuses a switch: {why}")))),
    }
}

fn by_reboot(survey: &Survey, remark: Option<String>) -> Way {
    match survey.unguarded.as_deref().map(crate::text::plain) {
        None => Way { mode: Mode::Reboot, then: Then::Nothing, remark, unguarded: None },
        Some(why) => Way { mode: Mode::Boot, then: Then::Reboots, remark, unguarded: Some(why) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_has_its_way() {
        use OnInhibitor::{Boot as Stage, Fail, Reboot};
        let cases = [
            // Asked for, policy, refuses a switch, unguarded: the order, what follows, remark, unguarded.
            (Mode::Reboot, Fail, false, false, Some((Mode::Reboot, Then::Nothing, false, false))),
            (Mode::Reboot, Fail, true, false, Some((Mode::Reboot, Then::Nothing, false, false))),
            (Mode::Reboot, Fail, false, true, Some((Mode::Boot, Then::Reboots, false, true))),
            (Mode::Switch, Reboot, false, true, Some((Mode::Switch, Then::Nothing, false, false))),
            (Mode::Switch, Fail, true, false, None),
            (Mode::Switch, Stage, true, false, Some((Mode::Boot, Then::Waits, true, false))),
            (Mode::Switch, Reboot, true, false, Some((Mode::Reboot, Then::Nothing, true, false))),
            (Mode::Switch, Reboot, true, true, Some((Mode::Boot, Then::Reboots, true, true))),
            (Mode::Test, Reboot, true, true, Some((Mode::Test, Then::Nothing, false, false))),
            (Mode::Boot, Reboot, true, true, Some((Mode::Boot, Then::Nothing, false, false))),
        ];
        for (mode, policy, refuses, unguarded, expected) in cases {
            let said = |it: bool| it.then(|| "because".to_owned());
            let survey = Survey { refused: said(refuses), unguarded: said(unguarded) };
            let found = choose(mode, policy, &survey).ok();
            let found = found.map(|way| (way.mode, way.then, way.remark.is_some(), way.unguarded.is_some()));
            assert_eq!(found, expected, "{mode:?} {policy:?} {survey:?}");
        }
    }
}
