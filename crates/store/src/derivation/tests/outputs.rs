//! Which outputs go together, and paths from nothing but names.

use super::*;

const FIXED: &str = "fixed:r:sha256:0addczm9fjxkwraq3rf9z66ndy1w8scg7pi05xdyf4rjpl2h73gj";

fn derivation(outputs: &[(&str, Output)]) -> Derivation {
    Derivation {
        outputs: outputs.iter().map(|(name, output)| (output_name(name), output.clone())).collect(),
        input_derivations: BTreeMap::new(),
        input_sources: BTreeSet::new(),
        system: b"x86_64-linux".to_vec(),
        builder: b"/bin/sh".to_vec(),
        arguments: Vec::new(),
        environment: BTreeMap::new(),
    }
}

fn fixed() -> Output {
    let path = "0bkfhz0v2jcyj2m7hwzdzmywav298dl2-t".parse().unwrap();
    Output::Fixed { path, address: FIXED.parse().unwrap() }
}

#[test]
fn kinds_do_not_mix() {
    let floating = |algorithm| Output::Floating { method: Method::Nar, algorithm };
    let (sha256, sha1) = (floating(Algorithm::Sha256), floating(Algorithm::Sha1));
    let impure = Output::Impure { method: Method::Flat, algorithm: Algorithm::Sha256 };
    let deferred = Output::Deferred;
    let cases: &[(&[(&str, Output)], _)] = &[
        (&[], Err(KindError::NoOutput)),
        (&[("out", fixed())], Ok(Kind::Fixed)),
        (&[("dev", fixed())], Err(KindError::Fixed)),
        (&[("dev", fixed()), ("out", fixed())], Err(KindError::Fixed)),
        (&[("dev", deferred.clone()), ("out", deferred.clone())], Ok(Kind::Deferred)),
        (&[("a", sha256.clone()), ("b", sha256.clone())], Ok(Kind::Floating)),
        (
            &[("a", sha256.clone()), ("b", sha1)],
            Err(KindError::Algorithms(Algorithm::Sha256, Algorithm::Sha1)),
        ),
        (&[("a", sha256), ("b", deferred)], Err(KindError::Mixed(Kind::Floating, Kind::Deferred))),
        (&[("a", impure.clone()), ("b", impure)], Ok(Kind::Impure)),
    ];
    for (outputs, kind) in cases {
        assert_eq!(derivation(outputs).kind(), *kind);
    }
}

#[test]
fn no_output_is_no_set_of_outputs() {
    assert_eq!(OutputSet::new(BTreeSet::new()), None);
}

#[test]
fn an_input_must_be_known() {
    let mut derivation = derivation(&[("out", Output::Deferred)]);
    let input: StorePath = "p2qkh6lklg7zljx468xsl3gwif574nq4-dep.drv".parse().unwrap();
    let outputs = OutputSet::new(BTreeSet::from([output_name("out")])).unwrap();
    derivation.input_derivations.insert(input.clone(), outputs);
    let paths = |hash| derivation.output_paths(&name("a"), &StoreDir::default(), |_| hash);
    assert_eq!(paths(None), Err(ModuloError::UnknownInput { input }));
    let out = output_name("out");
    assert_eq!(paths(Some(HashModulo::Deferred)).unwrap()[&out], None);
    assert!(paths(Some(HashModulo::Known(Sha256([0; 32])))).unwrap()[&out].is_some());
}

#[test]
fn an_output_needs_a_name_that_fits() {
    let derivation = derivation(&[("dev", Output::Deferred)]);
    let paths = |length| derivation.output_paths(&name(&"x".repeat(length)), &StoreDir::default(), |_| None);
    assert!(paths(207).is_ok());
    let source = StorePathError::NameLength { length: 212 };
    assert_eq!(paths(208), Err(ModuloError::Name { output: output_name("dev"), source }));
}

#[test]
fn a_fixed_output_does_not_depend_on_how_it_is_made() {
    let mut other = derivation(&[("out", fixed())]);
    let hash =
        |derivation: &Derivation| derivation.hash_modulo(&name("t"), &StoreDir::default(), |_| None).unwrap();
    let before = hash(&other);
    other.builder = b"elsewhere".to_vec();
    assert_eq!(hash(&other), before);
    // The path that it claims does not count either.
    let Output::Fixed { address, .. } = fixed() else { panic!("a fixed output") };
    let path = "00000000000000000000000000000000-t".parse().unwrap();
    other.outputs.insert(output_name("out"), Output::Fixed { path, address });
    assert_eq!(hash(&other), before);
    let paths = other.output_paths(&name("t"), &StoreDir::default(), |_| None).unwrap();
    assert_eq!(paths[&output_name("out")].as_ref(), fixed().path());
}
