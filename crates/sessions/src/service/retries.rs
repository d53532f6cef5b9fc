//! What a retry is told (AIP-155): ids and times are chosen before a write, and recorded with it.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use crate::error::{Error, Result};
use crate::operation::{ApiVersion, OperationKind};
use crate::store::NewOperation;
use crate::time::Timestamp;

/// Records the operation of a write on the resource with this id.
pub(super) fn operation_answer(operation: &NewOperation, id: &str) -> Bytes {
    let mut answer = BytesMut::with_capacity(17 + id.len());
    answer.put_u64(operation.id);
    answer.put_i64(operation.time.0);
    answer.put_u8(match operation.version {
        ApiVersion::V1 => 0,
        ApiVersion::V1beta1 => 1,
    });
    answer.put_slice(id.as_bytes());
    answer.freeze()
}

/// Reads what [`operation_answer`] made. A fingerprint tells kinds apart, so the answer need not.
pub(super) fn read_operation_answer(
    kind: OperationKind,
    mut answer: Bytes,
) -> Result<(NewOperation, String)> {
    let id = answer.try_get_u64().map_err(Error::internal)?;
    let time = Timestamp(answer.try_get_i64().map_err(Error::internal)?);
    let version = match answer.try_get_u8().map_err(Error::internal)? {
        0 => ApiVersion::V1,
        _ => ApiVersion::V1beta1,
    };
    let resource = String::from_utf8(answer.into()).map_err(Error::internal)?;
    Ok((NewOperation { id, kind, version, time }, resource))
}

/// Records the ids of events.
pub(super) fn events_answer(ids: &[u64]) -> Bytes {
    ids.iter().flat_map(|id| id.to_be_bytes()).collect()
}

/// Reads what [`events_answer`] made.
pub(super) fn read_events_answer(mut answer: Bytes) -> Result<Vec<u64>> {
    let mut ids = Vec::with_capacity(answer.len() / size_of::<u64>());
    while answer.has_remaining() {
        ids.push(answer.try_get_u64().map_err(Error::internal)?);
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_they_were_written() {
        for version in ApiVersion::ALL {
            let kind = OperationKind::CreateSession;
            let operation = NewOperation { id: u64::MAX - 1, kind, version, time: Timestamp(-7) };
            let (read, id) = read_operation_answer(kind, operation_answer(&operation, "s-1")).unwrap();
            assert_eq!((read.id, read.version, read.time), (operation.id, version, operation.time));
            assert_eq!(id, "s-1");
        }
        assert_eq!(read_events_answer(events_answer(&[1, u64::MAX])).unwrap(), [1, u64::MAX]);
        assert!(read_events_answer(Bytes::from_static(b"short")).is_err());
        assert!(read_operation_answer(OperationKind::DeleteSession, Bytes::from_static(b"short")).is_err());
    }
}
