//! Maps as objects.

use super::scalar::{default_of, put_key, put_scalar};
use super::{Printer, last_of_keys};
use crate::content::Content;
use crate::error::WireError;
use crate::schema::{Field, Kind};
use crate::wire::{Fields, RawField, RawValue};

/// The value of an entry as it stands: a message in its pieces, or a scalar.
enum EntryValue<'w> {
    Message(Content<'w>),
    Scalar(Option<RawValue<'w>>),
}

impl Printer<'_> {
    /// A map; of a key that comes twice the last value counts. Says whether there was anything in it.
    pub(super) fn map(
        &self,
        field: &Field,
        group: &[(usize, RawField<'_>)],
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, WireError> {
        let malformed = || WireError::Malformed(field.name.clone());
        let (key_field, value_field) = self.schema.map_entry(field.kind).ok_or_else(malformed)?;
        let mut entries: Vec<(Vec<u8>, EntryValue<'_>)> = Vec::with_capacity(group.len());
        for (_, raw) in group {
            let RawValue::Bytes(entry) = raw.value else { return Err(malformed()) };
            let (key, value) = read_entry(value_field.kind, entry).ok_or_else(malformed)?;
            let mut printed_key = Vec::new();
            put_key(key_field.kind, key, &mut printed_key).ok_or_else(malformed)?;
            entries.push((printed_key, value));
        }
        let last = last_of_keys(entries.iter().map(|(key, _)| key.as_slice()));
        out.push(b'{');
        let mut first = true;
        for (index, (key, value)) in entries.iter().enumerate() {
            if last.as_ref().is_some_and(|last| last.get(key.as_slice()) != Some(&index)) {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            out.extend_from_slice(key);
            out.push(b':');
            match (value_field.kind, value) {
                (Kind::Message(id), EntryValue::Message(content)) => {
                    self.message(id, content, depth + 1, out)?;
                }
                (kind, EntryValue::Scalar(value)) => {
                    let value = value.unwrap_or_else(|| default_of(kind));
                    put_scalar(self, kind, value, out).ok_or_else(malformed)?;
                }
                _ => return Err(malformed()),
            }
        }
        out.push(b'}');
        Ok(!entries.is_empty())
    }
}

/// The key and the value of an entry, which is a message like any other: of a scalar that comes twice the last
/// counts, and a message that does is merged.
fn read_entry(kind: Kind, entry: &[u8]) -> Option<(Option<RawValue<'_>>, EntryValue<'_>)> {
    let (mut key, mut scalar, mut content) = (None, None, None);
    for raw in Fields::of(entry) {
        let raw = raw.ok()?;
        match (raw.number, kind, raw.value) {
            (1, _, value) => key = Some(value),
            (2, Kind::Message(_), RawValue::Bytes(bytes)) => content = Some(joined(content, bytes)),
            (2, Kind::Message(_), _) => return None,
            (2, _, value) => scalar = Some(value),
            _ => {}
        }
    }
    let value = match kind {
        Kind::Message(_) => EntryValue::Message(content.unwrap_or_else(|| Content::from(&[][..]))),
        _ => EntryValue::Scalar(scalar),
    };
    Some((key, value))
}

/// What stood before, if anything, and one more piece.
pub(super) fn joined<'w>(before: Option<Content<'w>>, piece: &'w [u8]) -> Content<'w> {
    match before {
        Some(before) => before.and(piece),
        None => Content::from(piece),
    }
}
