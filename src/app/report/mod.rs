//! What a run says of itself: the line of the second (`line`), and the closing report as JSON (`closing`) and for people
//! (`text`).

mod closing;
mod line;
mod made_of;
pub(super) mod paper;
mod text;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use surefoot_cold::observe::Snapshot;
use surefoot_cold::observe::table::{CoreFigure, LinkFigure};
use surefoot_hot::ids::Venue;
use surefoot_hot::units::{Nanos, Usd};

use crate::cli::Mode;
use crate::config::limits::Limits;
use crate::machine::Finished;
use crate::machine::topology::Topology;
use crate::twin::world::WorldName;

pub use line::{say_limits, write_line};

/// What the book-hash audit counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditCounts {
    /// Books and changes whose hash was recomputed.
    pub checked: u64,
    /// Those that matched the venue's.
    pub matched: u64,
    /// Mismatches that prove a lost change.
    pub proven: u64,
    /// Books proven wrong of which the core could not be told before the end, and markets that could not be taken in.
    pub untold: u64,
}

/// What came of the comparison with the venues at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Positions, cash and open orders equal the venues'.
    Agreed,
    /// Something differs, or a venue could not be read.
    Differs,
    /// The run ended before it had compared with a venue for the first time: there was nothing to hold its word against.
    NotCompared,
}

/// Everything the closing report is made from.
pub struct ClosingReport<'a> {
    pub mode: Mode,
    /// What the curves of paper fills come to; `null` where fills are the venues'.
    pub paper: Value,
    /// What the embedded venues are like, where they are a twin's.
    pub world: Option<WorldName>,
    /// What this run is.
    pub about: &'a [String],
    /// What the generated market flow was drawn from, and back-off between dials.
    pub seed: u64,
    /// Which agents shared which thread.
    pub topology: Topology,
    /// How long it ran.
    pub duration: Duration,
    pub run: u64,
    /// When it began.
    pub began: Nanos,
    /// How long the first completed basket took from the start.
    pub first_basket: Option<Duration>,
    /// What the threads left behind.
    pub finished: &'a Finished,
    /// What it has done, by the figures as they stood at its end.
    pub figures: ThisRun<'a>,
    /// The audit's counts.
    pub audit: AuditCounts,
    /// Orders at the venues that are not ours, by the venue's name.
    pub foreign: &'a [String],
    /// Whether the venues agree with us.
    pub agreement: Agreement,
    /// The limits it ran under.
    pub limits: &'a Limits,
    /// The SQLite file that tables orders, fills and positions of this and earlier runs.
    pub database: &'a Path,
}

/// Dollars as a JSON number, exact to the microdollar in its text.
fn usd(amount: Usd) -> Value {
    amount.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// What a run has done since its start, by its figures: a continued journal counts on.
#[derive(Clone, Copy)]
pub struct ThisRun<'a>(pub &'a Snapshot);

impl ThisRun<'_> {
    /// How much a counter of the core has grown since the start.
    pub fn grown(self, figure: CoreFigure) -> u64 {
        self.0.core.grown(figure, &self.0.base)
    }

    /// How much an amount of the core has changed since the start, at the end of the range where it would leave it.
    fn changed(self, figure: CoreFigure) -> Usd {
        less(self.0.core.usd(figure), self.0.base.usd(figure))
    }

    /// Realised and unrealised result since the start.
    pub fn result(self) -> Usd {
        let all = |values: &surefoot_cold::observe::Values<CoreFigure>| {
            values.get(CoreFigure::Realised).saturating_add(values.get(CoreFigure::Unrealised))
        };
        less(Usd::from_micros(all(&self.0.core)), Usd::from_micros(all(&self.0.base)))
    }

    fn books(self, venue: Venue) -> Value {
        json!({
            "markets": self.0.core.at(CoreFigure::MarketsFollowed, venue),
            "good": self.0.core.at(CoreFigure::BooksGood, venue),
        })
    }

    fn baskets(self) -> Value {
        let core = &self.0.core;
        json!({
            "opened": self.grown(CoreFigure::BasketsOpened),
            "completed": self.grown(CoreFigure::BasketsCompleted),
            "unwound": self.grown(CoreFigure::BasketsUnwound),
            "failed": self.grown(CoreFigure::BasketsFailed),
            "operator": self.grown(CoreFigure::BasketsOperator),
            "reopened": self.grown(CoreFigure::GroupsReopened),
            "leg_fail_ppm": core.count(CoreFigure::LegFailPpm),
            "unwind_loss_ppm": core.count(CoreFigure::UnwindLossPpm),
            "judged": core.count(CoreFigure::BasketsJudged),
            "held_ppm": core.count(CoreFigure::BasketsHeldPpm),
            "sold_ppm": core.count(CoreFigure::BasketsSoldPpm),
            "mean_loss_usd": usd(core.usd(CoreFigure::UnwindLossMean)),
            "hedge_lag_mean_ns": core.count(CoreFigure::HedgeLagMean),
            "hedge_lag_max_ns": core.count(CoreFigure::HedgeLagMax),
            "hedges_late": self.grown(CoreFigure::HedgesLate),
        })
    }

    fn orders(self) -> Value {
        let core = &self.0.core;
        let (placed, unsent) =
            (self.grown(CoreFigure::OrdersPlaced), self.grown(CoreFigure::OrdersUnsent));
        json!({
            "sent": placed.saturating_sub(unsent),
            "acked": self.grown(CoreFigure::OrdersAcked),
            "rejected": self.grown(CoreFigure::OrdersRejected),
            "unknown": self.grown(CoreFigure::OrdersUnknown),
            "unsent": unsent,
            "refused": self.grown(CoreFigure::Rejections),
            "cancels": self.grown(CoreFigure::Cancels),
            "live": core.count(CoreFigure::OrdersLive),
            "foreign": core.count(CoreFigure::Foreign),
        })
    }

    /// The figures that `status` and the closing report have in common.
    pub fn counters(self) -> Value {
        let (seen, core) = (self.0, &self.0.core);
        let by_venue = |value: &dyn Fn(Venue) -> Value| {
            let each = Venue::ALL.map(|venue| (venue.name().to_owned(), value(venue)));
            Value::Object(each.into_iter().collect())
        };
        let cash = |venue| usd(Usd::from_micros(core.at(CoreFigure::Cash, venue)));
        json!({
            "frames": by_venue(&|venue| seen.links_of(venue, LinkFigure::Frames).into()),
            "links_up": seen.links(LinkFigure::Up),
            "links_lost": seen.links(LinkFigure::Lost),
            "bad_frames": seen.links(LinkFigure::Bad),
            "books": by_venue(&|venue| self.books(venue)),
            "opportunities": self.grown(CoreFigure::Opportunities),
            "baskets": self.baskets(),
            "orders": self.orders(),
            "groups_live": core.count(CoreFigure::GroupsLive),
            "fills": self.grown(CoreFigure::Fills),
            "fills_failed": self.grown(CoreFigure::FillsFailed),
            "stalls": core.count(CoreFigure::Stalls),
            "stale_books": self.grown(CoreFigure::Stales),
            "alarms": self.grown(CoreFigure::Alarms),
            "invariant_checks": self.grown(CoreFigure::InvariantChecks),
            "pnl_usd": usd(self.result()),
            "pnl": {
                "realised_usd": usd(self.changed(CoreFigure::Realised)),
                "unrealised_usd": usd(core.usd(CoreFigure::Unrealised)),
            },
            "day": {
                "result_usd": usd(core.usd(CoreFigure::DayResult)),
                "arbitrage_usd": usd(core.usd(CoreFigure::ArbitrageResult)),
                "quoting_usd": usd(core.usd(CoreFigure::QuotingResult)),
            },
            "account": {
                "equity_usd": usd(core.usd(CoreFigure::Equity)),
                "peak_usd": usd(core.usd(CoreFigure::Peak)),
            },
            "fees_usd": usd(self.changed(CoreFigure::Fees)),
            "exposure_usd": usd(core.usd(CoreFigure::Exposure)),
            "claims_usd": usd(core.usd(CoreFigure::Claims)),
            "cash_usd": by_venue(&cash),
        })
    }
}

/// The difference of two amounts, at the end of the range where it would leave it.
fn less(amount: Usd, other: Usd) -> Usd {
    Usd::from_micros(amount.micros().saturating_sub(other.micros()))
}

#[cfg(test)]
mod tests {
    use surefoot_cold::observe::Values;
    use surefoot_hot::stats::Stats;

    use super::*;
    use crate::machine::figures::MachineFigures;
    use crate::machine::published::Published;

    fn seen(stats: &Stats, base: &Stats) -> Snapshot {
        let published = Published::new([].iter()).into();
        let (journal, follower, threads) = Default::default();
        let base = Values::of(base).into();
        let figures = MachineFigures { published, journal, follower, threads, base };
        figures.read(stats)
    }

    fn counters(stats: &Stats, base: &Stats) -> Value {
        ThisRun(&seen(stats, base)).counters()
    }

    /// A request that comes before the core's first counters finds zeros where the base is a long journal's.
    #[test]
    fn counters_below_their_base_count_as_nothing() {
        let base = Stats {
            opportunities: 900,
            orders_placed: 40,
            orders_unsent: 3,
            realised: Usd::from_dollars(12),
            fees: Usd::from_micros(i64::MAX),
            ..Stats::default()
        };
        let early = counters(&Stats::default(), &base);
        assert_eq!(early["opportunities"], 0);
        assert_eq!((&early["orders"]["sent"], &early["orders"]["unsent"]), (&0.into(), &0.into()));
        assert_eq!(early["pnl_usd"], -12.0);
        let worst = Stats { unrealised: Usd::from_micros(i64::MIN), ..Stats::default() };
        assert!(counters(&worst, &base)["pnl_usd"].is_number());
        write_line(&mut Vec::new(), 0, &seen(&worst, &base)).unwrap();
        let later = Stats { opportunities: 907, orders_placed: 45, orders_unsent: 4, ..base };
        let later = counters(&later, &base);
        assert_eq!((&later["opportunities"], &later["orders"]["sent"]), (&7.into(), &4.into()));
    }
}
