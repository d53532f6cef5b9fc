//! One request: which side of the port it is for, and its line in the log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use colloquy_contract::{DESCRIPTOR_SET, DOCUMENTED_DESCRIPTOR_SET, HTTP_RULES};
use colloquy_sessions::Service;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::{Body as _, Incoming};
use proto_json::Schema;
use serde_json::json;

use crate::describe::Description;
use crate::grpc::{self, Grpc};
use crate::rest::query::Query;
use crate::rest::{self, Refusal, Rest, json_response, refuse};
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
    grpc: Grpc,
    description: Description,
    service: Arc<Service>,
    /// Tells the requests of one server apart in its log.
    requests: AtomicU64,
}

/// A contract that cannot be served: a defect of the build, found when the server starts.
#[derive(Debug, thiserror::Error)]
#[error("the contract cannot be served: {0}")]
pub struct BadContract(String);

const REQUEST_ID: &str = "x-request-id";
/// What is answered while all is well.
const HEALTHY: &str = "{\"status\":\"ok\"}";
/// The paths that are served beside the API. `/healthz`: the process answers. `/readyz`: the store can serve.
/// The others describe the API for machines.
const BESIDE: [&str; 5] = ["/healthz", "/readyz", "/openapi.json", "/$discovery/rest", "/%24discovery/rest"];

/// The body of an answer: whole over REST, with trailers over gRPC.
pub(crate) type Body = Either<Full<Bytes>, tonic::body::Body>;

/// What a request is answered with, and what the log says of it.
struct Answer {
    response: Response<Body>,
    protocol: &'static str,
    /// The RPC, where the path means one.
    rpc: Option<&'static str>,
    /// The HTTP status over REST, the status code over gRPC.
    code: i64,
}

impl App {
    /// Puts the port over the use cases.
    ///
    /// # Errors
    /// A contract that does not fit itself.
    pub fn new(service: Arc<Service>, limits: HttpLimits) -> Result<Self, BadContract> {
        let schema = Schema::from_descriptor_set(DESCRIPTOR_SET).map_err(|e| BadContract(e.to_string()))?;
        let schema = Arc::new(schema);
        let incomplete = || BadContract("a message is missing".to_owned());
        let api = Api::new(Arc::clone(&service), Arc::clone(&schema)).ok_or_else(incomplete)?;
        let api = Arc::new(api);
        let grpc = Grpc::new(Arc::clone(&api), Arc::clone(&schema), limits).ok_or_else(incomplete)?;
        let rest = Rest::new(api, schema, limits).map_err(|e| BadContract(e.to_string()))?;
        let description = Description::new(DOCUMENTED_DESCRIPTOR_SET, HTTP_RULES)
            .map_err(|e| BadContract(e.to_string()))?;
        Ok(Self { rest, grpc, description, service, requests: AtomicU64::new(1) })
    }

    /// Keeps what is said of the server's health up to date, for as long as it is polled.
    pub(crate) async fn watch_health(&self) {
        self.grpc.watch_health().await;
    }

    /// Tells those who watch that the server stops.
    pub(crate) async fn stopping(&self) {
        self.grpc.stopping().await;
    }

    /// Answers one request and writes its line into the log: never a payload, never a query string.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let begun = Instant::now();
        let request_id = match request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()) {
            Some(id) if id.len() <= 64 => id.to_owned(),
            _ => self.requests.fetch_add(1, Ordering::Relaxed).to_string(),
        };
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let mut answer = if grpc::is_grpc(request.headers()) {
            let (response, rpc) = self.grpc.answer(request, &request_id).await;
            let code = grpc::code(&response).into();
            Answer { response: response.map(Either::Right), protocol: "grpc", rpc, code }
        } else {
            self.answer_http(request, &request_id).await
        };
        tracing::info!(
            target: "request",
            id = request_id,
            %peer,
            protocol = answer.protocol,
            %method,
            path = uri.path(),
            rpc = answer.rpc.unwrap_or("-"),
            status = answer.code,
            bytes = answer.response.body().size_hint().lower(),
            micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            "request"
        );
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            answer.response.headers_mut().insert(REQUEST_ID, id);
        }
        answer.response
    }

    /// Answers everything that is not gRPC.
    async fn answer_http(&self, request: Request<Incoming>, request_id: &str) -> Answer {
        let (parts, body) = request.into_parts();
        let rest::Answer { response, rpc } = match self.answer_beside(&parts).await {
            Some(answer) => {
                let refuse = |refusal| refuse(&refusal, parts.uri.path(), request_id);
                rest::Answer { response: answer.unwrap_or_else(refuse), rpc: None }
            }
            None => self.rest.answer(&parts, body, request_id).await,
        };
        let code = response.status().as_u16().into();
        let response = response.map(|body| Either::Left(Full::new(body)));
        Answer { response, protocol: "rest", rpc, code }
    }

    /// What is served beside the API, for reading only; `None` for every other path.
    async fn answer_beside(&self, parts: &Parts) -> Option<Result<Response<Bytes>, Refusal>> {
        let path = parts.uri.path();
        if !BESIDE.contains(&path) {
            return None;
        }
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Some(Err(Refusal::OtherMethods(vec![Method::GET, Method::HEAD])));
        }
        Some(match path {
            "/healthz" => Ok(json_response(StatusCode::OK, HEALTHY.into())),
            "/readyz" => Ok(self.ready().await),
            _ => self.describe(parts),
        })
    }

    /// Whether the store can serve, and why not.
    async fn ready(&self) -> Response<Bytes> {
        let Err(error) = self.service.health().await else {
            return json_response(StatusCode::OK, HEALTHY.into());
        };
        let reason = error.cause().unwrap_or(error.message());
        let body = json!({"status": "unavailable", "reason": reason}).to_string();
        json_response(StatusCode::SERVICE_UNAVAILABLE, body.into_bytes())
    }

    /// `/$discovery/rest?version=` and `/openapi.json`: the API described for machines, at the address that the
    /// caller used.
    fn describe(&self, parts: &Parts) -> Result<Response<Bytes>, Refusal> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
        let root_url = format!("http://{}/", host.unwrap_or("localhost"));
        let document = if parts.uri.path() == "/openapi.json" {
            Some(self.description.openapi(&root_url))
        } else {
            let query = Query::parse(parts.uri.query().unwrap_or_default())?;
            let version = query.parameters.iter().find(|(name, _)| name == "version");
            self.description.discovery(version.map_or("v1beta1", |(_, version)| version), &root_url)
        };
        document.map(|document| json_response(StatusCode::OK, document)).ok_or(Refusal::NoRoute)
    }
}
