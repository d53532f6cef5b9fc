//! The storage contract, kept by PostgreSQL. `TEST_DATABASE_URL` says which one; each store has a schema of its own.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed test")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use colloquy_sessions::store::Store;
use colloquy_store_conformance::{Factory, block_on, conformance_suite};
use colloquy_store_postgres::{Options, PostgresStore};
use tokio_postgres::{Client, NoTls};

/// Opens stores in schemas that live as long as this.
#[derive(Default)]
struct InSchemas(Mutex<Vec<String>>);

static SCHEMAS: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told")]
fn url() -> String {
    std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL names a PostgreSQL to test with; `cargo xtask test` starts one")
}

async fn connect() -> Client {
    let (client, connection) = tokio_postgres::connect(&url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[async_trait]
impl Factory for InSchemas {
    async fn fresh(&self) -> Arc<dyn Store> {
        let schema = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        connect().await.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        let separator = if url().contains('?') { '&' } else { '?' };
        let own = format!("{}{separator}options=-c%20search_path%3D{schema}", url());
        self.0.lock().unwrap().push(schema);
        Arc::new(PostgresStore::open(&own, Options::default()).await.unwrap())
    }
}

impl Drop for InSchemas {
    fn drop(&mut self) {
        let schemas = std::mem::take(&mut *self.0.lock().unwrap());
        block_on(async {
            let client = connect().await;
            for schema in schemas {
                client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
            }
        });
    }
}

conformance_suite!(InSchemas::default());
