//! `make demo`: three real hosts, two generations switched by hand, and a power cut in between.

#![expect(clippy::print_stdout, reason = "a demonstration is read")]

use std::env;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lab::{Builder, Host, Lab};

const PROFILE: &str = "/nix/var/nix/profiles/system";
const BOOT: Duration = Duration::from_secs(60);
const MODULE: &str = r#"
{
  services.static-web-server = { enable = true; root = "/etc"; };
  environment.etc."motd".text = "the second generation\n";
}
"#;

fn main() -> Result<()> {
    let start = Instant::now();
    let lab = Builder::new(program()?).hosts(["web1", "web2", "db1"]).start()?;
    say(start, "three hosts answer over ssh: systemd, OpenSSH, Nix, and a boot entry each");
    show(&lab)?;

    let news = on_all(&lab, build)?;
    say(start, "each host built a second generation with its own Nix");
    on_all(&lab, |host| switch(host, &news, "test"))?;
    say(start, "`switch-to-configuration test`: it runs, the boot default is still the first");
    show(&lab)?;

    let web1 = lab.host("web1");
    web1.power_cycle()?;
    web1.wait_ssh(BOOT)?;
    say(start, "the power of web1 was cut: it came back with its boot default");
    show(&lab)?;

    on_all(&lab, |host| make_default(host, &news))?;
    say(start, "a new generation of the profile and `switch-to-configuration switch` on all");
    web1.power_cycle()?;
    web1.wait_ssh(BOOT)?;
    say(start, "the power of web1 was cut again");
    show(&lab)?;
    drop(lab);
    say(start, "the lab has ended; nothing of it is left");
    Ok(())
}

/// The `lab` program, built beside this example's directory.
fn program() -> Result<PathBuf> {
    let this = env::current_exe()?;
    let target =
        this.parent().and_then(|examples| examples.parent()).context("an example lies in a target")?;
    Ok(target.join("lab"))
}

fn say(start: Instant, what: &str) {
    println!("\n[{:5.1} s] {what}", start.elapsed().as_secs_f64());
}

/// One thing on every host at once; answers in the order of the hosts.
fn on_all<T: Send>(lab: &Lab, act: impl Fn(Host<'_>) -> Result<T> + Sync) -> Result<Vec<T>> {
    let act = &act;
    thread::scope(|scope| {
        let running: Vec<_> = lab.hosts().map(|host| scope.spawn(move || act(host))).collect();
        running
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked")))
            .collect()
    })
}

/// Builds the base system with one more module; returns its host and path.
fn build(host: Host<'_>) -> Result<(String, String)> {
    host.write("/root/second.nix", MODULE)?;
    let imports = "[ /lab/os/base/configuration.nix /root/second.nix ]";
    let system = format!("(import /lab/os {{ configuration = {{ imports = {imports}; }}; }}).system");
    let path = host.run(["nix-build", "--quiet", "--no-out-link", "--expr", &system])?;
    Ok((host.name().to_owned(), path))
}

fn built_for<'news>(host: &Host<'_>, news: &'news [(String, String)]) -> Result<&'news str> {
    let found = news.iter().find(|(name, _)| name == host.name());
    found.map(|(_, path)| path.as_str()).context("every host has built its system")
}

fn switch(host: Host<'_>, news: &[(String, String)], action: &str) -> Result<()> {
    let program = format!("{}/bin/switch-to-configuration", built_for(&host, news)?);
    host.run([&program, action]).map(drop)
}

fn make_default(host: Host<'_>, news: &[(String, String)]) -> Result<()> {
    host.run(["nix-env", "--profile", PROFILE, "--set", built_for(&host, news)?])?;
    switch(host, news, "switch")?;
    host.run(["sync"]).map(drop)
}

fn show(lab: &Lab) -> Result<()> {
    println!(
        "  {:5} {:10} {:>5}  {:28} {:28} MESSAGE OF THE DAY",
        "HOST", "ADDRESS", "BOOTS", "BOOTED BY", "RUNNING"
    );
    for host in lab.hosts() {
        let status = host.status()?;
        let running = host.run(["readlink", "-f", "/run/current-system"])?;
        let running = running.trim_start_matches("/nix/store/").get(..8).unwrap_or_default().to_owned();
        let entry = status.entry.unwrap_or_default();
        let motd = host.output(["cat", "/etc/motd"])?.stdout_text();
        let motd = motd.lines().next().unwrap_or("-");
        println!(
            "  {:5} {:10} {:>5}  {entry:28} {running:28} {motd}",
            host.name(),
            host.address(),
            status.boots
        );
    }
    Ok(())
}
