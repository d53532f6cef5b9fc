//! What clients ask and what they are answered, as a history records it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Which session id is meant: ids are few, and are made, deleted and made again.
pub(super) type Slot = usize;
/// Names an operation; also the value that its writes leave, so that every value says who wrote it.
pub(super) type Id = u32;
/// What a key holds: who wrote it, or a null that somebody wrote.
pub(super) type Written = Option<Id>;
/// Keys as they are on the wire, with the prefixes of their scopes.
pub(super) type Keys = BTreeMap<String, Written>;

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Make the session `slot` of a user, with an initial state.
    Create {
        slot: Slot,
        user: usize,
        state: Keys,
    },
    /// Append an event with the timestamp `time`, in microseconds.
    Append {
        slot: Slot,
        time: i64,
        delta: Keys,
    },
    Get {
        slot: Slot,
    },
    /// One page of the events of a session.
    Events {
        slot: Slot,
        page: EventPage,
    },
    /// All sessions, or those of a user, in one page.
    Sessions {
        user: Option<usize>,
    },
    /// Change the display name to the operation's number.
    Update {
        slot: Slot,
    },
    Delete {
        slot: Slot,
    },
    /// Not asked by itself: shared keys that the answer of a write showed, those of the app and of `user`.
    Shared {
        user: usize,
        scopes: Scopes,
    },
    /// Not asked of the server: what its store holds of a session at the end, by sequence.
    Rows {
        slot: Slot,
    },
}

/// Which page of a list of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventPage {
    /// At most so many.
    pub size: usize,
    /// The last event of the page before.
    pub after: Option<Id>,
    /// Latest first.
    pub descending: bool,
    /// Only events of this time or later.
    pub from: Option<i64>,
    /// Only events before this time.
    pub until: Option<i64>,
}

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It took effect.
    Done,
    /// An append was taken; its sequence, where the store still held it at the end.
    Appended {
        sequence: Option<u64>,
    },
    Session(Box<Seen>),
    /// A session with its own keys and some of those that it shares.
    Part {
        seen: Box<Seen>,
        scopes: Scopes,
    },
    SharedKeys(Keys),
    Sessions(Vec<Seen>),
    /// The events of a page, and whether there is another page.
    Events {
        events: Vec<Id>,
        more: bool,
    },
    NotFound,
    AlreadyExists,
    /// Events with their sequences, and the last sequence given out.
    Rows {
        rows: Vec<(u64, Id)>,
        last: u64,
    },
}

/// A session as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub slot: Slot,
    pub user: usize,
    /// The update that gave it its display name; none where it has none.
    pub display: Option<Id>,
    /// In microseconds.
    pub create_time: i64,
    /// In microseconds.
    pub update_time: i64,
    pub state: Keys,
}

/// An operation: asked and, mostly, answered.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub id: Id,
    pub client: usize,
    pub call: Call,
    /// None where no answer came: it may have taken effect at any time since it was asked, or not at all.
    pub answer: Option<Answer>,
    /// Since the beginning of the history, as the client counts.
    pub invoked: Duration,
    /// Likewise; the end of time where no answer came.
    pub returned: Duration,
}

impl Call {
    /// The session that is named, if one is.
    pub(super) fn slot(&self) -> Option<Slot> {
        match *self {
            Self::Create { slot, .. }
            | Self::Append { slot, .. }
            | Self::Get { slot }
            | Self::Events { slot, .. }
            | Self::Update { slot }
            | Self::Delete { slot }
            | Self::Rows { slot } => Some(slot),
            Self::Sessions { .. } | Self::Shared { .. } => None,
        }
    }

    /// Whether something may change by it.
    pub(super) fn is_write(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Append { .. } | Self::Update { .. } | Self::Delete { .. })
    }
}

impl Answer {
    /// Whether something is in it that the write `id` left.
    pub(super) fn shows(&self, id: Id) -> bool {
        let in_keys = |keys: &Keys| keys.values().any(|value| *value == Some(id));
        let in_session = |seen: &Seen| seen.display == Some(id) || in_keys(&seen.state);
        match self {
            Self::Session(seen) | Self::Part { seen, .. } => in_session(seen),
            Self::Sessions(all) => all.iter().any(in_session),
            Self::SharedKeys(keys) => in_keys(keys),
            Self::Events { events, .. } => events.contains(&id),
            Self::Rows { rows, .. } => rows.iter().any(|(_, stored)| *stored == id),
            Self::Done | Self::Appended { .. } | Self::NotFound | Self::AlreadyExists => false,
        }
    }
}

impl Record {
    /// Whether the server said that the write was done.
    pub(super) fn is_acknowledged_write(&self) -> bool {
        let refused = matches!(self.answer, None | Some(Answer::NotFound | Answer::AlreadyExists));
        self.call.is_write() && !refused
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.answer {
            Some(_) if self.returned < Duration::MAX => format!("{:.6}", self.returned.as_secs_f64()),
            _ => "never".to_owned(),
        };
        write!(f, "#{} client {} {:.6}..{end} ", self.id, self.client, self.invoked.as_secs_f64())?;
        match &self.call {
            Call::Create { slot, user, state } => write!(f, "create s{slot} of u{user} {}", Shown(state))?,
            Call::Append { slot, time, delta } => {
                write!(f, "append to s{slot} at {} {}", time / 1_000_000 % 1_000, Shown(delta))?;
            }
            Call::Get { slot } => write!(f, "get s{slot}")?,
            Call::Events { slot, page } => write!(f, "events of s{slot} {page:?}")?,
            Call::Sessions { user } => write!(f, "sessions of {user:?}")?,
            Call::Update { slot } => write!(f, "update s{slot}")?,
            Call::Delete { slot } => write!(f, "delete s{slot}")?,
            Call::Shared { user, .. } => write!(f, "shared keys of u{user}, shown by this write")?,
            Call::Rows { slot } => write!(f, "rows of s{slot}")?,
        }
        match &self.answer {
            None => f.write_str(" -> no answer"),
            Some(Answer::Session(seen)) => write!(f, " -> {seen}"),
            Some(Answer::Part { seen, .. }) => write!(f, " -> {seen} and more"),
            Some(Answer::SharedKeys(keys)) => write!(f, " -> {}", Shown(keys)),
            Some(Answer::Sessions(all)) => {
                f.write_str(" ->")?;
                all.iter().try_for_each(|seen| write!(f, " {seen};"))
            }
            Some(answer) => write!(f, " -> {answer:?}"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, user, display, update_time, state, .. } = self;
        write!(f, "s{slot} of u{user} named {display:?} updated {update_time} {}", Shown(state))
    }
}

/// Of which scopes shared keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scopes {
    pub app: bool,
    pub user: bool,
}

impl Scopes {
    pub(super) const NONE: Self = Self { app: false, user: false };
    pub(super) const ALL: Self = Self { app: true, user: true };

    /// Those that a delta writes to.
    pub(super) fn of(delta: &Keys) -> Self {
        let any = |prefix: &str| delta.keys().any(|key| key.starts_with(prefix));
        Self { app: any("app:"), user: any("user:") }
    }

    pub(super) fn others(self) -> Self {
        Self { app: !self.app, user: !self.user }
    }

    /// Whether a key is a shared one of these scopes.
    pub(super) fn have(self, key: &str) -> bool {
        (self.app && key.starts_with("app:")) || (self.user && key.starts_with("user:"))
    }
}

/// Whether sessions share a key.
pub(super) fn is_shared(key: &str) -> bool {
    Scopes::ALL.have(key)
}

/// Keys, shortly.
pub(super) struct Shown<'a>(pub &'a Keys);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (key, value)) in self.0.iter().enumerate() {
            let comma = if index > 0 { " " } else { "" };
            match value {
                Some(id) => write!(f, "{comma}{key}={id}")?,
                None => write!(f, "{comma}{key}=null")?,
            }
        }
        f.write_str("}")
    }
}
