//! The program as a person meets it: processes, signals, crashes and venues that go away. Everything is real but
//! the money; ports are the system's choice, directories are their own, and deadlines are generous.
//!
//! The tests are the table below, and [`harness`] runs them side by side as far as the cores go: a test whose runs spin has
//! a core for itself, those that mostly wait share what is left.
#![allow(clippy::unwrap_used)]

mod control;
mod crash;
mod demo;
mod follow;
mod freeze;
mod harness;
mod limits;
mod loopback;
mod loss;
mod paper;
mod place;
#[path = "../support/recorded.rs"]
mod recorded;
mod release;
mod resume;
mod rig;
mod safety;
mod secrets;
#[path = "../support/skip.rs"]
mod skip;
mod stall;
mod threads;
mod upgrade;
mod venues_ill;
mod watchdog;

use std::process::ExitCode;

use harness::{Runs, Test};

macro_rules! tests {
    ($($runs:ident: $($module:ident::$test:ident)*;)*) => {
        &[$($(Test {
            name: concat!(stringify!($module), "::", stringify!($test)),
            runs: Runs::$runs,
            body: $module::$test,
        },)*)*]
    };
}

/// Every test, by how its runs share their threads, the longest of each kind first. What waits for what stands in
/// `tests/README.md`.
const TESTS: &[Test] = tests! {
    Split:
        demo::three_spinning_threads_trade_as_one_does;
    Own:
        crash::killed_at_any_moment_it_goes_on_where_it_was
        loss::a_journal_without_its_end_is_not_traded_on_until_a_person_accepts_the_loss
        demo::the_demo_trades_reports_and_can_be_replayed
        control::started_halted_resumed_and_stopped_as_a_person_would
        place::a_closed_terminal_is_one_wish_a_halt_never_fails_for_its_words_and_an_open_directory_is_refused
        safety::orders_of_others_are_named_once_and_left_alone
        stall::a_core_that_stands_still_while_the_run_ends_leaves_nothing_resting
        stall::a_core_that_stands_still_leaves_nothing_resting
        loopback::a_twin_that_hangs_is_waited_for
        loopback::a_run_whose_venues_hang_at_its_very_end_can_be_looked_at_and_halted
        resume::a_resume_that_waits_for_a_venue_gives_way_to_a_halt_and_to_a_stop
        control::a_halt_that_only_the_journal_knows_stands_at_the_next_start
        follow::five_thousand_markets_are_followed_within_the_venues_limits
        follow::a_hundred_markets_come_and_go_while_others_are_traded
        limits::a_limit_that_is_tightened_holds_at_once_and_over_restarts_until_an_operator_loosens_it
        release::a_market_in_quarantine_waits_for_release_and_for_nothing_else
        upgrade::a_program_that_decides_otherwise_goes_on_with_the_positions_it_finds
        freeze::a_stopped_run_trades_nothing_that_waited_and_halts_after_a_long_stop
        place::a_directory_that_is_gone_halts_and_the_account_is_still_one_instances
        safety::fills_taken_back_after_the_group_has_ended_leave_nothing_on_one_leg
        watchdog::a_process_that_stands_still_leaves_nothing_resting_and_wakes_halted
        stall::a_core_that_panics_leaves_nothing_resting
        stall::a_core_that_panics_while_the_venues_hang_can_be_looked_at_and_halted
        stall::a_core_that_panics_while_the_run_ends_leaves_nothing_resting;
    Calm:
        watchdog::a_process_that_is_killed_leaves_nothing_resting_and_the_next_start_needs_nobody
        crash::the_start_after_three_crashes_opens_nothing_until_a_person_resumes
        upgrade::what_a_start_reads_stays_within_a_bound_however_many_runs_there_were
        paper::paper_trades_and_no_venue_hears_of_it
        threads::a_reading_for_which_no_thread_can_be_started_is_made_later
        venues_ill::a_block_page_for_every_order_stops_first_legs_elsewhere
        venues_ill::orders_that_come_too_early_at_kalshi_stop_first_legs_elsewhere
        venues_ill::orders_that_come_too_early_at_polymarket_stop_first_legs_elsewhere
        venues_ill::a_key_that_may_not_trade_for_a_while_is_asked_again_when_readings_are_answered
        loopback::connections_and_answers_that_are_lost_leave_nothing_on_one_leg
        venues_ill::answers_that_come_seconds_late_leave_nothing_on_one_leg
        venues_ill::answers_without_a_body_leave_nothing_on_one_leg
        venues_ill::a_market_stream_of_pongs_alone_is_not_traded_on
        venues_ill::a_market_that_freezes_on_a_living_stream_is_found
        venues_ill::private_streams_that_tell_nothing_of_our_orders_leave_nothing_on_one_leg
        demo::a_recorded_session_plays_beside_the_generated_one
        control::a_journal_without_room_halts_and_the_end_is_still_compared_and_told
        control::signals_halt_and_end_it_and_the_directory_is_one_instances
        loopback::a_start_that_waits_for_a_venue_can_be_looked_at_halted_and_ended
        place::of_four_starts_at_one_moment_one_is_up_and_three_say_in_use
        stall::the_service_manager_is_fed_while_a_resume_waits_and_while_a_rescue_goes_on
        control::where_nothing_runs_or_nothing_can_be_written_it_says_so;
};

const _: () = {
    let (mut nth, mut own) = (0, 0);
    while nth < TESTS.len() {
        own += matches!(TESTS[nth].runs, Runs::Own) as usize;
        nth += 1;
    }
    assert!(2 * own >= TESTS.len(), "at least half of the tests run by the machine's own topology");
};

fn main() -> ExitCode {
    harness::main(TESTS)
}
