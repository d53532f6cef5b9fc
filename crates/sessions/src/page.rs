//! Pages: sizes, and tokens that are bound to their query (AIP-158).

pub mod cursor;
mod filling;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};
use crate::limits::PAGE_SIZE;

pub use filling::Filling;

/// What an engine gives back of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last row.
    pub next: Option<Cursor>,
}

/// Where a page begins, in the words of the engine that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

/// The page size in force (AIP-158): 0 is the default, more than the largest is the largest.
pub fn size(asked: i32) -> Result<usize> {
    match usize::try_from(asked) {
        Ok(0) => Ok(PAGE_SIZE),
        Ok(size) => Ok(size.min(PAGE_SIZE)),
        Err(_) => Err(Error::field(
            "page_size",
            format!("Page size should be non-negative and the maximum size is {PAGE_SIZE}."),
        )),
    }
}

/// What a token belongs to: a list under a parent with a filter and an order.
pub struct Scan<'a> {
    /// Tells the lists apart, such as `sessions`.
    pub list: &'a str,
    /// The parent's stored name.
    pub parent: &'a str,
    /// The filter as it was written.
    pub filter: &'a str,
    /// The order as it was written.
    pub order_by: &'a str,
}

const VERSION: u8 = 1;
const SCAN_BYTES: usize = 8;
const CHECK_BYTES: usize = 4;

impl Scan<'_> {
    /// The token that continues this scan at `cursor`.
    pub fn token(&self, cursor: &Cursor) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.fingerprint());
        bytes.extend(&cursor.0);
        bytes.extend(checksum(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor that `token` holds; `None` for the empty token, which asks for the first page.
    pub fn cursor(&self, token: &str) -> Result<Option<Cursor>> {
        if token.is_empty() {
            return Ok(None);
        }
        let malformed = || Error::field("page_token", "The page token is malformed.");
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| malformed())?;
        let (body, check) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or_else(malformed)?;
        if checksum(body) != *check {
            return Err(malformed());
        }
        let (version, body) = body.split_first().ok_or_else(malformed)?;
        let (scan, cursor) = body.split_first_chunk::<SCAN_BYTES>().ok_or_else(malformed)?;
        if *version != VERSION {
            return Err(malformed());
        }
        if *scan != self.fingerprint() {
            return Err(Error::field(
                "page_token",
                "The page token belongs to a request with another parent, filter or order.",
            ));
        }
        Ok(Some(Cursor(cursor.to_vec())))
    }

    fn fingerprint(&self) -> [u8; SCAN_BYTES] {
        let mut hash = fnv1a(OFFSET, self.list.as_bytes());
        for part in [self.parent, self.filter, self.order_by] {
            // The separator keeps ("a", "b") and ("ab", "") apart; no part can hold a NUL.
            hash = fnv1a(fnv1a(hash, &[0]), part.as_bytes());
        }
        hash.to_be_bytes()
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = fnv1a(OFFSET, bytes);
    (((hash >> 32) ^ hash) as u32).to_be_bytes()
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: tells honest mistakes apart, and is the same on every node and version. It keeps no secret:
/// a forged token shows nothing that its parent's list does not show.
fn fnv1a(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan<'a>(parent: &'a str, filter: &'a str) -> Scan<'a> {
        Scan { list: "sessions", parent, filter, order_by: "" }
    }

    #[test]
    fn sizes() {
        assert_eq!(size(0).unwrap(), 100);
        assert_eq!(size(7).unwrap(), 7);
        assert_eq!(size(101).unwrap(), 100);
        assert!(size(-1).unwrap_err().message().contains("page_size"));
        assert!(size(i32::MIN).is_err());
    }

    #[test]
    fn a_token_continues_its_own_scan_only() {
        let token = scan("p", "f").token(&Cursor(vec![1, 2, 3]));
        assert_eq!(scan("p", "f").cursor(&token).unwrap(), Some(Cursor(vec![1, 2, 3])));
        assert_eq!(scan("p", "f").cursor("").unwrap(), None);
        for other in [scan("q", "f"), scan("p", "g"), scan("pf", "")] {
            let error = other.cursor(&token).unwrap_err();
            assert!(error.message().contains("another parent"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_token_is_malformed(text in "[A-Za-z0-9_=+/-]{1,60}", position in 0usize..20) {
            let error = scan("p", "f").cursor(&text).unwrap_err();
            prop_assert!(error.message().contains("page_token"));
            let mut token = scan("p", "f").token(&Cursor(vec![9; 10])).into_bytes();
            token[position] = if token[position] == b'A' { b'B' } else { b'A' };
            let token = String::from_utf8(token).unwrap();
            prop_assert!(scan("p", "f").cursor(&token).is_err());
        }
    }
}
