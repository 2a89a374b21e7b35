//! The twin with 5,000 markets: every market is found page by page, the venues' limits hold, and what moves is a few
//! hundred of them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};
use surefoot::twin::flow::{Action, Flow};
use surefoot::twin::http::Request;
use surefoot::twin::kalshi::{self, KalshiVenue};
use surefoot::twin::market_set::{MARKETS_MAX, MarketSet};
use surefoot::twin::polymarket::meta::{OFFSET_MAX, PAGE_MAX};
use surefoot::twin::polymarket::stream::SNAPSHOT_ASSETS_MAX;
use surefoot::twin::polymarket::{self, PolymarketVenue};
use surefoot::twin::world::{World, WorldName};
use surefoot::twin::{ConnId, Host, VenueServer};
use surefoot_hot::units::Nanos;

const START: Nanos = Nanos::from_secs(1_795_000_000);

fn get(target: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |p: &str| p.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
    let query = query.split('&').filter_map(pair).collect();
    Request { method: "GET".into(), path: path.into(), query, ..Request::default() }
}

fn ask(venue: &mut dyn VenueServer, host: Host, target: &str) -> (u16, Value) {
    let answer = venue.http(host, &get(target), START);
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn polymarket(market_set: &MarketSet) -> PolymarketVenue {
    let mut venue = PolymarketVenue::new(1, &polymarket::Config::default());
    for market in &market_set.polymarket {
        venue.add_market(market.clone(), START);
    }
    while venue.poll_out().is_some() {}
    venue
}

/// Every row of a listing by cursor, and in how many pages.
fn pages(
    venue: &mut dyn VenueServer,
    host: Host,
    (target, cursor, next, list): (&str, &str, &str, &str),
) -> (Vec<Value>, usize) {
    let (mut rows, mut count, mut at) = (Vec::new(), 0, String::new());
    loop {
        let more = if at.is_empty() { String::new() } else { format!("&{cursor}={at}") };
        let (status, page) = ask(venue, host, &format!("{target}{more}"));
        assert_eq!(status, 200, "{page}");
        rows.extend(page[list].as_array().unwrap().iter().cloned());
        count += 1;
        at = page[next].as_str().unwrap_or_default().to_owned();
        if at.is_empty() {
            return (rows, count);
        }
        assert!(count < 1_000, "a listing ends");
    }
}

#[test]
fn every_market_is_found_page_by_page() {
    let market_set = MarketSet::with_markets(1, START, MARKETS_MAX);
    let began = Instant::now();
    let mut venue = polymarket(&market_set);
    let listing =
        ("/markets/keyset?limit=100&closed=false", "after_cursor", "next_cursor", "markets");
    let (markets, count) = pages(&mut venue, Host::Gamma, listing);
    assert_eq!(count, market_set.polymarket.len().div_ceil(PAGE_MAX));
    let slugs: BTreeSet<&str> = markets.iter().map(|m| m["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs.len(), market_set.polymarket.len());
    let listing = ("/events/keyset?limit=100", "after_cursor", "next_cursor", "events");
    let (events, _) = pages(&mut venue, Host::Gamma, listing);
    let nested: usize = events.iter().map(|event| event["markets"].as_array().unwrap().len()).sum();
    assert_eq!(nested, market_set.polymarket.len(), "every market belongs to one event");
    // By offset no more than the first two thousand are found, a hundred at a time.
    let (_, page) =
        ask(&mut venue, Host::Gamma, &format!("/markets?limit=500&offset={OFFSET_MAX}"));
    assert_eq!(page.as_array().unwrap().len(), PAGE_MAX);
    let beyond = format!("/markets?limit=100&offset={}", OFFSET_MAX + 1);
    let (status, refused) = ask(&mut venue, Host::Gamma, &beyond);
    assert!(status == 422 && refused["error"].as_str().unwrap().starts_with("offset too large"));
    let listing = ("/markets?next_cursor=", "next_cursor", "next_cursor", "data");
    let (status, page) = ask(&mut venue, Host::PolymarketClob, listing.0);
    assert!(status == 200 && page["data"].as_array().unwrap().len() == 100, "{}", page["count"]);

    let config = kalshi::Config::default();
    let mut venue = KalshiVenue::new(&market_set, 1, config, START).unwrap();
    let listing = (
        "/trade-api/v2/markets?limit=1000&status=open&mve_filter=exclude",
        "cursor",
        "cursor",
        "markets",
    );
    let (markets, count) = pages(&mut venue, Host::KalshiRest, listing);
    assert_eq!(
        (markets.len(), count),
        (market_set.kalshi.len(), market_set.kalshi.len().div_ceil(1_000))
    );
    let listing = ("/trade-api/v2/events?with_nested_markets=true", "cursor", "cursor", "events");
    let (events, _) = pages(&mut venue, Host::KalshiRest, listing);
    let nested: usize = events.iter().map(|event| event["markets"].as_array().unwrap().len()).sum();
    assert_eq!((events.len(), nested), (market_set.events.len(), market_set.kalshi.len()));
    let named: Vec<&str> =
        market_set.kalshi[1_000..1_050].iter().map(|m| m.ticker.as_str()).collect();
    let (_, page) = ask(
        &mut venue,
        Host::KalshiRest,
        &format!("/trade-api/v2/markets?limit=1000&tickers={}", named.join(",")),
    );
    let found: Vec<&str> =
        page["markets"].as_array().unwrap().iter().map(|m| m["ticker"].as_str().unwrap()).collect();
    assert_eq!(found, named);
    println!("all metadata of {MARKETS_MAX} markets in {} ms", began.elapsed().as_millis());
}

#[test]
fn one_market_connection_gets_first_books_for_five_hundred_assets_and_no_more() {
    let market_set = MarketSet::with_markets(1, START, 600);
    let mut venue = polymarket(&market_set);
    let conn = ConnId(1);
    venue.ws_open(conn, Host::PolymarketWs, &get("/ws/market"), START).unwrap();
    let assets = |from: usize, to: usize| -> Vec<&str> {
        let markets = &market_set.polymarket[from / 2..to / 2];
        markets.iter().flat_map(|m| [m.yes_token.as_str(), m.no_token.as_str()]).collect()
    };
    let say = |venue: &mut PolymarketVenue, message: Value| -> Vec<String> {
        venue.ws_text(conn, &message.to_string(), START);
        std::iter::from_fn(|| venue.poll_out()).map(|(_, text)| text).collect()
    };
    let first = say(&mut venue, json!({ "type": "market", "assets_ids": assets(0, 400) }));
    let dump: Value = serde_json::from_str(&first[0]).unwrap();
    assert_eq!(dump.as_array().unwrap().len(), 400);
    let more = say(&mut venue, json!({ "operation": "subscribe", "assets_ids": assets(400, 560) }));
    assert_eq!(more.len(), SNAPSHOT_ASSETS_MAX - 400);
    let none = say(&mut venue, json!({ "operation": "subscribe", "assets_ids": assets(560, 600) }));
    assert!(none.is_empty(), "no book and no word: {none:?}");
    // A second connection has its own share.
    let conn = ConnId(2);
    venue.ws_open(conn, Host::PolymarketWs, &get("/ws/market"), START).unwrap();
    venue.ws_text(
        conn,
        &json!({ "type": "market", "assets_ids": assets(560, 600) }).to_string(),
        START,
    );
    let (_, text) = venue.poll_out().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap().as_array().unwrap().len(), 40);
}

/// What the flow does grows with what is busy, not with what there is: a world of 5,000 markets has the actions of a few
/// hundred, and time passes in it without a walk over all.
#[test]
fn a_large_world_moves_in_a_few_hundred_markets() {
    let market_set = MarketSet::with_markets(1, START, MARKETS_MAX);
    let config = World::of(WorldName::Calm).flow.for_markets(MARKETS_MAX);
    let mut flow = Flow::new(&market_set, 1, config, START, None);
    let opening = std::iter::from_fn(|| flow.poll()).count();
    let began = Instant::now();
    let mut moved = BTreeSet::new();
    let (mut now, mut levels) = (START, 0_u64);
    for _ in 0..60 {
        now = now.after(Nanos::from_secs(1));
        flow.advance(now);
        while let Some(action) = flow.poll() {
            if let Action::Level { venue, market, .. } = action {
                levels += 1;
                moved.insert((venue, market));
            }
        }
    }
    println!(
        "{opening} levels at start; {levels} changes in {} markets in a minute, made in {} ms",
        moved.len(),
        began.elapsed().as_millis()
    );
    assert!((150..=1_000).contains(&moved.len()), "{} markets moved", moved.len());
    assert!((300..=1_500).contains(&(levels / 60)), "{levels} changes in a minute");
}
