//! Debian packages, where they can be had: as root on a Debian.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::command;

/// Whether packages can be installed here.
pub(crate) fn can_install() -> bool {
    let answers = |program: &str, argument: &str| {
        let asked = Command::new(program).arg(argument).stdin(Stdio::null()).stderr(Stdio::null()).output();
        asked.ok().filter(|answer| answer.status.success()).map(|answer| answer.stdout)
    };
    answers("id", "-u").is_some_and(|id| id.trim_ascii() == b"0") && answers("apt-get", "--version").is_some()
}

/// Installs `packages`.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    command::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    command::run(
        Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
