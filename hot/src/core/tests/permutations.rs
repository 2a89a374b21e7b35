//! One order under everything that may be told of it, in every order of telling: a plain model of it is held against the core
//! after every word, with cash, contracts, fees, reservations and risk worked out anew from the fills.

use super::model::{contracts, micros, terms_of, venue_of};
use super::plain_ledger::{Happened, Plain};
use super::plain_order::{Changing, DUST, PlainOrder, Terms};
use super::*;
use crate::cases::cases;
use crate::ledger::{CashAccount, LedgerAccount};
use crate::order::OrderState;
use crate::random::Rng;
use crate::report::{Reject, Unsent};

/// Markets of one desk; each order is in one of its own.
const MARKETS: u16 = 60;
/// Contracts of each order.
const ORDERED: u64 = 30;

/// What is told of an order, or wanted of it. Contracts are whole ones, and fills are named by their place in the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Rests(u64),
    Filled(Option<u64>),
    Cancelled(Option<u64>),
    Expired(u64),
    Rejected,
    Unsent,
    TimedOut,
    CancelRefused,
    /// The venue does not know it. Told eleven seconds after what was told before.
    Absent,
    Fill(usize),
    Final(usize),
    Failed(usize),
    /// Its limit and its size: cents and contracts.
    Terms(u16, u64),
    AmendRefused,
    /// Two seconds pass.
    Pause,
    /// We want other terms: cents and contracts.
    Amend(u16, u64),
    /// We do not want it any more.
    Withdraw,
}

use Word as W;

/// A fill that may be told: cents beyond the limit (at a worse price, where they are), contracts.
type Part = (u16, u64);

/// An order that is followed: ours and the plain one.
struct Followed {
    order: Order,
    plain: PlainOrder,
}

/// A fill that was told.
#[derive(Clone, Copy)]
struct Told {
    fill: Fill,
    /// Which of the followed orders it is of, and where it stands in the history; `None` where it failed before it was told.
    of: Option<(usize, usize)>,
    failed: bool,
    /// Whether it was told with its order, after it had failed.
    heard: bool,
    is_final: bool,
    /// What it brought, if it was a sale, and what was at risk in the contracts that it took.
    held_back: (i128, i128),
}

/// An order and its successors in a market of their own.
struct Trial<'a> {
    desk: &'a mut Desk,
    market: MarketId,
    action: Action,
    parts: &'a [Part],
    orders: Vec<Followed>,
    history: Vec<Happened>,
    told: Vec<Option<Told>>,
    /// Cash, fees and results before the first fill.
    before: [i128; 3],
    /// Notes and intents before the order.
    noted: usize,
    seen: usize,
    successors: u32,
}

/// A desk whose limits leave room for everything.
fn roomy() -> Desk {
    let mut desk = Desk::unfunded();
    for row in LimitRow::ALL {
        let (least, most) = row.def().bounds;
        desk.control(Control::Limit {
            row,
            value: if row.larger_is_safer() { least } else { most },
        });
    }
    // What is sold here is what the test sells.
    for (row, value) in [(LimitRow::Unpaired, 0), (LimitRow::Sequencing, 2)] {
        desk.control(Control::Limit { row, value });
    }
    desk.open();
    desk
}

fn read_both(desk: &mut Desk) {
    for venue in Venue::ALL {
        desk.reading(venue, &[]);
    }
}

impl<'a> Trial<'a> {
    /// An order of thirty contracts that is to rest; where it sells, as many are bought first.
    fn new(desk: &'a mut Desk, market: MarketId, action: Action, parts: &'a [Part]) -> Self {
        desk.intents.clear();
        desk.notes.clear();
        read_both(desk);
        desk.event(Event::Market(terms_of(market)));
        desk.book(market, &[(45, 300)], &[(55, 300)]);
        let before = figures(desk, market);
        let mut history = Vec::new();
        if action == Action::Sell {
            desk.control(to_rest(market, Action::Buy, 47, ORDERED, false));
            let bought = desk.last_placed();
            let fill = Fill { finality: Finality::Final, ..desk.fill_of(&bought, ORDERED) };
            let fill = Fill { fee: Some(Usd::ZERO), liquidity: Liquidity::Maker, ..fill };
            desk.report(Report::Fill(fill));
            history.push(happened(&bought, &fill));
        }
        let cents = if action == Action::Buy { 48 } else { 52 };
        desk.control(to_rest(market, action, cents, ORDERED, action == Action::Sell));
        let order = desk.last_placed();
        let plain = PlainOrder::new(desk.now, action == Action::Buy, terms_in(&order));
        let (noted, seen) = (desk.notes.len(), desk.intents.len());
        let (orders, told) = (vec![Followed { order, plain }], vec![None; parts.len()]);
        let mut trial = Self {
            desk,
            market,
            action,
            parts,
            orders,
            history,
            told,
            before,
            noted,
            seen,
            successors: 0,
        };
        trial.check();
        trial
    }

    /// Tells or does one thing with one of the orders, and holds what comes of it against the plain model.
    fn say(&mut self, nth: usize, word: Word) {
        let order = self.orders[nth].order;
        let by = OrderRef::Id(order.id);
        let change = self.orders[nth].plain.change;
        match word {
            W::Absent => self.pass(11),
            W::Pause => self.pass(2),
            _ => {}
        }
        let now = self.desk.now.after(Nanos::new(1_000)); // when the core hears of it
        let plain = &mut self.orders[nth].plain;
        let size = |contracts: u64| i128::from(contracts) * 1_000_000;
        let (state, filled) = match word {
            W::Rests(filled) => {
                plain.rests(Some(size(filled)));
                (VenueState::Resting, Some(filled))
            }
            W::Filled(filled) => {
                plain.filled(now, filled.map(size));
                (VenueState::Filled, filled)
            }
            W::Cancelled(filled) => {
                plain.gone(now, filled.map(size));
                (VenueState::Cancelled, filled)
            }
            W::Expired(filled) => {
                plain.gone(now, Some(size(filled)));
                (VenueState::Expired, Some(filled))
            }
            _ => return self.say_other(nth, now, word, by, change),
        };
        self.desk.status(&order, state, filled);
        self.follow(nth, change);
    }

    /// The same of what is no status.
    fn say_other(
        &mut self,
        nth: usize,
        now: Nanos,
        word: Word,
        by: OrderRef,
        change: Option<Changing>,
    ) {
        let Followed { order, plain } = &mut self.orders[nth];
        let order = *order;
        match word {
            W::Rejected => plain.never(),
            W::Unsent => plain.never(),
            W::CancelRefused => plain.cancel_refused(),
            W::Absent => plain.absent(now),
            W::AmendRefused => plain.amend_refused(),
            W::Terms(cents, contracts) => plain.has_terms(now, terms(cents, contracts)),
            W::Withdraw => plain.withdrawn(),
            _ => {}
        }
        let (id, venue) = (order.id, order.venue);
        match word {
            W::Rejected => self.desk.report(Report::Rejected { order: by, why: Reject::Funds }),
            W::Unsent => self.desk.report(Report::Unsent { order: id, why: Unsent::Encode }),
            W::TimedOut => self.desk.report(Report::TimedOut { order: id }),
            W::CancelRefused => self.desk.report(Report::CancelRefused { order: by }),
            W::Absent => self.desk.report(Report::Absent { order: id, venue }),
            W::AmendRefused => self.desk.report(Report::AmendRefused { order: by }),
            W::Terms(cents, contracts) => {
                let (price, qty) = (price(cents), qty(contracts));
                self.desk.report(Report::Terms { order: by, price, qty });
            }
            W::Withdraw => self.desk.control(Control::Withdraw { order: id }),
            W::Amend(cents, contracts) => self.amend(nth, now, cents, contracts),
            W::Fill(part) => self.fill(nth, part),
            W::Final(part) => self.finish(part, Finality::Final),
            W::Failed(part) => self.finish(part, Finality::Failed),
            W::Pause => {}
            W::Rests(_) | W::Filled(_) | W::Cancelled(_) | W::Expired(_) => unreachable!(),
        }
        self.follow(nth, change);
    }

    /// Time passes, and the venues are read, so that something may be opened.
    fn pass(&mut self, secs: u64) {
        self.desk.wait(Nanos::from_secs(secs));
        read_both(self.desk);
        // In a market that was closed no purchase rests for long.
        if self.desk.core.quarantine.holds(self.market) && self.action == Action::Buy {
            self.orders.iter_mut().for_each(|followed| followed.plain.withdrawn());
        }
    }

    fn amend(&mut self, nth: usize, now: Nanos, cents: u16, contracts: u64) {
        let id = self.orders[nth].order.id;
        let order = OrderRef::Id(id);
        let sent = |desk: &Desk| desk.core.orders.find(order).and_then(|record| record.change);
        let before = sent(self.desk);
        let (price, qty) = (price(cents), qty(contracts));
        self.desk.control(Control::Amend { order: id, price, qty, expires: None });
        // Whether it may be changed is the gate's to say; what follows from it is not.
        if let (None, Some(change)) = (before, sent(self.desk)) {
            let (to, replaces) = (terms(cents, contracts), change.replaces);
            self.orders[nth].plain.change = Some(Changing { to, sent: now, replaces });
        }
    }

    /// A fill is told, for the first time or again. It is of the order that it was told of first.
    fn fill(&mut self, nth: usize, part: usize) {
        if let Some(told) = self.told[part] {
            if told.of.is_none() && !told.heard {
                self.told[part] = Some(Told { heard: true, ..told });
                self.orders[0].plain.failed_before(contracts_of(&told.fill));
            }
            return self.desk.report(Report::Fill(told.fill));
        }
        let (beyond, contracts) = self.parts[part];
        let order = self.orders[nth].order;
        let limit = self.orders[nth].plain.terms.price as u16 / 100;
        let cents = match self.action {
            Action::Buy => limit + beyond,
            Action::Sell => limit - beyond,
        };
        let provisional = order.venue.rules().provisional_fills;
        let finality = if provisional { Finality::Provisional } else { Finality::Final };
        let (price, size) = (price(cents), qty(contracts));
        let fee = Some(terms_of(self.market).fee.fee(price, size, false));
        let fill = Fill { price, fee, finality, ..self.desk.fill_of(&order, contracts) };
        let fill = Fill { liquidity: Liquidity::Maker, ..fill };
        let was = Plain::of(&self.history, venue_of);
        self.history.push(happened(&order, &fill));
        let is = Plain::of(&self.history, venue_of);
        let held_back = if provisional && self.action == Action::Sell {
            let venue = order.venue.index();
            let at_risk = was.at_risk(self.market) - is.at_risk(self.market);
            ((is.cash[venue] - was.cash[venue]).max(0), at_risk.max(0))
        } else {
            (0, 0)
        };
        let of = Some((nth, self.history.len() - 1));
        let (failed, heard, is_final) = (false, true, !provisional);
        self.told[part] = Some(Told { fill, of, failed, heard, is_final, held_back });
        self.orders[nth].plain.fill(price.ticks().into(), contracts_of(&fill));
        self.desk.report(Report::Fill(fill));
    }

    /// A fill is confirmed or fails. A venue that confirms one tells all of it; that it failed may be all that is heard of it.
    fn finish(&mut self, part: usize, state: Finality) {
        let known = self.told[part];
        let id = known.map_or_else(|| FillId::new(self.desk.fills + 1), |told| told.fill.fill);
        match (known, state) {
            (None, Finality::Failed) => {
                let order = self.orders[0].order;
                let fill = self.desk.fill_of(&order, self.parts[part].1);
                let (of, failed, heard, is_final) = (None, true, false, false);
                self.told[part] =
                    Some(Told { fill, of, failed, heard, is_final, held_back: (0, 0) });
            }
            (None, _) => return, // nothing was told that could be confirmed
            (Some(told), Finality::Failed) if !told.failed => {
                let (nth, at) = told.of.expect("it was booked");
                self.history[at] = Happened::Failed;
                self.orders[nth].plain.failed(contracts_of(&told.fill));
                self.told[part] = Some(Told { failed: true, ..told });
            }
            (Some(told), Finality::Final) => {
                self.told[part] = Some(Told { is_final: true, ..told });
            }
            (Some(_), _) => {}
        }
        self.desk.report(Report::Finality { fill: id, state });
    }

    /// An order that was to be replaced has ended: what it left is the next one's. Then everything is compared.
    fn follow(&mut self, nth: usize, change: Option<Changing>) {
        let placed: Vec<Order> = self.desk.intents[self.seen..]
            .iter()
            .filter_map(
                |intent| if let Intent::Place(order) = intent { Some(**order) } else { None },
            )
            .collect();
        self.seen = self.desk.intents.len();
        let plain = &self.orders[nth].plain;
        let replaced = change.filter(|change| change.replaces && plain.change.is_none());
        let left = replaced.map_or(0, |change| change.to.qty - plain.known());
        let follows = left > DUST && plain.traded && plain.total.is_some();
        assert!(
            placed.len() <= usize::from(follows),
            "one takes another's place, once: {placed:?}"
        );
        for order in placed {
            let to = replaced.expect("it follows").to;
            assert_eq!(
                terms_in(&order),
                Terms { qty: left, ..to },
                "O12: what is left, on the new terms"
            );
            assert_ne!(order.id, self.orders[nth].order.id, "O7");
            let plain =
                PlainOrder::new(self.desk.now, self.action == Action::Buy, terms_in(&order));
            self.orders.push(Followed { order, plain });
            self.successors += 1;
        }
        self.check();
    }

    /// Every figure of the core against the plain ones.
    fn check(&mut self) {
        let rule = terms_of(self.market).fee;
        let mut reserved = 0;
        for Followed { order, plain } in &self.orders {
            let record =
                self.desk.core.orders.find(OrderRef::Id(order.id)).expect("it is remembered");
            assert_eq!(contracts(record.filled), plain.filled, "O1, filled: {plain:?}");
            assert_eq!(contracts(record.claimed), plain.counted, "O1, counted: {plain:?}");
            assert_eq!(contracts(record.open()), plain.remaining(), "O1, left: {plain:?}");
            assert_eq!(record.ended.map(contracts), plain.total, "O1, ended: {plain:?}");
            assert_eq!(record.state == OrderState::Done, plain.over, "O3, O10: {plain:?}");
            if !plain.overfilled {
                let sum = plain.filled + plain.cancelled() + plain.remaining();
                assert_eq!(sum, plain.original(), "O1: {plain:?}");
            }
            let change = record.change.map(|change| (change.to.price, change.to.qty));
            let wanted = plain.change.map(|change| change.to);
            let change = change
                .map(|(price, qty)| Terms { price: price.ticks().into(), qty: contracts(qty) });
            assert_eq!(change, wanted, "O12: {plain:?}");
            let (cash, held) = plain.reserved(rule);
            assert_eq!(micros(record.reserved), cash, "R1, R3: {plain:?}");
            assert_eq!(contracts(record.reserved_qty), held, "R1, R3: {plain:?}");
            reserved += cash;
        }
        self.check_money(reserved);
        self.check_alarms();
    }

    fn check_money(&self, reserved: i128) {
        let (desk, market) = (&self.desk, self.market);
        let ledger = desk.core.ledger();
        let plain = Plain::of(&self.history, venue_of);
        let venue = venue_of(market);
        let now = figures(desk, market);
        let moved = [0, 1, 2].map(|at| now[at] - self.before[at]);
        assert_eq!(moved, [plain.cash[venue.index()], plain.fees, plain.realised], "P1, P4");
        for outcome in Outcome::ALL {
            let position = ledger.position(market);
            let held = contracts(position.held(outcome)) - contracts(position.short(outcome));
            assert_eq!(held, plain.held(market, outcome), "P1, {outcome:?}");
        }
        let open = self.told.iter().flatten().filter(|told| !told.failed && !told.is_final);
        let (cash, risk) =
            open.fold((0, 0), |sum, told| (sum.0 + told.held_back.0, sum.1 + told.held_back.1));
        let held = micros(ledger.balance(LedgerAccount::Reserved(CashAccount::of(venue, 0))));
        assert_eq!(held, reserved + cash, "R4, R5: what is reserved is explained");
        let free = micros(ledger.balance(LedgerAccount::Cash(CashAccount::of(venue, 0))));
        assert_eq!(free, now[0] - held, "R6");
        let at_risk = micros(desk.core.money.exposure().market(market));
        assert_eq!(at_risk, plain.at_risk(market) + reserved + risk, "R2");
    }

    /// What the venue did beyond what was agreed is told, and closes the market; nothing else does.
    fn check_alarms(&self) {
        let told = |wanted: Alarm| {
            let is_it = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == wanted);
            self.desk.notes[self.noted..].iter().filter(is_it).count() as u32
        };
        let plain = || self.orders.iter().map(|followed| &followed.plain);
        let over = plain().filter(|plain| plain.overfilled).count() as u32;
        let worse = plain().any(|plain| plain.worse);
        assert_eq!(told(Alarm::Overfill), over, "O4");
        assert_eq!(told(Alarm::WorseFill) > 0, worse, "O6");
        assert_eq!(told(Alarm::LateFill), plain().map(|plain| plain.late).sum::<u32>(), "O3");
        let closed = self.desk.core.quarantine.holds(self.market);
        let failed = self.told.iter().flatten().any(|told| told.failed && told.of.is_some());
        assert!(closed || (over == 0 && !worse), "O4, O6: the market is closed");
        assert!(!closed || over > 0 || worse || failed, "nothing else closes it");
    }

    /// Everything in this order, and once more: what we want is wanted once, what is told may be told again.
    fn tell_twice(&mut self, words: &[Word]) {
        words.iter().for_each(|&word| self.say(0, word));
        let ours = |word: &&Word| matches!(word, W::Amend(..) | W::Withdraw | W::Pause);
        words.iter().filter(|word| !ours(word)).for_each(|&word| self.say(0, word));
    }

    /// The word itself; terms are those that the order has or, for every other price, those that it is to have in place.
    fn known_terms(&self, nth: usize, word: Word) -> Word {
        let W::Terms(cents, _) = word else { return word };
        let plain = &self.orders[nth].plain;
        let change = plain.change.filter(|change| !change.replaces && cents % 2 == 0);
        let Terms { price, qty } = change.map_or(plain.terms, |change| change.to);
        W::Terms(price as u16 / 100, qty as u64 / 1_000_000)
    }

    /// The venue says, as often as it takes, what became of everything; in what it counts it `keeps` what failed, or not. Then all is
    /// over, and nothing is left reserved.
    fn end(&mut self, keeps: bool) {
        for part in 0..self.parts.len() {
            let Some(told) = self.told[part] else { continue };
            self.say(told.of.map_or(0, |(nth, _)| nth), W::Fill(part));
            self.say(0, if told.failed { W::Failed(part) } else { W::Final(part) });
        }
        for _ in 0..5 {
            let mut nth = 0;
            while nth < self.orders.len() {
                let plain = &self.orders[nth].plain;
                let filled = plain.filled + if keeps { plain.void } else { 0 };
                let filled = u64::try_from(filled / 1_000_000).expect("never below zero");
                self.say(nth, W::Cancelled(Some(filled)));
                nth += 1;
            }
            self.pass(11);
        }
        self.check();
        for Followed { order, plain } in &self.orders {
            assert!(plain.over, "S11: {order:?} {plain:?}");
        }
    }
}

fn happened(order: &Order, fill: &Fill) -> Happened {
    let &Order { market, outcome, action, .. } = order;
    Happened::Fill {
        market,
        outcome,
        action,
        price: fill.price.ticks().into(),
        qty: contracts(fill.qty),
        fee: fill.fee.map_or(0, micros),
    }
}

fn contracts_of(fill: &Fill) -> i128 {
    contracts(fill.qty)
}

fn terms(cents: u16, contracts: u64) -> Terms {
    Terms { price: i128::from(cents) * 100, qty: i128::from(contracts) * 1_000_000 }
}

fn terms_in(order: &Order) -> Terms {
    Terms { price: order.price.ticks().into(), qty: contracts(order.qty) }
}

/// Cash at a market's venue, fees and results.
fn figures(desk: &Desk, market: MarketId) -> [i128; 3] {
    let ledger = desk.core.ledger();
    [ledger.cash_at(venue_of(market)), ledger.fees(), ledger.realised()].map(micros)
}

/// Every order of `words`, handed to `each`.
fn permutations(words: &mut Vec<Word>, from: usize, each: &mut impl FnMut(&[Word])) {
    if from == words.len() {
        return each(words);
    }
    for at in from..words.len() {
        // What is there twice need not change places with itself.
        if words[from..at].contains(&words[at]) {
            continue;
        }
        words.swap(from, at);
        permutations(words, from + 1, each);
        words.swap(from, at);
    }
}

/// Desks one after another, with markets that no order was in.
struct Markets {
    desk: Desk,
    next: u16,
}

impl Markets {
    fn new() -> Self {
        Self { desk: roomy(), next: 0 }
    }

    /// A desk, and a fresh market of a venue there. Where markets were closed for what happened in them the desk is left: some more
    /// would halt it.
    fn fresh(&mut self, venue: Venue) -> (&mut Desk, MarketId) {
        let closed = self.desk.core.quarantine.iter().next().is_some();
        if self.next >= MARKETS || closed {
            *self = Self::new();
        }
        let market = MarketId::new(2 + 2 * self.next + venue.index() as u16);
        assert_eq!(venue_of(market), venue);
        self.next += 1;
        (&mut self.desk, market)
    }
}

const BOTH: &[Venue] = &Venue::ALL;
const PM_ONLY: &[Venue] = &[Venue::Polymarket];

/// A name, the venues where it may happen, the fills, and what is told.
type Script = (&'static str, &'static [Venue], &'static [Part], &'static [Word]);

/// What may become of an order.
const SCRIPTS: &[Script] = &[
    (
        "two fills",
        BOTH,
        &[(0, 10), (0, 20)],
        &[W::Rests(0), W::Fill(0), W::Fill(1), W::Filled(Some(30)), W::TimedOut],
    ),
    (
        "a part, then cancelled",
        BOTH,
        &[(0, 10)],
        &[W::Rests(0), W::Withdraw, W::Fill(0), W::Cancelled(Some(10)), W::CancelRefused],
    ),
    (
        "filled while it was cancelled",
        BOTH,
        &[(0, 10), (0, 20)],
        &[W::Withdraw, W::Fill(0), W::Cancelled(None), W::Fill(1), W::Filled(None)],
    ),
    (
        "nobody knows it",
        BOTH,
        &[(0, 10)],
        &[W::TimedOut, W::Absent, W::Absent, W::Absent, W::Fill(0)],
    ),
    ("rejected", BOTH, &[], &[W::Rests(0), W::Rejected, W::TimedOut, W::CancelRefused]),
    ("rejected, it says", BOTH, &[(0, 10)], &[W::Rejected, W::Fill(0), W::Rests(10), W::Withdraw]),
    ("never sent", BOTH, &[], &[W::Unsent, W::TimedOut, W::Withdraw, W::Absent]),
    ("expired", BOTH, &[(0, 10)], &[W::Rests(0), W::Fill(0), W::Expired(10), W::TimedOut]),
    (
        "changed",
        BOTH,
        &[(0, 10), (0, 26)],
        &[W::Rests(0), W::Amend(49, 36), W::Fill(0), W::Terms(49, 36), W::Fill(1)],
    ),
    (
        "not changed",
        BOTH,
        &[(0, 10)],
        &[W::Rests(0), W::Amend(47, 20), W::AmendRefused, W::Fill(0), W::Terms(48, 30)],
    ),
    (
        "made smaller than what is filled",
        BOTH,
        &[(0, 10), (0, 5)],
        &[W::Rests(0), W::Amend(48, 12), W::Fill(0), W::Fill(1), W::Terms(48, 12)],
    ),
    (
        "replaced, with a part filled",
        BOTH,
        &[(0, 10)],
        &[W::Rests(0), W::Amend(46, 25), W::Fill(0), W::Cancelled(Some(10)), W::CancelRefused],
    ),
    (
        "replaced, then not wanted",
        BOTH,
        &[(0, 10)],
        &[W::Rests(0), W::Amend(46, 25), W::Withdraw, W::Fill(0), W::Cancelled(Some(10))],
    ),
    (
        "one fill fails, the other stays",
        PM_ONLY,
        &[(0, 10), (0, 20)],
        &[W::Rests(0), W::Fill(0), W::Fill(1), W::Failed(0), W::Final(1)],
    ),
    (
        "a fill fails that the venue had counted",
        PM_ONLY,
        &[(0, 10), (0, 20)],
        &[W::Cancelled(Some(30)), W::Fill(0), W::Fill(1), W::Failed(1), W::Cancelled(Some(10))],
    ),
    (
        "more than was ordered",
        BOTH,
        &[(0, 10), (0, 25)],
        &[W::Rests(0), W::Fill(0), W::Fill(1), W::Filled(Some(35))],
    ),
    (
        "at a worse price",
        BOTH,
        &[(2, 10), (0, 20)],
        &[W::Rests(0), W::Fill(0), W::Fill(1), W::Filled(Some(30))],
    ),
    (
        "filled in part, and not to be cancelled",
        BOTH,
        &[(0, 10)],
        &[W::CancelRefused, W::Filled(Some(10)), W::Pause, W::Filled(Some(10)), W::Fill(0)],
    ),
];

/// Runs one trial, and says which one it was where something does not hold.
fn hold(place: impl Fn() -> String, trial: impl FnOnce()) {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(trial));
    assert!(result.is_ok(), "{}", place());
}

#[test]
fn every_permutation_of_what_is_told_of_an_order_leaves_the_plain_figures() {
    let mut markets = Markets::new();
    let (mut trials, mut successors) = (0, 0);
    for &(name, venues, parts, words) in SCRIPTS {
        for (&venue, action) in
            venues.iter().flat_map(|venue| [(venue, Action::Buy), (venue, Action::Sell)])
        {
            // A sale sells what is held, and no more.
            let most: u64 = parts.iter().map(|part| part.1).sum();
            let grows = words.iter().any(|word| matches!(word, W::Amend(_, to) if *to > ORDERED));
            if action == Action::Sell && (most > ORDERED || grows) {
                continue;
            }
            permutations(&mut words.to_vec(), 0, &mut |words| {
                let (desk, market) = markets.fresh(venue);
                let place = || format!("{name}, {}, {action:?}: {words:?}", venue.name());
                hold(place, || {
                    let mut trial = Trial::new(desk, market, action, parts);
                    trial.tell_twice(words);
                    trial.end(trials % 2 == 0);
                    successors += trial.successors;
                });
                trials += 1;
            });
        }
    }
    assert!(trials > 4_000 && successors > 100, "{trials} trials, {successors} successors");
}

/// A word drawn at random, mostly of what venues say.
fn any_word(rng: &mut Rng, action: Action, parts: usize) -> Word {
    let part = rng.below(parts as u64) as usize;
    let most = if action == Action::Buy { 40 } else { ORDERED };
    let (count, size) = (rng.below(ORDERED + 1), 1 + rng.below(most));
    let cents = 46 + rng.below(3) as u16 + if action == Action::Buy { 0 } else { 6 };
    match rng.below(40) {
        0..14 => W::Fill(part),
        14..17 => W::Final(part),
        17 => W::Failed(part),
        18..21 => W::Rests(count),
        21 => W::Filled(rng.of(&[None, Some(count), Some(ORDERED)])),
        22 => W::Cancelled(rng.of(&[None, Some(count)])),
        23 => W::Expired(count),
        24 => rng.of(&[W::Rejected, W::Unsent]),
        25 => W::TimedOut,
        26..28 => W::CancelRefused,
        28..31 => W::Absent,
        31..34 => W::Terms(cents, size),
        34 => W::AmendRefused,
        35 => W::Pause,
        36..39 => W::Amend(cents, size),
        _ => W::Withdraw,
    }
}

#[test]
fn whatever_is_told_of_an_order_at_random_leaves_the_plain_figures() {
    let mut markets = Markets::new();
    let (mut rng, mut steps, mut ended, mut successors) = (Rng::from_seed(9), 0, 0, 0);
    let cases = cases(20_000);
    while steps < cases {
        let (venue, action) = (rng.of(&Venue::ALL), rng.of(&[Action::Buy, Action::Sell]));
        let parts: Vec<Part> = (0..8)
            .map(|_| match action {
                Action::Buy => (u16::from(rng.percent(2)) * 3, 1 + rng.below(10)),
                Action::Sell => (u16::from(rng.percent(2)) * 7, 1 + rng.below(3)),
            })
            .collect();
        let count = 15 + rng.below(30);
        let words: Vec<(u64, Word)> =
            (0..count).map(|_| (rng.0, any_word(&mut rng, action, parts.len()))).collect();
        let (desk, market) = markets.fresh(venue);
        hold(
            || format!("{}, {action:?}, {parts:?}: {words:?}", venue.name()),
            || {
                let mut trial = Trial::new(desk, market, action, &parts);
                for &(which, word) in &words {
                    // Of an order that fills nothing provisionally nothing fails.
                    let fails = matches!(word, W::Failed(_));
                    if !fails || venue.rules().provisional_fills {
                        let nth = which as usize % trial.orders.len();
                        trial.say(nth, trial.known_terms(nth, word));
                    }
                }
                ended += u32::from(trial.orders.iter().all(|followed| followed.plain.over));
                trial.end(steps % 2 == 0);
                successors += trial.successors;
            },
        );
        steps += count;
    }
    assert!(ended > 100 && successors > 20, "{ended} ended, {successors} successors: lame");
}
