//! State: scopes, merging, and the limit on the merged state.

use bytes::Bytes;
use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{Append, NewEvent, NewSession, StoreError};
use resource_names::SessionName;

use crate::Factory;
use crate::fixture::{MIB, World, delta, engine, entries, session, texts};

/// What a session sees, as text.
async fn seen(world: &World, name: &SessionName) -> Vec<(String, String)> {
    let entries = entries(&world.get(name, 1_000).await);
    let listed = world.sessions(&name.engine, 1_000).await;
    let listed = listed.iter().find(|session| session.name == *name).map(crate::fixture::entries);
    assert_eq!(listed.as_ref(), Some(&entries), "a list shows the same state");
    entries
}

pub async fn scopes_are_shared_as_their_prefixes_say(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let [first, second, other] = ["first", "second", "other"].map(|id| session(&engine, id));
    world.create_session(&first, "alice", 0).await;
    world.create_session(&second, "alice", 0).await;
    world.append(&first, 1, &[("app:a", "1"), ("user:u", "2"), ("s", "3"), ("temp:t", "4")]).await;
    world.create_session(&other, "bob", 2).await;
    assert_eq!(seen(&world, &first).await, texts(&[("app:a", "1"), ("s", "3"), ("user:u", "2")]));
    assert_eq!(seen(&world, &second).await, texts(&[("app:a", "1"), ("user:u", "2")]));
    assert_eq!(seen(&world, &other).await, texts(&[("app:a", "1")]));

    world.append(&other, 3, &[("app:a", "10"), ("user:u", "20")]).await;
    world.append(&second, 3, &[("app:b", "11"), ("user:v", "21")]).await;
    let first_sees =
        [("app:a", "10"), ("app:b", "11"), ("s", "3"), ("user:u", "2"), ("user:v", "21")];
    assert_eq!(seen(&world, &first).await, texts(&first_sees));
    let other_sees = [("app:a", "10"), ("app:b", "11"), ("user:u", "20")];
    assert_eq!(seen(&world, &other).await, texts(&other_sees));
}

pub async fn users_are_told_apart_exactly(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let users = ["u", "U", "u ", "u\0", "ü", "u\u{308}", "%"];
    for (number, user) in users.iter().enumerate() {
        let name = session(&engine, &format!("s{number}"));
        let created = world.create_session_with(&name, user, 0, &[("user:me", user)]).await;
        assert_eq!(entries(&created), texts(&[("user:me", user)]));
    }
    for (number, user) in users.iter().enumerate() {
        let name = session(&engine, &format!("s{number}"));
        assert_eq!(seen(&world, &name).await, texts(&[("user:me", user)]));
    }
}

pub async fn initial_state_is_merged_into_all_scopes(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let [first, second] = ["first", "second"].map(|id| session(&engine, id));
    let state = [("app:a", "1"), ("app:b", "1"), ("user:u", "1"), ("s", "1")];
    world.create_session_with(&first, "alice", 0, &state).await;
    let state = [("app:b", "2"), ("user:v", "2"), ("t", "2")];
    let created = world.create_session_with(&second, "alice", 1, &state).await;
    let expected = [("app:a", "1"), ("app:b", "2"), ("t", "2"), ("user:u", "1"), ("user:v", "2")];
    assert_eq!(entries(&created), texts(&expected));
    let expected = [("app:a", "1"), ("app:b", "2"), ("s", "1"), ("user:u", "1"), ("user:v", "2")];
    assert_eq!(seen(&world, &first).await, texts(&expected));
}

pub async fn deltas_replace_whole_values_and_the_last_one_wins(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for prefix in ["", "app:", "user:"] {
        let keys = ["a", "b", "c"].map(|key| format!("{prefix}{key}"));
        let [a, b, c] = keys.each_ref().map(String::as_str);
        world.append(&name, 1, &[(a, "{\"x\":1}"), (b, "1")]).await;
        world.append(&name, 2, &[(a, "{\"y\":2}"), (c, "1")]).await;
        world.append(&name, 3, &[]).await;
        world.append(&name, 4, &[(c, "2"), (c, "3"), (b, "")]).await;
        let seen: Vec<_> = seen(&world, &name).await;
        let of_scope = seen.into_iter().filter(|(key, _)| keys.contains(key));
        assert_eq!(of_scope.collect::<Vec<_>>(), texts(&[(a, "{\"y\":2}"), (b, ""), (c, "3")]));
    }
}

pub async fn deltas_are_merged_by_arrival_not_by_timestamp(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for (timestamp, text) in [(30, "first"), (20, "second"), (10, "third")] {
        let timestamp = crate::fixture::at(timestamp);
        let event = NewEvent { timestamp, delta: delta(&[("k", text)]), ..world.new_event(40) };
        world.append_one(&name, 40, event).await;
    }
    assert_eq!(seen(&world, &name).await, texts(&[("k", "third")]));
}

pub async fn odd_keys_and_values_come_back_as_they_are(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let rests = [
        "", "a\0b", "\0", "'", "\"", "%", "_", "ä", "a\u{308}", "\u{1F600}", "a:b", "app:", "user:x", "A", "a", " a",
        "$.a", "a.b",
    ];
    let mut state = Vec::new();
    for prefix in ["", "app:", "user:"] {
        for rest in rests {
            let key = format!("{prefix}{rest}");
            if !state.iter().any(|(known, _)| *known == key) {
                state.push((key, Bytes::from_iter(0..=255)));
            }
        }
    }
    let event = NewEvent { delta: StateDelta::new(state.clone()), ..world.new_event(1) };
    world.append_one(&name, 1, event).await;
    // Sorted by the bytes of the whole key.
    state.sort();
    assert_eq!(world.get(&name, 2).await.state.entries(), state);
}

pub async fn a_long_key_and_a_large_value_are_kept(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let key = "k".repeat(10_000);
    let value = Bytes::from(vec![7; MIB]);
    let delta = StateDelta::new([(key.clone(), value.clone())]);
    let event = NewEvent { delta, ..world.new_event(1) };
    let append = Append { state_limit: 2 * MIB, ..world.new_append(&name, 1, event) };
    world.store.append_events(append).await.unwrap();
    assert_eq!(world.get(&name, 2).await.state.entries(), [(key, value)]);
}

pub async fn many_keys_are_kept(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let state: Vec<_> = (0..3_000).map(|n| (format!("k{n:05}"), Bytes::from(n.to_string()))).collect();
    let event = NewEvent { delta: StateDelta::new(state.clone()), ..world.new_event(1) };
    world.append_one(&name, 1, event).await;
    assert_eq!(world.get(&name, 2).await.state.entries(), state);
}

async fn append_within(world: &World, name: &SessionName, limit: usize, entries: &[(&str, &str)]) -> Result<(), usize> {
    let event = NewEvent { delta: delta(entries), ..world.new_event(1) };
    let append = Append { state_limit: limit, ..world.new_append(name, 1, event) };
    match world.store.append_events(append).await {
        Ok(_) => Ok(()),
        Err(StoreError::StateTooLarge { bytes }) => Err(bytes),
        Err(other) => panic!("{other}"),
    }
}

pub async fn the_limit_counts_keys_with_prefix_and_values_of_all_scopes(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let twenty = [("app:a", "11"), ("user:u", "2"), ("s", "33333")];
    let bytes = delta(&twenty).bytes();
    assert_eq!(bytes, 7 + 7 + 6);
    assert_eq!(append_within(&world, &name, bytes - 1, &twenty).await, Err(bytes));
    assert_eq!(append_within(&world, &name, bytes, &twenty).await, Ok(()));
    // A replaced value counts once; what does not change the size is let through.
    assert_eq!(append_within(&world, &name, bytes, &[("s", "44444"), ("app:a", "55")]).await, Ok(()));
    assert_eq!(append_within(&world, &name, bytes, &[("s", "444444")]).await, Err(bytes + 1));
    assert_eq!(append_within(&world, &name, bytes, &[("ß", "")]).await, Err(bytes + 2));
    assert_eq!(append_within(&world, &name, bytes, &[("s", "4444"), ("t", "")]).await, Ok(()));
    assert_eq!(append_within(&world, &name, bytes, &[("temp:huge", "7777777777")]).await, Ok(()));
}

pub async fn a_refused_delta_changes_nothing(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let neighbour = session(&name.engine, "neighbour");
    world.create_session(&neighbour, "user", 0).await;
    world.append(&name, 1, &[("app:a", "1"), ("user:u", "1"), ("s", "1")]).await;
    let before = (world.get(&name, 5).await, world.get(&neighbour, 5).await, world.events(&name, 5).await);
    let entries = [("app:a", "2"), ("app:new", "2"), ("user:u", "2"), ("s", "2"), ("t", "2222222222")];
    let bytes = before.0.state.entries().iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    let grown = bytes + "app:new".len() + 1 + "t".len() + 10;
    assert_eq!(append_within(&world, &name, 30, &entries).await, Err(grown));
    let after = (world.get(&name, 5).await, world.get(&neighbour, 5).await, world.events(&name, 5).await);
    assert_eq!(after, before);
    // The refused event has not taken a sequence.
    assert_eq!(world.append(&name, 6, &[]).await.sequence, 2);
}

pub async fn a_state_that_others_have_grown_may_stay_or_shrink(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let other = session(&name.engine, "other");
    world.create_session(&other, "someone", 0).await;
    assert_eq!(append_within(&world, &name, 10, &[("s", "123456789")]).await, Ok(()));
    assert_eq!(append_within(&world, &other, 20, &[("app:a", "1234567890")]).await, Ok(()));
    // Now 25 bytes are seen, and 10 is the limit.
    assert_eq!(append_within(&world, &name, 10, &[]).await, Ok(()));
    assert_eq!(append_within(&world, &name, 10, &[("s", "987654321")]).await, Ok(()));
    assert_eq!(append_within(&world, &name, 10, &[("s", "9876543210")]).await, Err(26));
    assert_eq!(append_within(&world, &name, 10, &[("s", "98"), ("t", "12345")]).await, Ok(()));
    assert_eq!(append_within(&world, &name, 10, &[("app:a", "")]).await, Ok(()));
    assert_eq!(seen(&world, &name).await, texts(&[("app:a", ""), ("s", "98"), ("t", "12345")]));
    assert_eq!(append_within(&world, &name, 13, &[("t", "1234")]).await, Ok(()));
    assert_eq!(append_within(&world, &name, 13, &[("t", "123456")]).await, Err(15));
}

pub async fn initial_state_is_held_to_the_limit(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.append(&name, 1, &[("app:a", "1234"), ("user:u", "123")]).await;
    let new = |id: &str, entries: &[(&str, &str)], state_limit| NewSession {
        state: delta(entries),
        state_limit,
        ..world.new_session(&session(&name.engine, id), "user", 2)
    };
    // 9 bytes of the app and 9 of the user are there already.
    let refused = new("new", &[("s", "12"), ("user:u", "9999")], 21);
    let operation = refused.operation.id;
    let answer = world.store.create_session(refused.clone()).await;
    assert_eq!(answer, Err(StoreError::StateTooLarge { bytes: 22 }));
    assert_eq!(world.try_get(&refused.name, 3).await, None);
    assert_eq!(world.operation_by_id(operation, 3).await, None);
    assert_eq!(seen(&world, &name).await, texts(&[("app:a", "1234"), ("user:u", "123")]));
    let fits = NewSession { state_limit: 22, ..refused };
    assert_eq!(world.store.create_session(fits).await.unwrap().state.entries().len(), 3);
    // A session that adds nothing to a state past the limit can still be made.
    assert!(world.store.create_session(new("bare", &[], 5)).await.is_ok());
    assert!(world.store.create_session(new("shrinks", &[("app:a", "")], 5)).await.is_ok());
}

pub async fn shared_state_outlives_its_sessions(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let [first, second, third] = ["first", "second", "third"].map(|id| session(&engine, id));
    world.create_short_session(&first, 0, 10).await;
    world.append(&first, 1, &[("app:a", "1"), ("user:u", "1"), ("s", "1")]).await;
    world.store.expire_sessions(crate::fixture::at(10), 5).await.unwrap();
    world.purge(11, 5).await;
    let created = world.create_session(&second, "user", 12).await;
    assert_eq!(entries(&created), texts(&[("app:a", "1"), ("user:u", "1")]));
    world.append(&second, 13, &[("user:v", "2")]).await;
    world.delete(&second, 14).await;
    world.purge(15, 5).await;
    let created = world.create_session(&third, "user", 16).await;
    assert_eq!(entries(&created), texts(&[("app:a", "1"), ("user:u", "1"), ("user:v", "2")]));
}

pub async fn shared_state_ends_with_its_engine(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let name = session(&engine("1"), "s");
    for purge in [false, true] {
        world.create_engine(&name.engine, 0).await;
        let created = world.create_session(&name, "user", 0).await;
        assert_eq!(entries(&created), []);
        // The limit knows nothing of the former life either.
        let full = [("app:a", "1"), ("user:u", "2"), ("s", "3")];
        assert_eq!(append_within(&world, &name, delta(&full).bytes(), &full).await, Ok(()));
        world.delete_engine(&name.engine, 2).await;
        if purge {
            world.purge(3, 5).await;
        }
    }
    world.create_engine(&name.engine, 4).await;
    assert_eq!(entries(&world.create_session(&name, "user", 4).await), []);
}
