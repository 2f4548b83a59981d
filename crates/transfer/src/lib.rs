//! One question, one stream: what a host lacks of a closure goes to its daemon.
