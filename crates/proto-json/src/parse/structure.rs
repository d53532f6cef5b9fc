//! `google.protobuf.Struct`, `Value` and `ListValue`: JSON as it is.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Context;
use super::path::{Path, excerpt};
use crate::wellknown::value_kind::{BOOL, LIST, NULL, NUMBER, STRING, STRUCT};
use crate::wire::{WireType, put_bytes, put_nested, put_tag, put_varint};

/// Reads an object as the content of a `Struct`.
pub(crate) struct StructSeed<'c> {
    pub(crate) context: &'c Context<'c>,
    pub(crate) path: &'c Path<'c>,
    pub(crate) depth: usize,
    pub(crate) out: &'c mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for StructSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Only { seed: self, name: "Struct", list: false })
    }
}

/// Reads any JSON as the content of a `Value`.
pub(crate) struct ValueSeed<'c> {
    pub(crate) context: &'c Context<'c>,
    pub(crate) path: &'c Path<'c>,
    pub(crate) depth: usize,
    pub(crate) out: &'c mut Vec<u8>,
}

impl ValueSeed<'_> {
    /// Reads a list as the content of a `ListValue`.
    pub(crate) fn deserialize_list<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { context, path, depth, out } = self;
        let seed = StructSeed { context, path, depth, out };
        deserializer.deserialize_any(Only { seed, name: "ListValue", list: true })
    }
}

fn read_object<'de, A: MapAccess<'de>>(seed: StructSeed<'_>, mut members: A) -> Result<(), A::Error> {
    let StructSeed { context, path, depth, out } = seed;
    let depth = context.deeper(depth, path)?;
    let mut seen = HashSet::new();
    while let Some(key) = members.next_key::<String>()? {
        let path = path.key(&key);
        put_nested(out, 1, |out| {
            put_bytes(out, 1, key.as_bytes());
            put_nested(out, 2, |out| members.next_value_seed(ValueSeed { context, path: &path, depth, out }))
        })?;
        if seen.contains(&key) {
            let name = excerpt(&key);
            let description = format!(
                "Invalid JSON payload received. The key \"{name}\" is given more than once{}.",
                path.at()
            );
            return Err(context.stop(path.text(), description));
        }
        seen.insert(key);
    }
    Ok(())
}

fn read_list<'de, A: SeqAccess<'de>>(seed: StructSeed<'_>, mut items: A) -> Result<(), A::Error> {
    let StructSeed { context, path, depth, out } = seed;
    let depth = context.deeper(depth, path)?;
    let mut index = 0;
    loop {
        let path = path.index(index);
        // The tag goes in front of an item that may not come: it is taken back.
        let before = out.len();
        let mut more = false;
        put_nested(out, 1, |out| {
            let item = items.next_element_seed(ValueSeed { context, path: &path, depth, out })?;
            more = item.is_some();
            Ok(())
        })?;
        if !more {
            out.truncate(before);
            return Ok(());
        }
        index += 1;
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        put_tag(self.out, NULL, WireType::Varint);
        put_varint(self.out, 0);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        put_tag(self.out, BOOL, WireType::Varint);
        put_varint(self.out, value.into());
        Ok(())
    }

    // A Struct holds doubles: larger integers lose digits, as on the live service.
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        put_tag(self.out, NUMBER, WireType::Fixed64);
        self.out.extend_from_slice(&value.to_bits().to_le_bytes());
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        put_bytes(self.out, STRING, value.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        let Self { context, path, depth, out } = self;
        put_nested(out, LIST, |out| read_list(StructSeed { context, path, depth, out }, items))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        let Self { context, path, depth, out } = self;
        put_nested(out, STRUCT, |out| read_object(StructSeed { context, path, depth, out }, members))
    }
}

/// Reads an object or a list, and refuses everything else.
struct Only<'c> {
    seed: StructSeed<'c>,
    name: &'static str,
    list: bool,
}

impl Only<'_> {
    fn refuse<E: Error>(self, value: impl fmt::Display) -> Result<(), E> {
        let path = self.seed.path.text();
        let name = self.name;
        let description =
            format!("Invalid value at '{path}' (type.googleapis.com/google.protobuf.{name}), {value}");
        self.seed.context.note_or_stop(path, description)
    }
}

impl<'de> Visitor<'de> for Only<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.list { "a list" } else { "an object" })
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.refuse("null")
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
        if self.list {
            return read_list(self.seed, items);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.refuse("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if !self.list {
            return read_object(self.seed, members);
        }
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.refuse("an object")
    }
}
