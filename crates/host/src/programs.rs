//! Programs that the operator names: found as a login on the host would find them, and only then by the agent's own
//! environment, which systemd or an ssh server has made.

use std::path::Path;

use run::Command;

use crate::paths;

/// The command of these words, its `PATH` that of the running system; a bare program name is looked up there too.
/// Nothing if there are no words.
#[must_use]
pub fn operators_command(words: &[String]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let folders = search_path();
    let program = find(program, &folders).unwrap_or_else(|| program.clone());
    Some(Command::new(program).args(arguments).env("PATH", folders.join(":")))
}

/// The folders that are searched.
fn search_path() -> Vec<String> {
    let running = paths::RUNNING;
    let mut folders =
        vec![paths::WRAPPERS.to_owned(), format!("{running}/sw/bin"), format!("{running}/sw/sbin")];
    let inherited = std::env::var("PATH").unwrap_or_default();
    folders.extend(inherited.split(':').filter(|folder| folder.starts_with('/')).map(str::to_owned));
    folders
}

/// Where a bare name is.
fn find(program: &str, folders: &[String]) -> Option<String> {
    let bare = !program.is_empty() && !program.contains('/');
    let places = folders.iter().map(|folder| format!("{folder}/{program}"));
    bare.then_some(places)?.find(|place| Path::new(place).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn bare_names_are_looked_up_and_paths_are_not() {
        let folders = ["/nowhere", "/proc/self"].map(str::to_owned);
        for (program, expected) in [
            ("status", Some("/proc/self/status")),
            ("fd", None),
            ("no-such-program", None),
            ("self/status", None),
            ("", None),
        ] {
            assert_eq!(find(program, &folders).as_deref(), expected, "{program}");
        }
    }

    #[test]
    fn programs_get_the_path_of_the_running_system() {
        let env = std::env::var("PATH").unwrap_or_default();
        let program = env.split(':').map(|folder| format!("{folder}/printenv"));
        let Some(program) = program.into_iter().find(|place| Path::new(place).is_file()) else { return };
        let finished = operators_command(&words(&[&program, "PATH"])).expect("words").run().expect("run");
        assert_eq!(finished.stdout_text(), search_path().join(":"));
        assert!(operators_command(&[]).is_none());
    }
}
