//! The gate: one function, one table. What leaves it as [`Approved`] is the only thing that can become an order.
//!
//! A further row of the risk table is a further line of [`check`].

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

/// One row: an order that it applies to must not break it.
#[inline(always)] // a table of calls would be what it replaces
fn row(applies: bool, refusal: R, breaks: impl FnOnce() -> bool) -> Result<(), R> {
    if applies && breaks() { Err(refusal) } else { Ok(()) }
}

/// The risk table: lets the order pass, or names the first row that it breaks. Room aside, the halt stands first.
///
/// Rows are evaluated in the order written, and only where they apply: reducing orders pass those that are there for
/// opening ones.
///
/// # Errors
/// The refusal. It is counted and noted; nothing was sent and nothing is reserved.
pub fn check(v: &View<'_>, order: Order) -> Result<Approved<Order>, R> {
    let o = &order;
    let (always, opening) = (true, !o.purpose.reduces());
    row(always, R::Full, || !v.room)?;
    row(opening, R::Halted, || v.halted || !v.limits.complete())?;
    row(always, R::Epoch, || o.epoch != v.epoch)?;
    row(opening, R::Stopping, || v.stopping && o.purpose == Purpose::Leg)?;
    row(opening, R::Unreconciled, || !v.reconciled)?;
    row(opening, R::LinkDown, || !v.linked)?;
    row(opening, R::Stale, || !v.book_good)?;
    row(always, R::NotOpen, || v.def.status != MarketStatus::Open)?;
    row(always, R::OffGrid, || !v.def.grid.allows(yes_price(o)))?;
    row(always, R::MinSize, || o.qty < v.def.min_qty || o.qty.is_zero())?;
    row(always, R::MinSize, || {
        o.venue == Venue::Polymarket && o.price.proceeds_floor(o.qty) < MARKETABLE_MIN
    })?;
    row(opening, R::OrderQty, || o.qty > v.limits.qty(L::OrderQty))?;
    row(opening, R::OrderNotional, || o.price.cost_ceil(o.qty) > v.limits.usd(L::OrderNotional))?;
    row(opening, R::Cash, || v.cost > v.cash_free.scale_floor(percent(v.limits), 100))?;
    row(opening, R::Position, || v.position + o.qty > v.limits.qty(L::PositionQty))?;
    row(opening, R::Position, || v.cost > v.limits.usd(L::PositionNotional))?;
    row(opening, R::ExposureMarket, || {
        v.exposure.market(o.market) + v.cost > v.limits.usd(L::ExposureMarket)
    })?;
    row(opening, R::ExposureCluster, || {
        v.exposure.cluster(cluster(v)) + v.cost > v.limits.usd(L::ExposureCluster)
    })?;
    row(opening, R::ExposureVenue, || {
        v.exposure.venue(o.venue) + v.cost > v.limits.usd(L::ExposureVenue)
    })?;
    row(opening, R::ExposureTotal, || {
        v.exposure.total() + v.cost > v.limits.usd(L::ExposureTotal)
    })?;
    row(opening, R::Positions, || {
        !v.counted
            && v.exposure.cluster(cluster(v)) == Usd::ZERO
            && u64::from(v.exposure.positions()) >= v.limits.raw(L::Positions)
    })?;
    row(opening, R::DailyLoss, || -v.day_result >= v.limits.usd(L::DailyLoss))?;
    row(opening, R::Rate, || v.rate.in_all() >= v.limits.raw(L::OrdersPerMinute))?;
    row(opening, R::Rate, || v.rate.in_market(o.market) >= v.limits.raw(L::OrdersPerMinuteMarket))?;
    row(opening, R::Duplicate, || v.rate.repeats(o))?;
    row(always, R::OwnCross, || v.own_cross)?;
    row(always, R::NotReducing, || o.purpose.reduces() && o.qty > v.held_free)?;
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
