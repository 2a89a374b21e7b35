//! What the whole path is measured with: markets with books, a configured core, and frames that open and close a
//! gap. Synthetic throughout: names, books and frames are made here in the venues' shapes.

use surefoot_cold::directory::{Directory, Entry, Generation, KalshiNames, Names, PolymarketNames};
use surefoot_cold::facts::Facts;
use surefoot_hot::basket::{BasketKind, Leg, Proven};
use surefoot_hot::event::{Control, Event, Link};
use surefoot_hot::fees::FeeRule;
use surefoot_hot::ids::{BasketId, ClusterId, MarketId, Outcome, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::MarketDef;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue::{kalshi, polymarket};

use crate::config::limits::{Limits, Profile};

/// Pairs on the desk. One of them trades; the others make tables and loops as long as a real run's.
pub const PAIRS: u16 = 32;
/// Pairs on a desk with as many markets as a core is asked to hold: 10,000.
pub const MANY_PAIRS: u16 = 5_000;
/// The market of Polymarket in the pair that trades.
pub const PM: MarketId = MarketId::new(0);
/// The market of Kalshi in the pair that trades.
pub const KA: MarketId = MarketId::new(1);
/// The other member of Polymarket's exclusive set of two; the first is [`PM`].
pub const PM_OTHER: MarketId = MarketId::new(2);

/// Levels a side of every book: the median of the Polymarket session of 2026-09-24.
const DEPTH: u16 = 15;

/// The markets of [`PAIRS`].
pub fn directory() -> Directory {
    directory_of(PAIRS)
}

/// Even numbers are Polymarket's, odd ones Kalshi's; two by two they are the same question.
pub fn directory_of(pairs: u16) -> Directory {
    let mut directory = Directory::default();
    for nth in 0..pairs {
        for venue in Venue::ALL {
            let market = directory.next_id();
            directory.push(Entry {
                def: terms(market, venue),
                fee_changes: Vec::new(),
                paid_by: None,
                title: format!("bench {nth}"),
                names: names(nth, venue),
                facts: Facts::default(),
            });
        }
    }
    directory
}

fn terms(market: MarketId, venue: Venue) -> MarketDef {
    let (fee, min_qty) = match venue {
        Venue::Polymarket => {
            (FeeRule::Polymarket { rate: 40_000, exponent: 1 }, Qty::from_contracts(5))
        }
        Venue::Kalshi => (FeeRule::Kalshi { taker: 70_000, maker: 0 }, Qty::from_micros(10_000)),
    };
    let cluster = ClusterId::new(market.get() / 2);
    MarketDef { cluster, min_qty, fee, ..MarketDef::bare(market, venue) }
}

fn names(nth: u16, venue: Venue) -> Names {
    match venue {
        Venue::Polymarket => Names::Polymarket(PolymarketNames {
            condition_id: format!(
                "0x51c1de0cfa1d7d3b1c8ce7be7e9d37a6a0c0a7f06cc8a95ee2b3b4cd0f5a{nth:04x}"
            ),
            yes_token: format!(
                "51842760133790241266305417795283610945572093418657720163348912750694371{nth:05}1"
            ),
            no_token: format!(
                "90317452268815307741920563384172096651830274495162038873910645527183046{nth:05}2"
            ),
            generation: Generation::Two,
            neg_risk: false,
            min_size_text: "5".into(),
            event: String::new(),
        }),
        Venue::Kalshi => Names::Kalshi(KalshiNames {
            ticker: format!("KXBENCH-26NOV2017-T{}.99", 94_000 + u32::from(nth)),
            event_ticker: "KXBENCH-26NOV2017".into(),
            series_ticker: "KXBENCH".into(),
            exchange_index: 0,
        }),
    }
}

/// Polymarket's names of a market.
///
/// # Panics
/// Where it is not Polymarket's.
pub fn polymarket_names(directory: &Directory, market: MarketId) -> &PolymarketNames {
    match directory.entry(market).map(|entry| &entry.names) {
        Some(Names::Polymarket(names)) => names,
        _ => panic!("{market:?} is not Polymarket's"),
    }
}

/// Kalshi's names of a market.
///
/// # Panics
/// Where it is not Kalshi's.
pub fn kalshi_names(directory: &Directory, market: MarketId) -> &KalshiNames {
    match directory.entry(market).map(|entry| &entry.names) {
        Some(Names::Kalshi(names)) => names,
        _ => panic!("{market:?} is not Kalshi's"),
    }
}

/// A market link that follows every market of Polymarket's.
pub fn polymarket_session(directory: &Directory) -> polymarket::MarketSession {
    let markets = directory.of(Venue::Polymarket).count();
    let mut session = polymarket::MarketSession::with_capacity(markets);
    for entry in directory.of(Venue::Polymarket) {
        let names = polymarket_names(directory, entry.def.market);
        let names = polymarket::MarketNames {
            market: entry.def.market,
            condition: &names.condition_id,
            yes: &names.yes_token,
            no: &names.no_token,
            grid: entry.def.grid,
        };
        session.add_market(Nanos::ZERO, &names).expect("there is room");
    }
    session
}

/// A market link that follows every market of Kalshi's.
pub fn kalshi_session(directory: &Directory) -> kalshi::Session {
    let markets = directory.of(Venue::Kalshi).count();
    let mut session = kalshi::Session::with_capacity(kalshi::Role::Market, markets);
    for entry in directory.of(Venue::Kalshi) {
        let names = kalshi_names(directory, entry.def.market);
        session
            .add_market(Nanos::ZERO, &names.ticker, entry.def.market, entry.def.grid)
            .expect("there is room");
    }
    session
}

/// The small profile, without what would stop a measurement: how often one may trade, and how soon again.
fn limits() -> Limits {
    let mut limits = Profile::Small.limits(Usd::from_dollars(20_000));
    limits.set(LimitRow::OrdersPerMinute, 60_000);
    limits.set(LimitRow::OrdersPerMinuteMarket, 60_000);
    limits.set(LimitRow::CooldownMs, 1);
    limits.set(LimitRow::DuplicateMs, 1);
    limits
}

/// Which baskets there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Every pair in both directions: a gap is shot at Kalshi first.
    Pairs,
    /// Every pair in both directions, and as many baskets again of three legs of neighbours, which never pay.
    Crowd,
    /// Two markets of Polymarket's of which exactly one pays, beside the other pairs: a gap is shot at Polymarket.
    PolymarketSet,
}

/// A basket of one contract a leg of which exactly one pays.
///
/// # Panics
/// There are no legs, too many, or one twice.
pub fn one_pays(kind: BasketKind, legs: &[(MarketId, Outcome)]) -> Proven {
    let leg = |&(market, outcome)| Leg { market, outcome, ratio: 1 };
    let pays = |nth: usize| {
        let pays = (0..legs.len()).map(|leg| if leg == nth { Price::ONE } else { Price::ZERO });
        pays.collect::<Vec<_>>()
    };
    let states: Vec<_> = (0..legs.len()).map(pays).collect();
    let states = states.iter().map(Vec::as_slice);
    Proven::over(kind, legs.iter().map(leg).collect(), 10_000, states).expect("one pays in each")
}

/// Everything that a core is told before it may trade. The links come up by themselves where there are some.
pub fn setup(directory: &Directory, strategy: Strategy, links: &[(Venue, Link)]) -> Vec<Event> {
    let mut events = vec![Event::Control(Control::Start { epoch: 1, first_order: 100 })];
    events.extend(limits().events().map(Event::Control));
    events.extend(directory.iter().map(|entry| Event::Market(entry.def)));
    let mut next = 0;
    let mut basket = |kind, legs: &[(MarketId, Outcome)]| {
        let basket = BasketId::new(next);
        next += 1;
        let one_pays = one_pays(kind, legs);
        events.extend(one_pays.defs(basket).map(Event::Basket));
    };
    let first = match strategy {
        Strategy::Pairs | Strategy::Crowd => 0,
        Strategy::PolymarketSet => {
            basket(BasketKind::ExclusiveYes, &[(PM, Outcome::Yes), (PM_OTHER, Outcome::Yes)]);
            2
        }
    };
    let pairs = u16::try_from(directory.iter().count() / 2).expect("ids are so many bits");
    let pair = |nth: u16| (MarketId::new(2 * (nth % pairs)), MarketId::new(2 * (nth % pairs) + 1));
    for nth in first..pairs {
        let (pm, ka) = pair(nth);
        basket(BasketKind::CrossVenue, &[(pm, Outcome::Yes), (ka, Outcome::No)]);
        basket(BasketKind::CrossVenue, &[(ka, Outcome::Yes), (pm, Outcome::No)]);
        if strategy == Strategy::Crowd {
            let ((next_pm, next_ka), (third_pm, third_ka)) = (pair(nth + 1), pair(nth + 2));
            for outcome in [Outcome::Yes, Outcome::No] {
                let third = if outcome == Outcome::Yes { third_ka } else { third_pm };
                let second = if outcome == Outcome::Yes { next_pm } else { next_ka };
                let legs = [(pm, Outcome::Yes), (second, outcome), (third, outcome)];
                basket(BasketKind::ExclusiveYes, &legs);
            }
        }
    }
    events.extend(links.iter().map(|&(venue, link)| Event::Link {
        venue,
        link,
        number: LinkNumber::FIRST,
        up: true,
    }));
    for venue in Venue::ALL {
        let cash = Control::Cash { venue, shard: 0, cash: Usd::from_dollars(10_000) };
        events.push(Event::Control(cash));
        events.push(Event::Control(Control::Reconciled { venue, clean: true }));
    }
    events
}

/// A book in whole cents: `DEPTH` levels a side from the best price outwards, as (cents, contracts).
#[derive(Clone, Debug)]
pub struct Sides {
    bids: Vec<(u16, u32)>,
    asks: Vec<(u16, u32)>,
}

/// The book with these best prices, in cents: the nearest level has 30 contracts, those behind hundreds.
pub fn sides(bid: u16, ask: u16) -> Sides {
    let qty = |nth: u16| if nth == 0 { 30 } else { 100 + 20 * u32::from(nth) };
    Sides {
        bids: (0..DEPTH).map(|nth| (bid - nth, qty(nth))).collect(),
        asks: (0..DEPTH).map(|nth| (ask + nth, qty(nth))).collect(),
    }
}

/// Polymarket's frame of a whole book: bids rising, asks falling, as the venue sends them.
pub fn polymarket_book(names: &PolymarketNames, sides: &Sides) -> Vec<u8> {
    let list = |levels: &[(u16, u32)]| {
        let levels = levels
            .iter()
            .rev()
            .map(|(cents, qty)| format!("{{\"price\":\"0.{cents:02}\",\"size\":\"{qty}\"}}"));
        levels.collect::<Vec<_>>().join(",")
    };
    format!(
        "{{\"event_type\":\"book\",\"market\":\"{}\",\"asset_id\":\"{}\",\"timestamp\":\"1790267379000\",\
         \"bids\":[{}],\"asks\":[{}],\"hash\":\"1a7aa82ae9603a79667c9232ef191be39e0532b2\"}}",
        names.condition_id,
        names.yes_token,
        list(&sides.bids),
        list(&sides.asks),
    )
    .into_bytes()
}

/// Polymarket's `price_change`: so many contracts of YES are asked at a price now, and the best prices are these
/// afterwards; all in cents. Both outcomes, as the venue sends them.
pub fn polymarket_ask(names: &PolymarketNames, cents: u16, qty: u32, top: (u16, u16)) -> Vec<u8> {
    let (bid, ask) = top;
    format!(
        "{{\"market\":\"{}\", \"price_changes\":[{{\"asset_id\":\"{}\", \"price\":\"0.{cents:02}\", \
         \"size\":\"{qty}\", \"side\":\"SELL\", \"hash\":\"1a7aa82ae9603a79667c9232ef191be39e0532b2\", \
         \"best_bid\":\"0.{bid:02}\", \"best_ask\":\"0.{ask:02}\"}}, {{\"asset_id\":\"{}\", \
         \"price\":\"0.{:02}\", \"size\":\"{qty}\", \"side\":\"BUY\", \
         \"hash\":\"5a1dda499ceac37c00b9a859872d9d86dbcfcb39\", \"best_bid\":\"0.{:02}\", \
         \"best_ask\":\"0.{:02}\"}}], \"timestamp\":\"1790267379253\", \"event_type\":\"price_change\"}}",
        names.condition_id,
        names.yes_token,
        names.no_token,
        100 - cents,
        100 - ask,
        100 - bid,
    )
    .into_bytes()
}

/// Kalshi's frames, with the sequence number of the one subscription written in place: ten digits, so that every
/// frame is as long as the one before.
#[derive(Clone, Copy, Debug)]
pub struct KalshiSeq(u64);

impl KalshiSeq {
    /// From its first number.
    pub const fn new() -> Self {
        Self(1_000_000_000)
    }

    /// A whole book; the NO side in YES prices, as it is subscribed to.
    pub fn snapshot(&mut self, names: &KalshiNames, sides: &Sides) -> Vec<u8> {
        let list = |levels: &[(u16, u32)]| {
            let levels =
                levels.iter().map(|(cents, qty)| format!("[\"0.{cents:02}00\",\"{qty}.00\"]"));
            levels.collect::<Vec<_>>().join(",")
        };
        let mut frame = format!(
            "{}{},\"msg\":{{\"market_ticker\":\"{}\",\
             \"market_id\":\"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1\",\"yes_dollars_fp\":[{}],\
             \"no_dollars_fp\":[{}]}}}}",
            Self::HEADS[0],
            Self::BLANK,
            names.ticker,
            list(&sides.bids),
            list(&sides.asks),
        )
        .into_bytes();
        self.stamp(&mut frame, Self::HEADS[0]);
        frame
    }

    /// So many contracts more or fewer are bid at a price, in cents. To be [`KalshiSeq::next`]ed before each use.
    pub fn delta(names: &KalshiNames, cents: u16, qty: i32) -> Vec<u8> {
        format!(
            "{}{},\"sending_ts_ms\":1795197600533,\"msg\":{{\"market_ticker\":\"{}\",\
             \"market_id\":\"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1\",\"price_dollars\":\"0.{cents:02}00\",\
             \"delta_fp\":\"{qty}.00\",\"side\":\"yes\",\"ts\":\"2026-11-20T18:00:00.531Z\",\
             \"ts_ms\":1795197600531}}}}",
            Self::HEADS[1],
            Self::BLANK,
            names.ticker,
        )
        .into_bytes()
    }

    /// Gives a delta the next number.
    pub fn next(&mut self, delta: &mut [u8]) {
        self.stamp(delta, Self::HEADS[1]);
    }

    const HEADS: [&'static str; 2] = [
        "{\"type\":\"orderbook_snapshot\",\"sid\":1,\"seq\":",
        "{\"type\":\"orderbook_delta\",\"sid\":1,\"seq\":",
    ];
    const BLANK: &'static str = "0000000000";

    fn stamp(&mut self, frame: &mut [u8], head: &str) {
        let mut left = self.0;
        for digit in frame[head.len()..head.len() + Self::BLANK.len()].iter_mut().rev() {
            *digit = b'0' + u8::try_from(left % 10).expect("a digit");
            left /= 10;
        }
        self.0 += 1;
    }
}

impl Default for KalshiSeq {
    fn default() -> Self {
        Self::new()
    }
}
