//! Moving everything from one store into another: what a store that is not served gives and takes, row by row.
//!
//! Rows go in batches, kind by kind, each kind in an order of the source's own. A destination keeps the place that
//! the source is to go on from together with the rows that came before it, so that a copy which was cut off anywhere
//! goes on as if it had not been. What was copied is then read back from both stores and compared.
//!
//! What nobody can see is not copied: sessions that were deleted, and all that deleted engines hold. Of a deleted
//! engine itself there is a row left, because the end of its deletion can still be asked for.

mod compare;
mod copy;
mod record;
mod tally;

use std::fmt;

use async_trait::async_trait;

use crate::page::Cursor;
use crate::store::StoreError;

pub use compare::{Comparison, Difference, Line, compare};
pub use copy::{CopyError, Watch, copy};
pub use record::{
    EngineRecord, EventRecord, Key, OperationRecord, Owner, Record, RequestRecord, SessionRecord,
    StateRecord, UserRecord,
};
pub use tally::{Checksum, Tallies, Tally, tally};

/// The kinds of rows, in the order in which they are copied: owners before what they own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Engines, also deleted ones.
    Engines,
    /// Users, and the sizes of their states.
    Users,
    /// Sessions that are not deleted; expired ones too, for as long as they are kept.
    Sessions,
    /// The keys of apps.
    AppState,
    /// The keys of users.
    UserState,
    /// The keys of sessions.
    SessionState,
    /// Events.
    Events,
    /// Operations.
    Operations,
    /// Requests that may be sent again.
    Requests,
}

impl Kind {
    /// All kinds, in the order of their stored numbers.
    pub const ALL: [Self; 9] = [
        Self::Engines,
        Self::Users,
        Self::Sessions,
        Self::AppState,
        Self::UserState,
        Self::SessionState,
        Self::Events,
        Self::Operations,
        Self::Requests,
    ];

    /// Its place in [`Self::ALL`].
    pub fn number(self) -> usize {
        self as usize
    }

    /// The kind that is copied after this one.
    pub fn following(self) -> Option<Self> {
        Self::ALL.get(self.number() + 1).copied()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Engines => "engines",
            Self::Users => "users",
            Self::Sessions => "sessions",
            Self::AppState => "app state",
            Self::UserState => "user state",
            Self::SessionState => "session state",
            Self::Events => "events",
            Self::Operations => "operations",
            Self::Requests => "requests",
        })
    }
}

/// Rows of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Engines.
    Engines(Vec<EngineRecord>),
    /// Users.
    Users(Vec<UserRecord>),
    /// Sessions.
    Sessions(Vec<SessionRecord>),
    /// Keys of apps.
    AppState(Vec<StateRecord>),
    /// Keys of users.
    UserState(Vec<StateRecord>),
    /// Keys of sessions.
    SessionState(Vec<StateRecord>),
    /// Events.
    Events(Vec<EventRecord>),
    /// Operations.
    Operations(Vec<OperationRecord>),
    /// Requests.
    Requests(Vec<RequestRecord>),
}

impl Rows {
    /// How many they are.
    pub fn len(&self) -> usize {
        match self {
            Self::Engines(rows) => rows.len(),
            Self::Users(rows) => rows.len(),
            Self::Sessions(rows) => rows.len(),
            Self::AppState(rows) | Self::UserState(rows) | Self::SessionState(rows) => rows.len(),
            Self::Events(rows) => rows.len(),
            Self::Operations(rows) => rows.len(),
            Self::Requests(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they are.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Engines(_) => Kind::Engines,
            Self::Users(_) => Kind::Users,
            Self::Sessions(_) => Kind::Sessions,
            Self::AppState(_) => Kind::AppState,
            Self::UserState(_) => Kind::UserState,
            Self::SessionState(_) => Kind::SessionState,
            Self::Events(_) => Kind::Events,
            Self::Operations(_) => Kind::Operations,
            Self::Requests(_) => Kind::Requests,
        }
    }

    /// About how many bytes they take.
    pub fn bytes(&self) -> usize {
        let mut bytes = 0;
        self.each(&mut |record| bytes += record.bytes());
        bytes
    }

    /// Shows every one of them.
    pub(crate) fn each(&self, see: &mut dyn FnMut(&dyn Record)) {
        fn all<R: Record>(rows: &[R], see: &mut dyn FnMut(&dyn Record)) {
            rows.iter().for_each(|row| see(row));
        }
        match self {
            Self::Engines(rows) => all(rows, see),
            Self::Users(rows) => all(rows, see),
            Self::Sessions(rows) => all(rows, see),
            Self::AppState(rows) | Self::UserState(rows) | Self::SessionState(rows) => all(rows, see),
            Self::Events(rows) => all(rows, see),
            Self::Operations(rows) => all(rows, see),
            Self::Requests(rows) => all(rows, see),
        }
    }
}

/// How much is read at once; a single larger row still fits.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// At most so many rows; at least 1.
    pub rows: usize,
    /// About so many bytes.
    pub bytes: usize,
}

impl Default for Limit {
    fn default() -> Self {
        Self { rows: 2_000, bytes: 8 << 20 }
    }
}

/// Rows as they come one after another, until there are enough.
#[derive(Debug)]
pub struct Portion<R> {
    limit: Limit,
    bytes: usize,
    rows: Vec<R>,
    last: Option<Cursor>,
}

impl<R: Record> Portion<R> {
    /// None yet.
    pub fn new(limit: Limit) -> Self {
        Self { limit, bytes: 0, rows: Vec::new(), last: None }
    }

    /// Takes a row, and the place behind it; whether there is room for more.
    pub fn push(&mut self, row: R, place: Cursor) -> bool {
        self.bytes += row.bytes();
        self.rows.push(row);
        self.last = Some(place);
        self.rows.len() < self.limit.rows && self.bytes < self.limit.bytes
    }

    /// The rows, and the place behind the last one.
    pub fn finish(self) -> (Vec<R>, Option<Cursor>) {
        (self.rows, self.last)
    }
}

/// How far a copy has come. What is before it has been written, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The kind that is being copied.
    pub kind: Kind,
    /// Where the source goes on within it; `None` at its beginning.
    pub after: Option<Cursor>,
    /// How many rows were written, of all kinds.
    pub rows: u64,
}

impl Position {
    /// Before the first row.
    pub const START: Self = Self { kind: Kind::Engines, after: None, rows: 0 };
}

/// Tells stores apart, and names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The same for as long as the store is; no two stores have the same.
    pub token: String,
    /// For people.
    pub name: String,
}

/// Why rows were not read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// The destination holds something that no unfinished copy brought.
    NotEmpty,
    /// The destination holds an unfinished copy of the store with this name.
    OtherSource(String),
    /// Another process writes to the destination.
    Overtaken,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty => f.write_str(
                "it is not empty: everything is copied into a new store, or on where a migration was cut off",
            ),
            Self::OtherSource(name) => write!(
                f,
                "it holds an unfinished migration from {name}: finish that one, or begin with an empty store"
            ),
            Self::Overtaken => f.write_str("another migration writes to it at the same time"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TransferError {}

impl From<StoreError> for TransferError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What reading and writing rows gives back.
pub type TransferResult<T> = Result<T, TransferError>;

/// A store that is opened for its rows, while nobody is served from it.
#[async_trait]
pub trait Transfer: Send + Sync + 'static {
    /// Which store it is.
    fn identity(&self) -> &Identity;

    /// About how many rows there are of each kind: at least those that [`Self::read`] gives, where nobody writes.
    async fn sizes(&self) -> TransferResult<[u64; Kind::ALL.len()]>;

    /// The next rows of a kind, in an order that stays, and the place behind them; no rows at its end. All are of
    /// one moment.
    async fn read(
        &self,
        kind: Kind,
        after: Option<&Cursor>,
        limit: Limit,
    ) -> TransferResult<(Rows, Option<Cursor>)>;

    /// Begins a copy from a source, or finds how far it has come. From here on no server starts on this store.
    /// `NotEmpty`; `OtherSource`.
    async fn begin(&self, source: &Identity) -> TransferResult<Position>;

    /// Writes rows and, with them or not at all, that the copy has come from one position to another. `Overtaken`
    /// where it was not at the first one.
    async fn write(&self, rows: &Rows, from: &Position, to: &Position) -> TransferResult<()>;

    /// Ends a copy: the store may be served from.
    async fn finish(&self) -> TransferResult<()>;

    /// Gives the store free.
    async fn close(&self);
}
