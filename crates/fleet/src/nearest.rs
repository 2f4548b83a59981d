//! The nearest of the names that would have been right.

use strsim::osa_distance;

/// Longest text for which a nearest name is looked for, in bytes.
const MAX_TEXT: usize = 100;

/// The candidate that is most like `text`, if one is like it at all.
pub(crate) fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let lower = text.to_lowercase();
    // A third of the letters may differ.
    let limit = (text.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(text.len()) <= limit)
        .map(|candidate| (osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        let keys = ["confirmTimeout", "checks", "tags", "user", "port"];
        for (text, expected) in [
            ("confirmTimout", Some("confirmTimeout")),
            ("confirm_timeout", Some("confirmTimeout")),
            ("CHECKS", Some("checks")),
            ("tag", Some("tags")),
            ("prot", Some("port")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, keys), expected, "{text}");
        }
    }
}
