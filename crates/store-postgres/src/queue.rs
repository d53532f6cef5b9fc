//! What waits to be written, and what is being written: which of it can go together, and now.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

/// What a write must have for itself, as hashes: one that is not needed repeats another one.
pub(crate) type Claims = [u64; 3];

/// How much of a batch a write is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weight {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

struct Waiting<T> {
    write: T,
    claims: Claims,
    weight: Weight,
    since: Instant,
}

/// Writes in the order of their coming. A batch takes what no other batch has a claim on, so that batches never wait
/// for each other in the database, and nothing overtakes what it has a claim in common with.
pub(crate) struct Queue<T> {
    waiting: VecDeque<Waiting<T>>,
    claimed: HashSet<u64>,
    events: usize,
}

/// Writes that go together.
pub(crate) struct Batch<T> {
    pub(crate) writes: Vec<T>,
    /// To be released when they are done.
    pub(crate) claims: HashSet<u64>,
    /// How many events they are.
    pub(crate) events: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), claimed: HashSet::new(), events: 0 }
    }
}

impl<T> Queue<T> {
    pub(crate) fn push(&mut self, write: T, claims: Claims, weight: Weight, since: Instant) {
        self.events = self.events.saturating_add(weight.events);
        self.waiting.push_back(Waiting { write, claims, weight, since });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many events wait.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// Since when the first one waits.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.since)
    }

    /// The next batch: at least one write if any can go, else as many as are within the limit. None, and nothing
    /// changes, where that is fewer than so many events.
    pub(crate) fn take(&mut self, least: usize, limit: Weight) -> Option<Batch<T>> {
        let mut claims = HashSet::new();
        let (mut events, mut bytes) = (0, 0);
        let mut passed: HashSet<u64> = HashSet::new();
        let mut goes = Vec::new();
        for next in &self.waiting {
            let mut all = next.claims.iter();
            let is_free = all.all(|claim| !self.claimed.contains(claim) && !passed.contains(claim));
            let fits =
                events + next.weight.events <= limit.events && bytes + next.weight.bytes <= limit.bytes;
            let is_taken = is_free && (fits || events == 0);
            goes.push(is_taken);
            if is_taken {
                events += next.weight.events;
                bytes += next.weight.bytes;
                claims.extend(next.claims);
            } else if is_free {
                break;
            } else {
                passed.extend(next.claims);
            }
        }
        if claims.is_empty() || events < least {
            return None;
        }
        let (mut writes, mut left) = (Vec::new(), VecDeque::new());
        for (next, is_taken) in self.waiting.drain(..goes.len()).zip(goes) {
            if is_taken { writes.push(next.write) } else { left.push_back(next) }
        }
        left.append(&mut self.waiting);
        self.waiting = left;
        self.events = self.events.saturating_sub(events);
        self.claimed.extend(&claims);
        Some(Batch { writes, claims, events })
    }

    /// Ends the claims of a batch.
    pub(crate) fn release(&mut self, claims: &HashSet<u64>) {
        for claim in claims {
            self.claimed.remove(claim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Weight = Weight { events: 4, bytes: 100 };

    fn queue(writes: &[(char, Claims)]) -> Queue<char> {
        let mut queue = Queue::default();
        for (write, claims) in writes {
            queue.push(*write, *claims, Weight { events: 1, bytes: 10 }, Instant::now());
        }
        queue
    }

    fn take(queue: &mut Queue<char>) -> Option<(String, HashSet<u64>)> {
        queue.take(1, LIMIT).map(|batch| (batch.writes.into_iter().collect(), batch.claims))
    }

    #[test]
    fn batches_have_nothing_in_common() {
        let mut queue = queue(&[('a', [1, 1, 1]), ('b', [1, 9, 1]), ('c', [2, 2, 2])]);
        queue.push('D', [3, 3, 3], Weight { events: 2, bytes: 10 }, Instant::now());
        assert_eq!(queue.events(), 5);
        // Full, and the first of its claims are taken together.
        let (first, claims) = take(&mut queue).unwrap();
        assert_eq!(first, "abc");
        for (write, claims) in [('e', [9, 4, 4]), ('f', [4, 4, 4]), ('g', [5, 5, 5])] {
            queue.push(write, claims, Weight { events: 1, bytes: 10 }, Instant::now());
        }
        // The user of `e` is being written; `f` has something in common with `e` and does not overtake it.
        assert_eq!(take(&mut queue).unwrap().0, "Dg");
        assert!(take(&mut queue).is_none() && queue.events() == 2);
        queue.release(&claims);
        assert!(queue.take(3, LIMIT).is_none() && queue.events() == 2);
        assert_eq!(take(&mut queue).unwrap().0, "ef");
        assert!(queue.is_empty() && queue.events() == 0 && queue.oldest().is_none());
    }

    #[test]
    fn one_that_is_larger_than_a_batch_goes_alone() {
        let mut queue = Queue::default();
        for (write, claim, bytes) in [('a', 1, 500), ('b', 2, 60), ('c', 3, 60), ('d', 4, 10)] {
            queue.push(write, [claim; 3], Weight { events: 1, bytes }, Instant::now());
        }
        let batches: Vec<_> = std::iter::from_fn(|| take(&mut queue)).map(|(writes, _)| writes).collect();
        assert_eq!(batches, ["a", "b", "cd"]);
    }
}
