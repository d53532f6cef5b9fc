//! Servers that can be reached in two ways, one of which loses every answer.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};

use crate::proxy::{Network, Proxy};
use crate::rest::Rest;
use crate::server::{QUIET, Server};

/// Servers on one store.
#[derive(Debug)]
pub(crate) struct Servers<'a> {
    binary: &'a Path,
    folder: PathBuf,
    /// A database in place of the folder of the data.
    store: Option<String>,
    running: Vec<Mutex<Option<Server>>>,
    ways: Vec<Ways>,
}

/// The ways to one server; they stay the same when it is started again.
#[derive(Debug)]
pub(crate) struct Ways {
    clear: Proxy,
    lossy: Proxy,
}

impl Ways {
    /// A client whose answers come.
    pub(crate) fn clear(&self) -> Rest {
        Rest::new(&format!("http://{}", self.clear.address))
    }

    /// A client to whom no answer comes, although the server gives one.
    pub(crate) fn lossy(&self) -> Rest {
        Rest::new(&format!("http://{}", self.lossy.address))
    }
}

impl<'a> Servers<'a> {
    /// Starts one on a folder, or two on a database.
    ///
    /// # Errors
    /// When one does not start.
    pub(crate) fn start(
        binary: &'a Path,
        folder: &Path,
        store: Option<String>,
        network: &Network,
    ) -> Result<Self> {
        let count = if store.is_some() { 2 } else { 1 };
        let mut servers =
            Self { binary, folder: folder.to_owned(), store, running: Vec::new(), ways: Vec::new() };
        for index in 0..count {
            let server = servers.run(index)?;
            let address = server.address()?;
            servers.running.push(Mutex::new(Some(server)));
            servers.ways.push(Ways {
                clear: network.proxy(address)?,
                lossy: network.proxy_that_drops_replies(address)?,
            });
        }
        Ok(servers)
    }

    /// The ways to each.
    pub(crate) fn ways(&self) -> &[Ways] {
        &self.ways
    }

    /// How many answers were lost on their way.
    pub(crate) fn lost_answers(&self) -> u64 {
        self.ways.iter().map(|ways| ways.lossy.dropped()).sum()
    }

    /// Kills one and starts it again, on another port.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn kill(&self, index: usize) -> Result<()> {
        let place = self.running.get(index).with_context(|| format!("there is no server {index}"))?;
        let mut server = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = server.take() {
            server.kill()?;
        }
        let started = self.run(index)?;
        let address = started.address()?;
        *server = Some(started);
        if let Some(ways) = self.ways.get(index) {
            ways.clear.point_at(address);
            ways.lossy.point_at(address);
        }
        Ok(())
    }

    fn run(&self, index: usize) -> Result<Server> {
        let folder = self.folder.join(format!("server-{index}"));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut flags = QUIET.to_vec();
        if let Some(store) = &self.store {
            flags.extend(["--store", store]);
        }
        Server::start(self.binary, &folder.join("data"), &flags)
    }
}
