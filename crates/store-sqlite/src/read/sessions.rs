//! Sessions: get, list.

use std::cmp::Ordering;

use aip_filter::{Lookup, OrderTerm};
use colloquy_sessions::labels::Labels;
use colloquy_sessions::page::{Cursor, Filling, Page, cursor};
use colloquy_sessions::query::{Range, SessionField, SessionOrder, required_text, session_order_mark};
use colloquy_sessions::session::Session;
use colloquy_sessions::state::State;
use colloquy_sessions::store::{SessionQuery, StoreError};
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, SessionName};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::engines;
use super::state::States;
use crate::error::Attempt;
use crate::query::{self, Owner};
use crate::row;

/// The key of a live session.
pub(crate) fn find(
    connection: &Connection,
    engine_key: i64,
    session_id: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<i64>> {
    let found: Option<(i64, i64)> = connection
        .prepare_cached(sql!("sessions/find"))?
        .query_row((engine_key, session_id), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.filter(|(_, expire_time)| *expire_time > now.0).map(|(session_key, _)| session_key))
}

/// The key of a live session of a live engine.
pub(crate) fn find_named(
    connection: &Connection,
    name: &SessionName,
    now: Timestamp,
) -> rusqlite::Result<Option<i64>> {
    match engines::find(connection, &name.engine)? {
        Some(engine_key) => find(connection, engine_key, &name.session, now),
        None => Ok(None),
    }
}

/// A live session.
pub(crate) fn get(
    connection: &Connection,
    engine_key: i64,
    name: &SessionName,
    now: Timestamp,
) -> rusqlite::Result<Option<Session>> {
    let record = connection
        .prepare_cached(sql!("sessions/get"))?
        .query_row(params![engine_key, name.session, now.0], Record::read)
        .optional()?;
    let Some(record) = record else { return Ok(None) };
    let state = States::default().merged(connection, engine_key, record.user_key, record.session_key)?;
    Ok(Some(record.into_session(&name.engine, state)))
}

/// The live sessions of an engine.
pub(crate) fn list(connection: &Connection, query: &SessionQuery) -> Attempt<Page<Session>> {
    let engine_key = engines::find(connection, &query.engine)?.ok_or(StoreError::EngineNotFound)?;
    let after = query.after.as_ref().map(|cursor| Place::read(&query.order, cursor)).transpose()?;
    let filter = query.filter.as_ref();
    let mut page = Filling::new(query.limit);
    let owner = match required_text(filter, SessionField::UserId) {
        Some(user_id) => match find_user(connection, engine_key, user_id)? {
            Some((user_key, _)) => Owner::User(user_key),
            None => return Ok(page.finish(None)),
        },
        None => Owner::Engine(engine_key),
    };
    let range = walked(query, after.as_ref());
    let (Owner::Engine(owner_key) | Owner::User(owner_key)) = owner;
    let mut statement = connection.prepare_cached(&query::list_sessions(owner, &query.order))?;
    let mut rows = statement.query(params![owner_key, range.earliest, range.latest, query.now.0])?;
    let mut states = States::default();
    let mut done_with: Option<Place> = None;
    while let Some(row) = rows.next()? {
        let record = Record::read(row)?;
        let place = Place::of(&query.order, &record);
        if after.as_ref().is_some_and(|after| place.compare(after, &query.order) != Ordering::Greater) {
            continue;
        }
        let passes = filter.is_none_or(|filter| filter.matches(&record));
        if page.is_tired() || (passes && page.is_full()) {
            let next = done_with.map(|place| place.write(&query.order));
            return Ok(page.finish(next));
        }
        done_with = Some(place);
        if passes {
            let state = states.merged(connection, engine_key, record.user_key, record.session_key)?;
            let bytes = state.entries().iter().map(|(key, value)| key.len() + value.len()).sum();
            page.push(record.into_session(&query.engine, state), bytes);
        }
    }
    Ok(page.finish(None))
}

/// The range of the first sort value that holds the rest of the list.
fn walked(query: &SessionQuery, after: Option<&Place>) -> Range {
    let first = query.order.first();
    let field = match first.map(|term| term.field) {
        Some(SessionOrder::CreateTime) => SessionField::CreateTime,
        _ => SessionField::UpdateTime,
    };
    let mut range = Range::of(query.filter.as_ref(), field);
    if let Some(value) = after.and_then(|after| after.values.first()) {
        if first.is_some_and(|term| term.descending) {
            range.latest = range.latest.min(*value);
        } else {
            range.earliest = range.earliest.max(*value);
        }
    }
    range
}

/// The key of a user and the size of the user's state.
pub(crate) fn find_user(
    connection: &Connection,
    engine_key: i64,
    user_id: &str,
) -> rusqlite::Result<Option<(i64, i64)>> {
    connection
        .prepare_cached(sql!("sessions/find_user"))?
        .query_row((engine_key, user_id), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// A session without its state.
struct Record {
    session_key: i64,
    user_key: i64,
    session_id: String,
    user_id: String,
    display_name: String,
    labels: Labels,
    create_time: i64,
    update_time: i64,
    expire_time: i64,
}

impl Record {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            session_key: row.get(0)?,
            user_key: row.get(1)?,
            session_id: row.get(2)?,
            user_id: row.get(3)?,
            display_name: row.get(4)?,
            labels: row::labels(row, 5)?,
            create_time: row.get(6)?,
            update_time: row.get(7)?,
            expire_time: row.get(8)?,
        })
    }

    fn into_session(self, engine: &EngineName, state: State) -> Session {
        Session {
            name: SessionName { engine: engine.clone(), session: self.session_id },
            user_id: self.user_id,
            display_name: self.display_name,
            labels: self.labels,
            create_time: Timestamp(self.create_time),
            update_time: Timestamp(self.update_time),
            expire_time: Timestamp(self.expire_time),
            state,
        }
    }
}

impl Lookup<SessionField> for Record {
    fn string(&self, field: SessionField) -> &str {
        match field {
            SessionField::DisplayName => &self.display_name,
            SessionField::UserId => &self.user_id,
            _ => "",
        }
    }

    fn timestamp(&self, field: SessionField) -> i64 {
        match field {
            SessionField::UpdateTime => self.update_time,
            SessionField::ExpireTime => self.expire_time,
            _ => self.create_time,
        }
    }

    fn map_value(&self, _: SessionField, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }
}

/// A place in a list of sessions: a value for each term of the order, and the id.
struct Place {
    values: Vec<i64>,
    id: String,
}

impl Place {
    fn of(order: &[OrderTerm<SessionOrder>], record: &Record) -> Self {
        let value = |term: &OrderTerm<SessionOrder>| match term.field {
            SessionOrder::CreateTime => record.create_time,
            SessionOrder::UpdateTime => record.update_time,
        };
        Self { values: order.iter().map(value).collect(), id: record.session_id.clone() }
    }

    fn read(order: &[OrderTerm<SessionOrder>], cursor: &Cursor) -> Result<Self, StoreError> {
        let list = session_order_mark(order);
        let (values, id) = match order {
            [_] => cursor::read::<1>(list, cursor).map(|(values, id)| (values.to_vec(), id))?,
            [_, _] => cursor::read::<2>(list, cursor).map(|(values, id)| (values.to_vec(), id))?,
            _ => return Err(StoreError::BadCursor),
        };
        Ok(Self { values, id: id.to_owned() })
    }

    fn write(&self, order: &[OrderTerm<SessionOrder>]) -> Cursor {
        cursor::write(session_order_mark(order), &self.values, &self.id)
    }

    /// Which of two places comes first.
    fn compare(&self, other: &Self, order: &[OrderTerm<SessionOrder>]) -> Ordering {
        let directed =
            |ordering: Ordering, descending| if descending { ordering.reverse() } else { ordering };
        order
            .iter()
            .zip(self.values.iter().zip(&other.values))
            .map(|(term, (a, b))| directed(a.cmp(b), term.descending))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| {
                directed(self.id.cmp(&other.id), order.last().is_some_and(|term| term.descending))
            })
    }
}
