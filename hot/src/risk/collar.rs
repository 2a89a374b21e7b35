//! The price collar: how much worse than elsewhere an order that opens may be priced.
//!
//! What an order is priced at is held against up to three prices of the same market: the best price in its own book (for a
//! purchase the offer, for a sale the bid; the other side where that one is empty), its last public trade where that is not
//! older than `limits.collar_trade_ms`, and the best price at the other venue where the same question is asked there and the
//! book there may be decided from. Worse means paying more, or selling for less. The order may be worse than each of them by
//! `limits.collar` or by `limits.collar_percent` of that price, whichever is smaller, rounded down; but two steps of the grid
//! there always pass. A trade was at the bid or at the offer: the spread of the own book comes on top there, at most
//! `limits.collar`. Where none of the three is known the order is refused: nothing says what it should cost.
//!
//! | price elsewhere | share of 20 % | purchase up to, one-cent grid | sale down to |
//! | --- | --- | --- | --- |
//! | 3 cents | 0.6 cents | 5 cents: two steps | 1 cent |
//! | 30 cents | 6 cents | 36 cents | 24 cents |
//! | 60 cents | 12 cents | 70 cents: ten cents | 50 cents |
//! | 97 cents | 19.4 cents | anything: a contract never costs more than a dollar | 87 cents |

use crate::book::Book;
use crate::grid::Grid;
use crate::ids::{Action, MarketId, Outcome, Side};
use crate::market::MarketDef;
use crate::order::Order;
use crate::risk::{BestPrices, Context, LastTrade, LimitRow, Limits, MarketCondition, OtherVenue};
use crate::units::{Nanos, Price};

/// Steps of the grid by which an order may be worse at any price.
const STEPS: u16 = 2;

/// What an order is held against.
#[derive(Clone, Copy, Debug)]
pub struct PricesAround<'a> {
    /// What YES is bid for and offered at in the market's own book.
    pub best: BestPrices,
    /// The last public trade in the market; `None` before the first.
    pub last_trade: Option<LastTrade>,
    /// The way to the market that asks the same question at another venue.
    pub other_venue: Option<OtherVenue<'a>>,
}

impl<'a> PricesAround<'a> {
    /// Those around an order.
    #[inline(always)] // see `gate::check`
    pub const fn of(context: &Context<'a>) -> Self {
        let &Context { market: MarketCondition { best, .. }, last_trade, other_venue, .. } =
            context;
        Self { best, last_trade, other_venue }
    }
}

/// The worst price of `outcome` at which an order may trade at `now`: the highest for a purchase, the lowest for a sale. `None`
/// where nothing says what it should cost.
#[inline]
pub fn worst(
    limits: &Limits,
    grid: Grid,
    around: &PricesAround<'_>,
    now: Nanos,
    outcome: Outcome,
    action: Action,
) -> Option<Price> {
    // Beyond every price until one is held against.
    let none = match action {
        Action::Buy => i32::MAX,
        Action::Sell => i32::MIN,
    };
    let mut worst = none;
    for_each(limits, around, now, Side::of(outcome, action), |yes, beyond| {
        let there = outcome.price_from_yes(yes).ticks();
        let most = i32::from(most(limits, grid, yes, there)) + i32::from(beyond);
        worst = match action {
            Action::Buy => worst.min(i32::from(there) + most),
            Action::Sell => worst.max(i32::from(there) - most),
        };
    });
    if worst == none {
        return None;
    }
    let ticks = worst.clamp(0, i32::from(Price::ONE.ticks()));
    Some(Price::from_ticks(ticks as u16).expect("at most a dollar"))
}

/// What [`worst`] has said of an outcome, kept for as long as a plan is made and asked about. It is made by working it out and in
/// no other way, and says what it is of: it lets no order pass at another time, of another outcome or market, or that trades
/// the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    at: Nanos,
    market: MarketId,
    outcome: Outcome,
    action: Action,
    worst: Option<Price>,
}

impl Bound {
    /// Of an outcome of the market in `def`, at `now`; `around` is what is around it then.
    #[inline]
    pub fn new(
        limits: &Limits,
        def: &MarketDef,
        around: &PricesAround<'_>,
        now: Nanos,
        outcome: Outcome,
        action: Action,
    ) -> Self {
        let worst = worst(limits, def.grid, around, now, outcome, action);
        Self { at: now, market: def.market, outcome, action, worst }
    }

    /// The worst price at which an order may trade; `None` where nothing says what it should cost.
    pub const fn worst(&self) -> Option<Price> {
        self.worst
    }

    /// Whether it is of this outcome of this market.
    #[inline]
    pub fn is_of(&self, market: MarketId, outcome: Outcome) -> bool {
        (self.market, self.outcome) == (market, outcome)
    }

    /// As [`allows`].
    #[inline(always)] // into the gate: see `gate::check`
    pub fn allows(self, order: &Order) -> bool {
        assert!(
            (self.at, self.action) == (order.decided, order.action)
                && self.is_of(order.market, order.outcome),
            "a collar is of the order that it is asked about"
        );
        self.worst.is_some_and(|worst| match order.action {
            Action::Buy => order.price <= worst,
            Action::Sell => order.price >= worst,
        })
    }
}

/// Whether an order's price is no worse than [`worst`].
#[inline(never)] // where a plan was sized, [`Bound`] says it
pub fn allows(limits: &Limits, grid: Grid, around: &PricesAround<'_>, order: &Order) -> bool {
    let &Order { decided, outcome, action, price, .. } = order;
    let (mut is_any, mut is_within) = (false, true);
    for_each(limits, around, decided, Side::of(outcome, action), |yes, beyond| {
        let there = outcome.price_from_yes(yes).ticks();
        let worse = match action {
            Action::Buy => price.ticks().saturating_sub(there),
            Action::Sell => there.saturating_sub(price.ticks()),
        };
        is_any = true;
        is_within &= worse == 0 || worse <= most(limits, grid, yes, there).saturating_add(beyond);
    });
    is_any && is_within
}

/// Each price of YES that an order is held against, and by how much more than the collar it may be worse than that, in $0.0001.
#[inline(always)] // with what is done about each
fn for_each(
    limits: &Limits,
    around: &PricesAround<'_>,
    now: Nanos,
    side: Side,
    mut hold: impl FnMut(Price, u16),
) {
    if let Some(yes) = best(around.best, side) {
        hold(yes, 0);
    }
    let age_max = limits.span(LimitRow::CollarTradeMs);
    if let Some(last) = around.last_trade
        && now.since(last.at) <= age_max
    {
        hold(last.price, spread(limits, around.best));
    }
    let other = around.other_venue.as_ref().and_then(OtherVenue::book);
    if let Some(yes) = other.and_then(|(book, as_yes)| best_of(book, as_yes, side)) {
        hold(yes, 0);
    }
}

/// What is between the best prices of a book, at most `limits.collar`: a trade at one of them says as little of the other. Zero
/// where one of them is missing.
fn spread(limits: &Limits, best: BestPrices) -> u16 {
    let spread =
        best.bid.zip(best.ask).map_or(0, |(bid, ask)| ask.ticks().saturating_sub(bid.ticks()));
    u16::try_from(limits.raw(LimitRow::Collar)).map_or(spread, |most| spread.min(most))
}

/// The best price of YES that an order on this side of the book could trade at; that of its own side where there is none.
fn best(best: BestPrices, side: Side) -> Option<Price> {
    match side {
        Side::Bid => best.ask.or(best.bid),
        Side::Ask => best.bid.or(best.ask),
    }
}

/// The same of another book, of which an outcome asks what YES asks here.
#[inline]
fn best_of(book: &Book, as_yes: Outcome, side: Side) -> Option<Price> {
    let (ask, bid) = (book.best_ask_for(as_yes), book.best_bid_for(as_yes));
    let best = match side {
        Side::Bid => ask.or(bid),
        Side::Ask => bid.or(ask),
    };
    best.map(|(price, _)| price)
}

/// By how much an order may be worse than a price elsewhere, in $0.0001: `there` is the price of its outcome, `yes` of YES.
#[inline]
fn most(limits: &Limits, grid: Grid, yes: Price, there: u16) -> u16 {
    let share = u64::from(there) * limits.raw(LimitRow::CollarPercent).min(100) / 100;
    let most = limits.raw(LimitRow::Collar).min(share); // no more than the price
    (most as u16).max(STEPS * grid.step_at(yes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fees::FeeRule;
    use crate::ids::{ClusterId, GroupId, MarketId, OrderId, Venue};
    use crate::market::{Category, MarketDef, MarketStatus};
    use crate::order::{Purpose, Tif};
    use crate::random::Rng;
    use crate::units::Qty;

    const NOW: Nanos = Nanos::from_secs(1_000);

    const ORDER: Order = Order {
        id: OrderId::new(1),
        epoch: 1,
        decided: NOW,
        group: GroupId::new(1),
        market: MarketId::new(0),
        venue: Venue::Kalshi,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: Price::ZERO,
        qty: Qty::from_contracts(1),
        tif: Tif::Fok,
        expires: None,
        post_only: false,
        purpose: Purpose::Leg,
    };

    fn ticks(ticks: u16) -> Price {
        Price::from_ticks(ticks).unwrap()
    }

    fn def(grid: Grid) -> MarketDef {
        MarketDef {
            market: MarketId::new(0),
            venue: Venue::Kalshi,
            shard: 0,
            cluster: ClusterId::new(0),
            grid,
            min_qty: Qty::from_contracts(1),
            close: Nanos::NEVER,
            fee: FeeRule::Kalshi { taker: 70_000, maker: 0 },
            status: MarketStatus::Open,
            category: Category::Unknown,
            theme: None,
        }
    }

    fn limits() -> Limits {
        let mut limits = Limits::unset();
        for row in [LimitRow::Collar, LimitRow::CollarPercent, LimitRow::CollarTradeMs] {
            limits.set(row, row.def().default, false);
        }
        limits
    }

    /// The worst prices of YES and NO to buy and to sell, where YES is bid for and offered at these.
    fn by_book(grid: u16, bid: Option<u16>, ask: Option<u16>) -> [Option<u16>; 4] {
        let best = BestPrices { bid: bid.map(ticks), ask: ask.map(ticks) };
        let market = MarketCondition { best, ..MarketCondition::default() };
        let context = Context { market, ..Context::default() };
        let def = def(Grid::uniform(grid).unwrap());
        let of = |outcome, action| {
            worst(&limits(), def.grid, &PricesAround::of(&context), NOW, outcome, action)
                .map(Price::ticks)
        };
        [
            of(Outcome::Yes, Action::Buy),
            of(Outcome::Yes, Action::Sell),
            of(Outcome::No, Action::Buy),
            of(Outcome::No, Action::Sell),
        ]
    }

    #[test]
    fn it_is_ten_cents_or_a_fifth_or_two_steps() {
        // YES bought, YES sold, NO bought, NO sold.
        let some = |of: [u16; 4]| of.map(Some);
        assert_eq!(by_book(100, Some(2_900), Some(3_000)), some([3_600, 2_320, 8_100, 6_000]));
        assert_eq!(by_book(100, Some(5_900), Some(6_000)), some([7_000, 4_900, 4_920, 3_200]));
        assert_eq!(by_book(100, Some(200), Some(300)), some([500, 0, 10_000, 8_700]));
        assert_eq!(by_book(100, Some(9_700), Some(9_800)), some([10_000, 8_700, 500, 0]));
        assert_eq!(by_book(10, Some(290), Some(300)), some([360, 232, 10_000, 8_700]));
        assert_eq!(by_book(10, Some(20), Some(30)), some([50, 0, 10_000, 8_970]));
    }

    #[test]
    fn an_order_is_allowed_up_to_the_worst_price_and_no_further() {
        let mut rng = Rng::from_seed(3);
        let limits = limits();
        let mut said = [0; 2];
        for _ in 0..20_000 {
            let mut price = || Some(ticks(rng.below(10_001) as u16)).filter(|_| rng.percent(70));
            let best = BestPrices { bid: price(), ask: price() };
            let last_trade = price().map(|price| LastTrade { price, at: NOW });
            let around = PricesAround { best, last_trade, other_venue: None };
            let grid = Grid::uniform(rng.of(&[1, 10, 100])).unwrap();
            let (outcome, action) = (rng.of(&Outcome::ALL), rng.of(&Action::ALL));
            let worst = worst(&limits, grid, &around, NOW, outcome, action);
            let far = worst.map_or(5_000, Price::ticks) + rng.below(3) as u16;
            let Some(price) = Price::from_ticks(far.saturating_sub(1)) else { continue };
            let order = Order { outcome, action, price, ..ORDER };
            let is_within = worst.is_some_and(|worst| match action {
                Action::Buy => price <= worst,
                Action::Sell => price >= worst,
            });
            assert_eq!(allows(&limits, grid, &around, &order), is_within, "{around:?}, {order:?}");
            let bound = Bound::new(&limits, &def(grid), &around, NOW, outcome, action);
            assert_eq!((bound.worst(), bound.allows(&order)), (worst, is_within));
            said[usize::from(is_within)] += 1;
        }
        assert!(said.iter().all(|said| *said > 1_000), "{said:?}");
    }

    #[test]
    fn an_empty_side_is_held_against_the_other_and_an_empty_book_against_nothing() {
        assert_eq!(
            by_book(100, Some(2_900), None),
            [Some(3_480), Some(2_320), Some(8_100), Some(6_100)]
        );
        assert_eq!(
            by_book(100, None, Some(3_000)),
            [Some(3_600), Some(2_400), Some(8_000), Some(6_000)]
        );
        assert_eq!(by_book(100, None, None), [None; 4]);
    }

    #[test]
    fn a_trade_counts_for_as_long_as_it_is_fresh() {
        let def = def(Grid::uniform(100).unwrap());
        let best = BestPrices { bid: Some(ticks(4_900)), ask: Some(ticks(5_000)) };
        let market = MarketCondition { best, ..MarketCondition::default() };
        let worst_after = |age: Nanos, price| {
            let last_trade = Some(LastTrade { price: ticks(price), at: NOW });
            let context = Context { market, last_trade, ..Context::default() };
            [Action::Buy, Action::Sell].map(|action| {
                worst(
                    &limits(),
                    def.grid,
                    &PricesAround::of(&context),
                    NOW.after(age),
                    Outcome::Yes,
                    action,
                )
                .unwrap()
                .ticks()
            })
        };
        let age_max = Nanos::from_secs(30);
        assert_eq!(worst_after(age_max, 4_000), [4_900, 3_920], "a fifth, and the spread");
        assert_eq!(worst_after(age_max, 7_000), [6_000, 5_900], "the strictest one holds");
        assert_eq!(worst_after(age_max.after(Nanos::new(1)), 4_000), [6_000, 3_920]);
    }
}
