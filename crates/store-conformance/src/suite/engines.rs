//! Engines: create, get, list, update, delete.

use bytes::Bytes;
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::operation::OperationKind;
use colloquy_sessions::store::{EngineUpdate, NewEngine, StoreError};
use resource_names::EngineName;

use crate::Factory;
use crate::fixture::{
    DAY, World, at, engine, engine_ids, engines_in, entries, events_in, here, labels, location,
    operation_ids, session, sessions_in,
};

fn full_content() -> EngineContent {
    EngineContent {
        display_name: "Ünïcode \u{1F600} '\"%_\\".to_owned(),
        description: "line\nline\0line".to_owned(),
        labels: labels(&[("env", "prod"), ("größe", ""), ("k_1-x", "値")]),
        settings: Bytes::from_iter(0..=255),
    }
}

pub async fn create_gives_back_the_whole_engine(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let new = NewEngine { content: full_content(), ..world.new_engine(&engine("1"), 5) };
    let created = world.store.create_engine(new).await.unwrap();
    let expected = Engine {
        name: engine("1"),
        content: full_content(),
        revision: 1,
        create_time: at(5),
        update_time: at(5),
    };
    assert_eq!(created, expected);
    assert_eq!(world.store.get_engine(&engine("1")).await, Ok(Some(expected.clone())));
    assert_eq!(world.engines().await, [expected]);
}

pub async fn create_without_an_operation_stores_none(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let new = NewEngine { operation: None, ..world.new_engine(&engine("1"), 0) };
    world.store.create_engine(new).await.unwrap();
    assert_eq!(world.operations(engine("1"), 1).await, []);
    assert_eq!(world.operations(here(), 1).await, []);
}

pub async fn create_refuses_the_name_of_a_live_engine(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    let before = world.store.get_engine(&name).await.unwrap();
    let new = NewEngine { content: full_content(), ..world.new_engine(&name, 9) };
    let operation = new.operation.unwrap().id;
    assert_eq!(world.store.create_engine(new).await, Err(StoreError::AlreadyExists));
    assert_eq!(world.store.get_engine(&name).await.unwrap(), before);
    assert_eq!(world.operation_by_id(operation, 9).await, None);
}

pub async fn an_engine_that_was_never_made_is_not_there(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let name = engine("404");
    assert_eq!(world.store.get_engine(&name).await, Ok(None));
    assert_eq!(world.engines().await, []);
    assert_all_gone(&world, &name).await;
}

pub async fn update_replaces_the_content_and_raises_the_revision(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    let update = EngineUpdate { content: full_content(), ..world.engine_update(&name, 1, 7).await };
    let updated = world.store.update_engine(update).await.unwrap();
    let expected = Engine {
        name: name.clone(),
        content: full_content(),
        revision: 2,
        create_time: at(0),
        update_time: at(7),
    };
    assert_eq!(updated, expected);
    assert_eq!(world.store.get_engine(&name).await, Ok(Some(expected)));

    let empty = EngineUpdate { content: EngineContent::default(), ..world.engine_update(&name, 2, 8).await };
    let updated = world.store.update_engine(empty).await.unwrap();
    assert_eq!((updated.content, updated.revision), (EngineContent::default(), 3));
}

pub async fn update_times_of_engines_go_forward(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    for (revision, asked, expected) in [(1, 50, 50), (2, 50, 51), (3, 20, 52), (4, -DAY, 53), (5, 54, 54)] {
        let updated = world.store.update_engine(world.engine_update(&name, revision, asked).await).await.unwrap();
        assert_eq!(updated.update_time, at(expected), "asked {asked}");
        assert_eq!(updated.create_time, at(0));
        assert_eq!(world.store.get_engine(&name).await, Ok(Some(updated)));
    }
}

pub async fn update_refuses_another_revision(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    world.store.update_engine(world.engine_update(&name, 1, 1).await).await.unwrap();
    let before = world.store.get_engine(&name).await.unwrap();
    for revision in [1, 3, 0, -1, i64::MAX, i64::MIN] {
        let update = world.engine_update(&name, revision, 2).await;
        let operation = update.operation.id;
        assert_eq!(world.store.update_engine(update).await, Err(StoreError::RevisionChanged), "{revision}");
        assert_eq!(world.store.get_engine(&name).await.unwrap(), before);
        assert_eq!(world.operation_by_id(operation, 2).await, None);
    }
}

pub async fn update_refuses_an_earlier_engine_of_the_name(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    let update = world.engine_update(&name, 1, 5).await;
    world.delete_engine(&name, 2).await;
    let engine = world.create_engine(&name, 3).await;
    assert_eq!(world.store.update_engine(update).await, Err(StoreError::RevisionChanged));
    assert_eq!(world.store.get_engine(&name).await, Ok(Some(engine)));
}

pub async fn delete_makes_everything_invisible_at_once(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.append(&name, 1, &[("app:a", "1"), ("user:u", "2"), ("s", "3")]).await;
    let before = world.operations(name.clone(), 2).await;
    assert_eq!(before.len(), 1);
    let deletion = world.delete_engine(&name.engine, 2).await;
    assert_eq!(deletion.kind, OperationKind::DeleteEngine);

    assert_eq!(world.store.get_engine(&name.engine).await, Ok(None));
    assert_eq!(world.engines().await, []);
    assert_eq!(world.try_get(&name, 2).await, None);
    assert_eq!(world.operations(name.clone(), 2).await, []);
    assert_eq!(world.operation_by_id(before[0].id, 2).await, None);
    assert_all_gone(&world, &name.engine).await;
    world.purge(3, 10).await;
    assert_all_gone(&world, &name.engine).await;
}

/// Every method that names the engine or a session in it says that it is not there.
async fn assert_all_gone(world: &World, name: &EngineName) {
    let store = &world.store;
    let session = session(name, "s");
    let update = world.engine_update(name, 1, 2).await;
    assert_eq!(store.update_engine(update).await, Err(StoreError::EngineNotFound));
    for force in [false, true] {
        let deletion = world.engine_deletion(name, force, 2);
        assert_eq!(store.delete_engine(deletion).await, Err(StoreError::EngineNotFound));
    }
    let new = world.new_session(&session, "user", 2);
    assert_eq!(store.create_session(new).await, Err(StoreError::EngineNotFound));
    assert_eq!(store.list_sessions(sessions_in(name, 2)).await.err(), Some(StoreError::EngineNotFound));
    assert_eq!(store.get_session(&session, at(2)).await, Ok(None));
    let update = world.session_update(&session, 2);
    assert_eq!(store.update_session(update).await, Err(StoreError::SessionNotFound));
    assert_eq!(world.try_delete(&session, 2).await, Err(StoreError::SessionNotFound));
    let event = world.new_event(2);
    assert_eq!(world.try_append(&session, 2, event).await, Err(StoreError::SessionNotFound));
    assert_eq!(store.list_events(events_in(&session, 2)).await.err(), Some(StoreError::SessionNotFound));
    assert_eq!(world.operations(name.clone(), 2).await, []);
}

pub async fn live_sessions_hold_an_engine_without_force(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.append(&name, 1, &[("s", "1")]).await;
    let before = (world.store.get_engine(&name.engine).await, world.get(&name, 2).await);
    let deletion = world.engine_deletion(&name.engine, false, 2);
    let operation = deletion.operation.id;
    assert_eq!(world.store.delete_engine(deletion).await, Err(StoreError::HasSessions));
    assert_eq!((world.store.get_engine(&name.engine).await, world.get(&name, 2).await), before);
    assert_eq!(world.events(&name, 2).await.len(), 1);
    assert_eq!(world.operation_by_id(operation, 2).await, None);
    world.append(&name, 3, &[]).await;
}

pub async fn expired_and_deleted_sessions_do_not_hold_an_engine(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    world.create_short_session(&session(&name, "expires"), 0, 10).await;
    world.create_session(&session(&name, "deleted"), "user", 0).await;
    world.delete(&session(&name, "deleted"), 1).await;
    let early = world.engine_deletion(&name, false, 9);
    assert_eq!(world.store.delete_engine(early).await, Err(StoreError::HasSessions));
    let due = world.engine_deletion(&name, false, 10);
    assert!(world.store.delete_engine(due).await.is_ok());
    assert_eq!(world.store.get_engine(&name).await, Ok(None));
}

pub async fn force_deletes_an_engine_with_sessions(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let deletion = world.engine_deletion(&name.engine, true, 2);
    let operation = world.store.delete_engine(deletion.clone()).await.unwrap();
    assert_eq!(operation.id, deletion.operation.id);
    assert_eq!(operation.parent, here().into());
    assert_eq!((operation.kind, operation.create_time), (OperationKind::DeleteEngine, at(2)));
    assert_eq!(operation.update_time, at(2));
    assert_eq!(world.operation_by_id(operation.id, 2).await, Some(operation));
}

pub async fn a_deleted_engines_name_is_free_at_once(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let entries_before = [("app:a", "1"), ("user:u", "2"), ("s", "3")];
    world.append(&name, 1, &entries_before).await;
    world.store.update_engine(world.engine_update(&name.engine, 1, 1).await).await.unwrap();
    world.delete_engine(&name.engine, 2).await;

    let new = world.new_engine(&name.engine, 3);
    let operation = new.operation.unwrap().id;
    let created = world.store.create_engine(new).await.unwrap();
    assert_eq!((created.revision, created.create_time, created.update_time), (1, at(3), at(3)));
    assert_eq!(created.content, EngineContent::default());
    assert_eq!(world.sessions(&name.engine, 3).await, []);
    assert_eq!(operation_ids(&world.operations(name.engine.clone(), 3).await), [operation]);
    assert_eq!(world.try_get(&name, 3).await, None);

    // Nothing of the former life comes back, neither before the purge nor after.
    for time in [4, 5] {
        let name = session(&name.engine, &format!("s{time}"));
        let fresh = world.create_session(&name, "user", time).await;
        assert_eq!(entries(&fresh), []);
        assert_eq!(world.append(&name, time, &[]).await.sequence, 1);
        world.purge(time, 3).await;
        assert_eq!(world.get(&name, time).await.state, fresh.state);
    }
    assert_eq!(world.store.get_engine(&name.engine).await, Ok(Some(created)));
    assert_eq!(world.sessions(&name.engine, 6).await.len(), 2);
}

pub async fn an_engine_can_be_deleted_many_times_before_a_purge(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let name = session(&engine("1"), "s");
    let mut operations = Vec::new();
    for life in 0..5 {
        world.create_engine(&name.engine, life * 10).await;
        world.create_session(&name, "user", life * 10).await;
        assert_eq!(world.append(&name, life * 10, &[("app:a", "1")]).await.sequence, 1);
        operations.push(world.delete_engine(&name.engine, life * 10 + 5).await.id);
    }
    world.purge(100, 4).await;
    for id in operations {
        assert!(world.operation_by_id(id, 100).await.unwrap().done);
    }
    assert_eq!(world.store.purge(at(101), 4).await.unwrap().rows, 0);
}

pub async fn engines_are_listed_newest_first(factory: &dyn Factory) {
    let world = World::new(factory).await;
    for (id, time) in [("3", 20), ("10", 10), ("9", 10), ("a", 10), ("A", 10), ("1", 30), ("2", 0)] {
        world.create_engine(&engine(id), time).await;
    }
    // An update does not move an engine.
    world.store.update_engine(world.engine_update(&engine("2"), 1, 99).await).await.unwrap();
    assert_eq!(engine_ids(&world.engines().await), ["1", "3", "a", "A", "9", "10", "2"]);
}

pub async fn locations_and_projects_never_see_each_other(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let places = [here(), location("1234567890", "europe-west1"), location("99", "us-central1")];
    let names = places.clone().map(|location| EngineName { location, engine: "1".to_owned() });
    for (time, name) in (0..).zip(&names) {
        let new = world.new_engine(name, time);
        let operation = new.operation.unwrap().id;
        world.store.create_engine(new).await.unwrap();
        for location in &places {
            let found = world.store.get_operation(location, operation, at(9)).await.unwrap();
            assert_eq!(found.is_some(), *location == name.location);
        }
        world.create_session_with(&session(name, "s"), "user", time, &[("app:a", "1")]).await;
    }
    for (time, name) in (0..).zip(&names) {
        let listed = world.walk(engines_in(&name.location)).await;
        assert_eq!(listed.iter().map(|engine| &engine.name).collect::<Vec<_>>(), [name]);
        assert_eq!(listed[0].create_time, at(time));
    }
    let deletion = world.delete_engine(&names[0], 10).await;
    world.purge(11, 5).await;
    for name in &names[1..] {
        assert!(world.store.get_engine(name).await.unwrap().is_some());
        assert_eq!(entries(&world.get(&session(name, "s"), 12).await).len(), 1);
        assert_eq!(world.store.get_operation(&name.location, deletion.id, at(12)).await, Ok(None));
        assert_eq!(world.operations(name.location.clone(), 12).await, []);
    }
    assert_eq!(world.walk(engines_in(&location("1234567890", "US-CENTRAL1"))).await, []);
}

pub async fn engine_ids_are_exact_texts(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let ids = ["1", "01", "1.0", "a", "A", "ä", "é", "e\u{301}", "%", "_", "*", "'", "\"", "\u{1F600}"];
    for id in ids {
        world.create_engine(&engine(id), 0).await;
    }
    let mut expected = ids.to_vec();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(engine_ids(&world.engines().await), expected);
    world.delete_engine(&engine("a"), 1).await;
    assert!(world.store.get_engine(&engine("A")).await.unwrap().is_some());
    assert_eq!(world.store.get_engine(&engine("a")).await.unwrap(), None);
}
