//! Google's published Python clients: their environment, and the tests that use them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command;
use crate::workspace::Workspace;

/// What to test.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// The server to test, in place of the release build.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Passed to pytest as they are.
    #[arg(last = true)]
    pytest: Vec<String>,
}

/// Runs `clients/python` against a real server, which the tests start themselves.
///
/// # Errors
/// When the environment cannot be made, or a test fails.
pub(crate) fn test_clients(workspace: &Workspace, options: &Options) -> Result<()> {
    let server = workspace.server_binary(options.bin.as_deref())?;
    let folder = workspace.root.join("clients").join("python");
    let python = environment(&workspace.target.join("python-venv"), &folder.join("requirements.txt"))?;
    command::run(
        Command::new(python)
            .args(["-B", "-m", "pytest", "-p", "no:cacheprovider"])
            .args(&options.pytest)
            .current_dir(folder)
            .env("COLLOQUY_BIN", server),
    )
}

/// The interpreter of a virtual environment that holds exactly `requirements`.
fn environment(folder: &Path, requirements: &Path) -> Result<PathBuf> {
    let wanted = std::fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let python = folder.join("bin").join("python");
    // Written last, so that an environment that was left half made is not taken for a whole one.
    let stamp = folder.join("installed-requirements.txt");
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    make_environment(folder)?;
    command::run(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--requirement",
            ])
            .arg(requirements),
    )?;
    // With --no-deps above, a package that is missing from the list would otherwise show up as an odd import error.
    command::run(Command::new(&python).args(["-m", "pip", "check", "--disable-pip-version-check"]))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}

/// Makes an empty environment; on Debian as root, installs the package that it takes.
fn make_environment(folder: &Path) -> Result<()> {
    let make = || command::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
    let Err(error) = make() else { return Ok(()) };
    let is_root = command::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root || command::run(Command::new("apt-get").arg("--version")).is_err() {
        bail!("{error:#}; install Python 3.10 or newer with its venv module (Debian: python3-venv)");
    }
    command::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    command::run(
        Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends", "python3-venv"])
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    make()
}
