//! Arbitrage: buy every leg of a basket where that costs less than the basket pays, after fees and in size.

use std::cmp::Ordering;

use super::Sight;
use crate::basket::{Basket, LegPlan, NoPlan, Plan, Room, Sizing, Verdict};
use crate::book::Book;
use crate::bounds::LEGS_MAX;
use crate::grid::Grid;
use crate::group::{Group, Groups, Leg};
use crate::ids::{Action, BasketId, MarketId, Outcome, Side};
use crate::ledger::CashAccount;
use crate::risk::collar::Bound;
use crate::risk::{Headroom, LimitRow};
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::CASH_ACCOUNTS;

/// The most edges of a unit that a group holds cash for beyond the plan's worst prices, all legs together.
const EDGES_HELD: usize = 8;
/// How long after its market is expected to have paid, or has closed, a contract is counted as not paid yet: results come late.
const PAID_AFTER: Nanos = Nanos::from_secs(86_400);
const PPM: u64 = 1_000_000;
const HOUR: u64 = 3_600_000_000_000;
const HOURS_A_YEAR: i128 = 8_760;

/// What an opportunity looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Units of the basket: a leg has its ratio times as many contracts.
    pub units: Qty,
    /// Profit of the last unit after fees, in $0.0001.
    pub edge: i32,
    /// Profit of the whole after fees.
    pub profit: Usd,
}

/// What should be done about a basket that costs less than it pays at the top of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, and there is nothing to tell.
    Pass,
    /// Nothing, and what there is to tell has been told: the opportunity goes on.
    Told {
        /// Whether what stands in the way may pass without a book changing.
        look_again: bool,
    },
    /// Nothing now: the basket is looked at again at the next timer event, though no book changes.
    Wait,
    /// It is told, and not bought.
    Decline {
        seen: Seen,
        verdict: Verdict,
        /// Whether what stands in the way may pass without a book changing.
        look_again: bool,
    },
    /// It should be bought, by the group that [begins](Planning::begin) with the plan.
    Buy { seen: Seen, pace: Pace },
}

/// How fast money earns in a basket: what it brings for the dollars that it locks, times the hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    profit: Usd,
    /// Microdollars times hours; more than nothing.
    locked: i128,
}

impl Pace {
    /// Of a plan whose money is locked for so long, every begun hour counting whole.
    fn of(plan: &Plan, lock_up: Nanos) -> Self {
        let cost = plan.legs().iter().fold(Usd::ZERO, |sum, leg| sum + leg.cost + leg.fee);
        let hours = i128::from(lock_up.get().div_ceil(HOUR).max(1));
        Self { profit: plan.profit, locked: i128::from(cost.micros().max(1)) * hours }
    }

    /// Whether it comes to at least so many percent a year.
    fn is_at_least(self, percent: u64) -> bool {
        i128::from(self.profit.micros()) * 100 * HOURS_A_YEAR >= self.locked * i128::from(percent)
    }

    /// Whether this one or the other earns faster.
    fn cmp(self, other: Self) -> Ordering {
        let earns = |one: Self, beside: Self| i128::from(one.profit.micros()) * beside.locked;
        earns(self, other).cmp(&earns(other, self))
    }
}

/// A basket that is worth buying, beside others of which one may be better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    pub basket: BasketId,
    pub pace: Pace,
}

impl Ranked {
    /// The one that earns faster comes first; of two that earn alike the one with the lower id.
    pub fn order(&self, other: &Self) -> Ordering {
        other.pace.cmp(self.pace).then(self.basket.cmp(&other.basket))
    }
}

/// What the gate will ask of a leg, worked out where its plan is sized: it is asked about in the same event.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    pub collar: Bound,
    pub room: Headroom,
}

/// Room in which baskets of up to the most legs are planned, so that planning allocates nothing.
#[derive(Debug)]
pub struct Planning {
    /// What each leg may be.
    rooms: Vec<Room>,
    /// What the gate will ask of each leg, worked out ahead.
    ahead: Vec<Ahead>,
    plan: Plan,
    /// What a unit of the plan pays at least, in $0.0001.
    payout: u32,
    /// The legs of the group that may follow, in the order in which they go out.
    legs: Vec<Leg>,
}

impl Planning {
    /// Allocates all it will ever need, but the legs of groups: their room is that of `groups`.
    pub fn new(groups: &mut Groups) -> Self {
        let legs = groups.take_room();
        Self {
            rooms: Vec::with_capacity(LEGS_MAX),
            ahead: Vec::with_capacity(LEGS_MAX),
            plan: Plan::new(),
            payout: 0,
            legs,
        }
    }

    /// What the last plan was made within, of the leg in an outcome of a market.
    #[inline]
    pub fn ahead_of(&self, market: MarketId, outcome: Outcome) -> Option<&Ahead> {
        self.ahead.iter().find(|ahead| ahead.collar.is_of(market, outcome))
    }

    /// The group that buys the last plan, after a decision to buy it: nothing of it is sent yet. The room of its legs goes with it,
    /// and another one takes its place.
    pub fn begin(&mut self, groups: &mut Groups, now: Nanos) -> Group {
        assert!(!self.legs.is_empty(), "one group begins for a decision to buy");
        let legs = std::mem::replace(&mut self.legs, groups.take_room());
        let Plan { basket, units, profit, .. } = self.plan;
        let mut group = Group::new(groups.next_id(), basket, legs, now);
        (group.target, group.promised, group.payout) = (units, profit, self.payout);
        group
    }
}

/// What should be done about a basket: worth it after fees, in size, with what is free? No more than `most` units are planned, where
/// that is given. After [`Decision::Buy`] the room has the group that would [begin](Planning::begin).
pub fn consider(
    core: &impl Sight,
    now: Nanos,
    basket: BasketId,
    most: Option<Qty>,
    room: &mut Planning,
) -> Decision {
    if core.groups().is_busy(basket) {
        return Decision::Pass; // the book still shows what we are taking
    }
    let Some(defined) = core.baskets().get(basket) else { return Decision::Pass };
    let is_cooling = core.is_cooling(now, basket);
    let is_taken = shares_a_level(core, now, defined);
    let rests = match (is_cooling, is_taken) {
        (true, true) => return Decision::Pass,
        (true, false) => Some(Verdict::Cooldown),
        (false, true) => Some(Verdict::LevelTaken),
        (false, false) => None,
    };
    if rests.is_some_and(|verdict| core.is_told(now, basket, verdict)) {
        return Decision::Told { look_again: is_taken };
    }
    let decline = |seen, verdict, look_again| Decision::Decline { seen, verdict, look_again };
    let Planning { rooms, ahead, plan, payout, legs } = room;
    legs.clear();
    let sizing = sizing(core, now, defined, most, rooms, ahead);
    match core.baskets().walk(core.books(), basket, &sizing, plan) {
        Ok(()) => {}
        Err(_) if is_taken => return Decision::Wait, // what is left of the level is judged
        Err(NoPlan::NotReady) => return Decision::Pass,
        Err(NoPlan::NoEdge { edge }) if edge <= 0 => return Decision::Pass,
        Err(NoPlan::NoEdge { edge }) => {
            let seen = Seen { units: Qty::ZERO, edge, profit: Usd::ZERO };
            return decline(seen, Verdict::NoEdge, false);
        }
        Err(NoPlan::Absurd { edge }) => {
            let seen = Seen { units: Qty::ZERO, edge, profit: Usd::ZERO };
            return decline(seen, Verdict::Absurd, false);
        }
        Err(NoPlan::TooSmall { units, edge, profit }) => {
            return decline(Seen { units, edge, profit }, Verdict::TooSmall, false);
        }
    }
    let seen = Seen { units: plan.units, edge: plan.edge, profit: plan.profit };
    if let Some(verdict) = rests {
        return decline(seen, verdict, is_taken);
    }
    let pace = Pace::of(plan, lock_up(core, now, defined));
    if !pace.is_at_least(core.limits().raw(LimitRow::HurdleRate)) {
        return decline(seen, Verdict::NotWorthIt, false);
    }
    if !core.may_open() || is_held(core, now, defined) {
        return decline(seen, Verdict::Closed, true);
    }
    if !core.groups().has_room(plan.legs().len()) {
        return decline(seen, Verdict::Full, true);
    }
    line_up(core, plan, rooms, legs);
    if !pays_for_leg_risk(core, plan, legs) {
        legs.clear();
        return decline(seen, Verdict::LegRisk, false);
    }
    *payout = defined.payout();
    Decision::Buy { seen, pace }
}

/// How long a basket locks its money: until the last of its markets has paid, by what its venue expects and else by its close. A
/// time that is not known, or is over while the market trades on, says nothing of that: sports markets are listed to close two
/// weeks after their game (`venues/kalshi.md` §6.2).
fn lock_up(core: &impl Sight, now: Nanos, basket: &Basket) -> Nanos {
    let unknown = Nanos::from_secs(core.limits().raw(LimitRow::LockupDays) * 86_400);
    let locked = basket.legs().iter().map(|leg| {
        let close = core.books().terms(leg.market).expect("a market in a basket has terms").close;
        let known = |time: Nanos| (time > now && time < Nanos::NEVER).then_some(time);
        let paid = known(core.paid_by(leg.market)).or_else(|| known(close));
        paid.map_or(unknown, |paid| paid.since(now).after(PAID_AFTER))
    });
    locked.max().unwrap_or(unknown)
}

/// Whether an order of ours has just been sent, or is about to be, to a side of a book that the basket needs too: two
/// baskets that share a level must not both count on it. A sale of the other outcome takes the same level as a purchase of this one.
fn shares_a_level(core: &impl Sight, now: Nanos, basket: &Basket) -> bool {
    let cooldown = core.limits().span(LimitRow::CooldownMs);
    basket.legs().iter().any(|leg| {
        let side = Side::of(leg.outcome, Action::Buy);
        let last = core.last_sent(leg.market, side);
        (last > Nanos::ZERO && now.since(last) < cooldown)
            || (core.groups().has_leg_in(leg.market)
                && core.groups().iter().any(|group| group.lands_on(leg.market, side)))
    })
}

/// Whether something is in trouble where the basket has a leg: what is not begun leaves nothing on one leg.
#[inline(always)] // asked once
fn is_held(core: &impl Sight, now: Nanos, basket: &Basket) -> bool {
    for leg in basket.legs() {
        let terms = core.books().terms(leg.market).expect("a market in a basket has terms");
        if core.is_held(terms.venue) || core.rejections().holds(now, terms.venue, leg.market) {
            return true;
        }
    }
    false
}

/// What the gate will ask of a purchase of an outcome in the market of a book.
#[inline(never)] // all that it looks at would else be looked up ahead of the loop over the legs, and kept
fn ahead_of(core: &impl Sight, now: Nanos, book: &Book, outcome: Outcome) -> Ahead {
    Ahead { collar: core.collar(now, book, outcome), room: core.headroom(now, book, outcome) }
}

/// What limits and free money allow, that of each leg in `rooms`, with what the gate will ask of it in `ahead`, and no more than `most` units. The gate
/// checks each order again, at the price that its cash is held for; this only keeps the plan from being larger than what can pass. Where
/// that was not enough, the core asks once more, for as many units as the gate lets pass.
fn sizing<'a>(
    core: &impl Sight,
    now: Nanos,
    basket: &Basket,
    most: Option<Qty>,
    rooms: &'a mut Vec<Room>,
    ahead: &mut Vec<Ahead>,
) -> Sizing<'a> {
    let limits = core.limits();
    let in_clusters = core.account().cluster_room(limits);
    let (in_order, order_qty) =
        (limits.usd(LimitRow::OrderNotional), limits.qty(LimitRow::OrderQty));
    // No plan loses more than it costs.
    let mut total = at_plan(core.account().shock_room(limits));
    let mut cash = [Usd::ZERO; CASH_ACCOUNTS];
    let defined = basket.legs();
    rooms.clear();
    ahead.clear();
    for leg in defined {
        let book = core.books().get(leg.market).expect("a market in a basket has terms");
        let terms = book.terms();
        let asks = ahead_of(core, now, book, leg.outcome);
        let Ahead { collar, room } = &asks;
        cash[CashAccount::of(terms.venue, terms.shard).index()] = with_margin(room.cash());
        total = total.min(room.around());
        let mut least = in_order.min(room.here());
        // Of two legs one pays in every outcome that the relation allows; of more, several may pay nothing.
        let worst = at_plan(in_clusters - core.cluster_worst(terms.cluster));
        if defined.len() == 2 {
            least = least.min(worst);
        } else {
            total = total.min(worst);
        }
        let qty = order_qty.min(room.qty());
        rooms.push(Room {
            qty: most.map_or(qty, |most| qty.min(most.times(leg.ratio))),
            cost: with_margin(least),
            dearest: collar.worst().unwrap_or(Price::ONE),
        });
        ahead.push(asks);
    }
    Sizing {
        legs: rooms,
        cash,
        total: with_margin(total),
        edge_min: u32::try_from(limits.raw(LimitRow::EdgeMin)).unwrap_or(u32::MAX),
        edge_max_percent: u32::try_from(limits.raw(LimitRow::EdgeMaxPercent)).unwrap_or(u32::MAX),
        profit_min: limits.usd(LimitRow::ProfitMin),
    }
}

/// Profit must pay for the times that a later leg fails and the first is sold at a loss, as often and as dearly as the venues
/// of the first two legs have shown, the limits' figures standing in for what they have not shown yet.
#[inline(always)] // asked once
fn pays_for_leg_risk(core: &impl Sight, plan: &Plan, legs: &[Leg]) -> bool {
    let first = legs.first().expect("a plan has legs").venue;
    let risk = core.groups().leg_risks().of(first, legs.get(1).map_or(first, |leg| leg.venue));
    let fail = risk.fail_ppm_to_count(core.limits().raw(LimitRow::LegFailPpm)).min(PPM);
    let loss = risk.loss_ppm_to_count(core.limits().raw(LimitRow::UnwindLossPpm)).min(PPM);
    let cost = plan.legs().iter().fold(Usd::ZERO, |sum, leg| sum + leg.cost);
    let risk = i128::from(cost.micros()) * i128::from(fail * loss);
    i128::from(plan.profit.micros()) * i128::from(PPM * PPM) > risk
}

/// The legs that would buy a plan, in the order they go out, written to `legs`.
fn line_up(core: &impl Sight, plan: &Plan, rooms: &[Room], legs: &mut Vec<Leg>) {
    let planned = plan.legs();
    // Which leg goes out at each place. Sorted in as they come; equal scores keep the basket's order.
    let (mut order, mut penalties) = ([0_u8; LEGS_MAX], [0_u16; LEGS_MAX]);
    for (nth, leg) in planned.iter().enumerate() {
        let penalty = exit_penalty(core, leg);
        let mut at = nth;
        while at > 0 && penalties[at - 1] > penalty {
            (penalties[at], order[at]) = (penalties[at - 1], order[at - 1]);
            at -= 1;
        }
        (penalties[at], order[at]) = (penalty, nth as u8);
    }
    // The whole edge of a unit is spent once the contracts of one leg cost so much more. The cash for that is held for every
    // leg, so that many legs have to share some edges.
    let slack = match planned.len() {
        ..=EDGES_HELD => plan.edge,
        sharing => (i64::from(plan.edge) * EDGES_HELD as i64 / sharing as i64) as i32,
    };
    for nth in &order[..planned.len()] {
        let (planned, room) = (&planned[usize::from(*nth)], &rooms[usize::from(*nth)]);
        let slack = if planned.ratio == 1 { slack } else { slack / i32::from(planned.ratio) };
        let terms = core.books().terms(planned.market).expect("a market in a basket has terms");
        legs.push(Leg {
            market: planned.market,
            venue: terms.venue,
            outcome: planned.outcome,
            ratio: planned.ratio,
            limit: planned.limit,
            reach: reach(planned.limit, terms.grid, planned.outcome, slack, room.dearest),
            deep: planned.levels > 1,
            ..Leg::NONE
        });
    }
}

/// What is counted for a leg of which the best bid has no room for all, in $0.0001 a contract: the rest of it would be sold below.
const THIN_EXIT: u16 = 100;

/// How bad it would be to be left with this leg alone, in $0.0001 a contract: the leg that is worst to leave goes last. It counts what
/// is lost to the best bid, whether that has room for all of it, and the venue's own terms: where fills may still fail, half a dollar,
/// beside which how slowly a venue answers is nothing. A venue that turned the last order away comes first of all: if it does so
/// again, nothing was bought.
fn exit_penalty(core: &impl Sight, leg: &LegPlan) -> u16 {
    let book = core.books().get(leg.market).expect("a market in a basket has terms");
    let venue = book.terms().venue;
    if core.rejections().is_suspected(venue) {
        return 0;
    }
    let bid = book.best_bid_for(leg.outcome);
    let loses = bid.map_or(10_000, |(bid, room)| {
        let thin = if room < leg.qty { THIN_EXIT } else { 0 };
        leg.limit.ticks().saturating_sub(bid.ticks()) + thin
    });
    1 + venue.rules().exit_penalty + loses
}

/// Nine tenths of a room for money. A group reserves for each leg at the price that its hedge may reach, which is above the
/// plan's: the last tenth is for that.
fn with_margin(room: Usd) -> Usd {
    room.max(Usd::ZERO).scale_floor(9, 10)
}

/// Two thirds of what a plan may lose. It is judged at the prices that its cash is held for: those of a pair come to half as
/// much again as its own where it has the greatest edge that is believed, a fifth of what it pays.
fn at_plan(room: Usd) -> Usd {
    room.scale_floor(2, 3)
}

/// The highest allowed price of an outcome at most `slack` above `from`, in $0.0001, and not above `dearest`: the gate is asked
/// about it.
#[inline(always)] // into the one place that builds legs
fn reach(from: Price, grid: Grid, outcome: Outcome, slack: i32, dearest: Price) -> Price {
    let grid = if outcome == Outcome::Yes { grid } else { grid.mirrored() };
    let most = i32::from(from.ticks()) + slack.clamp(0, 10_000);
    let most = Price::from_ticks(most.min(9_999) as u16).expect("under a dollar");
    grid.floor(most.min(dearest)).map_or(from, |price| price.max(from))
}
