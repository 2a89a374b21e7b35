//! Files that another version of surefoot wrote: a start says which, by both numbers, and changes none of them.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use scratch::Scratch;
use surefoot::exit::Exit;
use surefoot_cold::journal::segment_path;
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::journal::{Body, Chain, FORMAT, Header};
use surefoot_hot::units::Nanos;

fn newer_journal(state: &StateDir) {
    fs::create_dir_all(state.journal()).unwrap();
    let mut chain = Chain::new();
    let header = Header {
        format: FORMAT + 1,
        segment: 1,
        config: 1,
        binary: 2,
        run: 1,
        venue: 3,
        before: chain.hash(),
        starts: true,
        fresh: true,
        mode: 0,
    };
    let bytes = chain.seal(Nanos::ZERO, &Body::Header(header));
    fs::write(segment_path(&state.journal(), 1), bytes).unwrap();
    // A start of this version would write it anew.
    fs::write(state.names(), "{\"version\":2,\"worlds\":{}}").unwrap();
}

fn newer_wire_log(state: &StateDir) {
    fs::write(state.wire_log("kalshi"), b"SFW3".repeat(100)).unwrap();
}

fn newer_names(state: &StateDir) {
    fs::write(state.names(), "{\"version\":9,\"worlds\":{}}").unwrap();
}

fn newer_database(state: &StateDir) {
    let db = rusqlite::Connection::open(state.database()).unwrap();
    db.execute_batch("CREATE TABLE a (b); PRAGMA user_version = 99;").unwrap();
}

/// Every file below a directory, with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap_or_default());
        }
    }
    all
}

#[test]
fn a_start_names_a_file_of_a_later_version_and_leaves_all_of_them_as_they_are() {
    type Make = fn(&StateDir);
    let kinds: [(&str, Make, &[&str]); 4] = [
        ("journal", newer_journal, &["journal", "a newer version", "Files of another version"]),
        ("wire-log", newer_wire_log, &["wire-kalshi.log", "version 3", "Files of another version"]),
        ("names", newer_names, &["markets.json", "version 9", "knows 3"]),
        ("database", newer_database, &["surefoot.db", "version 99", "Use the newer surefoot"]),
    ];
    for (name, make, words) in kinds {
        let root = Scratch::new(&format!("version-{name}"));
        let state = StateDir::open(&root.join("state")).unwrap();
        make(&state);
        let before = files(state.root());
        let mut command = Command::new(env!("CARGO_BIN_EXE_surefoot"));
        command.args(["run", "demo", "--for", "1s", "--topology", "calm", "--seed", "9771"]);
        command.arg("--state").arg(state.root()).current_dir(&*root).stdin(Stdio::null());
        let said = command.output().unwrap();
        let err = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(i32::from(Exit::State.code())), "{name}: {err}");
        for word in words {
            assert!(err.contains(word), "{name}: `{word}` is missing in: {err}");
        }
        let after = files(state.root());
        for (path, bytes) in before {
            assert_eq!(after.get(&path), Some(&bytes), "{name}: {} changed", path.display());
        }
    }
}
