//! Counting rows and summing them up, in whatever order a store gives them.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::record::{Record, RowDigest, digest, identity};
use super::{Kind, Limit, Rows, Transfer, TransferResult};

/// Rows are sorted into so many buckets by what tells them apart: a difference shows in one of them, and only its
/// rows need be looked at to find it.
const BUCKETS: usize = 4096;

/// The rows of one bucket: how many, and the sum of their digests, which the order does not change. A row that is
/// there twice counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bucket {
    rows: u64,
    sum: [u64; 4],
}

/// What rows of one kind amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    buckets: Vec<Bucket>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { buckets: vec![Bucket::default(); BUCKETS] }
    }
}

/// A SHA-256 over all rows of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The bucket of a row.
pub(super) fn bucket_of(record: &dyn Record) -> usize {
    let [first, second, ..] = identity(record);
    usize::from(u16::from_be_bytes([first, second])) % BUCKETS
}

impl Tally {
    /// Adds a row.
    fn add(&mut self, record: &dyn Record) {
        if let Some(bucket) = self.buckets.get_mut(bucket_of(record)) {
            bucket.rows += 1;
            for (sum, lane) in bucket.sum.iter_mut().zip(lanes(&digest(record))) {
                *sum = sum.wrapping_add(lane);
            }
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.rows).sum()
    }

    /// The same for the same rows in any order. It tells accidents, not forgeries.
    pub fn checksum(&self) -> Checksum {
        let mut hash = Sha256::new();
        for Bucket { rows, sum } in &self.buckets {
            hash.update(rows.to_be_bytes());
            sum.iter().for_each(|lane| hash.update(lane.to_be_bytes()));
        }
        Checksum(hash.finalize().into())
    }

    /// The first bucket that another tally has otherwise.
    pub(super) fn first_difference(&self, other: &Self) -> Option<usize> {
        self.buckets.iter().zip(&other.buckets).position(|(ours, theirs)| ours != theirs)
    }
}

fn lanes(digest: &RowDigest) -> impl Iterator<Item = u64> {
    digest.chunks_exact(8).map(|lane| lane.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

/// What a store holds, by the numbers of kinds.
pub type Tallies = [Tally; Kind::ALL.len()];

/// Reads a whole store. `seen` is told of every batch.
///
/// # Errors
/// Where the store cannot be read.
pub async fn tally(
    store: &dyn Transfer,
    limit: Limit,
    seen: &(dyn Fn(&Rows) + Sync),
) -> TransferResult<Tallies> {
    let mut tallies = Tallies::default();
    for (kind, tally) in Kind::ALL.into_iter().zip(&mut tallies) {
        let mut after = None;
        loop {
            let (rows, last) = store.read(kind, after.as_ref(), limit).await?;
            if rows.is_empty() {
                break;
            }
            rows.each(&mut |record| tally.add(record));
            seen(&rows);
            after = last;
        }
    }
    Ok(tallies)
}

#[cfg(test)]
mod tests {
    use super::super::UserRecord;
    use super::*;

    fn user(key: i64, state_bytes: i64) -> UserRecord {
        UserRecord { engine: 1, key, user_id: format!("u{key}"), state_bytes }
    }

    fn tally_of(users: &[UserRecord]) -> Tally {
        let mut tally = Tally::default();
        users.iter().for_each(|user| tally.add(user));
        tally
    }

    #[test]
    fn the_order_does_not_matter_and_everything_else_does() {
        let rows: Vec<_> = (0..10_000).map(|key| user(key, key)).collect();
        let mut turned = rows.clone();
        turned.reverse();
        let whole = tally_of(&rows);
        assert_eq!(whole.rows(), 10_000);
        assert_eq!(tally_of(&turned).checksum(), whole.checksum());
        assert_eq!(tally_of(&turned).first_difference(&whole), None);
        let mut others = vec![rows[1..].to_vec(), [&rows[..], &rows[..1]].concat(), rows.clone()];
        others[2][0].state_bytes += 1;
        // One row lost and another one there twice: the same number of rows.
        others.push([&rows[1..], &rows[1..2]].concat());
        for other in others {
            let other = tally_of(&other);
            assert_ne!(other.checksum(), whole.checksum());
            assert!(other.first_difference(&whole).is_some());
        }
    }
}
