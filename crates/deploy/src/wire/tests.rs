//! The form of every event, held by a golden file.

use order::{HostName, Mode};
use report::{Deployed, HostResult, Stage, Timestamp};

use super::*;
use crate::{RunId, Voice};

fn events() -> Vec<Event> {
    let host: HostName = "web1".parse().expect("a name");
    let text = "/nix/store/0bkfhz0v2jcyj2m7hwzdzmywav298dl2-nixos-system-web1";
    let system = SystemPath::parse(&StoreDir::default(), text).expect("a system");
    let deployed = Deployed {
        order: None,
        system: Some(system.clone()),
        mode: Mode::Switch,
        result: HostResult::AlreadyThere,
        millis: 812,
        bytes: 0,
    };
    let progress =
        Progress { stage: Stage::Ship, text: String::new(), steps: Some((1, 3)), bytes: Some((10, 30)) };
    let run = RunId::new(Timestamp(1_795_253_400_000), [3, 31, 32, 255]);
    let whole = [News::Began { run, hosts: vec![host.clone()] }, News::Ended { exit_code: 0 }];
    let of_host = [
        News::StageBegan(Stage::Evaluate),
        News::StageEnded { stage: Stage::Evaluate, good: true, millis: 7 },
        News::Waits { what: "the hosts before it".to_owned() },
        News::Progress(progress),
        News::System(system),
        News::Line { from: Voice::Activation, text: "starting \"x\"".to_owned() },
        News::Note("the host was changed by hand".to_owned()),
        News::Result(Box::new(deployed)),
    ];
    let event = |host: Option<&HostName>, what| Event { at: Timestamp(5), host: host.cloned(), what };
    let whole = whole.into_iter().map(|what| event(None, what));
    whole.chain(of_host.into_iter().map(|what| event(Some(&host), what))).collect()
}

#[test]
fn events_have_the_form_of_the_golden_file() {
    let lines: Vec<String> =
        events().iter().map(|event| String::from_utf8(event.to_json()).expect("UTF-8")).collect();
    assert_eq!(lines.join("\n"), include_str!("golden/events-1.jsonl").trim_end());
    for line in lines {
        serde_json::from_str::<serde_json::Value>(&line).expect("JSON on one line");
    }
}
