//! The catalogue of errors: every error that a caller can see is a named constructor here, so that
//! wording is in one place. Texts marked [O] in the contract page (section 3.2) are kept to the letter.
//!
//! The public message and the internal cause are two fields and never mixed: a cause goes to the
//! log, never to a caller.

use std::fmt;
use std::time::Duration;

use resource_names::{EngineName, OperationName, SessionName};

/// The canonical status codes that the service uses (google.rpc.Code).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request is wrong whatever the state of the server.
    InvalidArgument,
    /// The resource does not exist, or no longer.
    NotFound,
    /// It is there already, and is another.
    AlreadyExists,
    /// The request is right, the state of the resource is not.
    FailedPrecondition,
    /// A concurrent change came between.
    Aborted,
    /// No room, or too many requests.
    ResourceExhausted,
    /// The store cannot serve now.
    Unavailable,
    /// A defect of the server.
    Internal,
}

/// One field at fault, and why (google.rpc.BadRequest.FieldViolation).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The field's path in snake case, such as `session.user_id`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// An error as a caller sees it, with what only the log should see.
#[derive(Clone, Debug)]
pub struct Error {
    code: Code,
    message: String,
    violations: Vec<FieldViolation>,
    retry_delay: Option<Duration>,
    cause: Option<String>,
}

/// What a use case gives back.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The status code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The text for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields at fault, if the error is about fields.
    pub fn violations(&self) -> &[FieldViolation] {
        &self.violations
    }

    /// How long to wait before the same request may succeed, where trying again is the thing to do
    /// (google.rpc.RetryInfo).
    pub fn retry_delay(&self) -> Option<Duration> {
        self.retry_delay
    }

    /// What happened inside: for the log, never for a caller.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), violations: Vec::new(), retry_delay: None, cause: None }
    }

    fn retried_after(mut self, delay: Duration) -> Self {
        self.retry_delay = Some(delay);
        self
    }

    fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// One field at fault, in the frame of the live service's validator [O].
    pub fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        let mut violations = Violations::default();
        violations.add(field, description);
        violations.into_error()
    }

    /// A request that the JSON layer could not read: `message` and fields are its own.
    pub fn unreadable(message: impl Into<String>, violations: Vec<FieldViolation>) -> Self {
        Self { violations, ..Self::new(Code::InvalidArgument, message) }
    }

    /// `Request contains an invalid argument.` [O]: a malformed name where the live service does not say
    /// more; `cause` says what was wrong.
    pub fn invalid_argument(cause: impl fmt::Display) -> Self {
        Self::new(Code::InvalidArgument, "Request contains an invalid argument.").caused_by(cause)
    }

    /// A malformed name of a session in `field` [O].
    pub fn invalid_session_name(field: &str) -> Self {
        Self::field(field, "Invalid Session resource name.")
    }

    /// A malformed name of another kind in `field`.
    pub fn invalid_name(field: &str, problem: &resource_names::NameError) -> Self {
        Self::field(field, format!("Invalid resource name: {problem}."))
    }

    /// [O] `Session {name} not found.`, the name as it was asked.
    pub fn session_not_found(name: &SessionName) -> Self {
        Self::new(Code::NotFound, format!("Session {name} not found."))
    }

    /// [O] `The ReasoningEngine does not exist.`
    pub fn engine_not_found() -> Self {
        Self::new(Code::NotFound, "The ReasoningEngine does not exist.")
    }

    /// No such operation, or no longer.
    pub fn operation_not_found(name: &OperationName) -> Self {
        Self::new(Code::NotFound, format!("Operation {name} not found."))
    }

    /// [O] INVALID_ARGUMENT, not ALREADY_EXISTS; the name carries the project as it is stored.
    pub fn session_exists(name: &SessionName) -> Self {
        Self::new(Code::InvalidArgument, format!("Session with user-provided ID '{name}' already exists."))
    }

    /// Another request was carried out under the same id (AIP-155).
    pub fn request_id_taken() -> Self {
        Self::new(
            Code::AlreadyExists,
            "Another request was carried out under the same request id. A retry must ask for the same; a new request needs a new id.",
        )
    }

    /// [O] The state changes only by events.
    pub fn state_not_updatable(name: &SessionName) -> Self {
        Self::new(
            Code::InvalidArgument,
            format!(
                "Can't update the session state for session [{name}], you can only update it by appending an event."
            ),
        )
    }

    /// [O] An engine with sessions is not deleted without force.
    pub fn engine_has_sessions(name: &EngineName) -> Self {
        Self::new(
            Code::FailedPrecondition,
            format!(
                "The ReasoningEngine \"{name}\" contains child resources: sessions. Please delete the child \
                 resources before deleting the ReasoningEngine, or set force to true to delete child resources."
            ),
        )
    }

    /// The etag that the caller sent is not the engine's (AIP-154).
    pub fn etag_mismatch(name: &EngineName) -> Self {
        Self::new(
            Code::Aborted,
            format!(
                "The etag does not match the current version of the ReasoningEngine \"{name}\". Read it again, then retry."
            ),
        )
    }

    /// Other callers changed the same engine again and again.
    pub fn contended(name: &EngineName) -> Self {
        Self::new(
            Code::Aborted,
            format!("The ReasoningEngine \"{name}\" is being changed by others. Please retry."),
        )
        .retried_after(Duration::from_millis(100))
    }

    /// One event is larger than the server stores.
    pub fn event_too_large(field: &str, bytes: usize, limit: usize) -> Self {
        Self::field(field, format!("The event takes {bytes} bytes; at most {limit} bytes are allowed."))
    }

    /// The state would grow past the limit.
    pub fn state_too_large(field: &str, bytes: usize, limit: usize) -> Self {
        Self::field(
            field,
            format!("The merged session state would take {bytes} bytes; at most {limit} bytes are allowed."),
        )
    }

    /// The store is out of room; nothing was written.
    pub fn out_of_space(cause: impl fmt::Display) -> Self {
        Self::new(Code::ResourceExhausted, "The server is out of storage space. Nothing was written.")
            .caused_by(cause)
    }

    /// The store cannot serve now.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        Self::new(Code::Unavailable, "The service is currently unavailable.")
            .retried_after(Duration::from_secs(1))
            .caused_by(cause)
    }

    /// A defect; the cause is for the log.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Code::Internal, "Internal error encountered.").caused_by(cause)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Collects what is wrong with the fields of one request, so that a caller learns all of it at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldViolation>);

/// So many violations are told at once.
const MAX_VIOLATIONS: usize = 20;

/// The validator's words for a required field that is absent [O].
const REQUIRED: &str = "Required field is not set.";

impl Violations {
    /// Notes that `field` is wrong.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        // An answer about a bad request is never larger than the request.
        if self.0.len() >= MAX_VIOLATIONS {
            return;
        }
        self.0.push(FieldViolation { field: field.into(), description: description.into() });
    }

    /// Notes that `field` is missing unless `present` [O].
    pub fn require(&mut self, field: &str, present: bool) {
        if !present {
            self.add(field, REQUIRED);
        }
    }

    /// Notes that `text` has more than `limit` characters.
    pub fn limit_chars(&mut self, field: &str, text: &str, limit: usize) {
        // A text of `limit` bytes or fewer cannot have more characters: counting is seldom needed.
        if text.len() > limit && text.chars().count() > limit {
            self.add(field, format!("At most {limit} characters are allowed."));
        }
    }

    /// Notes that an id holds a NUL, which not every engine can store.
    pub fn refuse_nul(&mut self, field: &str, text: &str) {
        if text.contains('\0') {
            self.add(field, "NUL characters are not allowed.");
        }
    }

    /// Nothing wrong, or one error that numbers everything.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    fn into_error(self) -> Error {
        let mut message = String::from("List of found errors:");
        for (index, violation) in self.0.iter().enumerate() {
            let number = index + 1;
            message.push_str(&format!(
                "\t{number}.Field: {}; Message: {}",
                violation.field, violation.description
            ));
        }
        message.push('\t');
        Error { violations: self.0, ..Error::new(Code::InvalidArgument, message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_validators_frame_is_kept_to_the_letter() {
        let error = Error::field("event.author", REQUIRED);
        assert_eq!(
            error.message(),
            "List of found errors:\t1.Field: event.author; Message: Required field is not set.\t"
        );
        assert_eq!(
            Error::invalid_session_name("name").message(),
            "List of found errors:\t1.Field: name; Message: Invalid Session resource name.\t"
        );
    }

    #[test]
    fn several_violations_are_numbered_in_one_message() {
        let mut violations = Violations::default();
        violations.require("event.author", false);
        violations.require("event.timestamp", true);
        violations.require("event.invocation_id", false);
        let error = violations.finish().unwrap_err();
        assert_eq!(
            error.message(),
            "List of found errors:\t1.Field: event.author; Message: Required field is not set.\
             \t2.Field: event.invocation_id; Message: Required field is not set.\t"
        );
        assert_eq!(error.violations().len(), 2);
    }

    #[test]
    fn a_cause_never_shows_in_the_message() {
        let error = Error::unavailable("disk I/O error at /secret/path");
        assert!(!error.to_string().contains("secret"));
        assert_eq!(error.cause(), Some("disk I/O error at /secret/path"));
    }
}
