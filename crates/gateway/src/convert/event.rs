//! Events. Their bytes are kept as they come; only what rules need is lifted out.

use bytes::{BufMut as _, Bytes, BytesMut};
use colloquy_sessions::Error;
use colloquy_sessions::error::Result;
use colloquy_sessions::event::{Event, EventDraft};
use prost::Message as _;
use prost::encoding::{WireType, decode_key, encode_key, encode_varint, encoded_len_varint, skip_field};

use super::state::StateStruct;
use super::time;

/// The fields of a `SessionEvent` that rules need; all others are skipped unread.
#[derive(Clone, PartialEq, prost::Message)]
struct EventHead {
    #[prost(string, tag = "3")]
    author: String,
    #[prost(string, tag = "5")]
    invocation_id: String,
    #[prost(message, optional, tag = "6")]
    actions: Option<ActionsHead>,
    #[prost(message, optional, tag = "8")]
    timestamp: Option<prost_types::Timestamp>,
}

/// The one field of `EventActions` that rules need.
#[derive(Clone, PartialEq, prost::Message)]
struct ActionsHead {
    /// In pieces, where it comes in more than one: protobuf joins them.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    state_delta: Vec<Bytes>,
}

const NAME: u32 = 1;
const CONTENT: u32 = 4;
const ACTIONS: u32 = 6;
const EVENT_METADATA: u32 = 11;

/// An event to be appended, out of the wire bytes of a `SessionEvent`.
/// `field` names it in errors.
pub(crate) fn to_draft(event: Bytes, field: &str) -> Result<EventDraft> {
    let malformed = |problem| Error::field(field, format!("The event is malformed: {problem}."));
    let head = EventHead::decode(event.clone()).map_err(malformed)?;
    let state_delta = match head.actions.unwrap_or_default().state_delta.as_slice() {
        [whole] => whole.clone(),
        pieces => pieces.concat().into(),
    };
    let state_delta = StateStruct::read(state_delta, &format!("{field}.actions.state_delta"))?;
    Ok(EventDraft {
        author: head.author,
        invocation_id: head.invocation_id,
        timestamp: head.timestamp.as_ref().map(time::from_message),
        delta: state_delta.into_delta(),
        payload: seal(event).map_err(malformed)?,
    })
}

/// The id that the caller's framework gave the event: `rawEvent.id`.
pub(crate) fn raw_id(event: Bytes) -> Option<String> {
    #[derive(Clone, PartialEq, prost::Message)]
    struct RawEvent {
        #[prost(message, optional, tag = "12")]
        raw_event: Option<StateStruct>,
    }
    RawEvent::decode(event).ok()?.raw_event?.text("id")
}

/// The form that is stored: without a name, which is ours to give, and with the members that are always
/// answered (contract section 4.3).
fn seal(event: Bytes) -> std::result::Result<Bytes, prost::DecodeError> {
    let (mut content, mut actions, mut metadata) = (false, false, false);
    let mut names = Vec::new();
    let mut rest = event.clone();
    while !rest.is_empty() {
        let start = event.len() - rest.len();
        let (tag, wire_type) = decode_key(&mut rest)?;
        skip_field(wire_type, tag, &mut rest, Default::default())?;
        match tag {
            NAME => names.push((start, event.len() - rest.len())),
            CONTENT => content = true,
            ACTIONS => actions = true,
            EVENT_METADATA => metadata = true,
            _ => {}
        }
    }
    if names.is_empty() && content && actions && metadata {
        return Ok(event);
    }
    let mut sealed = BytesMut::with_capacity(event.len() + 6);
    let mut kept = 0;
    for (start, end) in names {
        sealed.put(event.slice(kept..start));
        kept = end;
    }
    sealed.put(event.slice(kept..));
    for (tag, present) in [(CONTENT, content), (ACTIONS, actions), (EVENT_METADATA, metadata)] {
        if !present {
            encode_key(tag, WireType::LengthDelimited, &mut sealed);
            encode_varint(0, &mut sealed);
        }
    }
    Ok(sealed.freeze())
}

/// The wire bytes of a `SessionEvent` as it is answered: its name, then what was stored. `prefix` is the
/// name of its session with `/events/` behind it.
pub(crate) fn to_message(event: &Event, prefix: &str) -> Bytes {
    let id = event.id.to_string();
    let name_bytes = prefix.len() + id.len();
    let mut message =
        BytesMut::with_capacity(1 + encoded_len_varint(name_bytes as u64) + name_bytes + event.payload.len());
    encode_key(NAME, WireType::LengthDelimited, &mut message);
    encode_varint(name_bytes as u64, &mut message);
    message.put_slice(prefix.as_bytes());
    message.put_slice(id.as_bytes());
    message.put_slice(&event.payload);
    message.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough of a `SessionEvent` to see what happens to its fields.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Probe {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(string, tag = "3")]
        author: String,
        #[prost(bytes = "vec", optional, tag = "4")]
        content: Option<Vec<u8>>,
        #[prost(bytes = "vec", optional, tag = "6")]
        actions: Option<Vec<u8>>,
        #[prost(string, tag = "10")]
        error_message: String,
        #[prost(bytes = "vec", optional, tag = "11")]
        event_metadata: Option<Vec<u8>>,
    }

    #[test]
    fn a_stored_event_has_no_name_and_all_constant_members() {
        let sent = Probe {
            name: "not/ours".into(),
            author: "user".into(),
            error_message: "e".into(),
            content: Some(vec![0x0a, 0x00]),
            ..Probe::default()
        };
        let draft = to_draft(sent.encode_to_vec().into(), "event").unwrap();
        assert_eq!(draft.author, "user");
        let stored = Probe::decode(draft.payload.clone()).unwrap();
        let expected =
            Probe { name: String::new(), actions: Some(vec![]), event_metadata: Some(vec![]), ..sent };
        assert_eq!(stored, expected);
        let event = Event { id: 7, sequence: 1, timestamp: Default::default(), payload: draft.payload };
        let answered = Probe::decode(to_message(&event, "p/events/")).unwrap();
        assert_eq!(answered, Probe { name: "p/events/7".into(), ..expected });
    }

    #[test]
    fn a_complete_event_is_stored_as_it_came() {
        let sent = Probe {
            content: Some(vec![]),
            actions: Some(vec![]),
            event_metadata: Some(vec![]),
            ..Probe::default()
        };
        let bytes = Bytes::from(sent.encode_to_vec());
        assert_eq!(to_draft(bytes.clone(), "event").unwrap().payload.as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        for bytes in [&[0x0a][..], &[0x0a, 0x05, 0x00], &[0xff], &[0x18, 0x01], &[0x07, 0x00]] {
            assert!(to_draft(Bytes::from_static(bytes), "event").is_err(), "{bytes:?}");
        }
    }
}
