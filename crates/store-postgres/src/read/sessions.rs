//! Sessions: get, list.

use aip_filter::{Lookup, OrderTerm};
use colloquy_sessions::labels::Labels;
use colloquy_sessions::page::{Cursor, Filling, Page, cursor};
use colloquy_sessions::query::{Range, SessionField, SessionOrder, required_text, session_order_mark};
use colloquy_sessions::session::Session;
use colloquy_sessions::state::State;
use colloquy_sessions::store::{SessionQuery, StoreError};
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, SessionName};
use tokio_postgres::Row;

use super::engines::AFTER_ALL_TEXTS;
use super::state::States;
use super::{chunk, engines};
use crate::database::{Database, Parameter, Query, first, query};
use crate::engine_keys::EngineKeys;
use crate::error::Attempt;
use crate::query::{self, Owner};
use crate::row;
use crate::transaction::Transaction;

/// How many sessions' states are read at once.
const STATES: usize = 16;

/// The key of a live session.
pub(crate) async fn find(
    transaction: &Transaction<'_>,
    engine_key: i64,
    session_id: &str,
    now: Timestamp,
) -> Attempt<Option<i64>> {
    let parameters: [Parameter<'_>; 2] = [&engine_key, &session_id.as_bytes()];
    let Some(row) = first(transaction, sql!("sessions/find"), &parameters).await? else { return Ok(None) };
    let expire_time: i64 = row.try_get(1)?;
    Ok(if expire_time > now.0 { Some(row.try_get(0)?) } else { None })
}

/// The keys of a live session of a live engine: the engine's and its own.
pub(crate) async fn find_named(
    transaction: &Transaction<'_>,
    name: &SessionName,
    now: Timestamp,
) -> Attempt<Option<(i64, i64)>> {
    let Some(engine_key) = engines::find(transaction, &name.engine).await? else { return Ok(None) };
    let session_key = find(transaction, engine_key, &name.session, now).await?;
    Ok(session_key.map(|session_key| (engine_key, session_key)))
}

/// A live session, in one statement where the engine's key is known.
pub(crate) async fn get_one(
    database: &Database,
    engines: &EngineKeys,
    name: &SessionName,
    now: Timestamp,
) -> Attempt<Option<Session>> {
    let known = engines.get(&name.engine);
    if let Some(engine_key) = known {
        let found = get_with(database, engine_key, name, now).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    // Not there, or the key is that of an engine which is gone.
    match engines::find_one(database, &name.engine).await? {
        Some(engine_key) if known != Some(engine_key) => {
            engines.put(&name.engine, engine_key);
            get_with(database, engine_key, name, now).await
        }
        _ => Ok(None),
    }
}

async fn get_with(
    database: &Database,
    engine_key: i64,
    name: &SessionName,
    now: Timestamp,
) -> Attempt<Option<Session>> {
    let parameters: [Parameter<'_>; 3] = [&engine_key, &name.session.as_bytes(), &now.0];
    let rows = database.select(sql!("sessions/get"), &parameters).await?;
    assemble(&name.engine, &rows)
}

/// The session within a transaction, whenever it ends.
pub(crate) async fn get(
    transaction: &Transaction<'_>,
    engine_key: i64,
    name: &SessionName,
) -> Attempt<Option<Session>> {
    let parameters: [Parameter<'_>; 3] = [&engine_key, &name.session.as_bytes(), &i64::MIN];
    let rows = query(transaction, sql!("sessions/get"), &parameters).await?;
    assemble(&name.engine, &rows)
}

/// A session out of its own row and those of its state.
fn assemble(engine: &EngineName, rows: &[Row]) -> Attempt<Option<Session>> {
    let (mut record, mut app, mut user, mut own) = (None, Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let keys = match row.try_get(9)? {
            1 => &mut app,
            2 => &mut user,
            3_i32 => &mut own,
            _ => {
                record = Some(Record::read(row)?);
                continue;
            }
        };
        keys.push((row::text(row, 10)?, row::bytes(row, 11)?));
    }
    Ok(record.map(|record| record.into_session(engine, State::merged(app, user, own))))
}

impl Query for SessionQuery {
    type Output = Page<Session>;

    /// The live sessions of an engine.
    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Page<Session>> {
        let engine_key = engines::find(snapshot, &self.engine).await?.ok_or(StoreError::EngineNotFound)?;
        let after = self.after.as_ref().map(|cursor| Place::read(&self.order, cursor)).transpose()?;
        let filter = self.filter.as_ref();
        let mut page = Filling::new(self.limit);
        let user_key = match required_text(filter, SessionField::UserId) {
            Some(user_id) => match find_user(snapshot, engine_key, user_id).await? {
                Some(user_key) => Some(user_key),
                None => return Ok(page.finish(None)),
            },
            None => None,
        };
        let owner = if user_key.is_some() { Owner::User } else { Owner::Engine };
        let sql = query::list_sessions(owner, &self.order);
        let mut place = after.unwrap_or_else(|| Place::before_all(&self.order));
        let mut states = States::of_engine(engine_key);
        let mut found: Vec<(Record, Place)> = Vec::new();
        let mut done_with: Option<Place> = None;
        let mut has_more = false;
        for statements in 0.. {
            let range = walked(self, &place);
            let asked = chunk(self.limit, filter.is_some(), statements);
            let limit = row::count(asked);
            let mut parameters: Vec<Parameter<'_>> =
                vec![&engine_key, &range.earliest, &range.latest, &self.now.0];
            parameters.extend(user_key.as_ref().map(|key| key as Parameter<'_>));
            parameters.extend([&limit as Parameter<'_>, &place.id]);
            parameters.extend(place.values.iter().map(|value| value as Parameter<'_>));
            let rows = query(snapshot, &sql, &parameters).await?;
            let is_last = rows.len() < asked;
            for row in &rows {
                let record = Record::read(row)?;
                let passes = filter.is_none_or(|filter| filter.matches(&record));
                if page.is_tired() || (passes && found.len() >= self.limit.max(1)) {
                    has_more = true;
                    break;
                }
                place = Place::of(&self.order, &record);
                done_with = Some(place.clone());
                if passes {
                    found.push((record, place.clone()));
                }
            }
            if is_last || has_more {
                break;
            }
        }
        // States are read when it is known which sessions are shown.
        let mut found = found.into_iter().peekable();
        let mut last_shown = None;
        while found.peek().is_some() {
            let group: Vec<_> = found.by_ref().take(STATES).collect();
            let keys: Vec<_> =
                group.iter().map(|(record, _)| (record.user_key, record.session_key)).collect();
            for ((record, place), state) in group.into_iter().zip(states.merged(snapshot, &keys).await?) {
                if page.is_full() {
                    return Ok(page.finish(last_shown.map(|place: Place| place.write(&self.order))));
                }
                let bytes = state.entries().iter().map(|(key, value)| key.len() + value.len()).sum();
                page.push(record.into_session(&self.engine, state), bytes);
                last_shown = Some(place);
            }
        }
        let next = if has_more { done_with } else { None };
        Ok(page.finish(next.map(|place| place.write(&self.order))))
    }
}

/// The range of the first sort value that holds the rest of the list.
fn walked(query: &SessionQuery, after: &Place) -> Range {
    let first = query.order.first();
    let field = match first.map(|term| term.field) {
        Some(SessionOrder::CreateTime) => SessionField::CreateTime,
        _ => SessionField::UpdateTime,
    };
    let mut range = Range::of(query.filter.as_ref(), field);
    if let Some(value) = after.values.first() {
        if first.is_some_and(|term| term.descending) {
            range.latest = range.latest.min(*value);
        } else {
            range.earliest = range.earliest.max(*value);
        }
    }
    range
}

/// The key of a user.
async fn find_user(transaction: &Transaction<'_>, engine_key: i64, user_id: &str) -> Attempt<Option<i64>> {
    let parameters: [Parameter<'_>; 2] = [&engine_key, &user_id.as_bytes()];
    let row = first(transaction, sql!("sessions/find_user"), &parameters).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
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
    fn read(row: &Row) -> Attempt<Self> {
        Ok(Self {
            session_key: row.try_get(0)?,
            user_key: row.try_get(1)?,
            session_id: row::text(row, 2)?,
            user_id: row::text(row, 3)?,
            display_name: row::text(row, 4)?,
            labels: row::labels(row, 5)?,
            create_time: row.try_get(6)?,
            update_time: row.try_get(7)?,
            expire_time: row.try_get(8)?,
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
#[derive(Clone)]
struct Place {
    values: Vec<i64>,
    id: Vec<u8>,
}

impl Place {
    /// Before every session.
    fn before_all(order: &[OrderTerm<SessionOrder>]) -> Self {
        let value = |term: &OrderTerm<SessionOrder>| if term.descending { i64::MAX } else { i64::MIN };
        let id = match order.last() {
            Some(term) if term.descending => AFTER_ALL_TEXTS.to_vec(),
            _ => Vec::new(),
        };
        Self { values: order.iter().map(value).collect(), id }
    }

    fn of(order: &[OrderTerm<SessionOrder>], record: &Record) -> Self {
        let value = |term: &OrderTerm<SessionOrder>| match term.field {
            SessionOrder::CreateTime => record.create_time,
            SessionOrder::UpdateTime => record.update_time,
        };
        Self { values: order.iter().map(value).collect(), id: record.session_id.clone().into_bytes() }
    }

    fn read(order: &[OrderTerm<SessionOrder>], cursor: &Cursor) -> Result<Self, StoreError> {
        let list = session_order_mark(order);
        let (values, id) = match order {
            [_] => cursor::read::<1>(list, cursor).map(|(values, id)| (values.to_vec(), id))?,
            [_, _] => cursor::read::<2>(list, cursor).map(|(values, id)| (values.to_vec(), id))?,
            _ => return Err(StoreError::BadCursor),
        };
        Ok(Self { values, id: id.as_bytes().to_vec() })
    }

    fn write(&self, order: &[OrderTerm<SessionOrder>]) -> Cursor {
        // Only places of sessions are written, whose ids are texts.
        cursor::write(session_order_mark(order), &self.values, &String::from_utf8_lossy(&self.id))
    }
}
