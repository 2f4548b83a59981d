//! Store paths that follow from content: ours are those of `nix-store --add`, `--add-fixed`,
//! `builtins.toFile` and `nix store make-content-addressed`.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use store::content_address::{ContentAddress, References};
use store::hash::{Algorithm, Hash, Sha256};
use store::references::ModuloHasher;
use store::store_path::{StoreDir, StorePath};

use super::Oracle;

const CONTENT: &str = "hello\n";

/// Makes a file, an executable and a tree that have names and contents of their own.
const MAKE: &str = r#"
mkdir /root/content && cd /root/content
printf 'hello\n' > file; printf 'hello\n' > executable; chmod +x executable; ln -s /nowhere link
mkdir -p tree/sub/empty; cp -a file executable link tree/sub/; printf x > 'tree/+-._?=x'
"#;

/// Checks each way in turn.
pub(super) fn check(oracle: &Oracle<'_>) -> Result<()> {
    oracle.bytes(&["sh", "-euc", MAKE])?;
    for name in ["file", "executable", "link", "tree"] {
        check_added(oracle, name).with_context(|| format!("content `{name}`"))?;
    }
    check_text(oracle)?;
    check_self_reference(oracle)
}

/// The path of content without references.
fn path(address: ContentAddress, name: &str) -> Result<String> {
    let path = address.store_path(&StoreDir::default(), &name.parse()?, &References::default())?;
    Ok(StoreDir::default().display(&path).to_string())
}

fn check_added(oracle: &Oracle<'_>, name: &str) -> Result<()> {
    let there = format!("/root/content/{name}");
    let nar = oracle.bytes(&["nix-store", "--dump", &there])?;
    let ours = path(ContentAddress::Nar(Sha256::of(&nar).into()), name)?;
    assert_eq!(oracle.text(&["nix-store", "--add", &there])?, ours);
    for algorithm in [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        let algorithm_name = algorithm.to_string();
        let hash = oracle.text(&["nix-hash", "--type", &algorithm_name, &there])?;
        let ours = path(ContentAddress::Nar(Hash::parse_digest(algorithm, &hash)?), name)?;
        let add = ["nix-store", "--add-fixed", "--recursive", &algorithm_name, &there];
        assert_eq!(oracle.text(&add)?, ours, "recursive {algorithm}");
        if name != "file" {
            continue;
        }
        let hash = oracle.text(&["nix-hash", "--type", &algorithm_name, "--flat", &there])?;
        let ours = path(ContentAddress::Flat(Hash::parse_digest(algorithm, &hash)?), name)?;
        assert_eq!(oracle.text(&["nix-store", "--add-fixed", &algorithm_name, &there])?, ours, "{algorithm}");
    }
    Ok(())
}

fn check_text(oracle: &Oracle<'_>) -> Result<()> {
    let alone = ContentAddress::Text(Sha256::of(CONTENT.as_bytes()));
    let alone = alone.store_path(&StoreDir::default(), &"alone".parse()?, &References::default())?;
    let full = StoreDir::default().display(&alone).to_string();
    assert_eq!(evaluate(oracle, r#"builtins.toFile "alone" "hello\n""#)?, full);

    let another = ContentAddress::Text(Sha256::of(b"x"));
    let another = another.store_path(&StoreDir::default(), &"z".parse()?, &References::default())?;
    let text = format!("{full} {}", StoreDir::default().display(&another));
    let references = References { others: BTreeSet::from([alone, another]), to_self: false };
    let address = ContentAddress::Text(Sha256::of(text.as_bytes()));
    let ours = address.store_path(&StoreDir::default(), &"refers".parse()?, &references)?;
    let expression =
        r#"builtins.toFile "refers" "${builtins.toFile "alone" "hello\n"} ${builtins.toFile "z" "x"}""#;
    assert_eq!(evaluate(oracle, expression)?, StoreDir::default().display(&ours).to_string());
    Ok(())
}

fn evaluate(oracle: &Oracle<'_>, expression: &str) -> Result<String> {
    let quoted = oracle.text(&["nix-instantiate", "--eval", "--read-write-mode", "--expr", expression])?;
    Ok(quoted.trim_matches('"').to_owned())
}

/// A built path that refers to itself and to another becomes content-addressed.
fn check_self_reference(oracle: &Oracle<'_>) -> Result<()> {
    let expression = r#"derivation {
        name = "selfish"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin"; other = builtins.toFile "other" "x";
        args = [ "-c" "mkdir -p $out/bin; echo $out $other > $out/itself; echo ..$out/bin.$out. > $out/bin/twice" ];
    }"#;
    let built = oracle.text(&["nix-build", "--quiet", "--no-out-link", "--expr", expression])?;
    let rewritten = oracle.nix(&["store", "make-content-addressed", "--json", &built])?;
    let rewritten: serde_json::Value = serde_json::from_str(&rewritten)?;
    let theirs = rewritten["rewrites"][&built].as_str().context("it was not rewritten")?;
    let theirs_path = StoreDir::default().parse(theirs.as_bytes())?;
    let nar = oracle.bytes(&["nix-store", "--dump", theirs])?;
    let references = oracle.text(&["nix-store", "--query", "--references", theirs])?;
    let parse = |line: &str| StoreDir::default().parse(line.as_bytes());
    let mut others = references.lines().map(parse).collect::<Result<BTreeSet<StorePath>, _>>()?;
    assert!(others.remove(&theirs_path), "it does not refer to itself: {references}");
    assert_eq!(others.len(), 1, "{references}");

    let mut hasher = ModuloHasher::new(theirs_path.hash_part());
    nar.chunks(1000).for_each(|piece| hasher.update(piece));
    let hash = hasher.finish()?;
    assert!(hash.refers_to_self());
    let references = References { others, to_self: true };
    // Both images have a Nix that leaves the offsets of the references out.
    let address = ContentAddress::Nar(hash.without_offsets.into());
    let ours = address.store_path(&StoreDir::default(), theirs_path.name(), &references)?;
    assert_eq!(ours, theirs_path);
    Ok(())
}
