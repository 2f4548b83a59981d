//! The only door to the `nix` program.
