//! The storage contract: what every engine promises, in prose; `store-conformance` is the same as tests.
//!
//! All names here carry the project as it is stored (aliases resolved). Every write that returns `Ok`
//! is durable: on disk, or committed. A write that returns an error changed nothing, unless the error
//! is [`StoreError::Unavailable`], after which the outcome is unknown until the store is read again.
//! Reads see every write that was acknowledged before they began.
//!
//! A session is *live* while it is stored, not deleted, and `now < expire_time`; an engine while it is
//! stored and not deleted. What is not live is invisible to every method that takes names, at once;
//! its rows are freed later, in bounded batches, by [`Store::purge`].

use std::fmt;

use aip_filter::{OrderTerm, Predicate};
use async_trait::async_trait;
use bytes::Bytes;
use resource_names::{EngineName, LocationName, OperationParent, SessionName};

use crate::engine::{Engine, EngineContent};
use crate::event::Event;
use crate::horizon::Horizon;
use crate::labels::Labels;
use crate::operation::{ApiVersion, Operation, OperationKind};
use crate::page::{Cursor, Page};
use crate::query::{EngineField, EventField, OperationField, SessionField, SessionOrder};
use crate::request::Request;
use crate::session::Session;
use crate::state::StateDelta;
use crate::time::Timestamp;

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The engine that was named is not live.
    EngineNotFound,
    /// The session that was named is not live.
    SessionNotFound,
    /// There is a live engine or session of this name already.
    AlreadyExists,
    /// The engine has live sessions, and force was not given.
    HasSessions,
    /// The engine's revision is not the expected one.
    RevisionChanged,
    /// The merged state would have `bytes` bytes, more than the limit.
    StateTooLarge {
        /// What the state would take.
        bytes: usize,
    },
    /// The session is of another user than expected.
    OtherUser,
    /// The request was carried out before; this is the answer that was recorded with it.
    Repeated(Bytes),
    /// Another request was carried out under the same id.
    RequestIdTaken,
    /// The cursor was not made by this engine for this query.
    BadCursor,
    /// No room for the write; nothing changed.
    OutOfSpace(String),
    /// The store cannot serve; after a write the outcome is unknown.
    Unavailable(String),
    /// A defect of the engine or damage to its data.
    Internal(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EngineNotFound => f.write_str("engine not found"),
            Self::SessionNotFound => f.write_str("session not found"),
            Self::AlreadyExists => f.write_str("already exists"),
            Self::HasSessions => f.write_str("engine has sessions"),
            Self::RevisionChanged => f.write_str("revision changed"),
            Self::StateTooLarge { bytes } => write!(f, "state would take {bytes} bytes"),
            Self::OtherUser => f.write_str("session of another user"),
            Self::Repeated(_) => f.write_str("request carried out before"),
            Self::RequestIdTaken => f.write_str("request id of another request"),
            Self::BadCursor => f.write_str("cursor of another query"),
            Self::OutOfSpace(cause) => write!(f, "out of space: {cause}"),
            Self::Unavailable(cause) => write!(f, "unavailable: {cause}"),
            Self::Internal(cause) => write!(f, "internal: {cause}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// What a store gives back.
pub type StoreResult<T> = Result<T, StoreError>;

/// An operation to be stored with the write that it stands for. Its parent follows from its kind.
#[derive(Clone, Copy, Debug)]
pub struct NewOperation {
    /// Unique on the server.
    pub id: u64,
    /// What it does.
    pub kind: OperationKind,
    /// The version that it was started through.
    pub version: ApiVersion,
    /// When it began; when it is done at once, also when it ended.
    pub time: Timestamp,
}

/// See [`Store::create_engine`].
#[derive(Clone, Debug)]
pub struct NewEngine {
    /// Its name.
    pub name: EngineName,
    /// What the caller says of it.
    pub content: EngineContent,
    /// Now.
    pub create_time: Timestamp,
    /// The operation; none where the server makes the engine by itself.
    pub operation: Option<NewOperation>,
}

/// See [`Store::update_engine`].
#[derive(Clone, Debug)]
pub struct EngineUpdate {
    /// Its name.
    pub name: EngineName,
    /// The revision that the new content was made from.
    pub revision: i64,
    /// When the engine that it was made from was created: a name can be given again, and revisions begin anew.
    pub create_time: Timestamp,
    /// The whole new content.
    pub content: EngineContent,
    /// Now; the engine's update time becomes this, or a microsecond after the last one if that is later.
    pub update_time: Timestamp,
    /// The operation, done at once.
    pub operation: NewOperation,
}

/// See [`Store::delete_engine`].
#[derive(Clone, Debug)]
pub struct EngineDeletion {
    /// Its name.
    pub name: EngineName,
    /// Whether live sessions go with it.
    pub force: bool,
    /// Now.
    pub now: Timestamp,
    /// The operation; done when the purge is.
    pub operation: NewOperation,
}

/// See [`Store::list_engines`].
#[derive(Clone, Debug)]
pub struct EngineQuery {
    /// The parent.
    pub location: LocationName,
    /// Which.
    pub filter: Option<Predicate<EngineField>>,
    /// At most so many; at least 1.
    pub limit: usize,
    /// Where the page begins.
    pub after: Option<Cursor>,
}

/// See [`Store::create_session`].
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its name.
    pub name: SessionName,
    /// Whose it is.
    pub user_id: String,
    /// For people.
    pub display_name: String,
    /// Key-value pairs.
    pub labels: Labels,
    /// Now; also the update time.
    pub create_time: Timestamp,
    /// From here on it is not live.
    pub expire_time: Timestamp,
    /// The initial state.
    pub state: StateDelta,
    /// The most bytes that the merged state may have.
    pub state_limit: usize,
    /// The operation, done at once.
    pub operation: NewOperation,
    /// How a retry is told.
    pub request: Option<Request>,
}

/// See [`Store::update_session`]. Fields that are `None` stay.
#[derive(Clone, Debug)]
pub struct SessionUpdate {
    /// Its name.
    pub name: SessionName,
    /// For people.
    pub display_name: Option<String>,
    /// Replaces all labels.
    pub labels: Option<Labels>,
    /// The new end.
    pub expire_time: Option<Timestamp>,
    /// Whose it must be; none where the caller did not say.
    pub user_id: Option<String>,
    /// Now; the update time becomes this, or a microsecond after the last one if that is later.
    pub now: Timestamp,
}

/// See [`Store::delete_session`].
#[derive(Clone, Debug)]
pub struct SessionDeletion {
    /// Its name.
    pub name: SessionName,
    /// Tells whether it is live.
    pub now: Timestamp,
    /// The operation, done at once.
    pub operation: NewOperation,
    /// How a retry is told.
    pub request: Option<Request>,
}

/// See [`Store::list_sessions`].
#[derive(Clone, Debug)]
pub struct SessionQuery {
    /// The parent.
    pub engine: EngineName,
    /// Which.
    pub filter: Option<Predicate<SessionField>>,
    /// By what, first term first; not empty, no field twice. Ties go by session id, in the direction
    /// of the last term.
    pub order: Vec<OrderTerm<SessionOrder>>,
    /// At most so many; at least 1.
    pub limit: usize,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// Tells which sessions are live.
    pub now: Timestamp,
}

/// See [`Store::append_events`].
#[derive(Clone, Debug)]
pub struct Append {
    /// The session.
    pub session: SessionName,
    /// What is appended, in this order; at least one.
    pub events: Vec<NewEvent>,
    /// The most bytes that the merged state may have.
    pub state_limit: usize,
    /// Tells whether the session is live.
    pub now: Timestamp,
    /// How a retry is told.
    pub request: Option<Request>,
}

/// One event of an [`Append`].
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The event's id.
    pub id: u64,
    /// The caller's time.
    pub timestamp: Timestamp,
    /// Who speaks.
    pub author: String,
    /// What invocation it belongs to.
    pub invocation_id: String,
    /// What it changes.
    pub delta: StateDelta,
    /// The whole event as wire bytes.
    pub payload: Bytes,
    /// The update time asked for ([`crate::event::update_time`]).
    pub update_time: Timestamp,
}

/// What an event became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The event's place in the session.
    pub sequence: u64,
    /// The session's new update time.
    pub update_time: Timestamp,
}

/// See [`Store::list_events`].
#[derive(Clone, Debug)]
pub struct EventQuery {
    /// The parent.
    pub session: SessionName,
    /// Which.
    pub filter: Option<Predicate<EventField>>,
    /// Latest first; else earliest first.
    pub descending: bool,
    /// At most so many; at least 1.
    pub limit: usize,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// Tells whether the session is live.
    pub now: Timestamp,
}

/// See [`Store::list_operations`].
#[derive(Clone, Debug)]
pub struct OperationQuery {
    /// The parent: operations that hang directly from it.
    pub parent: OperationParent,
    /// Which.
    pub filter: Option<Predicate<OperationField>>,
    /// At most so many; at least 1.
    pub limit: usize,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// Tells which sessions are live.
    pub now: Timestamp,
}

/// How one batch of upkeep went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many rows it changed or removed.
    pub rows: usize,
    /// Whether there was more to do than the batch held.
    pub more: bool,
}

/// Keeps engines, sessions, events, states and operations.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores an engine with revision 1 and, if there is one, its operation (done). Refuses a name that a
    /// live engine has (`AlreadyExists`); a deleted engine's name is free at once.
    async fn create_engine(&self, engine: NewEngine) -> StoreResult<Engine>;

    /// A live engine, or `None`.
    async fn get_engine(&self, name: &EngineName) -> StoreResult<Option<Engine>>;

    /// The live engines of a location, newest first (ties by engine id, descending).
    async fn list_engines(&self, query: EngineQuery) -> StoreResult<Page<Engine>>;

    /// Replaces the content and raises the revision, if revision and create time are the expected ones
    /// (`RevisionChanged` otherwise), and stores the operation (done).
    async fn update_engine(&self, update: EngineUpdate) -> StoreResult<Engine>;

    /// Makes an engine invisible together with its sessions, user states and app state, and stores the
    /// operation. With live sessions and no force: `HasSessions`, and nothing changes. Small engines may be
    /// purged within the call: the returned operation says whether it is done. Otherwise [`Store::purge`]
    /// goes on, also after a restart.
    async fn delete_engine(&self, deletion: EngineDeletion) -> StoreResult<Operation>;

    /// Stores a session with its initial state merged into the three scopes and its operation (done), all
    /// or nothing, and returns it with its merged state. `EngineNotFound`; `AlreadyExists` where a live
    /// session has the name (an expired or deleted session's name is free at once); `StateTooLarge`; for the
    /// engine's requests, `Repeated` and `RequestIdTaken`, which are looked for before anything of the session.
    async fn create_session(&self, session: NewSession) -> StoreResult<Session>;

    /// A live session with its merged state, or `None`.
    async fn get_session(&self, name: &SessionName, now: Timestamp) -> StoreResult<Option<Session>>;

    /// The live sessions of an engine in the order asked, with their merged states. `EngineNotFound`.
    /// A walk over the pages neither skips nor repeats sessions whose sort keys stay as they are.
    async fn list_sessions(&self, query: SessionQuery) -> StoreResult<Page<Session>>;

    /// Changes a live session and returns it. `SessionNotFound`, `OtherUser`.
    async fn update_session(&self, update: SessionUpdate) -> StoreResult<Session>;

    /// Makes a live session invisible and stores the operation (done). User and app state stay.
    /// `SessionNotFound`; for the engine's requests, `Repeated` and `RequestIdTaken`, which are looked for first.
    async fn delete_session(&self, deletion: SessionDeletion) -> StoreResult<Operation>;

    /// Appends events to a live session, all or nothing: events, sequences, the states of all scopes and the update
    /// time move together or not at all. Each event's sequence is the last one plus 1; the update time becomes the
    /// one asked for, or a microsecond after the last one if that is later, event by event. Appends of one session
    /// take effect in one order, and their deltas in that order. `SessionNotFound`; for the session's requests,
    /// `Repeated` and `RequestIdTaken`; `StateTooLarge` (only where a delta makes the merged state larger:
    /// [`crate::state::fits`]).
    ///
    /// A request is recorded with what it writes. Its id is one of the session's for appends, one of the engine's for
    /// everything else, and goes with the session or engine. A record from before [`Request::known_since`] is as none.
    async fn append_events(&self, append: Append) -> StoreResult<Vec<Appended>>;

    /// The events of a live session by (timestamp, sequence), ascending or descending. `SessionNotFound`.
    async fn list_events(&self, query: EventQuery) -> StoreResult<Page<Event>>;

    /// The operation `id` within `location`, whatever its parent, or `None`. An operation is gone with the
    /// engine or session that it hangs from.
    async fn get_operation(
        &self,
        location: &LocationName,
        id: u64,
        now: Timestamp,
    ) -> StoreResult<Option<Operation>>;

    /// The operations that hang directly from a parent, newest first (ties by id, descending). A parent that
    /// is not live has none.
    async fn list_operations(&self, query: OperationQuery) -> StoreResult<Page<Operation>>;

    /// Forgets an operation of the location; `false` where there was none. What the operation does goes on.
    async fn delete_operation(&self, location: &LocationName, id: u64) -> StoreResult<bool>;

    /// Whether this node is to do upkeep now: of nodes that share a store, one is told so, until it is closed or has
    /// not asked for some time. It spares work; nothing depends on it. A store that nobody shares is always its own.
    async fn lease_upkeep(&self) -> StoreResult<bool> {
        Ok(true)
    }

    /// The horizon that was kept last; none in a store that never kept one.
    async fn horizon(&self) -> StoreResult<Option<Horizon>>;

    /// Keeps the horizon in place of the one before.
    async fn keep_horizon(&self, horizon: Horizon) -> StoreResult<()>;

    /// Deletes at most `limit` sessions whose expire time has come, as [`Store::delete_session`] would.
    async fn expire_sessions(&self, now: Timestamp, limit: usize) -> StoreResult<Progress>;

    /// Frees at most about `limit` rows of deleted sessions and engines; ends the operations of engines that are
    /// purged with it. Resumes where a crash left it; any number of nodes may call it.
    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Progress>;

    /// Forgets at most `limit` operations that ended before `ended_before`.
    async fn sweep_operations(&self, ended_before: Timestamp, limit: usize) -> StoreResult<Progress>;

    /// Forgets at most `limit` requests that were recorded before `recorded_before`.
    async fn sweep_requests(&self, recorded_before: Timestamp, limit: usize) -> StoreResult<Progress>;

    /// Whether reads and writes can be served now; the reason where not.
    async fn health(&self) -> StoreResult<()>;
}
