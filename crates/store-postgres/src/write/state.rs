//! Writing states: keys of all scopes, and the sizes that are kept beside them.

use std::collections::{BTreeMap, BTreeSet};

use colloquy_sessions::state::{Scope, StateDelta};

use super::sizes::SCOPES;
use crate::key::{self, KeyHash};
use crate::pipeline::{Step, Steps};
use crate::session_keys::Owners;

/// Users by their engine's key and their own, so sorted.
pub(super) type Users = BTreeSet<(i64, i64)>;

/// Locks the states of apps; their sizes. One that is not there belongs to an engine that is gone.
pub(super) fn lock_apps<'a>(engine_keys: &BTreeSet<i64>) -> Option<Step<'a>> {
    let keys: Vec<i64> = engine_keys.iter().copied().collect();
    (!keys.is_empty()).then(|| Step::new(sql!("state/lock_apps")).with(keys))
}

/// Locks the states of users; their sizes.
pub(super) fn lock_users<'a>(users: &Users) -> Option<Step<'a>> {
    of_users(sql!("state/lock_users"), users)
}

/// The sizes of users' states.
pub(super) fn user_bytes<'a>(users: &Users) -> Option<Step<'a>> {
    of_users(sql!("state/user_bytes"), users)
}

fn of_users<'a>(sql: &'static str, users: &Users) -> Option<Step<'a>> {
    let (engines, keys): (Vec<i64>, Vec<i64>) = users.iter().copied().unzip();
    (!keys.is_empty()).then(|| Step::new(sql).with(engines).with(keys))
}

/// Writes the keys of deltas, given in their order: of a key that comes twice the last value counts.
pub(super) fn put<'d>(steps: &mut Steps<'d>, deltas: impl IntoIterator<Item = (Owners, &'d StateDelta)>) {
    // Sorted by what the primary keys are, so that all writers go through a table in one order.
    let mut values: [Values<'d>; 3] = Default::default();
    for (owners, delta) in deltas {
        for (scope, values) in SCOPES.into_iter().zip(&mut values) {
            for (key, value) in delta.of(scope) {
                let place = (owners.engine_key, owners.of(scope), key::hash(key));
                values.insert(place, (key.as_bytes(), value));
            }
        }
    }
    for (scope, values) in SCOPES.into_iter().zip(values) {
        steps.add_if(put_values(scope, values));
    }
}

/// Keys and values of one scope by their engine, owner and hash.
type Values<'d> = BTreeMap<(i64, i64, KeyHash), (&'d [u8], &'d [u8])>;

fn put_values(scope: Scope, values: Values<'_>) -> Option<Step<'_>> {
    if values.is_empty() {
        return None;
    }
    let engines: Vec<i64> = values.keys().map(|(engine, ..)| *engine).collect();
    let owners: Vec<i64> = values.keys().map(|(_, owner, _)| *owner).collect();
    let hashes: Vec<Vec<u8>> = values.keys().map(|(.., hash)| hash.to_vec()).collect();
    let (keys, values): (Vec<&[u8]>, Vec<&[u8]>) = values.into_values().unzip();
    let step = match scope {
        Scope::App => Step::new(sql!("state/app_put")).with(engines),
        Scope::User => Step::new(sql!("state/user_put")).with(engines).with(owners),
        Scope::Session => Step::new(sql!("state/session_put")).with(engines).with(owners),
    };
    Some(step.with(hashes).with(keys).with(values))
}

/// Writes the sizes of apps' states.
pub(super) fn set_app_bytes<'a>(apps: &[(i64, i64)]) -> Option<Step<'a>> {
    let (engines, bytes): (Vec<i64>, Vec<i64>) = apps.iter().copied().unzip();
    (!engines.is_empty()).then(|| Step::new(sql!("state/set_app_bytes")).with(engines).with(bytes))
}

/// Writes the sizes of users' states, given by their engine's key and their own.
pub(super) fn set_user_bytes<'a>(users: &[(i64, i64, i64)]) -> Option<Step<'a>> {
    if users.is_empty() {
        return None;
    }
    let engines: Vec<i64> = users.iter().map(|(engine, ..)| *engine).collect();
    let keys: Vec<i64> = users.iter().map(|(_, user, _)| *user).collect();
    let bytes: Vec<i64> = users.iter().map(|(.., bytes)| *bytes).collect();
    Some(Step::new(sql!("state/set_user_bytes")).with(engines).with(keys).with(bytes))
}
