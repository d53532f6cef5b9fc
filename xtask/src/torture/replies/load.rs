//! Writers who send each append until they are told that it was done, while servers are killed and answers lost.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::once::{Write, event};
use super::servers::Servers;
use crate::crash::append::Append;
use crate::crash::verify::list_events;
use crate::random::SplitMix;
use crate::rest::{Failure, Name, Rest};

const WRITERS: usize = 16;
/// How often a server is killed, or something else done to it.
const DISTURBANCES: u32 = 4;
/// Between two of those, in milliseconds.
const SHORTEST_MS: u64 = 300;
const LONGEST_MS: u64 = 900;
/// How long an append may take until it is acknowledged at last.
const PATIENCE: Duration = Duration::from_secs(60);
/// Before an append is sent again that was refused, in milliseconds.
const REST_MS: u64 = 20;

/// What a load did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// Appends that were acknowledged.
    pub acknowledged: u64,
    /// How often they were sent beyond the first time.
    pub retries: u64,
}

/// Writes while `disturb` does something again and again, and checks that each append is there once, in order.
///
/// # Errors
/// When one is not, or an answer comes that there must not be.
pub(crate) fn check(
    servers: &Servers<'_>,
    engine: &str,
    random: &mut SplitMix,
    disturb: impl Fn(u32) -> Result<()>,
) -> Result<Done> {
    let clear = servers.ways().first().context("there is no server")?.clear();
    let session = |name: &str| clear.create_session(engine, name, "user").context("cannot create a session");
    let shared = session("shared")?;
    let own: Vec<String> =
        (0..WRITERS).map(|writer| session(&format!("own-{writer}"))).collect::<Result<_>>()?;
    let (is_over, retries) = (AtomicBool::new(false), AtomicU64::new(0));
    let (disturbed, written) = thread::scope(|scope| {
        let writers: Vec<_> = own
            .iter()
            .enumerate()
            .map(|(writer, own)| {
                let (is_over, retries, shared) = (&is_over, &retries, shared.as_str());
                let random = SplitMix::new(random.next());
                scope.spawn(move || write(servers, writer, [own, shared], random, is_over, retries))
            })
            .collect();
        let disturbed = (0..DISTURBANCES).try_for_each(|number| {
            thread::sleep(Duration::from_millis(SHORTEST_MS + random.below(LONGEST_MS - SHORTEST_MS)));
            disturb(number)
        });
        is_over.store(true, Ordering::Relaxed);
        let written: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        (disturbed, written)
    });
    disturbed?;
    let mut acknowledged = 0;
    let mut want_shared = HashMap::new();
    for (writer, (written, own)) in written.into_iter().zip(&own).enumerate() {
        let count = written.map_err(|_| anyhow::anyhow!("a writer panicked"))??;
        acknowledged += count;
        // Odd ones go to the session that all share.
        each_is_there_once(&clear, own, &HashMap::from([(writer, numbers(count, 0))]))?;
        want_shared.insert(writer, numbers(count, 1));
    }
    each_is_there_once(&clear, &shared, &want_shared)?;
    ensure!(acknowledged > 0 && retries.load(Ordering::Relaxed) > 0, "nothing had to be sent again");
    Ok(Done { acknowledged, retries: retries.into_inner() })
}

/// The numbers from 1 to `count` that leave this rest when halved.
fn numbers(count: u64, rest: u64) -> Vec<u64> {
    (1..=count).filter(|number| number % 2 == rest).collect()
}

/// Appends one event after the other, each until it is acknowledged; how many.
fn write(
    servers: &Servers<'_>,
    writer: usize,
    sessions: [&str; 2],
    mut random: SplitMix,
    is_over: &AtomicBool,
    retries: &AtomicU64,
) -> Result<u64> {
    let clients: Vec<[Rest; 2]> = servers.ways().iter().map(|ways| [ways.clear(), ways.lossy()]).collect();
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        let append = Append { writer, number };
        let name =
            if random.below(2) == 0 { Name::Header(append.id()) } else { Name::Parameter(append.id()) };
        let session = if number % 2 == 0 { sessions[0] } else { sessions[1] };
        let write = Write::append(session, event(&append.id()), name);
        let started = Instant::now();
        loop {
            let (server, way) = (random.index(clients.len()), random.index(2));
            let Some(rest) = clients.get(server).and_then(|ways| ways.get(way)) else {
                bail!("there is no server");
            };
            match write.send(rest) {
                Ok(answer) if answer == json!({}) => break,
                Err(Failure::Unanswered(_)) => {}
                Err(Failure::Refused(503, _)) => thread::sleep(Duration::from_millis(random.below(REST_MS))),
                other => bail!("{} was answered {other:?}", append.id()),
            }
            if started.elapsed() > PATIENCE {
                bail!("{} was not acknowledged in {} s", append.id(), PATIENCE.as_secs());
            }
            retries.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(number)
}

/// Each writer's appends in a session are these, in this order, and there are no others.
fn each_is_there_once(rest: &Rest, session: &str, want: &HashMap<usize, Vec<u64>>) -> Result<()> {
    let mut found: HashMap<usize, Vec<u64>> = want.keys().map(|writer| (*writer, Vec::new())).collect();
    let events = list_events(rest, session)?;
    for listed in &events {
        let id = listed.get("invocationId").and_then(Value::as_str).unwrap_or_default();
        let append = Append::from_id(id).with_context(|| format!("nobody sent {listed}"))?;
        let numbers = found.get_mut(&append.writer).with_context(|| format!("nobody sent {id} there"))?;
        numbers.push(append.number);
    }
    for (writer, want) in want {
        let found = found.get(writer).map_or(&[][..], Vec::as_slice);
        ensure!(found == want, "the appends of writer {writer} in {session} are {found:?}, not {want:?}");
    }
    // The state is that of the last event.
    let last = events.last().and_then(|event| event.get("invocationId")).cloned().unwrap_or_default();
    let state = rest.get(session)?.pointer("/sessionState/last").cloned().unwrap_or_default();
    ensure!(last == state, "the state of {session} is of {state}, and its last event is {last}");
    Ok(())
}
