//! Which version of the library is under test.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;

const LIBRARY: &str = "google-cloud-aiplatform-v1";
const LOCKED: &str = include_str!("../../Cargo.lock");

#[test]
fn the_version_is_reported() {
    let (_, entry) = LOCKED.split_once(&format!("name = \"{LIBRARY}\"\nversion = \"")).unwrap();
    let (version, _) = entry.split_once('"').unwrap();
    assert!(version.split('.').all(|number| number.parse::<u32>().is_ok()), "{version}");
    // Only `cargo xtask clients` wants to be told.
    if let Some(file) = env::var_os("COLLOQUY_REPORT") {
        let mut report = OpenOptions::new().append(true).create(true).open(file).unwrap();
        report.write_all(format!("{LIBRARY} {version}\n").as_bytes()).unwrap();
    }
}
