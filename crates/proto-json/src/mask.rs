//! Field masks at the level of wire bytes (AIP-161).

use crate::error::MaskError;
use crate::schema::{Kind, MessageId, Schema};
use crate::wire::{Fields, RawValue, put_bytes};

/// `base` with the fields that `paths` name replaced by those of `patch`; a field that `patch` lacks is
/// cleared. Paths are dotted, in snake or camel case; `*` means all of `patch`.
///
/// # Errors
/// A path that names no field, or leads through a list, a map or a scalar. Malformed bytes are cut off where
/// they stop to make sense: both sides are expected to have been checked.
pub fn merge_with_mask(
    schema: &Schema,
    message: MessageId,
    base: &[u8],
    patch: &[u8],
    paths: &[&str],
) -> Result<Vec<u8>, MaskError> {
    let mut merged = base.to_vec();
    for path in paths {
        if *path == "*" {
            merged = patch.to_vec();
            continue;
        }
        let unknown = || MaskError { path: path.chars().take(100).collect() };
        let names: Vec<_> = path.split('.').collect();
        let numbers = resolve(schema, message, &names).ok_or_else(unknown)?;
        merged = replace(&merged, patch, &numbers);
    }
    Ok(merged)
}

fn resolve(schema: &Schema, message: MessageId, names: &[&str]) -> Option<Vec<u32>> {
    let (name, rest) = names.split_first()?;
    let field = schema.get(message).field_by_name(name)?;
    let mut numbers = vec![field.number];
    if !rest.is_empty() {
        let Kind::Message(inner) = field.kind else { return None };
        if field.repeated {
            return None;
        }
        numbers.extend(resolve(schema, inner, rest)?);
    }
    Some(numbers)
}

/// All that stands for one field, and everything else.
fn split(wire: &[u8], number: u32) -> (Vec<u8>, Vec<u8>) {
    let (mut of_field, mut others) = (Vec::new(), Vec::new());
    for raw in Fields::of(wire).map_while(Result::ok) {
        if raw.number == number { &mut of_field } else { &mut others }.extend_from_slice(raw.whole);
    }
    (of_field, others)
}

fn replace(base: &[u8], patch: &[u8], numbers: &[u32]) -> Vec<u8> {
    let Some((number, rest)) = numbers.split_first() else { return base.to_vec() };
    let (old, mut merged) = split(base, *number);
    let (new, _) = split(patch, *number);
    if rest.is_empty() {
        merged.extend_from_slice(&new);
        return merged;
    }
    let inner = replace(&content(&old), &content(&new), rest);
    if !inner.is_empty() || !old.is_empty() {
        put_bytes(&mut merged, *number, &inner);
    }
    merged
}

/// The content of a message field, which may stand in several pieces.
fn content(field: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    for raw in Fields::of(field).map_while(Result::ok) {
        if let RawValue::Bytes(bytes) = raw.value {
            content.extend_from_slice(bytes);
        }
    }
    content
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
