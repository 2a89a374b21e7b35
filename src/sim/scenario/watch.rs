//! Watches a simulated day for scenarios: by what the core is told and makes of it, and by what befalls the program.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use surefoot_hot::book::{Book, StaleWhy, Sync};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::group::NO_GROUP;
use surefoot_hot::ids::{FillId, GroupId, MarketId, OrderId, OrderRef, Outcome, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::note::{Alarm, Note};
use surefoot_hot::order::{Order, OrderState, Purpose, Record};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::report::{Fill, Finality, OrderStatus, Reject, Report, Unsent, VenueState};
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::{Nanos, Qty};

use super::Tally;
use crate::sim::Broken;

/// Fills are rounded to cents of a contract.
const DUST: Qty = Qty::from_micros(10_000);
/// An order that no venue knows counts as over after this time, at the earliest (O10).
const ABSENT_SPAN: Nanos = Nanos::from_secs(30);
/// A fill that is final only after this time was unsettled for long.
const UNSETTLED_LONG: Nanos = Nanos::from_secs(60);
/// Orders that are watched. The oldest are forgotten.
const ORDERS_MAX: usize = 2_048;

/// What has become of an order so far.
#[derive(Clone, Copy, Debug)]
struct Story {
    group: GroupId,
    purpose: Purpose,
    /// Whether the venue has acknowledged it.
    acked: bool,
    /// Whether the executor has told how its request was answered.
    answered: bool,
    /// Whether its fate was unknown, and has not become known since.
    unknown: bool,
    /// Whether we asked for its cancellation.
    cancelled: bool,
    cancel_refused: bool,
    /// Whether its end as cancelled was told.
    ended: bool,
    /// Whether it rested.
    rested: bool,
    /// Whether a change of it is under way.
    changing: bool,
    /// Whether the private stream was lost, or said nothing, while it was alive.
    untold: bool,
    /// Its fills that were booked.
    fills: u32,
    /// Fills that were booked before it was acknowledged.
    early: u32,
    /// Whether it is over, and was looked at.
    is_over: bool,
}

/// Who told of a fill first, and when it was booked.
#[derive(Clone, Copy, Debug)]
struct Told {
    by_history: bool,
    both: bool,
    booked: bool,
    /// When it was booked, until it is final.
    unsettled: Option<Nanos>,
}

/// What was seen of a day, and how often each scenario was.
#[derive(Debug, Default)]
pub struct Watch {
    tally: Tally,
    /// What was seen and nobody has asked for yet.
    fresh: Vec<u8>,
    orders: BTreeMap<OrderId, Story>,
    fills: BTreeMap<FillId, Told>,
    /// Fills in the order in which they were told first.
    fill_line: VecDeque<FillId>,
    /// Fills that an executor has read in a venue's history and that the core is to be told.
    by_history: BTreeSet<FillId>,
    /// The newest order of each venue that had a fill.
    filled: PerVenue<OrderId>,
    /// Markets in which something is held.
    held: BTreeSet<MarketId>,
    /// The book that was given up last, and when.
    given_up: Option<(MarketId, Nanos)>,
    /// Links that were given up because they fell silent.
    silent: BTreeSet<usize>,
}

impl Watch {
    /// How often each scenario was seen.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// A scenario has happened, and held.
    pub fn add(&mut self, number: u8) {
        self.tally.add(number);
        self.fresh.push(number);
    }

    /// The number of a scenario that was seen since this was asked.
    pub fn poll_seen(&mut self) -> Option<u8> {
        self.fresh.pop()
    }

    /// After the core has handled an event.
    ///
    /// # Errors
    /// What a scenario asks does not hold.
    pub fn after_event(
        &mut self,
        now: Nanos,
        core: &Core,
        event: &Event,
        outbox: &Outbox,
    ) -> Result<(), Broken> {
        for intent in outbox.intents() {
            self.on_intent(intent);
        }
        match event {
            Event::Report(report) => self.on_report(now, core, report, outbox)?,
            Event::Settled { market, .. } => self.on_settled(core, *market)?,
            Event::GridChange { .. } => self.add(27),
            Event::Odd { .. } => self.add(51),
            Event::Stall { .. } => self.add(39),
            Event::Control(control) => self.on_control(core, control),
            Event::Adopt(order) => {
                self.orders.insert(order.id, Story::of(order));
                self.add(41);
            }
            _ => {}
        }
        if let Some(market) = event.market() {
            self.on_book(now, core, market);
        }
        for note in outbox.notes() {
            self.on_note(core, note);
        }
        Ok(())
    }

    /// The core was told something of a market's book, and may have given it up for that.
    fn on_book(&mut self, now: Nanos, core: &Core, market: MarketId) {
        let sync = core.books().get(market).map(Book::sync);
        if let Some(Sync::Stale { why, since }) = sync
            && since == now
            && self.given_up.replace((market, now)) != Some((market, now))
        {
            self.add_some(book_trouble(why));
        }
    }

    fn add_some(&mut self, number: Option<u8>) {
        if let Some(number) = number {
            self.add(number);
        }
    }

    // --- what befalls the program ---

    /// An executor tells the core of an order: the answer to its request, or what a venue's history has.
    pub fn on_executor(&mut self, event: &Event) {
        match event {
            Event::Report(Report::Fill(fill)) => {
                self.by_history.insert(fill.fill);
            }
            Event::Report(Report::Status(OrderStatus { order: OrderRef::Id(id), .. })) => {
                if let Some(story) = self.orders.get_mut(id)
                    && !std::mem::replace(&mut story.answered, true)
                    && story.fills > 0
                {
                    self.add(9);
                }
            }
            _ => {}
        }
    }

    /// The program begins again. What its journal lost is told once more: nothing is held against what was seen before.
    pub fn on_start(&mut self) {
        self.orders.clear();
        self.fills.clear();
        self.fill_line.clear();
        self.by_history.clear();
    }

    /// The private stream of a venue is lost, or says nothing any more.
    pub fn on_untold(&mut self, core: &Core, venue: Venue) {
        for record in core.orders().live().filter(|record| record.order.venue == venue) {
            if let Some(story) = self.orders.get_mut(&record.order.id) {
                story.untold = true;
            }
        }
    }

    /// A link was given up because nothing came over it.
    pub fn on_silent(&mut self, link: usize) {
        self.silent.insert(link);
    }

    /// A link is there again.
    pub fn on_connected(&mut self, link: usize) {
        if self.silent.remove(&link) {
            self.add(29);
        }
    }

    /// A venue stops trading.
    pub fn on_closed(&mut self, core: &Core, venue: Venue) {
        let rests =
            |record: &Record| record.order.venue == venue && record.state == OrderState::Resting;
        if core.orders().live().any(rests) {
            self.add(36);
        }
    }

    // --- what the core is told ---

    fn on_intent(&mut self, intent: &Intent) {
        match intent {
            Intent::Place(order) => {
                self.orders.insert(order.id, Story::of(order));
                if self.orders.len() > ORDERS_MAX {
                    self.orders.pop_first();
                }
            }
            Intent::Cancel(cancel) => self.story(cancel.order, |story| story.cancelled = true),
            Intent::CancelAll { .. } => {
                self.orders.values_mut().for_each(|story| story.cancelled = true);
            }
            Intent::Amend(amend) => self.story(amend.order, |story| story.changing = true),
            _ => {}
        }
    }

    fn story(&mut self, order: OrderId, with: impl FnOnce(&mut Story)) {
        if let Some(story) = self.orders.get_mut(&order) {
            with(story);
        }
    }

    fn on_control(&mut self, core: &Core, control: &Control) {
        let is_alive = core.orders().live_len() > 0;
        match control {
            Control::Halt { .. } if is_alive => self.add(43),
            Control::Start { .. } if is_alive => self.add(41),
            Control::ClockError { error } if *error >= Nanos::from_secs(1) => self.add(39),
            _ => {}
        }
    }

    fn on_note(&mut self, core: &Core, note: &Note) {
        match note {
            Note::Alarm {
                what: Alarm::OrdersRefused | Alarm::RejectStorm | Alarm::VenueMode,
                ..
            } => {
                self.add(46);
            }
            Note::Booked { undone: true, .. } => self.add(21),
            Note::Halt { halted: true, why, .. } => {
                let losses = [HaltWhy::DailyLoss, HaltWhy::StrategyLoss, HaltWhy::Drawdown];
                let is_loss = losses.iter().any(|loss| *loss as u8 == *why);
                if is_loss && core.orders().live_len() > 0 {
                    self.add(44);
                }
            }
            Note::Replaced { .. } | Note::Amended { .. } => self.add(19),
            Note::Position { market, yes, no, .. } => {
                if yes.is_zero() && no.is_zero() {
                    self.held.remove(market);
                } else {
                    self.held.insert(*market);
                }
            }
            _ => {}
        }
    }

    fn on_settled(&mut self, core: &Core, market: MarketId) -> Result<(), Broken> {
        let position = core.ledger().position(market);
        if Outcome::ALL.iter().any(|outcome| !position.held(*outcome).is_zero()) {
            let what = format!("market {market} is settled, and something is held there");
            return Err(Broken::new("P6", what));
        }
        if self.held.remove(&market) {
            self.add(54);
        }
        Ok(())
    }

    fn on_report(
        &mut self,
        now: Nanos,
        core: &Core,
        report: &Report,
        outbox: &Outbox,
    ) -> Result<(), Broken> {
        if let Report::Finality { fill, state: Finality::Final } = report {
            self.on_final(now, *fill);
        }
        let Some(order) = named(report) else { return Ok(()) };
        let Some(record) = core.orders().find(order) else { return Ok(()) };
        let id = record.order.id;
        let mut story = self.orders.get(&id).copied().unwrap_or_else(|| Story::of(&record.order));
        match report {
            Report::TimedOut { .. } => self.on_timed_out(record, &mut story)?,
            Report::Status(status) => self.on_status(record, status, &mut story, outbox)?,
            Report::Fill(fill) => self.on_fill(now, core, fill, &mut story, outbox)?,
            Report::CancelRefused { .. } => self.on_cancel_refused(record, &mut story, outbox)?,
            Report::Absent { .. } => self.on_absent(now, record, &mut story)?,
            Report::Rejected { why, .. } => self.on_rejected(record, *why)?,
            Report::Unsent { why: Unsent::WireLog, .. } => self.add(49),
            Report::AmendRefused { .. } if story.changing => {
                story.changing = false;
                self.add(19);
            }
            _ => {}
        }
        story.rested |= record.state == OrderState::Resting && record.order.wants_to_rest();
        if record.state == OrderState::Done && !std::mem::replace(&mut story.is_over, true) {
            self.on_over(record, &story)?;
        }
        self.orders.insert(id, story);
        Ok(())
    }

    /// No answer came to an order, to a cancel of it or to a change of it.
    fn on_timed_out(&mut self, record: &Record, story: &mut Story) -> Result<(), Broken> {
        story.answered = true;
        match record.state {
            OrderState::Unknown => {
                story.unknown = true;
                if story.purpose == Purpose::Hedge {
                    self.add(33);
                }
                Ok(())
            }
            OrderState::Cancelling => {
                self.add(7);
                let holds = !record.reserved_qty.is_zero() || record.reserved.micros() > 0;
                held("O11", holds || record.open().is_zero(), || {
                    format!(
                        "a cancel of order {} is lost, and its reservation is gone",
                        record.order.id
                    )
                })
            }
            _ => Ok(()),
        }
    }

    fn on_status(
        &mut self,
        record: &Record,
        status: &OrderStatus,
        story: &mut Story,
        outbox: &Outbox,
    ) -> Result<(), Broken> {
        if std::mem::take(&mut story.unknown) {
            self.on_found(!record.known_filled().is_zero());
        }
        if !std::mem::replace(&mut story.acked, true) && story.early > 0 {
            self.add(8);
            let books = |note: &Note| matches!(note, Note::Booked { order, .. } if *order == record.order.id);
            held("O5", !outbox.notes().iter().any(books), || {
                format!("the acknowledgement of order {} books something", record.order.id)
            })?;
        }
        let is_gone = matches!(status.state, VenueState::Cancelled | VenueState::Expired);
        // One that is counted as filled is over as well, though its fills are still to come.
        let ends = record.is_over() && !std::mem::replace(&mut story.ended, true);
        if is_gone && ends {
            let unasked = !story.cancelled || status.state == VenueState::Expired;
            if story.rested && unasked {
                self.add(20);
            }
        }
        Ok(())
    }

    fn on_fill(
        &mut self,
        now: Nanos,
        core: &Core,
        fill: &Fill,
        story: &mut Story,
        outbox: &Outbox,
    ) -> Result<(), Broken> {
        let by_history = self.by_history.remove(&fill.fill);
        let is_booked = |note: &Note| matches!(note, Note::Booked { undone: false, .. });
        let booked = outbox.notes().iter().any(is_booked);
        if let Some(told) = self.fills.get_mut(&fill.fill).filter(|told| told.booked) {
            held("O5", !booked, || format!("the fill {} is booked twice", fill.fill))?;
            let both = told.by_history != by_history && !std::mem::replace(&mut told.both, true);
            self.add(10);
            if both {
                self.add(11);
            }
            if fill.finality == Finality::Final {
                self.on_final(now, fill.fill);
            }
            return Ok(());
        }
        let told = Told { by_history, both: false, booked, unsettled: booked.then_some(now) };
        if self.fills.insert(fill.fill, told).is_none() {
            self.fill_line.push_back(fill.fill);
        }
        if self.fill_line.len() > ORDERS_MAX
            && let Some(oldest) = self.fill_line.pop_front()
        {
            self.fills.remove(&oldest);
        }
        if booked {
            self.on_booked(core, fill, story, by_history);
        }
        Ok(())
    }

    /// An order of unknown fate was taken by its venue after all.
    fn on_found(&mut self, is_filled: bool) {
        self.add(13);
        if is_filled {
            self.add(15);
        }
    }

    /// A fill was booked, for the first time.
    fn on_booked(&mut self, core: &Core, fill: &Fill, story: &mut Story, by_history: bool) {
        let Some(record) = core.orders().find(fill.order) else { return };
        let order = &record.order;
        story.fills += 1;
        story.early += u32::from(!story.acked);
        if std::mem::take(&mut story.unknown) {
            self.on_found(true);
        }
        if story.ended {
            self.add(4);
        }
        if std::mem::replace(&mut story.changing, false) {
            self.add(19);
        }
        if story.untold && by_history {
            self.add(30);
        }
        let newest = self.filled[order.venue];
        if order.id < newest {
            self.add(12);
        }
        self.filled[order.venue] = order.id.max(newest);
        let ((_, limit), price) = (order.on_book(), fill.price);
        if limit != price {
            self.add(24); // a worse one is an alarm, for which no venue gives a reason
        }
        let sells = |own: &Record| {
            order.group != NO_GROUP
                && own.order.group == story.group
                && own.order.purpose == Purpose::Unwind
                && own.order.id != order.id
        };
        if matches!(story.purpose, Purpose::Leg | Purpose::Hedge) && core.orders().live().any(sells)
        {
            self.add(34);
        }
    }

    fn on_final(&mut self, now: Nanos, fill: FillId) {
        let since = self.fills.get_mut(&fill).and_then(|told| told.unsettled.take());
        if since.is_some_and(|since| now.since(since) > UNSETTLED_LONG) {
            self.add(22);
        }
    }

    fn on_cancel_refused(
        &mut self,
        record: &Record,
        story: &mut Story,
        outbox: &Outbox,
    ) -> Result<(), Broken> {
        story.cancel_refused = true;
        if record.is_over() || story.is_over {
            return Ok(());
        }
        self.add(6);
        let asks = |intent: &Intent| matches!(intent, Intent::Query(query) if query.order == record.order.id);
        held("O10", outbox.intents().iter().any(asks) || record.query_owed, || {
            format!("a cancel of order {} is refused, and nobody asks why", record.order.id)
        })
    }

    fn on_absent(&mut self, now: Nanos, record: &Record, story: &mut Story) -> Result<(), Broken> {
        if !record.is_over() || story.ended || story.is_over {
            return Ok(()); // it goes on, or something else has ended it before
        }
        story.ended = true;
        if std::mem::take(&mut story.unknown) && record.known_filled().is_zero() {
            self.add(14);
        }
        held("O10", now.since(record.sent) >= ABSENT_SPAN, || {
            format!("order {} is given up too early", record.order.id)
        })
    }

    fn on_rejected(&mut self, record: &Record, why: Reject) -> Result<(), Broken> {
        self.add(17);
        self.add_some(match why {
            Reject::Mode => Some(35),
            Reject::Auth => Some(53),
            _ => None,
        });
        let frees = record.reserved.micros() == 0 && record.reserved_qty.is_zero();
        held("R4", !record.is_over() || frees || !record.open().is_zero(), || {
            format!("order {} was refused, and reserves something", record.order.id)
        })
    }

    /// An order is done.
    fn on_over(&mut self, record: &Record, story: &Story) -> Result<(), Broken> {
        let (qty, filled) = (record.order.qty, record.filled);
        let short = qty.saturating_sub(filled);
        if short <= DUST {
            match story.fills {
                1 if story.early == 0 => self.add(1),
                0 | 1 => {}
                _ => self.add(2),
            }
            if story.cancel_refused {
                self.add(5);
            }
        } else {
            if !filled.is_zero() {
                self.add(3);
            }
            if story.purpose == Purpose::Hedge {
                self.add(33);
            }
        }
        let frees = record.reserved.micros() == 0 && record.reserved_qty.is_zero();
        held("R3", frees, || format!("order {} is over, and reserves something", record.order.id))
    }
}

impl Story {
    const fn of(order: &Order) -> Self {
        Self {
            group: order.group,
            purpose: order.purpose,
            acked: false,
            answered: false,
            unknown: false,
            cancelled: false,
            cancel_refused: false,
            ended: false,
            rested: false,
            changing: false,
            untold: false,
            fills: 0,
            early: 0,
            is_over: false,
        }
    }
}

/// The order that a report names.
const fn named(report: &Report) -> Option<OrderRef> {
    match *report {
        Report::Bound { order, .. }
        | Report::Unsent { order, .. }
        | Report::TimedOut { order }
        | Report::Absent { order, .. } => Some(OrderRef::Id(order)),
        Report::Rejected { order, .. }
        | Report::CancelRefused { order }
        | Report::Terms { order, .. }
        | Report::AmendRefused { order } => Some(order),
        Report::Status(OrderStatus { order, .. }) | Report::Fill(Fill { order, .. }) => Some(order),
        Report::Finality { .. } => None,
    }
}

/// The scenario of a book that is given up for this reason.
const fn book_trouble(why: StaleWhy) -> Option<u8> {
    match why {
        StaleWhy::Gap | StaleWhy::Top | StaleWhy::Mirror | StaleWhy::Hash => Some(25),
        StaleWhy::Crossed | StaleWhy::Level => Some(28),
        _ => None,
    }
}

/// `id` holds, or it is said why not.
fn held(id: &'static str, holds: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken::new(id, what())) }
}
