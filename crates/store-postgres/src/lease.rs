//! The lease of upkeep: a row that says which node does it. It spares the others the work and keeps nobody from it:
//! two that both hold it, because one of them stood still, take different rows (`FOR UPDATE SKIP LOCKED`).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::database::{Command, Database, execute, first};
use crate::error::Attempt;
use crate::key;
use crate::transaction::Transaction;

const UPKEEP: &str = "upkeep";

/// A node's side of the lease.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Drawn anew by each start: a node that comes back is another one.
    holder: i64,
    length: Duration,
    /// Since when it is held, at least; by this machine's steady clock, from before the database was asked.
    taken: Mutex<Option<Instant>>,
}

impl Lease {
    pub(crate) fn new(length: Duration) -> Attempt<Self> {
        Ok(Self { holder: key::draw()?, length, taken: Mutex::default() })
    }

    /// Takes the lease where it is free, or this node's, or at its end; whether this node has it. The database is asked
    /// only when a third of the time has gone.
    pub(crate) async fn take(&self, database: &Database) -> Attempt<bool> {
        let asked = Instant::now();
        if self.taken().is_some_and(|taken| asked.duration_since(taken) < self.length / 3) {
            return Ok(true);
        }
        let millis = f64::from(u32::try_from(self.length.as_millis()).unwrap_or(u32::MAX));
        let is_held = database.write(&Take { holder: self.holder, millis }).await?;
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = is_held.then_some(asked);
        Ok(is_held)
    }

    /// Leaves it to others at once, if it is this node's.
    pub(crate) async fn release(&self, database: &Database) -> Attempt<()> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        if taken.is_some() {
            database.write(&Release { holder: self.holder }).await?;
        }
        Ok(())
    }

    fn taken(&self) -> Option<Instant> {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Take {
    holder: i64,
    millis: f64,
}

impl Command for Take {
    type Output = bool;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<bool> {
        let row = first(transaction, sql!("leases/take"), &[&UPKEEP, &self.holder, &self.millis]).await?;
        Ok(row.is_some())
    }
}

struct Release {
    holder: i64,
}

impl Command for Release {
    type Output = ();

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<()> {
        execute(transaction, sql!("leases/release"), &[&UPKEEP, &self.holder]).await.map(drop)
    }
}
