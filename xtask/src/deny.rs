//! The policy on dependencies (`deny.toml`), checked by cargo-deny.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

const VERSION: &str = "0.20.2";
/// The advisory database is a git repository on the network; without one, fetching may hang.
const FETCH_LIMIT: Duration = Duration::from_secs(60);

/// Checks bans, licences and sources always, and advisories when their database can be had.
///
/// Answers a note when it could not, so that nobody takes the check for done.
///
/// # Errors
/// When cargo-deny cannot be installed, or finds a breach.
pub(crate) fn check(workspace: &Workspace) -> Result<Option<String>> {
    let tool = installed(workspace)?;
    let deny = |args: &[&str]| {
        let mut deny = Command::new(&tool);
        deny.args(args).current_dir(&workspace.root);
        deny
    };
    command::run(&mut deny(&["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
    if let Err(error) = command::run_within(&mut deny(&["fetch", "db"]), FETCH_LIMIT) {
        println!("{error:#}");
        return Ok(Some("advisories NOT checked, because their database could not be fetched".to_owned()));
    }
    command::run(&mut deny(&["check", "--disable-fetch", "advisories"]))?;
    Ok(None)
}

/// cargo-deny at the pinned version: from the search path, from an earlier run, or built now.
fn installed(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("tools");
    let own = folder.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    for candidate in [Path::new("cargo-deny"), &own] {
        if is_pinned_version(candidate) {
            return Ok(candidate.to_owned());
        }
    }
    let build = folder.join("build");
    command::run(
        Command::new("cargo")
            .args(["install", "cargo-deny", "--locked", "--version", VERSION, "--root"])
            .arg(&folder)
            .arg("--target-dir")
            .arg(&build),
    )?;
    // Hundreds of megabytes that nothing needs again.
    std::fs::remove_dir_all(build)?;
    Ok(own)
}

fn is_pinned_version(tool: &Path) -> bool {
    let asked = Command::new(tool).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    asked.is_ok_and(|answer| answer.stdout.trim_ascii() == format!("cargo-deny {VERSION}").as_bytes())
}
