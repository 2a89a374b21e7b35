//! What is held in one market.

use crate::ids::Outcome;
use crate::pack::pack_fields;
use crate::units::{Price, Qty, Usd};
use crate::venue_rules::Pairs;

/// Contracts of both outcomes, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    held: [Qty; 2],
    /// Contracts sold beyond what was held; an outcome is held or short, never both.
    short: [Qty; 2],
    /// What is held cost so much; below zero, what is short brought so much.
    cost: [Usd; 2],
    /// Contracts of a settled market that the venue has not paid for yet.
    claimed: [Qty; 2],
    /// What it owes for them.
    claim: Usd,
    /// What a YES pays, once that is known.
    pub(super) pays: Option<Price>,
    /// Contracts that the result has taken away, held and short, as long as another result would pay them otherwise.
    decided: [[Qty; 2]; 2],
    /// What the result has given for them.
    decided_for: Usd,
    /// Realised result in this market, by sales and settlement, fees taken off.
    pub realised: Usd,
}

impl Position {
    /// Contracts held of an outcome.
    pub const fn held(&self, outcome: Outcome) -> Qty {
        self.held[outcome.index()]
    }

    /// Contracts of an outcome sold beyond what was held. No venue lets that be: either it had more than we knew of, or
    /// it will take the sale back, or it told us wrongly that a purchase had failed. Reconciliation ends it.
    pub const fn short(&self, outcome: Outcome) -> Qty {
        self.short[outcome.index()]
    }

    /// Whether an outcome is short.
    pub const fn is_short(&self) -> bool {
        !self.short[0].is_zero() || !self.short[1].is_zero()
    }

    /// What an outcome's contracts cost; below zero, what was got for those sold that were not held.
    pub const fn cost(&self, outcome: Outcome) -> Usd {
        self.cost[outcome.index()]
    }

    /// What both outcomes cost.
    pub fn cost_total(&self) -> Usd {
        self.cost[0] + self.cost[1]
    }

    /// The most that what is held can lose.
    pub fn at_risk(&self) -> Usd {
        self.cost[0].max(Usd::ZERO) + self.cost[1].max(Usd::ZERO)
    }

    /// What the settled market owes and has not paid yet.
    pub const fn claim(&self) -> Usd {
        self.claim
    }

    /// Contracts of an outcome that the claim is for.
    pub const fn claimed(&self, outcome: Outcome) -> Qty {
        self.claimed[outcome.index()]
    }

    /// Whether contracts wait to be redeemed, worthless ones included.
    pub fn has_claim(&self) -> bool {
        self.claimed != [Qty::ZERO; 2] || self.claim != Usd::ZERO
    }

    /// Whether the market has its result.
    pub const fn is_settled(&self) -> bool {
        self.pays.is_some()
    }

    /// Whether nothing is held and nothing is short.
    pub const fn is_flat(&self) -> bool {
        self.held[0].is_zero() && self.held[1].is_zero() && !self.is_short()
    }

    /// Whether anything is held, short or claimed.
    pub fn is_open(&self) -> bool {
        !self.is_flat() || self.has_claim()
    }

    /// Checks what holds of every position, after every change.
    ///
    /// # Panics
    /// Where it does not hold.
    pub(super) fn check(&self) {
        for at in [Outcome::Yes, Outcome::No].map(Outcome::index) {
            let (held, short, cost) = (self.held[at], self.short[at], self.cost[at]);
            assert!(
                held.is_zero() || short.is_zero(),
                "P1: an outcome is held or short, never both"
            );
            let cost_fits = match (held.is_zero(), short.is_zero()) {
                (true, true) => cost == Usd::ZERO,
                (false, _) => cost >= Usd::ZERO,
                (true, false) => cost <= Usd::ZERO,
            };
            assert!(cost_fits, "P4: what is held has cost, what is short has brought");
        }
    }

    /// Takes contracts in; those that were short are made good first. Returns the result of that.
    pub(super) fn buy(&mut self, outcome: Outcome, qty: Qty, cost: Usd) -> Usd {
        let at = outcome.index();
        let back = qty.min(self.short[at]);
        let (paid, brought) = (part(cost, back, qty), part(-self.cost[at], back, self.short[at]));
        self.short[at] -= back;
        self.held[at] += qty - back;
        self.cost[at] += brought + (cost - paid);
        brought - paid
    }

    /// Gives contracts away; what is not held becomes short. Returns the result of what was held.
    pub(super) fn sell(&mut self, outcome: Outcome, qty: Qty, proceeds: Usd) -> Usd {
        let at = outcome.index();
        let there = qty.min(self.held[at]);
        let (got, share) = (part(proceeds, there, qty), self.take(outcome, there));
        self.short[at] += qty - there;
        self.cost[at] -= proceeds - got;
        got - share
    }

    /// Takes contracts out and returns their share of the cost; the last ones take all that is left of it.
    ///
    /// # Panics
    /// If fewer are held.
    pub(super) fn take(&mut self, outcome: Outcome, qty: Qty) -> Usd {
        let share = self.share(outcome, qty);
        self.held[outcome.index()] -= qty;
        self.cost[outcome.index()] -= share;
        share
    }

    /// So many are held, and nothing is short. Those that are new cost `price` each.
    pub(super) fn set(&mut self, outcome: Outcome, qty: Qty, price: Price) {
        let at = outcome.index();
        if !self.short[at].is_zero() {
            (self.short[at], self.cost[at]) = (Qty::ZERO, Usd::ZERO);
        }
        let held = self.held(outcome);
        let more = qty.saturating_sub(held);
        self.take(outcome, held.saturating_sub(qty));
        self.buy(outcome, more, price.cost_ceil(more));
    }

    /// So many millionths more are held, or fewer, but never less than nothing: of each outcome, or of YES less NO where
    /// pairs are netted. New ones cost `price` a YES. An outcome that does not change stays short where it is.
    pub(super) fn change(&mut self, pairs: Pairs, by: [i64; 2], price: Price) {
        let have = self.held.map(|held| i128::from(held.micros()));
        let [yes, no] = by.map(i128::from);
        let want = match pairs {
            Pairs::Kept => [have[0] + yes, have[1] + no],
            Pairs::Netted => {
                let net = have[0] - have[1] + yes;
                [net, -net]
            }
        };
        let costs = [(Outcome::Yes, price), (Outcome::No, price.complement())];
        for (outcome, price) in
            costs.into_iter().filter(|(outcome, _)| want[outcome.index()] != have[outcome.index()])
        {
            let micros = u64::try_from(want[outcome.index()].max(0)).expect("QTY_MAX bounds it");
            self.set(outcome, Qty::from_micros(micros), price);
        }
    }

    /// What is held becomes a claim on what it pays, and what is short takes from it. Returns the result of that.
    pub(super) fn settle(&mut self, yes_pays: Price) -> Usd {
        let (cost, mut claim) = (self.cost_total(), Usd::ZERO);
        for (outcome, pays) in [(Outcome::Yes, yes_pays), (Outcome::No, yes_pays.complement())] {
            let at = outcome.index();
            claim += pays.proceeds_floor(self.held[at]) - pays.cost_ceil(self.short[at]);
            let claimed = self.claimed[at] + self.held[at];
            self.claimed[at] = claimed.saturating_sub(self.short[at]);
            self.decided[0][at] += self.held[at];
            self.decided[1][at] += self.short[at];
            (self.held[at], self.short[at]) = (Qty::ZERO, Qty::ZERO);
            self.cost[at] = Usd::ZERO;
        }
        self.claim += claim;
        self.decided_for += claim;
        claim - cost
    }

    /// The result is another one: what it has taken away is worth something else, and the claim is that of the new result.
    /// Returns what the old one had given, and what the new one gives.
    pub(super) fn decide_anew(&mut self, yes_pays: Price) -> [Usd; 2] {
        let [held, short] = self.decided;
        let pays = [yes_pays, yes_pays.complement()];
        let worth = [Outcome::Yes, Outcome::No]
            .map(Outcome::index)
            .map(|at| pays[at].proceeds_floor(held[at]) - pays[at].cost_ceil(short[at]));
        let (old, new) = (self.decided_for, worth[0] + worth[1]);
        self.pays = Some(yes_pays);
        self.claim += new - old;
        self.decided_for = new;
        [old, new]
    }

    /// The claim was paid. Where the venue pays by itself it may yet say otherwise, and takes back what it has paid.
    pub(super) fn take_claim(&mut self) {
        (self.claimed, self.claim) = ([Qty::ZERO; 2], Usd::ZERO);
    }

    /// The claim was redeemed or is given up: that is for good, whatever the result becomes.
    pub(super) fn end_claim(&mut self) {
        self.take_claim();
        (self.decided, self.decided_for) = ([[Qty::ZERO; 2]; 2], Usd::ZERO);
    }

    /// The part of the cost that `qty` contracts carry, rounded down.
    ///
    /// # Panics
    /// If fewer are held.
    pub fn share(&self, outcome: Outcome, qty: Qty) -> Usd {
        let (held, cost) = (self.held(outcome), self.cost(outcome));
        assert!(qty <= held, "no more is taken than is held");
        part(cost, qty, held)
    }
}

/// The part of an amount that belongs to `qty` of `whole` contracts, rounded down; all of it for all of them, and nothing of
/// nothing.
fn part(amount: Usd, qty: Qty, whole: Qty) -> Usd {
    if whole.is_zero() {
        return Usd::ZERO;
    }
    let exact = i128::from(amount.micros()) * i128::from(qty.micros()) / i128::from(whole.micros());
    Usd::from_micros(i64::try_from(exact).expect("a part of an amount fits"))
}

pack_fields! {
    Position { held, short, cost, claimed, claim, pays, decided, decided_for, realised }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Qty = Qty::from_contracts(1);
    const CENT: Usd = Usd::from_cents(1);

    #[test]
    #[should_panic(expected = "P1: an outcome is held or short, never both")]
    fn what_is_held_and_short_at_once_is_found() {
        Position { held: [ONE, Qty::ZERO], short: [ONE, Qty::ZERO], ..Position::default() }.check();
    }

    #[test]
    fn a_cost_of_the_wrong_sign_is_found() {
        let none = [Qty::ZERO; 2];
        let of_no = |qty| [Qty::ZERO, qty];
        let cases = [
            (none, none, CENT, Usd::ZERO),
            (of_no(ONE), none, -CENT, CENT),
            (none, of_no(ONE), CENT, -CENT),
        ];
        for (held, short, wrong, right) in cases {
            let with =
                |cost| Position { held, short, cost: [Usd::ZERO, cost], ..Position::default() };
            let found = std::panic::catch_unwind(|| with(wrong).check()).is_err();
            assert!(found, "P4: {:?}", with(wrong));
            with(right).check();
        }
    }
}
