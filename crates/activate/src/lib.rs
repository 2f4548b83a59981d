//! The state machine of one activation.
