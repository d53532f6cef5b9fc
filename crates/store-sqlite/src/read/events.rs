//! Events: list.

use aip_filter::Lookup;
use colloquy_sessions::event::Event;
use colloquy_sessions::page::{Filling, Page, cursor};
use colloquy_sessions::query::{EventField, Range};
use colloquy_sessions::store::{EventQuery, StoreError};
use colloquy_sessions::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::sessions;
use crate::error::Attempt;
use crate::row;

const ASCENDING: u8 = b'e';
const DESCENDING: u8 = b'E';

/// The events of a live session.
pub(crate) fn list(connection: &Connection, query: &EventQuery) -> Attempt<Page<Event>> {
    let session_key =
        sessions::find_named(connection, &query.session, query.now)?.ok_or(StoreError::SessionNotFound)?;
    let filter = query.filter.as_ref();
    let range = Range::of(filter, EventField::Timestamp);
    // Sequences begin at 1, so that (earliest, 0) and (latest, MAX) leave nothing out.
    let (list, sql, start, end) = if query.descending {
        (DESCENDING, sql!("events/list_descending"), [range.latest, i64::MAX], range.earliest)
    } else {
        (ASCENDING, sql!("events/list_ascending"), [range.earliest, 0], range.latest)
    };
    let [timestamp, sequence] = match &query.after {
        Some(after) => {
            let place = cursor::read_numbers::<2>(list, after)?;
            if query.descending { place.min(start) } else { place.max(start) }
        }
        None => start,
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![session_key, timestamp, sequence, end])?;
    let mut page = Filling::new(query.limit);
    let mut done_with = None;
    while let Some(row) = rows.next()? {
        let passes = match filter {
            Some(filter) => filter.matches(&Fields::read(row)?),
            None => true,
        };
        if page.is_tired() || (passes && page.is_full()) {
            return Ok(page.finish(done_with));
        }
        let (timestamp, sequence): (i64, i64) = (row.get(0)?, row.get(1)?);
        done_with = Some(cursor::write(list, &[timestamp, sequence], ""));
        if passes {
            let payload = row::bytes(row, 5)?;
            let bytes = payload.len();
            let event = Event {
                id: row::unsigned(row, 2)?,
                sequence: row::unsigned(row, 1)?,
                timestamp: Timestamp(timestamp),
                payload,
            };
            page.push(event, bytes);
        }
    }
    Ok(page.finish(None))
}

/// What a filter may ask, without the payload.
struct Fields<'a> {
    timestamp: i64,
    author: &'a str,
    invocation_id: &'a str,
}

impl<'a> Fields<'a> {
    fn read(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            timestamp: row.get(0)?,
            author: row.get_ref(3)?.as_str()?,
            invocation_id: row.get_ref(4)?.as_str()?,
        })
    }
}

impl Lookup<EventField> for Fields<'_> {
    fn string(&self, field: EventField) -> &str {
        match field {
            EventField::Author => self.author,
            EventField::InvocationId => self.invocation_id,
            EventField::Timestamp => "",
        }
    }

    fn timestamp(&self, _: EventField) -> i64 {
        self.timestamp
    }
}
