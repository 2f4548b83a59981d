//! The reference page of the settings, made of their table.

use crate::table::{ACTIVATION, ADDRESS, CHECK, FLEET, HOST, Kind, Place, REBOOT, Setting};
use crate::wire::json_to_nix;

const HEAD: &str = "\
# Settings

<!-- Made by `cargo xtask reference` from the table in crate `fleet`; change that, not this. -->

A flake with `nixosConfigurations` and nothing else works: the name of each is the host's address for ssh. All else is
said in the attribute set `lockstep`, a flake output or an attribute of `fleet.nix`:

```nix
lockstep = {
  defaults.user = \"deploy\";
  hosts.web1 = {
    addresses = [ \"web1.example.org\" \"root@192.0.2.1:2222\" ];
    tags = [ \"web\" ];
    checks.web.http = \"http://localhost/health\";
  };
};
```

It is read without evaluating any configuration. Names that are not below are errors, and so are values that cannot be.
What a host says goes before what `defaults` says; lists are joined, the host's own elements first; `checks` are joined
by their names. `null` is the built-in default, also where `defaults` says something else.

A duration is a text of numbers with units from long to short: `\"90s\"`, `\"2m\"`, `\"1h30m\"`, `\"500ms\"`.
";

/// The page, in Markdown.
#[must_use]
pub fn reference_page() -> String {
    let sections: [(&str, &str, &[Setting]); 6] = [
        ("lockstep", "The whole fleet.", FLEET),
        ("lockstep.hosts.&lt;name&gt;", "One host, or with `lockstep.defaults` all of them.", HOST),
        ("activation", "In a host or in `defaults`.", ACTIVATION),
        ("reboot", "In a host or in `defaults`.", REBOOT),
        (
            "checks.&lt;name&gt;",
            "In a host or in `defaults`; exactly one of `http`, `tcp` and `command`.",
            CHECK,
        ),
        ("addresses", "An address that is not a text.", ADDRESS),
    ];
    let mut page = HEAD.to_owned();
    for (title, words, table) in sections {
        page.push_str(&format!("\n## {title}\n\n{words}\n"));
        for setting in table {
            page.push_str(&entry(setting));
        }
    }
    page
}

/// One setting.
fn entry(setting: &Setting) -> String {
    let Setting { name, doc, kind, .. } = setting;
    let place = if setting.place == Place::HostOnly { " Not in `defaults`." } else { "" };
    let default = match setting.default {
        "null" => "none".to_owned(),
        value => format!("`{}`", json_to_nix(value)),
    };
    let kind = match kind {
        Kind::Group(_) | Kind::Named(..) => format!("{}, see below", kind.expected()),
        _ => kind.expected(),
    };
    let peers = match setting.peers {
        [] => String::new(),
        peers => format!(
            "- elsewhere called: {}\n",
            peers.iter().map(|peer| format!("`{peer}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    let example = json_to_nix(setting.example);
    format!(
        "\n### {name}\n\n{doc}{place}\n\n- value: {kind}\n- default: {default}\n- example: `{name} = {example};`\n{peers}"
    )
}
