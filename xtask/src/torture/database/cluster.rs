//! A primary with a standby that every commit waits for, and the ways to them that can be broken.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context as _, Result};

use super::NODES;
use super::disk::Disk;
use crate::postgres::admin::Admin;
use crate::postgres::instance::{Instance, Place};
use crate::postgres::programs::Programs;
use crate::proxy::{Network, Proxy};

/// Of both servers. Few connections, so that they can be exhausted; a standby that comes back at once; deadlocks that
/// are found before anybody has waited long.
const SETTINGS: [&str; 4] = [
    "max_connections=60",
    "wal_keep_size=256MB",
    "wal_retrieve_retry_interval=100ms",
    "deadlock_timeout=100ms",
];

/// The names of the two places that a server can have.
const PLACES: [&str; 2] = ["a", "b"];

/// Two servers, one of which is the other's standby, and each node's own way to each of them.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Takes reads and writes.
    pub primary: Instance,
    standby: Option<Instance>,
    /// Which of the places is the primary's.
    primary_at: usize,
    /// Of each node to each place.
    ways: Vec<[Proxy; 2]>,
    /// Under the data of each place, where file systems can be mounted.
    disks: [Option<Disk>; 2],
}

impl Cluster {
    /// Starts both in a folder that their user can write to.
    ///
    /// # Errors
    /// When one does not start.
    pub(crate) fn start(programs: &Programs, folder: &Path, network: &Network) -> Result<Self> {
        let mount = |place: &str| -> Result<Option<Disk>> {
            let path = folder.join(place);
            let disk =
                Disk::mount(&path).inspect_err(|error| println!("no disk can be full: {error:#}")).ok();
            programs.hand_over(&path)?;
            Ok(disk)
        };
        let [a, b] = PLACES;
        let disks = [mount(a)?, mount(b)?];
        let primary = Instance::start_new(programs, place(folder, a), &SETTINGS)?;
        let standby = primary.start_standby(place(folder, b))?;
        primary.admin()?.require_standby()?;
        let way = |to: &Instance| network.proxy(address(to));
        let ways: Result<Vec<[Proxy; 2]>> =
            (0..NODES).map(|_| Ok([way(&primary)?, way(&standby)?])).collect();
        Ok(Self { primary, standby: Some(standby), primary_at: 0, ways: ways?, disks })
    }

    /// The store of a node: both servers, whichever takes writes.
    pub(crate) fn url(&self, node: usize) -> Result<String> {
        let [a, b] = self.ways(node)?;
        Ok(format!(
            "postgres://postgres@{},{}/postgres?target_session_attrs=read-write",
            a.address, b.address
        ))
    }

    /// A node's ways to the two servers.
    pub(crate) fn ways(&self, node: usize) -> Result<&[Proxy; 2]> {
        self.ways.get(node).with_context(|| format!("there is no node {node}"))
    }

    /// A connection to the primary for those who look after it.
    pub(crate) fn admin(&self) -> Result<Admin> {
        self.primary.admin()
    }

    /// What the primary's data is on, where it can be full.
    pub(crate) fn disk(&self) -> Option<&Disk> {
        self.disks.get(self.primary_at)?.as_ref()
    }

    /// Kills the primary and makes one of the standby.
    ///
    /// # Errors
    /// When there is no standby, or it does not become one.
    pub(crate) fn fail_over(&mut self) -> Result<()> {
        let standby = self.standby.take().context("there is no standby")?;
        self.primary.kill()?;
        standby.admin()?.promote()?;
        self.primary = standby;
        self.primary_at = 1 - self.primary_at;
        Ok(())
    }

    /// Makes a standby where there is none, in the place of the old primary.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn complete(&mut self, folder: &Path) -> Result<()> {
        if self.standby.is_some() {
            return Ok(());
        }
        let at = 1 - self.primary_at;
        let place = place(folder, PLACES.get(at).copied().unwrap_or_default());
        for old in [Some(&place.cluster), place.wal.as_ref()].into_iter().flatten() {
            match fs::remove_dir_all(old) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", old.display()));
                }
                _ => {}
            }
        }
        let standby = self.primary.start_standby(place)?;
        for ways in &self.ways {
            if let Some(way) = ways.get(at) {
                way.point_at(address(&standby));
            }
        }
        self.standby = Some(standby);
        self.primary.admin()?.require_standby()
    }
}

/// The log of writes is on the disk that builds go to: only the data's can be full.
fn place(folder: &Path, name: &str) -> Place {
    Place {
        cluster: folder.join(name).join("data"),
        wal: Some(folder.join(format!("{name}-wal"))),
        log: folder.join(format!("{name}.log")),
    }
}

fn address(instance: &Instance) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, instance.port()).into()
}
