//! Events: append and list.

use bytes::Bytes;
use colloquy_sessions::Timestamp;
use colloquy_sessions::event::Event;
use colloquy_sessions::store::{Append, Appended, EventQuery, NewEvent, StoreError};

use crate::Factory;
use crate::fixture::{DAY, MIB, World, at, delta, engine, events_in, sequences, session, session_ids, texts};

pub async fn append_gives_back_sequence_and_update_time(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for n in 1..=5 {
        let time = i64::try_from(n).unwrap() * 10;
        let event = world.new_event(time);
        let appended = world.try_append(&name, time, event.clone()).await;
        assert_eq!(appended, Ok(Appended { sequence: n, update_time: at(time) }));
        assert_eq!(world.get(&name, time).await.update_time, at(time));
        let stored = Event { id: event.id, sequence: n, timestamp: at(time), payload: event.payload };
        assert_eq!(world.events(&name, time).await.last(), Some(&stored));
    }
}

pub async fn payloads_come_back_as_they_are(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let payloads = [
        Bytes::new(),
        Bytes::from_static(b"\0"),
        Bytes::from_iter(0..=255),
        Bytes::from((0..MIB).map(|n| (n.wrapping_mul(2_654_435_761) >> 7) as u8).collect::<Vec<_>>()),
        Bytes::from(vec![0; 4 * MIB]),
    ];
    for payload in &payloads {
        let event = NewEvent { payload: payload.clone(), ..world.new_event(1) };
        world.append_one(&name, 1, event).await;
    }
    let events = world.events(&name, 2).await;
    assert_eq!(events.len(), payloads.len());
    for (event, payload) in events.iter().zip(&payloads) {
        assert!(event.payload == *payload, "{} bytes have changed", payload.len());
    }
}

pub async fn ids_of_18_and_19_digits_are_kept(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let ids = [100_000_000_000_000_000, i64::MAX as u64 - 1];
    for id in ids {
        let event = NewEvent { id, ..world.new_event(1) };
        world.append_one(&name, 1, event).await;
    }
    let events = world.events(&name, 2).await;
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), ids);
}

pub async fn sequences_have_no_gaps_after_refusals(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for expected in 1..=10 {
        let late = world.new_event(1);
        assert_eq!(world.try_append(&name, 365 * DAY, late).await, Err(StoreError::SessionNotFound));
        let large = NewEvent { delta: delta(&[("k", "0123456789")]), ..world.new_event(1) };
        let large = Append { state_limit: 5, ..world.new_append(&name, 1, large) };
        assert_eq!(world.store.append_events(large).await, Err(StoreError::StateTooLarge { bytes: 11 }));
        assert_eq!(world.append(&name, 1, &[]).await.sequence, expected);
    }
    assert_eq!(sequences(&world.events(&name, 2).await), (1..=10).collect::<Vec<_>>());
}

pub async fn events_of_one_append_follow_each_other(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.append(&name, 1, &[("k", "before")]).await;
    let entries = [("k", "1"), ("app:k", "1"), ("k", "2"), ("user:k", "1"), ("app:k", "3")];
    let events = entries.map(|entry| NewEvent { delta: delta(&[entry]), ..world.new_event(5) });
    let append = Append { events: events.to_vec(), ..world.new_append(&name, 5, world.new_event(5)) };
    let appended = world.store.append_events(append).await.unwrap();
    let expected: Vec<_> =
        (0..5).map(|n| Appended { sequence: n + 2, update_time: at(5 + i64::try_from(n).unwrap()) }).collect();
    assert_eq!(appended, expected);
    let stored = world.events(&name, 6).await;
    assert_eq!(sequences(&stored), [1, 2, 3, 4, 5, 6]);
    let ids = |events: &[NewEvent]| events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(stored[1..].iter().map(|event| event.id).collect::<Vec<_>>(), ids(&events));
    let session = world.get(&name, 6).await;
    assert_eq!(session.update_time, at(9));
    assert_eq!(crate::fixture::entries(&session), texts(&[("app:k", "3"), ("k", "2"), ("user:k", "1")]));
}

pub async fn many_events_are_appended_at_once(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let events: Vec<_> = (0..1_000).map(|_| world.new_event(1)).collect();
    let append = Append { events, ..world.new_append(&name, 1, world.new_event(1)) };
    assert_eq!(world.store.append_events(append).await.unwrap().len(), 1_000);
    assert_eq!(sequences(&world.events(&name, 2).await), (1..=1_000).collect::<Vec<_>>());
}

pub async fn an_append_that_one_event_spoils_leaves_nothing(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    world.append(&name, 1, &[("k", "1"), ("app:k", "1")]).await;
    let before = (world.get(&name, 9).await, world.events(&name, 9).await);
    let deltas = [&[("k", "2"), ("app:k", "2"), ("user:k", "2")][..], &[("l", "0123456789")], &[]];
    let events = deltas.map(|entries| NewEvent { delta: delta(entries), ..world.new_event(5) });
    let append =
        Append { events: events.to_vec(), state_limit: 20, ..world.new_append(&name, 5, world.new_event(5)) };
    let refused = world.store.append_events(append).await;
    assert!(matches!(refused, Err(StoreError::StateTooLarge { .. })), "{refused:?}");
    assert_eq!((world.get(&name, 9).await, world.events(&name, 9).await), before);
    assert_eq!(world.append(&name, 9, &[]).await.sequence, 2);
}

pub async fn a_refused_append_leaves_nothing(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let before = world.get(&name, 9).await;
    for target in [session(&name.engine, "other"), session(&engine("404"), "s")] {
        let delta = delta(&[("app:a", "1"), ("user:u", "1"), ("s", "1")]);
        let event = NewEvent { delta, ..world.new_event(5) };
        assert_eq!(world.try_append(&target, 5, event).await, Err(StoreError::SessionNotFound));
    }
    assert_eq!(world.get(&name, 9).await, before);
    assert_eq!(world.events(&name, 9).await, []);
    let neighbour = world.create_session(&session(&name.engine, "n"), "user", 9).await;
    assert_eq!(neighbour.state, before.state);
}

pub async fn update_times_go_forward_by_a_microsecond_at_least(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for (asked, expected) in [(50, 50), (50, 51), (10, 52), (-400 * DAY, 53), (54, 54), (54, 55), (300, 300)] {
        let event = NewEvent { update_time: at(asked), ..world.new_event(1) };
        let appended = world.append_one(&name, 1, event).await;
        assert_eq!(appended.update_time, at(expected), "asked {asked}");
        assert_eq!(world.get(&name, 1).await.update_time, at(expected));
    }
}

pub async fn an_append_moves_its_session_in_the_list(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    for (time, id) in [(1, "a"), (2, "b"), (3, "c")] {
        world.create_session(&session(&engine, id), "user", time).await;
    }
    assert_eq!(session_ids(&world.sessions(&engine, 9).await), ["c", "b", "a"]);
    world.append(&session(&engine, "a"), 4, &[]).await;
    assert_eq!(session_ids(&world.sessions(&engine, 9).await), ["a", "c", "b"]);
    world.append(&session(&engine, "b"), 4, &[]).await;
    assert_eq!(session_ids(&world.sessions(&engine, 9).await), ["b", "a", "c"]);
}

pub async fn events_are_sorted_by_timestamp_then_arrival(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let timestamps = [30, 10, 20, 10, 30, 10, -5, 20, 0];
    for timestamp in timestamps {
        let event = NewEvent { timestamp: at(timestamp), ..world.new_event(40) };
        world.append_one(&name, 40, event).await;
    }
    let mut expected: Vec<_> = timestamps.into_iter().zip(1..).collect();
    expected.sort_unstable();
    let mut expected: Vec<_> = expected.into_iter().map(|(_, sequence)| sequence).collect();
    assert_eq!(sequences(&world.events(&name, 50).await), expected);
    let latest_first = EventQuery { descending: true, ..events_in(&name, 50) };
    expected.reverse();
    assert_eq!(sequences(&world.walk(latest_first).await), expected);
}

pub async fn times_of_every_age_are_kept(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    // The first and last instants of RFC 3339, the epoch and its neighbours, and the ends of the scale.
    let times = [
        -62_135_596_800_000_000,
        253_402_300_799_999_999,
        0,
        -1,
        1,
        i64::MIN,
        i64::MAX,
    ];
    for time in times {
        let event = NewEvent { timestamp: Timestamp(time), ..world.new_event(1) };
        world.append_one(&name, 1, event).await;
    }
    let mut expected = times;
    expected.sort_unstable();
    for (descending, limit) in [(false, 100), (false, 1), (true, 1), (true, 100)] {
        let query = EventQuery { descending, limit, ..events_in(&name, 2) };
        let mut found: Vec<_> = world.walk(query).await.iter().map(|event| event.timestamp.0).collect();
        if descending {
            found.reverse();
        }
        assert_eq!(found, expected, "descending {descending}, {limit} a page");
    }
}

pub async fn sessions_never_see_each_others_events(factory: &dyn Factory) {
    let (world, first) = World::with_session(factory).await;
    let second = session(&first.engine, "second");
    world.create_session(&second, "user", 0).await;
    let third = session(&engine("7002"), "s");
    world.create_engine(&third.engine, 0).await;
    world.create_session(&third, "user", 0).await;
    for (name, count) in [(&first, 3), (&second, 2), (&third, 1), (&first, 1)] {
        for _ in 0..count {
            let payload = Bytes::from(name.to_string());
            let event = NewEvent { payload, ..world.new_event(1) };
            world.append_one(name, 1, event).await;
        }
    }
    for (name, count) in [(&first, 4), (&second, 2), (&third, 1)] {
        let events = world.events(name, 2).await;
        assert_eq!(sequences(&events), (1..=count).collect::<Vec<_>>());
        assert!(events.iter().all(|event| event.payload == name.to_string()));
    }
}
