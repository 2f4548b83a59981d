//! Where Lockstep and NixOS keep things on a host.

/// What must survive a reboot: the journal and the history. The one directory that every NixOS keeps.
pub const STATE: &str = "/nix/var/lockstep";
/// What must not: locks, sockets, logs and results of the running activation.
pub const RUN: &str = "/run/lockstep";
/// The roots of an activation's systems and agent.
pub const ROOTS: &str = "/nix/var/nix/gcroots/lockstep";
/// The journal: one record, the last activation's.
pub const JOURNAL: &str = "/nix/var/lockstep/journal.json";
/// A newer journal than that one, while that one cannot be written.
pub const JOURNAL_SHADOW: &str = "/run/lockstep/journal.json";
/// The logs of the last activations.
pub const LOGS: &str = "/nix/var/lockstep/logs";
/// The store path in work, kept over a broken connection.
pub const INCOMING: &str = "/nix/var/lockstep/incoming";
/// The ends of past activations, one on each line.
pub const HISTORY: &str = "/nix/var/lockstep/history.jsonl";
/// The owner's lock. It dies with its holder and has no other expiry.
pub const LOCK: &str = "/run/lockstep/lock";
/// Where the owner listens for confirmations.
pub const SOCKET: &str = "/run/lockstep/owner.socket";
/// When a session has begun last.
pub const CONTACT: &str = "/run/lockstep/contact";
/// The system that runs.
pub const RUNNING: &str = "/run/current-system";
/// Programs with rights of their own, such as `sudo`.
pub const WRAPPERS: &str = "/run/wrappers/bin";
/// The system that was booted.
pub const BOOTED: &str = "/run/booted-system";
/// The system profile.
pub const PROFILE: &str = "/nix/var/nix/profiles/system";
/// Where profiles and their generations are.
pub const PROFILES: &str = "/nix/var/nix/profiles";
/// The profile of a system that is tried by a reboot: loaders list it beside the generations of the system profile.
pub const TRIAL: &str = "/nix/var/nix/profiles/system-profiles/lockstep";
/// Where such further profiles and their generations are.
pub const TRIALS: &str = "/nix/var/nix/profiles/system-profiles";
/// The start unit: it takes up at boot what was begun before.
pub const START_UNIT: &str = "lockstep-boot.service";
/// Where the kernel shows the firmware's variables.
pub const EFIVARS: &str = "/sys/firmware/efi/efivars";
/// The boot file system.
pub const BOOT: &str = "/boot";
/// Where boot file systems are: with two of them (an EFI system partition and an extended one) at two of these.
pub const BOOTS: [&str; 3] = [BOOT, "/efi", "/boot/efi"];
/// The lock of `switch-to-configuration`, never deleted by us.
pub const SWITCH_LOCK: &str = "/run/nixos/switch-to-configuration.lock";
/// The folder of the lists that `switch-to-configuration` leaves for its next run.
pub const SWITCH_LISTS: &str = "/run/nixos";
/// The socket of Nix's daemon.
pub const NIX_DAEMON: &str = "/nix/var/nix/daemon-socket/socket";
