//! What cases are made of: names, times, drafts with defaults, and lists read page by page.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::event::Event;
use colloquy_sessions::labels::Labels;
use colloquy_sessions::operation::{ApiVersion, Operation, OperationKind};
use colloquy_sessions::page::{Cursor, Page};
use colloquy_sessions::query::SessionOrder;
use colloquy_sessions::session::Session;
use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{
    Append, Appended, EngineDeletion, EngineQuery, EngineUpdate, EventQuery, NewEngine, NewEvent,
    NewOperation, NewSession, OperationQuery, SessionDeletion, SessionQuery, SessionUpdate, Store,
    StoreResult,
};
use resource_names::{EngineName, LocationName, OperationParent, SessionName};

use crate::Factory;

/// The instant `micros` after the tests begin.
pub(crate) fn at(micros: i64) -> Timestamp {
    // 2026-01-01T00:00:00Z
    Timestamp(1_767_225_600_000_000 + micros)
}

pub(crate) const DAY: i64 = 86_400_000_000;
pub(crate) const MIB: usize = 1 << 20;

pub(crate) fn location(project: &str, location: &str) -> LocationName {
    LocationName { project: project.to_owned(), location: location.to_owned() }
}

pub(crate) fn here() -> LocationName {
    location("1234567890", "us-central1")
}

pub(crate) fn engine(id: &str) -> EngineName {
    EngineName { location: here(), engine: id.to_owned() }
}

pub(crate) fn session(engine: &EngineName, id: &str) -> SessionName {
    SessionName { engine: engine.clone(), session: id.to_owned() }
}

pub(crate) fn delta(entries: &[(&str, &str)]) -> StateDelta {
    StateDelta::new(entries.iter().map(|(key, value)| (*key, Bytes::copy_from_slice(value.as_bytes()))))
}

pub(crate) fn labels(entries: &[(&str, &str)]) -> Labels {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A session's merged state, its values as text.
pub(crate) fn entries(session: &Session) -> Vec<(String, String)> {
    let text = |value: &Bytes| String::from_utf8(value.to_vec()).unwrap();
    session.state.entries().iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// The same shape for what is expected.
pub(crate) fn texts(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn session_ids(sessions: &[Session]) -> Vec<&str> {
    sessions.iter().map(|session| session.name.session.as_str()).collect()
}

pub(crate) fn engine_ids(engines: &[Engine]) -> Vec<&str> {
    engines.iter().map(|engine| engine.name.engine.as_str()).collect()
}

pub(crate) fn sequences(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.sequence).collect()
}

pub(crate) fn operation_ids(operations: &[Operation]) -> Vec<u64> {
    operations.iter().map(|operation| operation.id).collect()
}

/// Ids as the server gives them: all different, positive as signed numbers, in no order.
#[derive(Default)]
pub(crate) struct Ids(AtomicU64);

impl Ids {
    pub(crate) fn next(&self) -> u64 {
        // An odd factor makes the product a permutation of the 63-bit numbers.
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        count.wrapping_mul(0x9e37_79b9_7f4a_7c15) & (u64::MAX >> 1)
    }
}

/// A store under test, and everything a case does with it that is the same each time. Methods without
/// `try` in a name expect success.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    ids: Arc<Ids>,
}

impl World {
    /// An empty store.
    pub(crate) async fn new(factory: &dyn Factory) -> Self {
        Self::over(factory.fresh().await)
    }

    /// A store that is there already.
    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self { store, ids: Arc::default() }
    }

    /// A store with one engine, made at 0.
    pub(crate) async fn with_engine(factory: &dyn Factory) -> (Self, EngineName) {
        let world = Self::new(factory).await;
        let name = engine("7001");
        world.create_engine(&name, 0).await;
        (world, name)
    }

    /// A store with one engine and in it one session of `user`, both made at 0.
    pub(crate) async fn with_session(factory: &dyn Factory) -> (Self, SessionName) {
        let (world, engine) = Self::with_engine(factory).await;
        let name = session(&engine, "s");
        world.create_session(&name, "user", 0).await;
        (world, name)
    }

    pub(crate) fn id(&self) -> u64 {
        self.ids.next()
    }

    pub(crate) fn operation(&self, kind: OperationKind, time: i64) -> NewOperation {
        let id = self.id();
        // Both versions come up, so that one which is lost shows.
        let version = if id.is_multiple_of(2) { ApiVersion::V1 } else { ApiVersion::V1beta1 };
        NewOperation { id, kind, version, time: at(time) }
    }

    pub(crate) fn new_engine(&self, name: &EngineName, time: i64) -> NewEngine {
        NewEngine {
            name: name.clone(),
            content: EngineContent::default(),
            create_time: at(time),
            operation: Some(self.operation(OperationKind::CreateEngine, time)),
        }
    }

    /// An update of the engine as it is now, where there is one.
    pub(crate) async fn engine_update(&self, name: &EngineName, revision: i64, time: i64) -> EngineUpdate {
        let current = self.store.get_engine(name).await.unwrap();
        EngineUpdate {
            name: name.clone(),
            revision,
            create_time: current.map_or(at(0), |engine| engine.create_time),
            content: EngineContent { display_name: format!("at {time}"), ..EngineContent::default() },
            update_time: at(time),
            operation: self.operation(OperationKind::UpdateEngine, time),
        }
    }

    pub(crate) fn engine_deletion(&self, name: &EngineName, force: bool, time: i64) -> EngineDeletion {
        let operation = self.operation(OperationKind::DeleteEngine, time);
        EngineDeletion { name: name.clone(), force, now: at(time), operation }
    }

    /// A session that lives for a year.
    pub(crate) fn new_session(&self, name: &SessionName, user_id: &str, time: i64) -> NewSession {
        NewSession {
            name: name.clone(),
            user_id: user_id.to_owned(),
            display_name: String::new(),
            labels: Labels::new(),
            create_time: at(time),
            expire_time: at(time + 365 * DAY),
            state: StateDelta::default(),
            state_limit: MIB,
            operation: self.operation(OperationKind::CreateSession, time),
            request: None,
        }
    }

    pub(crate) fn session_deletion(&self, name: &SessionName, time: i64) -> SessionDeletion {
        let operation = self.operation(OperationKind::DeleteSession, time);
        SessionDeletion { name: name.clone(), now: at(time), operation, request: None }
    }

    /// An update that names no field.
    pub(crate) fn session_update(&self, name: &SessionName, time: i64) -> SessionUpdate {
        SessionUpdate {
            name: name.clone(),
            display_name: None,
            labels: None,
            expire_time: None,
            user_id: None,
            now: at(time),
        }
    }

    /// An event of now.
    pub(crate) fn new_event(&self, time: i64) -> NewEvent {
        NewEvent {
            id: self.id(),
            timestamp: at(time),
            author: "user".to_owned(),
            invocation_id: "i-1".to_owned(),
            delta: StateDelta::default(),
            payload: Bytes::from_static(b"payload"),
            update_time: at(time),
        }
    }

    /// An append of one event.
    pub(crate) fn new_append(&self, session: &SessionName, time: i64, event: NewEvent) -> Append {
        Append {
            session: session.clone(),
            events: vec![event],
            state_limit: MIB,
            now: at(time),
            request: None,
        }
    }

    pub(crate) async fn create_engine(&self, name: &EngineName, time: i64) -> Engine {
        self.store.create_engine(self.new_engine(name, time)).await.unwrap()
    }

    pub(crate) async fn delete_engine(&self, name: &EngineName, time: i64) -> Operation {
        self.store.delete_engine(self.engine_deletion(name, true, time)).await.unwrap()
    }

    pub(crate) async fn create_session(&self, name: &SessionName, user_id: &str, time: i64) -> Session {
        self.store.create_session(self.new_session(name, user_id, time)).await.unwrap()
    }

    pub(crate) async fn create_session_with(
        &self,
        name: &SessionName,
        user_id: &str,
        time: i64,
        state: &[(&str, &str)],
    ) -> Session {
        let new = NewSession { state: delta(state), ..self.new_session(name, user_id, time) };
        self.store.create_session(new).await.unwrap()
    }

    /// A session that ends at `end`.
    pub(crate) async fn create_short_session(&self, name: &SessionName, time: i64, end: i64) -> Session {
        let new = NewSession { expire_time: at(end), ..self.new_session(name, "user", time) };
        self.store.create_session(new).await.unwrap()
    }

    pub(crate) async fn try_get(&self, name: &SessionName, time: i64) -> Option<Session> {
        self.store.get_session(name, at(time)).await.unwrap()
    }

    pub(crate) async fn get(&self, name: &SessionName, time: i64) -> Session {
        match self.try_get(name, time).await {
            Some(session) => session,
            None => panic!("{name} is not live at {time}"),
        }
    }

    pub(crate) async fn try_delete(&self, name: &SessionName, time: i64) -> StoreResult<Operation> {
        self.store.delete_session(self.session_deletion(name, time)).await
    }

    pub(crate) async fn delete(&self, name: &SessionName, time: i64) -> Operation {
        self.try_delete(name, time).await.unwrap()
    }

    pub(crate) async fn append(&self, name: &SessionName, time: i64, entries: &[(&str, &str)]) -> Appended {
        let event = NewEvent { delta: delta(entries), ..self.new_event(time) };
        self.append_one(name, time, event).await
    }

    pub(crate) async fn append_one(&self, name: &SessionName, time: i64, event: NewEvent) -> Appended {
        self.try_append(name, time, event).await.unwrap()
    }

    pub(crate) async fn try_append(
        &self,
        name: &SessionName,
        time: i64,
        event: NewEvent,
    ) -> StoreResult<Appended> {
        let appended = self.store.append_events(self.new_append(name, time, event)).await?;
        assert_eq!(appended.len(), 1);
        Ok(*appended.first().unwrap())
    }

    pub(crate) async fn operation_by_id(&self, id: u64, time: i64) -> Option<Operation> {
        self.store.get_operation(&here(), id, at(time)).await.unwrap()
    }

    pub(crate) async fn walk<Q: List>(&self, query: Q) -> Vec<Q::Item> {
        walk(&*self.store, query).await.unwrap()
    }

    pub(crate) async fn engines(&self) -> Vec<Engine> {
        self.walk(engines_in(&here())).await
    }

    pub(crate) async fn sessions(&self, engine: &EngineName, time: i64) -> Vec<Session> {
        self.walk(sessions_in(engine, time)).await
    }

    pub(crate) async fn events(&self, session: &SessionName, time: i64) -> Vec<Event> {
        self.walk(events_in(session, time)).await
    }

    pub(crate) async fn operations(&self, parent: impl Into<OperationParent>, time: i64) -> Vec<Operation> {
        self.walk(operations_in(parent, time)).await
    }

    /// Purges to the end in steps of `limit` rows; gives back how many steps that took.
    pub(crate) async fn purge(&self, time: i64, limit: usize) -> usize {
        for step in 1..10_000 {
            let progress = self.store.purge(at(time), limit).await.unwrap();
            assert!(progress.rows <= 2 * limit + 16, "about {limit} rows were asked, {progress:?} done");
            assert!(progress.rows > 0 || !progress.more, "no step forward: {progress:?}");
            if !progress.more {
                return step;
            }
        }
        panic!("the purge does not end");
    }
}

pub(crate) fn engines_in(location: &LocationName) -> EngineQuery {
    EngineQuery { location: location.clone(), filter: None, limit: 100, after: None }
}

/// Newest update first.
pub(crate) fn sessions_in(engine: &EngineName, time: i64) -> SessionQuery {
    let order = aip_filter::OrderTerm { field: SessionOrder::UpdateTime, descending: true };
    SessionQuery {
        engine: engine.clone(),
        filter: None,
        order: vec![order],
        limit: 100,
        after: None,
        now: at(time),
    }
}

pub(crate) fn events_in(session: &SessionName, time: i64) -> EventQuery {
    EventQuery {
        session: session.clone(),
        filter: None,
        descending: false,
        limit: 100,
        after: None,
        now: at(time),
    }
}

pub(crate) fn operations_in(parent: impl Into<OperationParent>, time: i64) -> OperationQuery {
    OperationQuery { parent: parent.into(), filter: None, limit: 100, after: None, now: at(time) }
}

/// A query that goes on where the last page ended.
#[async_trait]
pub(crate) trait List: Clone + Send + Sync + 'static {
    type Item: Send;
    fn limit(&self) -> usize;
    fn starting(self, after: Option<Cursor>) -> Self;
    async fn page(self, store: &dyn Store) -> StoreResult<Page<Self::Item>>;
}

macro_rules! lists {
    ($($query:ident $item:ident $method:ident;)*) => { $(
        #[async_trait]
        impl List for $query {
            type Item = $item;

            fn limit(&self) -> usize {
                self.limit
            }

            fn starting(self, after: Option<Cursor>) -> Self {
                Self { after, ..self }
            }

            async fn page(self, store: &dyn Store) -> StoreResult<Page<Self::Item>> {
                store.$method(self).await
            }
        }
    )* };
}

lists! {
    EngineQuery Engine list_engines;
    SessionQuery Session list_sessions;
    EventQuery Event list_events;
    OperationQuery Operation list_operations;
}

/// Reads a list to its end. Pages may be short, but never longer than asked.
pub(crate) async fn walk<Q: List>(store: &dyn Store, query: Q) -> StoreResult<Vec<Q::Item>> {
    let mut items = Vec::new();
    let mut after = None;
    for _ in 0..100_000 {
        let page = query.clone().starting(after).page(store).await?;
        assert!(page.items.len() <= query.limit(), "{} rows on a page", page.items.len());
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(items);
        }
    }
    panic!("the list does not end");
}
