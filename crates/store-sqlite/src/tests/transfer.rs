//! A copy onto a disk that fills up.

use bytes::Bytes;
use colloquy_sessions::store::{Store as _, StoreError};
use colloquy_sessions::transfer::{
    CopyError, Kind, Limit, Position, Transfer as _, TransferError, Watch, compare, copy, tally,
};

use super::fixture::{new_append, new_engine, new_session, open};
use crate::{SqliteStore, SqliteTransfer};

/// Nobody watches.
struct Unseen;

impl Watch for Unseen {
    fn begun(&mut self, _: &Position) {}

    fn written(&mut self, _: Kind, _: usize) {}
}

const LIMIT: Limit = Limit { rows: 5, bytes: 1 << 20 };

#[tokio::test]
async fn a_full_disk_stops_a_copy_that_goes_on_when_there_is_room() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    fill(&open(&from)).await;
    let source = SqliteTransfer::open_source(&from).unwrap();
    let destination = SqliteTransfer::open_destination(&to).unwrap();
    let grow_to = |pages: i64| {
        let opened = destination.lock();
        opened.as_ref().unwrap().connection.pragma_update(None, "max_page_count", pages).unwrap();
    };
    grow_to(150);
    for _ in 0..2 {
        let stopped = copy(&source, &destination, LIMIT, &mut Unseen).await.unwrap_err();
        let CopyError::Destination(TransferError::Store(StoreError::OutOfSpace(_))) = stopped else {
            panic!("{stopped:?}");
        };
    }
    let Position { kind, rows, .. } = destination.begin(source.identity()).await.unwrap();
    assert_eq!(kind, Kind::Events);
    assert!(rows > 10, "{rows}");
    grow_to(100_000);
    copy(&source, &destination, LIMIT, &mut Unseen).await.unwrap();
    let ours = tally(&source, LIMIT, &|_| {}).await.unwrap();
    let theirs = tally(&destination, LIMIT, &|_| {}).await.unwrap();
    let comparison = compare((&source, &ours), (&destination, &theirs), LIMIT).await.unwrap();
    assert_eq!(comparison.difference, None);
    assert_eq!(theirs[Kind::Events.number()].rows(), 100);
}

async fn fill(store: &SqliteStore) {
    store.create_engine(new_engine("1")).await.unwrap();
    store.create_session(new_session("s", "alice", 1)).await.unwrap();
    for timestamp in 0..100 {
        let mut append = new_append("s", timestamp, &[]);
        append.events[0].payload = Bytes::from(vec![7; 10_000]);
        store.append_events(append).await.unwrap();
    }
}
