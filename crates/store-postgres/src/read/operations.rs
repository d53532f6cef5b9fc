//! Operations: get, list.

use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::{Filling, Page, cursor};
use colloquy_sessions::query::{OperationField, Range};
use colloquy_sessions::store::OperationQuery;
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName, OperationParent, SessionName};
use tokio_postgres::Row;

use super::{chunk, engines, sessions};
use crate::database::{Parameter, Query, first, query};
use crate::error::Attempt;
use crate::row;
use crate::transaction::Transaction;

const LIST: u8 = b'o';

/// See `Store::get_operation`.
pub(crate) struct Get<'a> {
    pub(crate) location: &'a LocationName,
    pub(crate) id: u64,
    pub(crate) now: Timestamp,
}

impl Query for Get<'_> {
    type Output = Option<Operation>;

    /// A visible operation of a location: it is as visible as what it hangs from.
    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Option<Operation>> {
        // What is beyond the range was never stored.
        let Ok(id) = row::id_column(self.id) else { return Ok(None) };
        let LocationName { project, location } = self.location;
        let parameters: [Parameter<'_>; 3] = [&id, &project.as_bytes(), &location.as_bytes()];
        let Some(row) = first(snapshot, sql!("operations/get"), &parameters).await? else { return Ok(None) };
        let (engine_key, session_key): (Option<i64>, Option<i64>) = (row.try_get(6)?, row.try_get(7)?);
        let Some(engine_key) = engine_key else {
            return Ok(Some(operation(self.location.clone().into(), &row)?));
        };
        let Some(found) = first(snapshot, sql!("operations/engine_of"), &[&engine_key]).await? else {
            return Ok(None);
        };
        let engine = EngineName { location: self.location.clone(), engine: row::text(&found, 0)? };
        let Some(session_key) = session_key else {
            return Ok(Some(operation(engine.into(), &row)?));
        };
        let parameters: [Parameter<'_>; 3] = [&engine_key, &session_key, &self.now.0];
        let Some(found) = first(snapshot, sql!("operations/session_of"), &parameters).await? else {
            return Ok(None);
        };
        let session = SessionName { engine, session: row::text(&found, 0)? };
        Ok(Some(operation(session.into(), &row)?))
    }
}

impl Query for OperationQuery {
    type Output = Page<Operation>;

    /// The operations that hang directly from a parent, newest first.
    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Page<Operation>> {
        let filter = self.filter.as_ref();
        let range = Range::of(filter, OperationField::CreateTime);
        let [mut time, mut id] = match &self.after {
            Some(after) => cursor::read_numbers::<2>(LIST, after)?,
            None => [i64::MAX, i64::MAX],
        };
        let mut page = Filling::new(self.limit);
        let Some(home) = Home::find(snapshot, &self.parent, self.now).await? else {
            return Ok(page.finish(None));
        };
        let mut done_with = None;
        for statements in 0.. {
            let asked = chunk(self.limit, filter.is_some(), statements);
            let limit = row::count(asked);
            let mut parameters: Vec<Parameter<'_>> = vec![&time, &id, &range.earliest, &limit];
            let sql = home.add_to(&mut parameters);
            let rows = query(snapshot, sql, &parameters).await?;
            let is_last = rows.len() < asked;
            for row in rows {
                let operation = operation(self.parent.clone(), &row)?;
                let passes = filter.is_none_or(|filter| filter.matches(&operation));
                if page.is_tired() || (passes && page.is_full()) {
                    return Ok(page.finish(done_with));
                }
                (time, id) = (operation.create_time.0, row.try_get(0)?);
                done_with = Some(cursor::write(LIST, &[time, id], ""));
                if passes {
                    page.push(operation, 0);
                }
            }
            if is_last {
                break;
            }
        }
        Ok(page.finish(None))
    }
}

/// What a list of operations hangs from.
enum Home<'a> {
    Location(&'a [u8], &'a [u8]),
    Engine(i64),
    Session(i64, i64),
}

impl<'a> Home<'a> {
    async fn find(
        snapshot: &Transaction<'_>,
        parent: &'a OperationParent,
        now: Timestamp,
    ) -> Attempt<Option<Self>> {
        Ok(match parent {
            OperationParent::Location(LocationName { project, location }) => {
                Some(Self::Location(project.as_bytes(), location.as_bytes()))
            }
            OperationParent::Engine(name) => engines::find(snapshot, name).await?.map(Self::Engine),
            OperationParent::Session(name) => sessions::find_named(snapshot, name, now)
                .await?
                .map(|(engine_key, session_key)| Self::Session(engine_key, session_key)),
        })
    }

    /// Adds its own parameters; the statement that takes them.
    fn add_to<'p>(&'p self, parameters: &mut Vec<Parameter<'p>>) -> &'static str {
        match self {
            Self::Location(project, location) => {
                parameters.extend([project as Parameter<'p>, location]);
                sql!("operations/list_of_location")
            }
            Self::Engine(engine_key) => {
                parameters.push(engine_key);
                sql!("operations/list_of_engine")
            }
            Self::Session(engine_key, session_key) => {
                parameters.extend([engine_key as Parameter<'p>, session_key]);
                sql!("operations/list_of_session")
            }
        }
    }
}

fn operation(parent: OperationParent, row: &Row) -> Attempt<Operation> {
    Ok(Operation {
        id: row::unsigned(row, 0)?,
        parent,
        kind: row::kind(row, 1)?,
        version: row::version(row, 2)?,
        done: row.try_get(3)?,
        create_time: Timestamp(row.try_get(4)?),
        update_time: Timestamp(row.try_get(5)?),
    })
}
