//! gRPC: a path to an RPC, its message checked and handed on as it came; health and reflection beside it.
//!
//! Messages stay wire bytes here, as they do on the way from REST: one table of RPCs serves both protocols
//! and both versions.

mod codec;
mod deadline;
mod health;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use colloquy_contract::{DESCRIPTOR_SET, HTTP_RULES};
use colloquy_sessions::Error;
use colloquy_sessions::operation::ApiVersion;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use proto_json::{MessageId, Schema};
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::server::{Grpc as Exchange, UnaryService};
use tonic::service::Routes;
use tonic::{Code, Status};

use crate::app::HttpLimits;
use crate::convert::version;
use crate::rpc::{self, Api, RequestIds, Rpc};
use crate::status;
use codec::BytesCodec;
use health::Health;

/// The gRPC side of the API.
pub(crate) struct Grpc {
    api: Arc<Api>,
    schema: Arc<Schema>,
    /// By path: `/package.Service/Method`.
    methods: HashMap<String, Method>,
    /// Health and reflection.
    side: Routes,
    health: Health,
    limits: HttpLimits,
}

/// One method of a service.
#[derive(Clone, Copy, Debug)]
struct Method {
    /// Its full name, with dots.
    name: &'static str,
    rpc: Rpc,
    version: Option<ApiVersion>,
    input: MessageId,
}

const STATUS: &str = "grpc-status";
/// How long one call may take, a slow message included: more than the longest wait for an operation.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether a request speaks gRPC: its content type decides.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    match content_type.strip_prefix(b"application/grpc") {
        // Not gRPC-Web, which is another protocol.
        Some(rest) => rest.is_empty() || rest.starts_with(b"+") || rest.starts_with(b";"),
        None => false,
    }
}

/// The status code of an answer.
pub(crate) fn code(response: &Response<Body>) -> i32 {
    // An error is answered by headers alone; a success has its status behind the message.
    let code = response.headers().get(STATUS).and_then(|code| code.to_str().ok()?.parse().ok());
    code.unwrap_or(Code::Ok as i32)
}

impl Grpc {
    /// Every method of the contract; `None` where the schema lacks a message of it, a defect of the build.
    pub(crate) fn new(api: Arc<Api>, schema: Arc<Schema>, limits: HttpLimits) -> Option<Self> {
        let method = |rule: &colloquy_contract::HttpRule| {
            let (service, method) = rule.rpc.rsplit_once('.')?;
            let target = Method {
                name: rule.rpc,
                rpc: Rpc::named(rule.method)?,
                version: version::of_rpc(rule.rpc),
                input: schema.message(rule.input)?,
            };
            Some((format!("/{service}/{method}"), target))
        };
        let methods = HTTP_RULES.iter().map(method).collect::<Option<_>>()?;
        let (health, health_server) = Health::new(Arc::clone(&api.service));
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let side = Routes::new(health_server)
            .add_service(reflection().build_v1().ok()?)
            .add_service(reflection().build_v1alpha().ok()?);
        Some(Self { api, schema, methods, side, health, limits })
    }

    /// Keeps what the health service says up to date, for as long as it is polled.
    pub(crate) async fn watch_health(&self) {
        self.health.watch().await;
    }

    /// Tells those who watch that the server stops.
    pub(crate) async fn stopping(&self) {
        self.health.stopping().await;
    }

    /// Answers one request; with the method's full name, if it is one of the contract's.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        request_id: &str,
    ) -> (Response<Body>, Option<&'static str>) {
        let Some(method) = self.methods.get(request.uri().path()).copied() else {
            return (self.answer_beside(request).await, None);
        };
        let unary = Unary { grpc: self, method, request_id };
        let mut exchange =
            Exchange::new(BytesCodec).apply_max_message_size_config(Some(self.limits.body_bytes), None);
        let patience = deadline::of(request.headers()).unwrap_or(PATIENCE).min(PATIENCE);
        let response = match tokio::time::timeout(patience, exchange.unary(unary, request)).await {
            Ok(response) => with_code_of_large_messages(response),
            Err(_) => {
                Status::deadline_exceeded("The deadline passed before there was an answer.").into_http()
            }
        };
        (response, Some(method.name))
    }

    /// Health, reflection, and what is not there.
    async fn answer_beside(&self, request: Request<Incoming>) -> Response<Body> {
        let mut side = self.side.clone();
        match side.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// A message that is too large is RESOURCE_EXHAUSTED to every other implementation; the library says
/// OUT_OF_RANGE, which nothing here says otherwise.
fn with_code_of_large_messages(mut response: Response<Body>) -> Response<Body> {
    if code(&response) == Code::OutOfRange as i32 {
        response.headers_mut().insert(STATUS, HeaderValue::from(Code::ResourceExhausted as i32));
    }
    response
}

/// One call.
struct Unary<'a> {
    grpc: &'a Grpc,
    method: Method,
    request_id: &'a str,
}

impl<'a> UnaryService<Bytes> for Unary<'a> {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send + 'a>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (grpc, method, request_id) = (self.grpc, self.method, self.request_id);
        Box::pin(async move {
            let (metadata, _, message) = request.into_parts();
            let answer = grpc.call(method, &metadata.into_headers(), message).await;
            answer.map(|message| tonic::Response::new(message.into())).map_err(|error| {
                status::log_cause(&error, request_id);
                status::grpc(&error)
            })
        })
    }
}

impl Grpc {
    async fn call(&self, method: Method, metadata: &HeaderMap, message: Bytes) -> Result<Vec<u8>, Error> {
        let mut ids = RequestIds::default();
        if method.rpc.takes_request_id() {
            ids.add_headers(metadata)?;
        }
        // Nobody has looked at these bytes yet; what passes here is safe to keep and to print.
        proto_json::validate_wire(&self.schema, method.input, &message, self.limits.json_depth).map_err(
            |problem| Error::unreadable(format!("The request is malformed: {problem}."), Vec::new()),
        )?;
        let request = rpc::Request { message, input: method.input, id: ids.one() };
        self.api.call(method.rpc, method.version, request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_decides() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))])
        };
        for value in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
            assert!(is_grpc(&headers(value)), "{value}");
        }
        for value in ["application/json", "application/grpc-web", "application/grpc-web+proto", ""] {
            assert!(!is_grpc(&headers(value)), "{value}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}
