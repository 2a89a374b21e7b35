//! One market: its book, what of it has been shown, and its shapes on the wire.

use std::collections::BTreeMap;
use std::io::Write as _;

use aws_lc_rs::digest;
use serde_json::{Value, json};
use surefoot_cold::venue::polymarket::eip712::Exchange;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{Action, Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::text;
use crate::twin::market_set::{Generation, PolymarketMarket};
use crate::twin::matching::Book;

/// A market as it stands.
#[derive(Debug)]
pub struct Market {
    /// What was generated or recorded of the market: names, price step, fee, end.
    pub spec: PolymarketMarket,
    pub gamma_id: String,
    /// Resting orders of both outcomes, in YES terms.
    pub book: Book,
    /// The levels as the streams have shown them, by ticks in YES terms; bids and asks.
    pub shown: [BTreeMap<u16, Qty>; 2],
    /// When the book last changed.
    pub changed: Nanos,
    /// When it was made.
    pub opened: Nanos,
    /// The last trade's price, of whichever token traded.
    pub last: Option<Price>,
    /// Which way its taker went.
    pub last_side: Option<Action>,
    /// Traded so far.
    pub volume: Qty,
    /// What YES pays, once known.
    pub resolved: Option<Price>,
    /// When that was.
    pub resolved_at: Nanos,
    /// Whether a result was proposed and disputed.
    pub is_disputed: bool,
    /// How long marketable orders are held (sports).
    pub delay_secs: u32,
}

impl Market {
    /// A new one with an empty book.
    pub fn new(spec: PolymarketMarket, number: usize, now: Nanos) -> Self {
        Self {
            spec,
            gamma_id: (3_000_000 + number).to_string(),
            book: Book::new(),
            shown: Default::default(),
            changed: now,
            opened: now,
            last: None,
            last_side: None,
            volume: Qty::ZERO,
            resolved: None,
            resolved_at: Nanos::ZERO,
            is_disputed: false,
            delay_secs: 0,
        }
    }

    /// The prices at which orders are taken.
    pub fn grid(&self) -> Grid {
        self.spec.grid()
    }

    /// The exchange whose domain its orders are signed for.
    pub fn exchange(&self) -> Exchange {
        match (self.spec.generation, self.spec.neg_risk()) {
            (Generation::Three, _) => Exchange::V3,
            (Generation::Two, true) => Exchange::NegRisk,
            (Generation::Two, false) => Exchange::Ctf,
        }
    }

    /// `v1` or `v2`.
    pub const fn version(&self) -> &'static str {
        match self.spec.generation {
            Generation::Two => "v1",
            Generation::Three => "v2",
        }
    }

    /// An outcome's token.
    pub fn token(&self, outcome: Outcome) -> &str {
        match outcome {
            Outcome::Yes => &self.spec.yes_token,
            Outcome::No => &self.spec.no_token,
        }
    }

    /// The taker's fee for one trade: `shares × rate × p(1−p)`, to $0.00001 and up, nothing below that.
    /// The direction is not documented; up is the one that cannot flatter (`venues/polymarket.md` §8).
    pub fn fee(&self, price: Price, qty: Qty) -> Usd {
        let p_q = u128::from(price.ticks()) * u128::from(price.complement().ticks()); // 1e-8
        let exact = p_q * u128::from(qty.micros()) * u128::from(self.spec.fee_rate); // 1e-20 dollars
        let unit = 10_u128.pow(15); // $0.00001
        let units = if exact < unit { 0 } else { exact.div_ceil(unit) };
        Usd::from_micros(i64::try_from(units * 10).expect("QTY_MAX bounds the fee"))
    }

    /// Levels of an outcome's own book as shown, worst first on both sides as the venue sends them: bids rise, asks fall.
    fn levels(&self, outcome: Outcome, side: Side) -> impl Iterator<Item = (Price, Qty)> {
        let (of, own): (_, fn(Price) -> Price) = match outcome {
            Outcome::Yes => (side, |price| price),
            Outcome::No => (side.other(), Price::complement),
        };
        // A bid of NO is an ask of YES, and what rises of the one falls of the other.
        let mut shown = self.shown[of.index()].iter();
        let next = move || if of == Side::Bid { shown.next() } else { shown.next_back() };
        std::iter::from_fn(next).map(move |(&ticks, &qty)| {
            (own(Price::from_ticks(ticks).expect("levels are keyed by prices")), qty)
        })
    }

    /// The best shown price of an outcome's own book.
    pub fn best(&self, outcome: Outcome, side: Side) -> Option<Price> {
        let of = |ticks: &u16| Price::from_ticks(*ticks).expect("levels are keyed by prices");
        let yes_side = if outcome == Outcome::Yes { side } else { side.other() };
        let best = match yes_side {
            Side::Bid => self.shown[0].last_key_value(),
            Side::Ask => self.shown[1].first_key_value(),
        };
        let best = best.map(|(ticks, _)| of(ticks));
        if outcome == Outcome::Yes { best } else { best.map(Price::complement) }
    }

    /// The last trade's price as frames carry it; empty before the first.
    pub fn last_text(&self) -> String {
        self.last.map_or_else(String::new, text::last_price)
    }

    /// The JSON whose SHA-1 is the book's hash, with `hash` in the place of that hash (§5.4).
    fn hash_input(&self, outcome: Outcome, hash: &str, last: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(4_096);
        let side = |out: &mut Vec<u8>, side| {
            for (place, (price, qty)) in self.levels(outcome, side).enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                text::push_level(out, price, qty);
            }
        };
        let _ = write!(
            out,
            "{{\"market\":\"{}\",\"asset_id\":\"{}\",\"timestamp\":\"{}\",\"hash\":\"{hash}\",\"bids\":[",
            self.spec.condition_id,
            self.token(outcome),
            self.changed.millis(),
        );
        side(&mut out, Side::Bid);
        out.extend_from_slice(b"],\"asks\":[");
        side(&mut out, Side::Ask);
        let _ = write!(
            out,
            "],\"min_order_size\":\"{}\",\"tick_size\":\"{}\",\"neg_risk\":{},\"last_trade_price\":\"{last}\"}}",
            self.spec.min_size,
            self.tick_text(),
            self.spec.neg_risk(),
        );
        out
    }

    /// The hash of an outcome's whole book as shown, given the last trade's price as text.
    pub fn hash_with(&self, outcome: Outcome, last: &str) -> String {
        let input = self.hash_input(outcome, "", last);
        let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &input);
        text::hex(sum.as_ref())[2..].to_owned()
    }

    /// An outcome's whole book: what REST answers and, with `event_type`, what the stream sends.
    pub fn book_text(&self, outcome: Outcome, event: bool) -> String {
        let last = self.last_text();
        let hash = self.hash_with(outcome, &last);
        let body = self.hash_input(outcome, &hash, &last);
        let mut body = String::from_utf8(body).expect("it is put together of text");
        let closed = body.pop();
        debug_assert_eq!(closed, Some('}'), "an object");
        if self.spec.generation == Generation::Three {
            body.push_str(",\"version\":\"v2\"");
        }
        if event {
            body.push_str(",\"event_type\":\"book\"");
        }
        body.push('}');
        body
    }

    /// The tick as text.
    pub fn tick_text(&self) -> String {
        text::price(Price::from_ticks(self.spec.tick).expect("a tick divides a dollar"))
    }

    /// The tick as a JSON number.
    pub fn tick_number(&self) -> Value {
        text::number::<4>(u64::from(self.spec.tick))
    }

    /// Whether orders are taken.
    pub const fn is_open(&self) -> bool {
        self.resolved.is_none()
    }

    /// The answer to `GET /clob-markets/{condition_id}`.
    pub fn clob_market(&self) -> Value {
        let mut market = json!({
            "c": self.spec.condition_id,
            "v": self.version(),
            "t": [{"t": self.spec.yes_token, "o": "Yes"}, {"t": self.spec.no_token, "o": "No"}],
            "mts": self.tick_number(),
            "mos": self.spec.min_size,
            "mbf": 1000,
            "tbf": 1000,
            "fd": {"r": text::number::<6>(u64::from(self.spec.fee_rate)), "e": 1, "to": true},
            "ao": self.is_open(),
            "aot": text::rfc3339(self.opened),
            "gst": null,
            "sd": self.delay_secs,
            "oas": 0,
        });
        if self.spec.neg_risk() {
            market["nr"] = json!(true);
        }
        market
    }

    /// `GET /markets/{condition_id}` of the CLOB host: undocumented, still served.
    pub fn legacy_market(&self) -> Value {
        let (image, event) = ("", self.spec.neg_risk_market_id.clone().unwrap_or_default());
        let mut market = self.simplified_market();
        let more = json!({
            "enable_order_book": true,
            "accepting_order_timestamp": text::rfc3339(self.opened),
            "minimum_order_size": self.spec.min_size,
            "minimum_tick_size": self.tick_number(),
            "question_id": self.spec.question_id,
            "question": self.spec.question,
            "description": "Synthetic market of surefoot's twin.",
            "market_slug": self.spec.slug,
            "end_date_iso": text::rfc3339(self.spec.close),
            "game_start_time": null,
            "seconds_delay": self.delay_secs,
            "fpmm": "",
            "maker_base_fee": 1000,
            "taker_base_fee": 1000,
            "notifications_enabled": false,
            "neg_risk": self.spec.neg_risk(),
            "neg_risk_market_id": event,
            "neg_risk_request_id": "",
            "icon": image,
            "image": image,
            "is_50_50_outcome": false,
            "tags": ["synthetic"],
        });
        if let (Value::Object(market), Value::Object(more)) = (&mut market, more) {
            market.extend(more);
        }
        market
    }

    /// A row of `GET /simplified-markets`.
    pub fn simplified_market(&self) -> Value {
        let token = |outcome: Outcome, name: &str| {
            let price = self.best(outcome, Side::Bid).unwrap_or(Price::ZERO);
            json!({
                "token_id": self.token(outcome),
                "outcome": name,
                "price": text::number::<4>(u64::from(price.ticks())),
                "winner": self.winner() == Some(outcome),
            })
        };
        json!({
            "condition_id": self.spec.condition_id,
            "rewards": {"rates": null, "min_size": 0, "max_spread": 0},
            "tokens": [token(Outcome::Yes, "Yes"), token(Outcome::No, "No")],
            "active": true,
            "closed": !self.is_open(),
            "archived": false,
            "accepting_orders": self.is_open(),
        })
    }

    /// Which outcome pays a whole dollar, once known.
    pub fn winner(&self) -> Option<Outcome> {
        match self.resolved {
            Some(Price::ONE) => Some(Outcome::Yes),
            Some(Price::ZERO) => Some(Outcome::No),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market() -> Market {
        let spec = PolymarketMarket {
            condition_id: "0xaabbcc".into(),
            question_id: String::new(),
            yes_token: "100".into(),
            no_token: "101".into(),
            question: String::new(),
            slug: String::new(),
            group_title: String::new(),
            event_id: String::new(),
            event_slug: String::new(),
            event_title: String::new(),
            generation: Generation::Two,
            neg_risk_market_id: None,
            tick: 100,
            min_size: 100,
            fee_rate: 50_000,
            close: Nanos::ZERO,
            settle: None,
            captured: false,
        };
        Market::new(spec, 0, Nanos::from_millis(123_456_789))
    }

    #[test]
    fn the_published_hash() {
        let mut market = market();
        let q = Qty::from_contracts(100);
        market.shown = [[(3_000, q), (4_000, q)].into(), [(6_000, q), (7_000, q)].into()];
        // Vector of the venue's own SDK tests; it lists asks rising, so its `asks` are swapped here.
        let ours = String::from_utf8(market.hash_input(Outcome::Yes, "", "0.5")).unwrap();
        let theirs = ours.replace(
            r#"{"price":"0.7","size":"100"},{"price":"0.6","size":"100"}"#,
            r#"{"price":"0.6","size":"100"},{"price":"0.7","size":"100"}"#,
        );
        assert_ne!(ours, theirs, "asks fall, as the recorded session has them");
        let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, theirs.as_bytes());
        assert_eq!(&text::hex(sum.as_ref())[2..], "0458ea5755c9f73d64a14636fa5c36ed460ec394");
    }

    #[test]
    fn worked_fee_cases() {
        let market = market();
        let fee = |ticks, qty| market.fee(Price::from_ticks(ticks).unwrap(), qty).micros();
        assert_eq!(fee(4_200, Qty::from_contracts(37)), 450_660);
        assert_eq!(fee(5_000, Qty::from_contracts(100)), 1_250_000);
        assert_eq!(fee(5_000, Qty::from_micros(700)), 0);
        assert_eq!(fee(5_000, Qty::from_micros(801)), 20);
    }
}
