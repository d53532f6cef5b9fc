//! States and deltas: a `google.protobuf.Struct`, of which only the top-level keys are looked at.

use bytes::Bytes;
use colloquy_sessions::Error;
use colloquy_sessions::error::Result;
use colloquy_sessions::state::{State, StateDelta};
use prost::Message as _;
use prost::encoding::{decode_key, skip_field};

/// A `google.protobuf.Struct` whose values stay wire bytes. A map field is a repeated field of
/// key-value messages on the wire, so the two read and write the same bytes.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StateStruct {
    #[prost(message, repeated, tag = "1")]
    fields: Vec<StateEntry>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StateEntry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

/// The wire bytes of a `google.protobuf.Value` that is null.
const NULL: &[u8] = &[0x08, 0x00];

/// More keys than a state of any size that is worth having: each costs memory, however small it is.
const MAX_KEYS: usize = 200_000;

impl StateStruct {
    /// Reads the wire bytes of a state or a delta, which stands in `field`.
    pub(crate) fn read(wire: Bytes, field: &str) -> Result<Self> {
        let malformed = |problem| Error::field(field, format!("The state is malformed: {problem}."));
        if count_fields(wire.clone()).map_err(malformed)? > MAX_KEYS {
            return Err(Error::field(field, format!("At most {MAX_KEYS} keys are allowed.")));
        }
        Self::decode(wire).map_err(malformed)
    }

    /// The text under a key, where there is one; of several, the last, as in a map.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let entry = self.fields.iter().rev().find(|entry| entry.key == key)?;
        let value = prost_types::Value::decode(entry.value.clone()).ok()?;
        match value.kind? {
            prost_types::value::Kind::StringValue(text) => Some(text),
            _ => None,
        }
    }

    /// The keys sorted into their scopes. A value of no kind is null.
    pub(crate) fn into_delta(self) -> StateDelta {
        StateDelta::new(self.fields.into_iter().map(|entry| {
            let value = if entry.value.is_empty() { Bytes::from_static(NULL) } else { entry.value };
            (entry.key, value)
        }))
    }

    /// The merged state as readers see it.
    pub(crate) fn of(state: &State) -> Self {
        let entry = |(key, value): &(String, Bytes)| StateEntry { key: key.clone(), value: value.clone() };
        Self { fields: state.entries().iter().map(entry).collect() }
    }
}

fn count_fields(mut wire: Bytes) -> std::result::Result<usize, prost::DecodeError> {
    let mut count = 0;
    while !wire.is_empty() {
        let (tag, wire_type) = decode_key(&mut wire)?;
        skip_field(wire_type, tag, &mut wire, Default::default())?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use prost_types::{Struct, Value, value::Kind};

    use super::*;

    #[test]
    fn a_struct_keeps_its_values_bytes() {
        let number = |n| Value { kind: Some(Kind::NumberValue(n)) };
        let sent = Struct {
            fields: [
                ("app:a".to_owned(), number(1.0)),
                ("temp:t".to_owned(), number(2.0)),
                ("k".to_owned(), Value { kind: Some(Kind::NullValue(0)) }),
            ]
            .into(),
        };
        let delta = StateStruct::decode(sent.encode_to_vec().as_slice()).unwrap().into_delta();
        let state = State::merged(delta.app, delta.user, delta.session);
        let read = Struct::decode(StateStruct::of(&state).encode_to_vec().as_slice()).unwrap();
        let mut expected = sent;
        expected.fields.remove("temp:t");
        assert_eq!(read, expected);
    }

    #[test]
    fn more_keys_than_memory_should_hold_are_refused_before_they_are_read() {
        let many = Bytes::from([0x0a, 0x00].repeat(MAX_KEYS + 1));
        let error = StateStruct::read(many, "event.actions.state_delta").unwrap_err();
        assert!(error.message().contains("At most 200000 keys"), "{error}");
        let enough = Bytes::from([0x0a, 0x00].repeat(MAX_KEYS));
        assert!(StateStruct::read(enough, "event.actions.state_delta").is_ok());
    }

    #[test]
    fn a_value_of_no_kind_is_null() {
        let sent = StateStruct { fields: vec![StateEntry { key: "k".into(), value: Bytes::new() }] };
        assert_eq!(sent.into_delta().session, vec![("k".to_owned(), Bytes::from_static(NULL))]);
    }
}
