//! The board at several moments and sizes.

use deploy::News;
use report::Stage;

use super::Board;
use crate::samples::{NOON, after, began, copying, deployed, event, host, results};

fn shown(board: &Board, width: usize, height: usize) -> String {
    board.lines(after(12_300), width, height).join("\n")
}

#[test]
fn each_host_has_its_line() {
    let mut board = Board::new(false);
    assert!(board.lines(after(0), 80, 24).is_empty(), "nothing has begun");
    board.take(&began(&["db1", "web1", "web2", "web3", "web4"]));
    for (at, host, what) in [
        (0, "web1", News::StageBegan(Stage::Evaluate)),
        (10, "web1", News::StageBegan(Stage::Connect)),
        (0, "web2", News::StageBegan(Stage::Ship)),
        (900, "web2", copying(45_200_000, 167_000_000)),
        (900, "web3", News::Waits { what: "for a place".to_owned() }),
        (900, "db1", News::Result(Box::new(deployed(results()[2].1.clone())))),
    ] {
        board.take(&event(at, host, what));
    }
    insta::assert_snapshot!("each_host", shown(&board, 80, 24));
    insta::assert_snapshot!("each_host_narrow", shown(&board, 40, 24));
}

#[test]
fn hosts_that_are_asked() {
    let mut board = Board::new(false);
    board.ask(NOON, &[host("web1"), host("web2"), host("web3")]);
    assert_eq!(shown(&board, 80, 24), "asking 3 hosts, 12.3s");
}

#[test]
fn hundreds_of_hosts_leave_room() {
    let names: Vec<String> = (0..300).map(|number| format!("host{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut board = Board::new(false);
    board.take(&began(&names));
    for (index, name) in names.iter().enumerate() {
        match index % 3 {
            0 => {
                board.take(&event(
                    0,
                    name,
                    News::Result(Box::new(deployed(results()[index % 11].1.clone()))),
                ));
            }
            1 if index > 290 => board.take(&event(0, name, News::StageBegan(Stage::Activate))),
            _ => {}
        }
    }
    let lines = board.lines(after(12_300), 100, 10);
    assert!(lines.len() <= 8, "{lines:#?}");
    insta::assert_snapshot!(lines.join("\n"));
}
