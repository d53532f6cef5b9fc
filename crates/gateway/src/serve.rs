//! The accept loop: HTTP/1.1 and HTTP/2 on one port, bounded, drained at the end.

use std::convert::Infallible;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

use crate::app::App;

/// How long a client may take to send the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of headers.
const HEAD_BYTES: usize = 64 << 10;
/// How many connections are open at once; more wait to be accepted.
const CONNECTIONS: usize = 8192;
/// How many requests one HTTP/2 connection may have under way.
const STREAMS: u32 = 256;
/// How much of a body may be under way unread.
const WINDOW: u32 = 1 << 20;
/// How long open requests may take once the server is to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves `app` until `stop` resolves, then lets open requests end.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    let server = connection_builder();
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    let mut health = std::pin::pin!(app.watch_health());
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            () = &mut health => continue,
            accepted = accept(&listener, &slots) => accepted,
        };
        let Some((stream, peer, slot)) = accepted else { continue };
        let app = Arc::clone(&app);
        let spoken = Arc::new(Notify::new());
        let speaks = Arc::clone(&spoken);
        let service = service_fn(move |request| {
            let app = Arc::clone(&app);
            speaks.notify_one();
            async move { Ok::<_, Infallible>(app.answer(request, peer).await) }
        });
        let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        // Held by the graceful shutdown below: it ends when the connection does.
        tokio::spawn(async move {
            if let Err(error) = unless_silent(connection, &spoken).await {
                tracing::debug!(%peer, %error, "connection ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    app.stopping().await;
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way {} seconds after the stop", DRAIN.as_secs());
    }
}

/// Ends a connection over which no request has come in time: the timers of the protocols begin only once it is
/// known which one is spoken.
async fn unless_silent<E: Display>(
    connection: impl Future<Output = Result<(), E>>,
    spoken: &Notify,
) -> Result<(), String> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = &mut connection => return ended.map_err(|error| error.to_string()),
        () = spoken.notified() => {}
        () = tokio::time::sleep(HEAD_PATIENCE) => return Err("no request came".to_owned()),
    }
    connection.await.map_err(|error| error.to_string())
}

type Accepted = (tokio::net::TcpStream, std::net::SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection, once there is a slot for it.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<Accepted> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are small and whole: waiting to fill a segment only adds latency.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%peer, %error, "TCP_NODELAY is not set");
            }
            Some((stream, peer, slot))
        }
        Err(error) => {
            // Mostly "too many open files": give others the time to close some.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

fn connection_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_BYTES.max(512 << 10));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES as u32)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_ends_and_one_that_spoke_goes_on() {
        let spoken = Notify::new();
        let never = std::future::pending::<Result<(), String>>;
        assert!(unless_silent(never(), &spoken).await.is_err());
        spoken.notify_one();
        let much_later = tokio::time::timeout(10 * HEAD_PATIENCE, unless_silent(never(), &spoken)).await;
        assert!(much_later.is_err(), "it was still open");
    }
}
