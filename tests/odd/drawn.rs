//! Real messages of which one member is dropped, renamed, of another type, of more decimals or beside an unknown one.

use serde_json::{Value, json};
use surefoot_hot::book::Change;
use surefoot_hot::event::{Event, Oddity};
use surefoot_hot::ids::{MarketId, Side, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::MarketStatus;
use surefoot_hot::report::{Fill, Finality, Liquidity, Report};
use surefoot_hot::units::{Nanos, Qty};
use surefoot_hot::venue::odd::About;
use surefoot_hot::venue::{Session, kalshi};

use super::{Line, polymarket_market, polymarket_user};
use surefoot_properties::decode::{API_KEY, KALSHI, POLYMARKET};
use surefoot_properties::random::Rng;
use surefoot_properties::said::Said;

/// Names that say which kind of message it is and of which conversation: those stay.
const KEPT: [&str; 4] = ["event_type", "type", "sid", "seq"];

/// Every member that may be made odd, as the way to it.
fn members(value: &Value, way: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                way.push(name.clone());
                if !KEPT.contains(&name.as_str()) && name != "msg" {
                    found.push(way.clone());
                }
                members(inner, way, found);
                way.pop();
            }
        }
        Value::Array(array) => {
            for (nth, inner) in array.iter().enumerate() {
                way.push(nth.to_string());
                members(inner, way, found);
                way.pop();
            }
        }
        _ => {}
    }
}

/// A message of which one member was made odd.
struct Odd {
    message: Value,
    /// Which member, and how.
    how: String,
    /// What the message says without that member, and what the member says where it is a number or a text: of a list or
    /// an object in its place nothing may be taken.
    said: Said,
}

fn member<'a>(message: &'a mut Value, way: &[String]) -> &'a mut Value {
    way.iter().fold(message, |value, step| match value {
        Value::Array(array) => &mut array[step.parse::<usize>().unwrap()],
        value => value.get_mut(step).unwrap(),
    })
}

fn make_odd(rng: &mut Rng, clean: &Value) -> Odd {
    let mut found = Vec::new();
    members(clean, &mut Vec::new(), &mut found);
    let way = rng.pick(&found).clone();
    let (name, parents) = way.split_last().unwrap();
    let mut message = clean.clone();
    let object = member(&mut message, parents).as_object_mut().unwrap();
    let value = object.remove(name).unwrap();
    let mut rest = clean.clone();
    member(&mut rest, parents).as_object_mut().unwrap().remove(name);
    let (how, new) = match rng.below(6) {
        0 => ("dropped", None),
        1 => {
            object.insert(format!("{name}_v2"), value);
            ("renamed", None)
        }
        2 => {
            let other =
                [json!(null), json!([1]), json!({ "a": 1 }), json!(true), json!(17), json!("?")];
            ("of another type", Some(rng.pick(&other).clone()))
        }
        3 => {
            let more = value.as_str().map(|text| {
                let more = if text.contains('.') { "0000001" } else { ".0000001" };
                json!(format!("{text}{more}"))
            });
            ("with more decimals", Some(more.unwrap_or(value)))
        }
        4 => ("a strange number", Some(json!("-1e3"))),
        _ => {
            object.insert("extra".into(), json!({ "a": [1, { "b": null }] }));
            ("beside an unknown one", Some(value))
        }
    };
    let mut says = vec![rest];
    if let Some(new) = new {
        if how != "of another type" || !(new.is_array() || new.is_object()) {
            says.push(new.clone());
        }
        object.insert(name.clone(), new);
    }
    Odd { message, how: format!("{} {how}", way.join(".")), said: Said::of(&Value::Array(says)) }
}

/// Messages as the venues send them, by what they are about.
fn messages(venue: Venue) -> Vec<(About, Value)> {
    let [condition, yes, no] = POLYMARKET[0];
    let ticker = KALSHI[0];
    let order = format!("0x{}", "99".repeat(32));
    let pm = |kind: &str, more: Value| {
        let mut message = json!({ "event_type": kind, "market": condition, "asset_id": yes, "timestamp": "1795132802100" });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let ka = |kind: &str, body: Value| {
        let mut msg = json!({ "market_ticker": ticker });
        msg.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        json!({ "type": kind, "sid": 9, "msg": msg })
    };
    match venue {
        Venue::Polymarket => vec![
            (
                About::Tape,
                pm("last_trade_price", json!({ "price": "0.52", "size": "25", "side": "BUY" })),
            ),
            (
                About::Tape,
                pm(
                    "best_bid_ask",
                    json!({ "best_bid": "0.48", "best_ask": "0.52", "spread": "0.04" }),
                ),
            ),
            (About::Talk, pm("new_market", json!({ "question": "Q", "assets_ids": ["9", "8"] }))),
            (
                About::Life,
                pm("market_resolved", json!({ "assets_ids": [yes, no], "winning_asset_id": no })),
            ),
            (
                About::Book,
                pm(
                    "book",
                    json!({ "bids": [{ "price": "0.48", "size": "30" }],
                "asks": [{ "price": "0.52", "size": "25" }], "tick_size": "0.01" }),
                ),
            ),
            (
                About::Book,
                pm(
                    "price_change",
                    json!({ "price_changes": [{ "asset_id": yes, "price": "0.48",
                "size": "7", "side": "BUY", "best_bid": "0.48", "best_ask": "0.52" }] }),
                ),
            ),
            (
                About::Money,
                pm(
                    "order",
                    json!({ "type": "UPDATE", "id": order, "status": "LIVE", "owner": API_KEY,
                "original_size": "12", "size_matched": "3" }),
                ),
            ),
            (
                About::Money,
                pm(
                    "trade",
                    json!({ "type": "TRADE", "id": "c1", "status": "MATCHED", "side": "BUY",
                "size": "25", "price": "0.52", "owner": API_KEY, "taker_order_id": order, "trader_side": "TAKER",
                "maker_orders": [] }),
                ),
            ),
            (
                About::Money,
                pm(
                    "trade",
                    json!({ "type": "TRADE", "id": "c2", "status": "MATCHED", "side": "BUY",
                "size": "25", "price": "0.52", "owner": "them", "taker_order_id": order, "trader_side": "MAKER",
                "maker_orders": [{ "order_id": order, "owner": API_KEY, "asset_id": no, "matched_amount": "25",
                    "price": "0.52", "side": "BUY" }] }),
                ),
            ),
        ],
        Venue::Kalshi => vec![
            (
                About::Tape,
                ka(
                    "trade",
                    json!({ "yes_price_dollars": "0.4300", "count_fp": "5.00",
                "taker_book_side": "bid", "ts_ms": 1_795_197_600_800_u64 }),
                ),
            ),
            (
                About::Tape,
                ka("ticker", json!({ "yes_bid_dollars": "0.42", "yes_ask_dollars": "0.44" })),
            ),
            (
                About::Life,
                ka(
                    "market_lifecycle_v2",
                    json!({ "event_type": "determined", "result": "yes",
                "settlement_value": "1.0000" }),
                ),
            ),
            (About::Life, ka("market_lifecycle_v2", json!({ "event_type": "settled" }))),
            (
                About::Life,
                ka(
                    "market_lifecycle_v2",
                    json!({ "event_type": "close_date_updated", "close_ts": 1_795_200_000 }),
                ),
            ),
            (About::Talk, ka("event_fee_update", json!({ "fee_type": "quadratic" }))),
            (
                About::Talk,
                json!({ "type": "subscribed", "id": 1, "msg": { "channel": "trade", "sid": 9 } }),
            ),
            (
                About::Book,
                ka(
                    "orderbook_snapshot",
                    json!({ "yes_dollars_fp": [["0.4200", "3.00"]],
                "no_dollars_fp": [["0.4400", "2.00"]] }),
                ),
            ),
            (
                About::Book,
                ka(
                    "orderbook_delta",
                    json!({ "price_dollars": "0.4100", "delta_fp": "7.00", "side": "yes" }),
                ),
            ),
            (
                About::Money,
                ka(
                    "fill",
                    json!({ "trade_id": "t1", "order_id": "3b23", "client_order_id": "sf-000000000001f3a2",
                "is_taker": true, "book_side": "bid", "yes_price_dollars": "0.4300", "count_fp": "5.00",
                "fee_cost": "0.0100" }),
                ),
            ),
            (
                About::Money,
                ka(
                    "user_order",
                    json!({ "order_id": "3b23", "client_order_id": "sf-000000000001f3a2",
                "status": "resting", "fill_count_fp": "2.00" }),
                ),
            ),
        ],
    }
}

/// Feeds one message to a fresh session of the right kind; both markets' books are whole and empty before.
fn told(venue: Venue, about: About, frame: &str) -> (Vec<Event>, bool) {
    fn one<S: Session>(mut line: Line<S>, frame: &str) -> (Vec<Event>, bool) {
        line.take(frame);
        let quiet = line.is_quiet();
        (line.told, quiet)
    }
    match (venue, about) {
        (Venue::Polymarket, About::Money) => one(polymarket_user(API_KEY), frame),
        (Venue::Polymarket, _) => one(polymarket_market(), frame),
        (Venue::Kalshi, About::Money) => one(super::kalshi(kalshi::Role::Private), frame),
        (Venue::Kalshi, _) => one(super::kalshi(kalshi::Role::Market), frame),
    }
}

/// The law, for one message of which one member was made odd.
fn check(about: About, odd: &Odd, (told, quiet): &(Vec<Event>, bool), clean: &[Event]) {
    let (how, said) = (odd.how.as_str(), &odd.said);
    let stale =
        told.iter().any(|event| matches!(event, Event::Stale { .. } | Event::StaleAll { .. }));
    let is_odd = |wanted: Oddity| {
        told.iter().any(|event| matches!(event, Event::Odd { what, .. } if *what == wanted))
    };
    match about {
        About::Book => {
            let told_some = told.iter().any(|event| !matches!(event, Event::Link { .. }));
            let elsewhere =
                ["market", "asset_id", "market_ticker"].iter().any(|name| how.starts_with(name));
            assert!(
                told_some
                    || stale
                    || elsewhere
                    || how.contains("msg.market_ticker")
                    || how.contains("asset_id"),
                "a change was passed over in silence"
            );
        }
        About::Tape | About::Talk | About::Life => {
            assert!(!stale && *quiet, "it is not about the book and cost one");
        }
        About::Money => {
            let report = told.iter().any(|event| matches!(event, Event::Report(_)));
            assert!(report || is_odd(Oddity::Money), "money was lost");
            assert!(!stale, "a private message costs no book");
        }
    }
    for event in told {
        made_up_nothing(event, clean, said);
    }
}

/// What is told is what the clean message tells, word for word; only its numbers may be those of the odd member.
fn made_up_nothing(event: &Event, clean: &[Event], said: &Said) {
    let whole = |qty: Qty| {
        let micros = i128::from(qty.micros());
        assert!(said.has_near(micros, 6), "a quantity was made up: {event:?}");
    };
    let is_like = |like: &dyn Fn(&Event) -> bool| {
        assert!(clean.iter().any(like), "the clean message tells nothing like it: {event:?}");
    };
    match *event {
        // Doubt is what an odd message may always leave behind, and a market may always be shut.
        Event::Stale { .. } | Event::StaleAll { .. } | Event::Odd { .. } | Event::Link { .. } => {}
        Event::Status { status: MarketStatus::Closed, .. } => {}
        Event::SnapshotBegin { .. }
        | Event::SnapshotEnd { .. }
        | Event::Status { .. }
        | Event::Settled { .. }
        | Event::GridChange { .. }
        | Event::Current { .. } => is_like(&|other| without_time(other) == without_time(event)),
        Event::Level(level) => {
            let (Change::Set(qty) | Change::Add(qty) | Change::Take(qty)) = level.change;
            let micros = i128::from(qty.micros());
            let sign = if matches!(level.change, Change::Take(_)) { -1 } else { 1 };
            assert!(said.has(sign * micros, 6), "a quantity was made up: {event:?}");
            said.price(level.price);
            is_like(&|other| match other {
                Event::Level(other) => (other.market, other.side) == (level.market, level.side),
                _ => false,
            });
        }
        Event::Mirror { market, side, price, qty } => {
            whole(qty);
            said.price(price);
            is_like(
                &|other| matches!(*other, Event::Mirror { market: m, side: s, .. } if (m, s) == (market, side)),
            );
        }
        Event::Top { market, bid, ask, .. } => {
            bid.iter().chain(&ask).for_each(|&price| said.price(price));
            is_like(&|other| matches!(*other, Event::Top { market: m, .. } if m == market));
        }
        Event::Stated { market, bid, ask } => {
            bid.iter().chain(&ask).for_each(|&price| said.price(price));
            is_like(&|other| matches!(*other, Event::Stated { market: m, .. } if m == market));
        }
        Event::Trade { market, price, qty, taker } => {
            whole(qty);
            said.price(price);
            is_like(
                &|other| matches!(*other, Event::Trade { market: m, taker: t, .. } if (m, t) == (market, taker)),
            );
        }
        Event::Report(Report::Fill(fill)) => {
            is_like(&|other| {
                matches!(other, Event::Report(Report::Fill(other)) if identity(other) == identity(&fill)
                    && (fill.liquidity == other.liquidity || fill.liquidity == Liquidity::Unsaid))
            });
        }
        Event::Report(Report::Status(status)) => {
            status.filled.into_iter().for_each(whole);
            is_like(
                &|other| matches!(other, Event::Report(Report::Status(other)) if other.state == status.state),
            );
        }
        ref other => panic!("no message of a venue's tells this: {other:?}"),
    }
}

/// What a fill is beside its numbers and its names.
fn identity(fill: &Fill) -> (MarketId, Side, Finality) {
    (fill.market, fill.side, fill.finality)
}

/// A time says nothing of money, and may be absent.
fn without_time(event: &Event) -> Event {
    match *event {
        Event::SnapshotBegin { market, .. } => {
            Event::SnapshotBegin { market, link: LinkNumber::FIRST, venue_time: Nanos::ZERO }
        }
        other => other,
    }
}

#[test]
fn one_odd_member_costs_what_the_message_is_about_and_no_more() {
    for venue in Venue::ALL {
        for (about, message) in messages(venue) {
            let (clean, _) = told(venue, about, &message.to_string());
            let odd = |event: &Event| matches!(event, Event::Odd { .. } | Event::Stale { .. });
            assert!(!clean.iter().any(odd), "{message}: {clean:?}");
            for seed in 0..400 {
                let drawn = make_odd(&mut Rng::new(seed), &message);
                let frame = drawn.message.to_string();
                let result = std::panic::catch_unwind(|| {
                    let told = told(venue, about, &frame);
                    let fills = |event: &Event| match event {
                        Event::Report(Report::Fill(fill)) => Some(*fill),
                        _ => None,
                    };
                    drawn.said.fills(&told.0.iter().filter_map(fills).collect::<Vec<_>>());
                    check(about, &drawn, &told, &clean);
                });
                assert!(
                    result.is_ok(),
                    "seed {seed}, {}: {frame}\n{:?}\nclean: {clean:?}",
                    drawn.how,
                    told(venue, about, &frame)
                );
            }
        }
    }
}
