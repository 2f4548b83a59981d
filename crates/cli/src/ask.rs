//! The person at the terminal, as operations see one: asked for passwords, and whether to go on.

use std::sync::{Arc, Mutex, PoisonError};

use deploy::{Ask, Candidate, Goal, PasswordRequest, Question, Stop};
use order::Mode;

use crate::{
    style::{Style, paint},
    summary::left_out,
    table::{Column, Table},
    terminal::Terminal,
    text::{clean, counted, system},
};

/// Hosts that a question lists one by one.
const LISTED: usize = 40;

/// The person at the terminal, if there is one.
pub(crate) struct Person {
    terminal: Arc<Terminal>,
    stop: Stop,
    yes: bool,
    password: Mutex<Password>,
}

/// What was answered before in this run. Never printed, so it has no `Debug`.
#[derive(Default)]
struct Password {
    /// The user whose password it is, the password, and whether it may be used on other hosts.
    given: Option<(String, String, Reuse)>,
    /// Nobody wants to be asked again.
    refused: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reuse {
    NotAsked,
    Allowed,
    Denied,
}

impl Person {
    /// Who answers here; with `yes` to every question, but not to passwords.
    pub(crate) fn new(terminal: Arc<Terminal>, stop: Stop, yes: bool) -> Self {
        Self { terminal, stop, yes, password: Mutex::default() }
    }

    /// Asks once, and offers what was given for the same user elsewhere.
    fn ask(&self, known: &mut Password, request: &PasswordRequest) -> Option<String> {
        let user = request.address.rsplit_once('@').map_or("", |(user, _)| user);
        if let Some((whose, password, reuse)) = &mut known.given
            && whose == user
            && !request.again
        {
            if *reuse == Reuse::NotAsked {
                let question = format!(
                    "{} asks for a password too; use the one you gave on every host with user {}?",
                    request.host,
                    clean(user)
                );
                let agreed = self.terminal.confirm(&question, &self.stop);
                *reuse = if agreed { Reuse::Allowed } else { Reuse::Denied };
            }
            if *reuse == Reuse::Allowed {
                return Some(password.clone());
            }
        }
        let password = self.terminal.password(&prompt(request), &self.stop)?;
        if known.given.as_ref().is_none_or(|(whose, ..)| whose == user) {
            let reuse = known.given.as_ref().map_or(Reuse::NotAsked, |(_, _, reuse)| *reuse);
            known.given = Some((user.to_owned(), password.clone(), reuse));
        }
        Some(password)
    }
}

impl Ask for Person {
    fn password(&self, request: &PasswordRequest) -> Option<String> {
        // Held while the person types: one question at a time, and the next host sees the answer.
        let mut known = self.password.lock().unwrap_or_else(PoisonError::into_inner);
        if known.refused || !self.terminal.can_ask() {
            return None;
        }
        let password = self.ask(&mut known, request);
        known.refused = password.is_none();
        password
    }

    fn proceed(&self, question: &Question) -> bool {
        if self.yes {
            return true;
        }
        for line in question_lines(question, self.terminal.err().width, self.terminal.err().color) {
            self.terminal.note(&line);
        }
        if !self.terminal.can_ask() {
            self.terminal.note("nobody can be asked here; --yes answers beforehand");
            return false;
        }
        self.terminal.confirm(&final_words(question), &self.stop)
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        if let Some((_, password, _)) = self.given.take() {
            let mut bytes = password.into_bytes();
            bytes.fill(0);
            std::hint::black_box(&bytes);
        }
    }
}

fn prompt(request: &PasswordRequest) -> String {
    let again = if request.again { "The password was wrong. " } else { "" };
    // Nothing else that makes root of a user asks us for one.
    format!("{again}Password for {} (sudo on {})", clean(&request.address), request.host)
}

/// What a yes would mean.
fn final_words(question: &Question) -> String {
    let number = counted(question.ready.len(), "host");
    match question.goal {
        Goal::Reboot => format!("Reboot {number}?"),
        Goal::Activate(Mode::Reboot) => format!("Go on with {number} (mode boot, with a reboot)?"),
        goal => format!("Go on with {number} (mode {})?", goal.mode().word()),
    }
}

/// What is asked about.
fn question_lines(question: &Question, width: Option<usize>, color: bool) -> Vec<String> {
    let what = if question.goal == Goal::Reboot { "BOOTS" } else { "NEW SYSTEM" };
    let mut table = Table::new([Column::text("HOST"), Column::flexible(what)]);
    for Candidate { host, system: path, .. } in question.ready.iter().take(LISTED) {
        let path = path.as_ref().map(|path| format!("{}  {}", system(path), name(path)));
        table.row([host.as_str().into(), path.unwrap_or_else(|| "unknown".to_owned()).into()]);
    }
    let mut lines = if question.ready.is_empty() { Vec::new() } else { table.lines(width, color) };
    if question.ready.len() > LISTED {
        lines.push(format!("and {} more", question.ready.len() - LISTED));
    }
    lines.extend(question.ready.iter().flat_map(|candidate| remarks(candidate, color)));
    lines.extend(left_out(&question.left_out));
    lines.extend(question.failed.iter().map(|host| paint(&format!("failed: {host}"), Style::Bad, color)));
    lines.extend(question.unguarded.map(|why| paint(&format!("not guarded: {why}"), Style::Warn, color)));
    lines
}

/// What is otherwise on one host than on the others.
fn remarks(candidate: &Candidate, color: bool) -> Vec<String> {
    let Candidate { host, remarks, unguarded, .. } = candidate;
    let unguarded = unguarded.iter().map(|why| format!("the reboot is not guarded: {why}"));
    let all = remarks.iter().cloned().chain(unguarded);
    all.map(|text| paint(&format!("{host}: {}", clean(&text)), Style::Warn, color)).collect()
}

/// The name of a system without its hash.
fn name(path: &order::SystemPath) -> String {
    clean(path.path.name().as_str()).into_owned()
}

#[cfg(test)]
mod tests;
