//! The keys of sessions that were used lately.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::mem;
use std::sync::{Mutex, PoisonError};

use resource_names::SessionName;

/// So many make a generation; two are kept. What is used moves on to the younger one, and what is not is forgotten
/// with the older one.
const GENERATION: usize = 50_000;

/// Whose states a session sees: the keys of its engine, its user and itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owners {
    pub(crate) engine_key: i64,
    pub(crate) user_key: i64,
    pub(crate) session_key: i64,
}

/// Keys by a hash of the session's name. A session's keys never change, but it may be gone, here or through another
/// node, and two names may have one hash: who uses keys from here asks for a live session of that id, and looks again
/// where there is none.
#[derive(Debug, Default)]
pub(crate) struct SessionKeys {
    hasher: RandomState,
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<u64, Owners>,
    old: HashMap<u64, Owners>,
}

impl SessionKeys {
    /// What stands for a name.
    pub(crate) fn hash(&self, name: &SessionName) -> u64 {
        self.hasher.hash_one(name)
    }

    pub(crate) fn get(&self, name: &SessionName) -> Option<Owners> {
        let hash = self.hash(name);
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = generations.young.get(&hash) {
            return Some(*found);
        }
        let found = generations.old.get(&hash).copied()?;
        generations.put(hash, found);
        Some(found)
    }

    pub(crate) fn put(&self, name: &SessionName, keys: Owners) {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner).put(self.hash(name), keys);
    }

    pub(crate) fn forget(&self, name: &SessionName) {
        let hash = self.hash(name);
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.remove(&hash);
        generations.old.remove(&hash);
    }
}

impl Generations {
    fn put(&mut self, hash: u64, keys: Owners) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(hash, keys);
    }
}

#[cfg(test)]
mod tests {
    use resource_names::{EngineName, LocationName};

    use super::*;

    #[test]
    fn what_is_used_is_kept() {
        let location = LocationName { project: "p".to_owned(), location: "l".to_owned() };
        let engine = EngineName { location, engine: "1".to_owned() };
        let name = |number: usize| SessionName { engine: engine.clone(), session: number.to_string() };
        let keys = |key| Owners { engine_key: 1, user_key: 2, session_key: key };
        let known = SessionKeys::default();
        for number in 0..GENERATION * 5 / 2 {
            known.put(&name(number), keys(0));
            // Asked for often enough to be in each generation.
            known.put(&name(0), known.get(&name(0)).unwrap());
        }
        assert_eq!(known.get(&name(0)), Some(keys(0)));
        assert_eq!(known.get(&name(1)), None);
        known.forget(&name(0));
        assert_eq!(known.get(&name(0)), None);
        let generations = known.generations.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
    }
}
