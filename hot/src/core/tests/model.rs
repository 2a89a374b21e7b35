//! Ledger and reservations against a recomputation from the whole history: orders rest, are changed, withdrawn, fill in parts
//! and out of order, fills are confirmed or taken back, pairs are split and merged and sets are converted behind our back,
//! markets settle, get another result and are redeemed. After every step every account is what the plain ledger makes of the history, and every dollar that is not free
//! is explained by an order that lives or a sale that may still fail.

use super::plain_ledger::{Happened, Plain};
use super::*;
use crate::cases::cases;
use crate::core::money::worst_cost;
use crate::event::Control as C;
use crate::fees::FeeAccumulator;
use crate::ledger::{CashAccount, LedgerAccount};
use crate::random::Rng;

use std::collections::BTreeMap;

/// Steps of one history; then another one is begun.
const STEPS: u64 = 400;
/// Steps in all where nobody says.
const CASES: u64 = 20_000;
/// Markets at each venue.
const MARKETS: u16 = 4;
const ORDERS: usize = 8;
const CASH: Usd = Usd::from_dollars(10_000);

pub(super) const fn venue_of(market: MarketId) -> Venue {
    Venue::ALL[market.get() as usize % 2]
}

pub(super) fn terms_of(market: MarketId) -> MarketDef {
    let (like, fee) = match venue_of(market) {
        Venue::Polymarket => (PM, terms(PM).fee),
        Venue::Kalshi => (KA, FeeRule::Kalshi { taker: 70_000, maker: 17_500 }),
    };
    // Polymarket's are one exclusive set, and each of Kalshi's is a cluster of its own.
    let cluster = match venue_of(market) {
        Venue::Polymarket => ClusterId::new(0),
        Venue::Kalshi => ClusterId::new(market.get()),
    };
    MarketDef { market, cluster, fee, min_qty: qty(1), ..terms(like) }
}

/// An order as the history has it.
#[derive(Clone, Copy, Debug)]
struct Live {
    order: Order,
    filled: Qty,
    /// The limit and size that a change under way would give it.
    change: Option<(Price, Qty)>,
    /// What the venue's rounding has kept of its fees.
    rounding: FeeAccumulator,
}

/// A booked fill that may still be taken back: where it stands in the history.
#[derive(Clone, Copy, Debug)]
struct Open {
    fill: Fill,
    at: usize,
    /// What it brought, if it was a sale, and what was at risk in the contracts that it took.
    brought: Usd,
    at_risk: Usd,
}

struct World {
    rng: Rng,
    desk: Desk,
    history: Vec<Happened>,
    live: BTreeMap<u64, Live>,
    open: Vec<Open>,
    answered: usize,
    settled: BTreeMap<MarketId, Price>,
    /// When both venues were read last.
    read: Nanos,
    counts: [u32; 9],
}

/// What [`World::counts`] counts.
#[derive(Clone, Copy)]
enum Count {
    Fills,
    Failed,
    Cancels,
    Changes,
    Splits,
    Merges,
    Redeemed,
    Converted,
    Redecided,
}

pub(super) fn micros(amount: Usd) -> i128 {
    i128::from(amount.micros())
}

pub(super) fn contracts(qty: Qty) -> i128 {
    i128::from(qty.micros())
}

impl World {
    fn new(seed: u64) -> Self {
        let mut desk = Desk::unfunded();
        for market in (0..2 * MARKETS).map(MarketId::new) {
            desk.event(Event::Market(terms_of(market)));
        }
        // Nobody is halted for what chance does, and the limits leave room for all.
        for row in [LimitRow::DailyLoss, LimitRow::ExposureCluster, LimitRow::ClusterPercent] {
            desk.control(C::Limit { row, value: row.def().bounds.1 });
        }
        desk.open();
        let mut world = Self {
            rng: Rng::from_seed(seed),
            desk,
            history: Vec::new(),
            live: BTreeMap::new(),
            open: Vec::new(),
            answered: 0,
            settled: BTreeMap::new(),
            read: Nanos::ZERO,
            counts: [0; 9],
        };
        for market in (0..2 * MARKETS).map(MarketId::new) {
            world.desk.book(market, &[(45, 300)], &[(55, 300)]);
        }
        world.read_both(); // from here on a difference is one
        world
    }

    fn read_both(&mut self) {
        for venue in Venue::ALL {
            self.desk.reading(venue, &[]);
        }
        self.read = self.desk.now;
    }

    fn count(&mut self, what: Count) {
        self.counts[what as usize] += 1;
    }

    fn step(&mut self) {
        let span = 3_000 + self.rng.below(4_000);
        self.desk.wait(Nanos::from_millis(span));
        if self.desk.now.since(self.read) > Nanos::from_secs(15) {
            self.read_both(); // nothing is opened on an old one
        }
        match self.rng.below(20) {
            0..6 => self.rest(),
            6..12 => self.fill(),
            12..14 => self.end(),
            14 => self.withdraw(),
            15 => self.change(),
            16 => self.finish(),
            17 if self.rng.percent(50) => self.pairs(),
            17 => self.convert(),
            18 if self.rng.percent(25) => self.settle(),
            18 => self.redeem(),
            _ => self.desk.control(C::Day { day: 20_000 + self.rng.below(3) as u32 }),
        }
        self.answer();
        self.check();
    }

    /// An order is to rest: a purchase of either outcome, or a sale of what is held.
    fn rest(&mut self) {
        let market = MarketId::new(self.rng.below(2 * u64::from(MARKETS)) as u16);
        let busy = self.live.values().any(|live| live.order.market == market);
        if self.live.len() >= ORDERS || busy || self.settled.contains_key(&market) {
            return;
        }
        let outcome = self.rng.of(&[Outcome::Yes, Outcome::No]);
        let held = self.desk.held(market, outcome).floor_to(qty(1));
        let sells = held >= qty(2) && self.rng.percent(60);
        let size = qty(2 + self.rng.below(15));
        self.desk.control(C::Rest {
            market,
            outcome,
            action: if sells { Action::Sell } else { Action::Buy },
            price: price(46 + self.rng.below(9) as u16),
            qty: if sells { size.min(held) } else { size },
            expires: None,
            post_only: true,
            exit: sells,
        });
    }

    fn any_live(&mut self) -> Option<u64> {
        let ids: Vec<u64> = self.live.keys().copied().collect();
        (!ids.is_empty()).then(|| self.rng.of(&ids))
    }

    /// A part of an order fills, or all of it; told once or twice, before or after the venue says that it rests.
    fn fill(&mut self) {
        let Some(id) = self.any_live() else { return };
        let live = self.live[&id];
        let order = live.order;
        let left = order.qty.saturating_sub(live.filled);
        let part = if self.rng.percent(50) { left } else { qty(1).min(left) };
        if self.rng.percent(30) {
            self.tell(id, VenueState::Resting);
        }
        let fill = Fill { qty: part, ..self.desk.fill_of(&order, 1) };
        let mut rounding = live.rounding;
        let rule = terms_of(order.market).fee;
        let fee = rule.charge(&mut rounding, order.action, order.price, part, false)
            + Usd::from_micros(self.rng.below(10) as i64); // so little that no order's fees drift
        let provisional = order.venue.rules().provisional_fills;
        let finality = if provisional { Finality::Provisional } else { Finality::Final };
        let fill = Fill { finality, fee: Some(fee), ..fill };
        let before = self.figures_of(&order);
        self.desk.report(Report::Fill(fill));
        if self.rng.percent(30) {
            self.desk.report(Report::Fill(fill));
        }
        let Order { market, outcome, action, price, .. } = order;
        self.history.push(Happened::Fill {
            market,
            outcome,
            action,
            price: price.ticks().into(),
            qty: contracts(part),
            fee: micros(fee),
        });
        self.count(Count::Fills);
        if provisional {
            let after = self.figures_of(&order);
            let sold = |amount: Usd| {
                if action == Action::Sell { amount.max(Usd::ZERO) } else { Usd::ZERO }
            };
            let (brought, at_risk) = (sold(after.0 - before.0), sold(before.1 - after.1));
            self.open.push(Open { fill, at: self.history.len() - 1, brought, at_risk });
        }
        let entry = self.live.get_mut(&id).expect("it was looked up");
        (entry.filled, entry.rounding) = (entry.filled + part, rounding);
        if entry.filled >= order.qty {
            self.live.remove(&id);
        }
    }

    /// Cash at an order's venue, and what is at risk in what is held of its market.
    fn figures_of(&self, order: &Order) -> (Usd, Usd) {
        let ledger = self.desk.core.ledger();
        (ledger.cash_at(order.venue), ledger.position(order.market).at_risk())
    }

    fn tell(&mut self, id: u64, state: VenueState) {
        let Live { order, filled, .. } = self.live[&id];
        let status = OrderStatus { order: OrderRef::Id(order.id), state, filled: Some(filled) };
        self.desk.report(Report::Status(status));
    }

    /// The venue ends an order, or has never had it.
    fn end(&mut self) {
        let Some(id) = self.any_live() else { return };
        let acked =
            self.desk.core.orders.find(OrderRef::Id(OrderId::new(id))).is_some_and(|own| own.acked);
        if !acked && self.live[&id].filled.is_zero() && self.rng.percent(30) {
            let (order, why) = (OrderRef::Id(OrderId::new(id)), crate::report::Reject::Crossed);
            self.desk.report(Report::Rejected { order, why });
        } else {
            self.tell(id, VenueState::Cancelled);
        }
        self.live.remove(&id);
        self.count(Count::Cancels);
    }

    fn withdraw(&mut self) {
        let Some(id) = self.any_live() else { return };
        self.tell(id, VenueState::Resting);
        self.desk.control(C::Withdraw { order: OrderId::new(id) });
    }

    /// An order that rests is to have another limit and another size.
    fn change(&mut self) {
        let Some(id) = self.any_live() else { return };
        self.tell(id, VenueState::Resting);
        let Live { order, filled, .. } = self.live[&id];
        let more = if order.action == Action::Buy { 1 + self.rng.below(6) } else { 1 };
        let (price, qty) = (price(46 + self.rng.below(9) as u16), filled + qty(more));
        self.desk.control(C::Amend { order: order.id, price, qty, expires: None });
        let sent = self.desk.core.orders.find(OrderRef::Id(order.id));
        if sent.is_some_and(|record| record.change.is_some()) {
            self.live.get_mut(&id).expect("it was looked up").change = Some((price, qty));
            self.count(Count::Changes);
        }
    }

    /// A provisional fill comes to its end.
    fn finish(&mut self) {
        if !self.open.is_empty() {
            let at = self.rng.below(self.open.len() as u64) as usize;
            let fails = self.rng.percent(15);
            self.finish_one(at, fails);
        }
    }

    fn finish_one(&mut self, at: usize, fails: bool) {
        let Open { fill, at, .. } = self.open.swap_remove(at);
        let state = if fails { Finality::Failed } else { Finality::Final };
        self.desk.report(Report::Finality { fill: fill.fill, state });
        if fails {
            self.history[at] = Happened::Failed;
            self.count(Count::Failed);
            // A live order may fill anew what failed.
            let OrderRef::Id(id) = fill.order else { unreachable!("fills name our own id") };
            if let Some(live) = self.live.get_mut(&id.get()) {
                live.filled = live.filled.saturating_sub(fill.qty);
            }
        }
        self.desk.report(Report::Finality { fill: fill.fill, state });
    }

    /// Every order at Polymarket ends, and every fill there is confirmed and long shown.
    fn rest_assured(&mut self) {
        let live = self.live.iter().filter(|(_, live)| live.order.venue == Venue::Polymarket);
        for id in live.map(|(&id, _)| id).collect::<Vec<_>>() {
            self.tell(id, VenueState::Cancelled);
            self.live.remove(&id);
        }
        while !self.open.is_empty() {
            self.finish_one(0, false);
        }
        self.desk.wait(Nanos::from_secs(20));
        self.answer();
    }

    /// Pairs are split or merged by other means than ours, and a reading shows it.
    fn pairs(&mut self) {
        let market = MarketId::new(2 * self.rng.below(u64::from(MARKETS)) as u16);
        if self.settled.contains_key(&market) {
            return;
        }
        if self.desk.core.ledger().position(market).is_short() {
            return; // a reading would end that first
        }
        self.rest_assured();
        let held = [Outcome::Yes, Outcome::No].map(|outcome| self.desk.held(market, outcome));
        let most = held[0].min(held[1]).micros();
        let splits = most == 0 || self.rng.percent(50);
        let by = if splits { 1 + self.rng.below(30_000_000) } else { 1 + self.rng.below(most) };
        let by_qty = Qty::from_micros(by);
        let now = held.map(|held| if splits { held + by_qty } else { held - by_qty });
        let cash = self.desk.core.ledger().cash_at(Venue::Polymarket);
        let dollars = Usd::from_micros(by as i64);
        let cash = if splits { cash - dollars } else { cash + dollars };
        let told = [
            C::Position { market, yes: now[0], no: now[1] },
            C::Cash { venue: Venue::Polymarket, shard: 0, cash },
        ];
        self.desk.reading(Venue::Polymarket, &told);
        let by = if splits { i128::from(by) } else { -i128::from(by) };
        self.history.push(Happened::Pairs { market, by });
        self.count(if splits { Count::Splits } else { Count::Merges });
    }

    /// NO of some markets of the set are converted by other means than ours, and a reading shows it.
    fn convert(&mut self) {
        let all: Vec<_> = (0..MARKETS).map(|nth| MarketId::new(2 * nth)).collect();
        let held = |world: &Self, market| world.desk.held(market, Outcome::No);
        if all.iter().any(|market| self.settled.contains_key(market)) {
            return;
        }
        let (sold, bought): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|&market| !held(self, market).is_zero() && self.rng.percent(80));
        if sold.is_empty() {
            return;
        }
        self.rest_assured();
        let is_short = |market: &MarketId| self.desk.core.ledger().position(*market).is_short();
        let most = sold.iter().map(|&market| held(self, market).micros()).min().unwrap_or(0);
        if most == 0 || sold.iter().chain(&bought).any(is_short) {
            return;
        }
        let qty =
            Qty::from_micros(if self.rng.percent(50) { most } else { 1 + self.rng.below(most) });
        let pays = Usd::from_micros((sold.len() as i64 - 1) * qty.micros() as i64);
        let cash = self.desk.core.ledger().cash_at(Venue::Polymarket) + pays;
        let mut told = vec![C::Cash { venue: Venue::Polymarket, shard: 0, cash }];
        for &market in sold.iter().chain(&bought) {
            let [yes, no] = [Outcome::Yes, Outcome::No].map(|of| self.desk.held(market, of));
            let is_sold = sold.contains(&market);
            let (yes, no) = if is_sold { (yes, no - qty) } else { (yes + qty, no) };
            told.insert(0, C::Position { market, yes, no });
        }
        self.desk.reading(Venue::Polymarket, &told);
        self.history.push(Happened::Converted { sold, bought, qty: contracts(qty) });
        self.count(Count::Converted);
    }

    /// A market has a result; one that has, perhaps another one.
    fn settle(&mut self) {
        let market = MarketId::new(self.rng.below(2 * u64::from(MARKETS)) as u16);
        let yes_pays = self.rng.of(&[Price::ZERO, Price::ONE, price(50)]);
        if self.settled.get(&market).is_some_and(|before| *before != yes_pays) {
            self.count(Count::Redecided);
        }
        let live = self.live.iter().find(|(_, live)| live.order.market == market);
        if let Some(id) = live.map(|(&id, _)| id) {
            self.tell(id, VenueState::Cancelled); // it closes first
            self.live.remove(&id);
        }
        self.desk.event(Event::Settled { market, yes_pays });
        self.settled.insert(market, yes_pays);
        self.history.push(Happened::Settled { market, yes_pays: yes_pays.ticks().into() });
    }

    /// Somebody redeems what a settled market owes: the contracts leave the list, and the money is there.
    fn redeem(&mut self) {
        let claim = |market: &MarketId| self.desk.core.ledger().position(*market).has_claim();
        let Some(market) = self.settled.keys().copied().find(claim) else { return };
        self.rest_assured();
        let owed = self.desk.core.ledger().position(market).claim();
        let cash = self.desk.core.ledger().cash_at(Venue::Polymarket) + owed;
        let told = [
            C::Position { market, yes: Qty::ZERO, no: Qty::ZERO },
            C::Cash { venue: Venue::Polymarket, shard: 0, cash },
        ];
        self.desk.reading(Venue::Polymarket, &told);
        self.history.push(Happened::Redeemed { market });
        self.count(Count::Redeemed);
    }

    /// The venue does what the core asks for.
    fn answer(&mut self) {
        while let Some(intent) = self.desk.intents.get(self.answered).copied() {
            self.answered += 1;
            match intent {
                Intent::Place(order) => {
                    check_opening(&self.desk.core, &order);
                    let live = Live {
                        order: *order,
                        filled: Qty::ZERO,
                        change: None,
                        rounding: FeeAccumulator::NEW,
                    };
                    self.live.insert(order.id.get(), live);
                }
                Intent::Cancel(cancel) if self.live.contains_key(&cancel.order.get()) => {
                    let id = cancel.order.get();
                    let gone = self.live[&id];
                    self.tell(id, VenueState::Cancelled);
                    self.live.remove(&id);
                    assert!(gone.filled < gone.order.qty, "what is filled is not live");
                    self.count(Count::Cancels);
                }
                Intent::Amend(_) => self.answer_change(),
                Intent::Query(query) if self.live.contains_key(&query.order.get()) => {
                    self.tell(query.order.get(), VenueState::Resting);
                }
                Intent::Cancel(_)
                | Intent::Query(_)
                | Intent::CancelAll { .. }
                | Intent::Resync { .. }
                | Intent::Unfollow { .. }
                | Intent::Witness { .. } => {}
            }
        }
    }

    /// The venue makes the change that is under way, or refuses it.
    fn answer_change(&mut self) {
        let Some((&id, live)) = self.live.iter_mut().find(|(_, live)| live.change.is_some()) else {
            return;
        };
        let (to, qty) = live.change.take().expect("just looked for");
        let order = OrderRef::Id(OrderId::new(id));
        if self.rng.percent(30) {
            return self.desk.report(Report::AmendRefused { order });
        }
        (live.order.price, live.order.qty) = (to, qty);
        let price = if live.order.outcome == Outcome::Yes { to } else { to.complement() };
        self.desk.report(Report::Terms { order, price, qty });
    }

    /// Every account against the history.
    fn check(&self) {
        let plain = Plain::of(&self.history, venue_of);
        let ledger = self.desk.core.ledger();
        let at = || format!("{:?}", self.history.last());
        for venue in Venue::ALL {
            let cash = micros(ledger.cash_at(venue) - CASH);
            assert_eq!(cash, plain.cash[venue.index()], "P1, cash: {}", at());
            let account = CashAccount::of(venue, 0);
            let (needed, held_back) = self.claims(venue);
            let reserved = ledger.balance(LedgerAccount::Reserved(account));
            assert_eq!(reserved, needed + held_back, "R5: {}", at());
            let free = ledger.balance(LedgerAccount::Cash(account));
            assert_eq!(free, ledger.cash_at(venue) - needed - held_back, "R6: {}", at());
        }
        for market in (0..2 * MARKETS).map(MarketId::new) {
            let position = ledger.position(market);
            for outcome in [Outcome::Yes, Outcome::No] {
                let held = contracts(position.held(outcome)) - contracts(position.short(outcome));
                assert_eq!(held, plain.held(market, outcome), "P1, {market:?}: {}", at());
            }
            let risk = position.at_risk() + self.claims_in(market) + self.doubtful_in(market);
            assert_eq!(self.desk.core.money.exposure().market(market), risk, "R2: {}", at());
            let claim = plain.claims.get(&market).copied().unwrap_or(0);
            assert_eq!(micros(position.claim()), claim, "P6, {market:?}: {}", at());
        }
        assert_eq!(micros(ledger.fees()), plain.fees, "P4, fees: {}", at());
        // Which contracts of a pair, or of a set that was converted, were the dearer ones moves the result between sales, and never the sum.
        let ours = micros(ledger.realised()) - micros(ledger.cost());
        assert_eq!(ours, plain.realised - plain.cost(), "P4, results: {}", at());
        let is_shared = |happened: &Happened| {
            matches!(happened, Happened::Pairs { .. } | Happened::Converted { .. })
        };
        if !self.history.iter().any(is_shared) {
            assert_eq!(micros(ledger.realised()), plain.realised, "P4, realised: {}", at());
        }
        let sum = [
            LedgerAccount::Positions,
            LedgerAccount::Claims,
            LedgerAccount::Fees,
            LedgerAccount::Realised,
            LedgerAccount::Transfers,
        ];
        let sum = sum.into_iter().fold(Usd::ZERO, |sum, account| sum + ledger.balance(account));
        let cash = Venue::ALL.iter().fold(Usd::ZERO, |sum, &venue| sum + ledger.cash_at(venue));
        assert_eq!(sum + cash, Usd::ZERO, "P2: {}", at());
        let paid_in = ledger.balance(LedgerAccount::Transfers);
        assert_eq!(-paid_in, CASH + CASH, "nothing was taken over without a booking: {}", at());
    }

    /// What live orders of a venue need, and what its sales have brought that may still fail.
    fn claims(&self, venue: Venue) -> (Usd, Usd) {
        let markets = (0..2 * MARKETS).map(MarketId::new).filter(|at| venue_of(*at) == venue);
        let needed = markets.fold(Usd::ZERO, |sum, market| sum + self.claims_in(market));
        let of_venue = |open: &&Open| venue_of(open.fill.market) == venue;
        let held = self.open.iter().filter(of_venue);
        (needed, held.fold(Usd::ZERO, |sum, open| sum + open.brought))
    }

    /// What live orders in a market need (R1): a sale sells what is held, and needs no cash.
    fn claims_in(&self, market: MarketId) -> Usd {
        let mut needed = Usd::ZERO;
        for live in self.live.values().filter(|live| live.order.market == market) {
            let Order { id, price, qty, action, .. } = live.order;
            let fee = terms_of(market).fee;
            let cost = |price, qty: Qty| worst_cost(fee, price, qty.saturating_sub(live.filled));
            let changed = live.change.map_or(Usd::ZERO, |(price, qty)| cost(price, qty));
            let needs = cost(price, qty).max(changed);
            let needs = if action == Action::Buy { needs } else { Usd::ZERO };
            let record = self.desk.core.orders.find(OrderRef::Id(id)).expect("it lives");
            assert_eq!(record.reserved, needs, "R1: {live:?}");
            needed += needs;
        }
        needed
    }

    /// What counts as at risk in a market for sales that may still fail.
    fn doubtful_in(&self, market: MarketId) -> Usd {
        let open = self.open.iter().filter(|open| open.fill.market == market);
        open.fold(Usd::ZERO, |sum, open| sum + open.at_risk)
    }
}

#[test]
fn every_account_is_what_the_whole_history_comes_to() {
    let (mut counts, cases) = ([0; 9], cases(CASES));
    for seed in 1..=cases.div_ceil(STEPS) {
        let mut world = World::new(seed);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..STEPS).for_each(|_| world.step());
        }));
        assert!(result.is_ok(), "seed {seed}, after {} bookings", world.history.len());
        for (sum, count) in counts.iter_mut().zip(world.counts) {
            *sum += count;
        }
    }
    let least = cases / 1_000;
    assert!(counts.iter().all(|&count| u64::from(count) >= least), "{counts:?}: lame");
}
