//! Commands with defaults, on a store in a directory of its own.

use std::path::Path;

use aip_filter::OrderTerm;
use bytes::Bytes;
use colloquy_sessions::engine::EngineContent;
use colloquy_sessions::labels::Labels;
use colloquy_sessions::operation::{ApiVersion, OperationKind};
use colloquy_sessions::query::SessionOrder;
use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{
    Append, EngineDeletion, EventQuery, NewEngine, NewEvent, NewOperation, NewSession, SessionQuery,
};
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName, SessionName};

use crate::{Options, SqliteStore};

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

pub(super) fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default()).unwrap()
}

pub(super) fn location() -> LocationName {
    LocationName { project: "p".to_owned(), location: "l".to_owned() }
}

pub(super) fn engine(id: &str) -> EngineName {
    EngineName { location: location(), engine: id.to_owned() }
}

pub(super) fn session(id: &str) -> SessionName {
    SessionName { engine: engine("1"), session: id.to_owned() }
}

pub(super) fn operation(id: u64, kind: OperationKind) -> NewOperation {
    NewOperation { id, kind, version: ApiVersion::V1beta1, time: NOW }
}

pub(super) fn new_engine(id: &str) -> NewEngine {
    NewEngine { name: engine(id), content: EngineContent::default(), create_time: NOW, operation: None }
}

pub(super) fn deletion(id: &str, operation_id: u64) -> EngineDeletion {
    EngineDeletion {
        name: engine(id),
        force: true,
        now: NOW,
        operation: operation(operation_id, OperationKind::DeleteEngine),
    }
}

pub(super) fn new_session(id: &str, user: &str, operation_id: u64) -> NewSession {
    NewSession {
        name: session(id),
        user_id: user.to_owned(),
        display_name: String::new(),
        labels: Labels::new(),
        create_time: NOW,
        expire_time: Timestamp::MAX,
        state: StateDelta::default(),
        state_limit: 1 << 20,
        operation: operation(operation_id, OperationKind::CreateSession),
        request: None,
    }
}

/// An append of one event.
pub(super) fn new_append(id: &str, timestamp: i64, entries: &[(&str, &str)]) -> Append {
    let entries = entries.iter().map(|(key, value)| (*key, Bytes::copy_from_slice(value.as_bytes())));
    let event = NewEvent {
        id: 1,
        timestamp: Timestamp(timestamp),
        author: "user".to_owned(),
        invocation_id: "i".to_owned(),
        delta: StateDelta::new(entries),
        payload: Bytes::from_static(b"payload"),
        update_time: NOW,
    };
    Append { session: session(id), events: vec![event], state_limit: 1 << 20, now: NOW, request: None }
}

pub(super) fn sessions(order: &[(SessionOrder, bool)], limit: usize) -> SessionQuery {
    SessionQuery {
        engine: engine("1"),
        filter: None,
        order: order
            .iter()
            .map(|(field, descending)| OrderTerm { field: *field, descending: *descending })
            .collect(),
        limit,
        after: None,
        now: NOW,
    }
}

pub(super) fn events(id: &str) -> EventQuery {
    EventQuery { session: session(id), filter: None, descending: false, limit: 100, after: None, now: NOW }
}
