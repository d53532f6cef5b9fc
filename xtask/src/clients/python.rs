//! Virtual environments: one for each list of pinned requirements.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{command, debian};

/// The interpreter of a virtual environment that holds exactly `requirements`.
pub(crate) fn environment(folder: &Path, requirements: &Path) -> Result<PathBuf> {
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
    if !debian::can_install() {
        bail!("{error:#}; install Python 3.11 or newer with its venv module (Debian: python3-venv)");
    }
    debian::install(&["python3-venv"])?;
    make()
}
