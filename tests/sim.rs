//! Simulated days: the production core, sessions, executors and readers with the twin's venues, under virtual time.

use surefoot::sim::{self, Outcome};
use surefoot_hot::units::Nanos;

/// A short day: long enough for trades, results of markets and a dozen readings of each venue.
const SPAN: Nanos = Nanos::from_secs(600);

fn day(seed: u64, span: Nanos) -> Outcome {
    // Every invariant was checked after each event, and both sides agree at the end: else there is no outcome.
    sim::run(seed, span).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"))
}

#[test]
fn short_days_trade_hold_every_invariant_and_end_with_nothing_in_flight() {
    let mut completed = 0;
    for seed in 1..=3 {
        let outcome = day(seed, SPAN);
        eprintln!("{}", outcome.line());
        assert_eq!(outcome.operator, 0, "{outcome:?}");
        assert!(outcome.frames > 500 && outcome.events > 5_000, "{outcome:?}");
        completed += outcome.completed;
    }
    assert!(completed >= 3, "{completed} baskets in three days");
}

#[test]
fn the_same_seed_gives_the_same_day_to_the_bit_and_another_seed_another() {
    let span = Nanos::from_secs(180);
    let (first, again, other) = (day(7, span), day(7, span), day(8, span));
    assert_eq!(first, again, "decisions, state and every byte on the wire");
    assert_ne!(first.wire_hash, other.wire_hash);
    assert_ne!(first.state_hash, other.state_hash);
}
