//! What is read: requests that were made before, sent one after the other over one kept connection, again and again.
//!
//! One client, so that what is measured is an answer and not a queue. *Server time* is what a walk took at the client,
//! less what as many requests for nothing (`/healthz`, or gRPC's health check) take over the same connection: without
//! what the client, the loopback address and HTTP take, which every server has.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::figures::{Sample, median};
use super::http1::{self, Http1};
use super::http2::Http2;
use super::load::Protocol;
use super::message::Message;
use super::process;
use crate::rest::Rest;
use crate::server::Server;

const SERVICE: &str = "/google.cloud.aiplatform.v1beta1.SessionService/";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const WARM_UP: Duration = Duration::from_millis(200);
/// How long requests for nothing are measured.
const NOTHING: Duration = Duration::from_millis(300);
/// The smallest an event is over either protocol.
const EVENT_BYTES: usize = 400;
/// The most that a page holds.
const PAGE: usize = 100;

/// One request, in both protocols.
#[derive(Clone, Debug)]
struct Step {
    path: String,
    method: &'static str,
    message: Vec<u8>,
}

/// Requests, and the least that their answers must hold.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    steps: Vec<Step>,
    least_bytes: usize,
}

/// Runs of a walk with what is subtracted from them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Read {
    samples: Vec<Sample>,
    /// What requests for nothing took, for a whole walk, in milliseconds.
    nothing: Vec<f64>,
}

impl Walk {
    /// A session and all its events, page by page. Pages are walked once, to learn where each begins.
    pub(crate) fn whole_session(server: &Server, session: &str, events: usize) -> Result<Self> {
        let rest = Rest::new(&server.url);
        let message = Message::new().text(1, session).bytes();
        let mut steps = vec![Step { path: format!("/v1beta1/{session}"), method: "GetSession", message }];
        let (mut found, mut token) = (0, String::new());
        loop {
            let list = events_list(session, PAGE, "", &token);
            let path = list.path.trim_start_matches("/v1beta1/").to_owned();
            steps.push(list);
            let page = rest.get(&path)?;
            found += page.get("sessionEvents").and_then(Value::as_array).map_or(0, Vec::len);
            match page.get("nextPageToken").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => next.clone_into(&mut token),
                _ => break,
            }
        }
        if found != events {
            bail!("{session} has {found} events, not {events}");
        }
        Ok(Self { steps, least_bytes: events * EVENT_BYTES })
    }

    /// The newest events of a session.
    pub(crate) fn newest_events(session: &str, events: usize) -> Self {
        Self {
            steps: vec![events_list(session, events, "timestamp desc", "")],
            least_bytes: events * EVENT_BYTES,
        }
    }

    /// The newest sessions of a user, a page full.
    pub(crate) fn sessions_of_user(engine: &str, user: &str) -> Self {
        let (filter, order) = (format!("user_id=\"{user}\""), "create_time desc");
        let path = format!(
            "/v1beta1/{engine}/sessions?pageSize={PAGE}&filter={}&orderBy={}",
            encoded(&filter),
            encoded(order)
        );
        let message = Message::new().text(1, engine).number(2, PAGE as u64).text(4, &filter).text(5, order);
        let step = Step { path, method: "ListSessions", message: message.bytes() };
        // A session is no shorter than its name.
        Self { steps: vec![step], least_bytes: PAGE * engine.len() }
    }

    /// Walks again and again for `time`.
    pub(crate) fn measure(
        &self,
        server: &Server,
        protocol: Protocol,
        time: Duration,
        into: &mut Read,
    ) -> Result<()> {
        let address = server.address()?;
        let (sample, nothing) = match protocol {
            Protocol::Rest => self.measure_rest(server, address, time)?,
            Protocol::Grpc => self.measure_grpc(server, address, time)?,
        };
        into.samples.push(sample);
        into.nothing.push(nothing.percentile(50) * self.steps.len() as f64);
        Ok(())
    }

    fn measure_rest(&self, server: &Server, address: SocketAddr, time: Duration) -> Result<(Sample, Sample)> {
        let mut connection = Http1::open(address)?;
        let requests: Vec<Vec<u8>> = self.steps.iter().map(|step| http1::get(address, &step.path)).collect();
        let nothing = http1::get(address, "/healthz");
        let nothing = repeated(server, NOTHING, || connection.exchange(&nothing).map(drop))?;
        let walks = repeated(server, time, || {
            let mut bytes = 0;
            for request in &requests {
                bytes += connection.exchange(request)?.len();
            }
            self.expect(bytes)
        })?;
        Ok((walks, nothing))
    }

    fn measure_grpc(&self, server: &Server, address: SocketAddr, time: Duration) -> Result<(Sample, Sample)> {
        let mut connection = Http2::open(address)?;
        let paths: Vec<String> = self.steps.iter().map(|step| format!("{SERVICE}{}", step.method)).collect();
        let nothing = repeated(server, NOTHING, || connection.call(HEALTH, &[]).map(drop))?;
        let walks = repeated(server, time, || {
            let mut bytes = 0;
            for (step, path) in self.steps.iter().zip(&paths) {
                bytes += connection.call(path, &step.message)?.len();
            }
            self.expect(bytes)
        })?;
        Ok((walks, nothing))
    }

    /// Less would be answered faster, and prove nothing.
    fn expect(&self, bytes: usize) -> Result<()> {
        if bytes < self.least_bytes {
            bail!("answers of {bytes} bytes cannot hold what was asked for: {} at least", self.least_bytes);
        }
        Ok(())
    }
}

impl Read {
    /// The middle of what a walk took at the client, in milliseconds.
    pub(crate) fn at_client(&self) -> f64 {
        median(self.samples.iter().map(|sample| sample.percentile(50)))
    }

    /// What 99 of 100 did not exceed, at the client.
    pub(crate) fn p99(&self) -> f64 {
        median(self.samples.iter().map(|sample| sample.percentile(99)))
    }

    /// The same without what requests for nothing take at their fastest; not a number where those took longer, as on
    /// a machine that has other things to do.
    pub(crate) fn server_time(&self) -> f64 {
        let nothing = self.nothing.iter().copied().fold(f64::NAN, f64::min);
        let time = self.at_client() - nothing;
        if time > 0.0 { time } else { f64::NAN }
    }

    /// The server's processor time, in milliseconds.
    pub(crate) fn cpu(&self) -> f64 {
        median(self.samples.iter().map(|sample| sample.cpu_microseconds() / 1e3))
    }
}

/// Does something for a warm-up and then for `time`, at least once.
fn repeated(server: &Server, time: Duration, mut work: impl FnMut() -> Result<()>) -> Result<Sample> {
    let warm = Instant::now() + WARM_UP;
    while Instant::now() < warm {
        work()?;
    }
    let before = process::cpu(server.id())?;
    let began = Instant::now();
    let mut latencies = Vec::new();
    while latencies.is_empty() || began.elapsed() < time {
        let sent = Instant::now();
        work().context("while reading")?;
        latencies.push(sent.elapsed());
    }
    let time = began.elapsed();
    let cpu = process::cpu(server.id())?.saturating_sub(before);
    Ok(Sample { time, answers: latencies.len() as u64, latencies, cpu, ..Sample::default() })
}

fn events_list(session: &str, page: usize, order: &str, token: &str) -> Step {
    let mut path = format!("/v1beta1/{session}/events?pageSize={page}");
    let mut message = Message::new().text(1, session).number(2, page as u64);
    if !token.is_empty() {
        path.push_str(&format!("&pageToken={}", encoded(token)));
        message = message.text(3, token);
    }
    if !order.is_empty() {
        path.push_str(&format!("&orderBy={}", encoded(order)));
        message = message.text(5, order);
    }
    Step { path, method: "ListEvents", message: message.bytes() }
}

/// A value as it goes into a query string.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_protocols_ask_the_same() {
        let step = events_list("projects/p/sessions/s", 20, "timestamp desc", "a=b");
        assert_eq!(
            step.path,
            "/v1beta1/projects/p/sessions/s/events?pageSize=20&pageToken=a%3Db&orderBy=timestamp%20desc"
        );
        let text = String::from_utf8_lossy(&step.message);
        assert!(
            text.contains("projects/p/sessions/s") && text.contains("a=b") && text.contains("timestamp desc")
        );
    }

    #[test]
    fn server_time_is_without_requests_for_nothing() {
        let walk = |milliseconds| Sample {
            time: Duration::from_secs(1),
            latencies: vec![Duration::from_millis(milliseconds)],
            answers: 1,
            cpu: Duration::from_millis(1),
            ..Sample::default()
        };
        let mut read = Read { samples: vec![walk(5), walk(9), walk(6)], nothing: vec![4.0, 1.5, 2.0] };
        assert!((read.at_client() - 6.0).abs() < 1e-9);
        assert!((read.server_time() - 4.5).abs() < 1e-9);
        assert!((read.cpu() - 1.0).abs() < 1e-9);
        read.nothing = vec![7.0];
        assert!(read.server_time().is_nan());
    }
}
