//! Errors as Nix prints them, and what is taken from them.

use proptest::prelude::*;

use super::*;

#[test]
fn the_heart_of_an_error() {
    let cases = [
        ("error: this host is broken\n", "this host is broken"),
        (
            "warning: x\nerror:\n       … while calling\n         at /x:7:7:\n\n       error: this host is broken\n",
            "this host is broken",
        ),
        (
            "error:\n       … while y\n\n       (stack trace truncated)\n\n       error:\n       Failed assertions:\n       - one\n       - two\n",
            "Failed assertions:\n- one\n- two",
        ),
        (
            "error: infinite recursion encountered\n       at /x/flake.nix:8:23:\n            7|  a\n            8|  b\n",
            "infinite recursion encountered\n       at /x/flake.nix:8:23:\n            7|  a\n            8|  b",
        ),
        (
            "\u{1b}[31;1merror:\u{1b}[0m undefined variable '\u{1b}[35;1mfoo\u{1b}[0m'\n",
            "undefined variable 'foo'",
        ),
        ("killed in the middle\n", "killed in the middle (nix ended with 1)"),
        ("", "nothing was said (nix ended with 1)"),
        ("error:\n", "error: (nix ended with 1)"),
    ];
    for (printed, heart) in cases {
        let words = Words::new(printed, "nix ended with 1");
        assert_eq!(words.heart, heart, "{printed}");
        assert_eq!(words.tail, plain(printed).trim_end());
    }
}

#[test]
fn the_attribute_that_could_not_be_had() {
    let trace = "error:\n … while evaluating attribute 'lockstep'\n   at «string»:3:3:\n\n … while evaluating attribute 'web1'\n\n … while evaluating the attribute 'x'\n error: no";
    assert_eq!(Words::new(trace, "").attribute, ["lockstep", "web1"]);
    assert!(Words::new("error: no", "").attribute.is_empty());
}

#[test]
fn what_is_kept_is_bounded() {
    let long = format!("{}\nerror: {}", "trace: ä\n".repeat(10_000), "ö".repeat(10_000));
    let words = Words::new(&long, "");
    assert!(words.heart.len() <= HEART + '…'.len_utf8() && words.heart.starts_with("öö"));
    assert!(words.tail.len() <= TAIL && words.tail.ends_with('ö'));
}

#[test]
fn escape_codes_go() {
    assert_eq!(plain("\u{1b}[1;31mred\u{1b}[0m\u{9b}31m, tab\t.\n"), "red, tab    .\n");
}

proptest! {
    #[test]
    fn any_text_becomes_plain_and_short(text in "(?s).{0,200}") {
        let words = Words::new(&text, "ended");
        for character in words.heart.chars().chain(words.tail.chars()) {
            prop_assert!(character == '\n' || !character.is_control());
        }
    }

    #[test]
    fn cutting_keeps_characters_whole(text in "[aäö\u{1f600}\n]{0,80}", limit in 1_usize..60) {
        prop_assert!(text.contains(&keep_end(&text, limit)) && keep_end(&text, limit).len() <= limit);
        prop_assert!(keep_start(&text, limit).len() <= limit + '…'.len_utf8());
    }
}
