//! The servers under test, all on one database.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::json;

use super::NODES;
use super::cluster::Cluster;
use crate::rest::{Failure, Rest};
use crate::server::{QUIET, Server};

/// A node commits appends in a few tasks, each of which has some of the sessions: with so many, each has one.
const PROBES: usize = 12;
/// How long one probe may take before another is sent.
const PROBE_LIMIT: Duration = Duration::from_secs(1);
/// When to give up.
const BACK_LIMIT: Duration = Duration::from_secs(60);

/// Where the nodes listen; a node has another address after a restart.
#[derive(Debug, Default)]
pub(crate) struct Addresses(RwLock<[String; NODES]>);

/// The nodes.
#[derive(Debug)]
pub(crate) struct Nodes<'a> {
    binary: &'a Path,
    folder: PathBuf,
    servers: [Option<Server>; NODES],
    addresses: &'a Addresses,
}

impl Addresses {
    /// The URL of a node.
    pub(crate) fn of(&self, node: usize) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(node).cloned().unwrap_or_default()
    }

    fn set(&self, node: usize, url: &str) {
        if let Some(place) = self.0.write().unwrap_or_else(PoisonError::into_inner).get_mut(node) {
            url.clone_into(place);
        }
    }
}

impl<'a> Nodes<'a> {
    /// Starts all.
    ///
    /// # Errors
    /// When one does not start.
    pub(crate) fn start(
        binary: &'a Path,
        folder: &Path,
        cluster: &Cluster,
        addresses: &'a Addresses,
    ) -> Result<Self> {
        let mut nodes = Self { binary, folder: folder.to_owned(), servers: Default::default(), addresses };
        for node in 0..NODES {
            nodes.start_one(node, cluster)?;
        }
        Ok(nodes)
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start_one(&mut self, node: usize, cluster: &Cluster) -> Result<()> {
        let folder = self.folder.join(format!("node-{node}"));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut flags = vec!["--store".to_owned(), cluster.url(node)?];
        flags.extend(QUIET.map(str::to_owned));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let server = Server::start(self.binary, &folder.join("data"), &flags)?;
        self.addresses.set(node, &server.url);
        *self.servers.get_mut(node).with_context(|| format!("there is no node {node}"))? = Some(server);
        Ok(())
    }

    /// Kills one.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn kill(&mut self, node: usize) -> Result<()> {
        let server = self.servers.get_mut(node).and_then(Option::take);
        server.with_context(|| format!("there is no node {node}"))?.kill()
    }

    /// Creates the sessions that [`Self::wait_until_back`] writes to.
    ///
    /// # Errors
    /// When a node refuses.
    pub(crate) fn create_probes(&self) -> Result<Vec<String>> {
        let rest = Rest::new(&self.addresses.of(0));
        let engine = rest.create_engine().context("cannot create an engine")?;
        (0..PROBES)
            .map(|probe| Ok(rest.create_session(&engine, &format!("probe-{probe}"), "probe")?))
            .collect()
    }

    /// Waits until a node takes appends in all of its tasks and says that it is ready; how long that was.
    ///
    /// # Errors
    /// When it has not after a minute.
    pub(crate) fn wait_until_back(&self, node: usize, probes: &[String]) -> Result<Duration> {
        let started = Instant::now();
        let url = self.addresses.of(node);
        let event = json!({"author": "probe", "invocationId": "probe", "timestamp": "2026-03-01T12:00:00Z"});
        let patiently = |what: &str, ask: &dyn Fn(&Rest) -> Result<(), Failure>| {
            let rest = Rest::with_limit(&url, PROBE_LIMIT);
            while let Err(why) = ask(&rest) {
                if started.elapsed() > BACK_LIMIT {
                    bail!("node {node} {what} for {} s: {why}", BACK_LIMIT.as_secs());
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(())
        };
        let (patiently, event) = (&patiently, &event);
        std::thread::scope(|scope| {
            let append = |probe: &'_ String| {
                let path = format!("{probe}:appendEvent");
                scope.spawn(move || patiently("took no append", &|rest| rest.post(&path, event).map(drop)))
            };
            let appends: Vec<_> = probes.iter().map(append).collect();
            appends
                .into_iter()
                .try_for_each(|append| append.join().map_err(|_| anyhow!("a probe panicked"))?)
        })?;
        patiently("was not ready", &Rest::ready)?;
        Ok(started.elapsed())
    }
}
