//! Forms of hashes, each as `nix hash convert` writes it.

use proptest::prelude::*;

use super::*;

#[test]
fn forms_are_those_of_nix() {
    // Digests of the text "abc": prefixed base-16, base-32 and base-64, then SRI.
    let cases = [
        [
            "md5:900150983cd24fb0d6963f7d28e17f72",
            "md5:3jgzhjhz9zjvbb0kyj7jc500ch",
            "md5:kAFQmDzST7DWlj99KOF/cg==",
            "md5-kAFQmDzST7DWlj99KOF/cg==",
        ],
        [
            "sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
            "sha1:kpcd173cq987hw957sx6m0868wv3x6d9",
            "sha1:qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
            "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
        ],
        [
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s",
            "sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ],
        [
            "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "sha512:2gs8k559z4rlahfx0y688s49m2vvszylcikrfinm30ly9rak69236nkam5ydvly1ai7xac99vxfc4ii84hawjbk876blyk1jfhkbbyx",
            "sha512:3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==",
            "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==",
        ],
    ];
    for forms in cases {
        let hash: Hash = forms[0].parse().unwrap();
        let algorithm = hash.algorithm();
        let written = [
            format!("{algorithm}:{}", hash.to_base16()),
            hash.to_string(),
            format!("{algorithm}:{}", hash.to_base64()),
            hash.to_sri(),
        ];
        assert_eq!(written, forms);
        for form in forms {
            assert_eq!(form.parse(), Ok(hash), "{form}");
        }
    }
}

#[test]
fn sha256_of_pieces_is_that_of_the_whole() {
    let mut hasher = Sha256Hasher::new();
    hasher.update(b"a");
    hasher.update(b"bc");
    assert_eq!(hasher.length(), 3);
    let abc = hasher.finish();
    assert_eq!(abc, Sha256::of(b"abc"));
    assert_eq!(abc.to_string(), "sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s");
    assert_eq!(Hash::from(abc).as_sha256(), Some(abc));
}

#[test]
fn refuses_what_is_no_hash() {
    let short = |found| ParseHashError::Length { algorithm: Algorithm::Md5, found };
    let cases = [
        ("", ParseHashError::NoAlgorithm { text: String::new() }),
        (
            "900150983cd24fb0d6963f7d28e17f72",
            ParseHashError::NoAlgorithm { text: "900150983cd24fb0d6963f7d28e17f72".into() },
        ),
        ("sha3:00", ParseHashError::Algorithm { name: "sha3".into() }),
        ("SHA256:00", ParseHashError::Algorithm { name: "SHA256".into() }),
        ("md5:", short(0)),
        ("md5:900150983cd24fb0d6963f7d28e17f7", short(31)),
        ("md5:900150983cd24fb0d6963f7d28e17fxx", ParseHashError::Hex { offset: 30 }),
        (
            "md5:3jgzhjhz9zjvbb0kyj7jc500ce",
            ParseHashError::Base32(base32::DecodeError::Digit { offset: 25, byte: b'e' }),
        ),
        ("md5:zjgzhjhz9zjvbb0kyj7jc500ch", ParseHashError::Base32(base32::DecodeError::Overflow)),
        // Hexadecimal is not SRI, and padding is not optional.
        ("md5-900150983cd24fb0d6963f7d28e17f72", short(32)),
        ("md5-kAFQmDzST7DWlj99KOF/cg", short(22)),
        ("md5-kAFQmDzST7DWlj99KOF/cgAA", short(24)),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<Hash>(), Err(error), "{text}");
    }
    // The last character has bits beyond the digest.
    let not_canonical = "md5-kAFQmDzST7DWlj99KOF/ch==".parse::<Hash>();
    assert!(matches!(not_canonical, Err(ParseHashError::Base64(_))));
}

fn any_hash() -> impl Strategy<Value = Hash> {
    (proptest::sample::select(&Algorithm::ALL), proptest::array::uniform::<_, 64>(any::<u8>())).prop_map(
        |(algorithm, bytes)| Hash::from_digest(algorithm, &bytes[..algorithm.digest_len()]).unwrap(),
    )
}

proptest! {
    #[test]
    fn round_trip(hash in any_hash()) {
        let algorithm = hash.algorithm();
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        prop_assert_eq!(hash.to_sri().parse(), Ok(hash));
        for digest in [hash.to_base16(), hash.to_base32(), hash.to_base64()] {
            prop_assert_eq!(Hash::parse_digest(algorithm, &digest), Ok(hash));
        }
    }
}
