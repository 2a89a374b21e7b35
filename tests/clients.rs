//! The venues' own client libraries, unmodified, trade on the twin.
//!
//! Whoever writes both a server and its client agrees with himself; these clients were written by the venues. They are
//! installed by `tests/clients/install.sh` beside the build's output, since no Rust tool brings them, and a test whose
//! client is absent says so and passes, unless `SUREFOOT_REQUIRE_CLIENTS=1` as in CI.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running twin, killed when dropped.
struct Twin {
    child: Child,
    /// What it printed: endpoints, authority and accounts.
    printed: PathBuf,
}

impl Twin {
    /// Starts a twin for one test and waits until it has printed its object.
    fn start(name: &str) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("twin-{name}"));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).expect("the build's temporary directory is writable");
        let mut child = Command::new(env!("CARGO_BIN_EXE_surefoot"))
            .args(["twin", "--json"])
            .current_dir(&home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the built binary starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut twin = Self { child, printed: home.join("twin.json") };
        let object = first_object(&mut BufReader::new(stdout));
        let status = twin.child.try_wait().expect("the twin can be waited for");
        assert!(status.is_none(), "the twin ended ({status:?}) after printing: {object}");
        fs::write(&twin.printed, object).expect("the build's temporary directory is writable");
        twin
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first whole JSON object of a stream, whether on one line or on many.
fn first_object<R: BufRead>(stream: &mut R) -> String {
    let mut text = String::new();
    loop {
        let read = stream.read_line(&mut text).expect("the twin writes text");
        if serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| value.is_object()) {
            return text;
        }
        if read == 0 {
            return format!("(no JSON object: {text:?})");
        }
    }
}

/// Where `tests/clients/install.sh` may have put a client: the target directory this build uses, or the default one.
fn installed(name: &str, within: &str) -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target/tmp has a parent");
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    [ours, &default].iter().map(|target| target.join(name)).find(|home| home.join(within).exists())
}

/// Says that a client is absent; a failure where CI requires it.
fn skip(test: &str, client: &str) {
    let required = std::env::var("SUREFOOT_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "{client} is not installed and SUREFOOT_REQUIRE_CLIENTS=1: run tests/clients/install.sh"
    );
    eprintln!("skipped: {test}: {client} is not installed, run tests/clients/install.sh");
}

/// Runs a client script against the twin and returns the one JSON line it prints.
fn run(client: &mut Command, twin: &Twin) -> serde_json::Value {
    let mut child = client
        .arg(&twin.printed)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client's interpreter starts");
    let mut printed = String::new();
    child
        .stdout
        .take()
        .expect("stdout is piped")
        .read_to_string(&mut printed)
        .expect("the client writes text");
    let status = child.wait().expect("the client can be waited for");
    eprint!("{printed}");
    let last = printed.lines().last().unwrap_or_default();
    assert!(status.success(), "the client failed with {status}: {last}");
    serde_json::from_str(last).expect("the client prints one JSON line")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

#[test]
fn the_polymarket_client_trades_on_the_twin() {
    let Some(home) = installed("clients-venv", "installed") else {
        return skip("the_polymarket_client_trades_on_the_twin", "py-clob-client-v2");
    };
    let twin = Twin::start("polymarket");
    let line = run(
        Command::new(home.join("bin/python")).arg("-B").arg(script("polymarket_client.py")),
        &twin,
    );
    assert_eq!(line["ok"], true, "{line}");
    assert_eq!(
        line["signature_types"],
        serde_json::json!([0, 1, 2, 3]),
        "one account per signature type"
    );
    assert!(line["trades"].as_u64().is_some_and(|trades| trades > 0), "{line}");
}

#[test]
fn the_kalshi_client_trades_on_the_twin() {
    let Some(home) = installed("clients-node", "installed") else {
        return skip("the_kalshi_client_trades_on_the_twin", "kalshi-typescript");
    };
    let twin = Twin::start("kalshi");
    let node = &mut Command::new("node");
    let line = run(node.arg(script("kalshi_client.mjs")).env("SUREFOOT_CLIENTS_NODE", home), &twin);
    assert_eq!(line["ok"], true, "{line}");
    assert!(line["fills"].as_u64().is_some_and(|fills| fills > 0), "{line}");
}
