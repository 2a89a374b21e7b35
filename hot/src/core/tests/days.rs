//! Whole days from a seed: market data, fills, refusals, lost answers, readings, halts and restarts drawn at random. Two
//! cores that are handed the same day decide the same; a change that should move no decision moves none of these hashes.

use super::at_venue::AtVenue;
use super::*;
use crate::book::StaleWhy;
use crate::event::{Event as E, Oddity};
use crate::fees::FeeChange;
use crate::ids::Action;
use crate::links::{LinkNumber, LinkSet};
use crate::random::Rng;
use crate::report::{Reject, Unsent};
use crate::risk::HaltWhy;

use std::collections::{BTreeMap, VecDeque};

/// Events of one day.
const EVENTS: usize = 6_000;
/// Even markets trade at the one venue, odd ones at the other; a pair asks the same question at both.
const MARKETS: u16 = 6;

/// A day in the making: the core decides, the venues answer by chance, and every event is written down.
struct Maker {
    rng: Rng,
    now: Nanos,
    core: Core,
    out: Outbox,
    events: Vec<(Nanos, Event)>,
    /// Answers on their way, by when they are due.
    due: VecDeque<(Nanos, Report)>,
    venue: BTreeMap<u64, AtVenue>,
    fills: u64,
}

fn market_terms(market: u16) -> MarketDef {
    let like = if market.is_multiple_of(2) { PM } else { KA };
    let cluster = ClusterId::new(market / 2);
    MarketDef { market: MarketId::new(market), cluster, ..terms(like) }
}

impl Maker {
    fn feed(&mut self, event: Event) {
        self.now = self.now.after(Nanos::new(1_000 + self.rng.below(200_000)));
        self.events.push((self.now, event));
        self.core.on_event(self.now, &event, &mut self.out);
        self.core.check_invariants();
        let intents = self.out.intents().to_vec();
        self.out.clear();
        for intent in &intents {
            if let Intent::Place(order) = intent {
                check_opening(&self.core, order);
            }
        }
        for intent in intents {
            self.answer(&intent);
        }
    }

    fn control(&mut self, control: Control) {
        self.feed(E::Control(control));
    }

    fn later(&mut self, report: Report) {
        let wait = Nanos::new(self.rng.of(&[100_000, 3_000_000, 40_000_000, 900_000_000]));
        self.due.push_back((self.now.after(wait), report));
    }

    fn answer(&mut self, intent: &Intent) {
        match intent {
            Intent::Place(order) => self.on_place(**order),
            Intent::Cancel(cancel) => self.on_cancel(cancel.order),
            Intent::Query(query) => self.on_query(query.order),
            Intent::CancelAll { .. } => {}
            Intent::Resync { market } => self.snapshot(*market),
            Intent::Witness { .. } => {} // nobody is asked over REST: the stream is, in the end
            Intent::Unfollow { .. } => unreachable!("no market is withdrawn"),
            Intent::Amend(_) => unreachable!("nothing of a basket is wanted on the book"),
        }
    }

    fn on_place(&mut self, order: Order) {
        let id = order.id.get();
        let key = VenueKey::new(id + 1_000_000);
        let mut at = AtVenue { order, filled: Qty::ZERO, over: false };
        match self.rng.below(100) {
            0..4 => {
                at.over = true;
                let why = self.rng.of(&[Unsent::Down, Unsent::Tokens, Unsent::Old]);
                self.later(Report::Unsent { order: order.id, why });
            }
            4..12 => {
                at.over = true;
                let all =
                    [Reject::Killed, Reject::Terms, Reject::Funds, Reject::Mode, Reject::Rate];
                let why = self.rng.of(&all);
                self.later(Report::Rejected { order: OrderRef::Id(order.id), why });
            }
            12..18 => self.later(Report::TimedOut { order: order.id }),
            _ => {
                if self.rng.percent(60) {
                    self.later(Report::Bound { order: order.id, key });
                }
                self.venue.insert(id, at);
                self.fill_some(id);
                at = self.venue[&id];
                if order.tif != Tif::Gtc {
                    at.over = true;
                }
                self.later(at.status());
            }
        }
        self.venue.insert(id, at);
    }

    /// Fills a part of an order, or all of it, in up to two fills.
    fn fill_some(&mut self, id: u64) {
        for _ in 0..=self.rng.below(2) {
            let at = self.venue.get_mut(&id).expect("the caller put it there");
            let left = at.order.qty.saturating_sub(at.filled);
            let share = if at.order.tif == Tif::Fok { 4 } else { self.rng.of(&[0, 1, 2, 4, 4]) };
            let part =
                Qty::from_micros(left.micros() / 4 * share).floor_to(Qty::from_micros(10_000));
            if part.is_zero() {
                return;
            }
            at.filled += part;
            let order = at.order;
            self.fills += 1;
            let name = if self.rng.percent(20) {
                OrderRef::Key(VenueKey::new(id + 1_000_000))
            } else {
                OrderRef::Id(order.id)
            };
            let (side, price) = order.on_book();
            let fill = Fill {
                fill: FillId::new(self.fills),
                order: name,
                market: order.market,
                side,
                price,
                qty: part,
                fee: None,
                liquidity: Liquidity::Taker,
                finality: self.rng.of(&[Finality::Provisional, Finality::Final]),
                venue_time: Nanos::ZERO,
            };
            self.later(Report::Fill(fill));
            if self.rng.percent(8) {
                self.later(Report::Fill(fill)); // told twice
            }
            let state = self.rng.of(&[Finality::Final, Finality::Final, Finality::Failed]);
            if self.rng.percent(12) {
                self.later(Report::Finality { fill: fill.fill, state });
            }
        }
    }

    fn on_cancel(&mut self, order: OrderId) {
        let Some(at) = self.venue.get_mut(&order.get()) else { return };
        let refused = at.over;
        at.over = true;
        let status = at.status();
        match self.rng.below(10) {
            0..7 if !refused => self.later(status),
            0..9 => self.later(Report::CancelRefused { order: OrderRef::Id(order) }),
            _ => {}
        }
    }

    fn on_query(&mut self, order: OrderId) {
        let Some(at) = self.venue.get(&order.get()).copied() else { return };
        match self.rng.below(10) {
            0..7 => self.later(at.status()),
            7..9 => self.later(Report::Absent { order, venue: at.order.venue }),
            _ => {}
        }
    }

    fn level(&mut self, market: MarketId, side: Side, cents: u16, contracts: u64, last: bool) {
        let change = Change::Set(qty(contracts));
        let price = price(cents.clamp(1, 99));
        self.feed(E::Level(Level { market, side, price, change, last }));
    }

    /// A whole book around a price that the pair shares, give or take.
    fn snapshot(&mut self, market: MarketId) {
        let pair = u64::from(market.get() / 2);
        let hour = self.now.millis() / 2_000 / (pair + 3) % 20;
        let middle = 40 + hour as u16 + self.rng.below(9) as u16;
        self.feed(E::SnapshotBegin { market, link: LinkNumber::FIRST, venue_time: Nanos::ZERO });
        for step in 1..4 {
            let contracts = 20 + self.rng.below(200);
            self.level(market, Side::Bid, middle - step, contracts, false);
            self.level(market, Side::Ask, middle + step, contracts, false);
        }
        self.feed(E::SnapshotEnd { market });
    }

    fn reading(&mut self, venue: Venue) {
        self.control(Control::Reading { venue, since: self.now });
        let cash = self.core.ledger().cash_at(venue);
        let off = if self.rng.percent(10) { Usd::from_dollars(3) } else { Usd::ZERO };
        self.control(Control::Cash { venue, shard: 0, cash: cash + off });
        for market in (0..MARKETS).filter(|market| market_terms(*market).venue == venue) {
            let market = MarketId::new(market);
            let held = |outcome| self.core.ledger().position(market).held(outcome);
            let (yes, no) = (held(Outcome::Yes), held(Outcome::No));
            let yes = if self.rng.percent(4) { yes + qty(2) } else { yes };
            self.control(Control::Position { market, yes, no });
        }
        let clean = self.rng.percent(95);
        self.control(Control::Reconciled { venue, clean });
    }

    fn start(&mut self, first_order: u64) {
        self.control(Control::Start { epoch: 1, first_order });
        for (row, value) in limit_values() {
            self.control(Control::Limit { row, value });
        }
        for venue in Venue::ALL {
            for link in [Link::Market, Link::Private, Link::Orders] {
                self.feed(E::Link { venue, link, number: LinkNumber::FIRST, up: true });
            }
            self.reading(venue);
        }
        for market in (0..MARKETS).map(MarketId::new) {
            self.snapshot(market);
        }
    }

    /// Something that happens seldom.
    fn seldom(&mut self) {
        let venue = self.rng.of(&Venue::ALL);
        let market = MarketId::new(self.rng.below(u64::from(MARKETS)) as u16);
        match self.rng.below(16) {
            0 => {
                let link = self.rng.of(&[Link::Market, Link::Private, Link::Orders]);
                self.feed(E::Link { venue, link, number: LinkNumber::FIRST, up: false });
                self.feed(E::Link { venue, link, number: LinkNumber::FIRST, up: true });
                self.snapshot(market);
            }
            1 => {
                self.control(Control::Halt { epoch: 1, why: HaltWhy::Operator });
                self.control(Control::Resume { epoch: 2 });
            }
            2 => self.control(Control::Hold { venue, held: self.rng.0.is_multiple_of(2) }),
            3 => self.feed(E::Stall { span: Nanos::from_millis(300) }),
            4 => {
                let what =
                    self.rng.of(&[Oddity::Shape, Oddity::Schema, Oddity::Meaning, Oddity::Money]);
                self.feed(E::Odd {
                    venue: market_terms(market.get()).venue,
                    market: Some(market),
                    what,
                });
            }
            5 => self.control(Control::Release { market }),
            6 => {
                let day = (self.now.millis() / 20_000) as u32;
                self.control(Control::Day { day });
            }
            7 => self.feed(E::StaleAll { venue, link: LinkNumber::FIRST, why: StaleWhy::Gap }),
            8 => {
                let key = VenueKey::new(self.rng.below(5));
                let order = OrderRef::Key(key);
                self.control(Control::Open { venue, market: Some(market), order, key });
            }
            9 if self.rng.percent(10) => {
                let yes_pays = self.rng.of(&[Price::ZERO, Price::ONE]);
                self.feed(E::Settled { market, yes_pays });
            }
            10 if self.rng.percent(20) => self.start(1),
            11 => self.control(Control::Resume { epoch: 2 }),
            12 => self.feed(E::Market(market_terms(market.get()))),
            13 => {
                let from = self.now.after(Nanos::from_millis(self.rng.below(20_000)));
                let rule = self.fee_rule(market);
                self.feed(E::FeeChange { market, change: FeeChange { from, rule } });
            }
            _ => self.feed(E::Current {
                venue,
                links: LinkSet::only(LinkNumber::FIRST),
                upto: self.now,
            }),
        }
    }

    /// A fee rule of a market's venue.
    fn fee_rule(&mut self, market: MarketId) -> FeeRule {
        let rate = self.rng.of(&[0, 35_000, 70_000, 140_000]);
        match market_terms(market.get()).fee {
            FeeRule::Polymarket { .. } => {
                FeeRule::Polymarket { rate, exponent: self.rng.of(&[1, 1, 2]) }
            }
            FeeRule::Kalshi { .. } => FeeRule::Kalshi { taker: rate, maker: rate / 4 },
        }
    }

    fn make(seed: u64) -> Self {
        let mut day = Self {
            rng: Rng::from_seed(seed),
            now: Nanos::from_secs(1_800_000_000),
            core: Core::new(),
            out: Outbox::new(),
            events: Vec::new(),
            due: VecDeque::new(),
            venue: BTreeMap::new(),
            fills: 0,
        };
        for market in 0..MARKETS {
            day.feed(E::Market(market_terms(market)));
        }
        for basket in 0..MARKETS {
            let other = MarketId::new(basket ^ 1);
            for (leg, market, outcome) in
                [(0, MarketId::new(basket), Outcome::Yes), (1, other, Outcome::No)]
            {
                day.feed(E::Basket(BasketDef {
                    basket: BasketId::new(basket),
                    kind: BasketKind::CrossVenue,
                    leg,
                    legs: 2,
                    market,
                    outcome,
                    payout: 10_000,
                    ratio: 1,
                }));
            }
        }
        for venue in Venue::ALL {
            day.control(Control::Cash { venue, shard: 0, cash: Usd::from_dollars(10_000) });
        }
        day.start(100);
        while day.events.len() < EVENTS {
            day.step();
        }
        day
    }

    fn step(&mut self) {
        self.now = self.now.after(Nanos::new(self.rng.below(20_000_000)));
        let ready = self.due.iter().position(|(at, _)| *at <= self.now);
        if let Some(at) = ready {
            let (_, report) = self.due.remove(at).expect("just found");
            return self.feed(E::Report(report));
        }
        let market = MarketId::new(self.rng.below(u64::from(MARKETS)) as u16);
        match self.rng.below(100) {
            0..40 => self.feed(E::Timer),
            40..55 => Venue::ALL.into_iter().for_each(|venue| {
                self.feed(E::Current {
                    venue,
                    links: LinkSet::only(LinkNumber::FIRST),
                    upto: self.now,
                });
            }),
            55..80 => self.snapshot(market),
            80..92 => {
                let cents = 40 + self.rng.below(20) as u16;
                let side = self.rng.of(&[Side::Bid, Side::Ask]);
                let contracts = self.rng.below(3) * 60;
                self.level(market, side, cents, contracts, true);
            }
            92..95 => {
                let venue = self.rng.of(&Venue::ALL);
                self.reading(venue);
            }
            95..97 => self.now = self.now.after(Nanos::from_secs(2)),
            _ => self.seldom(),
        }
    }
}

/// A core that has been handed these events.
fn after(events: &[(Nanos, Event)]) -> Core {
    let (mut core, mut out) = (Core::new(), Outbox::new());
    for (now, event) in events {
        core.on_event(*now, event, &mut out);
        out.clear();
    }
    core
}

/// The decisions of each seed's day. They change where decisions or the days are meant to, and never otherwise: a commit
/// that changes them says why.
const DECISIONS: [(u64, u64); 4] = [
    (1, 9_795_863_332_783_874_112),
    (2, 11_798_925_627_182_280_183),
    (3, 3_837_224_967_629_459_517),
    (4, 11_632_484_894_205_095_971),
];

#[test]
fn a_day_has_the_decisions_it_always_had() {
    let (mut stats, mut found) = (Vec::new(), Vec::new());
    for (seed, _) in DECISIONS {
        let day = Maker::make(seed);
        let again = after(&day.events);
        assert_eq!(again.decision_hash(), day.core.decision_hash(), "seed {seed}");
        assert_eq!(again.state_hash(), day.core.state_hash(), "seed {seed}");
        found.push((seed, again.decision_hash()));
        stats.push(again.stats());
    }
    let sum = |of: fn(&Stats) -> u64| stats.iter().map(of).sum::<u64>();
    assert!(sum(|s| s.baskets_completed) > 0 && sum(|s| s.baskets_unwound) > 0);
    assert!(sum(|s| s.orders_rejected) > 0 && sum(|s| s.orders_unknown) > 0);
    assert!(sum(|s| s.cancels) > 0 && sum(|s| s.refusals) > 0 && sum(|s| s.fills) > 0);
    assert_eq!(found, DECISIONS);
}

/// The core that was saved and loaded again: as good as the one that went on.
fn reloaded(core: &Core) -> Core {
    let mut bytes = Vec::new();
    core.save(&mut bytes);
    let loaded = Core::load(&bytes).expect("it was just saved");
    let mut again = Vec::new();
    loaded.save(&mut again);
    assert!(bytes == again, "saved, loaded and saved again: the same bytes");
    loaded
}

#[test]
fn a_core_that_is_saved_and_loaded_anywhere_in_a_day_goes_on_as_if_nothing_had_been() {
    for (seed, _) in DECISIONS {
        let day = Maker::make(seed);
        let mut rng = Rng(seed.wrapping_mul(77) | 1);
        let (mut core, mut out, mut left) = (Core::new(), Outbox::new(), Outbox::new());
        let mut loaded = reloaded(&core);
        for (nth, (now, event)) in day.events.iter().enumerate() {
            if rng.below(150) == 0 {
                loaded = reloaded(&core);
            }
            core.on_event(*now, event, &mut out);
            loaded.on_event(*now, event, &mut left);
            assert!(out.intents() == left.intents(), "seed {seed}, event {nth}: intents");
            assert!(out.notes() == left.notes(), "seed {seed}, event {nth}: notes");
            if nth % 50 == 0 {
                assert_eq!(loaded.state_hash(), core.state_hash(), "seed {seed}, event {nth}");
            }
            out.clear();
            left.clear();
        }
        assert_eq!(loaded.state_hash(), core.state_hash(), "seed {seed}");
        assert_eq!(core.state_hash(), day.core.state_hash(), "seed {seed}");
        assert_eq!(loaded.stats(), core.stats(), "seed {seed}");
        loaded.check_invariants();
    }
}

#[test]
fn bytes_that_were_not_saved_so_are_no_core() {
    let day = Maker::make(1);
    let mut good = Vec::new();
    day.core.save(&mut good);
    assert_eq!(Core::load(&good).unwrap().state_hash(), day.core.state_hash());
    let mut rng = Rng(5);
    for _ in 0..2_000 {
        let mut bad = good.clone();
        match rng.below(3) {
            0 => bad.truncate(rng.below(good.len() as u64) as usize),
            1 => bad.push(0),
            _ => {
                let bit = rng.below(good.len() as u64 * 8) as usize;
                bad[bit / 8] ^= 1 << (bit % 8);
            }
        }
        assert!(Core::load(&bad).is_err());
    }
    let mut other = good.clone();
    other[4] ^= 1;
    assert!(matches!(Core::load(&other), Err(crate::core::LoadError::Layout { .. })));
    let mut newer = good.clone();
    newer[0] += 1;
    let seen = crate::state::STATE_FORMAT + 1;
    assert_eq!(Core::load(&newer).unwrap_err(), crate::core::LoadError::Format { seen });
    assert_eq!(Core::load(&[]).unwrap_err(), crate::core::LoadError::Damaged);
}

/// The orders that a core places on each event of a day.
fn placed_on(events: &[(Nanos, Event)]) -> (Core, Vec<Vec<Order>>) {
    let (mut core, mut out) = (Core::new(), Outbox::new());
    let mut all = Vec::new();
    for (now, event) in events {
        core.on_event(*now, event, &mut out);
        let order = |intent: &Intent| match intent {
            Intent::Place(order) => Some(**order),
            Intent::Amend(_) | Intent::Cancel(_) | Intent::CancelAll { .. } => None,
            Intent::Query(_) | Intent::Resync { .. } | Intent::Unfollow { .. } => None,
            Intent::Witness { .. } => None,
        };
        all.push(out.intents().iter().filter_map(order).collect());
        out.clear();
    }
    (core, all)
}

#[test]
fn a_core_that_follows_its_own_program_is_the_same_core() {
    let day = Maker::make(2);
    let (core, placed) = placed_on(&day.events);
    let (mut follower, mut out) = (Core::new(), Outbox::new());
    for ((now, event), placed) in day.events.iter().zip(&placed) {
        let kept_back = follower.on_followed(*now, event, placed, &mut out);
        assert!(kept_back.is_empty(), "{event:?}: {kept_back:?}");
        out.clear();
    }
    assert_eq!(follower.state_hash(), core.state_hash());
}

#[test]
fn what_the_gate_refuses_is_nothing_that_this_program_would_have_placed() {
    let mut desk = Desk::new();
    let event = Event::Control(Control::Rest {
        market: KA,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: Price::from_ticks(4_000).unwrap(),
        qty: qty(100_000),
        expires: None,
        post_only: true,
        exit: false,
    });
    let kept_back = desk.core.on_followed(desk.now, &event, &[], &mut desk.out);
    assert_eq!((kept_back, desk.core.stats().refusals), (vec![], 1));
}

/// A program that would never have traded: it has no limits, so that its gate refuses everything.
#[test]
fn a_core_that_follows_another_program_has_what_that_one_bought_and_sold() {
    for (seed, _) in DECISIONS {
        let day = Maker::make(seed);
        let (core, placed) = placed_on(&day.events);
        let (mut follower, mut out) = (Core::new(), Outbox::new());
        for ((now, event), placed) in day.events.iter().zip(&placed) {
            if !matches!(event, E::Control(Control::Limit { .. })) {
                let kept_back = follower.on_followed(*now, event, placed, &mut out);
                assert!(kept_back.is_empty(), "seed {seed}: it would place nothing: {kept_back:?}");
                follower.check_invariants();
                out.clear();
            }
        }
        assert!(core.stats().fills > 0);
        assert_eq!(follower.stats().fills, core.stats().fills, "seed {seed}: every fill is booked");
        for market in (0..MARKETS).map(MarketId::new) {
            let held = |core: &Core| {
                let position = *core.ledger().position(market);
                [Outcome::Yes, Outcome::No].map(|outcome| position.held(outcome))
            };
            assert_eq!(held(&follower), held(&core), "seed {seed}, market {market}");
        }
    }
}
