//! Disks that fail, and commands that do.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use colloquy_sessions::operation::OperationKind;
use colloquy_sessions::store::{SessionDeletion, Store, StoreError};
use rusqlite::Connection;

use super::fixture::*;
use crate::sync::sync;
use crate::{Options, SqliteStore};

static SYNC_FAILS: AtomicBool = AtomicBool::new(false);

fn sync_on_a_bad_disk(log: &File) -> io::Result<()> {
    if SYNC_FAILS.load(Ordering::Relaxed) { Err(io::Error::other("the disk is bad")) } else { sync(log) }
}

#[tokio::test]
async fn after_a_failed_sync_writes_are_refused_and_reads_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_with(directory.path(), &Options::default(), sync_on_a_bad_disk, |_| Ok(()))
        .unwrap();
    store.create_engine(new_engine("1")).await.unwrap();
    store.create_session(new_session("s", "alice", 1)).await.unwrap();
    store.append_events(new_append("s", 1, &[])).await.unwrap();
    store.health().await.unwrap();

    SYNC_FAILS.store(true, Ordering::Relaxed);
    let first = store.append_events(new_append("s", 2, &[])).await.unwrap_err();
    // The disk may come back: what it lost does not.
    SYNC_FAILS.store(false, Ordering::Relaxed);
    let second = store.append_events(new_append("s", 3, &[])).await.unwrap_err();
    for error in [first, second, store.health().await.unwrap_err()] {
        assert!(matches!(&error, StoreError::Unavailable(text) if text.contains("restart")), "{error}");
    }
    // What became of the first is not known; the second was not even begun.
    assert_eq!(store.list_events(events("s")).await.unwrap().items.len(), 2);
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.append_events(new_append("s", 4, &[])).await.unwrap()[0].sequence, 3);
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let small = |connection: &Connection| connection.pragma_update(None, "max_page_count", 80);
    let store = SqliteStore::open_with(directory.path(), &Options::default(), sync, small).unwrap();
    store.create_engine(new_engine("1")).await.unwrap();
    store.create_session(new_session("s", "alice", 1)).await.unwrap();
    let mut stored = 0;
    let error = loop {
        let mut append = new_append("s", 1, &[("n", "1")]);
        append.events[0].payload = Bytes::from(vec![7; 20_000]);
        match store.append_events(append).await {
            Ok(appended) => stored = appended[0].sequence,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::OutOfSpace(_)), "{error}");
    assert!(stored > 1);
    assert_eq!(store.list_events(events("s")).await.unwrap().items.len(), usize::try_from(stored).unwrap());
    // The disk has room for the reserve, which is soon taken again; then something small still finds room.
    while let Err(error) = store.health().await {
        assert!(matches!(error, StoreError::OutOfSpace(_)), "{error}");
        tokio::task::yield_now().await;
    }
    assert_eq!(store.append_events(new_append("s", 1, &[])).await.unwrap()[0].sequence, stored + 1);
}

#[tokio::test]
async fn on_a_full_disk_only_deletes_are_written() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = open(directory.path());
        store.create_engine(new_engine("1")).await.unwrap();
        store.create_session(new_session("s", "alice", 1)).await.unwrap();
        store.create_session(new_session("t", "alice", 2)).await.unwrap();
        store.append_events(new_append("s", 1, &[])).await.unwrap();
    }
    // No disk has room for this reserve.
    let options = Options { reserve_bytes: 1 << 61, ..Options::default() };
    let store = SqliteStore::open(directory.path(), options).unwrap();
    let refused = [
        store.append_events(new_append("s", 2, &[])).await.map(drop),
        store.create_session(new_session("u", "alice", 3)).await.map(drop),
        store.create_engine(new_engine("2")).await.map(drop),
        store.health().await,
    ];
    for outcome in refused {
        let error = outcome.unwrap_err();
        assert!(matches!(&error, StoreError::OutOfSpace(text) if text.contains("disk is full")), "{error}");
    }
    assert_eq!(store.list_events(events("s")).await.unwrap().items.len(), 1);
    let delete = operation(4, OperationKind::DeleteSession);
    store
        .delete_session(SessionDeletion { name: session("t"), now: NOW, operation: delete, request: None })
        .await
        .unwrap();
    assert!(store.get_session(&session("t"), NOW).await.unwrap().is_none());
    assert!(!store.purge(NOW, 100).await.unwrap().more);
    store.delete_engine(deletion("1", 99)).await.unwrap();
    store.close().await;
    // Without a reserve nobody asks for room.
    let store =
        SqliteStore::open(directory.path(), Options { reserve_bytes: 0, ..Options::default() }).unwrap();
    store.create_engine(new_engine("2")).await.unwrap();
    store.health().await.unwrap();
}

fn slow_sync(log: &File) -> io::Result<()> {
    std::thread::sleep(Duration::from_millis(20));
    sync(log)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_does_not_fail_its_neighbours() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_with(directory.path(), &Options::default(), slow_sync, |_| Ok(())).unwrap();
    let store = std::sync::Arc::new(store);
    store.create_engine(new_engine("1")).await.unwrap();
    // All share one operation id but the last, which has its own: while one commit is slow, the others
    // wait and become one batch.
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let store = std::sync::Arc::clone(&store);
            let operation_id = if n < 10 { 7 } else { 100 + n };
            tokio::spawn(async move {
                store.create_session(new_session(&format!("s{n}"), "alice", operation_id)).await
            })
        })
        .collect();
    let mut failed = 0;
    for (n, task) in tasks.into_iter().enumerate() {
        let outcome = task.await.unwrap();
        if let Err(error) = &outcome {
            assert!(n < 10, "{n}: {error}");
            assert!(matches!(error, StoreError::Internal(_)), "{error}");
            failed += 1;
        }
        let there = store.get_session(&session(&format!("s{n}")), NOW).await.unwrap().is_some();
        assert_eq!(there, outcome.is_ok(), "{n}");
    }
    assert_eq!(failed, 9);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_undo_its_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_with(directory.path(), &Options::default(), slow_sync, |_| Ok(())).unwrap();
    store.create_engine(new_engine("1")).await.unwrap();
    store.create_session(new_session("s", "alice", 1)).await.unwrap();
    let gone =
        tokio::time::timeout(Duration::from_millis(1), store.append_events(new_append("s", 1, &[]))).await;
    assert!(gone.is_err());
    assert_eq!(store.append_events(new_append("s", 2, &[])).await.unwrap()[0].sequence, 2);
}

#[tokio::test]
async fn a_purge_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = open(directory.path());
        store.create_engine(new_engine("1")).await.unwrap();
        for n in 0..5_u64 {
            let id = format!("s{n}");
            store.create_session(new_session(&id, &format!("user{n}"), 10 + n)).await.unwrap();
            for timestamp in 0..40 {
                store
                    .append_events(new_append(&id, timestamp, &[("user:k", "v"), ("k", "v"), ("app:k", "v")]))
                    .await
                    .unwrap();
            }
        }
        assert!(!store.delete_engine(deletion("1", 99)).await.unwrap().done);
        assert!(store.purge(NOW, 30).await.unwrap().more);
    }
    let store = open(directory.path());
    let operation = store.get_operation(&location(), 99, NOW).await.unwrap().unwrap();
    assert_eq!((operation.kind, operation.done), (OperationKind::DeleteEngine, false));
    let mut steps = 0;
    while store.purge(NOW, 30).await.unwrap().more {
        steps += 1;
        assert!(steps < 100);
    }
    assert!(steps > 1);
    assert!(store.get_operation(&location(), 99, NOW).await.unwrap().unwrap().done);
    store.close().await;

    let database = Connection::open(directory.path().join("colloquy.db")).unwrap();
    for table in [
        "engines",
        "apps",
        "users",
        "sessions",
        "session_clock",
        "events",
        "session_state",
        "user_state",
        "app_state",
    ] {
        let rows: i64 =
            database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let rows: i64 = database.query_row("SELECT count(*) FROM operations", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}
