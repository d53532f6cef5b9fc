//! A PostgreSQL schema of a test's own, for runs of these tests over the PostgreSQL store.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Gone when dropped.
pub(crate) struct Schema {
    name: String,
    database: String,
}

static SCHEMAS: AtomicU32 = AtomicU32::new(0);

impl Schema {
    /// A new one, where `TEST_STORE` asks for PostgreSQL; `TEST_DATABASE_URL` says which. Otherwise none.
    pub(crate) fn if_asked() -> Option<Self> {
        match std::env::var_os("TEST_STORE")?.to_str() {
            Some("postgres") => {}
            other => panic!("TEST_STORE is {other:?}; only postgres is another store"),
        }
        let database = std::env::var_os("TEST_DATABASE_URL").and_then(|url| url.into_string().ok());
        let database = database.expect("TEST_DATABASE_URL names a PostgreSQL to test with");
        let name = format!("api_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let schema = Self { name, database };
        assert!(
            schema.run(&format!("CREATE SCHEMA {}", schema.name)),
            "psql makes a schema in {}",
            schema.database
        );
        Some(schema)
    }

    /// The URL of a store in it.
    pub(crate) fn url(&self) -> String {
        let separator = if self.database.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-c%20search_path%3D{}", self.database, self.name)
    }

    /// Runs a statement by psql, which `TEST_PSQL` may name; whether that went well.
    fn run(&self, statement: &str) -> bool {
        let psql = std::env::var_os("TEST_PSQL").unwrap_or_else(|| OsString::from("psql"));
        let mut psql = Command::new(psql);
        psql.args([&self.database, "-q", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        psql.stdin(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.run(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}
