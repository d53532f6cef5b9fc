//! Scalars: numbers, strings, bytes, enums, truth.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Context;
use super::path::{Path, excerpt};
use crate::schema::{Field, Kind, NULL_VALUE, Schema};
use crate::wire::{WireType, put_bytes, put_tag, put_varint, zigzag};

/// Clients send either alphabet, with or without padding (contract section 7.7).
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A scalar as it goes onto the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'v> {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    Bytes(std::borrow::Cow<'v, [u8]>),
}

impl Scalar<'_> {
    /// Whether it is what an absent field means.
    fn is_default(&self) -> bool {
        match self {
            Self::Varint(0) | Self::Fixed32(0) | Self::Fixed64(0) => true,
            Self::Bytes(bytes) => bytes.is_empty(),
            _ => false,
        }
    }

    /// Appends it with its tag.
    pub(crate) fn put(&self, number: u32, out: &mut Vec<u8>) {
        match self {
            Self::Varint(_) => put_tag(out, number, WireType::Varint),
            Self::Fixed32(_) => put_tag(out, number, WireType::Fixed32),
            Self::Fixed64(_) => put_tag(out, number, WireType::Fixed64),
            Self::Bytes(bytes) => return put_bytes(out, number, bytes),
        }
        self.put_packed(out);
    }

    /// Appends it without a tag, as packed lists hold it.
    fn put_packed(&self, out: &mut Vec<u8>) {
        match self {
            Self::Varint(value) => put_varint(out, *value),
            Self::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// How error messages name a type.
pub(crate) fn describe(schema: &Schema, kind: Kind) -> String {
    let name = match kind {
        Kind::Double => "TYPE_DOUBLE",
        Kind::Float => "TYPE_FLOAT",
        Kind::Int32 => "TYPE_INT32",
        Kind::Int64 => "TYPE_INT64",
        Kind::Uint32 => "TYPE_UINT32",
        Kind::Uint64 => "TYPE_UINT64",
        Kind::Sint32 => "TYPE_SINT32",
        Kind::Sint64 => "TYPE_SINT64",
        Kind::Fixed32 => "TYPE_FIXED32",
        Kind::Fixed64 => "TYPE_FIXED64",
        Kind::Sfixed32 => "TYPE_SFIXED32",
        Kind::Sfixed64 => "TYPE_SFIXED64",
        Kind::Bool => "TYPE_BOOL",
        Kind::String => "TYPE_STRING",
        Kind::Bytes => "TYPE_BYTES",
        Kind::Enum(index) => return format!("type.googleapis.com/{}", schema.get_enum(index).full_name),
        Kind::Message(id) => return format!("type.googleapis.com/{}", schema.get(id).full_name),
    };
    name.to_owned()
}

/// A whole number of either sign.
fn from_integer(schema: &Schema, kind: Kind, value: i128) -> Option<Scalar<'static>> {
    let signed32 = || i32::try_from(value).ok();
    let signed64 = || i64::try_from(value).ok();
    let unsigned32 = || u32::try_from(value).ok();
    let unsigned64 = || u64::try_from(value).ok();
    Some(match kind {
        Kind::Int32 => Scalar::Varint(i64::from(signed32()?) as u64),
        Kind::Int64 => Scalar::Varint(signed64()? as u64),
        Kind::Uint32 => Scalar::Varint(unsigned32()?.into()),
        Kind::Uint64 => Scalar::Varint(unsigned64()?),
        Kind::Sint32 => Scalar::Varint(zigzag(signed32()?.into())),
        Kind::Sint64 => Scalar::Varint(zigzag(signed64()?)),
        Kind::Fixed32 => Scalar::Fixed32(unsigned32()?),
        Kind::Fixed64 => Scalar::Fixed64(unsigned64()?),
        Kind::Sfixed32 => Scalar::Fixed32(signed32()? as u32),
        Kind::Sfixed64 => Scalar::Fixed64(signed64()? as u64),
        Kind::Double => Scalar::Fixed64((value as f64).to_bits()),
        Kind::Float => Scalar::Fixed32((value as f32).to_bits()),
        // Numbers that have no name are kept (proto3 enums are open).
        Kind::Enum(index) if schema.get_enum(index).full_name != NULL_VALUE => {
            Scalar::Varint(i64::from(signed32()?) as u64)
        }
        Kind::Enum(_) | Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) => return None,
    })
}

fn from_float(schema: &Schema, kind: Kind, value: f64) -> Option<Scalar<'static>> {
    match kind {
        Kind::Double => Some(Scalar::Fixed64(value.to_bits())),
        Kind::Float => {
            let narrow = value as f32;
            (narrow.is_finite() || !value.is_finite()).then_some(Scalar::Fixed32(narrow.to_bits()))
        }
        // 1e3 and 2.0 are whole.
        _ if value.fract() == 0.0 && value.abs() < 2f64.powi(64) => from_integer(schema, kind, value as i128),
        _ => None,
    }
}

fn from_text<'v>(schema: &Schema, kind: Kind, text: &'v str) -> Result<Scalar<'v>, Refused> {
    match kind {
        Kind::String => Ok(Scalar::Bytes(text.as_bytes().into())),
        Kind::Bytes => {
            let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
            engine.decode(text).map(|bytes| Scalar::Bytes(bytes.into())).map_err(|_| Refused::Base64)
        }
        Kind::Enum(index) => {
            let number = schema.get_enum(index).number(text).ok_or(Refused::Value)?;
            Ok(Scalar::Varint(i64::from(number) as u64))
        }
        Kind::Bool | Kind::Message(_) => Err(Refused::Value),
        Kind::Double | Kind::Float => {
            let special = match text {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ => None,
            };
            let value = special.or_else(|| plain_number(text).filter(|value| value.is_finite()));
            value.and_then(|value| from_float(schema, kind, value)).ok_or(Refused::Value)
        }
        _ => {
            let whole = text.parse::<i128>().ok().filter(|_| !text.starts_with('+'));
            let scalar = match whole {
                Some(value) => from_integer(schema, kind, value),
                None => plain_number(text).and_then(|value| from_float(schema, kind, value)),
            };
            scalar.ok_or(Refused::Value)
        }
    }
}

/// A number as JSON writes it, so no spaces, no `+`, no words.
fn plain_number(text: &str) -> Option<f64> {
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    text.parse().ok().filter(|_| numeric && !text.starts_with('+'))
}

pub(crate) enum Refused {
    Value,
    Base64,
}

/// The key of a map's entry, as the entry's first field.
pub(crate) struct MapKey(pub(crate) Vec<u8>);

/// Reads a map's key, which JSON always writes as a string.
pub(crate) fn read_map_key(field: &Field, text: &str) -> Option<MapKey> {
    let scalar = match (field.kind, text) {
        (Kind::String, text) => Scalar::Bytes(text.as_bytes().into()),
        (Kind::Bool, "true") => Scalar::Varint(1),
        (Kind::Bool, "false") => Scalar::Varint(0),
        (Kind::Bool | Kind::Bytes | Kind::Enum(_) | Kind::Message(_) | Kind::Double | Kind::Float, _) => {
            return None;
        }
        (kind, text) => integer_key(kind, text.parse().ok()?)?,
    };
    let mut encoded = Vec::new();
    scalar.put(field.number, &mut encoded);
    Some(MapKey(encoded))
}

fn integer_key(kind: Kind, value: i128) -> Option<Scalar<'static>> {
    // Keys are never enums: the schema is not looked at.
    match kind {
        Kind::Enum(_) => None,
        kind => from_integer_without_enums(kind, value),
    }
}

fn from_integer_without_enums(kind: Kind, value: i128) -> Option<Scalar<'static>> {
    Some(match kind {
        Kind::Int32 => Scalar::Varint(i64::from(i32::try_from(value).ok()?) as u64),
        Kind::Int64 => Scalar::Varint(i64::try_from(value).ok()? as u64),
        Kind::Uint32 => Scalar::Varint(u32::try_from(value).ok()?.into()),
        Kind::Uint64 => Scalar::Varint(u64::try_from(value).ok()?),
        Kind::Sint32 => Scalar::Varint(zigzag(i32::try_from(value).ok()?.into())),
        Kind::Sint64 => Scalar::Varint(zigzag(i64::try_from(value).ok()?)),
        Kind::Fixed32 => Scalar::Fixed32(u32::try_from(value).ok()?),
        Kind::Fixed64 => Scalar::Fixed64(u64::try_from(value).ok()?),
        Kind::Sfixed32 => Scalar::Fixed32(i32::try_from(value).ok()? as u32),
        Kind::Sfixed64 => Scalar::Fixed64(i64::try_from(value).ok()? as u64),
        _ => return None,
    })
}

/// Reads a scalar of a field's type.
pub(crate) struct ScalarSeed<'c> {
    pub(crate) context: &'c Context<'c>,
    pub(crate) field: &'c Field,
    pub(crate) path: &'c Path<'c>,
    pub(crate) out: &'c mut Vec<u8>,
    /// Whether a default is written too: items of lists, and fields with presence.
    pub(crate) always: bool,
}

impl<'de> DeserializeSeed<'de> for ScalarSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(ScalarVisitor { seed: self, packed: false })
    }
}

impl ScalarSeed<'_> {
    /// Reads an item of a packed list.
    pub(crate) fn deserialize_packed<'de, D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<(), D::Error> {
        deserializer.deserialize_any(ScalarVisitor { seed: self, packed: true })
    }

    /// Reads the value of a query parameter, where truth and numbers are text too.
    pub(crate) fn read_parameter(self, text: &str) {
        let scalar = match (self.field.kind, text) {
            (Kind::Bool, "true") => Ok(Scalar::Varint(1)),
            (Kind::Bool, "false") => Ok(Scalar::Varint(0)),
            (Kind::Enum(_), text) if text.parse::<i32>().is_ok() => {
                let number = text.parse::<i128>().unwrap_or_default();
                from_integer(self.context.schema, self.field.kind, number).ok_or(Refused::Value)
            }
            (kind, text) => from_text(self.context.schema, kind, text),
        };
        match scalar {
            Ok(scalar) => scalar.put(self.field.number, self.out),
            Err(_) => {
                let path = self.path.text();
                let ty = describe(self.context.schema, self.field.kind);
                self.context
                    .note(path.clone(), format!("Invalid value at '{path}' ({ty}), \"{}\"", excerpt(text)));
            }
        }
    }
}

struct ScalarVisitor<'c> {
    seed: ScalarSeed<'c>,
    packed: bool,
}

impl ScalarVisitor<'_> {
    fn put<E: Error>(self, scalar: Option<Scalar<'_>>, shown: impl fmt::Display) -> Result<(), E> {
        let Some(scalar) = scalar else { return self.refuse(shown) };
        if self.packed {
            scalar.put_packed(self.seed.out);
        } else if self.seed.always || !scalar.is_default() {
            scalar.put(self.seed.field.number, self.seed.out);
        }
        Ok(())
    }

    fn refuse<E: Error>(self, shown: impl fmt::Display) -> Result<(), E> {
        let path = self.seed.path.text();
        let ty = describe(self.seed.context.schema, self.seed.field.kind);
        self.seed.context.note_or_stop(path.clone(), format!("Invalid value at '{path}' ({ty}), {shown}"))
    }

    fn schema(&self) -> &Schema {
        self.seed.context.schema
    }
}

impl<'de> Visitor<'de> for ScalarVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of the field {}", self.seed.field.json_name)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let scalar = (self.seed.field.kind == Kind::Bool).then_some(Scalar::Varint(value.into()));
        self.put(scalar, value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        let scalar = from_integer(self.schema(), self.seed.field.kind, value.into());
        self.put(scalar, value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let scalar = from_integer(self.schema(), self.seed.field.kind, value.into());
        self.put(scalar, value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let scalar = from_float(self.schema(), self.seed.field.kind, value);
        self.put(scalar, value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match from_text(self.schema(), self.seed.field.kind, value) {
            Ok(scalar) => self.put(Some(scalar), ""),
            Err(Refused::Base64) => {
                self.refuse(format_args!("Base64 decoding failed for \"{}\"", excerpt(value)))
            }
            Err(Refused::Value) => self.refuse(format_args!("\"{}\"", excerpt(value))),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let null_value = matches!(self.seed.field.kind, Kind::Enum(index)
            if self.schema().get_enum(index).full_name == NULL_VALUE);
        self.put(null_value.then_some(Scalar::Varint(0)), "null")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.refuse("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.refuse("an object")
    }
}
