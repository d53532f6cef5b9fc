//! Request bodies: bounded in size and time.

use std::time::Duration;

use bytes::Bytes;
use colloquy_sessions::Error;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body;

use super::Refusal;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a whole body of at most `limit` bytes. A length that is too large is refused before anything is read.
pub(super) async fn read<B>(headers: &HeaderMap, body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let hint = body.size_hint();
    if hint.lower() > limit as u64 {
        return Err(Refusal::BodyTooLarge(limit));
    }
    if hint.exact() == Some(0) {
        return Ok(Bytes::new());
    }
    if hint.exact().is_some() {
        check_headers(headers)?;
    }
    let body = body.map_err(|error| BrokenBody(error.to_string()));
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await;
    match collected {
        Err(_) => Err(Refusal::BodyTooSlow),
        Ok(Ok(body)) => {
            let body = body.to_bytes();
            // A body of unknown length may turn out to be none, which says nothing of its type.
            if !body.is_empty() {
                check_headers(headers)?;
            }
            Ok(body)
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge(limit)),
        Ok(Err(error)) => {
            Err(Error::unreadable(format!("The request body could not be read: {error}."), Vec::new()).into())
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BrokenBody(String);

/// A body is JSON and says so, and is not compressed. That other types and none are refused also keeps web pages
/// of other sites from writing to a server on this machine: they cannot send JSON without asking first.
fn check_headers(headers: &HeaderMap) -> Result<(), Error> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(Error::unreadable("Compressed request bodies are not supported.", Vec::new()));
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Error::unreadable(
        "The request body must be JSON, sent with \"Content-Type: application/json\".",
        Vec::new(),
    ))
}
