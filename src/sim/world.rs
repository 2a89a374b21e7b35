//! Both venues in this process: the twin's venues and their market flow as values, without a socket.

use surefoot_cold::relation::{Certificate, Payoff};
use surefoot_cold::venue::polymarket::reconcile::VOID_WITHIN_S;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::{Nanos, Price, Usd};

use crate::catalogue::ExtraMarkets;
use crate::relations::{Pair, Relations, Set};
use crate::twin::demo::Demo;
use crate::twin::flow::Flow;
use crate::twin::http::{Decoded, Decoder, Request, Response};
use crate::twin::kalshi::auth::{Key, KeyType};
use crate::twin::kalshi::{self, KalshiVenue};
use crate::twin::market_set::MarketSet;
use crate::twin::polymarket::{self, Mode, PolymarketVenue};
use crate::twin::rng::Rng;
use crate::twin::server::Backend as _;
use crate::twin::world::{ChainRules, Drawn, FlowRules, World};
use crate::twin::{ConnId, Host, Versions};

use super::Broken;
use super::fault::{Active, FaultKind};
use super::venue::{KalshiAccount, PolymarketAccount, SimAccount};

/// Cash at each venue when a day begins.
const CASH: Usd = Usd::from_dollars(100_000);
/// Book changes per minute over all markets: far fewer than in the demo, so that a day takes seconds. A day has some forty thousand.
const CHANGES_PER_MIN: u32 = 28;
/// The least and the most time from one cross-venue gap to the next, in milliseconds.
const GAP_EVERY_MS: (u64, u64) = (18_000, 108_000);
/// The same for a gap of an exclusive set.
const SET_GAP_EVERY_MS: (u64, u64) = (108_000, 360_000);

/// How far back a reader of Polymarket looks for fills that were taken back.
const VOID_WITHIN: Nanos = Nanos::from_secs(VOID_WITHIN_S);

/// What becomes of trades that settle late: minutes pass, many are tried again, and wallets show them only then.
const SETTLES_LATE: ChainRules = ChainRules {
    mined_ms: Drawn::by(&[(0, 5_000), (50, 60_000), (100, 150_000)]),
    confirmed_ms: Drawn::by(&[(0, 1_000), (100, 20_000)]),
    retries_permille: 500,
    fails_permille: 0,
    holds_percent: 0,
    hold_secs: 0,
    money_lags: true,
};

/// How long an order that takes is held, while orders are held.
const HELD_SECS: u32 = 2;

/// Both venues, and how an account of ours reaches them.
#[derive(Debug)]
pub struct Venues {
    demo: Demo,
    /// All money that there is at Polymarket, in microdollars. Trading never changes it (P2).
    polymarket_total: i128,
    /// All money that there is at Kalshi, fees that were taken included. Trading never changes it (P2).
    kalshi_total: Usd,
    /// Venues that cannot be read now, and how many of a hundred questions find no answer there.
    away: PerVenue<u64>,
    /// Venues whose answers to readers have empty lists.
    emptied: PerVenue<bool>,
    away_rng: Rng,
    /// Venues at which something goes on that may alter what a reader is told.
    is_troubled: PerVenue<bool>,
    /// What becomes of Polymarket's trades while no fault alters it.
    chain: Option<ChainRules>,
    /// Whether a fault makes Polymarket hold orders that take, and have another price step.
    terms: (bool, bool),
    /// How long each market there held such orders before that, and its price step.
    own_terms: Vec<(u32, u16)>,
}

/// Our account at each venue.
pub type Accounts = PerVenue<Box<dyn SimAccount>>;

/// What is to be traded there.
#[derive(Debug)]
pub struct Listing {
    /// Which markets belong together.
    pub relations: Relations,
    /// Every market of the world, related or not.
    pub extra: ExtraMarkets,
}

impl Venues {
    /// The venues of a seed, in a world: its market, its chain, what its venues do, and Kalshi's tier. Questions are answered one after
    /// the other within `span`, so that money comes back as it does over a real day.
    ///
    /// # Errors
    /// A key is not what it should be.
    pub fn new(
        seed: u64,
        start: Nanos,
        span: Nanos,
        world: World,
    ) -> Result<(Self, Accounts, Listing), String> {
        let mut market_set = MarketSet::generated(seed, start);
        spread_results(&mut market_set, seed, start, span);
        let chain_rules = world.chain;
        let ip_percent = world.polymarket_ip_percent;
        let config =
            polymarket::Config { cash: CASH, chain_rules, ip_percent, ..Default::default() };
        let mut polymarket = PolymarketVenue::new(seed, &config);
        for market in &market_set.polymarket {
            polymarket.add_market(market.clone(), start);
        }
        let keys = [key(seed, 1), key(seed, 2)];
        let (pays_ms, tier) = (world.kalshi_pays_ms, world.kalshi_tier);
        let config = kalshi::Config { cash: CASH, pays_ms, tier, ..Default::default() };
        let kalshi = KalshiVenue::with_keys(&market_set, seed, config, keys, start);
        let flow = FlowRules {
            changes_per_min: CHANGES_PER_MIN,
            gap_every_ms: GAP_EVERY_MS,
            set_gap_every_ms: SET_GAP_EVERY_MS,
            ..world.flow
        };
        let flow = Flow::new(&market_set, seed, flow, start, None);
        let accounts = PerVenue::from_fn(|venue| -> Result<Box<dyn SimAccount>, String> {
            Ok(match venue {
                Venue::Polymarket => Box::new(PolymarketAccount::at(&polymarket)?),
                Venue::Kalshi => Box::new(KalshiAccount::at(&kalshi)?),
            })
        });
        let listing = listing(&market_set);
        let own_terms = vec![(0, 0); market_set.polymarket.len()];
        let polymarket_total = polymarket.total_micros();
        let kalshi_total = kalshi.money() + kalshi.fees_taken();
        let demo = Demo::new(polymarket, kalshi, flow, start);
        let away_rng = Rng::new(seed).fork(0x6177_6179);
        let venues = Self {
            demo,
            polymarket_total,
            kalshi_total,
            away: PerVenue::default(),
            emptied: PerVenue::default(),
            away_rng,
            is_troubled: PerVenue::default(),
            chain: chain_rules,
            terms: (false, false),
            own_terms,
        };
        Ok((venues, accounts.transpose()?, listing))
    }

    /// When the venues next do something by themselves.
    pub fn deadline(&self) -> Nanos {
        self.demo.deadline()
    }

    /// Time has come.
    pub fn tick(&mut self, now: Nanos) {
        self.demo.tick(now);
    }

    /// The next frame that a venue sends, and over which connection.
    pub fn poll_frame(&mut self) -> Option<(ConnId, String)> {
        self.demo.poll_out()
    }

    /// A WebSocket asks to be let in.
    ///
    /// # Errors
    /// The venue's status, where it does not let it in.
    pub fn open(
        &mut self,
        conn: ConnId,
        host: Host,
        path: &str,
        headers: Vec<(String, String)>,
        now: Nanos,
    ) -> Result<(), u16> {
        let request =
            Request { method: "GET".into(), path: path.into(), headers, ..Default::default() };
        self.demo.tick(now);
        let opened = self.demo.venue(host).ws_open(conn, host, &request, now);
        opened.map_err(|refusal| refusal.status)
    }

    /// A text frame of ours arrives.
    pub fn hear(&mut self, conn: ConnId, host: Host, text: &str, now: Nanos) {
        self.demo.tick(now);
        self.demo.venue(host).ws_text(conn, text, now);
    }

    /// The connection is gone.
    pub fn close(&mut self, conn: ConnId, host: Host) {
        self.demo.venue(host).ws_close(conn);
    }

    /// One request of ours, byte for byte as it would be sent, and the venue's answer to it.
    ///
    /// # Errors
    /// The bytes are not one whole request.
    pub fn answer(&mut self, host: Host, bytes: &[u8], now: Nanos) -> Result<Response, Broken> {
        let mut decoder = Decoder::default();
        decoder.push(bytes);
        let decoded = decoder.poll();
        let Ok(Some(Decoded::Request(request, true))) = decoded else {
            return Err(Broken::new("S6", format!("our own request is none: {decoded:?}")));
        };
        self.demo.tick(now);
        Ok(self.demo.venue(host).http(host, &request, now))
    }

    // --- what goes wrong ---

    /// These faults go on at a venue from now on.
    pub fn set_fault(&mut self, active: &Active, venue: Venue, now: Nanos) {
        let is = |kind| active.is(venue, kind);
        self.away[venue] = match () {
            () if is(FaultKind::Down) || is(FaultKind::Stalled) => 100,
            () if is(FaultKind::Unreadable) => 40,
            () => 0,
        };
        self.emptied[venue] = is(FaultKind::Emptied);
        let restarting = is(FaultKind::Restarting);
        self.is_troubled[venue] = self.away[venue] > 0 || self.emptied[venue] || restarting;
        match venue {
            Venue::Polymarket => {
                match () {
                    () if restarting => self.demo.polymarket.set_mode(Mode::Restarting),
                    () if is(FaultKind::PostOnly) => self.demo.polymarket.set_mode(Mode::PostOnly),
                    () => self.demo.be_itself(venue),
                }
                self.set_terms(is(FaultKind::TakerHeld), is(FaultKind::TickChanged), now);
                let settles_late = is(FaultKind::SettlesLate);
                let chain = if settles_late { Some(SETTLES_LATE) } else { self.chain };
                self.demo.polymarket.set_chain_rules(chain);
                self.is_troubled[venue] |= settles_late;
            }
            Venue::Kalshi if restarting => self.demo.kalshi.set_trading_active(false),
            Venue::Kalshi => self.demo.be_itself(venue),
        }
    }

    /// When a venue was last not itself by the world's own doing; zero before the first time.
    pub fn troubled(&self) -> Nanos {
        self.demo.troubled()
    }

    /// What readings of a venue depend on; `None` while a fault may alter what they are told.
    pub fn versions(&self, venue: Venue, now: Nanos) -> Option<Versions> {
        let versions = match venue {
            Venue::Polymarket => self.demo.polymarket.versions(now, VOID_WITHIN),
            Venue::Kalshi => self.demo.kalshi.versions(),
        };
        (!self.is_troubled[venue]).then_some(versions)
    }

    /// Whether a venue shows less of our account now than what it has matched, because a fault makes trades settle late.
    pub fn money_lags(&self, venue: Venue) -> bool {
        venue == Venue::Polymarket
            && self.demo.polymarket.chain_rules() == Some(SETTLES_LATE)
            && self.demo.polymarket.unsettled().next().is_some()
    }

    /// Polymarket holds orders that take, or has the other price step in every market. What a world makes of either by itself is let
    /// be unless a fault alters it.
    fn set_terms(&mut self, is_held: bool, is_changed: bool, now: Nanos) {
        let before = std::mem::replace(&mut self.terms, (is_held, is_changed));
        if before == self.terms {
            return;
        }
        self.demo.tick(now);
        for market in 0..self.own_terms.len() {
            if before == (false, false) {
                let is = &self.demo.polymarket.markets()[market];
                self.own_terms[market] = (is.delay_secs, is.spec.tick);
            }
            let (secs, own) = self.own_terms[market];
            let other = if own == 100 { 10 } else { 100 };
            self.demo.polymarket.set_delay_secs(market, if is_held { HELD_SECS } else { secs });
            self.demo.polymarket.set_tick(market, if is_changed { other } else { own }, now);
        }
    }

    /// Whether a question to this host finds no answer.
    pub fn is_away(&mut self, host: Host) -> bool {
        let venue = if host.is_kalshi() { Venue::Kalshi } else { Venue::Polymarket };
        self.away[venue] > 0 && self.away_rng.chance(self.away[venue], 100)
    }

    /// What a reader makes of an answer of this host: its own words, or the same with every list empty.
    pub fn shown(&self, host: Host, body: Vec<u8>) -> Vec<u8> {
        let venue = if host.is_kalshi() { Venue::Kalshi } else { Venue::Polymarket };
        if self.emptied[venue] { emptied(&body) } else { body }
    }

    /// The newest trade that has not settled never does, where it can still be taken back.
    pub fn fail_trade(&mut self, now: Nanos) -> bool {
        self.demo.tick(now);
        let newest = self.demo.polymarket.unsettled().next_back().map(str::to_owned);
        newest.is_some_and(|id| self.demo.polymarket.fail_trade(&id, now))
    }

    /// Whether the venues' own accounts hold together: what is there has neither grown nor shrunk.
    ///
    /// # Errors
    /// The venue at which it has.
    pub fn check_money(&self) -> Result<(), Broken> {
        let broken = |venue: &str, was: String, is: String| {
            Broken::new("P2", format!("all money at {venue} was {was} and is {is}"))
        };
        let total = self.demo.polymarket.total_micros();
        if total != self.polymarket_total {
            return Err(broken("polymarket", self.polymarket_total.to_string(), total.to_string()));
        }
        let total = self.demo.kalshi.money() + self.demo.kalshi.fees_taken();
        if total != self.kalshi_total {
            return Err(broken("kalshi", self.kalshi_total.to_string(), total.to_string()));
        }
        Ok(())
    }
}

/// A JSON text with every list in it empty. The lists of a venue are long and read often, so nothing else is made of them.
fn emptied(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut depth, mut is_string, mut is_escaped) = (0_u32, false, false);
    for &byte in text {
        let ends_list = !is_string && byte == b']';
        depth = depth.saturating_sub(u32::from(ends_list));
        if depth == 0 {
            out.push(byte);
        }
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b'[' if !is_string => depth += 1,
            _ => {}
        }
    }
    out
}

/// A key of Kalshi out of the seed: it opens nothing but the twin of this run. Ed25519, which signs in microseconds.
fn key(seed: u64, number: u64) -> Key {
    /// A PKCS#8 private key of Ed25519 up to its 32 bytes (RFC 8410 §7).
    const PREFIX: [u8; 16] =
        [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let mut rng = Rng::new(seed).fork(0x6b65_7900 + number);
    let mut der = PREFIX.to_vec();
    for _ in 0..4 {
        der.extend_from_slice(&rng.word().to_be_bytes());
    }
    Key::from_der(KeyType::Ed25519, &der).expect("any 32 bytes are a key")
}

/// Moves the results of all related questions into the run, one after the other.
fn spread_results(market_set: &mut MarketSet, seed: u64, start: Nanos, span: Nanos) {
    let mut rng = Rng::new(seed).fork(0x656e_6473);
    let far = start.after(span).after(Nanos::from_secs(86_400));
    for market in &mut market_set.polymarket {
        (market.close, market.settle) = (far, None);
    }
    for market in &mut market_set.kalshi {
        (market.close, market.settle) = (far, None);
    }
    let parts = (market_set.pairs.len() + market_set.sets.len()) as u64 + 1;
    let mut part = 0;
    let mut next_end = || {
        part += 1;
        start.after(Nanos::new(span.get() / parts * part))
    };
    for number in 0..market_set.pairs.len() {
        let pair = market_set.pairs[number];
        let (at, yes) = (next_end(), rng.chance(1, 2));
        let settle = Some((at, if yes { Price::ONE } else { Price::ZERO }));
        let here = &mut market_set.polymarket[pair.polymarket];
        (here.close, here.settle) = (at, settle);
        let there = &mut market_set.kalshi[pair.kalshi];
        (there.close, there.settle) = (at, settle);
    }
    for number in 0..market_set.sets.len() {
        let at = next_end();
        let set = market_set.sets[number].clone();
        let winner = *rng.pick(&set.members);
        for member in set.members {
            let settle = Some((at, if member == winner { Price::ONE } else { Price::ZERO }));
            match set.venue {
                Venue::Polymarket => {
                    let market = &mut market_set.polymarket[member];
                    (market.close, market.settle) = (at, settle);
                }
                Venue::Kalshi => {
                    let market = &mut market_set.kalshi[member];
                    (market.close, market.settle) = (at, settle);
                }
            }
        }
    }
}

fn listing(market_set: &MarketSet) -> Listing {
    let here = |market: usize| market_set.polymarket[market].condition_id.clone();
    let there = |market: usize| market_set.kalshi[market].ticker.clone();
    let pairs = market_set.pairs.iter().map(|pair| Pair {
        markets: [(Venue::Polymarket, here(pair.polymarket)), (Venue::Kalshi, there(pair.kalshi))],
        same_polarity: true,
        certificate: Some(Certificate {
            signed_by: "the simulated day".to_owned(),
            void_pays: [Payoff::Pays(Price::from_ticks(5_000).expect("under a dollar")); 2],
            rules: [None; 2],
        }),
    });
    let sets = market_set.sets.iter().map(|set| Set {
        venue: set.venue,
        exhaustive: true,
        leave_one_out: false,
        void_pays: None,
        members: set
            .members
            .iter()
            .map(|&member| match set.venue {
                Venue::Polymarket => here(member),
                Venue::Kalshi => there(member),
            })
            .collect(),
    });
    Listing {
        relations: Relations {
            pairs: pairs.collect(),
            sets: sets.collect(),
            ..Relations::default()
        },
        extra: ExtraMarkets::from_fn(|venue| match venue {
            Venue::Polymarket => (0..market_set.polymarket.len()).map(here).collect(),
            Venue::Kalshi => (0..market_set.kalshi.len()).map(there).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn emptied(value: &Value) -> Value {
        let text = super::emptied(value.to_string().as_bytes());
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn every_list_of_an_answer_is_emptied_and_nothing_else() {
        assert_eq!(emptied(&json!([1, [2], {"a": [3]}])), json!([]));
        let tricky = r#"a "[" \ "#;
        let full =
            json!({tricky: {"a": [tricky, ["]"]], "b": 1.5}, "c": [], "d": tricky, "e": null});
        let empty = json!({tricky: {"a": [], "b": 1.5}, "c": [], "d": tricky, "e": null});
        assert_eq!(emptied(&full), empty);
        assert_eq!(emptied(&json!("no list")), json!("no list"));
    }
}
