//! The load: blocking clients, each sending its next append when the last is answered.
//!
//! The generator shares the machine with the server, so it does next to nothing.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use super::figures::Sample;
use super::http1::Http1;
use super::http2::Http2;
use super::request::{self, FIRST_NUMBER, Request};

/// Before a measurement by time: connections are made, and the server has warm caches.
pub(crate) const WARM_UP: Duration = Duration::from_millis(300);
/// How long a connection waits for an answer.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(60);
const APPEND: &str = "/google.cloud.aiplatform.v1beta1.SessionService/AppendEvent";

/// Never used twice in this process, so that every append is another event.
static NUMBERS: AtomicU64 = AtomicU64::new(FIRST_NUMBER);

/// How clients speak to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// JSON over HTTP/1.1.
    Rest,
    /// Protobuf over HTTP/2.
    Grpc,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rest => "REST",
            Self::Grpc => "gRPC",
        })
    }
}

/// When clients end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After a warm-up and this time.
    Time(Duration),
    /// After so many appends of each client, all of them measured.
    Count(usize),
}

/// One client's way to the server.
enum Client {
    Rest(Http1),
    Grpc(Http2, String),
}

/// What one client did.
#[derive(Default)]
struct Part {
    latencies: Vec<Duration>,
    answers: u64,
    /// When it began and ended.
    span: Option<(Instant, Instant)>,
}

/// Appends from `clients` connections, each to sessions of its own as far as there are enough.
///
/// # Errors
/// When a connection breaks or an answer is not a success.
pub(crate) fn run(
    address: SocketAddr,
    protocol: Protocol,
    sessions: &[String],
    clients: usize,
    until: Until,
) -> Result<Sample> {
    if sessions.is_empty() {
        bail!("there is no session to append to");
    }
    let start = Barrier::new(clients);
    let parts = thread::scope(|scope| {
        let running: Vec<_> = (0..clients)
            .map(|client| {
                let first = client % sessions.len();
                let mine: Vec<&str> =
                    sessions.iter().skip(first).step_by(clients).map(String::as_str).collect();
                let start = &start;
                scope.spawn(move || one_client(address, protocol, &mine, start, until))
            })
            .collect();
        running.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut sample = Sample::default();
    let mut spans = Vec::new();
    for part in parts {
        let part = part.map_err(|_| anyhow!("a client panicked"))??;
        sample.latencies.extend(part.latencies);
        sample.answers += part.answers;
        spans.extend(part.span);
    }
    sample.time = match until {
        Until::Time(time) => time,
        Until::Count(_) => {
            let began = spans.iter().map(|(began, _)| *began).min();
            let ended = spans.iter().map(|(_, ended)| *ended).max();
            began.zip(ended).map(|(began, ended)| ended - began).unwrap_or_default()
        }
    };
    Ok(sample)
}

fn one_client(
    address: SocketAddr,
    protocol: Protocol,
    sessions: &[&str],
    start: &Barrier,
    until: Until,
) -> Result<Part> {
    let client = Client::open(address, protocol);
    let mut requests: Vec<_> =
        sessions.iter().map(|session| (*session, Request::new(address, session))).collect();
    // Before the first error can end this client: the others wait for it here.
    start.wait();
    let mut client = client?;
    let began = Instant::now();
    let (warm, end, mut left) = match until {
        Until::Time(time) => (began + WARM_UP, Some(began + WARM_UP + time), usize::MAX),
        Until::Count(count) => (began, None, count),
    };
    let mut part = Part::default();
    loop {
        for (session, request) in &mut requests {
            let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
            let sent = Instant::now();
            if left == 0 || end.is_some_and(|end| sent >= end) {
                part.span = Some((began, sent));
                return Ok(part);
            }
            client.append(session, request, number)?;
            left -= 1;
            part.answers += 1;
            if sent >= warm {
                part.latencies.push(sent.elapsed());
            }
        }
    }
}

impl Client {
    fn open(address: SocketAddr, protocol: Protocol) -> Result<Self> {
        Ok(match protocol {
            Protocol::Rest => Self::Rest(Http1::open(address)?),
            Protocol::Grpc => Self::Grpc(Http2::open(address)?, request::text()),
        })
    }

    fn append(&mut self, session: &str, request: &mut Request, number: u64) -> Result<()> {
        match self {
            Self::Rest(connection) => connection.exchange(request.numbered(number)).map(drop),
            Self::Grpc(connection, text) => {
                let message = request::append_message(session, text, number);
                connection.call(APPEND, &message).map(drop)
            }
        }
    }
}

/// Sends `requests` over `clients` connections, in no order, as fast as they are answered.
///
/// # Errors
/// When a connection breaks or an answer is not a success.
pub(crate) fn send_all(
    address: SocketAddr,
    clients: usize,
    count: usize,
    request: impl Fn(usize) -> Vec<u8> + Sync,
) -> Result<()> {
    let next = AtomicU64::new(0);
    let parts = thread::scope(|scope| {
        let one = || -> Result<()> {
            let mut connection = Http1::open(address)?;
            loop {
                let number = usize::try_from(next.fetch_add(1, Ordering::Relaxed))?;
                if number >= count {
                    return Ok(());
                }
                connection.exchange(&request(number))?;
            }
        };
        let running: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
        running.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    for part in parts {
        part.map_err(|_| anyhow!("a client panicked"))??;
    }
    Ok(())
}
