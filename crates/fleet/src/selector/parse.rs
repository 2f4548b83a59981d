//! Reads selectors: precedence climbing over characters, every error with its place.

use std::{iter::Peekable, str::CharIndices};

use super::{Expression, Pattern, Selector, SelectorError, SelectorProblem};

/// Deepest nesting of parentheses and `!`.
pub(super) const MAX_DEPTH: usize = 100;
/// Longest pattern in bytes.
const MAX_PATTERN: usize = 253;
/// Longest selector in bytes; a list of lines may have as many lines as it likes.
const MAX_TEXT: usize = 64 << 10;

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// If the text is not one; the error knows the place.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut parser = Parser { text, rest: text.char_indices().peekable(), depth: 0 };
        parser.whole().map(Self).map_err(|(at, problem)| {
            let at = text.get(..at).map_or(0, |before| before.chars().count());
            SelectorError { text: text.to_owned(), line: None, at, problem }
        })
    }

    /// Reads selectors, one on each line: every host that one of them means. Empty lines and what follows a `#`
    /// are passed over.
    ///
    /// # Errors
    /// If a line is not a selector, or if there is none.
    pub fn from_lines(text: &str) -> Result<Self, SelectorError> {
        let mut selectors = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split_once('#').map_or(line, |(before, _)| before);
            if !line.trim().is_empty() {
                let in_line = |error| SelectorError { line: Some(index + 1), ..error };
                selectors.push(Self::parse(line).map_err(in_line)?);
            }
        }
        let empty =
            || SelectorError { text: String::new(), line: None, at: 0, problem: SelectorProblem::Empty };
        Self::any(selectors).ok_or_else(empty)
    }
}

/// Where in bytes, and what.
type Failure = (usize, SelectorProblem);

struct Parser<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    depth: usize,
}

impl Parser<'_> {
    fn whole(&mut self) -> Result<Expression, Failure> {
        if self.text.len() > MAX_TEXT {
            return Err((0, SelectorProblem::TooLong(MAX_TEXT)));
        }
        if self.peek().is_none() {
            return Err((0, SelectorProblem::Empty));
        }
        let expression = self.any()?;
        match self.peek() {
            None => Ok(expression),
            Some(')') => Err(self.fail(SelectorProblem::Close)),
            Some(next) if next == '@' || is_of_pattern(next) || "!([".contains(next) => {
                Err(self.fail(SelectorProblem::NoOperator))
            }
            Some(other) => Err(self.fail(SelectorProblem::Character(other))),
        }
    }

    /// Alternatives with `,` between them.
    fn any(&mut self) -> Result<Expression, Failure> {
        self.list(',', Self::all, Expression::Or)
    }

    /// Conditions with `&` between them.
    fn all(&mut self) -> Result<Expression, Failure> {
        self.list('&', Self::one, Expression::And)
    }

    fn list(
        &mut self,
        between: char,
        item: fn(&mut Self) -> Result<Expression, Failure>,
        kind: fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression, Failure> {
        let mut items = vec![item(self)?];
        while self.peek() == Some(between) {
            self.rest.next();
            items.push(item(self)?);
        }
        Expression::join(items, kind).ok_or_else(|| self.fail(SelectorProblem::NoPattern))
    }

    /// A pattern, a negation or a parenthesis.
    fn one(&mut self) -> Result<Expression, Failure> {
        match self.peek() {
            Some('!') => self.nested(|parser| {
                parser.rest.next();
                Ok(Expression::Not(Box::new(parser.one()?)))
            }),
            Some('(') => self.nested(Self::parenthesis),
            _ => self.pattern(),
        }
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Expression, Failure>) -> Result<Expression, Failure> {
        if self.depth == MAX_DEPTH {
            return Err(self.fail(SelectorProblem::Depth));
        }
        self.depth += 1;
        let expression = inner(self)?;
        self.depth -= 1;
        Ok(expression)
    }

    fn parenthesis(&mut self) -> Result<Expression, Failure> {
        let begin = self.at();
        self.rest.next();
        let expression = self.any()?;
        match self.peek() {
            Some(')') => {
                self.rest.next();
                Ok(expression)
            }
            None => Err((begin, SelectorProblem::Open)),
            Some(next) if next == '@' || is_of_pattern(next) || "!([".contains(next) => {
                Err(self.fail(SelectorProblem::NoOperator))
            }
            Some(other) => Err(self.fail(SelectorProblem::Character(other))),
        }
    }

    fn pattern(&mut self) -> Result<Expression, Failure> {
        let is_tag = self.peek() == Some('@');
        if is_tag {
            self.rest.next();
        }
        let begin = self.here();
        while let Some((at, next)) = self.rest.peek().copied() {
            match next {
                '[' => self.class(at)?,
                next if is_of_pattern(next) => {
                    self.rest.next();
                }
                next if is_end(next) => break,
                other => return Err((at, SelectorProblem::Character(other))),
            }
        }
        let text = self.text.get(begin..self.here()).unwrap_or_default();
        if text.is_empty() {
            return Err((begin, SelectorProblem::NoPattern));
        }
        if text.len() > MAX_PATTERN {
            return Err((begin, SelectorProblem::TooLong(MAX_PATTERN)));
        }
        let pattern = Pattern::new(is_tag, text).ok_or((begin, SelectorProblem::Glob))?;
        Ok(Expression::Pattern(pattern))
    }

    /// `[...]`; a `]` directly behind `[`, `[!` or `[^` belongs to it.
    fn class(&mut self, begin: usize) -> Result<(), Failure> {
        self.rest.next();
        self.rest.next_if(|(_, next)| "!^".contains(*next));
        self.rest.next_if(|(_, next)| *next == ']');
        loop {
            match self.rest.next() {
                None => return Err((begin, SelectorProblem::Class)),
                Some((_, ']')) => return Ok(()),
                Some((_, inside)) if is_of_pattern(inside) && !"*?".contains(inside) => {}
                Some((at, other)) => return Err((at, SelectorProblem::Character(other))),
            }
        }
    }

    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|(_, next)| next.is_whitespace()).is_some() {}
        self.rest.peek().map(|(_, next)| *next)
    }

    /// Where the next character that is no space stands.
    fn at(&mut self) -> usize {
        self.peek();
        self.here()
    }

    fn here(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn fail(&mut self, problem: SelectorProblem) -> Failure {
        (self.at(), problem)
    }
}

/// What names, tags and globs are made of, classes apart.
fn is_of_pattern(next: char) -> bool {
    next.is_ascii_alphanumeric() || "._-*?".contains(next)
}

fn is_end(next: char) -> bool {
    next.is_whitespace() || ",&!()@".contains(next)
}
