use surefoot_hot::book::{Change as LevelSays, StaleWhy};
use surefoot_hot::fees::FeeRule;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{Action, ClusterId, GroupId};
use surefoot_hot::market::Category;
use surefoot_hot::order::{Expiry, Purpose, Tif};
use surefoot_hot::report::{Liquidity, Reject};

use super::super::queue::PRINT_WINDOW;
use super::*;

const MARKET: MarketId = MarketId::new(1);
const LATENCY: Nanos = Nanos::from_millis(100);

const fn of(contracts: u64) -> Qty {
    Qty::from_contracts(contracts)
}

fn cents(cents: u16) -> Price {
    Price::from_ticks(cents * 100).unwrap()
}

/// A venue on paper, and a clock.
struct Bench {
    venue: PaperVenue,
    now: Nanos,
    next: u64,
}

impl Bench {
    /// With one open market whose book is bid 40 and asked 60, ten contracts each, and $100.
    fn new(venue: Venue, driver: Curve, latency: Nanos) -> Self {
        let account = PaperAccount::new(venue, [(0, Usd::from_dollars(100))], []);
        let options = PaperOptions { latency, driver };
        let now = Nanos::from_secs(1_800_000_000);
        let mut bench = Self { venue: PaperVenue::new(options, venue, &account), now, next: 1 };
        let fee = match venue {
            Venue::Polymarket => FeeRule::Polymarket { rate: 0, exponent: 1 },
            Venue::Kalshi => FeeRule::Kalshi { taker: 70_000, maker: 0 },
        };
        bench.tell(Event::Market(MarketDef {
            market: MARKET,
            venue,
            shard: 0,
            cluster: ClusterId::new(0),
            grid: Grid::uniform(100).unwrap(),
            min_qty: of(1),
            close: Nanos::NEVER,
            fee,
            status: MarketStatus::Open,
            category: Category::Unknown,
            theme: None,
        }));
        bench.snapshot(&[(Side::Bid, 40, 10), (Side::Ask, 60, 10)]);
        bench
    }

    fn realistic(venue: Venue) -> Self {
        Self::new(venue, Curve::Realistic, LATENCY)
    }

    fn tell(&mut self, event: Event) {
        self.venue.on_market(self.now, &event);
    }

    fn snapshot(&mut self, levels: &[(Side, u16, u64)]) {
        let (link, venue_time) = (LinkNumber::FIRST, Nanos::ZERO);
        self.tell(Event::SnapshotBegin { market: MARKET, link, venue_time });
        for &(side, price, qty) in levels {
            self.set(side, price, qty);
        }
        self.tell(Event::SnapshotEnd { market: MARKET });
    }

    fn set(&mut self, side: Side, price: u16, qty: u64) {
        let (price, change) = (cents(price), LevelSays::Set(of(qty)));
        self.tell(Event::Level(Level { market: MARKET, side, price, change, last: true }));
    }

    /// Somebody takes from `side`: the venue tells the trade, then what is left there.
    fn trade(&mut self, side: Side, price: u16, qty: u64, left: u64) {
        let (taker, qty) = (side.other(), of(qty));
        self.tell(Event::Trade { market: MARKET, price: cents(price), qty, taker });
        self.set(side, price, left);
    }

    fn pass(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        self.venue.on_time(self.now);
    }

    /// After every decrease so far is known to be a cancel.
    fn pass_window(&mut self) {
        self.pass(PRINT_WINDOW.after(LOOK_EVERY).after(Nanos::new(1)));
    }

    fn order(&mut self, outcome: Outcome, action: Action, price: u16, qty: u64, tif: Tif) -> Order {
        let id = OrderId::new(self.next);
        self.next += 1;
        let expires = (tif == Tif::Gtd).then(|| Expiry::at(self.now.after(Nanos::from_secs(60))));
        Order {
            id,
            epoch: 1,
            decided: self.now,
            group: GroupId::new(0),
            market: MARKET,
            venue: self.venue.venue,
            outcome,
            action,
            price: cents(price),
            qty: of(qty),
            tif,
            expires: expires.flatten(),
            post_only: false,
            purpose: Purpose::Quote,
        }
    }

    /// Sends an order, and lets it reach the book on every curve.
    fn place(&mut self, order: &Order) -> Vec<Report> {
        self.venue.on_place(self.now, order);
        self.pass(Curve::Pessimistic.latency(self.venue.options.latency));
        self.reports()
    }

    fn rest(&mut self, outcome: Outcome, price: u16, qty: u64) -> OrderId {
        let order = self.order(outcome, Action::Buy, price, qty, Tif::Gtc);
        let told = self.place(&order);
        assert_eq!(told.last(), Some(&stands(order.id, VenueState::Resting, 0)));
        order.id
    }

    fn reports(&mut self) -> Vec<Report> {
        let mut all = Vec::new();
        while let Some(Event::Report(report)) = self.venue.poll_report() {
            all.push(report);
        }
        all
    }

    /// What was filled: price in cents and contracts.
    fn fills(&mut self) -> Vec<(u16, u64)> {
        fills(&self.reports())
    }

    fn ahead(&self, order: OrderId) -> [u64; 3] {
        self.venue.ahead_of(order).map(|ahead| ahead.unwrap().micros() / 1_000_000)
    }
}

fn stands(order: OrderId, state: VenueState, filled: u64) -> Report {
    super::state(order, state, of(filled))
}

fn fills(reports: &[Report]) -> Vec<(u16, u64)> {
    let fill = |report: &Report| match report {
        Report::Fill(fill) => Some((fill.price.ticks() / 100, fill.qty.micros() / 1_000_000)),
        _ => None,
    };
    reports.iter().filter_map(fill).collect()
}

#[test]
fn an_order_takes_what_is_there_when_it_arrives_and_not_before() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let order = bench.order(Outcome::Yes, Action::Buy, 62, 10, Tif::Ioc);
    bench.venue.on_place(bench.now, &order);
    let key = key_of(order.id);
    assert_eq!(bench.reports(), [Report::Bound { order: order.id, key }]);
    bench.pass(Nanos::from_millis(99));
    assert_eq!(bench.reports(), [], "it is on its way");
    bench.set(Side::Ask, 60, 4); // somebody else was there first
    bench.set(Side::Ask, 62, 3);
    bench.set(Side::Ask, 63, 9);
    bench.pass(Nanos::from_millis(1));
    let told = bench.reports();
    assert_eq!(fills(&told), [(60, 4), (62, 3)]);
    assert_eq!(told.last(), Some(&stands(order.id, VenueState::Cancelled, 7)));
}

#[test]
fn a_price_that_became_better_on_the_way_is_not_paid_out() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let order = bench.order(Outcome::Yes, Action::Buy, 62, 5, Tif::Ioc);
    bench.venue.on_place(bench.now, &order);
    bench.set(Side::Ask, 55, 10);
    bench.pass(LATENCY);
    assert_eq!(bench.fills(), [(60, 5)]);
    let mut bench = Bench::new(Venue::Kalshi, Curve::Optimistic, LATENCY);
    let order = bench.order(Outcome::Yes, Action::Buy, 62, 5, Tif::Ioc);
    bench.venue.on_place(bench.now, &order);
    bench.set(Side::Ask, 55, 10);
    bench.pass(LATENCY);
    assert_eq!(bench.fills(), [(55, 5)]);
}

#[test]
fn what_we_took_stays_gone_until_new_orders_come() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let buys = |bench: &mut Bench, qty| {
        let order = bench.order(Outcome::Yes, Action::Buy, 60, qty, Tif::Ioc);
        fills(&bench.place(&order))
    };
    assert_eq!(buys(&mut bench, 6), [(60, 6)]);
    assert_eq!(buys(&mut bench, 6), [(60, 4)], "the public book still shows ten");
    assert_eq!(buys(&mut bench, 6), []);
    bench.snapshot(&[(Side::Bid, 40, 10), (Side::Ask, 60, 10)]);
    assert_eq!(buys(&mut bench, 6), [], "shown again is not new");
    bench.set(Side::Ask, 60, 13);
    assert_eq!(buys(&mut bench, 6), [(60, 3)]);
}

#[test]
fn an_order_that_rests_fills_when_what_was_ahead_is_gone() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let order = bench.rest(Outcome::Yes, 40, 5);
    assert_eq!(bench.ahead(order), [10; 3]);
    bench.trade(Side::Bid, 40, 7, 3);
    assert_eq!((bench.ahead(order), bench.fills()), ([3; 3], vec![]));
    bench.trade(Side::Bid, 40, 5, 0);
    assert_eq!(bench.fills(), [(40, 2)], "three of the five were ahead");
    bench.trade(Side::Bid, 40, 9, 0);
    let told = bench.reports();
    assert_eq!(fills(&told), [(40, 3)]);
    assert_eq!(told.last(), Some(&stands(order, VenueState::Filled, 5)));
}

#[test]
fn a_decrease_that_comes_before_its_trade_is_not_counted_twice() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let order = bench.rest(Outcome::Yes, 40, 5);
    bench.set(Side::Bid, 40, 4);
    assert_eq!(bench.ahead(order), [10; 3], "it may have been a trade");
    let (price, qty, taker) = (cents(40), of(6), Side::Ask);
    bench.tell(Event::Trade { market: MARKET, price, qty, taker });
    assert_eq!(bench.ahead(order), [4; 3]);
    bench.pass_window();
    assert_eq!(bench.ahead(order), [4; 3]);
}

#[test]
fn a_cancel_shrinks_what_is_ahead_in_proportion() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let order = bench.rest(Outcome::Yes, 40, 5);
    bench.set(Side::Bid, 40, 20); // ten behind us
    bench.set(Side::Bid, 40, 12);
    assert_eq!(bench.ahead(order), [10; 3]);
    bench.pass_window();
    assert_eq!(bench.ahead(order), [10, 6, 2]);
    bench.set(Side::Bid, 40, 0);
    bench.pass_window();
    assert_eq!(
        (bench.ahead(order), bench.fills()),
        ([0; 3], vec![]),
        "gone, and nobody sold to us"
    );
}

#[test]
fn a_decrease_before_we_came_is_not_ours() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    bench.set(Side::Bid, 40, 4);
    let order = bench.rest(Outcome::Yes, 40, 5);
    assert_eq!(bench.ahead(order), [4; 3]);
    let (price, qty, taker) = (cents(40), of(6), Side::Ask);
    bench.tell(Event::Trade { market: MARKET, price, qty, taker });
    bench.pass_window();
    assert_eq!((bench.ahead(order), bench.fills()), ([4; 3], vec![]));
}

#[test]
fn a_trade_at_a_worse_price_went_through_us() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let order = bench.rest(Outcome::Yes, 41, 5);
    bench.trade(Side::Bid, 40, 3, 7);
    assert_eq!(bench.fills(), [(41, 3)], "at our price, and no more than traded");
    bench.trade(Side::Bid, 40, 7, 0);
    let told = bench.reports();
    assert_eq!(fills(&told), [(41, 2)]);
    assert_eq!(told.last(), Some(&stands(order, VenueState::Filled, 5)));
}

#[test]
fn orders_of_ours_do_not_fill_by_the_same_trade_twice() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    bench.rest(Outcome::Yes, 41, 5);
    bench.rest(Outcome::Yes, 42, 5);
    bench.rest(Outcome::Yes, 42, 5);
    bench.trade(Side::Bid, 41, 12, 0);
    assert_eq!(bench.fills(), [(42, 5), (42, 5), (41, 2)]);
}

#[test]
fn a_book_that_stands_against_us_for_long_was_sold_to_us() {
    let fills_of = |driver| {
        let mut bench = Bench::new(Venue::Kalshi, driver, LATENCY);
        bench.rest(Outcome::Yes, 50, 5);
        bench.set(Side::Ask, 50, 2);
        bench.set(Side::Ask, 48, 2);
        bench.pass(LOOK_EVERY);
        assert_eq!(bench.fills(), [], "a match may still be told");
        bench.pass_window();
        bench.fills()
    };
    let all = Curve::ALL.map(fills_of);
    assert_eq!(all, [vec![], vec![(50, 2)], vec![(50, 4)]]);
}

#[test]
fn what_cannot_be_is_rejected_with_its_reason() {
    let mut bench = Bench::realistic(Venue::Polymarket);
    let rejected = |bench: &mut Bench, order: &Order| match bench.place(order).last() {
        Some(Report::Rejected { why, .. }) => Some(*why),
        _ => None,
    };
    let big = bench.order(Outcome::Yes, Action::Buy, 50, 1_000, Tif::Gtc);
    assert_eq!(rejected(&mut bench, &big), Some(Reject::Funds));
    let short = bench.order(Outcome::Yes, Action::Sell, 40, 1, Tif::Ioc);
    assert_eq!(rejected(&mut bench, &short), Some(Reject::Funds));
    let fok = bench.order(Outcome::Yes, Action::Buy, 60, 11, Tif::Fok);
    assert_eq!(rejected(&mut bench, &fok), Some(Reject::Killed));
    let quote = bench.order(Outcome::Yes, Action::Buy, 60, 1, Tif::Gtc);
    let quote = Order { post_only: true, ..quote };
    assert_eq!(rejected(&mut bench, &quote), Some(Reject::Crossed));
    let buys = bench.order(Outcome::Yes, Action::Buy, 60, 10, Tif::Fok);
    assert_eq!(fills(&bench.place(&buys)), [(60, 10)]);
    assert_eq!(rejected(&mut bench, &buys), Some(Reject::Duplicate));
    let sells = |bench: &mut Bench, qty| {
        let order = bench.order(Outcome::Yes, Action::Sell, 70, qty, Tif::Gtc);
        rejected(bench, &order)
    };
    assert_eq!(sells(&mut bench, 6), None);
    assert_eq!(sells(&mut bench, 6), Some(Reject::Funds), "four are left to be sold");
    bench.tell(Event::Stale { market: MARKET, why: StaleWhy::Gap });
    let blind = bench.order(Outcome::Yes, Action::Buy, 60, 1, Tif::Ioc);
    assert_eq!(rejected(&mut bench, &blind), Some(Reject::Closed), "nothing is filled in doubt");
}

#[test]
fn an_order_for_money_brings_more_where_it_is_cheaper() {
    let mut bench = Bench::new(Venue::Polymarket, Curve::Optimistic, LATENCY);
    bench.set(Side::Ask, 30, 50);
    let order = bench.order(Outcome::Yes, Action::Buy, 60, 10, Tif::Fok);
    let told = bench.place(&order);
    assert_eq!(fills(&told), [(30, 20)], "six dollars");
    assert_eq!(told.last(), Some(&stands(order.id, VenueState::Filled, 20)));
    assert_eq!(bench.venue.account().cash(0), Usd::from_dollars(94));
}

#[test]
fn cancels_questions_expiry_and_the_end_of_a_market() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let first = bench.rest(Outcome::Yes, 40, 5);
    bench.venue.on_cancel(bench.now, first);
    bench.venue.on_query(bench.now, first);
    bench.venue.on_cancel(bench.now, first);
    bench.venue.on_query(bench.now, OrderId::new(99));
    bench.pass(LATENCY);
    let told = bench.reports();
    let ended = stands(first, VenueState::Cancelled, 0);
    let absent = Report::Absent { order: OrderId::new(99), venue: Venue::Kalshi };
    assert!(told.iter().filter(|report| **report == ended).count() == 2, "{told:?}");
    assert!(told.contains(&Report::CancelRefused { order: OrderRef::Id(first) }));
    assert!(told.contains(&absent));
    let timed = bench.order(Outcome::Yes, Action::Buy, 40, 5, Tif::Gtd);
    bench.place(&timed);
    assert_eq!(bench.venue.truth().open.len(), 1);
    bench.pass(Nanos::from_secs(61));
    assert_eq!(bench.reports(), [stands(timed.id, VenueState::Expired, 0)]);
    let last = bench.rest(Outcome::Yes, 40, 5);
    bench.tell(Event::Status { market: MARKET, status: MarketStatus::Closed });
    assert_eq!(bench.reports(), [stands(last, VenueState::Cancelled, 0)]);
    assert!(bench.venue.truth().open.is_empty());
}

#[test]
fn a_change_that_asks_for_more_goes_to_the_end() {
    let mut bench = Bench::realistic(Venue::Kalshi);
    let id = bench.rest(Outcome::Yes, 40, 5);
    let order = Order { id, ..bench.order(Outcome::Yes, Action::Buy, 40, 5, Tif::Gtc) };
    bench.set(Side::Bid, 40, 30);
    let amend = |bench: &mut Bench, qty| {
        let to = Change { price: cents(40), qty: of(qty), expires: None };
        let amend = Amend::new(&order, &to, 1, bench.now);
        bench.venue.on_amend(bench.now, &amend);
        bench.pass(LATENCY);
        bench.reports()
    };
    let terms = |qty| Report::Terms { order: OrderRef::Id(id), price: cents(40), qty: of(qty) };
    assert_eq!(amend(&mut bench, 3), [terms(3)]);
    assert_eq!(bench.ahead(id)[1], 10);
    assert_eq!(amend(&mut bench, 8), [terms(8)]);
    assert_eq!(bench.ahead(id)[1], 30);
}

/// Draws from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// A drawn history at a venue; returns every report, with what traded and what was shown in all.
fn drawn(seed: u64, venue: Venue, driver: Curve) -> (Bench, Vec<Report>, Vec<Order>) {
    let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bench = Bench::new(venue, driver, Nanos::from_millis(20));
    let (mut told, mut orders) = (Vec::new(), Vec::<Order>::new());
    for _ in 0..200 {
        let side = [Side::Bid, Side::Ask][draw.below(2) as usize];
        let at = match side {
            Side::Bid => 35 + draw.below(12) as u16,
            Side::Ask => 48 + draw.below(12) as u16,
        };
        match draw.below(8) {
            0..=2 => bench.set(side, at, draw.below(20)),
            3 => {
                let there = bench.venue.markets[&MARKET].book.at(side, cents(at)).micros();
                let (there, qty) = (there / 1_000_000, draw.below(15) + 1);
                bench.trade(side, at, qty, there.saturating_sub(qty));
            }
            4 | 5 => {
                let tif = [Tif::Gtc, Tif::Ioc, Tif::Fok, Tif::Gtd][draw.below(4) as usize];
                let outcome = [Outcome::Yes, Outcome::No][draw.below(2) as usize];
                let action = [Action::Buy, Action::Buy, Action::Sell][draw.below(3) as usize];
                let price = 30 + draw.below(40) as u16;
                let order = bench.order(outcome, action, price, 1 + draw.below(12), tif);
                bench.venue.on_place(bench.now, &order);
                orders.push(order);
            }
            6 if !orders.is_empty() => {
                let order = orders[draw.below(orders.len() as u64) as usize].id;
                bench.venue.on_cancel(bench.now, order);
            }
            _ => bench.pass(Nanos::from_millis(draw.below(400))),
        }
        told.append(&mut bench.reports());
    }
    bench.pass(Nanos::from_secs(100));
    told.append(&mut bench.reports());
    (bench, told, orders)
}

#[test]
fn the_same_history_gives_the_same_reports() {
    for seed in 0..20 {
        let [one, other] = [0, 1].map(|_| drawn(seed, Venue::Kalshi, Curve::Realistic).1);
        assert_eq!(one, other, "seed {seed}");
    }
}

/// Every dollar and contract of the account comes from a fill that was told, and no order fills beyond its size or its limit.
#[test]
fn the_account_is_what_was_told() {
    let mut filled = 0;
    for seed in 0..300 {
        let (venue, driver) = (Venue::ALL[seed as usize % 2], Curve::ALL[seed as usize % 3]);
        let (bench, told, orders) = drawn(seed, venue, driver);
        let mut account = PaperAccount::new(venue, [(0, Usd::from_dollars(100))], []);
        let mut ids = std::collections::BTreeSet::new();
        for order in &orders {
            let of_it = told.iter().filter_map(|report| match report {
                Report::Fill(fill) if fill.order == OrderRef::Id(order.id) => Some(fill),
                _ => None,
            });
            let mut sum = Qty::ZERO;
            for fill in of_it {
                sum += fill.qty;
                filled += 1;
                assert!(ids.insert(fill.fill), "seed {seed}: told once");
                let (side, limit) = order.on_book();
                let is_within = match side {
                    Side::Bid => fill.price <= limit,
                    Side::Ask => fill.price >= limit,
                };
                assert!(is_within && fill.side == side, "seed {seed}: {fill:?} of {order:?}");
                assert!(fill.liquidity == Liquidity::Taker || fill.price == limit);
            }
            assert!(order.spends() || sum <= order.qty, "seed {seed}: {order:?} filled {sum}");
        }
        let deals = told.iter().filter_map(|report| match report {
            Report::Fill(fill) => Some(fill),
            _ => None,
        });
        for fill in deals {
            let order = orders.iter().find(|order| OrderRef::Id(order.id) == fill.order).unwrap();
            let price = order.outcome.price_from_yes(fill.price);
            let (outcome, action) = (order.outcome, order.action);
            let fee = fill.fee.unwrap();
            let (market, qty) = (MARKET, fill.qty);
            account.book(&super::super::account::Deal {
                market,
                shard: 0,
                outcome,
                action,
                price,
                qty,
                fee,
            });
        }
        let is = bench.venue.account();
        assert_eq!(is.cash(0), account.cash(0), "seed {seed}");
        assert!(is.positions().eq(account.positions()), "seed {seed}");
        assert!(is.cash(0) >= Usd::ZERO, "seed {seed}: no credit");
    }
    assert!(filled > 500, "the histories fill something: {filled}");
}

/// One order alone, without a way to go: what is assumed against us never brings more.
#[test]
fn no_curve_fills_more_than_a_better_one() {
    let mut differ = 0;
    for seed in 0..400 {
        let mut draw = Draw((seed + 1_u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut bench = Bench::new(Venue::Kalshi, Curve::Realistic, Nanos::ZERO);
        bench.rest(Outcome::Yes, 40, 5);
        for _ in 0..40 {
            let there = bench.venue.markets[&MARKET].book.at(Side::Bid, cents(40)).micros();
            let there = there / 1_000_000;
            match draw.below(4) {
                0 => bench.set(Side::Bid, 40, there + draw.below(4)),
                1 => bench.set(Side::Bid, 40, there.saturating_sub(draw.below(6))),
                2 => {
                    let qty = 1 + draw.below(2);
                    bench.trade(Side::Bid, 40, qty, there.saturating_sub(qty));
                }
                _ => bench.pass(Nanos::from_millis(draw.below(600))),
            }
            let filled = bench.venue.figures().map(|figures| figures.tally.contracts);
            assert!(filled.is_sorted(), "seed {seed}: {filled:?}");
            differ += u64::from(filled[0] != filled[2]);
        }
    }
    assert!(differ > 100, "the curves differ: {differ}");
}
