//! The venues' own client libraries, unmodified, trade on the twin.
//!
//! Whoever writes both a server and its client agrees with himself; these clients were written by the venues. They are
//! installed by `tests/clients/install.sh` beside the build's output, since no Rust tool brings them, and a test whose
//! client is absent says so and passes, unless `SUREFOOT_REQUIRE` names `client` as in CI.

#[path = "support/scratch.rs"]
mod scratch;
#[path = "support/skip.rs"]
mod skip;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use std::time::Duration;

use scratch::Scratch;

/// A twin is there within a second on an idle machine; a loaded one is not the twin's fault.
const START_SPAN_MAX: Duration = Duration::from_secs(120);
/// A client takes some twenty seconds, most of them waiting for its trades to be mined.
const CLIENT_SPAN_MAX: Duration = Duration::from_secs(600);

/// A child that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running twin.
struct Twin {
    _child: Killed,
    /// What it printed: endpoints, authority and accounts.
    printed: PathBuf,
    /// After the child: it goes once nothing writes into it.
    _home: Scratch,
}

impl Twin {
    /// Starts a twin for one test and waits until it has printed its object.
    fn start(name: &str) -> Self {
        let home = Scratch::new(name);
        let mut child = Command::new(env!("CARGO_BIN_EXE_surefoot"))
            // Its end is set, so that it goes even where this test is killed.
            .args(["twin", "--world", "calm", "--json", "--dir", "keys", "--for", "20m"])
            .current_dir(&*home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map(Killed)
            .expect("the built binary starts");
        let stdout = child.0.stdout.take().expect("stdout is piped");
        let line = within(START_SPAN_MAX, stdout, |stdout| {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let line = line.expect("the twin prints within the time it is given");
        let object = serde_json::from_str::<serde_json::Value>(&line);
        assert!(object.is_ok_and(|value| value.is_object()), "the twin printed {line:?}");
        let printed = home.join("twin.json");
        fs::write(&printed, line).expect("the temporary directory is writable");
        Self { _child: child, printed, _home: home }
    }
}

/// What `read` gets from a child's output; `None` where that takes longer than `span`.
fn within<F>(span: Duration, stdout: ChildStdout, read: F) -> Option<String>
where
    F: FnOnce(ChildStdout) -> std::io::Result<String> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(read(stdout).expect("a child writes text")));
    receiver.recv_timeout(span).ok()
}

/// Where `tests/clients/install.sh` may have put a client: the target directory this build uses, or the default one.
fn installed(name: &str) -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target/tmp has a parent");
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    [ours, &default]
        .iter()
        .map(|target| target.join(name))
        .find(|home| home.join("installed").exists())
}

/// Whether an interpreter is there to run it.
fn runs(interpreter: &Path) -> bool {
    let mut command = Command::new(interpreter);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Says that a client is absent; a failure where CI requires it.
fn skip(client: &str) {
    skip::skip("client", &format!("{client} is not installed, run tests/clients/install.sh"));
}

/// Runs a client script against the twin and returns the one JSON line it prints.
fn run(client: &mut Command, twin: &Twin) -> serde_json::Value {
    let mut child = client
        .arg(&twin.printed)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map(Killed)
        .expect("the client's interpreter starts");
    let stdout = child.0.stdout.take().expect("stdout is piped");
    let printed = within(CLIENT_SPAN_MAX, stdout, |mut stdout| {
        let mut printed = String::new();
        stdout.read_to_string(&mut printed).map(|_| printed)
    });
    let printed = printed.expect("the client ends within the time it is given");
    let status = child.0.wait().expect("the client can be waited for");
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
    let python = installed("clients-venv").map(|home| home.join("bin/python"));
    let Some(python) = python.filter(|python| runs(python)) else {
        return skip("py-clob-client-v2");
    };
    let twin = Twin::start("polymarket");
    let line = run(Command::new(python).arg("-B").arg(script("polymarket_client.py")), &twin);
    assert_eq!(line["ok"], true, "{line}");
    let types = serde_json::json!([0, 1, 2, 3]);
    assert_eq!(line["signature_types"], types, "one account per signature type");
    let kinds: Vec<(u64, bool)> = line["markets"]
        .as_array()
        .expect("the markets it traded in")
        .iter()
        .filter_map(|market| Some((market["exchange"].as_u64()?, market["neg_risk"].as_bool()?)))
        .collect();
    assert_eq!(kinds, [(2, false), (2, true), (3, false)], "every exchange the venue has");
    assert_eq!(line["orders_rested_and_cancelled"], 4 * 3, "every account in every kind of market");
    // A purchase and a sale each, and the other outcome once per kind.
    assert!(line["trades"].as_u64().is_some_and(|trades| trades >= 4 * 3 * 2 + 3), "{line}");
}

/// Runs a Python client of a venv of its own.
fn python(venv: &str, client: &str, name: &str) -> Option<serde_json::Value> {
    let python = installed(venv).map(|home| home.join("bin/python"));
    let Some(python) = python.filter(|python| runs(python)) else {
        skip(client);
        return None;
    };
    let line = run(Command::new(python).arg("-B").arg(script(name)), &Twin::start(venv));
    assert_eq!(line["ok"], true, "{line}");
    Some(line)
}

/// Runs a TypeScript client.
fn typescript(client: &str, name: &str) -> Option<serde_json::Value> {
    let node = Path::new("node");
    let Some(home) = installed("clients-node").filter(|_| runs(node)) else {
        skip(client);
        return None;
    };
    let command = &mut Command::new(node);
    let command = command.arg(script(name)).env("SUREFOOT_CLIENTS_NODE", home);
    let line = run(command, &Twin::start(name));
    assert_eq!(line["ok"], true, "{line}");
    Some(line)
}

/// What both unified clients do: every wallet in every kind of market that the client can trade.
fn check_unified(line: &serde_json::Value, kinds: u64) {
    assert_eq!(line["wallets"], serde_json::json!([0, 1, 2, 3]), "one account per wallet type");
    assert_eq!(line["orders_rested_and_cancelled"], 4 * kinds, "{line}");
    assert!(line["trades"].as_u64().is_some_and(|trades| trades >= 4 * kinds), "{line}");
}

#[test]
fn the_unified_python_client_trades_on_the_twin() {
    let name = "polymarket_unified.py";
    let Some(line) = python("clients-unified", "polymarket-client", name) else { return };
    check_unified(&line, 3);
    assert!(line["stream_events"].as_array().is_some_and(|seen| seen.len() >= 2), "{line}");
}

#[test]
fn the_unified_typescript_client_trades_on_the_twin() {
    let Some(line) = typescript("@polymarket/client", "polymarket_unified.mjs") else {
        return;
    };
    check_unified(&line, 2); // its newest version does not sign for the third exchange
}

#[test]
fn the_kalshi_python_client_trades_on_the_twin() {
    let Some(line) = python("clients-kalshi", "kalshi_python_sync", "kalshi_sync.py") else {
        return;
    };
    assert_eq!(line["keys"], serde_json::json!(["rsa", "ed25519"]));
    assert!(line["fills"].as_u64().is_some_and(|fills| fills >= 4), "a fill per key and shard");
}

#[test]
fn the_kalshi_client_trades_on_the_twin() {
    let Some(line) = typescript("kalshi-typescript", "kalshi_client.mjs") else { return };
    assert!(line["fills"].as_u64().is_some_and(|fills| fills >= 3), "{line}");
}

/// Every file below a directory with an ending.
fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// A path with its open parts unnamed: `{}` for `{ticker}`, and for what a trailing slash leaves open.
fn shape(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    let mut shape = path.split('/').map(part).collect::<Vec<_>>().join("/");
    if shape.ends_with('/') && shape.len() > 1 {
        shape.push_str("{}");
    }
    shape
}

/// The calls that Kalshi's Python client can make: method and path stand on lines of their own.
fn kalshi_calls(package: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    files(&package.join("api"), "_api.py", &mut sources);
    let mut calls = Vec::new();
    for source in sources {
        let text = fs::read_to_string(source).expect("an installed source is text");
        let mut method = "";
        for line in text.lines().map(str::trim) {
            let value = |key: &str| line.strip_prefix(key)?.strip_suffix("',");
            method = value("method='").unwrap_or(method);
            if let Some(path) = value("resource_path='") {
                calls.push(format!("{method} {}", shape(&format!("/trade-api/v2{path}"))));
            }
        }
    }
    calls
}

/// The paths of py-clob-client-v2 and of the unified client's data and metadata calls.
fn polymarket_paths(sources: &[PathBuf], marks: &[&str]) -> Vec<String> {
    let mut paths = Vec::new();
    for source in sources {
        let text = fs::read_to_string(source).expect("an installed source is text");
        for line in text.lines().map(str::trim) {
            for mark in marks {
                let Some((_, rest)) = line.split_once(mark) else { continue };
                let path = rest.split('"').next().unwrap_or_default();
                if path.starts_with('/') {
                    paths.push(shape(path));
                }
            }
        }
    }
    paths
}

/// A call of an official client that `docs/twin.md` does not name would fail here first by surprise.
#[test]
fn every_call_of_the_official_clients_is_on_the_page() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/twin.md"));
    let page = page.expect("the page is there");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let calls: Vec<(&str, String)> = rows
        .filter_map(|(call, _)| call.split_once(' '))
        .map(|(method, path)| (method, shape(path)))
        .collect();
    let packages = |venv: &str| {
        let home = installed(venv)?;
        let mut found = Vec::new();
        files(&home.join("lib"), "METADATA", &mut found);
        found.first().and_then(|file| file.parent()?.parent().map(Path::to_path_buf))
    };
    let mut unnamed = Vec::new();
    match packages("clients-kalshi") {
        None => skip("kalshi_python_sync"),
        Some(site) => {
            let made = kalshi_calls(&site.join("kalshi_python_sync"));
            assert!(made.len() > 80, "the client's calls were read: {}", made.len());
            let known = |call: &String| {
                let (method, path) = call.split_once(' ').expect("made above");
                calls.iter().any(|(m, p)| *m == method && p == path)
            };
            unnamed.extend(made.into_iter().filter(|call| !known(call)));
        }
    }
    let known = |path: &String| calls.iter().any(|(_, known)| known == path);
    match packages("clients-venv") {
        None => skip("py-clob-client-v2"),
        Some(site) => {
            let made = polymarket_paths(&[site.join("py_clob_client_v2/endpoints.py")], &["= \""]);
            assert!(made.len() > 50, "the client's paths were read: {}", made.len());
            unnamed.extend(made.into_iter().filter(|path| !known(path)));
        }
    }
    match packages("clients-unified") {
        None => skip("polymarket-client"),
        Some(site) => {
            let home = site.join("polymarket/_internal/actions");
            let names = ["data.py", "gamma.py", "clob.py", "account.py", "rewards.py", "auth.py"];
            let sources: Vec<PathBuf> = names.iter().map(|name| home.join(name)).collect();
            let made = polymarket_paths(&sources, &["path=\"", "path=f\""]);
            assert!(made.len() > 30, "the client's paths were read: {}", made.len());
            unnamed.extend(made.into_iter().filter(|path| !known(path)));
        }
    }
    assert!(unnamed.is_empty(), "neither served nor named as absent in docs/twin.md: {unnamed:#?}");
}
