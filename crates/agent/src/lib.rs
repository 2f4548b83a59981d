//! `lockstep-agent`: sessions, the owner and the guard of an activation.
