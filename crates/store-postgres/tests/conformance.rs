//! The storage contract, kept by PostgreSQL: through one node, through several on one database, and through PgBouncer.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed test")]

mod nodes;
mod schema;

use std::sync::Arc;

use async_trait::async_trait;
use colloquy_sessions::store::Store;
use colloquy_store_conformance::{Factory, conformance_suite};
use colloquy_store_postgres::{Options, PostgresStore};

use nodes::Nodes;
use schema::Schemas;

/// Opens stores.
#[async_trait]
impl Factory for Schemas {
    async fn fresh(&self) -> Arc<dyn Store> {
        let url = Schemas::fresh(self).await;
        Arc::new(PostgresStore::open(&url, Options::default()).await.unwrap())
    }
}

/// Opens several stores on one schema, which take turns.
#[derive(Default)]
struct InTurns(Schemas);

#[async_trait]
impl Factory for InTurns {
    async fn fresh(&self) -> Arc<dyn Store> {
        let url = self.0.fresh().await;
        // At once: each finds an empty schema, and one brings it up to date.
        let open = || PostgresStore::open(&url, Options { connections: 6, ..Options::default() });
        let (first, second, third) = tokio::join!(open(), open(), open());
        Arc::new(Nodes::new(vec![first.unwrap(), second.unwrap(), third.unwrap()]))
    }
}

mod one_node {
    use super::*;

    conformance_suite!(Schemas::default());
}

mod many_nodes {
    use super::*;

    conformance_suite!(InTurns::default());
}

mod behind_pgbouncer {
    use super::*;

    fn schemas() -> Schemas {
        let mut schemas = Schemas::default();
        schemas.is_pooled = true;
        schemas
    }

    conformance_suite!(schemas());
}
