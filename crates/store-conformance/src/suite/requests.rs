//! Requests that are sent again (AIP-155).

use bytes::Bytes;
use colloquy_sessions::request::{Request, RequestKey};
use colloquy_sessions::store::{Append, NewSession, Progress, SessionDeletion, StoreError};
use resource_names::SessionName;

use crate::Factory;
use crate::fixture::{World, at, delta, engine, entries, sequences, session, texts};

/// How long the requests of these cases are known.
const LIFE: i64 = 100;

fn request(id: &str, fingerprint: u8, answer: &'static str, time: i64) -> Option<Request> {
    let key = RequestKey { id: id.to_owned(), fingerprint: [fingerprint; 32] };
    let answer = Bytes::from_static(answer.as_bytes());
    Some(Request { key, answer, time: at(time), known_since: at(time - LIFE) })
}

fn repeated<T>(answer: &'static str) -> Result<T, StoreError> {
    Err(StoreError::Repeated(Bytes::from_static(answer.as_bytes())))
}

fn append(world: &World, name: &SessionName, time: i64, request: Option<Request>) -> Append {
    let mut append = Append { request, ..world.new_append(name, time, world.new_event(time)) };
    for event in &mut append.events {
        event.delta = delta(&[("k", "v"), ("app:k", "v")]);
    }
    append
}

fn creation(world: &World, name: &SessionName, time: i64, request: Option<Request>) -> NewSession {
    NewSession { request, ..world.new_session(name, "user", time) }
}

fn deletion(world: &World, name: &SessionName, time: i64, request: Option<Request>) -> SessionDeletion {
    SessionDeletion { request, ..world.session_deletion(name, time) }
}

pub async fn an_append_that_is_sent_again_is_done_once(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let store = &world.store;
    store.append_events(append(&world, &name, 1, request("r", 1, "first", 1))).await.unwrap();
    let before = (world.get(&name, 9).await, world.events(&name, 9).await);
    for time in [1, 5, 1 + LIFE] {
        let again = append(&world, &name, time, request("r", 1, "again", time));
        assert_eq!(store.append_events(again).await, repeated("first"));
    }
    let other = append(&world, &name, 6, request("r", 2, "other", 6));
    assert_eq!(store.append_events(other).await, Err(StoreError::RequestIdTaken));
    assert_eq!((world.get(&name, 9).await, world.events(&name, 9).await), before);
    // Another id is another request, and none at all is never a retry.
    for request in [request("R", 1, "", 7), request("r ", 1, "", 7), None, None] {
        store.append_events(append(&world, &name, 7, request)).await.unwrap();
    }
    assert_eq!(sequences(&world.events(&name, 9).await), [1, 2, 3, 4, 5]);
}

pub async fn a_request_is_forgotten_with_time(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let store = &world.store;
    store.append_events(append(&world, &name, 1, request("r", 1, "first", 1))).await.unwrap();
    let late = 2 + LIFE;
    store.append_events(append(&world, &name, late, request("r", 2, "second", late))).await.unwrap();
    let again = append(&world, &name, late, request("r", 2, "again", late));
    assert_eq!(store.append_events(again).await, repeated("second"));
    assert_eq!(sequences(&world.events(&name, late).await), [1, 2]);
}

pub async fn a_refused_write_leaves_no_request(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let store = &world.store;
    let refused = Append { state_limit: 1, ..append(&world, &name, 1, request("r", 1, "first", 1)) };
    assert!(matches!(store.append_events(refused).await, Err(StoreError::StateTooLarge { .. })));
    store.append_events(append(&world, &name, 2, request("r", 2, "second", 2))).await.unwrap();

    let taken = creation(&world, &name, 3, request("r", 1, "first", 3));
    assert_eq!(store.create_session(taken).await.err(), Some(StoreError::AlreadyExists));
    let missing = deletion(&world, &session(&name.engine, "404"), 3, request("r", 1, "first", 3));
    assert_eq!(store.delete_session(missing).await.err(), Some(StoreError::SessionNotFound));
    let other = session(&name.engine, "other");
    store.create_session(creation(&world, &other, 4, request("r", 2, "second", 4))).await.unwrap();
}

pub async fn sessions_and_engines_have_requests_of_their_own(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let store = &world.store;
    let elsewhere = session(&engine("2"), "s");
    world.create_engine(&elsewhere.engine, 0).await;
    for name in [&session(&name.engine, "b"), &elsewhere] {
        store.create_session(creation(&world, name, 1, request("r", 1, "made", 1))).await.unwrap();
    }
    for name in [&name, &session(&name.engine, "b"), &elsewhere] {
        store.append_events(append(&world, name, 2, request("r", 2, "done", 2))).await.unwrap();
        let again = append(&world, name, 3, request("r", 2, "again", 3));
        assert_eq!(store.append_events(again).await, repeated("done"));
        assert_eq!(sequences(&world.events(name, 3).await), [1]);
    }
}

pub async fn a_session_is_made_once(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let store = &world.store;
    let first = session(&engine, "a");
    let new = NewSession {
        state: delta(&[("app:n", "1")]),
        ..creation(&world, &first, 1, request("r", 1, "a", 1))
    };
    store.create_session(new).await.unwrap();
    // The server gives each try an id of its own; what was recorded tells the first.
    for name in [&first, &session(&engine, "b")] {
        let again = creation(&world, name, 2, request("r", 1, "b", 2));
        assert_eq!(store.create_session(again).await, repeated("a"));
        let other = creation(&world, name, 2, request("r", 2, "c", 2));
        assert_eq!(store.create_session(other).await, Err(StoreError::RequestIdTaken));
    }
    assert_eq!(world.sessions(&engine, 3).await.len(), 1);
    assert_eq!(entries(&world.get(&first, 3).await), texts(&[("app:n", "1")]));
    assert_eq!(world.operations(first, 3).await.len(), 1);
}

pub async fn a_session_is_deleted_once(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let store = &world.store;
    store.delete_session(deletion(&world, &name, 1, request("r", 1, "gone", 1))).await.unwrap();
    assert_eq!(
        store.delete_session(deletion(&world, &name, 2, request("r", 1, "again", 2))).await,
        repeated("gone")
    );
    // Also when the name has been given again since.
    world.create_session(&name, "user", 3).await;
    assert_eq!(
        store.delete_session(deletion(&world, &name, 4, request("r", 1, "again", 4))).await,
        repeated("gone")
    );
    assert!(world.try_get(&name, 4).await.is_some());
    assert_eq!(
        store.delete_session(deletion(&world, &name, 5, request("r", 2, "other", 5))).await,
        Err(StoreError::RequestIdTaken)
    );
}

pub async fn requests_end_with_what_they_are_of(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let store = &world.store;
    let write = async |time: i64| {
        let made = creation(&world, &session(&name.engine, "b"), time, request("e", 1, "made", time));
        let made = store.create_session(made).await.map(drop);
        let appended = append(&world, &name, time, request("s", 1, "done", time));
        (made, store.append_events(appended).await.map(|appended| appended.len()))
    };
    assert_eq!(write(1).await, (Ok(()), Ok(1)));
    assert_eq!(write(2).await, (repeated("made"), repeated("done")));
    // A session of the same name knows nothing of the last one's, before and after the purge.
    for purged in [false, true] {
        world.delete(&name, 3).await;
        if purged {
            world.purge(3, 100).await;
        }
        world.create_session(&name, "user", 3).await;
        assert_eq!(write(4).await, (repeated("made"), Ok(1)));
        assert_eq!(write(4).await, (repeated("made"), repeated("done")));
    }
    for purged in [false, true] {
        world.delete_engine(&name.engine, 5).await;
        if purged {
            world.purge(5, 100).await;
        }
        world.create_engine(&name.engine, 5).await;
        world.create_session(&name, "user", 5).await;
        assert_eq!(write(6).await, (Ok(()), Ok(1)));
        assert_eq!(write(7).await, (repeated("made"), repeated("done")));
    }
}

pub async fn a_purge_of_many_requests_goes_in_bounded_steps(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for n in 0..60 {
        let append = append(&world, &name, 1, request(&format!("r{n}"), 1, "done", 1));
        world.store.append_events(append).await.unwrap();
    }
    world.delete(&name, 2).await;
    assert!(world.purge(2, 10).await > 10);
    assert_eq!(world.store.sweep_requests(at(1_000), 100).await, Ok(Progress::default()));
}

pub async fn a_sweep_forgets_what_is_old(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for n in 0..30 {
        let append = append(&world, &name, n, request(&format!("r{n}"), 1, "done", n));
        world.store.append_events(append).await.unwrap();
    }
    let mut rows = 0;
    for step in 1.. {
        let progress = world.store.sweep_requests(at(25), 10).await.unwrap();
        assert!(progress.rows <= 10 && step <= 4, "{progress:?} in step {step}");
        rows += progress.rows;
        if !progress.more {
            break;
        }
    }
    assert_eq!(rows, 25);
    let again = append(&world, &name, 30, request("r25", 1, "again", 30));
    assert_eq!(world.store.append_events(again).await, repeated("done"));
    let forgotten = append(&world, &name, 30, request("r24", 2, "new", 30));
    assert_eq!(world.store.append_events(forgotten).await.map(|appended| appended.len()), Ok(1));
}

pub async fn one_of_many_same_requests_is_carried_out(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..32 {
        let (store, name) = (std::sync::Arc::clone(&world.store), name.clone());
        let append = append(&world, &name, 1, request("r", 1, "done", 1));
        let made = creation(&world, &session(&name.engine, &format!("s{n}")), 1, request("c", 1, "made", 1));
        tasks.spawn(async move {
            let appended = store.append_events(append).await.map(|appended| appended.len());
            (appended, store.create_session(made).await.map(drop))
        });
    }
    let answers = tasks.join_all().await;
    let (appended, made): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
    assert_eq!(appended.iter().filter(|answer| **answer == Ok(1)).count(), 1, "{appended:?}");
    assert_eq!(appended.iter().filter(|answer| **answer == repeated("done")).count(), 31, "{appended:?}");
    assert_eq!(made.iter().filter(|answer| answer.is_ok()).count(), 1, "{made:?}");
    assert_eq!(made.iter().filter(|answer| **answer == repeated("made")).count(), 31, "{made:?}");
    assert_eq!(sequences(&world.events(&name, 2).await), [1]);
    assert_eq!(world.sessions(&name.engine, 2).await.len(), 2);
}
