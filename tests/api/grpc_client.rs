//! gRPC by hand over HTTP/2: tests also send what no library would.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes, Frame};
use hyper::client::conn::http2::SendRequest;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Patience with an answer.
const LIMIT: Duration = Duration::from_secs(30);

/// Speaks to one server over one connection.
pub(crate) struct GrpcClient {
    runtime: Runtime,
    connection: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

/// What came back: a message where the code is 0.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) code: i32,
    pub(crate) error: String,
    /// The bytes of a `google.rpc.Status`, in the header's base64.
    pub(crate) details: Option<String>,
    pub(crate) message: Vec<u8>,
}

impl GrpcClient {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let connection = runtime.block_on(connect(address));
        Self { runtime, connection, address }
    }

    /// Calls `/service/method` with a message.
    pub(crate) fn call(&mut self, path: &str, message: &[u8]) -> Reply {
        self.call_with(path, message, &[])
    }

    /// The same with headers of the caller's.
    pub(crate) fn call_with(
        &mut self,
        path: &str,
        message: &[u8],
        headers: &[(&'static str, &'static str)],
    ) -> Reply {
        let request = self.request(path, headers).body(Full::new(framed(message))).unwrap();
        let sent = self.connection.send_request(request);
        self.runtime.block_on(async {
            let response = tokio::time::timeout(LIMIT, sent).await.unwrap().unwrap();
            tokio::time::timeout(LIMIT, read(response)).await.unwrap()
        })
    }

    /// Calls, and never sends the message.
    pub(crate) fn call_without_end(&mut self, path: &str, headers: &[(&'static str, &'static str)]) -> Reply {
        let request = self.request(path, headers);
        let address = self.address;
        self.runtime.block_on(async {
            let stream = TcpStream::connect(address).await.unwrap();
            let handshake =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
            let (mut sender, connection) = handshake.unwrap();
            tokio::spawn(connection);
            let sent = sender.send_request(request.body(Never).unwrap());
            let response = tokio::time::timeout(LIMIT, sent).await.unwrap().unwrap();
            tokio::time::timeout(LIMIT, read(response)).await.unwrap()
        })
    }

    /// Begins a call that is answered by a stream, waits for its first message, and leaves the stream open.
    pub(crate) fn watch(&mut self, path: &str, message: &[u8]) -> Watch<'_> {
        let request = self.request(path, &[]).body(Full::new(framed(message))).unwrap();
        let sent = self.connection.send_request(request);
        let response = self.runtime.block_on(async { tokio::time::timeout(LIMIT, sent).await });
        Watch { body: response.unwrap().unwrap().into_body(), runtime: &self.runtime }
    }

    fn request(&self, path: &str, headers: &[(&'static str, &'static str)]) -> hyper::http::request::Builder {
        let mut request = Request::post(format!("http://{}{path}", self.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    }
}

/// A stream of messages.
pub(crate) struct Watch<'a> {
    body: hyper::body::Incoming,
    runtime: &'a Runtime,
}

impl Watch<'_> {
    /// The next message, or `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let body = &mut self.body;
        let frame =
            self.runtime.block_on(async { tokio::time::timeout(LIMIT, body.frame()).await.unwrap() })?;
        frame.ok()?.into_data().ok().map(|data| unframed(&data))
    }
}

/// A body that does not come.
struct Never;

impl Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

/// A message behind its flag and length.
fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat().into()
}

fn unframed(frame: &[u8]) -> Vec<u8> {
    frame.get(5..).unwrap_or_default().to_vec()
}

async fn read(response: Response<hyper::body::Incoming>) -> Reply {
    assert_eq!(response.status(), 200);
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    // An error is in the headers alone.
    let status = trailers.filter(|trailers| trailers.contains_key("grpc-status")).unwrap_or(parts.headers);
    let text = |name: &str, status: &HeaderMap| {
        status.get(name).map(HeaderValue::to_str).map(|text| text.unwrap().to_owned())
    };
    Reply {
        code: text("grpc-status", &status).expect("an answer has a status").parse().unwrap(),
        error: percent_decode_str(&text("grpc-message", &status).unwrap_or_default())
            .decode_utf8()
            .unwrap()
            .into_owned(),
        details: text("grpc-status-details-bin", &status),
        message: unframed(&body.to_bytes()),
    }
}
