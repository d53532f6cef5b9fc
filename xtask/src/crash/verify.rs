//! After a restart: is all there that was acknowledged, and is what is there whole?

use std::collections::HashSet;
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Map, Value};

use super::append::{Append, Session};
use super::expected::{Shared, differing_keys};
use super::load::Round;
use crate::rest::Rest;

/// How many sessions are read at a time.
const READERS: usize = 8;

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Appends that are there, whole.
    pub found: usize,
    /// Acknowledged appends that are not there.
    pub lost: usize,
    /// Events that are torn, doubled or were never sent, and sessions whose state is not that of their events.
    pub half_applied: usize,
    /// Each of those in words.
    pub problems: Vec<String>,
}

impl Findings {
    fn is_lost(&mut self, append: Append, session: &Session) {
        self.lost += 1;
        self.problems.push(format!("lost: {} in {}", append.id(), session.name));
    }

    fn is_half_applied(&mut self, session: &Session, what: &str) {
        self.half_applied += 1;
        self.problems.push(format!("half-applied: {}: {what}", session.name));
    }
}

/// Checks rounds one after the other, and remembers what they left in the shared states.
#[derive(Debug)]
pub(crate) struct Verifier {
    shared: Shared,
}

impl Verifier {
    /// Nothing was written yet, by `writers` writers.
    pub(crate) fn new(writers: usize) -> Self {
        Self { shared: Shared::new(writers) }
    }

    /// Reads everything that a round can have written, and compares.
    ///
    /// # Errors
    /// When the server does not answer a read.
    pub(crate) fn check(&mut self, url: &str, round: &Round) -> Result<Findings> {
        let lists = for_each_session(url, &round.sessions, list_events)?;
        let tried: HashSet<Append> = round.acknowledged.iter().chain(&round.unanswered).copied().collect();
        let mut findings = Findings::default();
        let mut found = HashSet::new();
        let mut histories = Vec::new();
        for (index, (session, events)) in round.sessions.iter().zip(lists).enumerate() {
            let belongs =
                |append: &Append| tried.contains(append) && append.session(round.sessions.len()) == index;
            let mut history = Vec::new();
            for event in events {
                let id = event.get("invocationId").and_then(Value::as_str).unwrap_or_default();
                let Some(append) = Append::from_id(id).filter(belongs) else {
                    findings.is_half_applied(session, &format!("an event that nobody sent there: {event}"));
                    continue;
                };
                if !append.is(&event) {
                    findings
                        .is_half_applied(session, &format!("an event that is not as it was sent: {event}"));
                }
                if !found.insert(append) {
                    findings.is_half_applied(session, &format!("{} is there twice", append.id()));
                }
                self.shared.found(session.user, append);
                history.push(append);
            }
            histories.push(history);
        }
        findings.found = found.len();
        for &append in &round.acknowledged {
            if !found.contains(&append)
                && let Some(session) = round.sessions.get(append.session(round.sessions.len()))
            {
                findings.is_lost(append, session);
            }
        }

        let states = for_each_session(url, &round.sessions, read_state)?;
        for ((session, history), state) in round.sessions.iter().zip(histories).zip(states) {
            let differing = differing_keys(&state, &self.shared.state(session.user, &history));
            if !differing.is_empty() {
                findings.is_half_applied(session, &format!("state: {}", differing.join(", ")));
            }
        }
        Ok(findings)
    }
}

/// Calls `read` for each session, several at a time; answers in the order of the sessions.
pub(crate) fn for_each_session<T: Send>(
    url: &str,
    sessions: &[Session],
    read: impl Fn(&Rest, &str) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let share = sessions.len().div_ceil(READERS).max(1);
    let parts = thread::scope(|scope| {
        let read = &read;
        let readers: Vec<_> = sessions
            .chunks(share)
            .map(|part| {
                scope.spawn(move || {
                    let rest = Rest::new(url);
                    let answers = part.iter().map(|session| {
                        read(&rest, &session.name).with_context(|| format!("cannot read {}", session.name))
                    });
                    answers.collect::<Result<Vec<T>>>()
                })
            })
            .collect();
        readers.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut answers = Vec::with_capacity(sessions.len());
    for part in parts {
        answers.extend(part.map_err(|_| anyhow!("a reader panicked"))??);
    }
    Ok(answers)
}

/// All events of a session, over all pages.
pub(crate) fn list_events(rest: &Rest, session: &str) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    let mut query = String::new();
    loop {
        let mut page = rest.get(&format!("{session}/events{query}"))?;
        match page.get_mut("sessionEvents").map(Value::take) {
            Some(Value::Array(part)) => events.extend(part),
            None => {}
            Some(other) => bail!("sessionEvents is {other}"),
        }
        match page.get("nextPageToken").and_then(Value::as_str) {
            None | Some("") => return Ok(events),
            Some(token) => query = format!("?pageToken={}", percent_encoded(token)),
        }
    }
}

/// The merged state of a session.
fn read_state(rest: &Rest, session: &str) -> Result<Map<String, Value>> {
    match rest.get(session)?.get_mut("sessionState").map(Value::take) {
        None => Ok(Map::new()),
        Some(Value::Object(state)) => Ok(state),
        Some(other) => bail!("sessionState is {other}"),
    }
}

/// A query value; page tokens are opaque, so anything may be in them.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_the_query() {
        assert_eq!(percent_encoded("aZ0-_.~"), "aZ0-_.~");
        assert_eq!(percent_encoded("a+b/c=="), "a%2Bb%2Fc%3D%3D");
    }
}
