//! GRUB: `grub/grub.cfg` as NixOS's installer writes it, and the environment block `grub/grubenv`.
//!
//! `grub.cfg` is a script. What is understood is what installers write: `set default=`, entries, submenus. What would
//! have to be run to be known is said to be [`Unreadable::Computed`].

mod menu;

use std::collections::BTreeMap;

use super::{Boot, BootDefault, Loader, MAX_CONFIG, NoEntry, OnceEntry, Unreadable, exists, init::Entry};
use crate::{
    text::excerpt,
    tree::{ReadError, Tree, if_present},
};
use menu::{Menu, Node};

const LOADER: Loader = Loader::Grub;
/// Longest path of titles that is written into an environment block.
const MAX_TITLES: usize = 300;
/// The first line of an environment block, which is 1024 bytes long.
const SIGNATURE: &str = "# GRUB Environment Block\n";

pub(super) fn read(boot: &dyn Tree) -> Result<Boot, ReadError> {
    let menu = read_menu(boot)?;
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

fn read_menu(boot: &dyn Tree) -> Result<Menu, ReadError> {
    const PATH: &str = "/grub/grub.cfg";
    let bytes = if_present(PATH, boot.read_file(PATH, MAX_CONFIG))?.unwrap_or_default();
    Ok(Menu::parse(&String::from_utf8_lossy(&bytes)))
}

/// What the environment block asks to be booted next and once, as it is written there: for whoever takes it back.
///
/// # Errors
/// If the block cannot be read.
pub fn next_entry(boot: &dyn Tree) -> Result<Option<String>, ReadError> {
    Ok(read_environment(boot)?.remove("next_entry").filter(|entry| !entry.is_empty()))
}

/// Whether the configuration boots `next_entry` of the environment block.
pub(super) fn takes_once(boot: &dyn Tree) -> Result<bool, ReadError> {
    Ok(read_menu(boot)?.takes_once)
}

/// What `next_entry` must be to boot the system once: the first entry that does.
pub(super) fn entry_for(boot: &dyn Tree, system: &str) -> Result<Result<OnceEntry, NoEntry>, ReadError> {
    let menu = read_menu(boot)?;
    let mut ways = Vec::new();
    list_ways(&menu.nodes, &Way::default(), &mut ways);
    let mut broken = None;
    for (way, entry) in ways {
        if entry.system(LOADER).system() != Some(system) {
            continue;
        }
        match checked(boot, Ok(entry))? {
            BootDefault::Unreadable { why } => broken = broken.or(Some(NoEntry::Broken(why))),
            _ => {
                let entry = if way.is_clear(&menu, entry) { way.titles } else { way.positions };
                return Ok(Ok(OnceEntry { loader: LOADER, entry }));
            }
        }
    }
    Ok(Err(broken.unwrap_or(NoEntry::NotListed(LOADER))))
}

/// Two names of an entry: joined with `>`, by position and by title.
#[derive(Debug, Clone, Default)]
struct Way {
    positions: String,
    titles: String,
}

impl Way {
    fn below(&self, position: usize, title: &str) -> Self {
        let join = |above: &str, name: &str| match above {
            "" => name.to_owned(),
            above => format!("{above}>{name}"),
        };
        Self {
            positions: join(&self.positions, &position.to_string()),
            titles: join(&self.titles, &title.replace('>', ">>")),
        }
    }

    /// Whether the titles name this entry and no other: they stay true when the menu is written anew, positions do not.
    /// What begins with a digit is a position to GRUB, and the block with the variables is short.
    fn is_clear(&self, menu: &Menu, entry: &Entry) -> bool {
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '$' | '#') || c == ' ';
        self.titles.len() <= MAX_TITLES
            && self.titles.chars().all(plain)
            && self.titles.split('>').all(|title| title.starts_with(|c: char| c.is_ascii_alphabetic()))
            && find(&menu.nodes, &self.titles).is_some_and(
                |node| matches!(node, Node::Entry { entry: found, .. } if std::ptr::eq(found, entry)),
            )
    }
}

/// Every entry of the menu with its ways.
fn list_ways<'a>(nodes: &'a [Node], above: &Way, ways: &mut Vec<(Way, &'a Entry)>) {
    for (position, node) in nodes.iter().enumerate() {
        match node {
            Node::Entry { names, entry } => {
                ways.push((above.below(position, names.first().map_or("", String::as_str)), entry));
            }
            Node::Submenu { title, nodes, .. } => list_ways(nodes, &above.below(position, title), ways),
        }
    }
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
