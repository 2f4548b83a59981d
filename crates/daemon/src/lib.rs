//! The Nix worker protocol over any byte stream the caller brings.
