//! States: the keys of a session, its user and its app.

use std::collections::HashMap;

use colloquy_sessions::state::{State, Value};
use rusqlite::Connection;

use crate::row;

type Keys = Vec<(String, Value)>;

/// Reads merged states; what sessions share is read once.
#[derive(Default)]
pub(crate) struct States {
    apps: HashMap<i64, Keys>,
    users: HashMap<i64, Keys>,
}

impl States {
    /// The merged state of a session.
    pub(crate) fn merged(
        &mut self,
        connection: &Connection,
        engine_key: i64,
        user_key: i64,
        session_key: i64,
    ) -> rusqlite::Result<State> {
        let app = shared(&mut self.apps, connection, sql!("state/app_read"), engine_key)?;
        let user = shared(&mut self.users, connection, sql!("state/user_read"), user_key)?;
        let session = keys(connection, sql!("state/session_read"), session_key)?;
        Ok(State::merged(app, user, session))
    }
}

fn shared(
    known: &mut HashMap<i64, Keys>,
    connection: &Connection,
    sql: &str,
    owner: i64,
) -> rusqlite::Result<Keys> {
    if let Some(keys) = known.get(&owner) {
        return Ok(keys.clone());
    }
    let keys = keys(connection, sql, owner)?;
    known.insert(owner, keys.clone());
    Ok(keys)
}

fn keys(connection: &Connection, sql: &str, owner: i64) -> rusqlite::Result<Keys> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([owner], |row| Ok((row.get(0)?, row::bytes(row, 1)?)))?;
    rows.collect()
}
