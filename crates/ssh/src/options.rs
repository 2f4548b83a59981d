//! More options for ssh, as the operator wrote them: a list, each item one argument.

/// Options of ssh(1) that take a value, which may be the next argument. (OpenSSH 10's synopsis.)
const WITH_VALUE: &str = "BbcDEeFIiJLlmoPpQRSWwO";
/// Options that would make it another kind of connection than ours: other sockets, background, no programs.
const NOT_OURS: &str = "fGMNnOQSsTtVWy";

/// Checked options for ssh. They come after ours, and ssh takes the first value that it finds, so they can change
/// what is left open (keys, jump hosts, ciphers, time limits), and not what we depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(Vec<String>);

/// An option that ssh would not take as one, or that is not the operator's to set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOption {
    /// A word that ssh would take for the host.
    #[error("the ssh option `{0}` does not begin with `-` and does not follow an option that takes a value")]
    NotAnOption(String),
    /// An option without its value.
    #[error("the ssh option `{0}` lacks its value; write the value as the next item of the list")]
    NoValue(String),
    /// An option that would break the connection that programs run over.
    #[error(
        "the ssh option `-{option}` in `{item}` cannot be used here: the connection itself is Lockstep's"
    )]
    NotYours {
        /// The letter.
        option: char,
        /// The item that holds it.
        item: String,
    },
}

impl Options {
    /// Checks a list such as `["-J", "jump", "-o", "ProxyCommand=nc %h %p"]`. Spaces within an item stay in it.
    pub fn new<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Result<Self, BadOption> {
        let items: Vec<String> = items.into_iter().map(Into::into).collect();
        let mut rest = items.iter();
        while let Some(item) = rest.next() {
            if takes_next(item)? && rest.next().is_none() {
                return Err(BadOption::NoValue(item.clone()));
            }
        }
        Ok(Self(items))
    }

    /// The arguments.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// Whether the value of the item's option is the next item. Several letters may share one item: `-4C`, `-4oA=b`.
fn takes_next(item: &str) -> Result<bool, BadOption> {
    let letters = item.strip_prefix('-').filter(|letters| !letters.is_empty() && !letters.starts_with('-'));
    let letters = letters.ok_or_else(|| BadOption::NotAnOption(item.to_owned()))?;
    for (at, option) in letters.char_indices() {
        if NOT_OURS.contains(option) {
            return Err(BadOption::NotYours { option, item: item.to_owned() });
        }
        if WITH_VALUE.contains(option) {
            return Ok(at + option.len_utf8() == letters.len());
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn a_list_of_options_is_kept_as_it_is() {
        let lists: [&[&str]; 5] = [
            &[],
            &["-o", "ProxyCommand=nc %h %p"],
            &["-4C", "-i", "/a key", "-J", "jump,other:2222"],
            &["-oCompression=yes", "-p2222", "-4oA=b"],
            &["-o", "-looks-like-an-option"],
        ];
        for list in lists {
            assert_eq!(Options::new(list.iter().copied()).unwrap().as_slice(), list);
        }
    }

    #[test]
    fn what_would_become_the_host_or_another_connection_is_refused() {
        let cases: [(&[&str], &str); 9] = [
            (&["ProxyCommand=nc %h %p"], "does not begin"),
            (&["-4", "web1"], "does not begin"),
            (&["-oA=b", "web1"], "does not begin"),
            (&["-", "x"], "does not begin"),
            (&["--"], "does not begin"),
            (&["-C", "-o"], "lacks its value"),
            (&["-f"], "`-f` in `-f`"),
            (&["-4M"], "`-M` in `-4M`"),
            (&["-S", "/tmp/x"], "`-S` in `-S`"),
        ];
        for (list, why) in cases {
            let error = Options::new(list.iter().copied()).unwrap_err().to_string();
            assert!(error.contains(why), "{list:?}: {error}");
        }
    }
}
