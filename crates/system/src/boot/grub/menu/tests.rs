//! Words and nesting.

use super::*;

#[test]
fn lines_become_words() {
    let cases: [(&str, &[&str]); 6] = [
        ("a  b\tc", &["a", "b", "c"]),
        ("menuentry 'a \"b\" c' --id x", &["menuentry", "a \"b\" c", "--id", "x"]),
        ("\"a \\\"b\\\"\" ''", &["a \"b\"", ""]),
        ("a\\ b", &["a b"]),
        ("'open", &["open"]),
        ("", &[]),
    ];
    for (line, expected) in cases {
        assert_eq!(words(line), expected, "{line}");
    }
}

fn positions(nodes: &[Node]) -> Vec<String> {
    nodes
        .iter()
        .flat_map(|node| match node {
            Node::Entry { entry, .. } => vec![entry.id.clone()],
            Node::Submenu { nodes, .. } => positions(nodes),
        })
        .collect()
}

#[test]
fn entries_are_numbered_at_each_level() {
    let text = "menuentry a {\n}\nsubmenu b {\nmenuentry c {\n}\nsubmenu d {\nmenuentry e {\n}\n}\nmenuentry f {\n}\n}\nmenuentry g {\n}\n";
    assert_eq!(positions(&Menu::parse(text).nodes), ["0", "1>0", "1>1>0", "1>2", "2"]);
}

#[test]
fn what_is_not_closed_is_not_there() {
    let menu = Menu::parse(
        "set default=1\nset default=\"${next_entry}\"\nmenuentry a {\n}\n}\nmenuentry b {\n linux x\n",
    );
    assert_eq!((menu.default.as_str(), positions(&menu.nodes)), ("1", vec!["0".to_owned()]));
}
