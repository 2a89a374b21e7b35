//! What does the gate cost by itself? It is asked three times for a pair; above 100 ns each it would be worth a cache. The
//! reference is the same table as a user would write it ([`plain_table`]).

use std::hint::black_box;

use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{Action, ClusterId, GroupId, MarketId, OrderId, Outcome, ThemeId, Venue};
use surefoot_hot::market::{Category, MarketDef};
use surefoot_hot::order::{Order, Purpose, Tif};
use surefoot_hot::risk::gate::{self, View};
use surefoot_hot::risk::{
    BestPrices, Context, Exposure, LastTrade, LimitRow as L, Limits, MarketCondition, PlanRisk,
    Rate, Stake,
};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::plain_table::{self, Desk};
use super::{Row, Span, measure_stream};
use crate::config::limits::Profile;

/// Orders in a block.
const BLOCK: usize = 100;
/// Orders, so many that they alone take more than a megabyte.
const ORDERS: usize = 20_000;
/// Markets that they are in.
const MARKETS: u16 = 512;
/// What the account is worth.
const EQUITY: Usd = Usd::from_dollars(20_000);
/// When all of it is decided.
const NOW: Nanos = Nanos::from_secs(90);
/// Within this time the same order again is a mistake.
const DUPLICATE: Nanos = Nanos::from_secs(2);

/// An order, and which of the views it is asked about in.
type Ask = (usize, Order);

/// What the views look at.
struct World {
    limits: Limits,
    exposure: Exposure,
    rate: Rate,
    defs: Vec<MarketDef>,
}

fn cents(cents: u16) -> Price {
    Price::from_ticks(cents * 100).expect("under a dollar")
}

/// What YES of a market is offered at, in cents.
const fn ask(market: u16) -> u16 {
    22 + market * 7 % 60
}

fn def(market: u16) -> MarketDef {
    let venue = if market.is_multiple_of(2) { Venue::Polymarket } else { Venue::Kalshi };
    let step = if market.is_multiple_of(3) { 10 } else { 100 };
    MarketDef {
        cluster: ClusterId::new(market / 2),
        grid: Grid::uniform(step).expect("it divides a dollar"),
        min_qty: Qty::from_contracts(5),
        close: NOW.after(Nanos::from_secs(86_400 * (1 + u64::from(market)))),
        category: Category::ALL[usize::from(market) % Category::ALL.len()],
        theme: market.is_multiple_of(4).then(|| ThemeId::new((market % 16) as u8)),
        ..MarketDef::bare(MarketId::new(market), venue)
    }
}

impl World {
    /// Dollars at risk in eight markets, and a minute in which forty other orders went out, four of them within the duplicate
    /// window.
    fn new() -> Self {
        let mut limits = Limits::unset();
        for (row, value) in Profile::Small.limits(EQUITY).iter() {
            limits.set(row, value, false);
        }
        limits.set(L::OrdersPerMinute, 600, false);
        let defs: Vec<MarketDef> = (0..MARKETS).map(def).collect();
        let mut exposure = Exposure::new();
        for def in defs.iter().step_by(64) {
            exposure.add(def, Usd::from_dollars(3 + i64::from(def.market.get()) / 64));
        }
        let mut rate = Rate::new();
        for (now, order) in sent() {
            rate.advance(now, DUPLICATE);
            rate.count(now, order.market);
            rate.remember(now, &order);
        }
        Self { limits, exposure, rate, defs }
    }

    /// A view of each market, whose prices are near its orders'.
    fn views(&self) -> Vec<View<'_>> {
        let view = |(nth, def): (u16, _)| {
            let ask = ask(nth);
            let best = BestPrices { bid: Some(cents(ask - 1)), ask: Some(cents(ask)) };
            let last_trade = LastTrade { price: cents(ask - nth % 3), at: Nanos::from_secs(70) };
            let context = Context {
                market: MarketCondition { best, ..MarketCondition::default() },
                last_trade: Some(last_trade).filter(|_| !nth.is_multiple_of(5)),
                ..Context::funded(EQUITY, &self.limits)
            };
            let cost = Usd::from_cents(500 + i64::from(nth) * 5);
            View {
                cost,
                plan: PlanRisk::of_one(cost, self.exposure.cluster(ClusterId::new(nth / 2))),
                position: Stake {
                    qty: Qty::from_contracts(u64::from(nth % 50)),
                    cost: Usd::from_cents(20 * i64::from(nth % 50)),
                },
                data_age: Nanos::from_millis(u64::from(nth % 200)),
                ..View::clear(&self.limits, &self.exposure, &self.rate, def, context)
            }
        };
        (0..).zip(&self.defs).map(view).collect()
    }
}

/// Purchases of YES from three cents below the offer to three above it, the markets in an order that jumps.
fn order(nth: usize) -> Order {
    let market = (nth * 197 % usize::from(MARKETS)) as u16;
    Order {
        id: OrderId::new(nth as u64 + 1),
        epoch: 1,
        decided: NOW,
        group: GroupId::new(1),
        market: MarketId::new(market),
        venue: def(market).venue,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: cents(ask(market) - 3 + (nth / 11 % 7) as u16),
        qty: Qty::from_contracts(10 + nth as u64 * 13 % 50),
        tif: Tif::Fok,
        expires: None,
        post_only: false,
        purpose: Purpose::Leg,
    }
}

/// Orders of the last minute, in another market.
fn sent() -> impl Iterator<Item = (Nanos, Order)> {
    let market = MarketId::new(MARKETS);
    (0..40).map(move |nth| {
        (Nanos::from_millis(60_000 + 500 * nth), Order { market, ..order(nth as usize) })
    })
}

fn asks() -> Vec<Ask> {
    let asks: Vec<Ask> =
        (0..ORDERS).map(order).map(|order| (order.market.index(), order)).collect();
    assert!(bytes() > 1 << 20, "more than a cache close to a core holds");
    asks
}

const fn bytes() -> usize {
    ORDERS * size_of::<Ask>()
}

/// The whole table over orders that pass every row.
pub fn gate(span: Span) -> Row {
    let world = World::new();
    let (views, asks) = (world.views(), asks());
    let row = measure_stream("gate", span, BLOCK, &asks, |&(at, order)| {
        let passed = gate::check(black_box(&views[at]), order);
        assert!(passed.is_ok(), "the orders are within every limit");
        passed.is_ok()
    });
    row.fed(format!(
        "{ORDERS} synthetic orders of {} KiB in {MARKETS} markets, views of {} KiB; all pass every row; 40 orders in the \
         minute's window",
        bytes() / 1_024,
        usize::from(MARKETS) * size_of::<View<'_>>() / 1_024
    ))
}

/// The same orders in the same markets, asked of the plain table.
pub fn gate_reference(span: Span) -> Row {
    let world = World::new();
    let views = world.views();
    let mut desk = Desk::of(&views[0]);
    let (last, _) = sent().last().expect("forty were sent");
    for (_, order) in sent().filter(|(at, _)| last.since(*at) < DUPLICATE) {
        desk.sent(&plain_table::Order::of(&order));
    }
    let markets: Vec<_> = views.iter().map(plain_table::Market::of).collect();
    let asks: Vec<_> =
        asks().iter().map(|(at, order)| (*at, plain_table::Order::of(order))).collect();
    let row = measure_stream("struct of f64, chain of ifs", span, BLOCK, &asks, |(at, order)| {
        let passed = black_box(&desk).check(black_box(&markets[*at]), order);
        assert!(passed.is_ok(), "the orders are within every limit");
        passed.is_ok()
    });
    let kib = |count: usize, each: usize| count * each / 1_024;
    row.fed(format!(
        "the same {ORDERS} orders of {} KiB, markets of {} KiB",
        kib(ORDERS, size_of::<(usize, plain_table::Order)>()),
        kib(usize::from(MARKETS), size_of::<plain_table::Market>())
    ))
}

#[cfg(test)]
mod tests {
    use surefoot_hot::order::Expiry;
    use surefoot_hot::risk::{Refusal, Shock, Worst};
    use surefoot_hot::venue_mode::VenueMode;

    use super::*;

    type Spoil = fn(&mut View<'static>, &mut Order);

    /// What breaks a row, in the order of the table.
    const SPOILS: &[Spoil] = &[
        |v, _| v.room = false,
        |v, _| v.halted = true,
        |v, _| v.context.venue.mode = VenueMode::PostOnly,
        |v, _| v.stopping = true,
        |v, _| v.reconciled = false,
        |v, _| v.context.venue.breaker_open = true,
        |v, _| v.linked = false,
        |v, _| v.context.venue.tokens_short = true,
        |v, _| v.book_good = false,
        |v, _| v.quarantined = true,
        |v, _| v.withdrawn = true,
        |v, _| v.data_age = Nanos::from_millis(251),
        |v, _| v.context.market.terms_age = Nanos::from_secs(3_600),
        |v, _| v.context.own_latency = Some(Nanos::from_secs(1)),
        |v, _| v.context.clock_error = Nanos::from_secs(10),
        |v, _| v.context.disabled = true,
        |v, _| v.context.market.paused_until = NOW.after(Nanos::new(1)),
        |v, o| (v.context.market.rejected, o.purpose) = (Some(NOW), Purpose::Quote),
        |v, o| (v.context.rejects, o.purpose) = (1_000, Purpose::Quote),
        |_, o| o.price = Price::from_ticks(5_055).expect("under a dollar"),
        |_, o| o.qty = Qty::from_micros(4_999_999),
        |_, o| (o.tif, o.expires) = (Tif::Gtd, Expiry::at(NOW.after(Nanos::from_secs(1)))),
        |_, o| o.price = cents(99),
        |v, _| (v.context.last_trade, v.context.market.best) = (None, BestPrices::default()),
        |_, o| o.qty = Qty::from_contracts(5_000),
        |v, _| v.cash_free = v.cost,
        |v, _| v.position.qty = Qty::from_contracts(200),
        |v, _| v.position.cost = Usd::from_dollars(100),
        |v, _| v.cost = Usd::from_cents(10_001),
        |v, _| v.context.account.equity = Usd::from_dollars(10_000),
        |v, _| v.context.account.equity = Usd::from_dollars(17_999),
        |v, _| v.day_result = Usd::from_dollars(-100),
        |v, _| v.context.strategy_result = Usd::from_dollars(-100),
        |v, _| v.plan.cluster = Usd::from_dollars(6_001),
        |v, _| {
            v.plan.worst = Worst { loss: Usd::from_dollars(9_001), shock: Shock::Jump, filled: 1 }
        },
        |v, _| v.own_cross = true,
        |_, o| (o.action, o.purpose) = (Action::Buy, Purpose::Unwind),
        |_, o| {
            (o.action, o.purpose, o.qty) =
                (Action::Sell, Purpose::Unwind, Qty::from_contracts(1_001))
        },
    ];

    #[test]
    fn both_tables_say_the_same() {
        let world: &'static World = Box::leak(Box::new(World::new()));
        let both = |view: &View<'static>, order: Order| {
            let plain = Desk::of(view)
                .check(&plain_table::Market::of(view), &plain_table::Order::of(&order));
            let ours = gate::check(view, order).map(|_| ());
            assert_eq!(ours, plain, "{order:?}");
            ours
        };
        let views = world.views();
        let mut refused: Vec<Refusal> = Vec::new();
        for (nth, (at, order)) in asks().into_iter().enumerate().step_by(7) {
            assert_eq!(both(&views[at], order), Ok(()));
            let (mut view, mut order) = (views[at], order);
            SPOILS[nth / 7 % SPOILS.len()](&mut view, &mut order);
            refused.push(both(&view, order).expect_err("one row is broken"));
        }
        refused.sort_unstable_by_key(|why| *why as u8);
        refused.dedup();
        assert!(refused.len() > 30, "{refused:?}");
    }
}
