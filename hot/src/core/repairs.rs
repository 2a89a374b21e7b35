//! What was taken over from the venues without an explanation. A fill or a payment that is heard of later is its
//! explanation: it uses the repair up, so that nothing is counted twice.
//!
//! A repair explains nothing of an order that was sent after the reading had begun, and nothing that an order in flight may
//! still fill: the comparison left that out of the repair.

use super::Core;
use super::money::Correction;
use crate::ids::{Action, MarketId, Outcome};
use crate::ledger::{Booking, Purse};
use crate::market::MarketDef;
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::Pairs;

use std::collections::VecDeque;

/// So many repairs of each kind are remembered; then the oldest is forgotten.
const REPAIRS_MAX: usize = 256;

/// The contracts of a market, taken over.
#[derive(Clone, Copy, Debug)]
struct ContractsRepair {
    market: MarketId,
    /// When the reading began that was the first to show the figure.
    since: Nanos,
    /// By how many millionths of a contract YES and NO were changed, less what has been explained since. Where
    /// the venue nets pairs, the first is YES less NO, and the second is zero.
    by: [i128; 2],
    /// What a contract of YES and of NO is put back at: what it had cost, on average, or was taken to cost.
    price: [Price; 2],
}

/// The cash in a purse, taken over.
#[derive(Clone, Copy, Debug)]
struct CashRepair {
    purse: Purse,
    /// When the reading began that was the first to show the figure.
    since: Nanos,
    /// By how much the cash was changed, less what has been explained since.
    by: Usd,
}

/// The repairs, the oldest first.
#[derive(Debug)]
pub(super) struct Repairs {
    contracts: VecDeque<ContractsRepair>,
    cash: VecDeque<CashRepair>,
}

impl Repairs {
    pub fn new() -> Self {
        Self {
            contracts: VecDeque::with_capacity(REPAIRS_MAX),
            cash: VecDeque::with_capacity(REPAIRS_MAX),
        }
    }

    /// Takes up to `wanted` dollars, above or below zero, out of the repairs of a purse that were first seen at `since`
    /// or later. Returns how many there were.
    fn explain_cash(&mut self, purse: Purse, wanted: Usd, since: Nanos) -> Usd {
        let mut explained = Usd::ZERO;
        for repair in &mut self.cash {
            if repair.purse != purse || repair.since < since {
                continue;
            }
            let part =
                overlap(i128::from(repair.by.micros()), i128::from((wanted - explained).micros()));
            let part = Usd::from_micros(i64::try_from(part).expect("it is less than the repair"));
            repair.by -= part;
            explained += part;
        }
        explained
    }
}

/// The smaller of two amounts of the same sign; nothing where one is gained and the other lost.
fn overlap(one: i128, other: i128) -> i128 {
    match (one > 0, other > 0) {
        (true, true) => one.min(other),
        (false, false) => one.max(other),
        (true, false) | (false, true) => 0,
    }
}

fn micros(qty: Qty) -> i128 {
    i128::from(qty.micros())
}

fn qty(micros: i128) -> Qty {
    Qty::from_micros(u64::try_from(micros).expect("the caller bounds it"))
}

impl Core {
    /// The cash in a purse was taken over: `by` is how much more than we had.
    pub(super) fn on_cash_repaired(&mut self, purse: Purse, since: Nanos, by: Usd) {
        let all = &mut self.repairs.cash;
        if all.len() == REPAIRS_MAX {
            all.pop_front();
        }
        all.push_back(CashRepair { purse, since, by });
    }

    /// The contracts of a market are about to be taken over: new ones are booked at `new` a YES.
    pub(super) fn on_contracts_repaired(
        &mut self,
        market: MarketId,
        since: Nanos,
        theirs: [Qty; 2],
        new: Price,
    ) {
        let position = self.money.position(market);
        let mut by = [0; 2];
        let mut price = [new, new.complement()];
        for outcome in [Outcome::Yes, Outcome::No] {
            let at = outcome.index();
            let held = position.held(outcome);
            by[at] = micros(theirs[at]) - micros(held) + micros(position.short(outcome));
            if let Some(cost) = average(position.cost(outcome), held) {
                price[at] = cost;
            }
        }
        if self.terms(market).venue.rules().nets_pairs() {
            by = [by[0] - by[1], 0];
        }
        let all = &mut self.repairs.contracts;
        if all.len() == REPAIRS_MAX {
            all.pop_front();
        }
        all.push_back(ContractsRepair { market, since, by, price });
    }

    /// A fill of an order sent at `sent`, of which `open` contracts may still fill, is about to be booked: what a later
    /// repair had already counted of it is taken back first, contracts and cash each for themselves.
    pub(super) fn take_back_repairs(&mut self, sent: Nanos, open: Qty, booking: &Booking) {
        let booking = &Booking { qty: booking.qty.saturating_sub(open), ..*booking };
        if booking.qty.is_zero() {
            return; // no repair has counted it
        }
        let &Booking { market, purse, .. } = booking;
        let position = self.money.position(market);
        if position.is_settled() {
            return; // it was paid for as it stood
        }
        // What is short is put right by the next readings alone.
        if !position.is_short() {
            self.take_back_contracts(sent, booking);
        }
        let change = self.money.ledger().cash_change(booking);
        let after_sending = Nanos::new(sent.get() + 1);
        let explained = self.repairs.explain_cash(purse, change, after_sending);
        if explained != Usd::ZERO {
            self.money.correct_cash(purse, self.money.cash(purse) - explained);
        }
    }

    fn take_back_contracts(&mut self, sent: Nanos, booking: &Booking) {
        let &Booking { market, outcome, .. } = booking;
        let netted = booking.purse.venue().rules().nets_pairs();
        let side = if netted { 0 } else { outcome.index() };
        let grows = (booking.action == Action::Buy) == (!netted || outcome == Outcome::Yes);
        let mut wanted = if grows { micros(booking.qty) } else { -micros(booking.qty) };
        for at in 0..self.repairs.contracts.len() {
            let repair = &mut self.repairs.contracts[at];
            if repair.market != market || repair.since <= sent {
                continue;
            }
            let mut part = overlap(repair.by[side], wanted);
            if !netted {
                // Nobody can hold less than nothing there: what the repair added may be sold by now.
                part = part.min(micros(self.money.position(market).held(outcome)));
            }
            if part == 0 {
                continue;
            }
            repair.by[side] -= part;
            wanted -= part;
            let price = repair.price;
            self.put_back(market, side, -part, price);
        }
    }

    /// Changes what is held by so many millionths: of one outcome, or, where pairs are netted, of YES less NO. It undoes a repair, and
    /// what that left in the result of the day goes with it.
    fn put_back(&mut self, market: MarketId, side: usize, by: i128, price: [Price; 2]) {
        let position = *self.money.position(market);
        let held = [Outcome::Yes, Outcome::No].map(|outcome| micros(position.held(outcome)));
        let &MarketDef { venue, .. } = self.terms(market);
        let now = match venue.rules().pairs {
            Pairs::Kept => {
                let mut now = held;
                now[side] += by;
                now
            }
            Pairs::Netted => {
                let net = held[0] - held[1] + by;
                [net.max(0), (-net).max(0)]
            }
        };
        // New contracts are of one outcome alone: the other side has none, or loses some.
        let yes_price = if now[0] > held[0] { price[0] } else { price[1].complement() };
        self.money.correct_position(
            &self.books,
            &self.baskets,
            market,
            now.map(qty),
            yes_price,
            Correction::PutBack,
        );
    }

    /// A payment of a settled market is about to be booked, made at `from` at the earliest: what a repair had already
    /// counted of it is taken back first.
    pub(super) fn take_back_payment(&mut self, purse: Purse, paid: Usd, from: Nanos) {
        let explained = self.repairs.explain_cash(purse, paid, from);
        if explained != Usd::ZERO {
            self.money.correct_cash(purse, self.money.cash(purse) - explained);
        }
    }
}

/// What one of so many contracts cost, rounded down; `None` where there are none, or were paid less than nothing for.
fn average(cost: Usd, held: Qty) -> Option<Price> {
    if held.is_zero() {
        return None;
    }
    let ticks = i128::from(cost.micros()) * 10_000 / micros(held);
    Price::from_ticks(u16::try_from(ticks).ok()?)
}
