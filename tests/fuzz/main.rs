//! What fuzzing found, and what a seeded generator draws: every door through which bytes come in, as properties
//! under `cargo test`. `fuzz_targets/` hands the same functions to cargo-fuzz.

mod config;
mod control;
mod files;
mod http;
mod twin;

use std::{fs, panic, path::Path};

use serde_json::Value;
use surefoot_properties::random::{Rng, any_json, for_each_seed, mutate_bytes, mutate_json};
use surefoot_properties::{answers, decode};

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/decode");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| fs::read(path).expect("readable")).collect()
}

#[test]
fn decode_any_survives_the_corpus() {
    for frame in corpus() {
        decode::decode_any(&frame);
    }
}

#[test]
fn the_alarm_rings() {
    let failed = panic::catch_unwind(|| {
        corpus().iter().for_each(|frame| decode::nothing_makes_a_level(frame))
    });
    assert!(failed.is_err(), "a target that must fail passed: the corpus reaches nothing");
}

/// One to four changes of something good.
fn mutated(rng: &mut Rng, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..1 + rng.below(4) {
        mutate_bytes(rng, &mut bytes);
    }
    bytes
}

#[test]
fn http_of_any_bytes_is_the_same_however_it_is_cut() {
    for_each_seed("http", |rng| {
        let bytes = match rng.below(8) {
            0 => rng.bytes(200),
            1..=3 => http::odd_message(rng),
            _ => {
                let good = *rng.pick(http::GOOD);
                mutated(rng, good)
            }
        };
        http::answer_any(&bytes);
        http::request_any(&bytes);
        http::websocket_any(&bytes);
        let mut frames = [http::frame(rng), http::frame(rng)].concat();
        http::websocket_any(&frames);
        mutate_bytes(rng, &mut frames);
        http::websocket_any(&frames);
    });
    http::endless_is_refused();
    for good in http::GOOD {
        http::answer_any(good);
        http::request_any(good);
    }
}

#[test]
fn answers_of_any_shape_make_nothing_up() {
    for good in answers::GOOD {
        answers::read_any(good.as_bytes());
    }
    for_each_seed("answers", |rng| {
        let mut value: Value = match rng.below(6) {
            0 => any_json(rng, answers::KEYS, 4),
            _ => {
                let good = *rng.pick(answers::GOOD);
                serde_json::from_str(good).expect("good JSON")
            }
        };
        for _ in 0..1 + rng.below(3) {
            mutate_json(rng, &mut value);
        }
        let mut body = value.to_string().into_bytes();
        if rng.one_in(8) {
            mutate_bytes(rng, &mut body);
        }
        answers::read_any(&body);
    });
    for body in ["", "null", "[]", "{}", "<html>403 Forbidden</html>", "0", "\"\""] {
        answers::read_any(body.as_bytes());
    }
}

#[test]
fn journals_of_any_bytes_are_read_or_refused_with_the_place() {
    let good = files::good_journal();
    files::a_length_is_not_believed(&good);
    for_each_seed("journal", |rng| {
        let index = rng.below(good.segments.len());
        let bytes = mutated(rng, &good.segments[index].1);
        files::journal_any(&good, index, &bytes);
    });
    let dir = files::Scratch::new("segment");
    for_each_seed("segment", |rng| {
        let bytes = match rng.below(3) {
            0 => rng.bytes(400),
            _ => {
                let index = rng.below(good.segments.len());
                mutated(rng, &good.segments[index].1)
            }
        };
        files::segment_any(dir.path(), &bytes);
    });
}

#[test]
fn wire_logs_of_any_bytes_are_read_or_refused_with_the_place() {
    let good = files::good_log();
    for_each_seed("wire log", |rng| {
        let bytes = mutated(rng, &good.bytes);
        files::wire_log_any(&good, &bytes);
    });
    files::wire_log_any(&good, &good.bytes);
}

#[test]
fn small_files_of_any_bytes_end_nothing() {
    let dir = files::Scratch::new("state");
    let good =
        [&b"{\"pid\":1,\"exit\":0}"[..], b"{\"0000000000000003\":[{\"def\":\"00\",\"names\":{}}]}"];
    for_each_seed("state directory", |rng| {
        let bytes = {
            let good = *rng.pick(&good);
            mutated(rng, good)
        };
        files::state_any(dir.path(), &bytes);
    });
}

#[test]
fn any_configuration_is_right_or_says_where_it_is_wrong() {
    let keys: Vec<String> = surefoot::config::keys::all()
        .iter()
        .map(|key| format!("SUREFOOT__{}", key.path.replace('.', "__").to_uppercase()))
        .collect();
    for_each_seed("configuration", |rng| {
        let bytes = match rng.below(12) {
            0 => rng.bytes(300),
            _ => {
                let good = rng.pick(config::GOOD).as_bytes();
                mutated(rng, good)
            }
        };
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if rng.one_in(2) {
            let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
            let at = if ends.is_empty() { 0 } else { *rng.pick(&ends) };
            let secret = *rng.pick(config::SECRETS);
            text.insert_str(at, secret);
        }
        let env: Vec<_> = (0..rng.below(4))
            .map(|_| (rng.pick(&keys).clone(), (*rng.pick(config::VALUES)).to_owned()))
            .collect();
        config::config_any(&text, &env);
    });
    for text in config::GOOD.iter().chain(config::SECRETS) {
        config::config_any(text, &[]);
    }
}

#[test]
fn whatever_is_said_at_the_control_socket_a_halt_is_heard() {
    let dir = files::Scratch::new("control");
    control::silent_peers_hold_up_nobody(dir.path());
    let mut round = 0_u32;
    for_each_seed("control socket", |rng| {
        round += 1;
        if round % 64 != 1 {
            return; // a round has many peers
        }
        let requests: Vec<Vec<u8>> = (0..40)
            .map(|_| match rng.below(6) {
                0 => rng.bytes(100),
                1 => vec![*rng.pick(b"{[\" \n0"); 1 + rng.below(20_000)],
                _ => {
                    let good = rng.pick(control::GOOD).as_bytes();
                    mutated(rng, good)
                }
            })
            .collect();
        control::control_any(dir.path(), &requests);
    });
}

#[test]
fn the_twin_answers_any_request_and_serves_on() {
    let dir = files::Scratch::new("twin");
    let twin = twin::start(dir.path());
    for_each_seed("twin", |rng| {
        twin.request_any(rng);
        if rng.one_in(4) {
            twin.frame_any(rng);
        }
    });
    twin.stop();
}
