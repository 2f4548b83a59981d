//! Paths that `nix store add`, `nix-instantiate` and `nix store make-content-addressed` of Nix 2.26.3 made.

use proptest::prelude::*;

use super::*;

fn path(store_dir: &StoreDir, name: &str, address: &str, references: &References) -> String {
    let address: ContentAddress = address.parse().unwrap();
    let path = address.store_path(store_dir, &name.parse().unwrap(), references).unwrap();
    path.to_string()
}

#[test]
fn paths_without_references_are_those_of_nix() {
    let cases = [
        (
            "fixed:r:sha256:0addczm9fjxkwraq3rf9z66ndy1w8scg7pi05xdyf4rjpl2h73gj",
            "0bkfhz0v2jcyj2m7hwzdzmywav298dl2-t",
        ),
        (
            "fixed:r:sha256:0addczm9fjxkwraq3rf9z66ndy1w8scg7pi05xdyf4rjpl2h73gj",
            "sxsa9l148bnlsgjkrcszhq6w4sggqkpd-t-1",
        ),
        (
            "fixed:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq",
            "gy454w1cxaq731grqwylhzf4pp9r5izh-hello.txt",
        ),
        (
            "text:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq",
            "qa1w9gdfrba6jl2r57mb3c43863gqywp-hello.txt",
        ),
        ("fixed:sha1:iwjz551fyw0cxcjgf4l6c879zabd6wpm", "svdva85yi507g9vncgsaxvnd1r808h4w-hello.txt"),
        (
            "fixed:r:sha512:0ingc7841iwmv20s1q4gdr7wnbynrs7l0f0clk0nlra87pb29wdgprni7f05cpcnprn4r1ff4lwfp507lri2cgpz2cf93m2inryvf8c",
            "z018s0k07zrk221gv8ignf74pwis8n19-t-2",
        ),
    ];
    for (address, expected) in cases {
        let name = &expected[33..];
        assert_eq!(path(&StoreDir::default(), name, address, &References::default()), expected);
        assert_eq!(address.parse::<ContentAddress>().unwrap().to_string(), address);
    }
}

#[test]
fn references_are_part_of_the_path() {
    let refers = |others: &[&str], to_self| References {
        others: others.iter().map(|path| path.parse().unwrap()).collect(),
        to_self,
    };
    let cases = [
        (
            "fixed:r:sha256:05aa6nrrhlndwgywnhgxrzx5156liyvl9gc3v0z9cfh2rx5hbc8d",
            refers(&["k0bq3s4hdvxal217l04jr24n8jm5l29g-dep"], true),
            "ncn4hq9gfzxr0b20mmqscfkky6lw69gp-selfy",
        ),
        (
            "text:sha256:02ps7czi7n6wsdzycq8cpc6yn7z7x53fkdyrx0g16bxf4x5w47q9",
            refers(&["p2qkh6lklg7zljx468xsl3gwif574nq4-dep.drv"], false),
            "k4nfvx2wvzzag82s8ld0hbk3vhi9ykpw-selfy.drv",
        ),
    ];
    for (address, references, expected) in cases {
        assert_eq!(path(&StoreDir::default(), &expected[33..], address, &references), expected);
    }
}

#[test]
fn the_store_is_part_of_the_path() {
    let address = "fixed:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq";
    let in_store = |store_dir: &str| {
        path(&StoreDir::new(store_dir).unwrap(), "hello.txt", address, &References::default())
    };
    assert_ne!(in_store("/nix/store"), in_store("/gnu/store"));
}

#[test]
fn what_must_not_refer_has_no_path_with_references() {
    let to_self = References { to_self: true, ..References::default() };
    let cases = [
        ("text:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", None),
        ("fixed:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", Some(())),
        ("fixed:r:sha1:iwjz551fyw0cxcjgf4l6c879zabd6wpm", Some(())),
    ];
    for (address, by_method) in cases {
        let address: ContentAddress = address.parse().unwrap();
        let error =
            by_method.map_or(ContentPathError::SelfReference, |()| ContentPathError::References(address));
        assert_eq!(address.store_path(&StoreDir::default(), &"a".parse().unwrap(), &to_self), Err(error));
    }
}

#[test]
fn refuses_what_is_no_content_address() {
    let unknown =
        |name: &str| ParseContentAddressError::Hash(ParseHashError::Algorithm { name: name.into() });
    let cases = [
        ("", ParseContentAddressError::Kind),
        ("sha256:00", ParseContentAddressError::Kind),
        ("text:", unknown("")),
        ("fixed:git:sha1:00", unknown("git")),
        ("fixed:r:", unknown("")),
        ("fixed:md5-kAFQmDzST7DWlj99KOF/cg==", unknown("md5-kAFQmDzST7DWlj99KOF/cg==")),
        (
            "fixed:r:sha256",
            ParseContentAddressError::Hash(ParseHashError::Length { algorithm: Algorithm::Sha256, found: 0 }),
        ),
        (
            "text:sha1:iwjz551fyw0cxcjgf4l6c879zabd6wpm",
            ParseContentAddressError::TextAlgorithm { algorithm: Algorithm::Sha1 },
        ),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<ContentAddress>(), Err(error), "{text}");
    }
}

proptest! {
    #[test]
    fn round_trip(digest: [u8; 32], kind in 0..3) {
        let address = match kind {
            0 => ContentAddress::Text(Sha256(digest)),
            1 => ContentAddress::Flat(Sha256(digest).into()),
            _ => ContentAddress::Nar(Sha256(digest).into()),
        };
        prop_assert_eq!(address.to_string().parse(), Ok(address));
    }
}
