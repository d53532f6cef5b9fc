//! Cursors as the engines write them: the sort values of the last row of a page.

use super::Cursor;
use crate::store::StoreError;

/// Writes a place in a list. `list` tells lists and their orders apart.
pub fn write(list: u8, numbers: &[i64], text: &str) -> Cursor {
    let mut bytes = Vec::with_capacity(1 + numbers.len() * 8 + text.len());
    bytes.push(list);
    for number in numbers {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(text.as_bytes());
    Cursor(bytes)
}

/// Reads a place in the list `list` with `N` numbers.
pub fn read<const N: usize>(list: u8, cursor: &Cursor) -> Result<([i64; N], &str), StoreError> {
    read_parts(list, cursor).ok_or(StoreError::BadCursor)
}

/// Reads a place in a list that has no text.
pub fn read_numbers<const N: usize>(list: u8, cursor: &Cursor) -> Result<[i64; N], StoreError> {
    match read(list, cursor)? {
        (numbers, "") => Ok(numbers),
        _ => Err(StoreError::BadCursor),
    }
}

fn read_parts<const N: usize>(list: u8, cursor: &Cursor) -> Option<([i64; N], &str)> {
    let (first, mut rest) = cursor.0.split_first()?;
    if *first != list {
        return None;
    }
    let mut numbers = [0; N];
    for number in &mut numbers {
        let (bytes, tail) = rest.split_first_chunk::<8>()?;
        *number = i64::from_be_bytes(*bytes);
        rest = tail;
    }
    Some((numbers, std::str::from_utf8(rest).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let cursor = write(b'x', &[-1, i64::MAX], "größe");
        assert_eq!(read::<2>(b'x', &cursor), Ok(([-1, i64::MAX], "größe")));
        assert_eq!(read::<2>(b'y', &cursor), Err(StoreError::BadCursor));
        assert_eq!(read_numbers::<2>(b'x', &cursor), Err(StoreError::BadCursor));
        assert_eq!(read_numbers::<2>(b'x', &write(b'x', &[1, 2], "")), Ok([1, 2]));
    }

    #[test]
    fn garbage_is_refused() {
        for bytes in [vec![], vec![b'x'], vec![b'x'; 16], vec![b'x', 0, 0, 0, 0, 0, 0, 0, 0, 0xff]] {
            assert_eq!(read::<1>(b'x', &Cursor(bytes.clone())).is_ok(), bytes.len() == 16, "{bytes:?}");
        }
    }
}
