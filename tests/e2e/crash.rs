//! `kill -9` in mid-run with the venues still up: the next start finds what is there and goes on.
//!
//! Five kills here; `SUREFOOT_KILLS` asks for more. Where none of them met an order or a group in flight, more are made
//! until one does.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use surefoot_cold::journal::replay::replay as fold;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::wirelog;

use crate::rig::{
    Process, SOON, Scratch, Twin, ask, command_against, count, database,
    every_flipped_bit_is_found, run_against, say, segments, status, truths, until, wait,
};

/// Kills beyond those asked for, at most, until one has hit something.
const HITS_TRIED_MAX: usize = 25;

/// Any moment is as good as another: the time of day gives it, and the failing one is printed.
fn moment() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Duration::from_micros(u64::from(now.subsec_nanos()) % 2_000_000)
}

/// Waits until an executor writes down that an order is about to leave: this is looked at without a pause, for
/// orders are in flight for a millisecond only. The next record goes where zeros are now.
fn an_order_leaves(state: &Path, venue: &str) {
    let path = StateDir::at(state).wire_log(venue);
    let log = fs::File::open(&path).unwrap();
    let known = wirelog::read(&path).unwrap().records.len();
    let at = u64::try_from(known * wirelog::RECORD_BYTES).unwrap();
    let begin = Instant::now();
    let mut first = [0; 8];
    while log.read_exact_at(&mut first, at).is_err() || first == [0; 8] {
        assert!(begin.elapsed() < SOON, "no order left for {venue}");
        std::hint::spin_loop();
    }
}

/// A run that no number of crashes freezes: they are this test's own.
fn run_uncounted(scratch: &Scratch, twin: &Twin, state: &Path, name: &str) -> Process {
    let mut command = command_against(scratch, &twin.venues, state);
    command.env("SUREFOOT__RESTART__CRASHES_MAX", "0");
    Process::spawn(scratch, name, command)
}

pub fn the_start_after_three_crashes_opens_nothing_until_a_person_resumes() {
    let scratch = Scratch::new("crash-loop");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 61);
    let start = |nth: usize| run_against(&scratch, &twin.venues, &state, &format!("run{nth}"));
    for nth in 0..3 {
        let run = start(nth);
        let opened = |status: &serde_json::Value| status["open"] == true;
        let status = until(&scratch, &state, "it opens", opened);
        assert_eq!(status["halted"], false, "{nth} crashes need nobody: {status:#}");
        run.kill();
    }
    let run = start(3);
    let frozen = until(&scratch, &state, "it is up", |status| status["open"] == true);
    assert_eq!((&frozen["halted"], &frozen["halt"]["who"]), (&true.into(), &"crash_loop".into()));
    let reason = frozen["halt"]["reason"].as_str().unwrap();
    assert!(reason.contains("3 runs crashed") && reason.contains("surefoot resume"), "{reason}");
    assert!(run.err().contains("3 runs crashed within 10 min"), "an alarm: {}", run.err());
    let opened = "SELECT count(*) FROM orders WHERE purpose = 'arb_leg' AND decided_ns > ";
    let opened = format!("{opened}{}", count(&frozen, "/halt/when_ns"));
    assert_eq!(ask(&database(&state), &opened), 0, "nothing was opened");
    run.kill();
    // A halt like any other: it stands, and the crash that came meanwhile is the first of a new count once it is lifted.
    let run = start(4);
    until(&scratch, &state, "it is up", |status| status["halt"]["who"] == "crash_loop");
    until(&scratch, &state, "it has agreed", |status| status["open"] == true);
    assert_eq!(say(&scratch, &state, "resume --reason looked").code, Some(0));
    until(&scratch, &state, "it trades", |status| count(status, "/orders/sent") > 0);
    run.kill();
    let run = start(5);
    let status = until(&scratch, &state, "it opens", |status| status["open"] == true);
    assert_eq!(status["halted"], false, "{status:#}");
    assert_eq!(say(&scratch, &state, "stop").code, Some(0));
    run.end();
}

pub fn killed_at_any_moment_it_goes_on_where_it_was() {
    let wanted: usize = std::env::var("SUREFOOT_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let scratch = Scratch::new("crash");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 3);
    let (mut busy, mut half_done) = (0, 0);
    let (mut hedged, mut kills, mut began) = (0, 0, 0);
    while kills < wanted || (busy + half_done == 0 && kills < wanted + HITS_TRIED_MAX) {
        let kill = kills;
        kills += 1;
        let mut run = run_uncounted(&scratch, &twin, &state, &format!("run{kill}"));
        wait("the run trades", || {
            assert!(run.is_running(), "kill {kill}: it ended by itself: {}", run.err());
            let status = status(&scratch, &state)?;
            // Every third dies while it starts, before it was agreed with anybody.
            (kill % 3 == 2 || count(&status, "/orders/sent") > 0).then_some(())
        })
        .unwrap_or_else(|| panic!("kill {kill}: nothing was traded: {}", run.err()));
        let moment = moment();
        if kill % 3 == 2 {
            run.kill_after(moment);
        } else {
            an_order_leaves(&state, ["kalshi", "polymarket"][kill % 3]);
            // At once, or some of a round trip later: the first leg, the hedge or the answer is under way.
            run.kill_after(moment / 2_000);
        }
        let replay = say(&scratch, &state, "replay --json");
        assert_eq!(replay.code, Some(0), "kill {kill} after {moment:?}: {replay:#?}");
        let replay = replay.json();
        assert_eq!(replay["closed"], false);
        // One that dies while it starts may not have written that it began.
        let (before, early) = (began, kill % 3 == 2);
        began = count(&replay, "/runs");
        assert!(began == before + 1 || (early && began == before), "kill {kill}: {replay}");
        let checked = say(&scratch, &state, "db check --json");
        assert_eq!(checked.code, Some(0), "kill {kill} after {moment:?}: {checked:#?}");
        let folded = fold(&StateDir::at(&state).journal(), |_| ()).unwrap().core;
        busy += folded.orders().live_len();
        half_done += folded.groups().len();
        let db = database(&state);
        let now = ask(&db, "SELECT count(*) FROM groups WHERE state = 'hedged'");
        assert!(now >= hedged, "what was completed stays");
        hedged = now;
    }
    let mut last = run_uncounted(&scratch, &twin, &state, "last");
    until(&scratch, &state, "baskets are completed again", |status| {
        count(status, "/baskets/completed") > 0
    });
    assert!(last.is_running());
    let stopped = say(&scratch, &state, "stop");
    assert_eq!(stopped.code, Some(0), "{stopped:#?}");
    let said = last.end();
    assert_eq!(said.code, Some(0), "after {kills} kills: {said:#?}");
    let report = said.json();
    assert_eq!(report["reconciled"], true);
    assert_eq!(count(&report, "/orders/live") + count(&report, "/groups_live"), 0);

    let db = database(&state);
    assert_eq!(ask(&db, "SELECT count(*) FROM orders WHERE state <> 'done'"), 0);
    let over = "SELECT count(*) FROM groups WHERE state NOT IN ('hedged', 'flat')";
    assert_eq!(ask(&db, over), 0, "no group was left to a person, none is unfinished");
    assert!(ask(&db, "SELECT count(*) FROM groups WHERE state = 'hedged'") > hedged);
    assert_eq!(ask(&db, "SELECT count(*) FROM runs"), i64::try_from(began).unwrap() + 1);
    // An order that a kill cut off may be in doubt for as long as it takes to alarm about its group, and a leg that it leaves alone is
    // told; and the market that the twin makes shows prices too good to be true now and then.
    let repaired = "SELECT count(*), coalesce(group_concat(DISTINCT what), '') FROM alarms \
        WHERE what NOT IN ('group_stuck', 'leg_mismatch', 'hedge_slow', 'absurd_edge')";
    let alarms: (i64, String) =
        db.query_row(repaired, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(alarms, (0, String::new()), "nothing had to be repaired");
    let adopted = ask(&db, "SELECT count(*) FROM groups WHERE basket = 1024");
    eprintln!(
        "{kills} kills: {busy} orders and {half_done} groups were in flight at them, {adopted} groups were lost, \
         {hedged} baskets were completed before the last run"
    );
    let hit = busy + half_done > 0 || adopted > 0;
    assert!(hit, "the kills hit nothing: they prove nothing");

    for truth in truths(&twin.access, &state) {
        assert!(truth.open.is_empty(), "still resting: {:?}", truth.open);
    }
    let replay = say(&scratch, &state, "replay --json");
    assert_eq!(replay.code, Some(0), "{replay:#?}");
    let replay = replay.json();
    assert_eq!(replay["decision_hash"], report["decision_hash"]);
    assert_eq!(count(&replay, "/runs"), began + 1);
    let checked = say(&scratch, &state, "db check --json");
    assert_eq!(checked.code, Some(0), "{checked:#?}");
    let checked = checked.json();
    assert_eq!((&checked["verdict"], &checked["behind"]), (&"same".into(), &0.into()), "{checked}");
    assert!(count(&checked, "/tables/orders") > 0 && checked["running"] == false, "{checked}");
    let rebuilt = say(&scratch, &state, "db rebuild --json");
    assert_eq!(rebuilt.code, Some(0), "{rebuilt:#?}");
    let rebuilt = rebuilt.json();
    for (table, rows) in checked["tables"].as_object().unwrap() {
        assert_eq!(rebuilt["tables"][table], *rows, "{table}");
    }
    // Runs that are over are compressed: those files are as good as the plain one.
    let packed = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "zst");
    assert!(segments(&state).iter().any(packed));
    every_flipped_bit_is_found(&scratch, &state, 4);
}
