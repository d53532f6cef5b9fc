//! The programs of the documentation, run as a reader would.

use std::process::Command;

use crate::{LOCATION, assert_numbered};

#[test]
fn sessions() {
    let run = Command::new(env!("CARGO_BIN_EXE_sessions")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let printed = String::from_utf8(run.stdout).unwrap();
    let name = printed.strip_prefix("alice ").and_then(|rest| rest.strip_suffix('\n')).expect(&printed);
    let (engine, session) = name.split_once("/sessions/").expect(name);
    assert_numbered(engine, &format!("{LOCATION}/reasoningEngines/"));
    assert_numbered(session, "");
}
