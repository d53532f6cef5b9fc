//! What a delta does to the three states and their sizes.

use colloquy_sessions::state::{Scope, StateDelta, entry_bytes, fits};
use colloquy_sessions::store::StoreError;
use rusqlite::{Connection, OptionalExtension};

use super::Write;
use crate::error::Attempt;
use crate::row::count;

/// The sizes of the states that a session sees, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) app: i64,
    pub(super) user: i64,
    pub(super) session: i64,
}

impl Sizes {
    fn total(self) -> usize {
        let total = self.app.saturating_add(self.user).saturating_add(self.session);
        usize::try_from(total).unwrap_or(0)
    }
}

/// Whose states they are; what does not exist yet has no key and no state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owners {
    pub(super) engine_key: i64,
    pub(super) user_key: Option<i64>,
    pub(super) session_key: Option<i64>,
}

/// The size of an app's state.
pub(super) fn app_bytes(connection: &Connection, engine_key: i64) -> rusqlite::Result<i64> {
    connection.prepare_cached(sql!("state/app_bytes"))?.query_row([engine_key], |row| row.get(0))
}

/// The sizes after a delta, if the limit allows them.
pub(super) fn grown(
    connection: &Connection,
    owners: Owners,
    before: Sizes,
    delta: &StateDelta,
    limit: usize,
) -> Attempt<Sizes> {
    let growth = |scope, owner, sql| growth(connection, sql, owner, scope, delta);
    let app = growth(Scope::App, Some(owners.engine_key), sql!("state/app_value_bytes"))?;
    let user = growth(Scope::User, owners.user_key, sql!("state/user_value_bytes"))?;
    let session = growth(Scope::Session, owners.session_key, sql!("state/session_value_bytes"))?;
    let after = Sizes {
        app: before.app.saturating_add(app),
        user: before.user.saturating_add(user),
        session: before.session.saturating_add(session),
    };
    if fits(before.total(), after.total(), limit) {
        Ok(after)
    } else {
        Err(StoreError::StateTooLarge { bytes: after.total() }.into())
    }
}

fn growth(
    connection: &Connection,
    sql: &str,
    owner: Option<i64>,
    scope: Scope,
    delta: &StateDelta,
) -> rusqlite::Result<i64> {
    let entries = delta.of(scope);
    if entries.is_empty() {
        return Ok(0);
    }
    let mut statement = connection.prepare_cached(sql)?;
    let mut growth: i64 = 0;
    for (key, value) in entries {
        let old: Option<i64> = match owner {
            Some(owner) => statement.query_row((owner, key), |row| row.get(0)).optional()?,
            None => None,
        };
        let new = count(value.len());
        growth = growth.saturating_add(match old {
            Some(old) => new.saturating_sub(old),
            None => count(entry_bytes(scope, key, value.len())),
        });
    }
    Ok(growth)
}

/// Writes the keys of one scope.
pub(super) fn put(write: &Write<'_>, scope: Scope, owner: i64, delta: &StateDelta) -> rusqlite::Result<()> {
    let entries = delta.of(scope);
    if entries.is_empty() {
        return Ok(());
    }
    let mut statement = write.connection.prepare_cached(match scope {
        Scope::App => sql!("state/app_put"),
        Scope::User => sql!("state/user_put"),
        Scope::Session => sql!("state/session_put"),
    })?;
    for (key, value) in entries {
        statement.execute((owner, key, &**value))?;
    }
    Ok(())
}

/// Writes the keys of the shared scopes and their sizes.
pub(super) fn put_shared(
    write: &Write<'_>,
    engine_key: i64,
    user_key: i64,
    delta: &StateDelta,
    before: Sizes,
    after: Sizes,
) -> rusqlite::Result<()> {
    put(write, Scope::App, engine_key, delta)?;
    put(write, Scope::User, user_key, delta)?;
    if after.app != before.app {
        write.execute(sql!("state/set_app_bytes"), (engine_key, after.app))?;
    }
    if after.user != before.user {
        write.execute(sql!("state/set_user_bytes"), (user_key, after.user))?;
    }
    Ok(())
}
