//! Nix's words and formats.
