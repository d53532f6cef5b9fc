//! Wire bytes to canonical proto3 JSON, without structs in between.

mod scalar;
mod structure;

use std::borrow::Cow;

use crate::DEFAULT_DEPTH;
use crate::error::WireError;
use crate::schema::{Field, Kind, Message, MessageId, Schema, WellKnown};
use crate::wellknown::{print_duration, print_mask_path, print_timestamp, read_parts};
use crate::wire::{Fields, RawField, RawValue};
use scalar::{put_key, put_packed, put_scalar, put_string};

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
    Printer { schema, options }.message(message, wire, 0, out)
}

pub(crate) struct Printer<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) options: PrintOptions,
}

/// The fields of one message as they stand, grouped by field.
struct Found<'w> {
    /// By the index of the field's declaration, then by place.
    values: Vec<(usize, RawField<'w>)>,
}

impl<'w> Found<'w> {
    fn read(message: &Message, wire: &'w [u8]) -> Result<Self, WireError> {
        let malformed = || WireError::Malformed(message.full_name.clone());
        let mut values = Vec::with_capacity(message.fields.len().min(16));
        let mut sorted = true;
        for raw in Fields::of(wire) {
            let raw = raw.map_err(|_| malformed())?;
            let Some(index) = message.index_by_number(raw.number) else { continue };
            sorted = sorted && values.last().is_none_or(|(last, _)| *last <= index);
            values.push((index, raw));
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
        wire: &[u8],
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
                for raw in Fields::of(wire) {
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
        wire: &[u8],
        depth: usize,
        out: &mut Vec<u8>,
        mut first: bool,
    ) -> Result<(), WireError> {
        let found = Found::read(message, wire)?;
        // Of a oneof the member that stands last counts; another one before it was overwritten.
        let last_of_oneof = last_of_oneofs(message, wire);
        for group in found.groups() {
            let Some((index, last)) = group.last() else { continue };
            let Some(field) = message.fields.get(*index) else { continue };
            if field.oneof.is_some_and(|oneof| {
                last_of_oneof.iter().any(|(o, number)| *o == oneof && *number != field.number)
            }) {
                continue;
            }
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
            Kind::Message(id) => self.message(id, &merged(group).ok_or_else(malformed)?, depth + 1, out),
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
                (Kind::Message(id), RawValue::Bytes(bytes)) => self.message(id, bytes, depth + 1, out)?,
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

    /// A map; of a key that comes twice the last value counts.
    fn map(
        &self,
        field: &Field,
        group: &[(usize, RawField<'_>)],
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, WireError> {
        let malformed = || WireError::Malformed(field.name.clone());
        let (key_field, value_field) = self.schema.map_entry(field.kind).ok_or_else(malformed)?;
        let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(group.len());
        for (_, raw) in group {
            let RawValue::Bytes(entry) = raw.value else { return Err(malformed()) };
            let (mut key, mut value) = (None, None);
            for raw in Fields::of(entry) {
                let raw = raw.map_err(|_| malformed())?;
                match raw.number {
                    1 => key = Some(raw),
                    2 => value = Some(raw),
                    _ => {}
                }
            }
            let mut printed_key = Vec::new();
            put_key(key_field.kind, key.map(|raw| raw.value), &mut printed_key).ok_or_else(malformed)?;
            let mut printed = Vec::new();
            match (value_field.kind, value.map(|raw| raw.value)) {
                (Kind::Message(id), Some(RawValue::Bytes(bytes))) => {
                    self.message(id, bytes, depth + 1, &mut printed)?
                }
                (Kind::Message(id), None) => self.message(id, &[], depth + 1, &mut printed)?,
                (Kind::Message(_), Some(_)) => return Err(malformed()),
                (kind, value) => {
                    let value = value.unwrap_or_else(|| scalar::default_of(kind));
                    put_scalar(self, kind, value, &mut printed).ok_or_else(malformed)?;
                }
            }
            match entries.iter_mut().find(|(key, _)| *key == printed_key) {
                Some(entry) => entry.1 = printed,
                None => entries.push((printed_key, printed)),
            }
        }
        out.push(b'{');
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            out.push(b':');
            out.extend_from_slice(value);
        }
        out.push(b'}');
        Ok(!entries.is_empty())
    }

    /// A timestamp or duration.
    fn parts(
        &self,
        message: &Message,
        wire: &[u8],
        print: fn(i64, i64) -> Option<String>,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        let malformed = || WireError::Malformed(message.full_name.clone());
        let (seconds, nanos) = read_parts(wire).ok_or_else(malformed)?;
        let text = print(seconds, nanos).ok_or_else(|| WireError::OutOfRange(message.full_name.clone()))?;
        put_string(&text, out);
        Ok(())
    }

    fn wrapper(&self, message: &Message, wire: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let malformed = || WireError::Malformed(message.full_name.clone());
        let field = message.field_by_number(1).ok_or_else(malformed)?;
        let mut value = scalar::default_of(field.kind);
        for raw in Fields::of(wire) {
            let raw = raw.map_err(|_| malformed())?;
            if raw.number == 1 {
                value = raw.value;
            }
        }
        put_scalar(self, field.kind, value, out).ok_or_else(malformed)
    }

    fn any(&self, message: &Message, wire: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
        let (mut type_url, mut value) = (&[][..], &[][..]);
        for raw in Fields::of(wire) {
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
        let inner = self.schema.get(id);
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

/// The content of a message field: pieces are joined, which merges them (protobuf encoding rules).
fn merged<'w>(group: &[(usize, RawField<'w>)]) -> Option<Cow<'w, [u8]>> {
    match group {
        [(_, RawField { value: RawValue::Bytes(bytes), .. })] => Some(Cow::Borrowed(bytes)),
        pieces => {
            let mut joined = Vec::new();
            for (_, raw) in pieces {
                let RawValue::Bytes(bytes) = raw.value else { return None };
                joined.extend_from_slice(bytes);
            }
            Some(Cow::Owned(joined))
        }
    }
}

fn is_default(value: RawValue<'_>) -> bool {
    match value {
        RawValue::Varint(value) | RawValue::Fixed64(value) => value == 0,
        RawValue::Fixed32(value) => value == 0,
        RawValue::Bytes(bytes) => bytes.is_empty(),
    }
}

/// The member of each oneof that stands last.
fn last_of_oneofs(message: &Message, wire: &[u8]) -> Vec<(usize, u32)> {
    let mut last: Vec<(usize, u32)> = Vec::new();
    if message.oneofs.is_empty() {
        return last;
    }
    for raw in Fields::of(wire).map_while(Result::ok) {
        let Some(oneof) = message.field_by_number(raw.number).and_then(|field| field.oneof) else { continue };
        match last.iter_mut().find(|(known, _)| *known == oneof) {
            Some(entry) => entry.1 = raw.number,
            None => last.push((oneof, raw.number)),
        }
    }
    last
}
