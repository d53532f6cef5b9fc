//! A kept HTTP/1.1 connection that does as little as it can: the generator shares the machine with the server.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result, bail};

use super::load::ANSWER_LIMIT;

const STATUS: &[u8] = b"HTTP/1.1 200 ";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// What the buffer grows by.
const STEP: usize = 64 << 10;

/// A connection.
#[derive(Debug)]
pub(crate) struct Http1 {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Http1 {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).context("cannot connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        Ok(Self { stream, buffer: vec![0; STEP] })
    }

    /// Sends a request, reads its answer to the end, and gives back the body of a success.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).context("cannot send")?;
        let mut length = 0;
        let mut body = None;
        loop {
            if length == self.buffer.len() {
                self.buffer.resize(length + STEP.max(length), 0);
            }
            let read =
                self.stream.read(self.buffer.get_mut(length..).unwrap_or_default()).context("no answer")?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            length += read;
            let answer = self.buffer.get(..length).unwrap_or_default();
            if body.is_none() {
                body = body_of(answer)?;
            }
            let Some((start, end)) = body else { continue };
            if length < end {
                continue;
            }
            if !answer.starts_with(STATUS) {
                bail!("not a success: {}", String::from_utf8_lossy(answer));
            }
            return Ok(self.buffer.get(start..end).unwrap_or_default());
        }
    }
}

/// A `GET` as bytes.
pub(crate) fn get(address: SocketAddr, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes()
}

/// A `POST` of JSON as bytes.
pub(crate) fn post(address: SocketAddr, path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Where the body of an answer begins and ends; `None` while its head is still to come.
fn body_of(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(end_of_head) = answer.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD) else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(answer.get(..end_of_head).unwrap_or_default());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.with_context(|| format!("an answer without a length: {head}"))?;
    let start = end_of_head + END_OF_HEAD.len();
    Ok(Some((start, start + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_found_once_the_head_is_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: x\r\n\r\n{}\n";
        let head = answer.len() - 3;
        for cut in 0..head {
            assert_eq!(body_of(&answer[..cut]).expect("no error"), None, "{cut}");
        }
        assert_eq!(body_of(&answer[..head]).expect("no error"), Some((head, answer.len())));
        assert!(body_of(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
