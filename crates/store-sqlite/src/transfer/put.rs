//! Rows into the tables, with the keys and times that they have.

use colloquy_sessions::transfer::{
    EngineRecord, EventRecord, OperationRecord, Owner, RequestRecord, Rows, SessionRecord, StateRecord,
    UserRecord,
};
use rusqlite::{Connection, params};

use crate::error::Attempt;
use crate::row;

/// Writes rows that are not there yet.
pub(super) fn put(connection: &Connection, rows: &Rows) -> Attempt<()> {
    match rows {
        Rows::Engines(rows) => engines(connection, rows),
        Rows::Users(rows) => users(connection, rows),
        Rows::Sessions(rows) => sessions(connection, rows),
        Rows::AppState(rows) => states(connection, sql!("state/app_put"), rows),
        Rows::UserState(rows) => states(connection, sql!("state/user_put"), rows),
        Rows::SessionState(rows) => states(connection, sql!("state/session_put"), rows),
        Rows::Events(rows) => events(connection, rows),
        Rows::Operations(rows) => operations(connection, rows),
        Rows::Requests(rows) => requests(connection, rows),
    }
}

fn engines(connection: &Connection, rows: &[EngineRecord]) -> Attempt<()> {
    let mut put = connection.prepare_cached(sql!("transfer/put/engine"))?;
    let mut put_app = connection.prepare_cached(sql!("transfer/put/app"))?;
    for EngineRecord { key, engine, deleted_by, state_bytes } in rows {
        put.execute(params![
            key,
            engine.name.location.project,
            engine.name.location.location,
            engine.name.engine,
            engine.content.display_name,
            engine.content.description,
            row::labels_column(&engine.content.labels)?,
            &*engine.content.settings,
            engine.revision,
            engine.create_time.0,
            engine.update_time.0,
            deleted_by.is_some(),
            deleted_by.map(row::id_column).transpose()?,
        ])?;
        put_app.execute((key, state_bytes))?;
    }
    Ok(())
}

fn users(connection: &Connection, rows: &[UserRecord]) -> Attempt<()> {
    let mut put = connection.prepare_cached(sql!("transfer/put/user"))?;
    for UserRecord { engine, key, user_id, state_bytes } in rows {
        put.execute((key, engine, user_id, state_bytes))?;
    }
    Ok(())
}

fn sessions(connection: &Connection, rows: &[SessionRecord]) -> Attempt<()> {
    let mut put = connection.prepare_cached(sql!("transfer/put/session"))?;
    let mut put_clock = connection.prepare_cached(sql!("transfer/put/clock"))?;
    for session in rows {
        put.execute(params![
            session.key,
            session.engine,
            session.user,
            session.session_id,
            session.display_name,
            row::labels_column(&session.labels)?,
            session.create_time.0,
            session.expire_time.0,
        ])?;
        put_clock.execute(params![
            session.key,
            session.engine,
            session.user,
            session.update_time.0,
            row::id_column(session.last_sequence)?,
            session.state_bytes,
        ])?;
    }
    Ok(())
}

fn states(connection: &Connection, sql: &str, rows: &[StateRecord]) -> Attempt<()> {
    let mut put = connection.prepare_cached(sql)?;
    for StateRecord { owner, key, value, .. } in rows {
        put.execute((owner, key, &**value))?;
    }
    Ok(())
}

fn events(connection: &Connection, rows: &[EventRecord]) -> Attempt<()> {
    let mut put = connection.prepare_cached(sql!("events/insert"))?;
    for EventRecord { session, event, author, invocation_id, .. } in rows {
        put.execute(params![
            session,
            event.timestamp.0,
            row::id_column(event.sequence)?,
            row::id_column(event.id)?,
            author,
            invocation_id,
            &*event.payload,
        ])?;
    }
    Ok(())
}

fn operations(connection: &Connection, rows: &[OperationRecord]) -> Attempt<()> {
    let mut put = connection.prepare_cached(sql!("transfer/put/operation"))?;
    for operation in rows {
        let (engine_key, session_key) = match operation.owner {
            Owner::Location => (None, None),
            Owner::Engine(engine) => (Some(engine), None),
            // The session knows its engine.
            Owner::Session { session, .. } => (None, Some(session)),
        };
        put.execute(params![
            row::id_column(operation.id)?,
            operation.location.project,
            operation.location.location,
            engine_key,
            session_key,
            row::kind_column(operation.kind)?,
            row::version_column(operation.version)?,
            operation.done,
            operation.create_time.0,
            operation.update_time.0,
        ])?;
    }
    Ok(())
}

fn requests(connection: &Connection, rows: &[RequestRecord]) -> Attempt<()> {
    let mut put = connection.prepare_cached(sql!("requests/put"))?;
    for RequestRecord { engine, session, id, fingerprint, answer, time } in rows {
        put.execute(params![engine, session, id, &**fingerprint, &**answer, time.0])?;
    }
    Ok(())
}
