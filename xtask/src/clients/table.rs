//! The table at the end.

use super::{Outcome, Report};

/// A line for each row.
pub(super) fn text(reports: &[Report]) -> String {
    let wide = reports.iter().map(|report| report.row.client.len()).max().unwrap_or_default().max(6);
    let mut text = format!("\n{:<wide$}{:>8}{:>8}{:>9}  result\n", "client", "REST", "gRPC", "seconds");
    for Report { row, versions, calls, time, outcome } in reports {
        let result = match outcome {
            Outcome::Passed => format!("passed: {}", versions.join(", ")),
            Outcome::Failed(why) => format!("FAILED: {why}"),
            Outcome::NotRun(why) => format!("not run: {why}"),
        };
        text.push_str(&format!(
            "{:<wide$}{:>8}{:>8}{:>9.1}  {result}\n",
            row.client,
            calls.rest,
            calls.grpc,
            time.as_secs_f64()
        ));
    }
    text
}
