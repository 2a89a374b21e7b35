//! What a run says while it goes on, on stderr: stdout is for data.

use std::time::Duration;

use surefoot_cold::observe::table::{CoreFigure, LinkFigure};
use surefoot_hot::units::Usd;

use super::ThisRun;
use crate::config::limits::{Limits, show};

/// Lines between two heads of the table.
const LINES_PER_HEAD: u64 = 20;

/// The line of one second, on stderr: stdout is for data. `nth` counts the lines from zero.
pub fn say_line(nth: u64, since: Duration, run: ThisRun<'_>, open: bool) {
    if nth.is_multiple_of(LINES_PER_HEAD) {
        eprintln!(
            "   s state    frames books  seen  done unwound missed orders live fills  at risk   result"
        );
    }
    let core = &run.now.core;
    let state = match (core.is(CoreFigure::Halted), open) {
        (true, _) => "HALTED",
        (_, true) => "open",
        _ => "starting",
    };
    eprintln!(
        "{:>4} {state:<8} {:>6} {:>5} {:>5} {:>5} {:>7} {:>6} {:>6} {:>4} {:>5} {:>8} {:>8}",
        since.as_secs(),
        run.now.links(LinkFigure::Frames),
        format!("{}/{}", core.get(CoreFigure::BooksGood), core.get(CoreFigure::MarketsFollowed)),
        run.grown(CoreFigure::Opportunities),
        run.grown(CoreFigure::BasketsCompleted),
        run.grown(CoreFigure::BasketsUnwound),
        run.grown(CoreFigure::BasketsFailed),
        run.grown(CoreFigure::OrdersPlaced),
        core.get(CoreFigure::OrdersLive),
        run.grown(CoreFigure::Fills),
        cents(core.usd(CoreFigure::Exposure)),
        cents(run.result()),
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
