//! Content that has something of everything.

use std::sync::Arc;

use bytes::Bytes;
use colloquy_sessions::engine::EngineContent;
use colloquy_sessions::request::{Request, RequestKey};
use colloquy_sessions::store::{Append, NewEngine, NewEvent, NewSession, SessionUpdate, Store, StoreError};
use resource_names::{EngineName, SessionName};

use crate::fixture::{World, at, delta, engine, labels, session};

/// When the content was made; later than all that is in it.
pub(super) const NOW: i64 = 10_000;
/// How many sessions each of two engines has.
pub(super) const SESSIONS: usize = 6;

/// The engine that is used most.
pub(super) fn first_engine() -> EngineName {
    engine("7001")
}

/// One of its sessions.
pub(super) fn first_session() -> SessionName {
    session(&first_engine(), "s0")
}

/// Fills an empty store.
pub(super) async fn fill(store: Arc<dyn Store>) {
    let world = World::over(store);
    let (first, second, doomed) = (first_engine(), engine("7002"), engine("7003"));
    let content = EngineContent {
        display_name: "größe".to_owned(),
        description: "a\0b".to_owned(),
        labels: labels(&[("env", "prod"), ("größe", "")]),
        settings: Bytes::from(vec![0, 255, 1]),
    };
    let new = NewEngine { content, ..world.new_engine(&first, 1) };
    world.store.create_engine(new).await.unwrap();
    world.store.update_engine(world.engine_update(&first, 1, 2).await).await.unwrap();
    world.store.create_engine(NewEngine { operation: None, ..world.new_engine(&second, 3) }).await.unwrap();
    world.create_engine(&doomed, 4).await;
    for name in [&first, &second, &doomed] {
        for number in 0..SESSIONS {
            fill_session(&world, &session(name, &format!("s{number}")), number).await;
        }
    }
    world.create_short_session(&session(&first, "short"), 50, 60).await;
    world.append(&session(&first, "short"), 51, &[("k", "v"), ("user:short", "v")]).await;
    world.delete(&session(&first, "s5"), 70).await;
    // A user that only a deleted session knows.
    world.create_session(&session(&first, "lonely"), "lonely", 71).await;
    world.delete(&session(&first, "lonely"), 72).await;
    // A user whose state is all that is left.
    world.create_session_with(&session(&first, "gone"), "gone", 73, &[("user:left", "behind")]).await;
    world.delete(&session(&first, "gone"), 74).await;
    // More than is purged with the deletion.
    for time in 80..190 {
        world.append(&session(&doomed, "s0"), time, &[]).await;
    }
    let deletion = world.delete_engine(&doomed, 200).await;
    assert!(!deletion.done, "the purge is still to come");
}

async fn fill_session(world: &World, name: &SessionName, number: usize) {
    let time = 10 + i64::try_from(number).unwrap();
    let new = NewSession {
        display_name: format!("session \0 {number}"),
        labels: labels(&[("number", &number.to_string())]),
        state: delta(&[("k", "v"), ("", ""), ("app:a\0", "app"), (&format!("user:{number}"), "user")]),
        ..world.new_session(name, ["alice", "bob"][number % 2], time)
    };
    world.store.create_session(new).await.unwrap();
    for event in 0..number {
        // Later events are of earlier times.
        let timestamp = at(time - i64::try_from(event).unwrap());
        let value = "x".repeat(event * 300);
        let event = NewEvent {
            timestamp,
            author: format!("author \0 {event}"),
            invocation_id: format!("invocation {event}"),
            payload: Bytes::from(vec![u8::try_from(event).unwrap(); event * 200]),
            delta: delta(&[("k", &value), (&"long".repeat(1_000), "v"), ("app:n", &value)]),
            ..world.new_event(time + 20)
        };
        world.append_one(name, time + 20, event).await;
    }
    let update =
        SessionUpdate { display_name: Some("updated".to_owned()), ..world.session_update(name, time + 30) };
    world.store.update_session(update).await.unwrap();
}

/// Appends as one that may be sent again.
pub(super) async fn append_once(store: &dyn Store, answer: &'static str) -> Result<(), StoreError> {
    let key = RequestKey { id: "r-1".to_owned(), fingerprint: [7; 32] };
    let answer = Bytes::from_static(answer.as_bytes());
    let request = Some(Request { key, answer, time: at(90), known_since: at(0) });
    let event = NewEvent {
        id: 5,
        timestamp: at(90),
        author: "user".to_owned(),
        invocation_id: "i".to_owned(),
        delta: delta(&[]),
        payload: Bytes::new(),
        update_time: at(90),
    };
    let append =
        Append { session: first_session(), events: vec![event], state_limit: 1 << 20, now: at(90), request };
    store.append_events(append).await.map(drop)
}
