//! The keys of engines that were used lately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use resource_names::EngineName;

/// Beyond so many the cache is emptied; to find a key again costs one lookup.
const KNOWN_ENGINES: usize = 10_000;

/// Names and keys. A key belongs to one engine for ever, but its engine may be gone, here or through another node:
/// who uses a key from here asks for live engines only, and looks again where there is none.
#[derive(Debug, Default)]
pub(crate) struct EngineKeys(Mutex<HashMap<EngineName, i64>>);

impl EngineKeys {
    pub(crate) fn get(&self, name: &EngineName) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    pub(crate) fn put(&self, name: &EngineName, key: i64) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KNOWN_ENGINES {
            keys.clear();
        }
        keys.insert(name.clone(), key);
    }

    pub(crate) fn forget(&self, name: &EngineName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}
