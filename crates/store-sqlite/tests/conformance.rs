//! The storage contract, kept by SQLite.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use colloquy_sessions::store::Store;
use colloquy_store_conformance::{Factory, conformance_suite};
use colloquy_store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// Opens stores in directories that live as long as this.
#[derive(Default)]
struct InDirectories(Mutex<Vec<TempDir>>);

#[async_trait]
#[expect(clippy::unwrap_used, reason = "a failed test")]
impl Factory for InDirectories {
    async fn fresh(&self) -> Arc<dyn Store> {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path(), Options::default()).unwrap();
        self.0.lock().unwrap().push(directory);
        Arc::new(store)
    }
}

conformance_suite!(InDirectories::default());
