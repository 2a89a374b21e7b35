//! A process that was stopped and goes on: a suspended guest, a host that gave its time to others, a debugger. What
//! waited in its sockets meanwhile is taken in and not traded from.

use std::time::Duration;

use surefoot_hot::bounds::{STALL_HALT, STALL_REST};

use crate::rig::{Scratch, Twin, ask, count, database, run_against, say, stop_for, until};

pub fn a_stopped_run_trades_nothing_that_waited_and_halts_after_a_long_stop() {
    let scratch = Scratch::new("freeze");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 17);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    let traded = |at_least: u64| {
        until(&scratch, &state, "it trades", |status| count(status, "/orders/sent") >= at_least)
    };
    let opened = |begin: i64, end: i64| {
        let between = format!("decided_ns BETWEEN {begin} AND {end} AND purpose = 'arb_leg'");
        ask(&database(&state), &format!("SELECT count(*) FROM orders WHERE {between}"))
    };
    let clocks_apart = 5_000_000; // the run's clock follows the system's to well under a millisecond

    traded(1);
    // Half the limit on a machine that may be slow to send the second signal.
    let (begin, end) = stop_for(run.pid(), Duration::from_nanos(STALL_HALT.get() / 2));
    let sent = count(&traded(1), "/orders/sent"); // as it stands: some were sent
    traded(sent + 2); // it goes on by itself, and the database has caught up with what is asked about
    let rest = i64::try_from(STALL_REST.get()).unwrap();
    assert_eq!(
        opened(begin + clocks_apart, end + rest - clocks_apart),
        0,
        "old frames were traded"
    );

    let (begin, _) = stop_for(run.pid(), Duration::from_nanos(STALL_HALT.get() + 1_000_000_000));
    until(&scratch, &state, "a long stop halts", |status| status["halted"] == true);
    let said = say(&scratch, &state, "stop");
    assert_eq!(said.code, Some(0), "{said:#?}");
    run.end();
    assert_eq!(opened(begin + clocks_apart, i64::MAX), 0, "old frames were traded");
    let db = database(&state);
    assert_eq!(ask(&db, "SELECT count(*) FROM alarms WHERE what = 'stalled'"), 1);
}
