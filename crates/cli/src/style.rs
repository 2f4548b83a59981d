//! The few ways in which text is set apart, with or without colour.

use console::Style as Ansi;

/// What a piece of text says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Style {
    /// Nothing.
    #[default]
    Plain,
    /// All is well.
    Good,
    /// Something wants attention.
    Warn,
    /// Something failed.
    Bad,
    /// Not important.
    Dim,
    /// A heading.
    Strong,
}

/// The text in its style, if colours are wanted.
pub(crate) fn paint(text: &str, style: Style, color: bool) -> String {
    let ansi = match style {
        _ if !color || text.is_empty() => return text.to_owned(),
        Style::Plain => return text.to_owned(),
        Style::Good => Ansi::new().green(),
        Style::Warn => Ansi::new().yellow(),
        Style::Bad => Ansi::new().red(),
        Style::Dim => Ansi::new().dim(),
        Style::Strong => Ansi::new().bold(),
    };
    ansi.force_styling(true).apply_to(text).to_string()
}
