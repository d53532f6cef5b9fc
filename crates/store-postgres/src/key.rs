//! Keys of rows: random numbers, and hashes of state keys.

use colloquy_sessions::store::{StoreError, StoreResult};
use sha2::{Digest, Sha256};

/// The SHA-256 of a state key, which stands for it in indexes.
pub(crate) type KeyHash = [u8; 32];

/// A new key. Two nodes draw the same with a chance of about n² in 2⁶⁴ for n keys; the primary key refuses it then,
/// and the command draws again.
pub(crate) fn draw() -> StoreResult<i64> {
    let bits = getrandom::u64()
        .map_err(|error| StoreError::Internal(format!("the system gives no random numbers: {error}")))?;
    Ok(i64::try_from(bits >> 1).unwrap_or(0))
}

/// The hash of a state key.
pub(crate) fn hash(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}
