//! The conductor: each host from evaluation to confirmation.
