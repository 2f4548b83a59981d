//! What `eval` makes of real descriptions, with the user's Nix of both images, on the operator host.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::{Host, Suite, wait};

use super::{builder, example};

/// How long one command may take, most of which is the machine's other work.
const LIMIT: Duration = Duration::from_secs(200);
/// The description, in a git repository.
const FLEET: &str = "/root/fleet";
/// What stands before an attribute of a configuration of the flake.
const CONFIGURATIONS: &str = ".#nixosConfigurations";

/// A test for each promise and image.
macro_rules! evaluations {
    ($($name:ident,)*) => {
        mod trixie {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                super::on_operator(lab::Suite::Trixie, super::$name)
            })*
        }
        mod sid {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                super::on_operator(lab::Suite::Sid, super::$name)
            })*
        }
    };
}

evaluations! {
    names_and_settings_are_read_without_a_configuration,
    settings_that_do_not_evaluate_are_an_error_that_names_the_host,
    systems_are_the_derivations_of_nixos_rebuild,
    a_bad_host_hides_no_good_one,
    a_failed_build_shows_its_own_log,
    what_is_built_is_rooted_and_has_a_closure,
    a_cancelled_build_leaves_nothing_running,
}

/// The operator host, with the description in a clean git repository.
struct Operator<'lab>(Host<'lab>);

fn on_operator(suite: Suite, check: fn(&Operator<'_>) -> Result<()>) -> Result<()> {
    let lab = builder().suite(suite).operator().tool(example("evaluate")).start()?;
    let operator = Operator(lab.host("operator"));
    operator.0.write(&format!("{FLEET}/flake.nix"), include_str!("evaluation/flake.nix"))?;
    operator.0.write(&format!("{FLEET}/hosts/note"), "a directory to be in")?;
    operator.git(&["init", "-q", "."])?;
    operator.git(&["add", "."])?;
    operator.git(&["commit", "-q", "-m", "all"])?;
    check(&operator)
}

impl Operator<'_> {
    /// What our program prints in a directory, whether it fails or not.
    fn try_in(&self, directory: &str, words: &[&str]) -> Result<String> {
        let words = [&["env", "-C", directory, "/lab/bin/evaluate"], words].concat();
        let done = self.0.command(words)?.timeout(LIMIT).output()?;
        ensure!(matches!(done.code(), 0 | 1), "{}: {}", done.code(), done.stderr_text());
        Ok(done.stdout_text())
    }

    /// What our program prints in the description's directory.
    fn evaluate(&self, words: &[&str]) -> Result<String> {
        self.try_in(FLEET, words)
    }

    /// What Nix itself says there.
    fn nix(&self, words: &[&str]) -> Result<String> {
        let nix = ["env", "-C", FLEET, "nix", "--extra-experimental-features", "nix-command flakes"];
        let done = self.0.command(nix.iter().chain(words))?.timeout(LIMIT).run()?;
        Ok(done.stdout_text())
    }

    fn git(&self, words: &[&str]) -> Result<String> {
        let who = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
        let git = ["git", "-C", FLEET].iter().chain(&who).chain(words);
        Ok(self.0.command(git)?.run()?.stdout_text())
    }

    /// The derivation that our program gives for a host.
    fn derivation(&self, host: &str) -> Result<String> {
        let told = self.evaluate(&["evaluate", host])?;
        let derivation = told.lines().find_map(|line| line.split_once(" derivation "));
        Ok(derivation.with_context(|| told.clone())?.1.to_owned())
    }
}

fn names_and_settings_are_read_without_a_configuration(operator: &Operator<'_>) -> Result<()> {
    let names = |all: &str| format!(r#""names":[{all}]"#);
    let settings =
        r#"{"lockstep":{"defaults":{"tags":["all"]},"hosts":{"web1":{"addresses":["10.9.0.11"]}}},"#;
    let all = r#""box","failing","mistyped","recursive","slow","throws","warns","web.example.org","web1""#;
    let expected = format!("{settings}{}}}", names(all));
    for directory in [FLEET, "/root/fleet/hosts"] {
        assert_eq!(operator.try_in(directory, &["index"])?, expected, "from {directory}");
        assert_eq!(operator.try_in(directory, &["source"])?, "/root/fleet/flake.nix");
    }
    for reference in ["/root/fleet", "path:/root/fleet", "git+file:///root/fleet", "./root/fleet/flake.nix"] {
        assert_eq!(operator.try_in("/", &["-f", reference, "index"])?, expected, "of {reference}");
    }
    assert_eq!(operator.git(&["status", "--porcelain"])?, "", "no lock file was written");

    // A work tree that is not clean counts as it is.
    operator.0.sh("sed -i 's/box = make/cube = make/' /root/fleet/flake.nix")?;
    let expected = expected.replace("\"box\",", "\"cube\",");
    assert_eq!(operator.evaluate(&["index"])?, expected);

    operator.0.write("/root/plain/fleet.nix", include_str!("evaluation/fleet.nix"))?;
    let expected = r#"{"lockstep":{"hosts":{"plain":{"tags":["hello"]}}},"names":["plain","throws"]}"#;
    assert_eq!(operator.try_in("/root/plain", &["index"])?, expected);
    assert_eq!(operator.try_in("/", &["-f", "root/plain/fleet.nix", "index"])?, expected);

    operator.0.write(
        "/root/input/flake.nix",
        "{ outputs = _: { lib.nixosSystem = _: { }; nixosModules.base = { }; tags = [ \"mine\" ]; }; }",
    )?;
    operator.0.write("/root/bare/flake.nix", "{ inputs.pocket.url = \"path:/lab/os\"; outputs = { self, pocket }: { nixosConfigurations = { }; lockstep.hosts.a.tags = pocket.tags or [ ]; }; }")?;
    let bare = |words: &[&str]| operator.try_in("/root/bare", words);
    assert_eq!(bare(&["index"])?, r#"{"lockstep":{"hosts":{"a":{"tags":[]}}},"names":[]}"#);
    let overridden = bare(&["--override-input", "pocket", "../input", "index"])?;
    assert_eq!(overridden, r#"{"lockstep":{"hosts":{"a":{"tags":["mine"]}}},"names":[]}"#);
    operator.0.write("/root/bare/flake.nix", "{ outputs = _: { nixosConfigurations = { }; }; }")?;
    assert_eq!(bare(&["index"])?, r#"{"lockstep":null,"names":[]}"#);
    operator.0.write("/root/bare/flake.nix", "{ outputs = _: { nixosConfiguration = { }; }; }")?;
    let told = bare(&["index"])?;
    ensure!(told.contains("there is no attribute nixosConfigurations in this description"), "{told}");
    Ok(())
}

fn settings_that_do_not_evaluate_are_an_error_that_names_the_host(operator: &Operator<'_>) -> Result<()> {
    operator
        .0
        .sh(r#"sed -i 's/addresses = .*/addresses = throw "which address?";/' /root/fleet/flake.nix"#)?;
    let told = operator.evaluate(&["index"])?;
    let error = "error: the description does not evaluate at lockstep.hosts.web1.addresses: which address?";
    ensure!(told.starts_with(error), "{told}");
    operator.derivation("web1").context("its configuration is not touched by that")?;
    operator.0.sh("sed -i 's/lockstep = /lockstep = }/' /root/fleet/flake.nix")?;
    let told = operator.evaluate(&["index"])?;
    ensure!(told.contains("does not evaluate: syntax error") && told.contains("flake.nix:"), "{told}");
    Ok(())
}

fn systems_are_the_derivations_of_nixos_rebuild(operator: &Operator<'_>) -> Result<()> {
    let told = operator.evaluate(&["evaluate", "web1", "web.example.org", "box", "warns"])?;
    for (host, kind) in [
        ("web1", "System"),
        ("web.example.org", "System"),
        ("box", "Container { reason: \"boot.isContainer is true\" }"),
        ("warns", "System"),
    ] {
        let attribute = format!("{CONFIGURATIONS}.\"{host}\".config.system.build.toplevel");
        let derivation = operator.nix(&["eval", "--raw", &format!("{attribute}.drvPath")])?;
        let system = operator.nix(&["eval", "--raw", &format!("{attribute}.outPath")])?;
        for line in [
            format!("{host} derivation {derivation}"),
            format!("{host} system {system}"),
            format!("{host} platform x86_64-linux kind {kind}"),
        ] {
            ensure!(told.lines().any(|told| told == line), "`{line}` is not in\n{told}");
        }
    }
    ensure!(told.contains("warns trace: something is odd"), "{told}");
    // The derivation is there before anybody else evaluates.
    operator.0.sh("sed -i 's/\"web1\"/\"web1a\"/' /root/fleet/flake.nix")?;
    let derivation = operator.derivation("web1")?;
    operator.0.run(["nix-store", "--check-validity", &derivation])?;

    operator.0.write("/root/plain/fleet.nix", include_str!("evaluation/fleet.nix"))?;
    let told = operator.try_in("/root/plain", &["evaluate", "plain"])?;
    let expression =
        "((import /root/plain/fleet.nix) { }).nixosConfigurations.plain.config.system.build.toplevel";
    let derivation = operator.0.run(["nix-instantiate", "--expr", expression])?;
    ensure!(told.contains(&format!("plain derivation {derivation}")), "{derivation} is not in\n{told}");
    Ok(())
}

fn a_bad_host_hides_no_good_one(operator: &Operator<'_>) -> Result<()> {
    let hosts = ["evaluate", "throws", "recursive", "web1", "mistyped", "nobody", "a\"b${c}"];
    let told = operator.evaluate(&hosts)?;
    for line in [
        "error: host throws does not evaluate: this host is broken",
        "error: host recursive does not evaluate: infinite recursion encountered",
        "error: host mistyped does not evaluate: The option `networking.hostNam' does not exist.",
        "error: host nobody does not evaluate: attribute 'nobody' missing",
        "web1 platform x86_64-linux kind System",
    ] {
        ensure!(told.lines().any(|told| told == line), "`{line}` is not in\n{told}");
    }
    ensure!(told.contains("error: host a\"b${c} does not evaluate: attribute"), "{told}");
    ensure!(told.contains("did you mean: `networking.hostName'"), "Nix's own lines follow: {told}");
    ensure!(told.lines().any(|line| line.starts_with("nix: ") && line.contains("flake.nix:")), "{told}");
    ensure!(told.lines().count() < 200, "{told}");
    Ok(())
}

fn a_failed_build_shows_its_own_log(operator: &Operator<'_>) -> Result<()> {
    let derivation = operator.derivation("failing")?;
    let told = operator.evaluate(&["build", &derivation])?;
    let at = told.lines().position(|line| line.starts_with("error: ")).with_context(|| told.clone())?;
    let lines: Vec<_> = told.lines().skip(at).collect();
    ensure!(lines[0].starts_with("error: failing-1.0 did not build: "), "{lines:#?}");
    ensure!(lines[0].ends_with("failed with exit code 3"), "{lines:#?}");
    let log: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("log: ")).collect();
    assert_eq!((log[0], log[48], log[49], log.len()), ("line 52", "line 100", "the heart of it", 50));
    ensure!(
        told.contains("event Started") && told.contains("line: \"line 1\""),
        "all of it came live: {told}"
    );
    let again = operator.evaluate(&["build", "/nix/store/0000000000000000000000000000000a-no.drv"])?;
    ensure!(again.contains("error: no did not build: "), "{again}");
    Ok(())
}

fn what_is_built_is_rooted_and_has_a_closure(operator: &Operator<'_>) -> Result<()> {
    let derivation = operator.derivation("web.example.org")?;
    let root = "/root/state/roots/web";
    operator.0.run(["mkdir", "-p", "/root/state/roots"])?;
    let told = operator.evaluate(&["build", &derivation, root])?;
    let built = told.lines().find_map(|line| line.strip_prefix("built ")).with_context(|| told.clone())?;
    assert_eq!(operator.0.run(["readlink", root])?, built);
    let roots = operator.0.run(["nix-store", "--query", "--roots", built])?;
    ensure!(roots.contains(root), "{roots}");
    let mut closure: Vec<_> = operator.evaluate(&["closure", built])?.lines().map(str::to_owned).collect();
    assert_eq!(closure.last().map(String::as_str), Some(built), "references come first");
    let requisites = operator.0.run(["nix-store", "--query", "--requisites", built])?;
    let mut requisites: Vec<_> = requisites.lines().map(str::to_owned).collect();
    closure.sort();
    requisites.sort();
    assert_eq!(closure, requisites);
    ensure!(operator.evaluate(&["closure", &derivation])?.lines().count() > 10, "a derivation has one too");
    let missing = operator.evaluate(&["closure", "/nix/store/0000000000000000000000000000000a-no"])?;
    assert_eq!(missing, "error: 0000000000000000000000000000000a-no is not in the store here");
    // A second build has nothing to do.
    let again = operator.evaluate(&["build", &derivation])?;
    ensure!(again.ends_with(&format!("built {built}")) && !again.contains("event Started"), "{again}");
    Ok(())
}

fn a_cancelled_build_leaves_nothing_running(operator: &Operator<'_>) -> Result<()> {
    let derivation = operator.derivation("slow")?;
    // As every user but root: Nix 2.34 without a daemon may leave its builder behind however it is ended.
    let words = [
        "env",
        "-C",
        FLEET,
        "NIX_REMOTE=daemon",
        "/lab/bin/evaluate",
        "build",
        &derivation,
        "until",
        "begun",
    ];
    let told = operator.0.command(words)?.timeout(LIMIT).output()?.stdout_text();
    ensure!(told.ends_with("error: the build was cancelled"), "{told}");
    wait::until_true("the builder to be gone", Duration::from_secs(30), || {
        let left = operator.0.output(["pgrep", "-f", "sleep 1000|nix build"]);
        left.is_ok_and(|left| left.code() == 1)
    })
}
