//! Kalshi's twin: accounts, orders, streams and settlement of its V2 API (`venues/kalshi.md`, 2026-11-20).
//!
//! The venue is a value: requests, frames, house flow and time go in, answers and frames come out. Everything
//! is in YES terms inside and takes the venue's shape only where it is written.

pub mod account;
mod answers;
pub mod auth;
pub mod calls;
mod fee_changes;
mod fees;
mod groups;
mod house;
mod life;
pub mod limits;
pub mod lists;
mod mend;
mod order;
mod order_changes;
mod order_entry;
mod order_matching;
mod parse;
mod rest;
mod statement;
pub mod text;
mod versions;
mod views;
mod words;
mod ws;
mod ws_commands;
mod ws_frames;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use surefoot_hot::fees::FeeRule;
use surefoot_hot::grid::Grid;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use self::account::Account;
use self::auth::{Key, KeyError, KeyType};
use self::limits::{Bucket, Tier};
use super::drawn::Drawn;
use super::http::{Request, Response};
use super::market_set::{KalshiEvent, KalshiMarket, KalshiSeries, MarketSet};
use super::matching::Book;
use super::rng::Rng;
use super::{ConnId, Host, VenueServer};

pub use self::house::Taken;
pub use self::words::lines;

/// Every path starts with it.
pub const BASE: &str = "/trade-api/v2";
/// The WebSocket's path.
pub const WS_PATH: &str = "/trade-api/ws/v2";
/// How long after its result is known a market pays unless the world says otherwise. The venue takes a minute or more; a first look
/// has no time.
pub const SETTLEMENT_DELAY: Nanos = Nanos::from_millis(SETTLEMENT_MS);
const SETTLEMENT_MS: u64 = 500;
/// Public trades kept for `GET /markets/trades`.
const TRADES_KEPT_MAX: usize = 10_000;
/// House orders are numbered from here, so that they never meet an order of ours.
const HOUSE_IDS_FROM: u64 = 1 << 40;

/// How a twin is set up.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Cash of each account, spread evenly over the shards that have markets.
    pub cash: Usd,
    /// Rate limits of each account.
    pub tier: Tier,
    /// How long after its result is known a market pays, in milliseconds.
    pub pays_ms: Drawn,
    /// Requests without a signature that are answered in a second; no limit where it is zero.
    pub public_per_s: u64,
    /// The most WebSocket connections of one account at one time. More are refused with 429.
    pub ws_connections_max: usize,
    /// The most markets of one subscription. The venue's number is not published; error 26 refuses more.
    pub ws_markets_max: usize,
    /// The most commands of one connection in a second. Error 27 refuses more.
    pub ws_commands_per_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        // `venues/kalshi.md` §4.1: 200 connections (2025-09), 10,000 tickers on one subscription were seen to work,
        // 10,000 commands a second (2026-06).
        Self {
            cash: Usd::from_dollars(10_000),
            tier: Tier::Expert,
            pays_ms: Drawn::Always(SETTLEMENT_MS),
            public_per_s: 0,
            ws_connections_max: 200,
            ws_markets_max: 10_000,
            ws_commands_per_s: 10_000,
        }
    }
}

/// Kalshi as a value: requests, frames, flow and time go in, answers and frames come out.
///
/// What it cannot show: its fills have the limits of [`Book`] (queue position, hidden orders, latency, impact). Trading
/// never pauses by itself, and there are no maintenance windows: what moves the venue does that. `docs/twin.md` lists the calls that are left out.
#[derive(Debug)]
pub struct KalshiVenue {
    series: Vec<KalshiSeries>,
    events: Vec<KalshiEvent>,
    markets: Vec<Market>,
    by_ticker: HashMap<String, usize>,
    /// The markets of each event.
    event_markets: Vec<Vec<usize>>,
    /// When each market closes or pays next, for those that still do.
    due: BTreeSet<(Nanos, usize)>,
    /// The house, then one account for each key.
    accounts: Vec<Account>,
    keys: Vec<Key>,
    orders: Vec<order::Order>,
    by_order_id: HashMap<String, usize>,
    groups: Vec<groups::Group>,
    trades: VecDeque<TradeRow>,
    conns: BTreeMap<ConnId, ws::Conn>,
    out: VecDeque<(ConnId, String)>,
    taken: VecDeque<Taken>,
    ids: Rng,
    house_ids: u64,
    /// Markets whose ticker may have to be sent again.
    touched: Vec<usize>,
    config: Config,
    exchange: Exchange,
    /// When it is active again, where that is known.
    resumes: Option<Nanos>,
    /// Fees that change, in the order in which that was announced.
    fee_changes: Vec<fee_changes::FeeChange>,
    /// What may be asked without a signature.
    public: Bucket,
    /// When markets pay is drawn from it.
    pay_rng: Rng,
    /// All money there was at first: it changes by fees alone.
    founded: Usd,
    /// Groups whose orders have filled since their limits were looked at.
    filled_groups: Vec<usize>,
    /// Orders refused because their name was used before.
    repeated: u64,
}

/// What the exchange takes (`venues/kalshi.md` §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Orders, changes and cancels, as on any day.
    Active,
    /// Cancels, while orders and changes are refused.
    TradingPaused,
    /// Nothing, not even cancels.
    Paused,
}

/// One market as it stands.
#[derive(Debug)]
struct Market {
    spec: KalshiMarket,
    /// The market's id, a UUID.
    id: String,
    grid: Grid,
    fee: FeeRule,
    shard: u8,
    book: Book,
    status: Status,
    opened: Nanos,
    last: Option<(Price, Qty)>,
    volume: Qty,
    dollar_volume: Usd,
    yes_pays: Option<Price>,
    settled_at: Option<Nanos>,
    pays_at: Nanos,
    ticker_shown: Option<String>,
}

/// The venue's own words for where a market stands (`venues/kalshi.md` §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Active,
    Inactive,
    Closed,
    Determined,
    Finalized,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Closed => "closed",
            Self::Determined => "determined",
            Self::Finalized => "finalized",
        }
    }

    /// The listing filter's word, which is another one.
    const fn filter(self) -> &'static str {
        match self {
            Self::Active => "open",
            Self::Inactive => "paused",
            Self::Closed | Self::Determined => "closed",
            Self::Finalized => "settled",
        }
    }
}

impl Market {
    /// When it closes or pays next; `None` if nothing of it depends on time any more.
    const fn next_due(&self) -> Option<Nanos> {
        match self.status {
            Status::Active | Status::Inactive => Some(self.spec.close),
            Status::Determined => Some(self.pays_at),
            Status::Closed | Status::Finalized => None,
        }
    }
}

/// One line of the tape.
#[derive(Clone, Debug)]
struct TradeRow {
    id: String,
    market: usize,
    taker: surefoot_hot::ids::Side,
    price: Price,
    qty: Qty,
    at: Nanos,
}

/// What a key's holder needs to know.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Goes into `KALSHI-ACCESS-KEY`.
    pub key_id: String,
    /// How it signs.
    pub key_type: KeyType,
    /// PKCS#8 in PEM.
    pub pem: surefoot_cold::secrets::Secret,
}

impl KalshiVenue {
    /// A venue with these markets, with one account that holds an RSA key and one that holds an Ed25519 key.
    ///
    /// # Errors
    /// No randomness for the keys.
    pub fn new(
        market_set: &MarketSet,
        seed: u64,
        config: Config,
        now: Nanos,
    ) -> Result<Self, KeyError> {
        let keys = [Key::generate(KeyType::Rsa)?, Key::generate(KeyType::Ed25519)?];
        Ok(Self::with_keys(market_set, seed, config, keys, now))
    }

    /// A venue with these markets, with one account for each of the keys.
    pub fn with_keys(
        market_set: &MarketSet,
        seed: u64,
        config: Config,
        keys: [Key; 2],
        now: Nanos,
    ) -> Self {
        // Ids differ from run to run, so that a store that outlives a twin never meets one of them again.
        let mut ids = Rng::new(seed ^ now.get()).fork(0x6b61_6c73_6869);
        let mut accounts = vec![Account::new(uuid(&mut ids), BTreeMap::new(), config.tier, now)];
        for _ in &keys {
            let cash = spread(config.cash, &market_set.shards());
            accounts.push(Account::new(uuid(&mut ids), cash, config.tier, now));
        }
        let mut twin = Self {
            series: market_set.series.clone(),
            events: market_set.events.clone(),
            markets: Vec::new(),
            by_ticker: HashMap::new(),
            event_markets: vec![Vec::new(); market_set.events.len()],
            due: BTreeSet::new(),
            accounts,
            keys: keys.into(),
            orders: Vec::new(),
            by_order_id: HashMap::new(),
            groups: Vec::new(),
            trades: VecDeque::new(),
            conns: BTreeMap::new(),
            out: VecDeque::new(),
            taken: VecDeque::new(),
            ids,
            house_ids: HOUSE_IDS_FROM,
            touched: Vec::new(),
            config,
            exchange: Exchange::Active,
            resumes: None,
            fee_changes: Vec::new(),
            public: Bucket::new((config.public_per_s, 1), now),
            pay_rng: Rng::new(seed).fork(0x7061_7973),
            founded: Usd::ZERO,
            filled_groups: Vec::new(),
            repeated: 0,
        };
        twin.founded = twin.money();
        for (index, spec) in market_set.kalshi.iter().enumerate() {
            let series = market_set.series_of(index);
            twin.by_ticker.insert(spec.ticker.clone(), index);
            twin.event_markets[spec.event].push(index);
            twin.due.insert((spec.close, index));
            twin.markets.push(Market {
                id: uuid(&mut twin.ids),
                grid: spec.ladder.grid(),
                fee: series.fee(),
                shard: series.exchange_index,
                spec: spec.clone(),
                book: Book::new(),
                status: Status::Active,
                opened: now,
                last: None,
                volume: Qty::ZERO,
                dollar_volume: Usd::ZERO,
                yes_pays: None,
                settled_at: None,
                pays_at: Nanos::NEVER,
                ticker_shown: None,
            });
        }
        twin
    }

    /// Every key, RSA first.
    pub fn credentials(&self) -> Vec<Credential> {
        let of = |key: &Key| Credential {
            key_id: key.id.clone(),
            key_type: key.key_type,
            pem: key.pem.clone(),
        };
        self.keys.iter().map(of).collect()
    }

    /// Stops and starts trading: while stopped, creates and amends get 409 and cancels still work.
    pub fn set_trading_active(&mut self, active: bool) {
        let exchange = if active { Exchange::Active } else { Exchange::TradingPaused };
        self.set_exchange(exchange, None);
    }

    /// What the exchange takes from now on, and when it expects to be active again, where it says so.
    pub fn set_exchange(&mut self, exchange: Exchange, resumes: Option<Nanos>) {
        self.exchange = exchange;
        self.resumes = resumes.filter(|_| exchange != Exchange::Active);
    }

    /// All money there is: cash of every account, the house's too, and what open pairs still owe. It changes
    /// by fees alone, which is what a test of the whole checks.
    pub fn money(&self) -> Usd {
        let mut sum = Usd::ZERO;
        for account in &self.accounts {
            for cash in account.cash.values() {
                sum += *cash;
            }
            for position in account.positions.values().filter(|p| !p.settled && p.qty < 0) {
                // Somebody who holds 3 NO forms 3 pairs with whoever holds 3 YES; for each pair a dollar has left the
                // two cash accounts, and it is counted here.
                sum += Price::ONE.proceeds_floor(Qty::from_micros(position.qty.unsigned_abs()));
            }
        }
        sum
    }

    /// Fees that customers have paid, rebates taken off.
    pub fn fees_taken(&self) -> Usd {
        let positions = self.accounts.iter().flat_map(|a| a.positions.values());
        positions.fold(Usd::ZERO, |sum, p| sum + p.fees)
    }

    fn uuid(&mut self) -> String {
        uuid(&mut self.ids)
    }
}

impl VenueServer for KalshiVenue {
    fn http(&mut self, _host: Host, req: &Request, now: Nanos) -> Response {
        self.tick(now);
        let answer = self.route(req, now);
        self.show_tickers(now);
        answer
    }

    fn ws_open(
        &mut self,
        conn: ConnId,
        _host: Host,
        req: &Request,
        now: Nanos,
    ) -> Result<(), Response> {
        if req.path != WS_PATH {
            return Err(Response::text(404, "404 page not found"));
        }
        let key = auth::check(self.keys.iter(), req, now)?;
        let account = account_of_key(key);
        let open = self.conns.values().filter(|conn| conn.account == account).count();
        if open >= self.config.ws_connections_max {
            return Err(rest::too_many());
        }
        let commands = Bucket::new((self.config.ws_commands_per_s, 1), now);
        self.conns.insert(conn, ws::Conn::new(account, commands));
        Ok(())
    }

    fn ws_text(&mut self, conn: ConnId, text: &str, now: Nanos) {
        self.command(conn, text, now);
    }

    fn ws_close(&mut self, conn: ConnId) {
        self.conns.remove(&conn);
    }

    fn poll_out(&mut self) -> Option<(ConnId, String)> {
        self.out.pop_front()
    }

    fn mend(&mut self, now: Nanos) {
        self.mend_all(now);
    }

    fn tick(&mut self, now: Nanos) {
        self.change_fees(now);
        self.expire(now);
        self.close_and_pay(now);
        self.show_tickers(now);
    }

    fn deadline(&self) -> Nanos {
        self.next_expiry().min(self.next_close()).min(self.next_fee_change())
    }
}

/// Accounts follow the house in the order of the keys.
fn account_of_key(key: usize) -> u32 {
    u32::try_from(key + 1).expect("two keys")
}

/// Equal parts in whole cents, the first shard taking what is left over.
fn spread(cash: Usd, shards: &[u8]) -> BTreeMap<u8, Usd> {
    let shards = if shards.is_empty() { &[0] } else { shards };
    let parts = i64::try_from(shards.len()).expect("a handful");
    let part = Usd::from_cents(cash.scale_floor(1, parts).micros() / 10_000);
    let mut by_shard: BTreeMap<u8, Usd> = shards.iter().map(|&shard| (shard, part)).collect();
    let placed = (0..parts).fold(Usd::ZERO, |sum, _| sum + part);
    *by_shard.get_mut(&shards[0]).expect("inserted above") += cash - placed;
    by_shard
}

/// A version 4 UUID.
fn uuid(rng: &mut Rng) -> String {
    let high = (rng.word() & 0xffff_ffff_ffff_0fff) | 0x4000;
    let low = (rng.word() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
