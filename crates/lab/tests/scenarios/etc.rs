//! What a switch does to `/etc`.

use anyhow::Result;

use super::lab;
use super::systems::{build, test};

#[test]
fn files_of_an_old_generation_go_and_files_made_by_hand_stay() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [old, new] = build(
        &host,
        [
            r#"environment.etc = {
                 "linked".text = "old"; "changed".text = "old"; "app/linked".text = "old";
                 "copied" = { text = "old"; mode = "0640"; group = "users"; };
                 "changed-copy" = { text = "old"; mode = "0600"; };
             };"#,
            r#"environment.etc = {
                 "changed".text = "new"; "taken".text = "new";
                 "changed-copy" = { text = "new"; mode = "0600"; };
             };"#,
        ],
    )?;
    test(&host, &old)?;
    assert_eq!(host.run(["readlink", "/etc/linked"])?, "/etc/static/linked");
    assert_eq!(host.run(["stat", "-c", "%a %G %F", "/etc/copied"])?, "640 users regular file");
    assert_eq!(
        host.run(["sh", "-c", "grep copy -r /etc/.clean; grep copied /etc/.clean"])?,
        "changed-copy\ncopied"
    );
    host.sh("echo mine > /etc/by-hand; echo mine > /etc/app/by-hand; echo mine > /etc/taken; echo touched > /etc/changed-copy")?;

    test(&host, &new)?;
    assert_eq!(
        host.run(["readlink", "-f", "/etc/static"])?,
        host.run(["readlink", "-f", &format!("{new}/etc")])?
    );
    let cases = [
        ("linked", None),
        ("app/linked", None),
        ("copied", None),
        ("changed", Some("new")),
        ("changed-copy", Some("new")),
        ("taken", Some("new")),
        ("by-hand", Some("mine")),
        ("app/by-hand", Some("mine")),
    ];
    for (name, expected) in cases {
        let found = host.output(["cat", &format!("/etc/{name}")])?;
        assert_eq!(found.status.success().then(|| found.stdout_text()).as_deref(), expected, "{name}");
    }
    assert_eq!(host.run(["stat", "-c", "%F", "/etc/NIXOS"])?, "regular empty file");
    Ok(())
}
