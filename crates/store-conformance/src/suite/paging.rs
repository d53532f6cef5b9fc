//! Pages: limits, cursors, and walks while the list changes.

use aip_filter::OrderTerm;
use colloquy_sessions::page::Cursor;
use colloquy_sessions::query::SessionOrder::{self, CreateTime, UpdateTime};
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{
    EngineQuery, EventQuery, NewEvent, OperationQuery, SessionQuery, Store, StoreError,
};
use resource_names::EngineName;

use crate::Factory;
use crate::fixture::{
    List, World, at, engine, engine_ids, engines_in, events_in, operation_ids, operations_in, sequences,
    session, session_ids, sessions_in,
};

fn term(field: SessionOrder, descending: bool) -> OrderTerm<SessionOrder> {
    OrderTerm { field, descending }
}

/// Every order that can be asked.
fn orders() -> Vec<Vec<OrderTerm<SessionOrder>>> {
    let mut orders = Vec::new();
    for (first, second) in [(CreateTime, UpdateTime), (UpdateTime, CreateTime)] {
        for descending in [false, true] {
            orders.push(vec![term(first, descending)]);
            for then in [false, true] {
                orders.push(vec![term(first, descending), term(second, then)]);
            }
        }
    }
    orders
}

/// The order as the contract says it.
fn sorted(mut sessions: Vec<Session>, order: &[OrderTerm<SessionOrder>]) -> Vec<Session> {
    sessions.sort_by(|a, b| {
        let turn = |ordering: std::cmp::Ordering, descending| if descending { ordering.reverse() } else { ordering };
        let mut ordering = std::cmp::Ordering::Equal;
        for term in order {
            let by_term = match term.field {
                CreateTime => a.create_time.cmp(&b.create_time),
                UpdateTime => a.update_time.cmp(&b.update_time),
            };
            ordering = ordering.then(turn(by_term, term.descending));
        }
        ordering.then(turn(a.name.session.cmp(&b.name.session), order.last().unwrap().descending))
    });
    sessions
}

/// Twenty-four sessions with many equal times, in no order.
async fn crowd(world: &World, engine: &EngineName) {
    for n in 0..24_i64 {
        let name = session(engine, &format!("s{}", n * 7 % 24));
        world.create_session(&name, &format!("user{}", n % 3), n * 5 % 4).await;
        if n % 3 != 0 {
            world.append(&name, 10 + n % 2, &[]).await;
        }
    }
}

/// Full pages of `limit` rows, a shorter one at the end, and no page after the last row: what a list
/// without a filter is made of.
async fn assert_pages<Q: List>(store: &dyn Store, query: Q, rows: usize) {
    let mut left = rows;
    let mut after = None;
    loop {
        let page = query.clone().starting(after).page(store).await.unwrap();
        assert_eq!(page.items.len(), left.min(query.limit()), "{left} rows are left");
        left -= page.items.len();
        assert_eq!(page.next.is_some(), left > 0, "{left} rows are left");
        after = page.next;
        if after.is_none() {
            return;
        }
    }
}

pub async fn every_order_of_sessions(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    crowd(&world, &engine).await;
    let all = world.sessions(&engine, 50).await;
    assert_eq!(all.len(), 24);
    for order in orders() {
        let expected = sorted(all.clone(), &order);
        for limit in [1, 2, 5, 24, 25, 100] {
            let query = SessionQuery { order: order.clone(), limit, ..sessions_in(&engine, 50) };
            let walked = world.walk(query).await;
            assert_eq!(session_ids(&walked), session_ids(&expected), "{order:?}, {limit} a page");
            assert!(walked == expected);
        }
    }
}

pub async fn pages_are_full_and_the_last_one_ends_the_list(factory: &dyn Factory) {
    let (world, engine_name) = World::with_engine(factory).await;
    let store = &*world.store;
    let name = session(&engine_name, "s0");
    assert_pages(store, sessions_in(&engine_name, 50), 0).await;
    crowd(&world, &engine_name).await;
    let before = world.events(&name, 50).await.len();
    assert_pages(store, events_in(&name, 50), before).await;
    for n in before..12 {
        world.append(&name, i64::try_from(n % 5).unwrap(), &[]).await;
    }
    for revision in 1..12 {
        store.update_engine(world.engine_update(&engine_name, revision, revision % 3).await).await.unwrap();
        world.create_engine(&engine(&revision.to_string()), revision % 4).await;
    }
    for limit in [1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 23, 24, 25, 100] {
        let query = SessionQuery { limit, ..sessions_in(&engine_name, 50) };
        assert_pages(store, query, 24).await;
        for descending in [false, true] {
            let query = EventQuery { limit, descending, ..events_in(&name, 50) };
            assert_pages(store, query, 12).await;
        }
        let query = EngineQuery { limit, ..engines_in(&engine_name.location) };
        assert_pages(store, query, 12).await;
        let query = OperationQuery { limit, ..operations_in(engine_name.clone(), 50) };
        assert_pages(store, query, 12).await;
    }
}

pub async fn small_pages_hold_the_same_as_large_ones(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for n in 0..20_i64 {
        let event = NewEvent { timestamp: at(n * 3 % 7), ..world.new_event(10) };
        world.append_one(&name, 10, event).await;
        let update = world.engine_update(&name.engine, n + 1, n * 3 % 7).await;
        world.store.update_engine(update).await.unwrap();
        world.create_engine(&engine(&n.to_string()), n * 3 % 7).await;
    }
    for limit in [1, 2, 3, 19, 20, 21] {
        for descending in [false, true] {
            let whole = EventQuery { descending, ..events_in(&name, 50) };
            let parts = EventQuery { limit, ..whole.clone() };
            assert_eq!(world.walk(parts).await, world.walk(whole).await);
        }
        let parts = EngineQuery { limit, ..engines_in(&name.engine.location) };
        assert_eq!(world.walk(parts).await, world.engines().await);
        let whole = operations_in(name.engine.clone(), 50);
        let parts = OperationQuery { limit, ..whole.clone() };
        assert_eq!(world.walk(parts).await, world.walk(whole).await);
    }
}

/// Reads a list in pages of three, and calls `meanwhile` before each page.
async fn walk_while<Q: List>(world: &World, query: Q, mut meanwhile: impl AsyncFnMut(i64)) -> Vec<Q::Item> {
    let mut items = Vec::new();
    let mut after = None;
    for round in 0..1_000 {
        meanwhile(round).await;
        let page = query.clone().starting(after).page(&*world.store).await.unwrap();
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return items;
        }
    }
    panic!("the list does not end");
}

/// Those of `walked` that were there from the beginning.
fn of_old<'a>(walked: &[&'a str], old: &[String]) -> Vec<&'a str> {
    walked.iter().copied().filter(|id| old.iter().any(|old| old == id)).collect()
}

pub async fn sessions_that_come_during_a_walk_disturb_nothing(factory: &dyn Factory) {
    for descending in [false, true] {
        let (world, engine) = World::with_engine(factory).await;
        crowd(&world, &engine).await;
        let order = vec![term(CreateTime, descending)];
        let query = SessionQuery { order, limit: 3, ..sessions_in(&engine, 50) };
        let before = world.walk(query.clone()).await;
        let old: Vec<_> = session_ids(&before).into_iter().map(str::to_owned).collect();
        let walked = walk_while(&world, query, async |round| {
            // Before, among and after the rows that are there; a bounded number, so that the walk ends.
            if round < 12 {
                let name = session(&engine, &format!("s{round}-new"));
                world.create_session(&name, "user", round % 5 - 1).await;
            }
        })
        .await;
        assert_eq!(of_old(&session_ids(&walked), &old), session_ids(&before));
    }
}

pub async fn sessions_that_move_during_a_walk_disturb_no_others(factory: &dyn Factory) {
    for descending in [false, true] {
        let (world, engine) = World::with_engine(factory).await;
        crowd(&world, &engine).await;
        let order = vec![term(UpdateTime, descending), term(CreateTime, !descending)];
        let query = SessionQuery { order, limit: 3, ..sessions_in(&engine, 50) };
        let before = world.walk(query.clone()).await;
        let moving = ["s3", "s8", "s13", "s20"];
        let resting = session_ids(&before).into_iter().filter(|id| !moving.contains(id));
        let resting: Vec<_> = resting.map(str::to_owned).collect();
        let walked = walk_while(&world, query, async |round| {
            if let Some(id) = moving.get(usize::try_from(round).unwrap()) {
                world.append(&session(&engine, id), 30 + round, &[]).await;
            }
        })
        .await;
        assert_eq!(of_old(&session_ids(&walked), &resting), resting);
    }
}

pub async fn a_page_goes_on_where_its_last_row_was_deleted(factory: &dyn Factory) {
    for order in orders() {
        let (world, engine) = World::with_engine(factory).await;
        crowd(&world, &engine).await;
        let query = SessionQuery { order, limit: 3, ..sessions_in(&engine, 50) };
        let before = world.walk(query.clone()).await;
        let mut ids = session_ids(&before).into_iter();
        let walked = walk_while(&world, query, async |round| {
            if round > 0 {
                // The three rows of the page before, on whose last one the cursor stands.
                for id in ids.by_ref().take(3) {
                    world.delete(&session(&engine, id), 50).await;
                }
                world.purge(50, 100).await;
            }
        })
        .await;
        assert_eq!(session_ids(&walked), session_ids(&before));
    }
}

pub async fn events_that_come_during_a_walk_disturb_nothing(factory: &dyn Factory) {
    for descending in [false, true] {
        let (world, name) = World::with_session(factory).await;
        for n in 0..20 {
            world.append(&name, n * 3 % 7, &[]).await;
        }
        let query = EventQuery { descending, limit: 3, ..events_in(&name, 50) };
        let before = sequences(&world.walk(query.clone()).await);
        let walked = walk_while(&world, query, async |round| {
            if round < 12 {
                world.append(&name, round % 9 - 1, &[]).await;
            }
        })
        .await;
        let mut old = sequences(&walked);
        old.retain(|sequence| *sequence <= 20);
        assert_eq!(old, before);
    }
}

pub async fn events_appended_behind_an_ascending_walk_are_met(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    for n in 0..6 {
        world.append(&name, n, &[]).await;
    }
    let query = EventQuery { limit: 3, ..events_in(&name, 90) };
    let walked = walk_while(&world, query, async |round| {
        if round < 3 {
            world.append(&name, 10 + round, &[]).await;
        }
    })
    .await;
    assert_eq!(sequences(&walked), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

pub async fn engines_and_operations_that_come_during_a_walk_disturb_nothing(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    for n in 0..20 {
        world.create_engine(&engine(&format!("e{n}")), n * 3 % 7).await;
        let update = world.engine_update(&name, n + 1, n * 3 % 7).await;
        world.store.update_engine(update).await.unwrap();
    }
    let before = world.engines().await;
    let old: Vec<_> = engine_ids(&before).into_iter().map(str::to_owned).collect();
    let query = EngineQuery { limit: 3, ..engines_in(&name.location) };
    let walked = walk_while(&world, query, async |round| {
        if round < 12 {
            world.create_engine(&engine(&format!("e{round}-new")), round % 9 - 1).await;
        }
    })
    .await;
    assert_eq!(of_old(&engine_ids(&walked), &old), engine_ids(&before));

    let before = operation_ids(&world.operations(name.clone(), 50).await);
    let query = OperationQuery { limit: 3, ..operations_in(name.clone(), 50) };
    let walked = walk_while(&world, query, async |round| {
        if round < 12 {
            let update = world.engine_update(&name, 21 + round, round % 9 - 1).await;
            world.store.update_engine(update).await.unwrap();
        }
    })
    .await;
    let mut walked = operation_ids(&walked);
    walked.retain(|id| before.contains(id));
    assert_eq!(walked, before);
}

/// What a store says to a cursor that it has not made: no panic, and no other error.
async fn refused<Q: List>(store: &dyn Store, query: Q, cursor: Vec<u8>) -> bool {
    match query.starting(Some(Cursor(cursor.clone()))).page(store).await {
        Ok(_) => false,
        Err(StoreError::BadCursor) => true,
        Err(other) => panic!("cursor {cursor:?}: {other}"),
    }
}

/// Bytes that look random, the same in every run.
fn noise(seed: usize, length: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let next = |_| {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(next).collect()
}

pub async fn bad_cursors_are_refused(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    crowd(&world, &engine).await;
    let name = session(&engine, "s0");
    for n in 0..3 {
        world.append(&name, n, &[]).await;
        world.store.update_engine(world.engine_update(&engine, n + 1, n).await).await.unwrap();
        world.create_engine(&crate::fixture::engine(&n.to_string()), n).await;
    }
    let store = &*world.store;
    let sessions = SessionQuery { limit: 1, ..sessions_in(&engine, 50) };
    let two_terms = vec![term(CreateTime, true), term(UpdateTime, false)];
    let sessions_by_two = SessionQuery { order: two_terms, ..sessions.clone() };
    let events = EventQuery { limit: 1, ..events_in(&name, 50) };
    let engines = EngineQuery { limit: 1, ..engines_in(&engine.location) };
    let operations = OperationQuery { limit: 1, ..operations_in(engine.clone(), 50) };

    let first = [
        store.list_sessions(sessions.clone()).await.unwrap().next.unwrap(),
        store.list_sessions(sessions_by_two.clone()).await.unwrap().next.unwrap(),
        store.list_events(events.clone()).await.unwrap().next.unwrap(),
        store.list_engines(engines.clone()).await.unwrap().next.unwrap(),
        store.list_operations(operations.clone()).await.unwrap().next.unwrap(),
    ];
    let mut cursors: Vec<_> = (0..300).map(|seed| noise(seed, seed % 60)).collect();
    cursors.extend([vec![0; 200], vec![255; 200], vec![b'9'; 200], noise(7, 100_000)]);
    for Cursor(cursor) in &first {
        cursors.push(cursor.clone());
        cursors.extend((0..cursor.len()).map(|end| cursor[..end].to_vec()));
        cursors.push([&cursor[..], b"\0"].concat());
        for position in 0..cursor.len() {
            for bits in [1, 0x80, 0xff] {
                let mut damaged = cursor.clone();
                damaged[position] ^= bits;
                cursors.push(damaged);
            }
        }
    }
    for cursor in cursors {
        let hopeless = cursor.len() < 2;
        let answers = [
            refused(store, sessions.clone(), cursor.clone()).await,
            refused(store, sessions_by_two.clone(), cursor.clone()).await,
            refused(store, events.clone(), cursor.clone()).await,
            refused(store, engines.clone(), cursor.clone()).await,
            refused(store, operations.clone(), cursor.clone()).await,
        ];
        assert!(!hopeless || answers == [true; 5], "{cursor:?} is no cursor of any list: {answers:?}");
    }
}

pub async fn a_cursor_is_good_for_more_than_one_use(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    crowd(&world, &engine).await;
    let query = SessionQuery { limit: 5, ..sessions_in(&engine, 50) };
    let first = world.store.list_sessions(query.clone()).await.unwrap();
    let mut seconds = Vec::new();
    for _ in 0..2 {
        let second = SessionQuery { after: first.next.clone(), ..query.clone() };
        seconds.push(world.store.list_sessions(second).await.unwrap());
    }
    assert_eq!(seconds[0].items, seconds[1].items);
    assert_eq!(seconds[0].items.len(), 5);
    // The page may be of another size than the one before.
    let rest = SessionQuery { after: first.next, limit: 100, ..query };
    let rest = world.store.list_sessions(rest).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (19, None));
}
