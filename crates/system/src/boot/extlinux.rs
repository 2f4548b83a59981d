//! `extlinux/extlinux.conf`, as U-Boot and syslinux read it.

use super::{Boot, BootDefault, Loader, MAX_CONFIG, Unreadable, exists, init::Entry};
use crate::{
    text::excerpt,
    tree::{ReadError, Tree, if_present},
};

const LOADER: Loader = Loader::Extlinux;
const FOLDER: &str = "/extlinux";

pub(super) fn read(boot: &dyn Tree) -> Result<Boot, ReadError> {
    const PATH: &str = "/extlinux/extlinux.conf";
    let bytes = if_present(PATH, boot.read_file(PATH, MAX_CONFIG))?.unwrap_or_default();
    let default = match parse(&String::from_utf8_lossy(&bytes)) {
        Ok(entry) => checked(boot, &entry)?,
        Err(why) => BootDefault::Unreadable { why },
    };
    Ok(Boot { default, one_shot: None })
}

/// The entry of the default label; keywords are the same in both cases of letters.
fn parse(text: &str) -> Result<Entry, Unreadable> {
    let mut default = None;
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines().map(str::trim) {
        let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let value = value.trim();
        match key.to_ascii_uppercase().as_str() {
            "DEFAULT" => default = Some(value.to_owned()),
            "INCLUDE" => return Err(Unreadable::Computed { loader: LOADER, what: excerpt(line) }),
            "LABEL" => entries.push(Entry { id: value.to_owned(), ..Entry::default() }),
            key => {
                if let Some(entry) = entries.last_mut() {
                    set(entry, key, value);
                }
            }
        }
    }
    // Without DEFAULT the first label counts.
    let Some(label) = default.or_else(|| entries.first().map(|entry| entry.id.clone())) else {
        return Err(Unreadable::NoEntries(LOADER));
    };
    let found = entries.into_iter().find(|entry| entry.id == label);
    found.ok_or(Unreadable::BadDefault { loader: LOADER, names: excerpt(&label) })
}

fn set(entry: &mut Entry, key: &str, value: &str) {
    match key {
        "LINUX" | "KERNEL" => entry.kernel = Some(value.to_owned()),
        "INITRD" => entry.initrds = value.split(',').map(str::to_owned).collect(),
        "APPEND" => entry.options = value.split_whitespace().map(str::to_owned).collect(),
        _ => {}
    }
}

/// The entry, if its kernel and initial ramdisk are there.
fn checked(boot: &dyn Tree, entry: &Entry) -> Result<BootDefault, ReadError> {
    let unreadable = |why| Ok(BootDefault::Unreadable { why });
    let Some(kernel) = &entry.kernel else {
        return unreadable(Unreadable::NoEntries(LOADER));
    };
    for file in entry.initrds.iter().chain([kernel]) {
        if !exists(boot, FOLDER, file)? {
            return unreadable(Unreadable::MissingFile { entry: excerpt(&entry.id), file: excerpt(file) });
        }
    }
    Ok(entry.system(LOADER))
}
