//! The gate: one function, one table. What leaves it as [`Approved`] is the only thing that can become an order.
//!
//! A further row of the risk table is a further line of `ROWS`.

use crate::event::LimitRow as L;
use crate::ids::{ClusterId, Venue};
use crate::intent::{Order, Purpose};
use crate::market::{MarketDef, MarketStatus};
use crate::note::Refusal as R;
use crate::risk::{Approved, Exposure, Limits, Rate};
use crate::units::{Price, Qty, Usd};

/// All that the rows may look at, gathered by the core for one order.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The limits in force.
    pub limits: &'a Limits,
    /// What is at risk already, this group's own holds taken out.
    pub exposure: &'a Exposure,
    /// What was sent lately.
    pub rate: &'a Rate,
    /// The market's terms.
    pub def: &'a MarketDef,
    /// Halted, by any cause.
    pub halted: bool,
    /// The epoch in force.
    pub epoch: u64,
    /// The run is ending.
    pub stopping: bool,
    /// Both venues and we agree.
    pub reconciled: bool,
    /// The order path and the private stream of the venue are up.
    pub linked: bool,
    /// The book may be decided from.
    pub book_good: bool,
    /// Cash that nothing has a claim on, at the venue and shard that this order draws on.
    pub cash_free: Usd,
    /// Contracts of the order's outcome that are held, those on the way to be sold taken out.
    pub held_free: Qty,
    /// Contracts of the order's outcome that are held or may yet be bought.
    pub position: Qty,
    /// Realised and unrealised result of the day.
    pub day_result: Usd,
    /// Whether an order of our own rests on the other side at this price or better.
    pub own_cross: bool,
    /// Whether the order table has room.
    pub room: bool,
    /// The most that the order can cost, fees included; zero for a sale.
    pub cost: Usd,
    /// Whether the group it belongs to has been counted as a position already.
    pub counted: bool,
}

/// Polymarket refuses marketable orders worth less (`venues/polymarket.md` §3.7, 2026-11); all of ours are.
const MARKETABLE_MIN: Usd = Usd::from_dollars(1);

/// One row: when it applies, and whether the order breaks it.
struct Row {
    refusal: R,
    /// Reducing orders pass.
    reducing_passes: bool,
    breaks: fn(&View<'_>, &Order) -> bool,
}

/// A row for every order.
const fn always(refusal: R, breaks: fn(&View<'_>, &Order) -> bool) -> Row {
    Row { refusal, reducing_passes: false, breaks }
}

/// A row that reducing orders pass.
const fn opening(refusal: R, breaks: fn(&View<'_>, &Order) -> bool) -> Row {
    Row { refusal, reducing_passes: true, breaks }
}

/// The risk table. The halt stands first, always.
const ROWS: [Row; 26] = [
    opening(R::Halted, |v, _| v.halted || !v.limits.complete()),
    always(R::Epoch, |v, o| o.epoch != v.epoch),
    opening(R::Stopping, |v, o| v.stopping && o.purpose == Purpose::Leg),
    opening(R::Unreconciled, |v, _| !v.reconciled),
    opening(R::LinkDown, |v, _| !v.linked),
    opening(R::Stale, |v, _| !v.book_good),
    always(R::NotOpen, |v, _| v.def.status != MarketStatus::Open),
    always(R::OffGrid, |v, o| !v.def.grid.allows(yes_price(o))),
    always(R::MinSize, |v, o| o.qty < v.def.min_qty || o.qty.is_zero()),
    always(R::MinSize, |_, o| {
        o.venue == Venue::Polymarket && o.price.proceeds_floor(o.qty) < MARKETABLE_MIN
    }),
    opening(R::OrderQty, |v, o| o.qty > v.limits.qty(L::OrderQty)),
    opening(R::OrderNotional, |v, o| o.price.cost_ceil(o.qty) > v.limits.usd(L::OrderNotional)),
    opening(R::Cash, |v, _| v.cost > v.cash_free.scale_floor(percent(v.limits), 100)),
    opening(R::Position, |v, o| v.position + o.qty > v.limits.qty(L::PositionQty)),
    opening(R::Position, |v, _| v.cost > v.limits.usd(L::PositionNotional)),
    opening(R::ExposureMarket, |v, o| {
        v.exposure.market(o.market) + v.cost > v.limits.usd(L::ExposureMarket)
    }),
    opening(R::ExposureCluster, |v, _| {
        v.exposure.cluster(cluster(v)) + v.cost > v.limits.usd(L::ExposureCluster)
    }),
    opening(R::ExposureVenue, |v, o| {
        v.exposure.venue(o.venue) + v.cost > v.limits.usd(L::ExposureVenue)
    }),
    opening(R::ExposureTotal, |v, _| v.exposure.total() + v.cost > v.limits.usd(L::ExposureTotal)),
    opening(R::Positions, |v, _| {
        !v.counted
            && v.exposure.cluster(cluster(v)) == Usd::ZERO
            && u64::from(v.exposure.positions()) >= v.limits.raw(L::Positions)
    }),
    opening(R::DailyLoss, |v, _| -v.day_result >= v.limits.usd(L::DailyLoss)),
    opening(R::Rate, |v, _| v.rate.in_all() >= v.limits.raw(L::OrdersPerMinute)),
    opening(R::Rate, |v, o| v.rate.in_market(o.market) >= v.limits.raw(L::OrdersPerMinuteMarket)),
    opening(R::Duplicate, |v, o| v.rate.repeats(o)),
    always(R::OwnCross, |v, _| v.own_cross),
    always(R::NotReducing, |v, o| o.purpose.reduces() && o.qty > v.held_free),
];

/// Lets the order pass, or names the first row that it breaks.
///
/// # Errors
/// The refusal. It is counted and noted; nothing was sent and nothing is reserved.
pub fn check(view: &View<'_>, order: Order) -> Result<Approved<Order>, R> {
    if !view.room {
        return Err(R::Full);
    }
    let reducing = order.purpose.reduces();
    for row in &ROWS {
        if !(reducing && row.reducing_passes) && (row.breaks)(view, &order) {
            return Err(row.refusal);
        }
    }
    Ok(Approved::new(order))
}

/// The order's price on the YES book.
const fn yes_price(order: &Order) -> Price {
    order.on_book().1
}

/// The market's cluster.
const fn cluster(view: &View<'_>) -> ClusterId {
    view.def.cluster
}

/// The share of free cash that one order may use.
fn percent(limits: &Limits) -> i64 {
    i64::try_from(limits.raw(L::CashPercent).min(100)).expect("at most 100")
}
