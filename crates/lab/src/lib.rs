//! Real hosts to test on.
