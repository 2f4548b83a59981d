//! What a deploy after a change sends to a host that an unprivileged user deploys to.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    fleet_runs::json,
    fleets::{self, Fleet},
    systems::SOON,
};

const AS_ROOT: &str = r#"{ defaults = { confirmTimeout = "8s"; settle = "0s"; }; }"#;
const AS_USER: &str = r#"{ defaults = { confirmTimeout = "8s"; settle = "0s"; user = "deploy"; }; }"#;

/// A program of 3 MB that changes little with its version, and one that only names it.
const PROGRAMS: &str = r#"
    environment.etc."programs".source =
      let
        program = pkgs.runCommand "program-VERSION" { } ''
          mkdir -p $out/bin
          { seq 300000 350000 | sha256sum; seq 1 150000; echo VERSION; seq 150000 300000; } > $out/bin/program
        '';
      in
      pkgs.runCommand "programs" { } "mkdir $out; ln -s ${program}/bin $out/bin; echo ${program} > $out/names";"#;

/// A user with the operator's key who becomes root without a password.
fn user(fleet: &Fleet<'_>) -> Result<String> {
    let key = fleet.operator.run(["ssh-keygen", "-y", "-f", "/root/.ssh/id_ed25519"])?;
    Ok(format!(
        r#"users.users.deploy = {{
            isNormalUser = true; extraGroups = [ "wheel" ]; openssh.authorizedKeys.keys = [ "{key}" ];
        }};
        security.sudo.wheelNeedsPassword = false;"#
    ))
}

/// Deploys everything; says how many bytes went over, and what was said on the way.
fn deploy(fleet: &Fleet<'_>) -> Result<(u64, String)> {
    let done = json(fleet, 0, &["deploy", "--yes", "--all"])?;
    let text = done.text();
    let outcome = done.events.iter().find(|event| event["event"] == "outcome").context("no outcome")?;
    let deployed: &Value = &outcome["hosts"][0]["report"]["what"]["deployed"];
    let ending = &deployed["result"]["activated"]["ending"];
    ensure!(ending == "confirmed", "{ending}: {text}");
    Ok((deployed["bytes"].as_u64().context("no bytes")?, text))
}

#[test]
fn a_second_deploy_sends_what_changed_as_a_user_with_sudo() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    let user = user(&fleet)?;
    fleet.settings(AS_ROOT)?;
    fleet.define("web1", &user)?;
    deploy(&fleet)?;
    fleet.settings(AS_USER)?;
    let version = |version| format!("{user}{}", PROGRAMS.replace("VERSION", version));
    fleet.define("web1", &version("1.0"))?;
    let (first, _) = deploy(&fleet)?;
    ensure!(first > 80_000, "{first}");
    fleet.define("web1", &version("1.1"))?;
    let (second, said) = deploy(&fleet)?;
    ensure!(second < first / 10, "{first} bytes, then {second}: {said}");
    ensure!(said.contains("differ in hashes only"), "{said}");
    assert_eq!(host.sh("grep -cxF 1.1 /etc/programs/bin/program")?, "1");
    host.sh("nix-store --verify-path $(nix-store --query --requisites /run/current-system)")?;
    host.wait_ssh(SOON)
}
