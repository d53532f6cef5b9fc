//! Migrations: numbered, embedded, forward only, recorded with their checksums.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};

use crate::error::OpenError;

/// One step of the schema.
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

/// All steps, by number, without gaps.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "sessions", sql: include_str!("../migrations/0001_sessions.sql") },
    Migration { number: 2, name: "requests", sql: include_str!("../migrations/0002_requests.sql") },
    Migration { number: 3, name: "horizon", sql: include_str!("../migrations/0003_horizon.sql") },
];

/// Brings the schema to the last version that this server knows, all or nothing.
pub(crate) fn migrate(connection: &mut Connection, database: &Path) -> Result<(), OpenError> {
    let sqlite = |source| OpenError::Sqlite { database: database.to_owned(), source };
    let supported = MIGRATIONS.last().map_or(0, |migration| migration.number);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(sqlite)?;
    let found: i64 =
        transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sqlite)?;
    if found > supported {
        return Err(OpenError::NewerSchema { database: database.to_owned(), found, supported });
    }
    transaction.execute_batch(sql!("migrations_table")).map_err(sqlite)?;
    let applied = applied(&transaction).map_err(sqlite)?;
    for migration in MIGRATIONS {
        let checksum = checksum(migration.sql);
        match applied.iter().find(|(number, ..)| *number == migration.number) {
            Some((_, _, recorded)) if *recorded == checksum => {}
            Some((number, name, _)) => {
                return Err(OpenError::ChecksumMismatch {
                    database: database.to_owned(),
                    number: *number,
                    name: name.clone(),
                });
            }
            None => {
                transaction.execute_batch(migration.sql).map_err(sqlite)?;
                transaction
                    .execute(sql!("migrations_record"), (migration.number, migration.name, checksum))
                    .map_err(sqlite)?;
            }
        }
    }
    transaction.pragma_update(None, "user_version", supported).map_err(sqlite)?;
    transaction.commit().map_err(sqlite)
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<(i64, String, String)>> {
    let mut statement = connection.prepare(sql!("migrations_applied"))?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
