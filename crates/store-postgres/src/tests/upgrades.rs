//! Nodes of different versions on one database: who brings the schema up to date, and who may go on.

use std::sync::atomic::{AtomicU32, Ordering};

use colloquy_sessions::store::{Store as _, StoreError};
use colloquy_store_conformance::block_on;
use tokio_postgres::{Client, NoTls};

use crate::database::Database;
use crate::migrate::{MIGRATIONS, Migration, migrate_to, supported};
use crate::{OpenError, Options, PostgresStore};

static MADE: AtomicU32 = AtomicU32::new(0);

/// A schema of a test's own, and a connection to it.
struct Schema {
    url: String,
    client: Client,
    name: String,
}

impl Schema {
    async fn fresh() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test has no other way to be told")]
        let url =
            std::env::var("TEST_DATABASE_URL").expect("`cargo xtask test` names a PostgreSQL to test with");
        let name = format!("upgrades_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("CREATE SCHEMA {name}; SET search_path = {name}")).await.unwrap();
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}options=-c%20search_path%3D{name}");
        Self { url, client, name }
    }

    fn database(&self) -> Database {
        Database::new(&self.url, &Options { connections: 2, ..Options::default() }).unwrap()
    }

    /// The steps that were made, with the oldest nodes that may work on them.
    async fn steps(&self) -> Vec<(i64, i64)> {
        let rows = self.client.query("SELECT number, oldest_node FROM migrations ORDER BY number", &[]).await;
        rows.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    async fn drop(self) {
        self.client.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name)).await.unwrap();
    }
}

fn known() -> Vec<(i64, i64)> {
    MIGRATIONS.iter().map(|migration| (migration.number, migration.oldest_node)).collect()
}

/// The steps of the next version: ours, and one more.
fn next(oldest_node: i64) -> Vec<Migration> {
    let ours = MIGRATIONS.iter().map(|step| Migration { ..*step });
    let number = supported(MIGRATIONS) + 1;
    let more = Migration { number, name: "more", sql: "CREATE TABLE more (n BIGINT)", oldest_node };
    ours.chain([more]).collect()
}

#[test]
fn steps_go_up_and_say_who_may_go_on() {
    assert!(MIGRATIONS.windows(2).all(|steps| steps[0].number < steps[1].number));
    let page = include_str!("../../../../docs/scale.md");
    for step in MIGRATIONS {
        let line = format!("| {} `{}` |", step.number, step.name);
        assert!(page.contains(&line), "docs/scale.md does not say who may go on: {line}");
        assert!((1..=step.number).contains(&step.oldest_node), "{}", step.name);
    }
}

#[test]
fn many_that_start_at_once_bring_the_first_version_up_to_date_once() {
    block_on(async {
        let schema = Schema::fresh().await;
        migrate_to(&schema.database(), &MIGRATIONS[..1]).await.unwrap();
        // As a server left it that did not know yet of others.
        schema.client.batch_execute("ALTER TABLE migrations DROP COLUMN oldest_node").await.unwrap();
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let database = schema.database();
            starting.spawn(async move { migrate_to(&database, MIGRATIONS).await });
        }
        for started in starting.join_all().await {
            started.unwrap();
        }
        let made = schema.client.query("SELECT number FROM migrations ORDER BY number", &[]).await.unwrap();
        let made: Vec<i64> = made.iter().map(|row| row.get(0)).collect();
        assert_eq!(made, known().iter().map(|(number, _)| *number).collect::<Vec<_>>());
        schema.drop().await;
    });
}

#[test]
fn older_nodes_start_and_work_where_a_step_lets_them() {
    block_on(async {
        let schema = Schema::fresh().await;
        let running = PostgresStore::open(&schema.url, Options::default()).await.unwrap();
        migrate_to(&schema.database(), &next(supported(MIGRATIONS))).await.unwrap();
        assert_eq!(running.health().await, Ok(()));
        let started = PostgresStore::open(&schema.url, Options::default()).await.unwrap();
        assert_eq!(started.health().await, Ok(()));
        assert_eq!(started.lease_upkeep().await, Ok(true));
        // Nothing is done twice, and nothing taken back.
        assert_eq!(schema.steps().await.len(), MIGRATIONS.len() + 1);
        // One that is older still may not: the step speaks of this version.
        let refused = migrate_to(&schema.database(), &MIGRATIONS[..1]).await;
        assert!(matches!(refused, Err(OpenError::NewerSchema { supported: 1, .. })), "{refused:?}");
        running.close().await;
        started.close().await;
        schema.drop().await;
    });
}

#[test]
fn older_nodes_stop_where_a_step_does_not_let_them() {
    block_on(async {
        let schema = Schema::fresh().await;
        let running = PostgresStore::open(&schema.url, Options::default()).await.unwrap();
        let number = supported(MIGRATIONS) + 1;
        migrate_to(&schema.database(), &next(number)).await.unwrap();
        let refused = PostgresStore::open(&schema.url, Options::default()).await;
        let is_newer =
            |error: &OpenError| matches!(error, OpenError::NewerSchema { found, .. } if *found == number);
        assert!(refused.as_ref().is_err_and(is_newer), "{refused:?}");
        // Who was there before says so, and a balancer sends it nothing more.
        let health = running.health().await;
        assert!(
            matches!(&health, Err(StoreError::Unavailable(why)) if why.contains("newer server")),
            "{health:?}"
        );
        running.close().await;
        schema.drop().await;
    });
}

#[test]
fn nodes_of_the_first_version_go_on_beside_this_one() {
    block_on(async {
        let schema = Schema::fresh().await;
        migrate_to(&schema.database(), &MIGRATIONS[..1]).await.unwrap();
        migrate_to(&schema.database(), MIGRATIONS).await.unwrap();
        assert_eq!(schema.steps().await, known());
        // It starts anew, and finds what it needs.
        migrate_to(&schema.database(), &MIGRATIONS[..1]).await.unwrap();
        schema.drop().await;
    });
}
