//! What one run measured, and the figures that are shown of it: medians over the runs.

use std::time::Duration;

/// One run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// How long it measured.
    pub time: Duration,
    /// How long each call took that began in that time.
    pub latencies: Vec<Duration>,
    /// All calls, the warm-up's too.
    pub answers: u64,
    /// What the measured process used for all of them.
    pub cpu: Duration,
    /// What a database beside it used.
    pub beside: Duration,
}

impl Sample {
    /// Calls a second.
    pub(crate) fn per_second(&self) -> f64 {
        // A count of calls is far below the integers that a double cannot hold.
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    /// Processor time for each call, in microseconds.
    pub(crate) fn cpu_microseconds(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.answers as f64
    }

    /// The same of the database beside it.
    pub(crate) fn beside_microseconds(&self) -> f64 {
        self.beside.as_secs_f64() * 1e6 / self.answers as f64
    }

    /// The shortest time, in milliseconds, that `percent` of the calls did not exceed (nearest rank); zero without
    /// calls.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        let time = sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        time.as_secs_f64() * 1e3
    }
}

/// The middle one of some values, the lower of two middles; NaN without any.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The median of a figure over runs.
pub(crate) fn median_of(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> f64 {
    median(samples.iter().map(figure))
}

/// A number with as many digits as say something, thousands apart; a dash where there is none.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&text),
    }
}

/// A whole number, thousands apart.
pub(crate) fn count(value: usize) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A row of a Markdown table.
pub(crate) fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a Markdown table: what follows the first column is aligned to the right.
pub(crate) fn head(columns: &[&str]) -> String {
    let rules = columns.iter().enumerate().map(|(place, _)| if place == 0 { "---" } else { "---:" });
    format!("| {} |\n|{}|\n", columns.join(" | "), rules.collect::<Vec<_>>().join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(latencies: impl IntoIterator<Item = u64>) -> Sample {
        let latencies: Vec<Duration> = latencies.into_iter().map(Duration::from_millis).collect();
        let answers = latencies.len() as u64;
        Sample {
            time: Duration::from_secs(2),
            latencies,
            answers,
            cpu: Duration::from_millis(2),
            ..Sample::default()
        }
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let sample = sample((1..=200).rev());
        assert!((sample.percentile(50) - 100.0).abs() < 1e-9);
        assert!((sample.percentile(99) - 198.0).abs() < 1e-9);
        assert!((sample.per_second() - 100.0).abs() < 1e-9);
        assert!((sample.cpu_microseconds() - 10.0).abs() < 1e-9);
        assert!(Sample::default().percentile(50).abs() < 1e-9);
    }

    #[test]
    fn a_median_is_a_value_that_was_measured() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0]) - 1.0).abs() < 1e-9);
        assert!(median([]).is_nan());
        let runs = [sample(0..10), sample(0..500), sample(0..30)];
        assert!((median_of(&runs, Sample::per_second) - 15.0).abs() < 1e-9);
    }

    #[test]
    fn numbers_are_as_exact_as_they_are_read() {
        let shown = [1_234_567.8, 999.96, 99.96, 12.34, 9.999, 0.126, -1234.0, f64::NAN].map(number);
        assert_eq!(shown, ["1,234,568", "1,000", "100", "12.3", "10.0", "0.13", "-1,234", "–"]);
        assert_eq!([7, 1000, 1_000_000].map(count), ["7", "1,000", "1,000,000"]);
    }

    #[test]
    fn tables_are_markdown() {
        assert_eq!(head(&["a", "b"]), "| a | b |\n|---|---:|\n");
        assert_eq!(row(&["x".to_owned(), "1".to_owned()]), "| x | 1 |\n");
    }
}
