//! The order that one host is given.

use fleet::Member;
use order::{HostName, Mode, Nonce, OnFailure, Order, OrderId};
use session::Hello;
use store::store_path::StorePath;

use crate::{BeginError, Manner};

/// Random bytes for one order.
pub(crate) struct Dice {
    id: [u8; 20],
    nonce: [u8; 32],
}

impl Dice {
    /// Bytes of the system's generator.
    pub(crate) fn roll() -> Result<Self, BeginError> {
        let mut dice = Self { id: [0; 20], nonce: [0; 32] };
        getrandom::fill(&mut dice.id).map_err(BeginError::Random)?;
        getrandom::fill(&mut dice.nonce).map_err(BeginError::Random)?;
        Ok(dice)
    }
}

/// The order for this host to run this system, as far as the host has told of itself.
pub(crate) fn make(
    dice: &Dice,
    (host, member): (&HostName, &Member),
    hello: &Hello,
    (system, mode): (&StorePath, Mode),
    manner: Manner,
) -> Order {
    let mut settings = member.settings.clone();
    if let Some(confirm) = manner.confirm_timeout {
        settings.limits.confirm = confirm;
    }
    if manner.no_rollback {
        settings.on_failure = OnFailure::Keep;
    }
    Order {
        id: OrderId::from_random(dice.id),
        nonce: Nonce::from_random(dice.nonce),
        host: host.clone(),
        system: system.clone(),
        mode,
        after: hello.last.clone(),
        agent: hello.path.clone(),
        settings,
    }
}
