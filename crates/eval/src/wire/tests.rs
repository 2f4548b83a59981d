//! Answers of Nix, and what is no answer.

use super::*;

const ANSWER: &str = r#"{"derivation":"/nix/store/5np2avqjh3ym70175xgfgclhlxm38gmf-nixos.drv","kind":"KIND",
"platform":"x86_64-linux","reason":"because","system":"/nix/store/9das4nq4hv7akrq1nfyccmg8s644px48-nixos"}"#;

#[test]
fn systems_of_all_kinds() {
    let reason = || "because".to_owned();
    let cases = [
        ("system", Kind::System),
        ("installer", Kind::Installer { reason: reason() }),
        ("vm", Kind::Vm { reason: reason() }),
        ("container", Kind::Container { reason: reason() }),
    ];
    for (name, kind) in cases {
        let evaluated = system(ANSWER.replace("KIND", name).as_bytes()).unwrap();
        assert_eq!(evaluated.kind, kind);
        assert_eq!(evaluated.derivation.to_string(), "5np2avqjh3ym70175xgfgclhlxm38gmf-nixos.drv");
        assert_eq!(evaluated.system.to_string(), "9das4nq4hv7akrq1nfyccmg8s644px48-nixos");
        assert_eq!(evaluated.kind.reason(), (name != "system").then_some("because"));
    }
}

#[test]
fn what_is_no_system() {
    let good = ANSWER.replace("KIND", "system");
    let cases = [
        ("", "Json"),
        ("null", "Json"),
        (&good.replace("system\"", "toaster\""), "Json"),
        (&good.replace("/nix/store/9", "/somewhere/9"), "Path"),
        (&good.replace("nixos.drv", "nixos"), "NoDerivation"),
    ];
    for (answer, expected) in cases {
        let error = format!("{:?}", system(answer.as_bytes()).unwrap_err());
        assert!(error.starts_with(expected), "{answer}: {error}");
    }
}

#[test]
fn what_was_built() {
    let out = "/nix/store/9das4nq4hv7akrq1nfyccmg8s644px48-nixos";
    let good = format!(r#"[{{"drvPath":"/nix/store/x.drv","outputs":{{"out":"{out}"}},"startTime":1}}]"#);
    assert_eq!(built(good.as_bytes()).unwrap().to_string(), "9das4nq4hv7akrq1nfyccmg8s644px48-nixos");
    let cases = [
        ("[]".to_owned(), "NoOutput"),
        (good.replace("\"out\"", "\"dev\""), "NoOutput"),
        (format!("{0},{1}", good.trim_end_matches(']'), good.trim_start_matches('[')), "NoOutput"),
        (good.replace(out, "x"), "Path"),
        ("{}".to_owned(), "Json"),
    ];
    for (answer, expected) in cases {
        let error = format!("{:?}", built(answer.as_bytes()).unwrap_err());
        assert!(error.starts_with(expected), "{answer}: {error}");
    }
}

#[test]
fn log_lines_of_unknown_kinds_are_let_pass() {
    let cases = [
        ("warning: x", "None"),
        ("@nix ", "None"),
        ("@nix {}", "None"),
        ("@nix {\"action\":\"new\",\"id\":1}", "Some(Other)"),
        ("@nix {\"action\":\"stop\",\"id\":1}", "Some(Stop { id: 1 })"),
        ("@nix {\"action\":\"stop\",\"id\":-1}", "None"),
        (
            r#"@nix {"action":"result","id":1,"type":9,"fields":[1,"a",{"x":[]}]}"#,
            r#"Some(Result { id: 1, kind: 9, fields: [Number(1), Text("a"), Other(IgnoredAny)] })"#,
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(format!("{:?}", LogLine::parse(line)), expected, "{line}");
    }
}
