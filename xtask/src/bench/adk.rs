//! ADK's own session services, in a Python process, measured turn by turn with the server.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::figures::Sample;
use super::{SESSIONS, process, request};
use crate::clients::python;
use crate::workspace::Workspace;

/// An interpreter that has ADK.
#[derive(Debug)]
pub(crate) struct Python {
    interpreter: PathBuf,
    program: PathBuf,
}

/// A process that holds one service.
#[derive(Debug)]
pub(crate) struct Adk {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// Of ADK, of what it stores with, and of Python.
    pub versions: Vec<(String, String)>,
    log: PathBuf,
}

impl Python {
    /// Installs the pinned versions.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.root.join("clients").join("python");
        let requirements = folder.join("requirements-bench.txt");
        let interpreter = python::environment(&workspace.target.join("bench-venv"), &requirements)?;
        Ok(Self { interpreter, program: folder.join("bench").join("sessions.py") })
    }

    /// Starts a process with a service of this kind, over a file or a database, and makes sessions in it. What it
    /// complains of goes to a file in `folder`.
    pub(crate) fn start(&self, folder: &Path, service: &str, place: &str) -> Result<Adk> {
        let log = folder.join(format!("{service}.log"));
        let complaints = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = Command::new(&self.interpreter)
            .arg("-B")
            .arg(&self.program)
            .args(["--service", service, "--place", place, "--sessions", &SESSIONS.to_string()])
            .args(["--text", &request::text()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .spawn()
            .context("cannot start Python")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.context("Python has no pipes")?;
        let mut adk = Adk { child, stdin, stdout: BufReader::new(stdout), versions: Vec::new(), log };
        let Value::Object(versions) = adk.answer()? else { bail!("Python did not say its versions") };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        adk.versions = versions.iter().map(|(name, version)| (name.clone(), text(version))).collect();
        Ok(adk)
    }
}

impl Adk {
    /// Appends with so many tasks at a time.
    pub(crate) fn append(&mut self, clients: usize, time: Duration) -> Result<Sample> {
        self.ask(&json!({"do": "append", "clients": clients, "seconds": time.as_secs_f64()}), time)
    }

    /// Reads a session with so many events, again and again.
    pub(crate) fn read(&mut self, events: usize, time: Duration) -> Result<Sample> {
        self.ask(&json!({"do": "read", "events": events, "seconds": time.as_secs_f64()}), time)
    }

    fn ask(&mut self, question: &Value, time: Duration) -> Result<Sample> {
        // Some services have a thread for each call, which ends with it.
        let before = process::cpu_by_ticks(self.child.id())?;
        writeln!(self.stdin, "{question}").context("Python does not listen")?;
        let answer = self.answer()?;
        let cpu = process::cpu_by_ticks(self.child.id())?.saturating_sub(before);
        let figures: Option<Vec<f64>> =
            answer.as_array().map(|all| all.iter().filter_map(Value::as_f64).collect());
        let Some((answers, seconds)) = figures.as_deref().and_then(<[f64]>::split_first) else {
            bail!("Python answered {answer}");
        };
        let latencies = seconds.iter().map(|seconds| Duration::from_secs_f64(*seconds)).collect();
        // A count, and so a whole number that is not negative.
        Ok(Sample { time, latencies, answers: *answers as u64, cpu, ..Sample::default() })
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).context("Python says nothing")?;
        serde_json::from_str(&line).with_context(|| {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            format!("Python answered {line:?}; what it complained of:\n{log}")
        })
    }
}

impl Drop for Adk {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
