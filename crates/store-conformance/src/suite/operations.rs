//! Operations: what each write leaves, where it hangs, and when it is gone.

use colloquy_sessions::operation::{Operation, OperationKind};
use colloquy_sessions::store::NewOperation;
use resource_names::{OperationParent, SessionName};

use crate::Factory;
use crate::fixture::{World, at, engine, here, location, operation_ids, session};

fn done(operation: NewOperation, parent: impl Into<OperationParent>) -> Operation {
    Operation {
        id: operation.id,
        parent: parent.into(),
        kind: operation.kind,
        version: operation.version,
        done: true,
        create_time: operation.time,
        update_time: operation.time,
    }
}

/// An engine that no store would purge within the call that deletes it; gives back its last session.
async fn large_engine(world: &World) -> SessionName {
    let name = engine("large");
    world.create_engine(&name, 0).await;
    let mut last = session(&name, "s");
    for n in 0..30 {
        last = session(&name, &format!("s{n}"));
        world.create_session_with(&last, &format!("u{n}"), 0, &[("user:u", "1"), ("s", "1")]).await;
        for time in 0..20 {
            world.append(&last, time, &[]).await;
        }
    }
    last
}

pub async fn each_write_leaves_its_operation(factory: &dyn Factory) {
    let (world, name) = (World::new(factory).await, session(&engine("1"), "s"));
    let store = &world.store;
    let new_engine = world.new_engine(&name.engine, 1);
    store.create_engine(new_engine.clone()).await.unwrap();
    let update = world.engine_update(&name.engine, 1, 2).await;
    store.update_engine(update.clone()).await.unwrap();
    let new_session = world.new_session(&name, "user", 3);
    store.create_session(new_session.clone()).await.unwrap();

    let expected = [
        done(new_engine.operation.unwrap(), name.engine.clone()),
        done(update.operation, name.engine.clone()),
        done(new_session.operation, name.clone()),
    ];
    for operation in &expected {
        assert_eq!(world.operation_by_id(operation.id, 4).await.as_ref(), Some(operation));
    }
    assert_eq!(world.operations(name.engine.clone(), 4).await, [expected[1].clone(), expected[0].clone()]);
    assert_eq!(world.operations(name.clone(), 4).await, [expected[2].clone()]);
    assert_eq!(world.operations(here(), 4).await, []);

    let deletion = world.session_deletion(&name, 5);
    let operation = deletion.operation;
    let deleted = store.delete_session(deletion).await.unwrap();
    assert_eq!(deleted, done(operation, here()));
    assert_eq!(world.operations(here(), 6).await, [deleted]);
}

pub async fn an_operation_is_found_by_its_id_within_its_location(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let engine = world.operations(name.engine.clone(), 1).await;
    let session = world.operations(name, 1).await;
    for operation in engine.into_iter().chain(session) {
        for elsewhere in [location("1234567890", "us-central2"), location("1", "us-central1")] {
            assert_eq!(world.store.get_operation(&elsewhere, operation.id, at(1)).await, Ok(None));
        }
        assert_eq!(world.operation_by_id(operation.id, 1).await, Some(operation));
    }
    for id in [0, 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
        assert_eq!(world.operation_by_id(id, 1).await, None, "{id}");
    }
}

pub async fn operations_are_listed_newest_first(factory: &dyn Factory) {
    let (world, name) = (World::new(factory).await, engine("1"));
    world.store.create_engine(world.new_engine(&name, 10)).await.unwrap();
    let mut expected = vec![(10, world.operations(name.clone(), 99).await[0].id)];
    for (revision, time) in (1..).zip([30, 20, 20, 40, 20, 5]) {
        let update = world.engine_update(&name, revision, time).await;
        expected.push((time, update.operation.id));
        world.store.update_engine(update).await.unwrap();
    }
    expected.sort_unstable_by(|a, b| b.cmp(a));
    let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    assert_eq!(operation_ids(&world.operations(name, 99).await), expected);
}

pub async fn a_sessions_operations_end_with_it(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let [deleted, expired] = ["deleted", "expired"].map(|id| session(&engine, id));
    world.create_session(&deleted, "user", 0).await;
    world.create_short_session(&expired, 0, 10).await;
    let ids = [
        world.operations(deleted.clone(), 9).await[0].id,
        world.operations(expired.clone(), 9).await[0].id,
    ];
    let deletion = world.delete(&deleted, 9).await;
    for time in [10, 11, 12] {
        for (id, name) in ids.iter().zip([&deleted, &expired]) {
            assert_eq!(world.operation_by_id(*id, time).await, None);
            assert_eq!(world.operations(name.clone(), time).await, []);
        }
        // The deletion hangs from the location, and stays.
        assert_eq!(world.operations(here(), time).await, std::slice::from_ref(&deletion));
        world.store.expire_sessions(at(time), 10).await.unwrap();
        if time == 11 {
            world.purge(time, 10).await;
        }
    }
    for (id, name) in ids.iter().zip([&deleted, &expired]) {
        world.create_session(name, "user", 13).await;
        assert_eq!(world.operation_by_id(*id, 14).await, None);
        assert!(!operation_ids(&world.operations(name.clone(), 14).await).contains(id));
    }
}

pub async fn an_engines_operations_end_with_it(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.store.update_engine(world.engine_update(&name.engine, 1, 1).await).await.unwrap();
    let mut gone = operation_ids(&world.operations(name.engine.clone(), 1).await);
    gone.extend(operation_ids(&world.operations(name.clone(), 1).await));
    assert_eq!(gone.len(), 3);
    let session_deletion = {
        let other = session(&name.engine, "other");
        world.create_session(&other, "user", 1).await;
        world.delete(&other, 1).await
    };
    let deletion = world.delete_engine(&name.engine, 2).await;
    for time in [2, 3] {
        for id in &gone {
            assert_eq!(world.operation_by_id(*id, time).await, None);
        }
        assert_eq!(world.operations(name.engine.clone(), time).await, []);
        assert_eq!(world.operations(name.clone(), time).await, []);
        let ids = operation_ids(&world.operations(here(), time).await);
        assert_eq!(ids, [deletion.id, session_deletion.id]);
        world.purge(time, 10).await;
    }
}

pub async fn an_engine_deletion_is_done_when_its_purge_is(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let name = large_engine(&world).await.engine;
    let deletion = world.delete_engine(&name, 100).await;
    assert_eq!(deletion.create_time, at(100));
    let mut time = 100;
    let mut steps = 0;
    loop {
        let operation = world.operation_by_id(deletion.id, time).await.unwrap();
        assert_eq!(world.operations(here(), time).await, std::slice::from_ref(&operation));
        assert_eq!((operation.create_time, operation.kind), (at(100), OperationKind::DeleteEngine));
        if operation.done {
            assert_eq!(operation.update_time, at(time));
            break;
        }
        assert_eq!(operation.update_time, at(100));
        time += 1;
        steps += 1;
        assert!(steps < 1_000, "the operation never ends");
        let progress = world.store.purge(at(time), 100).await.unwrap();
        assert!(progress.rows <= 2 * 100 + 16, "{progress:?}");
        let after = world.operation_by_id(deletion.id, time).await.unwrap();
        assert!(after.done || progress.more, "not done, and no more to do");
    }
    // 600 events were there: a step of 100 rows cannot have freed them.
    assert!(deletion.done || steps >= 3, "done after {steps} steps");
    world.purge(500, 100).await;
    assert_eq!(world.operation_by_id(deletion.id, 501).await.unwrap().update_time, at(time));
}

pub async fn delete_forgets_an_operation(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let store = &world.store;
    let ids = [
        world.operations(name.engine.clone(), 1).await[0].id,
        world.operations(name.clone(), 1).await[0].id,
        {
            let other = session(&name.engine, "other");
            world.create_session(&other, "user", 1).await;
            world.delete(&other, 1).await.id
        },
    ];
    for id in ids {
        let elsewhere = location("1234567890", "us-central2");
        assert_eq!(store.delete_operation(&elsewhere, id).await, Ok(false));
        assert!(world.operation_by_id(id, 2).await.is_some());
        assert_eq!(store.delete_operation(&here(), id).await, Ok(true));
        assert_eq!(world.operation_by_id(id, 2).await, None);
        assert_eq!(store.delete_operation(&here(), id).await, Ok(false));
    }
    for parent in [here().into(), OperationParent::Engine(name.engine.clone()), name.clone().into()] {
        assert_eq!(world.operations(parent, 2).await, []);
    }
    for id in [0, 1, i64::MAX as u64 + 1, u64::MAX] {
        assert_eq!(store.delete_operation(&here(), id).await, Ok(false), "{id}");
    }
    // What the operations stood for is untouched.
    assert!(world.try_get(&name, 2).await.is_some());
}

pub async fn an_operation_that_is_gone_with_its_parent_cannot_be_deleted(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let other = session(&name.engine, "other");
    world.create_session(&other, "user", 0).await;
    let of_engine = world.operations(name.engine.clone(), 1).await[0].id;
    let of_session = world.operations(name.clone(), 1).await[0].id;
    let of_other = world.operations(other.clone(), 1).await[0].id;
    world.delete(&name, 2).await;
    assert_eq!(world.store.delete_operation(&here(), of_session).await, Ok(false));
    world.delete_engine(&name.engine, 3).await;
    for id in [of_engine, of_session, of_other] {
        assert_eq!(world.store.delete_operation(&here(), id).await, Ok(false));
    }
    world.purge(4, 10).await;
}

pub async fn a_purge_goes_on_without_its_operation(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let name = large_engine(&world).await;
    let deletion = world.delete_engine(&name.engine, 100).await;
    assert_eq!(world.store.delete_operation(&here(), deletion.id).await, Ok(true));
    world.purge(101, 200).await;
    assert_eq!(world.operation_by_id(deletion.id, 102).await, None);
    assert_eq!(world.store.purge(at(103), 200).await.unwrap().rows, 0);
    world.create_engine(&name.engine, 104).await;
    let created = world.create_session(&name, "u29", 104).await;
    assert_eq!(created.state.entries(), []);
}

pub async fn sweep_forgets_what_ended_before(factory: &dyn Factory) {
    let (world, name) = (World::new(factory).await, session(&engine("1"), "s"));
    world.create_engine(&name.engine, 10).await;
    world.store.update_engine(world.engine_update(&name.engine, 1, 20).await).await.unwrap();
    world.create_session(&name, "user", 20).await;
    world.create_session(&session(&name.engine, "t"), "user", 30).await;
    let deletion = world.delete(&session(&name.engine, "t"), 40).await;

    assert_eq!(world.store.sweep_operations(at(10), 100).await.unwrap().rows, 0);
    assert_eq!(world.operations(name.engine.clone(), 50).await.len(), 2);
    let progress = world.store.sweep_operations(at(11), 100).await.unwrap();
    assert_eq!((progress.rows, progress.more), (1, false));
    assert_eq!(world.operations(name.engine.clone(), 50).await[0].kind, OperationKind::UpdateEngine);
    assert_eq!(world.operations(name.engine.clone(), 50).await.len(), 1);

    world.store.sweep_operations(at(40), 100).await.unwrap();
    assert_eq!(world.operations(name.engine.clone(), 50).await, []);
    assert_eq!(world.operations(name.clone(), 50).await, []);
    assert_eq!(world.operations(here(), 50).await, [deletion]);
    world.store.sweep_operations(at(41), 100).await.unwrap();
    assert_eq!(world.operations(here(), 50).await, []);
    assert!(world.try_get(&name, 50).await.is_some());
}

pub async fn sweep_goes_in_bounded_steps(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    for revision in 1..25 {
        world.store.update_engine(world.engine_update(&name, revision, revision).await).await.unwrap();
    }
    let mut left = 25;
    for _ in 0..100 {
        let progress = world.store.sweep_operations(at(1_000), 7).await.unwrap();
        assert!(progress.rows <= 7, "{progress:?}");
        left -= progress.rows;
        assert_eq!(world.operations(name.clone(), 50).await.len(), left);
        if !progress.more {
            break;
        }
        assert!(progress.rows > 0, "{progress:?}");
    }
    assert_eq!(left, 0);
}

pub async fn sweep_spares_what_has_not_ended(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let name = large_engine(&world).await.engine;
    let deletion = world.delete_engine(&name, 100).await;
    if !deletion.done {
        world.store.sweep_operations(at(1_000_000), 100).await.unwrap();
        assert_eq!(world.operation_by_id(deletion.id, 101).await, Some(deletion.clone()));
    }
    world.purge(102, 300).await;
    let ended = world.operation_by_id(deletion.id, 103).await.unwrap();
    assert!(ended.done);
    // It counts from its end, not from its beginning.
    world.store.sweep_operations(ended.update_time, 5_000).await.unwrap();
    assert_eq!(world.operation_by_id(deletion.id, 103).await, Some(ended));
    world.store.sweep_operations(at(103), 5_000).await.unwrap();
    assert_eq!(world.operation_by_id(deletion.id, 103).await, None);
}

pub async fn a_parent_that_is_not_live_has_no_operations(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let parents: [OperationParent; 4] = [
        location("1", "nowhere").into(),
        engine("404").into(),
        session(&name.engine, "404").into(),
        session(&engine("404"), "s").into(),
    ];
    for parent in parents {
        assert_eq!(world.operations(parent, 1).await, []);
    }
}
