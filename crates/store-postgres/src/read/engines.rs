//! Engines: get, list.

use bytes::Bytes;
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::page::{Filling, Page, cursor};
use colloquy_sessions::query::{EngineField, Range};
use colloquy_sessions::store::EngineQuery;
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName};
use tokio_postgres::Row;

use super::{CHUNK_BYTES, chunk};
use crate::database::{Database, Parameter, Query, first, query};
use crate::error::Attempt;
use crate::pipeline::Step;
use crate::row;
use crate::transaction::Transaction;

const LIST: u8 = b'n';
const SETTINGS: usize = 8;
/// Greater than every text.
pub(super) const AFTER_ALL_TEXTS: &[u8] = &[0xff];

/// The key of a live engine, by `sql`, which may also lock it.
async fn key(transaction: &Transaction<'_>, sql: &str, name: &EngineName) -> Attempt<Option<i64>> {
    let LocationName { project, location } = &name.location;
    let row = first(transaction, sql, &[&project.as_bytes(), &location.as_bytes(), &name.engine.as_bytes()])
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The key of a live engine.
pub(crate) async fn find(transaction: &Transaction<'_>, name: &EngineName) -> Attempt<Option<i64>> {
    key(transaction, sql!("engines/find"), name).await
}

/// The key of a live engine, as a step.
pub(crate) fn find_step(name: &EngineName) -> Step<'_> {
    let LocationName { project, location } = &name.location;
    Step::new(sql!("engines/find"))
        .with(project.as_bytes())
        .with(location.as_bytes())
        .with(name.engine.as_bytes())
}

/// The key of a live engine, which nobody else uses until the transaction ends.
pub(crate) async fn lock(transaction: &Transaction<'_>, name: &EngineName) -> Attempt<Option<i64>> {
    key(transaction, sql!("engines/lock"), name).await
}

/// The key of a live engine, outside of any transaction.
pub(crate) async fn find_one(database: &Database, name: &EngineName) -> Attempt<Option<i64>> {
    let LocationName { project, location } = &name.location;
    let parameters: [Parameter<'_>; 3] = [&project.as_bytes(), &location.as_bytes(), &name.engine.as_bytes()];
    let rows = database.select(sql!("engines/find"), &parameters).await?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
}

/// A live engine, outside of any transaction.
pub(crate) async fn get_one(database: &Database, name: &EngineName) -> Attempt<Option<Engine>> {
    let LocationName { project, location } = &name.location;
    let parameters: [Parameter<'_>; 3] = [&project.as_bytes(), &location.as_bytes(), &name.engine.as_bytes()];
    let rows = database.select(sql!("engines/get"), &parameters).await?;
    rows.first().map(|row| whole(&name.location, row)).transpose()
}

/// A live engine with its key.
pub(crate) async fn get(transaction: &Transaction<'_>, name: &EngineName) -> Attempt<Option<(i64, Engine)>> {
    let LocationName { project, location } = &name.location;
    let parameters: [Parameter<'_>; 3] = [&project.as_bytes(), &location.as_bytes(), &name.engine.as_bytes()];
    let row = first(transaction, sql!("engines/get"), &parameters).await?;
    row.map(|row| Ok((row.try_get(0)?, whole(&name.location, &row)?))).transpose()
}

impl Query for EngineQuery {
    type Output = Page<Engine>;

    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Page<Engine>> {
        let filter = self.filter.as_ref();
        let range = Range::of(filter, EngineField::CreateTime);
        let (mut time, mut id) = match &self.after {
            Some(after) => {
                let ([time], id) = cursor::read::<1>(LIST, after)?;
                (time, id.as_bytes().to_vec())
            }
            None => (i64::MAX, AFTER_ALL_TEXTS.to_vec()),
        };
        let LocationName { project, location } = &self.location;
        let mut page = Filling::new(self.limit);
        let mut done_with = None;
        for statements in 0.. {
            let asked = chunk(self.limit, filter.is_some(), statements);
            let rows = query(
                snapshot,
                sql!("engines/list"),
                &[
                    &project.as_bytes(),
                    &location.as_bytes(),
                    &time,
                    &id,
                    &range.earliest,
                    &row::count(asked),
                    &CHUNK_BYTES,
                ],
            )
            .await?;
            let is_last = rows.len() < asked;
            let mut cut = false;
            for row in rows {
                let mut engine = engine(&self.location, &row)?;
                let passes = engine.create_time.0 <= range.latest
                    && filter.is_none_or(|filter| filter.matches(&engine));
                if page.is_tired() || (passes && page.is_full()) {
                    return Ok(page.finish(done_with));
                }
                let settings: Option<Vec<u8>> = row.try_get(SETTINGS)?;
                if passes && settings.is_none() {
                    // Beyond the bytes of one statement: the next one begins here.
                    cut = true;
                    break;
                }
                (time, id) = (engine.create_time.0, engine.name.engine.clone().into_bytes());
                done_with = Some(cursor::write(LIST, &[time], &engine.name.engine));
                if passes {
                    engine.content.settings = settings.map(Bytes::from).unwrap_or_default();
                    let bytes = engine.content.settings.len();
                    page.push(engine, bytes);
                }
            }
            if is_last && !cut {
                break;
            }
        }
        Ok(page.finish(None))
    }
}

fn whole(location: &LocationName, row: &Row) -> Attempt<Engine> {
    let mut engine = engine(location, row)?;
    engine.content.settings = row::bytes(row, SETTINGS)?;
    Ok(engine)
}

/// All but the settings, which may be large and which no filter names.
fn engine(location: &LocationName, row: &Row) -> Attempt<Engine> {
    Ok(Engine {
        name: EngineName { location: location.clone(), engine: row::text(row, 1)? },
        content: EngineContent {
            display_name: row::text(row, 2)?,
            description: row::text(row, 3)?,
            labels: row::labels(row, 4)?,
            settings: Bytes::new(),
        },
        revision: row.try_get(5)?,
        create_time: Timestamp(row.try_get(6)?),
        update_time: Timestamp(row.try_get(7)?),
    })
}
