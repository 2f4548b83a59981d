//! Children that do what children do: fail, hang, shout, read nothing, leave children behind.

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::Duration;

use super::{Command, Error, Output};

fn shell(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

#[test]
fn output_comes_back_with_the_status() {
    let cases: [(&str, i32, &str, &str); 5] = [
        ("true", 0, "", ""),
        ("echo out; echo err >&2; exit 3", 3, "out", "err"),
        ("cat", 0, "fed", ""),
        ("exec >&-; exit 0", 0, "", ""),
        ("kill -TERM $$", 143, "", ""),
    ];
    for (script, code, stdout, stderr) in cases {
        let done = shell(script).input("fed").output().unwrap();
        assert_eq!(
            (done.code(), done.stdout_text(), done.stderr_text()),
            (code, stdout.into(), stderr.into())
        );
    }
}

#[test]
fn errors_name_the_command_and_the_cause() {
    let cases = [
        (Command::new("/does/not/exist").arg("a b"), "cannot start `/does/not/exist 'a b'`"),
        (shell("echo why >&2; exit 7"), "`sh -c 'echo why >&2; exit 7'` failed: exit status: 7\nwhy"),
        (
            shell("sleep 100").timeout(Duration::from_millis(50)),
            "`sh -c 'sleep 100'` was killed: it was not done after 50ms",
        ),
        (
            shell("yes").limit(10).timeout(Duration::from_millis(300)),
            "`sh -c yes` was killed: it was not done after 300ms",
        ),
        (shell("seq 1000").limit(10), "`sh -c 'seq 1000'` wrote more than 10 bytes"),
    ];
    for (command, message) in cases {
        assert_eq!(command.run().unwrap_err().to_string(), message);
    }
}

/// Whether any process is left in this group; ended ones that nobody reaped do not count.
fn is_empty(group: &str) -> bool {
    let left = Command::new("ps").args(["-o", "stat=", "-g", group]).output().unwrap();
    left.stdout_text().lines().all(|state| state.starts_with('Z'))
}

#[test]
fn what_a_child_leaves_running_in_its_group_ends_with_it() {
    // The child writes its group first, so that the grandchild is there before anything ends.
    let script = "sleep 1000 & echo $$; ";
    let ended = shell(&format!("{script} exit 0")).run().unwrap();
    assert!(is_empty(&ended.stdout_text()), "after its end");

    for (ending, how) in [("wait", "by a time limit"), ("exit 0", "by a drop")] {
        let mut child = shell(&format!("{script} {ending}"))
            .input_pipe()
            .stdout(Output::Pipe)
            .timeout(Duration::from_millis(200))
            .spawn()
            .unwrap();
        let (output, input) = child.take_streams().unwrap();
        let mut group = String::new();
        BufReader::new(output).read_line(&mut group).unwrap();
        if ending == "wait" {
            assert!(matches!(child.wait(), Err(Error::TimedOut { .. })));
        } else {
            drop(child);
        }
        assert!(is_empty(group.trim()), "{how}");
        drop(input);
    }
}

#[test]
fn output_that_stays_open_is_an_error_and_not_half_an_output() {
    // A grandchild in a session of its own outlives the group and holds the pipe.
    let error = shell("setsid -f sh -c 'echo half; sleep 8'; sleep 0.3").run().unwrap_err();
    assert!(error.to_string().starts_with("lost `sh -c"), "{error}");
}

#[test]
fn a_long_standard_error_keeps_its_end() {
    let done = shell("seq 1 100000 >&2").output().unwrap();
    assert!(done.stderr_text().ends_with("100000"));
    assert!(done.stderr.len() <= 32 * 1024 + 4096);
}

#[test]
fn a_piped_input_ends_when_it_is_closed() {
    let mut child = shell("cat; echo end").input_pipe().spawn().unwrap();
    assert!(child.is_running());
    child.close_input();
    assert_eq!(child.wait().unwrap().stdout_text(), "end");
}

#[test]
fn a_conversation_goes_on_until_the_child_is_dropped() {
    let script = "echo $$; while read -r word; do echo \"heard $word\"; done; echo over >&2; exit 4";
    let mut child = shell(script).input_pipe().stdout(Output::Pipe).spawn().unwrap();
    let (output, mut input) = child.take_streams().unwrap();
    assert!(child.take_streams().is_none(), "there is one of each");
    let mut lines = BufReader::new(output).lines().map(Result::unwrap);
    assert_eq!(lines.next(), Some(child.id().to_string()));
    for word in ["one", "two"] {
        writeln!(input, "{word}").unwrap();
        assert_eq!(lines.next(), Some(format!("heard {word}")));
    }
    drop(child);
    assert_eq!(lines.next(), None, "the child was killed while it was waiting for more");

    let mut child = shell(script).input_pipe().stdout(Output::Pipe).spawn().unwrap();
    let (output, input) = child.take_streams().unwrap();
    drop(input);
    assert_eq!(BufReader::new(output).lines().count(), 1);
    let done = child.wait().unwrap();
    assert_eq!((done.code(), done.stderr_text()), (4, "over".to_owned()));
    assert!(shell("true").spawn().unwrap().take_streams().is_none(), "not asked for");
}

#[test]
fn the_environment_is_what_was_asked_for() {
    let done = Command::new("env").env_clear().env("A", "1").env("B", "2").env_remove("B").run().unwrap();
    assert_eq!(done.stdout_text(), "A=1");
}

#[test]
fn a_child_does_not_end_with_the_thread_that_started_it() {
    let mut child = std::thread::spawn(|| shell("sleep 1000").spawn().unwrap()).join().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert!(child.is_running());
}
