//! The model: what an engine with its sessions is, and what each operation does to it, one after the other.
//!
//! Sessions of an engine share the state of the app, and those of a user the user's. So the register that a history is
//! held against is the whole engine, and not each session by itself: one order must explain all answers about all
//! sessions together. That is the strictest check that there is: every write is one transaction, and every read one
//! snapshot, taken after all that was acknowledged before.

use std::rc::Rc;

use super::operation::{Answer, Call, EventPage, Id, Keys, Record, Scopes, Seen, Shown, Slot, is_shared};
use super::search::{self, Model};

/// An engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Engine {
    sessions: Vec<Option<Rc<Session>>>,
    users: Vec<Rc<Keys>>,
    app: Rc<Keys>,
}

/// A session that is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Session {
    user: usize,
    display: Option<Id>,
    /// Its own keys.
    keys: Keys,
    /// In the order of lists: timestamp, sequence, who appended it.
    events: Vec<(i64, u64, Id)>,
    times: Times,
}

/// What has to happen before an answer is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// This operation. All values, names and events say which operation they are of.
    Operation(Id),
    /// A null for this key; of this session, unless the key is shared.
    Null {
        slot: Slot,
        key: String,
    },
    Creation(Slot),
    /// The end of this session.
    Deletion(Slot),
    /// A write of any kind to this session.
    Write(Slot),
    /// Nothing will do.
    Impossible,
    /// Who knows.
    Anything,
}

type Refusal = search::Refusal<Need>;

/// What is known of the times that the server chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Times {
    created: Option<i64>,
    /// The update time that was shown last.
    updated: Option<i64>,
    /// How many writes came after it: each moved it by a microsecond or more.
    writes_since: i64,
}

impl Engine {
    /// One without sessions, for so many ids and users.
    pub(super) fn new(slots: usize, users: usize) -> Self {
        Self { sessions: vec![None; slots], users: vec![Rc::default(); users], app: Rc::default() }
    }

    fn live(&self, slot: Slot) -> Option<&Rc<Session>> {
        self.sessions.get(slot).and_then(Option::as_ref)
    }

    /// What a reader sees: a session's own keys, joined with those of some scopes.
    fn merged(&self, session: &Session, scopes: Scopes) -> Keys {
        let mut keys = self.shared(session.user, scopes);
        keys.extend(session.keys.iter().map(|(key, value)| (key.clone(), *value)));
        keys
    }

    fn shared(&self, user: usize, scopes: Scopes) -> Keys {
        let user = self.users.get(user).filter(|_| scopes.user);
        let app = Some(&self.app).filter(|_| scopes.app);
        let both = user.into_iter().chain(app).flat_map(|keys| keys.iter());
        both.map(|(key, value)| (key.clone(), *value)).collect()
    }

    fn with(&self, slot: Slot, session: Option<Session>) -> Self {
        let mut next = self.clone();
        if let Some(place) = next.sessions.get_mut(slot) {
            *place = session.map(Rc::new);
        }
        next
    }

    /// Merges a delta by its scopes; `session` gets its own keys.
    fn merge(&mut self, session: &mut Session, delta: &Keys) {
        for (key, value) in delta {
            let keys = if key.starts_with("app:") {
                Rc::make_mut(&mut self.app)
            } else if key.starts_with("user:") {
                match self.users.get_mut(session.user) {
                    Some(user) => Rc::make_mut(user),
                    None => continue,
                }
            } else {
                &mut session.keys
            };
            keys.insert(key.clone(), *value);
        }
    }

    /// Takes what was shown of a session, if it is what there is.
    fn shown(&self, slot: Slot, seen: &Seen, scopes: Scopes) -> Result<Self, Refusal> {
        let Some(session) = self.live(slot) else {
            return refused(Need::Creation(slot), format!("there is no s{slot}"));
        };
        if seen.slot != slot || seen.user != session.user {
            return refused(Need::Deletion(slot), format!("s{slot} is of u{}", session.user));
        }
        if seen.display != session.display {
            let need = seen.display.map_or(Need::Deletion(slot), Need::Operation);
            return refused(need, format!("s{slot} is named {:?}", session.display));
        }
        let state = self.merged(session, scopes);
        if seen.state != state {
            let need = need_of_state(slot, &state, &seen.state);
            return refused(need, format!("the state of s{slot} is {}", Shown(&state)));
        }
        let times = session.times.shown(slot, seen)?;
        if times == session.times {
            return Ok(self.clone());
        }
        Ok(self.with(slot, Some(Session { times, ..Session::clone(session) })))
    }

    fn create(&self, slot: Slot, user: usize, state: &Keys) -> Self {
        let mut next = self.clone();
        let mut session =
            Session { user, display: None, keys: Keys::new(), events: Vec::new(), times: Times::default() };
        next.merge(&mut session, state);
        next.with(slot, Some(session))
    }

    fn append(&self, slot: Slot, session: &Session, event: (i64, Id), delta: &Keys) -> Self {
        let mut next = self.clone();
        let mut session = session.clone();
        let (time, id) = event;
        let entry = (time, session.events.len() as u64 + 1, id);
        let place = session.events.partition_point(|existing| *existing < entry);
        session.events.insert(place, entry);
        session.times.written();
        next.merge(&mut session, delta);
        next.with(slot, Some(session))
    }
}

impl Times {
    fn written(&mut self) {
        self.writes_since += 1;
    }

    fn shown(self, slot: Slot, seen: &Seen) -> Result<Self, Refusal> {
        if let Some(created) = self.created
            && created != seen.create_time
        {
            return refused(Need::Deletion(slot), format!("it was created at {created}"));
        }
        if let Some(updated) = self.updated {
            let least = updated + self.writes_since;
            if self.writes_since == 0 && seen.update_time != updated {
                return refused(Need::Write(slot), format!("its update time is {updated}"));
            }
            if seen.update_time < least {
                return refused(Need::Deletion(slot), format!("its update time is {least} or later"));
            }
        }
        Ok(Self { created: Some(seen.create_time), updated: Some(seen.update_time), writes_since: 0 })
    }
}

fn refused<T>(need: Need, why: String) -> Result<T, Refusal> {
    Err(Refusal { why, need })
}

/// What makes a state one that was seen. Keys never go, but for a session's own, which go with it.
fn need_of_state(slot: Slot, state: &Keys, seen: &Keys) -> Need {
    for (key, value) in seen {
        match value {
            value if state.get(key) == Some(value) => {}
            Some(writer) => return Need::Operation(*writer),
            None => return Need::Null { slot, key: key.clone() },
        }
    }
    match state.keys().find(|key| !seen.contains_key(*key)) {
        Some(key) if is_shared(key) => Need::Impossible,
        _ => Need::Deletion(slot),
    }
}

/// What makes a page, with or without others after it, one that was seen. Events go only with their session.
fn need_of_page(slot: Slot, page: &[Id], follows: bool, seen: &[Id]) -> Need {
    match seen.iter().find(|id| !page.contains(id)) {
        Some(missing) => Need::Operation(*missing),
        None if page == seen && !follows => Need::Write(slot),
        None => Need::Deletion(slot),
    }
}

impl Session {
    /// The events of a page, and whether others come after it; none where the page began after an event that is not
    /// here, since the session was made anew between two pages.
    fn page(&self, page: &EventPage) -> Option<(Vec<Id>, bool)> {
        let mut events: Vec<(i64, Id)> = self.events.iter().map(|&(time, _, id)| (time, id)).collect();
        if page.descending {
            events.reverse();
        }
        let begin = match page.after {
            Some(after) => events.iter().position(|&(_, id)| id == after)? + 1,
            None => 0,
        };
        let fits = |time: i64| {
            page.from.is_none_or(|from| from <= time) && page.until.is_none_or(|until| time < until)
        };
        let mut rest: Vec<Id> =
            events.into_iter().skip(begin).filter(|&(time, _)| fits(time)).map(|(_, id)| id).collect();
        let more = rest.len() > page.size;
        rest.truncate(page.size);
        Some((rest, more))
    }
}

impl Model for Engine {
    type Operation = Record;
    type Need = Need;

    fn apply(&self, record: &Record) -> Result<Self, Refusal> {
        let there = record.call.slot().and_then(|slot| self.live(slot));
        match (&record.call, &record.answer, there) {
            // Refusals.
            (Call::Create { slot, .. }, Some(Answer::AlreadyExists), there) => match there {
                Some(_) => Ok(self.clone()),
                None => refused(Need::Creation(*slot), format!("there is no s{slot}")),
            },
            (call, Some(Answer::NotFound), Some(_)) => {
                refused(call.slot().map_or(Need::Impossible, Need::Deletion), "it is there".to_owned())
            }
            (Call::Create { .. }, Some(Answer::NotFound), None) => {
                refused(Need::Impossible, "nothing is missing".to_owned())
            }
            (_, Some(Answer::NotFound), None) => Ok(self.clone()),

            // Writes.
            (Call::Create { slot, .. }, Some(_), Some(_)) => {
                refused(Need::Deletion(*slot), format!("there is an s{slot}"))
            }
            (Call::Create { slot, user, state }, answer, None) => {
                self.create(*slot, *user, state).answered(*slot, answer.as_ref())
            }
            (Call::Append { slot, time, delta }, answer, Some(session)) => {
                let sequence = session.events.len() as u64 + 1;
                match answer {
                    Some(Answer::Appended { sequence: Some(stored) }) if *stored != sequence => {
                        let why = format!("it is stored as number {stored}, and would be number {sequence}");
                        let need =
                            if *stored > sequence { Need::Write(*slot) } else { Need::Deletion(*slot) };
                        refused(need, why)
                    }
                    _ => Ok(self.append(*slot, session, (*time, record.id), delta)),
                }
            }
            (Call::Update { slot }, answer, Some(session)) => {
                let mut changed = Session { display: Some(record.id), ..Session::clone(session) };
                changed.times.written();
                self.with(*slot, Some(changed)).answered(*slot, answer.as_ref())
            }
            (Call::Delete { slot }, _, Some(_)) => Ok(self.with(*slot, None)),

            // Reads.
            (Call::Get { slot }, Some(Answer::Part { seen, scopes }), _) => self.shown(*slot, seen, *scopes),
            (Call::Get { slot }, Some(Answer::Session(seen)), _) => self.shown(*slot, seen, Scopes::ALL),
            (Call::Events { slot, page }, Some(Answer::Events { events, more }), Some(session)) => {
                match session.page(page) {
                    Some((expected, follows)) if expected != *events || follows != *more => {
                        let why = format!("this page of s{slot} is {expected:?}, more: {follows}");
                        refused(need_of_page(*slot, &expected, follows, events), why)
                    }
                    _ => Ok(self.clone()),
                }
            }
            (Call::Sessions { user }, Some(Answer::Sessions(all)), _) => self.listed(*user, all),
            (Call::Shared { user, scopes }, Some(Answer::SharedKeys(seen)), _) => {
                let keys = self.shared(*user, *scopes);
                if keys != *seen {
                    // All keys that are compared are shared: no session is meant.
                    let need = need_of_state(Slot::MAX, &keys, seen);
                    return refused(need, format!("the shared keys of u{user} are {}", Shown(&keys)));
                }
                Ok(self.clone())
            }
            (Call::Rows { slot }, Some(Answer::Rows { rows, last }), Some(session)) => {
                let mut expected: Vec<(u64, Id)> =
                    session.events.iter().map(|&(_, sequence, id)| (sequence, id)).collect();
                expected.sort_unstable();
                if *rows != expected || *last != expected.len() as u64 {
                    return refused(Need::Anything, format!("the rows of s{slot} are {expected:?}"));
                }
                Ok(self.clone())
            }

            (_, None, None) => Ok(self.clone()),
            (call, _, None) => {
                refused(call.slot().map_or(Need::Impossible, Need::Creation), "it is not there".to_owned())
            }
            (_, answer, _) => refused(Need::Impossible, format!("{answer:?} is no answer to this")),
        }
    }

    fn meets(record: &Record, need: &Need) -> bool {
        let writes_to = |slot: &Slot| record.call.is_write() && record.call.slot() == Some(*slot);
        match need {
            Need::Operation(id) => record.id == *id && record.call.is_write(),
            Need::Null { slot, key } => match &record.call {
                Call::Create { state: delta, .. } | Call::Append { delta, .. } => {
                    delta.get(key) == Some(&None) && (is_shared(key) || writes_to(slot))
                }
                _ => false,
            },
            Need::Creation(slot) => writes_to(slot) && matches!(record.call, Call::Create { .. }),
            Need::Deletion(slot) => writes_to(slot) && matches!(record.call, Call::Delete { .. }),
            Need::Write(slot) => writes_to(slot),
            Need::Impossible => false,
            Need::Anything => true,
        }
    }
}

impl Engine {
    /// Takes the session that a write was answered with, if it was answered.
    fn answered(self, slot: Slot, answer: Option<&Answer>) -> Result<Self, Refusal> {
        match answer {
            Some(Answer::Session(seen)) => self.shown(slot, seen, Scopes::ALL),
            Some(Answer::Part { seen, scopes }) => self.shown(slot, seen, *scopes),
            None | Some(Answer::Done) => Ok(self),
            Some(other) => refused(Need::Impossible, format!("{other:?} is no answer to this")),
        }
    }

    /// Takes a list of sessions, if it shows exactly those that there are.
    fn listed(&self, user: Option<usize>, all: &[Seen]) -> Result<Self, Refusal> {
        let mut next = self.clone();
        for seen in all {
            next = next.shown(seen.slot, seen, Scopes::ALL)?;
        }
        let missing = self.sessions.iter().enumerate().find(|(slot, session)| {
            session.as_ref().is_some_and(|session| user.is_none_or(|user| user == session.user))
                && !all.iter().any(|seen| seen.slot == *slot)
        });
        if let Some((slot, _)) = missing {
            return refused(Need::Deletion(slot), format!("s{slot} is missing"));
        }
        match all.iter().find(|seen| user.is_some_and(|user| user != seen.user)) {
            Some(seen) => refused(Need::Impossible, format!("s{} is of another user", seen.slot)),
            None => Ok(next),
        }
    }
}
