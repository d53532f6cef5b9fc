//! Wire bytes to canonical proto3 JSON, without structs in between.

mod map;
mod scalar;
mod structure;

use std::collections::HashMap;
use std::hash::Hash;

use crate::DEFAULT_DEPTH;
use crate::content::{Content, Runs};
use crate::error::WireError;
use crate::schema::{Field, Kind, Message, MessageId, Schema, WellKnown};
use crate::wellknown::{print_duration, print_mask_path, print_timestamp, read_parts};
use crate::wire::{RawField, RawValue};
use scalar::{put_packed, put_scalar, put_string};

/// How JSON is printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrintOptions {
    /// Enums as numbers rather than names (`$alt=json;enum-encoding=int`).
    pub enums_as_numbers: bool,
}

/// Prints `wire` as the JSON of `message` and appends it to `out`. Fields come in the order of their declaration;
/// those without presence are left out at their default; those that are not known are left out.
///
/// # Errors
/// Bytes that are not a message of the type.
pub fn wire_to_json(
    schema: &Schema,
    message: MessageId,
    wire: &[u8],
    options: PrintOptions,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    Printer { schema, options }.message(message, &Content::from(wire), 0, out)
}

pub(crate) struct Printer<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) options: PrintOptions,
}

/// The fields of one message that count, grouped by field.
struct Found<'w> {
    /// By the index of the field's declaration, then by place.
    values: Vec<(usize, RawField<'w>)>,
}

impl<'w> Found<'w> {
    fn read(message: &Message, wire: &Content<'w>) -> Result<Self, WireError> {
        let malformed = || WireError::Malformed(message.full_name.clone());
        let mut values = Vec::with_capacity(message.fields.len().min(16));
        let mut runs = Runs::default();
        let mut sorted = true;
        for raw in wire.fields() {
            let raw = raw.map_err(|_| malformed())?;
            let Some(index) = message.index_by_number(raw.number) else { continue };
            let Some(field) = message.fields.get(index) else { continue };
            runs.note(field, values.len());
            sorted = sorted && values.last().is_none_or(|(last, _)| *last <= index);
            values.push((index, raw));
        }
        if runs.overwritten() {
            let stands =
                |index: usize, place| message.fields.get(index).is_some_and(|f| runs.stands(f, place));
            let mut places = 0..;
            values.retain(|(index, _)| places.next().is_some_and(|place| stands(*index, place)));
        }
        if !sorted {
            values.sort_by_key(|(index, _)| *index);
        }
        Ok(Self { values })
    }

    /// The fields with their values, each field once.
    fn groups(&self) -> impl Iterator<Item = &[(usize, RawField<'w>)]> {
        self.values.chunk_by(|a, b| a.0 == b.0)
    }
}

impl Printer<'_> {
    pub(crate) fn message(
        &self,
        id: MessageId,
        wire: &Content<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        // One level for the page around what was stored within the limit, one for the answer's own frame.
        if depth > DEFAULT_DEPTH + 8 {
            return Err(WireError::TooDeep(DEFAULT_DEPTH));
        }
        let message = self.schema.get(id);
        match message.well_known {
            None | Some(WellKnown::Empty) => {
                out.push(b'{');
                self.members(message, wire, depth, out, true)?;
                out.push(b'}');
                Ok(())
            }
            Some(WellKnown::Struct) => self.structure(wire, depth, out),
            Some(WellKnown::Value) => self.value(wire, depth, out),
            Some(WellKnown::ListValue) => self.list_value(wire, depth, out),
            Some(WellKnown::Any) => self.any(message, wire, depth, out),
            Some(WellKnown::Timestamp) => self.parts(message, wire, print_timestamp, out),
            Some(WellKnown::Duration) => self.parts(message, wire, print_duration, out),
            Some(WellKnown::FieldMask) => {
                let mut paths = Vec::new();
                for raw in wire.fields() {
                    let raw = raw.map_err(|_| WireError::Malformed(message.full_name.clone()))?;
                    if let (1, RawValue::Bytes(path)) = (raw.number, raw.value) {
                        paths.push(print_mask_path(&String::from_utf8_lossy(path)));
                    }
                }
                put_string(&paths.join(","), out);
                Ok(())
            }
            Some(WellKnown::Wrapper) => self.wrapper(message, wire, out),
        }
    }

    /// The members of an object, without its braces. `first` says that no member stands before them.
    fn members(
        &self,
        message: &Message,
        wire: &Content<'_>,
        depth: usize,
        out: &mut Vec<u8>,
        mut first: bool,
    ) -> Result<(), WireError> {
        let found = Found::read(message, wire)?;
        for group in found.groups() {
            let Some((index, last)) = group.last() else { continue };
            let Some(field) = message.fields.get(*index) else { continue };
            if !field.repeated && !field.has_presence && is_default(last.value) {
                continue;
            }
            let start = out.len();
            if !first {
                out.push(b',');
            }
            put_string(&field.json_name, out);
            out.push(b':');
            let malformed = || WireError::Malformed(format!("{}.{}", message.full_name, field.name));
            let printed = if self.schema.map_entry(field.kind).is_some() && field.repeated {
                self.map(field, group, depth, out)?
            } else if field.repeated {
                self.list(field, group, depth, out, &malformed)?
            } else {
                self.singular(field, group, depth, out, &malformed)?;
                true
            };
            if printed {
                first = false;
            } else {
                out.truncate(start);
            }
        }
        Ok(())
    }

    fn singular(
        &self,
        field: &Field,
        group: &[(usize, RawField<'_>)],
        depth: usize,
        out: &mut Vec<u8>,
        malformed: &dyn Fn() -> WireError,
    ) -> Result<(), WireError> {
        match field.kind {
            Kind::Message(id) => {
                let content = Content::of_field(group.iter().map(|(_, raw)| *raw)).ok_or_else(malformed)?;
                self.message(id, &content, depth + 1, out)
            }
            kind => {
                let last = group.last().ok_or_else(malformed)?;
                put_scalar(self, kind, last.1.value, out).ok_or_else(malformed)
            }
        }
    }

    /// A list; says whether there was anything in it.
    fn list(
        &self,
        field: &Field,
        group: &[(usize, RawField<'_>)],
        depth: usize,
        out: &mut Vec<u8>,
        malformed: &dyn Fn() -> WireError,
    ) -> Result<bool, WireError> {
        out.push(b'[');
        let start = out.len();
        for (_, raw) in group {
            let before = out.len();
            if before > start {
                out.push(b',');
            }
            match (field.kind, raw.value) {
                (Kind::Message(id), RawValue::Bytes(bytes)) => {
                    self.message(id, &Content::from(bytes), depth + 1, out)?;
                }
                (Kind::String | Kind::Bytes, RawValue::Bytes(_)) => {
                    put_scalar(self, field.kind, raw.value, out).ok_or_else(malformed)?;
                }
                (kind, RawValue::Bytes(bytes)) => {
                    if !put_packed(self, kind, bytes, out).ok_or_else(malformed)? {
                        out.truncate(before);
                    }
                }
                (kind, value) => put_scalar(self, kind, value, out).ok_or_else(malformed)?,
            }
        }
        let any = out.len() > start;
        out.push(b']');
        Ok(any)
    }

    /// A timestamp or duration.
    fn parts(
        &self,
        message: &Message,
        wire: &Content<'_>,
        print: fn(i64, i64) -> String,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        let malformed = || WireError::Malformed(message.full_name.clone());
        let (seconds, nanos) = read_parts(wire).ok_or_else(malformed)?;
        put_string(&print(seconds, nanos), out);
        Ok(())
    }

    fn wrapper(&self, message: &Message, wire: &Content<'_>, out: &mut Vec<u8>) -> Result<(), WireError> {
        let malformed = || WireError::Malformed(message.full_name.clone());
        let field = message.field_by_number(1).ok_or_else(malformed)?;
        let mut value = scalar::default_of(field.kind);
        for raw in wire.fields() {
            let raw = raw.map_err(|_| malformed())?;
            if raw.number == 1 {
                value = raw.value;
            }
        }
        put_scalar(self, field.kind, value, out).ok_or_else(malformed)
    }

    fn any(
        &self,
        message: &Message,
        wire: &Content<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        let (mut type_url, mut value) = (&[][..], &[][..]);
        for raw in wire.fields() {
            let raw = raw.map_err(|_| WireError::Malformed(message.full_name.clone()))?;
            match (raw.number, raw.value) {
                (1, RawValue::Bytes(bytes)) => type_url = bytes,
                (2, RawValue::Bytes(bytes)) => value = bytes,
                _ => {}
            }
        }
        if type_url.is_empty() {
            out.extend_from_slice(b"{}");
            return Ok(());
        }
        let type_url = String::from_utf8_lossy(type_url);
        let name = type_url.rsplit('/').next().unwrap_or_default();
        let id = self.schema.message(name).ok_or_else(|| WireError::UnknownType(name.to_owned()))?;
        out.extend_from_slice(b"{\"@type\":");
        put_string(&type_url, out);
        let (inner, value) = (self.schema.get(id), &Content::from(value));
        match inner.well_known {
            None | Some(WellKnown::Empty) => self.members(inner, value, depth + 1, out, false)?,
            Some(_) => {
                out.extend_from_slice(b",\"value\":");
                self.message(id, value, depth + 1, out)?;
            }
        }
        out.push(b'}');
        Ok(())
    }
}

/// Where each key comes last; `None` where none comes twice, as in what our own writer makes.
fn last_of_keys<K: Eq + Hash>(keys: impl ExactSizeIterator<Item = K>) -> Option<HashMap<K, usize>> {
    let count = keys.len();
    if count < 2 {
        return None;
    }
    let last: HashMap<_, _> = keys.enumerate().map(|(index, key)| (key, index)).collect();
    (last.len() < count).then_some(last)
}

fn is_default(value: RawValue<'_>) -> bool {
    match value {
        RawValue::Varint(value) | RawValue::Fixed64(value) => value == 0,
        RawValue::Fixed32(value) => value == 0,
        RawValue::Bytes(bytes) => bytes.is_empty(),
    }
}
