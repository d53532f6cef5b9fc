//! The use cases: each reads names, checks the request, asks the store, and says what went wrong.

mod engines;
mod events;
mod names;
mod operations;
mod retries;
mod sessions;
mod upkeep;

use std::sync::{Arc, Mutex};

use crate::error::Error;
use crate::id::{IdSource, SessionIdRule, next_id};
use crate::limits::Limits;
use crate::operation::{ApiVersion, OperationKind};
use crate::store::{NewOperation, Store, StoreError};
use crate::time::{Clock, Timestamp};

pub use engines::EngineEdit;
pub use names::NameRules;
pub use operations::OperationStatus;
pub use sessions::{SessionChanges, SessionDraft, SessionField};

/// What is decided when a server starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How names are read.
    pub names: NameRules,
    /// Which session ids callers may choose.
    pub session_ids: SessionIdRule,
    /// How large things may get.
    pub limits: Limits,
    /// Whether an engine springs into existence when a session is made or listed in it.
    pub auto_create_engines: bool,
    /// Whether an event's own id, as ADK gives one, names its append where the caller does not.
    pub raw_event_ids: bool,
}

/// The use cases over one store.
pub struct Service {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    watch: Mutex<upkeep::Watch>,
    ids: Arc<dyn IdSource>,
    settings: Settings,
}

/// Which page of which list is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListRequest<'a> {
    /// AIP-160; empty for all.
    pub filter: &'a str,
    /// AIP-132; empty for the default order.
    pub order_by: &'a str,
    /// 0 for the default.
    pub page_size: i32,
    /// Empty for the first page.
    pub page_token: &'a str,
}

/// One page, with the token of the next; an empty token ends the list.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// The rows, in order.
    pub items: Vec<T>,
    /// For the next request.
    pub next_page_token: String,
}

impl Service {
    /// Puts the use cases over `store`.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        settings: Settings,
    ) -> Self {
        Self { store, clock, watch: Mutex::default(), ids, settings }
    }

    /// What was decided when the server started.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the store can serve; the cause where not.
    pub async fn health(&self) -> crate::error::Result<()> {
        self.store.health().await.map_err(store_failure)
    }

    fn new_operation(&self, kind: OperationKind, version: ApiVersion, time: Timestamp) -> NewOperation {
        NewOperation { id: next_id(&*self.ids), kind, version, time }
    }
}

/// The public error of a failure that no use case expects.
fn store_failure(error: StoreError) -> Error {
    match error {
        StoreError::OutOfSpace(cause) => Error::out_of_space(cause),
        StoreError::Unavailable(cause) => Error::unavailable(cause),
        StoreError::BadCursor => Error::field("page_token", "The page token is malformed."),
        StoreError::EngineNotFound => Error::engine_not_found(),
        StoreError::RequestIdTaken => Error::request_id_taken(),
        other @ (StoreError::SessionNotFound
        | StoreError::AlreadyExists
        | StoreError::HasSessions
        | StoreError::RevisionChanged
        | StoreError::StateTooLarge { .. }
        | StoreError::OtherUser
        | StoreError::Repeated(_)
        | StoreError::Internal(_)) => Error::internal(other),
    }
}
