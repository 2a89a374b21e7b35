//! The one writer of every book, order, position and dollar: a pure function of its state, the time and an event.
//!
//! # How to drive it
//!
//! [`Core::on_event`] is the only way in, and the outbox the only way out. One thread calls it, with events in the order in
//! which they are journalled; `now` never goes back. The outbox comes in empty. When the call returns, the caller
//! 1. moves everybody to the epoch that was raised, if one was, before anything is sent;
//! 2. carries out the intents, in order;
//! 3. writes down the notes, in order, and clears the outbox.
//!
//! A timer event comes every few milliseconds: what waits (books in doubt, orders to be asked about, cooldowns, groups on one
//! leg, the loss of the day) is seen to there and nowhere else.
//!
//! A run begins with these events, in this order:
//! 1. [`Event::Adopt`] for each order that the wire log holds and the journal does not, by rising id;
//! 2. [`Control::Start`](crate::event::Control::Start): whatever was in flight is unknown from here, and the venues are asked;
//! 3. a [`Control::Limit`](crate::event::Control::Limit) for each row, without all of which the gate refuses everything;
//! 4. [`Event::Market`] for every market, behind it an [`Event::FeeChange`] for each change of its fee that has a date, then
//!    [`Event::Basket`] for every leg of every basket;
//! 5. [`Event::BasketWithdrawn`] for every basket of an earlier run that is not among these: the core buys what it knows.
//!
//! Then, in any order: links come up, books get their first snapshots, the day is told, and each venue is read (cash and
//! positions). Nothing is opened before both venues have been read whole without a difference. A halt is not lifted by a
//! new run, only by [`Control::Resume`](crate::event::Control::Resume).
//!
//! # What it is made of
//!
//! Each part has private fields, and its methods keep its own rules:
//!
//! | part | owns | keeps |
//! | --- | --- | --- |
//! | `books`, `baskets` | every market's book and terms; what each basket costs at best prices | a book in doubt prices nothing (O14) |
//! | `orders` | records, ids, rates, when each side of a book was last sent an order | an id is used once (O7); what is over holds nothing (R3) |
//! | `groups` | groups that have not ended, the last ones that have, what they say of leg risk | a group ends hedged, flat or with a person (G2), with no order in flight (G3) |
//! | `money` | ledger with its reservations, what is held back for sales that may fail, exposure, worth, the day | entries balance (P2); exposure is what is held and reserved (R2) |
//! | `fills`, `orphans` | fills booked or void; reports under a name that no order of ours has | a fill is booked once and undone at most once (O5) |
//! | `episodes` | each basket's last opportunity, verdict and cooldown | a verdict is told once an episode |
//! | `truth` | links, age of market data, agreement with each venue | nothing is known when a run begins |
//! | `silence` | the rhythm of each market's book messages, who is silent beyond it, and what a witness says | a market is called frozen on the venue's own word alone |
//! | `tape` | the last public trade in each market | it is of the market's YES |
//! | `terms_age` | when each market's terms were read | a market that is left out of a reading grows no younger by it |
//! | `measured` | how quickly venues acknowledge orders, how far our clock is off, our own latency, whether executors would send | nothing is known when a run begins |
//! | `comparison`, `repairs`, `unpaired_told` | the reading of each venue; what was taken over from it; contracts without a partner | a figure of nothing frees no limit by itself (P7) |
//! | `fee_rules` | each market's fee rules by their dates | what an order may cost is counted with the dearer of two near a change |
//! | `leaving` | markets and baskets that were withdrawn and are not at rest yet | a market is followed until nothing is held, in flight or not final there |
//! | `quarantine`, `rejections` | markets that were not understood; venues and markets where orders are rejected | nothing is opened there |
//! | `repeats` | orders that were refused as repeated ones | what sends them too often is disabled until a person resumes |
//! | `limits`, `equity_limits`, `run` | the rows of the risk table, and those that follow the account; halt, epoch, stop | limits are only tightened while trading; the epoch only grows (O13) |
//!
//! What an event does runs across the parts, and is written in one file for each kind: `decide` takes market data to the
//! strategy and begins groups, `advance` does what groups want done, `stop` sells contracts that no group explains, `stuck` looks after groups that do not end, `place` is the one way an order comes to be, `claims`
//! what it reserves, `sale` prices what must be sold; `report` takes in what became of orders, `fills` books them, `undo`
//! takes back what a venue takes back, `adopt` takes over orders that only the wire log knows; `resting` is the life of
//! orders that are wanted on the book: placed, changed, withdrawn, expired; `compare` holds the venues' word against ours,
//! within the `range` that what is in flight allows, and `conversions` books sets that were converted by other means than ours;
//! `control` listens to the operator and the clock; `snapshot` saves, loads and hashes all of it; `follow` folds a run of
//! another program by the orders that it sent; `leaving` takes markets and baskets out. `invariants` checks after every event in tests, and at intervals while running, that the
//! parts agree with each other; `account` watches the losses of the day and of the account.

mod account;
mod adopt;
mod advance;
mod asked;
mod claims;
mod compare;
mod comparison;
mod complete;
mod control;
mod conversions;
mod decide;
mod decisions;
mod episodes;
mod fee_rules;
mod fills;
mod fills_seen;
mod follow;
mod invariants;
mod latency;
mod leaving;
mod listed;
mod measured;
mod modes;
mod money;
mod orders;
mod orphans;
mod place;
mod quarantine;
mod range;
mod released;
mod repairs;
mod report;
mod resting;
mod run;
mod sale;
mod silence;
mod smaller;
mod snapshot;
mod stop;
mod stuck;
mod tape;
mod terms_age;
mod truth;
mod undo;
mod unpaired;
mod untaken;
mod untold_fees;

use crate::basket::Baskets;
use crate::book::{BookRoom, Books};
use crate::bounds::{INVARIANTS_EVERY, MARKETS_MAX, RANKED_MAX};
use crate::event::{Event, Link};
use crate::group::Groups;
use crate::ids::{MarketId, OrderId};
use crate::ledger::Ledger;
use crate::market::MarketDef;
use crate::note::{Alarm, Note, Place};
use crate::order::{OrderState, OrderTable, Strategy};
use crate::outbox::Outbox;
use crate::per_venue::PerVenue;
use crate::risk::{EquityLimits, HaltWhy, LimitRow, Limits, Rejections, Repeats};
use crate::stats::Stats;
use crate::strategy::arbitrage::{Planning, Ranked};
use crate::units::Nanos;

pub use invariants::Checked;
pub use listed::ASKED_SINGLY_MAX;
pub use snapshot::LoadError;

use comparison::Comparison;
use decisions::Decisions;
use episodes::Episodes;
use fee_rules::FeeRules;
use fills_seen::FillsSeen;
use follow::Script;
use leaving::Leaving;
use measured::Measured;
use modes::Modes;
use money::Money;
use orders::Orders;
use orphans::Orphans;
use quarantine::Quarantine;
use repairs::Repairs;
use run::RunState;
use silence::Silence;
use tape::Tape;
use terms_age::TermsAge;
use truth::Truth;
use unpaired::UnpairedTold;

/// The core: see the head of this file.
#[derive(Debug)]
pub struct Core {
    books: Books,
    baskets: Baskets,
    episodes: Episodes,
    orders: Orders,
    groups: Groups,
    /// Room in which the strategy plans; missing only while it does.
    planning: Option<Box<Planning>>,
    /// Baskets that are worth buying, while the best of them is looked for.
    ranked: Vec<Ranked>,
    money: Money,
    limits: Limits,
    /// What follows from them and from what the account is worth.
    equity_limits: EquityLimits,
    rejections: Rejections,
    repeats: Repeats,
    fills: FillsSeen,
    orphans: Orphans,
    quarantine: Quarantine,
    leaving: Leaving,
    fee_rules: FeeRules,
    /// When a fresh snapshot was last asked for, by market.
    resync_asked: Vec<Nanos>,
    /// The market from which the next timer event looks for books that wait for a snapshot.
    snapshots_from: MarketId,
    silence: Silence,
    truth: Truth,
    tape: Tape,
    terms_age: TermsAge,
    measured: Measured,
    modes: Modes,
    comparison: Comparison,
    repairs: Repairs,
    unpaired_told: UnpairedTold,
    run: RunState,
    stats: Stats,
    decisions: Decisions,
    /// Set while an event of another program's run is folded.
    script: Option<Script>,
}

impl Core {
    /// Allocates all it will ever need, books aside: those come with their market's terms, in memory that was
    /// [given](Core::take_room) or in new memory.
    pub fn new() -> Self {
        let mut groups = Groups::new();
        let planning = Some(Box::new(Planning::new(&mut groups)));
        Self {
            books: Books::new(),
            baskets: Baskets::new(),
            episodes: Episodes::new(),
            orders: Orders::new(),
            groups,
            planning,
            ranked: Vec::with_capacity(RANKED_MAX),
            money: Money::new(),
            limits: Limits::unset(),
            equity_limits: EquityLimits::default(),
            rejections: Rejections::new(),
            repeats: Repeats::new(),
            fills: FillsSeen::new(),
            orphans: Orphans::new(),
            quarantine: Quarantine::new(),
            leaving: Leaving::new(),
            fee_rules: FeeRules::new(),
            resync_asked: vec![Nanos::ZERO; MARKETS_MAX],
            snapshots_from: MarketId::new(0),
            silence: Silence::new(),
            truth: Truth::new(),
            tape: Tape::new(),
            terms_age: TermsAge::new(),
            measured: Measured::new(),
            modes: Modes::new(),
            comparison: Comparison::new(),
            repairs: Repairs::new(),
            unpaired_told: UnpairedTold::new(),
            run: RunState::new(),
            stats: Stats::default(),
            decisions: Decisions::new(),
            script: None,
        }
    }

    /// The only way in. Same state, same `now`, same `event`: the same intents, to the bit.
    ///
    /// The caller carries out what `out` holds afterwards and clears it.
    ///
    /// # Panics
    /// If `out` holds intents already, and where an invariant does not hold: that is our own mistake.
    pub fn on_event(&mut self, now: Nanos, event: &Event, out: &mut Outbox) {
        assert!(out.intents().is_empty(), "the outbox is cleared after each event");
        self.stats.events += 1;
        self.decisions.catch_up();
        let trips = self.stats.trips;
        self.take_in(now, event, out);
        if self.stats.trips != trips {
            self.cancel_everything(now, out); // the core has halted: nothing stays on a book
        }
        for intent in out.intents() {
            self.decisions.add(now, intent);
        }
        if self.stats.events.is_multiple_of(INVARIANTS_EVERY) {
            self.check_some_invariants();
        }
    }

    /// Does what the kind of event asks for.
    fn take_in(&mut self, now: Nanos, event: &Event, out: &mut Outbox) {
        match event {
            Event::Level(level) => self.on_level(now, event, level, out),
            Event::Mirror { market, .. } | Event::Top { market, .. } => {
                self.on_check(now, *market, event, out);
            }
            Event::Report(report) => self.on_report(now, report, out),
            Event::Control(control) => self.on_control(now, event, control, out),
            Event::Timer => self.on_timer(now, out),
            Event::Adopt(order) => self.on_adopt(now, order, out),
            Event::Current { venue, links, upto } => {
                self.truth.on_current(*venue, *links, *upto);
            }
            Event::Listed { market, min_qty, close } => {
                self.books.set_listed(*market, *min_qty, *close);
                self.terms_age.on_told(now, *market);
            }
            Event::Expected { market, paid_by } => self.terms_age.on_expected(*market, *paid_by),
            Event::Handed { read } => self.measured.on_handed(now, *read),
            Event::Way { venue, breaker_open, tokens_short } => {
                if self.measured.on_way(*venue, *breaker_open, *tokens_short) {
                    self.wake_groups(now, out); // what waited goes before anything that opens
                }
            }
            Event::Mode { venue, shard, mode, until } => {
                self.on_mode(now, (*venue, *shard), *mode, *until, out);
            }
            Event::Stall { span } => self.on_stall(now, *span, out),
            Event::Odd { venue, market, what } => self.on_odd(now, *venue, *market, *what, out),
            Event::Basket(def) => self.on_basket(def, out),
            Event::Market(def) => self.on_market_told(now, def, out),
            Event::FeeChange { market, change } => self.on_fee_change(now, *market, *change, out),
            Event::MarketWithdrawn { market } => self.on_market_withdrawn(now, *market, out),
            Event::BasketWithdrawn { basket, why } => {
                self.on_basket_withdrawn(now, *basket, *why, out);
            }
            Event::Witness { market, digest, venue_time } => {
                self.on_witness(now, *market, *digest, *venue_time, out);
            }
            Event::Trade { market, price, .. } => self.tape.on_trade(now, *market, *price),
            Event::Settled { market, yes_pays } => self.on_settled(now, *market, *yes_pays, out),
            Event::Link { venue, link, number, up } => {
                self.truth.on_link(*venue, *link, *number, *up);
                self.on_market_data(now, event, out);
                if *up {
                    if *link == Link::Private {
                        self.ask_about_resting(now, *venue, out);
                    }
                    self.rejections.on_link(now, *venue);
                    self.wake_groups(now, out);
                }
            }
            Event::SnapshotBegin { .. }
            | Event::SnapshotEnd { .. }
            | Event::Stated { .. }
            | Event::Stale { .. }
            | Event::StaleAll { .. }
            | Event::GridChange { .. }
            | Event::Status { .. } => self.on_market_data(now, event, out),
        }
    }

    /// A hash over every intent so far, in order, with its time.
    pub fn decision_hash(&self) -> u64 {
        self.decisions.hash().get()
    }

    /// Counters and figures.
    pub fn stats(&self) -> Stats {
        let (leg_risk, ends) = (self.groups.leg_risks().of_all(), self.groups.ends());
        Stats {
            orders_live: self.orders.live_len() as u64,
            orders_unknown_live: self
                .orders
                .live()
                .filter(|record| record.state == OrderState::Unknown)
                .count() as u64,
            groups_live: self.groups.len() as u64,
            leg_fail_ppm: leg_risk.fail_ppm(self.limits.raw(LimitRow::LegFailPpm)),
            unwind_loss_ppm: leg_risk.loss_ppm(self.limits.raw(LimitRow::UnwindLossPpm)),
            baskets_judged: ends.judged(),
            baskets_held_ppm: ends.held_ppm(),
            baskets_sold_ppm: ends.sold_ppm(),
            unwind_loss_mean: ends.mean_loss(),
            hedge_lag_mean: ends.mean_lag(),
            hedge_lag_max: ends.longest_lag(),
            hedges_late: ends.late(),
            realised: self.ledger().realised(),
            unrealised: self.money.worth().unrealised(),
            day_result: self.money.day_result(),
            strategy_results: Strategy::ALL.map(|of| self.money.strategy_result(of)),
            equity: self.money.account().equity,
            peak: self.money.account().peak,
            fees: self.ledger().fees(),
            exposure: self.money.exposure().total(),
            claims: self.ledger().claims(),
            cash: PerVenue::from_fn(|venue| self.ledger().cash_at(venue)),
            books: PerVenue::from_fn(|venue| {
                let (all, good) = self.books.health(venue);
                (all as u32, good as u32)
            }),
            modes: self.modes.shown(),
            refused_in_a_row: PerVenue::from_fn(|venue| self.rejections.in_a_row(venue)),
            disabled: self.repeats.is_any_disabled(),
            quarantined: self.quarantined(),
            quarantined_shown: self.quarantine.shown(),
            stale_worst: self.books.stale_worst(),
            suspects: self.silence.suspects().into(),
            unread_now: self.quarantine.is_unread(),
            markets_leaving: self.leaving.markets() as u64,
            epoch: self.run.epoch(),
            halted: self.run.is_halted(),
            halted_why: self.run.halted(),
            reconciled: self.agreed(),
            agrees: self.truth.agreements(),
            gone: self.comparison.gone(),
            compared: self.comparison.compared(),
            compared_since: self.comparison.compared_since(),
            ..self.stats
        }
    }

    /// The books, for reading.
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// The baskets, for reading.
    pub const fn baskets(&self) -> &Baskets {
        &self.baskets
    }

    /// The limits in force, for reading.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The ledger, for reading.
    pub const fn ledger(&self) -> &Ledger {
        self.money.ledger()
    }

    /// Whether it has a place for further memory: see [`Core::take_room`].
    pub fn wants_room(&self) -> bool {
        self.books.wants_room()
    }

    /// Keeps memory for the book of a market that it will hear of, so that it allocates none itself. No decision depends on
    /// it.
    ///
    /// # Panics
    /// Where there is no place for it.
    pub fn take_room(&mut self, room: BookRoom) {
        self.books.take_room(room);
    }

    /// Orders that are not done, oldest first, for reading.
    pub const fn orders(&self) -> &OrderTable {
        self.orders.table()
    }

    /// Groups that have not ended, oldest first, for reading.
    pub const fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Why trading is halted, if it is.
    pub const fn halted(&self) -> Option<HaltWhy> {
        self.run.halted()
    }

    /// How many events it has handled.
    pub const fn events(&self) -> u64 {
        self.stats.events
    }

    /// Whether nothing is in flight: no order alive, no group unfinished.
    pub fn is_idle(&self) -> bool {
        self.orders.live_len() == 0 && self.groups.is_empty()
    }

    /// The id that the next order will have.
    pub const fn next_order(&self) -> u64 {
        self.orders.next_id()
    }

    /// A market's terms; every market in a basket or an order has them.
    fn terms(&self, market: MarketId) -> &MarketDef {
        self.books.terms(market).expect("a market in use has terms")
    }

    fn alarm(
        &mut self,
        what: Alarm,
        market: Option<MarketId>,
        order: Option<OrderId>,
        out: &mut Outbox,
    ) {
        let venue = market.and_then(|market| Some(self.books.terms(market)?.venue));
        self.alarm_at(what, Place { venue, market, order, ..Place::default() }, out);
    }

    fn alarm_at(&mut self, what: Alarm, place: Place, out: &mut Outbox) {
        self.stats.alarms += 1;
        out.note(Note::Alarm { what, place });
    }

    /// Whether both venues and we agree, and nothing they said of our money is unread.
    fn agreed(&self) -> bool {
        self.truth.all_agree() && !self.quarantine.is_unread()
    }
}

impl Default for Core {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
