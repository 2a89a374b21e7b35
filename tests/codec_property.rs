//! Laws of the codecs over generated frames: what was written is read, in whatever order and spacing; and
//! truncated, mutated and hostile frames give an error or an answer, never a panic and never a made-up level.
//!
//! Everything derives from a seed, which a failure prints with the frame.

use std::panic;

use serde_json::Value;
use surefoot_hot::book::Change;
use surefoot_hot::event::Event;
use surefoot_hot::ids::Side;
use surefoot_hot::units::Qty;
use surefoot_properties::decode::{
    self, API_KEY, KALSHI, POLYMARKET, decode_any, levels, nothing_makes_a_level,
};

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// A price in $0.0001 strictly between $0 and $1, on the cent most of the time.
    fn ticks(&mut self) -> u16 {
        let cents = 100 * (1 + self.below(99));
        let ticks = if self.one_in(4) { 1 + self.below(9_999) } else { cents };
        u16::try_from(ticks).expect("below a dollar")
    }

    /// A size in millionths, mostly of two decimals.
    fn micros(&mut self) -> u64 {
        if self.one_in(8) {
            self.next() % 1_000_000_000
        } else {
            (self.next() % 100_000_000) * 10_000
        }
    }
}

/// A number of `places` decimals as text, in one of the spellings the venues use.
fn text(rng: &mut Rng, units: u64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let mut text = format!("{}.{:0width$}", units / unit, units % unit, width = places as usize);
    if rng.one_in(2) {
        text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    if rng.one_in(4) && text.starts_with("0.") {
        text.remove(0);
    }
    text
}

/// An object under construction: members come out in any order, with any spacing.
#[derive(Default)]
struct Object(Vec<(String, String)>);

impl Object {
    fn raw(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, format!("\"{value}\""))
    }

    fn write(mut self, rng: &mut Rng) -> String {
        if rng.one_in(2) {
            for index in (1..self.0.len()).rev() {
                let other = rng.below(index + 1);
                self.0.swap(index, other);
            }
        }
        let (comma, colon) = (rng.pick(&[",", ", ", " ,\n"]), rng.pick(&[":", ": ", " : "]));
        let members: Vec<_> =
            self.0.iter().map(|(name, value)| format!("\"{name}\"{colon}{value}")).collect();
        format!("{{{}}}", members.join(comma))
    }
}

fn array(rng: &mut Rng, items: &[String]) -> String {
    format!("[{}]", items.join(rng.pick(&[",", ", "])))
}

type Levels = Vec<(u16, Side, u16, Change)>;

/// A `price_change` and the levels it means.
fn price_change(rng: &mut Rng) -> (String, Levels) {
    let which = rng.below(2);
    let [condition, yes, no] = POLYMARKET[which];
    let market = u16::try_from(which + 1).expect("few");
    let (mut entries, mut want) = (Vec::new(), Vec::new());
    let mut seen = Vec::new();
    for _ in 0..1 + rng.below(3) {
        let (ticks, micros, bid) = (rng.ticks(), rng.micros(), rng.one_in(2));
        let side = if bid { Side::Bid } else { Side::Ask };
        if seen.contains(&(side, ticks)) {
            continue;
        }
        seen.push((side, ticks));
        let size = text(rng, micros, 6);
        let entry = |rng: &mut Rng, token: &str, ticks: u16, buy: bool| {
            Object::default()
                .text("asset_id", token)
                .text("price", &text(rng, u64::from(ticks), 4))
                .text("size", &size)
                .text("side", if buy { "BUY" } else { "SELL" })
                .text("hash", "0b1e7c")
                .text("best_bid", rng.pick(&["0.1", "", "0"]))
                .text("best_ask", rng.pick(&["0.9", "", ".95", "1"]))
                .write(rng)
        };
        let (with_yes, with_no) = rng.pick(&[&(true, true), &(true, false), &(false, true)]);
        if *with_yes {
            entries.push(entry(rng, yes, ticks, bid));
        }
        if *with_no {
            entries.push(entry(rng, no, 10_000 - ticks, !bid));
        }
        want.push((market, side, ticks, Change::Set(Qty::from_micros(micros))));
    }
    let frame = Object::default()
        .text("event_type", "price_change")
        .text("market", condition)
        .text("timestamp", "1790267379229")
        .raw("price_changes", array(rng, &entries));
    (frame.write(rng), want)
}

/// A `book` of a YES token and the levels it means.
fn book(rng: &mut Rng) -> (String, Levels) {
    let which = rng.below(2);
    let [condition, yes, _] = POLYMARKET[which];
    let market = u16::try_from(which + 1).expect("few");
    let mut want = Vec::new();
    let mut side = |rng: &mut Rng, side: Side| {
        let mut levels = Vec::new();
        for _ in 0..rng.below(6) {
            let (ticks, micros) = (rng.ticks(), rng.micros() + 1);
            let level = Object::default()
                .text("price", &text(rng, u64::from(ticks), 4))
                .text("size", &text(rng, micros, 6));
            levels.push(level.write(rng));
            want.push((market, side, ticks, Change::Set(Qty::from_micros(micros))));
        }
        array(rng, &levels)
    };
    let (bids, asks) = (side(rng, Side::Bid), side(rng, Side::Ask));
    let frame = Object::default()
        .text("event_type", "book")
        .text("market", condition)
        .text("asset_id", yes)
        .text("timestamp", "1790267353913")
        .raw("bids", bids)
        .raw("asks", asks)
        .text("tick_size", "0.01")
        .write(rng);
    (if rng.one_in(2) { format!("[{frame}]\n") } else { frame }, want)
}

/// An `orderbook_delta` and the level it means.
fn delta(rng: &mut Rng) -> (String, Levels) {
    let which = rng.below(2);
    let (ticks, micros, less) = (rng.ticks(), rng.micros() + 1, rng.one_in(2));
    let yes = rng.one_in(2);
    let body = Object::default()
        .text("market_ticker", KALSHI[which])
        .text("market_id", "9b0f6b43")
        .text("price_dollars", &text(rng, u64::from(ticks), 4))
        .text("delta_fp", &format!("{}{}", if less { "-" } else { "" }, text(rng, micros, 6)))
        .text("side", if yes { "yes" } else { "no" })
        .raw("ts_ms", "1795197600531")
        .write(rng);
    let frame = Object::default()
        .text("type", "orderbook_delta")
        .raw("sid", "1")
        .raw("seq", "3")
        .raw("sending_ts_ms", "1795197600533")
        .raw("msg", body)
        .write(rng);
    let qty = Qty::from_micros(micros);
    let change = if less { Change::Take(qty) } else { Change::Add(qty) };
    let market = u16::try_from(which + 3).expect("few");
    (frame, vec![(market, if yes { Side::Bid } else { Side::Ask }, ticks, change)])
}

/// An `orderbook_snapshot` and the levels it means.
fn snapshot(rng: &mut Rng) -> (String, Levels) {
    let which = rng.below(2);
    let market = u16::try_from(which + 3).expect("few");
    let mut want = Vec::new();
    let mut body = Object::default().text("market_ticker", KALSHI[which]);
    for (name, side) in [("yes_dollars_fp", Side::Bid), ("no_dollars_fp", Side::Ask)] {
        let mut levels = Vec::new();
        for _ in 0..rng.below(5) {
            let (ticks, micros) = (rng.ticks(), rng.micros() + 1);
            let (price, size) = (text(rng, u64::from(ticks), 4), text(rng, micros, 6));
            levels.push(format!("[\"{price}\",\"{size}\"]"));
            want.push((market, side, ticks, Change::Set(Qty::from_micros(micros))));
        }
        if !levels.is_empty() {
            body = body.raw(name, array(rng, &levels));
        }
    }
    // the members of `body` may be swapped, the sides of `want` may not
    let body = body.write(rng);
    let frame = Object::default()
        .text("type", "orderbook_snapshot")
        .raw("sid", "1")
        .raw("seq", "3")
        .raw("msg", body)
        .write(rng);
    (frame, want)
}

type Writer = fn(&mut Rng) -> (String, Levels);

const WRITERS: [Writer; 4] = [price_change, book, delta, snapshot];

/// Messages that make no level.
fn other(rng: &mut Rng) -> String {
    let [condition, yes, no] = POLYMARKET[rng.below(2)];
    let ticker = KALSHI[rng.below(2)];
    let (price, size) = (rng.ticks(), rng.micros());
    let (price, size) = (text(rng, u64::from(price), 4), text(rng, size, 6));
    let order = format!("0x{:064x}", rng.next());
    let polymarket = |rng: &mut Rng, kind: &str| {
        let token = rng.pick(&[yes, no]);
        Object::default().text("event_type", kind).text("market", condition).text("asset_id", token)
    };
    let envelope = |rng: &mut Rng, kind: &str, body: Object| {
        let body = body.write(rng);
        Object::default().text("type", kind).raw("sid", "7").raw("msg", body).write(rng)
    };
    let side = rng.pick(&["BUY", "SELL"]);
    let named = Object::default().text("market_ticker", ticker);
    match rng.below(9) {
        0 => polymarket(rng, "last_trade_price")
            .text("price", &price)
            .text("size", &size)
            .text("side", side)
            .write(rng),
        1 => polymarket(rng, "tick_size_change")
            .text("new_tick_size", rng.pick(&["0.001", "0.01", "0.3"]))
            .write(rng),
        2 => {
            polymarket(rng, "best_bid_ask").text("best_bid", &price).text("best_ask", "").write(rng)
        }
        3 => polymarket(rng, "market_resolved")
            .text("winning_asset_id", rng.pick(&[yes, no, "3"]))
            .write(rng),
        4 => {
            let status =
                rng.pick(&["LIVE", "MATCHED", "CANCELED_why \\\"so\\\"", "INVALID", "NEW"]);
            let kind = rng.pick(&["PLACEMENT", "UPDATE", "CANCELLATION"]);
            polymarket(rng, "order")
                .text("type", kind)
                .text("id", &order)
                .text("status", status)
                .text("original_size", "12")
                .text("size_matched", &size)
                .write(rng)
        }
        5 => {
            let maker = Object::default()
                .text("order_id", &order)
                .text("owner", API_KEY)
                .text("asset_id", no)
                .text("matched_amount", &size)
                .text("price", &price)
                .write(rng);
            let status = rng.pick(&[
                "MATCHED",
                "MINED",
                "CONFIRMED",
                "RETRYING",
                "TRADE_STATUS_FAILED",
                "?",
            ]);
            polymarket(rng, "trade")
                .text("id", "t1")
                .text("status", status)
                .text("side", side)
                .text("price", &price)
                .text("size", &size)
                .text("taker_order_id", &order)
                .text("trader_side", rng.pick(&["TAKER", "MAKER", ""]))
                .raw("maker_orders", format!("[{maker}]"))
                .write(rng)
        }
        6 => {
            let body = named
                .text("trade_id", "t1")
                .text("order_id", "3b23c1c7")
                .text("yes_price_dollars", &price)
                .text("client_order_id", rng.pick(&["sf-00000000000000ff", "x", "sf-1"]))
                .text("count_fp", &size)
                .text("book_side", rng.pick(&["bid", "ask", "both"]))
                .text("fee_cost", "0.000100")
                .raw("is_taker", rng.pick(&["true", "false", "null"]));
            envelope(rng, "fill", body)
        }
        7 => {
            let body = Object::default()
                .text("ticker", ticker)
                .text("order_id", "3b23c1c7")
                .text("fill_count_fp", &size)
                .text("status", rng.pick(&["resting", "executed", "canceled", "unknown", "lost"]));
            envelope(rng, "user_order", body)
        }
        _ => {
            let kinds = [
                "activated",
                "deactivated",
                "determined",
                "settled",
                "close_date_updated",
                "created",
                "?",
            ];
            let body = named
                .text("event_type", rng.pick(&kinds))
                .text("result", rng.pick(&["yes", "no", ""]))
                .raw("close_ts", "1795215600")
                .raw("price_ranges", r#"[{"start":"0","end":"1","step":"0.001"}]"#);
            envelope(rng, "market_lifecycle_v2", body)
        }
    }
}

/// Pieces that parsers trip over.
const SPLICES: [&str; 26] = [
    "\"",
    "\\",
    "\\\"",
    "\\u0022",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-",
    ".",
    "1e5",
    "1e999",
    "0.30000000000000004",
    "-0.5",
    "1.2",
    "99999999999999999999999999999999999999999999",
    "\u{0}",
    "\u{e9}",
    "\"price\":\"0.5\",",
    "\"price\":0.5,",
    "                                ",
];

fn mutate(rng: &mut Rng, frame: &str) -> Vec<u8> {
    let mut bytes = frame.as_bytes().to_vec();
    for _ in 0..1 + rng.below(3) {
        let at = rng.below(bytes.len() + 1);
        match rng.below(7) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
            2 if at < bytes.len() => {
                bytes[at] = b' ' + u8::try_from(rng.below(95)).expect("printable")
            }
            3 => drop(bytes.splice(at..at, rng.pick(&SPLICES).bytes())),
            4 => {
                let end = (at + rng.below(12)).min(bytes.len());
                drop(bytes.drain(at..end));
            }
            5 => {
                let end = (at + rng.below(40)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            _ => {
                let end = (at + rng.below(8)).min(bytes.len());
                drop(bytes.splice(at..end, rng.pick(&SPLICES).bytes()));
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

/// Runs `law` on so many seeds and says which one broke it.
fn for_each_seed(count: u64, law: fn(&mut Rng)) {
    for seed in 0..count {
        let broken = panic::catch_unwind(|| law(&mut Rng(seed)));
        assert!(broken.is_ok(), "seed {seed}");
    }
}

#[test]
fn what_was_written_is_read() {
    for_each_seed(20_000, |rng| {
        let codec = rng.below(WRITERS.len());
        let (frame, mut want) = WRITERS[codec](rng);
        let (result, events) = decode::CODECS[if codec < 2 { 0 } else { 2 }].1(frame.as_bytes());
        assert_eq!(result, Ok(()), "{frame}");
        let mut told = levels(&events);
        if codec == 3 {
            let key = |level: &(u16, Side, u16, Change)| level.1.index();
            want.sort_by_key(key); // bids are told first
            told.sort_by_key(key);
        }
        assert_eq!(told, want, "{frame}");
        let ends = |event: &&Event| match event {
            Event::Level(level) => level.last,
            Event::Top { last, .. } => *last,
            _ => false,
        };
        let lasts = events.iter().filter(ends);
        assert_eq!(lasts.count(), usize::from(codec % 2 == 0), "one decision a change: {frame}");
        let odd =
            events.iter().any(|event| matches!(event, Event::Stale { .. } | Event::Status { .. }));
        assert!(!odd, "{frame}");
    });
}

/// Every number text anywhere in a JSON frame, as millionths.
fn numbers(value: &Value, found: &mut Vec<u64>) {
    match value {
        Value::String(text) => found.extend(micros(text)),
        Value::Number(number) => found.extend(micros(&number.to_string())),
        Value::Array(items) => items.iter().for_each(|item| numbers(item, found)),
        Value::Object(members) => members.values().for_each(|item| numbers(item, found)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// By another way than the codec's.
fn micros(text: &str) -> Option<u64> {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = part.trim_end_matches('0');
    if part.len() > 6 || !whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{part:0<6}").parse().ok()
}

/// No level has a price or a size that does not stand in the frame.
fn no_level_is_made_up(frame: &[u8]) {
    let json = serde_json::from_slice::<Value>(frame);
    for (name, decode) in decode::CODECS {
        let told = levels(&decode(frame).1);
        let Ok(json) = &json else {
            let array = frame.trim_ascii_start().first() == Some(&b'[');
            assert!(told.is_empty() || array, "{name}: a level out of no JSON");
            continue;
        };
        let mut found = Vec::new();
        numbers(json, &mut found);
        for (_, _, ticks, change) in told {
            let (Change::Set(qty) | Change::Add(qty) | Change::Take(qty)) = change;
            let price = u64::from(ticks) * 100;
            assert!(found.contains(&qty.micros()), "{name}: a size from nowhere");
            assert!(
                found.contains(&price) || found.contains(&(1_000_000 - price)),
                "{name}: a price from nowhere"
            );
        }
    }
}

/// A hundred thousand frames into each of four codecs, several times each.
#[test]
fn hostile_frames_give_errors_or_answers() {
    for_each_seed(100_000, |rng| {
        let frame =
            if rng.one_in(2) { other(rng) } else { WRITERS[rng.below(WRITERS.len())](rng).0 };
        let bytes = if rng.one_in(20) { frame.into_bytes() } else { mutate(rng, &frame) };
        decode_any(&bytes);
        no_level_is_made_up(&bytes);
    });
}

#[test]
fn noise_gives_errors_or_answers() {
    for_each_seed(20_000, |rng| {
        let length = rng.below(200);
        let bytes: Vec<u8> = if rng.one_in(2) {
            (0..length).map(|_| u8::try_from(rng.below(256)).expect("a byte")).collect()
        } else {
            let pieces: Vec<&str> = (0..length / 4).map(|_| rng.pick(&SPLICES)).collect();
            pieces.concat().into_bytes()
        };
        decode_any(&bytes);
    });
}

/// Every prefix of a frame is refused, and none of it is taken for the whole.
#[test]
fn truncated_frames_give_no_level() {
    for_each_seed(60, |rng| {
        let (frame, _) = WRITERS[rng.below(WRITERS.len())](rng);
        for end in 1..frame.trim_end().len() {
            if frame.starts_with('[') && end == frame.trim_end().len() - 1 {
                continue; // its one message is whole
            }
            nothing_makes_a_level(&frame.as_bytes()[..end]);
            decode_any(&frame.as_bytes()[..end]);
        }
    });
}
