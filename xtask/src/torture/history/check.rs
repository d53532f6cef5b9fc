//! A finished history: held against the model, and what is wrong with it told briefly.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, bail};

use super::model::Engine;
use super::operation::{Answer, Call, Id, Keys, Record, Scopes, Seen, Slot, is_shared};
use super::search::{Attempt, Interval, Verdict, search};

/// A search that looks at more is given up. Most histories of this program need a few for each operation.
const BOUND: usize = 100_000;
/// How many operations an excerpt shows before the point where no order goes on.
const SHOWN: usize = 12;

/// Numbers of a check.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Checked {
    pub operations: usize,
    /// How many configurations the search looked at.
    pub looked_at: usize,
    /// Whether the search was given up, and only each session by itself was found to be linearisable.
    pub only_alone: bool,
}

/// When the shared keys were read that the answer of a create or an update shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SharedKeys {
    /// When it took effect.
    WithTheWrite,
    /// At some moment of the call. PostgreSQL lets others change a shared key between the read for the answer and the
    /// commit, where the write itself changes none. What the answer shows of the session alone is still exact.
    DuringTheCall,
}

/// Whether a history of an engine with so many session ids and users is linearisable.
///
/// # Errors
/// With an excerpt, where it is not, or where nobody can say.
pub(super) fn linearisable(
    history: &[Record],
    slots: usize,
    users: usize,
    shared_keys: SharedKeys,
) -> Result<Checked> {
    let mut history = with_sequences(&settled(history));
    if shared_keys == SharedKeys::DuringTheCall {
        history = history.into_iter().flat_map(with_shared_keys_apart).collect();
    }
    let start = || Engine::new(slots, users);
    match search(start(), &intervals(&history), BOUND) {
        Verdict::Linearisable { looked_at } => {
            Ok(Checked { operations: history.len(), looked_at, only_alone: false })
        }
        Verdict::NotLinearisable(attempt) => {
            let (history, attempt) = shortest(start, &history).unwrap_or((history, attempt));
            bail!("no order of the operations explains their answers:\n{}", excerpt(&history, &attempt))
        }
        // Too many orders to try. Sessions by themselves are few operations each, and their histories are part of this
        // one: where one of those has no order, this one has none.
        Verdict::Undecided => {
            for slot in 0..slots {
                let history = alone(&history, slot);
                match search(start(), &intervals(&history), BOUND) {
                    Verdict::Linearisable { .. } => {}
                    Verdict::NotLinearisable(attempt) => {
                        let (history, attempt) = shortest(start, &history).unwrap_or((history, attempt));
                        bail!(
                            "no order explains what was answered about s{slot}:\n{}",
                            excerpt(&history, &attempt)
                        )
                    }
                    Verdict::Undecided => bail!("too many orders of what was asked of s{slot} to try all"),
                }
            }
            Ok(Checked { operations: history.len(), looked_at: BOUND, only_alone: true })
        }
    }
}

fn intervals<'a>(history: &'a [Record]) -> Vec<Interval<'a, Record>> {
    let interval = |record: &'a Record| Interval {
        operation: record,
        invoked: record.invoked,
        returned: record.returned,
        certain: record.answer.is_some(),
    };
    history.iter().map(interval).collect()
}

/// The shortest beginning of a history that has no order either: it ends with the answer that nothing explains.
fn shortest(start: impl Fn() -> Engine, history: &[Record]) -> Option<(Vec<Record>, Attempt)> {
    let mut ends: Vec<Duration> = history.iter().map(|record| record.returned).collect();
    ends.sort_unstable();
    let mut found = None;
    let (mut least, mut most) = (0, ends.len());
    while least < most {
        let middle = least + (most - least) / 2;
        let beginning = beginning(history, *ends.get(middle)?);
        match search(start(), &intervals(&beginning), BOUND) {
            Verdict::NotLinearisable(attempt) => {
                most = middle;
                found = Some((beginning, attempt));
            }
            _ => least = middle + 1,
        }
    }
    found
}

/// A history as it was known at a moment.
fn beginning(history: &[Record], end: Duration) -> Vec<Record> {
    let known = |record: &Record| {
        let mut record = record.clone();
        if record.returned > end {
            record.answer = None;
            record.returned = Duration::MAX;
        }
        record
    };
    let begun = history.iter().filter(|record| record.invoked <= end).map(known);
    begun.filter(|record| record.answer.is_some() || record.call.is_write()).collect()
}

/// Decides about writes that were not answered what other answers give away, so that the search need not try both ways.
/// Whose number was seen did take effect, before the first answer that shows it. An append or an update that nobody saw
/// can be left out: where it took effect, all that it left was overwritten or deleted unseen.
fn settled(history: &[Record]) -> Vec<Record> {
    let mut settled = Vec::new();
    for record in history {
        if record.answer.is_some() || !record.call.is_write() {
            settled.push(record.clone());
            continue;
        }
        let shown = history
            .iter()
            .filter(|other| other.answer.as_ref().is_some_and(|answer| answer.shows(record.id)));
        if let Some(returned) = shown.map(|other| other.returned).min() {
            settled.push(Record { answer: Some(Answer::Done), returned, ..record.clone() });
            continue;
        }
        // A page that says no more than that there is another one may speak of this event.
        let hinted = history.iter().any(|other| {
            other.call.slot() == record.call.slot()
                && other.returned >= record.invoked
                && matches!(other.answer, Some(Answer::Events { more: true, .. }))
        });
        if hinted || !matches!(record.call, Call::Append { .. } | Call::Update { .. }) {
            settled.push(record.clone());
        }
    }
    settled
}

/// Tells appends the sequences that the store held at the end. This changes nothing about what is linearisable, since
/// rows are part of the history, and spares the search the orders that rows refute.
fn with_sequences(history: &[Record]) -> Vec<Record> {
    let stored: HashMap<Id, u64> = history
        .iter()
        .filter_map(|record| match &record.answer {
            Some(Answer::Rows { rows, .. }) => Some(rows),
            _ => None,
        })
        .flatten()
        .map(|&(sequence, id)| (id, sequence))
        .collect();
    let told = |record: &Record| {
        let mut record = record.clone();
        let was_taken = matches!(record.answer, Some(Answer::Done | Answer::Appended { .. }));
        if let (Call::Append { .. }, true, Some(&sequence)) =
            (&record.call, was_taken, stored.get(&record.id))
        {
            record.answer = Some(Answer::Appended { sequence: Some(sequence) });
        }
        record
    };
    history.iter().map(told).collect()
}

/// A write whose answer shows a session, and the read of shared keys that this takes: two operations of one time. Scopes
/// that the write itself changes are read with it.
fn with_shared_keys_apart(mut record: Record) -> Vec<Record> {
    let Some(Answer::Session(seen)) = &mut record.answer else { return vec![record] };
    let with_the_write = match &record.call {
        Call::Create { state, .. } => Scopes::of(state),
        Call::Update { .. } => Scopes::NONE,
        _ => return vec![record],
    };
    let scopes = with_the_write.others();
    let (apart, state) = std::mem::take(&mut seen.state).into_iter().partition(|(key, _)| scopes.have(key));
    let call = Call::Shared { user: seen.user, scopes };
    let part = Answer::Part { seen: Box::new(Seen { state, ..(**seen).clone() }), scopes: with_the_write };
    let read = Record { call, answer: Some(Answer::SharedKeys(apart)), ..record.clone() };
    vec![Record { answer: Some(part), ..record }, read]
}

/// What a history says of one session by itself, without the keys that it shares.
fn alone(history: &[Record], slot: Slot) -> Vec<Record> {
    let own = |keys: &Keys| -> Keys {
        keys.iter().filter(|(key, _)| !is_shared(key)).map(|(key, value)| (key.clone(), *value)).collect()
    };
    let part = |seen: &Seen| Answer::Part {
        seen: Box::new(Seen { state: own(&seen.state), ..seen.clone() }),
        scopes: Scopes::NONE,
    };
    let mut records = Vec::new();
    for record in history {
        let mut record = record.clone();
        if let (Call::Sessions { user }, Some(Answer::Sessions(all))) = (&record.call, &record.answer) {
            // A list that should hold the session says as much as a get of it.
            record.answer = match all.iter().find(|seen| seen.slot == slot) {
                Some(seen) => Some(part(seen)),
                None if user.is_none() => Some(Answer::NotFound),
                None => continue,
            };
            record.call = Call::Get { slot };
        }
        if record.call.slot() != Some(slot) {
            continue;
        }
        if let Call::Create { state: delta, .. } | Call::Append { delta, .. } = &mut record.call {
            *delta = own(delta);
        }
        if let Some(Answer::Session(seen) | Answer::Part { seen, .. }) = &record.answer {
            record.answer = Some(part(seen));
        }
        records.push(record);
    }
    records
}

/// What there is to see where no order goes on: the operations that cannot be next, and those before them that touch
/// the same sessions.
fn excerpt(history: &[Record], attempt: &Attempt) -> String {
    let stuck: Vec<(&Record, &str)> =
        attempt.stuck.iter().filter_map(|(index, why)| Some((history.get(*index)?, why.as_str()))).collect();
    let slots: Vec<usize> = stuck.iter().filter_map(|(record, _)| record.call.slot()).collect();
    let concerns = |record: &&Record| match record.call.slot() {
        Some(slot) => slots.is_empty() || slots.contains(&slot),
        None => false,
    };
    let order = attempt.order.iter().filter_map(|&index| history.get(index));
    let mut before: Vec<&Record> = order.filter(concerns).collect();
    before.drain(..before.len().saturating_sub(SHOWN));

    let mut text =
        format!("  {} of {} operations are in order, at last\n", attempt.order.len(), history.len());
    // Writing to a String cannot fail.
    for record in before {
        let _ = writeln!(text, "    {record}");
    }
    text.push_str("  and none of these can be next\n");
    for (record, why) in stuck {
        let _ = writeln!(text, "    {record}\n      but {why}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::operation::{EventPage, Written};
    use super::*;

    fn keys(entries: &[(&str, Written)]) -> Keys {
        entries.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
    }

    /// Operations one after the other; their ids count from 1.
    struct Script(Vec<Record>);

    impl Script {
        fn new() -> Self {
            Self(Vec::new())
        }

        fn then(mut self, call: Call, answer: Answer) -> Self {
            let id = Id::try_from(self.0.len()).expect("few operations") + 1;
            let invoked = Duration::from_secs(u64::from(id) * 10);
            let returned = invoked + Duration::from_secs(5);
            self.0.push(Record { id, client: 0, call, answer: Some(answer), invoked, returned });
            self
        }

        /// The last one had begun before the one before it returned.
        fn overlapping(mut self) -> Self {
            let last = self.0.len() - 1;
            self.0[last].invoked = self.0[last - 1].invoked;
            self
        }

        fn unanswered(mut self) -> Self {
            let last = self.0.last_mut().expect("an operation");
            last.answer = None;
            last.returned = Duration::MAX;
            self
        }

        fn verdict(&self) -> Result<Checked> {
            linearisable(&self.0, 2, 1, SharedKeys::WithTheWrite)
        }

        #[track_caller]
        fn is_fine(&self) {
            if let Err(error) = self.verdict() {
                panic!("{error}");
            }
        }

        #[track_caller]
        fn is_wrong(&self, because: &str) {
            let error = self.verdict().expect_err("a broken history").to_string();
            assert!(error.contains(because), "{error}");
        }
    }

    fn create(slot: usize) -> Call {
        Call::Create { slot, user: 0, state: Keys::new() }
    }

    fn append(slot: usize, delta: &[(&str, Written)]) -> Call {
        Call::Append { slot, time: 0, delta: keys(delta) }
    }

    fn appended() -> Answer {
        Answer::Appended { sequence: None }
    }

    fn seen(slot: usize, update_time: i64, state: &[(&str, Written)]) -> Answer {
        Answer::Session(Box::new(Seen {
            slot,
            user: 0,
            display: None,
            create_time: 0,
            update_time,
            state: keys(state),
        }))
    }

    fn whole(slot: usize) -> Call {
        let page = EventPage { size: 100, after: None, descending: false, from: None, until: None };
        Call::Events { slot, page }
    }

    fn events(ids: &[Id]) -> Answer {
        Answer::Events { events: ids.to_vec(), more: false }
    }

    /// s0 with two appends; the next operation has number 4.
    fn two_appends() -> Script {
        Script::new()
            .then(create(0), seen(0, 0, &[]))
            .then(append(0, &[("a", Some(2)), ("b", Some(2))]), appended())
            .then(append(0, &[("a", Some(3)), ("app:x", Some(3)), ("user:y", None)]), appended())
    }

    const MERGED: &[(&str, Written)] =
        &[("a", Some(3)), ("app:x", Some(3)), ("b", Some(2)), ("user:y", None)];

    #[test]
    fn what_the_server_does_is_linearisable() {
        two_appends()
            .then(Call::Get { slot: 0 }, seen(0, 2, MERGED))
            .then(whole(0), events(&[2, 3]))
            .then(create(1), seen(1, 9, &[("app:x", Some(3)), ("user:y", None)]).at(9))
            .then(Call::Delete { slot: 0 }, Answer::Done)
            .then(Call::Get { slot: 0 }, Answer::NotFound)
            .then(create(0), seen(0, 20, &[("app:x", Some(3)), ("user:y", None)]).at(20))
            .then(whole(0), events(&[]))
            .then(create(0), Answer::AlreadyExists)
            .is_fine();
    }

    impl Answer {
        fn at(mut self, time: i64) -> Self {
            if let Self::Session(seen) = &mut self {
                seen.create_time = time;
            }
            self
        }
    }

    #[test]
    fn a_lost_update_is_found() {
        // The second append took the state from before the first one.
        let lost = [("a", Some(3)), ("app:x", Some(3)), ("user:y", None)];
        two_appends().then(Call::Get { slot: 0 }, seen(0, 2, &lost)).is_wrong("the state of s0 is");
        // The event of an append that was acknowledged.
        two_appends().then(whole(0), events(&[3])).is_wrong("this page of s0 is [2, 3]");
    }

    #[test]
    fn a_stale_read_is_found() {
        let before = [("a", Some(2)), ("b", Some(2))];
        two_appends().then(Call::Get { slot: 0 }, seen(0, 1, &before)).is_wrong("the state of s0 is");
        // While the append is under way it is no stale read.
        two_appends().then(Call::Get { slot: 0 }, seen(0, 1, &before)).overlapping().is_fine();
        // Of a state that sessions share, through a session that nobody wrote to.
        Script::new()
            .then(create(0), seen(0, 0, &[]))
            .then(create(1), seen(1, 0, &[]))
            .then(append(0, &[("app:x", Some(3))]), appended())
            .then(Call::Get { slot: 1 }, seen(1, 0, &[]))
            .is_wrong("the state of s1 is {app:x=3}");
    }

    #[test]
    fn shared_keys_of_a_writes_answer_may_be_those_of_another_moment_of_the_call() {
        // An append to s0 takes effect during the create of s1. Both of its parts are of the time of the call.
        let history = |shared: &[(&str, Written)]| {
            Script::new()
                .then(create(0), seen(0, 0, &[]))
                .then(append(0, &[("app:x", Some(2))]), appended())
                .then(create(1), seen(1, 0, shared))
                .overlapping()
                .then(Call::Get { slot: 1 }, Answer::NotFound)
        };
        let verdict = |script: &Script, shared_keys| linearisable(&script.0, 2, 1, shared_keys).is_ok();
        // Somebody saw the key, and not yet the session, whose answer lacks the key.
        let mut split = history(&[]);
        let Answer::Session(s0) = seen(0, 1, &[("app:x", Some(2))]) else { panic!("a session") };
        split.0[3].call = Call::Sessions { user: None };
        split.0[3].answer = Some(Answer::Sessions(vec![*s0]));
        split.0[2].returned = split.0[3].returned;
        assert!(verdict(&split, SharedKeys::DuringTheCall));
        assert!(!verdict(&split, SharedKeys::WithTheWrite));
        // Before the call, the key was never something else.
        let mut wrong = split;
        wrong.0[2].answer = Some(seen(1, 0, &[("app:x", Some(1))]));
        assert!(!verdict(&wrong, SharedKeys::DuringTheCall));
    }

    #[test]
    fn a_session_by_itself_tells_of_itself() {
        let Answer::Session(whole_list) = seen(0, 2, MERGED) else { panic!("a session") };
        let history = two_appends()
            .then(create(1), seen(1, 9, &[("app:x", Some(3)), ("user:y", None)]).at(9))
            .then(Call::Sessions { user: None }, Answer::Sessions(vec![*whole_list]));
        let verdict = |slot| search(Engine::new(2, 1), &intervals(&alone(&history.0, slot)), 1_000);
        assert!(matches!(verdict(0), Verdict::Linearisable { .. }));
        // The list lacks it.
        assert!(matches!(verdict(1), Verdict::NotLinearisable(_)));
        let lost = two_appends().then(Call::Get { slot: 0 }, seen(0, 2, &[("a", Some(3))]));
        let verdict = search(Engine::new(2, 1), &intervals(&alone(&lost.0, 0)), 1_000);
        assert!(matches!(verdict, Verdict::NotLinearisable(_)));
    }

    #[test]
    fn a_reordered_append_is_found() {
        two_appends().then(whole(0), events(&[3, 2])).is_wrong("this page of s0 is [2, 3]");
        // Appends at the same time may have either order, but one for events and state.
        let at_once = || {
            Script::new()
                .then(create(0), seen(0, 0, &[]))
                .then(append(0, &[("a", Some(2))]), appended())
                .then(append(0, &[("a", Some(3))]), appended())
                .overlapping()
        };
        at_once()
            .then(whole(0), events(&[3, 2]))
            .then(Call::Get { slot: 0 }, seen(0, 2, &[("a", Some(2))]))
            .is_fine();
        at_once()
            .then(whole(0), events(&[3, 2]))
            .then(Call::Get { slot: 0 }, seen(0, 2, &[("a", Some(3))]))
            .is_wrong("no order");
        // And the same one in the store's rows.
        let rows = |rows: &[(u64, Id)]| Answer::Rows { rows: rows.to_vec(), last: 2 };
        at_once().then(Call::Rows { slot: 0 }, rows(&[(1, 3), (2, 2)])).is_fine();
        two_appends()
            .then(Call::Rows { slot: 0 }, rows(&[(1, 3), (2, 2)]))
            .is_wrong("it is stored as number");
        two_appends()
            .then(Call::Rows { slot: 0 }, rows(&[(1, 2), (3, 3)]))
            .is_wrong("it is stored as number");
    }

    #[test]
    fn an_update_time_that_stands_still_or_goes_back_is_found() {
        let update = |time| {
            two_appends()
                .then(Call::Get { slot: 0 }, seen(0, 5, MERGED))
                .then(Call::Get { slot: 0 }, seen(0, time, MERGED))
        };
        update(5).is_fine();
        update(4).is_wrong("its update time is 5");
        update(6).is_wrong("its update time is 5");
        two_appends()
            .then(Call::Get { slot: 0 }, seen(0, 1, MERGED))
            .is_wrong("its update time is 2 or later");
    }

    #[test]
    fn a_deleted_session_that_comes_back_is_found() {
        let deleted = || two_appends().then(Call::Delete { slot: 0 }, Answer::Done);
        deleted().then(Call::Get { slot: 0 }, seen(0, 2, MERGED)).is_wrong("there is no s0");
        deleted().then(append(0, &[]), appended()).is_wrong("it is not there");
        deleted().then(create(0), Answer::AlreadyExists).is_wrong("there is no s0");
        let shared = [("app:x", Some(3)), ("user:y", None)];
        deleted()
            .then(create(0), seen(0, 9, &shared).at(9))
            .then(whole(0), events(&[2, 3]))
            .is_wrong("this page of s0 is []");
    }

    #[test]
    fn a_list_that_lacks_a_session_is_found() {
        let list = |all: Vec<Seen>| two_appends().then(Call::Sessions { user: None }, Answer::Sessions(all));
        let Answer::Session(whole) = seen(0, 2, MERGED) else { panic!("a session") };
        list(vec![(*whole).clone()]).is_fine();
        list(Vec::new()).is_wrong("s0 is missing");
    }

    #[test]
    fn what_was_not_answered_happened_whole_or_not_at_all() {
        let cut =
            || two_appends().then(append(0, &[("c", Some(4)), ("d", Some(4))]), appended()).unanswered();
        let with = |more: &[(&'static str, Written)]| [MERGED, more].concat();
        cut().then(Call::Get { slot: 0 }, seen(0, 2, MERGED)).is_fine();
        cut().then(Call::Get { slot: 0 }, seen(0, 3, &with(&[("c", Some(4)), ("d", Some(4))]))).is_fine();
        cut()
            .then(Call::Get { slot: 0 }, seen(0, 3, &with(&[("c", Some(4))])))
            .is_wrong("the state of s0 is");
        // Whoever is in the rows did happen.
        let rows = Answer::Rows { rows: vec![(1, 2), (2, 3), (3, 4)], last: 3 };
        cut().then(Call::Rows { slot: 0 }, rows).is_fine();
    }
}
