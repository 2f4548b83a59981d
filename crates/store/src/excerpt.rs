//! Foreign bytes in messages.

/// Bytes that an excerpt shows at most.
const SHOWN: usize = 256;

/// The first 256 of some foreign bytes for a message: printable, unprintable ones escaped, and with `…` behind them
/// if there are more.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let more = if shown.len() < bytes.len() { "…" } else { "" };
    format!("{}{more}", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_marked() {
        let cases = [
            (vec![], String::new()),
            (b"a\n\xff'".to_vec(), r"a\n\xff\'".to_owned()),
            (vec![b'x'; 256], "x".repeat(256)),
            (vec![b'x'; 257], "x".repeat(256) + "…"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(excerpt(&bytes), expected);
        }
    }
}
