//! Opening, closing and opening again.

use std::path::Path;

use colloquy_sessions::store::{Store, StoreError};
use rusqlite::Connection;

use super::fixture::*;
use crate::{OpenError, Options, SqliteStore};

fn open_error(directory: &std::path::Path) -> OpenError {
    SqliteStore::open(directory, Options::default()).unwrap_err()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deeper/data");
    {
        let store = open(&path);
        store.create_engine(new_engine("1")).await.unwrap();
        store.create_session(new_session("s", "alice", 1)).await.unwrap();
        store
            .append_events(new_append("s", 5, &[("a", "1"), ("user:b", "2"), ("app:c", "3")]))
            .await
            .unwrap();
        // Dropped without being closed.
    }
    let store = open(&path);
    let keys = |state: &colloquy_sessions::state::State| {
        state.entries().iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()
    };
    let found = store.get_session(&session("s"), NOW).await.unwrap().unwrap();
    assert_eq!(keys(&found.state), ["a", "app:c", "user:b"]);
    assert_eq!(store.append_events(new_append("s", 4, &[])).await.unwrap()[0].sequence, 2);
    store.close().await;
    store.close().await;
    let refused = store.append_events(new_append("s", 6, &[])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(matches!(store.get_session(&session("s"), NOW).await, Err(StoreError::Unavailable(_))));
    assert!(store.health().await.is_err());

    // Closing frees the directory and empties the log, while the closed store still lives.
    let log = std::fs::metadata(path.join("colloquy.db-wal")).map_or(0, |file| file.len());
    assert_eq!(log, 0);
    let store = open(&path);
    let page = store.list_events(events("s")).await.unwrap();
    assert_eq!(page.items.iter().map(|event| event.sequence).collect::<Vec<_>>(), [2, 1]);
    store.health().await.unwrap();
}

#[test]
fn a_directory_belongs_to_one_server() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    let error = open_error(directory.path());
    let expected = format!("in use by another server (pid {})", std::process::id());
    assert!(error.to_string().contains(&expected), "{error}");
    drop(first);
    open(directory.path());
}

#[test]
fn a_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let _store = open(&path);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    // One that others may read holds files that they may not.
    let shared = directory.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o755)).unwrap();
    let _store = open(&shared);
    for entry in std::fs::read_dir(&shared).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let database = Connection::open(directory.path().join("colloquy.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let error = open_error(directory.path());
    assert!(matches!(error, OpenError::NewerSchema { found: 99, supported: 3, .. }), "{error}");
    assert!(error.to_string().contains("schema version 99"), "{error}");
}

#[test]
fn a_changed_migration_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let database = Connection::open(directory.path().join("colloquy.db")).unwrap();
    database.execute("UPDATE migrations SET checksum = 'x' WHERE number = 1", []).unwrap();
    drop(database);
    let error = open_error(directory.path());
    assert!(matches!(error, OpenError::ChecksumMismatch { number: 1, .. }), "{error}");
}

#[test]
fn what_is_no_database_or_no_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("colloquy.db"), vec![b'x'; 8192]).unwrap();
    let error = open_error(directory.path());
    assert!(matches!(error, OpenError::Sqlite { .. }), "{error}");
    let error = open_error(&directory.path().join("colloquy.db"));
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}
