//! One order a second time, plainly: what was ordered, filled, cancelled and is left, and what it reserves, worked out from what
//! was told of it in signed integers, without states. It is the specification, so it is dull.

use super::plain_ledger::cost_up;
use crate::fees::FeeRule;
use crate::units::Nanos;

/// Where so little is missing in what was told, the venue may have rounded it away. An order that may rest is over only when nothing
/// is missing, or when the venue was asked for half a minute.
pub(super) const DUST: i128 = 10_000;
/// Fills that a fee is reckoned with at most.
const FILLS: i128 = 8;

/// A limit in $0.0001 of the order's outcome, and a size in millionths of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub price: i128,
    pub qty: i128,
}

/// A change of an order that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changing {
    pub to: Terms,
    pub sent: Nanos,
    /// Whether the order is cancelled and another one takes what is left.
    pub replaces: bool,
}

/// What is known of one order.
#[derive(Clone, Debug)]
pub(super) struct PlainOrder {
    pub buys: bool,
    pub terms: Terms,
    pub change: Option<Changing>,
    /// The terms before the last change that was made, and when that became known.
    former: Option<(Terms, Nanos)>,
    /// Every limit that it has had, or may have had.
    limits: Vec<i128>,
    /// Contracts of the fills that were told and did not fail.
    pub filled: i128,
    /// The most contracts that anybody has called filled, those that failed since included.
    pub counted: i128,
    /// Contracts of fills that failed.
    pub void: i128,
    /// With how many it ended; `None` while it may go on.
    pub total: Option<i128>,
    /// Whether it has ended and all that it ended with is booked.
    pub over: bool,
    /// Whether it came before the matching engine, as far as is known.
    pub traded: bool,
    pub overfilled: bool,
    pub worse: bool,
    /// Fills that came after it was over.
    pub late: u32,
    /// Whether the venue has ever had it, by its own word.
    seen: bool,
    sent: Nanos,
    absent: u32,
    cancel_refused: bool,
    /// What the venue says that it has filled in part, after it would not cancel, or less than it had said before, after it was
    /// over; and since when.
    part: Option<(i128, Nanos)>,
}

impl PlainOrder {
    pub fn new(now: Nanos, buys: bool, terms: Terms) -> Self {
        Self {
            buys,
            terms,
            change: None,
            former: None,
            limits: vec![terms.price],
            filled: 0,
            counted: 0,
            void: 0,
            total: None,
            over: false,
            traded: true,
            overfilled: false,
            worse: false,
            late: 0,
            seen: false,
            sent: now,
            absent: 0,
            cancel_refused: false,
            part: None,
        }
    }

    /// The change that the venue makes in place, if one is under way.
    fn in_place(&self) -> Option<Changing> {
        self.change.filter(|change| !change.replaces)
    }

    /// What was ordered: the larger size while it changes.
    pub fn original(&self) -> i128 {
        self.in_place().map_or(self.terms.qty, |change| change.to.qty.max(self.terms.qty))
    }

    /// What may still fill, or has filled and is not booked.
    pub fn remaining(&self) -> i128 {
        (self.total.unwrap_or(self.original()) - self.filled).max(0)
    }

    /// What ended unfilled.
    pub fn cancelled(&self) -> i128 {
        self.total.map_or(0, |total| self.original() - total.max(self.filled))
    }

    /// What it must hold: dollars for a purchase, contracts for a sale of what is held.
    pub fn reserved(&self, fee: FeeRule) -> (i128, i128) {
        if self.over {
            return (0, 0);
        }
        let changed = self.change.map(|change| (change.to.price, change.to.qty - self.filled));
        let left = [(self.terms.price, self.remaining()), changed.unwrap_or((0, 0))];
        let left = left.map(|(price, qty)| (price, qty.max(0)));
        if self.buys {
            (left.map(|(price, qty)| worst_cost(fee, price, qty)).into_iter().max().unwrap(), 0)
        } else {
            (0, left.map(|(_, qty)| qty).into_iter().max().unwrap())
        }
    }

    /// Whether it was said to be over.
    fn has_ended(&self) -> bool {
        self.total.is_some() || self.over
    }

    /// What is filled, as far as is known: what failed may be in what the venue counts.
    pub fn known(&self) -> i128 {
        self.filled.max(self.counted - self.void)
    }

    /// It ended with so many contracts filled; it is over once they are booked.
    fn end(&mut self, total: i128) {
        self.total = Some(total);
        self.limits.extend(self.in_place().map(|change| change.to.price));
        // More than it was for: the change was made, though nobody has said so.
        let larger = self.in_place().filter(|change| change.to.qty > self.terms.qty);
        if let Some(made) = larger.filter(|_| self.known() > self.terms.qty + DUST) {
            self.terms = made.to;
        }
        (self.change, self.part) = (None, None);
        if self.filled >= total {
            (self.total, self.over) = (Some(self.filled), true);
        }
    }

    /// The venue says something of it, perhaps with how many it has filled. Returns whether it goes on.
    fn heard(&mut self, filled: Option<i128>) -> bool {
        (self.absent, self.seen) = (0, true);
        if let Some(filled) = filled {
            self.counted = self.counted.max(filled.min(self.original()));
            self.overfilled |= filled > self.original() + DUST;
            // What ended with less did not.
            if !self.over {
                self.total = self.total.map(|total| total.max(self.known()));
            }
        }
        !self.over
    }

    /// It is over, and the venue says less than it had said before: half a minute later it is believed. Returns whether it does.
    fn heard_less(&mut self, now: Nanos, filled: Option<i128>) -> bool {
        let waits = self.filled + DUST < self.known();
        let less = filled.filter(|filled| waits && filled + DUST < self.counted);
        let Some(told) = less.filter(|_| self.total.is_some()) else { return false };
        match self.part {
            Some((before, since)) if before == told => {
                if now.since(since) >= Nanos::from_secs(30) {
                    let total = self.filled.max(told - self.void);
                    self.counted = total + self.void;
                    self.end(total);
                }
            }
            _ => self.part = Some((told, now)),
        }
        true
    }

    pub fn rests(&mut self, filled: Option<i128>) {
        if self.heard(filled) {
            (self.cancel_refused, self.part) = (false, None);
        }
    }

    pub fn filled(&mut self, now: Nanos, filled: Option<i128>) {
        if !self.heard(filled) || self.heard_less(now, filled) {
            return;
        }
        let original = self.original();
        if filled.is_none() {
            self.counted = self.counted.max(original);
            return self.end(self.known());
        }
        if self.counted + DUST >= original {
            return self.end(self.known());
        }
        // In part: it rests, unless the venue would not cancel it and says the same a second later.
        if self.has_ended() {
            self.part = None;
        }
        if !self.cancel_refused || self.has_ended() {
            return;
        }
        match self.part {
            Some((told, since)) if told == self.known() => {
                if now.since(since) >= Nanos::from_secs(1) {
                    self.end(self.known());
                }
            }
            _ => self.part = Some((self.known(), now)),
        }
    }

    /// It is gone without being filled whole.
    pub fn gone(&mut self, now: Nanos, filled: Option<i128>) {
        if self.heard(filled) && !self.heard_less(now, filled) {
            self.part = None;
            if filled.is_some() {
                self.end(self.known());
            }
        }
    }

    /// It never was, or was never sent. Where the venue has had it that cannot be: only a count ends it.
    pub fn never(&mut self) {
        if !self.has_ended() && self.known() == 0 && !self.seen {
            self.traded = false;
            self.end(0);
        }
    }

    pub fn cancel_refused(&mut self) {
        self.cancel_refused |= !self.has_ended();
    }

    /// The venue does not know it: three times in a row, half a minute after it was sent, that is its end.
    pub fn absent(&mut self, now: Nanos) {
        if self.over {
            return;
        }
        if self.has_ended() {
            self.heard_less(now, Some(0));
            return;
        }
        self.absent += 1;
        if self.absent >= 3 && now.since(self.sent) >= Nanos::from_secs(30) {
            self.traded = false;
            self.end(self.known());
        }
    }

    /// A fill that was not told before.
    pub fn fill(&mut self, price: i128, qty: i128) {
        let now = [self.terms.price, self.in_place().map_or(self.terms.price, |to| to.to.price)];
        let mut limits = self.limits.iter().copied().chain(now);
        self.worse |= if self.buys {
            limits.all(|limit| price > limit)
        } else {
            limits.all(|limit| price < limit)
        };
        self.overfilled |= self.filled + qty > self.original() + DUST;
        (self.filled, self.seen) = (self.filled + qty, true);
        self.counted = self.counted.max(self.filled);
        if self.over {
            self.late += u32::from(qty > DUST);
            self.total = Some(self.filled);
        } else if let Some(total) = self.total {
            self.end(total.max(self.filled));
        } else if self.filled >= self.original() {
            self.end(self.known());
        }
    }

    /// A fill that was told turned out void.
    pub fn failed(&mut self, qty: i128) {
        (self.filled, self.void) = (self.filled - qty, self.void + qty);
        self.total = self.total.map(|total| (total - qty).max(0));
    }

    /// A fill is told that had failed before: nobody waits for it.
    pub fn failed_before(&mut self, qty: i128) {
        (self.void, self.seen) = (self.void + qty, true);
        if self.total.is_some() && !self.over {
            self.end(self.known());
        }
    }

    pub fn withdrawn(&mut self) {
        self.change = self.in_place();
    }

    /// The venue says which terms it has.
    pub fn has_terms(&mut self, now: Nanos, terms: Terms) {
        if self.has_ended() {
            return;
        }
        let is_old =
            |(former, at): (Terms, Nanos)| former == terms && now.since(at) < Nanos::from_secs(20);
        let waits =
            self.in_place().is_some_and(|change| now.since(change.sent) < Nanos::from_secs(20));
        let is_news = match self.in_place() {
            Some(change) if change.to == terms => true,
            // Before, the change may still be on its way.
            Some(_) if self.terms == terms => !waits,
            None if self.terms == terms => false,
            _ => !self.former.is_some_and(is_old),
        };
        if is_news {
            if self.terms != terms {
                self.former = Some((self.terms, now));
            }
            self.take(terms);
        }
    }

    pub fn amend_refused(&mut self) {
        if !self.has_ended() && self.in_place().is_some() {
            self.take(self.terms);
        }
    }

    fn take(&mut self, terms: Terms) {
        self.limits.push(self.terms.price);
        (self.terms, self.change) = (terms, self.change.filter(|change| change.replaces));
        if self.filled >= terms.qty {
            self.end(self.filled);
        }
    }
}

/// The most that so many contracts can cost at a limit: their price, the taker's fee, and the rounding of eight fills.
pub(super) fn worst_cost(fee: FeeRule, price: i128, qty: i128) -> i128 {
    if qty == 0 {
        return 0;
    }
    let curve = |rate: u32| i128::from(rate) * qty * price * (10_000 - price); // 1e-20 dollars
    let up = |exact: i128, step: i128| (exact + step - 1) / step;
    let fee = match fee {
        FeeRule::Kalshi { taker, .. } => up(curve(taker), 10_i128.pow(14)) + FILLS * 101,
        FeeRule::Polymarket { rate, .. } => {
            let step = 10_i128.pow(15); // $0.00001, and less than that is nothing
            let exact = curve(rate);
            let fee = if exact < step { 0 } else { 10 * up(exact, step) };
            fee + if rate > 0 { (FILLS - 1) * 10 } else { 0 }
        }
    };
    cost_up(price, qty) + fee
}
