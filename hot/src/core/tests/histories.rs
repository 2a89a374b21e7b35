//! Histories drawn at random: orders rest, fill and are cancelled, what became of them is heard of late and in any order,
//! and readings begin and end meanwhile. A venue that tells the truth, however late, is never taken for one that differs; one
//! that differs by more than what is in flight is found at the first reading and put right after the second.

use super::at_venue::AtVenue;
use super::*;
use crate::event::Control as C;
use crate::ids::{Action, GroupId, OrderId};
use crate::ledger::{Booking, CashAccount, Ledger};
use crate::order::{Purpose, Record};
use crate::random::Rng;
use crate::report::Reject;

use std::collections::BTreeMap;

/// How far the venue's figures may lag behind what it did.
const LAG_MAX: u64 = 9_900;
/// How long a history goes on before everything is over and heard of, in steps.
const STEPS: usize = 1_500;
/// The reading of each venue is at most this old, so that none is too old to open on.
const READ_EVERY: Nanos = Nanos::from_secs(12);
/// Orders that rest at once.
const RESTING: usize = 6;
const SEEDS: u64 = 24;

/// What a venue's figures were from some moment on.
#[derive(Clone, Copy)]
struct Figures {
    from: Nanos,
    cash: Usd,
    held: [Qty; 2],
}

/// A reading under way.
#[derive(Clone, Copy)]
struct Reading {
    since: Nanos,
    /// When the core is told of it.
    told: Nanos,
}

/// What is wrong with a venue's figures.
#[derive(Clone, Copy)]
enum Fault {
    /// So much more cash, or less where it is below zero.
    Cash(Usd),
    /// So many more contracts of YES.
    Yes(Qty),
    /// Nothing is held, neither cash nor contracts.
    Zeros,
}

/// Both venues beside a core that hears of them late.
struct World {
    rng: Rng,
    desk: Desk,
    orders: BTreeMap<u64, AtVenue>,
    /// What is on its way to the core, by when it comes.
    due: Vec<(Nanos, Report)>,
    /// What will show in the venues' figures, by when.
    unseen: Vec<(Nanos, Booking)>,
    /// What the venues' figures are made of.
    ledger: Ledger,
    /// Every figure that each venue has had, the newest last.
    figures: [Vec<Figures>; 2],
    readings: [Option<Reading>; 2],
    read_at: [Nanos; 2],
    /// Intents seen to.
    answered: usize,
    fault: Option<(Venue, Fault)>,
    /// What each reading told in the fault's time came to: whether the core agreed with it.
    agreed: Vec<bool>,
    /// What each reading of the venue with a fault changed in the core's figures: cash in microdollars, and millionths of
    /// contracts as [`World::both`] has them.
    corrected: Vec<(i64, [i128; 2])>,
    told: usize,
}

fn at(venue: Venue) -> MarketId {
    if venue == Venue::Polymarket { PM } else { KA }
}

impl World {
    fn new(seed: u64) -> Self {
        let desk = Desk::new();
        let now = desk.now;
        let mut ledger = Ledger::new();
        for venue in Venue::ALL {
            ledger.set_cash(CashAccount::of(venue, 0), Usd::from_dollars(10_000));
        }
        let first = Figures { from: now, cash: Usd::from_dollars(10_000), held: [Qty::ZERO; 2] };
        let mut world = Self {
            rng: Rng::from_seed(seed),
            desk,
            orders: BTreeMap::new(),
            due: Vec::new(),
            unseen: Vec::new(),
            ledger,
            figures: [vec![first], vec![first]],
            readings: [None, None],
            read_at: [now; 2],
            answered: 0,
            fault: None,
            agreed: Vec::new(),
            corrected: Vec::new(),
            told: 0,
        };
        for market in [PM, KA] {
            world.desk.book(market, &[(38, 300)], &[(62, 300)]);
        }
        world
    }

    fn step(&mut self, quiet: bool) {
        let span = self.rng.of(&[10, 50, 400, 1_500]);
        self.desk.wait(self.rng.millis(span));
        self.show();
        self.hear();
        self.answer();
        for venue in Venue::ALL {
            self.read(venue);
        }
        match self.rng.below(10) {
            0..2 if !quiet => self.rest(),
            2..5 => self.fill_one(),
            5 => self.cancel_one(),
            _ => {}
        }
    }

    // --- the venues ---

    /// What shows by now in the venues' figures.
    fn show(&mut self) {
        let now = self.desk.now;
        self.unseen.sort_by_key(|(when, _)| *when);
        while let Some(&(from, booking)) = self.unseen.first().filter(|(when, _)| *when <= now) {
            self.unseen.remove(0);
            self.ledger.book(&booking);
            self.note_figures(booking.account.venue(), from);
        }
    }

    fn note_figures(&mut self, venue: Venue, from: Nanos) {
        let position = self.ledger.position(at(venue));
        let held = [Outcome::Yes, Outcome::No].map(|outcome| position.held(outcome));
        let mut cash = self.ledger.cash_at(venue);
        if venue.rules().tells_free_cash {
            cash -= self.claimed(venue);
        }
        self.figures[venue.index()].push(Figures { from, cash, held });
    }

    /// Orders at a venue claim more or less of its cash from now on.
    fn note_claims(&mut self, venue: Venue) {
        if venue.rules().tells_free_cash {
            self.note_figures(venue, self.desk.now);
        }
    }

    /// What the purchases that rest at a venue claim of its cash.
    fn claimed(&self, venue: Venue) -> Usd {
        let resting = self
            .orders
            .values()
            .filter(|at| !at.over && at.order.venue == venue && at.order.action == Action::Buy);
        resting.fold(Usd::ZERO, |sum, at| {
            let left = at.order.qty.saturating_sub(at.filled);
            let fee = terms(at.order.market).fee.fee(at.order.price, left, false);
            sum + at.order.price.cost_ceil(left) + fee
        })
    }

    fn tell_later(&mut self, report: Report) {
        let most = self.rng.of(&[0, 20, 900, 6_000, 25_000]);
        let when = self.desk.now.after(self.rng.millis(most));
        self.due.push((when, report));
    }

    /// An order of ours comes to rest at a venue.
    fn rest(&mut self) {
        if self.orders.values().filter(|at| !at.over).count() >= RESTING {
            return;
        }
        let venue = self.rng.of(&Venue::ALL);
        let (market, outcome) = (at(venue), self.rng.of(&[Outcome::Yes, Outcome::No]));
        let free = self.can_sell(market, outcome);
        let sells = free >= qty(5) && self.rng.percent(50);
        let action = if sells { Action::Sell } else { Action::Buy };
        let size = qty(5 + self.rng.below(40));
        let order = Order {
            id: OrderId::new(self.desk.core.next_order()),
            epoch: 1,
            decided: self.desk.now,
            group: GroupId::new(0),
            market,
            venue,
            outcome,
            action,
            price: price(20 + self.rng.below(60) as u16),
            qty: if sells { size.min(free) } else { size },
            tif: Tif::Gtc,
            expires: None,
            post_only: true,
            purpose: if sells { Purpose::Exit } else { Purpose::Quote },
        };
        place(&mut self.desk, &order);
        self.orders.insert(order.id.get(), AtVenue { order, filled: Qty::ZERO, over: false });
        self.note_claims(venue);
        if self.rng.percent(70) {
            self.tell_status(order.id.get());
        }
    }

    /// Contracts that the venue shows and that no sale may take.
    fn can_sell(&self, market: MarketId, outcome: Outcome) -> Qty {
        let is_it = |order: &Order| {
            (order.market, order.outcome, order.action) == (market, outcome, Action::Sell)
        };
        let shown = self.ledger.position(market).held(outcome);
        let free = shown.min(self.desk.held(market, outcome));
        let resting = self.orders.values().filter(|at| !at.over && is_it(&at.order));
        let resting = resting.map(|at| at.order.qty.saturating_sub(at.filled));
        let sold = self.unseen.iter().map(|(_, booking)| booking).filter(|booking| {
            (booking.market, booking.outcome, booking.action) == (market, outcome, Action::Sell)
        });
        let wanted = resting.chain(sold.map(|booking| booking.qty));
        wanted.fold(free, Qty::saturating_sub)
    }

    /// Fills a part of some order that rests.
    fn fill_one(&mut self) {
        let live: Vec<u64> =
            self.orders.iter().filter(|(_, at)| !at.over).map(|(&id, _)| id).collect();
        if live.is_empty() {
            return;
        }
        let id = self.rng.of(&live);
        let part = self.rng.of(&[1, 2, 4]);
        self.fill(id, part);
    }

    /// Fills so many quarters of what is left of an order.
    fn fill(&mut self, id: u64, quarters: u64) {
        let now = self.desk.now;
        let entry = self.orders.get_mut(&id).expect("the caller found it");
        let order = entry.order;
        let left = order.qty.saturating_sub(entry.filled);
        let part = Qty::from_micros(left.micros() / 4 * quarters).floor_to(qty(1)).max(qty(1));
        let part = part.min(left);
        let final_at_once = !order.venue.rules().provisional_fills;
        // Only an order's first fill fails: the core takes what it heard of and what a venue says in sum for the same fills.
        let may_fail = !final_at_once && order.action == Action::Buy && entry.filled.is_zero();
        let fails = may_fail && self.rng.percent(12);
        if fails {
            entry.over = true; // what failed was never filled, says the venue afterwards
        } else {
            entry.filled += part;
            entry.over |= entry.filled >= order.qty;
        }
        let of = terms(order.market);
        let fee = of.fee.fee(order.price, part, false);
        let Order { market, venue, outcome, action, price, .. } = order;
        let account = CashAccount::of(venue, 0);
        let booking = Booking { market, account, outcome, action, price, qty: part, fee };
        self.desk.fills += 1;
        let (side, yes) = order.on_book();
        let fill = Fill {
            fill: FillId::new(self.desk.fills),
            order: OrderRef::Id(order.id),
            market,
            side,
            price: yes,
            qty: part,
            fee: Some(fee),
            liquidity: Liquidity::Maker,
            finality: if final_at_once { Finality::Final } else { Finality::Provisional },
            venue_time: Nanos::ZERO,
        };
        if fails {
            // Told at once: of an order that ended with less, as the venue says later, it would be another fill.
            self.desk.report(Report::Fill(fill));
        } else {
            self.tell_later(Report::Fill(fill));
        }
        if self.rng.percent(10) {
            self.tell_later(Report::Fill(fill));
        }
        if final_at_once {
            self.unseen.push((now, booking));
            return self.show();
        }
        // Contracts change hands a while after the match, or never; until then the figures do not show them.
        let settles = now.after(self.rng.millis(30_000));
        if !fails {
            self.unseen.push((settles, booking));
        }
        // The whole fill is told once more with it: the first telling may still be on its way.
        let finality = if fails { Finality::Failed } else { Finality::Final };
        let told = settles.after(self.rng.millis(5_000));
        self.due.push((told, Report::Fill(Fill { finality, ..fill })));
        if fails {
            self.tell_status(id);
        }
        self.show();
    }

    /// The venue, or we by hand, end an order that rests.
    fn cancel_one(&mut self) {
        let live: Vec<u64> =
            self.orders.iter().filter(|(_, at)| !at.over).map(|(&id, _)| id).collect();
        if live.is_empty() {
            return;
        }
        let id = self.rng.of(&live);
        self.end(id);
    }

    fn end(&mut self, id: u64) {
        let entry = self.orders.get_mut(&id).expect("the caller found it");
        entry.over = true;
        let venue = entry.order.venue;
        self.note_claims(venue);
        self.tell_status(id);
    }

    /// What became of an order up to now is told, in a while.
    fn tell_status(&mut self, id: u64) {
        let status = self.orders[&id].status();
        self.tell_later(status);
    }

    // --- the core ---

    fn hear(&mut self) {
        let now = self.desk.now;
        while let Some(next) = self.due.iter().position(|(when, _)| *when <= now) {
            let (_, report) = self.due.swap_remove(next);
            self.desk.report(report);
        }
    }

    fn answer(&mut self) {
        while let Some(intent) = self.desk.intents.get(self.answered).copied() {
            self.answered += 1;
            match intent {
                Intent::Place(order) => self.take(*order),
                Intent::Cancel(cancel) => {
                    let id = cancel.order.get();
                    if self.orders.get(&id).is_some_and(|at| !at.over) && self.rng.percent(80) {
                        self.end(id);
                    }
                }
                Intent::Query(query) if self.orders.contains_key(&query.order.get()) => {
                    self.tell_status(query.order.get());
                }
                Intent::Query(_)
                | Intent::CancelAll { .. }
                | Intent::Resync { .. }
                | Intent::Unfollow { .. }
                | Intent::Witness { .. }
                | Intent::Amend(_) => {}
            }
        }
    }

    /// The core sends an order of its own: a sale of what has no partner.
    fn take(&mut self, order: Order) {
        let id = order.id.get();
        if order.action == Action::Sell && order.qty > self.can_sell(order.market, order.outcome) {
            let report = Report::Rejected { order: OrderRef::Id(order.id), why: Reject::Funds };
            return self.tell_later(report);
        }
        self.orders.insert(id, AtVenue { order, filled: Qty::ZERO, over: false });
        self.note_claims(order.venue);
        if self.rng.percent(70) {
            let part = self.rng.of(&[2, 4]);
            self.fill(id, part);
        }
        if !order.tif.may_rest() {
            self.end(id);
        }
    }

    // --- readings ---

    /// From here on a venue differs from what its fills come to, whichever moment its figures are of.
    fn differ(&mut self, venue: Venue, fault: Fault) {
        self.fault = Some((venue, fault));
        let (market, account) = (at(venue), CashAccount::of(venue, 0));
        let (cash, yes) = match fault {
            Fault::Cash(more) => (more, Qty::ZERO),
            Fault::Yes(more) => (Usd::ZERO, more),
            Fault::Zeros => return,
        };
        let by = i64::try_from(yes.micros()).unwrap();
        self.ledger.change_cash(account, cash);
        self.ledger.change_position(market, account, [by, 0], price(50));
        for figures in &mut self.figures[venue.index()] {
            figures.cash += cash;
            figures.held[0] += yes;
        }
    }

    /// Begins a reading, or tells one whose time has come.
    fn read(&mut self, venue: Venue) {
        let (nth, now) = (venue.index(), self.desk.now);
        match self.readings[nth].take() {
            None if now >= self.read_at[nth] => {
                let told = now.after(self.rng.millis(4_000));
                self.readings[nth] = Some(Reading { since: now, told });
                self.read_at[nth] = now.after(self.rng.millis(READ_EVERY.millis()));
            }
            Some(reading) if now >= reading.told => self.tell(venue, reading.since),
            other => self.readings[nth] = other,
        }
    }

    /// Each figure is of a moment of its own, from before the reading to its end.
    fn tell(&mut self, venue: Venue, since: Nanos) {
        let mut cash = self.figures_at(venue, since).cash;
        let [mut yes, mut no] = self.figures_at(venue, since).held;
        let fault = self.fault.filter(|(ill, _)| *ill == venue).map(|(_, fault)| fault);
        if let Some(Fault::Zeros) = fault {
            (cash, yes, no) = (Usd::ZERO, Qty::ZERO, Qty::ZERO);
        }
        let [before, _] = self.both(venue);
        self.desk.control(C::Reading { venue, since });
        self.desk.control(C::Position { market: at(venue), yes, no });
        self.desk.control(C::Cash { venue, shard: 0, cash });
        self.desk.control(C::Reconciled { venue, clean: true });
        self.told += 1;
        if fault.is_some() {
            self.agreed.push(self.desk.core.stats().agrees[venue]);
            let [after, _] = self.both(venue);
            let held = [0, 1].map(|outcome| after.1[outcome] - before.1[outcome]);
            self.corrected.push(((after.0 - before.0).micros(), held));
        }
    }

    /// The figures of some moment from before a reading began to now.
    fn figures_at(&mut self, venue: Venue, since: Nanos) -> Figures {
        let from = Nanos::new(since.get() - self.rng.millis(LAG_MAX).get());
        let span = self.desk.now.since(from).millis();
        let moment = from.after(self.rng.millis(span));
        let all = &self.figures[venue.index()];
        *all.iter().rev().find(|figures| figures.from <= moment).unwrap_or(&all[0])
    }

    /// Every order ends, everything is heard of, and the figures show it.
    fn drain(&mut self) {
        for _ in 0..400 {
            let live: Vec<u64> =
                self.orders.iter().filter(|(_, at)| !at.over).map(|(&id, _)| id).collect();
            for id in live {
                self.end(id);
            }
            self.step(true);
        }
        assert_eq!(self.desk.core.orders().live_len(), 0, "everything was heard of");
        for _ in 0..40 {
            self.desk.wait(Nanos::from_secs(2));
            self.show();
            for venue in Venue::ALL {
                self.read(venue);
            }
        }
    }

    fn alarms(&self) -> usize {
        let differs = |note: &&Note| {
            let Note::Alarm { what, .. } = note else { return false };
            matches!(
                what,
                Alarm::Unreconciled | Alarm::PositionDrift | Alarm::CashDrift | Alarm::Gone
            )
        };
        self.desk.notes.iter().filter(differs).count()
    }

    /// What the core counts and what the venue has: cash, and millionths of contracts, YES and NO or, where pairs are
    /// netted, YES less NO.
    fn both(&self, venue: Venue) -> [(Usd, [i128; 2]); 2] {
        let of = |ledger: &Ledger| {
            let position = ledger.position(at(venue));
            let held = [Outcome::Yes, Outcome::No].map(|o| i128::from(position.held(o).micros()));
            let netted = [held[0] - held[1], 0];
            (ledger.cash_at(venue), if venue.rules().nets_pairs() { netted } else { held })
        };
        [of(self.desk.core.ledger()), of(&self.ledger)]
    }
}

/// Hands the core an order that rests, as one whose life is past the gate.
fn place(desk: &mut Desk, order: &Order) {
    let (cash, contracts) = desk.core.claim(order, order.qty);
    desk.core.reserve(order.market, cash);
    desk.core.orders.begin_ids_at(order.id.get() + 1);
    desk.core.orders.adopt(Record::new(*order, cash, contracts, desk.now));
}

#[test]
fn a_venue_that_tells_the_truth_however_late_never_differs() {
    let (mut fills, mut told) = (0, 0);
    for seed in 1..=SEEDS {
        let mut world = World::new(seed);
        for step in 0..STEPS {
            world.step(false);
            assert!(world.desk.core.stats().reconciled, "seed {seed}, step {step}");
            assert_eq!(world.alarms(), 0, "seed {seed}, step {step}");
        }
        world.drain();
        for venue in Venue::ALL {
            let [ours, theirs] = world.both(venue);
            assert_eq!(ours, theirs, "seed {seed}, {}", venue.name());
        }
        assert_eq!(world.alarms(), 0, "seed {seed}: nothing was repaired");
        (fills, told) = (fills + world.desk.core.stats().fills, told + world.told);
    }
    assert!(fills > 100 * SEEDS && told > 50, "{fills} fills, {told} readings");
}

#[test]
fn a_difference_beyond_what_is_in_flight_is_found_at_once_and_put_right_after_two_readings() {
    let dollars = Usd::from_dollars;
    let faults =
        [Fault::Cash(dollars(6_000)), Fault::Cash(dollars(-3_000)), Fault::Yes(qty(5_000))];
    for seed in 1..=SEEDS {
        for venue in Venue::ALL {
            let mut world = World::new(seed * 100 + venue.index() as u64);
            for _ in 0..200 {
                world.step(false);
            }
            let fault = world.rng.of(&faults);
            world.differ(venue, fault);
            while world.agreed.len() < 2 {
                world.step(false);
            }
            // Contracts that we do not know of yet are netted with others at the venue only: that is cash to correct, too,
            // and may take a reading more.
            let nets = venue.rules().nets_pairs() && matches!(fault, Fault::Yes(_));
            assert!(!world.agreed[0] && (nets || world.agreed[1]), "seed {seed}, {}", venue.name());
            let drifts = |note: &&Note| {
                matches!(note, Note::Alarm { what: Alarm::PositionDrift | Alarm::CashDrift, .. })
            };
            assert_eq!(world.desk.notes.iter().filter(drifts).count(), 1, "seed {seed}");
            for _ in 0..200 {
                world.step(false);
            }
            world.drain();
            assert!(world.desk.core.stats().reconciled, "seed {seed}");
            for venue in Venue::ALL {
                let [ours, theirs] = world.both(venue);
                assert_eq!(ours, theirs, "seed {seed}, {}: exact in the end", venue.name());
            }
            // No correction took more than the fault, nor anything of what orders in flight did: they add up to it.
            let (cash_off, yes_off) = match fault {
                Fault::Cash(more) => (more.micros(), 0),
                Fault::Yes(more) => (0, i128::from(more.micros())),
                Fault::Zeros => (0, 0),
            };
            let mut sum = (0, 0);
            for &(cash, [yes, no]) in &world.corrected {
                let cash = if nets { 0 } else { cash };
                let same_way =
                    cash.signum() * cash_off >= 0 && yes.signum() * yes_off >= 0 && no == 0;
                assert!(same_way, "seed {seed}, {}: {:?}", venue.name(), world.corrected);
                sum = (sum.0 + cash, sum.1 + yes);
            }
            assert_eq!(sum, (cash_off, yes_off), "seed {seed}, {}", venue.name());
        }
    }
}

#[test]
fn zeros_reduce_nothing_while_orders_rest_and_fill() {
    for seed in 1..=SEEDS {
        for venue in Venue::ALL {
            let mut world = World::new(seed * 1_000 + venue.index() as u64);
            for _ in 0..200 {
                world.step(false);
            }
            world.differ(venue, Fault::Zeros);
            while world.agreed.len() < 6 {
                world.step(false);
            }
            assert_eq!(world.agreed, [false; 6], "seed {seed}, {}", venue.name());
            world.fault = None;
            world.drain();
            assert!(world.desk.core.stats().reconciled, "seed {seed}: the venue is well again");
            let [ours, theirs] = world.both(venue);
            assert_eq!(ours, theirs, "seed {seed}, {}", venue.name());
        }
    }
}
