//! JSON text to wire bytes, in one pass and without a tree in between.

mod any;
mod field;
mod message;
mod path;
mod repeated;
mod scalar;
mod structure;

use std::cell::RefCell;

use serde::de::DeserializeSeed as _;

use crate::error::{FieldViolation, JsonError};
use crate::schema::{MessageId, Schema};
pub(crate) use message::MessageSeed;
pub(crate) use path::Path;
pub(crate) use scalar::ScalarSeed;

/// How many errors of one text are collected before reading stops.
const MAX_ERRORS: usize = 20;

/// What all readers of one text share.
pub(crate) struct Context<'s> {
    pub(crate) schema: &'s Schema,
    max_depth: usize,
    problems: RefCell<Vec<FieldViolation>>,
}

/// Stops serde where we have said what is wrong already.
pub(crate) const STOP: &str = "\u{1}stop";

impl<'s> Context<'s> {
    pub(crate) fn new(schema: &'s Schema, max_depth: usize) -> Self {
        Self { schema, max_depth, problems: RefCell::default() }
    }

    /// Notes a problem; reading goes on.
    fn note(&self, field: String, description: String) {
        self.problems.borrow_mut().push(FieldViolation { field, description });
    }

    /// Notes a problem, and stops reading where there are enough.
    fn note_or_stop<E: serde::de::Error>(&self, field: String, description: String) -> Result<(), E> {
        self.note(field, description);
        if self.problems.borrow().len() >= MAX_ERRORS { Err(E::custom(STOP)) } else { Ok(()) }
    }

    /// Notes a problem after which reading cannot go on.
    fn stop<E: serde::de::Error>(&self, field: String, description: String) -> E {
        self.note(field, description);
        E::custom(STOP)
    }

    /// Goes one level deeper, or stops.
    fn deeper<E: serde::de::Error>(&self, depth: usize, path: &Path<'_>) -> Result<usize, E> {
        if depth < self.max_depth {
            return Ok(depth + 1);
        }
        let limit = self.max_depth;
        Err(self.stop(
            path.text(),
            format!("Invalid JSON payload received. The JSON nests deeper than {limit} levels."),
        ))
    }

    pub(crate) fn into_problems(self) -> Vec<FieldViolation> {
        self.problems.into_inner()
    }
}

/// Reads `json` as `message` and appends its wire bytes to `out`.
///
/// `root` is what paths in errors begin with: the request field that the text is, or nothing. Several
/// independent errors are reported together.
///
/// # Errors
/// Text that is no JSON, or JSON that does not fit; `out` then holds nothing of use.
pub fn json_to_wire(
    schema: &Schema,
    message: MessageId,
    json: &[u8],
    root: &str,
    max_depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), JsonError> {
    let context = Context::new(schema, max_depth);
    let path = Path::root(root);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // serde_json has its own bound of 128 levels; ours is lower and has a better text.
    let seed = MessageSeed { context: &context, message, path: &path, depth: 0, out };
    let result = seed.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    let problems = context.into_problems();
    match result {
        Err(error) if problems.is_empty() => Err(not_json(json, &error)),
        _ if !problems.is_empty() => Err(JsonError::of(problems)),
        _ => Ok(()),
    }
}

/// Text that is no JSON.
fn not_json(json: &[u8], error: &serde_json::Error) -> JsonError {
    let message = if json.trim_ascii().is_empty() {
        "Invalid JSON payload received. The body is empty.".to_owned()
    } else if std::str::from_utf8(json).is_err() {
        "Invalid JSON payload received. The body is not valid UTF-8.".to_owned()
    } else {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        let (line, column) = (error.line(), error.column());
        format!("Invalid JSON payload received. {what} at line {line} column {column}.")
    };
    JsonError { message, violations: Vec::new() }
}
