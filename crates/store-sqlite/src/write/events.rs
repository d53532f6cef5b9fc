//! Events: append.

use colloquy_sessions::state::Scope;
use colloquy_sessions::store::{Append, Appended, NewEvent, StoreError};
use rusqlite::params;

use super::engines::later;
use super::requests::Asked;
use super::sessions::Clock;
use super::state::Owners;
use super::{Write, requests, sessions, state};
use crate::error::Attempt;
use crate::row;

/// See `Store::append_events`.
pub(crate) fn append(write: &mut Write<'_>, append: &Append) -> Attempt<Vec<Appended>> {
    let (engine_key, mut clock) = sessions::live(write, &append.session, append.now)?;
    let asked = Asked::of_session(engine_key, clock.session_key);
    requests::check(write, asked, append.request.as_ref())?;
    let appended = if append.events.len() == 1 {
        put_all(write, engine_key, &mut clock, append)?
    } else {
        // What the first events changed is undone where a later one is refused.
        write.execute(sql!("events/savepoint"), ())?;
        let appended = put_all(write, engine_key, &mut clock, append);
        if appended.is_err() {
            write.execute(sql!("events/roll_back"), ())?;
        }
        write.execute(sql!("events/release"), ())?;
        appended?
    };
    write.execute(
        sql!("events/advance_clock"),
        (clock.session_key, clock.update_time.0, clock.last_sequence, clock.state.session),
    )?;
    requests::record(write, asked, append.request.as_ref())?;
    Ok(appended)
}

/// Writes events and states, and moves `clock` on.
fn put_all(write: &Write<'_>, engine_key: i64, clock: &mut Clock, append: &Append) -> Attempt<Vec<Appended>> {
    let put = |event| put(write, engine_key, clock, append, event);
    append.events.iter().map(put).collect()
}

fn put(
    write: &Write<'_>,
    engine_key: i64,
    clock: &mut Clock,
    append: &Append,
    event: &NewEvent,
) -> Attempt<Appended> {
    let event_id = row::id_column(event.id)?;
    let sequence = clock.last_sequence.saturating_add(1);
    let appended = Appended {
        sequence: u64::try_from(sequence)
            .map_err(|_| StoreError::Internal(format!("{} has the sequence {sequence}", append.session)))?,
        update_time: later(event.update_time, clock.update_time),
    };
    if !event.delta.is_empty() {
        let before = clock.state;
        let owners =
            Owners { engine_key, user_key: Some(clock.user_key), session_key: Some(clock.session_key) };
        let after = state::grown(write.connection, owners, before, &event.delta, append.state_limit)?;
        state::put(write, Scope::Session, clock.session_key, &event.delta)?;
        state::put_shared(write, engine_key, clock.user_key, &event.delta, before, after)?;
        clock.state = after;
    }
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
    clock.last_sequence = sequence;
    clock.update_time = appended.update_time;
    Ok(appended)
}
