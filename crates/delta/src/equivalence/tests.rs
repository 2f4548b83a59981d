//! Identities of paths whose NARs are texts.

use std::convert::Infallible;

use super::*;
use crate::{
    cases::{part, path},
    rewrite::hash_text,
};

/// A path: its number and name, the numbers of what it refers to, and its text, in which `{n}` is the hash part of n.
type Case<'a> = (u8, &'a str, &'a [u8], &'a str);

fn text(template: &str) -> Vec<u8> {
    let numbers = (0..100).map(|number: u8| (format!("{{{number}}}"), part(number).to_string()));
    numbers.fold(template.to_owned(), |text, (mark, hash)| text.replace(&mark, &hash)).into_bytes()
}

fn closure(cases: &[Case<'_>]) -> Closure {
    let paths: BTreeMap<_, _> =
        cases.iter().map(|(number, name, ..)| (*number, path(*number, name))).collect();
    let infos = cases.iter().map(|(number, _, references, template)| {
        let text = text(template);
        let mut info = PathInfo::new(paths[number].clone(), Sha256::of(&text), text.len() as u64);
        info.references = references.iter().map(|number| paths[number].clone()).collect();
        info
    });
    Closure::new(infos).unwrap()
}

/// The identities of paths, by number. The NARs come in pieces of 7 bytes.
fn identities_of(cases: &[Case<'_>]) -> BTreeMap<u8, Identity> {
    let mut read = |info: &PathInfo, to: &mut dyn Write| {
        let case = cases.iter().find(|(number, ..)| part(*number) == info.path.hash_part()).unwrap();
        text(case.3).chunks(7).for_each(|piece| to.write_all(piece).unwrap());
        Ok::<_, Infallible>(())
    };
    let mut known = BTreeMap::new();
    let identities = identities(&closure(cases), &mut known, &mut read).unwrap();
    assert_eq!(known.len(), cases.len());
    let again = super::identities(&closure(cases), &mut known, &mut |info, _| -> Result<(), Infallible> {
        panic!("{} is known", info.path)
    });
    assert_eq!(again.unwrap(), identities);
    identities.into_iter().map(|(path, identity)| (path.hash_part().0[0], identity)).collect()
}

/// Whether the paths 1 and 2 have one identity.
fn equal(cases: &[Case<'_>]) -> bool {
    let identities = identities_of(cases);
    identities[&1] == identities[&2]
}

#[test]
fn names_and_contents_count_and_hashes_do_not() {
    assert!(equal(&[(1, "a", &[], "text"), (2, "a", &[], "text")]));
    assert!(!equal(&[(1, "a", &[], "text"), (2, "b", &[], "text")]));
    assert!(!equal(&[(1, "a", &[], "text"), (2, "a", &[], "Text")]));
    assert!(equal(&[(1, "a", &[1], "I am {1}"), (2, "a", &[2], "I am {2}")]));
}

#[test]
fn references_count_by_what_they_are_bottom_up() {
    let below = [(11, "lib", &[][..], "lib"), (12, "lib", &[], "lib"), (13, "lib", &[], "other")];
    let with = |first: Case<'static>, second: Case<'static>| equal(&[&below[..], &[first, second]].concat());
    assert!(with((1, "a", &[11], "uses {11}!"), (2, "a", &[12], "uses {12}!")));
    assert!(!with((1, "a", &[11], "uses {11}!"), (2, "a", &[13], "uses {13}!")));
    assert!(!with((1, "a", &[11, 13], "{11} {13}"), (2, "a", &[11, 13], "{13} {11}")), "the order counts");
    assert!(!with((1, "a", &[11], "uses {11}!"), (2, "a", &[], "uses {11}!")), "a text that is no reference");
    assert!(!with((1, "a", &[11], "-"), (2, "a", &[], "-")), "a reference that is no text");
}

#[test]
fn an_own_hash_is_not_the_zeros_that_stand_for_it() {
    let zeros = "\0".repeat(32);
    assert!(!equal(&[(1, "a", &[1], "x {1}"), (2, "a", &[], &format!("x {zeros}"))]));
    assert!(!equal(&[(1, "a", &[1], &format!("{{1}}{zeros}")), (2, "a", &[2], &format!("{zeros}{{2}}"))]));
}

#[test]
fn a_hash_is_replaced_wherever_pieces_are_cut() {
    let long = |number: u8| format!("{}{{{number}}}/bin {{{number}}}", "x".repeat(PIECE - 11));
    let (first, second) = (long(1), long(2));
    assert!(equal(&[(1, "a", &[1], &first), (2, "a", &[2], &second)]));
}

#[test]
fn a_nar_that_is_not_the_known_one_has_no_identity() {
    let closure = closure(&[(1, "a", &[], "text")]);
    let mut read =
        |_: &PathInfo, to: &mut dyn Write| to.write_all(b"another").map_err(|_| io::Error::other("full"));
    let error = identities(&closure, &mut BTreeMap::new(), &mut read).unwrap_err();
    let found = Sha256::of(b"another");
    assert!(matches!(error, IdentityError::Nar { found: hash, .. } if hash == found), "{error}");
}

#[test]
fn a_reader_s_error_is_passed_on() {
    let closure = closure(&[(1, "a", &[], "text")]);
    let mut read = |_: &PathInfo, _: &mut dyn Write| Err(io::Error::other("gone"));
    let error = identities(&closure, &mut BTreeMap::new(), &mut read).unwrap_err();
    assert_eq!(error.to_string(), "gone");
}

/// What a path refers to may hold something else in another store, though the path itself is the same.
#[test]
fn a_reference_that_holds_something_else_makes_another_identity() {
    let mut known = BTreeMap::new();
    let mut identity = |library: &str| {
        let (library, program) = ((1, "lib", &[][..], library), (2, "a", &[1][..], "uses {1}"));
        let closure = closure(&[library, program]);
        let mut count = 0;
        let mut read = |info: &PathInfo, to: &mut dyn Write| {
            count += 1;
            let case = if info.path.hash_part() == part(1) { library } else { program };
            to.write_all(&text(case.3))
        };
        let identities = identities(&closure, &mut known, &mut read).unwrap();
        (identities[&path(2, "a")], count)
    };
    let (first, other, again) = (identity("one"), identity("other"), identity("one"));
    assert!(first.0 != other.0 && first.0 == again.0);
    assert_eq!((first.1, other.1, again.1), (2, 2, 0));
}

/// If these become others, the version of the keys is raised: identities are kept between runs.
#[test]
fn identities_stay_what_they_are() {
    let identities = identities_of(&[(1, "lib", &[1], "I am {1}"), (2, "a", &[1], "uses {1}")]);
    let texts: Vec<_> = identities.values().map(Identity::to_string).collect();
    assert_eq!(texts, ["rs39ldaf11x07v36psjgjz0xxh5hjr8m", "pj3s09bbiqxlkks73f5w6ih7gksr9f6w"]);
    assert_eq!(hash_text(HashPart(identities[&1].0)), texts[0].as_bytes());
}
