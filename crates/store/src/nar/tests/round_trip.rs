//! Trees of any shape through the encoder and back, with their size and listing.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::nar::{Encoder, ListingBuilder, Node, SizeCounter};

/// A tree as a file system would hold it.
#[derive(Debug, Clone)]
enum Tree {
    Directory(BTreeMap<Vec<u8>, Tree>),
    File { executable: bool, contents: Vec<u8> },
    Symlink(Vec<u8>),
}

fn any_name() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("slash or NUL", |byte| !matches!(byte, b'/' | 0));
    vec(byte, 1..12).prop_filter("dots", |name| name != b"." && name != b"..")
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let file = (any::<bool>(), vec(any::<u8>(), 0..40))
        .prop_map(|(executable, contents)| Tree::File { executable, contents });
    let symlink = vec(1..=255_u8, 1..20).prop_map(Tree::Symlink);
    prop_oneof![file, symlink].prop_recursive(4, 40, 6, |tree| {
        proptest::collection::btree_map(any_name(), tree, 0..6).prop_map(Tree::Directory)
    })
}

fn events(name: &[u8], tree: &Tree, out: &mut Vec<Owned>) {
    let name = name.to_vec();
    match tree {
        Tree::Directory(entries) => {
            out.push(Owned::Directory(name));
            entries.iter().for_each(|(name, tree)| events(name, tree, out));
            out.push(Owned::EndDirectory);
        }
        Tree::File { executable, contents } => {
            out.push(Owned::File { name, executable: *executable, contents: contents.clone() });
        }
        Tree::Symlink(target) => out.push(Owned::Symlink { name, target: target.clone() }),
    }
}

/// Checks a listing against the tree, and that contents are where it says.
fn check_listing(node: &Node, tree: &Tree, nar: &[u8]) {
    match (node, tree) {
        (Node::Directory(entries), Tree::Directory(expected)) => {
            assert_eq!(entries.len(), expected.len());
            for (entry, (name, tree)) in entries.iter().zip(expected) {
                assert_eq!(*entry.name, **name);
                assert_eq!(node.get(name), Some(&entry.node));
                check_listing(&entry.node, tree, nar);
            }
        }
        (Node::File { executable, size, offset }, Tree::File { executable: expected, contents }) => {
            assert_eq!(executable, expected);
            let (start, size) = (usize::try_from(*offset).unwrap(), usize::try_from(*size).unwrap());
            assert_eq!(nar[start..start + size], **contents);
        }
        (Node::Symlink { target }, Tree::Symlink(expected)) => assert_eq!(**target, **expected),
        _ => panic!("{node:?} is not {tree:?}"),
    }
}

proptest! {
    #[test]
    fn round_trip(tree in any_tree(), piece in 1..64_usize) {
        let mut expected = Vec::new();
        events(b"", &tree, &mut expected);
        let mut encoder = Encoder::new(Vec::new());
        let mut size = SizeCounter::new();
        let mut listing = ListingBuilder::new();
        for event in &expected {
            replay(event, |event| {
                encoder.write(event).unwrap();
                size.add(&event);
                listing.add(&event);
            });
        }
        let nar = encoder.finish().unwrap();
        prop_assert_eq!(size.size(), nar.len() as u64);
        prop_assert_eq!(decode(&nar, piece), Ok((expected, 0)));
        let listing = listing.finish().unwrap();
        check_listing(&listing, &tree, &nar);
        prop_assert_eq!(Node::list(&nar), Ok(listing));
    }

    /// Whatever is accepted is the one NAR of its tree.
    #[test]
    fn mutated_bytes_are_refused_or_mean_what_they_say(
        tree in any_tree(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let mut original = Vec::new();
        events(b"", &tree, &mut original);
        let mut nar = encode(&original);
        for (index, byte) in changes {
            let index = index.index(nar.len());
            nar[index] = byte;
        }
        if let Ok((decoded, left)) = decode(&nar, usize::MAX) {
            prop_assert_eq!(&*encode(&decoded), &nar[..nar.len() - left]);
        }
    }
}

fn encode(events: &[Owned]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    for event in events {
        replay(event, |event| encoder.write(event).unwrap());
    }
    encoder.finish().unwrap()
}
