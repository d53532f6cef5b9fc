//! The table of a benchmark: medians over the runs.

use std::time::Duration;

use super::load::Sample;

/// All runs with one number of clients.
#[derive(Debug)]
pub(crate) struct Row {
    /// How many clients.
    pub clients: usize,
    /// With storage.
    pub durable: Vec<Sample>,
    /// Without.
    pub ceiling: Vec<Sample>,
}

impl Row {
    /// No runs yet.
    pub(crate) fn new(clients: usize) -> Self {
        Self { clients, durable: Vec::new(), ceiling: Vec::new() }
    }

    /// Durable appends a second, as a share of those without storage.
    pub(crate) fn ratio(&self) -> f64 {
        median(&self.durable, per_second) / median(&self.ceiling, per_second)
    }
}

/// The table as text.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "\n{:>7} | {:^41} | {:^41} |\n{:>7} | {} | {} | {:>5}\n",
        "",
        "durable appends",
        "ceiling: answered {} without storage",
        "clients",
        columns(["per second", "p50 ms", "p99 ms", "CPU us"]),
        columns(["per second", "p50 ms", "p99 ms", "CPU us"]),
        "ratio",
    );
    for row in rows {
        let side = |samples: &[Sample]| {
            columns([
                &format!("{:.0}", median(samples, per_second)),
                &format!("{:.2}", median(samples, |sample| milliseconds(percentile(sample, 50)))),
                &format!("{:.2}", median(samples, |sample| milliseconds(percentile(sample, 99)))),
                &format!("{:.1}", median(samples, cpu_microseconds)),
            ])
        };
        text.push_str(&format!(
            "{:>7} | {} | {} | {:>5.2}\n",
            row.clients,
            side(&row.durable),
            side(&row.ceiling),
            row.ratio()
        ));
    }
    text.push_str("CPU us: of the server, for each append; the load generator shares its processors\n\n");
    text
}

/// Lists over both protocols, and gRPC's share of what REST takes.
pub(crate) fn lists(rest: &[Sample], grpc: &[Sample]) -> String {
    let figures = |samples: &[Sample]| {
        [
            median(samples, |sample| milliseconds(percentile(sample, 50))),
            median(samples, |sample| milliseconds(percentile(sample, 99))),
            median(samples, cpu_microseconds),
        ]
    };
    let (rest, grpc) = (figures(rest), figures(grpc));
    let mut text = String::from("a list of 100 events |      p50 ms |  p99 ms |  CPU us\n");
    for (name, [p50, p99, cpu]) in [("REST", rest), ("gRPC", grpc)] {
        text.push_str(&format!("{name:>20} | {p50:>11.2} | {p99:>7.2} | {cpu:>7.0}\n"));
    }
    let ratios: Vec<f64> = grpc.iter().zip(rest).map(|(grpc, rest)| grpc / rest).collect();
    if let [p50, p99, cpu] = ratios.as_slice() {
        text.push_str(&format!("{:>20} | {p50:>11.2} | {p99:>7.2} | {cpu:>7.2}\n\n", "gRPC / REST"));
    }
    text
}

fn columns([a, b, c, d]: [&str; 4]) -> String {
    format!("{a:>11} {b:>9} {c:>9} {d:>9}")
}

fn per_second(sample: &Sample) -> f64 {
    // A count of requests is far below the integers that a double cannot hold.
    sample.latencies.len() as f64 / sample.time.as_secs_f64()
}

fn cpu_microseconds(sample: &Sample) -> f64 {
    sample.server_cpu.as_secs_f64() * 1e6 / sample.answers as f64
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The shortest time that `percent` of the appends did not exceed (nearest rank); zero without appends.
fn percentile(sample: &Sample, percent: usize) -> Duration {
    let mut sorted = sample.latencies.clone();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The middle one of a figure's values, the lower of two middles; NaN without samples.
fn median(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(latencies: impl IntoIterator<Item = u64>) -> Sample {
        let latencies: Vec<Duration> = latencies.into_iter().map(Duration::from_millis).collect();
        let answers = latencies.len() as u64;
        Sample { time: Duration::from_secs(2), latencies, answers, server_cpu: Duration::from_millis(2) }
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let sample = sample((1..=200).rev());
        assert_eq!(percentile(&sample, 50), Duration::from_millis(100));
        assert_eq!(percentile(&sample, 99), Duration::from_millis(198));
    }

    #[test]
    fn ratios_are_those_of_medians() {
        let row = Row {
            clients: 32,
            durable: vec![sample(0..10), sample(0..500), sample(0..30)],
            ceiling: vec![sample(0..60), sample(0..60), sample(0..1)],
        };
        assert!((row.ratio() - 0.5).abs() < 1e-9);
        let text = table(&[row]);
        assert!(
            text.lines().any(|line| line.starts_with("     32 |          15 ") && line.ends_with("  0.50")),
            "{text}"
        );
    }
}
