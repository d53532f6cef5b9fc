//! The request message: its body, its query parameters and the variables of its path, as wire bytes.

use colloquy_sessions::Error;
use colloquy_sessions::error::FieldViolation;
use http::Method;
use prost::encoding::{WireType, encode_key, encode_varint};
use proto_json::JsonError;

use super::query::Query;
use super::router::Route;
use super::{Call, Rest};
use crate::rpc::Rpc;

/// Parameters that clients send although the request has no such field, and that mean nothing there.
const IGNORED: &[(Rpc, &str)] = &[
    // The Python SDK repeats the id of a session when it updates it (contract section 7.1).
    (Rpc::UpdateSession, "sessionId"),
];

/// An empty text, as JSON.
const EMPTY_TEXT: &[u8] = b"\"\"";

impl Rest {
    /// Puts the pieces of a request together. Later pieces win: the path over the query over the body.
    pub(super) fn request_message(
        &self,
        route: &Route<Call>,
        variables: &[(&'static str, String)],
        query: &Query<'_>,
        json: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let mut request = Vec::with_capacity(json.len() + 128);
        let body = route.rule.body.unwrap_or_default();
        match body {
            // Clients for Node send this where no body is declared.
            "" if json == EMPTY_TEXT => {}
            // No body is declared, yet clients send one: the SDK's `{"force": true}` on a delete.
            "" | "*" => self.put_whole(route, json, &mut request)?,
            field => self.put_field(route, field, json, &mut request)?,
        }
        for (name, value) in &query.parameters {
            if IGNORED.contains(&(route.target.rpc, name)) {
                continue;
            }
            // What the body covers cannot come by the query too.
            let first = name.split('.').next().unwrap_or_default();
            let in_body = self.schema.field(route.target.input, first).map(|field| field.number);
            let body_field = self.schema.field(route.target.input, body).map(|field| field.number);
            if in_body.is_some() && in_body == body_field {
                return Err(unreadable(proto_json::JsonError::unbound_parameter(name)));
            }
            self.put_parameter(route, name, value, &mut request)?;
        }
        for (field, value) in variables {
            self.put_parameter(route, field, value, &mut request)?;
        }
        Ok(request)
    }

    fn put_whole(&self, route: &Route<Call>, json: &[u8], request: &mut Vec<u8>) -> Result<(), Error> {
        if json.trim_ascii().is_empty() || route.rule.verb.eq_ignore_ascii_case(Method::GET.as_str()) {
            return Ok(());
        }
        proto_json::json_to_wire(&self.schema, route.target.input, json, "", self.limits.json_depth, request)
            .map_err(unreadable)
    }

    fn put_field(
        &self,
        route: &Route<Call>,
        name: &str,
        json: &[u8],
        request: &mut Vec<u8>,
    ) -> Result<(), Error> {
        // No body is no message, which the rules find missing; `{}` is an empty message.
        if json.trim_ascii().is_empty() {
            return Ok(());
        }
        let field = self.schema.field(route.target.input, name);
        let Some((field, message)) = field.and_then(|field| Some((field, field.message?))) else {
            return Err(Error::internal(format_args!("{} has no body field {name}", route.rule.input)));
        };
        let mut content = Vec::with_capacity(json.len());
        proto_json::json_to_wire(&self.schema, message, json, name, self.limits.json_depth, &mut content)
            .map_err(unreadable)?;
        encode_key(field.number, WireType::LengthDelimited, request);
        encode_varint(content.len() as u64, request);
        request.append(&mut content);
        Ok(())
    }

    fn put_parameter(
        &self,
        route: &Route<Call>,
        name: &str,
        value: &str,
        request: &mut Vec<u8>,
    ) -> Result<(), Error> {
        proto_json::parameter_to_wire(&self.schema, route.target.input, name, value, request)
            .map_err(unreadable)
    }
}

fn unreadable(error: JsonError) -> Error {
    let violation = |violation: proto_json::FieldViolation| FieldViolation {
        field: violation.field,
        description: violation.description,
    };
    Error::unreadable(error.message, error.violations.into_iter().map(violation).collect())
}
