//! Migrations: numbered, embedded, forward only, recorded with their checksums.

use std::fmt::Write as _;

use deadpool_postgres::{Client, Transaction};
use sha2::{Digest, Sha256};

use crate::error::{OpenError, describe};

/// One step of the schema.
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

/// All steps, by number, without gaps.
const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "sessions", sql: include_str!("../migrations/0001_sessions.sql") }];

/// What nodes lock so that one migrates at a time: "colloquy" in ASCII.
const LOCK: i64 = 0x636f_6c6c_6f71_7579;

/// Brings the schema to the last version that this server knows, all or nothing.
pub(crate) async fn migrate(client: &mut Client) -> Result<(), OpenError> {
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.query(sql!("migrations/lock"), &[&LOCK]).await.map_err(failed)?;
    transaction.batch_execute(sql!("migrations/table")).await.map_err(failed)?;
    let applied = applied(&transaction).await.map_err(failed)?;
    let supported = MIGRATIONS.last().map_or(0, |migration| migration.number);
    let found = applied.last().map_or(0, |(number, ..)| *number);
    if found > supported {
        return Err(OpenError::NewerSchema { found, supported });
    }
    for migration in MIGRATIONS {
        let checksum = checksum(migration.sql);
        match applied.iter().find(|(number, ..)| *number == migration.number) {
            Some((_, _, recorded)) if *recorded == checksum => {}
            Some((number, name, _)) => {
                return Err(OpenError::ChecksumMismatch { number: *number, name: name.clone() });
            }
            None => {
                transaction.batch_execute(migration.sql).await.map_err(failed)?;
                transaction
                    .execute(sql!("migrations/record"), &[&migration.number, &migration.name, &checksum])
                    .await
                    .map_err(failed)?;
            }
        }
    }
    transaction.commit().await.map_err(failed)
}

async fn applied(transaction: &Transaction<'_>) -> Result<Vec<(i64, String, String)>, tokio_postgres::Error> {
    let rows = transaction.query(sql!("migrations/applied"), &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn failed(error: tokio_postgres::Error) -> OpenError {
    OpenError::Database(describe(&error))
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
