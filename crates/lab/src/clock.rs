//! A host's own clock. All hosts share one kernel and so one clock; a host is given another by preloading
//! libfaketime into what it starts. Statically linked programs do not see it.

use anyhow::Result;

use crate::host::Host;

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// Sets the wall clock for every program started from now on; the boot-time and monotonic clocks stay.
pub(crate) fn set(host: &Host<'_>, time: &str) -> Result<()> {
    host.run(["test", "-e", LIBRARY])?;
    host.write("/etc/faketimerc", format!("@{time}\n"))?;
    host.write("/etc/ld.so.preload", format!("{LIBRARY}\n"))
}
