//! Holding what a destination holds against its source.

use std::collections::BTreeMap;
use std::fmt;

use super::record::{RowDigest, digest};
use super::tally::{Checksum, Tallies, bucket_of};
use super::{Kind, Limit, Transfer, TransferResult};

/// One kind of rows in both stores.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The kind.
    pub kind: Kind,
    /// How many rows the source has.
    pub source_rows: u64,
    /// How many rows the destination has.
    pub destination_rows: u64,
    /// The source's checksum.
    pub source: Checksum,
    /// The destination's.
    pub destination: Checksum,
}

impl Line {
    /// Whether both are the same.
    pub fn is_same(&self) -> bool {
        self.source_rows == self.destination_rows && self.source == self.destination
    }
}

/// How a row differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The destination lacks it.
    Missing(String),
    /// The source does not have it, or not so often.
    Extra(String),
    /// It holds something else.
    Changed(String),
    /// When it was looked for it was gone: a store has changed meanwhile.
    Gone,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(place) => write!(f, "{place} is missing in the destination"),
            Self::Extra(place) => write!(f, "{place} is in the destination and not in the source"),
            Self::Changed(place) => write!(f, "{place} is not the same in both"),
            Self::Gone => f.write_str("a store was written to while it was compared"),
        }
    }
}

/// What a comparison found.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Every kind.
    pub lines: Vec<Line>,
    /// The first kind that differs, and one row that does.
    pub difference: Option<(Kind, Difference)>,
}

/// Compares two stores by their tallies. Where they differ, both are read again to find where.
///
/// # Errors
/// Where a store cannot be read.
pub async fn compare(
    source: (&dyn Transfer, &Tallies),
    destination: (&dyn Transfer, &Tallies),
    limit: Limit,
) -> TransferResult<Comparison> {
    let mut lines = Vec::with_capacity(Kind::ALL.len());
    let mut difference = None;
    for ((kind, ours), theirs) in Kind::ALL.into_iter().zip(source.1).zip(destination.1) {
        lines.push(Line {
            kind,
            source_rows: ours.rows(),
            destination_rows: theirs.rows(),
            source: ours.checksum(),
            destination: theirs.checksum(),
        });
        if let (None, Some(bucket)) = (&difference, ours.first_difference(theirs)) {
            difference = Some((kind, find(source.0, destination.0, kind, bucket, limit).await?));
        }
    }
    Ok(Comparison { lines, difference })
}

/// The rows of a bucket: where they are, what they hold, and how often they are there.
type Bucket = BTreeMap<String, (RowDigest, u64)>;

async fn find(
    source: &dyn Transfer,
    destination: &dyn Transfer,
    kind: Kind,
    bucket: usize,
    limit: Limit,
) -> TransferResult<Difference> {
    let (ours, theirs) =
        (read(source, kind, bucket, limit).await?, read(destination, kind, bucket, limit).await?);
    for (place, (digest, times)) in &ours {
        match theirs.get(place) {
            None => return Ok(Difference::Missing(place.clone())),
            Some((other, _)) if other != digest => return Ok(Difference::Changed(place.clone())),
            Some((_, others)) if others < times => return Ok(Difference::Missing(place.clone())),
            Some((_, others)) if others > times => return Ok(Difference::Extra(place.clone())),
            Some(_) => {}
        }
    }
    let extra = theirs.keys().find(|place| !ours.contains_key(*place));
    Ok(extra.map_or(Difference::Gone, |place| Difference::Extra(place.clone())))
}

async fn read(store: &dyn Transfer, kind: Kind, bucket: usize, limit: Limit) -> TransferResult<Bucket> {
    let mut found = Bucket::new();
    let mut after = None;
    loop {
        let (rows, last) = store.read(kind, after.as_ref(), limit).await?;
        if rows.is_empty() {
            return Ok(found);
        }
        rows.each(&mut |record| {
            if bucket_of(record) == bucket {
                found.entry(record.place()).or_insert((digest(record), 0)).1 += 1;
            }
        });
        after = last;
    }
}
