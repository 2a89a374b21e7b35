//! What a test says that cannot run here, and where it may not say so.
//!
//! libtest counts a test that returns early as passed and hides what it printed. These words go past its capture to
//! stderr, and into the file that `SUREFOOT_SKIPPED` names, which `.ci/run` shows in its closing lines.
//! `SUREFOOT_REQUIRE` lists what must be there (`data`, `client`, `cores`, `tool`): there a skip is a failure.

use std::fs::OpenOptions;
use std::io::{self, Write as _};

/// Says that this test does not run because something is absent: `lacks` is its kind, `why` names it.
pub fn skip(lacks: &str, why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test"); // libtest calls a test's thread by the test's path
    let required = std::env::var("SUREFOOT_REQUIRE").unwrap_or_default();
    let required = required.split_whitespace().any(|kind| kind == lacks);
    assert!(!required, "{test} cannot run, and SUREFOOT_REQUIRE asks for its {lacks}: {why}");
    let line = format!("skipped: {test}: {why} ({lacks})\n");
    let _ = io::stderr().write_all(line.as_bytes()); // nobody reads: the file still says it
    if let Some(path) = std::env::var_os("SUREFOOT_SKIPPED") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the list can be written");
    }
}
