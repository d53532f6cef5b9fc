//! Running other programs: said aloud, and their failure an error that names them.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Runs a program, its output shown as it comes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let words = words(command);
    println!("$ {words}");
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run `{words}`"))?;
    check(status, &words)
}

/// Runs a program for what it prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let words = words(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run `{words}`"))?;
    check(output.status, &words)?;
    String::from_utf8(output.stdout).with_context(|| format!("`{words}` did not print UTF-8"))
}

/// Runs a program that may hang, and ends it after `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let words = words(command);
    println!("$ {words}");
    let mut child = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot run `{words}`"))?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return check(status, &words);
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("`{words}` did not end within {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn check(status: ExitStatus, words: &str) -> Result<()> {
    if !status.success() {
        bail!("`{words}` ended with {status}");
    }
    Ok(())
}

fn words(command: &Command) -> String {
    let program = std::iter::once(command.get_program());
    program.chain(command.get_args()).map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
