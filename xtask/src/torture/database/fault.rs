//! What can befall a database and those who use it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::NODES;
use super::cluster::Cluster;
use super::load::Told;
use super::nodes::Nodes;
use crate::postgres::admin::Admin;
use crate::random::SplitMix;

/// How long most faults last.
const SHORT: Duration = Duration::from_secs(1);
/// How long the server is paused; the long form doubles it now and then.
const PAUSE: Duration = Duration::from_secs(5);
/// After this, a node gives up what it asked of the database.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long to wait for a disk to be noticed to be full.
const NOTICE_LIMIT: Duration = Duration::from_secs(20);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server ends at once, as by `pg_ctl -m immediate`, and starts again.
    Restart,
    /// One connection after the other is terminated.
    TerminateOne,
    /// All connections of all nodes are terminated at once, again and again.
    TerminateAll,
    /// All processes of the server stop where they are, and go on later.
    Pause,
    /// The network closes all connections, again and again.
    Cut,
    /// The network forgets the connections of one node, and closes none.
    HalfOpen,
    /// Others hold all connections that the server gives out.
    Exhaust,
    /// Transactions are ended by deadlocks and serialization failures.
    Conflicts,
    /// The disk of the data is full.
    DiskFull,
    /// The server takes no writes.
    ReadOnly,
    /// One of the nodes is killed.
    KillNode,
    /// The primary is killed, and the standby takes over.
    FailOver,
}

/// What a fault must do, or it shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Some writes are not acknowledged.
    Failures,
    /// Somebody waits about as long.
    Waits(Duration),
    /// None that a caller must see.
    None,
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::Restart,
        Self::TerminateOne,
        Self::TerminateAll,
        Self::Pause,
        Self::Cut,
        Self::HalfOpen,
        Self::Exhaust,
        Self::Conflicts,
        Self::DiskFull,
        Self::ReadOnly,
        Self::KillNode,
        Self::FailOver,
    ];

    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Restart => "immediate restart",
            Self::TerminateOne => "terminated, one by one",
            Self::TerminateAll => "terminated, all at once",
            Self::Pause => "paused server",
            Self::Cut => "cut connections",
            Self::HalfOpen => "half-open connections",
            Self::Exhaust => "exhausted connections",
            Self::Conflicts => "deadlocks, 40001",
            Self::DiskFull => "full disk",
            Self::ReadOnly => "read-only server",
            Self::KillNode => "killed node",
            Self::FailOver => "standby promoted",
        }
    }

    /// What it must do.
    pub(crate) fn effect(self) -> Effect {
        match self {
            Self::Pause => Effect::Waits(PAUSE),
            Self::HalfOpen => Effect::Waits(DEADLINE),
            Self::Conflicts => Effect::None,
            _ => Effect::Failures,
        }
    }

    /// Whether it can be brought about here.
    pub(crate) fn is_possible(self, cluster: &Cluster) -> bool {
        self != Self::DiskFull || cluster.disk().is_some()
    }

    /// Begins it, and ends it again.
    ///
    /// # Errors
    /// When it cannot be brought about.
    pub(crate) fn inflict(
        self,
        cluster: &mut Cluster,
        nodes: &mut Nodes<'_>,
        told: &Told,
        random: &mut SplitMix,
    ) -> Result<()> {
        let node = random.index(NODES);
        match self {
            Self::Restart => {
                cluster.primary.stop_immediately()?;
                cluster.primary.start()
            }
            Self::TerminateOne => {
                let admin = cluster.admin()?;
                again_and_again(Duration::from_millis(50), || admin.terminate_nodes(Some(1)).map(drop))
            }
            Self::TerminateAll => {
                let admin = cluster.admin()?;
                again_and_again(Duration::from_millis(200), || admin.terminate_nodes(None).map(drop))
            }
            Self::Pause => {
                cluster.primary.pause()?;
                std::thread::sleep(PAUSE);
                cluster.primary.resume()
            }
            Self::Cut => again_and_again(Duration::from_millis(200), || {
                (0..NODES)
                    .try_for_each(|node| cluster.ways(node).map(|ways| ways.iter().for_each(|way| way.cut())))
            }),
            Self::HalfOpen => {
                cluster.ways(node)?.iter().for_each(|way| way.silence());
                std::thread::sleep(DEADLINE);
                Ok(())
            }
            Self::Exhaust => exhaust(cluster),
            Self::Conflicts => {
                let admin = cluster.admin()?;
                let (failures, deadlocks) = (admin.force_conflicts(2 * SHORT)?, admin.deadlocks()?);
                if failures == 0 || deadlocks == 0 {
                    bail!(
                        "{failures} serialization failures and {deadlocks} deadlocks: one did not come about"
                    );
                }
                Ok(())
            }
            Self::DiskFull => fill_disk(cluster, told),
            Self::ReadOnly => {
                let admin = cluster.admin()?;
                admin.set("default_transaction_read_only", "on")?;
                std::thread::sleep(2 * SHORT);
                admin.reset("default_transaction_read_only")
            }
            Self::KillNode => {
                nodes.kill(node)?;
                std::thread::sleep(SHORT);
                nodes.start_one(node, cluster)
            }
            Self::FailOver => cluster.fail_over(),
        }
    }
}

fn again_and_again(every: Duration, mut inflict: impl FnMut() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < SHORT {
        inflict()?;
        std::thread::sleep(every);
    }
    Ok(())
}

/// Takes every connection that there is, also those that the nodes had.
fn exhaust(cluster: &Cluster) -> Result<()> {
    let admin = cluster.admin()?;
    let mut held: Vec<Admin> = Vec::new();
    let started = Instant::now();
    while started.elapsed() < 2 * SHORT {
        while let Ok(one) = cluster.admin() {
            held.push(one);
        }
        admin.terminate_nodes(None)?;
    }
    Ok(())
}

/// Leaves the primary no room until a node has said so, and for a while after that.
fn fill_disk(cluster: &mut Cluster, told: &Told) -> Result<()> {
    let disk = cluster.disk().context("there is no disk that can be full")?;
    disk.fill()?;
    let started = Instant::now();
    let mut noticed = Ok(());
    while told.out_of_space() == 0 {
        if started.elapsed() > NOTICE_LIMIT {
            noticed = Err(anyhow::anyhow!("no write was refused for want of room"));
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(SHORT);
    disk.free()?;
    if !cluster.primary.is_running() {
        // It ends itself where it cannot go on without room.
        cluster.primary.start()?;
    }
    noticed
}
