//! What operator and agent say to each other.
