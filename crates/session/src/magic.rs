//! The magic: where the agent's own words begin after whatever a login shell has printed.

/// What an agent writes first.
pub const MAGIC: &[u8; 16] = b"\0lockstep-agent\0";
/// Most bytes that may stand before the magic.
pub const MAX_NOISE: usize = 64 << 10;

/// Looks for [`MAGIC`] in a stream that comes in pieces.
#[derive(Debug, Default)]
pub struct MagicScanner {
    noise: Vec<u8>,
}

/// What a piece of the stream brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Scan {
    /// Not yet there.
    More,
    /// There it was: what stood before it, and what of this piece comes after.
    Found {
        /// Bytes before the magic.
        noise: Vec<u8>,
        /// Bytes after it.
        rest: Vec<u8>,
    },
    /// More than [`MAX_NOISE`] bytes without it.
    TooMuch,
}

impl MagicScanner {
    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) -> Scan {
        let from = self.noise.len().saturating_sub(MAGIC.len());
        self.noise.extend_from_slice(piece);
        let found = self.noise[from..].windows(MAGIC.len()).position(|window| window == MAGIC);
        if let Some(start) = found.map(|at| at + from) {
            let rest = self.noise.split_off(start + MAGIC.len());
            self.noise.truncate(start);
            return Scan::Found { noise: std::mem::take(&mut self.noise), rest };
        }
        if self.noise.len() > MAX_NOISE { Scan::TooMuch } else { Scan::More }
    }

    /// What came so far.
    #[must_use]
    pub fn noise(&self) -> &[u8] {
        &self.noise
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn endless_noise_is_given_up() {
        let mut scanner = MagicScanner::default();
        assert_eq!(scanner.push(&[b'x'; MAX_NOISE]), Scan::More);
        assert_eq!(scanner.push(b"x"), Scan::TooMuch);
    }

    proptest! {
        #[test]
        fn the_magic_is_found_in_pieces_of_any_size(noise in "[a-z\0]{0,40}", rest in "[a-z]{0,20}", size in 1_usize..30) {
            let stream = [noise.as_bytes(), MAGIC, rest.as_bytes()].concat();
            let mut scanner = MagicScanner::default();
            let mut pieces = stream.chunks(size);
            let (before, mut after) = loop {
                match scanner.push(pieces.next().expect("the magic is there")) {
                    Scan::More => {}
                    Scan::Found { noise, rest } => break (noise, rest),
                    Scan::TooMuch => panic!("short"),
                }
            };
            after.extend(pieces.flatten());
            prop_assert_eq!(before, noise.as_bytes());
            prop_assert_eq!(after, rest.as_bytes());
        }
    }
}
