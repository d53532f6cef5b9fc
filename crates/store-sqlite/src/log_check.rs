//! Damage in the write-ahead log that SQLite would take for the log's end.
//!
//! SQLite reads the log up to the first frame whose checksum is wrong, and drops the rest. That is right for a
//! transaction that a loss of power tore, which can only be one of the last two: the log is synced after each
//! commit, while at most one more is written, and it is synced before anything is added to it after a start. So a
//! frame that was written after two commits proves that everything up to the first of them was on disk, whole. Where
//! such a frame stands behind a broken one, the broken one was damaged later, and what was committed behind it
//! must not be dropped in silence.
//!
//! That a frame was written after the one before it is known by its checksum, which goes on from the stored
//! checksum of that frame. Leftovers do not deceive: those of earlier logs have other salts, and nothing was ever
//! written after the commit of a transaction that did not become part of the log. Tools that write beside the
//! server without syncing would break the premise.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use crate::error::OpenError;
use crate::sync::UNSYNCED_COMMITS;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;
/// What our databases have; only a log whose header is broken is read by it.
const PAGE_SIZE: u32 = 4096;
/// What a disk writes all or nothing, at the least.
const SECTOR: u64 = 512;

/// Refuses a log that is damaged before its end, and makes sure that the rest is on disk.
pub(crate) fn check_and_sync(path: &Path) -> Result<(), OpenError> {
    let io = |action| move |source| OpenError::Io { action, path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io("open the log")(error)),
    };
    if let Some(offset) = find_damage(&mut BufReader::with_capacity(1 << 20, &file)).map_err(io("read"))? {
        return Err(OpenError::DamagedLog { log: path.to_owned(), offset });
    }
    // A server that was killed may have left a commit that SQLite finds here, but the disk does not have yet.
    file.sync_all().map_err(io("sync the log"))
}

/// Where the damage begins, if there is any.
fn find_damage(log: &mut impl Read) -> std::io::Result<Option<u64>> {
    let mut bytes = [0; HEADER];
    if !fill(log, &mut bytes)? {
        return Ok(None);
    }
    let header = Header::parse(&bytes);
    let mut broken = if header.is_none() { Some(0) } else { None };
    let header = header.unwrap_or(Header { big_endian: cfg!(target_endian = "big"), ..Header::UNKNOWN });
    let mut page = vec![0; header.page_size as usize];
    let mut bytes = [0; FRAME_HEADER];
    let mut offset = HEADER as u64;
    let mut salts = header.salts;
    // What the next frame may go on from: the last frame's checksum as it is stored, and as it should be.
    let mut before = [header.sum; 2];
    // How many commits there are from the broken frame on.
    let mut commits = 0;
    while fill(log, &mut bytes)? && fill(log, &mut page)? {
        let frame = Frame::parse(&bytes);
        // A broken header leaves it to the first frame to say which log this is.
        let ours = *salts.get_or_insert(frame.salts) == frame.salts;
        let next =
            |sum: Option<Sum>| Some(sum?.of(header.big_endian, &bytes[..8]).of(header.big_endian, &page));
        let first = next(before[0]);
        let sums = [first, if before[1] == before[0] { first } else { next(before[1]) }];
        let intact = ours && frame.page != 0 && sums.contains(&Some(frame.sum));
        match (intact, broken) {
            (true, Some(offset)) if commits >= UNSYNCED_COMMITS => return Ok(Some(offset)),
            (false, None) => broken = Some(offset),
            _ => {}
        }
        before = [Some(frame.sum), sums[0]];
        // The header of a broken frame is that of one write where it cannot have been torn.
        let one_write = intact || offset % SECTOR <= SECTOR - FRAME_HEADER as u64;
        if broken.is_some() && one_write && frame.database_pages != 0 {
            commits += 1;
        }
        offset += (FRAME_HEADER + page.len()) as u64;
    }
    Ok(None)
}

/// Reads all of `buffer`; false where the file ends before.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A running checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum(u32, u32);

impl Sum {
    /// Goes on with `bytes`, which are a multiple of 8.
    fn of(self, big_endian: bool, bytes: &[u8]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let (pairs, _) = words.as_chunks::<2>();
        let read = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        pairs.iter().fold(self, |Self(mut s1, mut s2), [first, second]| {
            s1 = s1.wrapping_add(read(*first)).wrapping_add(s2);
            s2 = s2.wrapping_add(read(*second)).wrapping_add(s1);
            Self(s1, s2)
        })
    }
}

/// What says how to read a log. Numbers are big-endian, checksums are computed in the order that the magic says.
struct Header {
    big_endian: bool,
    page_size: u32,
    /// What the frames of this log carry.
    salts: Option<[u32; 2]>,
    /// From which the first frame's checksum goes on.
    sum: Option<Sum>,
}

impl Header {
    const UNKNOWN: Self = Self { big_endian: false, page_size: PAGE_SIZE, salts: None, sum: None };

    fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let [magic, version, page_size, _, salt1, salt2, sum1, sum2] = numbers(bytes);
        let big_endian = magic & 1 == 1;
        let sum = Sum(sum1, sum2);
        let whole = magic & !1 == MAGIC
            && version == VERSION
            && page_size.is_power_of_two()
            && (512..=65536).contains(&page_size)
            && Sum::default().of(big_endian, &bytes[..HEADER - 8]) == sum;
        whole.then_some(Self { big_endian, page_size, salts: Some([salt1, salt2]), sum: Some(sum) })
    }
}

/// The header of a frame, which stands before its page.
struct Frame {
    page: u32,
    /// How long the database is after a commit; 0 in the other frames.
    database_pages: u32,
    salts: [u32; 2],
    sum: Sum,
}

impl Frame {
    fn parse(bytes: &[u8; FRAME_HEADER]) -> Self {
        let [page, database_pages, salt1, salt2, sum1, sum2] = numbers(bytes);
        Self { page, database_pages, salts: [salt1, salt2], sum: Sum(sum1, sum2) }
    }
}

fn numbers<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let (words, _) = bytes.as_chunks::<4>();
    let mut numbers = [0; N];
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = u32::from_be_bytes(*word);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = FRAME_HEADER + PAGE_SIZE as usize;

    /// A real log of `commits` transactions of a few frames each, and where each of them ends.
    fn log(commits: u32) -> (Vec<u8>, Vec<usize>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("colloquy.db");
        let connection = crate::connection::open_writer(&path, &crate::Options::default()).unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER, payload BLOB)").unwrap();
        let mut ends = Vec::new();
        for n in 0..commits {
            connection.execute("INSERT INTO t VALUES (?1, randomblob(9000))", [n]).unwrap();
            ends.push(std::fs::metadata(path.with_extension("db-wal")).unwrap().len().try_into().unwrap());
        }
        (std::fs::read(path.with_extension("db-wal")).unwrap(), ends)
    }

    fn damage(log: &[u8]) -> Option<u64> {
        find_damage(&mut &*log).unwrap()
    }

    fn frame_of(offset: usize) -> u64 {
        ((offset - HEADER) / FRAME * FRAME + HEADER) as u64
    }

    #[test]
    fn a_whole_log_is_not_damaged() {
        let (log, ends) = log(5);
        assert_eq!(log.len(), *ends.last().unwrap());
        assert_eq!(damage(&log), None);
        assert_eq!(damage(&[]), None);
        assert_eq!(damage(&log[..20]), None);
    }

    #[test]
    fn a_flipped_bit_before_the_last_two_transactions_is_found_wherever_it_is() {
        let (mut log, ends) = log(5);
        let last = ends[2];
        // Every byte of the header, of the first frame's and of the last commit before them, and some of all others.
        let bytes = (0..HEADER + 200).chain((HEADER + FRAME..last).step_by(61)).chain(last - FRAME..last);
        for at in bytes {
            log[at] ^= 0x10;
            // The number of checkpoints is not read, but it is part of the checksum like the rest.
            let expected = if at < HEADER { 0 } else { frame_of(at) };
            assert_eq!(damage(&log), Some(expected), "byte {at}");
            log[at] ^= 0x10;
        }
    }

    #[test]
    fn a_transaction_that_is_torn_among_the_last_two_is_the_end_of_the_log() {
        let (whole, ends) = log(4);
        let last = ends[1];
        for cut in last..whole.len() {
            assert_eq!(damage(&whole[..cut]), None, "cut at {cut}");
        }
        for at in (last..whole.len()).step_by(7) {
            let mut log = whole.clone();
            log[at] ^= 1;
            // One that makes a commit of a frame before the last commit but one is no tear: a frame stands behind two.
            let frame = frame_of(at);
            let marked = (4..8).contains(&(at as u64 - frame)) && frame < (ends[2] - FRAME) as u64;
            assert_eq!(damage(&log), marked.then_some(frame), "byte {at}");
            log[at..].fill(0);
            assert_eq!(damage(&log), None, "zeros from {at}");
        }
        // A part of the log again, where the next transaction would be.
        let mut log = whole.clone();
        log.extend_from_slice(&whole[last..]);
        assert_eq!(damage(&log), None);
        log.extend_from_slice(&whole[HEADER..]);
        assert_eq!(damage(&log), Some(whole.len() as u64), "transactions that follow each other were synced");
    }

    #[test]
    fn what_earlier_logs_left_behind_is_no_part_of_this_one() {
        let (old, _) = log(6);
        let (mut new, ends) = log(2);
        new.extend_from_slice(&old[new.len()..]);
        assert_eq!(damage(&new), None);
        // Torn in its last transaction, with the frames of the earlier log behind it.
        new[ends[0] + 100] ^= 1;
        assert_eq!(damage(&new), None);
    }

    #[test]
    fn a_transaction_that_became_no_part_of_the_log_does_not_deceive() {
        // The first transaction of one history, and behind it the rest of another that had begun alike, whose
        // second transaction was longer.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("colloquy.db");
        let connection = crate::connection::open_writer(&path, &crate::Options::default()).unwrap();
        connection.execute_batch("CREATE TABLE t (payload BLOB)").unwrap();
        let log = || std::fs::read(path.with_extension("db-wal")).unwrap();
        let begun = log();
        connection.execute("INSERT INTO t VALUES (randomblob(30000))", []).unwrap();
        let torn = log();
        let mut image = begun.clone();
        image.extend_from_slice(&torn[begun.len()..]);
        // Its first frame did not reach the disk; a shorter one was written over it after a restart.
        image[begun.len()..begun.len() + FRAME].fill(0);
        assert_eq!(damage(&image), None);
    }
}
