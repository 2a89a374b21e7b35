//! The ledger a second time, plainly: made anew from the whole history each time, in signed integers and sorted maps, with
//! nothing of the ledger's own code. It is the specification, so it is dull.

use std::collections::BTreeMap;

use crate::ids::{Action, MarketId, Outcome, Venue};

/// One thing that moved money, in the order in which it was booked. Amounts are in microdollars and millionths of a contract,
/// prices in $0.0001 of the outcome.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    Fill {
        market: MarketId,
        outcome: Outcome,
        action: Action,
        price: i128,
        qty: i128,
        fee: i128,
    },
    /// It was a fill, and the venue took it back.
    Failed,
    /// So many pairs were split off cash, or merged into it below zero.
    Pairs {
        market: MarketId,
        by: i128,
    },
    /// NO of each of the first markets became YES of each of the others, and a dollar for each of the first but one.
    Converted {
        sold: Vec<MarketId>,
        bought: Vec<MarketId>,
        qty: i128,
    },
    /// A market has a result, or another one than it had.
    Settled {
        market: MarketId,
        yes_pays: i128,
    },
    Redeemed {
        market: MarketId,
    },
}

/// Contracts of one outcome, below zero where more were sold than held, and what they cost or brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lot {
    qty: i128,
    cost: i128,
}

/// What a history comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plain {
    /// Beyond what was there at the beginning, by venue.
    pub cash: [i128; 2],
    pub fees: i128,
    /// Results, fees taken off.
    pub realised: i128,
    pub claims: BTreeMap<MarketId, i128>,
    lots: BTreeMap<(MarketId, usize), Lot>,
    pays: BTreeMap<MarketId, i128>,
    /// What results have taken away, held and short by outcome, and what was given for it; nothing of what was redeemed.
    decided: BTreeMap<MarketId, ([[i128; 2]; 2], i128)>,
}

const DOLLAR: i128 = 10_000;

pub(super) fn cost_up(price: i128, qty: i128) -> i128 {
    (price * qty + DOLLAR - 1) / DOLLAR
}

fn proceeds_down(price: i128, qty: i128) -> i128 {
    price * qty / DOLLAR
}

/// The part of an amount that belongs to `qty` of `whole`.
fn part(amount: i128, qty: i128, whole: i128) -> i128 {
    if qty == whole { amount } else { amount * qty / whole }
}

impl Plain {
    pub fn of(history: &[Happened], venue_of: impl Fn(MarketId) -> Venue) -> Self {
        let mut plain = Self::default();
        for happened in history {
            plain.take(happened.clone(), &venue_of);
        }
        plain
    }

    pub fn held(&self, market: MarketId, outcome: Outcome) -> i128 {
        self.lots.get(&(market, outcome.index())).map_or(0, |lot| lot.qty)
    }

    /// What everything held has cost, less what was got for what was sold short.
    pub fn cost(&self) -> i128 {
        self.lots.values().map(|lot| lot.cost).sum()
    }

    /// What is at risk in what is held of a market: its cost.
    pub fn at_risk(&self, market: MarketId) -> i128 {
        let lots = Outcome::ALL.map(|outcome| self.lots.get(&(market, outcome.index())));
        lots.into_iter().flatten().map(|lot| lot.cost.max(0)).sum()
    }

    fn take(&mut self, happened: Happened, venue_of: &impl Fn(MarketId) -> Venue) {
        match happened {
            Happened::Failed => {}
            Happened::Fill { market, outcome, action, price, qty, fee } => {
                let venue = venue_of(market);
                self.cash[venue.index()] -= fee;
                self.fees += fee;
                self.realised -= fee;
                let nets = venue == Venue::Kalshi;
                match action {
                    Action::Buy => self.buy(venue, market, outcome, qty, cost_up(price, qty)),
                    Action::Sell => {
                        let held = self.held(market, outcome).max(0);
                        let there = if nets { held.min(qty) } else { qty };
                        self.sell(venue, market, outcome, there, proceeds_down(price, there));
                        let (rest, price) = (qty - there, DOLLAR - price);
                        self.buy(venue, market, outcome.other(), rest, cost_up(price, rest));
                    }
                }
                if nets {
                    self.net(venue, market);
                }
                self.settle(venue, market);
            }
            Happened::Pairs { market, by } => {
                let venue = venue_of(market);
                // Which of the two cost how much of the dollar is nobody's business but the ledger's: half of it each.
                let (yes, qty) = (by.abs() / 2, by.abs());
                for (outcome, amount) in [(Outcome::Yes, yes), (Outcome::No, qty - yes)] {
                    if by > 0 {
                        self.buy(venue, market, outcome, qty, amount);
                    } else {
                        self.sell(venue, market, outcome, qty, amount);
                    }
                }
            }
            Happened::Converted { sold, bought, qty } => {
                // What of it cost how much is the ledger's business: the first NO bring all of the dollars.
                for (nth, market) in sold.iter().enumerate() {
                    let got = if nth == 0 { qty * (sold.len() as i128 - 1) } else { 0 };
                    self.sell(venue_of(*market), *market, Outcome::No, qty, got);
                }
                for market in bought {
                    self.buy(venue_of(market), market, Outcome::Yes, qty, 0);
                }
            }
            Happened::Settled { market, yes_pays } => {
                self.pays.insert(market, yes_pays);
                self.decide_anew(venue_of(market), market, yes_pays);
                self.settle(venue_of(market), market);
            }
            Happened::Redeemed { market } => {
                self.decided.remove(&market);
                let claim = self.claims.remove(&market).unwrap_or(0);
                self.cash[venue_of(market).index()] += claim;
            }
        }
    }

    fn buy(&mut self, venue: Venue, market: MarketId, outcome: Outcome, qty: i128, cost: i128) {
        if qty == 0 {
            return;
        }
        self.cash[venue.index()] -= cost;
        let lot = self.lots.entry((market, outcome.index())).or_default();
        let back = qty.min((-lot.qty).max(0));
        let (paid, brought) = if back == 0 {
            (0, 0)
        } else {
            (part(cost, back, qty), part(-lot.cost, back, -lot.qty))
        };
        lot.qty += qty;
        lot.cost += brought + cost - paid;
        self.realised += brought - paid;
    }

    fn sell(&mut self, venue: Venue, market: MarketId, outcome: Outcome, qty: i128, got: i128) {
        if qty == 0 {
            return;
        }
        self.cash[venue.index()] += got;
        let lot = self.lots.entry((market, outcome.index())).or_default();
        let there = qty.min(lot.qty.max(0));
        let (share, for_them) = if there == 0 {
            (0, 0)
        } else {
            (part(lot.cost, there, lot.qty), part(got, there, qty))
        };
        lot.qty -= qty;
        lot.cost -= share + (got - for_them);
        self.realised += for_them - share;
    }

    /// Every pair is gone, and paid a dollar for.
    fn net(&mut self, venue: Venue, market: MarketId) {
        let pairs = self.held(market, Outcome::Yes).min(self.held(market, Outcome::No));
        if pairs <= 0 {
            return;
        }
        self.cash[venue.index()] += pairs;
        let mut cost = 0;
        for outcome in [Outcome::Yes, Outcome::No] {
            let lot = self.lots.entry((market, outcome.index())).or_default();
            let share = part(lot.cost, pairs, lot.qty);
            lot.qty -= pairs;
            lot.cost -= share;
            cost += share;
        }
        self.realised += pairs - cost;
    }

    /// What a result took away is worth what the result says now.
    fn decide_anew(&mut self, venue: Venue, market: MarketId, yes_pays: i128) {
        let Some((decided, given)) = self.decided.get_mut(&market) else { return };
        let mut worth = 0;
        for (outcome, pays) in [yes_pays, DOLLAR - yes_pays].into_iter().enumerate() {
            let [held, short] = [decided[0][outcome], decided[1][outcome]];
            worth += proceeds_down(pays, held) - cost_up(pays, short);
        }
        let by = worth - std::mem::replace(given, worth);
        self.realised += by;
        self.give(venue, market, by);
    }

    fn give(&mut self, venue: Venue, market: MarketId, amount: i128) {
        if venue == Venue::Kalshi {
            self.cash[venue.index()] += amount;
        } else {
            *self.claims.entry(market).or_default() += amount;
        }
    }

    /// What is held of a market with a result becomes money, or what is owed.
    fn settle(&mut self, venue: Venue, market: MarketId) {
        let Some(&yes_pays) = self.pays.get(&market) else { return };
        for (outcome, pays) in [(Outcome::Yes, yes_pays), (Outcome::No, DOLLAR - yes_pays)] {
            let lot = self.lots.remove(&(market, outcome.index())).unwrap_or_default();
            let worth =
                if lot.qty >= 0 { proceeds_down(pays, lot.qty) } else { -cost_up(pays, -lot.qty) };
            self.realised += worth - lot.cost;
            let (decided, given) = self.decided.entry(market).or_default();
            decided[usize::from(lot.qty < 0)][outcome.index()] += lot.qty.abs();
            *given += worth;
            self.give(venue, market, worth);
        }
    }
}
