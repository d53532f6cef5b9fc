//! Random JSON from a seed.

use serde_json::{Value, json};

/// A source of values; the same seed gives the same ones.
pub(crate) struct RandomJson(u64);

impl RandomJson {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below a bound. SplitMix64, which any seed will do for.
    pub(crate) fn number(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// A place in something of this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.number(u64::try_from(length).unwrap())).unwrap()
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.index(all.len())]
    }

    /// A short text.
    pub(crate) fn text(&mut self) -> String {
        let letters = ["a", "B", "0", " ", "ß", "値", "\u{1f600}", "\"", "\\", "%", "\n"];
        (0..self.number(12)).map(|_| self.one_of(&letters)).collect()
    }

    /// A value of any kind; `depth` is how deep it stands.
    pub(crate) fn value(&mut self, depth: usize) -> Value {
        match self.number(if depth < 3 { 7 } else { 5 }) {
            0 => Value::Null,
            1 => json!(self.number(2) == 1),
            2 => json!(self.number(1 << 53)),
            3 => json!(-(self.number(1_000_000) as f64) / 1024.0),
            4 => json!(self.text()),
            5 => (0..self.number(4)).map(|_| self.value(depth + 1)).collect(),
            _ => {
                (0..self.number(4)).map(|n| (format!("{n}{}", self.text()), self.value(depth + 1))).collect()
            }
        }
    }

    /// A state, or a delta to one.
    pub(crate) fn state(&mut self) -> Value {
        let prefixes = ["", "user:", "app:"];
        (0..self.number(4))
            .map(|_| (format!("{}k{}", self.one_of(&prefixes), self.number(5)), self.value(0)))
            .collect()
    }
}
