//! Bars: figures with a bound, and whether it is held.

use super::figures::{head, number, row};

/// What a figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure that is held to a bound.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// What is measured, in words.
    pub what: String,
    /// The figure; not a number where it was not measured, which misses every bar.
    pub figure: f64,
    /// Its unit, or nothing for a ratio.
    pub unit: &'static str,
    /// The bound.
    pub bound: Bound,
}

impl Bar {
    /// Whether it is held.
    pub(crate) fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(least) => self.figure >= least,
            Bound::AtMost(most) => self.figure <= most,
        }
    }

    /// As a line for a terminal.
    pub(crate) fn line(&self) -> String {
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        format!("{verdict:>6}  {}: {} ({})", self.what, self.shown(), self.wanted())
    }

    fn shown(&self) -> String {
        format!("{} {}", number(self.figure), self.unit).trim_end().to_owned()
    }

    fn wanted(&self) -> String {
        let (word, bound) = match self.bound {
            Bound::AtLeast(least) => ("at least", least),
            Bound::AtMost(most) => ("at most", most),
        };
        format!("{word} {bound} {}", self.unit).trim_end().to_owned()
    }
}

/// All of them as a Markdown table.
pub(crate) fn table(bars: &[Bar]) -> String {
    let mut text = head(&["bar", "wanted", "measured", "held"]);
    for bar in bars {
        let held = if bar.is_met() { "yes" } else { "**no**" };
        text.push_str(&row(&[bar.what.clone(), bar.wanted(), bar.shown(), held.to_owned()]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(figure: f64, bound: Bound) -> Bar {
        Bar { what: "reading".to_owned(), figure, unit: "ms", bound }
    }

    #[test]
    fn bounds_hold_at_their_edge_and_not_beyond() {
        assert!(bar(3.0, Bound::AtMost(3.0)).is_met());
        assert!(!bar(3.01, Bound::AtMost(3.0)).is_met());
        assert!(bar(0.5, Bound::AtLeast(0.5)).is_met());
        assert!(!bar(0.49, Bound::AtLeast(0.5)).is_met());
        assert!(!bar(f64::NAN, Bound::AtLeast(0.5)).is_met());
        assert!(!bar(f64::NAN, Bound::AtMost(0.5)).is_met());
    }

    #[test]
    fn what_is_missed_is_said() {
        assert_eq!(bar(2.5, Bound::AtMost(3.0)).line(), "   met  reading: 2.50 ms (at most 3 ms)");
        let text = table(&[bar(3.5, Bound::AtMost(3.0))]);
        assert!(text.ends_with("| reading | at most 3 ms | 3.50 ms | **no** |\n"), "{text}");
    }
}
