//! The copy itself: the next rows are read while the last ones are written.

use std::pin::pin;
use std::task::Poll;

use super::{Kind, Limit, Position, Rows, Transfer, TransferError};
use crate::page::Cursor;

/// Is told how a copy goes on.
pub trait Watch: Send {
    /// It begins, or goes on from where it was cut off.
    fn begun(&mut self, from: &Position);

    /// So many rows of a kind were written.
    fn written(&mut self, kind: Kind, rows: usize);
}

/// Which store stopped a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyError {
    /// The source.
    Source(TransferError),
    /// The destination.
    Destination(TransferError),
}

/// Copies everything that is not copied yet, but does not end the copy: that is for who has compared the two. May be
/// dropped or killed at any time, and goes on where it was when it is called again.
///
/// # Errors
/// A store fails, or the destination is not one to copy to.
pub async fn copy(
    source: &dyn Transfer,
    destination: &dyn Transfer,
    limit: Limit,
    watch: &mut dyn Watch,
) -> Result<(), CopyError> {
    let mut written = destination.begin(source.identity()).await.map_err(CopyError::Destination)?;
    watch.begun(&written);
    let mut read = next(source, Some((written.kind, written.after.clone())), limit).await?;
    while let Some((rows, last)) = read.take() {
        let count = rows.len();
        let to = Position {
            kind: rows.kind(),
            after: Some(last),
            rows: written.rows.saturating_add(count as u64),
        };
        let place = Some((to.kind, to.after.clone()));
        let (stored, following) =
            both(destination.write(&rows, &written, &to), next(source, place, limit)).await;
        stored.map_err(CopyError::Destination)?;
        watch.written(rows.kind(), count);
        written = to;
        read = following?;
    }
    Ok(())
}

/// The next rows from a place on, of the kind that comes first; `None` where there are no more.
async fn next(
    source: &dyn Transfer,
    mut place: Option<(Kind, Option<Cursor>)>,
    limit: Limit,
) -> Result<Option<(Rows, Cursor)>, CopyError> {
    while let Some((kind, after)) = place {
        let (rows, last) = source.read(kind, after.as_ref(), limit).await.map_err(CopyError::Source)?;
        if let (false, Some(last)) = (rows.is_empty(), last) {
            return Ok(Some((rows, last)));
        }
        place = kind.following().map(|kind| (kind, None));
    }
    Ok(None)
}

/// Waits for two things that go on side by side.
async fn both<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut a, mut b) = (None, None);
    std::future::poll_fn(move |context| {
        if a.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(context)
        {
            a = Some(output);
        }
        if b.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(context)
        {
            b = Some(output);
        }
        match (a.take(), b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (left, right) => {
                (a, b) = (left, right);
                Poll::Pending
            }
        }
    })
    .await
}
