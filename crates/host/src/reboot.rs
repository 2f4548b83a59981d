//! Rebooting, whatever still answers: by systemd, which stops the services, or by the kernel, which asks nobody.

use std::{
    fs::File,
    io,
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use activate::Fault;
use order::SystemPath;
use run::Command;
use rustix::{
    fs::{sync, syncfs},
    system::{RebootCommand, reboot as ask_kernel},
};

use crate::{chain, links, manager, paths};

/// How long systemd may take to stop everything before the kernel is asked.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long writing to disks may take: a file system whose server is gone takes for ever.
const SYNC: Duration = Duration::from_secs(10);
/// How long `systemctl` may take to say that the reboot has begun.
const ASK: Duration = Duration::from_secs(15);
/// What must be on its disk before the power goes: the journal, the boot entries, the rest of the system.
const OURS: [&str; 4] = [paths::STATE, paths::BOOT, "/efi", "/"];

/// Reboots this host, with the `systemctl` of `tools`, or that of the running system if `tools` has none; when systemd
/// has not done it after `patience`, or cannot even be asked, by `reboot(2)`. Returns only if that failed too.
///
/// Works in emergency mode, where `systemctl` needs no D-Bus, and with a process 1 that has crashed or is stopped.
#[must_use]
pub fn reboot(tools: &SystemPath, patience: Duration) -> Fault {
    flush();
    let asked = manager::pulse().map_err(|trouble| Fault::new(chain(&trouble)));
    let asked = asked.and_then(|()| {
        let tools = tools.clone();
        within(ASK, move || ask_systemd(&tools))?
    });
    if asked.is_ok() {
        // Whoever has rebooted us does not let us wake up.
        thread::sleep(patience);
        flush();
    }
    let why = match asked {
        Ok(()) => format!("systemd has not rebooted the host within {} s", patience.as_secs()),
        Err(fault) => format!("systemd could not be asked to reboot the host ({fault})"),
    };
    match ask_kernel(RebootCommand::Restart) {
        Ok(()) => Fault::new(format!("{why}, and the kernel says that it has and has not")),
        Err(error) => Fault::new(format!("{why}, and the kernel refuses to: {}", io::Error::from(error))),
    }
}

/// `systemctl reboot`. Neither a kernel that was loaded for `kexec` nor another root may come in place of a boot, and
/// nobody who would rather keep the host up is asked: the decision has fallen.
fn ask_systemd(tools: &SystemPath) -> Result<(), Fault> {
    let systemctl = links::program_of(tools, "systemd/bin/systemctl");
    let there = std::path::Path::new(&systemctl).exists();
    let systemctl = if there { systemctl } else { links::running_program("systemd/bin/systemctl") };
    let command = Command::new(systemctl)
        .args(["--no-wall", "--no-ask-password", "--no-block", "-i", "reboot"])
        .env("SYSTEMCTL_SKIP_AUTO_KEXEC", "1")
        .env("SYSTEMCTL_SKIP_AUTO_SOFT_REBOOT", "1")
        .timeout(ASK);
    command.run().map(drop).map_err(|error| Fault::new(chain(&error)))
}

/// Writes to the disks what is in memory, for a while: ours first, then all.
fn flush() {
    // What could not be written in time is lost; the journal syncs itself.
    let _unwritten = within(SYNC, || {
        for place in OURS {
            let _not_there = File::open(place).map(syncfs);
        }
        sync();
    });
}

/// Does something in a thread of its own, and leaves it to itself when its time is over.
fn within<T: Send + 'static>(limit: Duration, act: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    let (sender, receiver) = sync_channel(1);
    let started = thread::Builder::new().spawn(move || drop(sender.send(act())));
    started.map_err(|error| Fault::new(format!("no thread can be started: {error}")))?;
    receiver.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => Fault::new(format!("it was not done after {} s", limit.as_secs())),
        RecvTimeoutError::Disconnected => Fault::new("it broke off"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_left_to_itself() {
        assert_eq!(within(Duration::from_secs(60), || 7), Ok(7));
        let (_held, waits) = sync_channel::<()>(0);
        let late = within(Duration::from_millis(20), move || waits.recv().is_ok()).map(drop);
        assert_eq!(late, Err(Fault::new("it was not done after 0 s")));
    }
}
