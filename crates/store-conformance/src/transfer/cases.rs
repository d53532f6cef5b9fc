//! The cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use colloquy_sessions::page::Cursor;
use colloquy_sessions::store::{NewEvent, StoreError};
use colloquy_sessions::transfer::{
    CopyError, Difference, Identity, Kind, Limit, Position, Rows, SessionRecord, Transfer, TransferError,
    TransferResult,
};

use super::content::{NOW, append_once, fill, first_engine, first_session};
use super::{Pairs, Site, compared, copied, migrated};
use crate::fixture::{World, at, engine, here, session, session_ids};
use crate::histories::check_moved_histories;

/// A source with something of everything, and an empty destination.
async fn filled(pairs: &dyn Pairs) -> (Arc<dyn Site>, Arc<dyn Site>) {
    let (source, destination) = (pairs.source().await, pairs.destination().await);
    fill(source.serve().await.unwrap()).await;
    (source, destination)
}

pub async fn histories_go_on_in_the_other_store(pairs: &dyn Pairs) {
    check_moved_histories(pairs, 6, 4).await;
}

pub async fn everything_is_there_and_the_same(pairs: &dyn Pairs) {
    let (source, destination) = filled(pairs).await;
    let before = everything(&*source).await;
    append_once(&*source.serve().await.unwrap(), "first").await.unwrap();
    let with_request = everything(&*source).await;
    assert_ne!(before, with_request);
    migrated(&*source, &*destination).await;
    assert_eq!(everything(&*destination).await, with_request);
    let again = append_once(&*destination.serve().await.unwrap(), "again").await;
    assert_eq!(again, Err(StoreError::Repeated(Bytes::from_static(b"first"))));
    assert_eq!(everything(&*source).await, with_request, "the source has changed");
}

/// A store in which the ids of its content are taken.
async fn later(site: &dyn Site) -> World {
    let world = World::over(site.serve().await.unwrap());
    for _ in 0..1_000 {
        world.id();
    }
    world
}

/// All that readers see, as text.
async fn everything(site: &dyn Site) -> String {
    let world = World::over(site.serve().await.unwrap());
    let mut seen = format!("{:#?}", (world.engines().await, world.operations(here(), 55).await));
    // When one session was live, and when it was not any more.
    for time in [55, NOW] {
        for name in [first_engine(), engine("7002")] {
            let sessions = world.sessions(&name, time).await;
            seen += &format!("{sessions:#?} {:#?}", world.operations(name, time).await);
            for session in sessions {
                let (events, operations) =
                    (world.events(&session.name, time).await, world.operations(session.name, time).await);
                seen += &format!("{events:#?} {operations:#?}");
            }
        }
    }
    seen
}

pub async fn what_nobody_sees_is_left_behind(pairs: &dyn Pairs) {
    let (source, destination) = filled(pairs).await;
    migrated(&*source, &*destination).await;
    let transfer = destination.source().await.unwrap();
    let rows = |kind| {
        let transfer = Arc::clone(&transfer);
        async move { transfer.read(kind, None, Limit::default()).await.unwrap().0 }
    };
    let Rows::Engines(engines) = rows(Kind::Engines).await else { panic!("no engines") };
    let deleted: Vec<bool> = engines.iter().map(|engine| engine.deleted_by.is_some()).collect();
    assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
    let Rows::Users(users) = rows(Kind::Users).await else { panic!("no users") };
    let mut users: Vec<&str> = users.iter().map(|user| user.user_id.as_str()).collect();
    users.sort_unstable();
    assert_eq!(users, ["alice", "alice", "bob", "bob", "gone", "user"]);
    let Rows::Sessions(sessions) = rows(Kind::Sessions).await else { panic!("no sessions") };
    let first = engines.iter().find(|engine| engine.engine.name == first_engine()).unwrap();
    let deleted = ["s5", "lonely", "gone"].map(str::to_owned);
    let is_left =
        |session: &SessionRecord| session.engine == first.key && deleted.contains(&session.session_id);
    assert!(!sessions.iter().any(is_left));
    assert_eq!(sessions.len(), 12);
    transfer.close().await;
    drop(transfer);

    // The deletion that was under way comes to its end.
    let world = later(&*destination).await;
    let deletion = async || {
        let all = world.operations(here(), NOW).await;
        all.into_iter().find(|operation| !operation.done)
    };
    assert!(deletion().await.is_some());
    world.purge(NOW, 10).await;
    assert_eq!(deletion().await, None);
    assert_eq!(
        session_ids(&world.sessions(&engine("7002"), NOW).await),
        ["s5", "s4", "s3", "s2", "s1", "s0"]
    );
    // And what was left lives on, under the keys that it had.
    let gone = session(&first_engine(), "again");
    let again = world.create_session(&gone, "gone", NOW).await;
    assert!(again.state.entries().iter().any(|(key, _)| key == "user:left"));
}

/// A destination whose writes fail after some time: every second time after the write was done.
struct Failing {
    inner: Arc<dyn Transfer>,
    left: AtomicUsize,
    after_the_write: bool,
}

#[async_trait]
impl Transfer for Failing {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    async fn sizes(&self) -> TransferResult<[u64; Kind::ALL.len()]> {
        self.inner.sizes().await
    }

    async fn read(
        &self,
        kind: Kind,
        after: Option<&Cursor>,
        limit: Limit,
    ) -> TransferResult<(Rows, Option<Cursor>)> {
        self.inner.read(kind, after, limit).await
    }

    async fn begin(&self, source: &Identity) -> TransferResult<Position> {
        self.inner.begin(source).await
    }

    async fn write(&self, rows: &Rows, from: &Position, to: &Position) -> TransferResult<()> {
        let fails = self.left.fetch_sub(1, Ordering::Relaxed) == 1;
        if !fails || self.after_the_write {
            self.inner.write(rows, from, to).await?;
        }
        if fails { Err(cut_off()) } else { Ok(()) }
    }

    async fn finish(&self) -> TransferResult<()> {
        self.inner.finish().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

fn cut_off() -> TransferError {
    TransferError::Store(StoreError::OutOfSpace("cut off".to_owned()))
}

pub async fn a_copy_that_is_cut_off_goes_on_and_doubles_nothing(pairs: &dyn Pairs) {
    let (source, destination) = filled(pairs).await;
    let mut rows = 0;
    for attempt in 0..1_000 {
        let from = source.source().await.unwrap();
        let inner = destination.destination().await.unwrap();
        let to = Failing { inner, left: AtomicUsize::new(4), after_the_write: attempt % 2 == 0 };
        let outcome = copied(&*from, &to).await;
        from.close().await;
        to.close().await;
        match outcome {
            Ok(seen) => {
                assert!(attempt > 10, "there are many batches");
                rows = seen.begun.unwrap().rows + u64::try_from(seen.rows).unwrap();
                break;
            }
            Err(error) => assert_eq!(error, CopyError::Destination(cut_off())),
        }
        assert!(destination.serve().await.is_err(), "it is served half copied");
    }
    let (from, to) = (source.source().await.unwrap(), destination.destination().await.unwrap());
    // Once more, with nothing left to do.
    let seen = copied(&*from, &*to).await.unwrap();
    assert_eq!((seen.rows, seen.begun.unwrap().rows), (0, rows));
    let comparison = compared(&*from, &*to).await;
    assert_eq!(comparison.difference, None);
    assert_eq!(comparison.lines.iter().map(|line| line.destination_rows).sum::<u64>(), rows);
    to.finish().await.unwrap();
    from.close().await;
    to.close().await;
    assert_eq!(everything(&*source).await, everything(&*destination).await);
}

pub async fn only_an_empty_store_or_the_same_copy_is_written_to(pairs: &dyn Pairs) {
    let (source, destination) = filled(pairs).await;
    // One engine is enough.
    let other = pairs.source().await;
    World::over(other.serve().await.unwrap()).create_engine(&first_engine(), 1).await;
    let taken = pairs.destination().await;
    World::over(taken.serve().await.unwrap()).create_engine(&first_engine(), 1).await;
    let from = source.source().await.unwrap();
    let into = taken.destination().await.unwrap();
    let refused = copied(&*from, &*into).await.err();
    assert_eq!(refused, Some(CopyError::Destination(TransferError::NotEmpty)));
    into.close().await;
    drop(into);
    assert_eq!(World::over(taken.serve().await.unwrap()).engines().await.len(), 1);

    let to = destination.destination().await.unwrap();
    copied(&*from, &*to).await.unwrap();
    let another = other.source().await.unwrap();
    let refused = copied(&*another, &*to).await.err();
    let name = from.identity().name.clone();
    assert_eq!(refused, Some(CopyError::Destination(TransferError::OtherSource(name))));
    // The refusal has harmed nothing.
    copied(&*from, &*to).await.unwrap();
    assert_eq!(compared(&*from, &*to).await.difference, None);
    to.finish().await.unwrap();
    // What was finished is not begun again.
    let refused = copied(&*from, &*to).await.err();
    assert_eq!(refused, Some(CopyError::Destination(TransferError::NotEmpty)));
}

pub async fn a_store_that_is_not_whole_is_neither_served_nor_copied(pairs: &dyn Pairs) {
    let (source, destination) = (pairs.source().await, pairs.destination().await);
    drop(source.serve().await.unwrap());
    let from = source.source().await.unwrap();
    let to = destination.destination().await.unwrap();
    to.begin(from.identity()).await.unwrap();
    to.close().await;
    drop(to);
    let name = &from.identity().name;
    for refused in [destination.serve().await.err(), destination.source().await.err()] {
        let refused = refused.unwrap();
        assert!(refused.contains("unfinished migration") && refused.contains(name), "{refused}");
    }
    let to = destination.destination().await.unwrap();
    copied(&*from, &*to).await.unwrap();
    to.finish().await.unwrap();
    to.close().await;
    drop(to);
    destination.serve().await.unwrap().health().await.unwrap();
}

pub async fn two_copies_at_once_stop_each_other(pairs: &dyn Pairs) {
    let (source, destination) = filled(pairs).await;
    let (from, to) = (source.source().await.unwrap(), destination.destination().await.unwrap());
    let start = to.begin(from.identity()).await.unwrap();
    let (rows, after) = from.read(Kind::Engines, None, Limit::default()).await.unwrap();
    let next = Position { kind: Kind::Engines, after, rows: 3 };
    to.write(&rows, &start, &next).await.unwrap();
    // The other one began at the same time.
    assert_eq!(to.write(&rows, &start, &next).await, Err(TransferError::Overtaken));
    copied(&*from, &*to).await.unwrap();
    assert_eq!(compared(&*from, &*to).await.difference, None);
}

pub async fn what_changes_in_the_source_meanwhile_is_noticed(pairs: &dyn Pairs) {
    let (source, destination) = filled(pairs).await;
    let from = source.source().await.unwrap();
    let to = destination.destination().await.unwrap();
    copied(&*from, &*to).await.unwrap();
    from.close().await;
    drop(from);
    World::over(source.serve().await.unwrap()).append(&first_session(), 500, &[]).await;
    let from = source.source().await.unwrap();
    let (kind, difference) = compared(&*from, &*to).await.difference.unwrap();
    // Its clock has moved, too, and sessions come first.
    assert_eq!(kind, Kind::Sessions);
    assert!(matches!(&difference, Difference::Changed(place) if place.contains("\"s0\"")), "{difference}");
}

pub async fn what_is_not_the_same_in_the_destination_is_found(pairs: &dyn Pairs) {
    let (source, destination) = filled(pairs).await;
    migrated(&*source, &*destination).await;
    let from = source.source().await.unwrap();
    let find = async || {
        let to = destination.source().await.unwrap();
        let comparison = compared(&*from, &*to).await;
        to.close().await;
        let wrong: Vec<Kind> =
            comparison.lines.iter().filter(|line| !line.is_same()).map(|line| line.kind).collect();
        (comparison.difference.map(|(kind, difference)| (kind, difference.to_string())), wrong)
    };
    assert_eq!(find().await, (None, vec![]));
    let store = destination.serve().await.unwrap();
    let operations = World::over(Arc::clone(&store)).operations(first_engine(), NOW).await;
    store.delete_operation(&here(), operations[0].id).await.unwrap();
    drop(store);
    let (found, wrong) = find().await;
    let (kind, text) = found.unwrap();
    assert_eq!((kind, wrong), (Kind::Operations, vec![Kind::Operations]));
    assert!(text.contains(&operations[0].id.to_string()) && text.ends_with("is missing in the destination"));

    let world = later(&*destination).await;
    world.append(&first_session(), 500, &[("user:more", "v")]).await;
    drop(world);
    let (found, wrong) = find().await;
    let (kind, text) = found.unwrap();
    assert_eq!(kind, Kind::Users);
    assert!(text.contains("\"alice\"") && text.ends_with("is not the same in both"), "{text}");
    assert_eq!(wrong, [Kind::Users, Kind::Sessions, Kind::UserState, Kind::Events, Kind::Operations]);

    let world = later(&*destination).await;
    world.create_engine(&engine("extra"), 500).await;
    drop(world);
    let (kind, text) = find().await.0.unwrap();
    assert_eq!(kind, Kind::Engines);
    assert!(text.contains("extra") && text.ends_with("and not in the source"), "{text}");
}

pub async fn portions_are_bounded(pairs: &dyn Pairs) {
    const PAYLOAD: usize = 100_000;
    let (source, destination) = (pairs.source().await, pairs.destination().await);
    let world = World::over(source.serve().await.unwrap());
    world.create_engine(&first_engine(), 0).await;
    for number in 0..2 {
        let name = session(&first_engine(), &format!("s{number}"));
        world.create_session(&name, "user", 1).await;
        for time in 2..12 {
            let payload = Bytes::from(vec![b'x'; PAYLOAD]);
            let event = NewEvent { payload, timestamp: at(time), ..world.new_event(time) };
            world.append_one(&name, time, event).await;
        }
    }
    drop(world);
    let walk = async |transfer: &dyn Transfer, limit: Limit| {
        let (mut sizes, mut after) = (Vec::new(), None);
        loop {
            let (rows, last) = transfer.read(Kind::Events, after.as_ref(), limit).await.unwrap();
            if rows.is_empty() {
                return sizes;
            }
            sizes.push((rows.len(), rows.bytes()));
            after = last;
        }
    };
    let check = async |transfer: Arc<dyn Transfer>| {
        assert!(transfer.sizes().await.unwrap()[Kind::Events.number()] >= 20);
        let few = walk(&*transfer, Limit { rows: 4, bytes: 1 << 30 }).await;
        assert_eq!(few.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [4; 5]);
        let small = walk(&*transfer, Limit { rows: 1_000, bytes: 250_000 }).await;
        assert_eq!(small.iter().map(|(rows, _)| rows).sum::<usize>(), 20);
        assert!(small.iter().all(|(_, bytes)| *bytes < 250_000 + PAYLOAD + 1_000), "{small:?}");
        let tiny = walk(&*transfer, Limit { rows: 1_000, bytes: 10 }).await;
        assert_eq!(tiny.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [1; 20]);
        transfer.close().await;
    };
    migrated(&*source, &*destination).await;
    check(source.source().await.unwrap()).await;
    check(destination.source().await.unwrap()).await;
}
