//! The write-ahead log: it stays short under load, and whole after a fault.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use colloquy_sessions::store::{SessionDeletion, Store};
use rusqlite::Connection;

use super::fixture::*;
use crate::sync::sync;
use crate::{OpenError, Options, SqliteStore};

fn log_bytes(directory: &Path) -> u64 {
    std::fs::metadata(directory.join("colloquy.db-wal")).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_without_a_pause_do_not_make_it_grow() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { checkpoint_pages: 200, ..Options::default() };
    let store = Arc::new(SqliteStore::open(directory.path(), options).unwrap());
    store.create_engine(new_engine("1")).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8_u64 {
        let (store, id) = (Arc::clone(&store), format!("s{writer}"));
        store.create_session(new_session(&id, "alice", writer + 1)).await.unwrap();
        writers.spawn(async move {
            for n in 0..500 {
                let mut append = new_append(&id, n, &[]);
                append.events[0].payload = Bytes::from(vec![7; 16 << 10]);
                store.append_events(append).await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    // The payloads alone are 64 MiB, and each was in the log once.
    let bytes = log_bytes(directory.path());
    assert!(bytes < 48 << 20, "the log has {bytes} bytes");
}

static SYNC_FAILS: AtomicBool = AtomicBool::new(false);
static DISK_FAILS: AtomicBool = AtomicBool::new(false);

fn sync_unless(fails: &AtomicBool, log: &File) -> io::Result<()> {
    if fails.load(Ordering::Relaxed) { Err(io::Error::other("the disk is bad")) } else { sync(log) }
}

fn sync_on_a_bad_disk(log: &File) -> io::Result<()> {
    sync_unless(&SYNC_FAILS, log)
}

fn sync_on_a_worse_disk(log: &File) -> io::Result<()> {
    sync_unless(&DISK_FAILS, log)
}

#[tokio::test]
async fn after_a_fault_it_is_left_for_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_with(directory.path(), &Options::default(), sync_on_a_bad_disk, |_| Ok(()))
        .unwrap();
    store.create_engine(new_engine("1")).await.unwrap();
    store.create_session(new_session("s", "alice", 1)).await.unwrap();
    store.append_events(new_append("s", 1, &[])).await.unwrap();
    SYNC_FAILS.store(true, Ordering::Relaxed);
    store.append_events(new_append("s", 2, &[])).await.unwrap_err();
    let before = log_bytes(directory.path());
    // What a disk that fails has lost of the database, only the whole log can give back.
    store.close().await;
    drop(store);
    assert!(before > 0);
    assert_eq!(log_bytes(directory.path()), before);
    let store = open(directory.path());
    // The last one was not acknowledged; this disk has it all the same.
    assert_eq!(store.list_events(events("s")).await.unwrap().items.len(), 2);
    store.close().await;
    assert_eq!(log_bytes(directory.path()), 0);
}

#[tokio::test]
async fn one_that_is_damaged_before_its_end_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        SqliteStore::open_with(directory.path(), &Options::default(), sync_on_a_worse_disk, |_| Ok(()))
            .unwrap();
    store.create_engine(new_engine("1")).await.unwrap();
    store.create_session(new_session("s", "alice", 1)).await.unwrap();
    for n in 0..3 {
        store.append_events(new_append("s", n, &[])).await.unwrap();
    }
    // A fault leaves the log as it is.
    DISK_FAILS.store(true, Ordering::Relaxed);
    store.append_events(new_append("s", 3, &[])).await.unwrap_err();
    store.close().await;
    let path = directory.path().join("colloquy.db-wal");
    let whole = std::fs::read(&path).unwrap();

    let mut damaged = whole.clone();
    damaged[5000] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    let error = SqliteStore::open(directory.path(), Options::default()).unwrap_err();
    assert!(matches!(&error, OpenError::DamagedLog { offset: 4152, log } if *log == path), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), damaged, "what is damaged is left for its owner");

    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let store = open(directory.path());
    // It has begun anew: what an earlier server left is not beside what is written now.
    assert!(log_bytes(directory.path()) < whole.len() as u64 / 2);
    assert_eq!(store.list_events(events("s")).await.unwrap().items.len(), 3);
}

#[tokio::test]
async fn a_purge_counts_large_payloads_by_their_size() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_engine(new_engine("1")).await.unwrap();
    store.create_session(new_session("s", "alice", 1)).await.unwrap();
    for n in 0..20 {
        let mut append = new_append("s", n, &[]);
        append.events[0].payload = Bytes::from(vec![7; 1 << 20]);
        store.append_events(append).await.unwrap();
    }
    let operation = operation(2, colloquy_sessions::operation::OperationKind::DeleteSession);
    store
        .delete_session(SessionDeletion { name: session("s"), now: NOW, operation, request: None })
        .await
        .unwrap();
    // A MiB counts as 129 rows: a step of 300 frees three events of twenty, and leaves the rest to later ones.
    let step = store.purge(NOW, 300).await.unwrap();
    assert!(step.more);
    let left = Connection::open(directory.path().join("colloquy.db")).unwrap();
    let count = || left.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 17);
    while store.purge(NOW, 300).await.unwrap().more {}
    assert_eq!(count(), 0);
}

static GATE: AtomicBool = AtomicBool::new(true);

fn sync_behind_a_gate(log: &File) -> io::Result<()> {
    while !GATE.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(1));
    }
    sync(log)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_what_is_not_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_with(directory.path(), &Options::default(), sync_behind_a_gate, |_| Ok(()));
    let store = Arc::new(store.unwrap());
    store.create_engine(new_engine("1")).await.unwrap();
    store.create_session(new_session("s", "alice", 1)).await.unwrap();
    GATE.store(false, Ordering::Relaxed);
    let append = |n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.append_events(new_append("s", n, &[])).await })
    };
    let mut appends = vec![append(1)];
    // It is in the log, for all to see who do not ask the store.
    let other = Connection::open(directory.path().join("colloquy.db")).unwrap();
    let count = || other.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0)).unwrap();
    while count() < 1 {
        tokio::task::yield_now().await;
    }
    let query = || {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.list_events(events("s")).await })
    };
    let read = query();
    appends.push(append(2));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!read.is_finished() && appends.iter().all(|append| !append.is_finished()));
    GATE.store(true, Ordering::Relaxed);
    for append in appends {
        append.await.unwrap().unwrap();
    }
    assert!(!read.await.unwrap().unwrap().items.is_empty());
    assert_eq!(query().await.unwrap().unwrap().items.len(), 2);
}
