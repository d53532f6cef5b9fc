//! After a fault: is all there that was acknowledged, is what is there whole, and do both nodes say the same?

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::ledger::{Ledger, Life, Outcome, Sent};
use super::scopes::Scopes;
use crate::crash::append::{Append, Session};
use crate::crash::expected::differing_keys;
use crate::crash::verify::{for_each_session, list_events};
use crate::rest::{Failure, Rest};

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Appends that are there, whole.
    pub found: u64,
    /// Acknowledged writes that are not there.
    pub lost: u64,
    /// Each broken promise in words.
    pub problems: Vec<String>,
}

impl Findings {
    fn is_lost(&mut self, what: String) {
        self.lost += 1;
        self.problems.push(format!("lost: {what}"));
    }

    fn is_wrong(&mut self, session: &str, what: &str) {
        self.problems.push(format!("{session}: {what}"));
    }
}

/// A session as a node shows it.
struct Shown {
    session: Value,
    events: Vec<Value>,
}

/// Reads all that was written through the node at `url`, and compares it with what its writers were told.
///
/// # Errors
/// When the node does not answer a read.
pub(crate) fn check(url: &str, ledger: &Ledger, writers: usize) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut places = BTreeMap::new();
    let (mut lives, mut sessions) = (Vec::new(), Vec::new());
    for place in 0..ledger.places() {
        for (number, life) in ledger.lives(place).into_iter().enumerate() {
            places.insert((place, number), lives.len());
            sessions.push(Session { name: life.name.clone(), user: life.user });
            lives.push(life);
        }
    }
    let shown = for_each_session(url, &sessions, read)?;
    let mut sent: Vec<HashMap<Append, Outcome>> = vec![HashMap::new(); lives.len()];
    let appends = ledger.appends();
    for Sent { append, place, life, outcome } in &appends {
        if let Some(sent) = places.get(&(*place, *life)).and_then(|index| sent.get_mut(*index)) {
            sent.insert(*append, *outcome);
        }
    }
    let mut scopes = Scopes::new(writers);
    let mut histories = Vec::new();
    for ((life, shown), sent) in lives.iter().zip(&shown).zip(&sent) {
        let history = match shown {
            Some(shown) => {
                is_rightly_there(life, shown, &mut findings);
                history(life, &shown.events, sent, &mut findings)
            }
            None => {
                is_rightly_gone(life, &mut findings);
                Vec::new()
            }
        };
        let found: HashSet<Append> = history.iter().copied().collect();
        for (&append, &outcome) in sent {
            let is_found = found.contains(&append);
            if outcome == Outcome::Done && shown.is_some() && !is_found {
                findings.is_lost(format!("{} in {}", append.id(), life.name));
            }
            match outcome {
                Outcome::Done => scopes.was_done(life.user, append),
                Outcome::Unknown if is_found => scopes.was_found(life.user, append),
                // In a session that is gone nobody sees whether it was done.
                Outcome::Unknown if shown.is_none() => scopes.may_be(life.user, append),
                Outcome::Unknown | Outcome::Refused => {}
            }
        }
        histories.push(history);
    }
    for ((life, shown), history) in lives.iter().zip(&shown).zip(&histories) {
        if let Some(shown) = shown {
            state(life, &shown.session, history, &scopes, &mut findings);
        }
    }
    Ok(findings)
}

/// A session with its events; none where both are not found.
fn read(rest: &Rest, name: &str) -> Result<Option<Shown>> {
    let session = match rest.get(name) {
        Ok(session) => Some(session),
        Err(Failure::Refused(404, _)) => None,
        Err(other) => return Err(other.into()),
    };
    let events = match list_events(rest, name) {
        Ok(events) => Some(events),
        Err(error) if matches!(error.downcast_ref(), Some(Failure::Refused(404, _))) => None,
        Err(error) => return Err(error),
    };
    match (session, events) {
        (Some(session), Some(events)) => Ok(Some(Shown { session, events })),
        (None, None) => Ok(None),
        (session, _) => {
            let half = if session.is_some() { "events are" } else { "session is" };
            anyhow::bail!("{name} is there, but its {half} not")
        }
    }
}

fn is_rightly_gone(life: &Life, findings: &mut Findings) {
    if life.created == Outcome::Done && life.deleted.is_none() {
        findings.is_lost(format!("{}, which was created", life.name));
    }
}

fn is_rightly_there(life: &Life, shown: &Shown, findings: &mut Findings) {
    if life.tries == 0 {
        findings.is_wrong(&life.name, "is there, and nobody asked for it");
    }
    if life.deleted == Some(Outcome::Done) {
        findings.is_wrong(&life.name, "is there, although it was deleted");
    }
    let title = shown.session.get("displayName").and_then(Value::as_str).unwrap_or_default();
    let last_done = life.titles.iter().rposition(|(_, outcome)| *outcome == Outcome::Done).unwrap_or(0);
    // One that nobody knows of may have come at any time after it was asked for.
    let may_be = life.titles.iter().enumerate().any(|(index, (known, outcome))| {
        known == title && (index == last_done || *outcome == Outcome::Unknown)
    });
    if !may_be {
        findings.is_wrong(&life.name, &format!("is called {title:?}; its titles: {:?}", life.titles));
    }
}

/// The appends of a session in their order, each checked against what was sent.
fn history(
    life: &Life,
    events: &[Value],
    sent: &HashMap<Append, Outcome>,
    findings: &mut Findings,
) -> Vec<Append> {
    let mut found = HashSet::new();
    let mut history: Vec<Append> = Vec::new();
    let mut latest: HashMap<usize, u64> = HashMap::new();
    for event in events {
        let id = event.get("invocationId").and_then(Value::as_str).unwrap_or_default();
        let known = Append::from_id(id).and_then(|append| Some((append, *sent.get(&append)?)));
        let Some((append, outcome)) = known else {
            findings.is_wrong(&life.name, &format!("an event that nobody sent there: {event}"));
            continue;
        };
        if outcome == Outcome::Refused {
            findings.is_wrong(&life.name, &format!("{} is there, although it was refused", append.id()));
        }
        if !append.is(event) {
            findings.is_wrong(&life.name, &format!("an event that is not as it was sent: {event}"));
        }
        if !found.insert(append) {
            findings.is_wrong(&life.name, &format!("{} is there twice", append.id()));
        }
        // A writer sends one after the other; one that was not answered may come late.
        if outcome == Outcome::Done {
            let latest = latest.entry(append.writer).or_default();
            if append.number < *latest {
                findings.is_wrong(&life.name, &format!("{} is after a later one", append.id()));
            }
            *latest = append.number.max(*latest);
        }
        history.push(append);
    }
    findings.found += found.len() as u64;
    history
}

fn state(life: &Life, session: &Value, history: &[Append], scopes: &Scopes, findings: &mut Findings) {
    let state = session.get("sessionState").and_then(Value::as_object).cloned().unwrap_or_default();
    let (shared, own): (Map<String, Value>, Map<String, Value>) =
        state.into_iter().partition(|(key, _)| key.contains(':'));
    let mut want = Map::new();
    want.insert("born".to_owned(), json!(life.name));
    for append in history {
        want.extend(append.delta().into_iter().filter(|(key, _)| !key.contains(':')));
    }
    let mut problems = differing_keys(&own, &want);
    problems.extend(scopes.problems(life.user, &shared));
    if !problems.is_empty() {
        findings.is_wrong(&life.name, &format!("state: {}", problems.join(", ")));
    }
}
