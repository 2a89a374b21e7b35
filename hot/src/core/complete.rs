//! Completion: contracts that nobody works on get the partner that they lack, where `strategy.unpaired` is 3.
//!
//! What stands alone (`unpaired`) can be sold, or its partner can be bought: a basket of two legs then pays whatever comes. What the
//! contracts have cost is spent either way, so the two are compared by what can be had now. Completing is worth it where what the
//! basket pays, less what the partner costs with its fee, is no less than what the bids give for the contracts. It is a group of that
//! basket whose first leg is there already, taken to have cost what its sale would bring: so the price that its hedge may go to is the
//! one at which both come to the same, and what finds no partner up to there is sold as any leg is.
//!
//! Where no partner is worth it, or none is offered, it is sold at once as with 2.

use super::Core;
use crate::basket::payout_floor;
use crate::group::{Group, Leg, Stop};
use crate::ids::{BasketId, MarketId, Outcome};
use crate::ledger::CashAccount;
use crate::note::Alarm;
use crate::outbox::Outbox;
use crate::risk::LimitRow;
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::LOT;

/// The dearest price of all grids: how far the hedge of a completion may go is said by what the contracts would bring.
const DEAREST: Price = Price::from_ticks(9_999).expect("under a dollar");

/// The basket that contracts without a partner would be completed to, and what that would come to.
#[derive(Clone, Copy, Debug)]
struct Completion {
    basket: BasketId,
    /// What a unit pays at least, in $0.0001.
    payout: u32,
    /// The other leg of the basket.
    market: MarketId,
    outcome: Outcome,
    /// The best offer of it.
    ask: Price,
    /// By how much completing at that offer is better than a sale.
    gain: Usd,
}

impl Core {
    /// Begins to complete `qty` contracts without a partner. Returns whether there was a basket that is worth it.
    pub(super) fn begin_completion(
        &mut self,
        now: Nanos,
        market: MarketId,
        outcome: Outcome,
        qty: Qty,
        out: &mut Outbox,
    ) -> bool {
        let qty = qty.floor_to(LOT);
        let Some(value) = self.sale_value(market, outcome, qty) else { return false };
        let Some(found) = self.completion(market, outcome, qty, value) else { return false };
        assert!(found.gain >= Usd::ZERO, "G5: completing gives up nothing that a sale would bring");
        let mut legs = self.groups.take_room();
        legs.push(Leg::found(market, self.terms(market).venue, outcome, qty, value));
        legs.push(Leg {
            market: found.market,
            venue: self.terms(found.market).venue,
            outcome: found.outcome,
            limit: found.ask,
            reach: DEAREST,
            ..Leg::NONE
        });
        let id = self.groups.next_id();
        let mut group = Group::new(id, found.basket, legs, now);
        (group.target, group.payout, group.stop) = (qty, found.payout, Stop::Completing);
        let slot = self.groups.push(group);
        let next = now.after(self.limits.span(LimitRow::CooldownLossMs));
        self.unpaired_told.on_stop(market, next);
        self.alarm_group(Alarm::Completing, slot, out);
        self.note_group(slot, out);
        self.advance(now, id, out);
        true
    }

    /// What the best bid gives for contracts, less the fee. `None` where nobody bids.
    fn sale_value(&self, market: MarketId, outcome: Outcome, qty: Qty) -> Option<Usd> {
        let book = self.books.get(market)?;
        let (bid, _) = book.best_bid_for(outcome)?;
        Some(bid.proceeds_floor(qty) - book.terms().fee.fee(bid, qty, true))
    }

    /// The basket of two legs that completing `qty` contracts is best for, where that is no worse than a sale for `value`; of several
    /// that are alike the first by its id.
    fn completion(
        &self,
        market: MarketId,
        outcome: Outcome,
        qty: Qty,
        value: Usd,
    ) -> Option<Completion> {
        let mut best: Option<(BasketId, Completion)> = None;
        for (id, of) in self.baskets.touching(market).filter(|(_, of)| *of == outcome) {
            let Some(found) = self.completion_of(id, market, of, qty, value) else { continue };
            let is_better = |(other, known): &(BasketId, Completion)| {
                found.gain > known.gain || (found.gain == known.gain && id < *other)
            };
            if best.as_ref().is_none_or(is_better) {
                best = Some((id, found));
            }
        }
        best.map(|(_, found)| found)
    }

    /// The same of one basket. A basket of more legs, or of which a unit needs several contracts, is none that is completed by itself.
    fn completion_of(
        &self,
        id: BasketId,
        market: MarketId,
        outcome: Outcome,
        qty: Qty,
        value: Usd,
    ) -> Option<Completion> {
        let basket = self.baskets.get(id).filter(|basket| !basket.is_withdrawn())?;
        let [one, two] = basket.legs() else { return None };
        if one.ratio != 1 || two.ratio != 1 || self.groups.is_busy(id) {
            return None;
        }
        let is_found = one.market == market && one.outcome == outcome;
        let partner = if is_found { two } else { one };
        let book = self.books.get(partner.market)?;
        let terms = book.terms();
        let is_known = book.is_good() && !self.silence.is_suspect(partner.market, book.frames());
        let is_free = !self.groups.has_leg_in(partner.market) && self.groups.has_room(2);
        if !is_known || !is_free || !self.takes_trades(terms) || qty < terms.min_qty {
            return None;
        }
        let (ask, _) = book.best_ask_for(partner.outcome)?;
        if ask.proceeds_floor(qty) < terms.venue.rules().marketable_min {
            return None;
        }
        let cost = self.worst_cost(partner.market, ask, qty);
        if self.money.cash_free(CashAccount::of(terms.venue, terms.shard)) < cost {
            return None;
        }
        let gain = payout_floor(basket.payout(), qty) - cost - value;
        let (payout, market, outcome) = (basket.payout(), partner.market, partner.outcome);
        (gain >= Usd::ZERO).then_some(Completion { basket: id, payout, market, outcome, ask, gain })
    }
}
