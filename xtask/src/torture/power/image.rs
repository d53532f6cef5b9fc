//! What a loss of power may leave of a data directory.
//!
//! What was synced is there. Of what was not, each write is there or not, whole or in sectors, and a name in a
//! folder that was not synced is there or not. A file may have got its length but not what was written to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::record::{Call, Op, Record, is_left_out};
use crate::random::SplitMix;

/// What a disk writes all or nothing.
const SECTOR: usize = 512;

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsynced {
    /// All of it is gone.
    Lost,
    /// All of it is there.
    Kept,
    /// Some of it is there.
    Chance,
}

/// Something that was done and may not last yet.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// The number of its call.
    op: usize,
    ended: bool,
}

/// What lasts of a file, and what was done to it since.
#[derive(Debug, Default)]
struct Content {
    lasting: Vec<u8>,
    pending: Vec<Pending>,
}

/// The data directory as the disk has it, at a moment of the record.
#[derive(Debug)]
pub(super) struct Disk<'r> {
    record: &'r Record,
    data: &'r Path,
    /// A file whose syncs are struck out.
    unsynced: Option<&'r Path>,
    /// Files by the call that made them: one that is made anew is another.
    contents: BTreeMap<usize, Content>,
    /// Which file has a name now.
    names: BTreeMap<PathBuf, usize>,
    /// Names that last, and what was done to names since, by the folder that they stand in.
    lasting_names: BTreeMap<PathBuf, usize>,
    pending_names: Vec<Pending>,
    /// What syncs that are under way will make lasting.
    syncs: BTreeMap<usize, Vec<usize>>,
    /// Beginnings and ends of calls, by line, and how many of them are behind us.
    events: Vec<(usize, bool, usize)>,
    passed: usize,
}

/// The files of a data directory.
pub(super) type Files = BTreeMap<PathBuf, Vec<u8>>;

impl<'r> Disk<'r> {
    /// The disk before all that was recorded, with `before` on it, if the folder was there; of `unsynced` no sync
    /// counts.
    pub(super) fn new(
        record: &'r Record,
        data: &'r Path,
        before: Option<&Files>,
        unsynced: Option<&'r Path>,
    ) -> Self {
        let mut events: Vec<_> = record
            .ops
            .iter()
            .enumerate()
            .flat_map(|(number, op)| [(op.begin, false, number), (op.end, true, number)])
            .collect();
        events.sort_unstable();
        // Numbers that no call has.
        let number = |index: usize| record.ops.len() + index;
        let folder = before.map(|_| (data.to_owned(), Vec::new()));
        let files = before.into_iter().flatten().map(|(path, bytes)| (path.clone(), bytes.clone()));
        let all: Vec<_> = folder.into_iter().chain(files).collect();
        let names = all.iter().enumerate().map(|(index, (path, _))| (path.clone(), number(index)));
        let names: BTreeMap<_, _> = names.collect();
        let contents = all
            .into_iter()
            .enumerate()
            .map(|(index, (_, lasting))| (number(index), Content { lasting, pending: Vec::new() }));
        Self {
            record,
            data,
            unsynced,
            contents: contents.collect(),
            lasting_names: names.clone(),
            names,
            pending_names: Vec::new(),
            syncs: BTreeMap::new(),
            events,
            passed: 0,
        }
    }

    /// Goes on to just before a line of the record, which is not before where it is.
    pub(super) fn advance(&mut self, line: usize) {
        while let Some(&(at, is_end, number)) = self.events.get(self.passed)
            && at < line
        {
            self.passed += 1;
            let Some(op) = self.record.ops.get(number) else { continue };
            if is_end { self.end(number, op) } else { self.begin(number, op) }
        }
    }

    fn begin(&mut self, number: usize, op: &Op) {
        let pending = Pending { op: number, ended: false };
        match &op.call {
            Call::Create(path) | Call::MakeFolder(path) => {
                if !self.names.contains_key(path) {
                    self.names.insert(path.clone(), number);
                    self.contents.insert(number, Content::default());
                    self.pending_names.push(pending);
                }
            }
            Call::Unlink(path) => {
                self.names.remove(path);
                self.pending_names.push(pending);
            }
            Call::Write(path, ..) | Call::Truncate(path, _) => {
                if let Some(content) = self.names.get(path).and_then(|file| self.contents.get_mut(file)) {
                    content.pending.push(pending);
                }
            }
            Call::Sync(path) => {
                if self.unsynced == Some(path.as_path()) {
                    return;
                }
                // What had ended by now will last.
                let of_file = self.names.get(path).and_then(|file| self.contents.get(file));
                let of_file = of_file.into_iter().flat_map(|content| &content.pending);
                let in_folder = self.pending_names.iter().filter(|name| self.folder(name.op) == Some(path));
                let all = of_file.chain(in_folder).filter(|pending| pending.ended);
                let all = all.map(|pending| pending.op).collect();
                self.syncs.insert(number, all);
            }
        }
    }

    fn end(&mut self, number: usize, op: &Op) {
        match &op.call {
            Call::Sync(path) => {
                let done = self.syncs.remove(&number).unwrap_or_default();
                let (record, lasting) = (self.record, |pending: &Pending| done.contains(&pending.op));
                if let Some(content) = self.names.get(path).and_then(|file| self.contents.get_mut(file)) {
                    for pending in content.pending.extract_if(.., |pending| lasting(pending)) {
                        if let Some(op) = record.ops.get(pending.op) {
                            apply(&mut content.lasting, &op.call);
                        }
                    }
                }
                for pending in self.pending_names.extract_if(.., |pending| lasting(pending)) {
                    rename(&mut self.lasting_names, record, pending.op);
                }
            }
            _ => {
                let contents = self.contents.values_mut().flat_map(|content| content.pending.iter_mut());
                let all = contents.chain(self.pending_names.iter_mut());
                all.filter(|pending| pending.op == number).for_each(|pending| pending.ended = true);
            }
        }
    }

    /// The folder whose names a call changed.
    fn folder(&self, op: usize) -> Option<&Path> {
        match &self.record.ops.get(op)?.call {
            Call::Create(path) | Call::MakeFolder(path) | Call::Unlink(path) => path.parent(),
            Call::Write(..) | Call::Truncate(..) | Call::Sync(_) => None,
        }
    }

    /// What a loss of power leaves now.
    pub(super) fn image(&self, unsynced: Unsynced, random: &mut SplitMix) -> Files {
        // Out of 8: some losses take almost all, others almost nothing.
        let kept_of_8 = match unsynced {
            Unsynced::Lost => 0,
            Unsynced::Kept => 8,
            Unsynced::Chance => random.pick(&[1, 4, 7]).copied().unwrap_or_default(),
        };
        let mut names = self.lasting_names.clone();
        for pending in &self.pending_names {
            if random.below(8) < kept_of_8 {
                rename(&mut names, self.record, pending.op);
            }
        }
        // Files whose folder is not there are not there either.
        let there = names.contains_key(self.data);
        let files = names.into_iter().filter(|(path, _)| there && path != self.data);
        files
            .filter_map(|(path, file)| {
                let content = self.contents.get(&file)?;
                let mut bytes = content.lasting.clone();
                for pending in &content.pending {
                    let call = &self.record.ops.get(pending.op)?.call;
                    if random.below(8) >= kept_of_8 {
                        if unsynced == Unsynced::Chance && random.below(4) == 0 {
                            lengthen(&mut bytes, call);
                        }
                    } else if unsynced == Unsynced::Chance && random.below(4) == 0 {
                        tear(&mut bytes, call, random);
                    } else {
                        apply(&mut bytes, call);
                    }
                }
                Some((path, bytes))
            })
            .collect()
    }
}

/// Does to names what a call did.
fn rename(names: &mut BTreeMap<PathBuf, usize>, record: &Record, op: usize) {
    match record.ops.get(op).map(|op| &op.call) {
        Some(Call::Create(path) | Call::MakeFolder(path)) => drop(names.insert(path.clone(), op)),
        Some(Call::Unlink(path)) => drop(names.remove(path)),
        Some(Call::Write(..) | Call::Truncate(..) | Call::Sync(_)) | None => {}
    }
}

/// Does to a file what a call did.
fn apply(file: &mut Vec<u8>, call: &Call) {
    match call {
        Call::Write(_, offset, bytes) => put(file, *offset, bytes),
        Call::Truncate(_, length) => file.resize(*length, 0),
        Call::Create(_) | Call::MakeFolder(_) | Call::Unlink(_) | Call::Sync(_) => {}
    }
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    if let Some(place) = file.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

/// Gives a file the length that a write gave it.
fn lengthen(file: &mut Vec<u8>, call: &Call) {
    if let Call::Write(_, offset, bytes) = call
        && file.len() < offset + bytes.len()
    {
        file.resize(offset + bytes.len(), 0);
    }
}

/// Writes some sectors of what a call wrote; a cut is done or not.
fn tear(file: &mut Vec<u8>, call: &Call, random: &mut SplitMix) {
    let Call::Write(_, offset, bytes) = call else { return apply(file, call) };
    let mut at = *offset;
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (sector, more) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
        if random.below(2) == 0 {
            put(file, at, sector);
        }
        at += sector.len();
        rest = more;
    }
}

/// The files of a folder that a loss of power leaves.
pub(super) fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if !is_left_out(&path) {
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

/// Makes a folder that holds the files.
pub(super) fn write(files: &Files, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (path, bytes) in files {
        let name = path.file_name().context("a file has a name")?;
        std::fs::write(folder.join(name), bytes)
            .with_context(|| format!("cannot write {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = "/d/data";

    fn record(calls: Vec<Call>) -> Record {
        let ops = calls.into_iter().enumerate().map(|(line, call)| Op { begin: line, end: line, call });
        Record { ops: ops.collect(), times: Vec::new() }
    }

    fn image(record: &Record, line: usize, unsynced: Unsynced, struck_out: Option<&Path>) -> Files {
        let mut disk = Disk::new(record, Path::new(DATA), None, struck_out);
        disk.advance(line);
        disk.image(unsynced, &mut SplitMix::new(1))
    }

    #[test]
    fn only_what_was_synced_is_sure_to_be_there() {
        let file = || PathBuf::from("/d/data/f");
        let record = record(vec![
            Call::MakeFolder(DATA.into()),
            Call::Sync("/d".into()),
            Call::Create(file()),
            Call::Write(file(), 0, b"one".to_vec()),
            Call::Sync(file()),
            Call::Sync(DATA.into()),
            Call::Write(file(), 1, b"UU".to_vec()),
            Call::Truncate(file(), 2),
            Call::Sync(file()),
            Call::Unlink(file()),
        ]);
        let lost = |line| image(&record, line, Unsynced::Lost, None).into_values().next();
        let kept = |line| image(&record, line, Unsynced::Kept, None).into_values().next();
        // The bytes are on disk before the name is.
        assert_eq!((lost(5), kept(5)), (None, Some(b"one".to_vec())));
        assert_eq!(lost(6), Some(b"one".to_vec()));
        assert_eq!((lost(8), kept(8)), (Some(b"one".to_vec()), Some(b"oU".to_vec())));
        assert_eq!(lost(9), Some(b"oU".to_vec()));
        assert_eq!((lost(10), kept(10)), (Some(b"oU".to_vec()), None));
        assert_eq!(image(&record, 9, Unsynced::Lost, Some(&file())).into_values().next(), Some(Vec::new()));
    }

    #[test]
    fn a_sync_makes_lasting_what_had_ended_when_it_began() {
        let file = || PathBuf::from("/d/data/f");
        let mut record = record(vec![
            Call::MakeFolder(DATA.into()),
            Call::Sync("/d".into()),
            Call::Create(file()),
            Call::Sync(DATA.into()),
            Call::Write(file(), 0, b"a".to_vec()),
            Call::Sync(file()),
        ]);
        record.ops[4].end = 7;
        record.ops[5].end = 8;
        assert_eq!(image(&record, 9, Unsynced::Lost, None).into_values().next(), Some(Vec::new()));
        record.ops[4].end = 4;
        assert_eq!(image(&record, 8, Unsynced::Lost, None).into_values().next(), Some(Vec::new()));
        assert_eq!(image(&record, 9, Unsynced::Lost, None).into_values().next(), Some(b"a".to_vec()));
    }

    #[test]
    fn what_was_there_before_is_there() {
        let (kept, gone) = (PathBuf::from("/d/data/kept"), PathBuf::from("/d/data/gone"));
        let before: Files = [(kept.clone(), b"old".to_vec()), (gone.clone(), Vec::new())].into();
        let record = record(vec![
            Call::Create(kept.clone()),
            Call::Write(kept.clone(), 0, b"n".to_vec()),
            Call::Unlink(gone),
            Call::Sync(kept.clone()),
        ]);
        let mut disk = Disk::new(&record, Path::new(DATA), Some(&before), None);
        let mut image = |line, unsynced| {
            disk.advance(line);
            disk.image(unsynced, &mut SplitMix::new(1))
        };
        assert_eq!(image(3, Unsynced::Lost), before);
        assert_eq!(image(4, Unsynced::Lost).get(&kept), Some(&b"nld".to_vec()));
        assert_eq!(image(4, Unsynced::Kept).len(), 1);
    }

    #[test]
    fn a_torn_write_keeps_whole_sectors_of_the_file() {
        let call = Call::Write("/f".into(), 500, vec![1; 2000]);
        let mut torn = false;
        for seed in 0..20 {
            let mut file = vec![0; 2500];
            tear(&mut file, &call, &mut SplitMix::new(seed));
            assert!(file.chunks(SECTOR).skip(1).all(|sector| {
                let written = sector.iter().filter(|byte| **byte == 1).count();
                written == 0 || written == sector.len().min(2500)
            }));
            torn |= file.contains(&0) && file.contains(&1);
        }
        assert!(torn);
    }
}
