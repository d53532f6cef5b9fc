//! What a run was made with: the command, the machine and the versions, without which its figures say nothing.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Bench, request};
use crate::command;

/// A paragraph to put above tables. `more` are versions of what only some parts use.
pub(crate) fn paragraph(bench: &Bench<'_>, part: &str, more: &[(String, String)]) -> Result<String> {
    let server = command::output(Command::new(&bench.binary).arg("--version"))?;
    let mut git = Command::new("git");
    git.args(["rev-parse", "--short", "HEAD"]).current_dir(&bench.workspace.root);
    let commit = command::output(&mut git)?;
    let rustc = command::output(Command::new("rustc").arg("--version"))?;
    let mut versions = vec![
        format!("{} at `{}`", server.trim(), commit.trim()),
        rustc.trim().to_owned(),
        format!("SQLite {}", bench.bare_sqlite.version),
        format!("PostgreSQL {}", bench.postgres.setting("server_version")?),
    ];
    versions.extend(more.iter().map(|(name, version)| format!("{name} {version}")));
    Ok(format!(
        "Command: `{}`, here its part `{part}`. {} runs of {} s each, in turn; medians are shown. An event is {} bytes of JSON.\n\n\
         Versions: {}.\n\n\
         Machine: {}. PostgreSQL runs on it too, with its defaults and `fsync` on.\n",
        command_line(std::env::args()),
        bench.options.runs,
        bench.options.seconds,
        request::EVENT_BYTES,
        versions.join(", "),
        machine()?
    ))
}

/// Processors and memory; nothing that names the machine.
fn machine() -> Result<String> {
    let read = |path: &str| std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"));
    let cores = std::thread::available_parallelism()?;
    let model = field(&read("/proc/cpuinfo")?, "model name").unwrap_or_else(|| "unnamed".to_owned());
    let memory = field(&read("/proc/meminfo")?, "MemTotal").context("no MemTotal in /proc/meminfo")?;
    let kib: f64 = memory.trim_end_matches("kB").trim().parse().context("MemTotal is no number")?;
    Ok(format!("{cores} cores ({model}), {:.0} GiB of memory, Linux", kib / f64::from(1 << 20)))
}

/// What follows a name and a colon in a file of `/proc`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The command as somebody else would give it: without the path of a server of one's own.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    let mut words = vec!["cargo xtask".to_owned()];
    let mut arguments = arguments.skip(1);
    while let Some(word) = arguments.next() {
        if word == "--bin" {
            arguments.next();
        } else if !word.starts_with("--bin=") && !Path::new(&word).is_absolute() {
            words.push(word);
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_no_file_of_this_machine() {
        let said = |words: &[&str]| command_line(words.iter().map(ToString::to_string));
        assert_eq!(
            said(&["/a/xtask", "bench", "--bin", "/b/c", "--runs", "3"]),
            "cargo xtask bench --runs 3"
        );
        assert_eq!(said(&["/a/xtask", "bench", "--bin=x", "--write"]), "cargo xtask bench --write");
    }

    #[test]
    fn fields_are_found_by_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Some CPU"));
        assert_eq!(field(text, "model"), None);
    }
}
