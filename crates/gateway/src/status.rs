//! Errors as `google.rpc.Status`: the one place that knows HTTP and gRPC codes (contract section 3.1).

use colloquy_contract::rpc as wire;
use colloquy_sessions::Error;
use colloquy_sessions::error::{Code, FieldViolation};
use http::StatusCode;
use prost::Message as _;
use prost_types::Any;
use serde_json::{Map, json};

/// How much of a message, and of its details, goes into trailers: clients refuse more than 8 KiB in all.
const TRAILER_BYTES: usize = 1536;
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// The name of a code, as `error.status` shows it.
pub(crate) fn name(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::NotFound => "NOT_FOUND",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::AlreadyExists => "ALREADY_EXISTS",
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
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
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
    let mut details = Vec::new();
    if !error.violations().is_empty() {
        let violation = |violation: &FieldViolation| json!({"field": violation.field, "description": violation.description});
        details.push(json!({
            "@type": BAD_REQUEST,
            "fieldViolations": error.violations().iter().map(violation).collect::<Vec<_>>(),
        }));
    }
    if let Some(delay) = error.retry_delay() {
        details.push(json!({"@type": RETRY_INFO, "retryDelay": format!("{}s", delay.as_secs_f64())}));
    }
    if !details.is_empty() {
        status.insert("details".into(), details.into());
    }
    json!({ "error": status }).to_string().into_bytes()
}

/// The same as gRPC says it: details are a whole `google.rpc.Status` in the trailers.
pub(crate) fn grpc(error: &Error) -> tonic::Status {
    let code = match error.code() {
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::NotFound => tonic::Code::NotFound,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::Aborted => tonic::Code::Aborted,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Internal => tonic::Code::Internal,
    };
    // Clients bound the size of trailers, which hold the message twice and the details once: what does not fit is
    // cut, or the code itself would not arrive.
    let message = cut(error.message(), TRAILER_BYTES);
    let mut details = Vec::new();
    if !error.violations().is_empty() {
        let mut left = TRAILER_BYTES;
        let violation = |violation: &FieldViolation| {
            left = left.checked_sub(violation.field.len() + violation.description.len())?;
            Some(wire::bad_request::FieldViolation {
                field: violation.field.clone(),
                description: violation.description.clone(),
            })
        };
        let field_violations = error.violations().iter().map_while(violation).collect();
        let value = wire::BadRequest { field_violations }.encode_to_vec();
        details.push(Any { type_url: BAD_REQUEST.to_owned(), value });
    }
    if let Some(delay) = error.retry_delay() {
        let retry_delay = prost_types::Duration::try_from(delay).ok();
        let value = wire::RetryInfo { retry_delay }.encode_to_vec();
        details.push(Any { type_url: RETRY_INFO.to_owned(), value });
    }
    if details.is_empty() {
        return tonic::Status::new(code, message);
    }
    let status = wire::Status { code: code as i32, message: message.to_owned(), details };
    tonic::Status::with_details(code, message, status.encode_to_vec().into())
}

/// The beginning of a text, at most `bytes` of it.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
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
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted => {
            tracing::debug!(request_id, cause, "request refused: {}", name(error.code()));
        }
    }
}

#[cfg(test)]
mod tests {
    use colloquy_sessions::error::Violations;

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

    #[test]
    fn both_protocols_say_the_same() {
        let field = Error::field("event.author", "Required field is not set.");
        let status = wire::Status::decode(grpc(&field).details()).unwrap();
        assert_eq!((status.code, status.message.as_str()), (3, field.message()));
        let bad_request = wire::BadRequest::decode(status.details[0].value.as_slice()).unwrap();
        assert_eq!(bad_request.field_violations[0].field, "event.author");
        assert!(grpc(&Error::engine_not_found()).details().is_empty());

        let many = (0..20).fold(Violations::default(), |mut many, n| {
            many.add(format!("field_{n}"), "ö".repeat(200));
            many
        });
        let long = grpc(&many.finish().unwrap_err());
        assert!(long.message().len() <= TRAILER_BYTES && long.details().len() < 2 * TRAILER_BYTES + 200);

        let busy = Error::unavailable("the disk");
        let body: serde_json::Value = serde_json::from_slice(&json_body(&busy)).unwrap();
        assert_eq!(body["error"]["details"], json!([{"@type": RETRY_INFO, "retryDelay": "1s"}]));
        let status = wire::Status::decode(grpc(&busy).details()).unwrap();
        let retry = wire::RetryInfo::decode(status.details[0].value.as_slice()).unwrap();
        assert_eq!(retry.retry_delay.map(|delay| delay.seconds), Some(1));
    }
}
