//! TCP proxies that stand between two programs and do to their connections what networks do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

const BUFFER: usize = 16 << 10;

/// What proxies run on.
#[derive(Debug)]
pub(crate) struct Network(Runtime);

/// A proxy. Its connections end with the network.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: Mutex<SocketAddr>,
    /// How often connections were cut, how often they were forgotten, and how often that was ended.
    fate: watch::Sender<Fate>,
    drops_replies: bool,
    dropped: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    cuts: u64,
    silences: u64,
    ends: u64,
}

impl Network {
    /// One without proxies.
    pub(crate) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.map(Self).context("cannot start what proxies run on")
    }

    /// Listens on a free loopback port and passes on to `target` whatever comes.
    pub(crate) fn proxy(&self, target: SocketAddr) -> Result<Proxy> {
        self.start(target, false)
    }

    /// The same, but whenever `target` begins to answer, the connection is closed at both ends: what was asked has
    /// been done, and nobody is told.
    pub(crate) fn proxy_that_drops_replies(&self, target: SocketAddr) -> Result<Proxy> {
        self.start(target, true)
    }

    fn start(&self, target: SocketAddr, drops_replies: bool) -> Result<Proxy> {
        let listener = self.0.block_on(TcpListener::bind("127.0.0.1:0")).context("cannot listen")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            fate: watch::Sender::new(Fate::default()),
            drops_replies,
            dropped: AtomicU64::new(0),
        });
        self.0.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Proxy { address, shared })
    }
}

impl Proxy {
    /// Where it passes new connections on to.
    pub(crate) fn point_at(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    /// Closes all connections at both ends; new ones are passed on.
    pub(crate) fn cut(&self) {
        self.shared.fate.send_modify(|fate| fate.cuts += 1);
    }

    /// Passes nothing on any more, in either direction, of the connections that there are, which stay open; new ones
    /// are passed on. They stay so until they are cut.
    pub(crate) fn silence(&self) {
        self.shared.fate.send_modify(|fate| fate.silences += 1);
    }

    /// Closes the connections of which nothing is passed on, at both ends.
    pub(crate) fn cut_silent(&self) {
        self.shared.fate.send_modify(|fate| fate.ends += 1);
    }

    /// How many replies were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        // A connection that could not be accepted is the caller's to make again.
        if let Ok((client, _)) = listener.accept().await {
            let fate = shared.fate.subscribe();
            tokio::spawn(pass(client, Arc::clone(&shared), fate));
        }
    }
}

/// One connection: ends with the first of its two ends.
async fn pass(mut client: TcpStream, shared: Arc<Shared>, mut fate: watch::Receiver<Fate>) {
    let born = *fate.borrow_and_update();
    let target = *shared.target.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    // Both fail only on connections that are gone.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let is_silent = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            () = pump(from_client, to_server) => false,
            () = reply(from_server, to_client, &shared) => false,
            ended = fate.wait_for(|now| now.cuts != born.cuts || now.silences != born.silences) => {
                ended.is_ok_and(|now| now.cuts == born.cuts)
            }
        }
    };
    if is_silent {
        // Both stay open meanwhile, and nobody reads them. It fails when the proxy is gone, which is a cut too.
        let _ = fate.wait_for(|now| now.cuts != born.cuts || now.ends != born.ends).await;
    }
}

async fn reply(mut from: ReadHalf<'_>, to: WriteHalf<'_>, shared: &Shared) {
    if shared.drops_replies {
        // The first byte of an answer comes after all that was done for it.
        if matches!(from.read(&mut [0; 1]).await, Ok(1)) {
            shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    } else {
        pump(from, to).await;
    }
}

/// Until either end closes.
async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        let Some(bytes) = buffer.get(..count) else { return };
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;

    fn pair(listener: &TcpListener, proxy: &Proxy) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(proxy.address).unwrap();
        let (server, _) = listener.accept().unwrap();
        for end in [&client, &server] {
            end.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        }
        (client, server)
    }

    fn say(from: &mut TcpStream, to: &mut TcpStream) {
        from.write_all(b"word").unwrap();
        let mut heard = [0; 4];
        to.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"word");
    }

    /// Whether the other end closed it, in whatever way.
    fn is_closed(end: &mut TcpStream) -> bool {
        match end.read(&mut [0; 1]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }

    #[test]
    fn a_proxy_passes_on_cuts_and_goes_silent() {
        let network = Network::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = network.proxy(listener.local_addr().unwrap()).unwrap();
        let (mut client, mut server) = pair(&listener, &proxy);
        say(&mut client, &mut server);
        say(&mut server, &mut client);
        proxy.cut();
        assert!(is_closed(&mut client) && is_closed(&mut server));

        let (mut client, mut server) = pair(&listener, &proxy);
        say(&mut client, &mut server);
        proxy.silence();
        let (mut other, mut there) = pair(&listener, &proxy);
        say(&mut other, &mut there);
        client.write_all(b"word").unwrap();
        server.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!(!is_closed(&mut server), "it is open, and nothing comes");
        proxy.cut_silent();
        assert!(is_closed(&mut client) && is_closed(&mut server));
        say(&mut other, &mut there);
    }

    #[test]
    fn a_reply_is_dropped_once_there_is_one() {
        let network = Network::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = network.proxy_that_drops_replies(listener.local_addr().unwrap()).unwrap();
        let (mut client, mut server) = pair(&listener, &proxy);
        say(&mut client, &mut server);
        assert_eq!(proxy.dropped(), 0);
        server.write_all(b"word").unwrap();
        assert!(is_closed(&mut client));
        assert_eq!(proxy.dropped(), 1);
    }
}
