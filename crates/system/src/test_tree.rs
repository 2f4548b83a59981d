//! A tree of files in a map, for tests.
