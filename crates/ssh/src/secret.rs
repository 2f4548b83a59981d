//! A password on its way from the operator to sudo.

use std::fmt;
use std::hint::black_box;

use crate::address::Address;

/// A password. It is never printed, and overwritten when it is dropped.
pub struct Secret(Vec<u8>);

/// Asks the operator; `None` if there is nobody to ask, or who does not want to. Called at most once for each start.
pub type Ask<'a> = dyn FnMut(&PasswordRequest) -> Option<Secret> + 'a;

/// Whose password is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRequest {
    /// Where.
    pub address: Address,
    /// The command line that needs it, for people.
    pub command: String,
}

impl Secret {
    /// The password: all up to the first line break, since sudo reads one line.
    #[must_use]
    pub fn new(text: String) -> Self {
        let mut secret = Self(text.into_bytes());
        let end = secret.0.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(secret.0.len());
        secret.0[end..].fill(0);
        secret.0.truncate(end);
        secret
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // So that the compiler does not take the zeros for a store that nobody reads.
        black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_one_line_and_not_printed() {
        for (text, kept) in [("pass word", "pass word"), ("a\nb", "a"), ("a\r\n", "a"), ("", ""), ("\n", "")]
        {
            let secret = Secret::new(text.to_owned());
            assert_eq!(secret.bytes(), kept.as_bytes());
            assert_eq!(format!("{secret:?}"), "Secret");
        }
    }
}
