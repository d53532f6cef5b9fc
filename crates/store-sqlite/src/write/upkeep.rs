//! Upkeep: expiry, purges, forgetting old operations and requests, each in bounded batches.

use colloquy_sessions::store::Progress;
use colloquy_sessions::time::Timestamp;

use super::free::{self, Budget, first, pair, session_keys};
use super::{Write, operations, sessions};
use crate::error::Attempt;
use crate::row::count;

/// See `Store::expire_sessions`.
pub(crate) fn expire_sessions(write: &Write<'_>, now: Timestamp, limit: usize) -> Attempt<Progress> {
    // One more than the limit tells whether there is more.
    let asked = count(limit.saturating_add(1));
    let mut expired: Vec<i64> = write
        .connection
        .prepare_cached(sql!("upkeep/expired_sessions"))?
        .query_map((now.0, asked), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let more = expired.len() > limit;
    expired.truncate(limit);
    for session_key in &expired {
        sessions::mark_deleted(write, *session_key)?;
    }
    Ok(Progress { rows: expired.len(), more })
}

/// See `Store::purge`.
pub(crate) fn purge(write: &Write<'_>, now: Timestamp, limit: usize) -> Attempt<Progress> {
    let mut budget = Budget::new(limit);
    let more = !purge_within(write, now, &mut budget)?;
    Ok(Progress { rows: budget.spent(), more })
}

/// Whether all is freed.
fn purge_within(write: &Write<'_>, now: Timestamp, budget: &mut Budget) -> rusqlite::Result<bool> {
    let next_session = sql!("upkeep/next_deleted_session");
    while let Some(keys) = first(write, next_session, [], session_keys)? {
        if !free::session(write, keys, budget)? {
            return Ok(false);
        }
    }
    let next_engine = sql!("upkeep/next_deleted_engine");
    while let Some((engine_key, operation_id)) = first(write, next_engine, [], pair)? {
        if !free::engine(write, engine_key, budget)? {
            return Ok(false);
        }
        operations::finish(write, operation_id, now)?;
    }
    Ok(true)
}

/// See `Store::sweep_operations`.
pub(crate) fn sweep_operations(
    write: &Write<'_>,
    ended_before: Timestamp,
    limit: usize,
) -> Attempt<Progress> {
    let rows = write.execute(sql!("upkeep/sweep_operations"), (ended_before.0, count(limit)))?;
    let more = write
        .connection
        .prepare_cached(sql!("upkeep/old_operations_remain"))?
        .query_row([ended_before.0], |row| row.get(0))?;
    Ok(Progress { rows, more })
}

/// See `Store::sweep_requests`.
pub(crate) fn sweep_requests(
    write: &Write<'_>,
    recorded_before: Timestamp,
    limit: usize,
) -> Attempt<Progress> {
    // One more than the limit tells whether there is more.
    let asked = count(limit.saturating_add(1));
    let mut old: Vec<(i64, i64, String)> = write
        .connection
        .prepare_cached(sql!("upkeep/old_requests"))?
        .query_map((recorded_before.0, asked), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let more = old.len() > limit;
    old.truncate(limit);
    for request in &old {
        write.execute(sql!("upkeep/sweep_request"), (request.0, request.1, &request.2))?;
    }
    Ok(Progress { rows: old.len(), more })
}
