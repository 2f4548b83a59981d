//! Shell globs as boot loaders match them: `*`, `?` and `[...]`.

/// Whether `pattern` fits all of `text`. Letters are compared as they are; fold both before.
///
/// Takes time in the product of both lengths at most, whatever the pattern.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where the last star stands, and how much of the text it has swallowed.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, seen));
            at += 1;
        } else if let Some(next) = one(&pattern, at, text[seen]) {
            (at, seen) = (next, seen + 1);
        } else if let Some((position, swallowed)) = star {
            star = Some((position, swallowed + 1));
            (at, seen) = (position + 1, swallowed + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// Where the pattern goes on if what stands at `at` fits `c`.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => match set(pattern, at, c) {
            Some((true, end)) => Some(end),
            Some((false, _)) => None,
            None => (c == '[').then_some(at + 1),
        },
        literal => (*literal == c).then_some(at + 1),
    }
}

/// Whether the set at `at` has `c`, and where it ends; `None` if it has no end and is a bracket only.
fn set(pattern: &[char], at: usize, c: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(at + 1), Some('!' | '^'));
    let first = at + 1 + usize::from(negated);
    let end = (first + 1..pattern.len()).find(|end| pattern[*end] == ']')?;
    let (mut found, mut index) = (false, first);
    while index < end {
        if index + 2 < end && pattern[index + 1] == '-' {
            found |= (pattern[index]..=pattern[index + 2]).contains(&c);
            index += 3;
        } else {
            found |= pattern[index] == c;
            index += 1;
        }
    }
    Some((found != negated, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_texts() {
        let cases = [
            ("nixos-*", "nixos-generation-1", true),
            ("nixos-*", "nixos-", true),
            ("nixos-*", "xnixos-1", false),
            ("*-1", "nixos-1-1", true),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[ab]x", "bx", true),
            ("[!ab]x", "bx", false),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[]]x", "]x", true),
            ("[ab", "[ab", true),
            ("[", "[", true),
            ("a*b*c", "a12b34c", true),
            ("a*b*c", "a12b34", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!matches(&format!("{}b", "*a".repeat(50)), &"a".repeat(5000)));
    }
}
