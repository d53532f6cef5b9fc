//! What goes wrong between a node and its database.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed test"
)]

mod cluster;
mod schema;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::EngineContent;
use colloquy_sessions::labels::Labels;
use colloquy_sessions::operation::{ApiVersion, OperationKind};
use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{
    Append, EventQuery, NewEngine, NewEvent, NewOperation, NewSession, Store as _, StoreError,
};
use colloquy_store_conformance::block_on;
use colloquy_store_postgres::{OpenError, Options, PostgresStore};
use resource_names::{EngineName, LocationName, SessionName};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use cluster::Cluster;
use schema::{Schemas, connect, url};

fn behind_pgbouncer() -> Schemas {
    let mut schemas = Schemas::default();
    schemas.is_pooled = true;
    schemas
}

/// A connection that goes past any pooler, to the schema of a store.
async fn beside(store: &str) -> Client {
    let (_, options) = store.split_once("options=").unwrap();
    let separator = if url().contains('?') { '&' } else { '?' };
    connect(&format!("{}{separator}options={options}", url())).await
}

fn name() -> SessionName {
    let location = LocationName { project: "p".to_owned(), location: "l".to_owned() };
    SessionName { engine: EngineName { location, engine: "e".to_owned() }, session: "s".to_owned() }
}

/// A store with one session.
async fn open(url: &str, options: Options) -> PostgresStore {
    let store = PostgresStore::open(url, options).await.unwrap();
    let time = Timestamp(1);
    let engine = NewEngine {
        name: name().engine,
        content: EngineContent::default(),
        create_time: time,
        operation: None,
    };
    store.create_engine(engine).await.unwrap();
    let session = NewSession {
        name: name(),
        user_id: "u".to_owned(),
        display_name: String::new(),
        labels: Labels::new(),
        create_time: time,
        expire_time: Timestamp::LAST,
        state: StateDelta::default(),
        state_limit: 1 << 20,
        operation: NewOperation { id: 1, kind: OperationKind::CreateSession, version: ApiVersion::V1, time },
        request: None,
    };
    store.create_session(session).await.unwrap();
    store
}

fn append(id: u64) -> Append {
    let value = Bytes::from(id.to_string());
    let event = NewEvent {
        id,
        timestamp: Timestamp(2),
        author: "a".to_owned(),
        invocation_id: "i".to_owned(),
        delta: StateDelta::new(["app:n", "user:n", "n"].map(|key| (key, value.clone()))),
        payload: value,
        update_time: Timestamp(2),
    };
    Append { session: name(), events: vec![event], state_limit: 1 << 20, now: Timestamp(2), request: None }
}

/// The ids of all events, in the order of their sequences, which have no gaps.
async fn ids(store: &PostgresStore) -> Vec<u64> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let query = EventQuery {
            session: name(),
            filter: None,
            descending: false,
            limit: 100,
            after,
            now: Timestamp(3),
        };
        let page = store.list_events(query).await.unwrap();
        for event in page.items {
            ids.push(event.id);
            assert_eq!(event.sequence, ids.len() as u64);
        }
        after = page.next;
        if after.is_none() {
            return ids;
        }
    }
}

#[test]
fn connections_that_are_cut_lose_nothing_that_was_acknowledged() {
    cut_connections(&Schemas::default(), "doomed");
}

#[test]
fn connections_that_are_cut_behind_pgbouncer_lose_nothing_that_was_acknowledged() {
    cut_connections(&behind_pgbouncer(), "doomed_behind_pgbouncer");
}

fn cut_connections(schemas: &Schemas, application: &str) {
    block_on(async {
        let url = schemas.fresh().await;
        let named = format!("{url}&application_name={application}");
        let store = Arc::new(open(&named, Options::default()).await);
        let next_id = Arc::new(AtomicU64::new(1));
        let is_over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for _ in 0..16 {
            let (store, next_id) = (Arc::clone(&store), Arc::clone(&next_id));
            let is_over = Arc::clone(&is_over);
            tasks.spawn(async move {
                let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
                while !is_over.load(Ordering::Relaxed) {
                    let id = next_id.fetch_add(1, Ordering::Relaxed);
                    match store.append_events(append(id)).await {
                        Ok(appended) => acknowledged.push((appended[0].sequence, id)),
                        Err(StoreError::Unavailable(_)) => unknown.push(id),
                        Err(other) => panic!("{other}"),
                    }
                }
                (acknowledged, unknown)
            });
        }
        let axe = beside(&url).await;
        let cut = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{application}'"
        );
        // However slow the machine is, there is something to lose at each cut.
        let count = "SELECT count(*) FROM events";
        for cuts in 1..=12 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            while axe.query_one(count, &[]).await.unwrap().get::<_, i64>(0) < 20 * cuts {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            axe.batch_execute(&cut).await.unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
        for (known, lost) in tasks.join_all().await {
            acknowledged.extend(known);
            unknown.extend(lost);
        }
        let stored = ids(&store).await;
        assert!(acknowledged.len() > 100 && !unknown.is_empty());
        for (sequence, id) in &acknowledged {
            let place = usize::try_from(*sequence).unwrap() - 1;
            assert_eq!(stored.get(place), Some(id), "an acknowledged event is where its answer said");
        }
        // What is there beside them is of those whose outcome nobody was told, each at most once.
        let mut all: Vec<u64> = acknowledged.iter().map(|(_, id)| *id).chain(unknown).collect();
        all.sort_unstable();
        let mut sorted = stored.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), stored.len());
        assert!(sorted.iter().all(|id| all.binary_search(id).is_ok()));
        // Also for a node that is started anew.
        store.close().await;
        let store = PostgresStore::open(&url, Options::default()).await.unwrap();
        assert_eq!(ids(&store).await, stored);
        // State and events move together.
        let session = store.get_session(&name(), Timestamp(3)).await.unwrap().unwrap();
        let last = Bytes::from(stored.last().unwrap().to_string());
        assert!(session.state.entries().iter().all(|(_, value)| *value == last));
    });
}

#[test]
fn a_read_that_loses_its_connection_is_done_by_another() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let store = open(&format!("{url}&application_name=reader"), Options::default()).await;
        store.append_events(append(1)).await.unwrap();
        // Until the tables are free again, whoever reads them waits with a connection that can be cut.
        let (holder, axe) = (beside(&url).await, beside(&url).await);
        holder.batch_execute("BEGIN; LOCK TABLE events, sessions").await.unwrap();
        let store = Arc::new(store);
        let mut reads = JoinSet::new();
        let (one, other) = (Arc::clone(&store), Arc::clone(&store));
        reads.spawn(async move { ids(&one).await });
        reads.spawn(async move {
            assert!(other.get_session(&name(), Timestamp(3)).await.unwrap().is_some());
            vec![1]
        });
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'reader' AND wait_event_type = 'Lock'";
        let patience = Instant::now() + Duration::from_secs(15);
        let mut cuts = 0;
        while cuts < 2 {
            cuts += axe.query(cut, &[]).await.unwrap().len();
            assert!(Instant::now() < patience, "nobody waits");
        }
        holder.batch_execute("ROLLBACK").await.unwrap();
        for found in reads.join_all().await {
            assert_eq!(found, [1]);
        }
    });
}

#[test]
fn what_waits_for_a_lock_ends_with_its_deadline() {
    wait_for_lock(&Schemas::default());
}

#[test]
fn what_waits_for_a_lock_behind_pgbouncer_ends_with_its_deadline() {
    wait_for_lock(&behind_pgbouncer());
}

fn wait_for_lock(schemas: &Schemas) {
    block_on(async {
        let url = schemas.fresh().await;
        let options = Options { deadline: Duration::from_millis(500), ..Options::default() };
        let store = open(&url, options).await;
        let holder = beside(&url).await;
        holder.batch_execute("BEGIN; SELECT 1 FROM session_clock FOR UPDATE").await.unwrap();
        let started = Instant::now();
        let answer = store.append_events(append(1)).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        assert!(started.elapsed() < Duration::from_secs(3));
        // Reads do not wait.
        assert!(store.get_session(&name(), Timestamp(3)).await.unwrap().is_some());
        holder.batch_execute("ROLLBACK").await.unwrap();
        let appended = store.append_events(append(2)).await.unwrap();
        assert_eq!(ids(&store).await.len() as u64, appended[0].sequence);
    });
}

#[test]
fn a_connection_that_was_left_in_the_middle_serves_nobody_else() {
    let schemas = Schemas::default();
    block_on(async {
        // The database itself never ends what waits for a lock.
        let url = schemas.fresh().await + "%20-c%20statement_timeout%3D0%20-c%20lock_timeout%3D0";
        let options = Options { connections: 1, deadline: Duration::from_secs(1), ..Options::default() };
        let store = open(&url, options).await;
        let holder = beside(&url).await;
        holder.batch_execute("BEGIN; SELECT 1 FROM session_clock FOR UPDATE").await.unwrap();
        let answer = store.append_events(append(1)).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        assert!(store.get_session(&name(), Timestamp(3)).await.unwrap().is_some());
        store.health().await.unwrap();
        holder.batch_execute("ROLLBACK").await.unwrap();
        store.append_events(append(2)).await.unwrap();
    });
}

#[test]
fn a_host_that_says_nothing_does_not_keep_a_node_from_the_next() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        // Accepts, as the system does for it, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (user, rest) = url.split_once('@').unwrap();
        let url = format!("{user}@{},{rest}", silent.local_addr().unwrap());
        let options = Options { wait: Duration::from_secs(2), ..Options::default() };
        let store = open(&url, options).await;
        store.append_events(append(1)).await.unwrap();
        assert_eq!(ids(&store).await, [1]);
    });
}

#[test]
fn what_failed_first_is_what_is_told_of_statements_that_are_sent_together() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let store = open(&url, Options::default()).await;
        let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
                    $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$; \
                    CREATE TRIGGER full_disk BEFORE INSERT ON app_state EXECUTE FUNCTION full_disk()";
        beside(&url).await.batch_execute(full).await.unwrap();
        for id in 1..=100 {
            let answer = store.append_events(append(id)).await;
            assert!(matches!(answer, Err(StoreError::OutOfSpace(_))), "{answer:?}");
        }
    });
}

#[test]
fn a_closed_store_refuses() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let store = open(&url, Options::default()).await;
        store.append_events(append(1)).await.unwrap();
        store.close().await;
        store.close().await;
        assert!(matches!(store.append_events(append(2)).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.health().await, Err(StoreError::Unavailable(_))));
        // What was acknowledged is there for the next one.
        let next = PostgresStore::open(&url, Options::default()).await.unwrap();
        assert_eq!(ids(&next).await, [1]);
    });
}

#[test]
fn schemas_of_other_builds_are_refused() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        drop(open(&url, Options::default()).await);
        let client = connect(&url).await;
        client.batch_execute("UPDATE migrations SET checksum = 'x' WHERE number = 1").await.unwrap();
        let refused = PostgresStore::open(&url, Options::default()).await;
        assert!(matches!(refused, Err(OpenError::ChecksumMismatch { number: 1, .. })), "{refused:?}");
        client.batch_execute("INSERT INTO migrations VALUES (9999, 'later', 'y')").await.unwrap();
        let refused = PostgresStore::open(&url, Options::default()).await;
        assert!(matches!(refused, Err(OpenError::NewerSchema { found: 9999, .. })), "{refused:?}");
    });
}

#[test]
fn a_full_database_refuses_writes_and_says_so_until_there_is_room() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let store = open(&url, Options::default()).await;
        store.append_events(append(1)).await.unwrap();
        let full = "
            CREATE FUNCTION full_disk() RETURNS TRIGGER LANGUAGE plpgsql AS $$
            BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION full_disk()";
        let disk = beside(&url).await;
        disk.batch_execute(full).await.unwrap();
        let refused = store.append_events(append(2)).await;
        assert!(
            matches!(&refused, Err(StoreError::OutOfSpace(why)) if why.contains("No space left")),
            "{refused:?}"
        );
        let health = store.health().await;
        assert!(
            matches!(&health, Err(StoreError::Unavailable(why)) if why.contains("No space left")),
            "{health:?}"
        );
        // Reads go on.
        assert_eq!(ids(&store).await, [1]);
        disk.batch_execute("DROP TRIGGER full_disk ON events").await.unwrap();
        store.append_events(append(3)).await.unwrap();
        assert_eq!(store.health().await, Ok(()));
        assert_eq!(ids(&store).await, [1, 3]);
    });
}

#[test]
fn a_database_that_becomes_read_only_is_left_for_one_that_is_not() {
    let (first, second) = (Cluster::start(&[], &[]), Cluster::start(&[], &[]));
    block_on(async {
        let both = format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?application_name=node",
            first.port, second.port
        );
        // The same session on both: as if the second one was the standby of the first.
        let [alone, other] = [&first, &second].map(|cluster| cluster.url("postgres", "127.0.0.1"));
        open(&other, Options::default()).await.close().await;
        let fixed = open(&format!("{alone}?application_name=node"), Options::default()).await;
        let moving = format!("{both}&target_session_attrs=read-write");
        let moving = PostgresStore::open(&moving, Options::default()).await.unwrap();
        moving.append_events(append(1)).await.unwrap();
        fixed.append_events(append(2)).await.unwrap();
        assert_eq!(ids(&fixed).await, [1, 2]);

        let admin = connect(&alone).await;
        let demote = "ALTER SYSTEM SET default_transaction_read_only = on";
        admin.batch_execute(demote).await.unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let patience = Instant::now() + Duration::from_secs(30);
        while fixed.health().await.is_ok() {
            assert!(Instant::now() < patience, "it still takes writes");
        }
        // There is no other server: it says why, and reads.
        let health = fixed.health().await;
        assert_eq!(health, Err(StoreError::Unavailable("the database is read-only".to_owned())));
        let refused = fixed.append_events(append(3)).await;
        assert!(
            matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("read-only")),
            "{refused:?}"
        );
        assert_eq!(ids(&fixed).await, [1, 2]);
        // There is one: what was refused is done there, and no connection that refuses is kept.
        moving.append_events(append(4)).await.unwrap();
        assert_eq!(moving.health().await, Ok(()));
        assert_eq!(ids(&moving).await, [4]);
        moving.close().await;
        fixed.close().await;
    });
}

#[test]
fn a_pooler_that_the_url_does_not_speak_of_is_said_to_be_one() {
    let schemas = behind_pgbouncer();
    block_on(async {
        let url = schemas.fresh().await.replace("pgbouncer=true", "pgbouncer=false");
        let refused = PostgresStore::open(&url, Options::default()).await;
        let text = refused.err().unwrap().to_string();
        assert!(text.contains("pgbouncer=true"), "{text}");
    });
}

#[test]
fn a_database_that_cannot_be_reached_is_said_to_be() {
    block_on(async {
        let refused = PostgresStore::open("postgres://u:secret@127.0.0.1:1/d", Options::default()).await;
        let text = refused.err().unwrap().to_string();
        assert!(text.contains("connect") && !text.contains("secret"), "{text}");
        let refused = PostgresStore::open("postgres://u:secret@h:port/d", Options::default()).await;
        let text = refused.err().unwrap().to_string();
        assert!(!text.contains("secret"), "{text}");
    });
}
