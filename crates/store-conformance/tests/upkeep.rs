//! Upkeep of the service, over the model, with a clock that is set.
#![expect(clippy::unwrap_used, reason = "a failed test")]

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use colloquy_sessions::horizon::Horizon;
use colloquy_sessions::id::{IdSource, SessionIdRule};
use colloquy_sessions::limits::Limits;
use colloquy_sessions::operation::ApiVersion;
use colloquy_sessions::service::{NameRules, SessionDraft, Settings};
use colloquy_sessions::session::Expiration;
use colloquy_sessions::store::Store;
use colloquy_sessions::{Clock, Service, Timestamp};
use colloquy_store_conformance::{MemoryStore, block_on};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
const YEARS: Duration = Duration::from_secs(20 * 365 * 86_400);
const START: Timestamp = Timestamp(1_800_000_000_000_000);

/// A clock on the wall, and one that only runs.
#[derive(Default)]
struct Clocks {
    ahead: AtomicI64,
    steady: Mutex<Duration>,
}

impl Clocks {
    fn pass(&self, time: Duration) {
        *self.steady.lock().unwrap() += time;
    }

    fn set_ahead(&self, by: Duration) {
        self.ahead.store(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        Timestamp(START.0 + self.ahead.load(Ordering::Relaxed)).after(self.steady())
    }

    fn steady(&self) -> Duration {
        *self.steady.lock().unwrap()
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl IdSource for Counting {
    fn random(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A server over a store.
fn server(store: &Arc<MemoryStore>, clocks: &Arc<Clocks>) -> Service {
    let express = resource_names::LocationName { project: "p".into(), location: "l".into() };
    let settings = Settings {
        names: NameRules { express, project_numbers: Default::default() },
        session_ids: SessionIdRule::Published,
        limits: Limits::default(),
        auto_create_engines: true,
        raw_event_ids: false,
    };
    let store: Arc<dyn Store> = Arc::<MemoryStore>::clone(store);
    let clock: Arc<dyn Clock> = Arc::<Clocks>::clone(clocks);
    Service::new(store, clock, Arc::new(Counting::default()), settings)
}

/// A session that lives for a day from now, and how it is asked for.
async fn session_of_a_day(server: &Service, id: &str) -> String {
    let expiration = Some(Expiration::Ttl { seconds: 86_400, nanos: 0 });
    let draft = SessionDraft { user_id: "u".into(), expiration, ..SessionDraft::default() };
    let engine = "projects/p/locations/l/reasoningEngines/1";
    server.create_session(ApiVersion::V1, engine, id, Some(draft), None).await.unwrap();
    format!("{engine}/sessions/{id}")
}

async fn is_there(server: &Service, name: &str) -> bool {
    server.get_session(name).await.is_ok()
}

/// Runs for some time, in steps of a minute.
async fn run(server: &Service, clocks: &Clocks, time: Duration) {
    let mut passed = Duration::ZERO;
    while passed < time {
        server.upkeep().await.unwrap();
        clocks.pass(60 * SECOND);
        passed += 60 * SECOND;
    }
    while server.upkeep().await.unwrap().more {}
}

#[test]
fn a_session_is_freed_when_it_has_ended() {
    block_on(async {
        let (store, clocks) = (Arc::default(), Arc::default());
        let server = server(&store, &clocks);
        let name = session_of_a_day(&server, "s").await;
        run(&server, &clocks, DAY - 120 * SECOND).await;
        assert!(is_there(&server, &name).await);
        run(&server, &clocks, 120 * SECOND).await;
        // Also for a clock that is put back.
        clocks.pass(SECOND);
        let ended = clocks.now();
        assert_eq!(store.expire_sessions(ended.after(YEARS), 10).await.unwrap().rows, 0);
        assert_eq!(store.horizon().await.unwrap().unwrap().ahead, None);
    });
}

#[test]
fn a_clock_that_jumps_ahead_frees_nothing_until_it_has_stayed_for_a_day() {
    block_on(async {
        let (store, clocks) = (Arc::default(), Arc::<Clocks>::default());
        let first = server(&store, &clocks);
        run(&first, &clocks, 600 * SECOND).await;
        let name = session_of_a_day(&first, "s").await;
        clocks.set_ahead(YEARS);
        assert!(!is_there(&first, &name).await, "what the clock says holds for readers");
        run(&first, &clocks, DAY / 2).await;
        // The server is started anew, with the wrong clock.
        let second = server(&store, &clocks);
        run(&second, &clocks, DAY / 4).await;
        assert!(store.horizon().await.unwrap().unwrap().ahead.is_some());
        clocks.set_ahead(Duration::ZERO);
        assert!(is_there(&second, &name).await);
        run(&second, &clocks, 600 * SECOND).await;
        assert!(is_there(&second, &name).await);

        clocks.set_ahead(YEARS);
        run(&second, &clocks, DAY + 3_600 * SECOND).await;
        clocks.set_ahead(Duration::ZERO);
        assert_eq!(
            store.expire_sessions(clocks.now().after(YEARS), 10).await.unwrap().rows,
            0,
            "it is freed"
        );
    });
}

#[test]
fn a_node_whose_clock_is_wrong_learns_it_from_the_others() {
    block_on(async {
        let (store, right, wrong) = (Arc::default(), Arc::<Clocks>::default(), Arc::<Clocks>::default());
        wrong.set_ahead(YEARS);
        let nodes = [server(&store, &right), server(&store, &wrong)];
        let name = session_of_a_day(&nodes[0], "s").await;
        // Upkeep goes from one to the other every hour, for 20 hours: as long as the session lives.
        for _ in 0..10 {
            for node in &nodes {
                for _ in 0..60 {
                    node.upkeep().await.unwrap();
                    right.pass(60 * SECOND);
                    wrong.pass(60 * SECOND);
                }
            }
        }
        assert!(is_there(&nodes[0], &name).await);
        // What the wrong one saw is not believed once another one has looked.
        nodes[0].upkeep().await.unwrap();
        let Horizon { believed, .. } = store.horizon().await.unwrap().unwrap();
        assert!(believed <= right.now(), "{believed:?}");
    });
}
