//! How much one page may take.

use super::{Cursor, Page};
use crate::limits::PAGE_BYTES;

/// A page ends after so many rows were looked at, however few passed the filter (AIP-158 allows short
/// pages): no query holds a reader for long.
const MAX_SCANNED: usize = 10_000;

/// A page that is being filled.
pub struct Filling<T> {
    items: Vec<T>,
    limit: usize,
    scanned: usize,
    bytes: usize,
}

impl<T> Filling<T> {
    /// An empty page of at most `limit` items.
    pub fn new(limit: usize) -> Self {
        Self { items: Vec::new(), limit: limit.max(1), scanned: 0, bytes: 0 }
    }

    /// Counts a row that is looked at; whether enough have been.
    pub fn is_tired(&mut self) -> bool {
        self.scanned += 1;
        self.scanned > MAX_SCANNED
    }

    /// Whether no further item fits.
    pub fn is_full(&self) -> bool {
        self.items.len() >= self.limit || self.bytes >= PAGE_BYTES
    }

    /// Adds an item that holds about so many bytes.
    pub fn push(&mut self, item: T, bytes: usize) {
        self.items.push(item);
        self.bytes += bytes;
    }

    /// The page; `next` is the last row that it is done with, if there are more.
    pub fn finish(self, next: Option<Cursor>) -> Page<T> {
        Page { items: self.items, next }
    }
}
