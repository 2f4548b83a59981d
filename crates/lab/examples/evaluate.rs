//! Crate `eval` as a program, for scenarios to run on the operator host: one command, what came of it as lines.

#![expect(clippy::print_stdout, reason = "what it prints is what the scenario looks at")]

use std::{env, error::Error, path::Path, process::ExitCode};

use anyhow::{Result, bail};
use eval::{
    BuildError, BuildEvent, BuildRequest, Cancel, EvalError, Evaluate, Limits, Nix, Options, Source,
    SourceError,
};
use store::store_path::StorePath;

fn main() -> ExitCode {
    let words: Vec<_> = env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_error(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    let base = env::current_dir()?;
    let (source, words) = match words {
        ["-f", argument, rest @ ..] => (Source::named(argument, &base)?, rest),
        _ => (find(&base)?, words),
    };
    let (options, words) = options(words);
    let nix = Nix::new(source, options, Limits::detect());
    match words {
        ["source"] => println!("{}", nix.source()),
        ["index"] => println!("{}", String::from_utf8(nix.index(&Cancel::default())?)?),
        ["evaluate", hosts @ ..] => evaluate_all(&nix, hosts),
        ["build", derivation] => build(&nix, derivation, None, None)?,
        ["build", derivation, root] => build(&nix, derivation, Some(Path::new(root)), None)?,
        ["build", derivation, "until", text] => build(&nix, derivation, None, Some(text))?,
        ["closure", path] => closure(path)?,
        _ => bail!("usage: [-f SOURCE] [OPTION] source|index|evaluate|build|closure"),
    }
    Ok(())
}

/// A build needs no description.
fn find(base: &Path) -> Result<Source, SourceError> {
    Source::find(base).or_else(|error| match error {
        SourceError::NotFound { .. } if base == Path::new("/") => Source::named("nothing:", base),
        error => Err(error),
    })
}

fn options<'w>(mut words: &'w [&'w str]) -> (Options, &'w [&'w str]) {
    let mut options = Options::default();
    loop {
        words = match words {
            ["--override-input", input, flake, rest @ ..] => {
                options.override_inputs.push(((*input).to_owned(), (*flake).to_owned()));
                rest
            }
            ["--option", name, value, rest @ ..] => {
                options.settings.push(((*name).to_owned(), (*value).to_owned()));
                rest
            }
            ["--impure", rest @ ..] => {
                options.impure = true;
                rest
            }
            _ => return (options, words),
        }
    }
}

/// All at once, each from a thread of its own.
fn evaluate_all(nix: &Nix, hosts: &[&str]) {
    let evaluate = |host: &str| nix.evaluate(host, &Cancel::default());
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(|| evaluate(host))).collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    for (host, result) in hosts.iter().zip(results) {
        match result {
            Ok(Ok(evaluated)) => {
                println!("{host} derivation /nix/store/{}", evaluated.derivation);
                println!("{host} system /nix/store/{}", evaluated.system);
                println!("{host} platform {} kind {:?}", evaluated.platform, evaluated.kind);
                evaluated.warnings.iter().for_each(|warning| println!("{host} {warning}"));
            }
            Ok(Err(error)) => tell_error(&error),
            Err(_) => println!("{host} panicked"),
        }
    }
}

fn build(nix: &Nix, derivation: &str, root: Option<&Path>, until: Option<&str>) -> Result<()> {
    let derivation: StorePath = derivation.trim_start_matches("/nix/store/").parse()?;
    let cancel = Cancel::default();
    let request = BuildRequest { derivation: &derivation, root };
    let built = nix.build(&request, &cancel, &mut |event| {
        if let (BuildEvent::Line { line, .. }, Some(until)) = (&event, until)
            && line.contains(until)
        {
            cancel.cancel();
        }
        println!("event {event:?}");
    })?;
    println!("built /nix/store/{}", built.system);
    Ok(())
}

fn closure(path: &str) -> Result<()> {
    let path = path.trim_start_matches("/nix/store/").parse()?;
    let closure = eval::closure(&mut eval::local_daemon()?, &path)?;
    closure.iter().for_each(|info| println!("/nix/store/{}", info.path));
    Ok(())
}

fn tell_error(error: &(dyn Error + 'static)) {
    println!("error: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        println!("because: {error}");
        source = error.source();
    }
    if let Some(BuildError::Failed { log, .. }) = error.downcast_ref() {
        log.iter().for_each(|line| println!("log: {line}"));
    }
    if let Some(words) = error.downcast_ref().and_then(EvalError::last_words) {
        words.lines().for_each(|line| println!("nix: {line}"));
    }
}
