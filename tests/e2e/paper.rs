//! `surefoot run paper`: fills without a venue that knows of them.

use std::fs;

use serde_json::Value;
use surefoot_cold::directory::Directory;
use surefoot_cold::reconcile::Truth;

use crate::rig::{Process, Scratch, Twin, ask, count, database, say, surefoot, until};

/// What the venues say of the account that a run on paper must not touch.
fn untouched(twin: &Twin) -> Vec<Truth> {
    let readers = twin.access.accounts.readers(&twin.access.trust, &Directory::default());
    readers.values().map(|reader| reader.truth().unwrap()).collect()
}

fn start(
    scratch: &Scratch,
    venues: &std::path::Path,
    state: &std::path::Path,
    name: &str,
) -> Process {
    let mut command =
        surefoot(scratch, ["run", "paper", "--topology", "calm", "--json", "--venues"]);
    command.arg(venues).arg("--state").arg(state);
    command.env("SUREFOOT__PAPER__LATENCY_MS", "5");
    Process::spawn(scratch, name, command)
}

fn end(scratch: &Scratch, state: &std::path::Path, run: Process) -> Value {
    let stopped = say(scratch, state, "stop");
    assert_eq!(stopped.code, Some(0), "{stopped:#?}");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.err.contains("it cannot send an order, and every fill is simulated"), "{said:#?}");
    said.json()
}

/// With rights to public data alone it trades to the end, its account adds up, over a restart too, and the venues have heard of nothing.
pub fn paper_trades_and_no_venue_hears_of_it() {
    let scratch = Scratch::new("paper");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 67);
    // No account at Polymarket, and of Kalshi's keys the one to read with.
    let mut venues: Value = serde_json::from_slice(&fs::read(&twin.venues).unwrap()).unwrap();
    venues["polymarket"].as_object_mut().unwrap().remove("accounts").unwrap();
    let public = scratch.path("public.json");
    fs::write(&public, venues.to_string()).unwrap();
    let before = untouched(&twin);

    let run = start(&scratch, &public, &state, "run");
    let status =
        until(&scratch, &state, "baskets", |status| count(status, "/baskets/completed") >= 2);
    assert_eq!((&status["mode"], &status["simulated"]), (&"paper".into(), &true.into()));
    let report = end(&scratch, &state, run);
    assert_eq!((&report["simulated"], &report["reconciled"]), (&true.into(), &true.into()));
    let curve = |name: &str| &report["paper"][name];
    let fills = |name: &str| curve(name)["fills"].as_u64().unwrap();
    assert_eq!(curve("realistic")["drives"], true);
    assert_eq!(fills("realistic"), count(&report, "/fills"), "{report:#}");
    assert!(fills("optimistic") > 0 && curve("pessimistic")["orders"].as_u64() > Some(0));

    let db = database(&state);
    assert!(ask(&db, "SELECT count(*) FROM v_fills") >= 4);
    for view in ["v_fills", "v_orders", "v_groups", "v_positions", "v_pnl_day"] {
        let real = format!("SELECT count(*) FROM {view} WHERE simulated <> 1");
        assert_eq!(ask(&db, &real), 0, "{view}");
    }
    drop(db);
    let replay = say(&scratch, &state, "replay --json");
    assert_eq!(replay.code, Some(0), "{replay:#?}");

    let again = start(&scratch, &public, &state, "again");
    until(&scratch, &state, "more baskets", |status| count(status, "/baskets/completed") >= 1);
    let report = end(&scratch, &state, again);
    assert_eq!(report["reconciled"], true, "what was held is held");
    assert_eq!(untouched(&twin), before, "nothing rests, is held or was paid at the venues");
}
