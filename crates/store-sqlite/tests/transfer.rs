//! Moving everything from one data directory into another.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use colloquy_sessions::store::Store;
use colloquy_sessions::transfer::Transfer;
use colloquy_store_conformance::transfer::{Pairs, Site};
use colloquy_store_conformance::transfer_suite;
use colloquy_store_sqlite::{Options, SqliteStore, SqliteTransfer};
use tempfile::TempDir;

/// Sites in directories that live as long as this.
#[derive(Default)]
struct Directories(Mutex<Vec<TempDir>>);

struct Directory(PathBuf);

#[expect(clippy::unwrap_used, reason = "a failed test")]
impl Directories {
    fn fresh(&self) -> Arc<dyn Site> {
        let directory = tempfile::tempdir().unwrap();
        let site = Directory(directory.path().join("data"));
        self.0.lock().unwrap().push(directory);
        Arc::new(site)
    }
}

#[async_trait]
impl Site for Directory {
    async fn serve(&self) -> Result<Arc<dyn Store>, String> {
        let store = SqliteStore::open(&self.0, Options::default()).map_err(|error| error.to_string())?;
        Ok(Arc::new(store))
    }

    async fn source(&self) -> Result<Arc<dyn Transfer>, String> {
        Ok(Arc::new(SqliteTransfer::open_source(&self.0).map_err(|error| error.to_string())?))
    }

    async fn destination(&self) -> Result<Arc<dyn Transfer>, String> {
        Ok(Arc::new(SqliteTransfer::open_destination(&self.0).map_err(|error| error.to_string())?))
    }
}

#[async_trait]
impl Pairs for Directories {
    async fn source(&self) -> Arc<dyn Site> {
        self.fresh()
    }

    async fn destination(&self) -> Arc<dyn Site> {
        self.fresh()
    }
}

transfer_suite!(Directories::default());

#[test]
fn a_source_that_is_not_there_is_not_made() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("nothing");
    let error = SqliteTransfer::open_source(&path).unwrap_err();
    assert!(error.to_string().contains("there is no store in"), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_directory_that_is_served_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(home.path(), Options::default()).unwrap();
    for opened in [SqliteTransfer::open_source(home.path()), SqliteTransfer::open_destination(home.path())] {
        let error = opened.unwrap_err();
        assert!(error.to_string().contains("in use by another server"), "{error}");
    }
    drop(store);
    SqliteTransfer::open_source(home.path()).unwrap();
}
