//! Each kind of write, whose answer is lost and which is sent again: it is done once, and the retry is told.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::servers::{Servers, Ways};
use crate::crash::verify::list_events;
use crate::rest::{Failure, Name, Rest};

/// How many appends are raced against themselves.
const RACES: usize = 40;
/// How many events a batch has.
const BATCH: usize = 25;

/// A write that may be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// Below the root of the server; a deletion has no body.
    pub path: String,
    /// What is written.
    pub body: Option<Value>,
    /// What it is called.
    pub name: Name,
}

impl Write {
    /// Appends an event.
    pub(crate) fn append(session: &str, event: Value, name: Name) -> Self {
        Self { path: format!("v1beta1/{session}:appendEvent"), body: Some(event), name }
    }

    /// Sends it.
    pub(crate) fn send(&self, rest: &Rest) -> Result<Value, Failure> {
        match &self.body {
            Some(body) => rest.post_named(&self.path, body, &self.name),
            None => rest.delete_named(&self.path, &self.name),
        }
    }
}

/// An event that says which it is.
pub(crate) fn event(id: &str) -> Value {
    json!({
        "author": "writer",
        "invocationId": id,
        "timestamp": "2026-03-01T12:00:00Z",
        "content": {"role": "user", "parts": [{"text": id}]},
        "actions": {"stateDelta": {"last": id, "app:last": id, "user:last": id}},
    })
}

/// Tries all of them; `first` and `second` are ways to two servers of one store, or twice the same.
///
/// # Errors
/// When a write is done twice or not at all, or a retry is told something else.
pub(crate) fn check(servers: &Servers<'_>, engine: &str) -> Result<u64> {
    let ways = servers.ways();
    let (Some(first), Some(second)) = (ways.first(), ways.last()) else { bail!("there is no server") };
    let clear = first.clear();
    let mut done = 0;

    let id = |what: &str| format!("{what}-of-{}", engine.rsplit('/').next().unwrap_or_default());
    let session = format!("{engine}/sessions/once");
    let create = Write {
        path: format!("v1beta1/{engine}/sessions?sessionId=once"),
        body: Some(json!({"userId": "user", "displayName": "once"})),
        name: Name::Parameter(id("create")),
    };
    let created = lose_and_send_again(&create, first, second).context("creating a session")?;
    is_taken(&Write { body: Some(json!({"userId": "other"})), ..create.clone() }, second)?;
    let shown = clear.get(&session)?;
    ensure!(
        shown.get("displayName") == Some(&json!("once")),
        "the session is not as it was created: {shown}"
    );

    let append = Write::append(&session, event("one"), Name::Header(id("append")));
    let appended = lose_and_send_again(&append, first, second).context("appending an event")?;
    is_taken(&Write { body: Some(event("another")), ..append.clone() }, second)?;
    ids_are(&clear, &session, &["one".to_owned()])?;

    let events: Vec<String> = (0..BATCH).map(|number| format!("batch-{number}")).collect();
    let batch = Write {
        path: format!("colloquy/v1/{session}/events:batchAppend"),
        body: Some(json!({"events": events.iter().map(|id| event(id)).collect::<Vec<_>>()})),
        name: Name::Parameter(id("batch")),
    };
    let batched = lose_and_send_again(&batch, first, second).context("appending a batch")?;
    is_taken(&Write { body: Some(json!({"events": [event("another")]})), ..batch.clone() }, second)?;
    let mut all = vec!["one".to_owned()];
    all.extend(events);
    ids_are(&clear, &session, &all)?;
    done += all.len() as u64 + 1;

    for race in 0..RACES {
        let id = format!("race-{race}");
        let append = Write::append(&session, event(&id), Name::Header(id.clone()));
        let both = [first, if race % 2 == 0 { second } else { first }];
        // Every fourth time the first answer is lost, so that a retry meets its own first try.
        let is_lossy = race % 4 == 3;
        race_against_itself(&append, both, is_lossy).with_context(|| format!("race {race}"))?;
        all.push(id);
        done += 1;
    }
    ids_are(&clear, &session, &all)?;

    // What was answered before is answered so after the servers were killed, too.
    for index in 0..ways.len() {
        servers.kill(index)?;
    }
    for (write, answer) in [(&create, &created), (&append, &appended), (&batch, &batched)] {
        let again = write.send(&second.clear()).context("after a restart")?;
        ensure!(told(&again) == told(answer), "after a restart, a retry is told {again}, not {answer}");
    }
    is_taken(&Write { body: Some(event("another")), ..append }, first)?;
    ids_are(&first.clear(), &session, &all)?;

    let delete = Write { path: format!("v1beta1/{session}"), body: None, name: Name::Header(id("delete")) };
    lose_and_send_again(&delete, first, second).context("deleting a session")?;
    ensure!(
        matches!(first.clear().get(&session), Err(Failure::Refused(404, _))),
        "the session is there after it was deleted"
    );
    Ok(done + 1)
}

/// Sends a write whose answer is lost, twice, and then until an answer comes; all later ones are the same.
fn lose_and_send_again(write: &Write, first: &Ways, second: &Ways) -> Result<Value> {
    for lossy in [first.lossy(), second.lossy()] {
        match write.send(&lossy) {
            Err(Failure::Unanswered(_)) => {}
            other => bail!("an answer came, which was to be lost: {other:?}"),
        }
    }
    let answer = write.send(&second.clear())?;
    for clear in [first.clear(), second.clear()] {
        let again = write.send(&clear)?;
        ensure!(told(&again) == told(&answer), "a retry is told {again}, and another {answer}");
    }
    Ok(answer)
}

/// What must be the same each time: an operation shows its session as it is now, so of it the name.
fn told(answer: &Value) -> &Value {
    answer.get("name").unwrap_or(answer)
}

/// Sends a write twice at the same time: both are told that it was done.
fn race_against_itself(write: &Write, ways: [&Ways; 2], is_lossy: bool) -> Result<()> {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let runners = [(ways[0], is_lossy), (ways[1], false)].map(|(ways, is_lossy)| {
            let start = &start;
            scope.spawn(move || {
                let rest = if is_lossy { ways.lossy() } else { ways.clear() };
                start.wait();
                (write.send(&rest), is_lossy)
            })
        });
        for runner in runners {
            match runner.join().map_err(|_| anyhow::anyhow!("a racer panicked"))? {
                (Ok(_), false) | (Err(Failure::Unanswered(_)), true) => {}
                (other, _) => bail!("one of two at once was answered {other:?}"),
            }
        }
        Ok(())
    })
}

/// Another write under the same name is refused.
fn is_taken(write: &Write, ways: &Ways) -> Result<()> {
    match write.send(&ways.clear()) {
        Err(Failure::Refused(409, body)) if body.contains("ALREADY_EXISTS") => Ok(()),
        other => bail!("another write under the same name was answered {other:?}"),
    }
}

/// The events of a session are these, in this order; each has a name of its own.
fn ids_are(rest: &Rest, session: &str, want: &[String]) -> Result<()> {
    let events = list_events(rest, session)?;
    let field =
        |event: &Value, field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ids: Vec<String> = events.iter().map(|event| field(event, "invocationId")).collect();
    ensure!(ids == want, "the events are {ids:?}, not {want:?}");
    let names: HashSet<String> = events.iter().map(|event| field(event, "name")).collect();
    ensure!(names.len() == events.len(), "two events have one name");
    Ok(())
}
