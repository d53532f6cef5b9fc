//! Migrations: numbered, embedded, forward only, recorded with their checksums.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::database::{Command, Database, execute, query};
use crate::error::{Attempt, OpenError};
use crate::transaction::Transaction;

/// One step of the schema.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
    /// The oldest schema version whose nodes may work on the schema that this step leaves: its own number where it
    /// takes or changes what they use. It is recorded with the step, for nodes that do not know the step.
    pub(crate) oldest_node: i64,
}

/// All steps, by number, without gaps.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "sessions",
        sql: include_str!("../migrations/0001_sessions.sql"),
        oldest_node: 1,
    },
    // Nodes without it carry out again what they are sent again.
    Migration {
        number: 2,
        name: "requests",
        sql: include_str!("../migrations/0002_requests.sql"),
        oldest_node: 1,
    },
    // Nodes without it do upkeep beside its holder.
    Migration {
        number: 3,
        name: "leases",
        sql: include_str!("../migrations/0003_leases.sql"),
        oldest_node: 1,
    },
    // Nodes without it believe their clocks.
    Migration {
        number: 4,
        name: "horizon",
        sql: include_str!("../migrations/0004_horizon.sql"),
        oldest_node: 1,
    },
];

/// What nodes lock so that one migrates at a time: "colloquy" in ASCII.
const LOCK: i64 = 0x636f_6c6c_6f71_7579;

/// The last version that a server knows.
pub(crate) fn supported(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.number)
}

/// Brings the schema to the last version that this server knows, all or nothing. A schema of a newer server stays as
/// it is, if nodes of this version may work on it.
pub(crate) async fn migrate(database: &Database) -> Result<(), OpenError> {
    migrate_to(database, MIGRATIONS).await
}

/// The same for a server that knows these steps.
pub(crate) async fn migrate_to(database: &Database, migrations: &[Migration]) -> Result<(), OpenError> {
    database.write(&Migrate { migrations }).await.map_err(OpenError::from)?
}

/// See [`migrate`].
struct Migrate<'a> {
    migrations: &'a [Migration],
}

/// A migration that was applied.
struct Applied {
    number: i64,
    name: String,
    checksum: String,
    oldest_node: i64,
}

impl Command for Migrate<'_> {
    /// What refuses the schema has changed nothing of it.
    type Output = Result<(), OpenError>;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Self::Output> {
        query(transaction, sql!("migrations/lock"), &[&LOCK]).await?;
        transaction.run(sql!("migrations/table")).await?;
        let applied = applied(transaction).await?;
        if let Err(refused) = check(&applied, self.migrations) {
            return Ok(Err(refused));
        }
        for migration in self.migrations.iter().filter(|migration| find(&applied, migration.number).is_none())
        {
            transaction.run(migration.sql).await?;
            let Migration { number, name, sql, oldest_node } = migration;
            execute(transaction, sql!("migrations/record"), &[number, name, &checksum(sql), oldest_node])
                .await?;
        }
        Ok(Ok(()))
    }
}

async fn applied(transaction: &Transaction<'_>) -> Attempt<Vec<Applied>> {
    let rows = query(transaction, sql!("migrations/applied"), &[]).await?;
    let applied = rows.iter().map(|row| {
        let (number, oldest_node) = (row.try_get(0)?, row.try_get::<_, Option<i64>>(3)?);
        Ok(Applied {
            number,
            name: row.try_get(1)?,
            checksum: row.try_get(2)?,
            // Whoever did not say it did not mean that others go on.
            oldest_node: oldest_node.unwrap_or(number),
        })
    });
    applied.collect()
}

/// Whether nodes of this version may work on the schema.
fn check(applied: &[Applied], migrations: &[Migration]) -> Result<(), OpenError> {
    let supported = supported(migrations);
    for Applied { number, oldest_node, .. } in applied.iter().filter(|step| step.number > supported) {
        if *oldest_node > supported {
            return Err(OpenError::NewerSchema { found: *number, supported });
        }
    }
    let changed = migrations.iter().find_map(|migration| {
        find(applied, migration.number).filter(|step| step.checksum != checksum(migration.sql))
    });
    match changed {
        Some(Applied { number, name, .. }) => {
            Err(OpenError::ChecksumMismatch { number: *number, name: name.clone() })
        }
        None => Ok(()),
    }
}

fn find(applied: &[Applied], number: i64) -> Option<&Applied> {
    applied.iter().find(|step| step.number == number)
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
