//! Every statement uses the index that was made for it.

use std::path::{Path, PathBuf};

use aip_filter::OrderTerm;
use colloquy_sessions::query::SessionOrder;
use rusqlite::Connection;

use super::fixture::open;
use crate::Options;
use crate::connection::open_writer;
use crate::query::{Owner, list_sessions};

/// Work lists: the first entry of an index that holds nothing but work.
const WORK_LISTS: [&str; 2] = ["INDEX sessions_deleted", "INDEX engines_deleted"];

/// The steps of every statement, as they are meant to be: a line each.
const PLANS: &str = include_str!("plans.txt");

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let parameters = vec![rusqlite::types::Value::Null; statement.parameter_count()];
    let rows = statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// All but those that a migration runs once, at its beginning or end, some of them on a table that is only there
/// meanwhile.
fn statements(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("transfer/mark") {
            continue;
        }
        if path.is_dir() { statements(&path, found) } else { found.push(path) }
    }
}

#[test]
fn every_statement_uses_its_index() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let connection = Connection::open(directory.path().join("colloquy.db")).unwrap();
    let (mut paths, mut plans) = (Vec::new(), String::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    statements(&folder, &mut paths);
    paths.sort();
    for path in paths {
        let sql = std::fs::read_to_string(&path).unwrap();
        let steps = plan(&connection, &sql);
        for step in &steps {
            let walks = step.starts_with("SCAN")
                && step != "SCAN CONSTANT ROW"
                && step != "SCAN migrations"
                && !WORK_LISTS.iter().any(|index| step.contains(index));
            assert!(!walks && !step.contains("TEMP B-TREE"), "{}: {step}", path.display());
        }
        let name = path.strip_prefix(&folder).unwrap().with_extension("");
        let steps = if steps.is_empty() { "none".to_owned() } else { steps.join("; ") };
        plans.push_str(&format!("{}: {steps}\n", name.display()));
    }
    assert!(plans == PLANS, "if it is as it should be, src/tests/plans.txt becomes:\n{plans}");
}

#[test]
fn no_statement_is_prepared_again_for_other_values() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let connection = open_writer(&directory.path().join("colloquy.db"), &Options::default()).unwrap();
    let (mut paths, mut replanned) = (Vec::new(), Vec::new());
    statements(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sql"), &mut paths);
    for path in paths {
        let sql = std::fs::read_to_string(&path).unwrap();
        let mut statement = connection.prepare(&sql).unwrap();
        for value in 1..4_i64 {
            let transaction = connection.unchecked_transaction().unwrap();
            let parameters = vec![value; statement.parameter_count()];
            // Most writes fail a constraint: they were prepared all the same.
            let outcome = statement
                .query(rusqlite::params_from_iter(parameters))
                .and_then(|mut rows| rows.next().map(drop));
            drop(outcome);
            drop(transaction);
        }
        let again = statement.get_status(rusqlite::StatementStatus::RePrepare);
        if again > 0 {
            replanned.push(path);
        }
    }
    assert!(replanned.is_empty(), "{replanned:#?}");
}

#[test]
fn lists_of_sessions_are_ranges_of_their_index() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let connection = Connection::open(directory.path().join("colloquy.db")).unwrap();
    for (owner, field, index) in [
        (
            Owner::Engine(1),
            SessionOrder::CreateTime,
            "sessions_of_engine (engine_key=? AND create_time>? AND create_time<?)",
        ),
        (
            Owner::User(1),
            SessionOrder::CreateTime,
            "sessions_of_user (user_key=? AND create_time>? AND create_time<?)",
        ),
        (
            Owner::Engine(1),
            SessionOrder::UpdateTime,
            "clock_of_engine (engine_key=? AND update_time>? AND update_time<?)",
        ),
        (
            Owner::User(1),
            SessionOrder::UpdateTime,
            "clock_of_user (user_key=? AND update_time>? AND update_time<?)",
        ),
    ] {
        let other = match field {
            SessionOrder::CreateTime => SessionOrder::UpdateTime,
            SessionOrder::UpdateTime => SessionOrder::CreateTime,
        };
        for descending in [false, true] {
            for (order, tail) in [
                (vec![OrderTerm { field, descending }], "LAST TERM"),
                (
                    vec![OrderTerm { field, descending }, OrderTerm { field: other, descending }],
                    "LAST 2 TERMS",
                ),
            ] {
                let steps = plan(&connection, &list_sessions(owner, &order));
                assert!(steps[0].starts_with("SEARCH") && steps[0].ends_with(index), "{steps:?}");
                assert!(steps.iter().all(|step| !step.starts_with("SCAN")), "{steps:?}");
                // Only rows with the same first value are sorted.
                assert_eq!(steps[3], format!("USE TEMP B-TREE FOR {tail} OF ORDER BY"), "{steps:?}");
            }
        }
    }
}

#[test]
fn pages_of_engines_events_and_operations_start_at_their_place() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let connection = Connection::open(directory.path().join("colloquy.db")).unwrap();
    for (sql, index) in [
        (
            sql!("engines/list"),
            "engines_listed (project=? AND location=? AND create_time>? AND (create_time,engine_id)<(?,?)",
        ),
        (
            sql!("events/list_ascending"),
            "events_ordered (session_key=? AND (timestamp,sequence)>(?,?) AND timestamp<?)",
        ),
        (
            sql!("events/list_descending"),
            "events_ordered (session_key=? AND timestamp>? AND (timestamp,sequence)<(?,?))",
        ),
        (
            sql!("operations/list_of_location"),
            "operations_of_location (project=? AND location=? AND create_time>? AND create_time<?)",
        ),
        (
            sql!("operations/list_of_engine"),
            "operations_of_engine (engine_key=? AND create_time>? AND create_time<?)",
        ),
        (
            sql!("operations/list_of_session"),
            "operations_of_session (session_key=? AND create_time>? AND create_time<?)",
        ),
    ] {
        let steps = plan(&connection, sql);
        assert!(steps.len() == 1 && steps[0].contains(index), "{steps:?}");
    }
}
