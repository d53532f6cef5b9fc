//! One request: which side of the port it is for, and its line in the log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use colloquy_contract::DESCRIPTOR_SET;
use colloquy_sessions::Service;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Body;
use proto_json::Schema;
use serde_json::json;

use crate::rest::{Answer, Rest, json_response};
use crate::rpc::Api;

/// Bounds on what is read from the network.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// How deep JSON may nest.
    pub json_depth: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self { body_bytes: 10 << 20, json_depth: proto_json::DEFAULT_DEPTH }
    }
}

/// Everything that is served on the port.
pub struct App {
    rest: Rest,
    service: Arc<Service>,
    /// Tells the requests of one server apart in its log.
    requests: AtomicU64,
}

/// A contract that cannot be served: a defect of the build, found when the server starts.
#[derive(Debug, thiserror::Error)]
#[error("the contract cannot be served: {0}")]
pub struct BadContract(String);

const REQUEST_ID: &str = "x-request-id";

impl App {
    /// Puts the port over the use cases.
    ///
    /// # Errors
    /// A contract that does not fit itself.
    pub fn new(service: Arc<Service>, limits: HttpLimits) -> Result<Self, BadContract> {
        let schema = Schema::from_descriptor_set(DESCRIPTOR_SET).map_err(|e| BadContract(e.to_string()))?;
        let schema = Arc::new(schema);
        let api = Api::new(Arc::clone(&service), Arc::clone(&schema));
        let api = Arc::new(api.ok_or_else(|| BadContract("a message is missing".to_owned()))?);
        let rest = Rest::new(api, schema, limits.body_bytes, limits.json_depth);
        Ok(Self { rest: rest.map_err(|e| BadContract(e.to_string()))?, service, requests: AtomicU64::new(1) })
    }

    /// Answers one request and writes its line into the log: never a payload, never a query string.
    pub async fn answer<B>(&self, request: Request<B>, peer: SocketAddr) -> Response<Bytes>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        let begun = Instant::now();
        let (parts, body) = request.into_parts();
        let request_id = match parts.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()) {
            Some(id) if id.len() <= 64 => id.to_owned(),
            _ => self.requests.fetch_add(1, Ordering::Relaxed).to_string(),
        };
        let mut answer = match parts.uri.path() {
            "/healthz" | "/readyz" => self.health(&parts.method, parts.uri.path()).await,
            _ => self.rest.answer(&parts, body, &request_id).await,
        };
        tracing::info!(
            target: "request",
            id = request_id,
            %peer,
            method = %parts.method,
            path = parts.uri.path(),
            rpc = answer.rpc.unwrap_or("-"),
            status = answer.response.status().as_u16(),
            bytes = answer.response.body().len(),
            micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            "request"
        );
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            answer.response.headers_mut().insert(REQUEST_ID, id);
        }
        answer.response
    }

    /// `/healthz`: the process answers. `/readyz`: the store can serve.
    async fn health(&self, method: &Method, path: &str) -> Answer {
        let (code, body) = if method != Method::GET && method != Method::HEAD {
            (StatusCode::METHOD_NOT_ALLOWED, json!({"status": "method not allowed"}))
        } else if path == "/healthz" {
            (StatusCode::OK, json!({"status": "ok"}))
        } else {
            match self.service.health().await {
                Ok(()) => (StatusCode::OK, json!({"status": "ok"})),
                Err(error) => {
                    let reason = error.cause().unwrap_or(error.message());
                    (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "unavailable", "reason": reason}))
                }
            }
        };
        Answer { response: json_response(code, body.to_string().into_bytes()), rpc: None }
    }
}
