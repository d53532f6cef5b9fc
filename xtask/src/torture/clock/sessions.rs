//! Sessions as the program makes, reads and writes them.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::rest::{Failure, Rest};

/// A client of one engine.
pub(super) struct Client {
    rest: Rest,
    engine: String,
}

/// Whether a session is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Live,
    Gone,
}

impl Client {
    pub(super) fn new(url: &str, engine: &str) -> Self {
        Self { rest: Rest::new(url), engine: engine.to_owned() }
    }

    /// Makes a session that lives for so many seconds, a year where none are given.
    pub(super) fn create(&self, id: &str, ttl: Option<u64>) -> Result<()> {
        let mut body = json!({"userId": "user", "sessionState": {"kind": "a state of some bytes", "id": id}});
        if let (Some(seconds), Some(body)) = (ttl, body.as_object_mut()) {
            body.insert("ttl".to_owned(), json!(format!("{seconds}s")));
        }
        self.rest.post(&format!("{}/sessions?sessionId={id}", self.engine), &body)?;
        Ok(())
    }

    /// Appends an event of the caller's number; all have one time, so that they are listed as they came.
    pub(super) fn append(&self, id: &str, number: u64) -> Result<Presence> {
        let event = json!({
            "author": "writer",
            "invocationId": number.to_string(),
            "timestamp": "2029-01-01T00:00:00Z",
            "content": {"role": "user", "parts": [{"text": "as much as somebody says at a time. ".repeat(8)}]},
            "actions": {"stateDelta": {"last": number}},
        });
        presence(self.rest.post(&format!("{}/sessions/{id}:appendEvent", self.engine), &event))
    }

    pub(super) fn get(&self, id: &str) -> Result<Option<Value>> {
        found(self.rest.get(&format!("{}/sessions/{id}", self.engine)))
    }

    /// The numbers of all its events, in their order.
    pub(super) fn events(&self, id: &str) -> Result<Option<Vec<u64>>> {
        let mut numbers = Vec::new();
        let mut token = String::new();
        loop {
            let Some((page, next)) = self.page(id, 100, &token)? else { return Ok(None) };
            numbers.extend(page);
            if next.is_empty() {
                return Ok(Some(numbers));
            }
            token = next;
        }
    }

    /// One page of its events, and the token of the next.
    pub(super) fn page(&self, id: &str, size: usize, token: &str) -> Result<Option<(Vec<u64>, String)>> {
        let parameters = [("pageSize", size.to_string()), ("pageToken", token.to_owned())];
        let Some(body) =
            found(self.rest.list(&format!("{}/sessions/{id}/events", self.engine), &parameters))?
        else {
            return Ok(None);
        };
        let number = |event: &Value| -> Result<u64> {
            let id = event.get("invocationId").and_then(Value::as_str);
            id.and_then(|id| id.parse().ok()).with_context(|| format!("{event} is not of this program"))
        };
        let events = body.get("sessionEvents").and_then(Value::as_array).into_iter().flatten();
        let next = body.get("nextPageToken").and_then(Value::as_str).unwrap_or_default();
        Ok(Some((events.map(number).collect::<Result<_>>()?, next.to_owned())))
    }

    /// Lets it live for so many seconds from now.
    pub(super) fn extend(&self, id: &str, ttl: u64) -> Result<Presence> {
        let body = json!({"ttl": format!("{ttl}s")});
        presence(self.rest.patch(&format!("{}/sessions/{id}?updateMask=ttl", self.engine), &body))
    }

    /// Whether it is listed.
    pub(super) fn is_listed(&self, id: &str) -> Result<bool> {
        let body = self.rest.get(&format!("{}/sessions", self.engine))?;
        let sessions = body.get("sessions").and_then(Value::as_array).into_iter().flatten();
        let mut names = sessions.filter_map(|session| session.get("name").and_then(Value::as_str));
        Ok(names.any(|name| name.ends_with(&format!("/sessions/{id}"))))
    }

    /// Fails unless every way to reach a session says the same of it.
    pub(super) fn expect(&self, id: &str, presence: Presence, number: u64) -> Result<()> {
        let is_there = presence == Presence::Live;
        let answers = [
            ("get", self.get(id)?.is_some()),
            ("the list of its events", self.events(id)?.is_some()),
            ("the list of sessions", self.is_listed(id)?),
            ("an append", self.append(id, number)? == Presence::Live),
        ];
        if let Some((what, _)) = answers.iter().find(|(_, found)| *found != is_there) {
            bail!("session {id} should be {presence:?}, and {what} says that it is not");
        }
        Ok(())
    }
}

/// An answer, or that there is no such session.
fn found(answer: Result<Value, Failure>) -> Result<Option<Value>> {
    match answer {
        Ok(body) => Ok(Some(body)),
        Err(Failure::Refused(404, _)) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

fn presence(answer: Result<Value, Failure>) -> Result<Presence> {
    Ok(if found(answer)?.is_some() { Presence::Live } else { Presence::Gone })
}
