//! A journal of small days with every kind of row, and what the database made of it holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use surefoot_cold::directory::{Directory, Entry, KalshiNames, Names};
use surefoot_cold::facts::Facts;
use surefoot_cold::journal::{Identity, Journal, Options, Sync};
use surefoot_cold::observe::observer::Observer;
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::store::{Store, StoreSink, StoreStatus, open_read_only};
use surefoot_hot::basket::Verdict;
use surefoot_hot::event::Event;
use surefoot_hot::group::GroupState;
use surefoot_hot::ids::{Action, BasketId, GroupId, MarketId, OrderId, Outcome, Venue};
use surefoot_hot::intent::IntentRecord;
use surefoot_hot::journal::{Body, Close, Record};
use surefoot_hot::market::MarketDef;
use surefoot_hot::note::{Alarm, Note, Place};
use surefoot_hot::order::{Order, OrderState, Purpose, Tif};
use surefoot_hot::pack::Arbitrary;
use surefoot_hot::risk::{HaltWhy, Refusal};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use crate::scratch::Scratch;

const TABLES: [&str; 14] = [
    "meta",
    "runs",
    "markets",
    "baskets",
    "groups",
    "orders",
    "legs",
    "fills",
    "positions",
    "pnl_day",
    "opportunities",
    "refusals",
    "halts",
    "alarms",
];

/// Where one instance's journal and database are.
pub struct Home(pub Scratch);

impl Home {
    pub fn new(name: &str) -> Self {
        Self(Scratch::new(name))
    }

    pub fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }

    pub fn db(&self) -> PathBuf {
        self.0.join("surefoot.db")
    }
}

pub fn open_journal(home: &Home, run: u64) -> Journal {
    open_journal_in_segments(home, run, 1 << 20)
}

pub fn open_journal_in_segments(home: &Home, run: u64, segment_bytes: u64) -> Journal {
    let options = Options {
        dir: home.journal(),
        sync: Sync::Off,
        segment_bytes,
        identity: Identity { config: 1, binary: 2, run, venue: 3, mode: 0 },
        fresh: run == 1,
        mark: None,
        untold: Vec::new(),
    };
    Journal::open(options, Nanos::from_secs(run)).unwrap()
}

pub fn def(market: u16) -> MarketDef {
    let def: MarketDef = Arbitrary::from_seed(u64::from(market)).value();
    MarketDef { market: MarketId::new(market), venue: Venue::Kalshi, ..def }
}

pub fn names() -> MarketNames {
    let mut directory = Directory::default();
    for market in 0..4 {
        let names = KalshiNames {
            ticker: format!("KXTEST-{market}"),
            event_ticker: "KXTEST".into(),
            series_ticker: "KXTEST".into(),
            exchange_index: 1,
        };
        let title = format!("Will it {market}?");
        directory.push(Entry {
            def: def(market),
            fee_changes: Vec::new(),
            paid_by: None,
            title,
            names: Names::Kalshi(names),
            facts: Facts::default(),
        });
    }
    let mut book = MarketNames::default();
    book.put(3, directory);
    book
}

/// What a small day writes: markets, an order per group, its fill, its notes.
pub fn day(run: u64, orders: u64) -> Vec<Body> {
    let mut bodies: Vec<Body> =
        (0..4).map(|market| Body::Input(Event::Market(def(market)))).collect();
    for n in 0..orders {
        let (id, market) = (OrderId::new(run << 32 | n), MarketId::new((n % 4) as u16));
        let group = GroupId::new((run * 100_000 + n) as u32);
        let price = Price::from_ticks(4_700).unwrap();
        let qty = Qty::from_contracts(10);
        bodies.push(Body::Intent(IntentRecord::Place(Order {
            id,
            epoch: run,
            decided: Nanos::from_secs(n),
            group,
            market,
            venue: Venue::Kalshi,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price,
            qty,
            tif: Tif::Ioc,
            expires: None,
            post_only: false,
            purpose: Purpose::Leg,
        })));
        let (fee, outcome) = (Usd::from_micros(17_500), Outcome::Yes);
        let basket = BasketId::new(1);
        bodies.extend(
            [
                Note::Order {
                    order: id,
                    state: OrderState::Done,
                    filled: qty,
                    reserved: Usd::ZERO,
                },
                Note::Booked {
                    order: id,
                    market,
                    outcome,
                    price,
                    qty,
                    fee,
                    taker: true,
                    undone: false,
                },
                Note::Position {
                    market,
                    yes: qty,
                    no: Qty::ZERO,
                    cost: price.cost_ceil(qty),
                    realised: Usd::from_micros(-17_500 * (1 + n as i64 / 4)),
                },
                Note::Group {
                    group,
                    basket,
                    state: GroupState::Hedged,
                    units: qty,
                    promised: Usd::from_dollars(1),
                    result: Usd::ZERO,
                    one_leg_ns: 5,
                },
            ]
            .map(Body::Note),
        );
    }
    bodies.extend(
        [
            Note::Opportunity {
                basket: BasketId::new(1),
                units: Qty::from_contracts(3),
                edge: 120,
                profit: Usd::from_cents(36),
                verdict: Verdict::TooSmall,
            },
            Note::Refused {
                market: MarketId::new(1),
                group: GroupId::new(1),
                why: Refusal::OwnCross,
            },
            Note::Halt { halted: true, why: HaltWhy::KillFile as u8, epoch: 9 },
            Note::Alarm { what: Alarm::FeeDrift, place: Place::default() },
        ]
        .map(Body::Note),
    );
    bodies
}

pub fn write_run(home: &Home, run: u64, orders: u64) -> Vec<Record> {
    write_run_to(open_journal(home, run), run, orders)
}

pub fn write_run_to(mut journal: Journal, run: u64, orders: u64) -> Vec<Record> {
    for (n, body) in day(run, orders).iter().enumerate() {
        journal.append(Nanos::from_secs(1_000_000_000 + run * 1_000 + n as u64), body).unwrap();
    }
    journal.close(Nanos::from_secs(2_000_000_000), Close { decision: 1, state: 2 }).unwrap();
    journal.take_made()
}

/// Every table, every row, every column, as text.
pub fn dump(db: &Path) -> String {
    let db = open_read_only(db).unwrap();
    let mut text = String::new();
    for table in TABLES {
        let mut select = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        let mut count = 0;
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> =
                (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            text.push_str(&format!("{table} {}\n", cells.join(" ")));
            count += 1;
        }
        assert!(count > 0 || table == "baskets", "{table} is empty: the test shows nothing");
    }
    text
}

/// An observer with the store as its one sink.
pub fn observe(store: Store, home: &Home) -> (Observer, Arc<StoreStatus>) {
    let mut observer = Observer::start().unwrap();
    let sink = StoreSink::new(store, home.journal());
    let status = sink.status();
    observer.add(sink).unwrap();
    (observer, status)
}
