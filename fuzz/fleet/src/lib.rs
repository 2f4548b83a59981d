//! What must hold of any bytes whatever, one function for each parser of what operators write.
//!
//! The fuzz targets call these with bytes that the fuzzer makes up, and the test `corpus` of crate `fleet` with the
//! bytes that are kept in `corpus/`. Each panics if its property does not hold.

use std::str;

use fleet::{Index, Selector, order_waves, select, show};

/// A selector is written as one that means the same; what is none is told with a place in the text.
pub fn fuzz_selector(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match Selector::parse(text) {
        Ok(selector) => assert_eq!(Selector::parse(&selector.to_string()), Ok(selector)),
        Err(error) => {
            assert!(error.at <= text.chars().count());
            assert!(!error.to_string().is_empty());
        }
    }
    // As one line it may be longer than a selector can be.
    let is_short = text.len() < 60_000;
    if let Some(selector) = Selector::from_lines(text).ok().filter(|_| is_short) {
        assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
    }
}

/// A fleet that is read can be shown, ordered and selected from; what is wrong is told.
pub fn fuzz_index(data: &[u8]) {
    match Index::parse(data) {
        Ok(index) => {
            let fleet = index.into_fleet();
            let all = fleet.hosts.keys().cloned().collect();
            let waves = order_waves(&fleet, &all);
            assert_eq!(waves.iter().map(Vec::len).sum::<usize>(), fleet.hosts.len());
            let everything = Selector::parse("*").expect("a glob");
            assert_eq!(select(&fleet, &everything).is_ok(), !fleet.hosts.is_empty());
            for member in fleet.hosts.values() {
                assert!(!show(member).is_empty());
            }
        }
        Err(errors) => {
            assert!(errors.iter().len() > 0);
            assert!(errors.iter().all(|error| error.path.to_string().starts_with(['l', 'n'])));
        }
    }
}
