//! Tables for people: columns as wide as they must be, in the width that there is.

use console::measure_text_width;

use crate::{
    style::{Style, paint},
    text::fit,
};

/// Spaces between two columns.
const GAP: &str = "  ";
/// A column that has to give way keeps at least so much.
const LEAST: usize = 8;

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    is_right: bool,
    gives_way: bool,
}

impl Column {
    /// Text, aligned left.
    pub(crate) const fn text(title: &'static str) -> Self {
        Self { title, is_right: false, gives_way: false }
    }

    /// Text that is cut where the terminal is too narrow.
    pub(crate) const fn flexible(title: &'static str) -> Self {
        Self { gives_way: true, ..Self::text(title) }
    }

    /// A number, aligned right.
    pub(crate) const fn number(title: &'static str) -> Self {
        Self { is_right: true, ..Self::text(title) }
    }
}

/// What stands in one field: text without control characters, and how it looks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Styled text.
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), style: Style::Plain }
    }
}

/// Columns and rows.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// One more row, a cell for each column.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// The lines of the table without their ends; none if it has no rows. Columns in which every field is empty are left out. With a width,
    /// flexible columns are cut until the lines fit, if they can.
    pub(crate) fn lines(&self, width: Option<usize>, color: bool) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let widths = self.widths(width);
        let used: Vec<usize> = (0..self.columns.len()).filter(|index| widths[*index] > 0).collect();
        let titles: Vec<Cell> =
            self.columns.iter().map(|column| Cell::styled(column.title, Style::Dim)).collect();
        let line = |cells: &Vec<Cell>| {
            let fields = used.iter().map(|index| self.field(*index, &cells[*index], widths[*index], color));
            fields.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        std::iter::once(&titles).chain(&self.rows).map(line).collect()
    }

    /// One field. Only text is painted, never the spaces around it.
    fn field(&self, index: usize, cell: &Cell, width: usize, color: bool) -> String {
        let text = fit(&cell.text, width);
        let missing = " ".repeat(width.saturating_sub(measure_text_width(&text)));
        let painted = paint(&text, cell.style, color);
        if self.columns[index].is_right { missing + &painted } else { painted + &missing }
    }

    fn widths(&self, total: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns.len()).map(|index| self.natural(index)).collect();
        let Some(total) = total else { return widths };
        let gaps = widths.iter().filter(|width| **width > 0).count().saturating_sub(1) * GAP.len();
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(total);
        while excess > 0 {
            // The widest of those that give way gives first.
            let gives = |index: &usize| self.columns[*index].gives_way && widths[*index] > LEAST;
            let Some(widest) = (0..widths.len()).filter(gives).max_by_key(|index| widths[*index]) else {
                break;
            };
            widths[widest] -= 1;
            excess -= 1;
        }
        widths
    }

    /// The width that a column wants; 0 if it is empty.
    fn natural(&self, index: usize) -> usize {
        let widest = self.rows.iter().map(|row| measure_text_width(&row[index].text)).max().unwrap_or(0);
        if widest == 0 { 0 } else { widest.max(self.columns[index].title.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns =
            [Column::text("HOST"), Column::number("BYTES"), Column::text("NOTE"), Column::flexible("WHY")];
        let mut table = Table::new(columns);
        table.row([
            "web1".into(),
            "12 B".into(),
            "".into(),
            "a long reason that does not fit everywhere".into(),
        ]);
        table.row(["database-1".into(), "1.0 MB".into(), "".into(), Cell::styled("höher", Style::Bad)]);
        table
    }

    #[test]
    fn columns_fit_and_empty_ones_are_left_out() {
        let wide = [
            "HOST         BYTES  WHY",
            "web1          12 B  a long reason that does not fit everywhere",
            "database-1  1.0 MB  höher",
        ];
        assert_eq!(table().lines(None, false), wide);
        assert_eq!(table().lines(Some(200), false), wide);
        let narrow = table().lines(Some(40), false);
        assert_eq!(narrow[1], "web1          12 B  a long reason that …");
        assert_eq!(table().lines(Some(10), false)[1], "web1          12 B  a long …", "what must be, stays");
    }

    #[test]
    fn only_text_is_painted() {
        let lines = table().lines(None, true);
        assert_eq!(lines[2], "database-1  1.0 MB  \u{1b}[31mhöher\u{1b}[0m");
    }
}
