//! Promises that are checked one by one, each by itself: what lists hold over all their pages, and that keys of one
//! writer never go back. The search for an order would find most of this too; this says it plainly, and does not rest
//! on the search.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::client::{HOT, own_key, sessions_of};
use super::operation::{Answer, Call, EventPage, Id, Record, Seen, Slot};
use super::rows::Rows;

/// A list that was read to its end, page by page, while others wrote.
#[derive(Clone, Debug)]
pub(super) enum Walk {
    Events {
        slot: Slot,
        /// The first page.
        page: EventPage,
        began: Duration,
        ended: Duration,
        events: Vec<Id>,
    },
    /// By create time.
    Sessions { descending: bool, began: Duration, ended: Duration, sessions: Vec<Seen> },
}

/// What is wrong with the walks and the keys of a history, and with the rows that it left, in words.
pub(super) fn problems(history: &[Record], walks: &[Walk], rows: &BTreeMap<Slot, Rows>) -> Vec<String> {
    let mut problems = Vec::new();
    for walk in walks {
        match walk {
            Walk::Events { .. } => walk_of_events(history, walk, &mut problems),
            Walk::Sessions { .. } => walk_of_sessions(history, walk, &mut problems),
        }
    }
    own_keys(history, &mut problems);
    for (slot, rows) in rows {
        let gap_free = rows.events.iter().zip(1..).all(|((sequence, _), place)| *sequence == place);
        if !gap_free || rows.last != rows.events.len() as u64 {
            problems.push(format!("s{slot} has the sequences {:?}, the last one {}", rows.events, rows.last));
        }
    }
    problems
}

/// Whether what a write to `slot` made was there from the end of the write until `until`.
fn outlived(history: &[Record], write: &Record, slot: Slot, until: Duration) -> bool {
    !history.iter().any(|record| {
        let deletes = record.call == Call::Delete { slot } && record.answer != Some(Answer::NotFound);
        deletes && record.returned >= write.invoked && record.invoked <= until
    })
}

fn walk_of_events(history: &[Record], walk: &Walk, problems: &mut Vec<String>) {
    let Walk::Events { slot, page, began, ended, events } = walk else { return };
    let mut place = BTreeMap::new();
    for (index, id) in events.iter().enumerate() {
        if place.insert(*id, index).is_some() {
            problems.push(format!("event {id} comes twice in {walk:?}"));
        }
    }
    let appends: BTreeMap<Id, (&Record, i64)> = history
        .iter()
        .filter_map(|record| match record.call {
            Call::Append { slot: to, time, .. } if to == *slot => Some((record.id, (record, time))),
            _ => None,
        })
        .collect();
    let times: Vec<i64> = events.iter().filter_map(|id| appends.get(id)).map(|(_, time)| *time).collect();
    let sorted = if page.descending { times.is_sorted_by(|a, b| a >= b) } else { times.is_sorted() };
    if times.len() != events.len() || !sorted {
        problems.push(format!("events of other sessions, or not by time, in {walk:?}"));
    }
    for (id, (append, time)) in &appends {
        let fits = page.from.is_none_or(|from| from <= *time) && page.until.is_none_or(|until| *time < until);
        if place.contains_key(id) && !fits {
            problems.push(format!("event {id} does not fit the filter of {walk:?}"));
        }
        let was_there = append.is_acknowledged_write() && append.returned < *began;
        if was_there && fits && !place.contains_key(id) && outlived(history, append, *slot, *ended) {
            problems.push(format!("event {id}, which was there, is not in {walk:?}"));
        }
    }
}

fn walk_of_sessions(history: &[Record], walk: &Walk, problems: &mut Vec<String>) {
    let Walk::Sessions { descending, began, ended, sessions } = walk else { return };
    let listed: Vec<(Slot, i64)> = sessions.iter().map(|seen| (seen.slot, seen.create_time)).collect();
    let once: BTreeSet<&(Slot, i64)> = listed.iter().collect();
    if once.len() != listed.len() {
        problems.push(format!("a session comes twice in {listed:?}"));
    }
    let times = listed.iter().map(|(_, time)| *time);
    let sorted = if *descending { times.is_sorted_by(|a, b| a >= b) } else { times.is_sorted() };
    if !sorted {
        problems.push(format!("not by create time: {listed:?}"));
    }
    for record in history.iter().filter(|record| record.returned < *began) {
        let (Call::Create { slot, .. }, Some(Answer::Session(seen))) = (&record.call, &record.answer) else {
            continue;
        };
        if outlived(history, record, *slot, *ended) && !once.contains(&(*slot, seen.create_time)) {
            problems.push(format!("s{slot} of {}, which was there, is not in {listed:?}", seen.create_time));
        }
    }
}

/// Keys that one client alone writes, one after the other, upwards: a reader must see the last one that was acknowledged
/// before it asked, or one that came after. In the app's state, and in the sessions that are never deleted.
fn own_keys(history: &[Record], problems: &mut Vec<String>) {
    let clients: BTreeSet<usize> = history.iter().map(|record| record.client).collect();
    for &client in &clients {
        for (scope, slot) in std::iter::once(("app:", None)).chain(
            history
                .iter()
                .filter_map(|record| record.call.slot())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .filter(|slot| *slot >= HOT)
                .map(|slot| ("", Some(slot))),
        ) {
            own_key_of(history, client, scope, slot, problems);
        }
    }
}

fn own_key_of(
    history: &[Record],
    client: usize,
    scope: &str,
    slot: Option<Slot>,
    problems: &mut Vec<String>,
) {
    let key = own_key(scope, client);
    // A client's records are in the order in which it wrote.
    let writes: Vec<&Record> = history
        .iter()
        .filter(|record| record.client == client && record.answer != Some(Answer::NotFound))
        .filter(|record| match &record.call {
            Call::Append { slot: to, delta, .. } => {
                slot.is_none_or(|slot| slot == *to) && delta.contains_key(&key)
            }
            _ => false,
        })
        .collect();
    for read in history {
        let least = writes
            .iter()
            .filter(|write| write.answer.is_some() && write.returned < read.invoked)
            .map(|write| write.id)
            .max();
        for seen in read.answer.as_ref().map_or(&[][..], sessions_of) {
            if slot.is_some_and(|slot| slot != seen.slot) {
                continue;
            }
            let value = seen.state.get(&key).copied().flatten();
            if value < least || value.is_some_and(|id| !writes.iter().any(|write| write.id == id)) {
                problems.push(format!("{key} was written as {least:?} before, and is {value:?} in {read}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::operation::Keys;
    use super::*;

    const WHOLE: EventPage = EventPage { size: 2, after: None, descending: false, from: None, until: None };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// An operation in the second `at`.
    fn record(id: Id, at: u64, call: Call, answer: Answer) -> Record {
        let (invoked, returned) = (seconds(at), seconds(at) + Duration::from_millis(500));
        Record { id, client: 0, call, answer: Some(answer), invoked, returned }
    }

    fn append(id: Id, at: u64, slot: Slot, time: i64) -> Record {
        let delta = Keys::from([(own_key("app:", 0), Some(id)), (own_key("", 0), Some(id))]);
        record(id, at, Call::Append { slot, time, delta }, Answer::Appended { sequence: None })
    }

    fn seen(slot: Slot, create_time: i64, state: Keys) -> Seen {
        Seen { slot, user: 0, display: None, create_time, update_time: create_time, state }
    }

    fn create(id: Id, at: u64, slot: Slot, create_time: i64) -> Record {
        let call = Call::Create { slot, user: 0, state: Keys::new() };
        record(id, at, call, Answer::Session(Box::new(seen(slot, create_time, Keys::new()))))
    }

    fn delete(id: Id, at: u64, slot: Slot) -> Record {
        record(id, at, Call::Delete { slot }, Answer::Done)
    }

    fn events(page: EventPage, events: &[Id]) -> Walk {
        Walk::Events { slot: 0, page, began: seconds(10), ended: seconds(20), events: events.to_vec() }
    }

    fn found(history: &[Record], walk: Walk) -> String {
        problems(history, &[walk], &BTreeMap::new()).join("\n")
    }

    #[test]
    fn a_walk_over_events_neither_skips_nor_repeats() {
        let history = [append(1, 1, 0, 5), append(2, 2, 0, 6), append(3, 15, 0, 7)];
        assert_eq!(found(&history, events(WHOLE, &[1, 2])), "");
        // Whoever comes during the walk may be met or not.
        assert_eq!(found(&history, events(WHOLE, &[1, 2, 3])), "");
        assert!(found(&history, events(WHOLE, &[1])).contains("event 2, which was there, is not in"));
        assert!(found(&history, events(WHOLE, &[1, 2, 2])).contains("event 2 comes twice"));
        assert!(found(&history, events(WHOLE, &[2, 1])).contains("not by time"));
        assert!(found(&history, events(WHOLE, &[1, 2, 9])).contains("events of other sessions"));
        let descending = EventPage { descending: true, ..WHOLE };
        assert_eq!(found(&history, events(descending, &[2, 1])), "");
        let late = EventPage { from: Some(6), ..WHOLE };
        assert_eq!(found(&history, events(late, &[2])), "");
        assert!(found(&history, events(late, &[1, 2])).contains("does not fit the filter"));
    }

    #[test]
    fn a_walk_may_lack_what_was_deleted_meanwhile() {
        let history = [append(1, 1, 0, 5), delete(2, 15, 0)];
        assert_eq!(found(&history, events(WHOLE, &[])), "");
        let before = [delete(2, 0, 0), append(1, 3, 0, 5)];
        assert!(found(&before, events(WHOLE, &[])).contains("event 1, which was there"));
    }

    #[test]
    fn a_walk_over_sessions_neither_skips_nor_repeats() {
        let walk = |listed: &[(Slot, i64)]| Walk::Sessions {
            descending: false,
            began: seconds(10),
            ended: seconds(20),
            sessions: listed.iter().map(|&(slot, time)| seen(slot, time, Keys::new())).collect(),
        };
        let history = [create(1, 1, 0, 100), create(2, 2, 1, 200), delete(3, 12, 1), create(4, 13, 1, 300)];
        assert_eq!(found(&history, walk(&[(0, 100)])), "");
        // The one that was made anew is another one.
        assert_eq!(found(&history, walk(&[(0, 100), (1, 200), (1, 300)])), "");
        assert!(found(&history, walk(&[(1, 200)])).contains("s0 of 100, which was there, is not in"));
        assert!(found(&history, walk(&[(0, 100), (0, 100)])).contains("comes twice"));
        assert!(found(&history, walk(&[(1, 200), (0, 100)])).contains("not by create time"));
    }

    #[test]
    fn keys_of_one_writer_never_go_back() {
        let read = |value: Id| {
            let state = Keys::from([(own_key("app:", 0), Some(value)), (own_key("", 0), Some(value))]);
            record(9, 9, Call::Get { slot: HOT }, Answer::Session(Box::new(seen(HOT, 0, state))))
        };
        let found = |value| {
            let history = [append(1, 1, HOT, 0), append(2, 2, HOT, 0), read(value)];
            problems(&history, &[], &BTreeMap::new())
        };
        assert_eq!(found(2), [""; 0]);
        assert_eq!(found(1).len(), 2, "in the app and in the session: {:?}", found(1));
        assert_eq!(found(7).len(), 2, "never written: {:?}", found(7));
    }

    #[test]
    fn sequences_have_no_gaps() {
        let found = |events: &[(u64, Id)], last| {
            problems(&[], &[], &BTreeMap::from([(0, Rows { events: events.to_vec(), last })])).len()
        };
        assert_eq!(found(&[(1, 5), (2, 3)], 2), 0);
        assert_eq!(found(&[(1, 5), (3, 3)], 3), 1);
        assert_eq!(found(&[(1, 5)], 2), 1);
        assert_eq!(found(&[(1, 5), (1, 6)], 2), 1);
    }
}
