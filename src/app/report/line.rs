//! What a run says while it goes on: the line of the second, and at its start the limits.

use std::io::{self, Write};

use surefoot_cold::observe::Snapshot;
use surefoot_cold::observe::table::{CoreFigure, LinkFigure, RunFigure};
use surefoot_hot::units::Usd;

use super::ThisRun;
use crate::config::limits::{Limits, show};

/// Lines between two heads of the table.
const LINES_PER_HEAD: u64 = 20;

/// Writes the line of one second. `nth` counts the lines from zero.
///
/// # Errors
/// It could not be written.
pub fn write_line(to: &mut impl Write, nth: u64, seen: &Snapshot) -> io::Result<()> {
    if nth.is_multiple_of(LINES_PER_HEAD) {
        writeln!(
            to,
            "   s state    frames books  seen  done unwound missed orders live fills  at risk   result"
        )?;
    }
    let (core, run) = (&seen.core, ThisRun(seen));
    let state = match (core.is(CoreFigure::Halted), seen.run.is(RunFigure::Open)) {
        (true, _) => "HALTED",
        (_, true) => "open",
        _ => "starting",
    };
    writeln!(
        to,
        "{:>4} {state:<8} {:>6} {:>5} {:>5} {:>5} {:>7} {:>6} {:>6} {:>4} {:>5} {:>8} {:>8}",
        seen.run.count(RunFigure::Lasted) / 1_000_000_000,
        seen.links(LinkFigure::Frames),
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
    )
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
