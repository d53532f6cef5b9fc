//! The states that sessions share, as far as their order is known: each writer writes one key a scope, upwards.
//!
//! A writer sends one append after the other, so those that were acknowledged are in that order. One that was not
//! answered may be carried out late, after others of the same writer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::crash::append::{Append, key};

/// What may be in the keys of all writers.
#[derive(Debug)]
pub(crate) struct Scopes {
    app: Vec<Known>,
    users: BTreeMap<usize, Vec<Known>>,
}

/// What is known of one writer's appends to one scope.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The last that was acknowledged; 0 where none was.
    done: u64,
    /// Those that were not answered, and are there.
    found: BTreeSet<u64>,
    /// Those that were not answered, and nobody sees.
    hidden: BTreeSet<u64>,
}

impl Known {
    /// Whether the last that was carried out may be `number`, where 0 is none.
    fn may_end_with(&self, number: u64) -> bool {
        if number == self.done {
            // What was found and sent after it came after it.
            return self.found.last().is_none_or(|found| *found < self.done);
        }
        self.found.contains(&number) || self.hidden.contains(&number)
    }
}

impl Scopes {
    /// Nothing was written, by `writers` writers.
    pub(crate) fn new(writers: usize) -> Self {
        Self { app: vec![Known::default(); writers], users: BTreeMap::new() }
    }

    /// Notes an append that was acknowledged.
    pub(crate) fn was_done(&mut self, user: usize, append: Append) {
        self.note(user, append, |known| known.done = known.done.max(append.number));
    }

    /// Notes one that was not answered, and is there.
    pub(crate) fn was_found(&mut self, user: usize, append: Append) {
        self.note(user, append, |known| known.found.extend([append.number]));
    }

    /// Notes one that was not answered, of a session that is gone.
    pub(crate) fn may_be(&mut self, user: usize, append: Append) {
        self.note(user, append, |known| known.hidden.extend([append.number]));
    }

    fn note(&mut self, user: usize, append: Append, what: impl Fn(&mut Known)) {
        let user = self.users.entry(user).or_insert_with(|| vec![Known::default(); self.app.len()]);
        for scope in [&mut self.app, user] {
            if let Some(known) = scope.get_mut(append.writer) {
                what(known);
            }
        }
    }

    /// What is wrong with the shared keys of a session of `user`.
    pub(crate) fn problems(&self, user: usize, state: &Map<String, Value>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut expected = BTreeSet::new();
        let user = self.users.get(&user).map_or(&[][..], Vec::as_slice);
        for (scope, known) in [("app", self.app.as_slice()), ("user", user)] {
            for (writer, known) in known.iter().enumerate() {
                let key = format!("{scope}:{}", key(writer));
                let number = state.get(&key).map_or(Some(0), Value::as_u64);
                if !number.is_some_and(|number| known.may_end_with(number)) {
                    problems.push(format!("{key} is {:?}, which is none of {known:?}", state.get(&key)));
                }
                expected.insert(key);
            }
        }
        let unknown = state.keys().filter(|key| !expected.contains(*key));
        problems.extend(unknown.map(|key| format!("nobody wrote {key}")));
        problems
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn append(number: u64) -> Append {
        Append { writer: 1, number }
    }

    fn problems(scopes: &Scopes, state: &Value) -> usize {
        scopes.problems(4, state.as_object().unwrap()).len()
    }

    #[test]
    fn a_key_ends_with_the_last_that_was_acknowledged_or_one_that_nobody_knows_of() {
        let mut scopes = Scopes::new(2);
        assert_eq!(problems(&scopes, &json!({})), 0);
        assert_eq!(problems(&scopes, &json!({"app:w1": 1})), 1);
        scopes.was_done(4, append(7));
        scopes.was_done(4, append(5));
        assert_eq!(problems(&scopes, &json!({"app:w1": 7, "user:w1": 7})), 0);
        assert_eq!(problems(&scopes, &json!({"app:w1": 5, "user:w1": 7})), 1);
        assert_eq!(problems(&scopes, &json!({"app:w1": 7})), 1, "a key that is lost");
        assert_eq!(problems(&scopes, &json!({"app:w1": 7, "user:w1": 7, "app:w9": 1})), 1);

        // An earlier one that came late.
        scopes.was_found(4, append(6));
        assert_eq!(problems(&scopes, &json!({"app:w1": 6, "user:w1": 7})), 0);
        // A later one that nobody can see.
        scopes.may_be(4, append(8));
        assert_eq!(problems(&scopes, &json!({"app:w1": 8, "user:w1": 8})), 0);
        // A later one that is there has overwritten what was before.
        scopes.was_found(4, append(9));
        assert_eq!(problems(&scopes, &json!({"app:w1": 9, "user:w1": 8})), 0);
        assert_eq!(problems(&scopes, &json!({"app:w1": 7, "user:w1": 7})), 2);
    }
}
