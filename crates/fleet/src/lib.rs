//! What the operator wrote, as one checked fleet.
//!
//! A description is read by one cheap evaluation into JSON: the names of all configurations, and the attribute set
//! `lockstep` if there is one. [`Index::parse`] makes a [`Fleet`] of it, or says all that is wrong, each error with the
//! path of the attribute. Settings are split at once: how a host is reached ([`Reach`]), where its system is built
//! ([`BuildOn`]), whether it may substitute ([`Substitute`]), and `order::Settings`, the only ones that travel.
//!
//! A [`Selector`] says which hosts are meant, [`select`] finds them, and [`order_waves`] says in which order they are
//! activated. What can be set is declared once, in [`table`]; the reference page and the JSON schema come from there.

mod address;
mod argv;
mod error;
mod gateways;
mod member;
mod nearest;
mod origin;
mod path;
mod reference;
mod selector;
mod show;
mod ssh_option;
pub mod table;
mod tag;
mod wire;

pub use address::{Address, AddressError, Addresses, SshAddress, SshUser};
pub use argv::{Argv, WebUrl};
pub use error::{Problem, SettingError, SettingErrors};
pub use gateways::order_waves;
pub use member::{
    BuildOn, Delivery, Elevation, Fleet, Index, LeftOut, Member, OnInhibitor, OnResult, Reach, Reboots,
    RunSettings, Substitute,
};
pub use origin::{Origin, Origins};
pub use path::AttrPath;
pub use reference::reference_page;
pub use selector::{SelectError, Selector, SelectorError, SelectorProblem, Unmatched, select};
pub use show::{Shown, show};
pub use ssh_option::{SshOption, SshOptionError};
pub use tag::{Tag, TagError};
pub use wire::{MAX_HOSTS, MAX_INDEX, schema};
