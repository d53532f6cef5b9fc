//! Frees the rows of deleted sessions and engines, in pieces: what one piece leaves, the next one takes up.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row};

use super::Write;
use crate::row::count;

/// A payload counts as one row more for so many bytes: to free it, every page that it takes is read.
const ROW_BYTES: i64 = 8192;

/// How many rows may still be touched.
pub(super) struct Budget {
    all: usize,
    left: usize,
}

impl Budget {
    pub(super) fn new(rows: usize) -> Self {
        Self { all: rows, left: rows }
    }

    pub(super) fn spent(&self) -> usize {
        self.all - self.left
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    fn spend(&mut self, rows: usize) {
        self.left = self.left.saturating_sub(rows);
    }
}

/// The keys of a session to be freed.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionKeys {
    session_key: i64,
    user_key: i64,
    engine_key: i64,
}

/// Frees a session, whether marked or not; false if the budget ended before.
pub(super) fn session(write: &Write<'_>, keys: SessionKeys, budget: &mut Budget) -> rusqlite::Result<bool> {
    let SessionKeys { session_key, user_key, engine_key } = keys;
    payloads(write, sql!("upkeep/events_to_free"), sql!("upkeep/free_event"), session_key, budget)?;
    payloads(
        write,
        sql!("upkeep/session_state_to_free"),
        sql!("upkeep/free_session_value"),
        session_key,
        budget,
    )?;
    piece(write, sql!("upkeep/free_operations_of_session"), session_key, budget)?;
    requests(write, engine_key, session_key, budget)?;
    if budget.is_spent() {
        return Ok(false);
    }
    write.execute(sql!("sessions/delete_clock"), [session_key])?;
    write.execute(sql!("upkeep/free_session"), [session_key])?;
    write.execute(sql!("upkeep/free_idle_user"), [user_key])?;
    budget.spend(1);
    Ok(true)
}

/// Frees a deleted engine with all that it holds; false if the budget ended before.
pub(super) fn engine(write: &Write<'_>, engine_key: i64, budget: &mut Budget) -> rusqlite::Result<bool> {
    for next in [sql!("upkeep/next_deleted_session_of_engine"), sql!("upkeep/next_session_of_engine")] {
        while let Some(keys) = first(write, next, [engine_key], session_keys)? {
            if !session(write, keys, budget)? {
                return Ok(false);
            }
        }
    }
    while let Some(user_key) = first(write, sql!("upkeep/next_user_of_engine"), [engine_key], key)? {
        payloads(write, sql!("upkeep/user_state_to_free"), sql!("upkeep/free_user_value"), user_key, budget)?;
        if budget.is_spent() {
            return Ok(false);
        }
        write.execute(sql!("upkeep/free_user"), [user_key])?;
        budget.spend(1);
    }
    payloads(write, sql!("upkeep/app_state_to_free"), sql!("upkeep/free_app_value"), engine_key, budget)?;
    piece(write, sql!("upkeep/free_operations_of_engine"), engine_key, budget)?;
    requests(write, engine_key, 0, budget)?;
    if budget.is_spent() {
        return Ok(false);
    }
    write.execute(sql!("upkeep/free_app"), [engine_key])?;
    write.execute(sql!("upkeep/free_engine"), [engine_key])?;
    budget.spend(1);
    Ok(true)
}

/// Runs a delete that takes an owner and a limit.
fn piece(write: &Write<'_>, sql: &str, owner: i64, budget: &mut Budget) -> rusqlite::Result<()> {
    if !budget.is_spent() {
        budget.spend(write.execute(sql, (owner, count(budget.left)))?);
    }
    Ok(())
}

/// Forgets the requests of a session, or of an engine, whose session key is 0.
fn requests(
    write: &Write<'_>,
    engine_key: i64,
    session_key: i64,
    budget: &mut Budget,
) -> rusqlite::Result<()> {
    if !budget.is_spent() {
        let parameters = (engine_key, session_key, count(budget.left));
        budget.spend(write.execute(sql!("upkeep/free_requests"), parameters)?);
    }
    Ok(())
}

/// Deletes what an owner has of a kind that may be large, one by one: `find` gives keys and sizes.
fn payloads(
    write: &Write<'_>,
    find: &str,
    delete: &str,
    owner: i64,
    budget: &mut Budget,
) -> rusqlite::Result<()> {
    if budget.is_spent() {
        return Ok(());
    }
    let found: Vec<(Value, i64)> = {
        let mut statement = write.connection.prepare_cached(find)?;
        let rows = statement.query_map((owner, count(budget.left)), |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for (key, bytes) in found {
        if budget.is_spent() {
            break;
        }
        write.execute(delete, (owner, key))?;
        budget.spend(1 + usize::try_from(bytes / ROW_BYTES).unwrap_or(0));
    }
    Ok(())
}

/// The first row of a query.
pub(super) fn first<T>(
    write: &Write<'_>,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    write.connection.prepare_cached(sql)?.query_row(parameters, read).optional()
}

fn key(row: &Row<'_>) -> rusqlite::Result<i64> {
    row.get(0)
}

/// Session, user, engine.
pub(super) fn session_keys(row: &Row<'_>) -> rusqlite::Result<SessionKeys> {
    Ok(SessionKeys { session_key: row.get(0)?, user_key: row.get(1)?, engine_key: row.get(2)? })
}

/// Two keys.
pub(super) fn pair(row: &Row<'_>) -> rusqlite::Result<(i64, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}
