//! NARs that are wrong, or look so: taken or refused by `nix-store --restore` and by us alike, but for a few
//! differences that are known.

use std::collections::BTreeSet;

use anyhow::Result;
use daemon::files::{dump, restore};
use lab::Suite;

use super::{Oracle, Scratch};

/// A file of one byte.
const FILE: &str = "( type regular contents a )";

/// What the two judge differently, for which images, and why.
const KNOWN: &[(&str, &[Suite], &str)] = &[
    (
        "link with NUL in its target",
        &[Suite::Trixie],
        "old: the link is made with what stands before the NUL",
    ),
    ("64 deep", &[Suite::Sid], DEPTH),
    ("65 deep", &[Suite::Sid], DEPTH),
    ("200 deep", &[Suite::Sid], DEPTH),
];

const DEPTH: &str =
    "2.34.7 and later stop at 64 for the sake of their stack; stores hold deeper trees already";

/// Every case is restored by both sides; where both take it, the trees must have one NAR.
pub(super) fn check(oracle: &Oracle<'_>) -> Result<()> {
    let mut different = BTreeSet::new();
    let (mut taken, mut refused) = (0, 0);
    for (index, (name, nar)) in cases().into_iter().enumerate() {
        let theirs = restored_there(oracle, &format!("/root/hostile-{index}"), &nar)?;
        let ours = restored_here(&nar)?;
        match (&theirs, &ours) {
            (Ok(theirs), Ok(ours)) => {
                assert_eq!(theirs, ours, "{name}: both take it, as different trees");
                taken += 1;
            }
            (Err(_), Err(_)) => refused += 1,
            (Ok(_), Err(why)) => drop(different.insert(format!("{name}: only Nix takes it; we say: {why}"))),
            (Err(why), Ok(_)) => drop(different.insert(format!("{name}: only we take it; Nix says: {why}"))),
        }
    }
    assert!(taken >= 15 && refused >= 40, "{taken} taken, {refused} refused");
    let known = KNOWN.iter().filter(|(_, suites, _)| suites.contains(&oracle.suite));
    let known: BTreeSet<_> = known.map(|(name, _, _)| *name).collect();
    let found: BTreeSet<_> = different.iter().filter_map(|text| Some(text.split_once(':')?.0)).collect();
    assert_eq!(found, known, "{different:#?}");
    Ok(())
}

/// The NAR of what Nix makes of one, or what it says.
fn restored_there(oracle: &Oracle<'_>, target: &str, nar: &[u8]) -> Result<Result<Vec<u8>, String>> {
    let done = oracle.host.command(["nix-store", "--restore", target])?.input(nar).output()?;
    if !done.status.success() {
        return Ok(Err(done.stderr_text()));
    }
    Ok(Ok(oracle.bytes(&["nix-store", "--dump", target])?))
}

/// The NAR of what we make of one, or what we say.
fn restored_here(mut nar: &[u8]) -> Result<Result<Vec<u8>, String>> {
    let scratch = Scratch::new()?;
    if let Err(error) = restore(&mut nar, &scratch.join("tree")) {
        return Ok(Err(format!("{:#}", anyhow::Error::from(error))));
    }
    let mut again = Vec::new();
    dump(&scratch.join("tree"), &mut again)?;
    Ok(Ok(again))
}

fn cases() -> Vec<(String, Vec<u8>)> {
    let mut cases = Vec::new();
    let mut case = |name: &str, nar: Vec<u8>| cases.push((name.to_owned(), nar));
    for (name, text) in WORDS {
        case(name, strings(&format!("nix-archive-1 {}", text.replace("FILE", FILE))));
    }
    for (name, entries) in ENTRIES {
        let entry = |name: &&str| format!("entry ( name {name} node {FILE} )");
        let entries: Vec<_> = entries.iter().map(entry).collect();
        case(name, strings(&format!("nix-archive-1 ( type directory {} )", entries.join(" "))));
    }
    case("nothing", Vec::new());
    case("another magic", strings(&format!("nix-archive-2 {FILE}")));
    let whole = strings(&format!("nix-archive-1 {FILE}"));
    case("a plain file", whole.clone());
    case("something behind", [&whole[..], b"more"].concat());
    for cut in [1, 8, 9, 16] {
        case(&format!("cut by {cut}"), whole[..whole.len() - cut].to_vec());
    }
    for (name, word) in [("magic", "nix-archive-1"), ("word", "regular"), ("contents", "a"), ("bracket", ")")]
    {
        case(&format!("padding of a {name}"), with_padding(&whole, word));
    }
    for (name, length) in [("one more", 2), ("a page", 4096), ("2^62", 1 << 62), ("all", u64::MAX)] {
        let mut lying = strings("nix-archive-1 ( type regular contents");
        lying.extend(u64::to_le_bytes(length));
        lying.extend([&b"a\0\0\0\0\0\0\0"[..], &strings(")")].concat());
        case(&format!("contents that claim {name}"), lying);
    }
    for depth in [62, 63, 64, 65, 200] {
        case(&format!("{depth} deep"), deep(depth));
    }
    cases
}

/// What stands behind the magic word; `FILE` is a file.
const WORDS: &[(&str, &str)] = &[
    ("empty directory", "( type directory )"),
    ("empty file", "( type regular contents _ )"),
    ("file without contents", "( type regular )"),
    ("executable file", "( type regular executable _ contents a )"),
    ("executable file without contents", "( type regular executable _ )"),
    ("executable with a word", "( type regular executable yes contents a )"),
    ("executable twice", "( type regular executable _ executable _ contents a )"),
    ("contents before executable", "( type regular contents a executable _ )"),
    ("contents twice", "( type regular contents a contents b )"),
    ("another word for contents", "( type regular content a )"),
    ("another word for contents, after executable", "( type regular executable _ content a )"),
    ("file with a target", "( type regular target a )"),
    ("file with entries", "( type regular contents a entry ( name b node FILE ) )"),
    ("link", "( type symlink target a )"),
    ("link without target", "( type symlink )"),
    ("link with contents", "( type symlink contents a )"),
    ("link with an empty target", "( type symlink target _ )"),
    ("link with two targets", "( type symlink target a target b )"),
    ("link with NUL in its target", "( type symlink target a\\0b )"),
    ("link with a target that is not text", "( type symlink target \\xff )"),
    ("directory with contents", "( type directory contents a )"),
    ("no type", "( )"),
    ("type twice", "( type regular type regular contents a )"),
    ("type of another kind", "( type fifo )"),
    ("type in capitals", "( type Regular contents a )"),
    ("no bracket", "type regular contents a )"),
    ("two brackets", "( ( type regular contents a ) )"),
    ("entry without name", "( type directory entry ( node FILE ) )"),
    ("entry without node", "( type directory entry ( name a ) )"),
    ("entry with node first", "( type directory entry ( node FILE name a ) )"),
    ("entry with two names", "( type directory entry ( name a name b node FILE ) )"),
    ("entry with two nodes", "( type directory entry ( name a node FILE node FILE ) )"),
    ("entry without end", "( type directory entry ( name a node FILE )"),
    (
        "a link, then a directory of its name",
        "( type directory entry ( name a node ( type symlink target .. ) ) \
      entry ( name a node ( type directory entry ( name evil node FILE ) ) ) )",
    ),
    (
        "nested directories, unsorted inside",
        "( type directory entry ( name a node ( type directory \
      entry ( name z node FILE ) entry ( name y node FILE ) ) ) )",
    ),
];

/// Names of a directory's entries, in the order in which they come.
const ENTRIES: &[(&str, &[&str])] = &[
    ("sorted entries", &["a", "b", "c"]),
    ("entries sorted as bytes", &["A", "a", "a.b", "ab", "\\x80", "\\xff"]),
    ("unsorted entries", &["b", "a"]),
    ("entries sorted without case", &["a", "B"]),
    ("entries sorted as numbers", &["9", "10"]),
    ("the same entry twice", &["a", "a"]),
    ("a prefix behind", &["ab", "a"]),
    ("an empty name", &["_"]),
    ("the name .", &["."]),
    ("the name ..", &[".."]),
    ("the name ...", &["..."]),
    ("a name with a slash", &["a/b"]),
    ("a name that climbs", &["../evil"]),
    ("an absolute name", &["/evil"]),
    ("a name with NUL", &["a\\0b"]),
    ("a name of one NUL", &["\\0"]),
    ("a name with a newline", &["a\\nb"]),
    ("a name that is not text", &["\\xe9"]),
    ("a name of 255 bytes", &[LONGEST]),
    ("a name of 256 bytes", &[TOO_LONG]),
    ("names with the case hack", &["a", "a~nix~case~hack~1"]),
];

const LONGEST: &str = TOO_LONG.split_at(255).0;
const TOO_LONG: &str = "\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// A NAR as its strings with spaces between them. `_` is an empty one; `\0`, `\n` and `\x..` are bytes.
fn strings(text: &str) -> Vec<u8> {
    let string = |word: &str| {
        let bytes = if word == "_" { Vec::new() } else { unescape(word) };
        let mut string = (bytes.len() as u64).to_le_bytes().to_vec();
        string.extend(bytes);
        string.resize(string.len().next_multiple_of(8), 0);
        string
    };
    text.split_ascii_whitespace().flat_map(string).collect()
}

fn unescape(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend(before.bytes());
        let (byte, length) = match escape.as_bytes() {
            [b'0', ..] => (0, 1),
            [b'n', ..] => (b'\n', 1),
            _ => (u8::from_str_radix(&escape[1..3], 16).expect("invariant: two hexadecimal digits"), 3),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend(rest.bytes());
    bytes
}

/// The same NAR with a byte that is not zero at the end of the padding behind a word.
fn with_padding(nar: &[u8], word: &str) -> Vec<u8> {
    let string = strings(word);
    let at = nar.windows(string.len()).position(|window| window == string);
    let at = at.expect("invariant: the NAR has the word");
    let mut nar = nar.to_vec();
    nar[at + string.len() - 1] = 1;
    nar
}

/// A file inside so many directories.
fn deep(depth: usize) -> Vec<u8> {
    let (open, close) = ("( type directory entry ( name d node ", " ) )");
    strings(&format!("nix-archive-1 {}{FILE}{}", open.repeat(depth), close.repeat(depth)))
}
