//! `google.protobuf.Struct`, `Value` and `ListValue`: JSON as it was.

use std::collections::HashMap;

use super::Printer;
use super::scalar::{put_double, put_string};
use crate::DEFAULT_DEPTH;
use crate::error::WireError;
use crate::wellknown::value_kind::{BOOL, LIST, NUMBER, STRING, STRUCT};
use crate::wire::{Fields, RawValue};

fn malformed() -> WireError {
    WireError::Malformed("google.protobuf.Value".to_owned())
}

impl Printer<'_> {
    /// The content of a `Struct`. Keys print in the order they stand; of a key that comes twice the last
    /// value counts.
    pub(crate) fn structure(&self, wire: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
        check_depth(depth)?;
        let mut entries: Vec<(&str, &[u8])> = Vec::new();
        for raw in Fields::of(wire) {
            let raw = raw.map_err(|_| malformed())?;
            let (1, RawValue::Bytes(entry)) = (raw.number, raw.value) else { continue };
            let (mut key, mut value) = (&[][..], &[][..]);
            for raw in Fields::of(entry) {
                let raw = raw.map_err(|_| malformed())?;
                match (raw.number, raw.value) {
                    (1, RawValue::Bytes(bytes)) => key = bytes,
                    (2, RawValue::Bytes(bytes)) => value = bytes,
                    _ => {}
                }
            }
            entries.push((std::str::from_utf8(key).map_err(|_| malformed())?, value));
        }
        // Our own writer never repeats a key; a gRPC caller's may.
        let last: HashMap<&str, usize> =
            entries.iter().enumerate().map(|(index, (key, _))| (*key, index)).collect();
        let repeats = last.len() < entries.len();
        out.push(b'{');
        let mut first = true;
        for (index, (key, value)) in entries.iter().enumerate() {
            if repeats && last.get(key) != Some(&index) {
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
    pub(crate) fn value(&self, wire: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
        check_depth(depth)?;
        let mut last = None;
        for raw in Fields::of(wire) {
            last = Some(raw.map_err(|_| malformed())?);
        }
        match last.map(|raw| (raw.number, raw.value)) {
            Some((NUMBER, RawValue::Fixed64(bits))) => put_double(f64::from_bits(bits), out),
            Some((STRING, RawValue::Bytes(bytes))) => {
                put_string(std::str::from_utf8(bytes).map_err(|_| malformed())?, out);
            }
            Some((BOOL, RawValue::Varint(value))) => {
                out.extend_from_slice(if value == 0 { b"false" } else { b"true" });
            }
            Some((STRUCT, RawValue::Bytes(bytes))) => self.structure(bytes, depth, out)?,
            Some((LIST, RawValue::Bytes(bytes))) => self.list_value(bytes, depth, out)?,
            _ => out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    /// The content of a `ListValue`.
    pub(crate) fn list_value(&self, wire: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
        check_depth(depth)?;
        out.push(b'[');
        let mut first = true;
        for raw in Fields::of(wire) {
            let raw = raw.map_err(|_| malformed())?;
            let (1, RawValue::Bytes(item)) = (raw.number, raw.value) else { continue };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            self.value(item, depth + 1, out)?;
        }
        out.push(b']');
        Ok(())
    }
}

fn check_depth(depth: usize) -> Result<(), WireError> {
    if depth > 2 * DEFAULT_DEPTH { Err(WireError::TooDeep(2 * DEFAULT_DEPTH)) } else { Ok(()) }
}
