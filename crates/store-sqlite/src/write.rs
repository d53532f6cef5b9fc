//! Commands: each runs within the writer's transaction. One that refuses has written nothing: what
//! can be refused is checked before the first change.

use std::collections::HashMap;

use colloquy_sessions::store::StoreError;
use resource_names::EngineName;
use rusqlite::{Connection, Params};

use crate::error::Attempt;
use crate::read;

pub(crate) mod engines;
pub(crate) mod events;
mod free;
pub(crate) mod horizon;
pub(crate) mod operations;
mod requests;
pub(crate) mod sessions;
mod state;
pub(crate) mod upkeep;

/// What a command works with.
pub(crate) struct Write<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) engines: &'a mut EngineKeys,
}

/// The keys of live engines that were used lately.
#[derive(Default)]
pub(crate) struct EngineKeys(HashMap<EngineName, i64>);

/// Beyond so many the cache is emptied; to find a key again costs one lookup.
const KNOWN_ENGINES: usize = 10_000;

impl EngineKeys {
    /// Forgets all: after a rollback nobody knows which of them are still true.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn forget(&mut self, name: &EngineName) {
        self.0.remove(name);
    }
}

impl Write<'_> {
    /// The key of a live engine.
    fn find_engine(&mut self, name: &EngineName) -> rusqlite::Result<Option<i64>> {
        if let Some(key) = self.engines.0.get(name) {
            return Ok(Some(*key));
        }
        let key = read::engines::find(self.connection, name)?;
        if let Some(key) = key {
            if self.engines.0.len() >= KNOWN_ENGINES {
                self.engines.clear();
            }
            self.engines.0.insert(name.clone(), key);
        }
        Ok(key)
    }

    /// The key of a live engine, or the refusal.
    fn engine(&mut self, name: &EngineName) -> Attempt<i64> {
        Ok(self.find_engine(name)?.ok_or(StoreError::EngineNotFound)?)
    }

    /// Runs a statement; how many rows it changed.
    fn execute(&self, sql: &str, parameters: impl Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(parameters)
    }

    /// Runs an insert; the key of the new row.
    fn insert(&self, sql: &str, parameters: impl Params) -> rusqlite::Result<i64> {
        self.connection.prepare_cached(sql)?.insert(parameters)
    }
}
