//! Real hosts to test on: systemd as init, OpenSSH, Nix with its own store, booted through a boot entry.
//!
//! A [`Lab`] is one keeper process in pid, mount and network namespaces of its own, with its hosts
//! inside. It ends with its owner: when the [`Lab`] is dropped, or the process that holds it dies in
//! whatever way, the keeper's standard input closes, the keeper ends, and the kernel ends everything
//! in its namespaces: processes, mounts, interfaces.
//!
//! | module | what it is for |
//! |---|---|
//! | [`Layout`] | where images and labs lie on the disk |
//! | [`preflight`] | what the machine must offer, each with what to do where it does not |
//! | [`image`] | the two images, built once and cached |
//! | [`keeper`] | what runs inside: hosts, their power, disks, network, firmware |
//! | [`wire`] | what the outside says to the keeper |
//! | [`Lab`], [`Host`] | the outside: what a scenario holds |

pub mod image;
pub mod keeper;
pub mod preflight;
pub mod wait;
pub mod wire;

mod clock;
mod host;
mod layout;
mod owner;
mod spec;

pub use self::host::{Host, Login};
pub use self::image::Suite;
pub use self::layout::{HostDir, LabDir, Layout};
pub use self::owner::{Builder, Lab};
pub use self::spec::{HostSpec, Loader, Spec};
