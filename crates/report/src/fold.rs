//! From reports to what is known of a host.

use order::SystemPath;

use crate::{Deployed, HostResult, HostStatus, Report, Timestamp, What};

/// What is known of one host from all reports about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// What the host last said of itself, and when.
    pub seen: Option<(Timestamp, HostStatus)>,
    /// Since when nobody reaches it, and the newest reason.
    pub unreachable: Option<(Timestamp, String)>,
    /// The last deploy, and when it ended.
    pub deployed: Option<(Timestamp, Deployed)>,
    /// The system that the last deploy wanted the host to run for good.
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
            What::Unreachable { why } => {
                let since = self.unreachable.map_or(report.at, |(since, _)| since);
                self.unreachable = Some((since, why.clone()));
            }
            What::Deployed(deployed) => {
                if reached(&deployed.result) {
                    self.unreachable = None;
                }
                if deployed.system.is_some() {
                    self.expected.clone_from(&deployed.system);
                }
                self.deployed = Some((report.at, deployed.clone()));
            }
        }
        self
    }
}

fn reached(result: &HostResult) -> bool {
    matches!(result, HostResult::AlreadyThere | HostResult::Activated(_) | HostResult::Pending { .. })
}
