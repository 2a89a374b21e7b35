//! One venue on paper, as a value: public data and orders go in, reports come out. Time is an argument that never runs back.

use std::collections::{BTreeMap, VecDeque};

use surefoot_hot::book::Level;
use surefoot_hot::event::Event;
use surefoot_hot::fees::FeeSchedule;
use surefoot_hot::ids::{FillId, MarketId, OrderId, OrderRef, Outcome, Side, Venue, VenueKey};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::{MarketDef, MarketStatus};
use surefoot_hot::order::{Amend, Change, Order};
use surefoot_hot::report::{Fill, Finality, OrderStatus, Report, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue::fill_id;

use super::account::PaperAccount;
use super::book::{LevelChange, PublicBook};
use super::curve::Curve;
use super::desk::{Desk, PaperFill, Tally, Terms, Told};
use super::queue::Prints;
use crate::reconcile::{Open, Truth};

/// How often it is looked at what only time decides.
const LOOK_EVERY: Nanos = Nanos::from_millis(50);

/// How a venue is played on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperOptions {
    /// The round trip to the venue, as measured.
    pub latency: Nanos,
    /// The curve whose fills the core is told. The two others are counted beside it, for the same orders.
    pub driver: Curve,
}

/// A market as it is known from public data.
#[derive(Clone, Debug)]
struct PaperMarket {
    shard: u8,
    fees: FeeSchedule,
    status: MarketStatus,
    /// The market link that its book comes over.
    link: Option<LinkNumber>,
    book: PublicBook,
}

/// What is on its way to the book.
#[derive(Clone, Copy, Debug)]
enum Request {
    /// With the best price against it when it was decided.
    Place(Order, Option<Price>),
    Cancel(OrderId),
    CancelAll,
    Query(OrderId),
    Amend(OrderId, Change),
}

/// What a curve adds up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurveFigures {
    pub tally: Tally,
    /// Cash and what is held, at what it could be sold for.
    pub worth: Usd,
}

/// One venue on paper. It has no key and no connection, and nothing in it can make one.
#[derive(Clone, Debug)]
pub struct PaperVenue {
    venue: Venue,
    options: PaperOptions,
    markets: BTreeMap<MarketId, PaperMarket>,
    /// Levels at which a trade or a decrease waits for its other half.
    prints: BTreeMap<(MarketId, Side, Price), Prints>,
    desks: [Desk; 3],
    /// By curve, when each request reaches the book, and in which order where two do so at once.
    ways: [BTreeMap<(Nanos, u64), Request>; 3],
    /// Events so far: their numbers say which came first.
    events: u64,
    looked: Nanos,
    reports: VecDeque<Event>,
}

impl PaperVenue {
    /// A venue at which we hold what `account` holds, on every curve.
    pub fn new(options: PaperOptions, venue: Venue, account: &PaperAccount) -> Self {
        Self {
            venue,
            options,
            markets: BTreeMap::new(),
            prints: BTreeMap::new(),
            desks: Curve::ALL.map(|curve| Desk::new(curve, account.clone())),
            ways: Curve::ALL.map(|_| BTreeMap::new()),
            events: 0,
            looked: Nanos::ZERO,
            reports: VecDeque::new(),
        }
    }

    /// What the core is to be told next.
    pub fn poll_report(&mut self) -> Option<Event> {
        self.reports.pop_front()
    }

    /// The core is to be told this as well, in its turn.
    pub fn tell_event(&mut self, event: Event) {
        self.reports.push_back(event);
    }

    /// Reports that wait.
    pub fn reports_waiting(&self) -> usize {
        self.reports.len()
    }

    /// What each curve adds up to, the pessimistic one first.
    pub fn figures(&self) -> [CurveFigures; 3] {
        let bid =
            |market: &PaperMarket, side| market.book.levels(side).next().map(|(price, _)| price);
        let sold_at = |market: MarketId, outcome: Outcome| {
            let market = self.markets.get(&market)?;
            match outcome {
                Outcome::Yes => bid(market, Side::Bid),
                Outcome::No => bid(market, Side::Ask).map(Price::complement),
            }
        };
        self.desks
            .each_ref()
            .map(|desk| CurveFigures { tally: *desk.tally(), worth: desk.account().worth(sold_at) })
    }

    /// The account that the run trades.
    pub const fn account(&self) -> &PaperAccount {
        self.driver().account()
    }

    /// What a venue would say of our account.
    pub fn truth(&self) -> Truth {
        let desk = self.driver();
        let open = |(order, market): (OrderId, MarketId)| Open {
            id: order.to_string(),
            key: key_of(order),
            market: Some(market),
            order: OrderRef::Id(order),
            listing: None,
        };
        Truth {
            cash: desk.account().all_cash().collect(),
            positions: desk.account().positions().collect(),
            open: desk.resting().map(open).collect(),
            ..Truth::default()
        }
    }

    const fn driver(&self) -> &Desk {
        &self.desks[self.options.driver.index()]
    }

    // --- what the core wants ---

    /// An order leaves.
    pub fn on_place(&mut self, now: Nanos, order: &Order) {
        self.on_time(now);
        let key = key_of(order.id);
        self.reports.push_back(Event::Report(Report::Bound { order: order.id, key }));
        let (side, _) = order.on_book();
        let market = self.markets.get(&order.market);
        let seen = Curve::ALL.map(|curve| {
            let market = market?;
            self.desks[curve.index()].best_against(&market.book, order.market, side)
        });
        self.send(now, |curve| Request::Place(*order, seen[curve.index()]));
    }

    /// A cancel leaves.
    pub fn on_cancel(&mut self, now: Nanos, order: OrderId) {
        self.send(now, |_| Request::Cancel(order));
    }

    /// A cancel of everything leaves.
    pub fn on_cancel_all(&mut self, now: Nanos) {
        self.send(now, |_| Request::CancelAll);
    }

    /// A question about an order leaves.
    pub fn on_query(&mut self, now: Nanos, order: OrderId) {
        self.send(now, |_| Request::Query(order));
    }

    /// A change of an order leaves.
    pub fn on_amend(&mut self, now: Nanos, amend: &Amend) {
        let change = Change { price: amend.price, qty: amend.qty, expires: amend.expires };
        self.send(now, |_| Request::Amend(amend.order, change));
    }

    fn send(&mut self, now: Nanos, request: impl Fn(Curve) -> Request) {
        self.events += 1;
        for curve in Curve::ALL {
            let at = now.after(curve.latency(self.options.latency));
            self.ways[curve.index()].insert((at, self.events), request(curve));
        }
    }

    // --- what the venue says in public ---

    /// Something public was told. What [`wants`](super::wants) does not want changes nothing.
    pub fn on_market(&mut self, now: Nanos, event: &Event) {
        self.on_time(now);
        self.events += 1;
        match *event {
            Event::Market(ref def) if def.venue == self.venue => self.on_terms(now, def),
            Event::FeeChange { market, change } => {
                self.with(market, |market| market.fees.change(now, change));
            }
            Event::SnapshotBegin { market, link, .. } => self.with(market, |market| {
                market.link = Some(link);
                market.book.begin();
            }),
            Event::SnapshotEnd { market } => {
                let changes = self.markets.get_mut(&market).map(|market| market.book.end());
                for change in changes.into_iter().flatten() {
                    self.on_change(now, market, &change);
                }
            }
            Event::Level(Level { market, side, price, change, .. }) => {
                let book = self.markets.get_mut(&market).map(|market| &mut market.book);
                if let Some(change) = book.and_then(|book| book.change(side, price, change)) {
                    self.on_change(now, market, &change);
                }
            }
            Event::Trade { market, price, qty, taker } if self.markets.contains_key(&market) => {
                let side = taker.other();
                let prints = self.prints.entry((market, side, price)).or_default();
                let parts = prints.on_trade(now, self.events, qty);
                for desk in &mut self.desks {
                    desk.on_trade(market, side, price, &parts);
                }
            }
            Event::Stale { market, .. } => self.with(market, |market| market.book.doubt()),
            Event::StaleAll { venue, link, .. } if venue == self.venue => {
                let fed = self.markets.values_mut().filter(|market| market.link == Some(link));
                fed.for_each(|market| market.book.doubt());
            }
            Event::GridChange { market, .. } => self.with(market, |market| market.book.begin()),
            Event::Status { market, status } => self.on_status(market, status),
            Event::Settled { market, yes_pays } => {
                if let Some(shard) = self.markets.get(&market).map(|market| market.shard) {
                    for desk in &mut self.desks {
                        desk.on_settled(market, shard, yes_pays);
                    }
                }
            }
            _ => {}
        }
        self.tell();
    }

    fn with(&mut self, market: MarketId, change: impl FnOnce(&mut PaperMarket)) {
        if let Some(market) = self.markets.get_mut(&market) {
            change(market);
        }
    }

    fn on_terms(&mut self, now: Nanos, def: &MarketDef) {
        let new = || PaperMarket {
            shard: def.shard,
            fees: FeeSchedule::NONE,
            status: def.status,
            link: None,
            book: PublicBook::default(),
        };
        let market = self.markets.entry(def.market).or_insert_with(new);
        market.shard = def.shard;
        market.fees.state(now, def.fee);
        self.on_status(def.market, def.status);
    }

    fn on_status(&mut self, market: MarketId, status: MarketStatus) {
        self.with(market, |market| market.status = status);
        if status.is_over() {
            for desk in &mut self.desks {
                desk.on_closed(market);
            }
        }
    }

    fn on_change(&mut self, now: Nanos, market: MarketId, change: &LevelChange) {
        let prints = self.prints.entry((market, change.side, change.price)).or_default();
        let less = change.before.saturating_sub(change.after);
        let explained =
            if less.is_zero() { Vec::new() } else { prints.on_decrease(now, self.events, less) };
        for desk in &mut self.desks {
            desk.on_level(market, change, &explained, |since| prints.unexplained_since(since));
        }
        if prints.is_empty() {
            self.prints.remove(&(market, change.side, change.price));
        }
    }

    // --- time ---

    /// Time is `now`: requests reach the book, cancels are known to be cancels, orders expire.
    pub fn on_time(&mut self, now: Nanos) {
        for curve in Curve::ALL {
            while let Some(first) = self.ways[curve.index()].first_entry()
                && first.key().0 <= now
            {
                let ((at, _), request) = first.remove_entry();
                self.reach(at, curve, request);
            }
        }
        if now.since(self.looked) >= LOOK_EVERY {
            self.looked = now;
            self.look(now);
        }
        self.tell();
    }

    fn look(&mut self, now: Nanos) {
        let Self { prints, desks, markets, .. } = self;
        prints.retain(|&(market, side, price), prints| {
            let parts = prints.expire(now);
            if !parts.is_empty() {
                for desk in &mut *desks {
                    desk.on_cancelled(market, side, price, &parts);
                }
            }
            !prints.is_empty()
        });
        for desk in desks {
            desk.on_time(now, |market| markets.get(&market).map(|market| &market.book));
        }
    }

    fn reach(&mut self, at: Nanos, curve: Curve, request: Request) {
        self.events += 1;
        let desk = &mut self.desks[curve.index()];
        match request {
            Request::Place(order, seen) => {
                let open = |market: &&PaperMarket| market.status == MarketStatus::Open;
                let market = self.markets.get(&order.market).filter(open);
                let market = market.and_then(|market| {
                    let (shard, fee) = (market.shard, market.fees.rule_at(at)?);
                    Some((&market.book, Terms { shard, fee }))
                });
                desk.on_order(self.events, &order, seen, market);
            }
            Request::Cancel(order) => desk.on_cancel(order),
            Request::CancelAll => desk.on_cancel_all(),
            Request::Amend(order, change) => {
                let market = desk.resting().find(|(id, _)| *id == order).map(|(_, market)| market);
                let market = market.and_then(|market| self.markets.get(&market));
                desk.on_amend(self.events, order, &change, market.map(|market| &market.book));
            }
            Request::Query(order) => {
                let report = match desk.state_of(order) {
                    Some(stands) => state(order, stands.state, stands.filled),
                    None => Report::Absent { order, venue: self.venue },
                };
                if curve == self.options.driver {
                    self.reports.push_back(Event::Report(report));
                }
            }
        }
    }

    /// Makes reports of what has happened on the curve that drives the run.
    fn tell(&mut self) {
        for curve in Curve::ALL {
            let told = self.desks[curve.index()].take_told();
            if curve == self.options.driver {
                let reports = told.iter().map(|told| Event::Report(self.report(told)));
                self.reports.extend(reports.collect::<Vec<_>>());
            }
        }
    }

    fn report(&self, told: &Told) -> Report {
        match *told {
            Told::Fill(ref fill) => Report::Fill(self.fill(fill)),
            Told::State { order, state: stands, filled } => state(order, stands, filled),
            Told::Rejected { order, why } => Report::Rejected { order: OrderRef::Id(order), why },
            Told::CancelRefused { order } => Report::CancelRefused { order: OrderRef::Id(order) },
            Told::Terms { order, price, qty } => {
                Report::Terms { order: OrderRef::Id(order), price, qty }
            }
            Told::AmendRefused { order } => Report::AmendRefused { order: OrderRef::Id(order) },
        }
    }

    fn fill(&self, fill: &PaperFill) -> Fill {
        let &PaperFill { order, nth, market, side, price, qty, fee, liquidity } = fill;
        Fill {
            fill: paper_fill_id(order, nth),
            order: OrderRef::Id(order),
            market,
            side,
            price,
            qty,
            fee: Some(fee),
            liquidity,
            finality: Finality::Final,
            venue_time: Nanos::ZERO, // no venue matched it
        }
    }

    /// Contracts ahead of an order of ours that rests, by curve.
    pub fn ahead_of(&self, order: OrderId) -> [Option<Qty>; 3] {
        self.desks.each_ref().map(|desk| desk.ahead_of(order))
    }
}

fn state(order: OrderId, state: VenueState, filled: Qty) -> Report {
    Report::Status(OrderStatus { order: OrderRef::Id(order), state, filled: Some(filled) })
}

/// The name of an order on paper: its own number, because no venue gives one.
const fn key_of(order: OrderId) -> VenueKey {
    VenueKey::new(order.get())
}

/// The id of a fill on paper. Order ids are never used again, so neither is this, over restarts too.
fn paper_fill_id(order: OrderId, nth: u32) -> FillId {
    fill_id(format!("paper {nth}").as_bytes(), key_of(order))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
