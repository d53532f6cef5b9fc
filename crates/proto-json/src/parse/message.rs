//! Messages: objects whose members are fields, and the well-known types that look different.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Context;
use super::any::read_any;
use super::field::FieldSeed;
use super::path::{Path, excerpt};
use super::scalar::ScalarSeed;
use super::structure::{StructSeed, ValueSeed};
use crate::content::Content;
use crate::schema::{Field, Message, MessageId, WellKnown};
use crate::wellknown;

/// Reads one message and appends its content, without tag and length.
pub(crate) struct MessageSeed<'c> {
    pub(crate) context: &'c Context<'c>,
    pub(crate) message: MessageId,
    pub(crate) path: &'c Path<'c>,
    pub(crate) depth: usize,
    pub(crate) out: &'c mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for MessageSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { context, message, path, depth, out } = self;
        let of = context.schema.get(message);
        match of.well_known {
            Some(WellKnown::Struct) => {
                return StructSeed { context, path, depth, out }.deserialize(deserializer);
            }
            Some(WellKnown::Value) => {
                return ValueSeed { context, path, depth, out }.deserialize(deserializer);
            }
            Some(WellKnown::ListValue) => {
                return ValueSeed { context, path, depth, out }.deserialize_list(deserializer);
            }
            Some(WellKnown::Wrapper) => {
                let Some(field) = of.field_by_number(1) else { return Ok(()) };
                return ScalarSeed { context, field, path, out, always: false }.deserialize(deserializer);
            }
            _ => {}
        }
        deserializer.deserialize_any(MessageVisitor { context, of, path, depth, out })
    }
}

struct MessageVisitor<'c> {
    context: &'c Context<'c>,
    of: &'c Message,
    path: &'c Path<'c>,
    depth: usize,
    out: &'c mut Vec<u8>,
}

impl MessageVisitor<'_> {
    /// A scalar where a message should be.
    fn refuse<E: Error>(self, value: impl fmt::Display) -> Result<(), E> {
        let (path, name) = (self.path.text(), &self.of.full_name);
        let description = match self.of.well_known {
            Some(WellKnown::Timestamp | WellKnown::Duration) => {
                let noun =
                    if self.of.well_known == Some(WellKnown::Timestamp) { "timestamp" } else { "duration" };
                format!(
                    "Invalid value at '{path}' (type.googleapis.com/{name}), Field '{}', Invalid data type for {noun}, value is {value}",
                    self.path.last_field()
                )
            }
            _ => format!("Invalid value{} (type.googleapis.com/{name}), {value}", self.path.at()),
        };
        self.context.note_or_stop(path, description)
    }
}

impl<'de> Visitor<'de> for MessageVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.refuse(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.refuse(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.refuse(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.refuse(value)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        // Only the whole text can be null here: null members are skipped before.
        self.refuse("null")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let problem = match self.of.well_known {
            Some(WellKnown::Timestamp) => wellknown::read_timestamp(value, self.out),
            Some(WellKnown::Duration) => wellknown::read_duration(value, self.out),
            Some(WellKnown::FieldMask) => {
                wellknown::read_field_mask(value, self.out);
                return Ok(());
            }
            _ => return self.refuse(format_args!("\"{}\"", excerpt(value))),
        };
        let Err(problem) = problem else { return Ok(()) };
        let path = self.path.text();
        let (name, last) = (&self.of.full_name, self.path.last_field());
        let description =
            format!("Invalid value at '{path}' (type.googleapis.com/{name}), Field '{last}', {problem}");
        self.context.note_or_stop(path, description)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.refuse("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        let depth = self.context.deeper(self.depth, self.path)?;
        if self.of.well_known == Some(WellKnown::Any) {
            return read_any(self.context, self.path, depth, members, self.out);
        }
        let start = self.out.len();
        Members { context: self.context, of: self.of, path: self.path, depth, out: &mut *self.out }
            .read(members)?;
        let written = self.out.get(start..).unwrap_or_default();
        if wellknown::in_range(self.of.well_known, &Content::from(written)) {
            return Ok(());
        }
        let path = self.path.text();
        let name = &self.of.full_name;
        let description =
            format!("Invalid value at '{path}' (type.googleapis.com/{name}), The value is out of range.");
        self.context.note_or_stop(path, description)
    }
}

/// Reads the members of an object as the fields of a message.
struct Members<'c> {
    context: &'c Context<'c>,
    of: &'c Message,
    path: &'c Path<'c>,
    depth: usize,
    out: &'c mut Vec<u8>,
}

impl Members<'_> {
    fn read<'de, A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = Seen::default();
        while let Some(index) = members.next_key_seed(KeySeed { of: self.of })? {
            let field = match index {
                Ok(index) => match self.of.fields.get(index) {
                    Some(field) if seen.add_field(index) => field,
                    Some(field) => return Err(self.twice(field)),
                    None => continue,
                },
                Err(unknown) => {
                    members.next_value::<IgnoredAny>()?;
                    self.unknown(&unknown)?;
                    continue;
                }
            };
            if field.oneof.is_some_and(|oneof| seen.has_oneof(oneof)) {
                members.next_value::<IgnoredAny>()?;
                self.oneof_twice(field)?;
                continue;
            }
            let path = self.path.field(&field.name);
            let seed = FieldSeed {
                context: self.context,
                field,
                path: &path,
                owner: self.path,
                depth: self.depth,
                out: &mut *self.out,
            };
            let set = members.next_value_seed(seed)?;
            if set && let Some(oneof) = field.oneof {
                seen.add_oneof(oneof);
            }
        }
        Ok(())
    }

    fn unknown<E: Error>(&self, name: &str) -> Result<(), E> {
        let name = excerpt(name);
        let description = format!(
            "Invalid JSON payload received. Unknown name \"{name}\"{}: Cannot find field.",
            self.path.at()
        );
        self.context.note_or_stop(self.path.text(), description)
    }

    fn twice<E: Error>(&self, field: &Field) -> E {
        let description = format!(
            "Invalid JSON payload received. The field \"{}\"{} is given more than once.",
            field.json_name,
            self.path.at()
        );
        self.context.stop(self.path.field(&field.name).text(), description)
    }

    fn oneof_twice<E: Error>(&self, field: &Field) -> Result<(), E> {
        let oneof = field.oneof.and_then(|index| self.of.oneofs.get(index)).map_or("", String::as_str);
        let path = self.path.text();
        let description = format!(
            "Invalid value at '{path}' (oneof), oneof field '{oneof}' is already set. Cannot set '{}'",
            field.json_name
        );
        self.context.note_or_stop(path, description)
    }
}

/// Which fields and oneofs an object has had. Messages have few: two words are enough for nearly all.
#[derive(Default)]
struct Seen {
    fields: u64,
    more_fields: Vec<usize>,
    oneofs: Vec<usize>,
}

impl Seen {
    /// Whether the field is new.
    fn add_field(&mut self, index: usize) -> bool {
        if index < 64 {
            let bit = 1u64 << index;
            let new = self.fields & bit == 0;
            self.fields |= bit;
            return new;
        }
        let new = !self.more_fields.contains(&index);
        self.more_fields.push(index);
        new
    }

    fn add_oneof(&mut self, index: usize) {
        self.oneofs.push(index);
    }

    fn has_oneof(&self, index: usize) -> bool {
        self.oneofs.contains(&index)
    }
}

/// Reads a member's name: the index of its field, or the name where there is none.
struct KeySeed<'c> {
    of: &'c Message,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Result<usize, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Result<usize, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.of.index_by_name(name).ok_or_else(|| name.to_owned()))
    }
}
