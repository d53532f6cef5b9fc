//! The mark of an unfinished copy: a table that is there for as long as one is.

use colloquy_sessions::page::Cursor;
use colloquy_sessions::store::StoreError;
use colloquy_sessions::transfer::{Identity, Kind, Position, TransferError, TransferResult};
use tokio_postgres::Row;

use crate::database::{Command, Database, Parameter, execute, first};
use crate::error::{Attempt, Failure, OpenError};
use crate::row::{count, unsigned};
use crate::transaction::Transaction;

/// Which store this is.
pub(super) async fn identity(database: &Database) -> Result<Identity, OpenError> {
    let rows = database.select(sql!("transfer/mark/identity"), &[]).await?;
    let row = rows.first().ok_or_else(|| OpenError::Database("it has no current schema".to_owned()))?;
    let column = |column| row.try_get::<_, String>(column).map_err(Failure::from);
    let (token, place) = (column(0)?, column(1)?);
    Ok(Identity {
        token: format!("postgres:{token}"),
        name: format!("PostgreSQL database and schema {place}"),
    })
}

/// Refuses a database that is not whole yet.
pub(crate) async fn refuse_unfinished(database: &Database) -> Result<(), OpenError> {
    match source_name(database).await? {
        None => Ok(()),
        Some(from) => Err(OpenError::UnfinishedMigration { from }),
    }
}

async fn source_name(database: &Database) -> Attempt<Option<String>> {
    let exists = database.select(sql!("transfer/mark/exists"), &[]).await?;
    if !exists.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(false) {
        return Ok(None);
    }
    let mark = database.select(sql!("transfer/mark/get"), &[]).await?;
    Ok(mark.first().map(|mark| mark.try_get(1)).transpose()?)
}

/// See `Transfer::begin`.
pub(super) struct Begin<'a> {
    pub(super) source: &'a Identity,
}

impl Command for Begin<'_> {
    type Output = TransferResult<Position>;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Self::Output> {
        if ask(transaction, sql!("transfer/mark/exists")).await? {
            let mark = first(transaction, sql!("transfer/mark/get"), &[]).await?;
            let mark = mark.ok_or_else(|| StoreError::Internal("the mark of a copy is empty".to_owned()))?;
            return position(&mark, self.source);
        }
        if ask(transaction, sql!("transfer/mark/holds_data")).await? {
            return Ok(Err(TransferError::NotEmpty));
        }
        execute(transaction, sql!("transfer/mark/create"), &[]).await?;
        let Identity { token, name } = self.source;
        let kind = count(Position::START.kind.number());
        execute(transaction, sql!("transfer/mark/begin"), &[token, name, &kind]).await?;
        Ok(Ok(Position::START))
    }
}

async fn ask(transaction: &Transaction<'_>, sql: &str) -> Attempt<bool> {
    let row = first(transaction, sql, &[]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(false))
}

fn position(mark: &Row, source: &Identity) -> Attempt<TransferResult<Position>> {
    let token: String = mark.try_get(0)?;
    if token != source.token {
        return Ok(Err(TransferError::OtherSource(mark.try_get(1)?)));
    }
    let number: i64 = mark.try_get(2)?;
    let kind = usize::try_from(number).ok().and_then(|number| Kind::ALL.get(number).copied());
    let kind = kind.ok_or_else(|| StoreError::Internal(format!("no kind has number {number}")))?;
    let place: Vec<u8> = mark.try_get(3)?;
    let after = (!place.is_empty()).then_some(Cursor(place));
    Ok(Ok(Position { kind, after, rows: unsigned(mark, 4)? }))
}

/// Moves the place to go on from; false where it is not where it is thought to be.
pub(super) async fn advance(transaction: &Transaction<'_>, from: &Position, to: &Position) -> Attempt<bool> {
    let rows = i64::try_from(to.rows).unwrap_or(i64::MAX);
    let (kind_from, kind_to) = (count(from.kind.number()), count(to.kind.number()));
    let parameters: [Parameter<'_>; 5] = [&kind_to, &place(to), &rows, &kind_from, &place(from)];
    Ok(execute(transaction, sql!("transfer/mark/advance"), &parameters).await? == 1)
}

fn place(position: &Position) -> &[u8] {
    position.after.as_ref().map_or(&[], |cursor| &cursor.0)
}

/// See `Transfer::finish`.
pub(super) struct End;

impl Command for End {
    type Output = ();

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<()> {
        execute(transaction, sql!("transfer/mark/drop"), &[]).await.map(drop)
    }
}
