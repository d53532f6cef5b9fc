//! States: the keys of sessions, their users and their app.

use std::collections::{HashMap, HashSet};

use colloquy_sessions::state::{State, Value};

use crate::database::query;
use crate::error::Attempt;
use crate::row;
use crate::transaction::Transaction;

type Keys = Vec<(String, Value)>;

/// Reads merged states of one engine; what sessions share is read once.
pub(crate) struct States {
    engine_key: i64,
    app: Option<Keys>,
    users: HashMap<i64, Keys>,
}

impl States {
    pub(crate) fn of_engine(engine_key: i64) -> Self {
        Self { engine_key, app: None, users: HashMap::new() }
    }

    /// The merged states of sessions, each given by its user's key and its own, in the same order.
    pub(crate) async fn merged(
        &mut self,
        snapshot: &Transaction<'_>,
        sessions: &[(i64, i64)],
    ) -> Attempt<Vec<State>> {
        if self.app.is_none() {
            let rows = query(snapshot, sql!("state/app_read"), &[&self.engine_key]).await?;
            let keys = rows.iter().map(|row| Ok((row::text(row, 0)?, row::bytes(row, 1)?)));
            self.app = Some(keys.collect::<Attempt<_>>()?);
        }
        let unknown: HashSet<i64> =
            sessions.iter().map(|(user, _)| *user).filter(|user| !self.users.contains_key(user)).collect();
        if !unknown.is_empty() {
            let unknown: Vec<i64> = unknown.into_iter().collect();
            let mut found = self.read(snapshot, sql!("state/user_read"), &unknown).await?;
            for user_key in unknown {
                let keys = found.remove(&user_key).unwrap_or_default();
                self.users.insert(user_key, keys);
            }
        }
        let session_keys: Vec<i64> = sessions.iter().map(|(_, session)| *session).collect();
        let mut own = self.read(snapshot, sql!("state/session_read"), &session_keys).await?;
        let states = sessions.iter().map(|(user_key, session_key)| {
            let user = self.users.get(user_key).cloned().unwrap_or_default();
            State::merged(
                self.app.clone().unwrap_or_default(),
                user,
                own.remove(session_key).unwrap_or_default(),
            )
        });
        Ok(states.collect())
    }

    async fn read(
        &self,
        snapshot: &Transaction<'_>,
        sql: &str,
        owners: &[i64],
    ) -> Attempt<HashMap<i64, Keys>> {
        let mut found: HashMap<i64, Keys> = HashMap::new();
        for row in query(snapshot, sql, &[&self.engine_key, &owners]).await? {
            let owner = row.try_get(0)?;
            found.entry(owner).or_default().push((row::text(&row, 1)?, row::bytes(&row, 2)?));
        }
        Ok(found)
    }
}
