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

use crate::grid::Grid;
use crate::ids::{Action, Outcome, Side};
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
    pub const fn of(context: &Context<'a>) -> Self {
        let &Context { market: MarketCondition { best, .. }, last_trade, other_venue, .. } =
            context;
        Self { best, last_trade, other_venue }
    }
}

/// The worst price of `outcome` at which an order may trade at `now`: the highest for a purchase, the lowest for a sale. `None`
/// where nothing says what it should cost.
pub fn worst(
    limits: &Limits,
    grid: Grid,
    around: &PricesAround<'_>,
    now: Nanos,
    outcome: Outcome,
    action: Action,
) -> Option<Price> {
    let side = Side::of(outcome, action);
    let tightest = |one: Option<Price>, yes: Option<Price>, more: u16| {
        let Some(yes) = yes else { return one };
        let bound = bound(limits, grid, yes, more, outcome, action);
        Some(match action {
            Action::Buy => one.map_or(bound, |one| one.min(bound)),
            Action::Sell => one.map_or(bound, |one| one.max(bound)),
        })
    };
    let worst = tightest(None, best(around.best, side), 0);
    let age_max = limits.span(LimitRow::CollarTradeMs);
    let worst = match around.last_trade {
        Some(last) if now.since(last.at) <= age_max => {
            tightest(worst, Some(last.price), spread(limits, around.best))
        }
        Some(_) | None => worst,
    };
    let others = around.other_venue.and_then(|other| other.best());
    tightest(worst, others.and_then(|others| best(others, side)), 0)
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

/// The worst price of `outcome` where one YES is worth `yes` elsewhere, and `more` in $0.0001 beyond the collar.
#[inline] // what does not depend on the price is then worked out once
fn bound(
    limits: &Limits,
    grid: Grid,
    yes: Price,
    more: u16,
    outcome: Outcome,
    action: Action,
) -> Price {
    let there = match outcome {
        Outcome::Yes => yes,
        Outcome::No => yes.complement(),
    };
    let share = u64::from(there.ticks()) * limits.raw(LimitRow::CollarPercent).min(100) / 100;
    let most = limits.raw(LimitRow::Collar).min(share);
    let most = u16::try_from(most).expect("a share of a price").max(STEPS * grid.step_at(yes));
    let most = most.saturating_add(more);
    let ticks = match action {
        Action::Buy => there.ticks().saturating_add(most).min(Price::ONE.ticks()),
        Action::Sell => there.ticks().saturating_sub(most),
    };
    Price::from_ticks(ticks).expect("at most a dollar")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fees::FeeRule;
    use crate::ids::{ClusterId, MarketId, Venue};
    use crate::market::{Category, MarketDef, MarketStatus};

    use crate::units::Qty;

    const NOW: Nanos = Nanos::from_secs(1_000);

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
