//! Walking a name segment by segment.

/// The longest segment that a name may hold, in bytes: room for every id that the service gives
/// or accepts, and a bound on what an error message can echo.
const MAX_SEGMENT: usize = 256;

/// The segments of a name that are not read yet.
pub(crate) struct Segments<'a> {
    rest: std::str::Split<'a, char>,
}

impl<'a> Segments<'a> {
    pub(crate) fn of(name: &'a str) -> Self {
        Self { rest: name.split('/') }
    }

    /// Reads one identifier: not empty, not too long, no white space or control characters.
    pub(crate) fn id(&mut self) -> Option<&'a str> {
        let segment = self.rest.next()?;
        let fits = !segment.is_empty() && segment.len() <= MAX_SEGMENT;
        let odd = |c: char| c.is_control() || c.is_whitespace();
        (fits && !segment.chars().any(odd)).then_some(segment)
    }

    /// Reads the collection `wanted`, then the identifier in it.
    pub(crate) fn member(&mut self, wanted: &str) -> Option<&'a str> {
        (self.rest.next()? == wanted).then_some(())?;
        self.id()
    }

    /// Whether the next segment is the collection `wanted`; reads nothing.
    pub(crate) fn next_is(&self, wanted: &str) -> bool {
        self.rest.clone().next() == Some(wanted)
    }

    /// Nothing may be left over.
    pub(crate) fn end(mut self) -> Option<()> {
        self.rest.next().is_none().then_some(())
    }
}
