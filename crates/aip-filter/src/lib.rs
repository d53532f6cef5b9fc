//! AIP-160 filters and AIP-132 orders: text to a spanned tree to a typed predicate. No I/O.
//!
//! A caller declares what may be filtered in a [`Schema`]; [`parse_filter`] reads a text against it. What
//! comes out is a [`Predicate`] that an engine can turn into a query, or evaluate as it is.
//!
//! Where AIP-160 leaves room: `*` in a string is a character like any other, so that a user id which holds one
//! matches only itself; `field:*` means that the field is not empty; `field:text` on a string finds the
//! text within it; bare values without a field and function calls are refused.

pub mod ast;
mod check;
mod error;
mod evaluate;
mod order_by;
mod parser;

pub use check::{Comparator, Field, FieldType, Predicate, Schema, Value};
pub use error::FilterError;
pub use evaluate::Lookup;
pub use order_by::{OrderField, OrderTerm, parse_order_by};

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 10;
/// How deep parentheses and negations may nest.
pub const MAX_DEPTH: usize = 32;

/// Reads a filter. `None` for an empty one, which lets everything through.
///
/// # Errors
/// Whatever is wrong with the text, and at which character.
pub fn parse_filter<Id: Copy>(schema: &Schema<Id>, text: &str) -> Result<Option<Predicate<Id>>, FilterError> {
    match parser::parse(text)? {
        Some(expression) => match check::check(schema, &expression) {
            Ok(predicate) => Ok(Some(predicate)),
            Err(misfit) => Err(FilterError::at(text, misfit.offset, misfit.what)),
        },
        None => Ok(None),
    }
}
