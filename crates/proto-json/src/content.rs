//! The content of a message, which may stand in several pieces, and which members of its oneofs count.

use crate::schema::Field;
use crate::wire::{Fields, Malformed, RawField, RawValue};

/// The content of a message as it stands: whole, or in the pieces of a field that comes more than once. Read
/// one after the other, pieces merge (protobuf encoding rules), so that nothing need be copied together.
#[derive(Clone, Debug)]
pub(crate) struct Content<'w> {
    first: &'w [u8],
    /// Nearly always empty, and then without an allocation.
    more: Vec<&'w [u8]>,
}

impl<'w> From<&'w [u8]> for Content<'w> {
    fn from(whole: &'w [u8]) -> Self {
        Self { first: whole, more: Vec::new() }
    }
}

impl<'w> FromIterator<&'w [u8]> for Content<'w> {
    fn from_iter<I: IntoIterator<Item = &'w [u8]>>(pieces: I) -> Self {
        let mut pieces = pieces.into_iter();
        Self { first: pieces.next().unwrap_or_default(), more: pieces.collect() }
    }
}

impl<'w> Content<'w> {
    /// What the occurrences of one message field hold; `None` where one stands in another wire type.
    pub(crate) fn of_field(occurrences: impl IntoIterator<Item = RawField<'w>>) -> Option<Self> {
        let bytes = |raw: RawField<'w>| match raw.value {
            RawValue::Bytes(bytes) => Some(bytes),
            _ => None,
        };
        occurrences.into_iter().map(bytes).collect()
    }

    /// The same with one more piece behind.
    pub(crate) fn and(mut self, piece: &'w [u8]) -> Self {
        self.more.push(piece);
        self
    }

    /// All fields, in the order they stand. After an error there is nothing of use.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Result<RawField<'w>, Malformed>> {
        std::iter::once(&self.first).chain(&self.more).flat_map(|piece| Fields::of(piece))
    }
}

/// Follows which member each oneof of a message has. A member that comes after another one overwrites it;
/// consecutive occurrences of the same member are one run, whose pieces merge.
#[derive(Default)]
pub(crate) struct Runs {
    last: Vec<Run>,
    overwritten: bool,
}

struct Run {
    oneof: usize,
    number: u32,
    start: usize,
}

impl Runs {
    /// Notes that `field` comes at `place`, and says where its run began: 0 for what is in no oneof.
    pub(crate) fn note(&mut self, field: &Field, place: usize) -> usize {
        let Some(oneof) = field.oneof else { return 0 };
        let number = field.number;
        match self.last.iter_mut().find(|run| run.oneof == oneof) {
            Some(run) if run.number == number => run.start,
            Some(run) => {
                *run = Run { oneof, number, start: place };
                self.overwritten = true;
                place
            }
            None => {
                self.last.push(Run { oneof, number, start: place });
                place
            }
        }
    }

    /// Whether anything was overwritten: hardly ever.
    pub(crate) fn overwritten(&self) -> bool {
        self.overwritten
    }

    /// Whether the occurrence of `field` at `place` still stands after all that was noted.
    pub(crate) fn stands(&self, field: &Field, place: usize) -> bool {
        self.last.iter().all(|run| Some(run.oneof) != field.oneof || place >= run.start)
    }

    /// The member that a oneof ends up with.
    pub(crate) fn member(&self, oneof: usize) -> Option<u32> {
        self.last.iter().find(|run| run.oneof == oneof).map(|run| run.number)
    }
}
