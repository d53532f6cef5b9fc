//! strace: records the system calls of a server, and has them fail.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::debian;

const ATTACH_LIMIT: Duration = Duration::from_secs(10);

/// Makes sure that strace is there and may trace; it is installed where it is missing and can be.
///
/// # Errors
/// Where there is no strace, or nothing may be traced.
pub(crate) fn require() -> Result<()> {
    if !answers(&["--version"]) && debian::can_install() {
        debian::install(&["strace"])?;
    }
    if !answers(&["--version"]) {
        bail!("there is no strace to record and to spoil system calls with: install it");
    }
    if !answers(&["-f", "-o", "/dev/null", "true"]) {
        bail!("strace cannot trace here: allow ptrace");
    }
    Ok(())
}

fn answers(arguments: &[&str]) -> bool {
    let asked = Command::new("strace").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// A strace that is attached to a process; it lets go of it when dropped.
#[derive(Debug)]
pub(crate) struct Attached(Child);

impl Attached {
    /// Has system calls of the process fail, as `inject` says in strace's own words. Each thread counts its own calls.
    pub(crate) fn inject(process: u32, inject: &str) -> Result<Self> {
        let mut child = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("inject={inject}"), "-p", &process.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run strace")?;
        let stderr = child.stderr.take();
        let attached = Self(child);
        if !stderr.is_some_and(says_attached) {
            bail!("strace did not attach to the server");
        }
        Ok(attached)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // An interrupt has it detach; it fails only when strace is gone already, with the server.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

/// Whether strace says in time that it has attached.
fn says_attached(stderr: ChildStderr) -> bool {
    let (sender, receiver) = mpsc::channel();
    // Reads on to the end, so that a full pipe can never stop strace.
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if line.contains("attached") {
                // The receiver is gone after the first.
                let _ = sender.send(());
            }
        }
    });
    receiver.recv_timeout(ATTACH_LIMIT).is_ok()
}
