//! What was taken over from the venues without an explanation. A fill or a payment that is heard of later is its
//! explanation: it uses the repair up, so that nothing is counted twice.
//!
//! A repair explains nothing of an order that was sent after the reading had begun, and nothing that an order in flight may
//! still fill: the comparison left that out of the repair.

use super::Core;
use super::money::{Correction, Figure};
use crate::ids::{Action, MarketId, Outcome, Venue};
use crate::ledger::{Booking, CashAccount, Position};
use crate::market::MarketDef;
use crate::pack::pack_fields;
use crate::state::state_fields;
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

/// The cash in an account, taken over.
#[derive(Clone, Copy, Debug)]
struct CashRepair {
    account: CashAccount,
    /// When the reading began that was the first to show the figure.
    since: Nanos,
    /// By how much the cash was changed, less what has been explained since.
    by: Usd,
}

/// A search through the repairs for what a fill explains.
#[derive(Clone, Copy, Debug)]
struct Search {
    market: MarketId,
    /// Which of [`ContractsRepair::by`] the fill changes.
    side: usize,
    /// When the order was sent.
    sent: Nanos,
    /// Millionths of a contract that are not explained yet, below zero where the fill takes contracts away.
    wanted: i128,
    /// The position of the next repair to be looked at.
    next: usize,
}

/// The repairs, the oldest first.
#[derive(Debug)]
pub(super) struct Repairs {
    contracts: VecDeque<ContractsRepair>,
    cash: VecDeque<CashRepair>,
}

pack_fields! {
    ContractsRepair { market, since, by, price }
    CashRepair { account, since, by }
}

state_fields! {
    Repairs { contracts: list(REPAIRS_MAX), cash: list(REPAIRS_MAX) }
}

impl Repairs {
    pub fn new() -> Self {
        Self {
            contracts: VecDeque::with_capacity(REPAIRS_MAX),
            cash: VecDeque::with_capacity(REPAIRS_MAX),
        }
    }

    /// The cash in an account was taken over, as a reading that began at `since` was the first to show: `by` is how much more
    /// than we had.
    pub fn note_cash(&mut self, account: CashAccount, since: Nanos, by: Usd) {
        if self.cash.len() == REPAIRS_MAX {
            self.cash.pop_front();
        }
        self.cash.push_back(CashRepair { account, since, by });
    }

    /// The contracts of a market are about to be taken over, as a reading that began at `since` was the first to show: new
    /// ones are booked at `new` a YES.
    pub fn note_contracts(
        &mut self,
        terms: &MarketDef,
        position: &Position,
        since: Nanos,
        theirs: [Qty; 2],
        new: Price,
    ) {
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
        if terms.venue.rules().nets_pairs() {
            by = [by[0] - by[1], 0];
        }
        if self.contracts.len() == REPAIRS_MAX {
            self.contracts.pop_front();
        }
        self.contracts.push_back(ContractsRepair { market: terms.market, since, by, price });
    }

    /// The newest repair that took away from a market what the venue has there more than we: so many millionths, ordered as repairs
    /// are. That it was gone was not true.
    fn undone_by(&self, market: MarketId, more: [i128; 2]) -> Option<usize> {
        let is_it = |repair: &ContractsRepair| {
            repair.market == market && repair.by.map(|by| -by) == more && more != [0; 2]
        };
        self.contracts.iter().rposition(is_it)
    }

    /// Takes what a fill explains out of one repair: the next one from `search.next` on that is of the same market and was
    /// first seen after the order was sent. Of contracts that a repair had added, at most `most` millionths are taken.
    /// Returns how many millionths it was, and at what prices of YES and of NO contracts are put back; `None` once no repair
    /// is left.
    fn explain_contracts(&mut self, search: &mut Search, most: i128) -> Option<(i128, [Price; 2])> {
        while let Some(repair) = self.contracts.get_mut(search.next) {
            search.next += 1;
            if repair.market != search.market || repair.since <= search.sent {
                continue;
            }
            let part = overlap(repair.by[search.side], search.wanted).min(most);
            if part != 0 {
                repair.by[search.side] -= part;
                search.wanted -= part;
                return Some((part, repair.price));
            }
        }
        None
    }

    /// Takes up to `wanted` dollars, above or below zero, out of the repairs of an account that were first seen at `since`
    /// or later. Returns how many there were.
    fn explain_cash(&mut self, account: CashAccount, wanted: Usd, since: Nanos) -> Usd {
        let mut explained = Usd::ZERO;
        for repair in &mut self.cash {
            if repair.account != account || repair.since < since {
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

/// By how much the venue has more than we, ordered as repairs are; `None` where it has less of an outcome.
fn grown(venue: Venue, ours: [i128; 2], theirs: [Qty; 2]) -> Option<[i128; 2]> {
    let by = [0, 1].map(|outcome| micros(theirs[outcome]) - ours[outcome]);
    let grows = by.iter().all(|&by| by >= 0) && ours.iter().all(|&held| held >= 0);
    let by = if venue.rules().nets_pairs() { [by[0] - by[1], 0] } else { by };
    grows.then_some(by)
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

impl Core {
    /// A fill of an order sent at `sent`, of which `open` contracts may still fill, is about to be booked: what a later
    /// repair had already counted of it is taken back first, contracts and cash each for themselves.
    pub(super) fn take_back_repairs(&mut self, sent: Nanos, open: Qty, booking: &Booking) {
        let booking = &Booking { qty: booking.qty.saturating_sub(open), ..*booking };
        if booking.qty.is_zero() {
            return; // no repair has counted it
        }
        let &Booking { market, account, .. } = booking;
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
        let explained = self.repairs.explain_cash(account, change, after_sending);
        if explained != Usd::ZERO {
            self.money.put_back_cash(account, explained);
        }
    }

    fn take_back_contracts(&mut self, sent: Nanos, booking: &Booking) {
        let &Booking { market, outcome, .. } = booking;
        let netted = booking.account.venue().rules().nets_pairs();
        let side = if netted { 0 } else { outcome.index() };
        let grows = (booking.action == Action::Buy) == (!netted || outcome == Outcome::Yes);
        let wanted = if grows { micros(booking.qty) } else { -micros(booking.qty) };
        let mut search = Search { market, side, sent, wanted, next: 0 };
        loop {
            // Where pairs are kept nobody can hold less than nothing: what the repair added may be sold by now.
            let held = micros(self.money.position(market).held(outcome));
            let most = if netted { i128::MAX } else { held };
            let explained = self.repairs.explain_contracts(&mut search, most);
            let Some((part, price)) = explained else { break };
            self.put_back(market, side, -part, price);
        }
    }

    /// Whether the venue lists again, to the last millionth, what a repair had taken away: contracts that it had said were gone.
    /// That is no fill of an order that rests, though one could explain it.
    pub(super) fn is_back(
        &self,
        venue: Venue,
        market: MarketId,
        ours: [i128; 2],
        theirs: [Qty; 2],
    ) -> bool {
        let more = grown(venue, ours, theirs);
        more.is_some_and(|more| self.repairs.undone_by(market, more).is_some())
    }

    /// What a repair had taken away is there again: see [`Self::is_back`]. It comes back at what it had cost.
    pub(super) fn take_back_repair(
        &mut self,
        venue: Venue,
        market: MarketId,
        theirs: [Qty; 2],
        ours: [i128; 2],
    ) {
        let more = grown(venue, ours, theirs).expect("it is back");
        let at = self.repairs.undone_by(market, more).expect("it is back");
        let repair = self.repairs.contracts.remove(at).expect("just found");
        for side in [0, 1].into_iter().filter(|&side| more[side] != 0) {
            self.put_back(market, side, more[side], repair.price);
        }
    }

    /// Changes what is held by so many millionths: of one outcome, or, where pairs are netted, of YES less NO. It undoes a repair, and
    /// what that left in the result of the day goes with it.
    fn put_back(&mut self, market: MarketId, side: usize, by: i128, price: [Price; 2]) {
        let position = self.money.position(market);
        let held = [Outcome::Yes, Outcome::No].map(|outcome| micros(position.held(outcome)));
        let has_more_yes = match self.terms(market).venue.rules().pairs {
            Pairs::Kept => side == 0 && by > 0,
            Pairs::Netted => (held[0] - held[1] + by).max(0) > held[0],
        };
        // New contracts are of one outcome alone: the other side has none, or loses some.
        let yes_price = if has_more_yes { price[0] } else { price[1].complement() };
        let mut both = [0; 2];
        both[side] = i64::try_from(by).expect("it is a part of what was corrected");
        self.money.correct_position(
            &self.books,
            &self.baskets,
            market,
            Figure::By(both),
            yes_price,
            Correction::PutBack,
        );
    }

    /// A payment of a settled market is about to be booked, made at `from` at the earliest: what a repair had already
    /// counted of it is taken back first.
    pub(super) fn take_back_payment(&mut self, account: CashAccount, paid: Usd, from: Nanos) {
        let explained = self.repairs.explain_cash(account, paid, from);
        if explained != Usd::ZERO {
            self.money.put_back_cash(account, explained);
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
