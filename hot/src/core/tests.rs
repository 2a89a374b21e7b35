//! The core against a scripted venue: every message by hand, every invariant after every event.

mod account;
mod adopt;
mod age;
mod at_venue;
mod charged;
mod claims;
mod compare;
mod complete;
mod context;
mod conversions;
mod day;
mod days;
mod fees;
mod foreign;
mod groups;
mod halts;
mod histories;
mod invariants;
mod leaving;
mod leftovers;
mod limits;
mod listed;
mod market_rows;
mod model;
mod modes;
mod money;
mod opportunities;
mod orders;
mod overfill;
mod pairs;
mod permutations;
mod plain_ledger;
mod plain_order;
mod provisional;
mod quarantine;
mod reducing;
mod refused;
mod repairs;
mod resting;
mod rows;
mod sequencing;
mod sharing;
mod shocks;
mod silence;
mod sized;
mod slack;
mod stop;
mod stuck;
mod times;
mod undo;
mod unpaired;
mod voids;
mod whole;
mod whole_venue;

use super::*;
use crate::basket::{BasketDef, BasketKind, Verdict};
use crate::book::{Change, Level};
use crate::event::{Control, Link};
use crate::fees::FeeRule;
use crate::grid::Grid;
use crate::group::GroupState;
use crate::ids::{Action, BasketId, ClusterId, FillId, OrderRef, Outcome, Side, Venue, VenueKey};
use crate::intent::Intent;
use crate::links::{LinkNumber, LinkSet};
use crate::market::{Category, MarketStatus};
use crate::order::{Order, Tif};
use crate::report::{Fill, Finality, Liquidity, OrderStatus, Report, VenueState};
use crate::risk::LimitRow;
use crate::units::{Price, Qty, Usd};

/// Polymarket's half of the pair.
const PM: MarketId = MarketId::new(0);
/// When every market here closes: long after the last day of any test, and soon enough for a basket to be worth it.
const CLOSE: Nanos = Nanos::from_secs(1_800_000_000 + 29 * 86_400);
/// Kalshi's half.
const KA: MarketId = MarketId::new(1);

/// A core, what it has asked for, and a clock.
struct Desk {
    core: Core,
    out: Outbox,
    now: Nanos,
    intents: Vec<Intent>,
    notes: Vec<Note>,
    fills: u64,
    /// The last epoch that everybody was told to move up to.
    raised: Option<u64>,
    /// Whether every venue's market data, and the terms of its markets, are as fresh as can be at each event.
    current: bool,
}

fn price(cents: u16) -> Price {
    Price::from_ticks(cents * 100).unwrap()
}

fn qty(contracts: u64) -> Qty {
    Qty::from_contracts(contracts)
}

/// The spec's small profile, with a faster cooldown.
fn limit_values() -> Vec<(LimitRow, u64)> {
    LimitRow::ALL.into_iter().map(|row| (row, row.def().default)).collect()
}

fn terms(market: MarketId) -> MarketDef {
    let (venue, fee) = if market == PM {
        (Venue::Polymarket, FeeRule::Polymarket { rate: 40_000, exponent: 1 })
    } else {
        (Venue::Kalshi, FeeRule::Kalshi { taker: 70_000, maker: 0 })
    };
    MarketDef {
        market,
        venue,
        shard: 0,
        cluster: ClusterId::new(0),
        grid: Grid::uniform(100).unwrap(),
        min_qty: if market == PM { qty(5) } else { Qty::from_micros(10_000) },
        close: CLOSE,
        fee,
        status: MarketStatus::Open,
        category: Category::Unknown,
        theme: None,
    }
}

/// The word for an order of YES that is to rest, post-only and without an expiry.
fn to_rest(market: MarketId, action: Action, cents: u16, contracts: u64, exit: bool) -> Control {
    Control::Rest {
        market,
        outcome: Outcome::Yes,
        action,
        price: price(cents),
        qty: qty(contracts),
        expires: None,
        post_only: true,
        exit,
    }
}

impl Desk {
    /// Configured, linked, reconciled, $10,000 at each venue, no book yet.
    fn new() -> Self {
        let mut desk = Self::unfunded();
        desk.open();
        desk
    }

    /// Configured, with no cash and no link; no venue was read yet.
    fn unfunded() -> Self {
        let mut desk = Self {
            core: Core::new(),
            out: Outbox::new(),
            now: Nanos::from_secs(1_800_000_000),
            intents: Vec::new(),
            notes: Vec::new(),
            fills: 0,
            raised: None,
            current: true,
        };
        desk.control(Control::Start { epoch: 1, first_order: 100 });
        for (row, value) in limit_values() {
            desk.control(Control::Limit { row, value });
        }
        for market in [PM, KA] {
            desk.event(Event::Market(terms(market)));
        }
        for (basket, yes_at, no_at) in [(0, PM, KA), (1, KA, PM)] {
            let (basket, kind) = (BasketId::new(basket), BasketKind::CrossVenue);
            let legs = [(yes_at, Outcome::Yes), (no_at, Outcome::No)];
            for def in BasketDef::of_single_contracts(basket, kind, 10_000, &legs) {
                desk.event(Event::Basket(def));
            }
        }
        desk
    }

    fn open(&mut self) {
        for venue in Venue::ALL {
            for link in [Link::Market, Link::Private, Link::Orders] {
                self.event(Event::Link { venue, link, number: LinkNumber::FIRST, up: true });
            }
            if self.core.ledger().cash_at(venue) == Usd::ZERO {
                self.control(Control::Cash { venue, shard: 0, cash: Usd::from_dollars(10_000) });
            }
            self.control(Control::Reconciled { venue, clean: true });
        }
    }

    fn event(&mut self, event: Event) {
        self.now = self.now.after(Nanos::new(1_000));
        for venue in Venue::ALL.into_iter().filter(|_| self.current) {
            let (links, upto) = (LinkSet::only(LinkNumber::FIRST), self.now);
            self.core.on_event(self.now, &Event::Current { venue, links, upto }, &mut self.out);
            let read = Event::Control(Control::TermsRead { venue, at: self.now });
            self.core.on_event(self.now, &read, &mut self.out);
        }
        self.core.on_event(self.now, &event, &mut self.out);
        self.intents.extend_from_slice(self.out.intents());
        self.notes.extend_from_slice(self.out.notes());
        self.raised = self.out.raised().or(self.raised);
        self.out.clear();
        self.core.check_invariants();
    }

    fn control(&mut self, control: Control) {
        self.event(Event::Control(control));
    }

    /// A whole reading that began just now. Cash is what we think it is, where nothing else is told.
    fn reading(&mut self, venue: Venue, told: &[Control]) {
        let since = self.now;
        self.control(Control::Reading { venue, since });
        if !told.iter().any(|told| matches!(told, Control::Cash { .. })) {
            let cash = self.core.ledger().cash_at(venue);
            self.control(Control::Cash { venue, shard: 0, cash });
        }
        for control in told {
            self.control(*control);
        }
        self.control(Control::Reconciled { venue, clean: true });
    }

    fn report(&mut self, report: Report) {
        self.event(Event::Report(report));
    }

    fn wait(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        self.event(Event::Timer);
    }

    /// A whole book: bids and asks as (cents, contracts).
    fn book(&mut self, market: MarketId, bids: &[(u16, u64)], asks: &[(u16, u64)]) {
        self.book_over(LinkNumber::FIRST, market, bids, asks);
    }

    /// The same over one of the venue's market links.
    fn book_over(
        &mut self,
        link: LinkNumber,
        market: MarketId,
        bids: &[(u16, u64)],
        asks: &[(u16, u64)],
    ) {
        self.event(Event::SnapshotBegin { market, link, venue_time: Nanos::ZERO });
        for (side, levels) in [(Side::Bid, bids), (Side::Ask, asks)] {
            for &(cents, contracts) in levels {
                self.event(Event::Level(Level {
                    market,
                    side,
                    price: price(cents),
                    change: Change::Set(qty(contracts)),
                    last: false,
                }));
            }
        }
        self.event(Event::SnapshotEnd { market });
    }

    /// YES at 40 here, NO at 50 there (YES bid 50): ten cents under a dollar, 30 contracts deep.
    fn gap(&mut self) {
        self.book(PM, &[(38, 300)], &[(40, 30), (60, 100)]);
        self.book(KA, &[(50, 30), (20, 100)], &[(52, 300)]);
    }

    /// A gap of which the first leg fills and the second is refused: the order that sells the first again.
    fn first_leg_to_sell(&mut self) -> Order {
        self.gap();
        let first = self.last_placed();
        self.fill(&first, 30);
        let second = self.last_placed();
        let why = crate::report::Reject::Funds;
        self.report(Report::Rejected { order: OrderRef::Id(second.id), why });
        let sale = self.last_placed();
        assert_eq!(sale.purpose, crate::order::Purpose::Unwind);
        sale
    }

    /// A maker's order for so many contracts, filled at its price, for good and without a fee.
    fn buy_at_rest(&mut self, market: MarketId, outcome: Outcome, cents: u16, contracts: u64) {
        self.control(Control::Rest {
            market,
            outcome,
            action: Action::Buy,
            price: price(cents),
            qty: qty(contracts),
            expires: None,
            post_only: true,
            exit: false,
        });
        let order = self.last_placed();
        let fill = Fill { fee: Some(Usd::ZERO), ..self.fill_of(&order, contracts) };
        self.report(Report::Fill(Fill { finality: Finality::Final, ..fill }));
    }

    /// Both legs of the gap, bought one after the other, 30 contracts each: their fills.
    fn buy_gap(&mut self) -> [Fill; 2] {
        self.gap();
        [(); 2].map(|()| {
            let order = self.last_placed();
            let fill = self.fill_of(&order, 30);
            self.report(Report::Fill(fill));
            fill
        })
    }

    fn placed(&self) -> Vec<Order> {
        self.intents
            .iter()
            .filter_map(|intent| match intent {
                Intent::Place(order) => Some(**order),
                _ => None,
            })
            .collect()
    }

    fn last_placed(&self) -> Order {
        *self.placed().last().expect("an order was placed")
    }

    fn queries(&self) -> usize {
        self.intents.iter().filter(|intent| matches!(intent, Intent::Query(_))).count()
    }

    fn cancels(&self) -> usize {
        self.intents.iter().filter(|intent| matches!(intent, Intent::Cancel(_))).count()
    }

    /// A fill of an order at its own price, by our id.
    fn fill_of(&mut self, order: &Order, contracts: u64) -> Fill {
        self.fills += 1;
        let (side, price) = order.on_book();
        Fill {
            fill: FillId::new(self.fills),
            order: OrderRef::Id(order.id),
            market: order.market,
            side,
            price,
            qty: qty(contracts),
            fee: None,
            liquidity: Liquidity::Taker,
            finality: Finality::Provisional,
            venue_time: Nanos::ZERO,
        }
    }

    fn fill(&mut self, order: &Order, contracts: u64) {
        let fill = self.fill_of(order, contracts);
        self.report(Report::Fill(fill));
    }

    fn status(&mut self, order: &Order, state: VenueState, filled: Option<u64>) {
        self.report(Report::Status(OrderStatus {
            order: OrderRef::Id(order.id),
            state,
            filled: filled.map(qty),
        }));
    }

    fn group_states(&self) -> Vec<GroupState> {
        self.notes
            .iter()
            .filter_map(|note| match note {
                Note::Group { state, .. } => Some(*state),
                _ => None,
            })
            .collect()
    }

    fn reserved(&self) -> Usd {
        self.core.orders().live().fold(Usd::ZERO, |sum, record| sum + record.reserved)
    }

    fn held(&self, market: MarketId, outcome: Outcome) -> Qty {
        self.core.ledger().position(market).held(outcome)
    }
}

/// What an order opens, it opens in a market that is open and understood, from a book that may be decided from.
fn check_opening(core: &Core, order: &Order) {
    let market = order.market;
    let book = core.books().get(market).expect("its market has terms");
    let may_open = book.is_good()
        && book.terms().status == MarketStatus::Open
        && !core.silence.is_suspect(market, book.frames())
        && !core.quarantine.holds(market);
    assert!(may_open || !order.purpose.opens(), "O14: {order:?}");
}

#[test]
fn the_same_events_make_the_same_decisions() {
    let run = || {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
        let second = desk.last_placed();
        desk.fill(&second, 30);
        (desk.core.decision_hash(), desk.core.state_hash(), desk.intents)
    };
    assert_eq!(run(), run());
}
