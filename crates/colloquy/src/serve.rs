//! Running the server: store, service, port, upkeep, and an orderly end.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use colloquy_gateway::{App, serve};
use colloquy_sessions::Service;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::null_append::NullAppend;
use crate::settings::{LogFormat, Settings};
use crate::store::Opened;
use crate::system::{SystemClock, SystemRandom};

/// How long upkeep rests when there is nothing to do.
const UPKEEP_REST: Duration = Duration::from_secs(2);
/// How long it rests between two bounded steps, so that writes of callers come between.
const UPKEEP_PACE: Duration = Duration::from_millis(5);

/// Runs until SIGTERM or Ctrl-C.
pub(crate) fn run(settings: Settings) -> Result<()> {
    start_log(&settings)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(run_until_stopped(settings))
}

async fn run_until_stopped(settings: Settings) -> Result<()> {
    // Taken before anything is said to be ready: a stop that comes early is not lost.
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;

    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("listening on {}", settings.listen))?;
    let opened = Opened::open(&settings.place, settings.sqlite.clone()).await?;
    let mut store = opened.store();
    if settings.bench_null_append {
        store = Arc::new(NullAppend::over(store));
    }
    let service = Arc::new(Service::new(
        store,
        Arc::new(SystemClock::start()),
        Arc::new(SystemRandom),
        settings.service.clone(),
    ));
    let app = Arc::new(App::new(Arc::clone(&service), settings.http)?);
    announce(&settings, &listener)?;

    let upkeep = tokio::spawn(keep_up(Arc::clone(&service)));
    serve::serve(listener, app, async {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("stopping: SIGTERM"),
            _ = interrupt.recv() => tracing::info!("stopping: interrupted"),
        }
    })
    .await;
    upkeep.abort();
    opened.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Frees what is expired, deleted or forgotten, step by step, for as long as the server runs.
async fn keep_up(service: Arc<Service>) {
    loop {
        let rest = match service.upkeep().await {
            Ok(progress) if progress.more => UPKEEP_PACE,
            Ok(_) => UPKEEP_REST,
            Err(error) => {
                tracing::warn!(cause = error.cause().unwrap_or_default(), "upkeep failed: {error}");
                UPKEEP_REST
            }
        };
        tokio::time::sleep(rest).await;
    }
}

/// Says where the server is, for people and for programs that started it.
#[expect(clippy::print_stdout, reason = "this is what stdout is for; the log goes to stderr")]
fn announce(settings: &Settings, listener: &TcpListener) -> Result<()> {
    let address = listener.local_addr().context("reading the address")?;
    println!("Colloquy {}", env!("CARGO_PKG_VERSION"));
    println!("data in {}", settings.place);
    println!("listening on http://{address}");
    println!(
        "try: curl -X POST http://{address}/v1beta1/projects/demo/locations/us-central1/reasoningEngines -H 'Content-Type: application/json' -d '{{\"displayName\": \"demo\"}}'"
    );
    std::io::Write::flush(&mut std::io::stdout()).context("writing to stdout")
}

/// A level, or a filter. A lone word is a level: taken for a filter, a misspelt one would name a target that
/// nobody writes to, and silence the log.
fn log_filter(text: &str) -> Result<EnvFilter> {
    if !text.contains(['=', ',', '[']) {
        text.parse::<LevelFilter>()?;
    }
    Ok(EnvFilter::try_new(text)?)
}

fn start_log(settings: &Settings) -> Result<()> {
    let filter = log_filter(&settings.log_level)
        .with_context(|| format!("{:?} is not a log level", settings.log_level))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match settings.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
