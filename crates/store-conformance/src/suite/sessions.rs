//! Sessions: create, get, update, delete, expire.

use colloquy_sessions::operation::OperationKind;
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{NewEvent, NewSession, SessionUpdate, StoreError};
use resource_names::SessionName;

use crate::Factory;
use crate::fixture::{
    DAY, World, at, delta, engine, entries, events_in, here, labels, operation_ids, session, session_ids, texts,
};

const ODD_TEXTS: [&str; 10] = [
    "a\0b",
    "\0",
    "' OR 1=1 --",
    "\"%_*\\",
    "Ünïcode",
    "e\u{301}",
    "\u{1F468}\u{200D}\u{1F469}",
    "\u{202E}rtl",
    "a\nb\tc\r",
    " padded ",
];

pub async fn create_gives_back_the_whole_session(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    let new = NewSession {
        display_name: "For people".to_owned(),
        labels: labels(&[("env", "prod"), ("größe", "値"), ("k", "")]),
        expire_time: at(2 * DAY),
        state: delta(&[("b", "1"), ("app:a", "2"), ("user:u", "3"), ("temp:t", "4")]),
        ..world.new_session(&session(&name, "s-1"), "alice", 5)
    };
    let created = world.store.create_session(new.clone()).await.unwrap();
    let expected = Session {
        name: new.name.clone(),
        user_id: "alice".to_owned(),
        display_name: new.display_name,
        labels: new.labels,
        create_time: at(5),
        update_time: at(5),
        expire_time: at(2 * DAY),
        state: created.state.clone(),
    };
    assert_eq!(created, expected);
    assert_eq!(entries(&created), texts(&[("app:a", "2"), ("b", "1"), ("user:u", "3")]));
    assert_eq!(world.get(&new.name, 6).await, expected);
    assert_eq!(world.sessions(&name, 6).await, [expected]);
    assert_eq!(world.events(&new.name, 6).await, []);
}

pub async fn create_refuses_the_name_of_a_live_session(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.append(&name, 1, &[("app:a", "old"), ("user:u", "old"), ("s", "old")]).await;
    let before = world.get(&name, 2).await;
    let new = NewSession {
        state: delta(&[("app:a", "new"), ("user:u", "new"), ("s", "new")]),
        ..world.new_session(&name, "user", 2)
    };
    let operation = new.operation.id;
    assert_eq!(world.store.create_session(new).await, Err(StoreError::AlreadyExists));
    assert_eq!(world.get(&name, 2).await, before);
    assert_eq!(world.operation_by_id(operation, 2).await, None);
    assert_eq!(world.sessions(&name.engine, 2).await, [before]);
}

pub async fn a_session_that_was_never_made_is_not_there(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    assert_gone(&world, &session(&name.engine, "other"), 1).await;
    assert_gone(&world, &session(&engine("404"), "s"), 1).await;
    assert_eq!(session_ids(&world.sessions(&name.engine, 1).await), ["s"]);
}

/// Every method that names the session says that it is not there.
async fn assert_gone(world: &World, name: &SessionName, time: i64) {
    assert_eq!(world.try_get(name, time).await, None);
    let update =
        SessionUpdate { display_name: Some("x".to_owned()), ..world.session_update(name, time) };
    assert_eq!(world.store.update_session(update).await, Err(StoreError::SessionNotFound));
    let deletion = world.session_deletion(name, time);
    let operation = deletion.operation.id;
    assert_eq!(world.store.delete_session(deletion).await, Err(StoreError::SessionNotFound));
    assert_eq!(world.operation_by_id(operation, time).await, None);
    let event = NewEvent { delta: delta(&[("user:leak", "1")]), ..world.new_event(time) };
    assert_eq!(world.try_append(name, time, event).await, Err(StoreError::SessionNotFound));
    let events = world.store.list_events(events_in(name, time)).await;
    assert_eq!(events.err(), Some(StoreError::SessionNotFound));
    assert_eq!(world.operations(name.clone(), time).await, []);
}

pub async fn a_session_expires_at_the_instant(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let name = session(&engine, "s");
    world.create_short_session(&name, 0, 100).await;
    let operation = world.operations(name.clone(), 99).await;
    assert_eq!(operation.len(), 1);
    world.append(&name, 99, &[]).await;
    assert_eq!(world.events(&name, 99).await.len(), 1);
    assert_eq!(session_ids(&world.sessions(&engine, 99).await), ["s"]);
    world.store.update_session(world.session_update(&name, 99)).await.unwrap();

    for time in [100, 101, 400 * DAY] {
        assert_gone(&world, &name, time).await;
        assert_eq!(world.sessions(&engine, time).await, []);
        assert_eq!(world.operation_by_id(operation[0].id, time).await, None);
    }
    // Nothing was swept: a clock that went too far has done no harm.
    assert_eq!(world.events(&name, 99).await.len(), 1);
}

pub async fn an_expired_name_is_free_at_once(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let name = session(&engine, "s");
    world.create_short_session(&name, 0, 100).await;
    world.append(&name, 1, &[("app:a", "1"), ("user:u", "2"), ("s", "3")]).await;
    let early = world.new_session(&name, "user", 99);
    assert_eq!(world.store.create_session(early).await, Err(StoreError::AlreadyExists));
    assert_reborn(&world, &name, 100).await;
}

pub async fn a_name_that_was_given_away_does_not_come_back(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let name = session(&engine, "s");
    world.create_short_session(&name, 0, 100).await;
    world.append(&name, 1, &[("s", "old")]).await;
    let created = world.create_session(&name, "user", 100).await;
    // Nor where the clock goes back to when the last session of the name was live.
    for time in [100, 50] {
        assert_eq!(world.get(&name, time).await, created);
        assert_eq!(world.events(&name, time).await, []);
        assert_eq!(world.sessions(&engine, time).await, std::slice::from_ref(&created));
        assert_eq!(world.operations(name.clone(), time).await.len(), 1);
    }
    world.delete(&name, 50).await;
    assert_gone(&world, &name, 50).await;
}

pub async fn a_deleted_name_is_free_at_once(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.append(&name, 1, &[("app:a", "1"), ("user:u", "2"), ("s", "3")]).await;
    world.delete(&name, 2).await;
    assert_reborn(&world, &name, 3).await;
}

/// A new session of the name has a life of its own, before and after the purge of the last one.
async fn assert_reborn(world: &World, name: &SessionName, time: i64) {
    let new = world.new_session(name, "user", time);
    let operation = new.operation.id;
    let created = world.store.create_session(new).await.unwrap();
    assert_eq!(entries(&created), texts(&[("app:a", "1"), ("user:u", "2")]));
    assert_eq!((created.create_time, created.update_time), (at(time), at(time)));
    assert_eq!(world.events(name, time).await, []);
    assert_eq!(operation_ids(&world.operations(name.clone(), time).await), [operation]);
    assert_eq!(world.append(name, time, &[("n", "1")]).await.sequence, 1);
    let before = world.get(name, time).await;
    world.store.expire_sessions(at(time), 10).await.unwrap();
    world.purge(time, 2).await;
    assert_eq!(world.get(name, time).await, before);
    assert_eq!(world.events(name, time).await.len(), 1);
    assert_eq!(world.append(name, time, &[]).await.sequence, 2);
    assert_eq!(session_ids(&world.sessions(&name.engine, time).await), [name.session.as_str()]);
}

pub async fn update_replaces_only_what_is_given(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let name = session(&engine, "s");
    let new = NewSession {
        display_name: "before".to_owned(),
        labels: labels(&[("a", "1"), ("b", "2")]),
        state: delta(&[("app:a", "1"), ("s", "2")]),
        ..world.new_session(&name, "alice", 0)
    };
    let mut expected = world.store.create_session(new).await.unwrap();
    let nothing = world.session_update(&name, 1);
    let steps = [
        nothing.clone(),
        SessionUpdate { display_name: Some("after".to_owned()), ..nothing.clone() },
        SessionUpdate { labels: Some(labels(&[("c", "3")])), ..nothing.clone() },
        SessionUpdate { expire_time: Some(at(9 * DAY)), ..nothing.clone() },
        SessionUpdate {
            display_name: Some(String::new()),
            labels: Some(labels(&[])),
            expire_time: Some(at(3 * DAY)),
            ..nothing
        },
    ];
    for (time, step) in (1..).zip(steps) {
        let step = SessionUpdate { now: at(time), ..step };
        expected.update_time = at(time);
        expected.display_name = step.display_name.clone().unwrap_or(expected.display_name);
        expected.labels = step.labels.clone().unwrap_or(expected.labels);
        expected.expire_time = step.expire_time.unwrap_or(expected.expire_time);
        assert_eq!(world.store.update_session(step).await, Ok(expected.clone()));
        assert_eq!(world.get(&name, time).await, expected);
        assert_eq!(world.sessions(&engine, time).await, [expected.clone()]);
    }
}

pub async fn update_times_of_sessions_go_forward(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for (now, expected) in [(50, 50), (50, 51), (20, 52), (-DAY, 53), (54, 54)] {
        let updated = world.store.update_session(world.session_update(&name, now)).await.unwrap();
        assert_eq!(updated.update_time, at(expected), "now {now}");
        assert_eq!(world.get(&name, 60).await, updated);
    }
    assert_eq!(world.append(&name, 40, &[]).await.update_time, at(55));
    let updated = world.store.update_session(world.session_update(&name, 41)).await.unwrap();
    assert_eq!(updated.update_time, at(56));
}

pub async fn update_refuses_another_user(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let name = session(&engine, "s");
    let before = world.create_session(&name, "user", 0).await;
    let update = |user: &str| SessionUpdate {
        display_name: Some("new".to_owned()),
        user_id: Some(user.to_owned()),
        ..world.session_update(&name, 1)
    };
    for user in ["User", "use", "", "user "] {
        assert_eq!(world.store.update_session(update(user)).await, Err(StoreError::OtherUser), "{user:?}");
    }
    assert_eq!(world.get(&name, 2).await, before);
    assert_eq!(world.store.update_session(update("user")).await.unwrap().display_name, "new");
    world.delete(&name, 3).await;
    assert_eq!(world.store.update_session(update("x")).await, Err(StoreError::SessionNotFound));
}

pub async fn update_moves_the_end(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let name = session(&engine, "s");
    world.create_short_session(&name, 0, 100).await;
    let longer = SessionUpdate { expire_time: Some(at(200)), ..world.session_update(&name, 99) };
    world.store.update_session(longer).await.unwrap();
    assert!(world.try_get(&name, 199).await.is_some());
    assert_gone(&world, &name, 200).await;
    let shorter = SessionUpdate { expire_time: Some(at(150)), ..world.session_update(&name, 120) };
    world.store.update_session(shorter).await.unwrap();
    assert!(world.try_get(&name, 149).await.is_some());
    assert_gone(&world, &name, 150).await;
    assert_eq!(world.sessions(&engine, 150).await, []);
}

pub async fn delete_makes_a_session_invisible_at_once(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let other = session(&name.engine, "other");
    world.create_session(&other, "user", 0).await;
    world.append(&name, 1, &[("app:a", "1"), ("user:u", "2"), ("s", "3")]).await;
    let creation = world.operations(name.clone(), 1).await;
    let operation = world.delete(&name, 2).await;
    assert_eq!(operation.parent, here().into());
    assert_eq!((operation.kind, operation.done), (OperationKind::DeleteSession, true));
    assert_eq!((operation.create_time, operation.update_time), (at(2), at(2)));
    assert_eq!(world.operation_by_id(operation.id, 2).await, Some(operation));

    // Not even for a clock that is behind.
    for time in [0, 2, 3] {
        assert_gone(&world, &name, time).await;
        assert_eq!(session_ids(&world.sessions(&name.engine, time).await), ["other"]);
        assert_eq!(world.operation_by_id(creation[0].id, time).await, None);
    }
    assert_eq!(entries(&world.get(&other, 3).await), texts(&[("app:a", "1"), ("user:u", "2")]));
    world.purge(4, 3).await;
    assert_gone(&world, &name, 4).await;
    assert_eq!(entries(&world.get(&other, 5).await), texts(&[("app:a", "1"), ("user:u", "2")]));
}

pub async fn engines_never_see_each_others_sessions(factory: &dyn Factory) {
    let (world, first) = World::with_session(factory).await;
    let second = session(&engine("7002"), "s");
    world.create_engine(&second.engine, 0).await;
    assert_gone(&world, &second, 1).await;
    world.create_session(&second, "user", 1).await;
    world.append(&first, 2, &[("app:a", "1"), ("user:u", "2"), ("s", "3")]).await;
    assert_eq!(entries(&world.get(&second, 3).await), []);
    assert_eq!(world.events(&second, 3).await, []);
    assert_eq!(world.append(&second, 3, &[("app:a", "9")]).await.sequence, 1);
    assert_eq!(entries(&world.get(&first, 3).await)[0], ("app:a".to_owned(), "1".to_owned()));
    for name in [&first, &second] {
        let listed = world.sessions(&name.engine, 4).await;
        assert_eq!(listed, [world.get(name, 4).await]);
    }
    world.delete(&first, 5).await;
    world.purge(6, 10).await;
    assert_eq!(world.events(&second, 6).await.len(), 1);
    assert_eq!(entries(&world.get(&second, 6).await), texts(&[("app:a", "9")]));
}

pub async fn odd_texts_come_back_as_they_are(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    for (number, text) in ODD_TEXTS.iter().enumerate() {
        let name = session(&engine, &format!("s{number}"));
        let new = NewSession {
            display_name: (*text).to_owned(),
            labels: labels(&[(text, text)]),
            state: delta(&[("user:mine", text)]),
            ..world.new_session(&name, text, 0)
        };
        let created = world.store.create_session(new).await.unwrap();
        assert_eq!(created.user_id, *text);
        assert_eq!(created.display_name, *text);
        assert_eq!(created.labels, labels(&[(text, text)]));
        // No other user's state is taken for this user's.
        assert_eq!(entries(&created), texts(&[("user:mine", text)]));
        assert_eq!(world.get(&name, 1).await, created);
    }
    assert_eq!(world.sessions(&engine, 1).await.len(), ODD_TEXTS.len());
}

pub async fn session_ids_are_exact_texts(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let ids = ["a", "A", "a-", "a_", "ab", "1", "01", "ä", "%", "_", "'"];
    for id in ids {
        world.create_session_with(&session(&engine, id), "user", 0, &[("id", id)]).await;
    }
    for id in ids {
        assert_eq!(entries(&world.get(&session(&engine, id), 1).await), texts(&[("id", id)]));
    }
    let mut expected = ids.to_vec();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(session_ids(&world.sessions(&engine, 1).await), expected);
}
