//! What those do who look after a PostgreSQL: settings, other people's connections, standbys.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

/// How long a standby may take to do what it is asked for.
const STANDBY_LIMIT: Duration = Duration::from_secs(30);
/// What the server's own connections are called.
const NODES: &str = "application_name = 'colloquy'";

/// A connection.
#[derive(Debug)]
pub(crate) struct Admin {
    client: Client,
    runtime: Runtime,
}

impl Admin {
    /// Connects, as a superuser.
    ///
    /// # Errors
    /// When the server does not let it.
    pub(crate) fn connect(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(url, NoTls)).context("cannot connect to PostgreSQL")?;
        // Who asks is told of a broken connection.
        runtime.spawn(connection);
        Ok(Self { client, runtime })
    }

    /// Runs statements one after the other.
    ///
    /// # Errors
    /// When PostgreSQL refuses one.
    pub(crate) fn run(&self, sql: &str) -> Result<()> {
        self.runtime.block_on(self.client.batch_execute(sql)).with_context(|| format!("cannot run `{sql}`"))
    }

    /// The one number that a query answers.
    fn number(&self, sql: &str) -> Result<i64> {
        let row = self.runtime.block_on(self.client.query_one(sql, &[]));
        Ok(row.with_context(|| format!("cannot run `{sql}`"))?.try_get(0)?)
    }

    /// Ends the connections of the servers, or `only` as many of them; answers how many there were.
    pub(crate) fn terminate_nodes(&self, only: Option<u32>) -> Result<i64> {
        let limit = only.map_or(String::new(), |only| format!("ORDER BY random() LIMIT {only}"));
        self.number(&format!(
            "SELECT count(pg_terminate_backend(pid)) FROM \
             (SELECT pid FROM pg_stat_activity WHERE {NODES} {limit}) AS nodes"
        ))
    }

    /// Sets a parameter for all, at once.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<()> {
        // A transaction block would refuse the first.
        self.run(&format!("ALTER SYSTEM SET {name} = '{value}'"))?;
        self.run("SELECT pg_reload_conf()")
    }

    /// Sets it back.
    pub(crate) fn reset(&self, name: &str) -> Result<()> {
        self.run(&format!("ALTER SYSTEM RESET {name}"))?;
        self.run("SELECT pg_reload_conf()")
    }

    /// Has every commit wait for a standby, and waits until there is one to wait for.
    pub(crate) fn require_standby(&self) -> Result<()> {
        self.set("synchronous_standby_names", "*")?;
        let asked = Instant::now();
        while self.number("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")? == 0 {
            if asked.elapsed() > STANDBY_LIMIT {
                bail!("no standby is in step after {} s", STANDBY_LIMIT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Makes a primary of a standby, and waits until it is one.
    pub(crate) fn promote(&self) -> Result<()> {
        let limit = STANDBY_LIMIT.as_secs();
        if self.number(&format!("SELECT pg_promote(true, {limit})::int::bigint"))? != 1 {
            bail!("the standby was not promoted within {limit} s");
        }
        Ok(())
    }

    /// For a while, has a third of the changes of sessions end with a serialization failure, and takes locks in an
    /// order that is not the servers', so that they meet. Answers how many serialization failures there were.
    pub(crate) fn force_conflicts(&self, time: Duration) -> Result<i64> {
        self.run(
            "CREATE SEQUENCE forced; \
             CREATE FUNCTION force_failure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                IF random() < 0.33 THEN \
                    PERFORM nextval('forced'); \
                    RAISE EXCEPTION 'forced' USING ERRCODE = '40001'; \
                END IF; \
                RETURN NULL; \
             END $$; \
             CREATE TRIGGER force_failure BEFORE UPDATE ON session_clock EXECUTE FUNCTION force_failure()",
        )?;
        // Whoever waits in a circle notices first, and this one never does.
        self.run("SET deadlock_timeout = '1min'")?;
        let started = Instant::now();
        while started.elapsed() < time {
            self.run(
                "BEGIN; SELECT 1 FROM apps FOR UPDATE; SELECT pg_sleep(0.01); \
                 SELECT 1 FROM session_clock ORDER BY random() LIMIT 2 FOR UPDATE; COMMIT; SELECT pg_sleep(0.02)",
            )?;
        }
        let failures = self.number("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM forced")?;
        self.run(
            "DROP TRIGGER force_failure ON session_clock; DROP FUNCTION force_failure; DROP SEQUENCE forced; \
             RESET deadlock_timeout",
        )?;
        Ok(failures)
    }

    /// How many deadlocks were ended since the statistics began.
    pub(crate) fn deadlocks(&self) -> Result<i64> {
        self.number("SELECT coalesce(sum(deadlocks), 0)::bigint FROM pg_stat_database")
    }

    /// How many of the servers' sessions have events whose sequences are not 1, 2, 3 to the last that was given.
    pub(crate) fn sessions_with_gaps(&self) -> Result<i64> {
        self.number(
            "SELECT count(*) FROM (\
                SELECT c.last_sequence, count(e.sequence) AS events, min(e.sequence) AS first, \
                    max(e.sequence) AS last, count(DISTINCT e.sequence) AS sequences \
                FROM session_clock c JOIN sessions s USING (engine_key, session_key) \
                LEFT JOIN events e USING (engine_key, session_key) \
                WHERE NOT s.deleted GROUP BY c.engine_key, c.session_key\
             ) AS sessions \
             WHERE events <> last_sequence OR sequences <> last_sequence \
                OR (events > 0 AND (first <> 1 OR last <> last_sequence))",
        )
    }
}
