//! Field masks at the level of wire bytes (AIP-161).

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::DEFAULT_DEPTH;
use crate::content::{Content, Runs};
use crate::error::MaskError;
use crate::schema::{Kind, Message, MessageId, Schema};
use crate::wire::{Fields, RawField, RawValue, put_nested};

/// `base` with the fields that `paths` name replaced by those of `patch`; a field that `patch` lacks is
/// cleared. Paths are dotted, in snake or camel case; `*` means all of `patch`. A member of a oneof that is
/// named and that `patch` sets takes the place of the other members.
///
/// # Errors
/// A path that names no field, or leads through a list, a map or a scalar, or deeper than messages nest.
/// Malformed bytes are cut off where they stop to make sense: both sides are expected to have been checked.
pub fn merge_with_mask(
    schema: &Schema,
    message: MessageId,
    base: &[u8],
    patch: &[u8],
    paths: &[&str],
) -> Result<Vec<u8>, MaskError> {
    let mut named = Named::default();
    for path in paths {
        let unknown = || MaskError { path: path.chars().take(100).collect() };
        if *path == "*" {
            named.whole = true;
        } else {
            named.add(schema, message, path).ok_or_else(unknown)?;
        }
    }
    if named.whole {
        return Ok(patch.to_vec());
    }
    let mut merged = Vec::with_capacity(base.len() + patch.len());
    merge(schema, message, &base.into(), &patch.into(), &named, &mut merged);
    Ok(merged)
}

/// The fields that a mask names, as a tree: a path that comes again, or below another one, adds nothing.
#[derive(Default)]
struct Named {
    /// A path ends here: what is below does not matter.
    whole: bool,
    fields: BTreeMap<u32, Named>,
}

impl Named {
    fn add(&mut self, schema: &Schema, message: MessageId, path: &str) -> Option<()> {
        let mut named = self;
        let mut within = Some(message);
        for (depth, name) in path.split('.').enumerate() {
            // A type that holds itself has paths of any length; no message that is let in is that deep.
            let message = within.filter(|_| depth < DEFAULT_DEPTH)?;
            let field = schema.get(message).field_by_name(name)?;
            within = match field.kind {
                Kind::Message(inner) if !field.repeated => Some(inner),
                _ => None,
            };
            named = named.fields.entry(field.number).or_default();
        }
        named.whole = true;
        Some(())
    }
}

/// The fields of one message that count, with the member that each oneof has.
struct Standing<'w> {
    fields: Vec<RawField<'w>>,
    runs: Runs,
}

impl<'w> Standing<'w> {
    fn read(message: &Message, content: &Content<'w>) -> Self {
        let mut runs = Runs::default();
        let mut fields: Vec<_> = content.fields().map_while(Result::ok).collect();
        for (place, raw) in fields.iter().enumerate() {
            if let Some(field) = message.field_by_number(raw.number) {
                runs.note(field, place);
            }
        }
        if runs.overwritten() {
            let stands =
                |number, place| message.field_by_number(number).is_none_or(|field| runs.stands(field, place));
            let mut places = 0..;
            fields.retain(|raw| places.next().is_some_and(|place| stands(raw.number, place)));
        }
        Self { fields, runs }
    }

    /// The fields that are named, by their numbers.
    fn named(&self, named: &Named) -> BTreeMap<u32, Vec<RawField<'w>>> {
        let mut found: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        for raw in self.fields.iter().filter(|raw| named.fields.contains_key(&raw.number)) {
            found.entry(raw.number).or_default().push(*raw);
        }
        found
    }
}

/// Appends `base` with what is named replaced by what `patch` has.
fn merge(
    schema: &Schema,
    id: MessageId,
    base: &Content<'_>,
    patch: &Content<'_>,
    named: &Named,
    out: &mut Vec<u8>,
) {
    let message = schema.get(id);
    let (mut base, patch) = (Standing::read(message, base), Standing::read(message, patch));
    // The member of a oneof that comes with the patch, if it is named, overwrites the one that was.
    let chosen = |oneof| patch.runs.member(oneof).filter(|number| named.fields.contains_key(number));
    base.fields.retain(|raw| {
        let oneof = message.field_by_number(raw.number).and_then(|field| field.oneof);
        oneof.and_then(chosen).is_none_or(|number| number == raw.number)
    });
    for raw in base.fields.iter().filter(|raw| !named.fields.contains_key(&raw.number)) {
        out.extend_from_slice(raw.whole);
    }
    let (mut old, mut new) = (base.named(named), patch.named(named));
    for (number, below) in &named.fields {
        let (old, new) = (old.remove(number).unwrap_or_default(), new.remove(number).unwrap_or_default());
        let field = message.field_by_number(*number);
        match field.map(|field| field.kind) {
            Some(Kind::Message(inner)) if !below.whole => {
                // A message that was there stays, if empty; so does a oneof's member that the patch chose.
                let stays =
                    !old.is_empty() || (!new.is_empty() && field.is_some_and(|field| field.oneof.is_some()));
                let (old, new) = (content(&old), content(&new));
                put_unless_empty(out, *number, stays, |out| merge(schema, inner, &old, &new, below, out));
            }
            _ => new.iter().for_each(|raw| out.extend_from_slice(raw.whole)),
        }
    }
}

fn content<'w>(occurrences: &[RawField<'w>]) -> Content<'w> {
    let bytes = |raw: &RawField<'w>| match raw.value {
        RawValue::Bytes(bytes) => Some(bytes),
        _ => None,
    };
    occurrences.iter().filter_map(bytes).collect()
}

/// Writes a message field, and takes it back where nothing is in it, unless it `stays`.
fn put_unless_empty(out: &mut Vec<u8>, number: u32, stays: bool, inner: impl FnOnce(&mut Vec<u8>)) {
    let before = out.len();
    let mut empty = true;
    let Ok(()) = put_nested(out, number, |out| {
        let start = out.len();
        inner(out);
        empty = out.len() == start;
        Ok::<_, Infallible>(())
    });
    if empty && !stays {
        out.truncate(before);
    }
}

/// The names of the top-level fields that stand in `wire`: what a request without a mask means to change
/// (AIP-134).
pub fn set_fields<'s>(schema: &'s Schema, message: MessageId, wire: &[u8]) -> Vec<&'s str> {
    let mut names = Vec::new();
    for raw in Fields::of(wire).map_while(Result::ok) {
        let Some(field) = schema.get(message).field_by_number(raw.number) else { continue };
        if !names.contains(&field.name.as_str()) {
            names.push(&field.name);
        }
    }
    names
}
