//! How much one page may take.

use colloquy_sessions::page::{Cursor, Page};

/// A page ends after so many rows were looked at, however few passed the filter (AIP-158 allows short
/// pages): no query holds a reader for long.
const MAX_SCANNED: usize = 100_000;
/// A page ends with the item that brings it to so many bytes.
const MAX_BYTES: usize = 32 << 20;

/// A page that is being filled.
pub(super) struct Filling<T> {
    items: Vec<T>,
    limit: usize,
    scanned: usize,
    bytes: usize,
}

impl<T> Filling<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { items: Vec::new(), limit: limit.max(1), scanned: 0, bytes: 0 }
    }

    /// Counts a row that is looked at; whether enough have been.
    pub(super) fn is_tired(&mut self) -> bool {
        self.scanned += 1;
        self.scanned > MAX_SCANNED
    }

    /// Whether no further item fits.
    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= self.limit || self.bytes >= MAX_BYTES
    }

    pub(super) fn push(&mut self, item: T, bytes: usize) {
        self.items.push(item);
        self.bytes += bytes;
    }

    /// The page; `next` is the last row that it is done with, if there are more.
    pub(super) fn finish(self, next: Option<Cursor>) -> Page<T> {
        Page { items: self.items, next }
    }
}
