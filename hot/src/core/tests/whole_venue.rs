//! Both venues as the whole core meets them: what becomes of each order is drawn, and told late, twice, out of order or not at
//! all. What truly became of it is known here, and asked for it is told.

use super::at_venue::AtVenue;
use super::*;
use crate::ids::OrderId;
use crate::random::Rng;
use crate::report::{Reject, Unsent};

use std::collections::BTreeMap;

/// An order as its venue has it.
pub(super) struct Known {
    pub at: AtVenue,
    /// Whether the venue never had it.
    pub never: bool,
    pub fills: Vec<FillId>,
}

/// A fill as its venue has it, and as it is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub fill: Fill,
    pub outcome: Outcome,
    pub action: Action,
    /// What has become of it: a fill of Kalshi's is final at once.
    pub state: Finality,
}

/// Both venues: see the head of this file.
pub(super) struct Venues {
    pub rng: Rng,
    pub orders: BTreeMap<u64, Known>,
    pub fills: BTreeMap<u64, Made>,
    /// What is on its way to the core, and when it comes.
    pub due: Vec<(Nanos, Report)>,
    /// Whether everything goes well from here on.
    pub well: bool,
    /// Whether what failed stays in what an order is said to have filled. Nobody says which it is.
    keeps_failed: bool,
}

impl Venues {
    pub fn new(mut rng: Rng) -> Self {
        let keeps_failed = rng.percent(50);
        let (orders, fills) = (BTreeMap::new(), BTreeMap::new());
        Self { rng, orders, fills, due: Vec::new(), well: false, keeps_failed }
    }

    /// One chance in a hundred so many times, while not all is well.
    fn chance(&mut self, percent: u64) -> bool {
        !self.well && self.rng.percent(percent)
    }

    fn later(&mut self, now: Nanos, report: Report) {
        if self.chance(3) {
            return; // lost; who asks is told
        }
        let most = if self.well { 1 } else { self.rng.of(&[1, 5, 60, 900, 4_000]) };
        let when = now.after(self.rng.millis(most));
        self.due.push((when, report));
        if self.chance(6) {
            self.due.push((when.after(Nanos::from_millis(700)), report)); // told twice
        }
    }

    /// What has come by now, in the order in which it was to come.
    pub fn arrived(&mut self, now: Nanos) -> Vec<Report> {
        self.due.sort_by_key(|(when, _)| *when);
        let count = self.due.partition_point(|(when, _)| *when <= now);
        self.due.drain(..count).map(|(_, report)| report).collect()
    }

    /// Contracts that are there to be sold.
    fn held(&self, market: MarketId, outcome: Outcome) -> Qty {
        let of = |action| {
            let is_it = move |made: &&Made| {
                (made.fill.market, made.outcome, made.action) == (market, outcome, action)
                    && made.state != Finality::Failed
            };
            let fills = self.fills.values().filter(is_it);
            fills.fold(Qty::ZERO, |sum, made| sum + made.fill.qty)
        };
        of(Action::Buy).saturating_sub(of(Action::Sell))
    }

    /// The core sends an order.
    pub fn on_place(&mut self, now: Nanos, order: Order) {
        let id = order.id.get();
        let named = OrderRef::Id(order.id);
        let at = AtVenue { order, filled: Qty::ZERO, over: false };
        self.orders.insert(id, Known { at, never: false, fills: Vec::new() });
        let short = order.action == Action::Sell
            && !order.venue.rules().sells_beyond_holding()
            && order.qty > self.held(order.market, order.outcome);
        if short {
            return self.never(now, id, Report::Rejected { order: named, why: Reject::Funds });
        }
        let why = self.rng.of(&[Unsent::Down, Unsent::Tokens, Unsent::Encode, Unsent::Breaker]);
        if self.chance(3) {
            return self.never(now, id, Report::Unsent { order: order.id, why });
        }
        if self.chance(5) {
            let all = [Reject::Killed, Reject::Terms, Reject::Funds, Reject::Mode, Reject::Other];
            let why = self.rng.of(&all);
            return self.never(now, id, Report::Rejected { order: named, why });
        }
        if self.chance(6) {
            let timed_out = Report::TimedOut { order: order.id };
            if self.rng.percent(50) {
                return self.never(now, id, timed_out);
            }
            self.later(now, timed_out);
        } else if self.rng.percent(40) {
            self.later(now, Report::Bound { order: order.id, key: VenueKey::new(id + 1_000_000) });
        }
        self.take(now, id);
    }

    /// The order is none of the venue's, whatever the core hears of it.
    fn never(&mut self, now: Nanos, id: u64, report: Report) {
        let known = self.orders.get_mut(&id).expect("it was just sent");
        (known.never, known.at.over) = (true, true);
        self.later(now, report);
    }

    /// The venue has the order: it fills what it can, and the rest goes or rests.
    fn take(&mut self, now: Nanos, id: u64) {
        let order = self.orders[&id].at.order;
        let killed = order.tif == Tif::Fok && self.chance(30);
        if killed {
            let why = Reject::Killed;
            return self.never(now, id, Report::Rejected { order: OrderRef::Id(order.id), why });
        }
        let quarters = match order.tif {
            Tif::Fok => 4,
            _ if self.well && !order.post_only => 4,
            _ if order.post_only => 0,
            _ => self.rng.of(&[0, 1, 2, 4, 4]),
        };
        self.fill(now, id, quarters);
        let known = self.orders.get_mut(&id).expect("it is there");
        known.at.over |= !order.tif.may_rest();
        let status = known.at.status();
        self.later(now, status);
    }

    /// So many quarters of what is left of an order fill.
    pub fn fill(&mut self, now: Nanos, id: u64, quarters: u64) {
        let AtVenue { order, filled, .. } = self.orders[&id].at;
        let left = order.qty.saturating_sub(filled);
        let lot = Qty::from_micros(10_000);
        let part =
            if quarters == 4 { left } else { Qty::from_micros(left.micros() / 4 * quarters) };
        let part = if quarters == 4 { part } else { part.floor_to(lot) };
        if part.is_zero() {
            return;
        }
        let at_once = !order.venue.rules().provisional_fills;
        let (side, limit) = order.on_book();
        let number = self.fills.len() as u64 + 1;
        let taker = !order.post_only;
        let price = if taker && self.chance(30) { better(side, limit) } else { limit };
        let fee = self::fee(order.market, price, part, taker);
        let drift = if self.chance(1) { 5_000 } else { self.rng.below(100) as i64 };
        let state = if at_once { Finality::Final } else { Finality::Provisional };
        let fill = Fill {
            fill: FillId::new(number),
            order: OrderRef::Id(order.id),
            market: order.market,
            side,
            price,
            qty: part,
            fee: Some(fee + Usd::from_micros(drift)),
            liquidity: if taker { Liquidity::Taker } else { Liquidity::Maker },
            finality: state,
            venue_time: Nanos::ZERO,
        };
        let Order { outcome, action, .. } = order;
        self.fills.insert(number, Made { fill, outcome, action, state });
        let known = self.orders.get_mut(&id).expect("it is there");
        known.at.filled += part;
        known.at.over |= known.at.filled >= order.qty;
        known.fills.push(fill.fill);
        self.later(now, Report::Fill(fill));
    }

    /// Some order that rests.
    pub fn any_resting(&mut self) -> Option<u64> {
        let is_it = |known: &Known| !known.at.over;
        let all: Vec<u64> =
            self.orders.iter().filter(|(_, known)| is_it(known)).map(|(&id, _)| id).collect();
        (!all.is_empty()).then(|| self.rng.of(&all))
    }

    /// A fill that was provisional stays, or fails.
    pub fn finish_one(&mut self, now: Nanos) -> bool {
        let open = self.fills.values().find(|made| made.state == Finality::Provisional);
        let Some(made) = open.copied() else { return false };
        let fails = self.chance(8);
        let state = if fails { Finality::Failed } else { Finality::Final };
        self.fills.get_mut(&made.fill.fill.get()).expect("just found").state = state;
        let OrderRef::Id(id) = made.fill.order else { unreachable!("fills name our own id") };
        let known = self.orders.get_mut(&id.get()).expect("a fill is of an order");
        if fails && !self.keeps_failed {
            known.at.filled = known.at.filled.saturating_sub(made.fill.qty);
        }
        self.later(now, Report::Finality { fill: made.fill.fill, state });
        true
    }

    /// The core wants an order cancelled.
    pub fn on_cancel(&mut self, now: Nanos, id: OrderId) {
        let refused = Report::CancelRefused { order: OrderRef::Id(id) };
        let Some(known) = self.orders.get(&id.get()) else { return self.later(now, refused) };
        if known.at.over {
            return self.later(now, refused);
        }
        if self.chance(15) {
            return; // silence
        }
        if self.chance(15) {
            self.fill(now, id.get(), 4); // it was quicker
            return self.later(now, refused);
        }
        self.end(now, id.get());
    }

    /// An order ends at its venue with what it has filled.
    pub fn end(&mut self, now: Nanos, id: u64) {
        let known = self.orders.get_mut(&id).expect("it is there");
        known.at.over = true;
        let status = known.at.status();
        self.later(now, status);
    }

    /// The core asks about an order: its state and all of its fills are told, or nothing.
    pub fn on_query(&mut self, now: Nanos, id: OrderId) {
        if self.chance(25) {
            return;
        }
        let Some(known) = self.orders.get(&id.get()) else { return };
        if known.never {
            let venue = known.at.order.venue;
            return self.later(now, Report::Absent { order: id, venue });
        }
        let status = known.at.status();
        self.tell_fills(now, &known.fills.clone());
        self.later(now, status);
    }

    fn tell_fills(&mut self, now: Nanos, fills: &[FillId]) {
        for fill in fills {
            let made = self.fills[&fill.get()];
            self.later(now, Report::Fill(Fill { finality: made.state, ..made.fill }));
        }
    }

    /// From here on all goes well: whatever was filled is told once more.
    pub fn recover(&mut self, now: Nanos) {
        self.well = true;
        while self.finish_one(now) {}
        self.tell_all(now);
    }

    /// What a reading of the account lists: every fill, and what became of it.
    pub fn tell_all(&mut self, now: Nanos) {
        let all: Vec<FillId> = self.fills.values().map(|made| made.fill.fill).collect();
        self.tell_fills(now, &all);
    }
}

/// A cent better than a limit on the book, where there is such a price.
fn better(side: Side, limit: Price) -> Price {
    let cent = price(1).ticks();
    let ticks = match side {
        Side::Bid => limit.ticks().saturating_sub(cent),
        Side::Ask => limit.ticks() + cent,
    };
    let is_price = |at: &Price| (price(1)..=price(99)).contains(at);
    Price::from_ticks(ticks).filter(is_price).unwrap_or(limit)
}

/// What the venue's rule charges for a fill.
fn fee(market: MarketId, price: Price, qty: Qty, taker: bool) -> Usd {
    super::model::terms_of(market).fee.fee(price, qty, taker)
}
