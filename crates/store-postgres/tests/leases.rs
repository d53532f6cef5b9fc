//! Upkeep is done by one node at a time, and by another one when that is gone.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed test")]

mod schema;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use colloquy_sessions::engine::EngineContent;
use colloquy_sessions::id::SessionIdRule;
use colloquy_sessions::limits::Limits;
use colloquy_sessions::operation::{ApiVersion, OperationKind};
use colloquy_sessions::service::{NameRules, Settings};
use colloquy_sessions::store::{EngineDeletion, NewEngine, NewOperation, Store};
use colloquy_sessions::{Clock, IdSource, Service, Timestamp};
use colloquy_store_conformance::block_on;
use colloquy_store_postgres::{Options, PostgresStore};
use resource_names::{EngineName, LocationName};

use schema::{Schemas, connect};

const PATIENCE: Duration = Duration::from_secs(30);

struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn steady(&self) -> Duration {
        Duration::ZERO
    }
}

struct Numbers(AtomicU64);

impl IdSource for Numbers {
    fn random(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

async fn open(url: &str, lease: Duration) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(url, Options { lease, ..Options::default() }).await.unwrap())
}

fn service(store: &Arc<PostgresStore>) -> Service {
    let location = location();
    let settings = Settings {
        names: NameRules { express: location, project_numbers: std::collections::BTreeMap::new() },
        session_ids: SessionIdRule::Published,
        limits: Limits::default(),
        auto_create_engines: false,
        raw_event_ids: false,
    };
    Service::new(
        Arc::clone(store) as _,
        Arc::new(Ticks(AtomicI64::new(1_000))),
        Arc::new(Numbers(AtomicU64::new(1))),
        settings,
    )
}

fn location() -> LocationName {
    LocationName { project: "p".to_owned(), location: "l".to_owned() }
}

#[test]
fn one_node_has_the_lease_until_it_ends_in_order() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let (first, second) =
            tokio::join!(open(&url, Duration::from_secs(600)), open(&url, Duration::from_secs(600)));
        for _ in 0..3 {
            assert_eq!(first.lease_upkeep().await, Ok(true));
            assert_eq!(second.lease_upkeep().await, Ok(false));
        }
        // Whoever does not have it cannot give it away.
        second.close().await;
        let third = open(&url, Duration::from_secs(600)).await;
        assert_eq!(third.lease_upkeep().await, Ok(false));
        first.close().await;
        assert_eq!(third.lease_upkeep().await, Ok(true));
    });
}

#[test]
fn many_that_ask_at_once_do_not_all_get_it() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let mut nodes = Vec::new();
        for _ in 0..6 {
            nodes.push(open(&url, Duration::from_secs(600)).await);
        }
        let mut asked = tokio::task::JoinSet::new();
        for node in &nodes {
            let node = Arc::clone(node);
            asked.spawn(async move { node.lease_upkeep().await.unwrap() });
        }
        assert_eq!(asked.join_all().await.into_iter().filter(|is_held| *is_held).count(), 1);
    });
}

#[test]
fn a_lease_is_renewed_while_its_holder_works() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let node = open(&url, Duration::from_secs(3)).await;
        assert_eq!(node.lease_upkeep().await, Ok(true));
        let beside = connect(&url).await;
        let end = async || {
            let row = beside.query_one("SELECT until::TEXT FROM leases", &[]).await.unwrap();
            row.get::<_, String>(0)
        };
        let (started, first) = (Instant::now(), end().await);
        while end().await == first {
            assert_eq!(node.lease_upkeep().await, Ok(true));
            assert!(started.elapsed() < PATIENCE, "it ends as it began");
        }
    });
}

#[test]
fn another_node_goes_on_where_one_was_killed() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let length = Duration::from_secs(600);
        let (first, second) = (open(&url, length).await, open(&url, length).await);
        let (working, waiting) = (service(&first), service(&second));
        assert!(!working.upkeep().await.unwrap().more);
        let name = EngineName { location: location(), engine: "e".to_owned() };
        let engine = NewEngine {
            name: name.clone(),
            content: EngineContent::default(),
            create_time: Timestamp(1),
            operation: None,
        };
        first.create_engine(engine).await.unwrap();
        // A thousand rows: more than a deletion, or one step of upkeep, frees by itself.
        let many = "INSERT INTO app_state SELECT engine_key, sha256(n::TEXT::BYTEA), 'k', 'v'
            FROM engines, generate_series(1, 1000) AS n";
        let beside = connect(&url).await;
        beside.batch_execute(many).await.unwrap();
        let deletion = EngineDeletion {
            name,
            force: true,
            now: Timestamp(2),
            operation: NewOperation {
                id: 1,
                kind: OperationKind::DeleteEngine,
                version: ApiVersion::V1,
                time: Timestamp(2),
            },
        };
        assert!(!second.delete_engine(deletion).await.unwrap().done);
        assert_eq!(waiting.upkeep().await.unwrap().rows, 0, "the other one has the lease");
        let progress = working.upkeep().await.unwrap();
        assert!(progress.rows > 0 && progress.more, "{progress:?}");
        // Nothing is closed or given back: as if the process was gone.
        drop((working, first));
        assert_eq!(waiting.upkeep().await.unwrap().rows, 0, "it may come back");
        // The time of the database passes.
        beside.batch_execute("UPDATE leases SET until = until - INTERVAL '601 s'").await.unwrap();
        assert!(waiting.upkeep().await.unwrap().rows > 0);
        while waiting.upkeep().await.unwrap().more {}
        let left = beside.query_one("SELECT count(*) FROM app_state", &[]).await.unwrap();
        assert_eq!(left.get::<_, i64>(0), 0);
    });
}
