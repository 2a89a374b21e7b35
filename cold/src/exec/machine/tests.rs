//! Races that need no socket: what the machine concludes when the world answers late, in part, not at all or out of turn.

mod amends;
mod desk;

use surefoot_hot::event::Event;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::order::Cancel;
use surefoot_hot::report::{Reject, Report, Unsent};
use surefoot_hot::units::Nanos;
use surefoot_hot::venue_mode::VenueMode;

use super::breaker::FAILURES_MAX;
use super::{
    ANSWER_REPORTS_MAX, CORE_STILL_MAX, Closing, ExecOptions, LaneRole, REPORTS_MAX, WriteResult,
};
use crate::wirelog::{Ended, Record};
use desk::{Rig, START, bound, cancel, filled, order_ref, timed_out, unsent};

const MS: Nanos = Nanos::from_millis(1);

#[test]
fn an_order_goes_from_intent_to_answer_and_is_in_the_log_before_it_is_handed_out() {
    let mut rig = Rig::up();
    rig.place(1);
    let out = rig.machine.poll_request(rig.now).unwrap();
    assert!(out.bytes.starts_with(b"POST /orders/1 "));
    let leave = out.leave.unwrap();
    assert_eq!((leave.epoch, leave.decided), (7, START));
    let (lane, deadline) = (out.lane, out.deadline);
    assert_eq!(deadline, START.after(ExecOptions::default().order_wait_max));
    assert!(matches!(rig.records()[..], [Record::Sent(_)]), "ahead of its first byte");
    rig.machine.on_wrote(rig.now, lane, WriteResult::All);
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.machine.poll_deadline(), deadline);
    rig.answer(lane, 201, None);
    assert_eq!(rig.reports(), [bound(1), filled(1)]);
    assert!(matches!(rig.records()[1..], [Record::End { how: Ended::Taken, .. }]));
    assert!(rig.machine.is_idle() && rig.closings().is_empty());
}

#[test]
fn an_order_written_in_part_is_unknown_once_its_connection_is_lost() {
    let mut rig = Rig::up();
    rig.place(1);
    let lane = rig.write(WriteResult::Part);
    assert_eq!(rig.reports(), []);
    rig.machine.on_lane_down(rig.now, lane, "reset by peer");
    assert_eq!(rig.reports(), [timed_out(1)]);
    assert_eq!(rig.closings(), [Closing { lane, fault: true }]);
    let open = rig.machine.log().contents().without_end();
    assert_eq!(open.len(), 1, "a restart asks about it: {open:?}");
    assert_eq!(rig.machine.stats().sent, 1);
}

#[test]
fn the_rest_of_an_order_may_be_stopped_and_then_nobody_knows() {
    for result in [WriteResult::Cut, WriteResult::Stopped(Unsent::Epoch), WriteResult::Nothing] {
        let mut rig = Rig::up();
        rig.place(1);
        let lane = rig.write(WriteResult::Part);
        rig.machine.on_wrote(rig.now, lane, result);
        assert_eq!(rig.reports(), [timed_out(1)], "{result:?}");
        assert_eq!(rig.closings(), [Closing { lane, fault: true }]);
        assert_eq!(rig.machine.log().contents().without_end().len(), 1);
    }
}

#[test]
fn an_answer_before_all_of_the_order_left_is_believed_and_the_rest_never_follows() {
    let mut rig = Rig::up();
    rig.place(1);
    let lane = rig.write(WriteResult::Part);
    rig.answer(lane, 400, None);
    let order = order_ref(1);
    assert_eq!(rig.reports(), [Report::Rejected { order, why: Reject::Killed }]);
    assert_eq!(rig.closings(), [Closing { lane, fault: true }], "it holds the rest of the order");
}

#[test]
fn a_halt_between_signature_and_write_leaves_a_record_and_no_order() {
    let mut rig = Rig::up();
    rig.place(1);
    let leave = rig.machine.poll_request(rig.now).unwrap().leave.unwrap();
    rig.halt.advance();
    assert_ne!(rig.halt.read(), leave.epoch, "what the shell compares last");
    rig.machine.on_wrote(rig.now, 0, WriteResult::Stopped(Unsent::Epoch));
    assert_eq!(rig.reports(), [unsent(1, Unsent::Epoch)]);
    assert_eq!(rig.closings(), [Closing { lane: 0, fault: true }], "it holds encrypted bytes");
    assert!(matches!(rig.records()[..], [Record::Sent(_), Record::End { how: Ended::Unsent, .. }]));
    rig.machine.on_lane_up(rig.now, 0);
    rig.place(2);
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [unsent(2, Unsent::Epoch)]);
    assert_eq!(
        rig.records().len(),
        2,
        "what was decided before a halt is not even signed after it"
    );
}

#[test]
fn an_answer_after_the_time_out_is_an_answer_to_nobody() {
    let mut rig = Rig::up();
    rig.place(1);
    let lane = rig.write(WriteResult::All);
    let wait = ExecOptions::default().order_wait_max;
    rig.pass(Nanos::new(wait.get() - 1));
    assert_eq!(rig.reports(), []);
    rig.pass(Nanos::new(1));
    assert_eq!(rig.reports(), [timed_out(1)]);
    assert_eq!(rig.closings(), [Closing { lane, fault: true }]);
    // A shell drops what a closed connection says; one that does not is not believed either.
    rig.answer(lane, 201, None);
    assert_eq!(rig.reports(), []);
    rig.machine.on_lane_up(rig.now, lane);
    rig.answer(lane, 201, None);
    assert_eq!(rig.reports(), []);
    assert_eq!(rig.closings(), [Closing { lane, fault: true }], "it spoke without being asked");
    assert_eq!(rig.machine.log().contents().without_end().len(), 1);
}

#[test]
fn while_nobody_takes_reports_nothing_more_is_begun_and_none_is_lost() {
    let mut rig = Rig::up();
    rig.halt.advance(); // every order is of an epoch that is over: one report for each
    let mut given = 0;
    while rig.machine.wants_intent() && given < 10_000 {
        given += 1;
        rig.place(given);
        assert!(rig.machine.poll_request(rig.now).is_none());
    }
    assert_eq!(given, (REPORTS_MAX - ANSWER_REPORTS_MAX + 1) as u64);
    assert!(!rig.machine.has_room(), "answers are left unread");
    rig.place(given + 1);
    rig.intent(Intent::CancelAll { venue: Venue::Kalshi });
    assert!(rig.machine.poll_order(rig.now, |_| ()).is_none(), "the core could not hear of it");
    assert!(rig.request().starts_with("DELETE /orders "), "a kill switch waits for nobody");
    let reports = rig.reports();
    let told = (1..=given).map(|order| unsent(order, Unsent::Epoch));
    assert!(reports.into_iter().eq(told), "each once, in order");
    assert!(rig.machine.wants_intent() && rig.machine.has_room());
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [unsent(given + 1, Unsent::Epoch)], "it had waited");
}

#[test]
fn what_the_log_does_not_take_is_not_sent() {
    let mut rig = Rig::up();
    rig.machine.log_mut().set_failing(true);
    rig.place(1);
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [unsent(1, Unsent::WireLog)]);
    assert_eq!((rig.machine.stats().unlogged, rig.machine.stats().sent), (1, 0));
    assert!(rig.closings().is_empty(), "nothing was staged on any connection");
    rig.machine.log_mut().set_failing(false);
    rig.place(2);
    let lane = rig.write(WriteResult::All);
    rig.machine.log_mut().set_failing(true);
    rig.answer(lane, 201, None);
    assert_eq!(rig.reports(), [bound(2), filled(2)], "its end is known, if not written");
    assert_eq!(rig.machine.figures(rig.now).unlogged, 2, "and health hears of it");
    assert_eq!(rig.machine.log().contents().without_end().len(), 1);
}

#[test]
fn a_cancel_overtakes_an_order_that_waits_and_follows_one_that_left() {
    let mut rig = Rig::with(&[LaneRole::Orders, LaneRole::Chores]);
    rig.place(1);
    rig.place(2);
    let lane = rig.write(WriteResult::All);
    assert!(rig.machine.poll_request(rig.now).is_none(), "the second waits for the connection");
    rig.intent(Intent::Cancel(cancel(2)));
    assert_eq!(rig.reports(), [unsent(2, Unsent::Down)]);
    rig.intent(Intent::Cancel(cancel(1)));
    let asked = rig.request();
    assert!(asked.starts_with("GET /orders/1 "), "its id is not known yet: {asked}");
    rig.answer(lane, 202, None);
    assert_eq!(rig.reports().len(), 2, "bound, and resting");
    rig.answer(1, 200, None);
    let cancelled = rig.request();
    assert!(cancelled.starts_with("DELETE /orders/uuid-1 "), "{cancelled}");
    assert_eq!(rig.machine.stats().sent, 1);
}

#[test]
fn what_rests_is_cancelled_by_its_id_however_many_orders_came_after_it() {
    let mut rig = Rig::up();
    rig.rest(1);
    for id in 2..20_000 {
        rig.place(id);
        let lane = rig.write(WriteResult::All);
        rig.answer(lane, 201, None);
        rig.reports();
    }
    rig.intent(Intent::Cancel(cancel(1)));
    let asked = rig.request();
    assert!(asked.starts_with("DELETE /orders/uuid-1 "), "{asked}");
}

#[test]
fn cancels_of_one_shard_without_tokens_keep_no_others_back() {
    let mut rig = Rig::up();
    rig.rest(1);
    rig.rest(2);
    let (starved, other) = (MarketId::new(0), MarketId::new(1));
    rig.machine.codec_mut().no_cancels_in = Some(starved);
    rig.intent(Intent::Cancel(Cancel { market: starved, ..cancel(1) }));
    rig.intent(Intent::Cancel(Cancel { market: other, ..cancel(2) }));
    assert!(rig.request().starts_with("DELETE /orders/uuid-2 "));
    rig.machine.codec_mut().no_cancels_in = None;
    assert!(rig.request().starts_with("DELETE /orders/uuid-1 "), "it has kept its place");
}

#[test]
fn a_cancel_that_must_find_the_id_first_is_paid_for_as_a_question() {
    let mut rig = Rig::up();
    rig.place(1);
    rig.write(WriteResult::All); // and no answer yet
    rig.machine.codec_mut().no_cancels_in = Some(MarketId::new(0));
    rig.intent(Intent::Cancel(cancel(1)));
    assert!(rig.request().starts_with("GET /orders/1 "));
}

#[test]
fn a_429_pauses_orders_for_as_long_as_it_says() {
    let mut rig = Rig::up();
    rig.place(1);
    let lane = rig.write(WriteResult::All);
    rig.answer(lane, 429, Some(3));
    let order = order_ref(1);
    assert_eq!(rig.reports(), [Report::Rejected { order, why: Reject::Rate }]);
    assert_eq!((rig.machine.stats().limited, rig.machine.codec().limited), (1, 1));
    rig.pass(Nanos::from_millis(2_500));
    rig.place(2);
    rig.unwind(3);
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [unsent(2, Unsent::Tokens)], "the hedge waits, the other is old");
    rig.pass(Nanos::from_millis(500));
    rig.write(WriteResult::All);
    assert_eq!(rig.machine.stats().sent, 2, "the pause is over");
}

#[test]
fn the_core_hears_once_of_each_change_of_what_keeps_orders_here() {
    let ways = |rig: &mut Rig| {
        let mut ways = Vec::new();
        while let Some(event) = rig.machine.poll_report() {
            if let Event::Way { breaker_open, tokens_short, .. } = event {
                ways.push((breaker_open, tokens_short));
            }
        }
        ways
    };
    let mut rig = Rig::up();
    rig.pass(MS);
    assert_eq!(ways(&mut rig), []);
    // Too few tokens: it looks again by itself whether there are more.
    rig.machine.codec_mut().no_tokens = true;
    rig.pass(MS);
    rig.pass(MS);
    assert_eq!(ways(&mut rig), [(false, true)]);
    assert_eq!(rig.machine.poll_deadline(), rig.now.after(Nanos::from_millis(50)));
    rig.machine.codec_mut().no_tokens = false;
    rig.pass(Nanos::from_millis(50));
    assert_eq!(ways(&mut rig), [(false, false)]);
    // The venue has said how long to wait.
    rig.place(1);
    let lane = rig.write(WriteResult::All);
    rig.answer(lane, 429, Some(3));
    rig.pass(MS);
    assert_eq!(ways(&mut rig), [(false, true)]);
    assert_eq!(rig.machine.poll_deadline(), rig.now.after(Nanos::from_millis(2_999)));
    rig.pass(Nanos::from_millis(2_999));
    assert_eq!(ways(&mut rig), [(false, false)]);
    // Failures in a row open the breaker, the 429 among them; what it said is over with time.
    for id in 2..=5 {
        rig.place(id);
        let lane = rig.write(WriteResult::All);
        rig.answer(lane, 500, None);
    }
    rig.pass(MS);
    assert_eq!(ways(&mut rig), [(true, false)]);
    rig.pass(ExecOptions::default().breaker_open);
    assert_eq!(ways(&mut rig), [(false, false)]);
}

/// What the core is told, but for the connections.
fn told(rig: &mut Rig) -> Vec<Event> {
    let news = std::iter::from_fn(|| rig.machine.poll_report());
    news.filter(|event| !matches!(event, Event::Link { .. } | Event::Way { .. })).collect()
}

fn mode(mode: VenueMode) -> Event {
    Event::Mode { venue: Venue::Kalshi, shard: 0, mode, until: Nanos::ZERO }
}

#[test]
fn a_venue_that_restarts_has_not_failed_and_the_core_hears_of_it_before_the_refusal() {
    let mut rig = Rig::up();
    for id in 1..=2 * u64::from(FAILURES_MAX) {
        rig.place(id);
        let lane = rig.write(WriteResult::All);
        rig.answer(lane, 425, None);
        let refusal = Event::Report(Report::Rejected { order: order_ref(id), why: Reject::Mode });
        assert_eq!(told(&mut rig), [mode(VenueMode::Restarting), refusal]);
        let lane = rig.write(WriteResult::All); // it is asked at once what it takes
        rig.answer(lane, 503, None);
        rig.pass(Nanos::from_secs(40));
        assert_eq!(told(&mut rig), [mode(VenueMode::Open)]);
    }
    assert_eq!(rig.machine.breaker_opened(), 0);
}

/// What is opened to see whether it is over may leave its first leg at another venue alone.
#[test]
fn a_venue_that_goes_on_refusing_for_its_mode_has_nothing_opened_until_an_order_is_taken() {
    let mut rig = Rig::up();
    let mut shut = false;
    let mut look = |rig: &mut Rig, span| {
        rig.pass(span);
        for event in std::iter::from_fn(|| rig.machine.poll_report()) {
            if let Event::Way { breaker_open, .. } = event {
                shut = breaker_open;
            }
        }
        shut
    };
    let refuse = |rig: &mut Rig, id| {
        rig.place(id);
        let lane = rig.write(WriteResult::All);
        rig.answer(lane, 425, None);
        let status = rig.write(WriteResult::All);
        rig.answer(status, 503, None); // the venue does not say what it takes
    };
    for (id, expected) in [(1, false), (2, false), (3, true)] {
        refuse(&mut rig, id);
        assert_eq!(look(&mut rig, MS), expected, "after {id} refusals");
        assert_eq!(look(&mut rig, Nanos::from_secs(4)), expected, "the mode is over by time");
    }
    // What reduces finds the way open, and shows that it is.
    rig.unwind(4);
    let lane = rig.write(WriteResult::All);
    rig.answer(lane, 201, None);
    assert!(!look(&mut rig, MS), "an order was taken");
    // Where nothing is to be sold, time alone lets one more try.
    for id in 5..8 {
        refuse(&mut rig, id);
        look(&mut rig, Nanos::from_secs(4));
    }
    let left = ExecOptions::default().breaker_open.since(Nanos::from_secs(4));
    assert!(look(&mut rig, Nanos::new(left.get() - 1)));
    assert_eq!(rig.machine.poll_deadline(), rig.now.after(Nanos::new(1)));
    assert!(!look(&mut rig, Nanos::new(1)));
}

#[test]
fn while_a_venue_takes_no_order_a_sale_waits_a_moment_and_others_are_not_sent() {
    let mut rig = Rig::with(&[LaneRole::Orders]);
    for refused in [1, 2] {
        rig.place(refused);
        let lane = rig.write(WriteResult::All);
        rig.answer(lane, 425, None);
        rig.pass(Nanos::from_secs(refused - 1)); // the second time it is left alone for two seconds
        rig.reports();
        if refused == 1 {
            rig.pass(Nanos::from_secs(1));
        }
    }
    rig.place(3);
    rig.unwind(4);
    assert!(rig.machine.poll_order(rig.now, |_| ()).is_none());
    assert_eq!(rig.reports(), [unsent(3, Unsent::Mode)]);
    rig.pass(Nanos::from_millis(999));
    assert!(rig.machine.poll_order(rig.now, |_| ()).is_none());
    rig.pass(MS);
    assert!(rig.machine.poll_order(rig.now, |_| ()).is_some(), "the sale goes first");
}

#[test]
fn an_order_that_is_taken_or_the_status_ends_a_mode() {
    let mut rig = Rig::up();
    rig.place(1);
    rig.place(2);
    let (first, second) = (rig.write(WriteResult::All), rig.write(WriteResult::All));
    rig.answer(first, 409, None); // refused for a mode in words that name none
    assert!(told(&mut rig).contains(&mode(VenueMode::Restarting)));
    rig.answer(second, 201, None);
    rig.pass(MS);
    assert!(told(&mut rig).contains(&mode(VenueMode::Open)), "the other was taken");
    let status = rig.write(WriteResult::All);
    rig.answer(status, 503, None); // says nothing
    rig.place(3);
    let lane = rig.write(WriteResult::All);
    rig.answer(lane, 425, None);
    let status = rig.write(WriteResult::All);
    rig.answer(status, 200, None); // everything is taken
    assert!(!told(&mut rig).contains(&mode(VenueMode::Open)), "not within the pause");
    rig.pass(Nanos::from_secs(1));
    assert_eq!(told(&mut rig), [mode(VenueMode::Open)]);
}

#[test]
fn a_call_that_is_withdrawn_and_success_in_unknown_words_are_counted_as_strange() {
    let mut rig = Rig::up();
    let mut answered = |status, expected: Report| {
        let id = u64::from(status);
        rig.place(id);
        let lane = rig.write(WriteResult::All);
        rig.answer(lane, status, None);
        assert!(rig.reports().contains(&expected), "{status}");
        if matches!(expected, Report::TimedOut { .. }) {
            let lane = rig.write(WriteResult::All); // it is asked what became of it
            rig.answer(lane, 404, None);
            rig.reports();
        }
        rig.machine.stats().strange
    };
    assert_eq!(answered(201, filled(201)), 0);
    assert_eq!(answered(503, timed_out(503)), 0, "a failure, as any other");
    assert_eq!(answered(207, timed_out(207)), 1);
    let gone = Report::Rejected { order: order_ref(410), why: Reject::Gone };
    assert_eq!(answered(410, gone), 2);
}

#[test]
fn a_core_that_stands_still_has_everything_cancelled_and_nothing_sent() {
    let mut rig = Rig::up();
    let mut turns = 1;
    for _ in 0..10 {
        turns += 1;
        rig.pass(Nanos::from_millis(50));
        rig.machine.on_core_turns(rig.now, turns);
    }
    let (start, mut cancelled_all) = (rig.now, Vec::new());
    while rig.now < start.after(Nanos::from_secs(6)) {
        rig.pass(Nanos::from_millis(50));
        rig.machine.on_core_turns(rig.now, turns);
        while let Some(out) = rig.machine.poll_request(rig.now) {
            let (lane, bytes) = (out.lane, out.bytes.to_vec());
            rig.machine.on_wrote(rig.now, lane, WriteResult::All);
            assert!(bytes.starts_with(b"DELETE /orders "), "nothing else is wanted");
            cancelled_all.push(rig.now);
            rig.answer(lane, 204, None);
        }
    }
    assert_eq!(rig.halt.read(), 8, "moved once");
    assert_eq!(cancelled_all.len(), 2, "at once, and again for what came to rest meanwhile");
    let found = cancelled_all[0].since(start);
    assert!(found >= CORE_STILL_MAX && found < CORE_STILL_MAX.after(Nanos::from_millis(200)));
    let apart = cancelled_all[1].since(cancelled_all[0]);
    assert!(apart >= ExecOptions::default().order_wait_max);
    assert!(!rig.machine.figures(rig.now).may_open());
    rig.unwind(1); // decided before it stood still, taken from the ring only now
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [unsent(1, Unsent::Epoch)]);
}

#[test]
fn hedges_go_ahead_and_wait_a_moment_where_others_are_refused() {
    let mut rig = Rig::with(&[LaneRole::Orders]);
    rig.place(1);
    rig.unwind(2);
    assert!(rig.request().starts_with("POST /orders/2 "), "ahead of what came first");
    rig.unwind(3);
    rig.pass(Nanos::from_millis(100));
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [unsent(1, Unsent::Down)], "an opening order waits 100 ms");
    rig.pass(Nanos::from_millis(899));
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), []);
    rig.pass(MS);
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [unsent(3, Unsent::Down)], "a hedge waits a second");
}

#[test]
fn five_failures_open_the_breaker_and_one_probe_closes_it() {
    let mut rig = Rig::up();
    for order in 1..=5 {
        rig.place(order);
        let lane = rig.write(WriteResult::All);
        rig.answer(lane, 503, None);
        assert_eq!(rig.reports(), [timed_out(order)]);
    }
    rig.machine.on_time(rig.now);
    assert!(rig.machine.figures(rig.now).breaker_open);
    rig.place(6);
    let _ = rig.machine.poll_order(rig.now, |_| ());
    assert_eq!(rig.reports(), [unsent(6, Unsent::Breaker)]);
    rig.pass(ExecOptions::default().breaker_open);
    rig.place(7);
    let lane = rig.write(WriteResult::All);
    rig.place(8);
    assert!(rig.machine.poll_order(rig.now, |_| ()).is_none(), "one probe at a time");
    rig.answer(lane, 201, None);
    assert_eq!(rig.reports(), [unsent(8, Unsent::Breaker), bound(7), filled(7)]);
    rig.place(9);
    rig.write(WriteResult::All);
}

#[test]
fn a_shell_that_only_wakes_at_the_deadline_misses_nothing() {
    let mut rig = Rig::with(&[LaneRole::Orders, LaneRole::Chores]);
    rig.place(1);
    rig.write(WriteResult::All); // and no answer
    rig.unwind(2);
    let (mut heard, mut wakes) = (Vec::new(), 0);
    while heard.len() < 2 && wakes < 10_000 {
        wakes += 1;
        let next = rig.machine.poll_deadline();
        assert!(next > rig.now, "time moves");
        rig.now = next;
        rig.machine.on_time(rig.now);
        while let Some(out) = rig.machine.poll_request(rig.now) {
            let lane = out.lane;
            rig.machine.on_wrote(rig.now, lane, WriteResult::All);
        }
        heard.extend(rig.reports().into_iter().map(|report| (rig.now.since(START), report)));
    }
    let options = ExecOptions::default();
    assert_eq!(
        heard,
        [(options.hold_max, unsent(2, Unsent::Down)), (options.order_wait_max, timed_out(1))]
    );
}

#[test]
#[should_panic = "the result of the request before comes first"]
fn a_request_whose_result_was_not_told_keeps_the_next_one_back() {
    let mut rig = Rig::up();
    rig.place(1);
    rig.place(2);
    assert!(rig.machine.poll_request(rig.now).is_some());
    let _ = rig.machine.poll_request(rig.now);
}

#[test]
fn a_restart_asks_by_what_the_log_remembers() {
    let mut rig = Rig::up();
    rig.place(1);
    let lane = rig.write(WriteResult::All);
    rig.answer(lane, 202, None);
    let contents = rig.machine.log().contents();
    let mut again = Rig::with(&[LaneRole::Orders, LaneRole::Chores]);
    again.machine.remember(&contents, []);
    again.intent(Intent::Cancel(cancel(1)));
    assert!(again.request().starts_with("DELETE /orders/uuid-1 "), "by the venue's id");
}
