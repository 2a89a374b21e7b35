//! What a run says while it goes on, on stderr: stdout is for data.

use std::time::Duration;

use surefoot_hot::stats::Stats;
use surefoot_hot::units::Usd;

use super::{result_since, this_run};
use crate::config::limits::{Limits, show};
use crate::machine::published::Published;
use surefoot_cold::observe::table::LinkFigure;

/// Lines between two heads of the table.
const LINES_PER_HEAD: u64 = 20;

/// The line of one second, on stderr: stdout is for data. `nth` counts the lines from zero.
pub fn say_line(
    nth: u64,
    since: Duration,
    stats: &Stats,
    base: &Stats,
    published: &Published,
    open: bool,
) {
    if nth.is_multiple_of(LINES_PER_HEAD) {
        eprintln!(
            "   s state    frames books  seen  done unwound missed orders live fills  at risk   result"
        );
    }
    let frames = published.links(LinkFigure::Frames);
    let good = stats.books[0].1 + stats.books[1].1;
    let all = stats.books[0].0 + stats.books[1].0;
    let state = match (stats.halted, open) {
        (true, _) => "HALTED",
        (_, true) => "open",
        _ => "starting",
    };
    let result = result_since(stats, base);
    let stats = &this_run(stats, base);
    eprintln!(
        "{:>4} {state:<8} {frames:>6} {:>5} {:>5} {:>5} {:>7} {:>6} {:>6} {:>4} {:>5} {:>8} {:>8}",
        since.as_secs(),
        format!("{good}/{all}"),
        stats.opportunities,
        stats.baskets_completed,
        stats.baskets_unwound,
        stats.baskets_failed,
        stats.orders_placed,
        stats.orders_live,
        stats.fills,
        cents(stats.exposure),
        cents(result),
    );
}

/// Dollars to the cent, for people: `$12.30`, `-$0.07`.
fn cents(amount: Usd) -> String {
    let cents = (amount.micros() / 10_000).unsigned_abs();
    let sign = if amount < Usd::ZERO && cents > 0 { "-" } else { "" };
    format!("{sign}${}.{:02}", cents / 100, cents % 100)
}

/// The limits in force, one line each, for people.
pub fn say_limits(limits: &Limits) {
    eprintln!("limits:");
    for (row, value) in limits.iter() {
        eprintln!("  {:<26} {}", row.name(), show(row, value));
    }
}
