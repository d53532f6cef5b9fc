//! Between rows and the domain: numbers, texts, labels, operation kinds.

use std::fmt::Debug;

use bytes::Bytes;
use colloquy_sessions::labels::Labels;
use colloquy_sessions::operation::{ApiVersion, OperationKind};
use colloquy_sessions::store::{StoreError, StoreResult};
use tokio_postgres::Row;

use crate::error::Attempt;

/// An id as a column holds it.
pub(crate) fn id_column(id: u64) -> StoreResult<i64> {
    i64::try_from(id).map_err(|_| StoreError::Internal(format!("the id {id} does not fit 63 bits")))
}

/// A count as a parameter.
pub(crate) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An id or sequence.
pub(crate) fn unsigned(row: &Row, column: usize) -> Attempt<u64> {
    let value: i64 = row.try_get(column)?;
    Ok(u64::try_from(value).map_err(|_| damaged(column, value))?)
}

/// A text of callers.
pub(crate) fn text(row: &Row, column: usize) -> Attempt<String> {
    let bytes: Vec<u8> = row.try_get(column)?;
    Ok(String::from_utf8(bytes).map_err(|error| damaged(column, error))?)
}

/// A value that is kept as it came.
pub(crate) fn bytes(row: &Row, column: usize) -> Attempt<Bytes> {
    Ok(row.try_get::<_, Vec<u8>>(column).map(Bytes::from)?)
}

/// Labels as a column holds them. JSON escapes a NUL, so that TEXT can hold it.
pub(crate) fn labels_column(labels: &Labels) -> StoreResult<String> {
    serde_json::to_string(labels)
        .map_err(|error| StoreError::Internal(format!("labels cannot be written: {error}")))
}

/// Labels.
pub(crate) fn labels(row: &Row, column: usize) -> Attempt<Labels> {
    match row.try_get(column)? {
        "{}" => Ok(Labels::new()),
        text => Ok(serde_json::from_str(text).map_err(|error| damaged(column, error))?),
    }
}

/// A kind of operation as a column holds it: its place among all kinds.
pub(crate) fn kind_column(kind: OperationKind) -> StoreResult<i64> {
    place_column(&OperationKind::ALL, kind)
}

/// A kind of operation.
pub(crate) fn kind(row: &Row, column: usize) -> Attempt<OperationKind> {
    at_place(&OperationKind::ALL, row, column)
}

/// A version of the API as a column holds it: its place among all versions.
pub(crate) fn version_column(version: ApiVersion) -> StoreResult<i64> {
    place_column(&ApiVersion::ALL, version)
}

/// A version of the API.
pub(crate) fn version(row: &Row, column: usize) -> Attempt<ApiVersion> {
    at_place(&ApiVersion::ALL, row, column)
}

fn place_column<T: PartialEq + Debug>(all: &[T], one: T) -> StoreResult<i64> {
    let place = all.iter().position(|known| *known == one);
    place.map(count).ok_or_else(|| StoreError::Internal(format!("{one:?} has no stored number")))
}

fn at_place<T: Copy>(all: &[T], row: &Row, column: usize) -> Attempt<T> {
    let value: i64 = row.try_get(column)?;
    let place = usize::try_from(value).ok().and_then(|place| all.get(place).copied());
    Ok(place.ok_or_else(|| damaged(column, value))?)
}

fn damaged(column: usize, what: impl std::fmt::Display) -> StoreError {
    StoreError::Internal(format!("column {column} of a row is damaged: {what}"))
}
