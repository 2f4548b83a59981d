//! Fingerprints and content addresses of paths that Nix signed or named.

use super::*;

const SELF: &str = "lplhk45ggnnzylyd33xywdlkxg2gkgkz-selfy";
const DEP: &str = "z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep";
const KEY: &str = "test-1:hPm+viuRcH+5taDC3mgTUTbfMvtSeRXWlFIJhkSXni8=";

fn info(path: &str, nar_hash: &str, references: &[&str]) -> PathInfo {
    let hash: crate::hash::Hash = nar_hash.parse().unwrap();
    let mut info = PathInfo::new(path.parse().unwrap(), hash.as_sha256().unwrap(), 264);
    info.references = references.iter().map(|path| path.parse().unwrap()).collect();
    info
}

#[test]
fn the_fingerprint_is_what_nix_signs() {
    let mut info = info(SELF, "sha256-Nuhu7Bk8nR9sqy4DZexrEAn4tB2GkE5rABRFsHr6PzA=", &[DEP, SELF]);
    assert_eq!(
        info.fingerprint(&StoreDir::default()).unwrap(),
        format!(
            "1;/nix/store/{SELF};sha256:0c1zz9xb0i8l01mlx4463nsgh28hdgn6a0rfmdn1z79w37n6xs1n;264;\
             /nix/store/{SELF},/nix/store/{DEP}"
        )
    );
    let trusted = TrustedKeys::from_iter([KEY.parse().unwrap()]);
    assert_eq!(info.count_valid_signatures(&StoreDir::default(), &trusted), 0);
    // Made by `nix store sign` (Nix 2.26.3).
    let signature =
        "test-1:si2HzqGruczK8XUVsccaWHt1jnDZZOVHwNttFCW++gQWx/kF8qQjDr7bGBw3iDm93qPaaWg9+jkrD//KDL3CBw==";
    info.signatures.insert(signature.parse().unwrap());
    assert_eq!(info.count_valid_signatures(&StoreDir::default(), &trusted), 1);
    // Made with the same key by us, it is the same one.
    let secret =
        "test-1:LLTqqJjXOeSDkRhwGkzGEwSoRyyTfBtzqqnPwwfIDcaE+b6+K5Fwf7m1oMLeaBNRNt8y+1J5FdaUUgmGRJeeLw==";
    info.sign(&StoreDir::default(), &SecretKey::parse(secret).unwrap()).unwrap();
    assert_eq!(info.signatures.len(), 1);
    info.nar_size += 1;
    assert_eq!(info.count_valid_signatures(&StoreDir::default(), &trusted), 0);
}

#[test]
fn a_path_signed_by_us_counts() {
    let key = SecretKey::from_seed(crate::signature::KeyName::new("k").unwrap(), &[1; 32]);
    let trusted = TrustedKeys::from_iter([key.public_key()]);
    let mut info = PathInfo::new(DEP.parse().unwrap(), Sha256::of(b""), 112);
    info.sign(&StoreDir::default(), &key).unwrap();
    info.sign(&StoreDir::default(), &key).unwrap();
    assert_eq!(info.signatures.len(), 1);
    assert_eq!(info.count_valid_signatures(&StoreDir::default(), &trusted), 1);
}

#[test]
fn a_path_of_unknown_size_is_not_signed() {
    let key = SecretKey::from_seed(crate::signature::KeyName::new("k").unwrap(), &[1; 32]);
    let trusted = TrustedKeys::from_iter([key.public_key()]);
    let mut info = PathInfo::new(DEP.parse().unwrap(), Sha256::of(b""), 0);
    let error = FingerprintError::NoNarSize { path: info.path.clone() };
    assert_eq!(info.sign(&StoreDir::default(), &key), Err(error));
    assert!(info.signatures.is_empty());
    let text = format!("1;/nix/store/{DEP};{};0;", info.nar_hash);
    info.signatures.insert(key.sign(text.as_bytes()));
    assert_eq!(info.count_valid_signatures(&StoreDir::default(), &trusted), 0);
}

#[test]
fn a_content_address_must_give_the_paths_own_name() {
    let path = "ncn4hq9gfzxr0b20mmqscfkky6lw69gp-selfy";
    let references = ["k0bq3s4hdvxal217l04jr24n8jm5l29g-dep", path];
    let mut info = info(path, "sha256-EHBfMaalleTSmIj7I4btC9K/Q443TsndquNZS45mU8Q=", &references);
    assert!(!info.is_content_addressed(&StoreDir::default()));
    let address = "fixed:r:sha256:05aa6nrrhlndwgywnhgxrzx5156liyvl9gc3v0z9cfh2rx5hbc8d";
    info.content_address = Some(address.parse().unwrap());
    assert!(info.is_content_addressed(&StoreDir::default()));
    info.references.pop_first();
    assert!(!info.is_content_addressed(&StoreDir::default()));
}
