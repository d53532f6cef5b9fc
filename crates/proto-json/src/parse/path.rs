//! Where in a text we are, in the words of error messages: `event.content.parts[0].text`.

use std::fmt::Write as _;

/// One step, and the steps before it. Lives on the stack: nothing is allocated until an error is told.
#[derive(Clone, Copy)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root(&'p str),
    Field(&'p str),
    Index(usize),
    Key(&'p str),
}

impl<'p> Path<'p> {
    pub(crate) fn root(name: &'p str) -> Self {
        Self { parent: None, step: Step::Root(name) }
    }

    pub(crate) fn field(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Field(name) }
    }

    pub(crate) fn index(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    pub(crate) fn key(&'p self, key: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    /// The last field's name.
    pub(crate) fn last_field(&self) -> &'p str {
        match (self.step, self.parent) {
            (Step::Root(name) | Step::Field(name), _) => name,
            (Step::Index(_) | Step::Key(_), Some(parent)) => parent.last_field(),
            (Step::Index(_) | Step::Key(_), None) => "",
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        if let Some(parent) = self.parent {
            parent.write(text);
        }
        match self.step {
            Step::Root(name) => text.push_str(name),
            Step::Field(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            // Writing to a String cannot fail.
            Step::Index(index) => drop(write!(text, "[{index}]")),
            Step::Key(key) => drop(write!(text, "[\"{}\"]", excerpt(key))),
        }
    }

    /// ` at 'a.b'`, or nothing at the root of a whole message.
    pub(crate) fn at(&self) -> String {
        let text = self.text();
        if text.is_empty() { text } else { format!(" at '{text}'") }
    }
}

/// What an error message echoes of the caller's text.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARS: usize = 100;
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
