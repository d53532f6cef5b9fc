//! What is wrong with a filter or an order, and where.

/// A text that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// A sentence that ends with the position.
    pub message: String,
    /// The character at fault, counted from 1.
    pub position: usize,
}

impl FilterError {
    /// `offset` counts bytes from 0 in `text`.
    pub(crate) fn at(text: &str, offset: usize, what: impl std::fmt::Display) -> Self {
        let position = text.char_indices().take_while(|(start, _)| *start < offset).count() + 1;
        Self { message: format!("{what} at character {position}."), position }
    }
}

/// What a message echoes of the caller's text.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARS: usize = 40;
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
