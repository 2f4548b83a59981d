//! The races that concern the machine, each with its name.
