//! What a server did to its data directory, call by call, as strace wrote it down.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// The calls that change files, or make changes last. One that is not modelled here is an error where it is made
/// in the data directory.
pub(super) const CALLS: &str = "openat,creat,pwrite64,pwritev,write,writev,ftruncate,fsync,fdatasync,\
                                sync_file_range,rename,renameat,renameat2,unlink,unlinkat,link,mkdir";

/// What a call did, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A file was opened, and made where there was none.
    Create(PathBuf),
    /// A folder was made.
    MakeFolder(PathBuf),
    /// Bytes were written at an offset.
    Write(PathBuf, usize, Vec<u8>),
    /// A file got this length.
    Truncate(PathBuf, usize),
    /// A file lost its name.
    Unlink(PathBuf),
    /// What was done to a file, or to the names in a folder, was made to last.
    Sync(PathBuf),
}

/// A call that succeeded. Between its first and its last line others may stand.
#[derive(Clone, Debug)]
pub(super) struct Op {
    /// The line in which it begins.
    pub begin: usize,
    /// The line in which it ends.
    pub end: usize,
    /// What it did.
    pub call: Call,
}

/// All calls in the order in which they began, and when each line was written, in seconds since 1970.
#[derive(Debug)]
pub(super) struct Record {
    /// The calls.
    pub ops: Vec<Op>,
    /// The times of the lines.
    pub times: Vec<f64>,
}

/// What is not part of what a loss of power leaves: the index of the log, which is made anew, the lock, and the
/// reserve, of which only the length matters.
const LEFT_OUT: [&str; 3] = ["colloquy.db-shm", "colloquy.lock", "colloquy.reserve"];

/// Whether a file is one of those.
pub(super) fn is_left_out(path: &Path) -> bool {
    path.file_name().is_some_and(|name| LEFT_OUT.iter().any(|left_out| name == *left_out))
}

impl Record {
    /// Reads what strace wrote, as far as it is about `data` and what it is in.
    pub(super) fn read(lines: impl BufRead, data: &Path) -> Result<Self> {
        let mut record = Self { ops: Vec::new(), times: Vec::new() };
        let mut unfinished: HashMap<String, (usize, String)> = HashMap::new();
        for (number, line) in lines.lines().enumerate() {
            let line = line?;
            // Threads have numbers of different lengths, which strace fills up with spaces.
            let parts = line.split_once(' ').and_then(|(thread, rest)| {
                let (time, text) = rest.trim_start().split_once(' ')?;
                Some((thread, time, text))
            });
            let Some((thread, time, text)) = parts else { bail!("line {number} of the record has no time") };
            record.times.push(time.parse().with_context(|| format!("{time} is no time"))?);
            let text = text.trim_start();
            let (begin, whole) = if let Some(begun) = text.strip_suffix(" <unfinished ...>") {
                unfinished.insert(thread.to_owned(), (number, begun.to_owned()));
                continue;
            } else if let Some(resumed) = text.strip_prefix("<... ") {
                let Some((begin, begun)) = unfinished.remove(thread) else { continue };
                let rest = resumed.split_once("resumed>").map_or("", |(_, rest)| rest);
                (begin, begun + rest)
            } else {
                (number, text.to_owned())
            };
            if let Some(call) = parse(&whole, data).with_context(|| format!("line {number} of the record"))? {
                record.ops.push(Op { begin, end: number, call });
            }
        }
        record.ops.sort_by_key(|op| op.begin);
        Ok(record)
    }
}

/// A call that succeeded and is about the data directory.
fn parse(text: &str, data: &Path) -> Result<Option<Call>> {
    // Signals and ends of threads are no calls.
    let Some((name, rest)) = text.split_once('(') else { return Ok(None) };
    let Some((arguments, result)) = rest.rsplit_once(" = ") else { return Ok(None) };
    if result.starts_with('-') || result.starts_with('?') {
        return Ok(None);
    }
    let arguments: Vec<&str> = arguments.trim_end().trim_end_matches(')').split(", ").collect();
    let argument = |index: usize| arguments.get(index).copied().unwrap_or_default();
    let on_file = argument(0).split_once('<').is_some() && name != "openat";
    let path = match name {
        "openat" | "unlinkat" => text_of(argument(1))?,
        _ if on_file => {
            text_of(argument(0).split_once('<').map_or("", |(_, path)| path.trim_end_matches('>')))?
        }
        _ => text_of(argument(0))?,
    };
    let path = PathBuf::from(String::from_utf8(path).context("a path is no text")?);
    let is_parent = data.parent() == Some(&path);
    if !(path.starts_with(data) || is_parent) || is_left_out(&path) {
        return Ok(None);
    }
    let number = |index: usize| -> Result<usize> {
        argument(index).parse().with_context(|| format!("{} is no number", argument(index)))
    };
    Ok(Some(match name {
        "openat" if argument(2).contains("O_TRUNC") => bail!("{name} cuts {}", path.display()),
        "openat" if argument(2).contains("O_CREAT") => Call::Create(path),
        "openat" => return Ok(None),
        "mkdir" => Call::MakeFolder(path),
        "pwrite64" => {
            let mut bytes = text_of(argument(1))?;
            let written = result.split(' ').next().unwrap_or_default().parse()?;
            if bytes.len() < written {
                bail!("the record holds {} bytes of {written}", bytes.len());
            }
            bytes.truncate(written);
            Call::Write(path, number(3)?, bytes)
        }
        "ftruncate" => Call::Truncate(path, number(1)?),
        "unlink" => Call::Unlink(path),
        "fsync" | "fdatasync" => Call::Sync(path),
        other => bail!("{other} on {} is not modelled", path.display()),
    }))
}

/// The bytes of a string, all of which strace writes as `\x00`.
fn text_of(argument: &str) -> Result<Vec<u8>> {
    let hex = argument.trim_matches('"');
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (escapes, rest) = hex.as_bytes().as_chunks::<4>();
    let bytes = escapes.iter().map(|escape| match *escape {
        [b'\\', b'x', high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    match bytes.collect::<Option<Vec<u8>>>() {
        Some(bytes) if rest.is_empty() => Ok(bytes),
        _ => bail!("{argument:.40} is not written in hexadecimal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    #[test]
    fn calls_are_read_whole_and_in_the_order_of_their_beginnings() {
        let wal = format!("5<{}>", hex("/d/data/colloquy.db-wal"));
        let text = [
            format!("10 1.000001 mkdir(\"{}\", 0700) = 0", hex("/d/data")),
            format!(
                "10 1.000002 openat(AT_FDCWD<{}>, \"{}\", O_RDONLY|O_CLOEXEC) = 3<{}>",
                hex("/"),
                hex("/etc/x"),
                hex("/etc/x")
            ),
            format!(
                "10 1.000003 openat(AT_FDCWD<{}>, \"{}\", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = {wal}",
                hex("/"),
                hex("/d/data/colloquy.db-wal")
            ),
            format!("10 1.000004 pwrite64({wal}, \"{}\", 2, 32 <unfinished ...>", hex("ab")),
            format!("11 1.000005 fdatasync({wal}) = -1 EIO (Input/output error)"),
            format!("11   1.000006 fsync(7<{}>) = 0", hex("/d")),
            "10 1.000007 <... pwrite64 resumed>)   = 2".to_owned(),
            format!("10 1.000008 fdatasync({wal})        = 0"),
            format!(
                "10 1.000009 pwrite64(6<{}>, \"{}\", 1, 4095) = 1",
                hex("/d/data/colloquy.db-shm"),
                hex("a")
            ),
            "11 1.000010 +++ exited with 0 +++".to_owned(),
        ]
        .join("\n");
        let record = Record::read(text.as_bytes(), Path::new("/d/data")).expect("a record");
        let path = || PathBuf::from("/d/data/colloquy.db-wal");
        let found: Vec<_> = record.ops.iter().map(|op| (op.begin, op.end, op.call.clone())).collect();
        assert_eq!(
            found,
            [
                (0, 0, Call::MakeFolder("/d/data".into())),
                (2, 2, Call::Create(path())),
                (3, 6, Call::Write(path(), 32, b"ab".to_vec())),
                (5, 5, Call::Sync("/d".into())),
                (7, 7, Call::Sync(path())),
            ]
        );
        assert_eq!(record.times.len(), 10);
    }

    #[test]
    fn what_is_not_modelled_is_an_error() {
        let line = |call: &str| format!("10 1.0 {call}(\"{0}\", \"{0}\") = 0", hex("/d/data/x"));
        assert!(Record::read(line("rename").as_bytes(), Path::new("/d/data")).is_err());
        assert!(Record::read(line("rename").as_bytes(), Path::new("/e")).expect("a record").ops.is_empty());
    }
}
