//! `surefoot run`: the demo as it is shown to people, its report, its database and its journal.

use std::path::Path;

use serde_json::Value;
use surefoot_cold::journal::Reader;
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::event::Event;
use surefoot_hot::journal::Body;

use crate::harness::{runs, take_seed};
use crate::rig::{Said, Scratch, ask, count, database, every_flipped_bit_is_found, say, segments};
use crate::{recorded, skip};

/// Every key that scripts may rely on is there, of the type it should be, and the figures agree with each other.
fn check_report(report: &Value) {
    let number = |pointer: &str| {
        let value = report.pointer(pointer).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("{pointer} is no number: {report:#}"))
    };
    assert_eq!(report["mode"], "demo");
    assert!(number("/duration_s") >= 15.0);
    for venue in ["polymarket", "kalshi"] {
        assert!(count(report, &format!("/frames/{venue}")) > 100, "{venue}");
    }
    let baskets = |name: &str| count(report, &format!("/baskets/{name}"));
    assert!(baskets("completed") >= 3, "{report:#}");
    let ends = ["completed", "unwound", "failed", "operator"].map(baskets);
    assert_eq!(baskets("opened"), ends.iter().sum::<u64>(), "every basket has its end");
    assert!(count(report, "/opportunities") >= baskets("opened"));
    let orders = |name: &str| count(report, &format!("/orders/{name}"));
    assert!(orders("sent") >= 2 * baskets("completed"));
    // A fill may outrun the acceptance, so acknowledgements are a count of their own.
    assert!(orders("acked") + orders("rejected") > 0);
    assert_eq!(orders("live"), 0, "nothing in flight, nothing resting");
    assert_eq!(orders("unknown"), 0, "on loopback every order is answered");
    assert!(count(report, "/fills") >= 2 * baskets("completed"));
    assert!(count(report, "/one_leg/count") > 0, "between two legs there is a moment");
    assert!(number("/one_leg/p99_ms") <= number("/one_leg/max_ms"));
    number("/pnl_usd");
    assert!(number("/fees_usd") > 0.0);
    assert_eq!(report["reconciled"], true);
    let hash = report["decision_hash"].as_str().unwrap();
    assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let stages = report["latency_ns"].as_object().unwrap();
    assert!(stages.contains_key("core") && stages.contains_key("decode"), "{stages:?}");
    for stage in stages.keys() {
        let figure = |name: &str| count(report, &format!("/latency_ns/{stage}/{name}"));
        let rising = ["p50", "p99", "p999", "max"].map(figure);
        assert!(rising.is_sorted() && figure("count") > 0, "{stage}: {rising:?}");
    }
    assert_eq!(count(report, "/audit/checked"), count(report, "/audit/matched"));
    let judged = count(report, "/baskets/judged");
    assert!((3..=64).contains(&judged), "{judged} baskets are judged");
    assert!(count(report, "/baskets/held_ppm") > 0 && number("/baskets/hedge_lag_max_ns") > 0.0);
}

/// The core knows every market before its first snapshot can come: one that comes earlier is dropped.
fn check_order(state: &Path) {
    let mut reader = Reader::open(&StateDir::at(state).journal()).unwrap();
    let (mut markets, mut snapshots) = (0, 0);
    while let Some(record) = reader.next_record().unwrap() {
        match record.body {
            Body::Input(Event::Market(_)) => {
                assert_eq!(snapshots, 0, "a snapshot came before the markets were known");
                markets += 1;
            }
            Body::Input(Event::SnapshotBegin { .. }) => snapshots += 1,
            Body::Header(_) | Body::Input(_) | Body::Intent(_) | Body::Note(_) | Body::Close(_) => {
            }
        }
    }
    assert!(markets > 20 && snapshots >= markets, "{markets} markets, {snapshots} snapshots");
}

/// Dollars as the report writes them, in microdollars.
fn micros(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let part: i64 = format!("{part:0<6}").parse().unwrap();
    whole.parse::<i64>().unwrap() * 1_000_000 + sign * part
}

/// The database tells what the report tells.
fn check_database(state: &Path, report: &Value) {
    let db = database(state);
    let rows = |query: &str| u64::try_from(ask(&db, query)).unwrap();
    let dollars = |pointer: &str| micros(&report.pointer(pointer).unwrap().to_string());
    let placed = count(report, "/orders/sent") + count(report, "/orders/unsent");
    assert_eq!(rows("SELECT count(*) FROM orders"), placed);
    assert_eq!(rows("SELECT count(*) FROM orders WHERE state <> 'done'"), 0);
    assert_eq!(rows("SELECT count(*) FROM fills WHERE undone = 0"), count(report, "/fills"));
    assert_eq!(rows("SELECT count(*) FROM groups"), count(report, "/baskets/opened"));
    let hedged = rows("SELECT count(*) FROM groups WHERE state = 'hedged'");
    assert_eq!(hedged, count(report, "/baskets/completed"));
    let one_leg = rows("SELECT count(*) FROM groups WHERE one_leg_ns > 0");
    assert_eq!(one_leg, count(report, "/one_leg/count"));
    assert!(rows("SELECT count(*) FROM positions") > 0);
    let fees = ask(&db, "SELECT sum(fee_micros * (1 - 2 * undone)) FROM fills");
    assert_eq!(fees, dollars("/fees_usd"));
    let realised = ask(&db, "SELECT sum(realised_micros) FROM positions");
    assert_eq!(realised, dollars("/pnl/realised_usd"));
    let strays = "SELECT count(*) FROM fills WHERE order_id NOT IN (SELECT order_id FROM orders)";
    assert_eq!(rows(strays), 0);
    let sums = "SELECT count(*) FROM orders o WHERE filled_micros <> (SELECT coalesce(sum(qty_micros \
                * (1 - 2 * undone)), 0) FROM fills f WHERE f.order_id = o.order_id)";
    assert_eq!(rows(sums), 0, "each order's fills sum up to what it says is filled");
    let hash: String =
        db.query_row("SELECT decision_hash FROM runs", [], |row| row.get(0)).unwrap();
    assert_eq!(report["decision_hash"], hash);
    // The made market may show an edge that is too good to be true, and legs of it fail: that is told, and nothing else is wrong.
    let of_baskets =
        "'absurd_edge', 'leg_mismatch', 'hedge_slow', 'baskets_failing', 'baskets_failing_most'";
    let others = format!("SELECT count(*) FROM alarms WHERE what NOT IN ({of_baskets})");
    assert_eq!(rows(&others), 0);
    assert_eq!(rows("SELECT count(*) FROM alarms"), count(report, "/alarms"));
}

/// What was told until the end is in the log: a line of JSON a note, and nothing was lost on the way.
fn check_notes(state: &Path, report: &Value) {
    let text = std::fs::read_to_string(StateDir::at(state).notes()).unwrap();
    let notes: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for note in &notes {
        let words = ["time", "source", "code", "severity", "text"];
        assert!(
            words.iter().all(|key| note[key].is_string()) && note["place"].is_object(),
            "{note}"
        );
    }
    let told = |source: &str, code: &str| {
        notes.iter().filter(|note| note["source"] == source && note["code"] == code).count() as u64
    };
    assert_eq!((told("run", "started"), told("run", "ended")), (1, 1));
    assert_eq!(told("core", "fill"), count(report, "/fills"));
    for sink in ["store", "terminal", "log"] {
        let figure = |name: &str| count(report, &format!("/figures/sinks/{sink}/sink_{name}"));
        assert_eq!((figure("items_dropped"), figure("items_failed"), figure("ended")), (0, 0, 0));
    }
    assert_eq!(count(report, "/figures/sinks/log/sink_items_taken"), notes.len() as u64);
}

fn check_replay(scratch: &Scratch, state: &Path, report: &Value) {
    let said = say(scratch, state, "replay --json");
    assert_eq!(said.code, Some(0), "{said:#?}");
    let replay = said.json();
    assert_eq!(replay["decision_hash"], report["decision_hash"]);
    assert_eq!(replay["state_hash"], report["state_hash"]);
    assert_eq!((&replay["verdict"], &replay["closed"]), (&"same".into(), &true.into()));
    let said = say(scratch, state, "replay");
    let hash = report["decision_hash"].as_str().unwrap();
    assert!(said.out.contains(&format!("decision hash {hash}")), "for people, too: {said:#?}");
}

fn demo(scratch: &Scratch, state: &Path, seed: u64, more: &str) -> Said {
    let (topology, seed) = (runs().topology(), take_seed(seed));
    let words =
        format!("run --world calm --for 15s --json --topology {topology} --seed {seed} {more}");
    let said = say(scratch, state, &words);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said
}

pub fn the_demo_trades_reports_and_can_be_replayed() {
    let scratch = Scratch::new("demo");
    let state = scratch.path("state");
    let said = demo(&scratch, &state, 5, "");
    let report = said.json();
    check_report(&report);
    assert!(said.err.contains("exposure_total"), "its limits are shown: {}", said.err);
    check_database(&state, &report);
    check_notes(&state, &report);
    check_order(&state);
    check_replay(&scratch, &state, &report);
    assert_eq!(segments(&state).len(), 1);
    every_flipped_bit_is_found(&scratch, &state, 9);
    check_replay(&scratch, &state, &report); // and it is none of them that stays
}

pub fn a_recorded_session_plays_beside_the_generated_one() {
    let capture = "polymarket/ws_market_2026-09-24_all110.jsonl";
    let Some(capture) = recorded::recorded(capture) else { return };
    let scratch = Scratch::new("capture");
    let state = scratch.path("state");
    let said = demo(&scratch, &state, 1, &format!("--capture {}", capture.display()));
    let report = said.json();
    check_report(&report);
    check_database(&state, &report);
    check_replay(&scratch, &state, &report);
}

pub fn three_spinning_threads_trade_as_one_does() {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if cores < 4 {
        return skip::skip("cores", &format!("topology split needs 4 cores, here are {cores}"));
    }
    let scratch = Scratch::new("split");
    let state = scratch.path("state");
    let report = demo(&scratch, &state, 32, "").json();
    check_report(&report);
    check_replay(&scratch, &state, &report);
}
