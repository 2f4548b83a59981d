//! The functions of a Python file, found by indentation; enough to count their lines.

use super::source::Function;

/// Every `def`, with the number of lines below its signature.
pub(crate) fn functions(text: &str) -> Vec<Function> {
    let lines = logical_lines(text);
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = defined(line.text) else { continue };
        let body = lines[index + 1..].iter().take_while(|next| next.indent > line.indent);
        let last = body.last().map_or(line.last, |body| body.last);
        let body_lines = Some(last - line.last);
        found.push(Function { name: name.to_owned(), line: line.first, body_lines, parameters: 0 });
    }
    found
}

/// The name behind `def`.
fn defined(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ")?;
    rest.split(['(', '[', ':']).next().map(str::trim)
}

/// A statement that may run over several lines, because a bracket or a long string is open.
struct LogicalLine<'a> {
    /// The first line without its indentation.
    text: &'a str,
    indent: usize,
    /// Lines count from one.
    first: usize,
    last: usize,
}

/// Blank lines and comments belong to no logical line.
fn logical_lines(text: &str) -> Vec<LogicalLine<'_>> {
    let mut found: Vec<LogicalLine<'_>> = Vec::new();
    let mut state = State::default();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let starts = state.is_complete();
        state.read(trimmed);
        if !starts {
            found.last_mut().into_iter().for_each(|open| open.last = index + 1);
        } else if !trimmed.is_empty() && !trimmed.starts_with('#') {
            let indent = line.len() - trimmed.len();
            found.push(LogicalLine { text: trimmed, indent, first: index + 1, last: index + 1 });
        }
    }
    found
}

/// What is still open at the end of a line.
#[derive(Default)]
struct State {
    brackets: usize,
    /// The quotes that end the string we are in.
    string: Option<&'static str>,
}

/// Longer quotes first, so that `"""` is not read as `""` and `"`.
const QUOTES: [&str; 4] = ["\"\"\"", "'''", "\"", "'"];

impl State {
    fn is_complete(&self) -> bool {
        self.brackets == 0 && self.string.is_none()
    }

    fn read(&mut self, line: &str) {
        let mut rest = line;
        while let Some(next) = rest.chars().next() {
            rest = match self.string {
                Some(end) => self.read_string(rest, end),
                None if next == '#' => break,
                None => self.read_code(rest, next),
            };
        }
    }

    /// Reads up to the end of the string, or of the line.
    fn read_string<'a>(&mut self, rest: &'a str, end: &str) -> &'a str {
        if let Some(after) = rest.strip_prefix(end) {
            self.string = None;
            return after;
        }
        let width = if rest.starts_with('\\') { 2 } else { 1 };
        skip(rest, width)
    }

    fn read_code<'a>(&mut self, rest: &'a str, next: char) -> &'a str {
        match next {
            '(' | '[' | '{' => self.brackets += 1,
            ')' | ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
            _ => self.string = QUOTES.into_iter().find(|quotes| rest.starts_with(quotes)),
        }
        skip(rest, self.string.map_or(1, str::len))
    }
}

/// What follows the first `count` characters.
fn skip(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or("", |(end, _)| &text[end..])
}

#[cfg(test)]
mod tests {
    use super::functions;

    const TEXT: &str = r##"
def one(
    a,
):
    text = """
def no():
"""
    return {  # (
        "a": 'it\'s (',
    }

# between
class C:
    async def two(self):
        # comment

        def three(): pass
        return 1

    def four(self):
        return "#", '''
  x'''
after()
"##;

    #[test]
    fn bodies_end_where_the_indentation_does() {
        let found: Vec<_> =
            functions(TEXT).into_iter().map(|one| (one.name, one.line, one.body_lines.unwrap())).collect();
        let expected = [("one", 2, 6), ("two", 14, 4), ("three", 17, 0), ("four", 20, 2)];
        assert_eq!(found, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
    }
}
