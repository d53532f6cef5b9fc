//! `google.protobuf.Struct`, `Value` and `ListValue`: JSON as it was.

use super::map::joined;
use super::scalar::{put_double, put_string};
use super::{Printer, last_of_keys};
use crate::DEFAULT_DEPTH;
use crate::content::Content;
use crate::error::WireError;
use crate::wellknown::value_kind::{BOOL, LIST, NULL, NUMBER, STRING, STRUCT};
use crate::wire::{Fields, RawValue};

fn malformed() -> WireError {
    WireError::Malformed("google.protobuf.Value".to_owned())
}

/// What a `Value` is. Its kinds are members of a oneof.
enum ValueKind<'w> {
    Null,
    Number(f64),
    Text(&'w [u8]),
    Bool(bool),
    Struct(Content<'w>),
    List(Content<'w>),
}

impl<'w> ValueKind<'w> {
    /// The kind that comes last; pieces of a struct or of a list that come one after the other are one. Fields
    /// that are not known say nothing.
    fn read(wire: &Content<'w>) -> Result<Self, WireError> {
        let mut kind = Self::Null;
        for raw in wire.fields() {
            let raw = raw.map_err(|_| malformed())?;
            kind = match (raw.number, raw.value, kind) {
                (NULL, RawValue::Varint(_), _) => Self::Null,
                (NUMBER, RawValue::Fixed64(bits), _) => Self::Number(f64::from_bits(bits)),
                (STRING, RawValue::Bytes(bytes), _) => Self::Text(bytes),
                (BOOL, RawValue::Varint(value), _) => Self::Bool(value != 0),
                (STRUCT, RawValue::Bytes(piece), Self::Struct(before)) => Self::Struct(before.and(piece)),
                (STRUCT, RawValue::Bytes(whole), _) => Self::Struct(Content::from(whole)),
                (LIST, RawValue::Bytes(piece), Self::List(before)) => Self::List(before.and(piece)),
                (LIST, RawValue::Bytes(whole), _) => Self::List(Content::from(whole)),
                (_, _, unchanged) => unchanged,
            };
        }
        Ok(kind)
    }
}

impl Printer<'_> {
    /// The content of a `Struct`. Keys print in the order they stand; of a key that comes twice the last
    /// value counts.
    pub(crate) fn structure(
        &self,
        wire: &Content<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        check_depth(depth)?;
        let mut entries: Vec<(&str, Content<'_>)> = Vec::new();
        for raw in wire.fields() {
            let raw = raw.map_err(|_| malformed())?;
            let (1, RawValue::Bytes(entry)) = (raw.number, raw.value) else { continue };
            let (mut key, mut value) = (&[][..], None);
            for raw in Fields::of(entry) {
                let raw = raw.map_err(|_| malformed())?;
                match (raw.number, raw.value) {
                    (1, RawValue::Bytes(bytes)) => key = bytes,
                    (2, RawValue::Bytes(bytes)) => value = Some(joined(value, bytes)),
                    _ => {}
                }
            }
            let value = value.unwrap_or_else(|| Content::from(&[][..]));
            entries.push((std::str::from_utf8(key).map_err(|_| malformed())?, value));
        }
        let last = last_of_keys(entries.iter().map(|(key, _)| *key));
        out.push(b'{');
        let mut first = true;
        for (index, (key, value)) in entries.iter().enumerate() {
            if last.as_ref().is_some_and(|last| last.get(key) != Some(&index)) {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            put_string(key, out);
            out.push(b':');
            self.value(value, depth + 1, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    /// The content of a `Value`; one of no kind is null.
    pub(crate) fn value(&self, wire: &Content<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
        check_depth(depth)?;
        match ValueKind::read(wire)? {
            ValueKind::Null => out.extend_from_slice(b"null"),
            ValueKind::Number(number) => put_double(number, out),
            ValueKind::Text(bytes) => put_string(std::str::from_utf8(bytes).map_err(|_| malformed())?, out),
            ValueKind::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            ValueKind::Struct(content) => self.structure(&content, depth, out)?,
            ValueKind::List(content) => self.list_value(&content, depth, out)?,
        }
        Ok(())
    }

    /// The content of a `ListValue`.
    pub(crate) fn list_value(
        &self,
        wire: &Content<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        check_depth(depth)?;
        out.push(b'[');
        let mut first = true;
        for raw in wire.fields() {
            let raw = raw.map_err(|_| malformed())?;
            let (1, RawValue::Bytes(item)) = (raw.number, raw.value) else { continue };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            self.value(&Content::from(item), depth + 1, out)?;
        }
        out.push(b']');
        Ok(())
    }
}

fn check_depth(depth: usize) -> Result<(), WireError> {
    if depth > 2 * DEFAULT_DEPTH { Err(WireError::TooDeep(2 * DEFAULT_DEPTH)) } else { Ok(()) }
}
