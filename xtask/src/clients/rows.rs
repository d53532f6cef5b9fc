//! The matrix: which clients, and how each is run.

use anyhow::{Result, bail};

use super::Tool;
use super::tally::Calls;

/// One client, or a few that share a test.
#[derive(Debug)]
pub(super) struct Row {
    /// What the table calls it.
    pub(super) client: &'static str,
    /// What runs it.
    pub(super) tool: Tool,
    /// What is run, in the tool's folder.
    pub(super) arguments: &'static [&'static str],
    /// The protocols that it must have spoken.
    pub(super) speaks: &'static [Protocol],
    /// Where the server keeps its data.
    pub(super) store: Store,
    /// What else the server is told.
    pub(super) flags: &'static [&'static str],
}

/// Where a server keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    Sqlite,
    Postgres,
}

/// What is spoken on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Rest,
    Grpc,
}

use Protocol::{Grpc, Rest};

/// All rows, in the order in which they run.
pub(super) const ROWS: &[Row] = &[
    row(Tool::Python, "Python agentplatform, vertexai", &["test_manage_sessions.py"], &[Rest]),
    row(Tool::Python, "Python generated client, REST", &["test_generated.py", "-k", "rest"], &[Rest]),
    row(Tool::Python, "Python generated client, gRPC", &["test_generated.py", "-k", "grpc"], &[Grpc]),
    row(Tool::Python, "Python ADK: session service, Runner", &["test_adk.py"], &[Rest]),
    row(Tool::Python, "Python ADK: adk api_server, adk web", &["test_adk_server.py"], &[Rest]),
    row(Tool::Python, "Python ADK against its in-memory service", &["test_differential.py"], &[Rest]),
    row(Tool::Python, "Python google-api-python-client", &["test_discovery.py"], &[Rest]),
    row(Tool::Python, "Python protobuf, JSON of ADK events", &["test_json_corpus.py"], &[Rest]),
    row(Tool::Python, "gRPC reflection, health", &["test_contract.py"], &[Grpc]),
    Row {
        flags: &["--raw-event-ids"],
        ..row(Tool::Python, "Python ADK, generated client: retries", &["test_retries.py"], &[Rest, Grpc])
    },
    row(Tool::Python, "curl and Python of the README", &["test_readme.py"], &[Rest, Grpc]),
    row(Tool::Python, "Python snippets", &["test_snippets.py"], &[Rest, Grpc]),
    Row {
        client: "schemathesis",
        tool: Tool::Schemathesis,
        arguments: &["test_openapi.py"],
        speaks: &[Rest],
        store: Store::Sqlite,
        flags: &[],
    },
    row(Tool::Node, "Node @google/adk", &["adk.test.mjs"], &[Rest]),
    row(Tool::Node, "Node @google-cloud/aiplatform, gRPC", &["aiplatform-grpc.test.mjs"], &[Grpc]),
    // One version a process: the library polls operations in the version of whichever client came first.
    row(Tool::Node, "Node @google-cloud/aiplatform, REST v1", &["aiplatform-rest-v1.test.mjs"], &[Rest]),
    row(
        Tool::Node,
        "Node @google-cloud/aiplatform, REST v1beta1",
        &["aiplatform-rest-v1beta1.test.mjs"],
        &[Rest],
    ),
    row(Tool::Node, "Node @google-cloud/vertexai", &["vertexai.test.mjs"], &[Rest]),
    row(Tool::Node, "Node snippets", &["snippets.test.mjs"], &[Rest, Grpc]),
    row(Tool::Go, "Go cloud.google.com/go/aiplatform, gRPC", &["./aiplatform", "-run", "GRPC"], &[Grpc]),
    row(Tool::Go, "Go cloud.google.com/go/aiplatform, REST", &["./aiplatform", "-run", "REST"], &[Rest]),
    row(Tool::GoAdk, "Go google.golang.org/adk, v2 and v1", &["."], &[Grpc]),
    row(Tool::Java, "Java google-adk", &["-Dtest=AdkTest"], &[Rest]),
    row(Tool::Java, "Java google-cloud-aiplatform", &["-Dtest=AiplatformGrpcTest"], &[Grpc]),
    row(Tool::Rust, "Rust google-cloud-aiplatform-v1", &[], &[Rest]),
    on_postgres(Tool::Python, "Python agentplatform on PostgreSQL", &["test_manage_sessions.py"], &[Rest]),
    on_postgres(
        Tool::Python,
        "Python generated, gRPC, on PostgreSQL",
        &["test_generated.py", "-k", "grpc"],
        &[Grpc],
    ),
    on_postgres(Tool::Python, "Python ADK on PostgreSQL", &["test_adk.py"], &[Rest]),
    Row {
        flags: &["--raw-event-ids"],
        ..on_postgres(Tool::Python, "Python retries on PostgreSQL", &["test_retries.py"], &[Rest, Grpc])
    },
    on_postgres(Tool::Node, "Node @google/adk on PostgreSQL", &["adk.test.mjs"], &[Rest]),
    on_postgres(Tool::GoAdk, "Go google.golang.org/adk on PostgreSQL", &["."], &[Grpc]),
    on_postgres(Tool::Java, "Java google-adk on PostgreSQL", &["-Dtest=AdkTest"], &[Rest]),
];

const fn row(
    tool: Tool,
    client: &'static str,
    arguments: &'static [&'static str],
    speaks: &'static [Protocol],
) -> Row {
    Row { client, tool, arguments, speaks, store: Store::Sqlite, flags: &[] }
}

/// One of the rows above once more, against a server on PostgreSQL.
const fn on_postgres(
    tool: Tool,
    client: &'static str,
    arguments: &'static [&'static str],
    speaks: &'static [Protocol],
) -> Row {
    Row { client, tool, arguments, speaks, store: Store::Postgres, flags: &[] }
}

impl Row {
    /// A row proves nothing about a protocol that it did not speak.
    pub(super) fn check(&self, calls: &Calls) -> Result<()> {
        for protocol in self.speaks {
            match protocol {
                Rest if calls.rest == 0 => bail!("it made no REST call"),
                Grpc if calls.grpc == 0 => bail!("it made no gRPC call"),
                Rest | Grpc => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_did_not_speak_has_not_passed() {
        let row = row(Tool::Python, "c", &[], &[Rest, Grpc]);
        assert!(row.check(&Calls { rest: 1, grpc: 1 }).is_ok());
        assert!(row.check(&Calls { rest: 1, grpc: 0 }).is_err());
        assert!(row.check(&Calls { rest: 0, grpc: 1 }).is_err());
    }

    #[test]
    fn each_row_on_postgresql_is_also_one_on_sqlite() {
        let of = |store| ROWS.iter().filter(move |row| row.store == store);
        assert!(of(Store::Postgres).count() >= 6);
        for row in of(Store::Postgres) {
            let same = |other: &Row| (other.tool, other.arguments) == (row.tool, row.arguments);
            assert!(of(Store::Sqlite).any(same) && row.client.ends_with("on PostgreSQL"), "{}", row.client);
        }
    }

    #[test]
    fn no_two_rows_have_one_name() {
        for (index, row) in ROWS.iter().enumerate() {
            assert!(ROWS[..index].iter().all(|other| other.client != row.client), "{}", row.client);
        }
    }
}
