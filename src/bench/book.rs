//! What does a change of a book cost, both best prices read? Above 15 ns at the median the ladder is not worth its
//! memory, and a sorted map would do.

use std::collections::BTreeMap;

use surefoot_hot::book::{Applied, Books, Change, Level};
use surefoot_hot::event::Event;
use surefoot_hot::fees::FeeRule;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{ClusterId, MarketId, Side, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::{Category, MarketDef, MarketStatus};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::plain::Float;
use super::{Row, Span, measure};

/// Changes in a block.
const BLOCK: usize = 1_000;
const MARKET: MarketId = MarketId::new(0);

/// A busy book of cents: fifteen levels a side come, go and change, the near ones more often. Fifteen a side is the
/// median of the Polymarket session of 2026-09-24. Synthetic: the sequence is the seed's.
fn changes(seed: u64) -> Vec<Event> {
    let mut state = seed | 1;
    let mut draw = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % bound
    };
    (0..BLOCK)
        .map(|_| {
            let side = if draw(2) == 0 { Side::Bid } else { Side::Ask };
            let depth = (draw(15).min(draw(15)) as u16) * 100;
            let ticks = match side {
                Side::Bid => 4_900 - depth,
                Side::Ask => 5_000 + depth,
            };
            let qty = if draw(4) == 0 { 0 } else { 1 + draw(50_000) };
            let price = Price::from_ticks(ticks).expect("within a dollar");
            let change = Change::Set(Qty::from_micros(qty * 10_000));
            Event::Level(Level { market: MARKET, side, price, change, last: true })
        })
        .collect()
}

fn terms() -> MarketDef {
    MarketDef {
        market: MARKET,
        venue: Venue::Kalshi,
        shard: 0,
        cluster: ClusterId::new(0),
        grid: Grid::uniform(100).expect("cents divide a dollar"),
        min_qty: Qty::from_contracts(1),
        close: Nanos::NEVER,
        fee: FeeRule::Kalshi { taker: 70_000, maker: 0 },
        status: MarketStatus::Open,
        category: Category::Unknown,
        theme: None,
    }
}

/// Our book: an event in, both best prices out.
pub fn book_update(span: Span) -> Row {
    let mut books = Books::new();
    let now = Nanos::new(1);
    let begin = Event::SnapshotBegin { market: MARKET, link: LinkNumber::FIRST, venue_time: now };
    for event in [Event::Market(terms()), begin, Event::SnapshotEnd { market: MARKET }] {
        books.apply(now, &event);
    }
    let row = measure("book_update_1k", span, &changes(7), |event| {
        let applied = books.apply(now, event);
        let book = books.get(MARKET).expect("its terms came in");
        // one word: handing back the whole would time the copy of it
        let word = |(price, qty): (Price, Qty)| qty.micros() ^ u64::from(price.ticks());
        let (bid, ask) = (book.best(Side::Bid).map(word), book.best(Side::Ask).map(word));
        bid.unwrap_or(0) ^ ask.unwrap_or(1) ^ u64::from(applied == Applied::Top)
    });
    assert!(
        books.get(MARKET).is_some_and(surefoot_hot::book::Book::is_good),
        "it took every change"
    );
    row.fed("synthetic changes near the best prices, fifteen levels a side, both bests read")
}

/// The reference: a sorted map of floats a side.
pub fn book_update_reference(span: Span) -> Row {
    let mut sides = [BTreeMap::new(), BTreeMap::new()];
    let inputs: Vec<_> = changes(7)
        .into_iter()
        .filter_map(|event| match event {
            Event::Level(Level { side, price, change: Change::Set(qty), .. }) => {
                let float = |text: String| text.parse::<f64>().expect("digits");
                Some((side, float(price.to_string()), float(qty.to_string())))
            }
            _ => None,
        })
        .collect();
    measure("book_update_1k (BTreeMap, f64)", span, &inputs, |&(side, price, qty)| {
        let map = &mut sides[side.index()];
        if qty == 0.0 {
            map.remove(&Float(price));
        } else {
            map.insert(Float(price), qty);
        }
        let word = |(price, qty): (&Float, &f64)| qty.to_bits() ^ price.0.to_bits();
        let bid = sides[0].last_key_value().map(word);
        let ask = sides[1].first_key_value().map(word);
        bid.unwrap_or(0) ^ ask.unwrap_or(1)
    })
}
