//! The state directory under several writers, torn files, and time.

mod roots;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;

use order::HostName;
use report::{Report, Timestamp, What};

use super::{State, Stored};
use crate::RunId;
use crate::samples::order;

/// A directory of the test's own, gone with it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lockstep-state-{name}-{}", std::process::id()));
        let _old = fs::remove_dir_all(&path);
        Self(path)
    }

    fn state(&self) -> State {
        State::at(&self.0)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn host() -> HostName {
    "web1.example.org".parse().expect("a name")
}

fn report(at: u64) -> Report {
    Report { at: Timestamp(at), host: host(), what: What::Unreachable { why: "x".repeat(200) } }
}

fn times(state: &State) -> Vec<u64> {
    let reports = state.reports(&host()).expect("reports");
    reports.iter().map(|report| report.at.0).collect()
}

#[test]
fn many_writers_lose_nothing() {
    let place = Place::new("writers");
    thread::scope(|scope| {
        for writer in 0..4 {
            // Each with locks of its own, as processes have.
            let state = place.state();
            scope.spawn(move || {
                (0..25).for_each(|number| state.remember(&report(writer * 100 + number)).expect("written"));
            });
        }
    });
    let mut found = times(&place.state());
    found.sort_unstable();
    let expected: Vec<u64> =
        (0..4).flat_map(|writer| (0..25).map(move |number| writer * 100 + number)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_torn_line_costs_only_itself() {
    let place = Place::new("torn");
    let state = place.state();
    state.remember(&report(1)).expect("written");
    let path = place.0.join("hosts/web1.example.org/reports.jsonl");
    let mut file = OpenOptions::new().append(true).open(&path).expect("the file");
    file.write_all(b"{\"version\":1,\"at\":2,\"ho").expect("written");
    state.remember(&report(3)).expect("written");
    file.write_all(b"{\"version\":99,\"at\":4}\n\xff\n").expect("written");
    state.remember(&report(5)).expect("written");
    assert_eq!(times(&state), [1, 3, 5]);
    assert!(state.known(&host()).expect("known").unreachable.is_some());
}

#[test]
fn reports_are_bounded() {
    let place = Place::new("bounded");
    let state = place.state();
    state.remember(&report(0)).expect("written");
    let path = place.0.join("hosts/web1.example.org/reports.jsonl");
    let line = [report(1).to_json(), b"\n".to_vec()].concat();
    fs::write(&path, line.repeat((5 << 20) / line.len())).expect("written");
    state.remember(&report(2)).expect("written");
    let length = fs::metadata(&path).expect("the file").len();
    assert!(length < 3 << 20, "{length}");
    assert_eq!(times(&state).last(), Some(&2), "the newest is kept");
}

#[test]
fn nothing_is_known_of_a_host_that_nobody_saw() {
    let place = Place::new("empty");
    assert_eq!(times(&place.state()), [0; 0]);
    assert_eq!(place.state().order(&host()).expect("no error"), None);
    assert!(!place.0.exists(), "asking makes nothing");
}

#[test]
fn an_order_is_kept_for_its_operator_only() {
    let place = Place::new("order");
    let state = place.state();
    state.keep_order(&order(&host())).expect("kept");
    assert_eq!(state.order(&host()).expect("read"), Some(order(&host())));
    let directory = place.0.join("hosts/web1.example.org");
    for (path, mode) in [(directory.join("order.json"), 0o600), (directory.clone(), 0o700)] {
        let found = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}", path.display());
    }
    fs::write(directory.join("order.json"), b"{\"version\":7,\"order\":{}}").expect("written");
    let error = state.order(&host()).expect_err("a newer version").to_string();
    assert!(error.contains("version 7"), "{error}");
}

#[test]
fn the_golden_order_is_read_for_ever() {
    let bytes = include_bytes!("golden/order-1.json");
    let golden = bytes.trim_ascii();
    assert_eq!(
        String::from_utf8_lossy(&super::wire::order_file(&order(&host()))),
        String::from_utf8_lossy(golden)
    );
    assert_eq!(super::wire::read_order("golden".as_ref(), golden).expect("an order"), order(&host()));
}

/// The names of runs that began one after the other.
fn runs(count: u64) -> Vec<RunId> {
    (0..count).map(|second| RunId::new(Timestamp(second * 1000), [0; 4])).collect()
}

#[test]
fn old_logs_go() {
    let place = Place::new("logs");
    let state = place.state();
    for run in runs(60) {
        let (mut log, _) = state.log(&run, &host()).expect("a log");
        log.write_all(b"ten bytes\n").expect("written");
    }
    assert_eq!((state.stored_logs(), state.surplus_logs()), (Stored { count: 60, bytes: 600 }, 10));
    state.prune_logs();
    assert_eq!((state.stored_logs(), state.surplus_logs()), (Stored { count: 50, bytes: 500 }, 0));
}
