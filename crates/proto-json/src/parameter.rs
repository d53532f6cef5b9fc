//! Query and path parameters as wire bytes.

use serde::de::DeserializeSeed as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::error::JsonError;
use crate::parse::{Context, MessageSeed, Path, ScalarSeed};
use crate::schema::{Field, Kind, MessageId, Schema, WellKnown};
use crate::wire::put_nested;

/// Reads the parameter `name` (`pageSize`, `page_size`, `session.display_name`) with the text `value`, and appends
/// it to `out`, the wire bytes of `message`. A parameter of a list adds an item.
///
/// # Errors
/// A name that is no field of the message, or a field that no parameter can hold; a value of the wrong type.
pub fn parameter_to_wire(
    schema: &Schema,
    message: MessageId,
    name: &str,
    value: &str,
    out: &mut Vec<u8>,
) -> Result<(), JsonError> {
    let fields = resolve(schema, message, name).ok_or_else(|| JsonError::unbound_parameter(name))?;
    let context = Context::new(schema, crate::DEFAULT_DEPTH);
    let path = fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(".");
    let path = Path::root(&path);
    put(&context, &fields, &path, value, out);
    let problems = context.into_problems();
    if problems.is_empty() { Ok(()) } else { Err(JsonError::of(problems)) }
}

/// The fields that a dotted name leads through; the last is one that text can hold.
fn resolve<'s>(schema: &'s Schema, message: MessageId, name: &str) -> Option<Vec<&'s Field>> {
    let mut fields = Vec::new();
    let mut owner = Some(message);
    for part in name.split('.') {
        let field = schema.get(owner?).field_by_name(part)?;
        owner = match field.kind {
            Kind::Message(id) if !field.repeated => Some(id),
            _ => None,
        };
        fields.push(field);
    }
    let last = fields.last()?;
    let textual = match last.kind {
        Kind::Message(id) => matches!(
            schema.get(id).well_known,
            Some(WellKnown::Timestamp | WellKnown::Duration | WellKnown::FieldMask | WellKnown::Wrapper)
        ),
        _ => true,
    };
    textual.then_some(fields)
}

fn put(context: &Context<'_>, fields: &[&Field], path: &Path<'_>, value: &str, out: &mut Vec<u8>) {
    match fields {
        [] => {}
        [field] => match field.kind {
            Kind::Message(message) => put_within(out, field, |out| match wrapped(context.schema, message) {
                Some(field) => ScalarSeed { context, field, path, out, always: true }.read_parameter(value),
                None => {
                    let text: StrDeserializer<'_, ValueError> = value.into_deserializer();
                    // What is wrong is noted in the context; the error itself says nothing more.
                    drop(MessageSeed { context, message, path, depth: 0, out }.deserialize(text));
                }
            }),
            _ => ScalarSeed { context, field, path, out, always: true }.read_parameter(value),
        },
        [field, rest @ ..] => put_within(out, field, |out| put(context, rest, path, value, out)),
    }
}

fn put_within(out: &mut Vec<u8>, field: &Field, inner: impl FnOnce(&mut Vec<u8>)) {
    let result: Result<(), std::convert::Infallible> = put_nested(out, field.number, |out| {
        inner(out);
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

fn wrapped(schema: &Schema, message: MessageId) -> Option<&Field> {
    let of = schema.get(message);
    of.field_by_number(1).filter(|_| of.well_known == Some(WellKnown::Wrapper))
}
