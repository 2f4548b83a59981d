//! Finds the one prompt that we gave sudo in what comes over standard error.

/// Looks for a text in a stream, however the stream is cut into pieces; everything else passes through.
#[derive(Debug)]
pub(crate) struct Scanner {
    text: Vec<u8>,
    /// For each length of a match: the longest shorter beginning of the text that is also its end.
    fallback: Vec<usize>,
    /// How much of the text has been seen and held back.
    matched: usize,
}

impl Scanner {
    /// Looks for `text`; an empty text is never found.
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut fallback = vec![0; text.len()];
        let mut length = 0;
        for at in 1..text.len() {
            while length > 0 && text[at] != text[length] {
                length = fallback[length - 1];
            }
            length += usize::from(text[at] == text[length]);
            fallback[at] = length;
        }
        Self { text: text.to_vec(), fallback, matched: 0 }
    }

    /// Takes the next piece: adds to `passed` all that is not the text, returns how often the text ended in it.
    pub(crate) fn push(&mut self, piece: &[u8], passed: &mut Vec<u8>) -> usize {
        if self.text.is_empty() {
            passed.extend_from_slice(piece);
            return 0;
        }
        let mut found = 0;
        for &byte in piece {
            while self.matched > 0 && self.text[self.matched] != byte {
                let shorter = self.fallback[self.matched - 1];
                passed.extend_from_slice(&self.text[..self.matched - shorter]);
                self.matched = shorter;
            }
            if self.text[self.matched] == byte {
                self.matched += 1;
            } else {
                passed.push(byte);
            }
            if self.matched == self.text.len() {
                found += 1;
                self.matched = 0;
            }
        }
        found
    }

    /// The stream has ended: what was held back was no prompt.
    pub(crate) fn finish(&mut self, passed: &mut Vec<u8>) {
        passed.extend_from_slice(&self.text[..self.matched]);
        self.matched = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, proptest};

    use super::Scanner;

    /// What is found and what passes when the stream comes in pieces of these lengths, over and over.
    fn scan(text: &[u8], stream: &[u8], lengths: &[usize]) -> (usize, Vec<u8>) {
        let (mut scanner, mut passed, mut found) = (Scanner::new(text), Vec::new(), 0);
        let (mut rest, mut lengths) = (stream, lengths.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((*lengths.next().unwrap()).min(rest.len()));
            found += scanner.push(piece, &mut passed);
            rest = after;
        }
        scanner.finish(&mut passed);
        (found, passed)
    }

    /// The same, said simply, for a whole stream.
    fn expected(text: &[u8], stream: &[u8]) -> (usize, Vec<u8>) {
        let (mut found, mut passed, mut at) = (0, Vec::new(), 0);
        while at < stream.len() {
            if !text.is_empty() && stream[at..].starts_with(text) {
                found += 1;
                at += text.len();
            } else {
                passed.push(stream[at]);
                at += 1;
            }
        }
        (found, passed)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        // Two letters only, so that the text and its beginnings appear often.
        #[test]
        fn any_cutting_finds_the_same(text in "[ab]{0,5}", stream in "[ab]{0,60}", lengths in vec(1..9_usize, 1..9)) {
            let (text, stream) = (text.as_bytes(), stream.as_bytes());
            assert_eq!(scan(text, stream, &lengths), expected(text, stream));
        }
    }

    #[test]
    fn other_bytes_pass_in_order() {
        let (found, passed) = scan(b"ask-1f", b"hello\nask-ask-1fmore\xffask-1", &[1]);
        assert_eq!((found, passed.as_slice()), (1, &b"hello\nask-more\xffask-1"[..]));
    }
}
