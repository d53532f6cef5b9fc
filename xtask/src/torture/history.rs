//! Concurrent clients, everything that they asked and were answered, and a model that must explain it.
//!
//! A few clients do all kinds of things to a few sessions at the same time: on SQLite, and through two servers on one
//! PostgreSQL. In every other history a server is killed meanwhile, so that some outcomes are not known. Afterwards the
//! history must be linearisable (see [`model`]), and hold to what [`validate`] checks besides.

mod check;
mod client;
mod model;
mod operation;
mod rows;
mod search;
mod validate;
mod wire;

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

use self::check::{Checked, SharedKeys};
use self::client::{Client, Nodes, SLOTS, Scene, USERS};
use self::operation::{Answer, Call, Id, Record, Slot};
use self::rows::Rows;
use self::validate::Walk;
use super::{Tally, Trial};
use crate::postgres::Postgres;
use crate::random::SplitMix;
use crate::rest::Rest;
use crate::server::{QUIET, Server};
use crate::workspace::Workspace;

/// Histories of each store in the short form.
const HISTORIES: u32 = 4;
/// Clients at a time; one more makes the sessions and reads everything at the end.
const CLIENTS: usize = 6;
/// What each client asks in a history; a walk over pages counts once.
const ASKED: usize = 120;
/// Before a kill, in milliseconds, after the clients began.
const KILL_AFTER_MS: (u64, u64) = (50, 400);
/// How many problems are printed; the rest are only counted.
const SHOWN: usize = 5;

/// Where histories happen.
enum Store<'a> {
    Sqlite(&'a Path),
    Postgres(&'a Postgres),
}

/// Servers of one store.
struct Cluster<'a> {
    store: Store<'a>,
    binary: &'a Path,
    /// For data and logs.
    folder: &'a Path,
    servers: Vec<Option<Server>>,
    /// Counts the servers that were started.
    started: u64,
}

/// A history, finished.
#[derive(Default)]
struct History {
    records: Vec<Record>,
    walks: Vec<Walk>,
    rows: BTreeMap<Slot, Rows>,
}

/// Runs histories on both stores in turn.
///
/// # Errors
/// When no order of a history's operations explains their answers, or a promise is broken besides; with an excerpt.
pub(crate) fn trial(trial: &Trial<'_>) -> Result<Tally> {
    let postgres = Postgres::start(trial.workspace)?;
    let mut random = SplitMix::new(trial.seed);
    let mut total = Tally::default();
    let (mut operations, mut only_alone) = (0, 0);
    let mut done = 0;
    while trial.goes_on(done, HISTORIES) {
        for name in ["sqlite", "postgres"] {
            let seed = random.next();
            let kill = done % 2 == 1;
            let numbers =
                one(trial.workspace, trial.binary, &postgres, name, seed, kill).map_err(|error| {
                    error.context(format!("history {} on {name}, seed {}", done + 1, trial.seed))
                })?;
            operations += numbers.operations;
            only_alone += u32::from(numbers.only_alone);
            total.acknowledged += numbers.acknowledged;
        }
        done += 1;
    }
    // The search may give up now and then; a program whose search always does shows less than it says.
    if only_alone > done {
        bail!("{only_alone} of {} histories had too many orders to try all", 2 * done);
    }
    total.tried = format!(
        "{done} histories on each store, {operations} operations, {only_alone} checked by session only"
    );
    Ok(total)
}

/// A history in numbers.
struct Numbers {
    operations: usize,
    acknowledged: u64,
    only_alone: bool,
}

/// One history on a new engine.
fn one(
    workspace: &Workspace,
    binary: &Path,
    postgres: &Postgres,
    name: &str,
    seed: u64,
    kill: bool,
) -> Result<Numbers> {
    let scratch = workspace.scratch(&format!("history-{name}"))?;
    let data = scratch.path.join("node-0/data");
    let (store, nodes) = match name {
        "sqlite" => (Store::Sqlite(&data), 1),
        _ => (Store::Postgres(postgres), 2),
    };
    let mut cluster = Cluster { store, binary, folder: &scratch.path, servers: Vec::new(), started: 0 };
    for node in 0..nodes {
        let server = cluster.start(node)?;
        cluster.servers.push(Some(server));
    }
    let history = record(&mut cluster, seed, kill)?;
    judge(name, &history, kill)
}

/// Lets the clients ask, and reads everything at the end.
fn record(cluster: &mut Cluster<'_>, seed: u64, kill: bool) -> Result<History> {
    let urls = cluster.urls();
    let engine = Rest::new(urls.first().context("a cluster has servers")?).create_engine()?;
    let nodes = Nodes::new(urls);
    let scene = Scene { nodes: &nodes, engine: &engine, began: Instant::now(), clients: CLIENTS + 1 };
    let mut random = SplitMix::new(seed);
    let mut first = Client::new(scene, CLIENTS, random.next());
    first.make_all()?;
    let mut history = History::default();
    let clients = thread::scope(|scope| {
        let running: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut client = Client::new(scene, number, random.next());
                scope.spawn(move || client.ask(ASKED).map(|()| client))
            })
            .collect();
        let killed = if kill { cluster.kill_and_restart(&nodes, &mut random) } else { Ok(()) };
        let clients: Vec<_> = running.into_iter().map(thread::ScopedJoinHandle::join).collect();
        killed.map(|()| clients)
    })?;
    for client in clients {
        let client = client.map_err(|_| anyhow!("a client panicked"))??;
        history.records.extend(client.records);
        history.walks.extend(client.walks);
    }
    first.read_all()?;
    history.records.extend(first.records);
    history.walks.extend(first.walks);

    history.rows = match cluster.store {
        Store::Sqlite(data) => rows::of_sqlite(data, &engine)?,
        Store::Postgres(postgres) => rows::of_postgres(postgres, &engine)?,
    };
    let now = scene.began.elapsed();
    for slot in 0..SLOTS {
        let answer = history
            .rows
            .get(&slot)
            .map_or(Answer::NotFound, |rows| Answer::Rows { rows: rows.events.clone(), last: rows.last });
        // Numbers that no client gives.
        let id = Id::MAX - u32::try_from(slot)?;
        let call = Call::Rows { slot };
        history.records.push(Record {
            id,
            client: CLIENTS,
            call,
            answer: Some(answer),
            invoked: now,
            returned: now,
        });
    }
    Ok(history)
}

fn judge(store: &str, history: &History, kill: bool) -> Result<Numbers> {
    let problems = validate::problems(&history.records, &history.walks, &history.rows);
    if !problems.is_empty() {
        for problem in problems.iter().take(SHOWN) {
            println!("  {problem}");
        }
        bail!("{} problems with lists, keys and sequences", problems.len());
    }
    let asked = Instant::now();
    let shared_keys = match store {
        "sqlite" => SharedKeys::WithTheWrite,
        _ => SharedKeys::DuringTheCall,
    };
    let checked = check::linearisable(&history.records, SLOTS, USERS, shared_keys)?;
    let acknowledged = history.records.iter().filter(|record| record.is_acknowledged_write()).count();
    let unknown = history.records.iter().filter(|record| record.answer.is_none()).count();
    println!(
        "{store:<8} {} operations, {acknowledged} writes acknowledged, {unknown} outcomes unknown{}, {} walks: linearisable{} ({} configurations, {:.2} s)",
        checked.operations,
        if kill { " after a kill" } else { "" },
        history.walks.len(),
        if checked.only_alone { ", each session by itself" } else { "" },
        checked.looked_at,
        asked.elapsed().as_secs_f64(),
    );
    let Checked { operations, only_alone, .. } = checked;
    Ok(Numbers { operations, acknowledged: acknowledged as u64, only_alone })
}

impl Cluster<'_> {
    fn start(&mut self, node: usize) -> Result<Server> {
        let folder = self.folder.join(format!("node-{node}"));
        std::fs::create_dir_all(&folder)?;
        self.started += 1;
        let data = folder.join("data");
        match &self.store {
            Store::Sqlite(_) => Server::start(self.binary, &data, &QUIET),
            Store::Postgres(postgres) => {
                let url = postgres.url();
                let [level, warn] = QUIET;
                Server::start(self.binary, &data, &[level, warn, "--store", &url])
            }
        }
    }

    fn urls(&self) -> Vec<String> {
        self.servers.iter().flatten().map(|server| server.url.clone()).collect()
    }

    /// Kills a server after a while and starts it again.
    fn kill_and_restart(&mut self, nodes: &Nodes, random: &mut SplitMix) -> Result<()> {
        let (least, most) = KILL_AFTER_MS;
        thread::sleep(Duration::from_millis(least + random.below(most - least)));
        let node = usize::try_from(random.below(self.servers.len() as u64))?;
        let server = self.servers.get_mut(node).and_then(Option::take).context("a server runs")?;
        server.kill()?;
        nodes.is_gone(node);
        let server = self.start(node)?;
        nodes.is_back(node, server.url.clone(), self.started);
        if let Some(place) = self.servers.get_mut(node) {
            *place = Some(server);
        }
        Ok(())
    }
}
