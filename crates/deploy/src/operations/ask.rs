//! Questions to all hosts in one round, each over one connection.

use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use fleet::Fleet;
use order::{HostName, Mode};
use report::{Cause, CauseKind, Generation, HostStatus, LastActivation, Report, Timestamp, What};
use session::{Exec, Exit};

use crate::bases;
use crate::conduct::{common, new_run, pipeline};
use crate::connect::Contact;
use crate::pipeline::Pipeline;
use crate::talk::TalkError;
use crate::{Answered, BeginError, Event, Goal, Manner, News, Operator, Request, Urgency, causes};

/// Asks every host what it says of itself. What was learned is remembered ([`State::known`](crate::State::known)).
///
/// # Errors
/// If it could not begin.
pub fn status(
    operator: &Operator,
    fleet: &Fleet,
    hosts: &[HostName],
) -> Result<Vec<Answered<HostStatus>>, BeginError> {
    let answers = round(operator, (fleet, hosts), |host, contact| {
        let status = contact.talk.status()?;
        host.keep(&bases::of_status(&status));
        Ok(status)
    })?;
    for answered in &answers {
        let what = match &answered.answer {
            Ok(status) => What::Seen(Box::new(status.clone())),
            Err(cause) if cause.kind == CauseKind::Offline => What::Unreachable { why: cause.text.clone() },
            Err(_) => continue,
        };
        let at = Timestamp::from(SystemTime::now());
        let seen = Report { at, host: answered.host.clone(), what };
        if let Err(error) = operator.state.remember(&seen) {
            // What was learned is worth more than its memory.
            let what = News::Note(causes::chain(&error));
            // Whoever does not listen is not told.
            let _unheard = operator.events.send(Event { at, host: Some(answered.host.clone()), what });
        }
    }
    Ok(answers)
}

/// What a host did: its activations and the generations of its system profile, both newest first.
pub type Past = (Vec<LastActivation>, Vec<Generation>);

/// Asks every host what it did last: activations and generations, both newest first.
///
/// # Errors
/// If it could not begin.
pub fn history(
    operator: &Operator,
    fleet: &Fleet,
    hosts: &[HostName],
    limit: u32,
) -> Result<Vec<Answered<Past>>, BeginError> {
    round(operator, (fleet, hosts), move |_, contact| contact.talk.history(limit))
}

/// Runs a program on every host, as root. Its output comes as events, line by line.
///
/// # Errors
/// If it could not begin.
pub fn exec(
    operator: &Operator,
    fleet: &Fleet,
    hosts: &[HostName],
    wish: &Exec,
) -> Result<Vec<Answered<Exit>>, BeginError> {
    let wish = wish.clone();
    round(operator, (fleet, hosts), move |host, contact| {
        contact.talk.exec_lines(&wish, &mut |voice, line| host.teller.line(voice, line), &|| {
            host.common.operator.stop.urgency() == Urgency::No
        })
    })
}

/// Asks all hosts at the same time and waits for all answers, sorted by host.
fn round<T: Send + 'static>(
    operator: &Operator,
    (fleet, hosts): (&Fleet, &[HostName]),
    ask: impl Fn(&Pipeline, &Contact) -> Result<T, TalkError> + Send + Sync + 'static,
) -> Result<Vec<Answered<T>>, BeginError> {
    let request = request(hosts);
    let run = new_run()?;
    let selected = hosts.iter().cloned().collect();
    let common = Arc::new(common(operator, fleet, &request, (&run, &selected))?);
    let ask = Arc::new(ask);
    let threads = selected.iter().filter_map(|host| {
        let pipeline = pipeline(&common, host, false)?;
        let ask = Arc::clone(&ask);
        Some(thread::spawn(move || {
            let answer = answer(&pipeline, &*ask);
            Answered { host: pipeline.teller.host().clone(), answer, millis: pipeline.teller.elapsed() }
        }))
    });
    let threads: Vec<_> = threads.collect();
    if threads.is_empty() {
        return Err(BeginError::NoHost);
    }
    Ok(threads.into_iter().filter_map(|thread| thread.join().ok()).collect())
}

fn answer<T>(host: &Pipeline, ask: &dyn Fn(&Pipeline, &Contact) -> Result<T, TalkError>) -> Result<T, Cause> {
    let place = host.common.preparing.enter(host.common.operator.stop.nix());
    let Some(_place) = place else {
        return Err(Cause::new(CauseKind::Aborted, "the operator stopped the run"));
    };
    let contact = host.connector(&host.member)?.shared()?;
    host.keep(&bases::of_hello(&contact.talk.hello));
    let answer = ask(host, &contact).map_err(|error| contact.cause(&error))?;
    contact.talk.end();
    Ok(answer)
}

/// What is the same in all requests that deploy nothing.
pub(super) fn request(hosts: &[HostName]) -> Request {
    Request {
        hosts: hosts.to_vec(),
        named: true,
        yes: true,
        goal: Goal::Activate(Mode::Switch),
        parallel: None,
        batch: None,
        stop_after: None,
        manner: Manner::default(),
    }
}
