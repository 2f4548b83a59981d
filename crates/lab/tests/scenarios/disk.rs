//! Disks that are full or take no writes.

use std::time::Duration;

use anyhow::Result;

use super::lab;

#[test]
fn a_full_disk_takes_only_what_was_left() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    for dir in ["/var", "/boot"] {
        host.fill_disk(dir, 1 << 20)?;
        let file = format!("{dir}/more");
        let done = host.output(["dd", "if=/dev/zero", &format!("of={file}"), "bs=1M", "count=4"])?;
        assert!(done.stderr_text().contains("No space left on device"), "{}", done.stderr_text());
        host.run(["rm", &format!("{dir}/lab-fill"), &file])?;
        host.run(["dd", "if=/dev/zero", &format!("of={file}"), "bs=1M", "count=4"])?;
    }
    Ok(())
}

#[test]
fn a_broken_disk_is_read_only_until_the_next_boot() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    host.write("/var/before", "kept")?;
    host.run(["sync"])?;
    host.break_disk()?;
    for path in ["/var/after", "/nix/var/after"] {
        let done = host.output(["touch", path])?;
        assert!(done.stderr_text().contains("Read-only file system"), "{path}: {}", done.stderr_text());
    }
    assert_eq!(host.run(["cat", "/var/before"])?, "kept");
    host.power_cycle()?;
    host.wait_ssh(Duration::from_secs(60))?;
    assert_eq!(host.run(["cat", "/var/before"])?, "kept");
    host.run(["touch", "/var/after"])?;
    Ok(())
}
