//! State: a session's own keys, and those that it shares with its user and its app.
//!
//! Contract section 4.1: `app:` keys belong to the engine, `user:` keys to the engine and user id,
//! `temp:` keys to nobody; a delta replaces whole values key by key; null is a value like any other.

use bytes::Bytes;

/// A value: the wire bytes of a `google.protobuf.Value`, opaque to the domain.
pub type Value = Bytes;

/// Who shares a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// All sessions of the engine.
    App,
    /// All sessions of the engine with the same user id.
    User,
    /// The session alone.
    Session,
}

impl Scope {
    /// What a key of this scope starts with on the wire.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::App => "app:",
            Self::User => "user:",
            Self::Session => "",
        }
    }
}

/// Kept in the event that carries it, never in a state.
const TEMP_PREFIX: &str = "temp:";

/// Splits a wire key into its scope and the key within the scope; `None` for a `temp:` key.
pub fn split_key(key: &str) -> Option<(Scope, &str)> {
    if key.starts_with(TEMP_PREFIX) {
        return None;
    }
    for scope in [Scope::App, Scope::User] {
        if let Some(rest) = key.strip_prefix(scope.prefix()) {
            return Some((scope, rest));
        }
    }
    Some((Scope::Session, key))
}

/// What one write does to the three states: for each scope its keys (without prefix) and new
/// values, sorted by key, each key once. Keys that start with `temp:` are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDelta {
    /// The keys of the app's state.
    pub app: Vec<(String, Value)>,
    /// The keys of the user's state.
    pub user: Vec<(String, Value)>,
    /// The session's own keys.
    pub session: Vec<(String, Value)>,
}

impl StateDelta {
    /// Sorts wire keys into their scopes; of a key that comes twice the last value counts.
    pub fn new<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        let mut delta = Self::default();
        for (key, value) in entries {
            let Some((scope, key)) = split_key(key.as_ref()) else { continue };
            delta.of_mut(scope).push((key.to_owned(), value));
        }
        for scope in [Scope::App, Scope::User, Scope::Session] {
            let keys = delta.of_mut(scope);
            // The sort is stable: among equal keys the last one given stays last, and is kept.
            keys.sort_by(|a, b| a.0.cmp(&b.0));
            keys.reverse();
            keys.dedup_by(|later, kept| later.0 == kept.0);
            keys.reverse();
        }
        delta
    }

    /// The keys of one scope.
    pub fn of(&self, scope: Scope) -> &[(String, Value)] {
        match scope {
            Scope::App => &self.app,
            Scope::User => &self.user,
            Scope::Session => &self.session,
        }
    }

    fn of_mut(&mut self, scope: Scope) -> &mut Vec<(String, Value)> {
        match scope {
            Scope::App => &mut self.app,
            Scope::User => &mut self.user,
            Scope::Session => &mut self.session,
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.app.is_empty() && self.user.is_empty() && self.session.is_empty()
    }

    /// The size of its keys and values, prefixes included.
    pub fn bytes(&self) -> usize {
        [Scope::App, Scope::User, Scope::Session]
            .into_iter()
            .flat_map(|scope| {
                self.of(scope).iter().map(move |(key, value)| entry_bytes(scope, key, value.len()))
            })
            .sum()
    }
}

/// How much one key counts against the limit on merged state.
pub fn entry_bytes(scope: Scope, key: &str, value_bytes: usize) -> usize {
    scope.prefix().len() + key.len() + value_bytes
}

/// A state as a reader sees it: the three scopes joined, keys prefixed, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State(Vec<(String, Value)>);

impl State {
    /// Joins the scopes; each part lists keys without prefix.
    pub fn merged(
        app: Vec<(String, Value)>,
        user: Vec<(String, Value)>,
        session: Vec<(String, Value)>,
    ) -> Self {
        let mut keys = Vec::with_capacity(app.len() + user.len() + session.len());
        for (scope, part) in [(Scope::App, app), (Scope::User, user)] {
            keys.extend(part.into_iter().map(|(key, value)| (format!("{}{key}", scope.prefix()), value)));
        }
        keys.extend(session);
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        Self(keys)
    }

    /// Keys and values, sorted by key.
    pub fn entries(&self) -> &[(String, Value)] {
        &self.0
    }
}

/// Whether a write that changes a merged state from `before` to `after` bytes is within `limit`.
/// A state that others have already grown past the limit may still shrink or keep its size.
pub fn fits(before: usize, after: usize, limit: usize) -> bool {
    after <= limit || after <= before
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Value {
        Bytes::copy_from_slice(text.as_bytes())
    }

    #[test]
    fn keys_know_their_scope() {
        assert_eq!(split_key("app:a"), Some((Scope::App, "a")));
        assert_eq!(split_key("user:a"), Some((Scope::User, "a")));
        assert_eq!(split_key("user:app:a"), Some((Scope::User, "app:a")));
        assert_eq!(split_key("a"), Some((Scope::Session, "a")));
        assert_eq!(split_key("application"), Some((Scope::Session, "application")));
        assert_eq!(split_key("app:"), Some((Scope::App, "")));
        assert_eq!(split_key(""), Some((Scope::Session, "")));
        assert_eq!(split_key("temp:a"), None);
    }

    #[test]
    fn merged_keys_carry_their_prefix_and_are_sorted() {
        let state = State::merged(
            vec![("z".into(), value("1"))],
            vec![("a".into(), value("2"))],
            vec![("b".into(), value("3"))],
        );
        let keys: Vec<_> = state.entries().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["app:z", "b", "user:a"]);
    }

    #[test]
    fn a_full_state_may_shrink() {
        assert!(fits(0, 10, 10));
        assert!(!fits(10, 11, 10));
        assert!(fits(20, 15, 10));
        assert!(fits(20, 20, 10));
    }

    proptest! {
        #[test]
        fn a_delta_is_what_a_map_would_be(
            entries in proptest::collection::vec(("(app:|user:|temp:)?[a-c]{0,2}", "[0-9]{1,3}"), 0..30)
        ) {
            let mut model = BTreeMap::new();
            for (key, text) in &entries {
                model.insert(key.clone(), value(text));
            }
            model.retain(|key, _| !key.starts_with("temp:"));
            let delta = StateDelta::new(entries.iter().map(|(key, text)| (key, value(text))));
            prop_assert_eq!(delta.bytes(), model.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>());
            let state = State::merged(delta.app, delta.user, delta.session);
            prop_assert_eq!(state.entries().to_vec(), model.into_iter().collect::<Vec<_>>());
        }
    }
}
