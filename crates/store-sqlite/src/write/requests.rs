//! Requests that may be sent again: looked for before a write, recorded with it.

use colloquy_sessions::request::Request;
use colloquy_sessions::store::StoreError;
use rusqlite::{OptionalExtension, params};

use super::Write;
use crate::error::Attempt;

/// Whose a request is: its engine's, or one session's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    engine_key: i64,
    /// 0, which no session has, where it is the engine's.
    session_key: i64,
}

impl Asked {
    pub(super) fn of_engine(engine_key: i64) -> Self {
        Self { engine_key, session_key: 0 }
    }

    pub(super) fn of_session(engine_key: i64, session_key: i64) -> Self {
        Self { engine_key, session_key }
    }
}

/// Refuses a request that was carried out before, or whose id was used for another.
pub(super) fn check(write: &Write<'_>, asked: Asked, request: Option<&Request>) -> Attempt<()> {
    let Some(request) = request else { return Ok(()) };
    let recorded: Option<(Vec<u8>, Vec<u8>)> = write
        .connection
        .prepare_cached(sql!("requests/find"))?
        .query_row((asked.engine_key, asked.session_key, &request.key.id, request.known_since.0), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match recorded {
        None => Ok(()),
        Some((fingerprint, answer)) if fingerprint == request.key.fingerprint => {
            Err(StoreError::Repeated(answer.into()).into())
        }
        Some(_) => Err(StoreError::RequestIdTaken.into()),
    }
}

/// Records a request with what it writes.
pub(super) fn record(write: &Write<'_>, asked: Asked, request: Option<&Request>) -> rusqlite::Result<()> {
    if let Some(Request { key, answer, time, .. }) = request {
        let Asked { engine_key, session_key } = asked;
        let parameters =
            params![engine_key, session_key, key.id, key.fingerprint.as_slice(), &**answer, time.0];
        write.execute(sql!("requests/put"), parameters)?;
    }
    Ok(())
}
