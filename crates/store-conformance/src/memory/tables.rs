//! The tables, and what is live in them.

use std::collections::BTreeMap;

use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::Engine;
use colloquy_sessions::horizon::Horizon;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::request::Request;
use colloquy_sessions::session::Session;
use colloquy_sessions::store::NewEvent;
use resource_names::{EngineName, SessionName};

use super::requests::Asked;
use super::state::Keys;

/// Tells one life of an engine from the next of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EngineKey(u64);

/// Tells one life of a session from the next of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionKey(u64);

pub(super) struct EngineRow {
    pub(super) engine: Engine,
    /// The operation that deleted it.
    pub(super) deleted_by: Option<u64>,
}

pub(super) struct SessionRow {
    pub(super) engine: EngineKey,
    /// Its state stays empty here; readers get it joined from the three scopes.
    pub(super) session: Session,
    pub(super) own: Keys,
    /// The event at index n has sequence n + 1, until the session is deleted.
    pub(super) events: Vec<NewEvent>,
    pub(super) deleted: bool,
}

/// Whose end is an operation's end.
pub(super) enum Owner {
    Location,
    Engine(EngineKey),
    Session(SessionKey),
}

pub(super) struct OperationRow {
    pub(super) operation: Operation,
    pub(super) owner: Owner,
}

#[derive(Default)]
pub(super) struct Tables {
    last_key: u64,
    pub(super) horizon: Option<Horizon>,
    pub(super) engines: BTreeMap<EngineKey, EngineRow>,
    pub(super) sessions: BTreeMap<SessionKey, SessionRow>,
    pub(super) app_states: BTreeMap<EngineKey, Keys>,
    pub(super) user_states: BTreeMap<(EngineKey, String), Keys>,
    pub(super) operations: BTreeMap<u64, OperationRow>,
    pub(super) requests: BTreeMap<(Asked, String), Request>,
}

impl Tables {
    pub(super) fn insert_engine(&mut self, row: EngineRow) -> EngineKey {
        self.last_key += 1;
        self.engines.insert(EngineKey(self.last_key), row);
        EngineKey(self.last_key)
    }

    pub(super) fn insert_session(&mut self, row: SessionRow) -> SessionKey {
        self.last_key += 1;
        self.sessions.insert(SessionKey(self.last_key), row);
        SessionKey(self.last_key)
    }

    pub(super) fn live_engine(&self, name: &EngineName) -> Option<EngineKey> {
        let live = |row: &EngineRow| row.deleted_by.is_none() && row.engine.name == *name;
        self.engines.iter().find(|(_, row)| live(row)).map(|(key, _)| *key)
    }

    pub(super) fn engine_is_live(&self, key: EngineKey) -> bool {
        self.engines.get(&key).is_some_and(|row| row.deleted_by.is_none())
    }

    /// Whether it is live as long as no clock is asked.
    pub(super) fn session_is_kept(&self, row: &SessionRow) -> bool {
        !row.deleted && self.engine_is_live(row.engine)
    }

    pub(super) fn session_is_live(&self, row: &SessionRow, now: Timestamp) -> bool {
        self.session_is_kept(row) && now < row.session.expire_time
    }

    pub(super) fn live_session(&self, name: &SessionName, now: Timestamp) -> Option<SessionKey> {
        let live = |row: &SessionRow| row.session.name == *name && self.session_is_live(row, now);
        self.sessions.iter().find(|(_, row)| live(row)).map(|(key, _)| *key)
    }
}

/// The update time of a write: the one asked for, or a microsecond after the last one if that is later.
pub(super) fn next_update_time(last: Timestamp, asked: Timestamp) -> Timestamp {
    asked.max(Timestamp(last.0.saturating_add(1)))
}
