//! The operations as requests, and the answers read back.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use super::operation::{Answer, Call, EventPage, Id, Keys, Seen, Slot, Written};
use crate::rest::{Failure, Rest};

/// What became of a request.
pub(super) enum Outcome {
    Answered(Answer),
    /// Whether it was carried out is not known.
    Unknown,
}

/// A page of a list as it came.
pub(super) struct Page<T> {
    pub items: Vec<T>,
    /// Empty at the end.
    pub next: String,
}

/// Asks one server about one engine.
pub(super) struct Wire<'a> {
    pub rest: &'a Rest,
    pub engine: &'a str,
}

impl Wire<'_> {
    /// Sends any call but a page of a list.
    ///
    /// # Errors
    /// The server said something that it has no reason to say.
    pub(super) fn send(&self, id: Id, call: &Call) -> Result<Outcome> {
        let answered = match call {
            Call::Create { slot, user, state } => {
                let body = json!({"userId": user_id(*user), "sessionState": object(state)});
                let path = format!("{}/sessions?sessionId={}", self.engine, session_id(*slot));
                self.rest.post(&path, &body)
            }
            Call::Append { slot, time, delta } => {
                let body = json!({
                    "author": "client",
                    "invocationId": event_id(id),
                    "timestamp": timestamp(*time)?,
                    "actions": {"stateDelta": object(delta)},
                });
                self.rest.post(&format!("{}:appendEvent", self.session(*slot)), &body)
            }
            Call::Get { slot } => self.rest.get(&self.session(*slot)),
            Call::Update { slot } => {
                let body = json!({"displayName": event_id(id)});
                self.rest.patch(&format!("{}?updateMask=displayName", self.session(*slot)), &body)
            }
            Call::Delete { slot } => self.rest.delete(&self.session(*slot)),
            Call::Sessions { .. } | Call::Events { .. } | Call::Shared { .. } | Call::Rows { .. } => {
                bail!("{call:?} is not sent like this")
            }
        };
        let body = match answered {
            Ok(body) => body,
            Err(failure) => return refused(call, failure),
        };
        let session = |body: &Value| seen(body).map(|seen| Answer::Session(Box::new(seen)));
        Ok(Outcome::Answered(match call {
            Call::Create { .. } => {
                session(body.get("response").context("the operation of a create has no session")?)?
            }
            Call::Get { .. } | Call::Update { .. } => session(&body)?,
            Call::Append { .. } => Answer::Appended { sequence: None },
            _ => Answer::Done,
        }))
    }

    /// Asks for a page of events; the token is that of the page before.
    ///
    /// # Errors
    /// As [`Wire::send`].
    pub(super) fn events(
        &self,
        slot: Slot,
        page: &EventPage,
        token: &str,
    ) -> Result<(Outcome, Option<Page<Id>>)> {
        let order = if page.descending { "timestamp desc" } else { "timestamp" };
        let mut bounds = Vec::new();
        for (comparison, bound) in [(">=", page.from), ("<", page.until)] {
            if let Some(bound) = bound {
                bounds.push(format!("timestamp{comparison}\"{}\"", timestamp(bound)?));
            }
        }
        let parameters = [
            ("pageSize", page.size.to_string()),
            ("pageToken", token.to_owned()),
            ("orderBy", order.to_owned()),
            ("filter", bounds.join(" AND ")),
        ];
        let body = match self.rest.list(&format!("{}/events", self.session(slot)), &parameters) {
            Ok(body) => body,
            Err(failure) => {
                let call = Call::Events { slot, page: *page };
                return Ok((refused(&call, failure)?, None));
            }
        };
        let items = items(&body, "sessionEvents")
            .iter()
            .map(|event| number(event.get("invocationId"), "e"))
            .collect::<Result<Vec<Id>>>()?;
        let next = text(&body, "nextPageToken").to_owned();
        let answer = Answer::Events { events: items.clone(), more: !next.is_empty() };
        Ok((Outcome::Answered(answer), Some(Page { items, next })))
    }

    /// Asks for a page of sessions.
    ///
    /// # Errors
    /// As [`Wire::send`].
    pub(super) fn sessions(
        &self,
        user: Option<usize>,
        order: &str,
        size: usize,
        token: &str,
    ) -> Result<(Outcome, Option<Page<Seen>>)> {
        let filter = user.map(|user| format!("user_id=\"{}\"", user_id(user)));
        let parameters = [
            ("pageSize", size.to_string()),
            ("pageToken", token.to_owned()),
            ("orderBy", order.to_owned()),
            ("filter", filter.unwrap_or_default()),
        ];
        let body = match self.rest.list(&format!("{}/sessions", self.engine), &parameters) {
            Ok(body) => body,
            Err(failure) => return Ok((refused(&Call::Sessions { user }, failure)?, None)),
        };
        let items = items(&body, "sessions").iter().map(seen).collect::<Result<Vec<Seen>>>()?;
        let next = text(&body, "nextPageToken").to_owned();
        Ok((Outcome::Answered(Answer::Sessions(items.clone())), Some(Page { items, next })))
    }

    fn session(&self, slot: Slot) -> String {
        format!("{}/sessions/{}", self.engine, session_id(slot))
    }
}

/// The refusals that have a meaning here.
fn refused(call: &Call, failure: Failure) -> Result<Outcome> {
    match failure {
        Failure::Refused(404, _) if call.slot().is_some() => Ok(Outcome::Answered(Answer::NotFound)),
        Failure::Refused(400, body)
            if matches!(call, Call::Create { .. }) && body.contains("already exists") =>
        {
            Ok(Outcome::Answered(Answer::AlreadyExists))
        }
        Failure::Unanswered(_) => Ok(Outcome::Unknown),
        refused => bail!("{call:?}: {refused}"),
    }
}

fn seen(body: &Value) -> Result<Seen> {
    let name = text(body, "name");
    let slot = name.rsplit_once("/s-").and_then(|(_, slot)| slot.parse().ok());
    let state = body.get("sessionState").and_then(Value::as_object).into_iter().flatten();
    Ok(Seen {
        slot: slot.with_context(|| format!("{name:?} is no session of this history"))?,
        user: usize::try_from(number(body.get("userId"), "u-")?)?,
        display: match body.get("displayName") {
            Some(name) => Some(number(Some(name), "e")?),
            None => None,
        },
        create_time: micros(text(body, "createTime"))?,
        update_time: micros(text(body, "updateTime"))?,
        state: state.map(|(key, value)| Ok((key.clone(), written(value)?))).collect::<Result<Keys>>()?,
    })
}

fn items<'v>(body: &'v Value, list: &str) -> &'v [Value] {
    body.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(body: &'v Value, field: &str) -> &'v str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Numbers come back as doubles, which hold those of a history exactly.
fn written(value: &Value) -> Result<Written> {
    match value {
        Value::Null => Ok(None),
        value => {
            let whole =
                value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number.to_string());
            let id = whole.and_then(|text| text.parse().ok());
            id.map(Some).with_context(|| format!("{value} was never written"))
        }
    }
}

fn number(value: Option<&Value>, prefix: &str) -> Result<Id> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    let number = text.strip_prefix(prefix).and_then(|number| number.parse().ok());
    number.with_context(|| format!("{text:?} is not of this history"))
}

fn object(keys: &Keys) -> Map<String, Value> {
    keys.iter().map(|(key, value)| (key.clone(), json!(value))).collect()
}

fn timestamp(micros: i64) -> Result<String> {
    Ok(jiff::Timestamp::from_microsecond(micros)?.to_string())
}

fn micros(text: &str) -> Result<i64> {
    let time: jiff::Timestamp = text.parse().with_context(|| format!("{text:?} is no time"))?;
    Ok(time.as_microsecond())
}

pub(super) fn session_id(slot: Slot) -> String {
    format!("s-{slot}")
}

fn user_id(user: usize) -> String {
    format!("u-{user}")
}

/// Names an operation: in the invocation id of its event, or in the display name that it gave.
pub(super) fn event_id(id: Id) -> String {
    format!("e{id}")
}
