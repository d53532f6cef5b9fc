//! Text to tree: recursive descent over the grammar of AIP-160, bounded in length and depth.

use std::ops::Range;

use crate::ast::{ComparatorToken, Expression, Restriction, Text};
use crate::error::{FilterError, excerpt};
use crate::{MAX_BYTES, MAX_DEPTH};

type Result<T> = std::result::Result<T, FilterError>;

/// Reads a whole filter; `None` where there is nothing but white space.
pub(crate) fn parse(text: &str) -> Result<Option<Expression>> {
    if text.len() > MAX_BYTES {
        return Err(FilterError::at(text, MAX_BYTES, format!("The text is longer than {MAX_BYTES} bytes")));
    }
    let mut parser = Parser { text, offset: 0, depth: 0 };
    parser.skip_space();
    if parser.rest().is_empty() {
        return Ok(None);
    }
    let expression = parser.conjunction()?;
    match parser.rest().chars().next() {
        None => Ok(Some(expression)),
        Some(')') => Err(parser.fail("There is no opening parenthesis for the closing one")),
        Some(c) => Err(parser.fail(format!("Unexpected \"{c}\""))),
    }
}

struct Parser<'t> {
    text: &'t str,
    offset: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn fail(&self, what: impl std::fmt::Display) -> FilterError {
        FilterError::at(self.text, self.offset, what)
    }

    fn skip_space(&mut self) {
        self.offset += self.rest().len() - self.rest().trim_start().len();
    }

    /// Reads `token` if it stands here.
    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.offset += token.len();
        }
        found
    }

    /// Reads a keyword if it stands here as a word of its own.
    fn take_word(&mut self, word: &str) -> bool {
        let ends =
            |after: &str| after.chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'));
        let found = self.rest().strip_prefix(word).is_some_and(ends);
        if found {
            self.offset += word.len();
        }
        found
    }

    fn nest<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail(format!("The filter nests deeper than {MAX_DEPTH} levels")));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// `disjunction { [AND] disjunction }`
    fn conjunction(&mut self) -> Result<Expression> {
        let mut items = vec![self.disjunction()?];
        loop {
            self.skip_space();
            if self.take_word("AND") {
                items.push(self.disjunction()?);
            } else if self.rest().is_empty() || self.rest().starts_with(')') {
                return Ok(one_or(items, Expression::And));
            } else {
                items.push(self.disjunction()?);
            }
        }
    }

    /// `term { OR term }`
    fn disjunction(&mut self) -> Result<Expression> {
        let mut items = vec![self.term()?];
        loop {
            self.skip_space();
            if !self.take_word("OR") {
                return Ok(one_or(items, Expression::Or));
            }
            items.push(self.term()?);
        }
    }

    /// `[NOT | -] simple`
    fn term(&mut self) -> Result<Expression> {
        self.skip_space();
        let start = self.offset;
        if self.take_word("NOT") {
            self.skip_space();
            let inner = self.nest(Self::term)?;
            return Ok(Expression::Not(Box::new(inner), start..self.offset));
        }
        if self.rest().starts_with('-') {
            self.offset += 1;
            let inner = self.nest(Self::term)?;
            return Ok(Expression::Not(Box::new(inner), start..self.offset));
        }
        if self.take("(") {
            let inner = self.nest(Self::conjunction)?;
            if !self.take(")") {
                return Err(FilterError::at(
                    self.text,
                    start,
                    "There is no closing parenthesis for the opening one",
                ));
            }
            return Ok(inner);
        }
        self.restriction().map(Expression::Restriction)
    }

    /// `path [comparator argument]`
    fn restriction(&mut self) -> Result<Restriction> {
        let start = self.offset;
        for keyword in ["AND", "OR"] {
            if self.take_word(keyword) {
                return Err(FilterError::at(self.text, start, format!("{keyword} has nothing before it")));
            }
        }
        let mut path = vec![self.name()?];
        while self.take(".") {
            path.push(self.name()?);
        }
        if self.rest().starts_with('(') {
            return Err(FilterError::at(self.text, start, "Functions are not supported"));
        }
        let end_of_path = self.offset;
        self.skip_space();
        let comparator_offset = self.offset;
        let Some((symbol, token)) =
            ComparatorToken::ALL.into_iter().find(|(s, _)| self.rest().starts_with(s))
        else {
            self.offset = end_of_path;
            return Ok(Restriction { path, comparator: None, argument: None, span: start..end_of_path });
        };
        self.offset += symbol.len();
        self.skip_space();
        let argument = self.argument(symbol)?;
        Ok(Restriction {
            path,
            comparator: Some((token, comparator_offset)),
            argument: Some(argument),
            span: start..self.offset,
        })
    }

    /// One name of a path.
    fn name(&mut self) -> Result<Text> {
        self.text_until("A field name is missing", |c| {
            c.is_whitespace() || matches!(c, '.' | '=' | '<' | '>' | '!' | ':' | '(' | ')' | '"' | '\'' | ',')
        })
    }

    /// What a field is compared with. A word may hold dots, colons, signs: times, addresses, numbers.
    fn argument(&mut self, symbol: &str) -> Result<Text> {
        let missing = format!("A value is missing behind \"{symbol}\"");
        let argument = self.text_until(&missing, |c| {
            c.is_whitespace() || matches!(c, '(' | ')' | '"' | '\'' | '=' | '<' | '>' | '!' | ',')
        })?;
        if self.rest().starts_with('(') {
            return Err(self.fail("Unexpected \"(\""));
        }
        Ok(argument)
    }

    /// A quoted string, or characters up to the first that `ends` a word.
    fn text_until(&mut self, missing: &str, ends: impl Fn(char) -> bool) -> Result<Text> {
        let start = self.offset;
        if let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let value = self.quoted(quote)?;
            return Ok(Text { value, quoted: true, span: start..self.offset });
        }
        let rest = self.rest();
        let length = rest.find(ends).unwrap_or(rest.len());
        let value = rest.get(..length).unwrap_or_default();
        if value.is_empty() {
            return Err(self.fail(missing));
        }
        self.offset += length;
        let span: Range<usize> = start..self.offset;
        Ok(Text { value: value.to_owned(), quoted: false, span })
    }

    fn quoted(&mut self, quote: char) -> Result<String> {
        let start = self.offset;
        let unfinished = || {
            FilterError::at(self.text, start, format!("The string {} is not closed", excerpt(self.rest())))
        };
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((index, c)) = characters.next() {
            match c {
                '\\' => value.push(characters.next().ok_or_else(unfinished)?.1),
                c if c == quote => {
                    self.offset += index + c.len_utf8();
                    return Ok(value);
                }
                c => value.push(c),
            }
        }
        Err(unfinished())
    }
}

fn one_or(mut items: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match (items.pop(), items.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            items.push(last);
            many(items)
        }
        (None, _) => many(items),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(text: &str) -> String {
        parse(text).unwrap().unwrap().to_string()
    }

    fn problem(text: &str) -> String {
        parse(text).unwrap_err().message
    }

    #[test]
    fn or_binds_tighter_than_and() {
        assert_eq!(printed("a=1 AND b=2 OR c=3"), "a=1 AND (b=2 OR c=3)");
        assert_eq!(printed("a=1 b=2 OR c=3 d=4"), "a=1 AND (b=2 OR c=3) AND d=4");
        assert_eq!(printed("NOT a=1 -b=2"), "NOT a=1 AND NOT b=2");
        assert_eq!(printed("(a=1 AND b=2) OR c=3"), "(a=1 AND b=2) OR c=3");
    }

    #[test]
    fn words_strings_and_paths() {
        assert_eq!(printed("a = 'it\\'s'"), "a=\"it's\"");
        assert_eq!(printed(r#"a="q\"b\\""#), r#"a="q\"b\\""#);
        assert_eq!(printed("labels.my-key=x.y@z"), "labels.my-key=x.y@z");
        assert_eq!(printed("labels.\"k k\" : *"), "labels.\"k k\":*");
        assert_eq!(printed("t>=2025-01-01T00:00:02+00:00"), "t>=2025-01-01T00:00:02+00:00");
        assert_eq!(printed("n=-5"), "n=-5");
        assert_eq!(printed("ANDroid=1"), "ANDroid=1");
        assert_eq!(parse("  \t\n"), Ok(None));
    }

    #[test]
    fn problems_say_what_and_where() {
        for (text, expected) in [
            ("a=", "A value is missing behind \"=\" at character 3."),
            ("a=1 AND", "A field name is missing at character 8."),
            ("AND a=1", "AND has nothing before it at character 1."),
            ("a=1 OR OR b=2", "OR has nothing before it at character 8."),
            ("(a=1", "There is no closing parenthesis for the opening one at character 1."),
            ("a=1)", "There is no opening parenthesis for the closing one at character 4."),
            ("é=1 b=\"x", "The string \"x is not closed at character 7."),
            ("f(x)", "Functions are not supported at character 1."),
            ("a==1", "A value is missing behind \"=\" at character 3."),
            ("=1", "A field name is missing at character 1."),
            ("a=1,b=2", "A field name is missing at character 4."),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
        assert!(problem(&"(".repeat(10_000)).contains("deeper than 32"));
        assert!(problem(&"-".repeat(10_000)).contains("deeper than 32"));
        assert!(problem(&"NOT ".repeat(4_000)).contains("deeper than 32"));
        assert!(problem(&"a".repeat(20_000)).contains("longer than 16384"));
    }

    fn expressions() -> impl Strategy<Value = Expression> {
        let word = "[a-z][a-z0-9_]{0,5}".prop_map(|value| Text { value, quoted: false, span: 0..0 });
        let string = "\\PC{0,8}".prop_map(|value| Text { value, quoted: true, span: 0..0 });
        let comparator = proptest::sample::select(ComparatorToken::ALL.map(|(_, token)| token).to_vec());
        let path = proptest::collection::vec(prop_oneof![word.clone(), string.clone()], 1..3);
        let leaf = (path, comparator, prop_oneof![word, string]).prop_map(|(path, comparator, argument)| {
            let comparator = Some((comparator, 0));
            Expression::Restriction(Restriction { path, comparator, argument: Some(argument), span: 0..0 })
        });
        leaf.prop_recursive(4, 24, 4, |inner| {
            // Directly nested And in And prints the same parentheses and parses back to the same tree.
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::And),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::Or),
                inner.prop_map(|e| Expression::Not(Box::new(e), 0..0)),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_prints_parses_back(expression in expressions()) {
            let text = expression.to_string();
            prop_assert_eq!(parse(&text).unwrap().unwrap(), expression, "{}", text);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}", noise in "[-()a.=<>!:\"'\\\\ ANDORT]{0,60}") {
            let _ = parse(&text);
            let _ = parse(&noise);
        }

        /// The published parser agrees on what a filter is. It differs, on purpose, in what a bare word and a
        /// function are: those we refuse later or here.
        #[test]
        fn the_published_parser_accepts_what_we_print(expression in expressions()) {
            let text = expression.to_string();
            prop_assert!(aip_160::parse_filter(&text).is_ok(), "{}", text);
        }
    }
}
