//! What a NixOS system says about itself, read through a tree of files, and the difference of two.
