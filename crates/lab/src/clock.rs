//! A host's own clock. All hosts share one kernel and so one clock; a host is given another by preloading
//! libfaketime into what it starts. Statically linked programs do not see it, and programs started over
//! ssh see their monotonic clock moved too.

use anyhow::Result;

use crate::host::Host;

/// Keeps the library from moving the monotonic clock, by which systemd's own tools wait.
pub(crate) const KEEP_MONOTONIC: &str = "FAKETIME_DONT_FAKE_MONOTONIC=1";

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// Sets the wall clock for every program started from now on.
pub(crate) fn set(host: &Host<'_>, time: &str) -> Result<()> {
    host.run(["test", "-e", LIBRARY])?;
    host.run(["systemctl", "set-environment", KEEP_MONOTONIC])?;
    host.write("/etc/faketimerc", format!("@{time}\n"))?;
    host.write("/etc/ld.so.preload", format!("{LIBRARY}\n"))
}
