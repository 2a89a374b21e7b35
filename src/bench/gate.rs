//! What do the parts of a decision cost: a change that decides nothing, the depth walk? The gate has a file of its own,
//! [`risk_table`](super::risk_table).

use surefoot_hot::basket::{BasketKind, Baskets, Plan, Room, Sizing};
use surefoot_hot::book::{Books, Change, Level};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Event, Link};
use surefoot_hot::ids::{BasketId, Outcome, Side, Venue};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue::Session;
use surefoot_hot::venue_rules::CASH_ACCOUNTS;

use super::desk::{self, KA, KalshiSeq, PM, Strategy};
use super::{Row, Span, measure};

/// Things in a block.
const BLOCK: usize = 100;

fn price(cents: usize) -> Price {
    let ticks = u16::try_from(cents * 100).expect("under a dollar");
    Price::from_ticks(ticks).expect("under a dollar")
}

/// A level behind the best prices through the whole core: what most events cost.
pub fn core_event(span: Span) -> Row {
    let (mut core, mut out) = (Core::new(), Outbox::new());
    let now = Nanos::from_secs(1_800_000_000);
    let directory = desk::directory();
    let links = Venue::ALL
        .into_iter()
        .flat_map(|venue| [Link::Market, Link::Private, Link::Orders].map(|link| (venue, link)));
    let mut events = desk::setup(&directory, Strategy::Pairs, &links.collect::<Vec<_>>());
    events.extend(books());
    for event in &events {
        core.on_event(now, event, &mut out);
        out.clear();
    }
    let inputs: Vec<Event> = (0..BLOCK)
        .map(|nth| {
            let (side, cents) =
                if nth % 2 == 0 { (Side::Bid, 36 - nth % 10) } else { (Side::Ask, 56 + nth % 8) };
            let change = Change::Set(Qty::from_contracts(100 + nth as u64));
            Event::Level(Level { market: PM, side, price: price(cents), change, last: true })
        })
        .collect();
    let row = measure("core_event", span, &inputs, |event| {
        core.on_event(now, event, &mut out);
        let asked = out.intents().len();
        out.clear();
        asked
    });
    assert!(core.is_idle() && core.books().get(PM).is_some_and(|book| book.is_good()));
    row.fed("synthetic levels behind the best prices; 64 markets, 64 baskets, none worth it")
}

/// Every book of the desk, without a gap.
fn books() -> Vec<Event> {
    let directory = desk::directory();
    let mut events = Vec::new();
    let (mut pm, mut ka) = (desk::polymarket_session(&directory), desk::kalshi_session(&directory));
    pm.on_open(Nanos::ZERO);
    ka.on_open(Nanos::ZERO);
    let mut seq = KalshiSeq::new();
    for entry in directory.iter() {
        let market = entry.def.market;
        match entry.def.venue {
            Venue::Polymarket => {
                let names = desk::polymarket_names(&directory, market);
                let frame = desk::polymarket_book(names, &desk::sides(38, 52));
                pm.on_frame(Nanos::ZERO, &frame, &mut events).expect("a good frame");
            }
            Venue::Kalshi => {
                let names = desk::kalshi_names(&directory, market);
                let frame = seq.snapshot(names, &desk::sides(44, 54));
                ka.on_frame(Nanos::ZERO, &frame, &mut events).expect("a good frame");
            }
        }
    }
    events
}

/// Every market's terms, and the books of a pair whose gap is four levels deep.
fn with_pair() -> Books {
    let directory = desk::directory();
    let mut books = Books::new();
    let now = Nanos::from_secs(1);
    let terms = directory.iter().map(|entry| Event::Market(entry.def));
    for event in terms.chain(pair_books(&directory)) {
        books.apply(now, &event);
    }
    books
}

/// The depth walk of a pair whose gap is four levels deep.
pub fn basket_walk(span: Span) -> Row {
    let books = with_pair();
    let mut baskets = Baskets::new();
    let legs = [(PM, Outcome::Yes), (KA, Outcome::No)];
    let (basket, kind) = (BasketId::new(0), BasketKind::CrossVenue);
    for def in desk::one_pays(kind, &legs).defs(basket) {
        baskets.define(&def, &books).expect("it is sound");
    }
    let room = Room {
        qty: Qty::from_contracts(100_000),
        cost: Usd::from_dollars(100_000),
        dearest: Price::ONE,
    };
    let sizing = Sizing {
        legs: &[room; 2],
        cash: [Usd::from_dollars(100_000); CASH_ACCOUNTS],
        total: Usd::from_dollars(100_000),
        edge_min: 100,
        edge_max_percent: 20,
        profit_min: Usd::ZERO,
    };
    let mut plan = Plan::new();
    baskets.walk(&books, BasketId::new(0), &sizing, &mut plan).expect("it pays");
    let levels = plan.legs().iter().map(|leg| u32::from(leg.levels)).sum::<u32>();
    let row = measure("basket_walk", span, &[(); BLOCK], |()| {
        baskets.walk(&books, BasketId::new(0), &sizing, &mut plan).is_ok()
    });
    row.fed(format!("synthetic books, a gap of {levels} levels on both legs together"))
}

/// Books of the one pair with a gap of ten cents.
fn pair_books(directory: &surefoot_cold::directory::Directory) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut pm, mut ka) = (desk::polymarket_session(directory), desk::kalshi_session(directory));
    pm.on_open(Nanos::ZERO);
    ka.on_open(Nanos::ZERO);
    let frame = desk::polymarket_book(desk::polymarket_names(directory, PM), &desk::sides(38, 40));
    pm.on_frame(Nanos::ZERO, &frame, &mut events).expect("a good frame");
    let frame = KalshiSeq::new().snapshot(desk::kalshi_names(directory, KA), &desk::sides(50, 54));
    ka.on_frame(Nanos::ZERO, &frame, &mut events).expect("a good frame");
    events
}
