//! Upkeep: expiry, purges, health.

use std::time::Duration;

use colloquy_sessions::horizon::{Ahead, Horizon};
use colloquy_sessions::store::Progress;

use crate::Factory;
use crate::fixture::{DAY, World, at, engine, entries, session, session_ids, texts};

pub async fn a_store_that_serves_is_healthy(factory: &dyn Factory) {
    let (world, _) = World::with_session(factory).await;
    assert_eq!(world.store.health().await, Ok(()));
}

pub async fn the_horizon_is_the_one_that_was_kept_last(factory: &dyn Factory) {
    let (world, _) = World::with_session(factory).await;
    assert_eq!(world.store.horizon().await, Ok(None));
    let ahead = Ahead { since: at(DAY), lasted: Duration::from_micros(1_234_567) };
    for horizon in [
        Horizon::first(at(5)),
        Horizon { believed: at(6), ahead: Some(ahead) },
        // Back again.
        Horizon::first(at(-7)),
    ] {
        assert_eq!(world.store.keep_horizon(horizon).await, Ok(()));
        assert_eq!(world.store.horizon().await, Ok(Some(horizon)));
    }
}

pub async fn with_nothing_to_do_nothing_is_done(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.append(&name, 1, &[("app:a", "1"), ("user:u", "1"), ("s", "1")]).await;
    let before = (world.get(&name, 9).await, world.events(&name, 9).await);
    for _ in 0..2 {
        assert_eq!(world.store.expire_sessions(at(9), 10).await, Ok(Progress::default()));
        assert_eq!(world.store.purge(at(9), 10).await, Ok(Progress::default()));
        assert_eq!(world.store.sweep_operations(at(-DAY), 10).await, Ok(Progress::default()));
    }
    assert_eq!((world.get(&name, 9).await, world.events(&name, 9).await), before);
    assert_eq!(world.operations(name, 9).await.len(), 1);
}

pub async fn upkeep_is_somebodys(factory: &dyn Factory) {
    let world = World::new(factory).await;
    // A store of several nodes asks another one each time.
    for _ in 0..3 {
        let mut holders = 0;
        for _ in 0..12 {
            holders += usize::from(world.store.lease_upkeep().await.unwrap());
        }
        assert!(holders > 0, "nobody does it");
    }
}

pub async fn expiry_deletes_what_is_due_and_nothing_else(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    for (id, end) in [("a", 10), ("b", 11), ("c", 12)] {
        world.create_short_session(&session(&engine, id), 0, end).await;
        world.append(&session(&engine, id), 1, &[("app:a", id), ("user:u", id)]).await;
    }
    assert_eq!(world.store.expire_sessions(at(9), 10).await.unwrap().rows, 0);
    assert_eq!(world.sessions(&engine, 9).await.len(), 3);
    world.store.expire_sessions(at(11), 10).await.unwrap();
    // What is swept is gone for good, also for a clock that is behind; the rest is untouched.
    assert_eq!(session_ids(&world.sessions(&engine, 5).await), ["c"]);
    assert_eq!(world.try_get(&session(&engine, "b"), 5).await, None);
    world.purge(11, 10).await;
    let rest = world.get(&session(&engine, "c"), 11).await;
    assert_eq!(entries(&rest), texts(&[("app:a", "c"), ("user:u", "c")]));
    assert_eq!(world.events(&rest.name, 11).await.len(), 1);
}

pub async fn expiry_goes_in_bounded_steps_over_all_engines(factory: &dyn Factory) {
    let world = World::new(factory).await;
    for engine in [engine("1"), engine("2")] {
        world.create_engine(&engine, 0).await;
        for n in 0..15 {
            world.create_short_session(&session(&engine, &format!("s{n}")), 0, 10 + n).await;
        }
    }
    let count = || async {
        world.sessions(&engine("1"), 5).await.len() + world.sessions(&engine("2"), 5).await.len()
    };
    for _ in 0..100 {
        let before = count().await;
        let progress = world.store.expire_sessions(at(100), 7).await.unwrap();
        let swept = before - count().await;
        assert!(swept <= 7, "{swept} sessions in a step of 7");
        assert!(swept > 0 || !progress.more, "no step forward: {progress:?}");
        if !progress.more {
            break;
        }
    }
    assert_eq!(count().await, 0);
}

pub async fn an_extended_session_is_not_swept(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let name = session(&engine, "s");
    world.create_short_session(&name, 0, 10).await;
    let update = world.session_update(&name, 9);
    let update = colloquy_sessions::store::SessionUpdate { expire_time: Some(at(20)), ..update };
    world.store.update_session(update).await.unwrap();
    world.store.expire_sessions(at(15), 10).await.unwrap();
    assert!(world.try_get(&name, 15).await.is_some());
    world.store.expire_sessions(at(20), 10).await.unwrap();
    assert_eq!(world.try_get(&name, 15).await, None);
}

pub async fn a_purge_of_sessions_goes_in_bounded_steps(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let neighbour = session(&name.engine, "neighbour");
    world.create_session(&neighbour, "user", 0).await;
    for n in 0..300 {
        world.append(&name, n, &[(&format!("k{n}"), "1")]).await;
        if n % 100 == 0 {
            world.append(&neighbour, n, &[("s", "1")]).await;
        }
    }
    let before = (world.get(&neighbour, 400).await, world.events(&neighbour, 400).await);
    world.delete(&name, 401).await;
    world.purge(402, 50).await;
    assert_eq!(world.store.purge(at(403), 50).await, Ok(Progress::default()));
    assert_eq!((world.get(&neighbour, 400).await, world.events(&neighbour, 400).await), before);
    assert_eq!(world.try_get(&name, 404).await, None);
}

pub async fn a_purge_of_engines_goes_in_bounded_steps(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let (doomed, spared) = (engine("doomed"), engine("spared"));
    for engine in [&doomed, &spared] {
        world.create_engine(engine, 0).await;
        for n in 0..20 {
            let name = session(engine, &format!("s{n}"));
            let state = [("app:a", "1"), ("user:u", "2"), ("s", "3")];
            world.create_session_with(&name, &format!("user{n}"), 0, &state).await;
            for time in 1..=10 {
                world.append(&name, time, &[]).await;
            }
        }
    }
    let before = world.sessions(&spared, 20).await;
    let deletion = world.delete_engine(&doomed, 21).await;
    let steps = world.purge(22, 20).await;
    assert!(deletion.done || steps >= 5, "200 events in {steps} steps of 20 rows");
    assert!(world.operation_by_id(deletion.id, 23).await.unwrap().done);
    assert_eq!(world.store.purge(at(23), 20).await, Ok(Progress::default()));
    assert_eq!(world.sessions(&spared, 20).await, before);
    for n in 0..20 {
        assert_eq!(world.events(&session(&spared, &format!("s{n}")), 20).await.len(), 10);
    }
    assert_eq!(world.operations(spared.clone(), 20).await.len(), 1);
}

pub async fn work_goes_on_between_the_steps_of_a_purge(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for n in 0..120 {
        world.append(&name, n, &[("app:a", "old"), ("user:u", "old")]).await;
    }
    world.delete_engine(&name.engine, 200).await;
    world.create_engine(&name.engine, 201).await;
    world.create_session(&name, "user", 201).await;
    for n in 1..=60 {
        let time = 201 + i64::try_from(n).unwrap();
        assert_eq!(world.append(&name, time, &[("app:b", "new")]).await.sequence, n);
        world.store.purge(at(time), 5).await.unwrap();
        assert_eq!(entries(&world.get(&name, time).await), texts(&[("app:b", "new")]));
    }
    world.purge(300, 5).await;
    assert_eq!(world.events(&name, 301).await.len(), 60);
    assert_eq!(entries(&world.get(&name, 301).await), texts(&[("app:b", "new")]));
    assert_eq!(world.engines().await.len(), 1);
}
