//! The sizes of states, and what deltas do to them.

use std::collections::HashMap;

use colloquy_sessions::state::{Scope, StateDelta, entry_bytes, fits};
use colloquy_sessions::store::{StoreError, StoreResult};

use crate::database::{Parameter, query};
use crate::error::Attempt;
use crate::key::{self, KeyHash};
use crate::row::count;
use crate::transaction::Transaction;

/// The scopes, in the order in which they are read and written.
pub(super) const SCOPES: [Scope; 3] = [Scope::App, Scope::User, Scope::Session];

/// Whose states a session sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owners {
    pub(super) engine_key: i64,
    pub(super) user_key: i64,
    pub(super) session_key: i64,
}

impl Owners {
    /// The owner within its engine.
    pub(super) fn of(self, scope: Scope) -> i64 {
        match scope {
            Scope::App => 0,
            Scope::User => self.user_key,
            Scope::Session => self.session_key,
        }
    }
}

/// The sizes of the three states that a session sees, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) app: i64,
    pub(super) user: i64,
    pub(super) session: i64,
}

impl Totals {
    fn all(self) -> usize {
        let all = self.app.saturating_add(self.user).saturating_add(self.session);
        usize::try_from(all).unwrap_or(0)
    }

    fn of_mut(&mut self, scope: Scope) -> &mut i64 {
        match scope {
            Scope::App => &mut self.app,
            Scope::User => &mut self.user,
            Scope::Session => &mut self.session,
        }
    }
}

/// A key of a state: its scope, engine, owner and hash.
type Place = (Scope, i64, i64, KeyHash);

/// The sizes of the values that deltas are about to replace.
#[derive(Debug, Default)]
pub(super) struct Sizes(HashMap<Place, i64>);

impl Sizes {
    /// Reads the sizes of all values that these deltas name. Their owners are locked.
    pub(super) async fn read<'d>(
        transaction: &Transaction<'_>,
        deltas: impl IntoIterator<Item = (Owners, &'d StateDelta)>,
    ) -> Attempt<Self> {
        let mut places: [Vec<Place>; 3] = Default::default();
        for (owners, delta) in deltas {
            for (scope, places) in SCOPES.into_iter().zip(&mut places) {
                let keys = delta.of(scope).iter();
                places.extend(
                    keys.map(|(key, _)| (scope, owners.engine_key, owners.of(scope), key::hash(key))),
                );
            }
        }
        let [apps, users, sessions] = places;
        // None waits for another.
        let (apps, users, sessions) = tokio::try_join!(
            read(transaction, Scope::App, apps),
            read(transaction, Scope::User, users),
            read(transaction, Scope::Session, sessions),
        )?;
        Ok(Self([apps, users, sessions].into_iter().flatten().collect()))
    }

    /// Takes a delta in, if the limit allows it: the totals after it.
    pub(super) fn grow(
        &mut self,
        owners: Owners,
        before: Totals,
        delta: &StateDelta,
        limit: usize,
    ) -> StoreResult<Totals> {
        let mut after = before;
        let mut changed = Vec::new();
        for scope in SCOPES {
            for (key, value) in delta.of(scope) {
                let place = (scope, owners.engine_key, owners.of(scope), key::hash(key));
                let new = count(value.len());
                let growth = match self.0.get(&place) {
                    Some(old) => new.saturating_sub(*old),
                    None => count(entry_bytes(scope, key, value.len())),
                };
                let total = after.of_mut(scope);
                *total = total.saturating_add(growth);
                changed.push((place, new));
            }
        }
        if !fits(before.all(), after.all(), limit) {
            return Err(StoreError::StateTooLarge { bytes: after.all() });
        }
        self.0.extend(changed);
        Ok(after)
    }
}

/// Reads the sizes of the values of one scope; of those that are there.
async fn read(
    transaction: &Transaction<'_>,
    scope: Scope,
    mut places: Vec<Place>,
) -> Attempt<Vec<(Place, i64)>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    places.sort_unstable_by_key(|(_, engine, owner, hash)| (*engine, *owner, *hash));
    places.dedup();
    let engines: Vec<i64> = places.iter().map(|(_, engine, ..)| *engine).collect();
    let owners: Vec<i64> = places.iter().map(|(_, _, owner, _)| *owner).collect();
    let hashes: Vec<&[u8]> = places.iter().map(|(.., hash)| hash.as_slice()).collect();
    let (sql, parameters): (_, Vec<Parameter<'_>>) = match scope {
        Scope::App => (sql!("state/app_sizes"), vec![&engines, &hashes]),
        Scope::User => (sql!("state/user_sizes"), vec![&engines, &owners, &hashes]),
        Scope::Session => (sql!("state/session_sizes"), vec![&engines, &owners, &hashes]),
    };
    let mut sizes = Vec::new();
    for row in query(transaction, sql, &parameters).await? {
        let (place, size): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
        // Places are counted from 1.
        let place = usize::try_from(place).ok().and_then(|place| places.get(place.checked_sub(1)?));
        sizes.extend(place.map(|place| (*place, i64::from(size))));
    }
    Ok(sizes)
}
