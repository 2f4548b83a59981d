//! A dispatcher only dispatches: each arm is one call.
//!
//! A dispatcher is a `match` over an enum of the same crate that derives clap's `Subcommand`, wherever it stands,
//! and any `match` of six arms or more in a file named `main.rs` or `run.rs`.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Arm, ExprMatch, ItemEnum, ItemImpl, Meta, Pat, Path, Type};

use super::repo::Repo;
use super::source::RustFile;
use super::syntax;
use super::violation::Violation;

/// Lines of an arm from its pattern to its end: one call, or one call in braces.
const ARM_LINES: usize = 3;

/// From so many arms on, a `match` in `main.rs` or `run.rs` is a dispatcher.
const MANY_ARMS: usize = 6;

/// No arm of a dispatcher does the work itself.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for krate in &repo.crates {
        let own = |file: &&RustFile| file.krate.as_ref() == Some(&krate.name);
        let mut commands = Commands { names: BTreeSet::new() };
        repo.rust.iter().filter(own).for_each(|file| commands.visit_file(&file.tree));
        for file in repo.rust.iter().filter(own) {
            found.extend(check_file(file, &commands.names));
        }
    }
    found
}

fn check_file(file: &RustFile, commands: &BTreeSet<String>) -> Vec<Violation> {
    let is_rim = file.path.ends_with("/main.rs") || file.path.ends_with("/run.rs");
    let mut dispatchers = Dispatchers { commands, is_rim, own_type: None, long_arms: Vec::new() };
    dispatchers.visit_file(&file.tree);
    let violation = |(line, lines): (usize, usize)| {
        let wrong = format!("an arm of a dispatcher has {lines} lines, {ARM_LINES} are allowed");
        Violation::new(&file.path, line, wrong, "move its work into a function and call it")
    };
    dispatchers.long_arms.into_iter().filter(|(line, _)| !file.is_test_line(*line)).map(violation).collect()
}

/// Collects the names of enums that derive `Subcommand`.
struct Commands {
    names: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Commands {
    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        let derives = item.attrs.iter().filter(|attribute| attribute.path().is_ident("derive"));
        let mut derived = derives.flat_map(|attribute| syntax::inner(&attribute.meta));
        if derived.any(|meta| is_subcommand(&meta)) {
            self.names.insert(item.ident.to_string());
        }
    }
}

fn is_subcommand(derived: &Meta) -> bool {
    derived.path().segments.last().is_some_and(|last| last.ident == "Subcommand")
}

/// Collects the first line and the number of lines of each long arm.
struct Dispatchers<'a> {
    commands: &'a BTreeSet<String>,
    /// Whether this is `main.rs` or `run.rs`.
    is_rim: bool,
    /// What `Self` stands for.
    own_type: Option<String>,
    long_arms: Vec<(usize, usize)>,
}

impl Dispatchers<'_> {
    fn is_dispatcher(&self, expression: &ExprMatch) -> bool {
        let many = self.is_rim && expression.arms.len() >= MANY_ARMS;
        many || expression.arms.iter().any(|arm| self.names_command(&arm.pat))
    }

    fn names_command(&self, pattern: &Pat) -> bool {
        match pattern {
            Pat::Path(path) => self.is_command(&path.path),
            Pat::Struct(pattern) => self.is_command(&pattern.path),
            Pat::TupleStruct(pattern) => self.is_command(&pattern.path),
            Pat::Reference(pattern) => self.names_command(&pattern.pat),
            Pat::Or(pattern) => pattern.cases.iter().any(|case| self.names_command(case)),
            _ => false,
        }
    }

    /// Whether this is a variant of a command: the name before the last is the enum's.
    fn is_command(&self, variant: &Path) -> bool {
        let Some(owner) = variant.segments.iter().rev().nth(1) else { return false };
        let own = self.own_type.as_ref().filter(|_| owner.ident == "Self").cloned();
        self.commands.contains(&own.unwrap_or_else(|| owner.ident.to_string()))
    }
}

impl<'ast> Visit<'ast> for Dispatchers<'_> {
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let before = self.own_type.take();
        if let Type::Path(path) = item.self_ty.as_ref() {
            self.own_type = path.path.segments.last().map(|last| last.ident.to_string());
        }
        visit::visit_item_impl(self, item);
        self.own_type = before;
    }

    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        if self.is_dispatcher(expression) {
            self.long_arms.extend(expression.arms.iter().filter_map(long_arm));
        }
        visit::visit_expr_match(self, expression);
    }
}

fn long_arm(arm: &Arm) -> Option<(usize, usize)> {
    let first = syntax::first_line(&arm.pat);
    let lines = syntax::last_line(&arm.body) - first + 1;
    (lines > ARM_LINES).then_some((first, lines))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    const COMMAND: &str =
        "//! x\n#[derive(Clone, clap::Subcommand)]\nenum Chore { Up(Args), Down { all: bool } }\n";
    const LONG: &str = "{\n            a();\n            b();\n        }";

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        check_cases(super::check, &[Case { name: files[0].1, files, expected }]);
    }

    #[test]
    fn arms_over_commands_are_calls() {
        let dispatcher = |pattern: &str, body: &str| {
            format!(
                "{COMMAND}impl Chore {{ fn go(self) {{\n    match self {{\n        {pattern} => {body},\n    }}\n}} }}\n"
            )
        };
        let long = ["crates/cli/src/go.rs:6: an arm of a dispatcher has 4 lines"];
        for pattern in ["Chore::Up(args)", "crate::Chore::Down { all }", "&Chore::Up(_)", "Self::Up(args)"] {
            check(&[("crates/cli/src/go.rs", &dispatcher(pattern, "up::run(args)"))], &[]);
            check(&[("crates/cli/src/go.rs", &dispatcher(pattern, LONG))], &long);
        }
        check(&[("crates/cli/src/go.rs", &dispatcher("Other::Up(args)", LONG))], &[]);
        let elsewhere =
            format!("//! x\nfn go(chore: Chore) {{ match chore {{ Chore::Up(_) => {LONG} }} }}\n");
        let files = [("crates/cli/src/there.rs", elsewhere.as_str()), ("crates/cli/src/go.rs", COMMAND)];
        check(&files, &["crates/cli/src/there.rs:2:"]);
        check(&[("crates/cli/src/there.rs", &elsewhere)], &[]);
        check(&[("crates/cli/src/there.rs", &elsewhere), ("crates/lab/src/go.rs", COMMAND)], &[]);
        let plain = COMMAND.replace("clap::Subcommand", "Debug");
        check(&[("crates/cli/src/there.rs", &elsewhere), ("crates/cli/src/go.rs", &plain)], &[]);
        check(&[("crates/cli/tests/there.rs", &elsewhere), ("crates/cli/src/go.rs", COMMAND)], &[]);
    }

    #[test]
    fn many_arms_at_the_rim_are_calls() {
        let matching = |arms: usize| {
            let short = "        1 => one(),\n".repeat(arms - 1);
            format!("//! x\nfn main() {{\n    match x {{\n{short}        _ => {LONG},\n    }}\n}}\n")
        };
        check(&[("crates/cli/src/main.rs", &matching(6))], &["crates/cli/src/main.rs:9:"]);
        check(&[("crates/lab/src/run.rs", &matching(6))], &["crates/lab/src/run.rs:9:"]);
        check(&[("crates/cli/src/main.rs", &matching(5))], &[]);
        check(&[("crates/cli/src/other.rs", &matching(6))], &[]);
    }
}
