//! Events: append.

use colloquy_sessions::state::Scope;
use colloquy_sessions::store::{Appended, NewEvent, StoreError};
use rusqlite::params;

use super::engines::later;
use super::state::Owners;
use super::{Write, sessions, state};
use crate::error::Attempt;
use crate::row;

/// See `Store::append_event`.
pub(crate) fn append(write: &mut Write<'_>, event: &NewEvent) -> Attempt<Appended> {
    let (engine_key, clock) = sessions::live(write, &event.session, event.now)?;
    let event_id = row::id_column(event.id)?;
    let sequence = clock.last_sequence.saturating_add(1);
    let appended = Appended {
        sequence: u64::try_from(sequence)
            .map_err(|_| StoreError::Internal(format!("{} has the sequence {sequence}", event.session)))?,
        update_time: later(event.update_time, clock.update_time),
    };
    let mut state_bytes = clock.state.session;
    if !event.delta.is_empty() {
        let before = clock.state;
        let owners =
            Owners { engine_key, user_key: Some(clock.user_key), session_key: Some(clock.session_key) };
        let after = state::grown(write.connection, owners, before, &event.delta, event.state_limit)?;
        state::put(write, Scope::Session, clock.session_key, &event.delta)?;
        state::put_shared(write, engine_key, clock.user_key, &event.delta, before, after)?;
        state_bytes = after.session;
    }
    write.execute(
        sql!("events/advance_clock"),
        (clock.session_key, appended.update_time.0, sequence, state_bytes),
    )?;
    write.execute(
        sql!("events/insert"),
        params![
            clock.session_key,
            event.timestamp.0,
            sequence,
            event_id,
            event.author,
            event.invocation_id,
            &*event.payload,
        ],
    )?;
    Ok(appended)
}
