//! Accounts: cash by shard, positions that net, and what of the cash resting orders claim.

use std::collections::{BTreeMap, HashSet};

use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::limits::{Bucket, Tier};

/// One user. The first account of a twin is the house's, whose cash has no floor.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account's id at the venue, a UUID.
    pub user_id: String,
    /// Settled cash by shard.
    pub cash: BTreeMap<u8, Usd>,
    /// Positions by index of the market, settled ones too.
    pub positions: BTreeMap<usize, Position>,
    /// What resting orders claim, by market.
    pub reserved: BTreeMap<usize, Usd>,
    /// Resting orders by market.
    pub open: BTreeMap<usize, Vec<usize>>,
    /// Every client order id that was ever accepted: they are not free again.
    pub client_ids: HashSet<String>,
    /// Tokens left for reads.
    pub read: Bucket,
    /// Write tokens: the unscoped bucket under `None`, and one for each shard that was billed.
    pub write: BTreeMap<Option<u8>, Bucket>,
    /// In the order they happened.
    pub fills: Vec<FillRow>,
    /// In the order they happened.
    pub settlements: Vec<SettlementRow>,
}

/// A position in one market. Positive is YES, negative NO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Millionths of a contract, signed.
    pub qty: i64,
    /// What the open position cost, fees apart.
    pub cost: Usd,
    /// Gained or lost by closing, fees apart.
    pub realized: Usd,
    /// Fees paid so far, rebates taken off.
    pub fees: Usd,
    /// Everything ever paid for contracts here.
    pub traded: Usd,
    /// Everything ever paid for YES.
    pub yes_cost: Usd,
    /// Everything ever paid for NO.
    pub no_cost: Usd,
    /// Contracts ever traded.
    pub volume: Qty,
    /// When it last changed.
    pub updated: Nanos,
    /// Whether the market has paid.
    pub settled: bool,
}

/// One fill of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FillRow {
    /// The id of this side's fill, a UUID; the other party has another one.
    pub fill_id: String,
    /// A UUID that both parties and the tape share.
    pub trade_id: String,
    /// Index of our order.
    pub order: usize,
    /// Index of the market.
    pub market: usize,
    /// Our side of the YES book.
    pub side: Side,
    /// In YES terms.
    pub price: Price,
    /// Contracts of this fill.
    pub qty: Qty,
    /// Whether ours was the order that arrived.
    pub is_taker: bool,
    /// What was charged, rebates taken off.
    pub fee: Usd,
    /// The venue's time at which it happened.
    pub at: Nanos,
}

/// One market's payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementRow {
    /// Index of the market.
    pub market: usize,
    /// The position it found.
    pub position: Position,
    /// What was paid out.
    pub revenue: Usd,
    /// What YES paid.
    pub yes_pays: Price,
    /// The venue's time at which it happened.
    pub at: Nanos,
}

impl Account {
    /// With its cash and full buckets.
    pub fn new(user_id: String, cash: BTreeMap<u8, Usd>, tier: Tier, now: Nanos) -> Self {
        Self {
            user_id,
            cash,
            positions: BTreeMap::new(),
            reserved: BTreeMap::new(),
            open: BTreeMap::new(),
            client_ids: HashSet::new(),
            read: Bucket::new(tier.read(), now),
            write: BTreeMap::from([(None, Bucket::new(tier.write(), now))]),
            fills: Vec::new(),
            settlements: Vec::new(),
        }
    }

    /// Its position in a market.
    pub fn position(&self, market: usize) -> Position {
        self.positions.get(&market).copied().unwrap_or_default()
    }

    /// Adds to the cash of a shard.
    pub fn pay(&mut self, shard: u8, amount: Usd) {
        *self.cash.entry(shard).or_default() += amount;
    }
}

impl Position {
    /// Books one fill and gives the change of cash before fees. Closing pays $1 for each pair of YES and NO at
    /// once, so a bid that closes NO at `price` brings its complement.
    ///
    /// Exact: counts have two decimals and prices four, so every product is whole microdollars.
    pub fn apply(&mut self, side: Side, price: Price, qty: Qty, now: Nanos) -> Usd {
        let (own, sign) = match side {
            Side::Bid => (price, 1),
            Side::Ask => (price.complement(), -1),
        };
        let held = self.qty.unsigned_abs();
        let closes = if self.qty * sign < 0 { qty.micros().min(held) } else { 0 };
        let opens = qty.micros() - closes;
        let mut change = Usd::ZERO;
        if closes > 0 {
            let back = own.complement().cost_ceil(Qty::from_micros(closes));
            let part = self.cost.scale_floor(signed(closes), signed(held));
            self.cost -= part;
            self.realized += back - part;
            change += back;
        }
        if opens > 0 {
            let paid = own.cost_ceil(Qty::from_micros(opens));
            self.cost += paid;
            self.traded += paid;
            match side {
                Side::Bid => self.yes_cost += paid,
                Side::Ask => self.no_cost += paid,
            }
            change -= paid;
        }
        self.qty += sign * signed(qty.micros());
        self.volume += qty;
        self.updated = now;
        change
    }

    /// What the position pays when YES pays `yes_pays`.
    pub fn payout(&self, yes_pays: Price) -> Usd {
        let each = if self.qty > 0 { yes_pays } else { yes_pays.complement() };
        each.proceeds_floor(Qty::from_micros(self.qty.unsigned_abs()))
    }
}

/// A count as a signed number.
pub fn signed(micros: u64) -> i64 {
    i64::try_from(micros).expect("QTY_MAX bounds counts")
}

/// One order as the reserve sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which side of the YES book.
    pub side: Side,
    /// In YES terms.
    pub price: Price,
    /// What may still fill.
    pub left: Qty,
    /// The fee if all of it fills at its price.
    pub fee: Usd,
}

/// The cash that a market's orders may need, given the position they meet.
///
/// Contracts that close are free: the pair pays more than they cost. They are given to the orders that fill
/// first, which is the worst case, because those pay most; and both sides are summed, because both may fill.
pub fn claims_sum(position: i64, claims: &mut [Claim]) -> Usd {
    // Bids fill from the highest price down, asks from the lowest up.
    claims.sort_by_key(|c| match c.side {
        Side::Bid => (0, 10_000 - c.price.ticks()),
        Side::Ask => (1, c.price.ticks()),
    });
    let mut closing = [position.min(0).unsigned_abs(), position.max(0).unsigned_abs()];
    let mut sum = Usd::ZERO;
    for claim in claims {
        let free = &mut closing[claim.side.index()];
        let closes = claim.left.micros().min(*free);
        *free -= closes;
        let opens = Qty::from_micros(claim.left.micros() - closes);
        if !opens.is_zero() {
            let own = if claim.side == Side::Bid { claim.price } else { claim.price.complement() };
            sum += own.cost_ceil(opens) + claim.fee;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn px(ticks: u16) -> Price {
        Price::from_ticks(ticks).unwrap()
    }

    fn contracts(n: u64) -> Qty {
        Qty::from_contracts(n)
    }

    #[test]
    fn yes_and_no_net_and_a_pair_pays_a_dollar_at_once() {
        let mut position = Position::default();
        let paid = position.apply(Side::Bid, px(4_000), contracts(10), Nanos::ZERO);
        assert_eq!((paid, position.cost), (Usd::from_dollars(-4), Usd::from_dollars(4)));
        // Buying 15 NO at 0.55 is an ask at 0.45: ten close at 0.45, five open at 0.55.
        let change = position.apply(Side::Ask, px(4_500), contracts(15), Nanos::ZERO);
        assert_eq!(change, Usd::from_micros(4_500_000 - 2_750_000));
        assert_eq!(position.qty, -5_000_000);
        assert_eq!(position.realized, Usd::from_micros(500_000));
        assert_eq!(position.cost, Usd::from_micros(2_750_000));
        assert_eq!(position.payout(Price::ZERO), Usd::from_dollars(5));
        assert_eq!(position.payout(Price::ONE), Usd::ZERO);
    }

    #[test]
    fn orders_that_close_claim_nothing() {
        let claim =
            |side, ticks, n| Claim { side, price: px(ticks), left: contracts(n), fee: Usd::ZERO };
        let mut asks = [claim(Side::Ask, 6_000, 10), claim(Side::Ask, 5_000, 10)];
        // Ten YES are held: the ask at 0.50 closes them, the one at 0.60 opens ten NO at 0.40.
        assert_eq!(claims_sum(10_000_000, &mut asks), Usd::from_dollars(4));
        assert_eq!(claims_sum(0, &mut asks), Usd::from_dollars(9));
        let mut both = [claim(Side::Ask, 6_000, 10), claim(Side::Bid, 5_000, 10)];
        assert_eq!(claims_sum(0, &mut both), Usd::from_dollars(9));
    }
}
