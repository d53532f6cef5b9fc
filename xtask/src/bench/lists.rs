//! Lists of 100 events, over REST and over gRPC: the same server, the same session, turn by turn.
//!
//! One client, so that what is measured is an answer and not a queue. Both requests are sent by one library.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;

use super::cpu;
use super::load::Sample;
use super::report;
use crate::rest::Rest;
use crate::server::Server;

/// How many events the session has: one page.
const EVENTS: usize = 100;
const WARM_UP: Duration = Duration::from_millis(300);

/// Measures, and answers a table.
///
/// # Errors
/// When an answer is not a success.
pub(super) fn run(server: &Server, runs: u8, time: Duration) -> Result<String> {
    let session = session_with_events(server)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut rest, mut grpc) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        rest.push(measured(server, time, |until| runtime.block_on(list_rest(server, &session, until)))?);
        grpc.push(measured(server, time, |until| runtime.block_on(list_grpc(server, &session, until)))?);
    }
    Ok(report::lists(&rest, &grpc))
}

fn session_with_events(server: &Server) -> Result<String> {
    let rest = Rest::new(&server.url);
    let engine = rest.create_engine().context("cannot create an engine")?;
    let session = rest.create_session(&engine, "lists", "reader").context("cannot create a session")?;
    for number in 0..EVENTS {
        let event = json!({
            "author": "assistant", "invocationId": format!("e-{number}"),
            "timestamp": format!("2026-03-01T12:{:02}:{:02}Z", number / 60, number % 60),
            "content": {"role": "model", "parts": [{"text": "lorem ipsum ".repeat(30)}]},
            "actions": {"stateDelta": {"turns": number, "user:last": format!("e-{number}")}},
            "eventMetadata": {"turnComplete": true, "branch": "root.assistant"},
        });
        rest.post(&format!("{session}:appendEvent"), &event).context("cannot append")?;
    }
    Ok(session)
}

/// Runs `lists` through a warm-up and the measured time, with what the server used for the latter.
fn measured(
    server: &Server,
    time: Duration,
    lists: impl Fn(Instant) -> Result<Vec<Duration>>,
) -> Result<Sample> {
    lists(Instant::now() + WARM_UP)?;
    let before = cpu::used_by(server.id())?;
    let latencies = lists(Instant::now() + time)?;
    let server_cpu = cpu::used_by(server.id())?.saturating_sub(before);
    Ok(Sample { time, answers: latencies.len() as u64, latencies, server_cpu })
}

async fn list_rest(server: &Server, session: &str, until: Instant) -> Result<Vec<Duration>> {
    let stream = TcpStream::connect(server.address()?).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let request = Request::get(format!("/v1beta1/{session}/events"))
            .header("host", "bench")
            .body(Full::<Bytes>::default())?;
        let sent = Instant::now();
        let (_, length) = read(sender.send_request(request).await?).await?;
        latencies.push(sent.elapsed());
        expect_page(length)?;
    }
    connection.abort();
    Ok(latencies)
}

async fn list_grpc(server: &Server, session: &str, until: Instant) -> Result<Vec<Duration>> {
    let address = server.address()?;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(1 << 22)
        // As clients ask for that fit their connection to what it carries.
        .max_frame_size(1 << 20)
        .handshake(TokioIo::new(stream))
        .await?;
    let connection = tokio::spawn(connection);
    let message = list_request(session)?;
    let path = "/google.cloud.aiplatform.v1beta1.SessionService/ListEvents";
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let request = Request::post(format!("http://{address}{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(message.clone()))?;
        let sent = Instant::now();
        let (status, length) = read(sender.send_request(request).await?).await?;
        latencies.push(sent.elapsed());
        if status.as_deref() != Some("0") {
            bail!("not a success: gRPC status {status:?}");
        }
        expect_page(length)?;
    }
    connection.abort();
    Ok(latencies)
}

/// A framed `ListEventsRequest` that has only its parent, which is field 1.
fn list_request(session: &str) -> Result<Bytes> {
    let length = session.len();
    // Two bytes of length say up to 16,383; names are far shorter, and longer than what one byte says.
    let low = u8::try_from(length & 0x7f)? | 0x80;
    let high = u8::try_from(length >> 7).ok().filter(|high| *high < 0x80).context("the name is too long")?;
    let message = [&[0x0a, low, high], session.as_bytes()].concat();
    let size = u32::try_from(message.len())?.to_be_bytes();
    Ok([&[0][..], &size, &message].concat().into())
}

/// The gRPC status, where there is one, and the length of a successful answer.
async fn read(response: Response<Incoming>) -> Result<(Option<String>, usize)> {
    if response.status() != 200 {
        bail!("not a success: {}", response.status());
    }
    let in_head = response.headers().get("grpc-status").cloned();
    let body = response.into_body().collect().await?;
    let in_trailers = body.trailers().and_then(|trailers| trailers.get("grpc-status")).cloned();
    let status = in_trailers.or(in_head).map(|status| status.to_str().map(str::to_owned)).transpose()?;
    Ok((status, body.to_bytes().len()))
}

/// A page with fewer events would be answered faster, and prove nothing.
fn expect_page(length: usize) -> Result<()> {
    if length < EVENTS * 400 {
        bail!("an answer of only {length} bytes does not hold {EVENTS} events");
    }
    Ok(())
}
