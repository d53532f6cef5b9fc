//! The tree of a filter as it was written, each node with its place in the text.

use std::fmt;
use std::ops::Range;

/// A node.
#[derive(Clone, Debug)]
pub enum Expression {
    /// All of them; two at least. Whitespace and `AND` mean the same.
    And(Vec<Expression>),
    /// One of them; two at least. Binds tighter than `AND`.
    Or(Vec<Expression>),
    /// `NOT x` or `-x`.
    Not(Box<Expression>, Range<usize>),
    /// `path comparator argument`, or a bare value.
    Restriction(Restriction),
}

/// A comparison.
#[derive(Clone, Debug)]
pub struct Restriction {
    /// The names between the dots.
    pub path: Vec<Text>,
    /// Where the comparator stands, and which it is; `None` for a bare value.
    pub comparator: Option<(ComparatorToken, usize)>,
    /// What stands behind the comparator.
    pub argument: Option<Text>,
    /// Where the whole stands in the text, in bytes.
    pub span: Range<usize>,
}

/// A word or a quoted string.
#[derive(Clone, Debug)]
pub struct Text {
    /// Without quotes, escapes resolved.
    pub value: String,
    /// Whether it was quoted.
    pub quoted: bool,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

/// A comparator as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparatorToken {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `:`
    Has,
}

impl ComparatorToken {
    /// Longest first, so that `<=` is not read as `<`.
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
        (":", Self::Has),
    ];

    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Has => ":",
        }
    }
}

// Two trees are equal when they mean the same, wherever they stand.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::And(a), Self::And(b)) | (Self::Or(a), Self::Or(b)) => a == b,
            (Self::Not(a, _), Self::Not(b, _)) => a == b,
            (Self::Restriction(a), Self::Restriction(b)) => a == b,
            _ => false,
        }
    }
}

impl PartialEq for Restriction {
    fn eq(&self, other: &Self) -> bool {
        let comparator = |restriction: &Self| restriction.comparator.map(|(token, _)| token);
        self.path == other.path && comparator(self) == comparator(other) && self.argument == other.argument
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.quoted == other.quoted
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, items: &[Self], word: &str| {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                item.fmt_operand(f)?;
            }
            Ok(())
        };
        match self {
            Self::And(items) => join(f, items, "AND"),
            Self::Or(items) => join(f, items, "OR"),
            Self::Not(inner, _) => {
                f.write_str("NOT ")?;
                // The published grammar has one negation at a time.
                if matches!(**inner, Self::Not(..)) { write!(f, "({inner})") } else { inner.fmt_operand(f) }
            }
            Self::Restriction(restriction) => restriction.fmt(f),
        }
    }
}

impl Expression {
    fn fmt_operand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(_) | Self::Or(_) => write!(f, "({self})"),
            Self::Not(..) | Self::Restriction(_) => write!(f, "{self}"),
        }
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.path.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            name.fmt(f)?;
        }
        if let Some((comparator, _)) = self.comparator {
            f.write_str(comparator.text())?;
        }
        self.argument.iter().try_for_each(|argument| argument.fmt(f))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.quoted {
            return f.write_str(&self.value);
        }
        f.write_str("\"")?;
        for c in self.value.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}
