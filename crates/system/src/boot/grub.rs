//! GRUB: `grub/grub.cfg` as NixOS's installer writes it, and the environment block `grub/grubenv`.
//!
//! `grub.cfg` is a script. What is understood is what installers write: `set default=`, entries, submenus. What would
//! have to be run to be known is said to be [`Unreadable::Computed`].

mod menu;

use std::collections::BTreeMap;

use super::{Boot, BootDefault, Loader, MAX_CONFIG, Unreadable, exists, init::Entry};
use crate::{
    text::excerpt,
    tree::{ReadError, Tree, if_present},
};
use menu::{Menu, Node};

const LOADER: Loader = Loader::Grub;
/// The first line of an environment block, which is 1024 bytes long.
const SIGNATURE: &str = "# GRUB Environment Block\n";

pub(super) fn read(boot: &dyn Tree) -> Result<Boot, ReadError> {
    const PATH: &str = "/grub/grub.cfg";
    let bytes = if_present(PATH, boot.read_file(PATH, MAX_CONFIG))?.unwrap_or_default();
    let menu = Menu::parse(&String::from_utf8_lossy(&bytes));
    let environment = read_environment(boot)?;
    let variable = |name: &str| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let once = variable("next_entry").map(|wanted| menu.pick(wanted));
    let default = match menu.default.as_str() {
        "${saved_entry}" | "$saved_entry" => menu.pick(variable("saved_entry").unwrap_or("0")),
        computed if computed.contains('$') => {
            Err(Unreadable::Computed { loader: LOADER, what: format!("set default={}", excerpt(computed)) })
        }
        constant => menu.pick(constant),
    };
    Ok(Boot {
        default: checked(boot, default)?,
        one_shot: once.map(|found| checked(boot, found)).transpose()?,
    })
}

/// The variables of the environment block; a block that GRUB would refuse has none.
fn read_environment(boot: &dyn Tree) -> Result<BTreeMap<String, String>, ReadError> {
    const PATH: &str = "/grub/grubenv";
    let bytes = if_present(PATH, boot.read_file(PATH, MAX_CONFIG))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let Some(lines) = text.strip_prefix(SIGNATURE) else { return Ok(BTreeMap::new()) };
    let pairs = lines.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), unescaped(value))).collect())
}

/// A backslash stands before backslashes and line breaks in values.
fn unescaped(value: &str) -> String {
    let mut characters = value.chars();
    let mut plain = String::new();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    plain
}

impl Menu {
    /// The entry that a position (`1>0`), a path of titles or ids names. GRUB takes the first entry for what is none.
    fn pick(&self, wanted: &str) -> Result<&Entry, Unreadable> {
        let bad = |names: &str| Unreadable::BadDefault { loader: LOADER, names: excerpt(names) };
        match find(&self.nodes, wanted).or(self.nodes.first()) {
            Some(Node::Entry { entry, .. }) => Ok(entry),
            Some(Node::Submenu { title, .. }) => Err(bad(title)),
            None => Err(Unreadable::NoEntries(LOADER)),
        }
    }
}

/// Follows a path; a title may itself contain `>`, doubled in what names it.
fn find<'a>(nodes: &'a [Node], wanted: &str) -> Option<&'a Node> {
    let (here, below) = split_path(wanted);
    let by_name = nodes.iter().find(|node| node.is_named(&here));
    let node = by_name.or_else(|| here.parse::<usize>().ok().and_then(|position| nodes.get(position)))?;
    match (below, node) {
        (None, node) => Some(node),
        (Some(below), Node::Submenu { nodes, .. }) => find(nodes, below),
        (Some(_), Node::Entry { .. }) => None,
    }
}

/// The first component of a path without its doubled `>`, and the rest.
fn split_path(path: &str) -> (String, Option<&str>) {
    let mut component = String::new();
    let mut characters = path.char_indices().peekable();
    while let Some((position, c)) = characters.next() {
        if c == '>' && characters.next_if(|(_, next)| *next == '>').is_none() {
            return (component, path.get(position + 1..));
        }
        component.push(c);
    }
    (component, None)
}

/// The entry, if the files that it names on the boot file system are there.
fn checked(boot: &dyn Tree, found: Result<&Entry, Unreadable>) -> Result<BootDefault, ReadError> {
    let unreadable = |why| Ok(BootDefault::Unreadable { why });
    let entry = match found {
        Ok(entry) => entry,
        Err(why) => return unreadable(why),
    };
    for file in entry.kernel.iter().chain(&entry.initrds) {
        if !may_exist(boot, file)? {
            return unreadable(Unreadable::MissingFile { entry: excerpt(&entry.id), file: excerpt(file) });
        }
    }
    Ok(entry.system(LOADER))
}

/// Whether a file is there, as far as can be seen: `($drive1)/kernels/x` may lie below `/boot` or be `/boot/kernels/x`
/// of the root file system, in a btrfs subvolume or not. Files in the store are another file system's.
fn may_exist(boot: &dyn Tree, file: &str) -> Result<bool, ReadError> {
    let path = file.split_once(')').map_or(file, |(_, path)| path);
    if path.contains("/store/") || path.contains('$') {
        return Ok(true);
    }
    let mut rest = path.trim_start_matches('/');
    loop {
        if exists(boot, "", rest)? {
            return Ok(true);
        }
        match rest.split_once('/') {
            Some((_, below)) => rest = below.trim_start_matches('/'),
            None => return Ok(false),
        }
    }
}
