//! Between rows and the domain: numbers, labels, operation kinds.

use std::fmt::Debug;

use bytes::Bytes;
use colloquy_sessions::labels::Labels;
use colloquy_sessions::operation::{ApiVersion, OperationKind};
use colloquy_sessions::store::{StoreError, StoreResult};
use rusqlite::Row;
use rusqlite::types::{FromSqlError, Type};

/// An id as a column holds it.
pub(crate) fn id_column(id: u64) -> StoreResult<i64> {
    i64::try_from(id).map_err(|_| StoreError::Internal(format!("the id {id} does not fit 63 bits")))
}

/// A count as a parameter.
pub(crate) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An id or sequence.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// A blob.
pub(crate) fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    row.get::<_, Vec<u8>>(column).map(Bytes::from)
}

/// Labels as a column holds them.
pub(crate) fn labels_column(labels: &Labels) -> StoreResult<String> {
    serde_json::to_string(labels)
        .map_err(|error| StoreError::Internal(format!("labels cannot be written: {error}")))
}

/// Labels.
pub(crate) fn labels(row: &Row<'_>, column: usize) -> rusqlite::Result<Labels> {
    match row.get_ref(column)?.as_str()? {
        "{}" => Ok(Labels::new()),
        text => serde_json::from_str(text)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())),
    }
}

/// A kind of operation as a column holds it: its place among all kinds.
pub(crate) fn kind_column(kind: OperationKind) -> StoreResult<i64> {
    place_column(&OperationKind::ALL, kind)
}

/// A kind of operation.
pub(crate) fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<OperationKind> {
    at_place(&OperationKind::ALL, row, column)
}

/// A version of the API as a column holds it: its place among all versions.
pub(crate) fn version_column(version: ApiVersion) -> StoreResult<i64> {
    place_column(&ApiVersion::ALL, version)
}

/// A version of the API.
pub(crate) fn version(row: &Row<'_>, column: usize) -> rusqlite::Result<ApiVersion> {
    at_place(&ApiVersion::ALL, row, column)
}

fn place_column<T: PartialEq + Debug>(all: &[T], one: T) -> StoreResult<i64> {
    let place = all.iter().position(|known| *known == one);
    place.map(count).ok_or_else(|| StoreError::Internal(format!("{one:?} has no stored number")))
}

fn at_place<T: Copy>(all: &[T], row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let value: i64 = row.get(column)?;
    usize::try_from(value)
        .ok()
        .and_then(|place| all.get(place).copied())
        .ok_or_else(|| FromSqlError::OutOfRange(value).into_column(column))
}

trait IntoColumnError {
    fn into_column(self, column: usize) -> rusqlite::Error;
}

impl IntoColumnError for FromSqlError {
    fn into_column(self, column: usize) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, self.into())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn kinds_come_back_and_unknown_ones_are_errors() {
        let connection = Connection::open_in_memory().unwrap();
        for known in OperationKind::ALL {
            let column = kind_column(known).unwrap();
            let read = connection.query_row("SELECT ?1", [column], |row| kind(row, 0)).unwrap();
            assert_eq!(read, known);
        }
        for unknown in [-1, 5, i64::MAX] {
            assert!(connection.query_row("SELECT ?1", [unknown], |row| kind(row, 0)).is_err());
        }
    }

    #[test]
    fn labels_come_back_and_damage_is_an_error() {
        let connection = Connection::open_in_memory().unwrap();
        let read = |text: String| connection.query_row("SELECT ?1", [text], |row| labels(row, 0));
        for written in [Labels::new(), Labels::from([("k\"\0".to_owned(), "größe".to_owned())])] {
            assert_eq!(read(labels_column(&written).unwrap()).unwrap(), written);
        }
        assert!(read("[]".to_owned()).is_err());
        assert!(id_column(u64::MAX).is_err());
    }
}
