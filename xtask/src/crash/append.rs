//! One append: all of it follows from who writes and the how-manieth of theirs it is.

use serde_json::{Map, Value, json};

/// All events have one time, so that a list of them is in the order of arrival, in which deltas apply.
const TIMESTAMP: &str = "2026-03-01T12:00:00Z";
const AUTHOR: &str = "writer";
/// Each writer's sessions in turn.
const SESSIONS_PER_WRITER: u64 = 3;

/// How often an append leaves a key for good: seldom enough to keep states small.
const LASTING_EVERY: u64 = 8;

/// A session of a round.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Its resource name.
    pub name: String,
    /// Which user it belongs to.
    pub user: usize,
}

/// An append, made or tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Append {
    /// Who writes.
    pub writer: usize,
    /// Counts the writer's appends over all rounds, from 1.
    pub number: u64,
}

impl Append {
    /// Which of a round's `sessions` it goes to: its writer's own, or one of two shared with others.
    pub(crate) fn session(self, sessions: usize) -> usize {
        let step = match self.number % SESSIONS_PER_WRITER {
            0 => 0,
            1 => 1,
            _ => sessions / 2,
        };
        (self.writer + step) % sessions
    }

    /// Names it, in the event's invocation id.
    pub(crate) fn id(self) -> String {
        format!("w{}-{}", self.writer, self.number)
    }

    /// The append that an invocation id names.
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        let (writer, number) = id.strip_prefix('w')?.split_once('-')?;
        Some(Self { writer: writer.parse().ok()?, number: number.parse().ok()? })
    }

    /// What it changes: keys of its own in every scope, one that all writers of a session overwrite, and now and
    /// then one that nothing overwrites, so that no later append can hide that this delta was not applied.
    pub(crate) fn delta(self) -> Map<String, Value> {
        let own = key(self.writer);
        let lasting =
            self.number.is_multiple_of(LASTING_EVERY).then(|| (format!("at {}", self.id()), json!(true)));
        [
            ("last".to_owned(), json!(self.id())),
            (format!("user:{own}"), json!(self.number)),
            (format!("app:{own}"), json!(self.number)),
            (own, json!(self.number)),
        ]
        .into_iter()
        .chain(lasting)
        .collect()
    }

    /// The event as it is sent.
    pub(crate) fn event(self) -> Value {
        json!({
            "author": AUTHOR,
            "invocationId": self.id(),
            "timestamp": TIMESTAMP,
            "content": {"role": "user", "parts": [{"text": self.text()}]},
            "actions": {"stateDelta": self.delta()},
        })
    }

    /// Whether a listed event is this append, whole and unchanged.
    pub(crate) fn is(self, event: &Value) -> bool {
        let at = |pointer: &str| event.pointer(pointer);
        at("/author").and_then(Value::as_str) == Some(AUTHOR)
            && at("/invocationId").and_then(Value::as_str) == Some(self.id().as_str())
            && at("/content/parts/0/text").and_then(Value::as_str) == Some(self.text().as_str())
            && at("/actions/stateDelta").and_then(Value::as_object) == Some(&self.delta())
    }

    /// Long enough for an event to span database pages now and then.
    fn text(self) -> String {
        format!("{} ", self.id()).repeat(16 + usize::try_from(self.number % 64).unwrap_or(0))
    }
}

/// A writer's own key, without a scope.
pub(crate) fn key(writer: usize) -> String {
    format!("w{writer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_append() {
        let append = Append { writer: 17, number: 123 };
        assert_eq!(Append::from_id(&append.id()), Some(append));
        for wrong in ["", "w", "w1", "1-2", "w1-", "w-1", "wx-1", "w1-2-3"] {
            assert_eq!(Append::from_id(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_event_is_its_own_append_and_no_other() {
        let append = Append { writer: 3, number: 70 };
        assert!(append.is(&append.event()));
        assert!(!Append { writer: 3, number: 71 }.is(&append.event()));
        let mut torn = append.event();
        torn["actions"]["stateDelta"].as_object_mut().expect("an object").remove("last");
        assert!(!append.is(&torn));
        let mut cut = append.event();
        cut["content"]["parts"][0]["text"] = json!("w3-70");
        assert!(!append.is(&cut));
    }

    #[test]
    fn a_writer_goes_round_its_sessions() {
        let of = |number| Append { writer: 5, number }.session(8);
        assert_eq!([of(3), of(4), of(5), of(6)], [5, 6, 1, 5]);
        assert_eq!(Append { writer: 0, number: 5 }.session(1), 0);
    }
}
