//! Venues that go away in mid-run and come back: nothing is opened meanwhile, orders in flight are unknown and not
//! forgotten, and everything recovers by itself.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use surefoot::access::Access;
use surefoot::twin::Host;
use surefoot::twin::open::{Options, open};
use surefoot::twin::server::{Command, Fault};
use surefoot_cold::state_dir::StateDir;

use crate::harness::take_seed;
use crate::rig::{
    Process, Scratch, Twin, ask, count, database, holds, run_against, say, signal, truths, until,
    wait,
};
use crate::secrets;

pub fn good_books(status: &Value) -> u64 {
    count(status, "/books/polymarket/good") + count(status, "/books/kalshi/good")
}

fn at_rest(status: &Value) -> bool {
    count(status, "/orders/live") + count(status, "/groups_live") == 0
}

pub fn opened(status: &Value) -> u64 {
    count(status, "/baskets/opened")
}

/// Every basket opened since is completed, so it is all there again.
pub fn recovers(scratch: &Scratch, state: &Path, since: &Value) -> Value {
    let completed = count(since, "/baskets/completed");
    until(scratch, state, "it trades as before", |status| {
        count(status, "/links_up") == 4
            && good_books(status) > 20
            && count(status, "/baskets/completed") > completed
    })
}

/// Stopped, it has agreed with both venues; no group is unfinished or a person's, nothing rests.
pub fn ends_well(scratch: &Scratch, state: &Path, run: Process, access: &Access) -> Value {
    let stopped = say(scratch, state, "stop");
    assert_eq!(stopped.code, Some(0), "{stopped:#?}");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let report = said.json();
    assert_eq!(report["reconciled"], true);
    let db = database(state);
    let over = "SELECT count(*) FROM groups WHERE state NOT IN ('hedged', 'flat')";
    assert_eq!(ask(&db, over), 0, "no exposure on one leg is left");
    assert_eq!(ask(&db, "SELECT count(*) FROM orders WHERE state <> 'done'"), 0);
    for truth in truths(access, state) {
        assert!(truth.open.is_empty(), "still resting: {:?}", truth.open);
    }
    let replay = say(scratch, state, "replay --json");
    assert_eq!(replay.code, Some(0), "{replay:#?}");
    assert_eq!(replay.json()["decision_hash"], report["decision_hash"]);
    report
}

pub fn a_twin_that_hangs_is_waited_for() {
    let scratch = Scratch::new("hang");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 7);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/baskets/completed") > 0);
    secrets::keep_status(&scratch, &state);

    signal(twin.pid(), "-STOP");
    let blind = until(&scratch, &state, "every book is stale", |status| good_books(status) == 0);
    let still =
        holds(&scratch, &state, Duration::from_secs(2), "nothing is opened blindly", |now| {
            opened(now) == opened(&blind)
        });
    signal(twin.pid(), "-CONT");

    recovers(&scratch, &state, &still);
    ends_well(&scratch, &state, run, &twin.access);
    assert!(secrets::none_was_left(&scratch, &twin, &state) > 0, "orders were signed");
}

/// Nothing can be asked of a venue that hangs, and everything of the start that waits for it.
pub fn a_start_that_waits_for_a_venue_can_be_looked_at_halted_and_ended() {
    let scratch = Scratch::new("start-hangs");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 36);
    signal(twin.pid(), "-STOP");
    let run = run_against(&scratch, &twin.venues, &state, "run");
    let starting = until(&scratch, &state, "it answers", |status| status["running"] == true);
    assert_eq!((&starting["open"], &starting["halted"]), (&false.into(), &false.into()));
    assert_eq!(starting["trouble_rows"], serde_json::json!(["starting"]), "{starting}");
    let said = say(&scratch, &state, "resume --reason early");
    assert!(said.code == Some(1) && said.err.contains("it is starting"), "{said:#?}");
    let said = say(&scratch, &state, "halt --reason night");
    assert_eq!(said.code, Some(0), "{said:#?}");
    let said = say(&scratch, &state, "stop");
    assert_eq!(said.code, Some(0), "{said:#?}");
    let ended = run.end();
    assert!(ended.code == Some(0) && ended.err.contains("before it began"), "{ended:#?}");
    assert_eq!(ended.json()["ok"], true);
    let halt = StateDir::at(&state).halt().unwrap();
    assert!(halt.is_some_and(|halt| halt.reason == "night"), "it holds for the next start");

    let run = run_against(&scratch, &twin.venues, &state, "again");
    until(&scratch, &state, "it answers", |status| status["halted"] == true);
    signal(run.pid(), "-INT");
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    signal(twin.pid(), "-CONT");
}

/// The readings for the report wait for a venue that hangs, and nobody else does.
pub fn a_run_whose_venues_hang_at_its_very_end_can_be_looked_at_and_halted() {
    let scratch = Scratch::new("end-hangs");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 44);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/baskets/completed") > 0);
    // Nothing is in flight, and no reading is due for a while: all that is left to wait for is the last one.
    let halted = say(&scratch, &state, "halt --reason quiet");
    assert_eq!(halted.code, Some(0), "{halted:#?}");
    until(&scratch, &state, "nothing is in flight", |status| {
        at_rest(status)
            && status["reconciled"] == true
            && status["compared_s_ago"].as_u64().is_some_and(|ago| ago < 3)
    });
    signal(twin.pid(), "-STOP");
    signal(run.pid(), "-INT");
    let said = || run.err().contains("still stopping: a venue is still being read").then_some(());
    assert!(wait("what it waits for is said", said).is_some(), "{}", run.err());
    let seen = until(&scratch, &state, "it answers", |status| status["running"] == true);
    assert_eq!(seen["halted"], true, "{seen:#}");
    let halted = say(&scratch, &state, "halt --reason late");
    assert_eq!(halted.code, Some(0), "{halted:#?}");
    let refused = say(&scratch, &state, "resume --reason early");
    assert!(refused.code == Some(1) && refused.err.contains("it is ending"), "{refused:#?}");
    signal(twin.pid(), "-CONT");
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.json()["reconciled"], true);
    let halt = StateDir::at(&state).halt().unwrap();
    assert!(halt.is_some_and(|halt| halt.reason == "late"), "it holds for the next start");
}

pub fn connections_and_answers_that_are_lost_leave_nothing_on_one_leg() {
    let scratch = Scratch::new("faults");
    let state = scratch.path("state");
    let options = Options { seed: take_seed(10), ..Options::default() };
    let (server, description) = open(&options, &scratch.path("twin")).unwrap();
    let venues = scratch.path("venues.json");
    fs::write(&venues, description.to_string()).unwrap();
    let access = Access::from_file(&venues).unwrap();
    let remote = server.remote();
    let mut twin = server.spawn().unwrap();
    let run = run_against(&scratch, &venues, &state, "run");
    let fine = until(&scratch, &state, "trading", |status| count(status, "/baskets/completed") > 0);

    // Every connection breaks at once.
    for host in Host::ALL {
        remote.command(Command::Drop(host));
    }
    until(&scratch, &state, "the loss is seen", |status| count(status, "/links_lost") >= 4);
    let mut last = recovers(&scratch, &state, &fine);

    // Orders that get no answer: of a first leg nothing was bought; of a hedge, one leg stands alone until the venue is
    // sure that it never had the order.
    for host in [Host::KalshiRest, Host::PolymarketClob] {
        let unknown = count(&last, "/orders/unknown");
        remote.command(Command::Fault(host, Fault::PostsIgnored));
        until(&scratch, &state, "an order is unknown", |status| {
            count(status, "/orders/unknown") > unknown && !at_rest(status)
        });
        remote.command(Command::Fault(host, Fault::None));
        last = recovers(&scratch, &state, &last);
    }

    // Everything is gone for a while.
    for host in Host::ALL {
        remote.command(Command::Fault(host, Fault::Down));
    }
    let blind = until(&scratch, &state, "all is down", |status| {
        count(status, "/links_up") == 0 && good_books(status) == 0
    });
    let still =
        holds(&scratch, &state, Duration::from_secs(2), "nothing is opened blindly", |now| {
            opened(now) == opened(&blind)
        });
    for host in Host::ALL {
        remote.command(Command::Fault(host, Fault::None));
    }
    recovers(&scratch, &state, &still);

    let report = ends_well(&scratch, &state, run, &access);
    assert!(count(&report, "/orders/unknown") >= 2);
    // A swallowed hedge leaves a leg that is sold; a swallowed first leg leaves nothing. Which it was, the market decides.
    crate::safety::pairs_are_even(&access, &state);
    twin.stop().unwrap();
}
