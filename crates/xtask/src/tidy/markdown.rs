//! What a Markdown text names: code spans and link targets, fenced code apart.

/// Something named on a line, which counts from one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// The texts between backticks.
pub(crate) fn code_spans(text: &str) -> Vec<Named<'_>> {
    let spans = |line| split_code(line).skip(1).step_by(2);
    prose(text).flat_map(|(number, line)| spans(line).map(move |text| Named { text, line: number })).collect()
}

/// The targets of `[text](target)` and of `[label]: target`.
pub(crate) fn link_targets(text: &str) -> Vec<Named<'_>> {
    let targets = |line| inline_targets(line).chain(reference_target(line));
    prose(text)
        .flat_map(|(number, line)| targets(line).map(move |text| Named { text, line: number }))
        .collect()
}

fn inline_targets(line: &str) -> impl Iterator<Item = &str> {
    let in_prose = split_code(line).step_by(2);
    let behind_brackets = in_prose.flat_map(|prose| prose.split("](").skip(1));
    behind_brackets.filter_map(|rest| rest.split(')').next()?.split_whitespace().next())
}

fn reference_target(line: &str) -> Option<&str> {
    let (_, target) = line.strip_prefix('[')?.split_once("]: ")?;
    target.split_whitespace().next()
}

/// Prose and code in turn, prose first.
fn split_code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`')
}

/// The lines outside of fenced code, numbered from one.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        let in_fence = fence.is_some();
        match (fence, mark) {
            (None, Some(_)) => fence = mark,
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        (!in_fence && mark.is_none()).then_some((index + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::{Named, code_spans, link_targets};

    const TEXT: &str = "\
See `a/b` and `c`, [one](docs/one.md) and [two](two.md#part \"title\").
```sh
`not/this` [nor](this.md)
~~~
```
[three]: three.md
`[four](four.md)` [five](five.md)
";

    fn flat<'a>(named: &[Named<'a>]) -> Vec<(&'a str, usize)> {
        named.iter().map(|one| (one.text, one.line)).collect()
    }

    #[test]
    fn spans_and_links_outside_of_fences() {
        assert_eq!(flat(&code_spans(TEXT)), [("a/b", 1), ("c", 1), ("[four](four.md)", 7)]);
        let links = [("docs/one.md", 1), ("two.md#part", 1), ("three.md", 6), ("five.md", 7)];
        assert_eq!(flat(&link_targets(TEXT)), links);
    }
}
