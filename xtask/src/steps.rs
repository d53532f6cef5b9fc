//! `cargo xtask test`: every check in order, and a table of how they went.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::pgbouncer::PgBouncer;
use crate::postgres::Postgres;
use crate::workspace::Workspace;
use crate::{clients, command, deny, torture};

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Formatting.
    Fmt,
    /// Lints.
    Clippy,
    /// The policy on dependencies: licences, sources, bans, advisories.
    Deny,
    /// The release build of the server, and of all tests.
    Build,
    /// Every test of the workspace, with a PostgreSQL of its own.
    Test,
    /// Google's published clients.
    Clients,
    /// The short form of everything that tries to make the server lose data.
    Torture,
}

struct Report {
    step: Step,
    time: Duration,
    /// What a passed step has to say, or why it failed.
    result: Result<Option<String>>,
}

/// Runs the steps in `only`, or all of them, in order, each whether or not an earlier one failed.
///
/// # Errors
/// When a step fails; the table and the closing line are printed all the same.
pub(crate) fn run(workspace: &Workspace, only: &[Step], require_all: bool) -> Result<()> {
    let steps = Step::value_variants().iter().filter(|step| only.is_empty() || only.contains(step));
    let mut reports = Vec::new();
    for &step in steps {
        println!("\n== {}", step.name());
        let started = Instant::now();
        let result = step.run(workspace, require_all);
        if let Err(error) = &result {
            println!("{} failed: {error:#}", step.name());
        }
        reports.push(Report { step, time: started.elapsed(), result });
    }
    let failed = reports.iter().filter(|report| report.result.is_err()).count();
    print!("{}", table(&reports));
    println!("{} passed, {failed} failed", reports.len() - failed);
    if failed > 0 {
        bail!("{failed} of {} steps failed", reports.len());
    }
    Ok(())
}

fn table(reports: &[Report]) -> String {
    let mut text = format!("\n{:<10}{:>9}  result\n", "step", "seconds");
    for Report { step, time, result } in reports {
        let result = match result {
            Ok(None) => "passed".to_owned(),
            Ok(Some(note)) => format!("passed; note: {note}"),
            Err(error) => format!("failed: {error:#}"),
        };
        text.push_str(&format!("{:<10}{:>9.1}  {result}\n", step.name(), time.as_secs_f64()));
    }
    text
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Deny => "deny",
            Self::Build => "build",
            Self::Test => "test",
            Self::Clients => "clients",
            Self::Torture => "torture",
        }
    }

    fn run(self, workspace: &Workspace, require_all: bool) -> Result<Option<String>> {
        let cargo = |args: &[&str]| command::run(&mut workspace.cargo(args));
        match self {
            Self::Fmt => cargo(&["fmt", "--all", "--check"])?,
            Self::Clippy => {
                cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
            }
            Self::Deny => return deny::check(workspace),
            Self::Build => {
                workspace.server_binary(None)?;
                cargo(&["test", "--workspace", "--no-run"])?;
            }
            Self::Test => {
                let postgres = Postgres::start(workspace)?;
                let pooler = PgBouncer::start(workspace, &postgres)?;
                let mut all = workspace.cargo(&["test", "--workspace", "--no-fail-fast"]);
                command::run(pooler.tell(postgres.tell(&mut all)))?;
                // The API once more, over the other store.
                let mut api = workspace.cargo(&["test", "--package", "colloquy", "--test", "api"]);
                command::run(postgres.tell(&mut api).env("TEST_STORE", "postgres"))?;
            }
            Self::Clients => return clients::run(workspace, &clients::Options::all(require_all)),
            Self::Torture => torture::run(workspace, &torture::Options::short())?,
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_how_each_step_went() {
        let report = |step, result| Report { step, time: Duration::from_millis(1_250), result };
        let reports = [
            report(Step::Fmt, Ok(None)),
            report(Step::Deny, Ok(Some("no advisories".to_owned()))),
            report(Step::Test, Err(anyhow::anyhow!("inner").context("outer"))),
        ];
        let text = table(&reports);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "step        seconds  result",
                "fmt             1.2  passed",
                "deny            1.2  passed; note: no advisories",
                "test            1.2  failed: outer: inner",
            ]
        );
    }

    #[test]
    fn a_steps_name_is_what_the_command_line_calls_it() {
        for step in Step::value_variants() {
            let value = step.to_possible_value().expect("every step can be asked for");
            assert_eq!(value.get_name(), step.name());
        }
    }
}
