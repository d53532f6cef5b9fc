//! Events: list.

use aip_filter::Lookup;
use bytes::Bytes;
use colloquy_sessions::event::Event;
use colloquy_sessions::page::{Filling, Page, cursor};
use colloquy_sessions::query::{EventField, Range};
use colloquy_sessions::store::{EventQuery, StoreError};
use colloquy_sessions::time::Timestamp;
use tokio_postgres::Row;

use super::{CHUNK_BYTES, chunk, sessions};
use crate::database::{Query, query};
use crate::error::Attempt;
use crate::row;
use crate::transaction::Transaction;

const ASCENDING: u8 = b'e';
const DESCENDING: u8 = b'E';

impl Query for EventQuery {
    type Output = Page<Event>;

    /// The events of a live session.
    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Page<Event>> {
        let (engine_key, session_key) = sessions::find_named(snapshot, &self.session, self.now)
            .await?
            .ok_or(StoreError::SessionNotFound)?;
        let filter = self.filter.as_ref();
        let range = Range::of(filter, EventField::Timestamp);
        // Sequences begin at 1, so that (earliest, 0) and (latest, MAX) leave nothing out.
        let (list, sql, start, end) = if self.descending {
            (DESCENDING, sql!("events/list_descending"), [range.latest, i64::MAX], range.earliest)
        } else {
            (ASCENDING, sql!("events/list_ascending"), [range.earliest, 0], range.latest)
        };
        let [mut timestamp, mut sequence] = match &self.after {
            Some(after) => {
                let place = cursor::read_numbers::<2>(list, after)?;
                if self.descending { place.min(start) } else { place.max(start) }
            }
            None => start,
        };
        let mut page = Filling::new(self.limit);
        let mut done_with = None;
        for statements in 0.. {
            let asked = chunk(self.limit, filter.is_some(), statements);
            let rows = query(
                snapshot,
                sql,
                &[&engine_key, &session_key, &timestamp, &sequence, &end, &row::count(asked), &CHUNK_BYTES],
            )
            .await?;
            let is_last = rows.len() < asked;
            let mut cut = false;
            for row in rows {
                let passes = match filter {
                    Some(filter) => filter.matches(&Fields::read(&row)?),
                    None => true,
                };
                if page.is_tired() || (passes && page.is_full()) {
                    return Ok(page.finish(done_with));
                }
                let payload: Option<Vec<u8>> = row.try_get(5)?;
                if passes && payload.is_none() {
                    // Beyond the bytes of one statement: the next one begins here.
                    cut = true;
                    break;
                }
                (timestamp, sequence) = (row.try_get(0)?, row.try_get(1)?);
                done_with = Some(cursor::write(list, &[timestamp, sequence], ""));
                if passes {
                    let payload = payload.map(Bytes::from).unwrap_or_default();
                    let bytes = payload.len();
                    let event = Event {
                        id: row::unsigned(&row, 2)?,
                        sequence: row::unsigned(&row, 1)?,
                        timestamp: Timestamp(timestamp),
                        payload,
                    };
                    page.push(event, bytes);
                }
            }
            if is_last && !cut {
                break;
            }
        }
        Ok(page.finish(None))
    }
}

/// What a filter may ask, without the payload.
struct Fields {
    timestamp: i64,
    author: String,
    invocation_id: String,
}

impl Fields {
    fn read(row: &Row) -> Attempt<Self> {
        Ok(Self { timestamp: row.try_get(0)?, author: row::text(row, 3)?, invocation_id: row::text(row, 4)? })
    }
}

impl Lookup<EventField> for Fields {
    fn string(&self, field: EventField) -> &str {
        match field {
            EventField::Author => &self.author,
            EventField::InvocationId => &self.invocation_id,
            EventField::Timestamp => "",
        }
    }

    fn timestamp(&self, _: EventField) -> i64 {
        self.timestamp
    }
}
