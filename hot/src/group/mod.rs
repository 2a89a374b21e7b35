//! Groups: orders that only make sense together, and what becomes of them when one of them fails.
//!
//! No venue offers an atomic order over several markets: a batch is only several orders in one request. So legs
//! go out one after the other, each sized to what the one before it really got (or several at once, where that is
//! allowed and expected to cost less: [`Sequencing`]), and a leg that finds no partner is sold again. The loss this accepts is bounded and measured; see `docs/risk.md`.
//!
//! A group decides; it does not act. [`Group::next_step`] says what should happen now, the core does it and tells
//! the group what came of it.

mod ends;
mod sequencing;
mod state;
mod stop;
mod table;

pub use ends::{BasketEnds, BasketHealth, CountedEnd, HEDGE_LATE};
pub use sequencing::{Choice, Odds, Sequencing};
pub use state::{GroupEvent, GroupState};
pub use stop::{Stop, StopEvent};
pub use table::Groups;

use crate::bounds::{BASKETS_MAX, LEGS_MAX};
use crate::ids::{Action, BasketId, GroupId, MarketId, OrderId, Outcome, Side, Venue};
use crate::ledger::Booking;
use crate::order::{EndKind, Purpose};
use crate::pack::{Pack, PackSink, PackSource, pack_fields};
use crate::risk::PlanRisk;
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::LOT;

/// The basket of a group around an order that no known group sent: none of the real ones, whatever their bound.
pub const ADOPTED: BasketId = BasketId::new(u16::MAX);
const _: () = assert!(BASKETS_MAX <= ADOPTED.index(), "no real basket has this number");

/// The group of an order that is sent alone, and in wire logs of the first version of every order: no group has this number.
pub const NO_GROUP: GroupId = GroupId::new(0);

/// One leg: contracts of one outcome, what has been got of them, and the order in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub market: MarketId,
    pub venue: Venue,
    pub outcome: Outcome,
    /// Contracts for each unit of the basket.
    pub ratio: u16,
    /// The worst price that the plan allows.
    pub limit: Price,
    /// The most that its cash is held for: the plan's worst price and the whole edge. How far a hedge may really go
    /// depends on what the other legs cost.
    pub reach: Price,
    /// Whether the plan needs more than the best level.
    pub deep: bool,
    /// Cash reserved for the leg until its order is placed and reserves its own.
    pub hold: Usd,
    /// Contracts bought by orders that are over, or known to be filled of the order in flight.
    pub bought: Qty,
    /// Contracts that the leg had when its buying order in flight was sent; zero unless a part is bought again.
    pub had: Qty,
    /// Contracts sold again because they had no partner.
    pub sold: Qty,
    /// What the booked purchases cost, with fees.
    pub paid: Usd,
    /// Contracts that the booked purchases brought.
    pub booked: Qty,
    /// What the booked sales brought, with fees taken off.
    pub brought: Usd,
    /// Contracts that the booked sales took.
    pub taken: Qty,
    /// The limit of its last buying order: what a fill that is not booked yet may have cost.
    pub price: Price,
    /// Until this time no further sale of it is sent.
    pub next_sale: Nanos,
    /// Until this time no more of it is bought to make up for a fill that the venue took back.
    pub next_hedge: Nanos,
    /// Until this time no more of it is bought so that it can be sold.
    pub next_top_up: Nanos,
    /// Corrections of it in a row that never reached the venue, or that could not be sent.
    pub missed: u32,
    /// Whether the venue has refused a sale of less than the market's least size, though it could not rest.
    pub least_for_all: bool,
    /// The order in flight. At most one: a correction never overlaps another order on the same contracts.
    pub order: Option<OrderId>,
    /// Whether its buying order has been sent.
    pub tried: bool,
}

/// The pause after an order of a group that never reached the venue. It doubles with each further one in a row, up to
/// [`MISSED_PAUSE_MAX`].
const MISSED_PAUSE: Nanos = Nanos::from_millis(50);
/// The longest pause after orders that never reached the venue.
const MISSED_PAUSE_MAX: Nanos = Nanos::from_secs(1);

impl Leg {
    /// In no market: what a new leg begins as.
    pub const NONE: Self = Self {
        market: MarketId::new(0),
        venue: Venue::ALL[0], // no leg has it: every real leg says where its market trades
        outcome: Outcome::Yes,
        ratio: 1,
        limit: Price::ZERO,
        reach: Price::ZERO,
        deep: false,
        hold: Usd::ZERO,
        bought: Qty::ZERO,
        had: Qty::ZERO,
        sold: Qty::ZERO,
        paid: Usd::ZERO,
        booked: Qty::ZERO,
        brought: Usd::ZERO,
        taken: Qty::ZERO,
        price: Price::ZERO,
        next_sale: Nanos::ZERO,
        next_hedge: Nanos::ZERO,
        next_top_up: Nanos::ZERO,
        missed: 0,
        least_for_all: false,
        order: None,
        tried: false,
    };

    /// Contracts that are held already, of which nothing more is to be bought; `cost` is what the group counts them at.
    pub const fn found(
        market: MarketId,
        venue: Venue,
        outcome: Outcome,
        qty: Qty,
        cost: Usd,
    ) -> Self {
        let (bought, had, booked) = (qty, qty, qty);
        Self { market, venue, outcome, bought, had, booked, paid: cost, tried: true, ..Self::NONE }
    }

    /// Contracts that the leg holds.
    pub fn net(&self) -> Qty {
        self.bought.saturating_sub(self.sold)
    }

    /// Units of the basket that the leg holds enough for. Where a unit needs several contracts of it, whole lots of units: a
    /// part of a lot could not be bought of the other legs.
    pub fn units(&self) -> Qty {
        if self.ratio == 1 { self.net() } else { self.net().per(self.ratio).floor_to(LOT) }
    }

    /// What the contracts sold again brought, less fees and less their share of what the leg paid for all of them. Those whose
    /// purchase is not booked yet count on neither side.
    pub fn result(&self) -> Usd {
        let known = self.taken.min(self.booked);
        if known.is_zero() {
            return Usd::ZERO;
        }
        self.brought_by(known) - self.paid.share_ceil(known, self.booked)
    }

    /// What so many of the contracts that the booked sales took brought, rounded down.
    pub fn brought_by(&self, part: Qty) -> Usd {
        if part.is_zero() { Usd::ZERO } else { -(-self.brought).share_ceil(part, self.taken) }
    }

    /// A correction of the leg could not be sent, or did not reach the venue. The next one waits, longer each time in a row.
    pub fn put_off(&mut self, now: Nanos) {
        self.next_sale = now.after(MISSED_PAUSE.doubled(self.missed, MISSED_PAUSE_MAX));
        self.missed = self.missed.saturating_add(1);
    }
}

/// A group of legs, bought in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub basket: BasketId,
    /// Legs in the order in which they are bought, from 1 to [`LEGS_MAX`] of them. The one that is
    /// easiest to sell again comes first. Their room comes from [`Groups::take_room`]: it holds all that there may be.
    pub legs: Vec<Leg>,
    /// Units wanted: as many as the leg that got fewest has got enough for.
    pub target: Qty,
    /// What one unit (of every leg its ratio of contracts) pays at least, in $0.0001.
    pub payout: u32,
    state: GroupState,
    /// In what order its legs leave.
    pub sequencing: Sequencing,
    /// Profit after fees that was expected when the group was planned.
    pub promised: Usd,
    /// What was at stake when the group was planned: its first order is held to it.
    pub risk: PlanRisk,
    /// When the group was planned, or opened again.
    pub started: Nanos,
    /// Since when a leg holds more than its partners; `None` while all hold the same.
    pub one_leg_since: Option<Nanos>,
    /// How long a leg has held more than its partners in all, up to `one_leg_since`.
    pub one_leg: Nanos,
    /// Since when contracts without a partner are being sold; `None` while none are.
    pub unwinding_since: Option<Nanos>,
    /// Since when whatever could be had for them would lose more than the group may lose; `None` from the next sale on.
    pub dear_since: Option<Nanos>,
    /// Sales that the venue answered and that sold nothing. A sale that never reached the venue does not count.
    pub attempts: u32,
    /// How many cents below the bid the next sale is priced: one more after each sale that reached the book and sold nothing.
    pub concessions: u32,
    /// Purchases, answered by the venue, that made a leftover large enough to sell.
    pub top_ups: u8,
    /// Until this time a hedge that did not reach the venue is not sent again.
    pub next_at: Nanos,
    /// Hedges in a row that did not reach the venue.
    pub missed: u32,
    /// Whether an order of the group was given up because the venue did not know it, which is never certain.
    pub doubted: bool,
    /// Whether the alarm for a stuck group has been raised.
    pub alarmed: bool,
    /// Until this time nothing more is done about a group that does not end.
    pub next_look: Nanos,
    /// How many times a leg was bought again because the venue took back a fill; at most `AGAIN_MAX`.
    pub again: u8,
    /// Whether the group had ended and was opened again.
    pub reopened: bool,
    /// How far the stop-loss has come that the group is.
    pub stop: Stop,
    /// What was counted of it when it ended; `None` where it has not ended, or nothing of it had filled.
    pub counted: Option<CountedEnd>,
}

pack_fields! {
    Leg {
        market, venue, outcome, ratio, limit, reach, deep, hold, bought, had, sold, paid, booked, brought, taken, price, next_sale,
        next_hedge, next_top_up, missed, least_for_all, order, tried,
    }
    Group {
        id, basket, legs, target, payout, state, sequencing, promised, risk, started, one_leg_since, one_leg, unwinding_since, dear_since, attempts,
        concessions, top_ups, next_at, missed, doubted, alarmed, next_look, again, reopened, stop, counted,
    }
}

/// How many there are, then each: only those that the group has are written.
impl Pack for Vec<Leg> {
    fn pack<W: PackSink>(&self, to: &mut W) {
        u8::try_from(self.len()).expect("LEGS_MAX fits").pack(to);
        for leg in self {
            leg.pack(to);
        }
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        let count = usize::from(u8::unpack(from)?);
        if count > LEGS_MAX {
            return None;
        }
        let mut legs = Self::with_capacity(LEGS_MAX);
        for _ in 0..count {
            legs.push(Leg::unpack(from)?);
        }
        Some(legs)
    }
}

/// How many times a leg is bought again after the venue took back a fill; after that the group unwinds.
const AGAIN_MAX: u8 = 3;

/// What a group wants done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: an order is in flight, or a correction is not due yet.
    Wait,
    /// Contracts of a leg are to be bought.
    Buy { leg: usize, qty: Qty },
    /// Contracts are to be sold, and cannot be just now.
    Later,
    /// Contracts are to be sold, and whatever could be had for them now would lose more than the group may lose.
    TooDear,
    /// A leg holds contracts without a partner.
    Correct {
        leg: usize,
        /// [`Purpose::Unwind`] sells them; [`Purpose::TopUp`] buys what is lacking for a sale that the venue takes.
        with: Purpose,
        /// The number of contracts without a partner.
        excess: Qty,
    },
    /// The group has ended: [`GroupEvent::Whole`] or [`GroupEvent::Empty`].
    End(GroupEvent),
}

/// What can be done about contracts that have no partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sale {
    /// The venue takes an order of that size.
    Possible,
    /// The venue takes an order of that size, and the group would lose more by it than it may.
    TooDear,
    /// They are too few for an order: some more are bought, and then all are sold.
    TooSmall,
    /// Nothing can be done just now, and they are too many to be left.
    Waits,
    /// They are so few that they may be left.
    Dust,
}

impl Group {
    /// A group that begins: nothing has been sent, and nothing is wanted or expected yet.
    pub const fn new(id: GroupId, basket: BasketId, legs: Vec<Leg>, started: Nanos) -> Self {
        Self {
            id,
            basket,
            legs,
            target: Qty::ZERO,
            payout: 0,
            state: GroupState::Working,
            sequencing: Sequencing::Sequential,
            promised: Usd::ZERO,
            risk: PlanRisk::NONE,
            started,
            one_leg_since: None,
            one_leg: Nanos::ZERO,
            unwinding_since: None,
            dear_since: None,
            attempts: 0,
            concessions: 0,
            top_ups: 0,
            next_at: Nanos::ZERO,
            missed: 0,
            doubted: false,
            alarmed: false,
            next_look: Nanos::ZERO,
            again: 0,
            reopened: false,
            stop: Stop::Off,
            counted: None,
        }
    }

    /// Where the group stands.
    pub const fn state(&self) -> GroupState {
        self.state
    }

    /// Moves the group to the state that its table has for `event`: no other way leads from one state to another.
    ///
    /// # Panics
    /// Where the table has none: our own mistake.
    pub fn step(&mut self, event: GroupEvent) {
        let next = self.state.next(event);
        self.state =
            next.unwrap_or_else(|| panic!("G2: {event:?} of a group that is {:?}", self.state));
    }

    /// The legs that the group has.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The legs that the group has, to be changed.
    pub fn legs_mut(&mut self) -> &mut [Leg] {
        &mut self.legs
    }

    /// Complete units held: those of the leg that holds enough for fewest.
    pub fn matched(&self) -> Qty {
        self.legs().iter().map(Leg::units).min().unwrap_or(Qty::ZERO)
    }

    /// Whether some leg holds more than its partners.
    pub fn is_uneven(&self) -> bool {
        let matched = self.matched();
        self.legs().iter().any(|leg| leg.net() > matched.times(leg.ratio))
    }

    /// The largest share of a leg that has no partner by what is wanted, in percent, rounded up.
    pub fn mismatch_percent(&self) -> u64 {
        let share = |leg: &Leg| {
            let excess = self.excess(leg);
            let of = u128::from(leg.net().micros().max(1));
            u64::try_from((u128::from(excess.micros()) * 100).div_ceil(of)).expect("at most 100")
        };
        self.legs().iter().map(share).max().unwrap_or(0)
    }

    /// Contracts of a leg beyond what is wanted of it: they are to be sold.
    pub fn excess(&self, leg: &Leg) -> Qty {
        leg.net().saturating_sub(self.target.times(leg.ratio))
    }

    /// Whether the group has an order under way that lands on this side of a market's book, or is yet to send one: to buy a leg,
    /// or to sell what has no partner. What such an order would take is no other basket's.
    pub fn lands_on(&self, market: MarketId, side: Side) -> bool {
        self.legs().iter().filter(|leg| leg.market == market).any(|leg| {
            let lands = |action| Side::of(leg.outcome, action) == side;
            let buys = !leg.tried || leg.order.is_some();
            let sells = !self.excess(leg).is_zero();
            (buys && lands(Action::Buy)) || (sells && lands(Action::Sell))
        })
    }

    /// Keeps the clock of standing on one leg. Call after anything changed.
    pub fn keep_time(&mut self, now: Nanos) {
        let is_uneven = self.is_uneven();
        match (is_uneven, self.one_leg_since) {
            (true, None) => self.one_leg_since = Some(now),
            (false, Some(since)) => {
                self.one_leg = self.one_leg.after(now.since(since));
                self.one_leg_since = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
        assert!(
            self.one_leg_since.is_some() == is_uneven,
            "G1: the time on one leg is counted while a leg has no partner"
        );
    }

    /// A fill of the group was booked: what it cost or brought is its leg's.
    pub fn on_booked(&mut self, booking: &Booking) {
        let Booking { market, outcome, action, price, qty, fee, .. } = *booking;
        let Some(leg) = self.leg_mut(market, outcome) else { return };
        match action {
            Action::Buy => {
                leg.paid += price.cost_ceil(qty) + fee;
                leg.booked += qty;
            }
            Action::Sell => {
                leg.brought += price.proceeds_floor(qty) - fee;
                leg.taken += qty;
            }
        }
    }

    /// A booked fill of the group turned out void.
    pub fn on_undone(&mut self, booking: &Booking) {
        let Booking { market, outcome, action, price, qty, fee, .. } = *booking;
        let Some(leg) = self.leg_mut(market, outcome) else { return };
        match action {
            Action::Buy => {
                leg.paid -= price.cost_ceil(qty) + fee;
                leg.booked = leg.booked.saturating_sub(qty);
            }
            Action::Sell => {
                leg.brought -= price.proceeds_floor(qty) - fee;
                leg.taken = leg.taken.saturating_sub(qty);
            }
        }
    }

    /// What the group's sales brought beyond the cost of what they sold, fees of both taken off; negative for a loss. What else moved
    /// in the group's markets, or is held still, has no part in it.
    pub fn result(&self) -> Usd {
        self.legs().iter().fold(Usd::ZERO, |sum, leg| sum + leg.result())
    }

    fn leg_mut(&mut self, market: MarketId, outcome: Outcome) -> Option<&mut Leg> {
        self.legs_mut().iter_mut().find(|leg| leg.market == market && leg.outcome == outcome)
    }

    /// The buying order of leg `index` is over, having got `qty`.
    pub fn on_bought(&mut self, index: usize, qty: Qty) {
        let leg = &mut self.legs[index];
        leg.order = None;
        leg.bought = leg.had + qty;
        if leg.tried && leg.units() < self.target {
            // Whoever comes next is sized to what this one got; what came before is too much now.
            self.target = leg.units();
        }
    }

    /// The selling order of leg `index` is over, having sold `qty` of what it was for.
    pub fn on_sold(&mut self, index: usize, qty: Qty, whole: bool, end: EndKind) {
        let leg = &mut self.legs[index];
        leg.order = None;
        leg.sold += qty;
        let before = self.target;
        // What came late may have completed units while this was sold.
        self.target = self.target.min(self.matched());
        assert!(self.target <= before, "G1: a sale never makes a group buy more");
        match end {
            _ if whole => {}
            // The market takes it, a part at a time.
            EndKind::Traded if !qty.is_zero() => self.concessions = 1,
            EndKind::Traded => {
                self.attempts += 1;
                self.concessions += 1;
            }
            EndKind::Refused => self.attempts += 1,
            EndKind::Missed => {}
        }
    }

    /// The first sale of a stop-loss is over: unless it never reached the venue, whatever is left is sold at what is bid. It costs no
    /// attempt: nothing was tried yet at the price of the sales that follow.
    pub fn on_stop_over(&mut self, index: usize, qty: Qty, end: EndKind) {
        self.on_sold(index, qty, true, end);
        self.stop = self.stop.next(match end {
            EndKind::Missed => StopEvent::Missed,
            EndKind::Refused | EndKind::Traded => StopEvent::Over,
        });
    }

    /// The buying order of leg `index` never reached the venue: it is sent again.
    pub fn buy_again(&mut self, index: usize) {
        let leg = &mut self.legs[index];
        (leg.order, leg.tried, leg.next_hedge) = (None, false, Nanos::ZERO);
    }

    /// What it wants done cannot be done just now: the next try waits, longer each time in a row.
    pub fn wait(&mut self, now: Nanos) {
        self.next_at = now.after(MISSED_PAUSE.doubled(self.missed, MISSED_PAUSE_MAX));
        self.missed = self.missed.saturating_add(1);
    }

    /// The way to the venue is open again.
    pub fn wake(&mut self, now: Nanos) {
        if self.missed > 0 {
            (self.next_at, self.missed) = (now, 0);
        }
        for leg in self.legs_mut().iter_mut().filter(|leg| leg.missed > 0) {
            (leg.next_sale, leg.missed) = (now, 0);
        }
    }

    /// What waits is tried now, and put off for as long as before where that fails.
    pub fn try_now(&mut self, now: Nanos) {
        self.next_at = self.next_at.min(now);
        for leg in self.legs_mut().iter_mut().filter(|leg| leg.missed > 0) {
            leg.next_sale = leg.next_sale.min(now);
        }
    }

    /// Gives up buying: a group with a leg not yet sent keeps what is complete, and the rest is sold again.
    pub fn give_up(&mut self) {
        if self.legs().iter().any(|leg| !leg.tried) {
            self.target = self.target.min(self.matched());
            assert!(
                self.target <= self.matched(),
                "G1: a group that gives up keeps what is complete"
            );
        }
    }

    /// The venue took back `qty` that leg `index` had got by an order that is over. While there is nothing else to
    /// sell and `again` allows it, that leg is bought again at the plan's own worst price; else what it was
    /// matched with is sold.
    pub fn take_back(&mut self, index: usize, qty: Qty, again: bool) {
        let again = again
            && self.basket != ADOPTED
            && self.state == GroupState::Working
            && self.again < AGAIN_MAX;
        let before = self.target;
        let leg = &mut self.legs[index];
        leg.bought = leg.bought.saturating_sub(qty);
        leg.had = leg.had.saturating_sub(qty);
        if again {
            leg.tried = false;
            if index == 0 {
                leg.reach = leg.limit; // the others may have used the slack up
            }
            self.again += 1;
        } else {
            self.target = self.target.min(self.matched());
        }
        assert!(self.target <= before, "G1: what is taken back never makes a group buy more");
        assert!(self.again <= AGAIN_MAX, "G5: a leg is bought again a bounded number of times");
    }

    /// A group that has ended goes on: contracts of it came or went since.
    pub fn reopen(&mut self, now: Nanos) {
        self.step(GroupEvent::Reopened);
        (self.started, self.alarmed, self.reopened) = (now, false, true);
        (self.concessions, self.dear_since) = (0, None);
        self.unwinding_since = (self.state == GroupState::Unwinding).then_some(now);
        assert!(!self.state.is_over(), "G2: it has to end once more");
    }

    /// Nothing of it could be sold from `from` to `now`: that time is none in which it unwinds.
    pub fn leave_out(&mut self, from: Nanos, now: Nanos) {
        let later = |since: Nanos| since.after(now.since(from.max(since)));
        self.unwinding_since = self.unwinding_since.map(later);
        self.dear_since = self.dear_since.map(later);
    }

    /// The program was away: what it waited for is tried at once, and the time away does not count.
    pub fn on_restart(&mut self, now: Nanos) {
        (self.next_at, self.missed) = (now, 0);
        self.legs_mut()
            .iter_mut()
            .for_each(|leg| (leg.next_sale, leg.next_hedge, leg.missed) = (now, now, 0));
        self.unwinding_since = self.unwinding_since.map(|_| now);
        self.dear_since = self.dear_since.map(|_| now);
    }

    /// Whether another leg than `index`, none of whose orders is in flight, holds something: what is bought of this one completes
    /// that. Without it a purchase opens something.
    pub fn has_partner(&self, index: usize) -> bool {
        let holds = |leg: &Leg| leg.order.is_none() && !leg.net().is_zero();
        self.legs().iter().enumerate().any(|(other, leg)| other != index && holds(leg))
    }

    /// Whether an order of another leg than `index` is in flight.
    pub fn is_beside(&self, index: usize) -> bool {
        self.legs().iter().enumerate().any(|(other, leg)| other != index && leg.order.is_some())
    }

    /// Whether a leg may leave while others of the group are in flight. What is bought again waits for all.
    pub fn buys_beside(&self) -> bool {
        let is_first = self.again == 0 && !self.reopened && self.state == GroupState::Working;
        is_first
            && match self.sequencing {
                Sequencing::Sequential => false,
                Sequencing::Staggered => {
                    self.legs.first().is_some_and(|first| first.tried && first.order.is_none())
                }
                Sequencing::Parallel => true,
            }
    }

    /// What should happen now. A leg whose last sale was a moment ago, or that cannot be sold, does not
    /// keep the others waiting. `sale(leg, qty)` says what can be done about so much of a leg.
    pub fn next_step(&self, now: Nanos, sale: impl Fn(&Leg, Qty) -> Sale) -> Step {
        let in_flight = self.legs().iter().any(|leg| leg.order.is_some());
        if self.state.is_over() || (in_flight && !self.buys_beside()) {
            return Step::Wait;
        }
        let wanted = |leg: &Leg| !leg.tried && leg.net() < self.target.times(leg.ratio);
        if let Some(at) = self.legs().iter().position(wanted) {
            let leg = &self.legs[at];
            return Step::Buy { leg: at, qty: self.target.times(leg.ratio) - leg.net() };
        }
        if in_flight {
            return Step::Wait; // nothing is corrected before all of it is known
        }
        let (mut waits, mut dear) = (false, false);
        for (index, leg) in self.legs().iter().enumerate() {
            let excess = self.excess(leg);
            if excess.is_zero() {
                continue;
            }
            let with = match sale(leg, excess) {
                Sale::Dust => continue,
                Sale::Possible if now >= leg.next_sale => Purpose::Unwind,
                Sale::TooSmall if now >= leg.next_sale.max(leg.next_top_up) => Purpose::TopUp,
                Sale::Possible | Sale::TooSmall | Sale::Waits => {
                    waits = true;
                    continue;
                }
                Sale::TooDear => {
                    dear = true;
                    continue;
                }
            };
            assert!(leg.order.is_none(), "G3: one order in flight for the same contracts");
            assert!(excess <= leg.net(), "G1: no more is sold than the leg holds");
            return Step::Correct { leg: index, with, excess };
        }
        match (waits || dear, self.target.is_zero()) {
            _ if dear => Step::TooDear,
            (true, _) => Step::Later,
            (false, true) => Step::End(GroupEvent::Empty),
            (false, false) => Step::End(GroupEvent::Whole),
        }
    }
}

#[cfg(test)]
mod tests;
