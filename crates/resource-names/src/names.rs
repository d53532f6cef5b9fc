//! One type for each kind of name.

use std::fmt;

use crate::NameError;
use crate::segments::Segments;

/// `projects/{project}/locations/{location}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocationName {
    /// The project's id or number, as the caller wrote it.
    pub project: String,
    /// The location, such as `us-central1`.
    pub location: String,
}

/// `projects/{project}/locations/{location}/reasoningEngines/{engine}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EngineName {
    /// The parent.
    pub location: LocationName,
    /// The engine's id.
    pub engine: String,
}

/// `{engine}/sessions/{session}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName {
    /// The parent.
    pub engine: EngineName,
    /// The session's id.
    pub session: String,
}

/// `{session}/events/{event}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventName {
    /// The parent.
    pub session: SessionName,
    /// The event's id.
    pub event: String,
}

/// What a long-running operation hangs from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationParent {
    /// `projects/*/locations/*`.
    Location(LocationName),
    /// `projects/*/locations/*/reasoningEngines/*`.
    Engine(EngineName),
    /// `projects/*/locations/*/reasoningEngines/*/sessions/*`.
    Session(SessionName),
}

/// `{parent}/operations/{operation}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationName {
    /// What the operation hangs from.
    pub parent: OperationParent,
    /// The operation's id.
    pub operation: String,
}

impl LocationName {
    const PATTERN: &str = "projects/{project}/locations/{location}";

    /// Reads `projects/{project}/locations/{location}`; the empty text is `express`, the parent of
    /// requests without a prefix.
    pub fn parse(text: &str, express: &Self) -> Result<Self, NameError> {
        if text.is_empty() {
            return Ok(express.clone());
        }
        parse_whole(text, Self::PATTERN, Self::read)
    }

    fn read(segments: &mut Segments<'_>) -> Option<Self> {
        Some(Self {
            project: segments.member("projects")?.to_owned(),
            location: segments.member("locations")?.to_owned(),
        })
    }

    /// Reads the prefix where it is written, else takes `express`.
    fn read_or(segments: &mut Segments<'_>, express: &Self) -> Option<Self> {
        if segments.next_is("projects") { Self::read(segments) } else { Some(express.clone()) }
    }
}

impl EngineName {
    const PATTERN: &str = "projects/{project}/locations/{location}/reasoningEngines/{engine}";

    /// Reads a full name, or `reasoningEngines/{engine}` within `express`.
    pub fn parse(text: &str, express: &LocationName) -> Result<Self, NameError> {
        parse_whole(text, Self::PATTERN, |segments| Self::read(segments, express))
    }

    fn read(segments: &mut Segments<'_>, express: &LocationName) -> Option<Self> {
        Some(Self {
            location: LocationName::read_or(segments, express)?,
            engine: segments.member("reasoningEngines")?.to_owned(),
        })
    }
}

impl SessionName {
    const PATTERN: &str =
        "projects/{project}/locations/{location}/reasoningEngines/{engine}/sessions/{session}";

    /// Reads a full name, or `reasoningEngines/{engine}/sessions/{session}` within `express`.
    pub fn parse(text: &str, express: &LocationName) -> Result<Self, NameError> {
        parse_whole(text, Self::PATTERN, |segments| Self::read(segments, express))
    }

    fn read(segments: &mut Segments<'_>, express: &LocationName) -> Option<Self> {
        Some(Self {
            engine: EngineName::read(segments, express)?,
            session: segments.member("sessions")?.to_owned(),
        })
    }
}

impl OperationParent {
    const PATTERN: &str =
        "projects/{project}/locations/{location}[/reasoningEngines/{engine}[/sessions/{session}]]";

    /// Reads the name of a location, an engine or a session.
    pub fn parse(text: &str, express: &LocationName) -> Result<Self, NameError> {
        parse_whole(text, Self::PATTERN, |segments| Self::read(segments, express))
    }

    fn read(segments: &mut Segments<'_>, express: &LocationName) -> Option<Self> {
        let location = LocationName::read_or(segments, express)?;
        if !segments.next_is("reasoningEngines") {
            return Some(Self::Location(location));
        }
        let engine = segments.member("reasoningEngines")?.to_owned();
        let engine = EngineName { location, engine };
        if !segments.next_is("sessions") {
            return Some(Self::Engine(engine));
        }
        let session = segments.member("sessions")?.to_owned();
        Some(Self::Session(SessionName { engine, session }))
    }

    /// The location that the parent is in.
    pub fn location(&self) -> &LocationName {
        match self {
            Self::Location(location) => location,
            Self::Engine(engine) => &engine.location,
            Self::Session(session) => &session.engine.location,
        }
    }

    /// The location that the parent is in, to be changed.
    pub fn location_mut(&mut self) -> &mut LocationName {
        match self {
            Self::Location(location) => location,
            Self::Engine(engine) => &mut engine.location,
            Self::Session(session) => &mut session.engine.location,
        }
    }
}

impl OperationName {
    const PATTERN: &str = "projects/{project}/locations/{location}[/reasoningEngines/{engine}[/sessions/{session}]]/operations/{operation}";

    /// Reads an operation's name at any parent.
    pub fn parse(text: &str, express: &LocationName) -> Result<Self, NameError> {
        parse_whole(text, Self::PATTERN, |segments| Self::read(segments, express))
    }

    fn read(segments: &mut Segments<'_>, express: &LocationName) -> Option<Self> {
        Some(Self {
            parent: OperationParent::read(segments, express)?,
            operation: segments.member("operations")?.to_owned(),
        })
    }
}

/// Reads a name with nothing behind it, or says what it should look like.
fn parse_whole<T>(
    text: &str,
    pattern: &'static str,
    read: impl FnOnce(&mut Segments<'_>) -> Option<T>,
) -> Result<T, NameError> {
    let mut segments = Segments::of(text);
    read(&mut segments).and_then(|name| segments.end().map(|()| name)).ok_or(NameError { pattern })
}

impl From<LocationName> for OperationParent {
    fn from(name: LocationName) -> Self {
        Self::Location(name)
    }
}

impl From<EngineName> for OperationParent {
    fn from(name: EngineName) -> Self {
        Self::Engine(name)
    }
}

impl From<SessionName> for OperationParent {
    fn from(name: SessionName) -> Self {
        Self::Session(name)
    }
}

impl fmt::Display for LocationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/locations/{}", self.project, self.location)
    }
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/reasoningEngines/{}", self.location, self.engine)
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/sessions/{}", self.engine, self.session)
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/events/{}", self.session, self.event)
    }
}

impl fmt::Display for OperationParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Location(name) => name.fmt(f),
            Self::Engine(name) => name.fmt(f),
            Self::Session(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/operations/{}", self.parent, self.operation)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn express() -> LocationName {
        LocationName { project: "local".into(), location: "here".into() }
    }

    #[test]
    fn full_and_express_names_are_one_name() {
        let full = "projects/local/locations/here/reasoningEngines/7/sessions/s-1";
        let short = "reasoningEngines/7/sessions/s-1";
        let name = SessionName::parse(full, &express()).unwrap();
        assert_eq!(SessionName::parse(short, &express()), Ok(name.clone()));
        assert_eq!(name.to_string(), full);
    }

    #[test]
    fn what_is_not_a_name_says_the_pattern() {
        for text in [
            "",
            "x",
            "projects/p",
            "projects//locations/l/reasoningEngines/e",
            "projects/p/locations/l/reasoningEngines/e/",
            "projects/p/locations/l/reasoningEngines/e/sessions/s",
            "projects/p/locations/l/engines/e",
            "projects/p/locations/l/reasoningEngines/e\0",
        ] {
            let error = EngineName::parse(text, &express()).unwrap_err();
            assert!(error.to_string().contains("reasoningEngines/{engine}"), "{text}");
        }
        let long = format!("projects/p/locations/l/reasoningEngines/{}", "9".repeat(300));
        assert!(EngineName::parse(&long, &express()).is_err());
    }

    #[test]
    fn operations_hang_from_locations_engines_and_sessions() {
        for (text, full) in [
            ("projects/p/locations/l/operations/1", "projects/p/locations/l/operations/1"),
            (
                "reasoningEngines/7/operations/1",
                "projects/local/locations/here/reasoningEngines/7/operations/1",
            ),
            (
                "projects/p/locations/l/reasoningEngines/7/sessions/s/operations/1",
                "projects/p/locations/l/reasoningEngines/7/sessions/s/operations/1",
            ),
        ] {
            assert_eq!(OperationName::parse(text, &express()).unwrap().to_string(), full);
        }
        assert!(OperationName::parse("projects/p/locations/l/sessions/s/operations/1", &express()).is_err());
        assert!(OperationParent::parse("projects/p/locations/l/x/y", &express()).is_err());
    }

    proptest! {
        #[test]
        fn what_prints_parses_back(project in "[a-z0-9-]{1,30}", location in "[a-z0-9-]{1,20}",
                                   engine in "[0-9]{1,19}", session in "[a-z0-9-]{1,63}", operation in "[0-9]{1,19}") {
            let location = LocationName { project, location };
            let engine = EngineName { location, engine };
            let session = SessionName { engine, session };
            prop_assert_eq!(SessionName::parse(&session.to_string(), &express()), Ok(session.clone()));
            let operation = OperationName { parent: OperationParent::Session(session), operation };
            prop_assert_eq!(OperationName::parse(&operation.to_string(), &express()), Ok(operation));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = OperationName::parse(&text, &express());
            let _ = SessionName::parse(&text, &express());
            let _ = LocationName::parse(&text, &express());
        }
    }
}
