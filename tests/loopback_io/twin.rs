//! Feed and executor against the twin: what we send is accepted, and stream and REST tell the same story.
//!
//! The twin checks stamps against its own clock, so here the clock is the wall's.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};
use surefoot::twin::kalshi::{self as kalshi_twin, Credential, KalshiVenue};
use surefoot::twin::market_set;
use surefoot::twin::polymarket::{self as polymarket_twin, DemoAccount, PolymarketVenue};
use surefoot::twin::server::{Backend, Running, Server, ServerOptions, wall_now};
use surefoot::twin::{ConnId, Host, VenueServer};
use surefoot_cold::directory::{Directory, Entry, Generation, KalshiNames, Names, PolymarketNames};
use surefoot_cold::exec::codec::VenueCodec;
use surefoot_cold::exec::{Exec, ExecOptions, ExecWiring};
use surefoot_cold::facts::Facts;
use surefoot_cold::feed::{Feed, FeedLink, Follow, LinkOptions};
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::net::{NoMeter, Trust};
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::kalshi::reconcile::KalshiReader;
use surefoot_cold::venue::kalshi::signer::Signer as KalshiSigner;
use surefoot_cold::venue::kalshi::{
    HeaderSlots, Kalshi, KalshiAuth, KalshiRates, learn_from_frame,
};
use surefoot_cold::venue::polymarket::eip712::{Address, Chain, SignatureType};
use surefoot_cold::venue::polymarket::reconcile::PolymarketReader;
use surefoot_cold::venue::polymarket::signer::{Credentials, Signer};
use surefoot_cold::venue::polymarket::{
    Polymarket, PolymarketAuth, PolymarketRates, polymarket_user_frame,
};
use surefoot_cold::wirelog::{Contents, SyncMode, VenueId, WireLog};
use surefoot_hot::event::{Event, Link};
use surefoot_hot::ids::{Action, MarketId, OrderId, OrderRef, Outcome, Side, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::MarketDef;
use surefoot_hot::order::{Cancel, Order, Purpose, Query, Tif};
use surefoot_hot::report::{Fill, Liquidity, Report, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty};
use surefoot_hot::venue::kalshi::Role;
use surefoot_hot::venue::{kalshi, polymarket};

use crate::support::*;

/// One of the twin's venues as a server of its own.
pub struct Only<V>(V);

impl<V: VenueServer + 'static> Backend for Only<V> {
    fn venue(&mut self, _: Host) -> &mut dyn VenueServer {
        &mut self.0
    }
    fn poll_out(&mut self) -> Option<(ConnId, String)> {
        self.0.poll_out()
    }
    fn tick(&mut self, now: Nanos) {
        self.0.tick(now);
    }
    fn deadline(&self) -> Nanos {
        self.0.deadline()
    }
}

/// Feed and executor of one venue on one thread, as in the fused topology.
pub struct Rig<W: VenueCodec> {
    pub feed: Feed<NoMeter>,
    pub exec: Exec<W, NoMeter>,
    pub intents: Producer<Intent>,
    pub from_feed: Consumer<Event>,
    pub from_exec: Consumer<Event>,
    seen: Vec<Event>,
}

impl<W: VenueCodec> Rig<W> {
    pub fn until(&mut self, what: &str, done: impl Fn(&[Event]) -> bool) {
        for _ in 0..20_000 {
            let now = wall_now();
            let work = self.feed.turn(now) + self.exec.turn(now);
            self.seen.extend(std::iter::from_fn(|| self.from_feed.pop().ok()));
            self.seen.extend(std::iter::from_fn(|| self.from_exec.pop().ok()));
            if done(&self.seen) {
                return;
            }
            if work == 0 {
                self.exec.park(now, Duration::from_millis(1));
            }
        }
        panic!("{what} never came: {:?}\n{:?}", self.exec.stats(), self.seen);
    }

    pub fn status(&mut self, order: u64, state: VenueState, contracts: u64) {
        let what = format!("order {order} {state:?}");
        let filled = Some(Qty::from_contracts(contracts));
        self.until(&what, |seen| {
            seen.iter().any(|event| {
                matches!(event, Event::Report(Report::Status(status))
                    if status.order == OrderRef::Id(OrderId::new(order))
                        && status.state == state && status.filled == filled)
            })
        });
    }

    /// Places, cancels and asks; the stream's fills must be the ones that REST tells.
    fn trade(&mut self) {
        let venue = W::VENUE;
        for link in [Link::Market, Link::Private, Link::Orders] {
            let up = Event::Link { venue, link, number: LinkNumber::FIRST, up: true };
            self.until(&format!("{up:?}"), |seen| seen.contains(&up));
        }
        self.until("a book", |seen| {
            seen.iter().any(|event| matches!(event, Event::SnapshotEnd { .. }))
        });
        self.place(1, 5_600, Tif::Ioc);
        self.status(1, VenueState::Filled, 10);
        let fills = |events: &[Event]| -> Vec<Fill> {
            events
                .iter()
                .filter_map(|event| match event {
                    Event::Report(Report::Fill(fill)) => Some(*fill),
                    _ => None,
                })
                .collect()
        };
        self.until("the stream's fill", |seen| !fills(seen).is_empty());
        let streamed = fills(&self.seen);
        assert_eq!(streamed.len(), 1);
        assert_eq!((streamed[0].side, streamed[0].liquidity), (Side::Bid, Liquidity::Taker));
        assert_eq!(streamed[0].qty, Qty::from_contracts(10));
        self.seen.clear();
        let (order, market) = (OrderId::new(1), MarketId::new(0));
        self.intents.push(Intent::Query(Query { order, key: None, market, venue })).unwrap();
        self.status(1, VenueState::Filled, 10);
        let asked = |fill: &Fill| fill.order == OrderRef::Id(order);
        self.until("the fill by REST", |seen| fills(seen).iter().any(asked));
        let told = fills(&self.seen).into_iter().find(asked).unwrap();
        assert_eq!(told.fill, streamed[0].fill, "one fill, one id, whoever tells it");
        assert_eq!((told.price, told.qty), (streamed[0].price, streamed[0].qty));

        self.place(2, 5_000, Tif::Gtc);
        self.status(2, VenueState::Resting, 0);
        let (order, qty) = (OrderId::new(2), Qty::from_contracts(10));
        let cancel = Cancel { order, key: None, market, venue, qty };
        self.intents.push(Intent::Cancel(cancel)).unwrap();
        self.status(2, VenueState::Cancelled, 0);
        self.seen.clear();
        self.intents.push(Intent::Cancel(cancel)).unwrap();
        let refused = Event::Report(Report::CancelRefused { order: OrderRef::Id(order) });
        self.until("a refused cancel", |seen| seen.contains(&refused));

        self.place(3, 5_000, Tif::Gtc);
        self.status(3, VenueState::Resting, 0);
        self.seen.clear();
        self.intents.push(Intent::CancelAll { venue }).unwrap();
        self.until("the stream's cancel", |seen| {
            seen.iter().any(|event| {
                matches!(event, Event::Report(Report::Status(status))
                    if status.state == VenueState::Cancelled)
            })
        });
        let stats = self.exec.stats();
        assert_eq!((stats.sent, stats.taken, stats.timed_out, stats.rejected), (3, 3, 0, 0));
    }

    pub fn place(&mut self, id: u64, ticks: u16, tif: Tif) {
        let decided = wall_now();
        let order = Order {
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: Price::from_ticks(ticks).unwrap(),
            tif,
            purpose: Purpose::Leg,
            ..*approved(id, W::VENUE, 7, decided)
        };
        self.intents.push(Intent::Place(pass(order))).unwrap();
    }
}

struct Ends {
    trust: Trust,
    rest: SocketAddr,
    ws: SocketAddr,
    /// Where Polymarket tells what is held.
    data: SocketAddr,
}

/// A venue of the twin that serves one market, and what is needed to trade there.
pub trait TwinSide {
    /// How the venue is spoken to.
    type Codec: VenueCodec;
    /// The market's terms.
    fn def(&self) -> MarketDef;
    /// Feed and executor of one more run, with the wire log at `log` and what it holds of earlier ones.
    fn connect(&self, log: &Path, heartbeat: bool) -> (Rig<Self::Codec>, Contents);
    /// Who asks the venue what is true.
    fn reader(&self) -> Box<dyn Reader>;
    /// The house sells so many YES at this price or more.
    fn house_sells(&self, ticks: u16, contracts: u64);
    /// The best bid for YES: its price in ticks, and what rests there.
    fn best(&self) -> (u16, Qty);
    /// The twin does what is due until then.
    fn pass(&self, span: Nanos);
}

fn rig<W: VenueCodec>(
    log: &Path,
    ends: &Ends,
    codec: W,
    learnt: Option<Consumer<(OrderId, VenueId)>>,
    heartbeat: bool,
) -> (Rig<W>, Contents) {
    let (intents, core_exec) = RingBuffer::new(64);
    let (exec_core, from_exec) = RingBuffer::new(1_024);
    let (feed_core, from_feed) = RingBuffer::new(4_096);
    let lane = |n: u64| dialer(&ends.trust, ends.rest, "", "https", n);
    let (log, contents) = WireLog::open(log, SyncMode::Grouped).unwrap();
    let wiring = ExecWiring {
        core_exec,
        exec_core,
        halt: HaltEpoch::new(7),
        log,
        order_lanes: vec![lane(1), lane(2)],
        chore_lanes: vec![lane(3)],
        learnt,
    };
    let options = ExecOptions { heartbeat, ..ExecOptions::default() };
    let exec = Exec::new(codec, wiring, options, NoMeter).unwrap();
    let feed = Feed::new(feed_core, None, NoMeter).unwrap();
    (Rig { feed, exec, intents, from_feed, from_exec, seen: Vec::new() }, contents)
}

fn ladder() -> [(Side, Price); 2] {
    [(Side::Bid, 4_400), (Side::Ask, 5_600)].map(|(side, p)| (side, Price::from_ticks(p).unwrap()))
}

fn serve_twin<V>(venue: V, rest: Host, ws: Host) -> (Running<Only<V>>, Ends)
where
    V: VenueServer + Send + 'static,
{
    let server = Server::new(Only(venue), &ServerOptions::default()).unwrap();
    let trust = Trust::from_pem("twin", server.ca_pem().as_bytes()).unwrap();
    let at = server.endpoints();
    let data = at[Host::Data.index()];
    let ends = Ends { trust, rest: at[rest.index()], ws: at[ws.index()], data };
    (server.spawn().unwrap(), ends)
}

/// Polymarket of the twin, with one market and a funded account.
pub struct Polymarketed {
    running: Running<Only<PolymarketVenue>>,
    ends: Ends,
    entry: Entry,
    account: DemoAccount,
}

impl Polymarketed {
    pub fn serve() -> Self {
        let now = wall_now();
        let spec = market_set::MarketSet::generated(5, now).polymarket[0].clone();
        let mut venue = PolymarketVenue::new(5, &polymarket_twin::Config::default());
        venue.add_market(spec.clone(), now);
        for (side, price) in ladder() {
            venue.house_level(0, side, price, Qty::from_contracts(500), now);
        }
        let account = venue.demo_accounts()[3].clone();
        let (running, ends) = serve_twin(venue, Host::PolymarketClob, Host::PolymarketWs);
        let mut def = market_def(Venue::Polymarket);
        def.grid = spec.grid();
        let names = PolymarketNames {
            condition_id: spec.condition_id.clone(),
            yes_token: spec.yes_token.clone(),
            no_token: spec.no_token.clone(),
            generation: match spec.generation {
                market_set::Generation::Two => Generation::Two,
                market_set::Generation::Three => Generation::Three,
            },
            neg_risk: spec.neg_risk(),
            min_size_text: "5".into(),
            event: String::new(),
        };
        let entry = Entry {
            def,
            fee_changes: Vec::new(),
            paid_by: None,
            title: String::new(),
            names: Names::Polymarket(names),
            facts: Facts::default(),
        };
        Self { running, ends, entry, account }
    }
}

impl Polymarketed {
    fn credentials(&self) -> Credentials {
        let account = &self.account;
        Credentials {
            api_key: account.api_key.clone(),
            secret: Secret::new(account.secret.clone()),
            passphrase: Secret::new(account.passphrase.clone()),
        }
    }

    fn signer(&self) -> Arc<Signer> {
        let account = &self.account;
        let signer = Signer::new(
            &Secret::new(account.private_key.clone()),
            SignatureType::from_number(account.signature_type).unwrap(),
            Address::parse(&account.funder),
            Chain::Polygon,
            Some(&self.credentials()),
        );
        Arc::new(signer.unwrap())
    }
}

/// A directory of one market.
fn only(entry: &Entry) -> Directory {
    let mut directory = Directory::default();
    directory.push(entry.clone());
    directory
}

impl TwinSide for Polymarketed {
    type Codec = Polymarket;

    fn def(&self) -> MarketDef {
        self.entry.def
    }

    fn connect(&self, log: &Path, heartbeat: bool) -> (Rig<Polymarket>, Contents) {
        let Self { ends, entry, account, .. } = self;
        let directory = only(entry);
        let credentials = self.credentials();
        let clob = format!("https://{}", ends.rest).parse().unwrap();
        let rates = PolymarketRates::default();
        let codec = Polymarket::new(self.signer(), &clob, &directory, rates);
        let (mut rig, contents) = rig(log, ends, codec, None, heartbeat);

        let now = wall_now();
        let mut market = polymarket::MarketSession::with_capacity(8);
        market.follow(now, entry).unwrap();
        let frame = polymarket_user_frame(&credentials);
        let mut user = polymarket::UserSession::new(8, frame, &account.api_key);
        user.follow(now, entry).unwrap();
        let ids = vec![MarketId::new(0)];
        let (pm, plain) = (Venue::Polymarket, LinkOptions::default);
        let dial = |path, n| dialer(&ends.trust, ends.ws, path, "wss", n);
        let (at_market, at_user) = (dial("/ws/market", 1), dial("/ws/user", 2));
        rig.feed.add(FeedLink::new(pm, Link::Market, market, ids.clone(), at_market, plain()));
        rig.feed.add(FeedLink::new(pm, Link::Private, user, ids, at_user, plain()));
        (rig, contents)
    }

    fn reader(&self) -> Box<dyn Reader> {
        let (signer, ends) = (self.signer(), &self.ends);
        let at = |host: SocketAddr| format!("https://{host}").parse().unwrap();
        let auth = Arc::new(PolymarketAuth(Arc::clone(&signer)));
        let clob = Rest::new(at(ends.rest), &ends.trust, Some(auth));
        let data = Rest::new(at(ends.data), &ends.trust, None);
        let (wallet, owner) = (signer.maker_text().to_owned(), self.account.api_key.clone());
        let kind = self.account.signature_type;
        let directory = only(&self.entry);
        Box::new(PolymarketReader::new(clob, data, wallet, owner, kind, &directory))
    }

    fn house_sells(&self, ticks: u16, contracts: u64) {
        let (price, qty) = (Price::from_ticks(ticks).unwrap(), Qty::from_contracts(contracts));
        let sells = move |only: &mut Only<PolymarketVenue>, now| {
            only.0.house_trade(0, Side::Ask, price, qty, now);
        };
        self.running.remote.with(sells).unwrap();
    }

    fn best(&self) -> (u16, Qty) {
        let best = self.running.remote.with(|only, _| only.0.best(0, Side::Bid));
        best.unwrap().map(|(price, qty)| (price.ticks(), qty)).unwrap()
    }

    fn pass(&self, span: Nanos) {
        self.running.remote.with(move |only, now| only.0.tick(now.after(span))).unwrap();
    }
}

#[test]
fn polymarket_trades_with_the_twin() {
    let twin = Polymarketed::serve();
    let log = scratch("twin-pm").join("wire.log");
    let (mut rig, _) = twin.connect(&log, true);
    rig.trade();
    assert!(rig.exec.stats().beats >= 1, "the dead man's switch is armed");
    assert_eq!(rig.exec.stats().beats_missed, 0);
    assert!(
        rig.exec.stats().rehearsed > 0,
        "between its orders it rehearsed, and the twin heard nothing"
    );
    // An order of an earlier run that no wire log knows has a name all the same: the venue is asked.
    let (order, market, pm) = (OrderId::new(77), MarketId::new(0), Venue::Polymarket);
    let asked = rig.exec.stats().asked;
    let ask = Intent::Query(Query { order, key: None, market, venue: pm });
    let lost = Order { id: order, purpose: Purpose::Leg, ..*approved(77, pm, 7, wall_now()) };
    rig.exec.remember(&Contents::default(), [&lost]);
    rig.intents.push(ask).unwrap();
    let absent = Event::Report(Report::Absent { order, venue: pm });
    rig.until("absence", |seen| seen.contains(&absent));
    assert!(rig.exec.stats().asked > asked, "the venue said so, not our memory");
}

/// Kalshi of the twin, with one market and the key that is asked for.
pub struct Kalshied {
    running: Running<Only<KalshiVenue>>,
    ends: Ends,
    entry: Entry,
    credential: Credential,
}

impl Kalshied {
    pub fn serve(key: usize) -> Self {
        let now = wall_now();
        let market_set = market_set::MarketSet::generated(5, now);
        let config = kalshi_twin::Config::default();
        let mut venue = KalshiVenue::new(&market_set, 5, config, now).unwrap();
        for (side, price) in ladder() {
            venue.house_level(0, side, price, Qty::from_contracts(500), now);
        }
        let credential = venue.credentials()[key].clone();
        let (running, ends) = serve_twin(venue, Host::KalshiRest, Host::KalshiWs);
        let (spec, shard) = (&market_set.kalshi[0], market_set.series_of(0).exchange_index);
        let mut def = market_def(Venue::Kalshi);
        (def.grid, def.shard) = (spec.ladder.grid(), shard);
        let names = KalshiNames {
            ticker: spec.ticker.clone(),
            event_ticker: String::new(),
            series_ticker: String::new(),
            exchange_index: shard,
        };
        let entry = Entry {
            def,
            fee_changes: Vec::new(),
            paid_by: None,
            title: String::new(),
            names: Names::Kalshi(names),
            facts: Facts::default(),
        };
        Self { running, ends, entry, credential }
    }
}

impl Kalshied {
    fn signer(&self) -> Arc<KalshiSigner> {
        let Credential { key_id, pem, .. } = &self.credential;
        Arc::new(KalshiSigner::from_pem(key_id, pem).unwrap())
    }
}

impl TwinSide for Kalshied {
    type Codec = Kalshi;

    fn def(&self) -> MarketDef {
        self.entry.def
    }

    fn connect(&self, log: &Path, heartbeat: bool) -> (Rig<Kalshi>, Contents) {
        let Self { ends, entry, .. } = self;
        let (directory, signer) = (only(entry), self.signer());
        let base = format!("https://{}/trade-api/v2", ends.rest).parse().unwrap();
        let slots = HeaderSlots::spawn(Arc::clone(&signer)).unwrap();
        let rates = KalshiRates::default();
        let codec = Kalshi::new(Arc::clone(&signer), &base, &directory, rates, Some(slots));
        let (mut learn, learnt) = RingBuffer::new(64);
        let (mut rig, contents) = rig(log, ends, codec, Some(learnt), heartbeat);

        for (role, link) in [(Role::Market, Link::Market), (Role::Private, Link::Private)] {
            let mut session = kalshi::Session::with_capacity(role, 8);
            session.follow(wall_now(), entry).unwrap();
            let mut options = LinkOptions {
                upgrade: Some(Box::new(KalshiAuth(Arc::clone(&signer)))),
                ..LinkOptions::default()
            };
            if link == Link::Private {
                let (other, _) = RingBuffer::new(1);
                let mut learn = std::mem::replace(&mut learn, other);
                options.inspect = Some(Box::new(move |frame| {
                    if let Some(pair) = learn_from_frame(frame) {
                        let _ = learn.push(pair); // what is not learnt here is learnt from the answer
                    }
                }));
            }
            let dial = dialer(&ends.trust, ends.ws, "/trade-api/ws/v2", "wss", 1);
            let ids = vec![MarketId::new(0)];
            rig.feed.add(FeedLink::new(Venue::Kalshi, link, session, ids, dial, options));
        }
        (rig, contents)
    }

    fn reader(&self) -> Box<dyn Reader> {
        let base = format!("https://{}/trade-api/v2", self.ends.rest).parse().unwrap();
        let rest = Rest::new(base, &self.ends.trust, Some(Arc::new(KalshiAuth(self.signer()))));
        Box::new(KalshiReader::new(rest, &only(&self.entry)))
    }

    fn house_sells(&self, ticks: u16, contracts: u64) {
        let (price, qty) = (Price::from_ticks(ticks).unwrap(), Qty::from_contracts(contracts));
        let sells = move |only: &mut Only<KalshiVenue>, now| {
            only.0.house_trade(0, Side::Ask, price, qty, now);
        };
        self.running.remote.with(sells).unwrap();
    }

    fn best(&self) -> (u16, Qty) {
        let best = self.running.remote.with(|only, _| only.0.best(0, Side::Bid));
        best.unwrap().map(|(price, qty)| (price.ticks(), qty)).unwrap()
    }

    fn pass(&self, span: Nanos) {
        self.running.remote.with(move |only, now| only.0.tick(now.after(span))).unwrap();
    }
}

fn kalshi_trades(name: &str, key: usize) {
    let twin = Kalshied::serve(key);
    let (mut rig, _) = twin.connect(&scratch(name).join("wire.log"), false);
    rig.trade();
    let (ahead, inline) = rig.exec.codec().signatures().unwrap();
    assert_eq!(ahead + inline, 3);
    assert!(ahead > 0, "the thread that signs ahead may come late for the first, not for all");
}

#[test]
fn kalshi_trades_with_the_twin_by_rsa() {
    kalshi_trades("twin-rsa", 0);
}

#[test]
fn kalshi_trades_with_the_twin_by_ed25519() {
    kalshi_trades("twin-ed25519", 1);
}
