//! Contracts of an exclusive set that were converted by other means than ours: NO of k of its markets became YES of the
//! others, and k - 1 dollars (`venues/polymarket.md` §9.1, 2026-11).
//!
//! Whichever one market comes true, both sides pay the same: NO of k pay k, or k - 1 where it is one of them, and then no YES
//! of the others pays. The venue tells of no conversion as such. Its list says it, where so many NO of some markets of a
//! cluster are gone and as many YES of others have come, and its cash says the same: neither is believed alone. A fee on it
//! makes the amounts others, and then it is a difference like any other.

use super::Core;
use crate::bounds::LEGS_MAX;
use crate::ids::{ClusterId, MarketId, Outcome};
use crate::ledger::CashAccount;
use crate::outbox::Outbox;
use crate::units::{Price, Qty, Usd};

/// What the markets of one cluster say of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Conversion {
    /// Contracts of each market.
    qty: Qty,
    /// How many markets' NO went, and how many markets' YES came.
    markets: [u32; 2],
    /// What the NO that went have cost.
    cost: Usd,
}

impl Conversion {
    /// A dollar for each contract and each market but one.
    fn pays(&self) -> Usd {
        let pays = i64::from(self.markets[0] - 1) * Price::ONE.proceeds_floor(self.qty).micros();
        Usd::from_micros(pays)
    }

    /// At what the NO that have cost `share`, in the `nth` market, went; or the YES of the `nth` market came. What the NO
    /// have cost beyond the dollars is what the YES cost, in equal parts, and there is no result. Where they have cost less
    /// the rest is a gain, and the YES cost nothing.
    fn amount(&self, outcome: Outcome, share: Usd, nth: u32) -> Usd {
        let [sold, bought] = self.markets;
        let over = self.cost - self.pays();
        match outcome {
            Outcome::No if over > Usd::ZERO && bought > 0 => share,
            Outcome::No => part(self.pays(), sold, nth),
            Outcome::Yes => part(over.max(Usd::ZERO), bought, nth),
        }
    }
}

/// The `nth` of so many parts that come to the whole amount; the first ones have the microdollars that are left over.
fn part(amount: Usd, parts: u32, nth: u32) -> Usd {
    let (amount, parts) = (amount.micros(), i64::from(parts));
    Usd::from_micros(amount / parts + i64::from(i64::from(nth) < amount % parts))
}

impl Core {
    /// The dollars that conversions have brought to an account, by the venue's list.
    pub(super) fn cash_of_conversions(&self, account: CashAccount) -> Usd {
        let clusters = self.converted_clusters(account);
        clusters.fold(Usd::ZERO, |sum, cluster| {
            sum + self.conversion(account, cluster).map_or(Usd::ZERO, |found| found.pays())
        })
    }

    /// Books the conversions that the venue's list shows, once its cash has said the same.
    pub(super) fn take_converted(&mut self, account: CashAccount, out: &mut Outbox) {
        if self.comparison.converted() > LEGS_MAX {
            return; // no set has so many, and nothing was counted of them
        }
        let mut from = MarketId::new(0);
        while let Some((market, _)) = self.next_converted(&mut from, account) {
            let cluster = self.terms(market).cluster;
            let Some(found) = self.conversion(account, cluster) else { continue };
            let cash = self.money.cash(account);
            self.convert_set(account, cluster, &found, out);
            assert!(
                self.money.cash(account) == cash + found.pays(),
                "P1: a conversion pays a dollar for each market but one"
            );
        }
    }

    /// Books one conversion: every market of it, from the first on.
    fn convert_set(
        &mut self,
        account: CashAccount,
        cluster: ClusterId,
        found: &Conversion,
        out: &mut Outbox,
    ) {
        let mut nth = [0; 2];
        let mut from = MarketId::new(0);
        while let Some((market, theirs)) = self.next_converted(&mut from, account) {
            if self.terms(market).cluster != cluster {
                continue;
            }
            let (outcome, qty) = self.converted_here(market, theirs);
            let (nth, share) = match outcome {
                Outcome::No => (&mut nth[0], self.money.position(market).share(outcome, qty)),
                Outcome::Yes => (&mut nth[1], Usd::ZERO),
            };
            let amount = found.amount(outcome, share, *nth);
            *nth += 1;
            self.money.convert(&self.books, market, outcome, qty, amount);
            self.comparison.end_pairs(market);
            self.note_position(market, out);
        }
        self.mark(); // what went took its worth along
    }

    /// What the markets of a cluster say together; `None` where it is no conversion.
    fn conversion(&self, account: CashAccount, cluster: ClusterId) -> Option<Conversion> {
        let (mut markets, mut cost, mut all) = ([0; 2], Usd::ZERO, None);
        let mut from = MarketId::new(0);
        while let Some((market, theirs)) = self.next_converted(&mut from, account) {
            if self.terms(market).cluster != cluster {
                continue;
            }
            let (outcome, qty) = self.converted_here(market, theirs);
            if all.is_some_and(|all| all != qty) || markets[0] + markets[1] >= LEGS_MAX as u32 {
                return None;
            }
            all = Some(qty);
            match outcome {
                Outcome::No => {
                    markets[0] += 1;
                    cost += self.money.position(market).share(outcome, qty);
                }
                Outcome::Yes => markets[1] += 1,
            }
        }
        // NO of one market alone become nothing, and nothing becomes YES.
        let [sold, bought] = markets;
        let is_one = sold > 1 || (sold == 1 && bought > 0);
        is_one.then_some(Conversion { qty: all?, markets, cost })
    }

    /// Which contracts of a market went, or came, and how many.
    fn converted_here(&self, market: MarketId, theirs: [Qty; 2]) -> (Outcome, Qty) {
        let position = self.money.position(market);
        let [yes, no] = [Outcome::Yes, Outcome::No].map(|outcome| position.held(outcome));
        match theirs[1] < no {
            true => (Outcome::No, no - theirs[1]),
            false => (Outcome::Yes, theirs[0] - yes),
        }
    }

    /// The clusters of an account whose contracts may have been converted, each once; none where they are more than a set
    /// has markets.
    fn converted_clusters(&self, account: CashAccount) -> impl Iterator<Item = ClusterId> {
        let mut from = MarketId::new(0);
        let few = self.comparison.converted() <= LEGS_MAX;
        std::iter::from_fn(move || {
            loop {
                let (market, _) = self.next_converted(&mut from, account).filter(|_| few)?;
                let cluster = self.terms(market).cluster;
                let mut before = MarketId::new(0);
                let is_first = std::iter::from_fn(|| self.next_converted(&mut before, account))
                    .find(|(other, _)| self.terms(*other).cluster == cluster)
                    .is_some_and(|(first, _)| first == market);
                if is_first {
                    return Some(cluster);
                }
            }
        })
    }

    /// The next market of an account whose contracts may have been converted; `from` moves on behind it.
    fn next_converted(
        &self,
        from: &mut MarketId,
        account: CashAccount,
    ) -> Option<(MarketId, [Qty; 2])> {
        loop {
            let found = self.comparison.next_converted(*from)?;
            *from = MarketId::new(found.0.get() + 1);
            if self.cash_account(found.0) == account {
                return Some(found);
            }
        }
    }
}
