//! Writing states: keys of all scopes, and the sizes that are kept beside them.

use std::collections::{BTreeMap, HashMap};

use colloquy_sessions::state::{Scope, StateDelta};

use super::sizes::{Owners, SCOPES};
use crate::database::{Parameter, execute, first, query};
use crate::error::Attempt;
use crate::key::{self, KeyHash};
use crate::transaction::Transaction;

/// Locks the states of apps, given sorted; their sizes. One that is not there belongs to an engine that is gone.
pub(super) async fn lock_apps(
    transaction: &Transaction<'_>,
    engine_keys: &[i64],
) -> Attempt<HashMap<i64, i64>> {
    let rows = query(transaction, sql!("state/lock_apps"), &[&engine_keys]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Locks the states of users, given by their engine's key and their own, sorted; their sizes.
pub(super) async fn lock_users(
    transaction: &Transaction<'_>,
    users: &[(i64, i64)],
) -> Attempt<HashMap<(i64, i64), i64>> {
    let (engines, users): (Vec<i64>, Vec<i64>) = users.iter().copied().unzip();
    let rows = query(transaction, sql!("state/lock_users"), &[&engines, &users]).await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

/// The size of an app's state.
pub(super) async fn app_bytes(transaction: &Transaction<'_>, engine_key: i64) -> Attempt<i64> {
    let row = first(transaction, sql!("state/app_bytes"), &[&engine_key]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}

/// Writes the keys of deltas, given in their order: of a key that comes twice the last value counts.
pub(super) async fn put<'d>(
    transaction: &Transaction<'_>,
    deltas: impl IntoIterator<Item = (Owners, &'d StateDelta)>,
) -> Attempt<()> {
    // Sorted by what the primary keys are, so that all writers go through a table in one order.
    let mut values: [Values<'_>; 3] = Default::default();
    for (owners, delta) in deltas {
        for (scope, values) in SCOPES.into_iter().zip(&mut values) {
            for (key, value) in delta.of(scope) {
                let place = (owners.engine_key, owners.of(scope), key::hash(key));
                values.insert(place, (key.as_bytes(), value));
            }
        }
    }
    let [apps, users, sessions] = &values;
    // None waits for another.
    tokio::try_join!(
        put_values(transaction, Scope::App, apps),
        put_values(transaction, Scope::User, users),
        put_values(transaction, Scope::Session, sessions),
    )?;
    Ok(())
}

/// Keys and values of one scope by their engine, owner and hash.
type Values<'d> = BTreeMap<(i64, i64, KeyHash), (&'d [u8], &'d [u8])>;

async fn put_values(transaction: &Transaction<'_>, scope: Scope, values: &Values<'_>) -> Attempt<()> {
    if values.is_empty() {
        return Ok(());
    }
    let engines: Vec<i64> = values.keys().map(|(engine, ..)| *engine).collect();
    let owners: Vec<i64> = values.keys().map(|(_, owner, _)| *owner).collect();
    let hashes: Vec<&[u8]> = values.keys().map(|(.., hash)| hash.as_slice()).collect();
    let (keys, values): (Vec<&[u8]>, Vec<&[u8]>) = values.values().copied().unzip();
    let (sql, parameters): (_, Vec<Parameter<'_>>) = match scope {
        Scope::App => (sql!("state/app_put"), vec![&engines, &hashes, &keys, &values]),
        Scope::User => (sql!("state/user_put"), vec![&engines, &owners, &hashes, &keys, &values]),
        Scope::Session => (sql!("state/session_put"), vec![&engines, &owners, &hashes, &keys, &values]),
    };
    execute(transaction, sql, &parameters).await.map(drop)
}

/// Writes the sizes of apps' states.
pub(super) async fn set_app_bytes(transaction: &Transaction<'_>, apps: &[(i64, i64)]) -> Attempt<()> {
    if apps.is_empty() {
        return Ok(());
    }
    let (engines, bytes): (Vec<i64>, Vec<i64>) = apps.iter().copied().unzip();
    execute(transaction, sql!("state/set_app_bytes"), &[&engines, &bytes]).await.map(drop)
}

/// Writes the sizes of users' states, given by their engine's key and their own.
pub(super) async fn set_user_bytes(transaction: &Transaction<'_>, users: &[(i64, i64, i64)]) -> Attempt<()> {
    if users.is_empty() {
        return Ok(());
    }
    let engines: Vec<i64> = users.iter().map(|(engine, ..)| *engine).collect();
    let keys: Vec<i64> = users.iter().map(|(_, user, _)| *user).collect();
    let bytes: Vec<i64> = users.iter().map(|(.., bytes)| *bytes).collect();
    execute(transaction, sql!("state/set_user_bytes"), &[&engines, &keys, &bytes]).await.map(drop)
}
