//! `google.protobuf.Any`: a message with its type beside its members.

use serde::de::{DeserializeSeed as _, Error as _, MapAccess};

use super::Context;
use super::message::MessageSeed;
use super::path::{Path, excerpt};
use crate::schema::WellKnown;
use crate::wire::put_bytes;

/// Reads `{"@type": ..., members}`; the type comes first, or anywhere.
pub(super) fn read_any<'de, A: MapAccess<'de>>(
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
