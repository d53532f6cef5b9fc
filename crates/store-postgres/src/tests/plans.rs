//! Every statement uses the index that was made for it, and stays on one machine where tables are spread over many.

use std::path::{Path, PathBuf};

use aip_filter::OrderTerm;
use colloquy_sessions::query::SessionOrder;
use colloquy_store_conformance::block_on;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::Options;
use crate::protocol::Protocol;
use crate::query::{Owner, list_sessions};

/// Indexes that hold nothing but work, or are read from one end: their first entry is what is asked for.
const WORK_LISTS: [&str; 2] = ["sessions_deleted", "engines_deleted"];
/// Indexes over all engines, which upkeep alone reads.
const UPKEEP_INDEXES: [&str; 5] =
    ["sessions_deleted", "sessions_expiring", "engines_deleted", "operations_ended", "requests_recorded"];
/// The walks of every statement, as they are meant to be: a line each.
const PLANS: &str = include_str!("plans.txt");
/// Statements about the schema and the server, which walk nothing that grows.
const ABOUT_ITSELF: [&str; 5] =
    ["health", "migrations/applied", "migrations/lock", "migrations/record", "migrations/table"];
/// What a place where all must meet is made of, or what not every engine that spreads tables has.
const UNSPREADABLE: [&str; 6] = ["SERIAL", "IDENTITY", "CREATE SEQUENCE", "NEXTVAL", "REFERENCES", "TRIGGER"];

/// Enough of all, of so many engines that have something, and as many users of sessions.
fn much(engines: u32, users: u32) -> String {
    const MUCH: &str = "
    INSERT INTO engines
    SELECT n, 'p', 'l', convert_to(n::TEXT, 'UTF8'), '', '', '{}', '', 1, n, n, n % 50 = 0, n
    FROM generate_series(1, 5000) AS n;
    INSERT INTO apps SELECT n, 0 FROM generate_series(1, 5000) AS n;
    INSERT INTO users SELECT n % {engines} + 1, n, convert_to(n::TEXT, 'UTF8'), 0 FROM generate_series(1, 5000) AS n;
    INSERT INTO sessions
    SELECT n % {engines} + 1, n, n % {users} + 1, convert_to(n::TEXT, 'UTF8'), '', '{}', n, n, n % 50 = 0 FROM generate_series(1, 60000) AS n;
    INSERT INTO session_clock
    SELECT n % {engines} + 1, n, n % {users} + 1, convert_to(n::TEXT, 'UTF8'), n, 0, 0 FROM generate_series(1, 60000) AS n;
    INSERT INTO events SELECT n % {engines} + 1, n % 100, n, n, n, '', '', '' FROM generate_series(1, 20000) AS n;
    INSERT INTO session_state SELECT n % {engines} + 1, n % 1000, sha256(n::TEXT::BYTEA), '', '' FROM generate_series(1, 10000) AS n;
    INSERT INTO user_state SELECT n % {engines} + 1, n % 1000, sha256(n::TEXT::BYTEA), '', '' FROM generate_series(1, 10000) AS n;
    INSERT INTO app_state SELECT n % 1000, sha256(n::TEXT::BYTEA), '', '' FROM generate_series(1, 10000) AS n;
    INSERT INTO operations
    SELECT n, 'p', 'l', CASE WHEN n % 3 > 0 THEN n % 100 END, CASE WHEN n % 3 > 1 THEN n END, 0, 0, n % 2 = 0, n, n
    FROM generate_series(1, 20000) AS n;
    -- Of all rows, so that it finds the same each time.
    SET default_statistics_target = 1000;
    ANALYZE engines, apps, users, sessions, session_clock, events, session_state, user_state, app_state, operations";
    MUCH.replace("{engines}", &engines.to_string()).replace("{users}", &users.to_string())
}

/// A schema of its own, gone with the test if it ends well.
async fn schema(name: &str) -> Client {
    #[expect(clippy::disallowed_methods, reason = "a test has no other way to be told")]
    let url = std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL names a PostgreSQL to test with; `cargo xtask test` starts one");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    // What a plan is made for: any values, and tables that may have grown.
    let own = Protocol::new(&Options::default(), Vec::new(), true).transaction_settings().unwrap();
    let own = own.replace(", TRUE)", ", FALSE)");
    let set = format!("SET plan_cache_mode = force_generic_plan; SET enable_bitmapscan = off; {own}");
    let make = format!("CREATE TEMPORARY TABLE {name} (); SET search_path = pg_temp; {set}");
    client.batch_execute(&make).await.unwrap();
    for (_, sql) in files("migrations") {
        client.batch_execute(&sql).await.unwrap();
    }
    client
}

/// The tables that are spread by `engine_key`: every row has one, and engines themselves are everywhere.
async fn spread(client: &Client) -> Vec<String> {
    let owned = "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' AND attname = 'engine_key' AND attnotnull
        AND relname <> 'engines' ORDER BY relname";
    client.query(owned, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
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

/// The SQL files of a folder of this crate, by their names without it, in order.
fn files(folder: &str) -> Vec<(String, String)> {
    fn find(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { find(&path, found) } else { found.push(path) }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths = Vec::new();
    find(&folder, &mut paths);
    paths.sort();
    let name =
        |path: &Path| path.strip_prefix(&folder).unwrap().with_extension("").to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_statement_starts_at_its_place_in_its_index() {
    block_on(async {
        let client = schema("plans_of_all").await;
        let spread = spread(&client).await;
        assert!(spread.len() >= 8, "{spread:?}");
        let mut plans = String::new();
        // Whatever is known of tables, nothing is read from one end to the other; with much in them, each is read by the
        // index that was made for it.
        for rows in ["", &much(50, 200)] {
            client.batch_execute(rows).await.unwrap();
            plans.clear();
            let mut problems = Vec::new();
            for (name, sql) in files("sql") {
                // A migration's mark is a table that is only there meanwhile, and counts are asked for once.
                if ABOUT_ITSELF.contains(&name.as_str()) || name.starts_with("transfer/mark/") {
                    continue;
                }
                let walks = walks(&plan(&client, &sql).await);
                let is_upkeep = name.starts_with("upkeep/");
                for walk in &walks {
                    let index = walk.index.as_deref().unwrap_or_default();
                    let is_found = !walk.condition.is_empty() || WORK_LISTS.contains(&index);
                    let is_spread =
                        spread.contains(&walk.table) && !(is_upkeep && UPKEEP_INDEXES.contains(&index));
                    if !is_found || (is_spread && !walk.condition.contains("engine_key")) {
                        problems.push(format!("{name}: {walk:?}"));
                    }
                }
                let all: Vec<_> = walks.iter().map(|walk| walk.index.as_deref().unwrap_or("?")).collect();
                plans.push_str(&format!(
                    "{name}: {}\n",
                    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
                ));
            }
            assert!(problems.is_empty(), "{problems:#?}");
        }
        assert!(plans == PLANS, "if it is as it should be, src/tests/plans.txt becomes:\n{plans}");
    });
}

#[test]
fn every_table_has_its_line_in_the_docs() {
    let page = include_str!("../../../../docs/scale.md");
    block_on(async {
        let client = schema("tables_of_all").await;
        let spread = spread(&client).await;
        let all = "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
            AND relname <> 'tables_of_all'";
        for row in client.query(all, &[]).await.unwrap() {
            let table: String = row.get(0);
            let line = page.lines().find(|line| line.starts_with(&format!("| `{table}` |")));
            let line = line.unwrap_or_else(|| panic!("docs/scale.md says nothing of {table}"));
            assert_eq!(line.contains("| `engine_key` |"), spread.contains(&table), "{line}");
        }
    });
}

#[test]
fn lists_are_read_in_the_order_of_their_index() {
    block_on(async {
        let client = schema("plans_of_lists").await;
        // With a row or two, any plan is as good as another.
        client.batch_execute(&much(1, 2)).await.unwrap();
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
    for (name, sql) in files("migrations").into_iter().chain(files("sql")) {
        let sql = sql
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .collect::<String>()
            .to_uppercase();
        for word in UNSPREADABLE {
            assert!(!sql.contains(word), "{name}: {word}");
        }
    }
}
