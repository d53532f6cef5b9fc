//! Scalars as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Printer;
use crate::schema::{Kind, NULL_VALUE};
use crate::wire::{RawValue, read_array, read_varint, unzigzag};

/// What an absent scalar means.
pub(crate) fn default_of(kind: Kind) -> RawValue<'static> {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => RawValue::Fixed64(0),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => RawValue::Fixed32(0),
        Kind::String | Kind::Bytes | Kind::Message(_) => RawValue::Bytes(&[]),
        _ => RawValue::Varint(0),
    }
}

/// Prints a scalar; `None` where it does not stand in its wire type, or is not UTF-8.
pub(crate) fn put_scalar(
    printer: &Printer<'_>,
    kind: Kind,
    value: RawValue<'_>,
    out: &mut Vec<u8>,
) -> Option<()> {
    match (kind, value) {
        (Kind::Double, RawValue::Fixed64(bits)) => put_double(f64::from_bits(bits), out),
        (Kind::Float, RawValue::Fixed32(bits)) => put_float(f32::from_bits(bits), out),
        (Kind::Int32, RawValue::Varint(value)) => put_display(value as i32, out),
        (Kind::Uint32, RawValue::Varint(value)) => put_display(value as u32, out),
        (Kind::Sint32, RawValue::Varint(value)) => put_display(unzigzag(value) as i32, out),
        (Kind::Fixed32, RawValue::Fixed32(value)) => put_display(value, out),
        (Kind::Sfixed32, RawValue::Fixed32(value)) => put_display(value as i32, out),
        // JSON numbers are doubles for most readers: 64 bits go as strings.
        (Kind::Int64, RawValue::Varint(value)) => put_quoted(value as i64, out),
        (Kind::Uint64, RawValue::Varint(value)) => put_quoted(value, out),
        (Kind::Sint64, RawValue::Varint(value)) => put_quoted(unzigzag(value), out),
        (Kind::Fixed64, RawValue::Fixed64(value)) => put_quoted(value, out),
        (Kind::Sfixed64, RawValue::Fixed64(value)) => put_quoted(value as i64, out),
        (Kind::Bool, RawValue::Varint(value)) => put_display(value != 0, out),
        (Kind::String, RawValue::Bytes(bytes)) => put_string(std::str::from_utf8(bytes).ok()?, out),
        (Kind::Bytes, RawValue::Bytes(bytes)) => put_string(&STANDARD.encode(bytes), out),
        (Kind::Enum(index), RawValue::Varint(value)) => {
            let of = printer.schema.get_enum(index);
            let number = value as i32;
            match of.name(number) {
                _ if of.full_name == NULL_VALUE => out.extend_from_slice(b"null"),
                Some(name) if !printer.options.enums_as_numbers => put_string(name, out),
                _ => put_display(number, out),
            }
        }
        _ => return None,
    }
    Some(())
}

/// Prints the items of a packed list between commas; says whether there were any.
pub(crate) fn put_packed(
    printer: &Printer<'_>,
    kind: Kind,
    mut bytes: &[u8],
    out: &mut Vec<u8>,
) -> Option<bool> {
    let mut first = true;
    while !bytes.is_empty() {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        let value = match default_of(kind) {
            RawValue::Varint(_) => RawValue::Varint(read_varint(&mut bytes).ok()?),
            RawValue::Fixed64(_) => RawValue::Fixed64(u64::from_le_bytes(read_array(&mut bytes).ok()?)),
            RawValue::Fixed32(_) => RawValue::Fixed32(u32::from_le_bytes(read_array(&mut bytes).ok()?)),
            RawValue::Bytes(_) => return None,
        };
        put_scalar(printer, kind, value, out)?;
    }
    Some(!first)
}

/// Prints a map's key, which is always a string.
pub(crate) fn put_key(kind: Kind, value: Option<RawValue<'_>>, out: &mut Vec<u8>) -> Option<()> {
    let value = value.unwrap_or_else(|| default_of(kind));
    match (kind, value) {
        (Kind::String, RawValue::Bytes(bytes)) => put_string(std::str::from_utf8(bytes).ok()?, out),
        (Kind::Bool, RawValue::Varint(value)) => put_quoted(value != 0, out),
        (Kind::Int32, RawValue::Varint(value)) => put_quoted(value as i32, out),
        (Kind::Int64, RawValue::Varint(value)) => put_quoted(value as i64, out),
        (Kind::Uint32, RawValue::Varint(value)) => put_quoted(value as u32, out),
        (Kind::Uint64, RawValue::Varint(value)) => put_quoted(value, out),
        (Kind::Sint32 | Kind::Sint64, RawValue::Varint(value)) => put_quoted(unzigzag(value), out),
        (Kind::Fixed32, RawValue::Fixed32(value)) => put_quoted(value, out),
        (Kind::Sfixed32, RawValue::Fixed32(value)) => put_quoted(value as i32, out),
        (Kind::Fixed64, RawValue::Fixed64(value)) => put_quoted(value, out),
        (Kind::Sfixed64, RawValue::Fixed64(value)) => put_quoted(value as i64, out),
        _ => return None,
    }
    Some(())
}

/// Prints a string with the escapes that JSON needs.
pub(crate) fn put_string(text: &str, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail, and a str is always serializable.
    drop(serde_json::to_writer(&mut *out, text));
}

/// Whole numbers print without a fraction, as the live service does.
pub(crate) fn put_double(value: f64, out: &mut Vec<u8>) {
    /// Fits an i64.
    const WHOLE: f64 = 9e18;
    if value.fract() == 0.0 && value.abs() < WHOLE {
        if value == 0.0 && value.is_sign_negative() {
            out.push(b'-');
        }
        put_display(value as i64, out);
    } else if value.is_finite() {
        drop(serde_json::to_writer(&mut *out, &value));
    } else {
        put_not_finite(value, out);
    }
}

fn put_float(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() && !(value.fract() == 0.0 && value.abs() < 1e7) {
        drop(serde_json::to_writer(&mut *out, &value));
    } else {
        put_double(value.into(), out);
    }
}

fn put_not_finite(value: f64, out: &mut Vec<u8>) {
    let name = match (value.is_nan(), value > 0.0) {
        (true, _) => "NaN",
        (false, true) => "Infinity",
        (false, false) => "-Infinity",
    };
    put_string(name, out);
}

fn put_display(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to a Vec cannot fail.
    drop(write!(out, "{value}"));
}

fn put_quoted(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    out.push(b'"');
    put_display(value, out);
    out.push(b'"');
}
