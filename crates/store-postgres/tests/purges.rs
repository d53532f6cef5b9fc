//! Purges go in steps that are bounded by what they free, not by rows alone.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed test")]

mod schema;

use colloquy_sessions::Timestamp;
use colloquy_sessions::store::Store as _;
use colloquy_store_conformance::block_on;
use colloquy_store_postgres::{Options, PostgresStore};

use schema::{Schemas, connect};

/// A deleted session in a live engine: 40 events and 20 keys of 64 KiB, and 100 small events; random, so that none shrinks.
const LARGE: &str = "
    INSERT INTO engines VALUES (1, 'p', 'l', 'e', '', '', '{}', '', 1, 1, 1, FALSE, NULL);
    INSERT INTO users VALUES (1, 1, 'u', 0);
    INSERT INTO sessions VALUES (1, 1, 1, 's', '', '{}', 1, 1, TRUE);
    INSERT INTO events
    SELECT 1, 1, n, n, n, '', '', (SELECT string_agg(sha256((n * 10000 + m)::TEXT::BYTEA), '') FROM generate_series(1, 2048) AS m)
    FROM generate_series(1, 40) AS n;
    INSERT INTO session_state
    SELECT 1, 1, sha256(n::TEXT::BYTEA), 'k', (SELECT payload FROM events WHERE sequence = n)
    FROM generate_series(1, 20) AS n;
    INSERT INTO events SELECT 1, 1, n, n, n, '', '', 'small' FROM generate_series(41, 140) AS n";

#[test]
fn a_purge_counts_large_payloads_by_their_size() {
    let schemas = Schemas::default();
    block_on(async {
        let url = schemas.fresh().await;
        let store = PostgresStore::open(&url, Options::default()).await.unwrap();
        let beside = connect(&url).await;
        beside.batch_execute(LARGE).await.unwrap();
        let left = async || {
            let count = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM session_state)";
            let row = beside.query_one(count, &[]).await.unwrap();
            (row.get::<_, i64>(0), row.get::<_, i64>(1))
        };
        let (mut last, mut steps) = (left().await, 0);
        assert_eq!(last, (140, 20));
        loop {
            let progress = store.purge(Timestamp(2), 45).await.unwrap();
            steps += 1;
            let now = left().await;
            // Each large row counts as nine: five of them are a step.
            if now.0 >= 100 {
                assert_eq!(last.0 - now.0, 5, "step {steps}");
            }
            if !progress.more {
                break;
            }
            assert!(now < last, "no step forward");
            last = now;
        }
        assert_eq!(left().await, (0, 0));
        // 40 and 20 large rows, 100 small ones, and the session itself.
        assert!((14..=17).contains(&steps), "{steps} steps");
        let sessions = beside.query_one("SELECT count(*) FROM sessions", &[]).await.unwrap();
        assert_eq!(sessions.get::<_, i64>(0), 0);
    });
}
