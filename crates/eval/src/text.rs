//! What Nix prints, made fit for people: no escape codes, bounded, the heart of an error first.

/// Bytes of the heart of an error that are kept.
const HEART: usize = 4 << 10;
/// Bytes of the end of what Nix printed that are kept.
pub(crate) const TAIL: usize = 16 << 10;
/// Names of an attribute that are kept.
const DEEPEST: usize = 32;
/// Bytes of one line that are kept.
pub(crate) const LINE: usize = 2 << 10;

/// What Nix said when it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What went wrong, without the trace that led there: one line or several.
    pub heart: String,
    /// The attribute of the answer that could not be had, from the outside in; empty if it is not one.
    pub attribute: Vec<String>,
    /// The end of everything that was printed.
    pub tail: String,
}

impl Words {
    /// Finds the heart in what was printed. `end` says how the process ended, for one that said nothing.
    pub(crate) fn new(printed: &str, end: &str) -> Self {
        let printed = plain(printed);
        let tail = keep_end(printed.trim_end(), TAIL);
        let heart = heart(&printed).unwrap_or_else(|| match printed.trim_end().lines().next_back() {
            Some(last) if !last.trim().is_empty() => format!("{} ({end})", last.trim()),
            _ => format!("nothing was said ({end})"),
        });
        Self { heart: keep_start(&heart, HEART), attribute: attribute(&printed), tail }
    }
}

/// The text behind the last `error:`, up to the end. Nix prints the trace before it; the position and the
/// lines of the source behind it stay.
fn heart(printed: &str) -> Option<String> {
    let lines: Vec<_> = printed.lines().collect();
    let is_error = |line: &&str| line.trim_start().starts_with("error:");
    // The first line of a long error is an `error:` of its own, with nothing behind it but the trace.
    let at = lines.iter().rposition(is_error)?;
    let indent = lines[at].len() - lines[at].trim_start().len();
    let first = lines[at].trim_start().trim_start_matches("error:").trim();
    let rest = lines[at + 1..].iter().map(|line| dedent(line, indent));
    let all = std::iter::once(first.to_owned()).chain(rest).collect::<Vec<_>>().join("\n");
    let all = all.trim_matches('\n').trim_end();
    (!all.is_empty()).then(|| all.to_owned())
}

/// The attributes that Nix was in while it wrote the answer, as the trace tells them if it is a whole one.
fn attribute(printed: &str) -> Vec<String> {
    let name = |line: &str| {
        let line = line.trim_start().trim_start_matches("… ");
        let name = line.strip_prefix("while evaluating attribute '")?.trim_end().strip_suffix('\'')?;
        Some(keep_start(name, LINE))
    };
    printed.lines().filter_map(name).take(DEEPEST).collect()
}

fn dedent(line: &str, indent: usize) -> String {
    let blank = line.len() - line.trim_start_matches(' ').len();
    line[blank.min(indent)..].trim_end().to_owned()
}

/// The text as [`daemon::plain`] text; a tab becomes four spaces.
pub(crate) fn plain(text: &str) -> String {
    daemon::plain(text).replace('\t', "    ")
}

/// At most `limit` bytes from the start, cut between characters.
pub(crate) fn keep_start(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(limit)])
}

/// At most `limit` bytes from the end, cut between lines if there are lines.
fn keep_end(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let start = text.ceil_char_boundary(text.len() - limit);
    let cut = &text[start..];
    cut.split_once('\n').map_or(cut, |(_, rest)| rest).to_owned()
}

#[cfg(test)]
mod tests;
