//! Races that need no process: what the policy concludes when halts, trips, readings and counters come in any order.

mod asked;
mod desk;
mod drawn;
mod listed;

use std::time::Duration;

use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::Venue;
use surefoot_hot::risk::HaltWhy;

use super::{
    Asked, Closing, Ending, HaltCause, Message, Policy, READ_WITHIN, ReadResult, Refusal, Unagreed,
    Waited, Want,
};
use desk::{Desk, MS, SECOND, options, tell_halt, tell_resume, tell_stop};

const PM: Venue = Venue::Polymarket;
const KALSHI: Venue = Venue::Kalshi;

fn refused(desk: &Desk, why: Refusal) -> bool {
    desk.done
        .iter()
        .any(|want| matches!(want, Want::Answer { outcome: Err(refusal), .. } if *refusal == why))
}

fn has_resumed(desk: &Desk) -> bool {
    let is = |want: &Want| matches!(want, Want::Tell(Event::Control(Control::Resume { .. })));
    desk.done.iter().any(is)
}

// --- the start ---

#[test]
fn a_start_waits_for_streams_and_for_orders_of_an_earlier_run_then_agrees_and_opens() {
    let mut desk = Desk::begin(false);
    desk.seen.streams_up = false;
    desk.look_after(SECOND * 20 - MS);
    assert_eq!(desk.take(), []);
    desk.look();
    desk.look();
    assert_eq!(desk.take(), [Want::Say(Message::StillWaiting { for_streams: true })], "once");
    desk.seen.streams_up = true;
    desk.seen.core.orders_unknown = 1;
    desk.look();
    assert_eq!(desk.take(), []);
    desk.seen.core.orders_unknown = 0;
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
    desk.read_all(ReadResult::Whole);
    desk.compare(true);
    assert!(!desk.policy.is_open());
    desk.look();
    assert_eq!(desk.take(), [Want::Opened]);
    assert!(desk.policy.is_open());
}

#[test]
fn counters_of_before_a_reading_agree_with_nothing() {
    let mut desk = Desk::begin(false);
    desk.compare(true);
    desk.look();
    desk.read_all(ReadResult::Whole);
    desk.take();
    for _ in 0..99 {
        desk.look(); // two seconds, the core shows nothing new
    }
    assert_eq!(desk.take(), [], "as of before the reading began");
    desk.look_after(40 * MS);
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)], "the venues are read again");
    desk.read_all(ReadResult::Whole);
    desk.compare(false);
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)], "compared, and not agreed");
    desk.read_all(ReadResult::Whole);
    desk.compare(true);
    desk.look();
    assert_eq!(desk.take(), [Want::Opened]);
}

#[test]
fn a_start_that_cannot_agree_tries_three_times_and_ends() {
    let mut desk = Desk::begin(false);
    for failed in 1..=3 {
        desk.look();
        assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
        desk.read(KALSHI, ReadResult::Failed);
        desk.look();
        let why = Unagreed::Unread(KALSHI);
        assert_eq!(desk.take(), [Want::Say(Message::NotAgreed { failed, why })]);
        desk.read(PM, ReadResult::Failed);
        desk.look_after(SECOND * failed - 40 * MS);
        assert_eq!(desk.take(), [], "a pause, and no word of the other reading");
        desk.now += 20 * MS;
    }
    desk.look();
    assert_eq!(desk.take(), [Want::Say(Message::NothingOpened), Want::Stopping, tell_stop()]);
}

#[test]
fn a_venue_that_does_not_answer_and_one_that_differs_fail_after_45_seconds() {
    let mut desk = Desk::begin(false);
    desk.look();
    desk.read(PM, ReadResult::Whole);
    desk.look_after(SECOND * 45);
    let why = Unagreed::NoAnswer(KALSHI);
    assert_eq!(desk.done.last(), Some(&Want::Say(Message::NotAgreed { failed: 1, why })));
    desk.look_after(SECOND);
    desk.read(KALSHI, ReadResult::Failed);
    desk.take();
    desk.look();
    assert_eq!(
        desk.take(),
        [Want::Read(PM), Want::Read(KALSHI)],
        "how the old reading ended is no matter"
    );
    let mut rounds = 1;
    while !desk.done.iter().any(|want| matches!(want, Want::Say(_))) {
        rounds += u32::from(desk.take() == [Want::Read(PM), Want::Read(KALSHI)]);
        if desk.reading[PM] {
            desk.read_all(ReadResult::Whole);
            desk.compare(false);
        }
        desk.look();
    }
    assert_eq!(rounds, 20, "no venue is read for ever");
    let why = Unagreed::Differs;
    assert_eq!(desk.take(), [Want::Say(Message::NotAgreed { failed: 2, why })]);
}

#[test]
fn a_halt_while_the_start_agrees_is_no_failure_and_it_agrees_from_the_beginning() {
    let mut desk = Desk::begin(false);
    desk.look();
    desk.look_after(SECOND * 44);
    let request = desk.ask(Asked::Halt { why: HaltWhy::KillFile });
    let cause = HaltCause::Asked { request, why: HaltWhy::KillFile };
    assert_eq!(
        desk.take()[2..],
        [
            Want::Advance,
            tell_halt(101, HaltWhy::KillFile),
            Want::Latch(cause),
            Want::Answer { request, outcome: Ok(()) }
        ]
    );
    desk.look_after(SECOND * 2);
    assert_eq!(desk.take(), [], "45 s begin anew");
    desk.read_all(ReadResult::Failed);
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
    desk.read_all(ReadResult::Whole);
    desk.compare(true);
    desk.look();
    assert_eq!(desk.take(), [Want::Opened], "and halted");
    assert!(desk.policy.is_latched());
}

// --- halts ---

#[test]
fn every_halt_is_first_the_epoch_then_the_core_then_the_latch() {
    type Make = fn(&mut Desk);
    let table: [(Make, HaltCause); 6] = [
        (|desk| desk.seen.journal_failed = true, HaltCause::JournalFailed),
        (|desk| desk.seen.epoch += 1, HaltCause::EpochMoved),
        (|desk| desk.seen.still = Some("core"), HaltCause::ThreadStill("core")),
        (
            |desk| desk.policy.on_trouble(desk.now, HaltCause::DirectoryLost),
            HaltCause::DirectoryLost,
        ),
        (
            |desk| {
                desk.look_after(SECOND * 12);
                desk.read(PM, ReadResult::Lost);
            },
            HaltCause::ReaderLost(PM),
        ),
        (
            |desk| {
                let begun = options(desk.seen.epoch, false);
                desk.policy = Policy::after_failure(desk.now, begun, desk.reading);
            },
            HaltCause::MainThread,
        ),
    ];
    for (make, cause) in table {
        let mut desk = Desk::open();
        make(&mut desk);
        if !desk.done.contains(&Want::Latch(cause)) {
            if matches!(cause, HaltCause::DirectoryLost | HaltCause::MainThread) {
                desk.ask(Asked::Resume { since: desk.now }); // carries out what is wanted
            } else {
                desk.look();
            }
        }
        let wants = desk.take();
        let at = wants.iter().position(|want| *want == Want::Advance).expect("the epoch moves");
        let told = tell_halt(desk.seen.epoch, cause.why().unwrap());
        assert_eq!(wants[at + 1..at + 3], [told, Want::Latch(cause)], "{cause:?}");
        assert!(desk.policy.is_latched());
        assert_eq!(desk.policy.epoch(), desk.seen.epoch);
        desk.obey();
        desk.look();
        assert!(!desk.take().contains(&Want::Advance), "{cause:?}: once");
    }
}

#[test]
fn what_halts_a_second_time_is_told_to_the_core_and_keeps_the_first_latch() {
    let mut desk = Desk::halted();
    desk.seen.epoch += 1;
    desk.look();
    assert_eq!(
        desk.take(),
        [tell_halt(102, HaltWhy::RingFull)],
        "it must not decide under an older epoch"
    );
    desk.policy.on_trouble(desk.now, HaltCause::DirectoryLost);
    desk.seen.journal_failed = true;
    desk.look();
    assert_eq!(desk.take(), []);
}

#[test]
fn a_core_that_trips_is_latched_once_its_counters_say_so_and_told_nothing() {
    let mut desk = Desk::open();
    (desk.seen.epoch, desk.seen.epoch_is_cores) = (101, true);
    desk.look();
    assert_eq!(desk.take(), [], "its counters say why within a moment");
    (desk.seen.core.halted, desk.seen.core.epoch) = (Some(HaltWhy::DailyLoss), 101);
    desk.publish();
    desk.look();
    desk.look();
    assert_eq!(desk.take(), [Want::Latch(HaltCause::CoreTripped)]);
    assert_eq!(desk.policy.epoch(), 101);
}

#[test]
fn a_thread_that_stands_still_halts_and_is_given_up_after_eight_seconds() {
    for wakes in [true, false] {
        let mut desk = Desk::open();
        desk.seen.still = Some("core");
        desk.look();
        let wants = desk.take();
        assert_eq!(wants[..2], [Want::CancelWithoutCore, Want::Advance]);
        desk.look_after(SECOND * 8 - 20 * MS);
        assert_eq!(desk.take(), []);
        desk.seen.still = desk.seen.still.filter(|_| !wakes);
        desk.look_after(20 * MS);
        if wakes {
            assert!(!desk.policy.is_stalled());
            assert!(!desk.policy.is_closing(), "it hears of the halt by itself");
        } else {
            let (why, how) = (Ending::CoreGone, Closing::WithoutCore);
            assert_eq!(desk.take(), [Want::Stopping, Want::Close { why, how }]);
        }
    }
}

#[test]
fn a_thread_that_is_dead_is_latched_and_the_run_ends_without_the_core() {
    let mut desk = Desk::open();
    desk.seen.dead = Some("feed");
    desk.look();
    desk.look();
    let close = Want::Close { why: Ending::CoreGone, how: Closing::WithoutCore };
    assert_eq!(desk.take(), [Want::Latch(HaltCause::ThreadDead("feed")), Want::Stopping, close]);
}

// --- the resume ---

#[test]
fn a_resume_reads_both_venues_removes_the_latch_and_shows_before_it_is_answered() {
    let mut desk = Desk::halted();
    let request = desk.ask(Asked::Resume { since: desk.now });
    assert_eq!(desk.take(), []);
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
    assert!(desk.policy.is_resuming());
    desk.read_all(ReadResult::Whole);
    desk.compare(true);
    desk.look();
    assert_eq!(desk.take(), [Want::Unlatch(request), Want::Advance, tell_resume(102)]);
    desk.look();
    assert_eq!(desk.take(), [], "counters of a moment ago still say halted");
    assert!(!desk.policy.is_latched());
    desk.obey();
    desk.look();
    let answer = Want::Answer { request, outcome: Ok(()) };
    assert_eq!(desk.take(), [Want::Say(Message::Resumed { request }), answer]);
    assert!(!desk.policy.is_resuming());
}

#[test]
fn nothing_is_lifted_that_came_after_the_question() {
    type Make = fn(&mut Desk);
    let table: [(Make, Refusal); 11] = [
        (|desk| desk.seen.kill_file = true, Refusal::KillFile),
        (|desk| desk.seen.journal_failed = true, Refusal::JournalFailed),
        (|desk| desk.seen.directory_lost = true, Refusal::DirectoryLost),
        (|desk| desk.seen.still = Some("feed"), Refusal::ThreadStill("feed")),
        (|desk| desk.seen.halt_waits = true, Refusal::HaltedMeanwhile),
        (|desk| desk.seen.epoch += 1, Refusal::HaltedMeanwhile),
        (
            |desk| (desk.seen.epoch, desk.seen.epoch_is_cores) = (desk.seen.epoch + 1, true),
            Refusal::HaltedMeanwhile,
        ),
        (|desk| desk.seen.core.trips += 1, Refusal::TrippedMeanwhile),
        (|desk| _ = desk.ask(Asked::Halt { why: HaltWhy::Operator }), Refusal::HaltedMeanwhile),
        (|desk| _ = desk.ask(Asked::Stop), Refusal::Ending),
        (|desk| desk.unlatches = false, Refusal::Unwritten),
    ];
    for (number, (make, why)) in table.into_iter().enumerate() {
        let (mut desk, _) = Desk::resuming();
        make(&mut desk);
        desk.look();
        assert!(refused(&desk, why), "row {number}: {why:?}: {:#?}", desk.done);
        assert!(!has_resumed(&desk), "row {number}");
        let unlatched = desk.done.iter().any(|want| matches!(want, Want::Unlatch(_)));
        assert_eq!(unlatched, why == Refusal::Unwritten, "row {number}: the latch is left alone");
        assert!(desk.policy.is_latched() && !desk.policy.is_resuming(), "row {number}");
        desk.look();
        assert!(!has_resumed(&desk), "row {number}");
    }
}

#[test]
fn a_halt_of_the_very_look_that_would_lift_is_not_lifted() {
    let (mut desk, _) = Desk::resuming();
    // The halt of before was the core's own: nothing is latched, so that the thread halts.
    desk.policy.halts.unlatch();
    desk.seen.still = Some("exec");
    desk.look();
    assert!(refused(&desk, Refusal::ThreadStill("exec")) && !has_resumed(&desk));
    assert!(desk.done.contains(&Want::Latch(HaltCause::ThreadStill("exec"))));
    assert!(!desk.done.iter().any(|want| matches!(want, Want::Unlatch(_))));
}

#[test]
fn an_epoch_that_is_moved_under_a_resume_halts_anew() {
    let (mut desk, request) = Desk::resuming();
    desk.races = true;
    desk.look();
    assert_eq!(
        desk.take(),
        [
            Want::Unlatch(request),
            Want::Advance,
            Want::Advance,
            tell_halt(104, HaltWhy::RingFull),
            Want::Latch(HaltCause::EpochMovedMeanwhile),
            Want::Answer { request, outcome: Err(Refusal::HaltedMeanwhile) }
        ]
    );
    assert!(desk.policy.is_latched());
}

#[test]
fn counters_older_than_the_resume_prove_neither_that_it_holds_nor_that_it_failed() {
    // A core that does not say halted, in counters of before the resume.
    let (mut desk, _) = Desk::resuming();
    desk.seen.core.halted = None;
    desk.look();
    desk.publish();
    desk.look();
    assert!(desk.policy.is_resuming(), "they do not know of it yet");
    desk.look_after(SECOND * 2);
    assert!(refused(&desk, Refusal::NotLifted));
    assert!(desk.done.contains(&Want::Latch(HaltCause::NotLifted(HaltWhy::Thread))));

    // A core that has halted again.
    let (mut desk, _) = Desk::resuming();
    desk.look();
    desk.obey();
    desk.seen.core.halted = Some(HaltWhy::Group);
    desk.look_after(SECOND * 2 - MS);
    assert!(desk.policy.is_resuming(), "two seconds");
    desk.take();
    desk.look();
    assert!(refused(&desk, Refusal::NotLifted));
    assert!(desk.done.contains(&tell_halt(103, HaltWhy::Group)), "the halt told after it holds");

    // A core that tripped between its counters and the resume, and obeyed.
    let (mut desk, _) = Desk::resuming();
    desk.look();
    desk.obey();
    (desk.seen.core.trips, desk.seen.core.tripped) = (1, Some(HaltWhy::Impossible));
    desk.take();
    desk.look();
    assert!(refused(&desk, Refusal::TrippedMeanwhile));
    let cause = HaltCause::TrippedMeanwhile(HaltWhy::Impossible);
    assert_eq!(
        desk.done[..3],
        [Want::Advance, tell_halt(103, HaltWhy::Impossible), Want::Latch(cause)]
    );
}

#[test]
fn an_end_while_a_resume_waits_to_be_seen_keeps_the_halt() {
    type Make = fn(&mut Desk);
    let ends: [(Make, Ending); 2] = [
        (|desk| _ = desk.ask(Asked::Stop), Ending::Asked),
        (|desk| desk.policy.span = Some(desk.now), Ending::SpanOver),
    ];
    for (end, why) in ends {
        let (mut desk, request) = Desk::resuming();
        desk.look();
        assert!(has_resumed(&desk) && !desk.policy.is_latched());
        desk.take();
        end(&mut desk);
        desk.look();
        let wants = desk.take();
        let refused = Want::Answer { request, outcome: Err(Refusal::Ending) };
        assert!(wants.contains(&refused), "{why:?}: {wants:#?}");
        let at = wants.iter().position(|want| *want == Want::Advance);
        let at = at.unwrap_or_else(|| panic!("{why:?}: the next start is halted: {wants:#?}"));
        let latch = Want::Latch(HaltCause::EndedMeanwhile);
        assert_eq!(wants[at + 1..at + 3], [tell_halt(103, HaltWhy::Operator), latch], "{why:?}");
        assert!(desk.policy.is_latched() && desk.policy.is_closing(), "{why:?}");
    }
}

#[test]
fn a_resume_where_nothing_is_halted_changes_nothing() {
    let mut desk = Desk::open();
    let request = desk.ask(Asked::Resume { since: desk.now });
    desk.look();
    assert_eq!(desk.take(), [Want::Answer { request, outcome: Ok(()) }], "orders under way leave");
    // The core has halted by itself: nothing is latched yet, and it is lifted as any halt is.
    (desk.seen.epoch, desk.seen.epoch_is_cores) = (101, true);
    (desk.seen.core.halted, desk.seen.core.epoch) = (Some(HaltWhy::DailyLoss), 101);
    desk.ask(Asked::Resume { since: desk.now });
    desk.look_after(SECOND);
    assert_eq!(
        desk.take(),
        [Want::Latch(HaltCause::CoreTripped), Want::Read(PM), Want::Read(KALSHI)]
    );
    let mut desk = Desk::open();
    desk.seen.core.disabled = true; // what repeated itself: a resume enables it as it lifts a halt
    desk.ask(Asked::Resume { since: desk.now });
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
}

#[test]
fn a_reading_that_began_before_a_resume_was_asked_for_agrees_with_nothing() {
    let mut desk = Desk::halted();
    desk.look_after(SECOND * 12);
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
    desk.ask(Asked::Resume { since: desk.now });
    desk.look();
    desk.read_all(ReadResult::Whole);
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)], "read for the resume, at once");
    // The core compares the earlier readings only now, while those for the resume are under way, and shows it after them.
    let earlier = desk.told;
    desk.read_all(ReadResult::Whole);
    desk.compare_readings_of(earlier, true);
    desk.look();
    assert_eq!(desk.take(), [], "however late it is shown, it was begun before the question");
    desk.compare(true);
    desk.look();
    assert!(has_resumed(&desk));
}

#[test]
fn a_halt_while_a_resume_waits_to_be_seen_stands() {
    let (mut desk, _) = Desk::resuming();
    desk.look();
    desk.seen.epoch += 1; // a hot thread
    desk.obey();
    desk.look();
    assert!(refused(&desk, Refusal::HaltedMeanwhile), "{:#?}", desk.done);
    assert!(desk.done.contains(&Want::Latch(HaltCause::EpochMoved)));
    assert!(desk.policy.is_latched());
}

#[test]
fn a_second_resume_and_one_during_the_start_are_refused_and_one_before_it_is_not() {
    let (mut desk, _) = Desk::resuming();
    let second = desk.ask(Asked::Resume { since: desk.now });
    assert_eq!(desk.take(), [Want::Answer { request: second, outcome: Err(Refusal::Busy) }]);
    let mut desk = Desk::begin(true);
    desk.look();
    desk.ask(Asked::Resume { since: desk.now });
    assert!(refused(&desk, Refusal::Busy), "the start compares already");
    let mut desk = Desk::begin(true);
    desk.seen.streams_up = false;
    desk.look();
    let request = desk.ask(Asked::Resume { since: desk.now });
    desk.look();
    desk.read_all(ReadResult::Whole);
    desk.compare(true);
    desk.look();
    desk.obey();
    desk.look();
    assert_eq!(desk.done.last(), Some(&Want::Answer { request, outcome: Ok(()) }));
    assert!(!desk.policy.is_open(), "it starts as before");
}

#[test]
fn a_resume_gives_up_45_seconds_after_the_question_however_late_it_was_heard() {
    let mut desk = Desk::halted();
    let since = desk.now;
    desk.now += SECOND * 40;
    desk.ask(Asked::Resume { since });
    desk.look();
    desk.look_after(SECOND * 5);
    assert!(refused(&desk, Refusal::Unagreed(Unagreed::NoAnswer(KALSHI))));
}

// --- readings ---

#[test]
fn each_venue_is_read_every_twelve_seconds_and_at_once_where_something_calls_for_it() {
    let mut desk = Desk::open();
    desk.look_after(SECOND * 12 - 60 * MS);
    assert_eq!(desk.take(), []);
    desk.look_after(60 * MS);
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
    desk.read_all(ReadResult::Whole);
    desk.seen.settled = true;
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)], "a market without a price");
    desk.read(PM, ReadResult::Whole);
    desk.seen.streams_up = false;
    desk.look();
    desk.seen.streams_up = true;
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM)], "streams are back; Kalshi is being read");
    desk.read_all(ReadResult::Whole);
    desk.look();
    assert_eq!(desk.take(), [Want::Read(KALSHI)], "as soon as nobody is at it");
    desk.read(KALSHI, ReadResult::Whole);
    desk.seen.core.unread = true;
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
    desk.read_all(ReadResult::Whole);
    desk.look_after(SECOND);
    assert_eq!(desk.take(), [], "every two seconds");
    desk.look_after(SECOND);
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
}

#[test]
fn streams_that_come_back_while_a_resume_is_under_way_are_not_forgotten() {
    let (mut desk, _) = Desk::resuming();
    desk.look();
    desk.obey();
    desk.seen.core.halted = Some(HaltWhy::Operator); // not shown yet
    desk.seen.streams_up = false;
    desk.look();
    desk.seen.streams_up = true;
    desk.look();
    desk.obey();
    desk.look();
    assert!(!desk.policy.is_resuming());
    desk.take();
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
}

#[test]
fn nobody_is_told_that_a_venue_is_asked_again_where_it_is_not() {
    let told = |desk: &mut Desk| {
        desk.take();
        desk.read(KALSHI, ReadResult::Failed);
        desk.take()
    };
    let silent = [Want::Say(Message::ReadFailed { venue: KALSHI, again: None })];
    // An end reads for itself.
    let mut desk = Desk::open();
    desk.look_after(SECOND * 12);
    desk.ask(Asked::Stop);
    desk.look();
    assert_eq!(told(&mut desk), silent);
    // A start that waits for streams reads nothing, but for a resume.
    let mut desk = Desk::begin(true);
    desk.seen.streams_up = false;
    desk.look();
    let since = desk.now;
    desk.ask(Asked::Resume { since });
    desk.look();
    desk.look_after(SECOND * 45);
    assert_eq!(told(&mut desk), silent);
}

#[test]
fn a_reading_that_fails_is_told_with_its_pause_and_a_refused_one_to_the_core() {
    let mut desk = Desk::open();
    desk.look_after(SECOND * 12);
    desk.take();
    desk.read(KALSHI, ReadResult::Refused);
    let unread = Want::Tell(Event::Control(Control::Reconciled { venue: KALSHI, clean: false }));
    let again = Some(Duration::from_secs(5));
    assert_eq!(desk.take(), [unread, Want::Say(Message::ReadFailed { venue: KALSHI, again })]);
    desk.read(PM, ReadResult::Lost);
    let said = Want::Say(Message::ReadFailed { venue: PM, again: None });
    assert_eq!(
        desk.take()[1..],
        [tell_halt(101, HaltWhy::Thread), Want::Latch(HaltCause::ReaderLost(PM)), said]
    );
    desk.obey();
    desk.look_after(SECOND * 60);
    assert_eq!(desk.take(), [Want::Read(KALSHI)], "nobody is left to read the other");
    let request = desk.ask(Asked::Resume { since: desk.now });
    desk.read(KALSHI, ReadResult::Whole);
    desk.look();
    let outcome = Err(Refusal::Unagreed(Unagreed::Unread(PM)));
    assert_eq!(desk.take(), [Want::Answer { request, outcome }]);
}

// --- the end ---

#[test]
fn a_run_ends_once_counters_of_after_the_stop_show_nothing_in_flight() {
    let mut desk = Desk::open();
    desk.look_after(SECOND * 12);
    desk.take();
    let request = desk.ask(Asked::Stop);
    assert_eq!(desk.take(), [Want::Answer { request, outcome: Ok(()) }]);
    desk.look();
    assert_eq!(desk.take(), [Want::Stopping, tell_stop()]);
    desk.publish();
    desk.look();
    desk.seen.core.orders_live = 1; // it left a moment before the stop
    desk.publish();
    desk.look();
    desk.seen.core.orders_live = 0;
    desk.publish();
    desk.look();
    desk.look();
    assert_eq!(desk.take(), [], "readings are under way");
    desk.look_after(SECOND * 3);
    desk.look_after(SECOND * 3);
    let said = Want::Say(Message::StillStopping(Waited::Reading));
    assert_eq!(desk.take(), [said], "once");
    desk.read_all(ReadResult::Whole);
    desk.look();
    assert_eq!(desk.take(), [Want::ReadAtEnd]);
    desk.look_after(149 * MS);
    assert_eq!(desk.take(), [], "counters of before what has settled are still about");
    desk.look_after(MS);
    let how = Closing::Whole { idle: true };
    assert_eq!(desk.take(), [Want::Close { why: Ending::Asked, how }]);
}

/// A reading of before the stop that nobody answers keeps no run from ending.
#[test]
fn a_reading_that_was_under_way_at_the_stop_is_given_up() {
    let mut desk = Desk::open();
    desk.look_after(SECOND * 12); // both venues are read
    desk.ask(Asked::Stop);
    for _ in 0..3 {
        desk.publish();
        desk.look();
    }
    desk.take();
    desk.look_after(SECOND * 60 - MS);
    assert_eq!(desk.take(), [Want::Say(Message::StillStopping(Waited::Reading))]);
    desk.look_after(MS);
    assert_eq!(desk.take(), [Want::ReadAtEnd]);
}

#[test]
fn a_venue_that_hangs_at_the_very_end_is_said_once_and_given_up() {
    let mut desk = Desk::hanging_at_the_end();
    desk.take();
    desk.look_after(SECOND * 3);
    desk.look_after(SECOND * 60);
    assert_eq!(desk.take(), [Want::Say(Message::StillStopping(Waited::Reading))]);
    desk.ask(Asked::Halt { why: HaltWhy::Operator });
    assert!(desk.policy.is_latched(), "who asks is answered meanwhile");
    desk.take();
    desk.look_after(READ_WITHIN - SECOND * 63 - MS);
    assert_eq!(desk.take(), []);
    desk.look_after(MS);
    let how = Closing::Whole { idle: true };
    assert_eq!(desk.take(), [Want::Close { why: Ending::Asked, how }]);
}

#[test]
fn a_core_that_dies_while_the_venues_are_read_for_the_report_is_not_waited_for() {
    let mut desk = Desk::hanging_at_the_end();
    desk.seen.dead = Some("core");
    desk.look();
    let close = Want::Close { why: Ending::Asked, how: Closing::WithoutCore };
    assert_eq!(desk.done.last(), Some(&close));
}

#[test]
fn the_first_counters_after_a_stop_may_be_of_before_it() {
    let mut desk = Desk::open();
    desk.ask(Asked::Stop);
    desk.look();
    desk.take();
    desk.publish();
    desk.look();
    desk.look_after(SECOND);
    assert_eq!(desk.take(), []);
    desk.publish();
    desk.look();
    desk.look_after(SECOND);
    let how = Closing::Whole { idle: true };
    assert_eq!(desk.take(), [Want::ReadAtEnd, Want::Close { why: Ending::Asked, how }]);
}

#[test]
fn an_end_does_not_wait_for_ever_and_is_halted_as_ever() {
    let mut desk = Desk::open();
    desk.seen.core.groups_live = 1;
    desk.ask(Asked::Stop);
    desk.look();
    let request = desk.ask(Asked::Resume { since: desk.now });
    assert!(desk.done.contains(&Want::Answer { request, outcome: Err(Refusal::Closing) }));
    desk.ask(Asked::Halt { why: HaltWhy::Operator });
    assert!(desk.policy.is_latched(), "for the next start");
    desk.take();
    for _ in 0..10 {
        desk.publish();
        desk.look_after(SECOND * 4);
    }
    let waited = Waited::InFlight { orders: 0, groups: 1 };
    let said = Want::Say(Message::StillStopping(waited));
    assert_eq!(desk.take(), [said, Want::ReadAtEnd]);
    desk.look_after(SECOND);
    let how = Closing::Whole { idle: false };
    assert_eq!(desk.take(), [Want::Close { why: Ending::Asked, how }]);
}

#[test]
fn a_core_that_dies_or_stands_still_at_the_end_is_not_waited_for() {
    let close = Want::Close { why: Ending::Asked, how: Closing::WithoutCore };
    let mut desk = Desk::open();
    desk.ask(Asked::Stop);
    desk.look();
    desk.seen.dead = Some("core");
    desk.look();
    assert_eq!(desk.done.last(), Some(&close));
    let mut desk = Desk::open();
    desk.ask(Asked::Stop);
    desk.seen.still = Some("core");
    desk.look();
    assert_eq!(desk.done.last(), Some(&close), "it stood still before the stop");
    let mut desk = Desk::open();
    desk.ask(Asked::Stop);
    desk.look();
    desk.seen.still = Some("core");
    desk.look();
    desk.look_after(SECOND * 8);
    assert_eq!(desk.done.last(), Some(&close));
}

#[test]
fn a_main_thread_that_fails_halts_ends_and_takes_in_what_is_being_read() {
    let mut desk = Desk::open();
    desk.look_after(SECOND * 12);
    desk.take();
    let begun = options(desk.seen.epoch, false);
    desk.policy = Policy::after_failure(desk.now, begun, desk.reading);
    while let Some(want) = desk.policy.poll_want() {
        if want == Want::Advance {
            desk.seen.epoch += 1;
            desk.policy.on_advanced(desk.seen.epoch);
        }
        desk.done.push(want);
    }
    let latch = Want::Latch(HaltCause::MainThread);
    assert_eq!(desk.take(), [Want::Advance, tell_halt(101, HaltWhy::Thread), latch]);
    desk.ask(Asked::Stop); // it had waited
    desk.take();
    desk.look();
    assert_eq!(desk.take(), [Want::Stopping, tell_stop()]);
    desk.read_all(ReadResult::Whole);
    assert_eq!(desk.take(), []);
    (desk.seen.core.heard, desk.seen.dead) = (9, Some("core"));
    desk.look();
    let close = Want::Close { why: Ending::MainThread, how: Closing::WithoutCore };
    assert_eq!(desk.done.last(), Some(&close), "who asked to stop later changes nothing");
}

#[test]
fn a_span_ends_the_run_by_itself() {
    let mut desk = Desk::open();
    desk.policy.span = Some(SECOND * 5);
    assert_eq!(desk.policy.poll_deadline(), SECOND * 5);
    desk.look_after(SECOND * 4);
    assert!(!desk.policy.is_closing());
    desk.look_after(SECOND);
    assert_eq!(desk.take(), [Want::Stopping, tell_stop()]);
}
