//! Engines: get, list.

use bytes::Bytes;
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::page::{Filling, Page, cursor};
use colloquy_sessions::query::{EngineField, Range};
use colloquy_sessions::store::EngineQuery;
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::Attempt;
use crate::row;

const LIST: u8 = b'n';
const SETTINGS: usize = 5;

/// The key of a live engine.
pub(crate) fn find(connection: &Connection, name: &EngineName) -> rusqlite::Result<Option<i64>> {
    let LocationName { project, location } = &name.location;
    connection
        .prepare_cached(sql!("engines/find"))?
        .query_row((project, location, &name.engine), |row| row.get(0))
        .optional()
}

/// A live engine with its key.
pub(crate) fn get(connection: &Connection, name: &EngineName) -> rusqlite::Result<Option<(i64, Engine)>> {
    let LocationName { project, location } = &name.location;
    connection
        .prepare_cached(sql!("engines/get"))?
        .query_row((project, location, &name.engine), |row| {
            let mut engine = engine(&name.location, row)?;
            engine.content.settings = row::bytes(row, SETTINGS)?;
            Ok((row.get(0)?, engine))
        })
        .optional()
}

/// The live engines of a location, newest first.
pub(crate) fn list(connection: &Connection, query: &EngineQuery) -> Attempt<Page<Engine>> {
    let filter = query.filter.as_ref();
    let range = Range::of(filter, EngineField::CreateTime);
    let ([time], id) = match &query.after {
        Some(after) => cursor::read::<1>(LIST, after)?,
        // No text is greater than this one, and ids are short.
        None => ([i64::MAX], "\u{10ffff}"),
    };
    let LocationName { project, location } = &query.location;
    let mut statement = connection.prepare_cached(sql!("engines/list"))?;
    let mut rows = statement.query(params![project, location, time, id, range.earliest])?;
    let mut page = Filling::new(query.limit);
    let mut done_with = None;
    while let Some(row) = rows.next()? {
        let mut engine = engine(&query.location, row)?;
        let passes =
            engine.create_time.0 <= range.latest && filter.is_none_or(|filter| filter.matches(&engine));
        if page.is_tired() || (passes && page.is_full()) {
            return Ok(page.finish(done_with));
        }
        done_with = Some(cursor::write(LIST, &[engine.create_time.0], &engine.name.engine));
        if passes {
            engine.content.settings = row::bytes(row, SETTINGS)?;
            let bytes = engine.content.settings.len();
            page.push(engine, bytes);
        }
    }
    Ok(page.finish(None))
}

/// All but the settings, which may be large and which no filter names.
fn engine(location: &LocationName, row: &Row<'_>) -> rusqlite::Result<Engine> {
    Ok(Engine {
        name: EngineName { location: location.clone(), engine: row.get(1)? },
        content: EngineContent {
            display_name: row.get(2)?,
            description: row.get(3)?,
            labels: row::labels(row, 4)?,
            settings: Bytes::new(),
        },
        revision: row.get(6)?,
        create_time: Timestamp(row.get(7)?),
        update_time: Timestamp(row.get(8)?),
    })
}
