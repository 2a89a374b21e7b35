//! How the venues differ in what they let an order be and in what they do with money and contracts: one row a venue.
//!
//! Core, gate, ledger and depth walk ask this table and never a venue's name, so that a further venue is a further row.
//! A rule that no field can say becomes a new field here. What a fill costs is the market's own [`crate::fees::FeeRule`].
//!
//! Sources: venue references `polymarket.md` and `kalshi.md`, both compiled 2026-11-20; the section stands at each row.

use crate::ids::Venue;
use crate::units::{Nanos, Qty, Usd};

/// The smallest step of a size, in contracts, on every venue: sizes have two decimals.
pub const LOT: Qty = Qty::from_micros(10_000);

/// The rules of one venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueRules {
    /// How many separate cash accounts the venue keeps for us: at least one, and at most 64 at all venues together. An order draws on the one of its market's shard.
    pub cash_accounts: u8,
    /// The steps that an order's size comes in.
    pub lots: Lots,
    /// The orders that must have their market's smallest size.
    pub min_size: MinSize,
    /// An order that takes is refused below this worth at its own price. Zero where no worth is too small.
    pub marketable_min: Usd,
    /// Whether a resting order is changed in place; where it is not, a change is a cancel and then another order.
    pub amends_in_place: bool,
    /// How far ahead an order's expiry must lie when the venue reads it.
    pub expiry_ahead_min: Nanos,
    /// What a purchase that takes at once is for: a number of contracts, or a sum of money.
    pub purchases: Purchases,
    /// What the venue does with a sale of more contracts than are held.
    pub oversale: Oversale,
    /// What becomes of YES and NO of one market that are held together.
    pub pairs: Pairs,
    /// Whether the cash that the venue tells is without what resting orders claim of it.
    pub tells_free_cash: bool,
    /// How the contracts of a settled market turn into cash.
    pub settlement: Settlement,
    /// Whether a fill may still fail after it was told, because contracts change hands later. Until then they cannot be sold.
    pub provisional_fills: bool,
    /// By how much the fills of an order that took at once may come to less than what it was for, and be all of them.
    pub fill_dust: Qty,
    /// How many markets one market link carries, at most.
    pub link_markets_max: usize,
    /// How much worse it is to be left with a leg at this venue than its spread says, in $0.0001 a contract. The leg that is
    /// worst to be left with is bought last.
    pub exit_penalty: u16,
}

/// The steps that an order's size comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lots {
    /// Each order is for whole multiples of [`LOT`].
    Fixed,
    /// Whatever keeps both amounts of the order within the venue's decimals: see [`crate::amounts::lot_step`].
    ByAmounts,
}

/// The orders that must have their market's smallest size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinSize {
    /// Also those that take at once and can never rest.
    AllOrders,
    /// Orders that may rest. The venue has been seen to refuse others for it too.
    RestingOrders,
}

/// What a purchase that takes at once is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purchases {
    /// A number of contracts.
    ByContracts,
    /// A sum of money: where the book is cheaper than the limit it brings more contracts.
    ByMoney,
}

/// What the venue does with a sale of more contracts than are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversale {
    /// The order is rejected and nothing of it is sold.
    Refused,
    /// Takes what is beyond the holding as a purchase of the other outcome.
    BuysOther,
}

/// What becomes of YES and NO of one market that are held together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// Both stay until they are merged, sold or settled.
    Kept,
    /// The venue takes each pair away and pays a dollar for it, at once.
    Netted,
}

/// How the contracts of a settled market turn into cash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// They become a claim that is paid when somebody redeems it.
    Claimed,
    /// The venue pays by itself, perhaps before the result is heard of.
    Paid,
}

/// `polymarket.md` §3.7 for orders, §3.8 for expiries (it wants 180 s and takes the order away 60 s before), §8 for
/// settlement on chain, §10 (9) for what fills fall short by.
const POLYMARKET: VenueRules = VenueRules {
    cash_accounts: 1,
    lots: Lots::ByAmounts,
    min_size: MinSize::RestingOrders,
    marketable_min: Usd::from_dollars(1),
    amends_in_place: false,
    expiry_ahead_min: Nanos::from_secs(120),
    purchases: Purchases::ByMoney,
    oversale: Oversale::Refused,
    pairs: Pairs::Kept,
    tells_free_cash: false,
    settlement: Settlement::Claimed,
    provisional_fills: true,
    fill_dust: Qty::from_micros(10_000),
    // Two tokens each. The venue documents no limit; above some 500 tokens a link the first snapshots were seen not to come,
    // and other clients stay at 200 (2026-11).
    link_markets_max: 100,
    exit_penalty: 5_000,
};

/// `kalshi.md` §1.3 for shards (four in 2026-10), §3.2 for sizes and expiries, §3.3 for changes, §8 for netting and
/// settlement.
const KALSHI: VenueRules = VenueRules {
    cash_accounts: 8,
    lots: Lots::Fixed,
    min_size: MinSize::AllOrders,
    marketable_min: Usd::ZERO,
    amends_in_place: true,
    expiry_ahead_min: Nanos::ZERO,
    purchases: Purchases::ByContracts,
    oversale: Oversale::BuysOther,
    pairs: Pairs::Netted,
    tells_free_cash: true,
    settlement: Settlement::Paid,
    provisional_fills: false,
    fill_dust: Qty::ZERO, // counts are exact to their two decimals
    // The venue documents 500,000 subscriptions a session and no cap on a subscription (2026-06-18), and 10,000 were seen to
    // work on one link (2026-10); but a gap in a link's numbers costs all its books, and a user may have 200 connections, ten
    // on the demo exchange.
    link_markets_max: 1_000,
    exit_penalty: 0,
};

impl Venue {
    /// What this venue's rules are.
    pub const fn rules(self) -> &'static VenueRules {
        match self {
            Self::Polymarket => &POLYMARKET,
            Self::Kalshi => &KALSHI,
        }
    }
}

impl VenueRules {
    /// Whether an order must have its market's smallest size; `rests` says that it may stay on the book.
    pub const fn min_size_applies(&self, rests: bool) -> bool {
        match self.min_size {
            MinSize::AllOrders => true,
            MinSize::RestingOrders => rests,
        }
    }

    /// Whether an order may be too small to be taken although its size is a whole lot and the market's smallest.
    pub const fn has_marketable_min(&self) -> bool {
        self.marketable_min.micros() > 0
    }

    /// Whether a purchase of one outcome uses up contracts of the other.
    pub const fn nets_pairs(&self) -> bool {
        matches!(self.pairs, Pairs::Netted)
    }

    /// Whether a sale may go beyond what is held.
    pub const fn sells_beyond_holding(&self) -> bool {
        matches!(self.oversale, Oversale::BuysOther)
    }
}

/// How many cash accounts all venues keep for us together.
pub const CASH_ACCOUNTS: usize = {
    let (mut sum, mut at) = (0, 0);
    while at < Venue::ALL.len() {
        let accounts = Venue::ALL[at].rules().cash_accounts;
        assert!(accounts > 0, "every venue has an account");
        sum += accounts as usize;
        at += 1;
    }
    sum
};
const _: () = assert!(CASH_ACCOUNTS <= u8::MAX as usize, "accounts are numbered by a byte");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_each_venue_fit_together() {
        for venue in Venue::ALL {
            let rules = venue.rules();
            let name = venue.name();
            // A sale that buys the other outcome would leave a pair standing: the venue nets it.
            assert!(!rules.sells_beyond_holding() || rules.nets_pairs(), "{name}");
            // A purchase for a sum of money has amounts, and only those have steps of their own.
            let by_money = rules.purchases == Purchases::ByMoney;
            assert_eq!(by_money, rules.lots == Lots::ByAmounts, "{name}");
            // What may fail after it was told is worse to be left with than what may not.
            assert_eq!(rules.provisional_fills, rules.exit_penalty > 0, "{name}");
        }
    }

    #[test]
    fn the_smallest_size_holds_for_what_rests_at_every_venue() {
        assert!(Venue::ALL.iter().all(|venue| venue.rules().min_size_applies(true)));
        assert!(!Venue::Polymarket.rules().min_size_applies(false));
        assert!(Venue::Kalshi.rules().min_size_applies(false));
    }
}
