//! Sorting, and pages that go on after a sort key.

use std::cmp::Ordering;

use colloquy_sessions::page::{Cursor, Page};
use colloquy_sessions::store::{StoreError, StoreResult};

/// What a row is sorted by: numbers first, a text last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SortKey {
    /// As many as the scan has directions. Wide enough for times and for ids.
    pub(super) numbers: Vec<i128>,
    /// Sorted in the last direction; empty where the numbers tell all rows apart.
    pub(super) text: String,
}

/// How a list is sorted.
pub(super) struct Scan {
    /// Tells the lists and their orders apart.
    label: String,
    /// For each number, whether the greatest comes first.
    descending: Vec<bool>,
}

const NUMBER_BYTES: usize = size_of::<i128>();

impl Scan {
    pub(super) fn new(label: &str, descending: Vec<bool>) -> Self {
        Self { label: format!("{label}{descending:?}"), descending }
    }

    /// The page of `rows` that begins after the cursor; `rows` come in any order.
    pub(super) fn page<T>(
        &self,
        mut rows: Vec<(SortKey, T)>,
        after: Option<&Cursor>,
        limit: usize,
    ) -> StoreResult<Page<T>> {
        if let Some(cursor) = after {
            let after = self.read(cursor).ok_or(StoreError::BadCursor)?;
            rows.retain(|(key, _)| self.compare(key, &after).is_gt());
        }
        rows.sort_by(|(a, _), (b, _)| self.compare(a, b));
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(key, _)| self.write(key));
        Ok(Page { items: rows.into_iter().map(|(_, row)| row).collect(), next })
    }

    fn compare(&self, a: &SortKey, b: &SortKey) -> Ordering {
        let turn =
            |ordering: Ordering, descending: bool| if descending { ordering.reverse() } else { ordering };
        let numbers = a.numbers.iter().zip(&b.numbers).zip(&self.descending);
        let last = self.descending.last().copied().unwrap_or_default();
        numbers
            .map(|((a, b), descending)| turn(a.cmp(b), *descending))
            .fold(Ordering::Equal, Ordering::then)
            .then_with(|| turn(a.text.cmp(&b.text), last))
    }

    fn write(&self, key: &SortKey) -> Cursor {
        let mut bytes = self.label.clone().into_bytes();
        for number in &key.numbers {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(key.text.as_bytes());
        Cursor(bytes)
    }

    fn read(&self, cursor: &Cursor) -> Option<SortKey> {
        let mut rest = cursor.0.strip_prefix(self.label.as_bytes())?;
        let mut key = SortKey::default();
        for _ in &self.descending {
            let (number, after) = rest.split_first_chunk::<NUMBER_BYTES>()?;
            key.numbers.push(i128::from_be_bytes(*number));
            rest = after;
        }
        key.text = String::from_utf8(rest.to_vec()).ok()?;
        Some(key)
    }
}
