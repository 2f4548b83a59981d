//! What every command is given: the terminal, the common options, the wish to stop; and how an operation is run.

use std::{
    collections::BTreeSet,
    env,
    io::{self, Read},
    sync::{Arc, mpsc},
    thread,
};

use anyhow::Context as _;
use deploy::{BACKLOG, BeginError, Evaluate, Limits, Nix, Operator, Outcome, Source, State, Stop};
use fleet::{Fleet, Index, Selector};
use order::HostName;

use crate::{
    arguments::{Common, Hosts, NixOptions, Selected},
    ask::Person,
    failure::{Failure, Kind},
    progress::{Progress, Work, now},
    summary,
    terminal::Terminal,
    wire,
};

/// Most bytes of selectors that are read from standard input.
const MAX_STDIN: u64 = 1 << 20;

/// What every command is given.
pub(crate) struct Context {
    /// The terminal.
    pub(crate) terminal: Arc<Terminal>,
    /// Options of every command.
    pub(crate) common: Common,
    /// The wish to stop.
    pub(crate) stop: Stop,
}

/// A description that was read.
pub(crate) struct Description {
    /// What evaluates and builds its hosts.
    pub(crate) evaluate: Arc<dyn Evaluate>,
    /// What it says.
    pub(crate) fleet: Fleet,
    /// Where it is, for people.
    pub(crate) place: String,
}

/// How an operation is shown and asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// Every question is answered with yes.
    pub(crate) yes: bool,
    /// What it does.
    pub(crate) work: Work,
}

impl Manners {
    /// These hosts are asked something.
    pub(crate) fn question(hosts: &[HostName]) -> Self {
        Self { yes: true, work: Work::Question(hosts.to_vec()) }
    }
}

impl Context {
    /// Reads the description that was named, or the nearest one.
    pub(crate) fn description(&self, options: &NixOptions) -> Result<Description, Failure> {
        let failed = |error: anyhow::Error| Failure::new(Kind::Description, error);
        let here = env::current_dir().context("the working directory is gone").map_err(Failure::machine)?;
        let source = match &self.common.file {
            Some(named) => Source::named(named, &here),
            None => Source::find(&here),
        };
        let source = source.map_err(|error| failed(error.into()))?;
        let place = source.to_string();
        let nix = Nix::new(source, options.into(), Limits::detect());
        let index = nix.index(self.stop.nix()).map_err(|error| {
            let words = error.last_words().unwrap_or_default().to_owned();
            failed(error.into()).with_words(&words)
        })?;
        let index = Index::parse(&index).with_context(|| format!("in {place}")).map_err(failed)?;
        Ok(Description { evaluate: Arc::new(nix), fleet: index.into_fleet(), place })
    }

    /// The hosts that were selected, or all of them, sorted.
    pub(crate) fn select(&self, fleet: &Fleet, hosts: &Hosts) -> Result<Vec<HostName>, Failure> {
        let usage = |error: anyhow::Error| Failure::new(Kind::Usage, error);
        let Some(selector) = selector(hosts).map_err(usage)? else {
            return Ok(fleet.hosts.keys().cloned().collect());
        };
        let selected: BTreeSet<HostName> = fleet::select(fleet, &selector).map_err(|error| {
            usage(error.into()).with_hint("`lockstep show` lists the hosts and their tags")
        })?;
        Ok(selected.into_iter().collect())
    }

    /// Runs an operation on this thread while another shows what happens.
    pub(crate) fn operate<T>(
        &self,
        manners: Manners,
        act: impl FnOnce(&Operator) -> Result<T, BeginError>,
    ) -> Result<T, Failure> {
        let state = State::usual().map_err(Failure::machine)?;
        let (events, received) = mpsc::sync_channel(BACKLOG);
        let person = Person::new(Arc::clone(&self.terminal), self.stop.clone(), manners.yes);
        let mut operator = Operator::new(state, events, Arc::new(person));
        operator.stop = self.stop.clone();
        operator.ssh_may_ask = self.terminal.can_ask();
        let Common { json, verbose, .. } = self.common;
        let progress = Progress::new(Arc::clone(&self.terminal), json, verbose, manners.work);
        let shown = thread::spawn(move || progress.show(received));
        let done = act(&operator);
        // The last sender goes, so the events end.
        drop(operator);
        if shown.join().is_err() {
            self.terminal.note("what happened could not be shown to its end");
        }
        Ok(done?)
    }

    /// Acts on the selected hosts and shows how it went; gives the exit code. Without a selection it fails: nobody means
    /// all hosts by that.
    pub(crate) fn act_on(
        &self,
        hosts: &Hosts,
        options: &NixOptions,
        act: impl FnOnce(&Operator, &Fleet, &[HostName]) -> Result<Outcome, BeginError>,
    ) -> Result<u8, Failure> {
        hosts.required()?;
        let description = self.description(options)?;
        let hosts = self.select(&description.fleet, hosts)?;
        let outcome =
            self.operate(Manners::default(), |operator| act(operator, &description.fleet, &hosts))?;
        Ok(self.conclude(&outcome))
    }

    /// Shows how a run that acts went; gives its exit code.
    pub(crate) fn conclude(&self, outcome: &Outcome) -> u8 {
        if self.common.json {
            self.terminal.json(&wire::outcome(outcome, now()));
        } else {
            let look = self.terminal.out();
            let form =
                summary::Form { width: look.width, color: look.color, is_full: self.common.verbose > 0 };
            self.terminal.print(summary::lines(outcome, form));
        }
        outcome.exit_code()
    }
}

/// One selector of all that were given; none if there are none.
fn selector(hosts: &Hosts) -> anyhow::Result<Option<Selector>> {
    let mut all = Vec::new();
    for selected in &hosts.selectors {
        all.push(match selected {
            Selected::Hosts(selector) => selector.clone(),
            Selected::Stdin => {
                let mut text = String::new();
                let read = io::stdin().lock().take(MAX_STDIN).read_to_string(&mut text);
                read.context("cannot read selectors from standard input")?;
                Selector::from_lines(&text).context("on standard input")?
            }
        });
    }
    Ok(Selector::any(all))
}

impl From<&NixOptions> for deploy::NixOptions {
    fn from(typed: &NixOptions) -> Self {
        Self {
            settings: NixOptions::pairs(&typed.option),
            override_inputs: NixOptions::pairs(&typed.override_input),
            impure: typed.impure,
            show_trace: typed.show_trace,
            builders: typed.builders.clone(),
            accept_flake_config: typed.accept_flake_config,
        }
    }
}
