//! Repeated fields: lists, and objects that are maps.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Context;
use super::message::MessageSeed;
use super::path::{Path, excerpt};
use super::scalar::{MapKey, ScalarSeed, describe, read_map_key};
use crate::schema::{Field, Kind};
use crate::wire::{put_bytes, put_nested};

/// Reads a list or a map.
pub(super) struct RepeatedVisitor<'c> {
    pub(super) context: &'c Context<'c>,
    pub(super) field: &'c Field,
    pub(super) path: &'c Path<'c>,
    pub(super) owner: &'c Path<'c>,
    pub(super) depth: usize,
    pub(super) out: &'c mut Vec<u8>,
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
