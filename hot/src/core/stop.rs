//! Stop-loss: contracts that nobody works on are sold, where `strategy.unpaired` says so.
//!
//! What is found without a partner (`unpaired`) is a person's by default; its partner may be bought instead (`complete`). With a stop-loss behind it, it is sold once the best bid has
//! said for a second that it has lost `strategy.stop_loss_percent` of its cost; or at once, where that is wanted. Either is a group of one leg that wants
//! nothing, and is unwound like any other: one order in flight, bounded in attempts and time, kept over a restart. Only its first sale
//! is another one: a limit no further from the best price than an allowance, which rests for `strategy.stop_wait_ms`. Then it is
//! cancelled, and when the venue has confirmed that, the rest is sold at what is bid.
//!
//! Where one could not sell everything, the next one begins `strategy.cooldown_loss_ms` later at the earliest; where its attempts were used up,
//! a person is called, and resumes.

use super::Core;
use super::place::Draft;
use super::unpaired::WORTH_MIN;
use crate::amounts;
use crate::book::Book;
use crate::bounds::WALK_LEVELS_MAX;
use crate::group::{ADOPTED, Group, Leg, Stop, StopEvent};
use crate::ids::{Action, MarketId, Outcome};
use crate::market::MarketDef;
use crate::note::Alarm;
use crate::order::{Purpose, Tif};
use crate::outbox::Outbox;
use crate::risk::LimitRow;
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::LOT;

/// So long the bids must say that a position has lost enough before it is sold: makers withdraw a price and state it again within
/// milliseconds, and what is bid in between says nothing of what the contracts are worth.
const LOST_FOR: Nanos = Nanos::from_secs(1);
/// One dollar, in parts of a million.
const MILLION: u32 = 1_000_000;

/// The worst price, in $0.0001 of the YES book, at which a position is closed that trades at `touch` there: below it by `ppm` millionths
/// of it where YES is sold, above it where YES is bought (NO is sold). Rounded away from the touch, so that an allowance is never less
/// than a step of the finest grid.
fn worst_price(touch: Price, ppm: u64, closes: Action) -> Price {
    let ppm = u32::try_from(ppm.min(MILLION.into())).expect("at most a million");
    let allowed = (u32::from(touch.ticks()) * ppm).div_ceil(MILLION);
    let allowed = u16::try_from(allowed).expect("at most the price itself");
    let ticks = match closes {
        Action::Sell => touch.ticks().saturating_sub(allowed),
        Action::Buy => touch.ticks().saturating_add(allowed).min(Price::ONE.ticks()),
    };
    Price::from_ticks(ticks).expect("between nothing and a dollar")
}

/// The limit of a stop-loss's first sale of `qty`, in the outcome's own price: the best bid where it has room for all, else the next bids
/// down to the one that has, and none beyond the allowance. `None` where nobody bids.
///
/// An allowance that ends between two prices of the grid reaches the further one.
fn limit_price(book: &Book, outcome: Outcome, qty: Qty, ppm: u64) -> Option<Price> {
    let (best, _) = book.best_bid_for(outcome)?;
    let grid = book.terms().grid;
    let (grid, worst) = match outcome {
        Outcome::Yes => (grid, worst_price(best, ppm, Action::Sell)),
        Outcome::No => {
            let ask = best.complement();
            (grid.mirrored(), worst_price(ask, ppm, Action::Buy).complement())
        }
    };
    let lowest = grid.floor(worst).unwrap_or(best);
    let (mut limit, mut room) = (best, Qty::ZERO);
    for (bid, offered) in book.bids_for(outcome).take(WALK_LEVELS_MAX) {
        if bid < lowest || room >= qty {
            break;
        }
        (limit, room) = (bid, room + offered);
    }
    Some(limit)
}

impl Core {
    /// Begins a stop-loss for each position that is to have one now. Nothing is begun in a halt, at the end of a run, or before the venues
    /// and we agree: what is held may be another number then.
    pub(super) fn tend_stops(&mut self, now: Nanos, out: &mut Outbox) {
        let policy = self.limits.raw(LimitRow::Unpaired);
        if !matches!(policy, 1..=3)
            || self.run.is_halted()
            || self.run.is_stopping()
            || !self.agreed()
        {
            return;
        }
        self.unpaired_told.look(now, LOST_FOR);
        for outcome in [Outcome::Yes, Outcome::No] {
            let mut from = 0;
            while let Some(market) = self.unpaired_told.next(outcome, from) {
                from = market.index() + 1;
                let due = self.stop_is_due(market, outcome, policy);
                let stood = self.unpaired_told.lost_for(now, market, outcome, due.is_some());
                let is_proven = policy != 1 || stood >= LOST_FOR;
                if let Some(qty) = due
                    && is_proven
                    && self.unpaired_told.may_stop(now, market)
                    && !(policy == 3 && self.begin_completion(now, market, outcome, qty, out))
                {
                    self.begin_stop(now, market, outcome, qty, out);
                }
            }
        }
    }

    /// The contracts without a partner that are to be sold now, less those that another sale of ours has a claim on. A book in doubt,
    /// one that nobody bids in and one whose market is silent or not understood say nothing of what they are worth.
    fn stop_is_due(&self, market: MarketId, outcome: Outcome, policy: u64) -> Option<Qty> {
        let free = self.held_free(market, outcome);
        let qty = self.money.worth().unpaired(market, outcome).min(free);
        let book = self.books.get(market)?;
        let is_known = book.is_good() && !self.silence.is_suspect(market, book.frames());
        let is_open = self.money.worth().settled_at(market).is_none() && !qty.is_zero();
        if !is_known || !is_open || self.groups.has_leg_in(market) || !self.groups.has_room(1) {
            return None;
        }
        if !self.takes_trades(book.terms()) {
            return None; // what cannot be sold within ten minutes halts everything
        }
        let (bid, _) = book.best_bid_for(outcome)?;
        let fetches = bid.proceeds_floor(qty);
        if fetches < WORTH_MIN {
            return None; // groups leave as much
        }
        let cost = self.money.position(market).share(outcome, qty);
        let lost = cost - fetches;
        let most = cost.scale_floor(self.limits.percent(LimitRow::StopLossPercent), 100);
        let is_lost = cost > Usd::ZERO && lost >= most;
        (policy != 1 || is_lost).then_some(qty)
    }

    /// Whether the venue would take an order that trades at once in a market now, as far as is known: the market is traded, the venue takes
    /// such orders, and the way to it is open.
    pub(super) fn takes_trades(&self, terms: &MarketDef) -> bool {
        terms.status.is_traded()
            && self.modes.of(terms.venue, terms.shard).takes_all()
            && self.truth.is_linked(terms.venue)
    }

    /// A group around contracts that it is to sell.
    fn begin_stop(
        &mut self,
        now: Nanos,
        market: MarketId,
        outcome: Outcome,
        qty: Qty,
        out: &mut Outbox,
    ) {
        let cost = self.money.position(market).share(outcome, qty);
        let mut legs = self.groups.take_room();
        legs.push(Leg::found(market, self.terms(market).venue, outcome, qty, cost));
        let id = self.groups.next_id();
        let mut group = Group::new(id, ADOPTED, legs, now);
        group.stop = Stop::Limit;
        let slot = self.groups.push(group);
        let next = now.after(self.limits.span(LimitRow::CooldownLossMs));
        self.unpaired_told.on_stop(market, next);
        self.alarm_group(Alarm::StopLoss, slot, out);
        self.advance(now, id, out);
    }

    /// The first sale of a stop-loss: see the head of this file. `None` for any other, and where the venue takes no order that rests for so
    /// little.
    pub(super) fn stop_draft(&self, group: &Group, leg: &Leg, qty: Qty) -> Option<Draft> {
        if group.stop != Stop::Limit {
            return None;
        }
        let book = self.books.get(leg.market).filter(|book| book.is_good())?;
        let (terms, rules) = (book.terms(), leg.venue.rules());
        let ppm = self.limits.raw(LimitRow::StopAllowancePpm);
        let held = match rules.sells_beyond_holding() {
            true => qty,
            false => qty.min(self.held_free(leg.market, leg.outcome)),
        };
        let price = limit_price(book, leg.outcome, held, ppm)?;
        let qty = held.floor_to(amounts::venue_lot_step(rules, price, Action::Sell, Tif::Gtc));
        let least = if rules.min_size_applies(true) { terms.min_qty } else { LOT };
        let enough = qty >= least && price.proceeds_floor(qty) >= rules.marketable_min;
        enough.then_some(Draft {
            group: group.id,
            market: leg.market,
            outcome: leg.outcome,
            action: Action::Sell,
            price,
            qty,
            tif: Tif::Gtc,
            purpose: Purpose::StopLoss,
            expires: None,
            post_only: false,
            plan: None,
        })
    }

    /// A sale at what is bid has left: where it is a stop-loss's first one, that is told.
    pub(super) fn on_fallback(&mut self, slot: usize, out: &mut Outbox) {
        let group = self.groups.at_mut(slot);
        let before = group.stop;
        if before == Stop::Off {
            return;
        }
        group.stop = before.next(StopEvent::Fallback);
        if before != Stop::Fallback {
            self.alarm_group(Alarm::StopLossFallback, slot, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_a_share_of_the_price_away_from_it_and_at_least_a_step() {
        for (touch, ppm, sells_at, buys_at) in [
            (4_000, 5_000, 3_980, 4_020), // half a percent of 40 cents
            (4_000, 0, 4_000, 4_000),
            (4_001, 5_000, 3_980, 4_022), // 20.005 steps are 21
            (1, 5_000, 0, 2),
            (9_990, 5_000, 9_940, 10_000), // never beyond a dollar
        ] {
            let touch = Price::from_ticks(touch).unwrap();
            let worst = |closes| worst_price(touch, ppm, closes).ticks();
            assert_eq!((worst(Action::Sell), worst(Action::Buy)), (sells_at, buys_at), "{touch:?}");
        }
    }
}
