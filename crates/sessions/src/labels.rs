//! Labels: small key-value pairs on engines and sessions.

use std::collections::BTreeMap;

use crate::error::Violations;

/// Keys and values, sorted by key.
pub type Labels = BTreeMap<String, String>;

/// The most labels that one resource may have.
const MAX_LABELS: usize = 64;
/// The longest key or value, in characters (contract section 4.4).
const MAX_CHARS: usize = 64;

/// Checks the published rule (contract section 4.4): keys and values of at most 64 characters, in
/// lower-case letters (of any script), digits, `_` and `-`; a key is not empty and starts with a letter.
pub fn check(labels: &Labels, field: &str, violations: &mut Violations) {
    if labels.len() > MAX_LABELS {
        violations.add(field, format!("At most {MAX_LABELS} labels are allowed."));
        return;
    }
    for (key, value) in labels {
        if !is_key(key) {
            violations.add(
                field,
                format!(
                    "Label key \"{}\" is invalid: a key has 1 to {MAX_CHARS} characters, starts with a lowercase \
                     letter, and contains only lowercase letters, digits, underscores and dashes.",
                    shorten(key)
                ),
            );
        }
        if !is_value(value) {
            violations.add(
                field,
                format!(
                    "Label value \"{}\" of key \"{}\" is invalid: a value has at most {MAX_CHARS} characters, and \
                     contains only lowercase letters, digits, underscores and dashes.",
                    shorten(value),
                    shorten(key)
                ),
            );
        }
    }
}

fn is_key(key: &str) -> bool {
    key.chars().next().is_some_and(|first| first.is_alphabetic() && !first.is_uppercase()) && is_value(key)
}

fn is_value(value: &str) -> bool {
    let allowed = |c: char| matches!(c, '_' | '-') || (c.is_alphanumeric() && !c.is_uppercase());
    value.chars().count() <= MAX_CHARS && value.chars().all(allowed)
}

/// What an error message echoes of an overlong text.
fn shorten(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(key: &str, value: &str) -> bool {
        let mut violations = Violations::default();
        check(&Labels::from([(key.to_owned(), value.to_owned())]), "session.labels", &mut violations);
        violations.finish().is_err()
    }

    #[test]
    fn the_published_rule() {
        assert!(!violations("env", "prod"));
        assert!(!violations("größe_1-b", "値"));
        assert!(!violations("k", ""));
        assert!(violations("", "v"));
        assert!(violations("1a", "v"));
        assert!(violations("Env", "v"));
        assert!(violations("env", "Prod"));
        assert!(violations("env", "a b"));
        assert!(violations(&"k".repeat(65), "v"));
        assert!(violations("k", &"v".repeat(65)));
    }

    #[test]
    fn there_are_not_too_many() {
        let labels: Labels = (0..65).map(|n| (format!("k{n}"), String::new())).collect();
        let mut violations = Violations::default();
        check(&labels, "session.labels", &mut violations);
        assert!(violations.finish().is_err());
    }
}
