//! Messages: objects whose members are fields, and the well-known types that look different.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Context;
use super::path::{Path, excerpt};
use super::scalar::{MapKey, ScalarSeed, describe, read_map_key};
use super::structure::{StructSeed, ValueSeed};
use crate::schema::{Field, Kind, Message, MessageId, NULL_VALUE, WellKnown};
use crate::wire::{put_bytes, put_nested};
use crate::{parse, wellknown};

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
        if wellknown::in_range(self.of.well_known, written) {
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

/// Reads the value of a field; says whether it was set (null does not set it).
struct FieldSeed<'c> {
    context: &'c Context<'c>,
    field: &'c Field,
    path: &'c Path<'c>,
    owner: &'c Path<'c>,
    depth: usize,
    out: &'c mut Vec<u8>,
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
    fn reword(&self, context: &parse::Context<'_>, before: usize) {
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

/// Reads a list or a map.
struct RepeatedVisitor<'c> {
    context: &'c Context<'c>,
    field: &'c Field,
    path: &'c Path<'c>,
    owner: &'c Path<'c>,
    depth: usize,
    out: &'c mut Vec<u8>,
}

impl RepeatedVisitor<'_> {
    fn refuse<E: Error>(self, value: impl fmt::Display) -> Result<(), E> {
        let path = self.path.text();
        let ty = describe(self.context.schema, self.field.kind);
        self.context.note_or_stop(path.clone(), format!("Invalid value at '{path}' ({ty}), {value}"))
    }
}

impl<'de> Visitor<'de> for RepeatedVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
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

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.refuse(format_args!("\"{}\"", excerpt(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { context, field, path, depth, out, .. } = self;
        if context.schema.map_entry(field.kind).is_some() {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            let description = format!(
                "Invalid JSON payload received. Unknown name \"{}\"{}: Proto field is a map, cannot start list.",
                field.json_name,
                self.owner.at()
            );
            return context.note_or_stop(self.owner.text(), description);
        }
        let depth = context.deeper(depth, path)?;
        if field.packed {
            let mut packed = Vec::new();
            read_items(context, field, path, depth, &mut packed, &mut items)?;
            if !packed.is_empty() {
                put_bytes(out, field.number, &packed);
            }
            return Ok(());
        }
        read_items(context, field, path, depth, out, &mut items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { context, field, path, depth, out, .. } = self;
        let Some((key_field, value_field)) = context.schema.map_entry(field.kind) else {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            let path = path.text();
            let ty = describe(context.schema, field.kind);
            return context
                .note_or_stop(path.clone(), format!("Invalid value at '{path}' ({ty}), an object"));
        };
        let depth = context.deeper(depth, path)?;
        let mut seen = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            let path = path.key(&key);
            let Some(MapKey(encoded)) = read_map_key(key_field, &key) else {
                members.next_value::<IgnoredAny>()?;
                let ty = describe(context.schema, key_field.kind);
                let text = path.text();
                let description = format!("Invalid value at '{text}' ({ty}), \"{}\"", excerpt(&key));
                context.note_or_stop(text, description)?;
                continue;
            };
            if !seen.insert(encoded.clone()) {
                let description = format!(
                    "Invalid JSON payload received. The key \"{}\" is given more than once{}.",
                    excerpt(&key),
                    path.at()
                );
                return Err(context.stop(path.text(), description));
            }
            put_nested(out, field.number, |out| {
                out.extend_from_slice(&encoded);
                members.next_value_seed(ItemSeed {
                    context,
                    field: value_field,
                    path: &path,
                    depth,
                    out,
                    in_list: false,
                })
            })?;
        }
        Ok(())
    }
}

fn read_items<'de, A: SeqAccess<'de>>(
    context: &Context<'_>,
    field: &Field,
    path: &Path<'_>,
    depth: usize,
    out: &mut Vec<u8>,
    items: &mut A,
) -> Result<(), A::Error> {
    let mut index = 0;
    loop {
        let path = path.index(index);
        let seed = ItemSeed { context, field, path: &path, depth, out: &mut *out, in_list: true };
        if items.next_element_seed(seed)?.is_none() {
            return Ok(());
        }
        index += 1;
    }
}

/// Reads an item of a list, or the value of a map's entry. Null is neither.
struct ItemSeed<'c> {
    context: &'c Context<'c>,
    field: &'c Field,
    path: &'c Path<'c>,
    depth: usize,
    out: &'c mut Vec<u8>,
    in_list: bool,
}

impl<'de> DeserializeSeed<'de> for ItemSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { context, field, path, depth, out, in_list } = self;
        match field.kind {
            Kind::Message(message) => put_nested(out, field.number, |out| {
                MessageSeed { context, message, path, depth, out }.deserialize(deserializer)
            }),
            // A packed item has no tag; every item counts, also zero.
            _ if in_list && field.packed => {
                ScalarSeed { context, field, path, out, always: true }.deserialize_packed(deserializer)
            }
            _ => ScalarSeed { context, field, path, out, always: true }.deserialize(deserializer),
        }
    }
}

/// Reads `{"@type": ..., members}`; the type comes first, or anywhere.
fn read_any<'de, A: MapAccess<'de>>(
    context: &Context<'_>,
    path: &Path<'_>,
    depth: usize,
    mut members: A,
    out: &mut Vec<u8>,
) -> Result<(), A::Error> {
    let mut rest = serde_json::Map::new();
    let mut type_url = None;
    while let Some((key, value)) = members.next_entry::<String, serde_json::Value>()? {
        match (key.as_str(), value) {
            ("@type", serde_json::Value::String(url)) => type_url = Some(url),
            (_, value) => drop(rest.insert(key, value)),
        }
    }
    let Some(type_url) = type_url else {
        if rest.is_empty() {
            return Ok(());
        }
        let description = format!(
            "Invalid value at '{}' (type.googleapis.com/google.protobuf.Any), Missing @type",
            path.text()
        );
        return context.note_or_stop(path.text(), description);
    };
    let name = type_url.rsplit('/').next().unwrap_or_default();
    let Some(message) = context.schema.message(name) else {
        let description = format!(
            "Invalid value at '{}' (type.googleapis.com/google.protobuf.Any), Unknown type \"{}\"",
            path.text(),
            excerpt(&type_url)
        );
        return context.note_or_stop(path.text(), description);
    };
    let value = match context.schema.get(message).well_known {
        Some(well_known) if well_known != WellKnown::Empty => rest.remove("value").unwrap_or_default(),
        _ => serde_json::Value::Object(rest),
    };
    let mut inner = Vec::new();
    let seed = MessageSeed { context, message, path, depth, out: &mut inner };
    seed.deserialize(value).map_err(|error| A::Error::custom(error.to_string()))?;
    put_bytes(out, 1, type_url.as_bytes());
    if !inner.is_empty() {
        put_bytes(out, 2, &inner);
    }
    Ok(())
}
