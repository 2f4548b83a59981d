//! Binary caches and signatures: what `nix copy` writes we read and write without a change, what Nix signs we
//! accept, and what we sign Nix accepts.

use std::fs;

use anyhow::{Context, Result, ensure};
use store::narinfo::NarInfo;
use store::path_info::PathInfo;
use store::signature::{PublicKey, SecretKey, TrustedKeys};
use store::store_path::StoreDir;

use super::Oracle;

const CACHE: &str = "/root/cache";

/// The program builds two paths, the second of which refers to the first and to itself.
const EXPRESSION: &str = r#"
let make = name: script: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; } // more);
in make "second" "echo $first $out > $out" { first = make "first" "echo x > $out" { }; }
"#;

/// A key pair that Nix made.
struct Keys {
    /// The file on the host.
    file: String,
    secret: SecretKey,
    public: PublicKey,
}

/// Checks the caches of all compressions, then signatures in both directions.
pub(super) fn check(oracle: &Oracle<'_>) -> Result<()> {
    let keys = make_keys(oracle, "nix-signs-1")?;
    let built = oracle.text(&["nix-build", "--quiet", "--no-out-link", "--expr", EXPRESSION])?;
    oracle.nix(&["store", "sign", "--recursive", "--key-file", &keys.file, &built])?;
    let source = oracle.text(&["nix-store", "--add", "/etc/hostname"])?;
    let system = oracle.text(&["readlink", "-f", "/run/current-system"])?;
    for compression in ["none", "xz", "zstd", "bzip2"] {
        let cache = format!("file://{CACHE}-{compression}?compression={compression}");
        let paths: &[&str] =
            if compression == "none" { &[&built, &source, &system] } else { &[&built, &source] };
        oracle.nix(&[&["copy", "--to", &cache][..], paths].concat())?;
        check_cache(oracle, compression).with_context(|| format!("cache of {compression}"))?;
    }
    check_their_signature(oracle, &keys, &built)?;
    let ours = make_keys(oracle, "we-sign-1")?;
    check_our_signature(oracle, &ours, &built)
}

/// Keys are read and written as Nix does it, and the public half is the one that Nix computes.
fn make_keys(oracle: &Oracle<'_>, name: &str) -> Result<Keys> {
    let text = oracle.nix(&["key", "generate-secret", "--key-name", name])?;
    let file = format!("/root/{name}.secret");
    oracle.host.write(&file, text.clone())?;
    let secret = SecretKey::parse(&text)?;
    assert_eq!(secret.to_key_file(), text);
    let mut convert = vec!["sh", "-euc", r#"file=$1; shift; "$@" < "$file""#, "sh", &file];
    convert.extend(super::NIX);
    convert.extend(["key", "convert-secret-to-public"]);
    let public = oracle.text(&convert)?;
    assert_eq!(secret.public_key().to_string(), public);
    let public = public.parse()?;
    Ok(Keys { file, secret, public })
}

/// Every narinfo is written as it was read.
fn check_cache(oracle: &Oracle<'_>, compression: &str) -> Result<()> {
    let cache = oracle.fetch(&format!("{CACHE}-{compression}"))?;
    let mut names = cache.names()?;
    names.retain(|name| name.ends_with(".narinfo"));
    ensure!(names.len() >= 3, "{names:?}");
    for name in names {
        let text = fs::read_to_string(cache.join(&name))?;
        let parsed = NarInfo::parse(text.as_bytes(), &StoreDir::default()).with_context(|| name.clone())?;
        assert_eq!(parsed.display(&StoreDir::default()).to_string(), text);
        assert_eq!(parsed.compression.as_str(), compression);
        assert_eq!(name, format!("{}.narinfo", parsed.info.path.hash_part()));
    }
    Ok(())
}

/// The narinfo of a path in the cache without compression.
fn read(oracle: &Oracle<'_>, path: &str) -> Result<(String, NarInfo)> {
    let path = StoreDir::default().parse(path.as_bytes())?;
    let file = format!("{CACHE}-none/{}.narinfo", path.hash_part());
    let text = oracle.bytes(&["cat", &file])?;
    Ok((file, NarInfo::parse(&text, &StoreDir::default())?))
}

fn check_their_signature(oracle: &Oracle<'_>, keys: &Keys, path: &str) -> Result<()> {
    let (_, NarInfo { info, .. }) = read(oracle, path)?;
    assert_eq!(info.references.len(), 2, "{info:?}");
    let valid = |info: &PathInfo, key: &PublicKey| {
        let trusted: TrustedKeys = [key.clone()].into_iter().collect();
        info.count_valid_signatures(&StoreDir::default(), &trusted)
    };
    assert_eq!(valid(&info, &keys.public), 1);
    // ed25519 has one signature for one key and message, so ours must be theirs.
    let mut signed = PathInfo { signatures: [].into(), ..info.clone() };
    signed.sign(&StoreDir::default(), &keys.secret)?;
    assert_eq!(signed.signatures, info.signatures);
    let mut changed = info.clone();
    changed.nar_size += 1;
    assert_eq!(valid(&changed, &keys.public), 0);
    let mut changed = info;
    changed.references.pop_first();
    assert_eq!(valid(&changed, &keys.public), 0);
    Ok(())
}

/// Nix accepts a narinfo of ours with a signature of ours, and refuses it with another one.
fn check_our_signature(oracle: &Oracle<'_>, keys: &Keys, path: &str) -> Result<()> {
    let (file, mut narinfo) = read(oracle, path)?;
    let cache = format!("file://{CACHE}-none");
    let public = keys.public.to_string();
    let verify = |info: &NarInfo| -> Result<i32> {
        oracle.host.write(&file, info.display(&StoreDir::default()).to_string())?;
        let words = ["store", "verify", "--store", &cache, "--sigs-needed", "1"];
        let words = [&super::NIX[..], &words, &["--trusted-public-keys", &public, path]].concat();
        Ok(oracle.host.command(words)?.output()?.code())
    };
    narinfo.info.signatures.clear();
    // Exit code 2 says that a path is not trusted.
    assert_eq!(verify(&narinfo)?, 2, "nobody has signed");
    let mut other = narinfo.clone();
    other.info.signatures.insert(keys.secret.sign(b"something else"));
    assert_eq!(verify(&other)?, 2, "we have signed something else");
    narinfo.info.sign(&StoreDir::default(), &keys.secret)?;
    assert_eq!(verify(&narinfo)?, 0, "we have signed it");
    Ok(())
}
