//! The table of crates in `docs/architecture.md`: the one place that says what a crate is and whom it may know.

/// What a crate may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Values in, values out.
    Pure,
    /// A library that touches the world.
    Effects,
    /// A program for users.
    Binary,
    /// For those who work on the product; never part of it.
    Development,
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "pure" => Some(Self::Pure),
            "effects" => Some(Self::Effects),
            "binary" => Some(Self::Binary),
            "development" => Some(Self::Development),
            _ => None,
        }
    }

    /// Whether users get to run it.
    pub(crate) fn is_product(self) -> bool {
        self != Self::Development
    }
}

/// One crate of the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The crates of ours that it may depend on.
    pub(crate) knows: Vec<String>,
    /// Its line in the document, from one.
    pub(crate) line: usize,
}

/// What the document says.
pub(crate) struct Architecture {
    pub(crate) rows: Vec<Row>,
    /// Lines of the table that say nothing tidy understands.
    pub(crate) unclear: Vec<usize>,
    /// The crates that may contain `unsafe`.
    pub(crate) may_be_unsafe: Vec<String>,
}

impl Architecture {
    /// Where the table is.
    pub(crate) const PATH: &str = "docs/architecture.md";

    /// The header that the table is known by.
    pub(crate) const HEADER: [&str; 4] = ["crate", "kind", "one line", "knows (ours)"];

    /// The words that introduce the crates with `unsafe`; they stand at the beginning of a line.
    pub(crate) const UNSAFE_NOTE: &str = "Crates that may use `unsafe`:";

    /// Reads the document.
    pub(crate) fn parse(text: &str) -> Self {
        let mut found = Self { rows: Vec::new(), unclear: Vec::new(), may_be_unsafe: Vec::new() };
        let mut in_table = false;
        for (index, line) in text.lines().enumerate() {
            if let Some(names) = line.strip_prefix(Self::UNSAFE_NOTE) {
                found.may_be_unsafe = backticked(names);
            }
            match cells(line) {
                Some(cells) if in_table => found.read_row(&cells, index + 1),
                Some(cells) => in_table = cells == Self::HEADER,
                None => in_table = false,
            }
        }
        found
    }

    /// The row of a crate.
    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// A row is a crate, the name of a group (all other cells empty), or the rule below the header.
    fn read_row(&mut self, cells: &[&str], line: usize) {
        let is_rule = cells.iter().all(|cell| !cell.is_empty() && cell.trim_matches(['-', ':']).is_empty());
        let is_group = cells.iter().skip(1).all(|cell| cell.is_empty());
        if is_rule || is_group {
            return;
        }
        match parse_row(cells, line) {
            Some(row) => self.rows.push(row),
            None => self.unclear.push(line),
        }
    }
}

fn parse_row(cells: &[&str], line: usize) -> Option<Row> {
    let [name, kind, sentence, knows] = cells else { return None };
    let name = name.strip_prefix('`')?.strip_suffix('`')?.to_owned();
    let knows_nothing = *knows == "-";
    let knows = backticked(knows);
    if sentence.is_empty() || knows.is_empty() != knows_nothing {
        return None;
    }
    Some(Row { name, kind: Kind::parse(kind)?, knows, line })
}

/// The cells of a table's line.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// The words between backticks.
fn backticked(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{Architecture, Kind};

    const TEXT: &str = "\
# Architecture
| other | table |
|---|---|
| `x` | y |

| crate | kind | one line | knows (ours) |
|---|---|---|---|
| *words* | | | |
| `store` | pure | words | - |
| `daemon` | effects | protocol | `store`, `run` |
| `odd` | strange | a kind that does not exist | - |
| `mute` | pure | | - |
| `vague` | pure | knows neither nothing nor names | store |

Crates that may use `unsafe`: `lab`, `run`.
| `late` | pure | outside the table | - |
";

    #[test]
    fn the_table_is_read_and_nothing_else() {
        let found = Architecture::parse(TEXT);
        let rows: Vec<_> = found
            .rows
            .iter()
            .map(|row| (row.name.as_str(), row.kind, row.knows.join(" "), row.line))
            .collect();
        assert_eq!(
            rows,
            [("store", Kind::Pure, String::new(), 9), ("daemon", Kind::Effects, "store run".to_owned(), 10)]
        );
        assert_eq!(found.unclear, [11, 12, 13]);
        assert_eq!(found.may_be_unsafe, ["lab", "run"]);
    }
}
