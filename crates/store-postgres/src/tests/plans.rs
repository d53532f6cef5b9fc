//! Every statement uses the index that was made for it, and stays on one machine where tables are spread over many.

use std::path::{Path, PathBuf};

use aip_filter::OrderTerm;
use colloquy_sessions::query::SessionOrder;
use colloquy_store_conformance::block_on;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::query::{Owner, list_sessions};

/// Indexes that hold nothing but work, or are read from one end: their first entry is what is asked for.
const WORK_LISTS: [&str; 2] = ["sessions_deleted", "engines_deleted"];
/// Indexes over all engines, which upkeep alone reads.
const UPKEEP_INDEXES: [&str; 4] =
    ["sessions_deleted", "sessions_expiring", "engines_deleted", "operations_ended"];
/// Tables that are spread by `engine_key`.
const SPREAD: [&str; 8] =
    ["sessions", "session_clock", "events", "session_state", "users", "user_state", "apps", "app_state"];

/// One engine with many sessions.
const MANY_SESSIONS: &str = "
    INSERT INTO users SELECT 1, n, convert_to(n::TEXT, 'UTF8'), 0 FROM generate_series(1, 2) AS n;
    INSERT INTO sessions
    SELECT 1, n, n % 2 + 1, convert_to(n::TEXT, 'UTF8'), '', '{}', n, n, FALSE FROM generate_series(1, 60000) AS n;
    INSERT INTO session_clock
    SELECT 1, n, n % 2 + 1, convert_to(n::TEXT, 'UTF8'), n, 0, 0 FROM generate_series(1, 60000) AS n;
    ANALYZE users; ANALYZE sessions; ANALYZE session_clock";

/// A schema of its own, gone with the test if it ends well.
async fn schema(name: &str) -> Client {
    #[expect(clippy::disallowed_methods, reason = "a test has no other way to be told")]
    let url = std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL names a PostgreSQL to test with; `cargo xtask test` starts one");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    // What a plan is made for: any values, and tables that may have grown.
    let set =
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off";
    let make = format!("CREATE TEMPORARY TABLE {name} (); SET search_path = pg_temp; {set}");
    client.batch_execute(&make).await.unwrap();
    client.batch_execute(include_str!("../../migrations/0001_sessions.sql")).await.unwrap();
    client
}

async fn plan(client: &Client, sql: &str) -> Vec<String> {
    let parameters = (1..20).filter(|number| sql.contains(&format!("${number}"))).count();
    client.batch_execute(&format!("PREPARE asked AS {sql}")).await.unwrap();
    let nulls = vec!["NULL"; parameters].join(", ");
    let call = if parameters > 0 { format!("asked ({nulls})") } else { "asked".to_owned() };
    let answer = client.simple_query(&format!("EXPLAIN EXECUTE {call}")).await.unwrap();
    client.batch_execute("DEALLOCATE asked").await.unwrap();
    answer
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .collect()
}

/// A walk of a table within a plan.
#[derive(Debug)]
struct Walk {
    table: String,
    /// None where the whole table is read.
    index: Option<String>,
    condition: String,
}

fn walks(plan: &[String]) -> Vec<Walk> {
    let mut walks: Vec<Walk> = Vec::new();
    for line in plan {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word: &str| {
            let place = words.iter().position(|found| *found == word)?;
            words.get(place + 1).map(|name| (*name).to_owned())
        };
        if line.contains("Scan") && words.contains(&"using") {
            walks.push(Walk { table: after("on").unwrap(), index: after("using"), condition: String::new() });
        } else if line.contains("Seq Scan on") {
            walks.push(Walk { table: after("on").unwrap(), index: None, condition: String::new() });
        } else if let Some((_, condition)) = line.split_once("Index Cond: ") {
            walks.last_mut().unwrap().condition = condition.to_owned();
        }
    }
    walks
}

fn statements(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { statements(&path, found) } else { found.push(path) }
    }
}

#[test]
fn every_statement_starts_at_its_place_in_an_index() {
    let mut paths = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    statements(&folder, &mut paths);
    paths.retain(|path| !path.starts_with(folder.join("migrations")) && !path.ends_with("health.sql"));
    assert!(paths.len() > 70);
    block_on(async {
        let client = schema("plans_of_all").await;
        let mut problems = Vec::new();
        for path in paths {
            let sql = std::fs::read_to_string(&path).unwrap();
            let plan = plan(&client, &sql).await;
            for walk in walks(&plan) {
                let index = walk.index.as_deref().unwrap_or_default();
                let is_found = !walk.condition.is_empty() || WORK_LISTS.contains(&index);
                let is_spread = SPREAD.contains(&walk.table.as_str()) && !UPKEEP_INDEXES.contains(&index);
                if !is_found || (is_spread && !walk.condition.contains("engine_key")) {
                    problems.push(format!("{}: {walk:?}", path.display()));
                }
            }
        }
        assert!(problems.is_empty(), "{problems:#?}");
    });
}

#[test]
fn lists_are_read_in_the_order_of_their_index() {
    block_on(async {
        let client = schema("plans_of_lists").await;
        // With a row or two, any plan is as good as another.
        client.batch_execute(MANY_SESSIONS).await.unwrap();
        for (owner, field, index) in [
            (Owner::Engine, SessionOrder::CreateTime, "sessions_of_engine"),
            (Owner::User, SessionOrder::CreateTime, "sessions_of_user"),
            (Owner::Engine, SessionOrder::UpdateTime, "clock_of_engine"),
            (Owner::User, SessionOrder::UpdateTime, "clock_of_user"),
        ] {
            let other = match field {
                SessionOrder::CreateTime => SessionOrder::UpdateTime,
                SessionOrder::UpdateTime => SessionOrder::CreateTime,
            };
            for descending in [false, true] {
                let first = OrderTerm { field, descending };
                let plain = plan(&client, &list_sessions(owner, &[first])).await;
                assert_eq!(walks(&plain)[0].index.as_deref(), Some(index), "{plain:#?}");
                assert!(!plain.iter().any(|line| line.contains("Sort")), "{plain:#?}");
                for other_descending in [false, true] {
                    let second = OrderTerm { field: other, descending: other_descending };
                    let plan = plan(&client, &list_sessions(owner, &[first, second])).await;
                    // Only rows with the same first value are sorted.
                    assert_eq!(walks(&plan)[0].index.as_deref(), Some(index), "{plan:#?}");
                    let sorts: Vec<_> = plan.iter().filter(|line| line.contains("Sort  (")).collect();
                    assert!(sorts.iter().all(|line| line.contains("Incremental Sort")), "{plan:#?}");
                }
            }
        }
        for (sql, index) in [
            (sql!("engines/list"), "engines_listed"),
            (sql!("events/list_ascending"), "events_pkey"),
            (sql!("events/list_descending"), "events_pkey"),
            (sql!("operations/list_of_location"), "operations_of_location"),
            (sql!("operations/list_of_engine"), "operations_of_engine"),
            (sql!("operations/list_of_session"), "operations_of_session"),
        ] {
            let plan = plan(&client, sql).await;
            let walks = walks(&plan);
            assert_eq!(walks[0].index.as_deref(), Some(index), "{plan:#?}");
            assert!(walks[0].condition.contains("ROW("), "{plan:#?}");
            assert!(!plan.iter().any(|line| line.contains("Sort")), "{plan:#?}");
        }
    });
}

#[test]
fn keys_are_drawn_by_nodes() {
    let schema = include_str!("../../migrations/0001_sessions.sql").to_uppercase();
    for word in ["SERIAL", "IDENTITY", "CREATE SEQUENCE", "NEXTVAL", "REFERENCES", "TRIGGER"] {
        assert!(!schema.contains(word), "{word}");
    }
}
