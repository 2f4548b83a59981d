//! The menu in a `grub.cfg`, read line by line.

use super::Entry;

/// Deepest submenu in a submenu.
const MAX_DEPTH: usize = 8;

/// What a `grub.cfg` shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Menu {
    /// What the last `set default=` says that has nothing to do with an entry for one boot; empty if none does.
    pub(super) default: String,
    /// Whether an entry for one boot is looked at: `next_entry` of the environment block.
    pub(super) takes_once: bool,
    /// Entries and submenus in order.
    pub(super) nodes: Vec<Node>,
}

/// An entry or a submenu.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Something to boot; the id of the entry is its position.
    Entry { names: Names, entry: Entry },
    /// Further entries.
    Submenu { title: String, names: Names, nodes: Vec<Node> },
}

/// What names a node besides its position.
pub(super) type Names = Vec<String>;

impl Node {
    pub(super) fn is_named(&self, name: &str) -> bool {
        let (Self::Entry { names, .. } | Self::Submenu { names, .. }) = self;
        names.iter().any(|known| known == name)
    }
}

/// A block that is open while lines are read.
enum Open {
    Entry {
        names: Names,
        entry: Entry,
    },
    Submenu {
        title: String,
        names: Names,
        nodes: Vec<Node>,
    },
    /// A function, or anything else in braces.
    Other,
}

impl Menu {
    /// Reads all that is understood; other lines are passed over.
    pub(super) fn parse(text: &str) -> Self {
        let mut menu = Self::default();
        let mut open: Vec<Open> = Vec::new();
        for line in text.lines().map(str::trim) {
            menu.takes_once |= line.starts_with("set default=") && line.contains("next_entry");
            if let Some(value) = line.strip_prefix("set default=") {
                if !line.contains("next_entry") {
                    menu.default = words(value).into_iter().next().unwrap_or_default();
                }
            } else if line == "}" {
                menu.close(&mut open);
            } else if line.ends_with('{') {
                open.push(menu.open(line, &open));
            } else if let Some(Open::Entry { entry, .. }) = open.last_mut() {
                set(entry, line);
            }
        }
        // What was not closed was not written to its end; GRUB refuses all of it.
        menu
    }

    /// The nodes of the innermost submenu that is open, and its position with a `>`.
    fn level<'a>(&'a self, open: &'a [Open]) -> (String, &'a [Node]) {
        let mut position = String::new();
        let mut nodes = self.nodes.as_slice();
        for block in open {
            if let Open::Submenu { nodes: inner, .. } = block {
                position = format!("{position}{}>", nodes.len());
                nodes = inner;
            }
        }
        (position, nodes)
    }

    fn open(&self, line: &str, open: &[Open]) -> Open {
        let words = words(line.trim_end_matches('{'));
        let title = words.get(1).cloned().unwrap_or_default();
        let names: Names = [title.clone()].into_iter().chain(id_of(&words)).collect();
        match words.first().map(String::as_str) {
            Some("menuentry") => {
                let (above, nodes) = self.level(open);
                let entry = Entry { id: format!("{above}{}", nodes.len()), ..Entry::default() };
                Open::Entry { names, entry }
            }
            Some("submenu") if open.len() < MAX_DEPTH => Open::Submenu { title, names, nodes: Vec::new() },
            _ => Open::Other,
        }
    }

    fn close(&mut self, open: &mut Vec<Open>) {
        let node = match open.pop() {
            Some(Open::Entry { names, entry }) => Node::Entry { names, entry },
            Some(Open::Submenu { title, names, nodes }) => Node::Submenu { title, names, nodes },
            Some(Open::Other) | None => return,
        };
        let around = open.iter_mut().rev().find_map(|block| match block {
            Open::Submenu { nodes, .. } => Some(nodes),
            Open::Entry { .. } | Open::Other => None,
        });
        around.unwrap_or(&mut self.nodes).push(node);
    }
}

/// The word after `--id` or `$menuentry_id_option`.
fn id_of(words: &[String]) -> Option<String> {
    let option = words.iter().position(|word| matches!(word.as_str(), "--id" | "$menuentry_id_option"))?;
    words.get(option + 1).cloned()
}

/// A command in an entry.
fn set(entry: &mut Entry, line: &str) {
    let mut words = words(line).into_iter();
    match words.next().as_deref() {
        Some("linux" | "linux16" | "linuxefi") => {
            entry.kernel = words.next();
            entry.options = words.collect();
        }
        Some("initrd" | "initrd16" | "initrdefi") => entry.initrds = words.collect(),
        // Xen is started in place of Linux, which is its first module.
        Some("module" | "module2") if entry.kernel.is_none() => {
            entry.kernel = words.next();
            entry.options = words.collect();
        }
        _ => {}
    }
}

/// The words of a line: quotes hold spaces, a backslash takes the next character as it is.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(characters.next()),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(end)) if c == end => quote = None,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests;
