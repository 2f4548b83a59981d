//! The activation's effects on a real machine: profile, switch, units, guard, boot default, roots, lock.
//!
//! Crate `activate` decides; [`Machine`] does, with the programs of the systems themselves and never with those that
//! happen to stand in a search path.

mod back;
mod cgroup;
mod chain;
mod check;
mod checks;
mod clock;
pub mod contact;
mod efivars;
mod guard;
mod holders;
mod http;
mod job;
mod journal;
mod links;
mod loader;
mod lock;
mod log;
mod machine;
pub mod manager;
mod mounts;
pub mod network;
pub mod once;
pub mod paths;
mod profile;
mod programs;
pub mod reboot;
mod roots;
mod runtime;
mod settle;
mod snapshot;
mod space;
mod started;
mod survey;
mod tree;
pub mod trial;
pub mod units;

pub use chain::chain;
pub use check::{Unfit, check, host_platform};
pub use checks::all as try_checks;
pub use clock::BootClock;
pub use guard::{Sentry, is_there as guard_is_there};
pub use job::{run_job, service_lives, start_service, start_service_quickly};
pub use journal::FileJournal;
pub use links::{booted, profile, program_of, running, system_at};
pub use loader::boot_default;
pub use lock::Lock;
pub use machine::{Machine, Role, Wish};
pub use programs::operators_command;
pub use roots::{own_path, root_agent, unroot_agent};
pub use runtime::{keep_log, make_runtime, tidy_runtime, write_private};
pub use snapshot::snapshot;
pub use space::{free_boot, free_bytes};
pub use survey::{Survey, survey};
pub use tree::Files;
