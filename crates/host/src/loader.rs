//! What this host would boot, by its boot loader's own files and variables.

use activate::{BootDefault, Fault};
use order::SystemPath;
use store::store_path::StoreDir;
use system::{
    boot::{self, EfiVariables, Encoding},
    tree::Below,
};

use crate::{chain, paths, tree::Files};

/// Where the kernel shows the firmware's variables.
const EFIVARS: &str = "/sys/firmware/efi/efivars";

/// What is booted again and again, as the loader's own files and variables say.
#[must_use]
pub fn boot_default() -> BootDefault {
    let unreadable = |why: String| BootDefault::Unreadable { why: Fault::new(why) };
    let found = EfiVariables::read(&Below::new(&Files, EFIVARS), Encoding::Firmware)
        .and_then(|variables| boot::boot_default(&Below::new(&Files, paths::BOOT), &variables));
    match found.map(|boot| boot.default) {
        Ok(boot::BootDefault::NoLoader) => BootDefault::None,
        Ok(boot::BootDefault::Unreadable { why }) => unreadable(why.to_string()),
        Ok(boot::BootDefault::System { system, .. }) => SystemPath::parse(&StoreDir::default(), &system)
            .map_or_else(|error| unreadable(chain(&error)), BootDefault::System),
        Err(error) => unreadable(chain(&error)),
    }
}
