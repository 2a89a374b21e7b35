//! What a run says of itself: the line of the second (`line`), and the closing report as JSON (`closing`) and for people
//! (`text`).

mod closing;
mod line;
mod text;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use surefoot_hot::ids::Venue;
use surefoot_hot::stats::Stats;
use surefoot_hot::units::{Nanos, Usd};

use crate::cli::Mode;
use crate::config::limits::Limits;
use crate::machine::Finished;
use crate::machine::figures::MachineFigures;
use crate::machine::published::Published;
use crate::machine::topology::Topology;
use surefoot_cold::observe::table::LinkFigure;

pub use line::{say_limits, say_line};

/// What the book-hash audit counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditCounts {
    /// Books and changes whose hash was recomputed.
    pub checked: u64,
    /// Those that matched the venue's.
    pub matched: u64,
    /// Mismatches that prove a lost change.
    pub proven: u64,
}

/// Everything the closing report is made from.
pub struct Report<'a> {
    pub mode: Mode,
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
    /// Counters at the start: a continued journal counts on.
    pub base: &'a Stats,
    /// What the agents published.
    pub figures: &'a MachineFigures,
    /// The audit's counts.
    pub audit: AuditCounts,
    /// Orders at the venues that are not ours, by the venue's name.
    pub foreign: &'a [String],
    /// Whether the venues agree with us.
    pub reconciled: bool,
    /// The limits it ran under.
    pub limits: &'a Limits,
    /// The SQLite file that tables orders, fills and positions of this and earlier runs.
    pub database: &'a Path,
}

/// Dollars as a JSON number, exact to the microdollar in its text.
fn usd(amount: Usd) -> Value {
    amount.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// What has happened since `base`: counters as differences, figures as they stand. A counter below its base (a figure of
/// before the core has spoken) counts as nothing; it must not end whoever asks.
#[must_use]
pub fn this_run(stats: &Stats, base: &Stats) -> Stats {
    let over = u64::saturating_sub;
    Stats {
        events: over(stats.events, base.events),
        invariant_checks: over(stats.invariant_checks, base.invariant_checks),
        opportunities: over(stats.opportunities, base.opportunities),
        baskets_opened: over(stats.baskets_opened, base.baskets_opened),
        baskets_completed: over(stats.baskets_completed, base.baskets_completed),
        baskets_unwound: over(stats.baskets_unwound, base.baskets_unwound),
        baskets_failed: over(stats.baskets_failed, base.baskets_failed),
        baskets_operator: over(stats.baskets_operator, base.baskets_operator),
        groups_reopened: over(stats.groups_reopened, base.groups_reopened),
        orders_placed: over(stats.orders_placed, base.orders_placed),
        orders_unsent: over(stats.orders_unsent, base.orders_unsent),
        orders_acked: over(stats.orders_acked, base.orders_acked),
        orders_rejected: over(stats.orders_rejected, base.orders_rejected),
        orders_unknown: over(stats.orders_unknown, base.orders_unknown),
        cancels: over(stats.cancels, base.cancels),
        refusals: over(stats.refusals, base.refusals),
        fills: over(stats.fills, base.fills),
        fills_failed: over(stats.fills_failed, base.fills_failed),
        stales: over(stats.stales, base.stales),
        strays: over(stats.strays, base.strays),
        alarms: over(stats.alarms, base.alarms),
        realised: less(stats.realised, base.realised),
        fees: less(stats.fees, base.fees),
        ..*stats
    }
}

/// The difference of two amounts, at the end of the range where it would leave it.
fn less(amount: Usd, other: Usd) -> Usd {
    Usd::from_micros(amount.micros().saturating_sub(other.micros()))
}

/// Realised and unrealised result since `base`.
fn result_since(stats: &Stats, base: &Stats) -> Usd {
    let (realised, unrealised) = (stats.realised.micros(), stats.unrealised.micros());
    let before = base.realised.micros().saturating_add(base.unrealised.micros());
    Usd::from_micros(realised.saturating_add(unrealised).saturating_sub(before))
}

/// Counters of this run.
pub fn counters(stats: &Stats, base: &Stats, published: &Published) -> Value {
    let result = result_since(stats, base);
    let stats = &this_run(stats, base);
    json!({
        "frames": {
            "polymarket": published.links_of(Venue::Polymarket, LinkFigure::Frames),
            "kalshi": published.links_of(Venue::Kalshi, LinkFigure::Frames),
        },
        "links_up": published.links(LinkFigure::Up),
        "links_lost": published.links(LinkFigure::Lost),
        "bad_frames": published.links(LinkFigure::Bad),
        "books": {
            "polymarket": { "markets": stats.books[0].0, "good": stats.books[0].1 },
            "kalshi": { "markets": stats.books[1].0, "good": stats.books[1].1 },
        },
        "opportunities": stats.opportunities,
        "baskets": {
            "opened": stats.baskets_opened,
            "completed": stats.baskets_completed,
            "unwound": stats.baskets_unwound,
            "failed": stats.baskets_failed,
            "operator": stats.baskets_operator,
            "reopened": stats.groups_reopened,
            "leg_fail_ppm": stats.leg_fail_ppm,
            "unwind_loss_ppm": stats.unwind_loss_ppm,
        },
        "orders": {
            "sent": stats.orders_placed.saturating_sub(stats.orders_unsent),
            "acked": stats.orders_acked,
            "rejected": stats.orders_rejected,
            "unknown": stats.orders_unknown,
            "unsent": stats.orders_unsent,
            "refused": stats.refusals,
            "cancels": stats.cancels,
            "live": stats.orders_live,
            "foreign": stats.foreign.iter().map(|foreign| foreign.count).sum::<u32>(),
        },
        "groups_live": stats.groups_live,
        "fills": stats.fills,
        "fills_failed": stats.fills_failed,
        "stalls": stats.stalls,
        "stale_books": stats.stales,
        "alarms": stats.alarms,
        "invariant_checks": stats.invariant_checks,
        "pnl_usd": usd(result),
        "pnl": {
            "realised_usd": usd(stats.realised),
            "unrealised_usd": usd(stats.unrealised),
        },
        "fees_usd": usd(stats.fees),
        "exposure_usd": usd(stats.exposure),
        "claims_usd": usd(stats.claims),
        "cash_usd": { "polymarket": usd(stats.cash[0]), "kalshi": usd(stats.cash[1]) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let early = counters(&Stats::default(), &base, &Published::new([].iter()));
        assert_eq!(early["opportunities"], 0);
        assert_eq!((&early["orders"]["sent"], &early["orders"]["unsent"]), (&0.into(), &0.into()));
        assert_eq!(early["pnl_usd"], -12.0);
        let worst = Stats { unrealised: Usd::from_micros(i64::MIN), ..Stats::default() };
        assert!(counters(&worst, &base, &Published::new([].iter()))["pnl_usd"].is_number());
        say_line(0, Duration::ZERO, &worst, &base, &Published::new([].iter()), false);
        let later = Stats { opportunities: 907, orders_placed: 45, orders_unsent: 4, ..base };
        let later = counters(&later, &base, &Published::new([].iter()));
        assert_eq!((&later["opportunities"], &later["orders"]["sent"]), (&7.into(), &4.into()));
    }
}
