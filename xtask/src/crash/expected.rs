//! The state that sessions must have, given the events that were found.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::append::{Append, key};

/// The states shared between sessions: each writer writes one key a scope, always upwards.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Each writer's highest number found, anywhere.
    app: Vec<u64>,
    /// The same in the sessions of one user.
    users: BTreeMap<usize, Vec<u64>>,
}

impl Shared {
    /// Nothing found yet, of `writers` writers.
    pub(crate) fn new(writers: usize) -> Self {
        Self { app: vec![0; writers], users: BTreeMap::new() }
    }

    /// Takes note of an append that was found in a session of `user`.
    pub(crate) fn found(&mut self, user: usize, append: Append) {
        let user = self.users.entry(user).or_insert_with(|| vec![0; self.app.len()]);
        for scope in [&mut self.app, user] {
            if let Some(highest) = scope.get_mut(append.writer) {
                *highest = append.number.max(*highest);
            }
        }
    }

    /// The whole state of a session of `user` that holds `events`, in their order.
    pub(crate) fn state(&self, user: usize, events: &[Append]) -> Map<String, Value> {
        let mut state = Map::new();
        for append in events {
            state.extend(append.delta().into_iter().filter(|(key, _)| !key.contains(':')));
        }
        let mut share = |scope: &str, highest: &[u64]| {
            for (writer, &number) in highest.iter().enumerate().filter(|(_, number)| **number > 0) {
                state.insert(format!("{scope}:{}", key(writer)), json!(number));
            }
        };
        share("app", &self.app);
        share("user", self.users.get(&user).map_or(&[], Vec::as_slice));
        state
    }
}

/// The keys in which two states differ.
pub(crate) fn differing_keys(got: &Map<String, Value>, want: &Map<String, Value>) -> Vec<String> {
    let missing_or_other = want.iter().filter(|(key, value)| got.get(*key) != Some(*value));
    let unexpected = got.iter().filter(|(key, _)| !want.contains_key(*key));
    missing_or_other
        .chain(unexpected)
        .map(|(key, _)| format!("{key} is {}, not {}", shown(got.get(key)), shown(want.get(key))))
        .collect()
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(writer: usize, number: u64) -> Append {
        Append { writer, number }
    }

    #[test]
    fn state_is_the_fold_of_the_deltas_in_their_order() {
        let mut shared = Shared::new(3);
        let events = [append(0, 4), append(1, 9), append(0, 7)];
        for event in events {
            shared.found(5, event);
        }
        shared.found(6, append(2, 1));
        let want = json!({
            "last": "w0-7", "w0": 7, "w1": 9,
            "user:w0": 7, "user:w1": 9,
            "app:w0": 7, "app:w1": 9, "app:w2": 1,
        });
        assert_eq!(Value::Object(shared.state(5, &events)), want);
        assert_eq!(Value::Object(shared.state(7, &[])), json!({"app:w0": 7, "app:w1": 9, "app:w2": 1}));
    }

    #[test]
    fn every_differing_key_is_named() {
        let object = |value: Value| value.as_object().cloned().expect("an object");
        let got = object(json!({"same": 1, "other": 1, "extra": 1}));
        let want = object(json!({"same": 1, "other": 2, "missing": 3}));
        let found = differing_keys(&got, &want);
        assert_eq!(found, ["other is 1, not 2", "missing is absent, not 3", "extra is 1, not absent"]);
    }
}
