//! What is checked while a simulated day goes by, by the ids of the project's list of invariants.
//!
//! The core checks itself after every event (`Core::check_after`: P2 all accounts of its ledger sum to nothing, R2 exposure
//! is what is held and reserved, R3 no reservation is negative, R5 reservations are the sum of live orders and holds, O1, O4
//! and O17 of each order, O12 of each change), and its other assertions are on in every build. An executor is checked as an
//! order leaves (O7, O8). Here is the rest; `docs/invariants.md` has the whole list.

use std::collections::BTreeMap;

use surefoot_cold::directory::Directory;
use surefoot_cold::reconcile::Truth;
use surefoot_hot::core::{Checked, Core};
use surefoot_hot::event::{Control, Event};

use surefoot_hot::group::{Group, GroupState, Leg, NO_GROUP, Sequencing};
use surefoot_hot::ids::{GroupId, Side};
use surefoot_hot::intent::Intent;
use surefoot_hot::note::{Alarm, Note, Place};
use surefoot_hot::order::{Order, Purpose, Record};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::{HaltWhy, LimitRow};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::Broken;
use super::fault::FaultKind;
use super::world::Venues;
use crate::app::differences;

/// Fills are rounded to cents of a contract.
const QTY_DUST: Qty = Qty::from_micros(10_000);
/// How often the venues' own money is counted.
const MONEY_EVERY: u64 = 4_096;
/// How long a group may take to end, whatever happens to it: a leg's time and every attempt to sell it, with room.
const GROUP_SPAN_MAX: Nanos = Nanos::from_secs(120);
/// The same where something went wrong on the day: what a trade that failed leaves may be too little to be sold, and waits for a person
/// after ten minutes.
const HANDED_OVER_WITHIN: Nanos = Nanos::from_secs(720);

/// Checks, and how often each was made.
#[derive(Debug, Default)]
pub struct Checks {
    /// Events after which the core was checked.
    pub steps: u64,
    /// What the core was last found to hold.
    checked: Checked,
    /// Times the venues' own money was counted.
    pub counted: u64,
    /// The highest order id that was ever placed.
    last_order: u64,
    /// Since when the oldest group has been the oldest, and its number.
    oldest_since: Option<(Nanos, u64)>,
    /// When it was last seen to hold something that nobody bids for.
    unsold_at: Nanos,
    /// Baskets that had been opened when the core was told to halt; `None` while it is to trade.
    opened_at_halt: Option<u64>,
    /// Alarms that the core raised, by name.
    pub alarms: BTreeMap<&'static str, u64>,
    /// Realised result of each basket that was sold again, by group.
    pub unwound: BTreeMap<GroupId, Usd>,
    /// Baskets that left in each way, by its number.
    pub sequenced: [u64; 3],
    /// Faults that began, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Trades that were taken back.
    pub trades_failed: u64,
    /// Whether the core is still being told what the program found at its start.
    is_starting: bool,
    /// How often the program was started again.
    pub starts: u64,
    /// Until when a venue that says too little explains that what we have is gone.
    gone_until: Nanos,
    /// Until when it explains an order's terms that the last start found an older state of the core.
    lost_until: Nanos,
    /// By how much our clock is off, as the core was told.
    clock_error: Nanos,
    /// Until when a fault that has been explains what a day without one must not bring.
    excused_until: Nanos,
    /// Whether a group waited for a bid after the last event: nobody bids for what it has to sell, or it would lose more by that than
    /// `limits.unwind_loss`.
    waited_for_bid: bool,
    /// The group that had been selling for longest after the last event: the one that is handed to a person next.
    sells_longest: Option<GroupId>,
    /// Whether the core has halted because of that, and nobody has asked yet.
    halted_unsold: bool,
}

impl Checks {
    /// After one event and before anything that it wants is done.
    ///
    /// # Errors
    /// What does not hold. The core's own checks panic.
    pub fn after_event(
        &mut self,
        now: Nanos,
        core: &Core,
        event: &Event,
        outbox: &Outbox,
    ) -> Result<(), Broken> {
        core.check_after(event, outbox, &mut self.checked);
        self.steps += 1;
        match event {
            Event::Control(Control::ClockError { error }) => self.clock_error = *error,
            Event::Control(Control::Start { .. }) => self.clock_error = Nanos::ZERO,
            _ => {}
        }
        for intent in outbox.intents() {
            let Intent::Place(order) = intent else { continue };
            if order.id.get() <= self.last_order {
                return Err(Broken::new("O7", format!("order id {} is given out again", order.id)));
            }
            self.last_order = order.id.get();
            self.check_order(now, core, order)?;
            if order.decided != now {
                return Err(Broken::new("S5", format!("order {} has another time", order.id)));
            }
            if let Some(own) = core.orders().live().find(|own| meet(order, own)) {
                let what = format!("order {} meets our own order {}", order.id, own.order.id);
                return Err(Broken::new("O16", what));
            }
        }
        for note in outbox.notes() {
            self.on_note(now, note)?;
        }
        self.check_halt(now, core, event)?;
        let waits =
            |group: &Group| group.dear_since.is_some() || nobody_buys_what_is_left(core, group);
        self.waited_for_bid = core.groups().iter().any(waits);
        let selling =
            core.groups().iter().filter_map(|group| Some((group.unwinding_since?, group.id)));
        self.sells_longest = selling.min().map(|(_, id)| id);
        self.check_groups(now, core)
    }

    /// The program begins again with this core.
    pub fn on_start(&mut self, core: &Core, is_halted: bool) {
        self.opened_at_halt = is_halted.then_some(core.stats().baskets_opened);
        self.is_starting = true;
        self.checked = Checked::default();
        self.oldest_since = None;
        self.lost_until = self.excused_until;
        self.starts += 1;
    }

    /// How often the core raised an alarm.
    pub fn alarmed(&self, alarm: Alarm) -> u64 {
        self.alarms.get(alarm.name()).copied().unwrap_or(0)
    }

    /// A fault begins.
    pub fn on_fault(&mut self, kind: FaultKind) {
        *self.faults.entry(kind.name()).or_default() += 1;
    }

    /// A trade of ours was taken back.
    pub const fn on_trade_failed(&mut self) {
        self.trades_failed += 1;
    }

    /// A venue says too little: until then it may seem that what we have is gone.
    pub fn expect_gone_until(&mut self, until: Nanos) {
        self.gone_until = self.gone_until.max(until);
    }

    /// What went wrong explains what is seen until then.
    pub fn excuse_until(&mut self, until: Nanos) {
        self.excused_until = self.excused_until.max(until);
    }

    /// What holds of an order in the moment in which it is decided, beside what the gate says.
    fn check_order(&self, now: Nanos, core: &Core, order: &Order) -> Result<(), Broken> {
        let book = core.books().get(order.market).expect("an order is in a market that is known");
        let broken = |id, what: &str| {
            Err(Broken::new(id, format!("order {}: {what} ({order:?})", order.id)))
        };
        match order.purpose {
            Purpose::Leg | Purpose::Quote => {
                if self.clock_error > core.limits().span(LimitRow::ClockErrorMs) {
                    return broken("S5", "opens while our clock is off");
                }
                if !book.is_good() {
                    return broken("O14", "opens by a book that is not good");
                }
                let left = book.terms().close.get().saturating_sub(now.get());
                if left < core.limits().span(LimitRow::CloseCutoffMs).get() {
                    return broken("O14", "opens too near the close of its market");
                }
            }
            // Later legs go out together; what corrects a group goes alone.
            Purpose::Hedge
            | Purpose::TopUp
            | Purpose::Unwind
            | Purpose::Exit
            | Purpose::StopLoss => {
                let corrects =
                    |order: &Order| !matches!(order.purpose, Purpose::Leg | Purpose::Hedge);
                let of_group = |own: &&Record| {
                    order.group != NO_GROUP
                        && own.order.group == order.group
                        && own.order.id != order.id
                };
                let mut beside = core.orders().live().filter(of_group);
                let meets = |own: &Record| own.order.market == order.market;
                if hedges_too_much(core, order) {
                    return broken("G1", "buys more than what it is to match");
                }
                let disturbs =
                    |own: &&Record| meets(own) || corrects(order) || corrects(&own.order);
                if let Some(own) = beside.find(disturbs) {
                    let what = format!("corrects beside another order of its group, {own:?}");
                    return broken("G3", &what);
                }
            }
        }
        Ok(())
    }

    /// Since a halt that stands nothing was opened (S12).
    ///
    /// # Errors
    /// A basket was.
    pub fn opened_nothing(&self, core: &Core) -> Result<(), Broken> {
        let opened = core.stats().baskets_opened;
        match self.opened_at_halt {
            Some(before) if before != opened => {
                Err(Broken::new("S12", "a basket was opened during a halt".to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the core has halted since the last question because a group found nobody to sell to.
    pub fn take_halted_unsold(&mut self) -> bool {
        std::mem::take(&mut self.halted_unsold)
    }

    /// The core is halted from the event that tells it so to the one that lifts it, at no other time, and opens nothing
    /// meanwhile (S12).
    fn check_halt(&mut self, now: Nanos, core: &Core, event: &Event) -> Result<(), Broken> {
        if self.is_starting {
            // What it is told then is what it was told before.
        } else if matches!(event, Event::Control(Control::Halt { .. })) {
            self.opened_at_halt = Some(core.stats().baskets_opened);
        } else if matches!(event, Event::Control(Control::Resume { .. })) {
            self.opened_nothing(core)?;
            self.opened_at_halt = None;
        }
        self.is_starting &= !matches!(event, Event::Timer);
        if self.is_starting || core.halted().is_some() == self.opened_at_halt.is_some() {
            return Ok(());
        }
        // A limit of its own: after what went wrong, or where the books offer too little for what has to be sold.
        let is_unsold = core.halted() == Some(HaltWhy::Group) && self.waited_for_bid;
        if core.halted().is_some() && (is_unsold || now <= self.excused_until) {
            self.opened_at_halt = Some(core.stats().baskets_opened);
            self.halted_unsold |= is_unsold;
            return Ok(());
        }
        let what = match core.halted() {
            Some(why) => {
                let group = self.sells_longest.filter(|_| why == HaltWhy::Group);
                let group = group.map_or_else(String::new, |id| format!(" (group {})", id.get()));
                format!("nothing went wrong, and the core halted: {why:?}{group} at {event:?}")
            }
            None => format!("the core is not halted any more at {event:?}"),
        };
        Err(Broken::new("S12", what))
    }

    fn on_note(&mut self, now: Nanos, note: &Note) -> Result<(), Broken> {
        match note {
            Note::Alarm { what, place } => {
                *self.alarms.entry(what.name()).or_default() += 1;
                let is_gone = matches!(what, Alarm::Gone | Alarm::PositionDrift | Alarm::CashDrift);
                let is_told = is_gone && now <= self.gone_until;
                // A change of an order may be what the journal of a program that was killed had not written yet.
                let is_lost = *what == Alarm::ForeignTerms && now <= self.lost_until;
                return if is_told || is_lost { Ok(()) } else { unexplained(*what, place) };
            }
            Note::Group { group, state: GroupState::Flat, result, .. } => {
                self.unwound.insert(*group, *result); // a later word of it has what was booked since
            }
            Note::Sequenced { taken, .. } => self.sequenced[*taken as usize] += 1,
            Note::Group { .. }
            | Note::Opportunity { .. }
            | Note::Order { .. }
            | Note::Booked { .. }
            | Note::Position { .. }
            | Note::Refused { .. }
            | Note::Halt { .. }
            | Note::Adopted { .. }
            | Note::Amended { .. }
            | Note::Replaced { .. }
            | Note::Unfollowed { .. }
            | Note::Planned { .. } => {}
        }
        Ok(())
    }

    /// Every group comes to an end (G2), within a bounded time (G1).
    fn check_groups(&mut self, now: Nanos, core: &Core) -> Result<(), Broken> {
        let oldest = core.groups().iter().map(|group| u64::from(group.id.get())).min();
        match (oldest, self.oldest_since) {
            (None, _) => self.oldest_since = None,
            (Some(id), Some((since, seen))) if id == seen => {
                let group = core.groups().iter().find(|group| u64::from(group.id.get()) == id);
                if group.is_some_and(|group| nobody_buys_what_is_left(core, group)) {
                    self.unsold_at = now;
                }
                let most = if self.excused_until > Nanos::ZERO {
                    HANDED_OVER_WITHIN
                } else {
                    GROUP_SPAN_MAX
                };
                // A leg that nobody bids for waits ten minutes for a bid, and then for a person.
                let waited = now.since(since.max(self.unsold_at)) > most
                    || now.since(since) > HANDED_OVER_WITHIN;
                if now > self.excused_until && waited {
                    let secs = most.millis() / 1_000;
                    let what = format!("group {id} has not ended within {secs} s: {group:?}");
                    return Err(Broken::new("G1", what));
                }
            }
            (Some(id), _) => self.oldest_since = Some((now, id)),
        }
        Ok(())
    }

    /// Now and then: the venues' own money.
    ///
    /// # Errors
    /// It has grown or shrunk (P2).
    pub fn after_step(&mut self, step: u64, venues: &Venues) -> Result<(), Broken> {
        if !step.is_multiple_of(MONEY_EVERY) {
            return Ok(());
        }
        self.counted += 1;
        venues.check_money()
    }
}

/// Whether a hedge buys more than its group holds of what it is to match, or plans to where all legs leave at once.
fn hedges_too_much(core: &Core, order: &Order) -> bool {
    let group = core.groups().iter().find(|group| group.id == order.group);
    let Some(group) = group.filter(|_| order.purpose == Purpose::Hedge) else { return false };
    let is_leg = |leg: &&Leg| leg.market == order.market && leg.outcome == order.outcome;
    let Some(leg) = group.legs().iter().find(is_leg) else { return false };
    let held = group.legs().iter().map(|leg| leg.net().per(leg.ratio)).max();
    let planned = match group.sequencing {
        Sequencing::Parallel => group.target,
        Sequencing::Sequential | Sequencing::Staggered => Qty::ZERO,
    };
    let units = held.unwrap_or(Qty::ZERO).max(planned);
    leg.net() + order.qty > units.times(leg.ratio) + QTY_DUST
}

/// The venues of a simulated day never fill at a worse price or after they have said that an order is over, and they charge what
/// their rules say: where the core believes that they did, it is the core that is wrong. (More contracts than were ordered may come
/// of a purchase that spends a sum of dollars.) What it names of the alarm's place is what is shown of the day.
fn unexplained(alarm: Alarm, place: &Place) -> Result<(), Broken> {
    let id = match alarm {
        Alarm::WorseFill => "O6",
        Alarm::LateFill => "O10",
        Alarm::ForeignFill | Alarm::ForeignOrder | Alarm::ForeignTerms | Alarm::NameTwice => "O7",
        Alarm::FeeDrift => "P5",
        Alarm::CashDrift | Alarm::PositionDrift | Alarm::Gone => "P1",
        Alarm::IllegalStep => "O1",
        _ => return Ok(()),
    };
    let mut what = format!("nobody gave a reason for the alarm {}", alarm.name());
    if let Some(venue) = place.venue {
        what += &format!(" at {}", venue.name());
    }
    if let Some(order) = place.order {
        what += &format!(", order {order}");
    }
    if let Some(market) = place.market {
        what += &format!(", market {market}");
    }
    Err(Broken::new(id, what))
}

/// Whether an order that is placed now would trade with one of ours that may still fill.
fn meet(order: &Order, own: &Record) -> bool {
    let ((side, price), (other, at)) = (order.on_book(), own.order.on_book());
    let reaches = match side {
        Side::Bid => price >= at,
        Side::Ask => price <= at,
    };
    let live = own.order.id != order.id && !own.open().is_zero();
    live && own.order.market == order.market && side != other && reaches
}

/// When the run has closed: the report of production would find no difference.
///
/// # Errors
/// What differs (P1).
pub fn as_reported(
    core: &Core,
    directory: &Directory,
    truths: PerVenue<Truth>,
) -> Result<(), Broken> {
    let differences = differences::compare(core, directory, &truths.map(|_, truth| Ok(truth)));
    if differences.is_empty() {
        return Ok(());
    }
    Err(Broken::new("P1", format!("as the run closes: {}", differences.join("; "))))
}

/// Whether a group holds contracts that are to be sold and that nobody bids for, or at a bid at which they are worth too little for the
/// venue to take an order.
fn nobody_buys_what_is_left(core: &Core, group: &Group) -> bool {
    group.legs().iter().any(|leg| {
        let wanted = group.target.times(leg.ratio);
        let excess = leg.net().saturating_sub(wanted);
        let least = leg.venue.rules().marketable_min;
        let sells = |(bid, _): (Price, Qty)| bid.proceeds_floor(excess) >= least;
        let book = core.books().get(leg.market);
        !excess.is_zero()
            && !book.and_then(|book| book.best_bid_for(leg.outcome)).is_some_and(sells)
    })
}

/// At the end, when nothing is in flight: the core's word against the venues'.
///
/// # Errors
/// What differs: cash and contracts by venue (P1), orders that rest, reservations without an order (R3, R4), groups without
/// an end (G2).
pub fn at_end(core: &Core, directory: &Directory, truths: PerVenue<Truth>) -> Result<(), Broken> {
    let resting: Vec<_> =
        truths.values().flat_map(|truth| &truth.open).map(|open| &open.id).collect();
    if !resting.is_empty() {
        return Err(Broken::new("R4", format!("still resting at the end: {resting:?}")));
    }
    let differences = differences::compare(core, directory, &truths.map(|_, truth| Ok(truth)));
    if !differences.is_empty() {
        return Err(Broken::new("P1", differences.join("; ")));
    }
    let stats = core.stats();
    let ended = stats.baskets_completed
        + stats.baskets_unwound
        + stats.baskets_failed
        + stats.baskets_operator;
    // Each is counted where it first ended, and once more where it was opened again and a person had to end it.
    let most = stats.baskets_opened + stats.groups_reopened;
    if !(stats.baskets_opened..=most).contains(&ended) {
        let what = format!(
            "{} baskets opened and {} opened again, {ended} ended",
            stats.baskets_opened, stats.groups_reopened
        );
        return Err(Broken::new("G2", what));
    }
    if !core.is_idle() {
        return Err(Broken::new("R3", "orders or groups are left at the end".to_owned()));
    }
    let at_risk = core.ledger().at_risk();
    if stats.exposure != at_risk {
        let what =
            format!("${} at risk, ${at_risk} held: the rest is still reserved", stats.exposure);
        return Err(Broken::new("R3", what));
    }
    Ok(())
}
