//! Rows out of the tables, each kind in the order of its primary key.

use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::event::Event;
use colloquy_sessions::page::{Cursor, cursor};
use colloquy_sessions::state::Scope;
use colloquy_sessions::transfer::{
    EngineRecord, EventRecord, Kind, Limit, OperationRecord, Owner, RequestRecord, Rows, SessionRecord,
    StateRecord, UserRecord,
};
use resource_names::{EngineName, LocationName};
use tokio_postgres::Row;

use crate::database::{Parameter, Query, first, query};
use crate::error::Attempt;
use crate::key;
use crate::row::{self, count};
use crate::transaction::Transaction;

/// How cursors of this engine begin; the kind is kept beside them.
const LIST: u8 = b'T';
/// Below every key.
const BEFORE: i64 = i64::MIN;

/// See `Transfer::sizes`.
pub(super) struct Sizes;

impl Query for Sizes {
    type Output = [u64; Kind::ALL.len()];

    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Self::Output> {
        let mut sizes = [0; Kind::ALL.len()];
        if let Some(row) = first(snapshot, sql!("transfer/mark/sizes"), &[]).await? {
            for (column, size) in sizes.iter_mut().enumerate() {
                *size = row::unsigned(&row, column)?;
            }
        }
        Ok(sizes)
    }
}

/// See `Transfer::read`.
pub(super) struct Read<'a> {
    pub(super) kind: Kind,
    pub(super) after: Option<&'a Cursor>,
    pub(super) limit: Limit,
}

impl Query for Read<'_> {
    type Output = (Rows, Option<Cursor>);

    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Self::Output> {
        Ok(match self.kind {
            Kind::Engines => {
                let [key] = self.keys()?;
                let parameters: [Parameter<'_>; 3] = [&key, &self.rows(), &self.bytes()];
                let (rows, last) =
                    found(snapshot, sql!("transfer/read/engines"), &parameters, engine).await?;
                (Rows::Engines(rows), last)
            }
            Kind::Users => {
                let [engine, key] = self.keys()?;
                let parameters: [Parameter<'_>; 3] = [&engine, &key, &self.rows()];
                let (rows, last) = found(snapshot, sql!("transfer/read/users"), &parameters, user).await?;
                (Rows::Users(rows), last)
            }
            Kind::Sessions => {
                let [engine, key] = self.keys()?;
                let parameters: [Parameter<'_>; 3] = [&engine, &key, &self.rows()];
                let (rows, last) =
                    found(snapshot, sql!("transfer/read/sessions"), &parameters, session).await?;
                (Rows::Sessions(rows), last)
            }
            Kind::AppState => {
                let (rows, last) = self.states(snapshot, sql!("transfer/read/app_state"), Scope::App).await?;
                (Rows::AppState(rows), last)
            }
            Kind::UserState => {
                let (rows, last) =
                    self.states(snapshot, sql!("transfer/read/user_state"), Scope::User).await?;
                (Rows::UserState(rows), last)
            }
            Kind::SessionState => {
                let (rows, last) =
                    self.states(snapshot, sql!("transfer/read/session_state"), Scope::Session).await?;
                (Rows::SessionState(rows), last)
            }
            Kind::Events => {
                let [engine, session, timestamp, sequence] = self.keys()?;
                let (limit, bytes) = (self.rows(), self.bytes());
                let parameters: [Parameter<'_>; 6] =
                    [&engine, &session, &timestamp, &sequence, &limit, &bytes];
                let (rows, last) = found(snapshot, sql!("transfer/read/events"), &parameters, event).await?;
                (Rows::Events(rows), last)
            }
            Kind::Operations => {
                let [id] = self.keys()?;
                let parameters: [Parameter<'_>; 2] = [&id, &self.rows()];
                let (rows, last) =
                    found(snapshot, sql!("transfer/read/operations"), &parameters, operation).await?;
                (Rows::Operations(rows), last)
            }
            Kind::Requests => {
                let ([engine, session], id) = self.place()?;
                let parameters: [Parameter<'_>; 4] = [&engine, &session, &id.as_bytes(), &self.rows()];
                let (rows, last) =
                    found(snapshot, sql!("transfer/read/requests"), &parameters, request).await?;
                (Rows::Requests(rows), last)
            }
        })
    }
}

/// Rows, and the place behind the last one.
type Found<R> = (Vec<R>, Option<Cursor>);

async fn found<R>(
    snapshot: &Transaction<'_>,
    sql: &str,
    parameters: &[Parameter<'_>],
    read: impl Fn(&Row) -> Attempt<(R, Cursor)>,
) -> Attempt<Found<R>> {
    let rows = query(snapshot, sql, parameters).await?;
    let mut last = None;
    let mut records = Vec::with_capacity(rows.len());
    for row in &rows {
        let (record, place) = read(row)?;
        records.push(record);
        last = Some(place);
    }
    Ok((records, last))
}

impl Read<'_> {
    /// The place that the cursor holds, or one before everything.
    fn place<const N: usize>(&self) -> Attempt<([i64; N], &str)> {
        match self.after {
            Some(after) => Ok(cursor::read(LIST, after)?),
            None => Ok(([BEFORE; N], "")),
        }
    }

    fn keys<const N: usize>(&self) -> Attempt<[i64; N]> {
        Ok(self.place()?.0)
    }

    fn rows(&self) -> i64 {
        count(self.limit.rows)
    }

    fn bytes(&self) -> i64 {
        count(self.limit.bytes)
    }

    async fn states(
        &self,
        snapshot: &Transaction<'_>,
        sql: &str,
        scope: Scope,
    ) -> Attempt<Found<StateRecord>> {
        let ([engine, owner], key) = self.place()?;
        let hash = key::hash(key);
        let (hash, limit, bytes) = (hash.as_slice(), self.rows(), self.bytes());
        let parameters: Vec<Parameter<'_>> = match scope {
            Scope::App => vec![&engine, &hash, &limit, &bytes],
            Scope::User | Scope::Session => vec![&engine, &owner, &hash, &limit, &bytes],
        };
        let read = |row: &Row| {
            let (engine, owner, key) = (row.try_get(0)?, row.try_get(1)?, row::text(row, 2)?);
            let place = cursor::write(LIST, &[engine, owner], &key);
            Ok((StateRecord { scope, engine, owner, key, value: row::bytes(row, 3)? }, place))
        };
        found(snapshot, sql, &parameters, read).await
    }
}

/// The place behind a row with these keys.
fn behind(keys: &[i64]) -> Cursor {
    cursor::write(LIST, keys, "")
}

fn time(row: &Row, column: usize) -> Attempt<Timestamp> {
    Ok(Timestamp(row.try_get(column)?))
}

fn engine(row: &Row) -> Attempt<(EngineRecord, Cursor)> {
    let key = row.try_get(0)?;
    let location = LocationName { project: row::text(row, 1)?, location: row::text(row, 2)? };
    let engine = Engine {
        name: EngineName { location, engine: row::text(row, 3)? },
        content: EngineContent {
            display_name: row::text(row, 4)?,
            description: row::text(row, 5)?,
            labels: row::labels(row, 6)?,
            settings: row::bytes(row, 7)?,
        },
        revision: row.try_get(8)?,
        create_time: time(row, 9)?,
        update_time: time(row, 10)?,
    };
    let deleted: Option<i64> = row.try_get(11)?;
    let deleted_by = deleted.map(|_| row::unsigned(row, 11)).transpose()?;
    Ok((EngineRecord { key, engine, deleted_by, state_bytes: row.try_get(12)? }, behind(&[key])))
}

fn user(row: &Row) -> Attempt<(UserRecord, Cursor)> {
    let (engine, key) = (row.try_get(0)?, row.try_get(1)?);
    let record = UserRecord { engine, key, user_id: row::text(row, 2)?, state_bytes: row.try_get(3)? };
    Ok((record, behind(&[engine, key])))
}

fn session(row: &Row) -> Attempt<(SessionRecord, Cursor)> {
    let (engine, key) = (row.try_get(0)?, row.try_get(1)?);
    let record = SessionRecord {
        engine,
        key,
        user: row.try_get(2)?,
        session_id: row::text(row, 3)?,
        display_name: row::text(row, 4)?,
        labels: row::labels(row, 5)?,
        create_time: time(row, 6)?,
        expire_time: time(row, 7)?,
        update_time: time(row, 8)?,
        last_sequence: row::unsigned(row, 9)?,
        state_bytes: row.try_get(10)?,
    };
    Ok((record, behind(&[engine, key])))
}

fn event(row: &Row) -> Attempt<(EventRecord, Cursor)> {
    let (engine, session) = (row.try_get(0)?, row.try_get(1)?);
    let place = behind(&[engine, session, row.try_get(2)?, row.try_get(3)?]);
    let event = Event {
        timestamp: time(row, 2)?,
        sequence: row::unsigned(row, 3)?,
        id: row::unsigned(row, 4)?,
        payload: row::bytes(row, 7)?,
    };
    let (author, invocation_id) = (row::text(row, 5)?, row::text(row, 6)?);
    Ok((EventRecord { engine, session, event, author, invocation_id }, place))
}

fn operation(row: &Row) -> Attempt<(OperationRecord, Cursor)> {
    let owner = match (row.try_get(3)?, row.try_get(4)?) {
        (Some(engine), Some(session)) => Owner::Session { engine, session },
        (Some(engine), None) => Owner::Engine(engine),
        (None, _) => Owner::Location,
    };
    let record = OperationRecord {
        id: row::unsigned(row, 0)?,
        location: LocationName { project: row::text(row, 1)?, location: row::text(row, 2)? },
        owner,
        kind: row::kind(row, 5)?,
        version: row::version(row, 6)?,
        done: row.try_get(7)?,
        create_time: time(row, 8)?,
        update_time: time(row, 9)?,
    };
    Ok((record, behind(&[row.try_get(0)?])))
}

fn request(row: &Row) -> Attempt<(RequestRecord, Cursor)> {
    let (engine, session, id) = (row.try_get(0)?, row.try_get(1)?, row::text(row, 2)?);
    let place = cursor::write(LIST, &[engine, session], &id);
    let (fingerprint, answer) = (row::bytes(row, 3)?, row::bytes(row, 4)?);
    Ok((RequestRecord { engine, session, id, fingerprint, answer, time: time(row, 5)? }, place))
}
