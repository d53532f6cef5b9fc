//! A kept HTTP/2 connection for gRPC that does as little as it can: one call at a time, headers that are the same
//! bytes each time, and of what comes back only the frames, never the header tables.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result, bail};

use super::load::ANSWER_LIMIT;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
/// No push (2), windows of streams of 16 MiB (4), frames of up to 1 MiB (5).
const OUR_SETTINGS: &[u8] = &[0, 2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 5, 0, 16, 0, 0];
/// How much the connection may receive before it grants as much again.
const WINDOW: u32 = 1 << 29;
const FRAME_HEAD: usize = 9;
/// The mark and the length before a gRPC message.
const MESSAGE_HEAD: usize = 5;
/// What fits a frame that every server takes.
const LARGEST_FRAME: usize = 16 << 10;

/// A connection.
#[derive(Debug)]
pub(crate) struct Http2 {
    stream: BufReader<TcpStream>,
    authority: String,
    next_stream: u32,
    /// Bytes that came since the last grant.
    received: u32,
    out: Vec<u8>,
    payload: Vec<u8>,
    body: Vec<u8>,
}

/// A frame's head; its payload is in the connection's buffer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    length: u32,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Http2 {
    /// Connects and says what it takes.
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).context("cannot connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let mut connection = Self {
            stream: BufReader::with_capacity(64 << 10, stream),
            authority: address.to_string(),
            next_stream: 1,
            received: 0,
            out: PREFACE.to_vec(),
            payload: Vec::new(),
            body: Vec::new(),
        };
        frame(&mut connection.out, SETTINGS, 0, 0, OUR_SETTINGS)?;
        frame(&mut connection.out, WINDOW_UPDATE, 0, 0, &WINDOW.to_be_bytes())?;
        connection.send()?;
        Ok(connection)
    }

    /// Makes a unary call and gives back the answered message. A refusal has no message, so one that comes is a
    /// success.
    pub(crate) fn call(&mut self, path: &str, message: &[u8]) -> Result<&[u8]> {
        let stream = self.next_stream;
        self.next_stream += 2;
        let headers = header_block(path, &self.authority)?;
        frame(&mut self.out, HEADERS, END_HEADERS, stream, &headers)?;
        let length = u32::try_from(message.len())?.to_be_bytes();
        let framed = [&[0][..], &length, message].concat();
        frame(&mut self.out, DATA, END_STREAM, stream, &framed)?;
        self.send()?;
        self.body.clear();
        loop {
            let head = self.receive()?;
            let ours = head.stream == stream;
            match head.kind {
                DATA if ours => {
                    if head.flags & PADDED != 0 {
                        bail!("a padded frame, which is not understood here");
                    }
                    self.body.extend_from_slice(&self.payload);
                }
                RST_STREAM if ours => bail!("the server ended the call: {:?}", self.payload),
                GOAWAY => bail!("the server is closing the connection: {:?}", self.payload),
                SETTINGS if head.flags & ACK == 0 => frame(&mut self.out, SETTINGS, ACK, 0, &[])?,
                PING if head.flags & ACK == 0 => frame(&mut self.out, PING, ACK, 0, &self.payload)?,
                _ => {}
            }
            if ours && matches!(head.kind, DATA | HEADERS) && head.flags & END_STREAM != 0 {
                break;
            }
        }
        match self.body.get(MESSAGE_HEAD..) {
            Some(answer) => Ok(answer),
            None => bail!("not a success: {}", String::from_utf8_lossy(&self.payload)),
        }
    }

    /// Sends what has been put together.
    fn send(&mut self) -> Result<()> {
        self.stream.get_mut().write_all(&self.out).context("cannot send")?;
        self.out.clear();
        Ok(())
    }

    /// Reads a frame, and grants the server more room when half of it is used.
    fn receive(&mut self) -> Result<Head> {
        let mut bytes = [0; FRAME_HEAD];
        self.stream.read_exact(&mut bytes).context("no answer")?;
        let head = head(bytes);
        self.payload.resize(usize::try_from(head.length)?, 0);
        self.stream.read_exact(&mut self.payload).context("no whole answer")?;
        if head.kind == DATA {
            self.received += head.length;
        }
        if self.received > WINDOW / 2 {
            frame(&mut self.out, WINDOW_UPDATE, 0, 0, &self.received.to_be_bytes())?;
            self.received = 0;
            self.send()?;
        }
        Ok(head)
    }
}

fn head([a, b, c, kind, flags, s0, s1, s2, s3]: [u8; FRAME_HEAD]) -> Head {
    Head {
        length: u32::from_be_bytes([0, a, b, c]),
        kind,
        flags,
        stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]),
    }
}

/// Puts a frame behind others.
fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<()> {
    if payload.len() > LARGEST_FRAME {
        bail!("{} bytes are more than a frame holds", payload.len());
    }
    let [_, a, b, c] = u32::try_from(payload.len())?.to_be_bytes();
    out.extend_from_slice(&[a, b, c, kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    Ok(())
}

/// The headers of a gRPC call, by entries of HPACK's static table and texts that no table keeps.
fn header_block(path: &str, authority: &str) -> Result<Vec<u8>> {
    // :method POST, :scheme http
    let mut block = vec![0x83, 0x86];
    let mut text = |name: &[u8], value: &str| -> Result<()> {
        // Longer lengths take more than one byte, and are not needed.
        let length = u8::try_from(value.len()).ok().filter(|length| *length < 0x7f);
        block.extend_from_slice(name);
        block.push(length.with_context(|| format!("{value:?} is too long for a header here"))?);
        block.extend_from_slice(value.as_bytes());
        Ok(())
    };
    text(&[0x04], path)?;
    text(&[0x01], authority)?;
    text(&[0x0f, 0x10], "application/grpc")?;
    text(&[0x00, 2, b't', b'e'], "trailers")?;
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_they_are_written() {
        let mut out = Vec::new();
        frame(&mut out, DATA, END_STREAM, 0x7fff_fffd, b"abc").expect("small");
        let start = out[..FRAME_HEAD].try_into().expect("a head");
        assert_eq!(head(start), Head { length: 3, kind: DATA, flags: END_STREAM, stream: 0x7fff_fffd });
        assert_eq!(&out[FRAME_HEAD..], b"abc");
        assert!(frame(&mut out, DATA, 0, 1, &[0; LARGEST_FRAME + 1]).is_err());
    }

    #[test]
    fn long_headers_are_refused() {
        assert!(header_block(&"p".repeat(126), "a").is_ok());
        assert!(header_block(&"p".repeat(127), "a").is_err());
    }
}
