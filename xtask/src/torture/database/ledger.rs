//! What was asked of the servers, and what they answered: each write is in here before it is sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::crash::append::Append;
use crate::rest::Failure;

/// How many users the sessions belong to, so that sessions share the state of a user.
const USERS: usize = 8;

/// What is known of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Acknowledged.
    Done,
    /// Refused in a way that says that nothing was written.
    Refused,
    /// Done or not.
    Unknown,
}

/// What the servers may answer while something is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Success.
    Done,
    /// UNAVAILABLE.
    Unavailable,
    /// RESOURCE_EXHAUSTED.
    OutOfSpace,
    /// There is no such session.
    NotFound,
    /// There is such a session.
    Exists,
    /// None came.
    Nothing,
}

/// One session: a place has one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Its resource name.
    pub name: String,
    /// Which user it belongs to.
    pub user: usize,
    /// How often its creation was asked for.
    pub tries: u32,
    /// Whether it was created.
    pub created: Outcome,
    /// The titles that it was given, one after the other.
    pub titles: Vec<(String, Outcome)>,
    /// Whether it was deleted, once that was asked.
    pub deleted: Option<Outcome>,
}

/// An append that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// Which.
    pub append: Append,
    /// Which session's place it went to.
    pub place: usize,
    /// Which of the place's lives.
    pub life: usize,
    /// What became of it.
    pub outcome: Outcome,
}

/// The sessions of one round. Each place has one writer who creates, renames and deletes there; all append.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The engine of all sessions.
    pub engine: String,
    places: Vec<Mutex<Vec<Life>>>,
    appends: Mutex<Vec<Sent>>,
}

impl Ledger {
    /// Nothing was asked yet.
    pub(crate) fn new(engine: String, places: usize) -> Self {
        let places = (0..places).map(|_| Mutex::default()).collect();
        Self { engine, places, appends: Mutex::default() }
    }

    /// The lives of one place so far; none where there is no such place.
    pub(crate) fn lives(&self, place: usize) -> Vec<Life> {
        self.at(place).map(|lives| lives.clone()).unwrap_or_default()
    }

    /// The newest life of a place, with its number.
    pub(crate) fn newest(&self, place: usize) -> Option<(usize, Life)> {
        let lives = self.at(place)?;
        let life = lives.last()?.clone();
        Some((lives.len() - 1, life))
    }

    /// Begins a life, which is not created yet.
    pub(crate) fn begin(&self, place: usize) -> Option<(usize, Life)> {
        let mut lives = self.at(place)?;
        let number = lives.len();
        let life = Life {
            name: format!("{}/sessions/place-{place}-{number}", self.engine),
            user: place % USERS,
            tries: 0,
            created: Outcome::Unknown,
            titles: vec![(format!("title {place} {number}"), Outcome::Unknown)],
            deleted: None,
        };
        lives.push(life.clone());
        Some((number, life))
    }

    /// Notes something of a life.
    pub(crate) fn note(&self, place: usize, life: usize, what: impl FnOnce(&mut Life)) {
        if let Some(life) = self.at(place).as_mut().and_then(|lives| lives.get_mut(life)) {
            what(life);
        }
    }

    /// Files the appends of a writer who has ended.
    pub(crate) fn file(&self, appends: Vec<Sent>) {
        self.appends.lock().unwrap_or_else(PoisonError::into_inner).extend(appends);
    }

    /// The appends that were filed.
    pub(crate) fn appends(&self) -> Vec<Sent> {
        self.appends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    fn at(&self, place: usize) -> Option<MutexGuard<'_, Vec<Life>>> {
        self.places.get(place).map(|lives| lives.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Answer {
    /// Reads what came back.
    ///
    /// # Errors
    /// When it is not what a server with a broken database says, in its own words.
    pub(crate) fn read(result: &Result<Value, Failure>) -> Result<Self, String> {
        let (status, body) = match result {
            Ok(_) => return Ok(Self::Done),
            Err(Failure::Unanswered(_)) => return Ok(Self::Nothing),
            Err(Failure::Refused(status, body)) => (*status, body),
        };
        let said: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let message = text("/error/message");
        match (status, text("/error/status")) {
            (503, "UNAVAILABLE") if message == "The service is currently unavailable." => {
                Ok(Self::Unavailable)
            }
            (429, "RESOURCE_EXHAUSTED")
                if message == "The server is out of storage space. Nothing was written." =>
            {
                Ok(Self::OutOfSpace)
            }
            (404, "NOT_FOUND") if message.starts_with("Session ") && message.ends_with(" not found.") => {
                Ok(Self::NotFound)
            }
            (400, "INVALID_ARGUMENT")
                if message.starts_with("Session with user-provided ID ")
                    && message.ends_with(" already exists.") =>
            {
                Ok(Self::Exists)
            }
            _ => Err(format!("an answer that is not for callers: {status} {body}")),
        }
    }

    /// What that says of a write.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Done => Outcome::Done,
            Self::OutOfSpace | Self::NotFound | Self::Exists => Outcome::Refused,
            Self::Unavailable | Self::Nothing => Outcome::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_servers_own_words_are_answers() {
        let refused = |status: u16, name: &str, message: &str| {
            let body = json!({"error": {"code": status, "status": name, "message": message}}).to_string();
            Answer::read(&Err(Failure::Refused(status, body)))
        };
        let unavailable = refused(503, "UNAVAILABLE", "The service is currently unavailable.");
        assert_eq!(unavailable, Ok(Answer::Unavailable));
        assert_eq!(refused(404, "NOT_FOUND", "Session projects/p not found."), Ok(Answer::NotFound));
        assert!(refused(503, "UNAVAILABLE", "db error: FATAL: terminating connection").is_err());
        assert!(refused(500, "INTERNAL", "Internal error encountered.").is_err());
        assert!(refused(404, "NOT_FOUND", "The ReasoningEngine does not exist.").is_err());
        assert!(Answer::read(&Err(Failure::Refused(503, "bad gateway".to_owned()))).is_err());
    }

    #[test]
    fn a_place_has_one_life_after_the_other() {
        let ledger = Ledger::new("engine".to_owned(), 2);
        assert!(ledger.newest(1).is_none() && ledger.begin(2).is_none());
        assert_eq!(ledger.begin(1).map(|(number, life)| (number, life.name)).unwrap().0, 0);
        ledger.note(1, 0, |life| life.deleted = Some(Outcome::Done));
        let (number, life) = ledger.begin(1).unwrap();
        assert_eq!((number, life.name.as_str()), (1, "engine/sessions/place-1-1"));
        assert_eq!(ledger.lives(1).first().unwrap().deleted, Some(Outcome::Done));
    }
}
