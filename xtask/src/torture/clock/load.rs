//! Appends in the foreground, and how long they take.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use super::sessions::{Client, Presence};

/// Who appends at the same time.
const WRITERS: usize = 4;
/// Who makes sessions at the same time.
const MAKERS: usize = 16;
/// One in so many sessions is given an event.
const EVENT_EVERY: usize = 4;

/// What appends did.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    /// The acknowledged ones: session, number, in the order of each writer.
    pub acknowledged: Vec<(String, u64)>,
    latencies: Vec<Duration>,
}

impl Load {
    /// The time that one in a hundred exceeds.
    pub(super) fn p99(&self) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() * 99 / 100).copied().unwrap_or_default()
    }
}

/// Makes sessions `prefix-0`, `prefix-1`, … that live for so many seconds.
pub(super) fn make(url: &str, engine: &str, prefix: &str, count: usize, ttl: Option<u64>) -> Result<()> {
    let make = |maker: usize| -> Result<()> {
        let client = Client::new(url, engine);
        for number in (maker..count).step_by(MAKERS) {
            let id = format!("{prefix}-{number}");
            client.create(&id, ttl)?;
            if number % EVENT_EVERY == 0 && client.append(&id, 0)? == Presence::Gone {
                bail!("session {id} is gone as soon as it was made");
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..MAKERS).map(|maker| scope.spawn(move || make(maker))).collect();
        running.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("a maker panicked"))?)
    })
}

/// Appends to sessions, whose first events have the numbers from `first` on, for as long as `work` takes.
pub(super) fn append_during<T>(
    url: &str,
    engine: &str,
    sessions: &[String],
    first: &AtomicU64,
    work: impl FnOnce() -> Result<T>,
) -> Result<(Load, T)> {
    let done = AtomicBool::new(false);
    let append = |writer: usize| -> Result<Load> {
        let client = Client::new(url, engine);
        let mut load = Load::default();
        let mut turn = writer;
        while !done.load(Ordering::Relaxed) {
            let Some(session) = sessions.get(turn % sessions.len().max(1)) else { break };
            let number = first.fetch_add(1, Ordering::Relaxed);
            let asked = Instant::now();
            if client.append(session, number)? == Presence::Gone {
                bail!("the live session {session} refused an append");
            }
            load.latencies.push(asked.elapsed());
            load.acknowledged.push((session.clone(), number));
            turn += WRITERS;
        }
        Ok(load)
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || append(writer))).collect();
        let worked = work();
        done.store(true, Ordering::Relaxed);
        let mut whole = Load::default();
        for one in running {
            let part = one.join().map_err(|_| anyhow!("a writer panicked"))??;
            whole.acknowledged.extend(part.acknowledged);
            whole.latencies.extend(part.latencies);
        }
        Ok((whole, worked?))
    })
}
