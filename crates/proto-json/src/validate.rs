//! Checks wire bytes that a caller made: gRPC hands them over unread.

use crate::content::{Content, Runs};
use crate::error::WireError;
use crate::schema::{Field, Kind, MessageId, Schema};
use crate::wellknown;
use crate::wire::{RawValue, read_array, read_varint};

/// Checks that `wire` is a message of its type: every known field in its wire type, strings in UTF-8, not
/// deeper than `max_depth`, well-known types in range once their pieces are merged. Fields that are not known
/// pass.
///
/// # Errors
/// The first thing that is wrong.
pub fn validate_wire(
    schema: &Schema,
    message: MessageId,
    wire: &[u8],
    max_depth: usize,
) -> Result<(), WireError> {
    validate(schema, message, &Content::from(wire), max_depth, max_depth)
}

/// An occurrence of a message field that is not repeated.
struct Piece<'w> {
    field: (u32, MessageId),
    run: usize,
    bytes: &'w [u8],
}

fn validate(
    schema: &Schema,
    id: MessageId,
    wire: &Content<'_>,
    left: usize,
    max_depth: usize,
) -> Result<(), WireError> {
    let Some(left) = left.checked_sub(1) else { return Err(WireError::TooDeep(max_depth)) };
    let message = schema.get(id);
    if !wellknown::in_range(message.well_known, wire) {
        return Err(WireError::OutOfRange(message.full_name.clone()));
    }
    let (mut pieces, mut runs) = (Vec::new(), Runs::default());
    for (place, raw) in wire.fields().enumerate() {
        let raw = raw.map_err(|_| WireError::Malformed(message.full_name.clone()))?;
        let Some(field) = message.field_by_number(raw.number) else { continue };
        let run = runs.note(field, place);
        let malformed = || WireError::Malformed(format!("{}.{}", message.full_name, field.name));
        match (field.kind, raw.value) {
            (Kind::Message(id), RawValue::Bytes(bytes)) if field.repeated => {
                validate(schema, id, &Content::from(bytes), left, max_depth)?;
            }
            (Kind::Message(id), RawValue::Bytes(bytes)) => {
                pieces.push(Piece { field: (field.number, id), run, bytes });
            }
            (Kind::String, RawValue::Bytes(bytes)) => {
                let name = || WireError::NotUtf8(format!("{}.{}", message.full_name, field.name));
                std::str::from_utf8(bytes).map_err(|_| name())?;
            }
            (Kind::Bytes, RawValue::Bytes(_)) => {}
            (_, RawValue::Bytes(bytes)) if field.repeated => packed(field, bytes).ok_or_else(malformed)?,
            (kind, value) => fits(kind, value).then_some(()).ok_or_else(malformed)?,
        }
    }
    // Pieces that are fine alone can be wrong together, so it is what they make that is checked; and only
    // that, as checking both would double the work with every level.
    pieces.sort_by_key(|piece| (piece.field.0, piece.run));
    for merged in pieces.chunk_by(|a, b| (a.field.0, a.run) == (b.field.0, b.run)) {
        let Some(Piece { field: (_, id), .. }) = merged.first() else { continue };
        let content = merged.iter().map(|piece| piece.bytes).collect();
        validate(schema, *id, &content, left, max_depth)?;
    }
    Ok(())
}

/// Whether a scalar stands in the wire type of its kind.
fn fits(kind: Kind, value: RawValue<'_>) -> bool {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => matches!(value, RawValue::Fixed64(_)),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => matches!(value, RawValue::Fixed32(_)),
        Kind::String | Kind::Bytes | Kind::Message(_) => false,
        _ => matches!(value, RawValue::Varint(_)),
    }
}

fn packed(field: &Field, mut bytes: &[u8]) -> Option<()> {
    while !bytes.is_empty() {
        match field.kind {
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => drop(read_array::<8>(&mut bytes).ok()?),
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => drop(read_array::<4>(&mut bytes).ok()?),
            Kind::String | Kind::Bytes | Kind::Message(_) => return None,
            _ => drop(read_varint(&mut bytes).ok()?),
        }
    }
    Some(())
}
