//! An order as it comes in: parsed, its digest recomputed, its signer recovered, its numbers checked.

use serde_json::Value;
use surefoot_cold::text::{parse_hex, parse_hex_vec, parse_u256};
use surefoot_cold::venue::polymarket::eip712::{
    Address, Exchange, OrderFields, SignatureType, Word,
};
use surefoot_hot::ids::{Action, Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::PolymarketVenue;
use super::market::Market;
use super::text;

/// How long an order asks to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderType {
    /// It rests until it is cancelled.
    Gtc,
    /// Until a time.
    Gtd,
    /// All at once or not at all.
    Fok,
    /// What can be had at once.
    Fak,
}

impl OrderType {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "GTC" => Self::Gtc,
            "GTD" => Self::Gtd,
            "FOK" => Self::Fok,
            "FAK" => Self::Fak,
            _ => return None,
        })
    }

    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtc => "GTC",
            Self::Gtd => "GTD",
            Self::Fok => "FOK",
            Self::Fak => "FAK",
        }
    }

    /// Whether what is left may rest.
    pub const fn rests(self) -> bool {
        matches!(self, Self::Gtc | Self::Gtd)
    }
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It rests in the book.
    Live,
    /// Held by the market's taker delay.
    Delayed,
    /// It is filled and no longer rests.
    Matched,
    /// Done, cancelled; with the venue's reason where it gives one.
    Canceled(&'static str),
    /// Taken off by the venue.
    Invalid,
    /// The market's result is known.
    Resolved,
}

impl Status {
    /// As REST writes it.
    pub const fn rest_name(&self) -> &'static str {
        match self {
            Self::Live | Self::Delayed => "LIVE",
            Self::Matched => "MATCHED",
            Self::Canceled(_) => "CANCELED",
            Self::Invalid => "INVALID",
            Self::Resolved => "CANCELED_MARKET_RESOLVED",
        }
    }

    /// Whether it may still trade.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Live | Self::Delayed)
    }
}

/// An order the venue knows.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its EIP-712 digest.
    pub id: Word,
    /// Whose, by account index.
    pub account: usize,
    /// Under which credentials.
    pub credential: usize,
    /// In which market.
    pub market: usize,
    pub outcome: Outcome,
    pub action: Action,
    /// The limit in its own outcome's terms.
    pub price: Price,
    /// Shares asked for or offered.
    pub original: Qty,
    /// Collateral offered (buy) or asked for (sell).
    pub collateral: Usd,
    /// Shares of it that have traded so far.
    pub matched: Qty,
    /// How long it lives.
    pub order_type: OrderType,
    /// Unix seconds; zero where it does not expire.
    pub expiration: u64,
    /// Rests or is refused.
    pub post_only: bool,
    /// When it came.
    pub created: Nanos,
    /// Where it stands.
    pub status: Status,
    /// Its trades, by index.
    pub trades: Vec<usize>,
}

impl Order {
    /// What has not traded.
    pub fn left(&self) -> Qty {
        self.original.saturating_sub(self.matched)
    }

    /// Its side of the YES book.
    pub const fn side(&self) -> Side {
        Side::of(self.outcome, self.action)
    }

    /// Its limit in YES terms.
    pub const fn yes_price(&self) -> Price {
        match self.outcome {
            Outcome::Yes => self.price,
            Outcome::No => self.price.complement(),
        }
    }

    /// When it is taken off: a minute before what it says (`venues/polymarket.md` §3.8).
    pub fn expires(&self) -> Nanos {
        if self.expiration == 0 {
            Nanos::NEVER
        } else {
            Nanos::from_secs(self.expiration.saturating_sub(60))
        }
    }
}

/// What the venue answers instead of taking an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// The venue's words.
    pub text: String,
}

/// A refusal with status 400.
pub fn refuse<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status: 400, text: text.into() })
}

/// An order that came, as its JSON says it.
#[derive(Clone, Debug)]
pub struct Posted {
    fields: OrderFields,
    token: String,
    signature: Vec<u8>,
    owner: String,
    expiration: u64,
    order_type: OrderType,
    post_only: bool,
}

/// A JSON number, or a string of digits.
fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => number.as_u64(),
        Value::String(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

impl Posted {
    /// `None` where it is not of the shape the venue takes.
    pub fn parse(value: &Value) -> Option<Self> {
        let order = value.get("order")?;
        let string = |name| order.get(name).and_then(Value::as_str);
        let word = |name| match string(name) {
            None | Some("") => Some([0; 32]),
            Some(digits) => parse_hex::<32>(digits),
        };
        let kind = u8::try_from(number(order.get("signatureType"))?).ok()?;
        let token = string("tokenId")?;
        let fields = OrderFields {
            salt: number(order.get("salt"))?,
            maker: Address::parse(string("maker")?)?,
            signer: Address::parse(string("signer")?)?,
            token: parse_u256(token)?,
            maker_amount: number(order.get("makerAmount"))?,
            taker_amount: number(order.get("takerAmount"))?,
            side: match string("side")? {
                "BUY" => Action::Buy,
                "SELL" => Action::Sell,
                _ => return None,
            },
            kind: SignatureType::from_number(kind)?,
            timestamp: number(order.get("timestamp"))?,
            metadata: word("metadata")?,
            builder: word("builder")?,
        };
        let flag = |name| value.get(name).and_then(Value::as_bool).unwrap_or(false);
        let posted = Self {
            fields,
            token: token.to_owned(),
            signature: parse_hex_vec(string("signature")?)?,
            owner: value.get("owner")?.as_str()?.to_owned(),
            expiration: order.get("expiration").map_or(Some(0), |v| number(Some(v)))?,
            order_type: OrderType::parse(value.get("orderType")?.as_str()?)?,
            post_only: flag("postOnly"),
        };
        let impossible = posted.fields.maker_amount == 0
            || posted.fields.taker_amount == 0
            || posted.fields.maker_amount > surefoot_hot::units::QTY_MAX.micros()
            || posted.fields.taker_amount > surefoot_hot::units::QTY_MAX.micros()
            || (posted.post_only && !posted.order_type.rests());
        if impossible { None } else { Some(posted) }
    }
}

impl PolymarketVenue {
    /// Everything about an order that does not depend on the book or on balances.
    pub(super) fn check(
        &self,
        posted: &Posted,
        credential: usize,
        now: Nanos,
    ) -> Result<Order, Refusal> {
        let Some(&(market, outcome)) = self.by_token.get(&posted.token) else {
            let text = "No orderbook exists for the requested token id".into();
            return Err(Refusal { status: 404, text });
        };
        let terms = &self.markets[market];
        let id = self.check_signer(posted, terms, credential)?;
        if !terms.is_open() {
            return refuse("the market is not yet ready to process new orders");
        }
        if self.by_order.contains_key(&id) {
            return refuse(format!("order {} is invalid. Duplicated.", text::hex(&id)));
        }
        match posted.order_type {
            OrderType::Gtd => {
                let ends = Nanos::from_secs(posted.expiration);
                // Milliseconds by mistake are a year far beyond any market.
                if ends < now.after(GTD_AHEAD_MIN) || posted.expiration > EXPIRATION_MAX {
                    return refuse("invalid expiration");
                }
            }
            _ if posted.expiration != 0 => return refuse("invalid expiration"),
            _ => {}
        }
        let (price, original, collateral) = check_amounts(posted, terms, &id)?;
        if posted.order_type.rests() && original < Qty::from_contracts(terms.spec.min_size.into()) {
            let (id, min) = (text::hex(&id), terms.spec.min_size);
            let size = text::qty(original);
            return refuse(format!(
                "order {id} is invalid. Size ({size}) lower than the minimum: {min}"
            ));
        }
        Ok(Order {
            id,
            account: self.credentials[credential].account,
            credential,
            market,
            outcome,
            action: posted.fields.side,
            price,
            original,
            collateral,
            matched: Qty::ZERO,
            order_type: posted.order_type,
            expiration: posted.expiration,
            post_only: posted.post_only,
            created: now,
            status: Status::Live,
            trades: Vec::new(),
        })
    }

    /// Owner, wallet and signature. Gives the order's id.
    fn check_signer(
        &self,
        posted: &Posted,
        terms: &Market,
        credential: usize,
    ) -> Result<Word, Refusal> {
        let credential = &self.credentials[credential];
        let account = &self.accounts[credential.account];
        if posted.owner != credential.api_key {
            return refuse("the order owner has to be the owner of the API KEY");
        }
        let fields = &posted.fields;
        let signer =
            if fields.kind == SignatureType::Deposit { account.funder } else { account.address };
        let known = account.kind == Some(fields.kind) && account.private_key.is_some();
        if !known || fields.maker != account.funder {
            return refuse("maker address not allowed, please use the deposit wallet flow");
        }
        if fields.signer != signer {
            return refuse("the order signer address has to be the address of the API KEY");
        }
        let by = |exchange| fields.recover(exchange, self.chain, &posted.signature);
        let exchange = terms.exchange();
        if by(exchange) == Ok(account.address) {
            return Ok(fields.digest(exchange, self.chain));
        }
        let other_version = Exchange::ALL
            .into_iter()
            .any(|other| other.version() != exchange.version() && by(other) == Ok(account.address));
        refuse(if other_version { "order_version_mismatch" } else { "invalid signature" })
    }
}

/// How far ahead a GTD order must end (`venues/polymarket.md` §3.8).
const GTD_AHEAD_MIN: Nanos = Nanos::from_secs(180);
/// The last second an order may end at, in the year 2286.
const EXPIRATION_MAX: u64 = 9_999_999_999;
/// What any marketable order must be worth.
pub const MARKETABLE_MIN: Usd = Usd::from_dollars(1);

/// Amounts to price, shares and collateral: precision first, then the tick.
fn check_amounts(posted: &Posted, terms: &Market, id: &Word) -> Result<(Price, Qty, Usd), Refusal> {
    let (buy, fields) = (posted.fields.side == Action::Buy, &posted.fields);
    let (collateral, shares) = if buy {
        (fields.maker_amount, fields.taker_amount)
    } else {
        (fields.taker_amount, fields.maker_amount)
    };
    let whole = |units: u64, decimals: u32| units.is_multiple_of(10_u64.pow(6 - decimals));
    let amount_decimals = match terms.spec.tick {
        1_000 => 3,
        100 => 4,
        50 | 10 => 5,
        _ => 6,
    };
    let side = if buy { "buy" } else { "sell" };
    if posted.order_type.rests() {
        if !whole(shares, 2) || !whole(collateral, amount_decimals) {
            let (maker, taker) = if buy { (amount_decimals, 2) } else { (2, amount_decimals) };
            return refuse(format!(
                "invalid amounts, the {side} orders maker amount supports a max accuracy of {maker} decimals, taker amount a max of {taker} decimals"
            ));
        }
    } else if !whole(fields.maker_amount, 2) || !whole(fields.taker_amount, 4) {
        return refuse(format!(
            "invalid amounts, the market {side} orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals"
        ));
    }
    let exact = u128::from(collateral) * 10_000; // ticks × shares
    let (ticks, rest) = (exact / u128::from(shares), exact % u128::from(shares));
    // The limit never reaches past what the amounts say: down for a buy, up for a sell.
    let ticks = if buy || rest == 0 { ticks } else { ticks + 1 };
    let tick = u128::from(terms.spec.tick);
    let down = ticks / tick * tick;
    let on_grid = if buy || down == ticks { down } else { down + tick };
    // Immediate orders carry an amount rounded to four decimals, so their quotient is only near a tick: above or
    // below it. Their limit stays what the amounts say, so a buy whose shares were rounded up misses its own tick.
    let slack = if posted.order_type.rests() { 0 } else { on_grid.max(10_000) * 100 };
    let nearest = (ticks + tick / 2) / tick * tick;
    let off = |grid: u128| exact.abs_diff(grid * u128::from(shares)) > slack;
    let far = off(on_grid) && (posted.order_type.rests() || off(nearest));
    let price = u16::try_from(on_grid).ok().and_then(Price::from_ticks);
    match price.filter(|price| !far && terms.grid().allows(*price)) {
        Some(price) => {
            let collateral = i64::try_from(collateral).expect("QTY_MAX");
            Ok((price, Qty::from_micros(shares), Usd::from_micros(collateral)))
        }
        None => {
            let said = Price::from_ticks(u16::try_from(ticks).unwrap_or(10_000).min(10_000));
            let said = text::price(said.expect("at most a dollar"));
            let (id, tick) = (text::hex(id), terms.tick_text());
            refuse(format!(
                "order {id} is invalid. Price ({said}) breaks minimum tick size rule: {tick}"
            ))
        }
    }
}
