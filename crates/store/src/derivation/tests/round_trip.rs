//! Any derivation, as text and back.

use proptest::{
    collection::{btree_map, btree_set, vec},
    prelude::*,
    sample::{Index, select},
};

use super::*;
use crate::{hash::Hash, store_path::HashPart};

fn any_path() -> impl Strategy<Value = StorePath> {
    (any::<[u8; 20]>(), "[a-z0-9+_?=.-]{1,8}").prop_filter_map("a bad name", |(hash, name)| {
        Some(StorePath::new(HashPart(hash), name.parse().ok()?))
    })
}

fn any_output() -> impl Strategy<Value = Output> {
    let method = select(vec![Method::Text, Method::Flat, Method::Nar]);
    let any_way = (method, select(&Algorithm::ALL));
    let fixed = (any_path(), any_way.clone(), vec(any::<u8>(), 64)).prop_filter_map(
        "text is SHA-256",
        |(path, (method, algorithm), digest)| {
            let hash = Hash::from_digest(algorithm, &digest[..algorithm.digest_len()])?;
            Some(Output::Fixed { path, address: ContentAddress::new(method, hash).ok()? })
        },
    );
    prop_oneof![
        any_path().prop_map(Output::InputAddressed),
        Just(Output::Deferred),
        fixed,
        any_way.clone().prop_map(|(method, algorithm)| Output::Floating { method, algorithm }),
        any_way.prop_map(|(method, algorithm)| Output::Impure { method, algorithm }),
    ]
}

fn any_derivation() -> impl Strategy<Value = Derivation> {
    let bytes = || vec(prop_oneof![any::<u8>(), select(b"\"\\\n\r\tnrt".as_slice())], 0..8);
    let any_output_name = || "[a-z]{1,5}".prop_map(|name| output_name(&name));
    (
        btree_map(any_output_name(), any_output(), 0..4),
        btree_map(
            any_path(),
            btree_set(any_output_name(), 1..3).prop_filter_map("none", OutputSet::new),
            0..4,
        ),
        btree_set(any_path(), 0..4),
        (bytes(), bytes()),
        vec(bytes(), 0..4),
        btree_map(bytes(), bytes(), 0..6),
    )
        .prop_map(
            |(outputs, input_derivations, input_sources, (system, builder), arguments, environment)| {
                Derivation {
                    outputs,
                    input_derivations,
                    input_sources,
                    system,
                    builder,
                    arguments,
                    environment,
                }
            },
        )
}

proptest! {
    #[test]
    fn round_trip(derivation in any_derivation()) {
        let text = derivation.to_text(&StoreDir::default());
        prop_assert_eq!(parse(&text), Ok(derivation));
    }

    /// Whatever is accepted is written as it was read.
    #[test]
    fn changed_text_is_refused_or_means_what_it_says(
        derivation in any_derivation(), changes in vec((any::<Index>(), any::<u8>()), 1..3),
    ) {
        let mut text = derivation.to_text(&StoreDir::default());
        for (index, byte) in changes {
            let index = index.index(text.len());
            text[index] = byte;
        }
        if let Ok(derivation) = parse(&text) {
            prop_assert_eq!(derivation.to_text(&StoreDir::default()), text);
        }
    }
}
