//! What stands in for something in a test is no part of the product.

use syn::visit::{self, Visit};
use syn::{Ident, ItemEnum, ItemStruct};

use super::architecture::Kind;
use super::repo::Repo;
use super::source::RustFile;
use super::syntax;
use super::violation::Violation;

/// How the names of stand-ins begin.
const STAND_INS: &[&str] = &["Dummy", "Fake", "Mock", "Stub"];

/// A folder or file and a name that must not stand in it: the lab builds its own agent, with stop points around the
/// machine, and the product's program puts nothing in between.
const KEPT_OUT: &[(&str, &str)] = &[
    ("crates/activate/", "StopAt"),
    ("crates/host/", "StopAt"),
    ("crates/agent/", "StopAt"),
    ("crates/agent/src/main.rs", "main_with"),
    ("crates/agent/src/main.rs", "Between"),
];

/// No stand-ins in the product outside of tests, no stop points in the agent.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let product = repo.rust.iter().filter(|file| repo.kind_of(file).is_some_and(Kind::is_product));
    let mut found: Vec<Violation> = product.flat_map(stand_ins).collect();
    for (place, name) in KEPT_OUT {
        let own = repo.rust.iter().filter(|file| file.path.starts_with(place));
        found.extend(own.flat_map(|file| mentions_of(file, name)));
    }
    found
}

fn stand_ins(file: &RustFile) -> Vec<Violation> {
    let mut types = Types { named: Vec::new() };
    types.visit_file(&file.tree);
    let is_product = |line: usize| !file.is_test_line(line);
    let violation = |(name, line): (String, usize)| {
        let wrong = format!("`{name}` stands in for something in tests");
        Violation::new(&file.path, line, wrong, "move it into the tests or the lab")
    };
    types.named.into_iter().filter(|(_, line)| is_product(*line)).map(violation).collect()
}

fn mentions_of(file: &RustFile, name: &str) -> Vec<Violation> {
    let named = file.mentions.iter().filter(|mention| mention.path.iter().any(|part| part == name));
    let wrong = format!("`{name}` belongs to the lab");
    named
        .map(|mention| Violation::new(&file.path, mention.line, &wrong[..], "wrap it around from outside"))
        .collect()
}

/// Collects the types whose names begin like those of stand-ins.
struct Types {
    named: Vec<(String, usize)>,
}

impl Types {
    fn ask(&mut self, name: &Ident) {
        let text = name.to_string();
        if STAND_INS.iter().any(|start| text.starts_with(start)) {
            self.named.push((text, syntax::first_line(name)));
        }
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.ask(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.ask(&item.ident);
        visit::visit_item_enum(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    #[test]
    fn stand_ins_are_tests() {
        let fake = "//! x\nstruct FakeHost;\n";
        check_cases(
            super::check,
            &[
                Case {
                    name: "in the product",
                    files: &[("crates/run/src/x.rs", fake)],
                    expected: &["crates/run/src/x.rs:2:"],
                },
                Case { name: "in a test", files: &[("crates/run/tests/x.rs", fake)], expected: &[] },
                Case { name: "in the lab", files: &[("crates/lab/src/x.rs", fake)], expected: &[] },
                Case {
                    name: "an enum",
                    files: &[("crates/run/src/x.rs", "//! x\nenum MockHost {}\n")],
                    expected: &["crates/run/src/x.rs:2:"],
                },
            ],
        );
    }

    #[test]
    fn stop_points_are_kept_out_of_the_agent() {
        let stops = "//! x\nfn f(at: lab::StopAt) {}\n";
        for (path, expected) in [
            ("crates/agent/src/x.rs", &["crates/agent/src/x.rs:2:"][..]),
            ("crates/agent/tests/x.rs", &["crates/agent/tests/x.rs:2:"]),
            ("crates/host/src/x.rs", &["crates/host/src/x.rs:2:"]),
            ("crates/lab/src/x.rs", &[]),
        ] {
            check_cases(super::check, &[Case { name: path, files: &[(path, stops)], expected }]);
        }
    }

    #[test]
    fn the_products_agent_has_nothing_in_between() {
        let between = "//! x\nfn main() -> ExitCode {\n    agent::main_with(&x)\n}\n";
        for (path, expected) in [
            ("crates/agent/src/main.rs", &["crates/agent/src/main.rs:3:"][..]),
            ("crates/agent/src/lib.rs", &[]),
            ("crates/lab/examples/x.rs", &[]),
        ] {
            check_cases(super::check, &[Case { name: path, files: &[(path, between)], expected }]);
        }
    }
}
