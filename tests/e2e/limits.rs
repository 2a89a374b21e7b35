//! A limit that is tightened while the program runs: from the next order on, over restarts, until an operator loosens it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use surefoot_cold::state_dir::StateDir;

use crate::rig::{
    Process, Scratch, Twin, ask, command_against, count, database, run_against, say, signal, until,
};

const KEY: &str = "limits.orders_per_minute";

/// A limit as the running instance has it: configured, in force.
fn limit(scratch: &Scratch, state: &Path, key: &str) -> (String, String) {
    let said = say(scratch, state, "limits show --json");
    assert_eq!(said.code, Some(0), "{said:#?}");
    let answer = said.json();
    let limits = answer["limits"].as_array().unwrap();
    let row = limits.iter().find(|row| row["key"] == key).unwrap();
    let word = |name: &str| row[name].as_str().unwrap().to_owned();
    (word("configured"), word("in_force"))
}

fn set(scratch: &Scratch, state: &Path, words: &str) -> (Option<i32>, String, Value) {
    let said = say(scratch, state, &format!("limits set {words} --reason thin --json"));
    (said.code, said.err.clone(), said.json())
}

/// How many orders were refused because there were too many in a minute; a reason without a refusal is not told.
fn refused(status: &Value) -> u64 {
    status.pointer("/refused/rate").and_then(Value::as_u64).unwrap_or(0)
}

fn ends(run: Process) {
    signal(run.pid(), "-TERM");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
}

pub fn a_limit_that_is_tightened_holds_at_once_and_over_restarts_until_an_operator_loosens_it() {
    let scratch = Scratch::new("limits");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 46);
    let nobody = say(&scratch, &state, &format!("limits set {KEY} 1 --reason thin"));
    assert_eq!(nobody.code, Some(8), "nothing runs: {nobody:#?}");

    let run = run_against(&scratch, &twin.venues, &state, "first");
    let before = until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    assert_eq!(refused(&before), 0);
    for (words, code, why) in [
        (format!("{KEY} 601"), 17, "is looser than 600"),
        ("strategy.edge_min 0.2".to_owned(), 17, "bad data"),
        (format!("{KEY} 0"), 2, "is not a whole number from 1"),
        ("limits.ordrs_per_minute 1".to_owned(), 2, "did you mean limits.orders_per_minute"),
    ] {
        let (ended, err, answer) = set(&scratch, &state, &words);
        assert_eq!((ended, &answer["ok"]), (Some(code), &false.into()), "{words}: {answer}");
        assert!(err.contains(why), "{words}: {err}");
    }
    assert_eq!(limit(&scratch, &state, KEY), ("600".into(), "600".into()));

    let (code, err, answer) = set(&scratch, &state, &format!("{KEY} 1"));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(answer["changed"][1]["key"], KEY, "the limit within it before it: {answer}");
    assert_eq!(limit(&scratch, &state, KEY), ("600".into(), "1".into()));
    until(&scratch, &state, "an order is refused for it", |status| refused(status) > 0);
    ends(run);
    let replay = say(&scratch, &state, "replay --json");
    assert_eq!(replay.code, Some(0), "the same decisions: {replay:#?}");
    let acts = "SELECT count(*) FROM v_operator WHERE what = 'limit_tightened' AND who = 'operator' AND reason = 'thin' \
                AND limit_key = 'limits.orders_per_minute' AND old_value = '600' AND new_value = '1'";
    assert_eq!(ask(&database(&state), acts), 1);

    let run = run_against(&scratch, &twin.venues, &state, "second");
    until(&scratch, &state, "it is open", |status| status["open"] == true);
    assert_eq!(limit(&scratch, &state, KEY), ("600".into(), "1".into()), "{}", run.err());
    assert!(run.err().contains("limits.orders_per_minute from 600 to 1"), "{}", run.err());
    ends(run);

    let mut loosened = command_against(&scratch, &twin.venues, &state);
    loosened.args(["--loosen", "a busy day"]);
    let run = Process::spawn(&scratch, "third", loosened);
    until(&scratch, &state, "it is open", |status| status["open"] == true);
    assert_eq!(limit(&scratch, &state, KEY), ("600".into(), "600".into()), "{}", run.err());
    ends(run);
    let record = fs::read_to_string(StateDir::at(&state).operator_log()).unwrap();
    assert!(record.contains("limit_loosened") && record.contains("a busy day"), "{record}");
    let acts = "SELECT count(*) FROM v_operator WHERE what = 'limit_loosened'";
    assert_eq!(ask(&database(&state), acts), 2, "the limit and the one within it");

    // What the configuration itself had tighter is not loosened by a change of the file alone.
    fs::write(scratch.path("tight.toml"), "[limits]\npositions = 3\n").unwrap();
    let mut tight = command_against(&scratch, &twin.venues, &state);
    tight.arg("--config").arg(scratch.path("tight.toml"));
    let run = Process::spawn(&scratch, "fourth", tight);
    until(&scratch, &state, "it is open", |status| status["open"] == true);
    assert_eq!(limit(&scratch, &state, "limits.positions"), ("3".into(), "3".into()));
    ends(run);
    let said = run_against(&scratch, &twin.venues, &state, "fifth").end();
    assert_eq!(said.code, Some(17), "{said:#?}");
    assert!(said.err.contains("limits.positions from 3 to 16"), "{said:#?}");
    assert!(said.err.contains("--loosen"), "{said:#?}");
}
