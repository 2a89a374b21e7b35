//! The gate: one function, one table. What leaves it as [`Approved`] is the only thing that can become an order.
//!
//! A further row of the risk table is a further line of [`check`].

use crate::bounds::DATA_AGE_MAX;
use crate::canary::{self, Canary};
use crate::ids::Action;
use crate::market::{MarketDef, MarketStatus};
use crate::order::{Amend, Order, Purpose};
use crate::risk::collar;
use crate::risk::{Approved, EquityLimits, Exposure, LimitRow as L, Limits, Rate, Refusal as R};
use crate::units::{Nanos, Price, Usd};

pub use super::facts::{Facts, View};

/// One row: what breaks it is refused.
#[inline]
const fn row(refusal: R, broken: bool) -> Result<(), R> {
    if broken { Err(refusal) } else { Ok(()) }
}

/// The risk table: lets the order pass, or names the first row that it breaks. Room aside, the halt stands first.
///
/// What an order does to risk decides which rows it must pass:
///
/// | order | rows |
/// | --- | --- |
/// | opening: a leg of a basket none of which is held, a quote | all; `NotReducing` where it sells |
/// | hedge: completes what is held; top-up: makes a leftover large enough to sell | halt, what the venue takes, a market that the venue trades, grid, minimum size, expiry, the cash that is there, own cross |
/// | reducing: unwind, exit, stop-loss | that it sells, what the venue takes, a market that the venue trades, grid, minimum size, expiry, own cross, what is held |
///
/// A change of an order that rests is asked about as an order for what it would leave to fill, while the order's own claim
/// is given back: see [`check_amend`].
///
/// A budget (rates, daily loss, exposure, positions), a doubtful book, a link that is down or accounts that are being
/// compared never stop a hedge or a sale: refusing it would leave one leg standing, which is the greater risk. Both are
/// counted in the rates all the same. Nor do rows about the market, the venue and our clock: the collar, the last moments before a
/// close, rejects, the clock's error. A sale's price is bounded by its own rule
/// instead (`core/sale.rs`: at first it gives up at most an eighth or a cent of the best bid, whichever is more, on average over
/// what it sells), and a hedge's by what its group was planned with. The pause after a reject in a market, the rejects in all, and a market without a close are asked of quotes
/// alone. A hedge's share of the budgets is checked when its group is planned, as an opening order ([`Purpose::Leg`]), before the first
/// byte leaves.
///
/// These rows keep, by their ids in `docs/invariants.md`: a book that may be decided from (O14), grid, sizes and expiry (O15), no
/// crossing of our own orders (O16), limits and free cash (R2, R6), rates (S7) and the halt (S12).
///
/// The halt epoch is no row: an order is made and asked about in one call, so that it cannot differ here. It is compared
/// where it can, before the order's bytes go to a socket.
///
/// # Errors
/// The refusal. It is counted and noted; nothing was sent and nothing is reserved.
#[inline(always)] // into the places that ask: rows then read only what they need
pub fn check(v: &impl Facts, order: Order) -> Result<Approved<Order>, R> {
    rows(v, &order, Kind::of(&order))?;
    Ok(Approved::new(order))
}

/// [`check`] of an order that buys a leg of a plan: the whole table. What it asks other kinds of orders is not even looked at, for
/// the compiler knows here of what kind the order is. A leg that follows is not asked again what the first was asked for all: see
/// [`Place::Follows`].
///
/// # Errors
/// The refusal, as there.
///
/// # Panics
/// Where the order is of another kind.
#[inline(always)] // see `check`
pub fn check_leg(v: &impl Facts, order: &Order, place: Place) -> Result<Approved<Order>, R> {
    assert!(Kind::of(order) == Kind::LEG, "a leg of a plan is bought at once, and opens");
    rows(v, order, Kind { place, ..Kind::LEG })?;
    debug_assert!(rows(v, order, Kind::LEG).is_ok(), "the whole table says the same");
    Ok(Approved::new(*order))
}

/// Where an order stands among those of its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first of them that is asked about, or the only one.
    First,
    /// It follows one that has passed in the same event, since when nothing has changed but claims of its plan. The rows that look at
    /// nothing but the run, the account and the plan said then what they would say now: they are not asked again.
    Follows,
}

/// What decides which rows an order is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    purpose: Purpose,
    action: Action,
    post_only: bool,
    place: Place,
}

impl Kind {
    /// That of a leg of a plan.
    const LEG: Self =
        Self { purpose: Purpose::Leg, action: Action::Buy, post_only: false, place: Place::First };

    const fn of(&Order { purpose, action, post_only, .. }: &Order) -> Self {
        Self { purpose, action, post_only, place: Place::First }
    }
}

/// The rows of [`check`].
#[inline(always)] // see there
fn rows(v: &impl Facts, o: &Order, kind: Kind) -> Result<(), R> {
    let Kind { purpose, action, post_only, place } = kind;
    let is_first = place == Place::First;
    let (limits, rate, def, cost) = (v.limits(), v.rate(), v.def(), v.cost());
    let (opens, reduces) = (purpose.opens(), purpose.reduces());
    assert!(def.market == o.market && def.venue == o.venue, "the facts are of the order's market");
    assert!(cost >= Usd::ZERO, "R1: an order never costs less than nothing");
    if is_first {
        row(R::Full, !v.room())?;
        row(R::Halted, !reduces && (v.halted() || !limits.complete()))?;
    }
    row(R::VenueMode, !v.venue().mode.takes(post_only))?;
    if opens && is_first {
        row(R::Stopping, v.stopping())?;
        row(R::Unreconciled, !v.reconciled())?;
    }
    if opens {
        row(R::Breaker, v.venue().breaker_open)?; // its link counts as down too: this says why
        row(R::LinkDown, !v.linked())?;
        row(R::Tokens, v.venue().tokens_short)?;
        row(R::Stale, !v.book_good())?;
        row(R::Quarantined, v.quarantined())?;
        row(R::Withdrawn, v.withdrawn())?;
        row(R::OldData, v.data_age() > DATA_AGE_MAX)?;
        row(R::OldTerms, v.terms_age() > limits.span(L::MetadataAgeMs))?;
        if is_first {
            row(R::Slow, v.own_latency().is_some_and(|p99| p99 > limits.span(L::LatencyMs)))?;
            row(R::ClockOff, v.clock_error() > limits.span(L::ClockErrorMs))?;
            row(R::Disabled, v.disabled())?;
        }
        row(R::MarketPaused, o.decided < v.paused_until())?;
    }
    if purpose == Purpose::Quote {
        row(R::NoClose, def.close == Nanos::NEVER)?;
        row(R::QuoteCooldown, cools_down(v, o))?;
        row(R::RejectStorm, v.rejects() > limits.raw(L::RejectsPerMinute))?;
    }
    row(R::NotOpen, !is_traded(def.status, opens))?;
    let closing = opens && closes(limits, def, o.decided);
    row(R::Closing, closing && !canary::is(Canary::CloseNotAsked))?;
    row(R::OffGrid, !def.grid.allows(o.on_book().1))?;
    let has_min = opens || o.venue.rules().min_size_applies(o.tif.may_rest());
    row(R::MinSize, o.qty.is_zero() || (has_min && o.qty < def.min_qty))?;
    let (worth, notional) = o.price.worth_between(o.qty);
    // An order that only rests takes nothing: any other may.
    row(R::MinSize, !post_only && worth < o.venue.rules().marketable_min)?;
    row(R::Expiry, !has_good_expiry(o))?;
    if opens {
        row(R::Collar, beyond_collar(v, o))?;
        row(R::OrderQty, o.qty > limits.qty(L::OrderQty))?;
        row(R::OrderNotional, notional > limits.usd(L::OrderNotional))?;
    }
    // The sums of claims: all at once where that was worked out, else one by one.
    if !(opens && v.headroom().is_some_and(|(room, since)| room.holds(o, cost, since))) {
        sums(v, o, kind)?;
    }
    if opens && is_first {
        losses(v)?;
        row(R::ClusterOutcome, v.plan().cluster > v.account().cluster_room(limits))?;
        row(R::Shock, v.plan().worst.loss > v.account().shock_room(limits))?;
        row(R::Rate, rate.in_all() >= limits.raw(L::OrdersPerMinute))?;
    }
    if opens {
        row(R::Rate, rate.in_market(o.market) >= limits.raw(L::OrdersPerMinuteMarket))?;
        row(R::Duplicate, rate.repeats(o))?;
    }
    row(R::OwnCross, v.own_cross())?;
    row(R::NotReducing, reduces && action == Action::Buy)?;
    row(R::NotReducing, action == Action::Sell && o.qty > v.held_free())
}

/// The rows that hold a sum of claims, or what is held, against its limit: what [`Headroom`](crate::risk::Headroom) knows of them as a
/// whole.
#[inline(always)] // see `check`
fn sums(v: &impl Facts, o: &Order, kind: Kind) -> Result<(), R> {
    let (limits, risk, def, cost) = (v.limits(), v.exposure(), v.def(), v.cost());
    let (opens, shares) = (kind.purpose.opens(), v.equity_limits());
    let usd = |row| limits.usd(row);
    let of_cash = || v.cash_free().scale_floor(limits.percent(L::CashPercent), 100);
    row(R::Cash, opens && cost > of_cash())?;
    row(R::Cash, !kind.purpose.reduces() && cost > v.cash_free())?;
    if !opens {
        return Ok(());
    }
    let position = v.position();
    row(R::Position, position.qty + o.qty > limits.qty(L::PositionQty))?;
    row(R::Position, position.cost + cost > usd(L::PositionNotional))?;
    row(R::ExposureMarket, risk.market(o.market) + cost > usd(L::ExposureMarket))?;
    row(R::ExposureCluster, risk.cluster(def.cluster) + cost > usd(L::ExposureCluster))?;
    row(R::ExposureVenue, risk.venue(o.venue) + cost > shares.venue)?;
    row(R::ExposureTotal, risk.total() + cost > shares.total)?;
    row(R::Positions, opens_position(v) && positions_full(v))?;
    row(R::PositionShare, position.cost + cost > shares.position)?;
    row(R::Category, risk.category(def.category) + cost > shares.category)?;
    let in_theme = def.theme.is_some();
    row(R::ExposureTheme, in_theme && risk.theme(def.theme) + cost > usd(L::ExposureTheme))
}

/// The rows about what the account as a whole may have lost.
#[inline(always)] // see `check`
fn losses(v: &impl Facts) -> Result<(), R> {
    let (limits, account, shares) = (v.limits(), v.account(), v.equity_limits());
    row(R::EquityFloor, account.equity <= limits.usd(L::EquityFloor))?;
    row(R::Drawdown, account.drawdown() >= shares.drawdown)?;
    row(R::DailyLoss, limits.observes_only())?;
    row(R::DailyLoss, -v.day_result() >= shares.daily_loss)?;
    row(R::StrategyLoss, -v.strategy_result() >= shares.strategy_loss)
}

/// The same table for a change in place. `order` is what rests, with its new limit and expiry and with the contracts that it
/// would leave to fill; the view counts nothing of it.
///
/// # Errors
/// The refusal: the order rests on as it is.
pub fn check_amend(v: &impl Facts, order: Order, amend: Amend) -> Result<Approved<Amend>, R> {
    assert!(
        (amend.order, amend.epoch, amend.decided) == (order.id, order.epoch, order.decided),
        "O7: a change is of the order that was asked about"
    );
    assert!(
        (amend.price, amend.expires) == (order.price, order.expires) && amend.qty >= order.qty,
        "O15: what is sent is what was asked about"
    );
    check(v, order).map(|_| Approved::new(amend))
}

/// Whether a purchase that passed, and costs `cost` at most, would pass at another price too. Asked of what may leave at either of two
/// prices, before anything does; what leaves is asked about by [`check`] whatever this said.
///
/// At a price that is no higher, and where no more is paid, fewer orders break a row: they are below every collar and within every
/// limit of money that the dearer one is, and meet nothing of our own that it does not meet. The rows that a lower price can break
/// are asked here. Returns the order at that price; `None` says only that `check` must be asked.
#[inline] // into the one place that asks
pub fn passes_below(
    (passed, cost): (&Approved<Order>, Usd),
    (price, cost_there): (Price, Usd),
    def: &MarketDef,
    rate: &Rate,
) -> Option<Approved<Order>> {
    assert!(def.market == passed.market, "the terms are of the order's market");
    let order = Order { price, ..**passed };
    let is_below = order.action == Action::Buy && price <= passed.price && cost_there <= cost;
    let passes = is_below
        && def.grid.allows(order.on_book().1)
        && (order.post_only || worth(&order) >= order.venue.rules().marketable_min)
        && !(order.purpose.opens() && rate.repeats(&order));
    passes.then(|| Approved::new(order))
}

/// The sums that claims of other orders change, as an opening order is held against them.
#[derive(Clone, Copy, Debug)]
pub struct Sums<'a> {
    /// The limits in force.
    pub limits: &'a Limits,
    /// The limits that follow what the account is worth.
    pub shares: &'a EquityLimits,
    /// What is at risk now, with what is held for the order's own leg.
    pub exposure: &'a Exposure,
    /// The market's terms.
    pub def: &'a MarketDef,
    /// Cash that is not reserved, at the venue and shard that the order draws on.
    pub cash_free: Usd,
    /// What is held for the order's own leg: it gives way to what the order claims.
    pub held: Usd,
    /// The most that the order can cost with fees.
    pub cost: Usd,
}

/// Whether an opening purchase that passed earlier in the same event passes still. Since then other orders may have claimed cash,
/// each in another outcome than this one's, and nothing else that [`check`] looks at may have changed: so the rows about
/// sums of claims are asked here, and no other. `false` says that `check` must be asked, for its refusal.
pub fn passes_still(passed: &Approved<Order>, sums: &Sums<'_>) -> bool {
    let &Sums { limits, shares, exposure: risk, def, cash_free, held, cost } = sums;
    assert!(def.market == passed.market, "the sums are of the order's market");
    let usd = |row| limits.usd(row);
    let (cash_free, more) = (cash_free + held, cost - held);
    let theme = def.theme.is_none() || risk.theme(def.theme) + more <= usd(L::ExposureTheme);
    // A cluster with nothing in it but what is held for the leg counts among the positions, and is opened by the order.
    let opens = risk.cluster(def.cluster) == held;
    let others = u64::from(risk.positions()) - u64::from(opens && held > Usd::ZERO);
    passed.purpose.opens()
        && passed.action == Action::Buy
        && cost <= cash_free.scale_floor(limits.percent(L::CashPercent), 100)
        && cost <= cash_free
        && risk.market(passed.market) + more <= usd(L::ExposureMarket)
        && risk.cluster(def.cluster) + more <= usd(L::ExposureCluster)
        && risk.venue(passed.venue) + more <= shares.venue
        && risk.total() + more <= shares.total
        && risk.category(def.category) + more <= shares.category
        && theme
        && !(opens && others >= limits.raw(L::Positions))
}

/// Whether a market's stated close is so near that nothing is opened any more: time for a leg that fails, a hedge that waits
/// and the sale that follows. What reduces may go on: only the venue knows when it really closes.
pub fn closes(limits: &Limits, def: &MarketDef, now: Nanos) -> bool {
    now.after(limits.span(L::CloseCutoffMs)) >= def.close
}

/// Whether an order was rejected in the market so lately that it is not quoted in yet.
#[inline(always)] // see `check`
fn cools_down(facts: &impl Facts, order: &Order) -> bool {
    let cooldown = facts.limits().span(L::QuoteCooldownMs);
    facts.rejected().is_some_and(|at| order.decided.since(at) < cooldown)
}

/// Whether the price is worse than it may be beside the prices elsewhere, or there is none to hold it against: see [`collar`].
#[inline(always)] // see `check`
fn beyond_collar(facts: &impl Facts, order: &Order) -> bool {
    match facts.collar() {
        Some(bound) => !bound.allows(order),
        None => !collar::allows(facts.limits(), facts.def().grid, &facts.around(), order),
    }
}

/// How long an order may take to the venue: its expiry must be that much farther ahead than the venue asks.
const WIRE_TIME: Nanos = Nanos::from_secs(2);

/// Whether the expiry is there if the time in force asks for one, and far enough ahead for the venue.
fn has_good_expiry(order: &Order) -> bool {
    let is_ahead = order.expires.is_none_or(|expires| {
        let ahead_min = order.venue.rules().expiry_ahead_min;
        expires.time() >= order.decided.after(ahead_min).after(WIRE_TIME)
    });
    order.has_fitting_expiry() && is_ahead
}

/// Whether the venue takes orders in a market of this status. In a market that is only observed nothing is opened; what is
/// held there may still be hedged, topped up and sold.
const fn is_traded(status: MarketStatus, opens: bool) -> bool {
    status.is_traded() && !(opens && matches!(status, MarketStatus::Observe))
}

/// What the order is worth at its own price.
fn worth(order: &Order) -> Usd {
    order.price.proceeds_floor(order.qty)
}

/// Whether it would put something at risk in one more event: nothing is in its market's cluster yet.
#[inline(always)] // see `check`
fn opens_position(facts: &impl Facts) -> bool {
    facts.exposure().cluster(facts.def().cluster) == Usd::ZERO
}

/// Whether something is at risk in as many events as may be.
#[inline(always)] // see `check`
fn positions_full(facts: &impl Facts) -> bool {
    u64::from(facts.exposure().positions()) >= facts.limits().raw(L::Positions)
}

#[cfg(test)]
mod tests;
