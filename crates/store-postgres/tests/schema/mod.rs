//! Schemas of a test's own, in the database that `TEST_DATABASE_URL` names.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use colloquy_store_conformance::block_on;
use tokio_postgres::{Client, NoTls};

/// Schemas that live as long as this.
#[derive(Default)]
pub(crate) struct Schemas {
    made: Mutex<Vec<String>>,
    /// Whether their URLs lead through a PgBouncer in transaction mode.
    pub(crate) is_pooled: bool,
}

static MADE: AtomicU32 = AtomicU32::new(0);

/// The database.
#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told")]
pub(crate) fn url() -> String {
    std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL names a PostgreSQL to test with; `cargo xtask test` starts one")
}

#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told")]
fn pooled_url() -> String {
    std::env::var("TEST_PGBOUNCER_URL")
        .expect("TEST_PGBOUNCER_URL names a PgBouncer before that PostgreSQL; `cargo xtask test` starts one")
}

/// A connection beside those of stores.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Schemas {
    /// The URL of a new, empty schema.
    pub(crate) async fn fresh(&self) -> String {
        let schema = format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        connect(&url()).await.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        let url = if self.is_pooled { pooled_url() } else { url() };
        let separator = if url.contains('?') { '&' } else { '?' };
        let own = format!("{url}{separator}options=-c%20search_path%3D{schema}");
        self.made.lock().unwrap().push(schema);
        own
    }
}

impl Drop for Schemas {
    fn drop(&mut self) {
        let schemas = std::mem::take(&mut *self.made.lock().unwrap());
        block_on(async {
            let client = connect(&url()).await;
            for schema in schemas {
                client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
            }
        });
    }
}
