//! What happened to a host, append-only, and what the host says of itself.
