//! `surefoot twin` as a program: what it prints, where it listens, how it ends.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use scratch::Scratch;
use serde_json::Value;
use surefoot::exit::Exit;
use surefoot::twin::server::ServerOptions;

const SIGTERM: i32 = 15;
const SIGINT: i32 = 2;
/// Any six ports in a row may be taken on a busy machine; so many rows are not.
const ROWS_TRIED: u16 = 50;

fn command(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surefoot"));
    command.args(["twin", "--world", "calm", "--json", "--for", "10m"]).args(words);
    command.current_dir(dir).env("TMPDIR", dir).stdin(Stdio::null());
    command
}

/// A twin that is not expected to start.
fn refused(output: &Output, exit: Exit, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(exit.code())), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
    if output.stdout.is_empty() {
        assert_eq!(
            exit,
            Exit::Usage,
            "only a command line that is not understood is told by stderr alone"
        );
        return;
    }
    let told: Value =
        serde_json::from_slice(&output.stdout).expect("one object, also of a failure");
    assert_eq!((&told["ok"], &told["exit"]), (&false.into(), &exit.code().into()), "{told}");
}

/// A twin that runs; killed where a test fails.
struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    told: Value,
}

impl Running {
    /// `None` where it did not come up.
    fn start(dir: &Path, words: &[&str]) -> Option<Self> {
        let mut child =
            command(dir, words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        if line.is_empty() {
            child.wait().unwrap();
            return None;
        }
        assert!(line.ends_with('\n'), "the line is whole");
        let told: Value = serde_json::from_str(&line).expect("one line is the whole object");
        if told["ok"] == false {
            child.wait().unwrap();
            return None;
        }
        Some(Self { child, stdout, told })
    }

    fn text(&self, at: &str) -> &str {
        self.told.pointer(at).and_then(Value::as_str).unwrap()
    }

    fn port(&self, at: &str) -> u16 {
        let rest = self.text(at).split_once("//127.0.0.1:").unwrap().1;
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// What a client keeps that trusts its authority.
    fn trust(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.text("/ca_file")).unwrap()).unwrap();
        roots
    }

    /// The head and body of what it answers, the connection checked against its own authority.
    fn get(&self, host: &str, path: &str) -> String {
        self.get_trusting(&self.trust(), host, path)
    }

    fn get_trusting(&self, roots: &RootCertStore, host: &str, path: &str) -> String {
        let config = ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port(host))).unwrap();
        let mut stream = StreamOwned::new(tls, socket);
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Its end after a signal, and what else it printed.
    fn end(mut self, signal: i32) -> (ExitStatus, String) {
        surefoot_cold::os::signal(self.child.id(), signal).unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn one_line_then_service_then_a_clean_end() {
    for signal in [SIGTERM, SIGINT] {
        let dir = Scratch::new("line");
        let twin = Running::start(&dir, &[]).expect("a twin on free ports starts");
        let keys = PathBuf::from(twin.text("/kalshi/accounts/0/private_key_file"));
        assert!(keys.starts_with(dir.canonicalize().unwrap()) && keys.exists(), "{keys:?}");
        for (host, path, holds) in [
            ("/polymarket/clob", "/ok", "\"OK\""),
            ("/polymarket/gamma", "/markets?limit=1", "\"conditionId\""),
            ("/kalshi/rest", "/trade-api/v2/exchange/status", "\"trading_active\":true"),
        ] {
            let answer = twin.get(host, path);
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.contains(holds), "{answer}");
        }
        let (status, rest) = twin.end(signal);
        assert_eq!(status.code(), Some(0), "{status}");
        assert_eq!(rest, "", "one object and no more");
        assert_eq!(std::fs::read_dir(&*dir).unwrap().count(), 0, "the keys are gone");
    }
}

#[test]
fn a_directory_that_was_given_stays() {
    let dir = Scratch::new("given");
    let twin = Running::start(&dir, &["--dir", "mine"]).unwrap();
    assert!(Path::new(twin.text("/ca_file")).is_absolute(), "usable from any directory");
    assert!(twin.end(SIGTERM).0.success());
    assert!(dir.join("mine/ca.pem").exists());
}

#[test]
fn a_twin_started_again_in_its_directory_is_the_same_venue() {
    let dir = Scratch::new("again");
    let first = (0..ROWS_TRIED)
        .find_map(|row| {
            let base = (21_011 + 6 * row).to_string();
            Running::start(&dir, &["--dir", "mine", "--port-base", &base])
        })
        .expect("a row of free ports");
    let ca = std::fs::read(first.text("/ca_file")).unwrap();
    let trusting = first.trust();
    let base = first.port("/polymarket/clob").to_string();
    let before = first.told.clone();
    assert!(first.end(SIGTERM).0.success());
    let again = Running::start(&dir, &["--dir", "mine", "--port-base", &base]).unwrap();
    let same = |told: &Value| {
        let mut told = told.clone();
        let start = told.as_object_mut().unwrap().remove("start").unwrap();
        assert!(start["ms"].is_u64(), "how long it took is a figure of each start");
        told
    };
    assert_eq!(same(&again.told), same(&before), "accounts, keys, ports and markets");
    assert_eq!(std::fs::read(again.text("/ca_file")).unwrap(), ca);
    // A client that has been up all the while.
    for host in ["/polymarket/clob", "/kalshi/rest"] {
        let answer = again.get_trusting(&trusting, host, "/ok");
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    }
    assert!(again.end(SIGTERM).0.success());
    // Only the certificate is lost: its key vouches for the same authority.
    std::fs::remove_file(dir.join("mine/ca.pem")).unwrap();
    let again = Running::start(&dir, &["--dir", "mine", "--port-base", &base]).unwrap();
    assert!(again.get_trusting(&trusting, "/polymarket/clob", "/ok").contains("\"OK\""));
}

#[test]
fn a_damaged_file_of_an_earlier_twin_is_named() {
    let dir = Scratch::new("damaged");
    let mine = dir.join("mine");
    assert!(Running::start(&dir, &["--dir", "mine"]).unwrap().end(SIGTERM).0.success());
    let other = dir.join("other");
    assert!(Running::start(&dir, &["--dir", "other"]).unwrap().end(SIGTERM).0.success());
    for name in ["ca.pem", "ca-key.pem", "kalshi-rsa.pem", "kalshi-ed25519.pem"] {
        let path = mine.join(name);
        let whole = std::fs::read(&path).unwrap();
        for wrong in [&b""[..], b"\xff", &whole[..whole.len() / 2]] {
            std::fs::write(&path, wrong).unwrap();
            let output = command(&dir, &["--dir", "mine"]).output().unwrap();
            refused(&output, Exit::State, &[&format!("mine/{name}: is no")]);
            assert_eq!(std::fs::read(&path).unwrap(), wrong, "left as it was found");
        }
        std::fs::write(&path, whole).unwrap();
    }
    // Whole, but of another venue, or another kind.
    for (from, to, says) in [
        (other.join("ca.pem"), "ca.pem", "no certificate of the key in ca-key.pem"),
        (mine.join("kalshi-rsa.pem"), "kalshi-ed25519.pem", "no private key of type ed25519"),
    ] {
        let whole = std::fs::read(mine.join(to)).unwrap();
        std::fs::copy(from, mine.join(to)).unwrap();
        let output = command(&dir, &["--dir", "mine"]).output().unwrap();
        refused(&output, Exit::State, &[&format!("mine/{to}"), says]);
        std::fs::write(mine.join(to), whole).unwrap();
    }
    std::fs::remove_file(mine.join("ca-key.pem")).unwrap();
    let output = command(&dir, &["--dir", "mine"]).output().unwrap();
    refused(&output, Exit::State, &["mine/ca-key.pem: is missing"]);
}

#[test]
fn six_ports_in_a_row() {
    let dir = Scratch::new("ports");
    let twin = (0..ROWS_TRIED)
        .find_map(|row| Running::start(&dir, &["--port-base", &(20_011 + 6 * row).to_string()]))
        .expect("a row of free ports");
    let first = twin.port("/polymarket/clob");
    let others = ["/polymarket/gamma", "/polymarket/data", "/polymarket/ws_user", "/kalshi/rest"];
    for (host, past) in others.into_iter().chain(["/kalshi/ws"]).zip(1..) {
        assert_eq!(twin.port(host), first + past, "{host}");
    }
    // The second one on the same row says who is in the way, and leaves nothing.
    let again = command(&dir, &["--port-base", &first.to_string()]).output().unwrap();
    let at = format!("polymarket_clob on 127.0.0.1:{first}");
    refused(&again, Exit::Venue, &[&at, "in use", "another --port-base"]);
    assert!(twin.end(SIGTERM).0.success());
    assert_eq!(std::fs::read_dir(&*dir).unwrap().count(), 0);
}

#[test]
fn a_taken_port_anywhere_in_the_row_is_named() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let held = holder.local_addr().unwrap().port();
    let output =
        command(&Scratch::new("taken"), &["--port-base", &(held - 4).to_string()]).output();
    refused(&output.unwrap(), Exit::Venue, &["cannot listen", " on 127.0.0.1:", "in use"]);
}

#[test]
fn ports_past_the_last_are_not_wrapped_to() {
    assert_eq!(ServerOptions::from_port(65_530).ports[5], 65_535);
    assert_eq!(ServerOptions::from_port(65_534).ports, [65_534, 65_535, 0, 0, 0, 0]);
    for wrong in ["0", "65531", "70000", "x"] {
        let output = command(&Scratch::new("range"), &["--port-base", wrong]).output().unwrap();
        refused(&output, Exit::Usage, &["--port-base", wrong]);
    }
}

#[test]
fn a_capture_that_does_not_fit_is_named_by_file_and_line() {
    let dir = Scratch::new("capture");
    let book = r#"{"receive_wall_ms":1,"payload":"{\"event_type\":\"book\",\"market\":\"0xm\",\"asset_id\":\"1\",\"bids\":[],\"asks\":[]}"}"#;
    let cases: [(&str, &[u8], &str); 5] = [
        ("json.jsonl", b"{\n", "json.jsonl, line 2: not JSON"),
        ("shape.jsonl", b"{\"payload\":1}\n", "shape.jsonl, line 2: neither receive_monotonic_ns"),
        (
            "event.jsonl",
            b"{\"receive_wall_ms\":2,\"payload\":\"[{}]\"}\n",
            "line 2: an event without",
        ),
        ("bytes.jsonl", b"\xff\xfe\n", "bytes.jsonl, line 2: not text"),
        ("tail.jsonl", b"\n\nnull", "tail.jsonl, line 4"),
    ];
    for (name, second, says) in cases {
        let mut text = format!("{book}\n").into_bytes();
        text.extend_from_slice(second);
        std::fs::write(dir.join(name), text).unwrap();
        let output = command(&dir, &["--capture", name]).output().unwrap();
        refused(&output, Exit::Failed, &[says]);
    }
    refused(
        &command(&dir, &["--capture", "none.jsonl"]).output().unwrap(),
        Exit::Failed,
        &["none.jsonl", "No such file"],
    );
}
