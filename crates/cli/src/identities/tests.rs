//! What one run computed and the next one knows, and files that are not what they should be.

use std::{os::unix::fs::symlink, process, thread};

use delta::equivalence::identities;
use proptest::prelude::*;
use store::{
    closure::Closure,
    hash::Sha256,
    path_info::PathInfo,
    store_path::{HashPart, StorePath},
};

use super::*;

/// A directory of the test's own, gone with it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("lockstep-identities-{name}-{}", process::id()));
        let _old = fs::remove_dir_all(&path);
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("lockstep/identities")
    }

    /// The numbers of the paths whose NARs a run reads that looks at these paths, and what it finds.
    fn run(&self, paths: &[(u8, &str)]) -> (Vec<u8>, Vec<Identity>) {
        let mut known = Identities::recall_from(Some(self.file()));
        let done = run(paths, &mut known);
        known.keep().unwrap();
        done
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn path(number: u8) -> StorePath {
    StorePath::new(HashPart([number; HashPart::LEN]), "name".parse().unwrap())
}

/// Looks at paths that have these numbers and NARs, each of which refers to the one before it.
fn run(paths: &[(u8, &str)], known: &mut Identities) -> (Vec<u8>, Vec<Identity>) {
    let infos = paths.iter().enumerate().map(|(index, (number, nar))| {
        let mut info = PathInfo::new(path(*number), Sha256::of(nar.as_bytes()), nar.len() as u64);
        info.references.extend(index.checked_sub(1).map(|before| path(paths[before].0)));
        info
    });
    let mut read = Vec::new();
    let found = identities(&Closure::new(infos).unwrap(), known, &mut |info, to| {
        let number = info.path.hash_part().0[0];
        read.push(number);
        let (_, nar) = paths.iter().find(|(other, _)| *other == number).unwrap();
        to.write_all(nar.as_bytes())
    });
    let found = found.unwrap();
    (read, paths.iter().map(|(number, _)| found[&path(*number)]).collect())
}

const PATHS: [(u8, &str); 3] = [(1, "one"), (2, "two"), (3, "three")];

#[test]
fn what_was_read_once_is_not_read_again() {
    let place = Place::new("again");
    let first = place.run(&PATHS);
    assert_eq!(first.0, [1, 2, 3]);
    assert_eq!(place.run(&PATHS), (vec![], first.1));
    assert_eq!(place.run(&[PATHS[0], PATHS[1], (4, "four")]).0, [4]);
}

#[test]
fn a_path_with_another_nar_is_another_one_and_so_is_what_refers_to_it() {
    let place = Place::new("nar");
    let first = place.run(&PATHS);
    let other = [PATHS[0], (2, "TWO"), PATHS[2]];
    let second = place.run(&other);
    assert_eq!(second.0, [2, 3]);
    assert!(first.1[0] == second.1[0] && first.1[1] != second.1[1] && first.1[2] != second.1[2]);
    assert_eq!((place.run(&PATHS), place.run(&other)), ((vec![], first.1), (vec![], second.1)));
}

#[test]
fn a_file_that_is_not_whole_is_not_believed() {
    let place = Place::new("broken");
    let first = place.run(&PATHS);
    let whole = fs::read(place.file()).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut broken: Vec<Vec<u8>> = (0..whole.len()).map(flipped).collect();
    broken.extend((0..whole.len()).step_by(7).map(|length| whole[..length].to_vec()));
    let large = vec![0; usize::try_from(wire::MAX_FILE).unwrap() + 2];
    broken.extend([[&whole[..], b"x"].concat(), b"text".to_vec(), large]);
    for bytes in broken {
        fs::write(place.file(), &bytes).unwrap();
        let mut known = Identities::recall_from(Some(place.file()));
        assert!(run(&PATHS, &mut known) == first, "a file of {} bytes", bytes.len());
    }
    assert_eq!((place.run(&PATHS), place.run(&PATHS).0), (first, vec![]), "it is replaced");
}

#[test]
fn a_file_of_records_that_are_cut_is_not_believed() {
    let mut bytes = wire::encode([]);
    bytes.truncate(bytes.len() - 32);
    bytes.extend([0; 51]);
    let checksum = Sha256::of(&bytes);
    assert!(wire::decode(&[&bytes[..], &checksum.0].concat()).is_none());
}

#[test]
fn what_cannot_be_written_is_told_and_what_cannot_be_read_is_not() {
    let place = Place::new("refused");
    fs::create_dir_all(place.file()).unwrap();
    let mut known = Identities::recall_from(Some(place.file()));
    assert_eq!(run(&PATHS, &mut known).0, [1, 2, 3]);
    let error = known.keep().unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write {}", place.file().display()));

    let mut homeless = Identities::recall_from(None);
    assert_eq!(run(&PATHS, &mut homeless).0, [1, 2, 3]);
    homeless.keep().unwrap();

    fs::remove_dir(place.file()).unwrap();
    symlink("/dev/zero", place.file()).unwrap();
    assert_eq!(run(&PATHS, &mut Identities::recall_from(Some(place.file()))).0, [1, 2, 3]);
}

fn record(number: u32) -> (Key, Identity) {
    let mut identity = [0; HashPart::LEN];
    identity[..4].copy_from_slice(&number.to_le_bytes());
    (Key(Sha256::of(&number.to_le_bytes())), Identity(identity))
}

#[test]
fn the_ones_that_were_not_used_for_longest_go_first() {
    let place = Place::new("bounded");
    let max = u32::try_from(wire::MAX_RECORDS).unwrap();
    let mut known = Identities::recall_from(Some(place.file()));
    (0..max).for_each(|number| known.put(record(number).0, record(number).1));
    known.keep().unwrap();
    // The last one of the file is used again, so the one before it goes for the new one.
    let stored = recall(&place.file());
    let (used, gone) = (stored[stored.len() - 1], stored[stored.len() - 2]);
    let mut known = Identities::recall_from(Some(place.file()));
    assert_eq!(known.get(&used.0), Some(used.1));
    known.put(record(max).0, record(max).1);
    known.keep().unwrap();
    let mut known = Identities::recall_from(Some(place.file()));
    assert_eq!(known.get(&used.0), Some(used.1));
    assert_eq!(known.get(&record(max).0), Some(record(max).1));
    assert_eq!(known.get(&gone.0), None);
    assert_eq!(known.recalled.len(), wire::MAX_RECORDS);
    assert_eq!(fs::metadata(place.file()).unwrap().len(), wire::MAX_FILE);
}

#[test]
fn several_processes_at_once_leave_a_whole_file() {
    let place = Place::new("several");
    let write = |number: u32| {
        let mut known = Identities::recall_from(Some(place.file()));
        known.put(record(number).0, record(number).1);
        known.keep().unwrap();
        assert!(!recall(&place.file()).is_empty(), "a torn file");
    };
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || (0..8).for_each(|round| write(8 * number + round)));
        }
    });
}

#[test]
fn the_stored_form_of_version_1() {
    let golden = [&b"lockstep identities 1\n"[..], &[1; 32], &[2; 20], &[3; 32], &[4; 20]].concat();
    let golden = [&golden[..], &Sha256::of(&golden).0].concat();
    let records = vec![(Key(Sha256([1; 32])), Identity([2; 20])), (Key(Sha256([3; 32])), Identity([4; 20]))];
    assert_eq!(wire::decode(&golden), Some(records.clone()));
    assert_eq!(wire::encode(records), golden);
}

proptest! {
    #[test]
    fn all_identities_there_and_back(records in prop::collection::vec(any::<([u8; 32], [u8; 20])>(), 0..20)) {
        let records: Vec<_> =
            records.into_iter().map(|(key, identity)| (Key(Sha256(key)), Identity(identity))).collect();
        prop_assert_eq!(wire::decode(&wire::encode(records.clone())), Some(records));
    }
}
