//! Partial answers: the `fields` system parameter (`sessions(name,userId),nextPageToken`, `a/b`, `*`).

use colloquy_sessions::Error;
use serde_json::{Map, Value};

/// How deep selections may nest: deeper than any answer.
const MAX_DEPTH: usize = 32;

/// A parsed selection: each selected name with what is selected beneath it (nothing: all).
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Selection(Vec<(String, Selection)>);

impl Selection {
    /// Reads the text of a `fields` parameter.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut reader = Reader { rest: text };
        let selection = reader.list(0)?;
        if reader.rest.is_empty() && !selection.0.is_empty() { Ok(selection) } else { Err(reader.fail()) }
    }

    /// Keeps what is selected.
    pub(crate) fn apply(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value {
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.apply(item)).collect()),
            Value::Object(members) => Value::Object(self.apply_to_members(members)),
            scalar => scalar,
        }
    }

    fn apply_to_members(&self, members: Map<String, Value>) -> Map<String, Value> {
        let select = |(name, value): (String, Value)| {
            let (_, beneath) =
                self.0.iter().find(|(wanted, _)| *wanted == "*" || names_equal(wanted, &name))?;
            Some((name, beneath.apply(value)))
        };
        members.into_iter().filter_map(select).collect()
    }
}

/// Field masks may be written in snake case; answers are in camel case.
fn names_equal(wanted: &str, name: &str) -> bool {
    let mut upper_next = false;
    let camel = wanted.chars().filter_map(|c| {
        if c == '_' {
            upper_next = true;
            return None;
        }
        Some(if std::mem::take(&mut upper_next) { c.to_ascii_uppercase() } else { c })
    });
    wanted == name || camel.eq(name.chars())
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn list(&mut self, depth: usize) -> Result<Selection, Error> {
        let mut selection = Selection::default();
        loop {
            selection.0.push(self.item(depth)?);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => return Ok(selection),
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<(String, Selection), Error> {
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
            Selection(vec![self.item(depth + 1)?])
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
        Error::field("fields", "Invalid field selection; write names as a,b/c,d(e,f) or *.")
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
    fn what_is_not_a_selection_is_refused() {
        let deep = "a/".repeat(100_000);
        for fields in ["", "a,", "a(b", "a)", "a//b", "(a)", &deep, &"(".repeat(1_000)] {
            let error = Selection::parse(fields).unwrap_err();
            assert!(error.message().contains("fields"));
        }
    }
}
