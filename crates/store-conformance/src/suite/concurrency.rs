//! Many callers at once: nothing is lost, nothing is half done, one of many wins.

use std::collections::BTreeMap;

use bytes::Bytes;
use colloquy_sessions::Timestamp;
use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{Appended, NewEvent, StoreError};
use resource_names::SessionName;
use tokio::task::JoinSet;

use crate::Factory;
use crate::fixture::{World, at, entries, sequences, session, session_ids, texts};

const TASKS: usize = 32;
const APPENDS: usize = 20;

/// What one append did, as its caller knows it.
struct Written {
    session: SessionName,
    id: u64,
    answer: Appended,
    delta: Vec<(String, Bytes)>,
}

/// Lets every task append to every session in turn; each writes keys of its own and keys that all write.
async fn append_at_once(world: &World, sessions: &[SessionName]) -> Vec<Written> {
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (world, sessions) = (world.clone(), sessions.to_vec());
        tasks.spawn(async move {
            let mut written = Vec::new();
            for n in 0..APPENDS {
                let session = sessions[(task + n) % sessions.len()].clone();
                let value = Bytes::from(format!("{task}.{n}"));
                let keys = ["shared", "app:shared", "user:shared"].map(str::to_owned);
                let own = ["", "app:", "user:"].map(|prefix| format!("{prefix}task{task}"));
                let delta: Vec<_> = keys.into_iter().chain(own).map(|key| (key, value.clone())).collect();
                let event = NewEvent {
                    delta: StateDelta::new(delta.clone()),
                    payload: value,
                    ..world.new_event(1)
                };
                let id = event.id;
                let answer = world.append_one(&session, 1, event).await;
                written.push(Written { session, id, answer, delta });
            }
            written
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

pub async fn appends_at_once_keep_one_order_for_each_session(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let sessions = ["a", "b", "c"].map(|id| session(&engine, id));
    for name in &sessions {
        world.create_session(name, "user", 0).await;
    }
    let mut written = append_at_once(&world, &sessions).await;
    written.sort_by_key(|written| written.answer.sequence);

    for name in &sessions {
        let own: Vec<_> = written.iter().filter(|written| written.session == *name).collect();
        let events = world.events(name, 100).await;
        assert_eq!(sequences(&events), (1..=own.len() as u64).collect::<Vec<_>>());
        let mut last = Timestamp(i64::MIN);
        let mut state = BTreeMap::new();
        for (event, written) in events.iter().zip(&own) {
            assert_eq!((event.sequence, event.id), (written.answer.sequence, written.id));
            assert!(written.answer.update_time > last, "update times follow the sequence");
            last = written.answer.update_time;
            state.extend(written.delta.iter().cloned());
        }
        let found = world.get(name, 100).await;
        assert_eq!(found.update_time, last);
        // Keys of the session alone are the fold of its deltas.
        let is_own = |key: &str| !key.contains(':');
        state.retain(|key, _| is_own(key));
        let found = found.state.entries().iter().filter(|(key, _)| is_own(key)).cloned();
        assert_eq!(found.collect::<BTreeMap<_, _>>(), state);
    }
    assert_shared_state(&world, &sessions, &written).await;
}

/// Each shared key holds what some session wrote to it last, the same in every session; a key that one
/// task alone has written holds what that task wrote last.
async fn assert_shared_state(world: &World, sessions: &[SessionName], written: &[Written]) {
    let mut seen = Vec::new();
    for name in sessions {
        let entries = world.get(name, 100).await.state.entries().to_vec();
        seen.push(entries.into_iter().filter(|(key, _)| key.contains(':')).collect::<BTreeMap<_, _>>());
    }
    assert!(seen.iter().all(|other| *other == seen[0]), "shared state is one and the same");
    assert_eq!(seen[0].len(), 2 * (TASKS + 1));
    for (key, value) in &seen[0] {
        if key.ends_with(":shared") {
            let last_of = |name: &SessionName| {
                let own = written.iter().filter(|written| written.session == *name);
                let writes = own.flat_map(|written| &written.delta).filter(|(written, _)| written == key);
                writes.last().map(|(_, value)| value.clone())
            };
            assert!(sessions.iter().any(|name| last_of(name).as_ref() == Some(value)), "{key} lost a write");
        } else {
            let last = format!(".{}", APPENDS - 1);
            assert!(value.ends_with(last.as_bytes()), "{key} is {value:?}");
        }
    }
}

pub async fn no_reader_sees_half_an_append(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let writer = {
        let (world, name) = (world.clone(), name.clone());
        tokio::spawn(async move {
            for n in 1..=200_i64 {
                let text = n.to_string();
                let keys = ["app:n", "n", "user:n"].map(|key| (key, text.as_str()));
                world.append(&name, n, &keys).await;
            }
        })
    };
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        let (world, name) = (world.clone(), name.clone());
        readers.spawn(async move {
            let mut last = 0;
            while last < 200 {
                let listed = world.sessions(&name.engine, 999).await;
                for session in [world.get(&name, 999).await, listed[0].clone()] {
                    let entries = entries(&session);
                    let values: Vec<_> = entries.iter().map(|(_, value)| value).collect();
                    assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "torn: {entries:?}");
                    // The update time moves with the state.
                    let n = values.first().map_or(0, |value| value.parse().unwrap());
                    assert_eq!(session.update_time, at(n));
                    if session.name == name && n > last {
                        last = n;
                    }
                }
                let count = world.events(&name, 999).await.len();
                assert!(i64::try_from(count).unwrap() >= last, "an event is missing that moved the state");
                tokio::task::yield_now().await;
            }
        });
    }
    writer.await.unwrap();
    readers.join_all().await;
}

pub async fn what_was_acknowledged_is_seen_by_the_next_read(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let (world, name) = (world.clone(), session(&engine, &format!("s{task}")));
        tasks.spawn(async move {
            let created = world.create_session(&name, "user", 0).await;
            assert_eq!(world.get(&name, 1).await, created);
            for n in 1..=20 {
                world.append(&name, n, &[("n", &n.to_string())]).await;
                assert_eq!(entries(&world.get(&name, n).await), texts(&[("n", &n.to_string())]));
                assert_eq!(world.events(&name, n).await.len(), usize::try_from(n).unwrap());
            }
            world.delete(&name, 30).await;
            assert_eq!(world.try_get(&name, 30).await, None);
            assert!(!session_ids(&world.sessions(&name.engine, 30).await).contains(&&*name.session));
        });
    }
    tasks.join_all().await;
}

pub async fn one_of_many_makes_a_session(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    for round in 0..10 {
        let name = session(&engine, &format!("s{round}"));
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let (world, name) = (world.clone(), name.clone());
            tasks.spawn(async move {
                let new = world.new_session(&name, &format!("user{task}"), 0);
                world.store.create_session(new).await
            });
        }
        let (made, refused): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((made.len(), refused.len()), (1, TASKS - 1));
        assert!(refused.iter().all(|answer| *answer == Err(StoreError::AlreadyExists)));
        assert_eq!(Ok(world.get(&name, 1).await), made[0]);
        assert_eq!(world.operations(name, 1).await.len(), 1);
    }
}

pub async fn one_of_many_makes_updates_and_deletes_an_engine(factory: &dyn Factory) {
    let (world, name) = (World::new(factory).await, crate::fixture::engine("1"));
    for round in 0..5 {
        let mut tasks = [JoinSet::new(), JoinSet::new(), JoinSet::new()];
        for _ in 0..TASKS {
            let (world, name) = (world.clone(), name.clone());
            tasks[0].spawn(async move {
                world.store.create_engine(world.new_engine(&name, round)).await.map(|_| ())
            });
        }
        let [creates, mut updates, mut deletes] = tasks;
        assert_one_won(creates.join_all().await, &StoreError::AlreadyExists);
        for _ in 0..TASKS {
            let (world, name) = (world.clone(), name.clone());
            updates.spawn(async move {
                world.store.update_engine(world.engine_update(&name, 1, round).await).await.map(|_| ())
            });
        }
        assert_one_won(updates.join_all().await, &StoreError::RevisionChanged);
        assert_eq!(world.store.get_engine(&name).await.unwrap().unwrap().revision, 2);
        for _ in 0..TASKS {
            let (world, name) = (world.clone(), name.clone());
            deletes.spawn(async move {
                world.store.delete_engine(world.engine_deletion(&name, true, round)).await.map(|_| ())
            });
        }
        assert_one_won(deletes.join_all().await, &StoreError::EngineNotFound);
        assert_eq!(world.store.get_engine(&name).await, Ok(None));
    }
}

fn assert_one_won(answers: Vec<Result<(), StoreError>>, others: &StoreError) {
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(|error| error == others));
}

pub async fn appends_and_a_delete_agree_on_who_came_first(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    for round in 0..10 {
        let name = session(&engine, &format!("s{round}"));
        world.create_session(&name, "user", 0).await;
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (world, name) = (world.clone(), name.clone());
            tasks.spawn(async move {
                let mut done = 0;
                loop {
                    let event = world.new_event(1);
                    match world.try_append(&name, 1, event).await {
                        Ok(_) => done += 1,
                        Err(error) => break (done, error),
                    }
                }
            });
        }
        tokio::task::yield_now().await;
        world.delete(&name, 1).await;
        let answers = tasks.join_all().await;
        assert!(answers.iter().all(|(_, error)| *error == StoreError::SessionNotFound), "{answers:?}");
        assert_eq!(world.try_get(&name, 1).await, None);
    }
}

pub async fn many_nodes_may_do_upkeep_while_work_goes_on(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let doomed = crate::fixture::engine("doomed");
    world.create_engine(&doomed, 0).await;
    for n in 0..10 {
        world.create_short_session(&session(&name.engine, &format!("short{n}")), 0, 10).await;
        let name = session(&doomed, &format!("s{n}"));
        world.create_session(&name, "user", 0).await;
        for _ in 0..20 {
            world.append(&name, 1, &[("app:a", "1"), ("s", "1")]).await;
        }
    }
    let deletion = world.delete_engine(&doomed, 2).await;
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let (world, name) = (world.clone(), name.clone());
        tasks.spawn(async move {
            for n in 1..=30 {
                world.store.expire_sessions(at(10), 2).await.unwrap();
                world.store.purge(at(10), 15).await.unwrap();
                world.append(&name, 10, &[("n", &n.to_string())]).await;
            }
        });
    }
    tasks.join_all().await;
    for _ in 0..20 {
        world.store.expire_sessions(at(10), 10).await.unwrap();
    }
    world.purge(11, 50).await;
    assert_eq!(sequences(&world.events(&name, 11).await), (1..=120).collect::<Vec<_>>());
    assert_eq!(session_ids(&world.sessions(&name.engine, 5).await), ["s"]);
    assert!(world.operation_by_id(deletion.id, 11).await.unwrap().done);
}
