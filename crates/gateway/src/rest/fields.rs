//! Partial answers: the `fields` system parameter (`sessions(name,userId),nextPageToken`, `a/b`, `*`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use colloquy_sessions::Error;
use serde_json::Value;

/// How deep selections may nest: deeper than any answer.
const MAX_DEPTH: usize = 32;

/// More names than any answer has members.
const MAX_NAMES: usize = 1000;

/// A parsed selection: each selected name with what is selected beneath it (nothing: all). What is selected in
/// several places is selected together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Selection {
    named: HashMap<String, Selection>,
    /// `*`: what is selected beneath every name.
    every: Option<Box<Selection>>,
}

impl Selection {
    /// Reads the text of a `fields` parameter.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut reader = Reader { rest: text, left: MAX_NAMES };
        let selection = reader.list(0)?;
        if reader.rest.is_empty() && !selection.is_all() { Ok(selection) } else { Err(reader.fail()) }
    }

    fn is_all(&self) -> bool {
        self.named.is_empty() && self.every.is_none()
    }

    fn add(&mut self, name: &str, beneath: Self) {
        if name == "*" {
            match &mut self.every {
                Some(every) => every.join(beneath),
                None => self.every = Some(Box::new(beneath)),
            }
            return;
        }
        // Masks may be written in snake case; answers are in camel case, but for the keys of maps.
        let camel = camel_case(name);
        if camel != name {
            self.add_named(camel, beneath.clone());
        }
        self.add_named(name.to_owned(), beneath);
    }

    fn add_named(&mut self, name: String, beneath: Self) {
        match self.named.entry(name) {
            Entry::Occupied(known) => known.into_mut().join(beneath),
            Entry::Vacant(new) => drop(new.insert(beneath)),
        }
    }

    /// Selects what either selects.
    fn join(&mut self, other: Self) {
        if self.is_all() || other.is_all() {
            *self = Self::default();
            return;
        }
        for (name, beneath) in other.named {
            self.add_named(name, beneath);
        }
        if let Some(every) = other.every {
            self.add("*", *every);
        }
    }

    /// Keeps what is selected.
    pub(crate) fn apply(&self, value: Value) -> Value {
        apply_any(&[self], value)
    }

    /// What is selected beneath a name: by it, and by `*`.
    fn beneath(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.named.get(name).into_iter().chain(self.every.as_deref())
    }
}

/// Keeps what any of some selections, which stand at one place, selects.
fn apply_any(selections: &[&Selection], value: Value) -> Value {
    if selections.iter().any(|selection| selection.is_all()) {
        return value;
    }
    match value {
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| apply_any(selections, item)).collect())
        }
        Value::Object(members) => {
            let select = |(name, value): (String, Value)| {
                let beneath: Vec<_> =
                    selections.iter().flat_map(|selection| selection.beneath(&name)).collect();
                (!beneath.is_empty()).then(|| (name, apply_any(&beneath, value)))
            };
            Value::Object(members.into_iter().filter_map(select).collect())
        }
        scalar => scalar,
    }
}

fn camel_case(name: &str) -> String {
    let mut upper_next = false;
    let camel = name.chars().filter_map(|c| {
        if c == '_' {
            upper_next = true;
            return None;
        }
        Some(if std::mem::take(&mut upper_next) { c.to_ascii_uppercase() } else { c })
    });
    camel.collect()
}

struct Reader<'t> {
    rest: &'t str,
    /// How many names may still come.
    left: usize,
}

impl Reader<'_> {
    fn list(&mut self, depth: usize) -> Result<Selection, Error> {
        let mut selection = Selection::default();
        loop {
            let (name, beneath) = self.item(depth)?;
            selection.add(&name, beneath);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => return Ok(selection),
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<(String, Selection), Error> {
        self.left = self.left.checked_sub(1).ok_or_else(|| self.fail())?;
        if depth >= MAX_DEPTH {
            return Err(self.fail());
        }
        let end = self.rest.find(['/', '(', ')', ',']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let name = name.trim();
        if name.is_empty() {
            return Err(self.fail());
        }
        let name = name.to_owned();
        self.rest = rest;
        let beneath = if let Some(rest) = self.rest.strip_prefix('/') {
            self.rest = rest;
            let (name, beneath) = self.item(depth + 1)?;
            let mut selection = Selection::default();
            selection.add(&name, beneath);
            selection
        } else if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let list = self.list(depth + 1)?;
            self.rest = self.rest.strip_prefix(')').ok_or_else(|| self.fail())?;
            list
        } else {
            Selection::default()
        };
        Ok((name, beneath))
    }

    fn fail(&self) -> Error {
        let description = format!(
            "Invalid field selection; write at most {MAX_NAMES} names as a,b/c,d(e,f) or *, nested at most {MAX_DEPTH} deep."
        );
        Error::field("fields", description)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn select(fields: &str) -> Value {
        let answer = json!({
            "sessions": [{"name": "a", "userId": "u", "sessionState": {"k": 1, "l": 2}}],
            "nextPageToken": "t"
        });
        Selection::parse(fields).unwrap().apply(answer)
    }

    #[test]
    fn selections_pick() {
        assert_eq!(select("nextPageToken"), json!({"nextPageToken": "t"}));
        assert_eq!(select("sessions/name"), json!({"sessions": [{"name": "a"}]}));
        assert_eq!(select("sessions(name,user_id)"), json!({"sessions": [{"name": "a", "userId": "u"}]}));
        assert_eq!(select("sessions/sessionState/l"), json!({"sessions": [{"sessionState": {"l": 2}}]}));
        assert_eq!(
            select("*/name,next_page_token"),
            json!({"sessions": [{"name": "a"}], "nextPageToken": "t"})
        );
        assert_eq!(select("none"), json!({}));
    }

    #[test]
    fn what_is_selected_in_several_places_is_selected_together() {
        let both = json!({"sessions": [{"name": "a", "userId": "u"}]});
        for fields in [
            "sessions/name,sessions/userId",
            "sessions(name),sessions(user_id)",
            "sessions(name,name),sessions/userId,sessions/name",
        ] {
            assert_eq!(select(fields), both, "{fields}");
        }
        let whole = json!({"sessions": [{"name": "a", "userId": "u", "sessionState": {"k": 1, "l": 2}}]});
        for fields in ["sessions/name,sessions", "sessions,sessions/name", "sessions/*,sessions/name"] {
            assert_eq!(select(fields), whole, "{fields}");
        }
    }

    #[test]
    fn a_star_adds_to_what_is_named() {
        assert_eq!(
            select("sessions/name,*/userId"),
            json!({"sessions": [{"name": "a", "userId": "u"}], "nextPageToken": "t"})
        );
    }

    #[test]
    fn what_is_not_a_selection_is_refused() {
        let deep = "a/".repeat(100_000);
        let many = vec!["a"; 2_000].join(",");
        for fields in ["", "a,", "a(b", "a)", "a//b", "(a)", &deep, &many, &"(".repeat(1_000)] {
            let error = Selection::parse(fields).unwrap_err();
            assert!(error.message().contains("fields"));
        }
    }
}
