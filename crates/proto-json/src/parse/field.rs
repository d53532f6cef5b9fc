//! One field of a message: null, a value, or on to lists and maps.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use super::Context;
use super::message::MessageSeed;
use super::path::Path;
use super::repeated::RepeatedVisitor;
use super::scalar::ScalarSeed;
use crate::schema::{Field, Kind, NULL_VALUE, WellKnown};
use crate::wire::put_nested;

/// Reads the value of a field; says whether it was set (null does not set it).
pub(super) struct FieldSeed<'c> {
    pub(super) context: &'c Context<'c>,
    pub(super) field: &'c Field,
    pub(super) path: &'c Path<'c>,
    pub(super) owner: &'c Path<'c>,
    pub(super) depth: usize,
    pub(super) out: &'c mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        if !self.field.repeated && takes_null(self.context, self.field.kind) {
            return read_singular(self.context, self.field, self.path, self.depth, self.out, deserializer)
                .map(|()| true);
        }
        deserializer.deserialize_option(self)
    }
}

/// Whether null is a value of the type, rather than no value.
fn takes_null(context: &Context<'_>, kind: Kind) -> bool {
    match kind {
        Kind::Message(id) => context.schema.get(id).well_known == Some(WellKnown::Value),
        Kind::Enum(index) => context.schema.get_enum(index).full_name == NULL_VALUE,
        _ => false,
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of the field {}", self.field.json_name)
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        let Self { context, field, path, owner, depth, out } = self;
        if field.repeated {
            deserializer.deserialize_any(RepeatedVisitor { context, field, path, owner, depth, out })?;
        } else {
            let guard = ListGuard { context, field, path, owner, depth, out };
            guard.read(deserializer)?;
        }
        Ok(true)
    }
}

/// Reads a value that is neither a list nor a map.
fn read_singular<'de, D: Deserializer<'de>>(
    context: &Context<'_>,
    field: &Field,
    path: &Path<'_>,
    depth: usize,
    out: &mut Vec<u8>,
    deserializer: D,
) -> Result<(), D::Error> {
    match field.kind {
        Kind::Message(message) => put_nested(out, field.number, |out| {
            MessageSeed { context, message, path, depth, out }.deserialize(deserializer)
        }),
        _ => ScalarSeed { context, field, path, out, always: field.has_presence }.deserialize(deserializer),
    }
}

/// Reads a singular field, with the front end's own words where the text has a list.
struct ListGuard<'c> {
    context: &'c Context<'c>,
    field: &'c Field,
    path: &'c Path<'c>,
    owner: &'c Path<'c>,
    depth: usize,
    out: &'c mut Vec<u8>,
}

impl ListGuard<'_> {
    fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let listlike = matches!(self.field.kind, Kind::Message(id)
            if matches!(self.context.schema.get(id).well_known, Some(WellKnown::ListValue | WellKnown::Value)));
        if listlike {
            return read_singular(self.context, self.field, self.path, self.depth, self.out, deserializer);
        }
        let before = self.context.problems.borrow().len();
        let on_list = ListNote { name: &self.field.json_name, owner: self.owner, path: self.path };
        let result = read_singular(self.context, self.field, self.path, self.depth, self.out, deserializer);
        on_list.reword(self.context, before);
        result
    }
}

/// Rewords the problem "a list" as the front end does.
struct ListNote<'c> {
    name: &'c str,
    owner: &'c Path<'c>,
    path: &'c Path<'c>,
}

impl ListNote<'_> {
    fn reword(&self, context: &Context<'_>, before: usize) {
        let mut problems = context.problems.borrow_mut();
        let Some(problem) = problems.get_mut(before) else { return };
        if problem.description.ends_with(" a list") && problem.field == self.path.text() {
            problem.field = self.owner.text();
            problem.description = format!(
                "Invalid JSON payload received. Unknown name \"{}\"{}: Proto field is not repeating, cannot start list.",
                self.name,
                self.owner.at()
            );
        }
    }
}
