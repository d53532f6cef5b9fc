//! Sessions.

use bytes::Bytes;
use colloquy_contract::v1beta1 as wire;
use colloquy_sessions::Timestamp;
use colloquy_sessions::error::Result;
use colloquy_sessions::service::{SessionChanges, SessionDraft};
use colloquy_sessions::session::{Expiration, Session};
use prost::Message as _;

use super::state::StateStruct;
use super::time;

/// A session as it is answered. An empty state is absent (contract section 4.1).
pub(crate) fn to_message(session: &Session) -> wire::Session {
    let state = StateStruct::of(&session.state).encode_to_vec();
    wire::Session {
        name: session.name.to_string(),
        create_time: Some(time::to_message(session.create_time)),
        update_time: Some(time::to_message(session.update_time)),
        display_name: session.display_name.clone(),
        labels: session.labels.clone().into_iter().collect(),
        session_state: (!state.is_empty()).then(|| Bytes::from(state)),
        user_id: session.user_id.clone(),
        expiration: Some(wire::session::Expiration::ExpireTime(time::to_message(session.expire_time))),
    }
}

/// A session to be created. Output-only fields are ignored (AIP-203).
pub(crate) fn to_draft(message: wire::Session) -> Result<SessionDraft> {
    Ok(SessionDraft {
        user_id: message.user_id,
        display_name: message.display_name,
        labels: message.labels.into_iter().collect(),
        expiration: message.expiration.map(to_expiration),
        state: read_state(message.session_state)?.into_delta(),
    })
}

/// What an update asks for.
pub(crate) fn to_changes(message: wire::Session, mask: Vec<String>) -> SessionChanges {
    SessionChanges {
        mask,
        display_name: message.display_name,
        labels: message.labels.into_iter().collect(),
        expiration: message.expiration.map(to_expiration),
        has_state: message.session_state.is_some_and(|state| !state.is_empty()),
        user_id: message.user_id,
    }
}

fn to_expiration(expiration: wire::session::Expiration) -> Expiration {
    match expiration {
        wire::session::Expiration::Ttl(ttl) => Expiration::Ttl { seconds: ttl.seconds, nanos: ttl.nanos },
        wire::session::Expiration::ExpireTime(instant) => Expiration::At(round_up(&instant)),
    }
}

/// An end is stored to the microsecond: never earlier than asked.
fn round_up(instant: &prost_types::Timestamp) -> Timestamp {
    let micros = time::from_message(instant);
    if instant.nanos % 1_000 > 0 { Timestamp(micros.0.saturating_add(1)) } else { micros }
}

fn read_state(state: Option<Bytes>) -> Result<StateStruct> {
    StateStruct::read(state.unwrap_or_default(), "session.session_state")
}
