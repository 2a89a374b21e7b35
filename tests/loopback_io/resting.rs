//! The core, an executor, the feed and the twin, joined by production codecs and streams: an order that rests through a
//! fill, a change, a kill of the process, a withdrawal and its expiry.

use std::path::PathBuf;
use std::time::Duration;

use surefoot::twin::server::wall_now;
use surefoot_cold::exec::codec::VenueCodec;
use surefoot_cold::reconcile::{self, Reader};
use surefoot_cold::wirelog::{Contents, Record, read};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event, Link};
use surefoot_hot::ids::{Action, MarketId, OrderId, OrderRef, Outcome, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::ledger::CashAccount;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::MarketDef;
use surefoot_hot::note::{Alarm, Note};
use surefoot_hot::order::{Expiry, OrderState, Tif};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::report::{Finality, Report, VenueState};
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use crate::support::scratch;
use crate::twin::{Kalshied, Polymarketed, Rig, TwinSide};

const MARKET: MarketId = MarketId::new(0);
/// The best bid where nothing of ours rests.
const HOUSE: (u16, Qty) = (4_400, Qty::from_contracts(500));

/// A core with its feed and executor, and all that it was ever given.
struct Desk<W: VenueCodec> {
    rig: Rig<W>,
    core: Core,
    out: Outbox,
    inputs: Vec<(Nanos, Event)>,
    notes: Vec<Note>,
    timer: Nanos,
    /// How far the core's clock is ahead of the wall's.
    ahead: Nanos,
}

impl<W: VenueCodec> Desk<W> {
    /// A run that begins on what an earlier one left.
    fn start(core: Core, rig: Rig<W>, def: &MarketDef, first_order: u64) -> Self {
        let mut desk = Self {
            rig,
            core,
            out: Outbox::new(),
            inputs: Vec::new(),
            notes: Vec::new(),
            timer: Nanos::ZERO,
            ahead: Nanos::ZERO,
        };
        desk.control(Control::Start { epoch: 7, first_order });
        for row in LimitRow::ALL {
            let value = if row.larger_is_safer() { 0 } else { u64::from(u32::MAX) };
            desk.control(Control::Limit { row, value });
        }
        desk.feed(&Event::Market(*def));
        if desk.core.ledger().cash_at(W::VENUE) == Usd::ZERO {
            let (shard, cash) = (def.shard, Usd::from_dollars(1_000));
            desk.control(Control::Cash { venue: W::VENUE, shard, cash });
        }
        for venue in Venue::ALL {
            desk.control(Control::Reconciled { venue, clean: true });
        }
        desk
    }

    fn control(&mut self, control: Control) {
        self.feed(&Event::Control(control));
    }

    fn feed(&mut self, event: &Event) {
        let now = wall_now().after(self.ahead);
        self.inputs.push((now, *event));
        self.core.on_event(now, event, &mut self.out);
        self.core.check_invariants();
        for intent in self.out.intents() {
            match intent {
                // The feed's; the sessions here ask by themselves, no market is withdrawn, and no silence lasts.
                Intent::Resync { .. } | Intent::Unfollow { .. } | Intent::Witness { .. } => {}
                Intent::Place(_)
                | Intent::Cancel(_)
                | Intent::CancelAll { .. }
                | Intent::Query(_)
                | Intent::Amend(_) => self.rig.intents.push(*intent).unwrap(),
            }
        }
        self.notes.extend_from_slice(self.out.notes());
        self.out.clear();
    }

    fn until(&mut self, what: &str, done: impl Fn(&Core) -> bool) {
        for _ in 0..20_000 {
            if done(&self.core) {
                return;
            }
            let now = wall_now();
            let work = self.rig.feed.turn(now) + self.rig.exec.turn(now);
            let mut events: Vec<Event> =
                std::iter::from_fn(|| self.rig.from_feed.pop().ok()).collect();
            events.extend(std::iter::from_fn(|| self.rig.from_exec.pop().ok()));
            for event in &events {
                self.feed(event);
            }
            if now >= self.timer {
                self.timer = now.after(Nanos::from_millis(50));
                self.feed(&Event::Timer);
            }
            if work == 0 {
                self.rig.exec.park(now, Duration::from_millis(1));
            }
        }
        let live: Vec<_> = self.core.orders().live().collect();
        panic!("{what} never came: {:?}\n{live:#?}\n{:?}", self.rig.exec.stats(), self.notes);
    }

    /// Both streams and the way for orders are up and the book is whole: then a quote passes the gate.
    fn quote(&mut self, ticks: u16, contracts: u64, expires: Option<Expiry>) -> OrderId {
        let before = self.core.next_order();
        for _ in 0..400 {
            self.until("a moment", {
                let until = wall_now().after(Nanos::from_millis(20));
                move |_| wall_now() >= until
            });
            self.control(Control::Rest {
                market: MARKET,
                outcome: Outcome::Yes,
                action: Action::Buy,
                price: Price::from_ticks(ticks).unwrap(),
                qty: Qty::from_contracts(contracts),
                expires,
                post_only: true,
                exit: false,
            });
            if self.core.next_order() > before {
                return OrderId::new(before);
            }
        }
        panic!("the gate never let it pass: {:?}", self.notes.last());
    }

    fn amend(&mut self, order: OrderId, ticks: u16, contracts: u64) {
        let (price, qty) = (Price::from_ticks(ticks).unwrap(), Qty::from_contracts(contracts));
        self.control(Control::Amend { order, price, qty, expires: None });
    }

    /// The order rests with so many contracts, so many of them filled and booked.
    fn rests(&mut self, order: OrderId, contracts: u64, filled: u64) {
        let what = format!("{order} resting with {contracts}, {filled} filled");
        let (qty, filled) = (Qty::from_contracts(contracts), Qty::from_contracts(filled));
        self.until(&what, |core| {
            core.orders().find(OrderRef::Id(order)).is_some_and(|record| {
                record.state == OrderState::Resting
                    && (record.order.qty, record.filled) == (qty, filled)
            })
        });
    }

    fn is_over(&mut self, order: OrderId) {
        self.until(&format!("the end of {order}"), |core| {
            let found = core.orders().find(OrderRef::Id(order));
            found.is_some_and(|record| record.state == OrderState::Done)
        });
        assert_eq!(self.reserved(order), Usd::ZERO);
    }

    /// Has the venue read as a run does. Whether the core agrees with what it says.
    fn reads(&mut self, reader: &dyn Reader) -> bool {
        let (venue, since) = (W::VENUE, wall_now().after(self.ahead));
        let truth = reader.truth().unwrap();
        for &fill in &truth.confirmed {
            self.feed(&Event::Report(Report::Finality { fill, state: Finality::Final }));
        }
        self.control(Control::Reading { venue, since });
        for event in reconcile::events(venue, &truth, [MARKET].into_iter()) {
            self.feed(&event);
        }
        self.control(Control::Reconciled { venue, clean: true });
        self.core.stats().agrees[venue]
    }

    /// Whether cash and contracts are the venue's to the last millionth.
    fn is_exact(&self, reader: &dyn Reader) -> bool {
        let truth = reader.truth().unwrap();
        let ledger = self.core.ledger();
        let mut cash = truth.cash.iter();
        let held = truth.positions.iter().find(|(market, ..)| *market == MARKET);
        let (yes, no) = held.map_or((Qty::ZERO, Qty::ZERO), |&(_, yes, no)| (yes, no));
        let position = ledger.position(MARKET);
        cash.all(|&(shard, cash)| ledger.cash(CashAccount::of(W::VENUE, shard)) == cash)
            && (position.held(Outcome::Yes), position.held(Outcome::No)) == (yes, no)
    }

    fn reserved(&self, order: OrderId) -> Usd {
        self.core.orders().find(OrderRef::Id(order)).map_or(Usd::ZERO, |record| record.reserved)
    }

    fn held(&self) -> Qty {
        self.core.ledger().position(MARKET).held(Outcome::Yes)
    }

    /// The order that took another's place; the same where the venue changed it in place.
    fn successor(&self, order: OrderId) -> OrderId {
        let by = |note: &Note| match note {
            Note::Replaced { order: old, by } if *old == order => Some(*by),
            _ => None,
        };
        self.notes.iter().find_map(by).unwrap_or(order)
    }
}

fn logged_amends(contents: &Contents) -> usize {
    contents.records.iter().filter(|record| matches!(record, Record::Amend(_))).count()
}

fn an_order_lives<T: TwinSide>(name: &str, twin: &T)
where
    T::Codec: VenueCodec,
{
    let in_place = T::Codec::VENUE.rules().amends_in_place;
    let log: PathBuf = scratch(name).join("wire.log");
    let (rig, _) = twin.connect(&log, false);
    let mut desk = Desk::start(Core::new(), rig, &twin.def(), 1_000);

    // It rests, and a part of it fills.
    let first = desk.quote(5_000, 20, None);
    desk.rests(first, 20, 0);
    twin.house_sells(5_000, 5);
    desk.rests(first, 20, 5);
    assert_eq!(desk.held(), Qty::from_contracts(5));

    // It is changed: price and size.
    desk.amend(first, 5_100, 30);
    desk.until("the change", |core| {
        core.orders().live().any(|record| {
            record.state == OrderState::Resting && record.order.price.ticks() == 5_100
        })
    });
    let order = desk.successor(first);
    assert_eq!(order == first, in_place);
    // A replacement is for what was left; a change in place counts what is filled.
    let (size, filled) = if in_place { (30, 5) } else { (25, 0) };
    desk.rests(order, size, filled);
    assert_eq!(twin.best(), (5_100, Qty::from_contracts(25)));
    assert_eq!(desk.core.orders().live_len(), 1);

    // Only its size shrinks.
    desk.amend(order, 5_100, size - 10);
    desk.until("the smaller size", |core| {
        let smaller = |qty| core.orders().live().any(|record| record.order.qty == qty);
        smaller(Qty::from_contracts(if in_place { size - 10 } else { 15 }))
    });
    let order = desk.successor(order);
    let (size, filled) = if in_place { (20, 5) } else { (15, 0) };
    desk.rests(order, size, filled);
    assert_eq!(twin.best(), (5_100, Qty::from_contracts(15)));
    let contents = read(&log).unwrap();
    assert_eq!(logged_amends(&contents), if in_place { 2 } else { 0 }, "each was written ahead");

    // The process is killed: nothing is closed, nothing is told to the venue. Meanwhile three contracts fill.
    let (inputs, before) = (desk.inputs.clone(), desk.core.state_hash());
    std::mem::forget(desk.rig);
    twin.house_sells(5_000, 3);
    let mut core = Core::new();
    let mut out = Outbox::new();
    for (now, event) in &inputs {
        core.on_event(*now, event, &mut out);
        out.clear();
    }
    assert_eq!(core.state_hash(), before, "the journal's fold is the core");
    let (mut rig, contents) = twin.connect(&log, false);
    let live: Vec<_> = core.orders().live().map(|record| record.order).collect();
    rig.exec.remember(&contents, live.iter());
    let mut desk = Desk::start(core, rig, &twin.def(), 2_000);
    desk.rests(order, size, filled + 3);
    assert_eq!(
        desk.held(),
        Qty::from_contracts(8),
        "the fill that nobody was told of is booked once"
    );
    assert_eq!(twin.best(), (5_100, Qty::from_contracts(12)), "it was left where it is wanted");
    assert_eq!(desk.core.stats().cancels, if in_place { 0 } else { 2 });

    // It is withdrawn.
    desk.control(Control::Withdraw { order });
    desk.is_over(order);
    assert_eq!(twin.best(), HOUSE);

    // Another one ends by itself when its time has come.
    let expires = Expiry::at(wall_now().after(Nanos::from_secs(200)));
    let dated = desk.quote(4_900, 10, expires);
    desk.rests(dated, 10, 0);
    twin.house_sells(4_900, 4);
    desk.rests(dated, 10, 4);
    desk.ahead = Nanos::from_secs(201);
    twin.pass(Nanos::from_secs(201));
    desk.is_over(dated);
    assert_eq!(twin.best(), HOUSE);
    let stats = desk.core.stats();
    assert_eq!((stats.orders_expired, desk.held()), (1, Qty::from_contracts(12)));
    // What a quote has bought has no partner here, and is told to a person.
    let expected = [Alarm::FeeDrift, Alarm::Unpaired];
    let bad = |note: &&Note| {
        matches!(note, Note::Alarm { what, .. } if !expected.contains(what))
            || matches!(note, Note::Halt { .. })
    };
    assert_eq!(desk.notes.iter().find(bad), None);
}

#[test]
fn an_order_rests_at_kalshi_through_fill_change_kill_withdrawal_and_expiry() {
    an_order_lives("resting-ka", &Kalshied::serve(1));
}

#[test]
fn an_order_rests_at_polymarket_through_fill_replace_kill_withdrawal_and_expiry() {
    an_order_lives("resting-pm", &Polymarketed::serve());
}

/// The venue is read at every moment of an order's life, and agrees. Then another program trades with the same keys.
fn a_venue_agrees_while_an_order_rests<T: TwinSide>(name: &str, twin: &T)
where
    T::Codec: VenueCodec,
{
    let log: PathBuf = scratch(name).join("wire.log");
    let (rig, _) = twin.connect(&log, false);
    let reader = twin.reader();
    let mut desk = Desk::start(Core::new(), rig, &twin.def(), 1_000);
    // The cash that the desk was set up with is not the venue's: told twice, that is.
    assert_eq!([desk.reads(&*reader), desk.reads(&*reader)], [false, true]);

    let first = desk.quote(5_000, 20, None);
    assert!(desk.reads(&*reader), "it is on its way");
    desk.rests(first, 20, 0);
    assert!(desk.reads(&*reader) && desk.reads(&*reader), "it rests");
    twin.house_sells(5_000, 5);
    assert!(desk.reads(&*reader), "a part is filled, which the core has not heard of");
    desk.rests(first, 20, 5);
    assert!(desk.reads(&*reader), "it has");
    desk.amend(first, 5_100, 30);
    assert!(desk.reads(&*reader), "the change is on its way");
    desk.until("the change", |core| {
        core.orders().live().any(|record| {
            record.state == OrderState::Resting && record.order.price.ticks() == 5_100
        })
    });
    assert!(desk.reads(&*reader), "it is made");
    let order = desk.successor(first);

    // The process is killed, more is filled meanwhile, and the next one reads before it knows of that.
    let inputs = desk.inputs.clone();
    std::mem::forget(desk.rig);
    twin.house_sells(5_100, 3);
    let (mut core, mut out) = (Core::new(), Outbox::new());
    for (now, event) in &inputs {
        core.on_event(*now, event, &mut out);
        out.clear();
    }
    let (mut rig, contents) = twin.connect(&log, false);
    let live: Vec<_> = core.orders().live().map(|record| record.order).collect();
    rig.exec.remember(&contents, live.iter());
    let mut desk = Desk::start(core, rig, &twin.def(), 2_000);
    assert!(desk.reads(&*reader), "what became of the order is not known");
    desk.until("the fill", |core| {
        core.ledger().position(MARKET).held(Outcome::Yes) == Qty::from_contracts(8)
    });
    assert!(desk.reads(&*reader), "it rests as before");
    let drift = |note: &&Note| {
        let Note::Alarm { what, .. } = note else { return false };
        matches!(what, Alarm::PositionDrift | Alarm::CashDrift | Alarm::Gone)
    };
    assert_eq!(desk.notes.iter().find(drift), None, "nothing was put right");

    // Another program buys more with the same keys than the order could have filled.
    let (mut other, _) = twin.connect(&scratch(&format!("{name}-other")).join("wire.log"), false);
    other.until("the way", |seen| {
        seen.contains(&Event::Link {
            venue: T::Codec::VENUE,
            link: Link::Orders,
            number: LinkNumber::FIRST,
            up: true,
        })
    });
    for id in 9_000_001..=9_000_004 {
        other.place(id, 5_600, Tif::Ioc);
        other.status(id, VenueState::Filled, 10);
    }
    assert!(!desk.reads(&*reader), "no fate of the order explains that");
    assert!(desk.reads(&*reader), "read twice, what is certain of it is put right");
    assert!(desk.notes.iter().any(|note| drift(&note)));
    desk.control(Control::Withdraw { order });
    desk.is_over(order);
    // The rest shows once nothing that was in flight can explain it any more.
    for _ in 0..20 {
        desk.ahead = desk.ahead.after(Nanos::from_secs(12));
        twin.pass(desk.ahead);
        desk.reads(&*reader);
        if desk.is_exact(&*reader) {
            break;
        }
    }
    assert!(desk.is_exact(&*reader) && desk.reads(&*reader));
    assert_eq!(desk.held(), Qty::from_contracts(48));
}

#[test]
fn kalshi_agrees_at_every_moment_while_an_order_rests() {
    a_venue_agrees_while_an_order_rests("agrees-ka", &Kalshied::serve(1));
}

#[test]
fn polymarket_agrees_at_every_moment_while_an_order_rests() {
    a_venue_agrees_while_an_order_rests("agrees-pm", &Polymarketed::serve());
}
