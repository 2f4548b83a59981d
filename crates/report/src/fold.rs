//! From reports to what is known of a host.

use order::{Mode, SystemPath};

use crate::{CauseKind, Deployed, Extent, HostResult, HostStatus, Report, Timestamp, What};

/// What is known of one host from all reports about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// What the host last said of itself, and when.
    pub seen: Option<(Timestamp, HostStatus)>,
    /// Since when nobody reaches it, and the newest reason.
    pub unreachable: Option<(Timestamp, String)>,
    /// The last deploy, and when it ended.
    pub deployed: Option<(Timestamp, Deployed)>,
    /// The system that the last deploy wanted the host to run for good: of mode `switch`, `boot` or
    /// `reboot`, and one whose order
    /// the host took (however the activation ended, or if it has not ended) or that found all done already. So a host
    /// that was rolled back is out of step with what was wanted. What was only built, pushed, tried with `test` or
    /// `dry-activate`, or failed before the host took its order changes nothing.
    pub expected: Option<SystemPath>,
}

impl Known {
    /// Folds reports about one host, oldest first.
    #[must_use]
    pub fn fold<'r>(reports: impl IntoIterator<Item = &'r Report>) -> Self {
        reports.into_iter().fold(Self::default(), Self::with)
    }

    /// What is known after one more report.
    #[must_use]
    pub fn with(mut self, report: &Report) -> Self {
        match &report.what {
            What::Seen(status) => {
                self.unreachable = None;
                self.seen = Some((report.at, (**status).clone()));
            }
            What::Unreachable { why } => self.lose(report.at, why),
            What::Deployed(deployed) => {
                if reached(&deployed.result) {
                    self.unreachable = None;
                }
                if let Some(why) = not_back(&deployed.result) {
                    self.lose(report.at, why);
                }
                if deployed.system.is_some() && lasts(deployed) {
                    self.expected.clone_from(&deployed.system);
                }
                if deployed.extent != Extent::Reboot {
                    self.deployed = Some((report.at, deployed.clone()));
                }
            }
        }
        self
    }
}

impl Known {
    fn lose(&mut self, at: Timestamp, why: &str) {
        let since = self.unreachable.take().map_or(at, |(since, _)| since);
        self.unreachable = Some((since, why.to_owned()));
    }
}

/// Why the host is away, if it went down for a reboot and did not come back.
fn not_back(result: &HostResult) -> Option<&str> {
    match result {
        HostResult::Failed { cause, .. } if cause.kind == CauseKind::NotBack => Some(&cause.text),
        _ => None,
    }
}

/// Whether the host answered, and took what it was given.
fn reached(result: &HostResult) -> bool {
    matches!(result, HostResult::AlreadyThere | HostResult::Activated(_) | HostResult::Pending { .. })
}

/// Whether the deploy says what the host is to run from then on.
fn lasts(deployed: &Deployed) -> bool {
    deployed.extent == Extent::Activate
        && matches!(deployed.mode, Mode::Switch | Mode::Boot | Mode::Reboot)
        && (reached(&deployed.result) || not_back(&deployed.result).is_some())
}
