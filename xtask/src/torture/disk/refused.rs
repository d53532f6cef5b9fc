//! Directories that a server must not use, and a server that gets no more files.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::mount::Mount;
use super::{CLIENTS, Sum, start, verify, wait_until};
use crate::rest::Rest;
use crate::server::{QUIET, Server, serve_arguments};
use crate::torture::ledger::Ledger;

const DISK: u32 = 24;
const APPENDS: usize = 60;
/// Where SQLite keeps the version of the schema, in the database file.
const SCHEMA_VERSION: u64 = 60;
const NEWER: u32 = 99;
/// How many files a server may have open, and how many connections are made to it.
const FILES: &str = "64";
const CONNECTIONS: usize = 150;

/// All of them, on one directory.
pub(super) fn run(binary: &Path, folder: &Path, sum: &mut Sum) -> Result<()> {
    let mount = Mount::new(&folder.join("data"), DISK)?;
    let data = mount.path.as_path();
    let (server, rest) = start(binary, data)?;
    let engine = rest.create_engine().context("cannot create an engine")?;
    let mut ledger = Ledger::create(&server.url, &engine, "refused", CLIENTS)?;
    let mut write = |server: &Server| {
        let until = usize::try_from(ledger.acknowledged())? + APPENDS;
        ledger.write(&server.url, |acknowledged| acknowledged < until)?;
        verify(&server.url, &ledger)
    };
    write(&server)?;

    expect_refused(binary, data, &format!("in use by another server (pid {})", server.id()))?;
    write(&server).context("after a second server")?;
    server.stop()?;

    let database = data.join("colloquy.db");
    let version = std::fs::read(&database)?;
    let start_of = usize::try_from(SCHEMA_VERSION)?;
    let version = version.get(start_of..start_of + 4).context("the database has a header")?.to_vec();
    set_version(&database, &NEWER.to_be_bytes())?;
    expect_refused(binary, data, &format!("has schema version {NEWER}"))?;
    set_version(&database, &version)?;

    mount.remount("ro")?;
    expect_refused(binary, data, "Read-only file system")?;
    mount.remount("rw")?;
    sum.refusals += 3;

    let (server, _) = start(binary, data)?;
    write(&server).context("after refusals")?;
    server.stop()?;

    let server = few_files(binary, data)?;
    sum.refusals += 1;
    write(&server).context("after there were no files")?;
    server.stop()?;
    println!("refusals: {} appends acknowledged", ledger.acknowledged());
    sum.acknowledged += ledger.acknowledged();
    Ok(())
}

fn expect_refused(binary: &Path, data: &Path, why: &str) -> Result<()> {
    match Server::start(binary, data, &QUIET) {
        Err(error) if error.to_string().contains(why) => Ok(()),
        Err(error) => Err(error.context(format!("a server did not say: {why}"))),
        Ok(_) => bail!("a server started, and did not say: {why}"),
    }
}

fn set_version(database: &Path, version: &[u8]) -> Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(database)?;
    file.seek(SeekFrom::Start(SCHEMA_VERSION))?;
    file.write_all(version).context("cannot write to the database")
}

/// A server that had more connections than it may have files, and serves again once they are gone.
fn few_files(binary: &Path, data: &Path) -> Result<Server> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {FILES} && exec \"$@\""), "sh"]);
    command.arg(binary).args(serve_arguments(data, &["--log-level", "error"]));
    let server = Server::run(command, data)?;
    let address = server.address()?;
    // The system takes them all; the server gets as many as it may have files.
    let connections = (0..CONNECTIONS)
        .map(|_| TcpStream::connect(address))
        .collect::<std::io::Result<Vec<_>>>()
        .context("cannot connect")?;
    let open = || -> Result<usize> { Ok(std::fs::read_dir(format!("/proc/{}/fd", server.id()))?.count()) };
    let most = FILES.parse()?;
    wait_until("no more files", || Ok(open()? >= most))?;
    drop(connections);
    wait_until("files again", || Ok(open()? < most))?;
    let rest = Rest::new(&server.url);
    wait_until("ready again", || Ok(rest.ready().is_ok()))?;
    Ok(server)
}
