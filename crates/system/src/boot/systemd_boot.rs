//! systemd-boot: `loader/loader.conf`, `loader/entries/*.conf` and unified images in `EFI/Linux`.

use std::cmp::Ordering;

use super::{
    Boot, BootDefault, EfiVariables, Loader, MAX_CONFIG, MAX_FILES, NoEntry, OnceEntry, Unreadable, exists,
    glob, init::Entry,
};
use crate::{
    text::excerpt,
    tree::{ReadError, Tree, if_present, list_names},
};

const LOADER: Loader = Loader::SystemdBoot;

/// An entry with what it is sorted by.
#[derive(Debug, Default)]
struct Sorted {
    entry: Entry,
    sort_key: String,
    machine_id: String,
    version: String,
    /// Boots that are left to it before it counts as bad.
    tries_left: Option<u64>,
}

/// What is in the menu.
struct Menu {
    /// In the order of the menu.
    entries: Vec<Sorted>,
    /// File names of unified kernel images, which stand somewhere between them.
    images: Vec<String>,
}

pub(super) fn read(boot: &dyn Tree, variables: &EfiVariables) -> Result<Boot, ReadError> {
    let menu = read_menu(boot)?;
    let configured = read_default(boot)?;
    let once = variables.one_shot.as_deref().and_then(|pattern| menu.find(pattern));
    Ok(Boot {
        default: checked(boot, menu.default(variables, configured.as_deref()))?,
        one_shot: once.map(|found| checked(boot, found)).transpose()?,
    })
}

/// What the one-shot variable must be to boot the system once: the id of the first entry that does.
pub(super) fn entry_for(boot: &dyn Tree, system: &str) -> Result<Result<OnceEntry, NoEntry>, ReadError> {
    let menu = read_menu(boot)?;
    let mut broken = None;
    for sorted in &menu.entries {
        let id = &sorted.entry.id;
        if sorted.entry.system(LOADER).system() != Some(system) {
            continue;
        }
        // The id is a pattern to the loader; what stands before it in the menu and fits too would be started.
        match checked(boot, menu.find(id).unwrap_or(Err(Unreadable::NoEntries(LOADER))))? {
            BootDefault::Unreadable { why } => broken = broken.or(Some(NoEntry::Broken(why))),
            found if found.system() == Some(system) => {
                return Ok(Ok(OnceEntry { loader: LOADER, entry: id.clone() }));
            }
            _ => {}
        }
    }
    Ok(Err(broken.unwrap_or(NoEntry::NotListed(LOADER))))
}

/// The default that moves with what is installed or booted: a pattern that the highest number wins, or what was booted
/// last. Nothing if one entry is named.
pub(super) fn moving_default(boot: &dyn Tree, variables: &EfiVariables) -> Result<Option<String>, ReadError> {
    let menu = read_menu(boot)?;
    let configured = read_default(boot)?;
    for pattern in [variables.default.as_deref(), configured.as_deref()].into_iter().flatten() {
        if pattern.contains(['*', '?', '[']) || pattern.starts_with('@') {
            return Ok(Some(excerpt(pattern)));
        }
        if menu.find(pattern).is_some() {
            return Ok(None);
        }
    }
    Ok(Some("*".to_owned()))
}

/// The pattern after `default` in `loader.conf`; as in systemd-boot the last one counts.
fn read_default(boot: &dyn Tree) -> Result<Option<String>, ReadError> {
    const PATH: &str = "/loader/loader.conf";
    let bytes = if_present(PATH, boot.read_file(PATH, MAX_CONFIG))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let last = settings(&text).filter(|(key, _)| *key == "default").last();
    Ok(last.map(|(_, value)| value.to_owned()))
}

/// Lines `key value`; comments and empty lines left out.
fn settings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().map(str::trim).filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (key, value) = line.split_once([' ', '\t'])?;
        Some((key, value.trim()))
    })
}

fn read_menu(boot: &dyn Tree) -> Result<Menu, ReadError> {
    let mut entries = Vec::new();
    for name in list_names(boot, "/loader/entries", MAX_FILES)?.unwrap_or_default() {
        let folded = name.to_lowercase();
        if folded.ends_with(".conf") && !folded.starts_with("auto-") && !folded.starts_with('.') {
            let path = format!("/loader/entries/{name}");
            let bytes = if_present(&path, boot.read_file(&path, MAX_CONFIG))?.unwrap_or_default();
            entries.extend(read_entry(boot, &name, &String::from_utf8_lossy(&bytes))?);
        }
    }
    entries.sort_by(menu_order);
    let mut images = list_names(boot, "/EFI/Linux", MAX_FILES)?.unwrap_or_default();
    images.retain(|name| name.to_lowercase().ends_with(".efi"));
    Ok(Menu { entries, images })
}

/// An entry that the menu shows: it has a kernel, and that file exists.
fn read_entry(boot: &dyn Tree, name: &str, text: &str) -> Result<Option<Sorted>, ReadError> {
    let (id, tries_left) = without_tries(name);
    let mut found = Sorted { tries_left, ..Sorted::default() };
    found.entry.id = id;
    for (key, value) in settings(text) {
        match key {
            "linux" => found.entry.kernel = Some(value.to_owned()),
            "initrd" => found.entry.initrds.push(value.to_owned()),
            "options" => found.entry.options.extend(value.split_whitespace().map(str::to_owned)),
            "sort-key" => value.clone_into(&mut found.sort_key),
            "machine-id" => value.clone_into(&mut found.machine_id),
            "version" => value.clone_into(&mut found.version),
            _ => {}
        }
    }
    match &found.entry.kernel {
        Some(kernel) if exists(boot, "", &slashes(kernel))? => Ok(Some(found)),
        _ => Ok(None),
    }
}

/// The id of an entry's file without boot counters (`x+3-1.conf`), and the tries that are left.
fn without_tries(name: &str) -> (String, Option<u64>) {
    let end = name.len().saturating_sub(".conf".len());
    let (stem, suffix) = name.split_at_checked(end).unwrap_or((name, ""));
    let counted = stem.rsplit_once('+').and_then(|(id, counters)| {
        let (left, done) = counters.split_once('-').unwrap_or((counters, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(left) && digits(done)).then(|| Some((id, left.parse().ok()?))).flatten()
    });
    match counted {
        Some((id, left)) => (format!("{id}{suffix}"), Some(left)),
        None => (name.to_owned(), None),
    }
}

/// EFI's own paths have backslashes.
fn slashes(file: &str) -> String {
    file.replace('\\', "/")
}

/// The entry, if what it needs besides its kernel is there.
fn checked(boot: &dyn Tree, found: Result<&Sorted, Unreadable>) -> Result<BootDefault, ReadError> {
    let entry = match found {
        Ok(sorted) => &sorted.entry,
        Err(why) => return Ok(BootDefault::Unreadable { why }),
    };
    for initrd in &entry.initrds {
        if !exists(boot, "", &slashes(initrd))? {
            let why = Unreadable::MissingFile { entry: excerpt(&entry.id), file: excerpt(initrd) };
            return Ok(BootDefault::Unreadable { why });
        }
    }
    Ok(entry.system(LOADER))
}

impl Menu {
    /// What boots if nothing was asked for once.
    fn default(&self, variables: &EfiVariables, configured: Option<&str>) -> Result<&Sorted, Unreadable> {
        for pattern in [variables.default.as_deref(), configured].into_iter().flatten() {
            let pattern = match (pattern.to_lowercase().as_str(), &variables.last_booted) {
                ("@saved", Some(last)) => last,
                ("@saved", None) => return Err(Unreadable::LastBootedUnknown),
                _ => pattern,
            };
            if let Some(found) = self.find(pattern) {
                return found;
            }
        }
        self.find("*").unwrap_or(Err(Unreadable::NoEntries(LOADER)))
    }

    /// The first entry that the pattern fits. An image that it fits too may stand before it, so nothing can be said.
    fn find(&self, pattern: &str) -> Option<Result<&Sorted, Unreadable>> {
        let pattern = pattern.trim().to_lowercase();
        let fits = |id: &str, suffix: &str| {
            let id = id.to_lowercase();
            glob::matches(&pattern, &id) || glob::matches(&pattern, id.strip_suffix(suffix).unwrap_or(&id))
        };
        if pattern.is_empty() {
            return None;
        }
        if let Some(image) =
            self.images.iter().find(|image| fits(&without_tries(image).0, ".efi") || fits(image, ".efi"))
        {
            return Some(Err(Unreadable::UnifiedImage { image: excerpt(image) }));
        }
        self.entries.iter().find(|sorted| fits(&sorted.entry.id, ".conf")).map(Ok)
    }
}

/// Boot Loader Specification, "Sorting": bad entries last, then by sort key, machine, version, and id.
fn menu_order(left: &Sorted, right: &Sorted) -> Ordering {
    let bad = |sorted: &Sorted| sorted.tries_left == Some(0);
    let keyless = |sorted: &Sorted| sorted.sort_key.is_empty();
    let first = (bad(left), keyless(left)).cmp(&(bad(right), keyless(right)));
    first
        .then_with(|| match keyless(left) {
            true => Ordering::Equal,
            false => (&left.sort_key, &left.machine_id)
                .cmp(&(&right.sort_key, &right.machine_id))
                .then_with(|| compare_versions(right.version.as_bytes(), left.version.as_bytes())),
        })
        .then_with(|| compare_versions(right.entry.id.as_bytes(), left.entry.id.as_bytes()))
        .then_with(|| right.tries_left.cmp(&left.tries_left))
}

/// The order of the UAPI Group's Version Format Specification: `~` before everything, the end before what is longer,
/// then the separators, runs of digits by value and runs of letters byte by byte. Other characters only separate.
fn compare_versions(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        (left, right) = (skip_others(left), skip_others(right));
        for mark in b"~-^." {
            if *mark != b'~' && (left.is_empty() || right.is_empty()) {
                return right.is_empty().cmp(&left.is_empty());
            }
            match (left.strip_prefix(&[*mark]), right.strip_prefix(&[*mark])) {
                (Some(after_left), Some(after_right)) => (left, right) = (after_left, after_right),
                (None, None) => {}
                (Some(_), None) => return Ordering::Less,
                (None, Some(_)) => return Ordering::Greater,
            }
        }
        let digits = [left, right].iter().any(|text| text.first().is_some_and(u8::is_ascii_digit));
        let (one, rest_left) = run(left, digits);
        let (other, rest_right) = run(right, digits);
        let order = if digits { by_value(one, other) } else { one.cmp(other) };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (rest_left, rest_right);
    }
}

fn skip_others(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| byte.is_ascii_alphanumeric() || b"~-^.".contains(byte));
    start.map_or(&[], |start| &text[start..])
}

fn run(text: &[u8], digits: bool) -> (&[u8], &[u8]) {
    let belongs = |byte: &u8| if digits { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
    text.split_at(text.iter().position(|byte| !belongs(byte)).unwrap_or(text.len()))
}

fn by_value(one: &[u8], other: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    let (one, other) = (&one[significant(one)..], &other[significant(other)..]);
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests;
