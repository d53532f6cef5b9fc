//! Lists of many rows: whole, in order, and no slower further on.

use std::sync::Arc;

use colloquy_sessions::page::Cursor;
use colloquy_sessions::query::{SessionOrder, session_filter};
use colloquy_sessions::store::{Store, StoreError};
use colloquy_sessions::time::Timestamp;

use super::fixture::*;
use crate::SqliteStore;

const ORDERS: [&[(SessionOrder, bool)]; 8] = [
    &[(SessionOrder::CreateTime, false)],
    &[(SessionOrder::CreateTime, true)],
    &[(SessionOrder::UpdateTime, false)],
    &[(SessionOrder::UpdateTime, true)],
    &[(SessionOrder::CreateTime, false), (SessionOrder::UpdateTime, true)],
    &[(SessionOrder::CreateTime, true), (SessionOrder::UpdateTime, false)],
    &[(SessionOrder::UpdateTime, false), (SessionOrder::CreateTime, true)],
    &[(SessionOrder::UpdateTime, true), (SessionOrder::CreateTime, true)],
];

/// `count` sessions of ten users; of create times there are half as many.
async fn filled(directory: &std::path::Path, count: u64) -> Arc<SqliteStore> {
    let store = Arc::new(open(directory));
    store.create_engine(new_engine("1")).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..count {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let scattered = n.wrapping_mul(7919) % count;
            let mut new = new_session(&format!("s{scattered}"), &format!("user{}", n % 10), n + 1);
            new.create_time = Timestamp(NOW.0 + i64::try_from(n / 2).unwrap());
            store.create_session(new).await.unwrap();
        });
        if tasks.len() >= 500 {
            tasks.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_sessions_are_walked() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(directory.path(), 10_000).await;
    let mut query = sessions(&[(SessionOrder::UpdateTime, true)], 97);
    let mut seen = Vec::new();
    loop {
        let page = store.list_sessions(query.clone()).await.unwrap();
        seen.extend(page.items.into_iter().map(|session| (session.update_time, session.name.session)));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 10_000);
    assert!(seen.is_sorted_by(|a, b| a > b));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_whole_for_engines_and_users() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(directory.path(), 300).await;
    for order in ORDERS {
        for (filter, expected) in [("", 300), ("user_id=user3", 30), ("user_id=nobody", 0)] {
            let mut query = sessions(order, 7);
            query.filter = session_filter(filter).unwrap();
            let mut seen = Vec::new();
            loop {
                let page = store.list_sessions(query.clone()).await.unwrap();
                assert!(page.items.len() == 7 || page.next.is_none());
                seen.extend(page.items);
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(seen.len(), expected, "{order:?} {filter}");
            let last_descends = order.last().unwrap().1;
            let sorted = seen.is_sorted_by(|a, b| {
                let mut ordering = std::cmp::Ordering::Equal;
                for (field, descending) in order {
                    let by = match field {
                        SessionOrder::CreateTime => a.create_time.cmp(&b.create_time),
                        SessionOrder::UpdateTime => a.update_time.cmp(&b.update_time),
                    };
                    ordering = ordering.then(if *descending { by.reverse() } else { by });
                }
                let by_id = a.name.session.cmp(&b.name.session);
                ordering.then(if last_descends { by_id.reverse() } else { by_id }).is_lt()
            });
            assert!(sorted, "{order:?} {filter}");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(directory.path(), 4).await;
    let mut cursors: Vec<Cursor> = Vec::new();
    for order in ORDERS {
        cursors.push(store.list_sessions(sessions(order, 1)).await.unwrap().next.unwrap());
    }
    for (n, cursor) in cursors.iter().enumerate() {
        for (m, order) in ORDERS.into_iter().enumerate() {
            let mut query = sessions(order, 1);
            query.after = Some(cursor.clone());
            let outcome = store.list_sessions(query).await;
            assert_eq!(outcome.is_ok(), n == m, "{n} {m}");
            assert!(matches!(outcome, Ok(_) | Err(StoreError::BadCursor)));
        }
    }
}
