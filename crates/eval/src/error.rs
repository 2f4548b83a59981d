//! Why an evaluation came to nothing.

use std::fmt;

use thiserror::Error;

use crate::{invoke::Failure, text::Words, wire::AnswerError};

/// What was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The names of the hosts and what is said of them: the index.
    Description,
    /// The system of the host with this name.
    Host(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Description => f.write_str("the description"),
            Self::Host(name) => write!(f, "host {name}"),
        }
    }
}

/// Why an evaluation came to nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// There is no `nix` that can be started.
    #[error("the program `nix` cannot be started; install Nix 2.18 or later, or put it into PATH")]
    NoNix {
        /// What the system said.
        source: run::Error,
    },
    /// The running `nix` was lost, or wrote more than can be believed.
    #[error("the evaluation of {subject} was lost")]
    Lost {
        /// What was evaluated.
        subject: Subject,
        /// What happened to the process.
        source: run::Error,
    },
    /// Nix said no.
    #[error("{subject} does not evaluate{}: {}", at(&words.attribute), words.heart)]
    Nix {
        /// What was evaluated.
        subject: Subject,
        /// What Nix said.
        words: Words,
    },
    /// Nix answered something else than what was asked for.
    #[error("Nix's answer for {subject} is not understood")]
    Answer {
        /// What was evaluated.
        subject: Subject,
        /// What is wrong with it.
        source: AnswerError,
    },
    /// It was asked to end.
    #[error("the evaluation of {subject} was cancelled")]
    Cancelled {
        /// What was evaluated.
        subject: Subject,
    },
}

/// Where in the description.
fn at(attribute: &[String]) -> String {
    if attribute.is_empty() { String::new() } else { format!(" at {}", attribute.join(".")) }
}

impl EvalError {
    /// The end of what Nix printed, if Nix said no: several lines, for a log.
    #[must_use]
    pub fn last_words(&self) -> Option<&str> {
        match self {
            Self::Nix { words, .. } => Some(&words.tail),
            _ => None,
        }
    }

    pub(crate) fn new(subject: Subject, failure: Failure) -> Self {
        match failure {
            Failure::NoNix(source) => Self::NoNix { source },
            Failure::Lost(source) => Self::Lost { subject, source },
            Failure::Cancelled => Self::Cancelled { subject },
        }
    }
}
