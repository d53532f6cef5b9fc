//! Operations: get, list.

use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::{Filling, Page, cursor};
use colloquy_sessions::query::{OperationField, Range};
use colloquy_sessions::store::OperationQuery;
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName, OperationParent, SessionName};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::{engines, sessions};
use crate::error::Attempt;
use crate::row;

const LIST: u8 = b'o';

/// A visible operation of a location, whatever it hangs from.
pub(crate) fn get(
    connection: &Connection,
    location: &LocationName,
    id: u64,
    now: Timestamp,
) -> rusqlite::Result<Option<Operation>> {
    // What is beyond the range was never stored.
    let Ok(id) = row::id_column(id) else { return Ok(None) };
    connection
        .prepare_cached(sql!("operations/get"))?
        .query_row(params![id, location.project, location.location, now.0], |row| {
            let engine = |engine| EngineName { location: location.clone(), engine };
            let parent = match (row.get::<_, Option<String>>(6)?, row.get::<_, Option<String>>(7)?) {
                (Some(id), Some(session)) => SessionName { engine: engine(id), session }.into(),
                (Some(id), None) => engine(id).into(),
                (None, _) => location.clone().into(),
            };
            operation(parent, row)
        })
        .optional()
}

/// The operations that hang directly from a parent, newest first.
pub(crate) fn list(connection: &Connection, query: &OperationQuery) -> Attempt<Page<Operation>> {
    let filter = query.filter.as_ref();
    let range = Range::of(filter, OperationField::CreateTime);
    let [time, id] = match &query.after {
        Some(after) => cursor::read_numbers::<2>(LIST, after)?,
        None => [i64::MAX, i64::MAX],
    };
    let mut page = Filling::new(query.limit);
    let mut parameters: Vec<Value> = vec![time.into(), id.into(), range.earliest.into()];
    let (sql, key) = match &query.parent {
        OperationParent::Location(LocationName { project, location }) => {
            parameters.push(project.clone().into());
            (sql!("operations/list_of_location"), Some(location.clone().into()))
        }
        OperationParent::Engine(name) => {
            (sql!("operations/list_of_engine"), engines::find(connection, name)?.map(Value::from))
        }
        OperationParent::Session(name) => (
            sql!("operations/list_of_session"),
            sessions::find_named(connection, name, query.now)?.map(Value::from),
        ),
    };
    let Some(key) = key else { return Ok(page.finish(None)) };
    parameters.push(key);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    let mut done_with = None;
    while let Some(row) = rows.next()? {
        let operation = operation(query.parent.clone(), row)?;
        let passes = filter.is_none_or(|filter| filter.matches(&operation));
        if page.is_tired() || (passes && page.is_full()) {
            return Ok(page.finish(done_with));
        }
        done_with = Some(cursor::write(LIST, &[operation.create_time.0, row.get(0)?], ""));
        if passes {
            page.push(operation, 0);
        }
    }
    Ok(page.finish(None))
}

fn operation(parent: OperationParent, row: &Row<'_>) -> rusqlite::Result<Operation> {
    Ok(Operation {
        id: row::unsigned(row, 0)?,
        parent,
        kind: row::kind(row, 1)?,
        version: row::version(row, 2)?,
        done: row.get(3)?,
        create_time: Timestamp(row.get(4)?),
        update_time: Timestamp(row.get(5)?),
    })
}
