//! The search for an order: is a history linearisable, given what one operation after the other would do?
//!
//! The algorithm is that of Wing and Gong, with the memory of Lowe: a set of operations that were put in order, together
//! with the state that they lead to, is looked at once. Whether there is an order is asked of the whole history, so it
//! takes a model of everything that operations share.

use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

/// What a history is held against.
pub(super) trait Model: Clone + Eq + Hash {
    /// An operation with its answer.
    type Operation;
    /// What has to happen before an operation can have had its answer.
    type Need;

    /// The state after `operation`, or why it cannot have had its answer in this state. An operation without an answer
    /// has its effect, where it has one.
    fn apply(&self, operation: &Self::Operation) -> Result<Self, Refusal<Self::Need>>;

    /// Whether `operation` may be what is needed.
    fn meets(operation: &Self::Operation, need: &Self::Need) -> bool;
}

/// Why an operation cannot be next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal<N> {
    pub why: String,
    /// It stays so until an operation takes effect that meets this.
    pub need: N,
}

/// An operation, and when it can have taken effect.
#[derive(Debug)]
pub(super) struct Interval<'a, O> {
    pub operation: &'a O,
    pub invoked: Duration,
    pub returned: Duration,
    /// Whether it took effect. What was not answered may never have.
    pub certain: bool,
}

/// What a search came to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// There is an order, found at so many configurations.
    Linearisable { looked_at: usize },
    /// There is none; how far the longest attempt came.
    NotLinearisable(Attempt),
    /// The bound on configurations was reached.
    Undecided,
}

/// The longest order that was found.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Operations in that order, as indices of the history.
    pub order: Vec<usize>,
    /// The operations that cannot be next although one of them must be, and why.
    pub stuck: Vec<(usize, String)>,
}

/// A point of the search. Operations are numbered by when they were invoked.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Configuration<M> {
    /// Those below `next` that are not in order yet.
    left_out: Vec<usize>,
    /// From here on none is.
    next: usize,
    state: M,
}

struct Frame<M> {
    configuration: Configuration<M>,
    /// What to try next, and the state that it leads to; the last one first.
    candidates: Vec<(usize, M)>,
    /// What led here.
    by: Option<usize>,
}

/// A history by when its operations were invoked.
struct Sorted<'a, M: Model> {
    intervals: Vec<&'a Interval<'a, M::Operation>>,
    /// Each one's index in the history as it was given.
    original: Vec<usize>,
}

/// Looks for an order of `history`, at no more than `bound` configurations.
pub(super) fn search<M: Model>(start: M, history: &[Interval<'_, M::Operation>], bound: usize) -> Verdict {
    let mut original: Vec<usize> = (0..history.len()).collect();
    original.sort_by_key(|&index| history.get(index).map(|interval| interval.invoked));
    let intervals: Vec<_> = original.iter().filter_map(|&index| history.get(index)).collect();
    let sorted = Sorted::<M> { intervals, original };

    let first = Configuration { left_out: Vec::new(), next: 0, state: start };
    let mut deepest = (Vec::new(), first.clone());
    let mut seen = HashSet::from([first.clone()]);
    let candidates = sorted.candidates(&first).unwrap_or_default();
    let mut stack = vec![Frame { candidates, configuration: first, by: None }];
    while let Some(frame) = stack.last_mut() {
        if sorted.is_whole(&frame.configuration) {
            return Verdict::Linearisable { looked_at: seen.len() };
        }
        let Some((place, state)) = frame.candidates.pop() else {
            stack.pop();
            continue;
        };
        let configuration = frame.configuration.with(place, state);
        if !seen.insert(configuration.clone()) {
            continue;
        }
        if stack.len() > deepest.0.len() {
            let order = stack.iter().filter_map(|frame| frame.by).chain([place]).collect();
            deepest = (order, configuration.clone());
        }
        if seen.len() > bound {
            return Verdict::Undecided;
        }
        match sorted.candidates(&configuration) {
            Ok(candidates) => stack.push(Frame { configuration, candidates, by: Some(place) }),
            // It was so ever since some step: whatever else was done after that step leads nowhere either.
            Err(hopeless) => {
                while stack.last().is_some_and(|frame| sorted.is_hopeless(hopeless, &frame.configuration)) {
                    stack.pop();
                }
            }
        }
    }
    Verdict::NotLinearisable(sorted.attempt(deepest))
}

impl<M: Model> Configuration<M> {
    /// With one more operation in order.
    fn with(&self, place: usize, state: M) -> Self {
        let mut left_out: Vec<usize> = self.left_out.iter().copied().filter(|left| *left != place).collect();
        left_out.extend(self.next..place);
        Self { left_out, next: self.next.max(place + 1), state }
    }
}

impl<M: Model> Sorted<'_, M> {
    /// Whether all that certainly took effect is in order.
    fn is_whole(&self, configuration: &Configuration<M>) -> bool {
        let certain = |place: &usize| self.intervals.get(*place).is_some_and(|interval| interval.certain);
        configuration.next == self.intervals.len() && !configuration.left_out.iter().any(certain)
    }

    /// What may be next: operations that were invoked before the first of those that are left had returned. The one
    /// that returned first is last, and so is tried first: it is the likeliest.
    fn next(&self, configuration: &Configuration<M>) -> Vec<usize> {
        let mut end = Duration::MAX;
        let mut found: Vec<(Duration, Duration, usize)> = Vec::new();
        let rest = configuration.next..self.intervals.len();
        for place in configuration.left_out.iter().copied().chain(rest) {
            let Some(interval) = self.intervals.get(place).filter(|interval| interval.invoked <= end) else {
                break;
            };
            end = end.min(interval.returned);
            found.push((interval.returned, interval.invoked, place));
        }
        found.retain(|&(_, invoked, _)| invoked <= end);
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.into_iter().map(|(.., place)| place).collect()
    }

    /// What may be next and is possible; or one that took effect and can no longer be possible. Where one is possible
    /// that changes nothing, it is enough to try that: in every order that has it later it can also be now.
    fn candidates(&self, configuration: &Configuration<M>) -> Result<Vec<(usize, M)>, usize> {
        let mut candidates = Vec::new();
        let mut changes_nothing = None;
        for place in self.next(configuration) {
            let Some(interval) = self.intervals.get(place) else { continue };
            match configuration.state.apply(interval.operation) {
                Ok(state) if interval.certain && state == configuration.state => {
                    changes_nothing = Some((place, state));
                }
                Ok(state) => candidates.push((place, state)),
                Err(refusal) if self.is_without_hope(place, &refusal, configuration) => return Err(place),
                Err(_) => {}
            }
        }
        Ok(changes_nothing.map_or(candidates, |one| vec![one]))
    }

    /// Whether an operation that is not in order cannot be brought into it, whatever comes before it.
    fn is_hopeless(&self, place: usize, configuration: &Configuration<M>) -> bool {
        let refusal = self
            .intervals
            .get(place)
            .and_then(|interval| configuration.state.apply(interval.operation).err());
        refusal.is_some_and(|refusal| self.is_without_hope(place, &refusal, configuration))
    }

    /// Whether none of those that may still come before the one at `place`, which did take effect, is what it needs.
    fn is_without_hope(
        &self,
        place: usize,
        refusal: &Refusal<M::Need>,
        configuration: &Configuration<M>,
    ) -> bool {
        let Some(interval) = self.intervals.get(place).filter(|interval| interval.certain) else {
            return false;
        };
        let rest = configuration.next..self.intervals.len();
        let mut before = configuration
            .left_out
            .iter()
            .copied()
            .chain(rest)
            .filter_map(|other| Some((other, self.intervals.get(other)?)))
            .take_while(|(_, other)| other.invoked <= interval.returned);
        !before.any(|(other, helper)| other != place && M::meets(helper.operation, &refusal.need))
    }

    fn attempt(&self, (order, configuration): (Vec<usize>, Configuration<M>)) -> Attempt {
        let original = |place: usize| self.original.get(place).copied().unwrap_or(place);
        let mut stuck = Vec::new();
        for place in self.next(&configuration).into_iter().rev() {
            let Some(interval) = self.intervals.get(place).filter(|interval| interval.certain) else {
                continue;
            };
            if let Err(refusal) = configuration.state.apply(interval.operation) {
                stuck.push((original(place), refusal.why));
            }
        }
        Attempt { order: order.into_iter().map(original).collect(), stuck }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register: `Write(value)`, `Read(value)`.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    struct Register(u32);

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Operation {
        Write(u32),
        Read(u32),
    }
    use Operation::{Read, Write};

    impl Model for Register {
        type Operation = Operation;
        type Need = Operation;

        fn apply(&self, operation: &Operation) -> Result<Self, Refusal<Operation>> {
            match *operation {
                Write(value) => Ok(Self(value)),
                Read(value) if value == self.0 => Ok(self.clone()),
                Read(value) => {
                    let why = format!("{value} was read and {} is there", self.0);
                    Err(Refusal { why, need: Write(value) })
                }
            }
        }

        fn meets(operation: &Operation, need: &Operation) -> bool {
            operation == need
        }
    }

    /// Operations with the times at which they were invoked and returned; one that never returned has 0.
    fn verdict(history: &[(Operation, u64, u64)], bound: usize) -> Verdict {
        let intervals: Vec<_> = history
            .iter()
            .map(|(operation, invoked, returned)| Interval {
                operation,
                invoked: Duration::from_secs(*invoked),
                returned: if *returned == 0 { Duration::MAX } else { Duration::from_secs(*returned) },
                certain: *returned != 0,
            })
            .collect();
        search(Register(0), &intervals, bound)
    }

    fn is_linearisable(history: &[(Operation, u64, u64)]) -> bool {
        matches!(verdict(history, 10_000), Verdict::Linearisable { .. })
    }

    #[test]
    fn what_overlaps_may_have_either_order() {
        assert!(is_linearisable(&[(Write(1), 1, 4), (Write(2), 2, 5), (Read(1), 6, 7)]));
        assert!(is_linearisable(&[(Write(1), 1, 4), (Write(2), 2, 5), (Read(2), 6, 7)]));
        assert!(is_linearisable(&[(Write(1), 1, 9), (Read(0), 2, 3), (Read(1), 4, 5)]));
        assert!(is_linearisable(&[]));
    }

    #[test]
    fn a_stale_read_has_no_order() {
        assert!(!is_linearisable(&[(Write(1), 1, 2), (Read(0), 3, 4)]));
        assert!(!is_linearisable(&[(Write(1), 1, 9), (Read(1), 2, 3), (Read(0), 4, 5)]));
    }

    #[test]
    fn a_lost_write_has_no_order() {
        assert!(!is_linearisable(&[(Write(1), 1, 2), (Write(2), 3, 4), (Read(1), 5, 6)]));
        assert!(!is_linearisable(&[(Write(1), 1, 4), (Write(2), 2, 5), (Read(1), 6, 7), (Read(2), 8, 9)]));
    }

    #[test]
    fn what_was_not_answered_may_have_happened_late_or_never() {
        assert!(is_linearisable(&[(Write(1), 1, 0), (Read(0), 2, 3), (Read(0), 4, 5)]));
        assert!(is_linearisable(&[(Write(1), 1, 0), (Read(0), 2, 3), (Read(1), 4, 5)]));
        assert!(!is_linearisable(&[(Write(1), 1, 0), (Read(1), 2, 3), (Read(0), 4, 5)]));
        assert!(!is_linearisable(&[(Read(1), 1, 2), (Write(1), 3, 0)]));
    }

    #[test]
    fn a_failure_says_where_it_is() {
        let Verdict::NotLinearisable(attempt) =
            verdict(&[(Write(1), 1, 2), (Read(1), 3, 4), (Read(7), 5, 6)], 100)
        else {
            panic!("7 was never written")
        };
        assert_eq!(attempt.order, [0, 1]);
        assert_eq!(attempt.stuck, [(2, "7 was read and 1 is there".to_owned())]);
    }

    #[test]
    fn a_bound_is_kept() {
        let writes = (1..=12).map(|value| (Write(value), 1, 2));
        let history: Vec<_> = writes.chain([(Read(5), 3, 4), (Read(6), 5, 6)]).collect();
        assert!(matches!(verdict(&history, 100), Verdict::Undecided));
        // Without memory these would be 12! orders; with it, at most 2^12 sets with a last write each.
        assert!(matches!(verdict(&history, 50_000), Verdict::NotLinearisable(_)));
    }
}
