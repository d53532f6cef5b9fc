//! Logs whose last transaction is torn, which is their end, and logs that are damaged before that, which is not.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::Taken;
use super::image::{Disk, Files, Unsynced};
use super::record::{Call, Op};
use super::trial::Case;
use crate::random::SplitMix;

/// How many places are tried in each way.
const PLACES: usize = 14;
const HEADER: usize = 32;
const FRAME: usize = 24 + 4096;
/// There are more transactions than this.
const BEFORE: usize = 4;

/// A log, and where its last transaction begins.
struct Log {
    files: Files,
    bytes: Vec<u8>,
    /// Where the last transaction but one begins. The last two may have been on their way to the disk at the same
    /// time: only damage before them is known to be none of a loss of power.
    sure: usize,
    last: usize,
    /// What was answered until then is in the transactions before the last one.
    time: f64,
}

/// Torn tails, and damaged logs.
pub(super) fn cases(taken: &Taken, data: &Path, random: &mut SplitMix) -> Result<(Vec<Case>, Vec<Case>)> {
    let path = data.join("colloquy.db-wal");
    let log = find(taken, data, &path, random)?;
    let case = |what: String, bytes: Vec<u8>, damaged_at: Option<u64>, may_be_damaged: bool| {
        let mut files = log.files.clone();
        files.insert(path.clone(), bytes);
        Case { what, files, time: log.time, written_to: true, may_be_damaged, damaged_at }
    };
    let mut torn = Vec::new();
    let last = log.bytes.get(log.last..).unwrap_or_default().to_vec();
    for number in 0..PLACES {
        // Headers of frames are small, so they are aimed at.
        let in_last = if number % 2 == 0 { random.index(last.len()) } else { random.index(24) };
        let at = log.last + in_last;
        let before = log.bytes.get(..at).unwrap_or_default();
        torn.push(case(format!("the log cut at byte {at}"), before.to_vec(), None, false));
        let zeros = before.iter().copied().chain(std::iter::repeat_n(0, log.bytes.len() - at)).collect();
        torn.push(case(format!("the log zero from byte {at}"), zeros, None, false));
        let (flipped, bit) = flip(&log.bytes, at, random);
        // One that makes a commit of a frame in its midst cannot have come from a loss of power.
        torn.push(case(format!("bit {bit} of byte {at} of the log flipped"), flipped, None, true));
    }
    let twice = log.bytes.iter().chain(&last).copied().collect();
    torn.push(case("the log with its last transaction twice".to_owned(), twice, None, false));
    let frame = last.len().saturating_sub(FRAME);
    let twice = log.bytes.iter().chain(last.get(frame..).unwrap_or_default()).copied().collect();
    torn.push(case("the log with its last frame twice".to_owned(), twice, None, false));

    let damaged = (0..PLACES).map(|number| {
        let at = match number % 3 {
            0 => random.index(HEADER),
            1 => HEADER + FRAME * random.index((log.sure - HEADER) / FRAME) + 16 + random.index(8),
            _ => HEADER + random.index(log.sure - HEADER),
        };
        let begin = if at < HEADER { 0 } else { (at - HEADER) / FRAME * FRAME + HEADER };
        let (bytes, bit) = flip(&log.bytes, at, random);
        case(format!("bit {bit} of byte {at} of the log flipped"), bytes, Some(begin as u64), false)
    });
    let damaged = damaged.collect();
    Ok((torn, damaged))
}

fn flip(bytes: &[u8], at: usize, random: &mut SplitMix) -> (Vec<u8>, u64) {
    let bit = random.below(8);
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
    (bytes, bit)
}

/// A moment just after a sync, of a log that has held some commits before it.
fn find(taken: &Taken, data: &Path, path: &Path, random: &mut SplitMix) -> Result<Log> {
    let written = |op: &&Op| taken.record.times.get(op.begin).is_some_and(|time| *time > taken.complete);
    let is_sync = |op: &&Op| matches!(&op.call, Call::Sync(file) if file == path);
    let mut syncs: Vec<&Op> = taken.record.ops.iter().filter(is_sync).filter(written).collect();
    while !syncs.is_empty() {
        let sync = syncs.swap_remove(random.index(syncs.len()));
        let mut disk = Disk::new(&taken.record, data, taken.before.as_ref(), None);
        disk.advance(sync.end + 1);
        let files = disk.image(Unsynced::Lost, random);
        let bytes = files.get(path).context("the image has no log")?;
        let ends = commits(bytes);
        if let [.., sure, last, end] = ends[..]
            && ends.len() > BEFORE
        {
            let bytes = bytes.get(..end).unwrap_or_default().to_vec();
            let time = taken.record.times.get(sync.begin).copied().unwrap_or_default();
            return Ok(Log { files, bytes, sure, last, time });
        }
    }
    bail!("no log of the record has held more than {BEFORE} transactions")
}

/// Where the transactions of a log end.
fn commits(log: &[u8]) -> Vec<usize> {
    let Some((header, frames)) = log.split_at_checked(HEADER) else { return Vec::new() };
    let salts = header.get(16..24);
    let of_this_log = |frame: &&[u8]| frame.get(8..16) == salts;
    let ends = (1..).zip(frames.chunks_exact(FRAME).take_while(of_this_log));
    // How long the database is stands in the last frame of a transaction only.
    let ends = ends.filter(|(_, frame)| frame.get(4..8).is_some_and(|pages| pages != [0; 4]));
    ends.map(|(number, _)| HEADER + FRAME * number).collect()
}
