//! What rows are run with: whether it is there, how its packages are installed, and its commands.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::python;
use crate::workspace::Workspace;
use crate::{command, debian};

/// A toolchain with the folder of `clients/` that it works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tool {
    Python,
    /// Python too, in an environment of its own: its requirements do not fit the others.
    Schemathesis,
    Node,
    Go,
    /// Go too, in a module of its own: ADK does not compile with what the others need.
    GoAdk,
    Java,
    Rust,
}

/// Why rows cannot be run.
#[derive(Debug)]
pub(super) enum Unready {
    /// A program is not on this machine.
    Missing(String),
    /// What the rows need could not be installed.
    Failed(String),
}

impl Tool {
    /// Installs what the rows need, at the pinned versions.
    pub(super) fn make_ready(self, workspace: &Workspace) -> Result<(), Unready> {
        self.look()?;
        self.install(workspace).map_err(|error| Unready::Failed(format!("not installed: {error:#}")))
    }

    /// Whether the programs are there; Debian's are installed where that is possible.
    fn look(self) -> Result<(), Unready> {
        let need = |needs: &str, found: Option<u32>, least: u32| match found {
            Some(version) if version >= least => Ok(()),
            Some(version) => {
                Err(Unready::Missing(format!("needs {needs} {least} or newer, found {version}")))
            }
            None => Err(Unready::Missing(format!("needs {needs} {least} or newer, found none"))),
        };
        match self {
            Self::Python | Self::Schemathesis => {
                need("Python 3.", version(&["python3", "--version"], "Python 3."), 11)
            }
            Self::Node => need("Node", version(&["node", "--version"], "v"), 20),
            // What the pinned libraries ask for.
            Self::Go | Self::GoAdk => need("Go 1.", version(&["go", "version"], "go version go1."), 26),
            Self::Java => {
                let mut found = version(&["javac", "-version"], "javac ");
                let maven = version(&["mvn", "--version"], "Apache Maven ");
                if (found.is_none() || maven.is_none()) && debian::can_install() {
                    debian::install(&["openjdk-17-jdk-headless", "maven"])
                        .map_err(|error| Unready::Failed(format!("{error:#}")))?;
                    found = version(&["javac", "-version"], "javac ");
                }
                need("JDK", found, 17)?;
                need("Maven", version(&["mvn", "--version"], "Apache Maven "), 3)
            }
            Self::Rust => Ok(()),
        }
    }

    fn install(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Python | Self::Schemathesis => {
                let requirements = self.folder(workspace).join(self.requirements());
                python::environment(&self.environment(workspace), &requirements).map(drop)
            }
            Self::Node => {
                command::run(&mut self.program("npm", workspace, &["ci", "--no-audit", "--no-fund"]))
            }
            Self::Go | Self::GoAdk => command::run(&mut self.program("go", workspace, &["mod", "download"])),
            Self::Java => command::run(&mut self.program(
                "mvn",
                workspace,
                &["--batch-mode", "--quiet", "test", "-DskipTests"],
            )),
            Self::Rust => command::run(&mut self.program("cargo", workspace, &["fetch", "--locked"])),
        }
    }

    /// Runs a row.
    pub(super) fn command(self, workspace: &Workspace, arguments: &[&str]) -> Command {
        match self {
            Self::Python | Self::Schemathesis => {
                let mut command = Command::new(self.environment(workspace).join("bin").join("python"));
                command
                    .args(["-B", "-m", "pytest", "-p", "no:cacheprovider"])
                    .args(arguments)
                    .current_dir(self.folder(workspace));
                command
            }
            Self::Node => {
                let mut command = self.program("node", workspace, &["--test"]);
                command.args(arguments);
                command
            }
            Self::Go | Self::GoAdk => {
                let mut command = self.program("go", workspace, &["test", "-count=1"]);
                command.args(arguments);
                command
            }
            Self::Java => {
                let mut command =
                    self.program("mvn", workspace, &["--batch-mode", "--quiet", "--offline", "test"]);
                command.args(arguments);
                command
            }
            Self::Rust => {
                let mut command = self.program("cargo", workspace, &["test", "--locked", "--quiet"]);
                command.args(arguments);
                command
            }
        }
    }

    fn program(self, program: &str, workspace: &Workspace, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder(workspace));
        if self == Self::Rust {
            // A workspace of its own, which must not wait for the lock of this one.
            command.env("CARGO_TARGET_DIR", workspace.target.join("clients-rust"));
        }
        command
    }

    fn folder(self, workspace: &Workspace) -> PathBuf {
        workspace.root.join("clients").join(match self {
            Self::Python | Self::Schemathesis => "python",
            Self::Node => "node",
            Self::Go => "go",
            Self::GoAdk => "go/adk",
            Self::Java => "java",
            Self::Rust => "rust",
        })
    }

    fn requirements(self) -> &'static str {
        match self {
            Self::Schemathesis => "requirements-schemathesis.txt",
            _ => "requirements.txt",
        }
    }

    fn environment(self, workspace: &Workspace) -> PathBuf {
        workspace.target.join(match self {
            Self::Schemathesis => "schemathesis-venv",
            _ => "python-venv",
        })
    }
}

/// The number behind `prefix` in what a program says of its version; `None` where it cannot be run.
fn version(command: &[&str], prefix: &str) -> Option<u32> {
    let (program, arguments) = command.split_first()?;
    let asked = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    number_behind(&String::from_utf8_lossy(&[asked.stdout, asked.stderr].concat()), prefix)
}

fn number_behind(text: &str, prefix: &str) -> Option<u32> {
    let (_, rest) = text.split_once(prefix)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(number_behind("Python 3.11.7\n", "Python 3."), Some(11));
        assert_eq!(number_behind("v20.20.2", "v"), Some(20));
        assert_eq!(number_behind("go version go1.26.8 linux/amd64", "go version go1."), Some(26));
        assert_eq!(number_behind("javac 17.0.15", "javac "), Some(17));
        assert_eq!(number_behind("nothing", "v"), None);
        assert_eq!(version(&["no-such-program-anywhere"], ""), None);
    }
}
