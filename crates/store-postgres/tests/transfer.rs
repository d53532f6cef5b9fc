//! Moving everything into PostgreSQL, out of it, and from one schema into another.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed test")]

mod schema;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use colloquy_sessions::store::Store;
use colloquy_sessions::transfer::Transfer;
use colloquy_store_conformance::transfer::{Pairs, Site};
use colloquy_store_conformance::{block_on, transfer_suite};
use colloquy_store_postgres::{Options, PostgresStore, PostgresTransfer};
use colloquy_store_sqlite::{SqliteStore, SqliteTransfer};
use tempfile::TempDir;

use schema::{Schemas, connect};

/// An engine.
#[derive(Clone, Copy)]
enum Engine {
    Sqlite,
    Postgres,
}

use Engine::{Postgres, Sqlite};

/// Sites of one engine and sites of another.
struct Between {
    from: Engine,
    to: Engine,
    schemas: Schemas,
    directories: Mutex<Vec<TempDir>>,
}

impl Between {
    fn new(from: Engine, to: Engine) -> Self {
        Self { from, to, schemas: Schemas::default(), directories: Mutex::default() }
    }

    async fn fresh(&self, engine: Engine) -> Arc<dyn Site> {
        match engine {
            Postgres => Arc::new(Schema(self.schemas.fresh().await)),
            Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("data");
                self.directories.lock().unwrap().push(directory);
                Arc::new(Directory(path))
            }
        }
    }
}

#[async_trait]
impl Pairs for Between {
    async fn source(&self) -> Arc<dyn Site> {
        self.fresh(self.from).await
    }

    async fn destination(&self) -> Arc<dyn Site> {
        self.fresh(self.to).await
    }
}

struct Schema(String);

#[async_trait]
impl Site for Schema {
    async fn serve(&self) -> Result<Arc<dyn Store>, String> {
        let options = Options { connections: 4, ..Options::default() };
        let store = PostgresStore::open(&self.0, options).await.map_err(|error| error.to_string())?;
        Ok(Arc::new(store))
    }

    async fn source(&self) -> Result<Arc<dyn Transfer>, String> {
        let source = PostgresTransfer::open_source(&self.0).await.map_err(|error| error.to_string())?;
        Ok(Arc::new(source))
    }

    async fn destination(&self) -> Result<Arc<dyn Transfer>, String> {
        let destination =
            PostgresTransfer::open_destination(&self.0).await.map_err(|error| error.to_string())?;
        Ok(Arc::new(destination))
    }
}

struct Directory(PathBuf);

#[async_trait]
impl Site for Directory {
    async fn serve(&self) -> Result<Arc<dyn Store>, String> {
        let options = colloquy_store_sqlite::Options::default();
        let store = SqliteStore::open(&self.0, options).map_err(|error| error.to_string())?;
        Ok(Arc::new(store))
    }

    async fn source(&self) -> Result<Arc<dyn Transfer>, String> {
        Ok(Arc::new(SqliteTransfer::open_source(&self.0).map_err(|error| error.to_string())?))
    }

    async fn destination(&self) -> Result<Arc<dyn Transfer>, String> {
        Ok(Arc::new(SqliteTransfer::open_destination(&self.0).map_err(|error| error.to_string())?))
    }
}

mod into_postgres {
    use super::*;

    transfer_suite!(Between::new(Sqlite, Postgres));
}

mod out_of_postgres {
    use super::*;

    transfer_suite!(Between::new(Postgres, Sqlite));
}

mod within_postgres {
    use super::*;

    transfer_suite!(Between::new(Postgres, Postgres));
}

/// A store is the same by whatever address it is reached, and schemas of one database are two.
#[test]
fn stores_are_told_apart_by_what_they_are() {
    let schemas = Schemas::default();
    block_on(async {
        let (one, other) = (schemas.fresh().await, schemas.fresh().await);
        let token = async |url: &str| {
            let transfer = PostgresTransfer::open_destination(url).await.unwrap();
            transfer.identity().token.clone()
        };
        let otherwise = format!("{one}&application_name=otherwise");
        assert_eq!(token(&one).await, token(&otherwise).await);
        assert_ne!(token(&one).await, token(&other).await);
    });
}

/// A table of the same name in another schema of the path means nothing.
#[test]
fn a_mark_elsewhere_is_no_mark() {
    let schemas = Schemas::default();
    block_on(async {
        let (one, other) = (schemas.fresh().await, schemas.fresh().await);
        let (_, elsewhere) = other.rsplit_once("%3D").unwrap();
        connect(&other).await.batch_execute("CREATE TABLE transfer ()").await.unwrap();
        PostgresStore::open(&format!("{one}%2C{elsewhere}"), Options::default()).await.unwrap();
    });
}
