//! Errors as `google.rpc.Status`: the one place that knows HTTP and gRPC codes (contract section 3.1).

use colloquy_sessions::Error;
use colloquy_sessions::error::{Code, FieldViolation};
use http::StatusCode;
use serde_json::{Map, json};

/// The name of a code, as `error.status` shows it.
pub(crate) fn name(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::NotFound => "NOT_FOUND",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::Unavailable => "UNAVAILABLE",
        Code::Internal => "INTERNAL",
    }
}

/// The HTTP status of a code.
pub(crate) fn http(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument | Code::FailedPrecondition => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The JSON body of an error.
pub(crate) fn json_body(error: &Error) -> Vec<u8> {
    let mut status = Map::new();
    status.insert("code".into(), http(error.code()).as_u16().into());
    status.insert("message".into(), error.message().into());
    status.insert("status".into(), name(error.code()).into());
    if !error.violations().is_empty() {
        let violation = |violation: &FieldViolation| json!({"field": violation.field, "description": violation.description});
        let bad_request = json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": error.violations().iter().map(violation).collect::<Vec<_>>(),
        });
        status.insert("details".into(), json!([bad_request]));
    }
    json!({ "error": status }).to_string().into_bytes()
}

/// The JSON body of an error of HTTP itself: no such route, wrong method, body too large.
pub(crate) fn json_body_of_http(code: StatusCode, status: &str, message: &str) -> Vec<u8> {
    json!({"error": {"code": code.as_u16(), "message": message, "status": status}}).to_string().into_bytes()
}

/// Logs what the caller does not see. Called once for each error, where it is answered.
pub(crate) fn log_cause(error: &Error, request_id: &str) {
    let Some(cause) = error.cause() else { return };
    match error.code() {
        Code::Internal | Code::Unavailable | Code::ResourceExhausted => {
            tracing::error!(request_id, cause, "request failed: {}", name(error.code()));
        }
        Code::InvalidArgument | Code::NotFound | Code::FailedPrecondition | Code::Aborted => {
            tracing::debug!(request_id, cause, "request refused: {}", name(error.code()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_is_that_of_the_live_service() {
        let error = Error::field("event.author", "Required field is not set.");
        let body: serde_json::Value = serde_json::from_slice(&json_body(&error)).unwrap();
        assert_eq!(
            body,
            json!({"error": {
                "code": 400,
                "message": "List of found errors:\t1.Field: event.author; Message: Required field is not set.\t",
                "status": "INVALID_ARGUMENT",
                "details": [{
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{"field": "event.author", "description": "Required field is not set."}],
                }],
            }})
        );
        let plain: serde_json::Value =
            serde_json::from_slice(&json_body(&Error::engine_not_found())).unwrap();
        assert_eq!(plain["error"].get("details"), None);
    }
}
