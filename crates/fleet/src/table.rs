//! What can be set, declared once: the reader, the JSON schema and the reference page come from here.

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its attribute's name.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Where it can be written.
    pub place: Place,
    /// The value that holds if nobody writes one, as JSON; `null` where there is none.
    pub default: &'static str,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
    /// A value that somebody could write, as JSON.
    pub example: &'static str,
    /// What other tools call it.
    pub peers: &'static [&'static str],
}

/// Where a setting can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Wherever its group can be.
    Anywhere,
    /// In `lockstep.hosts.<name>`, not in `lockstep.defaults`.
    HostOnly,
}

/// What values a setting takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A number from this one to that.
    Number(u32, u32),
    /// A text such as `"90s"`.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text; what it is, and a regular expression for the schema.
    Text(&'static str, &'static str),
    /// A list of texts; what each is, and a regular expression for the schema.
    Texts(&'static str, &'static str),
    /// A program and its arguments.
    Command,
    /// A program and its arguments, or a web address.
    CommandOrUrl,
    /// A list of addresses, each a text or an attribute set.
    Addresses,
    /// An attribute set with these settings.
    Group(&'static [Setting]),
    /// An attribute set of named attribute sets with these settings; what the names are.
    Named(&'static str, &'static [Setting]),
}

pub(crate) const URL: &str = "^https?://[^/:?#\\s]\\S*$";
/// Numbers and units from long to short.
pub(crate) const DURATION: &str = "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
const TAG: &str = "^[A-Za-z0-9._][A-Za-z0-9._-]{0,99}$";
const UNIT: &str =
    "^[^-/\\s][^/\\s]*\\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$";

/// Most that a `port` can be.
const MAX_PORT: u32 = 65535;
/// Most hosts at a time.
const MAX_PARALLEL: u32 = 100_000;

/// What `lockstep` can hold.
pub const FLEET: &[Setting] = &[
    Setting {
        name: "defaults",
        kind: Kind::Group(HOST),
        place: Place::Anywhere,
        default: "{}",
        doc: "Settings of every host. What a host says itself goes before; lists are joined, the host's own first.",
        example: r#"{ "user": "deploy", "confirmTimeout": "3m" }"#,
        peers: &["network", "meta"],
    },
    Setting {
        name: "hosts",
        kind: Kind::Named("name of a configuration", HOST),
        place: Place::Anywhere,
        default: "{}",
        doc: "Settings of single hosts, each by the name of its configuration. A host without settings needs no entry.",
        example: r#"{ "web1": { "addresses": ["web1.example.org"], "tags": ["web"] } }"#,
        peers: &["nodes"],
    },
    Setting {
        name: "parallel",
        kind: Kind::Number(1, MAX_PARALLEL),
        place: Place::Anywhere,
        default: "null",
        doc: "At most so many hosts are worked on at a time; without it all are.",
        example: "20",
        peers: &[],
    },
    Setting {
        name: "onResult",
        kind: Kind::CommandOrUrl,
        place: Place::Anywhere,
        default: "null",
        doc: "Follows the result of each host: a program that is run on the operator's machine, or a web address to which the result is sent.",
        example: r#"["notify-send", "lockstep"]"#,
        peers: &["hook", "postDeploy", "webhook"],
    },
];

/// What `lockstep.defaults` and `lockstep.hosts.<name>` can hold.
pub const HOST: &[Setting] = &[
    Setting {
        name: "addresses",
        kind: Kind::Addresses,
        place: Place::HostOnly,
        default: "null",
        doc: "Where the host is reached, tried in this order. Each is a text, `host`, `user@host:port` or `[2001:db8::1]:22`, or an attribute set. `\"local\"` is the machine that Lockstep runs on, without ssh. Without addresses the host's name is its address.",
        example: r#"["web1.example.org", "root@192.0.2.1:2222", { "host": "2001:db8::1", "port": 22 }]"#,
        peers: &["targetHost", "hostname", "address", "host", "target"],
    },
    Setting {
        name: "user",
        kind: USER,
        place: Place::Anywhere,
        default: "null",
        doc: "The user to log in as, for addresses without one. Without it ssh's own configuration decides.",
        example: r#""deploy""#,
        peers: &["targetUser", "sshUser"],
    },
    Setting {
        name: "port",
        kind: Kind::Number(1, MAX_PORT),
        place: Place::Anywhere,
        default: "null",
        doc: "The port to connect to, for addresses without one. Without it ssh's own configuration decides.",
        example: "2222",
        peers: &["targetPort", "sshPort"],
    },
    Setting {
        name: "sshOptions",
        kind: Kind::Texts(
            "option of ssh_config(5) such as \"ServerAliveInterval=10\"",
            "^[A-Za-z0-9]+( *=| ) *\\S",
        ),
        place: Place::Anywhere,
        default: "[]",
        doc: "Options for ssh as in ssh_config(5), each one element of the list, spaces included. As there, one word with spaces in it, such as a path, stands in double quotes.",
        example: r#"["ProxyJump=bastion.example.org", "IdentityFile=\"~/my keys/id\""]"#,
        peers: &["sshOpts", "sshOption"],
    },
    Setting {
        name: "elevation",
        kind: Kind::Word(&["sudo", "run0", "doas", "none"]),
        place: Place::Anywhere,
        default: r#""sudo""#,
        doc: "How the agent becomes root if the user is not. A user who turns out to be root needs none of it, so a host of root's \
              may be without sudo.",
        example: r#""run0""#,
        peers: &["privilegeEscalationCommand", "interactiveSudo", "sudo"],
    },
    Setting {
        name: "tags",
        kind: Kind::Texts("tag", TAG),
        place: Place::Anywhere,
        default: "[]",
        doc: "What the host has in common with others; a selector finds it with `@tag`.",
        example: r#"["web", "prod"]"#,
        peers: &[],
    },
    Setting {
        name: "build",
        kind: Kind::Text("\"here\", \"target\" or a host of the fleet", "^[A-Za-z0-9_][A-Za-z0-9._-]*$"),
        place: Place::Anywhere,
        default: r#""here""#,
        doc: "Where the system is built: on the operator's machine with its builders (`here`), on the host itself (`target`), or on another host of the fleet.",
        example: r#""target""#,
        peers: &["buildOn", "buildOnTarget", "remoteBuild"],
    },
    Setting {
        name: "substitute",
        kind: Kind::Bool,
        place: Place::Anywhere,
        default: "true",
        doc: "Whether the host fetches what its own substituters have, so that only the rest is sent.",
        example: "false",
        peers: &["substituteOnDestination", "fastConnection", "substitutes"],
    },
    Setting {
        name: "confirmTimeout",
        kind: Kind::Duration,
        place: Place::Anywhere,
        default: r#""2m""#,
        doc: "How long the new system waits for its confirmation over a new connection before the host goes back by itself. Longer than `settle`.",
        example: r#""90s""#,
        peers: &["magicRollbackTimeout"],
    },
    Setting {
        name: "settle",
        kind: Kind::Duration,
        place: Place::Anywhere,
        default: r#""10s""#,
        doc: "How long the network must hold still before a confirmation counts, if the change touches it.",
        example: r#""20s""#,
        peers: &[],
    },
    Setting {
        name: "activation",
        kind: Kind::Group(ACTIVATION),
        place: Place::Anywhere,
        default: "{}",
        doc: "How long the activation of the new system may take.",
        example: r#"{ "idle": "2m", "total": "20m" }"#,
        peers: &["activationTimeout"],
    },
    Setting {
        name: "reboot",
        kind: Kind::Group(REBOOT),
        place: Place::Anywhere,
        default: "{}",
        doc: "How reboots of the host are gone about.",
        example: r#"{ "timeout": "20m", "onInhibitor": "reboot" }"#,
        peers: &["allowReboot", "rebootTimeout"],
    },
    Setting {
        name: "checks",
        kind: Kind::Named("name of a check", CHECK),
        place: Place::Anywhere,
        default: "{}",
        doc: "What must hold on the new system before it is confirmed. Of checks with one name the host's own counts; `null` takes away the one of `defaults`.",
        example: r#"{ "web": { "http": "http://localhost/health" } }"#,
        peers: &["healthChecks", "healthCheck"],
    },
    Setting {
        name: "protectedUnits",
        kind: Kind::Texts("unit such as \"sshd.service\"", UNIT),
        place: Place::Anywhere,
        default: "[]",
        doc: "Units that must be active on the new system if they were before; otherwise the host goes back.",
        example: r#"["nginx.service"]"#,
        peers: &["protected", "units"],
    },
    Setting {
        name: "gatewayFor",
        kind: Kind::Texts("selector such as \"web1\" or \"@site-b\"", "\\S"),
        place: Place::HostOnly,
        default: "[]",
        doc: "Selectors of hosts that this host is the way to, such as those behind a jump host or router. It is activated after them, alone. A `@tag` or glob does not mean the host itself.",
        example: r#"["@site-b", "db1"]"#,
        peers: &["jumpHostFor", "gateway", "routerFor"],
    },
    Setting {
        name: "delivery",
        kind: Kind::Word(&["push", "pull"]),
        place: Place::Anywhere,
        default: r#""push""#,
        doc: "Whether an operator pushes to the host, or the host pulls by itself.",
        example: r#""pull""#,
        peers: &["mode"],
    },
    Setting {
        name: "rollback",
        kind: Kind::Bool,
        place: Place::Anywhere,
        default: "true",
        doc: "Whether the host goes back to the system before when the new one does not hold. If not, the new one is left running, unconfirmed; the next boot is still the old one.",
        example: "false",
        peers: &["autoRollback", "magicRollback"],
    },
];

/// What `activation` can hold.
pub const ACTIVATION: &[Setting] = &[
    Setting {
        name: "idle",
        kind: Kind::Duration,
        place: Place::Anywhere,
        default: r#""5m""#,
        doc: "How long the activation may go without a sign of progress. Not longer than `total`, which also cuts the default.",
        example: r#""2m""#,
        peers: &[],
    },
    Setting {
        name: "total",
        kind: Kind::Duration,
        place: Place::Anywhere,
        default: r#""10m""#,
        doc: "How long the activation may take in all.",
        example: r#""20m""#,
        peers: &["timeout", "activationTimeout"],
    },
];

/// What `reboot` can hold.
pub const REBOOT: &[Setting] = &[
    Setting {
        name: "onInhibitor",
        kind: Kind::Word(&["fail", "boot", "reboot"]),
        place: Place::Anywhere,
        default: r#""fail""#,
        doc: "What a deploy does if the new system itself refuses to be switched to, since only a reboot can bring what changed: it fails (`fail`), the new system becomes what the next boot brings, unguarded (`boot`), or the host is rebooted into it, guarded (`reboot`, as `--reboot` wants it too).",
        example: r#""reboot""#,
        peers: &["onRefusal", "inhibitors"],
    },
    Setting {
        name: "timeout",
        kind: Kind::Duration,
        place: Place::Anywhere,
        default: r#""10m""#,
        doc: "How long the host may take from the reboot until it can be reached again and its units have started.",
        example: r#""20m""#,
        peers: &["bootTimeout", "rebootTimeout"],
    },
];

/// What `checks.<name>` can hold; exactly one of `http`, `tcp` and `command` is there.
pub const CHECK: &[Setting] = &[
    Setting {
        name: "http",
        kind: Kind::Text("http:// or https:// address", URL),
        place: Place::Anywhere,
        default: "null",
        doc: "A GET of this address is answered with a status from 200 to 299, or with `status`.",
        example: r#""http://localhost:8080/health""#,
        peers: &["url", "https"],
    },
    Setting {
        name: "status",
        kind: Kind::Number(100, 599),
        place: Place::Anywhere,
        default: "null",
        doc: "The one status that counts as good, with `http` only.",
        example: "204",
        peers: &["statusCode", "code"],
    },
    Setting {
        name: "tcp",
        kind: Kind::Text("host:port such as \"localhost:5432\"", ":[0-9]+$"),
        place: Place::Anywhere,
        default: "null",
        doc: "A connection to this host and port is accepted.",
        example: r#""localhost:5432""#,
        peers: &[],
    },
    Setting {
        name: "command",
        kind: Kind::Command,
        place: Place::Anywhere,
        default: "null",
        doc: "This program with these arguments ends with 0. No shell is used.",
        example: r#"["systemctl", "is-active", "nginx.service"]"#,
        peers: &["cmd", "exec", "argv"],
    },
    Setting {
        name: "from",
        kind: Kind::Word(&["host", "operator"]),
        place: Place::Anywhere,
        default: r#""host""#,
        doc: "Where the check is tried: on the host itself, or on the operator's machine.",
        example: r#""operator""#,
        peers: &[],
    },
    Setting {
        name: "period",
        kind: Kind::Duration,
        place: Place::Anywhere,
        default: r#""2s""#,
        doc: "How long to wait between two tries. Longer than zero.",
        example: r#""5s""#,
        peers: &["interval"],
    },
    Setting {
        name: "timeout",
        kind: Kind::Duration,
        place: Place::Anywhere,
        default: r#""30s""#,
        doc: "How long it may take until the first success, all tries included. Shorter than `confirmTimeout`.",
        example: r#""1m""#,
        peers: &[],
    },
];

/// What an address can hold if it is an attribute set.
pub const ADDRESS: &[Setting] = &[
    Setting {
        name: "host",
        kind: Kind::Text("host name or IP address", "^[A-Za-z0-9._:][A-Za-z0-9._:%-]*$"),
        place: Place::Anywhere,
        default: "null",
        doc: "The name or IP address. It must be there.",
        example: r#""2001:db8::1""#,
        peers: &["address", "hostname", "targetHost"],
    },
    Setting {
        name: "user",
        kind: USER,
        place: Place::Anywhere,
        default: "null",
        doc: "The user to log in as; without it the host's `user`.",
        example: r#""root""#,
        peers: &["targetUser", "sshUser"],
    },
    Setting {
        name: "port",
        kind: Kind::Number(1, MAX_PORT),
        place: Place::Anywhere,
        default: "null",
        doc: "The port to connect to; without it the host's `port`.",
        example: "2222",
        peers: &["targetPort", "sshPort"],
    },
];

const USER: Kind = Kind::Text("user name", "^[^-\\s][^\\s]*$");

impl Kind {
    /// What is expected, in words: `a duration such as "90s"`.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Number(from, to) => format!("a number from {from} to {to}"),
            Self::Duration => "a duration such as \"90s\"".to_owned(),
            Self::Word(words) => one_of(words),
            Self::Text(what, _) => with_article(what),
            Self::Texts(what, _) => format!("a list of texts, each {}", with_article(what)),
            Self::Command => "a list of texts, a program and its arguments".to_owned(),
            Self::CommandOrUrl => {
                "a list of texts (a program and its arguments), or an http:// or https:// address".to_owned()
            }
            Self::Addresses => "a list of addresses, each a text or an attribute set".to_owned(),
            Self::Group(_) => "an attribute set".to_owned(),
            Self::Named(what, _) => format!("an attribute set, each attribute the {what}"),
        }
    }
}

/// `"a", "b" or "c"`.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => quoted.concat(),
    }
}

fn with_article(what: &str) -> String {
    if what.starts_with('"') {
        return what.to_owned();
    }
    format!(
        "{} {what}",
        if what.starts_with(['a', 'e', 'i', 'o']) || what.starts_with("http") { "an" } else { "a" }
    )
}

/// The setting of this name in a table.
#[must_use]
pub fn find(table: &'static [Setting], name: &str) -> Option<&'static Setting> {
    table.iter().find(|setting| setting.name == name)
}
