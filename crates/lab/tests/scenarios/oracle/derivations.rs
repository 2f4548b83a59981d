//! Derivations that a real Nix instantiates: read and written without a change, their own paths and those of
//! their outputs computed anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use store::derivation::{Derivation, HashModulo, Kind};
use store::store_path::{StoreDir, StorePath, StorePathName};

use super::Oracle;

/// Derivations of the kinds that the switch cases do not have.
const SPECIAL: &str = r#"
let
  make = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; } // more);
  text = builtins.toFile "text" "text";
  flat = make "flat" { outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "x"; };
  flat1 = make "flat1" { outputHashAlgo = "sha1"; outputHash = builtins.hashString "sha1" "x"; outputHashMode = "flat"; };
  recursive = make "recursive" { outputHashAlgo = "sha512"; outputHash = builtins.hashString "sha512" "x"; outputHashMode = "recursive"; };
  sri = make "sri" { outputHash = "sha256-LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="; outputHashMode = "nar"; };
  many = make "many" { outputs = [ "out" "dev" "a-b" "doc" ]; };
  floating = make "floating" { __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };
  floating-flat = make "floating-flat" { __contentAddressed = true; outputHashAlgo = "sha1"; outputHashMode = "flat"; };
  impure = make "impure" { __impure = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };
  structured = make "structured" { __structuredAttrs = true; outputs = [ "out" "lib" ]; list = [ 1 null true "x" ]; set.a.b = many.dev; };
  escapes = make "escapes" { args = [ "" "\"\\\n\r\t$ é \${x}" ]; empty = ""; quoted = "a\\nb"; file = text; };
in [
  flat flat1 recursive sri many floating floating-flat impure structured escapes
  (make "needs" { some = many.doc; args = [ "${many.dev}" flat recursive text structured.lib ]; })
  (make "needs-drv" { drv = many.drvPath; })
  (make "deferred" { input = floating; outputs = [ "out" "dev" ]; })
  (make "deferred-twice" { input = make "deferred-once" { input = floating; }; })
  (make "of-impure" { __impure = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; input = impure; })
]
"#;

/// Derivations by their paths, with what stands for each in the hash of others as far as it was computed.
struct Derivations {
    all: BTreeMap<StorePath, (Derivation, Vec<u8>)>,
    known: BTreeMap<StorePath, HashModulo>,
}

/// Instantiates the systems of the switch cases and checks every derivation that is in the store then.
pub(super) fn check(oracle: &Oracle<'_>) -> Result<()> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/cases");
    oracle.host.copy(&cases, "/lab")?;
    oracle.bytes(&["nix-instantiate", "--quiet", "/lab/cases"])?;
    let features = ["--extra-experimental-features", "ca-derivations impure-derivations"];
    let special = [&["nix-instantiate", "--quiet"][..], &features, &["--expr", SPECIAL]].concat();
    oracle.bytes(&special)?;
    let gather = "mkdir /root/drvs && cp /nix/store/*.drv /root/drvs/";
    oracle.bytes(&["sh", "-euc", gather])?;
    let scratch = oracle.fetch("/root/drvs")?;
    let mut derivations = Derivations { all: BTreeMap::new(), known: BTreeMap::new() };
    for name in scratch.names()? {
        let text = fs::read(scratch.join(&name))?;
        let derivation = Derivation::parse(&text, &StoreDir::default()).with_context(|| name.clone())?;
        derivations.all.insert(name.parse()?, (derivation, text));
    }
    ensure!(derivations.all.len() >= 300, "only {} derivations", derivations.all.len());
    derivations.check_kinds()?;
    let paths: Vec<_> = derivations.all.keys().cloned().collect();
    paths.iter().try_for_each(|path| derivations.check(path).with_context(|| path.to_string()))
}

impl Derivations {
    fn check(&mut self, path: &StorePath) -> Result<()> {
        self.hash(path)?;
        let store_dir = StoreDir::default();
        let (derivation, text) = &self.all[path];
        ensure!(derivation.to_text(&store_dir) == *text, "the text is written in another way");
        assert_eq!(derivation.store_path(&name(path)?, &store_dir)?, *path);
        let paths =
            derivation.output_paths(&name(path)?, &store_dir, |input| self.known.get(input).copied())?;
        assert_eq!(paths.keys().collect::<Vec<_>>(), derivation.outputs.keys().collect::<Vec<_>>());
        for (output, computed) in paths {
            assert_eq!(computed.as_ref(), derivation.outputs[&output].path(), "{path}!{output}");
        }
        Ok(())
    }

    /// Computes what stands for a derivation, after the same of all that it needs.
    fn hash(&mut self, path: &StorePath) -> Result<()> {
        if self.known.contains_key(path) {
            return Ok(());
        }
        let (derivation, _) = self.all.get(path).with_context(|| format!("{path} is not there"))?;
        let derivation = derivation.clone();
        for input in derivation.input_derivations.keys() {
            self.hash(input)?;
        }
        let known = |input: &StorePath| self.known.get(input).copied();
        let hash = derivation.hash_modulo(&name(path)?, &StoreDir::default(), known)?;
        self.known.insert(path.clone(), hash);
        Ok(())
    }

    /// Every kind of derivation must be among them, or the rest proves less than it seems to.
    fn check_kinds(&self) -> Result<()> {
        let kinds = self.all.values().map(|(derivation, _)| Ok(format!("{:?}", derivation.kind()?)));
        let kinds = kinds.collect::<Result<BTreeSet<_>>>()?;
        let all = [Kind::InputAddressed, Kind::Fixed, Kind::Floating, Kind::Deferred, Kind::Impure];
        assert_eq!(kinds, all.iter().map(|kind| format!("{kind:?}")).collect());
        Ok(())
    }
}

/// The name of a derivation, without the `.drv` of its path.
fn name(path: &StorePath) -> Result<StorePathName> {
    let name = path.name().as_str().strip_suffix(".drv").context("it does not end in .drv")?;
    Ok(name.parse()?)
}
