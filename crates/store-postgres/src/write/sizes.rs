//! The sizes of states, and what deltas do to them.

use std::collections::HashMap;

use colloquy_sessions::state::{Scope, StateDelta, entry_bytes, fits};
use colloquy_sessions::store::{StoreError, StoreResult};

use crate::error::Attempt;
use crate::key::{self, KeyHash};
use crate::pipeline::{self, Answers, Step, Steps};
use crate::row::count;
use crate::session_keys::Owners;

/// The scopes, in the order in which they are read and written.
pub(super) const SCOPES: [Scope; 3] = [Scope::App, Scope::User, Scope::Session];

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
pub(super) struct Sizes {
    now: HashMap<Place, i64>,
    /// What has changed since the last [`Sizes::keep`], as it was before; the last change comes last.
    changed: Vec<(Place, Option<i64>)>,
}

/// The sizes of values that are being read.
pub(super) struct Asked(Vec<(Vec<Place>, pipeline::Place)>);

impl Asked {
    /// Asks for the sizes of all values that these deltas name. Their owners are locked.
    pub(super) fn add<'d>(
        steps: &mut Steps<'_>,
        deltas: impl IntoIterator<Item = (Owners, &'d StateDelta)>,
    ) -> Self {
        let mut places: [Vec<Place>; 3] = Default::default();
        for (owners, delta) in deltas {
            for (scope, places) in SCOPES.into_iter().zip(&mut places) {
                let keys = delta.of(scope).iter();
                places.extend(
                    keys.map(|(key, _)| (scope, owners.engine_key, owners.of(scope), key::hash(key))),
                );
            }
        }
        let asked = SCOPES.into_iter().zip(places).filter(|(_, places)| !places.is_empty());
        Self(asked.map(|(scope, places)| ask(steps, scope, places)).collect())
    }

    /// The sizes of those that are there.
    pub(super) fn read(&self, answers: &Answers) -> Attempt<Sizes> {
        let mut sizes = Sizes::default();
        for (places, asked) in &self.0 {
            for row in answers.of(*asked) {
                let (place, size): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
                // Places are counted from 1.
                let place = usize::try_from(place).ok().and_then(|place| places.get(place.checked_sub(1)?));
                sizes.now.extend(place.map(|place| (*place, i64::from(size))));
            }
        }
        Ok(sizes)
    }
}

fn ask(steps: &mut Steps<'_>, scope: Scope, mut places: Vec<Place>) -> (Vec<Place>, pipeline::Place) {
    places.sort_unstable_by_key(|(_, engine, owner, hash)| (*engine, *owner, *hash));
    places.dedup();
    let engines: Vec<i64> = places.iter().map(|(_, engine, ..)| *engine).collect();
    let owners: Vec<i64> = places.iter().map(|(_, _, owner, _)| *owner).collect();
    let hashes: Vec<Vec<u8>> = places.iter().map(|(.., hash)| hash.to_vec()).collect();
    let step = match scope {
        Scope::App => Step::new(sql!("state/app_sizes")).with(engines),
        Scope::User => Step::new(sql!("state/user_sizes")).with(engines).with(owners),
        Scope::Session => Step::new(sql!("state/session_sizes")).with(engines).with(owners),
    };
    let asked = steps.add(step.with(hashes));
    (places, asked)
}

impl Sizes {
    /// Takes note of a value that is there.
    pub(super) fn know(&mut self, owners: Owners, scope: Scope, key: &str, bytes: usize) {
        self.now.insert((scope, owners.engine_key, owners.of(scope), key::hash(key)), count(bytes));
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
                let growth = match self.now.get(&place) {
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
        for (place, new) in changed {
            let old = self.now.insert(place, new);
            self.changed.push((place, old));
        }
        Ok(after)
    }

    /// Makes final what was taken in.
    pub(super) fn keep(&mut self) {
        self.changed.clear();
    }

    /// Undoes what was taken in since it was last made final.
    pub(super) fn undo(&mut self) {
        while let Some((place, old)) = self.changed.pop() {
            match old {
                Some(old) => self.now.insert(place, old),
                None => self.now.remove(&place),
            };
        }
    }
}
