//! Any bytes at the control socket: an answer or a hang-up, a command only where one was asked for, and the next
//! peer is served as ever.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};
use surefoot::control::{Command, Control, Signals};
use surefoot_cold::state_dir::StateDir;

/// What a request may at most amount to, read by nothing but its JSON.
fn wants(request: &[u8]) -> Option<&'static str> {
    let line = request.split(|&byte| byte == b'\n').next().unwrap_or_default();
    // A halt is taken with whatever bytes its reason has.
    let value: Value = serde_json::from_str(&String::from_utf8_lossy(line)).ok()?;
    let all = [
        "status",
        "halt",
        "resume",
        "release",
        "limits",
        "limits_set",
        "follow",
        "unfollow",
        "stop",
    ];
    all.into_iter().find(|name| value["cmd"] == **name)
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Status => "status",
        Command::Halt { .. } => "halt",
        Command::Resume { .. } => "resume",
        Command::Release { .. } => "release",
        Command::Limits => "limits",
        Command::SetLimit { .. } => "limits_set",
        Command::Follow { .. } => "follow",
        Command::Unfollow { .. } => "unfollow",
        Command::Stop { .. } => "stop",
    }
}

/// Sends the bytes in two parts, says that no more come, and reads the answer; what the system refuses is none.
fn say(socket: &Path, request: &[u8]) -> Vec<u8> {
    let converse = || -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(socket)?;
        let (first, second) = request.split_at(request.len() / 2);
        stream.write_all(first)?;
        stream.write_all(second)?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    converse().unwrap_or_default()
}

/// Some requests at once, each from a peer of its own; then one that must be heard.
pub fn control_any(dir: &Path, requests: &[Vec<u8>]) {
    let state = StateDir::open(dir).expect("the directory can be used");
    let mut control = Control::start(&state, Signals::default()).expect("it listens");
    let socket = state.control_socket();
    let peers: Vec<_> = requests
        .iter()
        .cloned()
        .map(|request| {
            let socket = socket.clone();
            thread::spawn(move || (say(&socket, &request), request))
        })
        .collect();
    let mut allowed: Vec<_> = requests.iter().filter_map(|request| wants(request)).collect();
    while peers.iter().any(|peer| !peer.is_finished()) {
        let Some(asked) = control.poll() else {
            thread::yield_now();
            continue;
        };
        let at = allowed.iter().position(|name_wanted| *name_wanted == name(&asked.command));
        allowed.remove(at.expect("a command that nobody gave"));
        asked.done(json!({}));
    }
    for peer in peers {
        let (answer, request) = peer.join().expect("a peer of ours does not panic");
        if answer.is_empty() {
            continue; // hung up on: too many at once, or gone before it was read
        }
        let answer: Value = serde_json::from_slice(&answer).expect("answers are JSON");
        let ok = wants(&request).is_some() || answer["ok"] == false;
        assert!(ok, "{answer} to {}", String::from_utf8_lossy(&request));
    }
    // Whatever was said, a halt is heard.
    let halter = thread::spawn(move || say(&socket, b"{\"cmd\":\"halt\",\"reason\":\"last\"}\n"));
    let mut heard = false;
    while !halter.is_finished() {
        match control.poll() {
            Some(asked) => {
                heard |= matches!(&asked.command, Command::Halt { reason, .. } if reason == "last");
                asked.done(json!({}));
            }
            None => thread::yield_now(),
        }
    }
    assert!(heard, "a halt was not heard");
    let answer: Value = serde_json::from_slice(&halter.join().expect("it ran")).expect("JSON");
    assert_eq!(answer["ok"], true, "{answer}");
}

/// More silent peers than there are places, some of whom began to speak: a halt is heard all the same, at once.
pub fn silent_peers_hold_up_nobody(dir: &Path) {
    let state = StateDir::open(dir).expect("the directory can be used");
    let mut control = Control::start(&state, Signals::default()).expect("it listens");
    let socket = state.control_socket();
    let silent: Vec<UnixStream> = (0..64)
        .map(|nth| {
            let mut stream = UnixStream::connect(&socket).expect("it listens");
            if nth % 2 == 0 {
                stream.write_all(b"{\"cmd\":").expect("a few bytes fit");
            }
            stream
        })
        .collect();
    let begin = Instant::now();
    let halter = thread::spawn(move || say(&socket, b"{\"cmd\":\"halt\",\"reason\":\"last\"}\n"));
    let mut heard = false;
    while !halter.is_finished() {
        match control.poll() {
            Some(asked) => {
                heard |= matches!(asked.command, Command::Halt { .. });
                asked.done(json!({}));
            }
            None => thread::yield_now(),
        }
    }
    assert!(heard, "silent peers kept a halt out for {:?}", begin.elapsed());
    assert!(silent.len() > 16);
}

/// Requests that are good, for mutating.
pub const GOOD: &[&str] = &[
    "{\"cmd\":\"status\"}\n",
    "{\"cmd\":\"halt\",\"reason\":\"because\"}\n",
    "{\"cmd\":\"resume\",\"reason\":\"why\"}\n",
    "{\"cmd\":\"stop\"}\n",
    "{\"cmd\":\"limits\"}\n",
    "{\"cmd\":\"limits_set\",\"key\":\"limits.positions\",\"value\":\"3\",\"reason\":\"why\"}\n",
    "{\"cmd\":\"status\"}",
    "{\"cmd\":\"status\",\"cmd\":\"stop\"}\n",
    "{\"cmd\":[\"stop\"]}\n{\"cmd\":\"stop\"}\n",
];
