//! Polymarket's twin: the CLOB, Gamma, the data API and both streams (`venues/polymarket.md`, 2026-11-20).
//!
//! The venue is a value: requests, frames, house flow and time go in, answers and frames come out. Signatures are
//! recovered, not believed; ids and hashes are computed as the venue computes them. Ids that the real venue draws
//! at random come from the seed here.

pub mod account;
mod answers;
pub mod calls;
pub mod data;
pub mod exchange;
mod house;
mod ip_limits;
mod json_row;
mod lag;
pub mod market;
mod mend;
pub mod meta;
pub mod order;
mod rest;
mod settlement;
mod statement;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod text;
pub mod trade;
mod trading;
mod versions;
mod wallet;
mod words;

use std::collections::{BTreeMap, HashMap, VecDeque};

use surefoot_cold::venue::polymarket::eip712::{Address, Chain, SignatureType, Word};
use surefoot_hot::ids::{Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use self::account::{Account, Credential, Ids, Tier};

use self::ip_limits::IpLimits;
use self::json_row::JsonRow;
use self::market::Market;
use self::order::{Order, OrderType, Status};
use self::stream::Listener;
use self::trade::Trade;
use super::http::{Request, Response};
use super::market_set::PolymarketMarket;
use super::rng::Rng;
use super::world::ChainRules;
use super::{ConnId, Host, VenueServer};

pub use self::words::lines;

/// The account of everybody else.
pub const HOUSE_ACCOUNT: usize = 0;
/// House orders are numbered from here, so that they never meet an order of ours.
const HOUSE_IDS_FROM: u64 = 1 << 40;
/// How long without a beat until the dead-man switch fires, and how often it looks (§1.6).
const BEAT_SPAN: Nanos = Nanos::from_secs(10);
/// How often the dead-man switch looks for credentials that have fallen silent (§1.6).
const SWEEP_SPAN: Nanos = Nanos::from_secs(5);

/// How a twin is set up.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Which chain's domains orders are signed for.
    pub chain: Chain,
    /// Cash of each account.
    pub cash: Usd,
    /// Rate-limit tier of each account.
    pub tier: Tier,
    /// How long after its match a trade is mined.
    pub mined_after: Nanos,
    /// How long after its match a trade is final.
    pub confirmed_after: Nanos,
    /// What becomes of trades instead of that, where a world says so.
    pub chain_rules: Option<ChainRules>,
    /// Of a hundred requests that the venue allows an address so many are allowed; no limit where it is zero.
    pub ip_percent: u64,
    /// How old the timestamp of a request's headers may be: about a minute by a user's report (py-clob-client #190).
    pub header_age_max: Nanos,
    /// How far ahead it may be: by the same report not at all. One second, because it is whole seconds of a clock
    /// that need not agree with ours to the millisecond.
    pub header_ahead_max: Nanos,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            chain: Chain::Polygon,
            cash: Usd::from_dollars(10_000),
            tier: Tier::Standard,
            mined_after: Nanos::from_millis(300),
            confirmed_after: Nanos::from_millis(1_500),
            chain_rules: None,
            ip_percent: 0,
            header_age_max: Nanos::from_secs(60),
            header_ahead_max: Nanos::from_secs(1),
        }
    }
}

/// What the venue lets through (§1.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Orders and cancels are taken.
    #[default]
    Normal,
    /// The engine restarts: orders and cancels are answered 425.
    Restarting,
    /// Post-only orders and cancels.
    PostOnly,
    /// Cancels alone are taken.
    CancelOnly,
    /// Trading is disabled: orders and cancels are answered 503.
    Disabled,
}

/// Liquidity of the house that an order of ours took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Index of the market.
    pub market: usize,
    /// The side that lost it.
    pub side: Side,
    /// In YES terms.
    pub price: Price,
    /// Shares that were taken.
    pub qty: Qty,
}

/// A UUID out of some bytes: the same bytes, the same id.
pub(super) fn uuid_of(bytes: &[u8]) -> String {
    text::uuid(&surefoot_cold::venue::polymarket::eip712::keccak(&[bytes]))
}

/// What a client needs to know of a demo account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoAccount {
    /// 0 to 3.
    pub signature_type: u8,
    /// `0x` and 64 hex digits.
    pub private_key: String,
    /// The key's own address.
    pub address: String,
    /// Whose funds trade.
    pub funder: String,
    pub api_key: String,
    pub secret: String,
    /// API pass phrase.
    pub passphrase: String,
}

/// Polymarket as a value: requests, frames, flow and time go in, answers and frames come out.
///
/// What it cannot show: its fills have the limits of [`matching::Book`](crate::twin::matching::Book) (queue position,
/// hidden orders, latency, impact). Unless [`Config::chain_rules`] say otherwise, the chain always mines, after
/// [`Config::mined_after`], and no trade is retried or fails. Limits per IP address are enforced where
/// [`Config::ip_percent`] says so. `docs/twin.md` lists the calls that are left out.
#[derive(Debug)]
pub struct PolymarketVenue {
    chain: Chain,
    tier: Tier,
    mode: Mode,
    /// When the mode ends, where that is known.
    mode_ends: Option<Nanos>,
    /// When a trade was last taken back.
    failed_at: Nanos,
    mined_after: Nanos,
    confirmed_after: Nanos,
    chain_rules: Option<ChainRules>,
    /// What becomes of trades, and which markets hold orders, is drawn from it.
    chain_rng: Rng,
    header_age_max: Nanos,
    header_ahead_max: Nanos,
    ids: Ids,
    accounts: Vec<Account>,
    credentials: Vec<Credential>,
    markets: Vec<Market>,
    by_token: HashMap<String, (usize, Outcome)>,
    by_condition: HashMap<String, usize>,
    /// The markets of each event, by Gamma's event id.
    event_markets: HashMap<String, Vec<usize>>,
    orders: Vec<Order>,
    by_order: HashMap<Word, usize>,
    trades: Vec<Trade>,
    /// Trades that are not final, by index.
    settling: VecDeque<usize>,
    /// Orders held by a taker delay, and until when.
    held: Vec<(Nanos, usize)>,
    listeners: BTreeMap<ConnId, Listener>,
    out: VecDeque<(ConnId, String)>,
    taken: VecDeque<Taken>,
    house_ids: u64,
    /// Fees taken, at the venue.
    fees: Usd,
    /// All money there is, in microdollars: what trading never changes.
    founded: i128,
    /// When the dead-man switches are looked at next.
    sweep_at: Nanos,
    /// Orders refused because the very same order came before.
    repeated: u64,
    ip_limits: IpLimits,
}

impl PolymarketVenue {
    /// A venue with no markets and one funded account for each signature type.
    pub fn new(seed: u64, config: &Config) -> Self {
        let ids = Ids::new(seed);
        let house = Address::new([0xee; 20]);
        let mut venue = Self {
            chain: config.chain,
            tier: config.tier,
            mode: Mode::Normal,
            mode_ends: None,
            failed_at: Nanos::ZERO,
            mined_after: config.mined_after,
            confirmed_after: config.confirmed_after.max(config.mined_after),
            chain_rules: config.chain_rules,
            chain_rng: Rng::new(seed).fork(0x6368_6169_6e00),
            header_age_max: config.header_age_max,
            header_ahead_max: config.header_ahead_max,
            ids,
            accounts: Vec::new(),
            credentials: Vec::new(),
            markets: Vec::new(),
            by_token: HashMap::new(),
            by_condition: HashMap::new(),
            event_markets: HashMap::new(),
            orders: Vec::new(),
            by_order: HashMap::new(),
            trades: Vec::new(),
            settling: VecDeque::new(),
            held: Vec::new(),
            listeners: BTreeMap::new(),
            out: VecDeque::new(),
            taken: VecDeque::new(),
            house_ids: HOUSE_IDS_FROM,
            fees: Usd::ZERO,
            founded: 0,
            sweep_at: Nanos::NEVER,
            repeated: 0,
            ip_limits: IpLimits::new(config.ip_percent),
        };
        venue.push_account(None, None, house, house, Usd::ZERO);
        for number in 0..4 {
            let kind = SignatureType::from_number(number).expect("four kinds");
            let (key, text) = account::key(&venue.ids, number.into());
            let address = Address::of(&key);
            let funder = wallet::wallet(&address, kind);
            venue.push_account(Some(kind), Some(text), address, funder, config.cash);
            let index = venue.accounts.len() - 1;
            let credential = Credential::derive(&venue.ids, index, &address, 0);
            venue.credentials.push(credential);
        }
        venue.founded = venue.total_micros();
        venue
    }

    fn push_account(
        &mut self,
        kind: Option<SignatureType>,
        private_key: Option<String>,
        address: Address,
        funder: Address,
        cash: Usd,
    ) {
        let [orders, cancels] = self.tier.buckets();
        let (shares, paid, live) = Default::default();
        self.accounts.push(Account {
            kind,
            private_key,
            address,
            funder,
            cash,
            shares,
            paid,
            live,
            orders,
            cancels,
        });
    }

    /// An address that made itself a key: it may look, and is told to use a deposit wallet when it trades.
    fn add_stranger(&mut self, address: Address) {
        self.push_account(Some(SignatureType::Eoa), None, address, address, Usd::ZERO);
    }

    /// The funded accounts, by signature type.
    pub fn demo_accounts(&self) -> Vec<DemoAccount> {
        let funded = self.accounts.iter().enumerate().filter(|(_, a)| a.private_key.is_some());
        funded
            .map(|(index, account)| {
                let credential = self.credentials.iter().find(|c| c.account == index);
                let credential = credential.expect("made with the account");
                DemoAccount {
                    signature_type: account.kind.map_or(0, |kind| kind as u8),
                    private_key: account.private_key.clone().unwrap_or_default(),
                    address: account.address.text(),
                    funder: account.funder.text(),
                    api_key: credential.api_key.clone(),
                    secret: credential.secret.clone(),
                    passphrase: credential.passphrase.clone(),
                }
            })
            .collect()
    }

    /// Opens a market, and says so to those who asked for new ones. Gives its index.
    pub fn add_market(&mut self, spec: PolymarketMarket, now: Nanos) -> usize {
        let index = self.markets.len();
        self.by_token.insert(spec.yes_token.clone(), (index, Outcome::Yes));
        self.by_token.insert(spec.no_token.clone(), (index, Outcome::No));
        self.by_condition.insert(spec.condition_id.clone(), index);
        self.event_markets.entry(spec.event_id.clone()).or_default().push(index);
        let mut market = Market::new(spec, index, now);
        if let Some(rules) = self.chain_rules
            && self.chain_rng.chance(rules.holds_percent, 100)
        {
            market.delay_secs = rules.hold_secs;
        }
        self.markets.push(market);
        self.show_new_market(index, now);
        index
    }

    /// The last trade's price of a market that begins with a history.
    pub fn set_last(&mut self, market: usize, price: Price) {
        self.markets[market].last = Some(price);
    }

    /// How long a market holds marketable orders (sports); zero for none.
    pub fn set_delay_secs(&mut self, market: usize, secs: u32) {
        self.markets[market].delay_secs = secs;
    }

    /// What becomes of trades that are matched from now on.
    pub const fn set_chain_rules(&mut self, rules: Option<ChainRules>) {
        self.chain_rules = rules;
    }

    /// What becomes of trades that are matched now.
    pub const fn chain_rules(&self) -> Option<ChainRules> {
        self.chain_rules
    }

    /// What the venue lets through from now on.
    pub fn set_mode(&mut self, mode: Mode) {
        (self.mode, self.mode_ends) = (mode, None);
    }

    /// The same for as long as that lasts: whoever is refused for it hears for how long.
    pub fn set_mode_until(&mut self, mode: Mode, until: Nanos) {
        (self.mode, self.mode_ends) = (mode, Some(until));
    }

    /// All markets, in the order in which they were opened.
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// The chain its signatures are for.
    pub const fn chain(&self) -> Chain {
        self.chain
    }

    /// The best level of a side, whoever's it is.
    pub fn best(&self, market: usize, side: Side) -> Option<(Price, Qty)> {
        self.markets[market].book.best(side)
    }

    /// The next piece of house liquidity that an order of ours took, oldest first.
    pub fn poll_taken(&mut self) -> Option<Taken> {
        self.taken.pop_front()
    }

    /// Sends both whole books of a market to whoever listens, as after a reconnect of the venue's own feed.
    pub fn send_books(&mut self, market: usize, now: Nanos) {
        self.show_books(market, now);
    }

    fn next_house_id(&mut self) -> u64 {
        self.house_ids += 1;
        self.house_ids
    }

    /// A dead-man switch was armed or fed.
    fn arm(&mut self, now: Nanos) {
        if self.sweep_at == Nanos::NEVER {
            self.sweep_at = now.after(SWEEP_SPAN);
        }
    }

    /// Cancels what belongs to credentials that have fallen silent.
    fn sweep(&mut self, now: Nanos) {
        for credential in 0..self.credentials.len() {
            let silent = |at: Nanos| now.since(at) > BEAT_SPAN;
            if !self.credentials[credential].beat.as_ref().is_some_and(|(_, at)| silent(*at)) {
                continue;
            }
            self.credentials[credential].beat = None;
            let account = self.credentials[credential].account;
            let mut live = self.accounts[account].live.clone();
            live.retain(|&order| self.orders[order].credential == credential);
            for order in live {
                self.cancel(order, Status::Canceled(""), now);
            }
        }
        let armed = self.credentials.iter().any(|c| c.beat.is_some());
        self.sweep_at = if armed { now.after(SWEEP_SPAN) } else { Nanos::NEVER };
    }

    fn expire(&mut self, now: Nanos) {
        let gone: Vec<usize> = self
            .accounts
            .iter()
            .flat_map(|a| a.live.iter().copied())
            .filter(|&order| self.orders[order].expires() <= now)
            .collect();
        for order in gone {
            self.cancel(order, Status::Canceled(""), now);
        }
    }

    /// Lets orders whose taker delay is over meet the book.
    fn release(&mut self, now: Nanos) {
        let due: Vec<usize> =
            self.held.iter().filter(|(at, _)| *at <= now).map(|(_, order)| *order).collect();
        self.held.retain(|(at, _)| *at > now);
        for order in due {
            let kill = self.orders[order].order_type == OrderType::Fok && !self.fills_whole(order);
            // Money and shares may have gone while it was held: it is looked at again, as at the venue (§4.6).
            let broke = !self.is_funded(order);
            if kill || broke {
                let why =
                    if broke { Status::Invalid } else { Status::Canceled(exchange::FOK_KILLED) };
                self.orders[order].status = Status::Live;
                self.cancel(order, why, now);
            } else {
                self.execute(order, now);
            }
        }
    }
}

impl VenueServer for PolymarketVenue {
    fn http(&mut self, host: Host, req: &Request, now: Nanos) -> Response {
        self.tick(now);
        if let Some(refused) = self.ip_limits.refuse(host, req, now) {
            return refused;
        }
        match host {
            Host::PolymarketClob => self.clob(req, now),
            Host::Gamma => self.gamma(req),
            Host::Data => self.data(req),
            _ => answers::error(404, "not found"),
        }
    }

    fn ws_open(
        &mut self,
        conn: ConnId,
        host: Host,
        req: &Request,
        _now: Nanos,
    ) -> Result<(), Response> {
        let listener = match (host, req.path.trim_end_matches('/')) {
            (Host::PolymarketWs, "/ws/market") => {
                Listener::Market { assets: Default::default(), custom: false }
            }
            (Host::PolymarketWs, "/ws/user") => Listener::User { credential: None, markets: None },
            _ => return Err(answers::error(404, "not found")),
        };
        self.listeners.insert(conn, listener);
        Ok(())
    }

    fn ws_text(&mut self, conn: ConnId, text: &str, now: Nanos) {
        self.on_text(conn, text, now);
    }

    fn ws_close(&mut self, conn: ConnId) {
        self.listeners.remove(&conn);
    }

    fn poll_out(&mut self) -> Option<(ConnId, String)> {
        self.out.pop_front()
    }

    fn mend(&mut self, now: Nanos) {
        self.mend_all(now);
    }

    fn tick(&mut self, now: Nanos) {
        if self.deadline() > now {
            return;
        }
        self.progress(now);
        self.release(now);
        self.expire(now);
        if self.sweep_at <= now {
            self.sweep(now);
        }
    }

    fn deadline(&self) -> Nanos {
        let chain = self.settling.iter().map(|&trade| self.next_status(trade).1);
        let held = self.held.iter().map(|(at, _)| *at);
        let live = self.accounts.iter().flat_map(|a| &a.live);
        let ends = live.map(|&order| self.orders[order].expires());
        chain.chain(held).chain(ends).fold(self.sweep_at, Nanos::min)
    }
}
