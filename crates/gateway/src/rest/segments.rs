//! Pieces of a request path.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Undoes percent-encoding; `None` where the bytes are not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Splits a last segment into itself and its custom verb (AIP-136); ids hold no colon.
pub(crate) fn split_verb(segment: Cow<'_, str>) -> (Cow<'_, str>, String) {
    match segment.rsplit_once(':') {
        // A lone colon is no verb, and makes the id one that nothing has.
        Some((id, verb)) if !verb.is_empty() => (Cow::Owned(id.to_owned()), verb.to_owned()),
        _ => (segment, String::new()),
    }
}
