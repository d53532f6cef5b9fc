//! The load: blocking clients, each sending its next append when the last is answered.
//!
//! The generator shares the machine with the server, so it does next to nothing: bytes that were built
//! before, one write, one read, one comparison.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

use super::request::{FIRST_NUMBER, Request};

/// Before the measurement: connections are made, and the server has warm caches.
const WARM_UP: Duration = Duration::from_millis(300);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
const STATUS: &[u8] = b"HTTP/1.1 200 ";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Never used twice in this process, so that every append is another event.
static NUMBERS: AtomicU64 = AtomicU64::new(FIRST_NUMBER);

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// How long it measured.
    pub time: Duration,
    /// How long each append took that began in that time.
    pub latencies: Vec<Duration>,
    /// All appends, the warm-up's too.
    pub answers: u64,
    /// What the server's process used for all of them.
    pub server_cpu: Duration,
}

/// Appends from `clients` connections for `time`, after a warm-up.
///
/// # Errors
/// When a connection breaks or an answer is not a success.
pub(crate) fn run(
    address: SocketAddr,
    sessions: &[String],
    clients: usize,
    time: Duration,
) -> Result<Sample> {
    let host = address.to_string();
    let start = Barrier::new(clients);
    let parts = thread::scope(|scope| {
        let running: Vec<_> = (0..clients)
            .map(|client| {
                let mine = sessions.iter().skip(client).step_by(clients);
                let requests: Vec<Request> = mine.map(|session| Request::new(&host, session)).collect();
                let start = &start;
                scope.spawn(move || one_client(address, requests, start, time))
            })
            .collect();
        running.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut sample = Sample { time, latencies: Vec::new(), answers: 0, server_cpu: Duration::ZERO };
    for part in parts {
        let (latencies, answers) = part.map_err(|_| anyhow!("a client panicked"))??;
        sample.latencies.extend(latencies);
        sample.answers += answers;
    }
    Ok(sample)
}

/// One client's latencies in the measured time, and the count of all its answers.
fn one_client(
    address: SocketAddr,
    mut requests: Vec<Request>,
    start: &Barrier,
    time: Duration,
) -> Result<(Vec<Duration>, u64)> {
    let connection = Connection::open(address);
    // Before the first error can end this client: the others wait for it here.
    start.wait();
    let mut connection = connection?;
    let warm = Instant::now() + WARM_UP;
    let end = warm + time;
    let mut latencies = Vec::new();
    let mut answers = 0;
    loop {
        // Every session in turn; without any there is nothing to do.
        if requests.is_empty() {
            bail!("there are more clients than sessions");
        }
        for request in &mut requests {
            let bytes = request.numbered(NUMBERS.fetch_add(1, Ordering::Relaxed));
            let sent = Instant::now();
            if sent >= end {
                return Ok((latencies, answers));
            }
            connection.exchange(bytes)?;
            answers += 1;
            if sent >= warm {
                latencies.push(sent.elapsed());
            }
        }
    }
}

/// A kept connection.
struct Connection {
    stream: TcpStream,
    buffer: [u8; 4096],
    /// How every whole answer ends: the blank line and the body, learnt from the first.
    ending: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).context("cannot connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        Ok(Self { stream, buffer: [0; 4096], ending: Vec::new() })
    }

    /// Sends a request and reads its answer to the end.
    fn exchange(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).context("cannot send")?;
        let mut length = 0;
        loop {
            let Some(room) = self.buffer.get_mut(length..).filter(|room| !room.is_empty()) else {
                bail!("an answer of more than {length} bytes");
            };
            let read = self.stream.read(room).context("no answer")?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            length += read;
            let answer = self.buffer.get(..length).unwrap_or_default();
            if self.ending.is_empty() {
                let Some(ending) = ending_of(answer)? else { continue };
                self.ending = ending.to_vec();
            }
            if answer.ends_with(&self.ending) {
                if !answer.starts_with(STATUS) {
                    bail!("not a success: {}", String::from_utf8_lossy(answer));
                }
                return Ok(());
            }
            if answer.len() >= STATUS.len() && !answer.starts_with(STATUS) {
                bail!("not a success: {}", String::from_utf8_lossy(answer));
            }
        }
    }
}

/// The end of a whole answer, from its blank line on; `None` while some of it is still to come.
fn ending_of(answer: &[u8]) -> Result<Option<&[u8]>> {
    let Some(end_of_head) = answer.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD) else {
        return Ok(None);
    };
    let (head, ending) = answer.split_at(end_of_head);
    let head = String::from_utf8_lossy(head);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.with_context(|| format!("an answer without a length: {head}"))?;
    Ok((ending.len() >= END_OF_HEAD.len() + length).then_some(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_is_known_once_the_answer_is_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: x\r\n\r\n{}\n";
        for cut in 0..answer.len() {
            assert_eq!(ending_of(&answer[..cut]).expect("no error"), None, "{cut}");
        }
        assert_eq!(ending_of(answer).expect("no error"), Some(&b"\r\n\r\n{}\n"[..]));
        assert!(ending_of(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
