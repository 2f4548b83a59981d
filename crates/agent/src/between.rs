//! What stands between an activation and the machine that it acts on. In the product that is nothing; the lab's own
//! build of the agent stops there.

use activate::{Host, Journal, Watch};

/// Wraps what the roles `own`, `resume` and `guard` hand to the driver loop.
pub trait Between {
    /// Around the machine of an owner.
    fn host<H: Host>(&self, host: H) -> impl Host;

    /// Around the machine of a guard.
    fn sentry<H: Host + Watch>(&self, sentry: H) -> impl Host + Watch;

    /// Around the journal of either.
    fn journal<J: Journal>(&self, journal: J) -> impl Journal;
}

/// Nothing: the product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nothing;

impl Between for Nothing {
    fn host<H: Host>(&self, host: H) -> impl Host {
        host
    }

    fn sentry<H: Host + Watch>(&self, sentry: H) -> impl Host + Watch {
        sentry
    }

    fn journal<J: Journal>(&self, journal: J) -> impl Journal {
        journal
    }
}
