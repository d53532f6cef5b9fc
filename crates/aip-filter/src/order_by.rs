//! AIP-132 orders: `create_time desc, update_time`.

use crate::MAX_BYTES;
use crate::error::{FilterError, excerpt};

/// A field that an order may name.
#[derive(Clone, Copy, Debug)]
pub struct OrderField<Id> {
    /// What it is to the caller.
    pub id: Id,
    /// The spellings that are accepted; the first is shown in errors.
    pub names: &'static [&'static str],
}

/// One term of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderTerm<Id> {
    /// By which field.
    pub field: Id,
    /// Greatest first; else least first.
    pub descending: bool,
}

/// Reads an order; no terms where the text is empty.
///
/// # Errors
/// Whatever is wrong with the text, and at which character.
pub fn parse_order_by<Id: Copy + PartialEq>(
    fields: &[OrderField<Id>],
    text: &str,
) -> Result<Vec<OrderTerm<Id>>, FilterError> {
    let mut terms: Vec<OrderTerm<Id>> = Vec::new();
    if text.trim().is_empty() {
        return Ok(terms);
    }
    if text.len() > MAX_BYTES {
        return Err(FilterError::at(text, MAX_BYTES, format!("The text is longer than {MAX_BYTES} bytes")));
    }
    let mut offset = 0;
    for part in text.split(',') {
        let start = offset + (part.len() - part.trim_start().len());
        offset += part.len() + 1;
        let mut words = part.split_whitespace();
        let fail = |what: String| FilterError::at(text, start, what);
        let name = words.next().ok_or_else(|| fail("A field name is missing".to_owned()))?;
        let field = fields.iter().find(|field| field.names.contains(&name)).ok_or_else(|| {
            let names: Vec<_> = fields.iter().filter_map(|field| field.names.first().copied()).collect();
            fail(format!("Unknown field \"{}\" (there are {})", excerpt(name), names.join(", ")))
        })?;
        let descending = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            (word, more) => {
                // A direction is right by itself: what follows it is not.
                let word = more.filter(|_| matches!(word, Some("asc" | "desc"))).or(word);
                let word = excerpt(word.unwrap_or_default());
                return Err(fail(format!(
                    "\"{name}\" can only be followed by \"asc\" or \"desc\", not by \"{word}\","
                )));
            }
        };
        if terms.iter().any(|term| term.field == field.id) {
            return Err(fail(format!("The field {name} comes twice")));
        }
        terms.push(OrderTerm { field: field.id, descending });
    }
    Ok(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[OrderField<u8>] = &[
        OrderField { id: 1, names: &["create_time", "createTime"] },
        OrderField { id: 2, names: &["update_time"] },
    ];

    #[test]
    fn terms_are_read_in_order() {
        let term = |field, descending| OrderTerm { field, descending };
        assert_eq!(parse_order_by(FIELDS, " "), Ok(vec![]));
        assert_eq!(
            parse_order_by(FIELDS, "createTime desc, update_time asc"),
            Ok(vec![term(1, true), term(2, false)])
        );
    }

    #[test]
    fn problems_say_what_and_where() {
        for (text, expected) in [
            ("x", "Unknown field \"x\" (there are create_time, update_time) at character 1."),
            ("create_time, ", "A field name is missing at character 14."),
            ("create_time,create_time", "The field create_time comes twice at character 13."),
            (
                "update_time down",
                "\"update_time\" can only be followed by \"asc\" or \"desc\", not by \"down\", at character 1.",
            ),
        ] {
            assert_eq!(parse_order_by(FIELDS, text).unwrap_err().message, expected);
        }
        let twice = parse_order_by(FIELDS, "update_time desc asc").unwrap_err();
        assert!(twice.message.contains("not by \"asc\""), "{twice}");
        assert!(parse_order_by(FIELDS, &",".repeat(20_000)).is_err());
    }
}
