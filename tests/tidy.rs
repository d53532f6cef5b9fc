//! House rules: those of ARCHITECTURE.md that a machine can check.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics has failed"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The crates, and which others of the workspace each may build on. Who is not named here is new, and must be.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("resource-names", &[]),
    ("aip-filter", &[]),
    ("proto-json", &[]),
    ("colloquy-contract", &[]),
    ("colloquy-sessions", &["aip-filter", "resource-names"]),
    // Stores speak the domain's language, of which names and filters are a part.
    ("colloquy-store-sqlite", &["aip-filter", "colloquy-sessions", "resource-names"]),
    ("colloquy-store-postgres", &["aip-filter", "colloquy-sessions", "resource-names"]),
    ("colloquy-store-conformance", &["aip-filter", "colloquy-sessions", "resource-names"]),
    ("colloquy-gateway", &["colloquy-contract", "colloquy-sessions", "proto-json", "resource-names"]),
    (
        "colloquy",
        &[
            "colloquy-gateway",
            "colloquy-sessions",
            "colloquy-store-postgres",
            "colloquy-store-sqlite",
            "resource-names",
        ],
    ),
    ("xtask", &[]),
];

/// Libraries that stay in their room, with all that share their name (`http` stands for `http-body-util` too).
/// The tasks are no part of the house: they may use what they need.
const ROOMS: &[(&str, &[&str])] = &[
    // Only the gateway sees both wire messages and the domain.
    ("prost", &["colloquy-contract", "colloquy-gateway", "proto-json"]),
    ("tonic", &["colloquy-contract", "colloquy-gateway"]),
    ("http", &["colloquy-gateway"]),
    ("hyper", &["colloquy-gateway"]),
    ("axum", &[]),
    // Only stores know SQL.
    ("rusqlite", &["colloquy-store-sqlite"]),
    ("tokio-postgres", &["colloquy-store-postgres"]),
    ("deadpool", &["colloquy-store-postgres"]),
    ("sqlx", &[]),
    // The domain does no I/O.
    (
        "tokio",
        &[
            "colloquy",
            "colloquy-gateway",
            "colloquy-store-conformance",
            "colloquy-store-postgres",
            "colloquy-store-sqlite",
        ],
    ),
    ("tracing", &["colloquy", "colloquy-gateway", "colloquy-store-postgres", "colloquy-store-sqlite"]),
    // Only the binary reads the environment and files.
    ("clap", &["colloquy"]),
    ("toml", &["colloquy"]),
    ("anyhow", &["colloquy"]),
    ("indicatif", &["colloquy"]),
];

/// The one crate with lints of its own: it is mostly generated.
const OWN_LINTS: &str = "colloquy-contract";

/// Files are shorter than this.
const MAX_LINES: usize = 600;

/// Papers that a newcomer finds.
const PAPERS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "SECURITY.md",
    "docs/benchmarks.md",
    "docs/clients.md",
    "docs/compatibility.md",
    "docs/configuration.md",
    "docs/dependencies.md",
    "docs/extensions.md",
    "docs/migrate.md",
    "docs/scale.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A file of the repository.
struct Source {
    /// From the root.
    path: String,
    text: String,
}

impl Source {
    /// Every line that holds one of `patterns`, comments left out.
    fn lines_with<'s>(&'s self, patterns: &'s [&str]) -> impl Iterator<Item = (usize, &'s str)> {
        self.text.lines().enumerate().filter_map(move |(index, line)| {
            let code = line.split("//").next().unwrap_or_default();
            patterns.iter().find(|pattern| code.contains(*pattern)).map(|pattern| (index + 1, *pattern))
        })
    }

    fn is_under(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }
}

/// The files of our own with this extension, by path.
fn sources(extension: &str) -> Vec<Source> {
    files(&["crates", "xtask", "tests"], extension)
}

/// The files of some folders, by their extension.
fn files(folders: &[&str], extension: &str) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    let mut folders: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source {
                    path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
                    text,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "there is no .{extension} file");
    found
}

/// The manifests of the workspace's crates.
fn manifests() -> BTreeMap<String, Table> {
    let root = root();
    let mut folders = vec![root.join("xtask")];
    folders.extend(fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path()));
    let manifests = folders.iter().map(|folder| {
        let path = folder.join("Cargo.toml");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let manifest: Table = text.parse().unwrap();
        (manifest["package"]["name"].as_str().unwrap().to_owned(), manifest)
    });
    manifests.collect()
}

fn workspace_dependencies() -> Table {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: Table = text.parse().unwrap();
    manifest["workspace"]["dependencies"].as_table().unwrap().clone()
}

/// What a crate builds on: without what only its tests and its build script use.
fn dependencies(manifest: &Table) -> Vec<&str> {
    let tables = [manifest.get("dependencies")].into_iter().flatten();
    let of_targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    tables
        .chain(of_targets.filter_map(|target| target.get("dependencies")))
        .flat_map(|table| table.as_table().unwrap().keys())
        .map(String::as_str)
        .collect()
}

#[track_caller]
fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn crates_build_on_each_other_in_one_direction() {
    let manifests = manifests();
    let mut problems = Vec::new();
    for (name, manifest) in &manifests {
        let Some((_, allowed)) = DIRECTIONS.iter().find(|(known, _)| known == name) else {
            problems.push(format!("{name} is new: say in DIRECTIONS what it may build on"));
            continue;
        };
        for dependency in dependencies(manifest) {
            if manifests.contains_key(dependency) && !allowed.contains(&dependency) {
                problems.push(format!("{name} must not build on {dependency}"));
            }
        }
    }
    for (name, _) in DIRECTIONS.iter().filter(|(name, _)| !manifests.contains_key(*name)) {
        problems.push(format!("{name} is in DIRECTIONS, and no crate"));
    }
    assert_none(problems);
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut problems = Vec::new();
    for (name, manifest) in manifests().iter().filter(|(name, _)| *name != "xtask") {
        for dependency in dependencies(manifest) {
            let room = ROOMS.iter().find(|(library, _)| {
                dependency.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            });
            if let Some((_, allowed)) = room
                && !allowed.contains(&name.as_str())
            {
                problems.push(format!("{name} must not use {dependency}"));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn versions_and_lints_are_those_of_the_workspace() {
    let mut problems = Vec::new();
    let mut used = Vec::new();
    for (name, manifest) in &manifests() {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = manifest.get(kind).and_then(Value::as_table).cloned().unwrap_or_default();
            for (dependency, value) in table {
                if value.get("workspace").and_then(Value::as_bool) != Some(true) {
                    problems.push(format!("{name}: {dependency} has a version of its own"));
                }
                used.push(dependency);
            }
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        if name != OWN_LINTS && lints != Some(true) {
            problems.push(format!("{name} does not say [lints] workspace = true"));
        }
    }
    for (dependency, value) in workspace_dependencies() {
        let outside = value.get("path").is_none();
        if outside && !used.contains(&dependency) {
            problems.push(format!("Cargo.toml: no crate uses {dependency}"));
        }
    }
    assert_none(problems);
}

#[test]
fn every_library_is_accounted_for() {
    let page = "docs/dependencies.md";
    let text = fs::read_to_string(root().join(page)).expect(page);
    let lines: Vec<_> =
        text.lines().map(str::trim).filter(|line| line.starts_with(['|', '-', '*'])).collect();
    let outside = workspace_dependencies().into_iter().filter(|(_, value)| value.get("path").is_none());
    let missing = outside.map(|(name, _)| name).filter(|name| {
        let name = format!("`{name}`");
        !lines.iter().any(|line| line.contains(&name))
    });
    assert_none(missing.map(|name| format!("{page} has no line about `{name}`")).collect());
}

#[test]
fn the_papers_are_there() {
    let root = root();
    let missing =
        PAPERS.iter().filter(|paper| fs::read_to_string(root.join(paper)).unwrap_or_default().is_empty());
    assert_none(missing.map(|paper| format!("{paper} is missing")).collect());
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut problems = Vec::new();
    for Source { path, text } in &sources("rs") {
        let lines = text.lines().count();
        if lines >= MAX_LINES {
            problems.push(format!("{path}: {lines} lines; a file has fewer than {MAX_LINES}"));
        }
        if !text.starts_with("//! ") {
            problems.push(format!("{path}:1: a file begins with a line of `//!` that says what it is"));
        }
        let stem = Path::new(path).file_stem().unwrap().to_str().unwrap();
        let folder = Path::new(path).parent().unwrap().file_name().unwrap().to_str().unwrap();
        for name in [stem, folder] {
            if ["util", "utils", "common", "helper", "helpers", "misc"].contains(&name) {
                problems.push(format!("{path}: {name} says nothing; name what is in it"));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn nothing_is_left_open_or_allowed() {
    // In pieces, so that this file does not find itself.
    let patterns = [
        (concat!("[", "allow("), "say #[expect(..., reason = \"...\")]"),
        (concat!("todo", "!("), "finish it"),
        (concat!("unimpl", "emented!("), "finish it"),
        (concat!("#[", "ignore"), "a test that does not run proves nothing"),
    ];
    let mut problems = Vec::new();
    for source in &sources("rs") {
        for (pattern, advice) in patterns {
            for (line, _) in source.lines_with(&[pattern]) {
                problems.push(format!("{}:{line}: {pattern}: {advice}", source.path));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn only_the_binary_reads_the_environment_and_the_clock() {
    let outside = ["crates/colloquy/", "xtask/", "tests/"];
    let mut problems = Vec::new();
    for source in &sources("rs") {
        let is_build_script = source.is_under(&["crates/contract/build/"]);
        let is_test = source.path.split('/').any(|part| part == "tests" || part == "tests.rs");
        if source.is_under(&outside) || is_build_script || is_test {
            continue;
        }
        for (line, pattern) in source.lines_with(&["env::var", "SystemTime::now"]) {
            problems.push(format!("{}:{line}: {pattern} is for the binary to call", source.path));
        }
        // The domain has no clock and no randomness at all: both are handed in.
        let of_the_domain = ["Instant::now", "getrandom", "std::fs", "std::net", "std::thread"];
        if source.is_under(&["crates/sessions/"]) {
            for (line, pattern) in source.lines_with(&of_the_domain) {
                problems.push(format!("{}:{line}: {pattern}: the domain does no I/O", source.path));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn sql_stays_with_the_stores() {
    // In pieces, so that this file does not find itself.
    let statements = [
        concat!("SEL", "ECT "),
        concat!("INS", "ERT INTO "),
        concat!("DEL", "ETE FROM "),
        concat!("CRE", "ATE TABLE "),
        concat!("ALT", "ER TABLE "),
        concat!("PRA", "GMA "),
    ];
    let mut problems = Vec::new();
    // Who looks after a database of the tests says so in its language.
    let allowed = ["crates/store-", "xtask/src/postgres/"];
    for source in sources("rs").iter().filter(|source| !source.is_under(&allowed)) {
        for (line, pattern) in source.lines_with(&statements) {
            problems.push(format!("{}:{line}: {pattern}: only stores know SQL", source.path));
        }
    }
    assert_none(problems);
}

#[test]
fn every_statement_is_used() {
    let code = sources("rs");
    let mut problems = Vec::new();
    for Source { path, .. } in &sources("sql") {
        // `crates/store-x/sql/a/b.sql` is included as "a/b", the others by their file names.
        let (krate, file) = ["/sql/", "/migrations/"]
            .into_iter()
            .find_map(|folder| path.split_once(folder))
            .unwrap_or_else(|| panic!("{path} is in no folder for statements"));
        let name = file.trim_end_matches(".sql");
        let is_of_a_store = krate.starts_with("crates/") && path.contains("/sql/");
        let quoted = if is_of_a_store { format!("\"{name}\"") } else { format!("/{name}.sql\"") };
        let folder = format!("{krate}/src/");
        let used =
            code.iter().any(|source| source.path.starts_with(&folder) && source.text.contains(&quoted));
        if !used {
            problems.push(format!("{path}: nothing in {folder} includes {quoted}"));
        }
    }
    assert_none(problems);
}

#[test]
fn the_clients_page_shows_the_programs_that_the_tests_run() {
    let page = fs::read_to_string(root().join("docs/clients.md")).unwrap();
    let mut problems = Vec::new();
    let mut shown = Vec::new();
    for rest in page.split("<!-- snippet: ").skip(1) {
        let (path, rest) = rest.split_once(" -->\n").unwrap();
        let block = rest.strip_prefix("```").and_then(|rest| rest.split_once('\n')?.1.split_once("\n```\n"));
        let program = fs::read_to_string(root().join(path));
        match (block, program) {
            (Some((block, _)), Ok(program)) if block == program.trim_end() => {}
            (Some(_), Ok(_)) => {
                problems.push(format!("docs/clients.md: {path} reads otherwise; show it as it is"))
            }
            _ => problems.push(format!("docs/clients.md: {path} is not a file, or is not shown")),
        }
        shown.push(path.to_owned());
    }
    for kind in ["py", "mjs", "go", "java", "rs"] {
        for Source { path, .. } in files(&["clients"], kind) {
            if path.contains("/snippets/") && !shown.contains(&path) {
                problems.push(format!("{path}: docs/clients.md does not show it"));
            }
        }
    }
    assert_none(problems);
}
