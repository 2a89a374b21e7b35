//! From books to groups: which baskets a change touches, whether they pay, and whether they may be bought.

use super::Core;
use super::place::Draft;
use crate::basket::{BasketDef, NoPlan, Plan, Room, Sizing, Verdict};
use crate::book::Applied;
use crate::bounds::LEGS_MAX;
use crate::event::Event;
use crate::group::{Group, Leg};
use crate::ids::{Action, BasketId, MarketId, Outcome, Side};
use crate::intent::Intent;
use crate::ledger::Purse;
use crate::market::MarketDef;
use crate::note::{Alarm, Note};
use crate::order::{Purpose, Tif};
use crate::outbox::Outbox;
use crate::risk::{LimitRow, Refusal};
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::CASH_ACCOUNTS;

/// A millionth.
const PPM: i64 = 1_000_000;

impl Core {
    pub(super) fn on_basket(&mut self, def: &BasketDef, out: &mut Outbox) {
        if self.baskets.define(def, &self.books).is_err() {
            self.alarm(Alarm::BadBasket, Some(def.market), None, out);
        }
    }

    pub(super) fn on_market_data(&mut self, now: Nanos, event: &Event, out: &mut Outbox) {
        let applied = self.books.apply(now, event);
        if let Event::GridChange { market, .. } | Event::Market(MarketDef { market, .. }) = *event
            && self.books.terms(market).is_some()
        {
            self.cancel_off_grid(now, market, out);
        }
        match applied {
            Applied::Pending | Applied::Unchanged => {}
            Applied::Deep | Applied::Top => {
                if let Some(market) = event.market() {
                    self.on_book(now, market, out);
                }
            }
            Applied::Stale(why) => {
                self.stats.stales += 1;
                if let Some(market) = event.market() {
                    if !why.resyncs_by_itself() {
                        self.resync_asked[market.index()] = now;
                        out.send(Intent::Resync { market });
                    }
                    self.on_book(now, market, out);
                }
            }
            Applied::Many => {
                self.stats.stales += 1;
                self.baskets.refresh_all(&self.books);
            }
        }
    }

    /// A market's book changed, or whether it is good: look at the baskets it is in.
    pub(super) fn on_book(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        self.baskets.refresh(market, &self.books);
        self.consider_marked(now, out);
    }

    /// Baskets that have rested long enough are looked at again, though no book changed.
    pub(super) fn wake_rested(&mut self, now: Nanos, out: &mut Outbox) {
        let Self { episodes, baskets, .. } = self;
        episodes.wake(now, |basket| baskets.mark(basket));
        self.consider_marked(now, out);
    }

    fn consider_marked(&mut self, now: Nanos, out: &mut Outbox) {
        while let Some(basket) = self.baskets.poll_dirty() {
            self.consider(now, basket, out);
        }
    }

    /// A basket costs less than it pays at the top of the books. Worth it after fees, in size, with what is free?
    fn consider(&mut self, now: Nanos, basket: BasketId, out: &mut Outbox) {
        if self.groups.is_busy(basket) || self.episodes.rests(now, basket) {
            // In flight or just traded: the book still shows what we are taking.
            return;
        }
        if self.is_shot_at(now, basket) {
            return self.episodes.look_again(basket);
        }
        let plan = match self.baskets.walk(&self.books, basket, &self.sizing(basket)) {
            Ok(plan) => plan,
            Err(NoPlan::NotReady | NoPlan::NoEdge) => return,
            Err(NoPlan::Absurd { edge }) => {
                let seen = Seen { units: Qty::ZERO, edge, profit: Usd::ZERO };
                return self.verdict(now, basket, seen, Verdict::Absurd, out);
            }
            Err(NoPlan::TooSmall { units, edge, profit }) => {
                return self.verdict(
                    now,
                    basket,
                    Seen { units, edge, profit },
                    Verdict::TooSmall,
                    out,
                );
            }
        };
        let seen = Seen { units: plan.units, edge: plan.edge, profit: plan.profit };
        let closed = self.run.is_halted() || self.run.is_stopping() || !self.agreed();
        if closed || self.is_held(now, basket) {
            self.episodes.look_again(basket);
            return self.verdict(now, basket, seen, Verdict::Closed, out);
        }
        if !self.groups.has_room() {
            self.episodes.look_again(basket);
            return self.verdict(now, basket, seen, Verdict::Full, out);
        }
        if !self.pays_for_leg_risk(&plan) {
            return self.verdict(now, basket, seen, Verdict::LegRisk, out);
        }
        let mut group = self.group(now, basket, &plan);
        match self.hold(now, &mut group) {
            Err((market, why)) => {
                // The same refusal on every flicker is one refusal.
                if self.episodes.is_new(now, basket, Verdict::Refused) {
                    self.stats.refusals += 1;
                    out.note(Note::Refused { market, group: group.id, why });
                }
                self.episodes.look_again(basket);
                self.verdict(now, basket, seen, Verdict::Refused, out);
            }
            Ok(()) => {
                self.verdict(now, basket, seen, Verdict::Taken, out);
                self.stats.baskets_opened += 1;
                let id = group.id;
                for leg in group.legs() {
                    self.refusals.on_begun(now, leg.venue);
                }
                let place = self.groups.push(group);
                self.note_group(place, out);
                self.advance(now, id, out);
            }
        }
    }

    /// Whether an order of ours has just been sent, or is about to be, to a side of a book that the basket needs too: two
    /// baskets that share a level must not both count on it.
    fn is_shot_at(&self, now: Nanos, basket: BasketId) -> bool {
        let rest = self.limits.span(LimitRow::CooldownMs);
        let legs = self.baskets.get(basket).map_or(&[][..], |basket| basket.legs());
        legs.iter().any(|leg| {
            let side = Side::of(leg.outcome, Action::Buy);
            let last = self.orders.last_sent(leg.market, side);
            let wanted = |other: &Leg| {
                let same = other.market == leg.market && other.outcome == leg.outcome;
                same && (other.order.is_some() || !other.tried)
            };
            (last > Nanos::ZERO && now.since(last) < rest)
                || self.groups.iter().any(|group| group.legs().iter().any(wanted))
        })
    }

    /// Whether something is in trouble where the basket has a leg: what is not begun leaves nothing on one leg.
    fn is_held(&self, now: Nanos, basket: BasketId) -> bool {
        let legs = self.baskets.get(basket).map_or(&[][..], |basket| basket.legs());
        legs.iter().any(|leg| {
            let venue = self.terms(leg.market).venue;
            self.truth.is_held(venue) || self.refusals.holds(now, venue, leg.market)
        })
    }

    /// What limits and free money allow. The gate checks each order again; this only keeps the plan from being
    /// larger than what can pass.
    fn sizing(&self, basket: BasketId) -> Sizing {
        let limits = &self.limits;
        let percent =
            i64::try_from(limits.raw(LimitRow::CashPercent).min(100)).expect("at most 100");
        let mut total = limits.usd(LimitRow::ExposureTotal) - self.money.exposure().total();
        let mut legs = [Room { qty: Qty::ZERO, cost: Usd::ZERO, tif: Tif::Gtc }; LEGS_MAX];
        let mut cash = [Usd::ZERO; CASH_ACCOUNTS];
        let defined = self.baskets.get(basket).map_or(&[][..], |basket| basket.legs());
        for (room, leg) in legs.iter_mut().zip(defined) {
            let terms = self.terms(leg.market);
            let purse = Purse::of(terms.venue, terms.shard);
            cash[purse.index()] = shaved(self.money.cash_free(purse).scale_floor(percent, 100));
            total = total
                .min(
                    limits.usd(LimitRow::ExposureCluster)
                        - self.money.exposure().cluster(terms.cluster),
                )
                .min(
                    limits.usd(LimitRow::ExposureVenue) - self.money.exposure().venue(terms.venue),
                );
            let held = self.position_worst(leg.market, leg.outcome);
            let least = limits
                .usd(LimitRow::OrderNotional)
                .min(limits.usd(LimitRow::PositionNotional))
                .min(
                    limits.usd(LimitRow::ExposureMarket) - self.money.exposure().market(leg.market),
                );
            *room = Room {
                qty: limits
                    .qty(LimitRow::OrderQty)
                    .min(limits.qty(LimitRow::PositionQty).saturating_sub(held)),
                cost: shaved(least),
                tif: Tif::Gtc,
            };
        }
        Sizing {
            legs,
            cash,
            total: shaved(total),
            edge_min: u32::try_from(limits.raw(LimitRow::EdgeMin)).unwrap_or(u32::MAX),
            edge_max_percent: u32::try_from(limits.raw(LimitRow::EdgeMaxPercent))
                .unwrap_or(u32::MAX),
            profit_min: limits.usd(LimitRow::ProfitMin),
        }
    }

    /// Profit must pay for the times that a later leg fails and the first is sold at a loss.
    fn pays_for_leg_risk(&self, plan: &Plan) -> bool {
        let fail = i64::try_from(self.limits.raw(LimitRow::LegFailPpm)).unwrap_or(PPM);
        let loss = i64::try_from(self.limits.raw(LimitRow::UnwindLossPpm)).unwrap_or(PPM);
        let cost = plan.legs().fold(Usd::ZERO, |sum, leg| sum + leg.cost);
        let risk = -(-cost).scale_floor(fail, PPM).scale_floor(loss, PPM);
        plan.profit > risk
    }

    /// The group that would buy a plan, its legs in the order they go out.
    fn group(&self, now: Nanos, basket: BasketId, plan: &Plan) -> Group {
        let mut legs = [Leg::NONE; LEGS_MAX];
        let mut penalties = [0; LEGS_MAX];
        let mut count = 0;
        let slack = u16::try_from(plan.edge.clamp(0, 10_000)).expect("clamped");
        for planned in plan.legs() {
            let terms = self.terms(planned.market);
            let leg = Leg {
                market: planned.market,
                venue: terms.venue,
                outcome: planned.outcome,
                limit: planned.limit,
                reach: reach(planned.limit, terms.grid, planned.outcome, slack),
                deep: planned.levels > 1,
                ..Leg::NONE
            };
            // Sorted in as they come; equal scores keep the basket's order.
            let penalty = self.exit_penalty(&leg);
            let mut at = count;
            while at > 0 && penalties[at - 1] > penalty {
                (legs[at], penalties[at]) = (legs[at - 1], penalties[at - 1]);
                at -= 1;
            }
            (legs[at], penalties[at]) = (leg, penalty);
            count += 1;
        }
        let count = u8::try_from(count).expect("LEGS_MAX fits");
        let mut group = Group::new(self.groups.next_id(), basket, legs, count, now);
        (group.target, group.promised) = (plan.units, plan.profit);
        group.payout = self.baskets.get(basket).map_or(0, |basket| basket.payout());
        group
    }

    /// How bad it would be to be left with this leg alone, in $0.0001 a contract: the leg that is worst to leave goes last. A venue that turned the last order away
    /// comes first of all: if it does so again, nothing was bought.
    fn exit_penalty(&self, leg: &Leg) -> u32 {
        if self.refusals.is_suspected(leg.venue) {
            return 0;
        }
        let bid = self.books.get(leg.market).and_then(|book| book.best_bid_for(leg.outcome));
        let spread = bid.map_or(10_000, |(bid, _)| leg.limit.ticks().saturating_sub(bid.ticks()));
        1 + leg.venue.rules().exit_penalty + u32::from(spread)
    }

    /// Checks every leg at the gate and claims its cash, all or none: no byte leaves before all are held.
    fn hold(&mut self, now: Nanos, group: &mut Group) -> Result<(), (MarketId, Refusal)> {
        for index in 0..group.legs().len() {
            let leg = group.legs[index];
            // Whatever it will be sent as: what the group as a whole puts at risk is checked here, once.
            let draft = Draft {
                group: group.id,
                market: leg.market,
                outcome: leg.outcome,
                action: Action::Buy,
                price: leg.reach,
                qty: group.target,
                tif: Tif::Fok,
                purpose: Purpose::Leg,
            };
            match self.would_pass(now, &draft) {
                Ok(hold) => {
                    self.reserve(leg.market, hold);
                    group.legs[index].hold = hold;
                }
                Err(why) => {
                    for held in &group.legs()[..index] {
                        self.reserve(held.market, -held.hold);
                    }
                    return Err((leg.market, why));
                }
            }
        }
        Ok(())
    }

    /// Records what was made of an opportunity: once per episode and verdict, so that a flickering book is one
    /// opportunity.
    fn verdict(
        &mut self,
        now: Nanos,
        basket: BasketId,
        seen: Seen,
        verdict: Verdict,
        out: &mut Outbox,
    ) {
        let recorded = self.episodes.record(now, basket, verdict);
        if !recorded.is_new {
            return;
        }
        self.stats.opportunities += u64::from(recorded.is_first);
        let Seen { units, edge, profit } = seen;
        out.note(Note::Opportunity { basket, units, edge, profit, verdict });
    }
}

/// What an opportunity looked like.
#[derive(Clone, Copy, Debug)]
struct Seen {
    units: Qty,
    edge: i32,
    profit: Usd,
}

/// A group holds each leg at the price its hedge may reach, which is above the plan's: a tenth is left for that.
fn shaved(room: Usd) -> Usd {
    room.max(Usd::ZERO).scale_floor(9, 10)
}

/// The highest allowed price of an outcome at most `slack` above `from`, in $0.0001.
fn reach(from: Price, grid: crate::grid::Grid, outcome: Outcome, slack: u16) -> Price {
    let grid = if outcome == Outcome::Yes { grid } else { grid.mirrored() };
    let most =
        Price::from_ticks(from.ticks().saturating_add(slack).min(9_999)).expect("under a dollar");
    grid.floor(most).map_or(from, |price| price.max(from))
}
