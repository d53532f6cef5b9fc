//! Appends that share a transaction, and batches that run beside each other.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed test")]

mod schema;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::EngineContent;
use colloquy_sessions::labels::Labels;
use colloquy_sessions::operation::{ApiVersion, OperationKind};
use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{
    Append, EngineDeletion, EventQuery, NewEngine, NewEvent, NewOperation, NewSession, SessionDeletion,
    Store as _, StoreError,
};
use colloquy_store_conformance::block_on;
use colloquy_store_postgres::{Options, PostgresStore};
use resource_names::{EngineName, LocationName, SessionName};
use tokio::task::JoinSet;

use schema::{Schemas, connect};

/// The author that the database refuses in these tests.
const POISON: &str = "poison";
const NOW: Timestamp = Timestamp(2);

fn session(id: &str) -> SessionName {
    let location = LocationName { project: "p".to_owned(), location: "l".to_owned() };
    SessionName { engine: EngineName { location, engine: "e".to_owned() }, session: id.to_owned() }
}

fn operation(kind: OperationKind) -> NewOperation {
    static IDS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let id = IDS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    NewOperation { id, kind, version: ApiVersion::V1, time: NOW }
}

async fn open(url: &str) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(url, Options::default()).await.unwrap())
}

async fn create_engine(store: &PostgresStore) {
    let (name, content) = (session("s").engine, EngineContent::default());
    store.create_engine(NewEngine { name, content, create_time: NOW, operation: None }).await.unwrap();
}

/// A session of a user of the same name.
async fn create(store: &PostgresStore, id: &str) {
    let session = NewSession {
        name: session(id),
        user_id: id.to_owned(),
        display_name: String::new(),
        labels: Labels::new(),
        create_time: NOW,
        expire_time: Timestamp::LAST,
        state: StateDelta::default(),
        state_limit: 1 << 20,
        operation: operation(OperationKind::CreateSession),
        request: None,
    };
    store.create_session(session).await.unwrap();
}

fn append(id: &str, number: u64, authors: &[&str]) -> Append {
    let event = |author: &&str| NewEvent {
        id: number,
        timestamp: NOW,
        author: (*author).to_owned(),
        invocation_id: "i".to_owned(),
        delta: StateDelta::new(["user:n", "n"].map(|key| (key, Bytes::from(number.to_string())))),
        payload: Bytes::from_static(b"payload"),
        update_time: NOW,
    };
    let events = authors.iter().map(event).collect();
    Append { session: session(id), events, state_limit: 1 << 20, now: NOW, request: None }
}

async fn events(store: &PostgresStore, id: &str) -> Vec<(u64, u64)> {
    let (session, now) = (session(id), NOW);
    let query = EventQuery { session, filter: None, descending: false, limit: 1000, after: None, now };
    let page = store.list_events(query).await.unwrap();
    page.items.into_iter().map(|event| (event.sequence, event.id)).collect()
}

#[test]
fn what_the_database_refuses_goes_alone_and_leaves_nothing() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let store = open(&url).await;
        create_engine(&store).await;
        create(&store, "s").await;
        let other = connect(&url).await;
        let refuse = format!("ALTER TABLE events ADD CHECK (author <> convert_to('{POISON}', 'UTF8'))");
        other.batch_execute(&refuse).await.unwrap();
        // All that come after the first one wait for it, and then go together.
        other.batch_execute("BEGIN; SELECT 1 FROM session_clock FOR UPDATE").await.unwrap();
        let mut appends = JoinSet::new();
        for number in 0..30 {
            let store = Arc::clone(&store);
            let authors = if number % 10 == 5 { ["a", POISON, "a"] } else { ["a"; 3] };
            appends.spawn(async move { (number, store.append_events(append("s", number, &authors)).await) });
            tokio::task::yield_now().await;
        }
        other.batch_execute("ROLLBACK").await.unwrap();
        let mut stored = Vec::new();
        for (number, answer) in appends.join_all().await {
            match answer {
                Ok(appended) => stored.extend(appended.iter().map(|event| (event.sequence, number))),
                Err(error) => {
                    assert!(number % 10 == 5 && matches!(error, StoreError::Internal(_)), "{error}")
                }
            }
        }
        stored.sort_unstable();
        assert_eq!(stored.len(), 27 * 3);
        assert_eq!(events(&store, "s").await, stored);
        // State and events move together.
        let last = Bytes::from(stored.last().unwrap().1.to_string());
        let session = store.get_session(&session("s"), NOW).await.unwrap().unwrap();
        assert_eq!(session.state.entries().len(), 2);
        assert!(session.state.entries().iter().all(|(_, value)| *value == last));
    });
}

#[test]
fn a_session_that_is_held_up_holds_up_no_other() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let store = open(&url).await;
        create_engine(&store).await;
        for id in ["s", "t"] {
            create(&store, id).await;
        }
        let other = connect(&url).await;
        let hold = "BEGIN; SELECT 1 FROM session_clock WHERE session_id = convert_to('s', 'UTF8') FOR UPDATE";
        other.batch_execute(hold).await.unwrap();
        let held = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.append_events(append("s", 1, &["a"])).await }
        });
        // Those that come together share a transaction, so the others come when it is under way.
        let waits =
            "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))";
        while other.query(waits, &[]).await.unwrap().is_empty() {
            assert!(!held.is_finished());
        }
        for number in 1..=20 {
            let append = store.append_events(append("t", number, &["a"]));
            let appended = tokio::time::timeout(Duration::from_secs(10), append).await;
            appended.expect("it does not wait for the other session").unwrap();
        }
        assert!(!held.is_finished());
        other.batch_execute("ROLLBACK").await.unwrap();
        held.await.unwrap().unwrap();
        assert_eq!(events(&store, "s").await, [(1, 1)]);
    });
}

#[test]
fn a_name_that_was_given_again_elsewhere_is_of_the_new_session() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let (store, elsewhere) = (open(&url).await, open(&url).await);
        create_engine(&store).await;
        create(&store, "s").await;
        store.append_events(append("s", 1, &["a"])).await.unwrap();

        let deletion = SessionDeletion {
            name: session("s"),
            now: NOW,
            operation: operation(OperationKind::DeleteSession),
            request: None,
        };
        elsewhere.delete_session(deletion).await.unwrap();
        let gone = store.append_events(append("s", 2, &["a"])).await;
        assert_eq!(gone.err(), Some(StoreError::SessionNotFound));
        create(&elsewhere, "s").await;
        store.append_events(append("s", 3, &["a"])).await.unwrap();
        assert_eq!(events(&elsewhere, "s").await, [(1, 3)]);

        // The engine too; what it held is not freed yet.
        let deletion = EngineDeletion {
            name: session("s").engine,
            force: true,
            now: NOW,
            operation: operation(OperationKind::DeleteEngine),
        };
        elsewhere.delete_engine(deletion).await.unwrap();
        let gone = store.append_events(append("s", 4, &["a"])).await;
        assert_eq!(gone.err(), Some(StoreError::SessionNotFound));
        create_engine(&elsewhere).await;
        create(&elsewhere, "s").await;
        store.append_events(append("s", 5, &["a"])).await.unwrap();
        create(&store, "t").await;
        assert_eq!(events(&elsewhere, "s").await, [(1, 5)]);
        assert_eq!(events(&elsewhere, "t").await, []);
    });
}
