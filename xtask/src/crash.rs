//! `cargo xtask crash`: the server is killed during a write load, again and again, and must lose nothing.
//!
//! SIGKILL leaves the operating system's caches alone, so this proves that acknowledged writes reached the
//! system and that nothing is half-applied. It does not prove that they would survive a loss of power.

pub(crate) mod append;
pub(crate) mod expected;
pub(crate) mod load;
pub(crate) mod verify;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use self::append::Session;
use self::load::{Round, Writers};
use self::verify::{Findings, Verifier};
use crate::random::SplitMix;
use crate::rest::Rest;
use crate::server::{QUIET, Server};
use crate::torture::{Tally, Trial};
use crate::workspace::Workspace;

const KILLS: u32 = 20;
const CLIENTS: u16 = 64;
const SEED: u64 = 1;
/// Between the first write of a round and the kill, in milliseconds.
const SHORTEST_MS: u64 = 300;
const LONGEST_MS: u64 = 1_500;
/// How many users the sessions of a round belong to, so that sessions share the state of a user.
const USERS: usize = 8;
/// How many problems are printed; the rest are only counted.
const SHOWN: usize = 20;

/// How hard to try.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often the server is killed.
    #[arg(long, default_value_t = KILLS)]
    kills: u32,
    /// How many clients write at a time.
    #[arg(long, default_value_t = CLIENTS, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clients: u16,
    /// Decides when the kills come.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// The server to test, in place of the release build.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
}

/// Runs the whole test; when it fails, the server's data is kept, and the error says where.
///
/// # Errors
/// When an acknowledged append is lost, an append is half-applied, the server refuses a write or does not
/// come back, or a round acknowledged nothing and so showed nothing.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let binary = workspace.server_binary(options.bin.as_deref())?;
    run_kept(workspace, &binary, options.clients, options.seed, |done| done < options.kills).map(drop)
}

/// The same as one of the programs of `cargo xtask torture`.
///
/// # Errors
/// As [`run`].
pub(crate) fn trial(trial: &Trial<'_>) -> Result<Tally> {
    run_kept(trial.workspace, trial.binary, CLIENTS, trial.seed, |done| trial.goes_on(done, KILLS))
}

fn run_kept(
    workspace: &Workspace,
    binary: &Path,
    clients: u16,
    seed: u64,
    goes_on: impl Fn(u32) -> bool,
) -> Result<Tally> {
    let scratch = workspace.scratch("crash")?;
    run_in(&scratch.path.join("data"), binary, clients.into(), seed, goes_on)
        .map_err(|error| error.context(format!("the server's data is kept in {}", scratch.keep().display())))
}

fn run_in(
    data: &Path,
    binary: &Path,
    clients: usize,
    seed: u64,
    goes_on: impl Fn(u32) -> bool,
) -> Result<Tally> {
    let mut server = Server::start(binary, data, &QUIET)?;
    let engine = Rest::new(&server.url).create_engine().context("cannot create an engine")?;
    let mut writers = Writers::new(clients);
    let mut verifier = Verifier::new(clients);
    let mut random = SplitMix::new(seed);
    let mut rounds: Vec<Round> = Vec::new();
    let mut number = 0;
    while goes_on(number) {
        number += 1;
        let sessions = create_sessions(&server, &engine, number, clients)?;
        let pause = Duration::from_millis(SHORTEST_MS + random.below(LONGEST_MS - SHORTEST_MS + 1));
        let round = writers.write_until_killed(server, sessions, pause)?;
        server = Server::start(binary, data, &QUIET).with_context(|| format!("after kill {number}"))?;
        let findings = verifier.check(&server.url, &round)?;
        println!(
            "kill {number:>2} after {:.2} s, back in {:.3} s: tried {}, acknowledged {}, found {}, lost {}, half-applied {}",
            pause.as_secs_f64(),
            server.started_in.as_secs_f64(),
            round.tried(),
            round.acknowledged.len(),
            findings.found,
            findings.lost,
            findings.half_applied,
        );
        if let Some(refusal) = &round.refused {
            bail!("the server refused a write of round {number}: {refusal}");
        }
        if round.acknowledged.is_empty() {
            bail!("round {number} acknowledged nothing, so it shows nothing");
        }
        rounds.push(round);
        conclude_if_bad(&rounds, &findings)?;
    }
    // What was found after one kill must still be there after all later ones.
    for round in &rounds {
        let findings = verifier.check(&server.url, round)?;
        conclude_if_bad(&rounds, &findings)?;
    }
    println!("{}", conclusion(&rounds, &Findings::default()));
    let acknowledged = rounds.iter().map(|round| round.acknowledged.len() as u64).sum();
    Ok(Tally { tried: format!("{} kills", rounds.len()), acknowledged, lost: 0 })
}

/// Ends the test at the first broken promise, before later writes can blur what broke it.
fn conclude_if_bad(rounds: &[Round], findings: &Findings) -> Result<()> {
    if findings.problems.is_empty() {
        return Ok(());
    }
    for problem in findings.problems.iter().take(SHOWN) {
        println!("  {problem}");
    }
    if let Some(more) = findings.problems.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        println!("  and {more} more");
    }
    println!("{}", conclusion(rounds, findings));
    bail!("the server broke its promise")
}

fn conclusion(rounds: &[Round], findings: &Findings) -> String {
    let acknowledged: usize = rounds.iter().map(|round| round.acknowledged.len()).sum();
    format!(
        "{} kills, {acknowledged} acknowledged, {} lost, {} half-applied",
        rounds.len(),
        findings.lost,
        findings.half_applied
    )
}

/// The sessions of one round: as many as clients, shared between them, of a few users.
fn create_sessions(server: &Server, engine: &str, round: u32, clients: usize) -> Result<Vec<Session>> {
    let rest = Rest::new(&server.url);
    (0..clients)
        .map(|index| {
            let user = index % USERS;
            let name = rest
                .create_session(engine, &format!("round-{round}-{index}"), &format!("user-{user}"))
                .context("cannot create a session")?;
            Ok(Session { name, user })
        })
        .collect()
}
