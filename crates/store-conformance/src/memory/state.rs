//! The three scopes of a session's state, and what a delta does to them.

use std::collections::BTreeMap;

use colloquy_sessions::state::{Scope, State, StateDelta, Value, entry_bytes, fits};
use colloquy_sessions::store::{StoreError, StoreResult};

use super::tables::{EngineKey, Tables};

/// Keys without their prefix, and their values.
pub(super) type Keys = BTreeMap<String, Value>;

/// What one session sees.
#[derive(Clone)]
pub(super) struct Scopes {
    app: Keys,
    user: Keys,
    own: Keys,
}

impl Scopes {
    /// The scopes after `delta`, if that is within `limit`.
    pub(super) fn changed(&self, delta: &StateDelta, limit: usize) -> StoreResult<Self> {
        let mut after = self.clone();
        after.app.extend(delta.app.iter().cloned());
        after.user.extend(delta.user.iter().cloned());
        after.own.extend(delta.session.iter().cloned());
        let bytes = after.bytes();
        if fits(self.bytes(), bytes, limit) { Ok(after) } else { Err(StoreError::StateTooLarge { bytes }) }
    }

    pub(super) fn merged(self) -> State {
        State::merged(
            self.app.into_iter().collect(),
            self.user.into_iter().collect(),
            self.own.into_iter().collect(),
        )
    }

    fn bytes(&self) -> usize {
        [(Scope::App, &self.app), (Scope::User, &self.user), (Scope::Session, &self.own)]
            .into_iter()
            .flat_map(|(scope, keys)| {
                keys.iter().map(move |(key, value)| entry_bytes(scope, key, value.len()))
            })
            .sum()
    }
}

impl Tables {
    /// What a session of `user_id` with the keys `own` sees.
    pub(super) fn scopes(&self, engine: EngineKey, user_id: &str, own: &Keys) -> Scopes {
        Scopes {
            app: self.app_states.get(&engine).cloned().unwrap_or_default(),
            user: self.user_states.get(&(engine, user_id.to_owned())).cloned().unwrap_or_default(),
            own: own.clone(),
        }
    }

    /// Keeps the shared scopes; gives back the session's own.
    pub(super) fn keep_shared(&mut self, engine: EngineKey, user_id: &str, scopes: Scopes) -> Keys {
        self.app_states.insert(engine, scopes.app);
        self.user_states.insert((engine, user_id.to_owned()), scopes.user);
        scopes.own
    }
}
