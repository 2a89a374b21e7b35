//! The risk table, row by row: in each case that one row alone refuses, its neighbour passes, and it refuses the orders
//! that the table in [`check`]'s doc says it does. A row that is deleted turns its case red.

mod drawn;
mod market;
mod plain;

use super::*;
use crate::fees::FeeRule;
use crate::grid::Grid;
use crate::ids::{Action, ClusterId, GroupId, MarketId, OrderId, Outcome, ThemeId, Venue};
use crate::market::Category;
use crate::order::{Purpose, Tif};
use crate::risk::{
    Account, BestPrices, Context, EquityLimits, LimitRow, MarketCondition, PlanRisk, Shock, Stake,
    Worst,
};
use crate::units::{Price, Qty};
use market::MARKET;

const HERE: MarketId = MarketId::new(0);
const ELSEWHERE: MarketId = MarketId::new(1);

/// Everything that a view looks at, by value.
struct World {
    limits: Vec<(LimitRow, u64)>,
    exposure: Exposure,
    rate: Rate,
    def: MarketDef,
    order: Order,
    halted: bool,
    stopping: bool,
    reconciled: bool,
    linked: bool,
    book_good: bool,
    quarantined: bool,
    withdrawn: bool,
    data_age: Nanos,
    cash_free: Usd,
    held_free: Qty,
    position: Stake,
    day_result: Usd,
    own_cross: bool,
    room: bool,
    cost: Usd,
    plan: PlanRisk,
    context: Context<'static>,
    equity: Usd,
    peak: Usd,
    strategy_result: Usd,
}

const NOW: Nanos = Nanos::from_secs(1_800_000_000);

fn contracts(contracts: u64) -> Qty {
    Qty::from_contracts(contracts)
}

fn ticks(ticks: u16) -> Price {
    Price::from_ticks(ticks).unwrap()
}

/// What YES is bid for and offered at, in $0.0001.
fn best(bid: Option<u16>, ask: Option<u16>) -> BestPrices {
    BestPrices { bid: bid.map(ticks), ask: ask.map(ticks) }
}

const fn micros(micros: i64) -> Usd {
    Usd::from_micros(micros)
}

impl World {
    /// In which every order passes: 100 contracts at fifty cents, with room everywhere.
    fn new() -> Self {
        Self {
            limits: LimitRow::ALL.into_iter().map(|row| (row, 1_000_000_000)).collect(),
            exposure: Exposure::new(),
            rate: Rate::new(),
            def: MarketDef {
                market: HERE,
                venue: Venue::Polymarket,
                shard: 0,
                cluster: ClusterId::new(0),
                grid: Grid::uniform(100).unwrap(),
                min_qty: contracts(5),
                close: NOW.after(Nanos::from_secs(30 * 86_400)),
                fee: FeeRule::Polymarket { rate: 40_000, exponent: 1 },
                status: MarketStatus::Open,
                category: Category::Unknown,
                theme: None,
            },
            order: Order {
                id: OrderId::new(1),
                epoch: 1,
                decided: NOW,
                group: GroupId::new(1),
                market: HERE,
                venue: Venue::Polymarket,
                outcome: Outcome::Yes,
                action: Action::Buy,
                price: ticks(5_000),
                qty: contracts(100),
                tif: Tif::Fok,
                expires: None,
                post_only: false,
                purpose: Purpose::Leg,
            },
            halted: false,
            stopping: false,
            reconciled: true,
            linked: true,
            book_good: true,
            quarantined: false,
            withdrawn: false,
            data_age: Nanos::ZERO,
            cash_free: Usd::from_dollars(10_000),
            held_free: contracts(10_000),
            position: Stake::NONE,
            day_result: Usd::ZERO,
            own_cross: false,
            room: true,
            cost: Usd::from_dollars(50),
            plan: PlanRisk::of_one(Usd::from_dollars(50), Usd::ZERO),
            context: Context {
                market: MarketCondition {
                    best: best(Some(100), Some(9_900)),
                    ..MarketCondition::default()
                },
                ..Context::default()
            },
            equity: Usd::from_dollars(10_000),
            peak: Usd::from_dollars(10_000),
            strategy_result: Usd::ZERO,
        }
    }

    /// The collar as it is by default.
    fn collar(&mut self) {
        for row in [L::Collar, L::CollarPercent, L::CollarTradeMs] {
            self.limit(row, row.def().default);
        }
    }

    fn limit(&mut self, row: LimitRow, value: u64) {
        self.limits.retain(|&(known, _)| known != row);
        self.limits.push((row, value));
    }

    /// Orders that were sent a moment ago.
    fn sent(&mut self, market: MarketId, count: usize) {
        for _ in 0..count {
            self.rate.count(NOW, market);
        }
    }

    /// What reduces sells; the others do what the order does.
    fn check(&self, purpose: Purpose) -> Result<(), R> {
        self.check_in(purpose, self.context)
    }

    fn check_as(&self, purpose: Purpose, action: Action) -> Result<(), R> {
        self.check_with(purpose, action, self.context)
    }

    /// As [`World::check`], with something else around the order.
    fn check_in(&self, purpose: Purpose, context: Context<'_>) -> Result<(), R> {
        let action = if purpose.reduces() { Action::Sell } else { self.order.action };
        self.check_with(purpose, action, context)
    }

    fn check_with(&self, purpose: Purpose, action: Action, context: Context<'_>) -> Result<(), R> {
        self.ask(purpose, action, context, |view, order| check(view, order).map(|_| ()))
    }

    fn ask<T>(
        &self,
        purpose: Purpose,
        action: Action,
        context: Context<'_>,
        ask: impl FnOnce(&View<'_>, Order) -> T,
    ) -> T {
        let mut limits = Limits::unset();
        for &(row, value) in &self.limits {
            limits.set(row, value, false);
        }
        let account = Account { equity: self.equity, peak: self.peak };
        let view = View {
            limits: &limits,
            exposure: &self.exposure,
            rate: &self.rate,
            def: &self.def,
            halted: self.halted,
            stopping: self.stopping,
            reconciled: self.reconciled,
            linked: self.linked,
            book_good: self.book_good,
            quarantined: self.quarantined,
            withdrawn: self.withdrawn,
            data_age: self.data_age,
            cash_free: self.cash_free,
            held_free: self.held_free,
            position: self.position,
            day_result: self.day_result,
            own_cross: self.own_cross,
            room: self.room,
            cost: self.cost,
            plan: self.plan,
            collar: None,
            headroom: None,
            context: Context {
                account,
                equity_limits: EquityLimits::of(&limits, account),
                strategy_result: self.strategy_result,
                ..context
            },
        };
        ask(&view, Order { purpose, action, ..self.order })
    }
}

/// Orders that a row refuses.
const OPENING: &[Purpose] = &[Purpose::Leg, Purpose::Quote];
const QUOTING: &[Purpose] = &[Purpose::Quote];
const BUYING: &[Purpose] = &[Purpose::Leg, Purpose::Quote, Purpose::Hedge, Purpose::TopUp];
const REDUCING: &[Purpose] = &[Purpose::Unwind, Purpose::Exit, Purpose::StopLoss];
const ALL: &[Purpose] = &Purpose::ALL;

/// One row: what it is, its refusal, whom it refuses, what breaks it, and what just does not.
type Case = (&'static str, R, &'static [Purpose], fn(&mut World), fn(&mut World));

/// What the venue, the run and the market demand.
const STATE: &[Case] = &[
    ("room in the table", R::Full, ALL, |w| w.room = false, |w| w.room = true),
    ("halted", R::Halted, BUYING, |w| w.halted = true, |w| w.halted = false),
    (
        "a limit that nobody has set",
        R::Halted,
        BUYING,
        |w| w.limits.retain(|&(row, _)| row != L::LegFailPpm),
        |w| w.limit(L::LegFailPpm, 0),
    ),
    ("stopping", R::Stopping, OPENING, |w| w.stopping = true, |w| w.stopping = false),
    ("agreed", R::Unreconciled, OPENING, |w| w.reconciled = false, |w| w.reconciled = true),
    ("linked", R::LinkDown, OPENING, |w| w.linked = false, |w| w.linked = true),
    ("a good book", R::Stale, OPENING, |w| w.book_good = false, |w| w.book_good = true),
    (
        "a market that is understood",
        R::Quarantined,
        OPENING,
        |w| w.quarantined = true,
        |w| w.quarantined = false,
    ),
    ("a market that stays", R::Withdrawn, OPENING, |w| w.withdrawn = true, |w| w.withdrawn = false),
    (
        "fresh data",
        R::OldData,
        OPENING,
        |w| w.data_age = DATA_AGE_MAX.after(Nanos::new(1)),
        |w| w.data_age = DATA_AGE_MAX,
    ),
    (
        "a paused market",
        R::NotOpen,
        ALL,
        |w| w.def.status = MarketStatus::Paused,
        |w| w.def.status = MarketStatus::Open,
    ),
    (
        "a market that is only seen",
        R::NotOpen,
        OPENING,
        |w| w.def.status = MarketStatus::Observe,
        |w| w.def.status = MarketStatus::Open,
    ),
    (
        "moments before the close",
        R::Closing,
        OPENING,
        |w| {
            w.limit(L::CloseCutoffMs, 30_000);
            w.def.close = NOW.after(Nanos::from_secs(30));
        },
        |w| {
            w.limit(L::CloseCutoffMs, 30_000);
            w.def.close = NOW.after(Nanos::from_secs(30)).after(Nanos::new(1));
        },
    ),
    (
        "off the grid",
        R::OffGrid,
        ALL,
        |w| w.order.price = ticks(5_050),
        |w| w.order.price = ticks(5_100),
    ),
    (
        "off the mirrored grid",
        R::OffGrid,
        ALL,
        |w| {
            w.def.grid = Grid::banded(1_000, 9_000, 10, 100, 100).unwrap();
            (w.order.outcome, w.order.price) = (Outcome::No, ticks(510)); // YES at 0.949
        },
        |w| {
            w.def.grid = Grid::banded(1_000, 9_000, 10, 100, 100).unwrap();
            (w.order.outcome, w.order.price) = (Outcome::No, ticks(9_490)); // YES at 0.051
        },
    ),
    (
        "the market's least order that may rest",
        R::MinSize,
        ALL,
        |w| (w.order.qty, w.order.tif) = (Qty::from_micros(4_999_999), Tif::Gtc),
        |w| (w.order.qty, w.order.tif) = (contracts(5), Tif::Gtc),
    ),
    (
        "the market's least order that opens",
        R::MinSize,
        OPENING,
        |w| w.order.qty = Qty::from_micros(4_999_999),
        |w| w.order.qty = contracts(5),
    ),
    (
        "the least order at Kalshi",
        R::MinSize,
        ALL,
        |w| {
            (w.def.venue, w.order.venue) = (Venue::Kalshi, Venue::Kalshi);
            w.order.qty = Qty::from_micros(4_999_999);
        },
        |w| {
            (w.def.venue, w.order.venue) = (Venue::Kalshi, Venue::Kalshi);
            w.order.qty = contracts(5);
        },
    ),
    (
        "an order for nothing",
        R::MinSize,
        ALL,
        |w| {
            (w.def.venue, w.order.venue) = (Venue::Kalshi, Venue::Kalshi);
            (w.def.min_qty, w.order.qty) = (Qty::ZERO, Qty::ZERO);
        },
        |w| {
            (w.def.venue, w.order.venue) = (Venue::Kalshi, Venue::Kalshi);
            (w.def.min_qty, w.order.qty) = (Qty::ZERO, Qty::from_micros(1));
        },
    ),
    (
        "a marketable order of a dollar",
        R::MinSize,
        ALL,
        |w| (w.order.price, w.order.qty) = (ticks(1_000), Qty::from_micros(9_999_999)),
        |w| (w.order.price, w.order.qty) = (ticks(1_000), contracts(10)),
    ),
    ("our own order", R::OwnCross, ALL, |w| w.own_cross = true, |w| w.own_cross = false),
    (
        "sold is what is held",
        R::NotReducing,
        REDUCING,
        |w| w.held_free = Qty::from_micros(99_999_999),
        |w| w.held_free = contracts(100),
    ),
];

/// What may be put at risk.
const BUDGET: &[Case] = &[
    (
        "contracts in an order",
        R::OrderQty,
        OPENING,
        |w| w.limit(L::OrderQty, 99_999_999),
        |w| w.limit(L::OrderQty, 100_000_000),
    ),
    (
        "dollars in an order",
        R::OrderNotional,
        OPENING,
        |w| w.limit(L::OrderNotional, 49_999_999),
        |w| w.limit(L::OrderNotional, 50_000_000),
    ),
    (
        "the share of free cash",
        R::Cash,
        OPENING,
        |w| {
            w.limit(L::CashPercent, 95);
            (w.cash_free, w.cost) = (Usd::from_dollars(50), micros(47_500_001));
        },
        |w| {
            w.limit(L::CashPercent, 95);
            (w.cash_free, w.cost) = (Usd::from_dollars(50), micros(47_500_000));
        },
    ),
    (
        "contracts of an outcome",
        R::Position,
        OPENING,
        |w| {
            w.limit(L::PositionQty, 150_000_000);
            w.position.qty = Qty::from_micros(50_000_001);
        },
        |w| {
            w.limit(L::PositionQty, 150_000_000);
            w.position.qty = contracts(50);
        },
    ),
    (
        "dollars in a position",
        R::Position,
        OPENING,
        |w| w.limit(L::PositionNotional, 49_999_999),
        |w| w.limit(L::PositionNotional, 50_000_000),
    ),
    (
        "dollars in a position that holds something",
        R::Position,
        OPENING,
        |w| {
            w.limit(L::PositionNotional, 80_000_000);
            w.position.cost = micros(30_000_001);
        },
        |w| {
            w.limit(L::PositionNotional, 80_000_000);
            w.position.cost = micros(30_000_000);
        },
    ),
    (
        "at risk in the market",
        R::ExposureMarket,
        OPENING,
        |w| at_risk(w, HERE, 0, L::ExposureMarket, 59_999_999),
        |w| at_risk(w, HERE, 0, L::ExposureMarket, 60_000_000),
    ),
    (
        "at risk in the cluster",
        R::ExposureCluster,
        OPENING,
        |w| at_risk(w, ELSEWHERE, 0, L::ExposureCluster, 59_999_999),
        |w| at_risk(w, ELSEWHERE, 0, L::ExposureCluster, 60_000_000),
    ),
    (
        "at risk at the venue",
        R::ExposureVenue,
        OPENING,
        |w| at_risk(w, ELSEWHERE, 1, L::ExposureVenue, 59_999_999),
        |w| at_risk(w, ELSEWHERE, 1, L::ExposureVenue, 60_000_000),
    ),
    (
        "at risk in all",
        R::ExposureTotal,
        OPENING,
        |w| at_risk(w, ELSEWHERE, 1, L::ExposureTotal, 59_999_999),
        |w| at_risk(w, ELSEWHERE, 1, L::ExposureTotal, 60_000_000),
    ),
    (
        "the share of the account in a position",
        R::PositionShare,
        OPENING,
        |w| worth(w, L::PositionPercent, 4_999_999_999),
        |w| worth(w, L::PositionPercent, 5_000_000_000),
    ),
    (
        "the share of the account in a position that holds something",
        R::PositionShare,
        OPENING,
        |w| {
            worth(w, L::PositionPercent, 8_000_000_000);
            w.position.cost = micros(30_000_001);
        },
        |w| {
            worth(w, L::PositionPercent, 8_000_000_000);
            w.position.cost = micros(30_000_000);
        },
    ),
    (
        "the share of the account at the venue",
        R::ExposureVenue,
        OPENING,
        |w| share_at_risk(w, L::ExposureVenuePercent, 5_999_999_999),
        |w| share_at_risk(w, L::ExposureVenuePercent, 6_000_000_000),
    ),
    (
        "the share of the account in all",
        R::ExposureTotal,
        OPENING,
        |w| share_at_risk(w, L::ExposureTotalPercent, 5_999_999_999),
        |w| share_at_risk(w, L::ExposureTotalPercent, 6_000_000_000),
    ),
    (
        "the share of the account in a category",
        R::Category,
        OPENING,
        |w| share_at_risk(w, L::CategoryPercent, 5_999_999_999),
        |w| share_at_risk(w, L::CategoryPercent, 6_000_000_000),
    ),
    (
        "another category does not count",
        R::Category,
        OPENING,
        |w| {
            (w.equity, w.def.category) = (micros(5_000_000_000), Category::Crypto);
            at_risk(w, ELSEWHERE, 1, L::Positions, 2);
            w.limit(L::CategoryPercent, 1);
        },
        |w| {
            (w.equity, w.def.category) = (micros(5_000_000_000), Category::Crypto);
            at_risk(w, ELSEWHERE, 1, L::Positions, 2);
            w.limit(L::CategoryPercent, 1);
            w.def.category = Category::Sports;
        },
    ),
    (
        "at risk in the theme",
        R::ExposureTheme,
        OPENING,
        |w| {
            w.def.theme = Some(ThemeId::new(3));
            at_risk(w, ELSEWHERE, 1, L::ExposureTheme, 59_999_999);
        },
        |w| {
            w.def.theme = Some(ThemeId::new(3));
            at_risk(w, ELSEWHERE, 1, L::ExposureTheme, 60_000_000);
        },
    ),
    (
        "a market of no theme, and of another",
        R::ExposureTheme,
        OPENING,
        |w| {
            w.def.theme = Some(ThemeId::new(3));
            at_risk(w, ELSEWHERE, 1, L::ExposureTheme, 50_000_000);
        },
        |w| {
            w.def.theme = Some(ThemeId::new(3));
            at_risk(w, ELSEWHERE, 1, L::ExposureTheme, 50_000_000);
            w.def.theme = Some(ThemeId::new(4));
        },
    ),
    (
        "a theme that is full, and none",
        R::ExposureTheme,
        OPENING,
        |w| {
            w.def.theme = Some(ThemeId::new(0));
            w.limit(L::ExposureTheme, 1);
        },
        |w| w.limit(L::ExposureTheme, 1),
    ),
    (
        "the equity floor",
        R::EquityFloor,
        OPENING,
        |w| worth(w, L::EquityFloor, 1_000_000_000),
        |w| worth(w, L::EquityFloor, 1_000_000_001),
    ),
    (
        "how far below its peak the account is",
        R::Drawdown,
        OPENING,
        |w| {
            w.limit(L::DrawdownPercent, 10);
            w.equity = Usd::from_dollars(9_000);
        },
        |w| {
            w.limit(L::DrawdownPercent, 10);
            w.equity = micros(9_000_000_001);
        },
    ),
    (
        "the share of the account that a day may lose",
        R::DailyLoss,
        OPENING,
        |w| {
            w.limit(L::DailyLossPercent, 1);
            w.day_result = micros(-100_000_000);
        },
        |w| {
            w.limit(L::DailyLossPercent, 1);
            w.day_result = micros(-99_999_999);
        },
    ),
    (
        "what a strategy may lose in a day",
        R::StrategyLoss,
        OPENING,
        |w| {
            w.limit(L::DailyLossStrategy, 100_000_000);
            w.strategy_result = micros(-100_000_000);
        },
        |w| {
            w.limit(L::DailyLossStrategy, 100_000_000);
            w.strategy_result = micros(-99_999_999);
        },
    ),
    (
        "the cluster in its worst outcome",
        R::ClusterOutcome,
        OPENING,
        |w| {
            w.limit(L::ClusterPercent, 30);
            (w.equity, w.plan.cluster) = (micros(2_000_000_000), micros(600_000_001));
        },
        |w| {
            w.limit(L::ClusterPercent, 30);
            (w.equity, w.plan.cluster) = (micros(2_000_000_000), micros(600_000_000));
        },
    ),
    (
        "the plan's worst case",
        R::Shock,
        OPENING,
        |w| {
            w.limit(L::ShockBufferPercent, 90);
            (w.equity, w.plan.worst) = (micros(1_500_000_000), loses(450_000_001)); // $500 above the floor
        },
        |w| {
            w.limit(L::ShockBufferPercent, 90);
            (w.equity, w.plan.worst) = (micros(1_500_000_000), loses(450_000_000));
        },
    ),
    (
        "positions held",
        R::Positions,
        OPENING,
        |w| at_risk(w, ELSEWHERE, 1, L::Positions, 1),
        |w| at_risk(w, ELSEWHERE, 1, L::Positions, 2),
    ),
    (
        "a position more, not one that is there",
        R::Positions,
        OPENING,
        |w| at_risk(w, ELSEWHERE, 1, L::Positions, 1),
        |w| at_risk(w, ELSEWHERE, 0, L::Positions, 1),
    ),
    (
        "a loss of nothing observes",
        R::DailyLoss,
        OPENING,
        |w| {
            w.limit(L::DailyLoss, 0);
            w.day_result = micros(1);
        },
        |w| {
            w.limit(L::DailyLoss, 1);
            w.day_result = micros(1);
        },
    ),
    (
        "the day's loss",
        R::DailyLoss,
        OPENING,
        |w| {
            w.limit(L::DailyLoss, 100_000_000);
            w.day_result = micros(-100_000_000);
        },
        |w| {
            w.limit(L::DailyLoss, 100_000_000);
            w.day_result = micros(-99_999_999);
        },
    ),
    (
        "orders a minute",
        R::Rate,
        OPENING,
        |w| {
            w.limit(L::OrdersPerMinute, 3);
            w.sent(ELSEWHERE, 3);
        },
        |w| {
            w.limit(L::OrdersPerMinute, 3);
            w.sent(ELSEWHERE, 2);
        },
    ),
    (
        "orders a minute in the market",
        R::Rate,
        OPENING,
        |w| {
            w.limit(L::OrdersPerMinuteMarket, 3);
            w.sent(HERE, 3);
        },
        |w| {
            w.limit(L::OrdersPerMinuteMarket, 3);
            w.sent(HERE, 2);
            w.sent(ELSEWHERE, 5);
        },
    ),
    (
        "the same order again",
        R::Duplicate,
        OPENING,
        |w| w.rate.remember(NOW, &w.order.clone()),
        |w| {
            let other = Order { qty: contracts(101), ..w.order };
            w.rate.remember(NOW, &other);
        },
    ),
];

/// What a hedge or a top-up may spend, which is not asked of the first leg: that one may spend only a share of it.
const HEDGING: &[Case] = &[(
    "the cash that is there",
    R::Cash,
    &[Purpose::Hedge, Purpose::TopUp],
    |w| (w.cash_free, w.cost) = (micros(49_999_999), Usd::from_dollars(50)),
    |w| (w.cash_free, w.cost) = (Usd::from_dollars(50), Usd::from_dollars(50)),
)];

fn loses(loss: i64) -> Worst {
    Worst { loss: micros(loss), shock: Shock::Jump, filled: 1 }
}

/// Ten dollars at risk in another market or in this one.
fn at_risk(world: &mut World, market: MarketId, cluster: u16, row: LimitRow, limit: u64) {
    let cluster = ClusterId::new(cluster);
    let def = MarketDef { market, cluster, ..world.def };
    world.exposure.add(&def, Usd::from_dollars(10));
    world.limit(row, limit);
}

/// Ten dollars at risk in another market, and an account that is worth so much, of which the row allows a hundredth.
fn share_at_risk(world: &mut World, row: LimitRow, equity: i64) {
    at_risk(world, ELSEWHERE, 1, row, 1);
    world.equity = micros(equity);
}

/// An account that is worth so much, at its peak, of which the row allows a hundredth, or so many dollars.
fn worth(world: &mut World, row: LimitRow, equity: i64) {
    (world.equity, world.peak) = (micros(equity), micros(equity));
    world.limit(row, if row == L::EquityFloor { 1_000_000_000 } else { 1 });
    if row == L::EquityFloor {
        world.plan = PlanRisk::NONE; // hardly anything may be lost there
    }
}

#[test]
fn every_order_passes_where_nothing_is_wrong() {
    for &purpose in ALL {
        assert_eq!(World::new().check(purpose), Ok(()), "{purpose:?}");
    }
}

#[test]
fn each_row_alone_refuses_the_orders_it_is_for() {
    for &(name, refusal, refuses, breaks, passes) in STATE.iter().chain(MARKET).chain(BUDGET) {
        let (mut broken, mut whole) = (World::new(), World::new());
        breaks(&mut broken);
        passes(&mut whole);
        for &purpose in ALL {
            let expected = if refuses.contains(&purpose) { Err(refusal) } else { Ok(()) };
            assert_eq!(broken.check(purpose), expected, "{name}: {purpose:?}");
            assert_eq!(whole.check(purpose), Ok(()), "beside {name}: {purpose:?}");
        }
    }
}

#[test]
fn a_hedge_spends_what_is_there_and_no_more() {
    for &(name, refusal, refuses, breaks, passes) in HEDGING {
        let (mut broken, mut whole) = (World::new(), World::new());
        breaks(&mut broken);
        passes(&mut whole);
        for &purpose in refuses {
            assert_eq!(broken.check(purpose), Err(refusal), "{name}: {purpose:?}");
            assert_eq!(whole.check(purpose), Ok(()), "beside {name}: {purpose:?}");
        }
    }
}

#[test]
fn what_reduces_never_buys_however_much_is_held() {
    let world = World::new();
    for purpose in ALL.iter().copied().filter(|purpose| purpose.reduces()) {
        assert_eq!(world.check_as(purpose, Action::Buy), Err(R::NotReducing), "{purpose:?}");
        assert_eq!(world.check_as(purpose, Action::Sell), Ok(()), "{purpose:?}");
    }
}

#[test]
fn no_limit_lets_more_than_all_of_the_cash_be_spent() {
    let mut world = World::new();
    world.limit(L::CashPercent, 1_000);
    (world.cash_free, world.cost) = (micros(49_999_999), Usd::from_dollars(50));
    assert_eq!(world.check(Purpose::Leg), Err(R::Cash));
    world.cash_free = Usd::from_dollars(50);
    assert_eq!(world.check(Purpose::Leg), Ok(()));
}

#[test]
fn the_halt_stands_before_everything_but_room() {
    let mut world = World::new();
    for &(_, _, _, breaks, _) in STATE.iter().chain(MARKET).chain(BUDGET) {
        breaks(&mut world);
    }
    assert_eq!(world.check(Purpose::Leg), Err(R::Full));
    world.room = true;
    assert_eq!(world.check(Purpose::Leg), Err(R::Halted));
}
