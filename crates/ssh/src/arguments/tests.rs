//! Every argument vector, as it is handed to the system.

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;

use super::{master, session, words};
use crate::address::{Address, Remote};
use crate::options::Options;
use crate::program::{Elevation, Program, Word};
use crate::way::Reach;

fn remote(text: &str) -> Remote {
    let Address::Remote(remote) = text.parse().unwrap() else { panic!("{text} is not remote") };
    remote
}

/// One argument a line; those of `-o` beside it.
fn lines(arguments: &[String]) -> String {
    arguments.join("\n").replace("-o\n", "-o ")
}

fn program(elevation: Elevation) -> Program {
    let word = |text: &str| Word::new(text).unwrap();
    Program::new(word("lockstep-agent"), [word("session")]).elevated(elevation)
}

#[test]
fn a_master_has_our_settings_first_and_our_defaults_last() {
    let options = Options::new(["-o", "ProxyCommand=nc %h %p", "-4"]).unwrap();
    let reach = Reach { options, silence: Duration::from_secs(30), ..Reach::to([]) };
    let arguments = master(&remote("deploy@web1.example:2222"), Path::new("/run/user/1/50%/0"), &reach, true);
    assert_snapshot!(lines(&arguments), @r"
    -N
    -T
    -S
    /run/user/1/50%%/0
    -o ControlMaster=yes
    -o ControlPersist=no
    -o ForkAfterAuthentication=no
    -o RemoteCommand=none
    -o PermitLocalCommand=no
    -o ClearAllForwardings=yes
    -o Tunnel=no
    -o LogLevel=INFO
    -o BatchMode=yes
    -l
    deploy
    -p
    2222
    -o ProxyCommand=nc %h %p
    -4
    -o ConnectTimeout=10
    -o ServerAliveInterval=10
    -o ServerAliveCountMax=3
    --
    web1.example
    ");
}

#[test]
fn a_master_leaves_what_is_not_said_to_the_operators_files() {
    let arguments = master(&remote("[fd09::b]"), Path::new("/s"), &Reach::to([]), false);
    for absent in ["-l", "-p", "BatchMode=yes", "-F"] {
        assert!(!arguments.iter().any(|argument| argument == absent), "{absent}");
    }
    assert_eq!(arguments.last().map(String::as_str), Some("fd09::b"));
}

#[test]
fn a_session_cannot_log_in_by_itself() {
    let arguments =
        session(&remote("deploy@web1:2222"), Path::new("/s"), &words(&program(Elevation::None), None));
    assert_snapshot!(lines(&arguments), @r"
    -F
    none
    -T
    -S
    /s
    -o ControlMaster=no
    -o ProxyCommand=false
    -o BatchMode=yes
    -o LogLevel=ERROR
    --
    web1
    lockstep-agent
    session
    ");
}

#[test]
fn elevation_is_a_few_words_before_the_program() {
    let all = [Elevation::None, Elevation::Sudo, Elevation::Run0, Elevation::Doas];
    let each = all.map(|elevation| {
        let program = program(elevation);
        let [asking, quiet] = [Some("lockstep-ab12-"), None].map(|prompt| words(&program, prompt).join(" "));
        format!("{elevation}\n  {asking}\n  {quiet}")
    });
    assert_snapshot!(each.join("\n"), @r"
    none
      lockstep-agent session
      lockstep-agent session
    sudo
      env LC_ALL=C sudo -S -p lockstep-ab12- -- lockstep-agent session
      env LC_ALL=C sudo -n -- lockstep-agent session
    run0
      env LC_ALL=C run0 --no-ask-password -- lockstep-agent session
      env LC_ALL=C run0 --no-ask-password -- lockstep-agent session
    doas
      env LC_ALL=C doas -n -- lockstep-agent session
      env LC_ALL=C doas -n -- lockstep-agent session
    ");
}

#[test]
fn every_word_of_ours_is_one_that_a_shell_leaves_alone() {
    for elevation in [Elevation::None, Elevation::Sudo, Elevation::Run0, Elevation::Doas] {
        for word in words(&program(elevation), Some("lockstep-ab12-")) {
            assert!(Word::new(word.as_str()).is_ok(), "{word}");
        }
    }
}
