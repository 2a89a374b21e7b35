//! Does what groups want done: buys their legs in order, and sells what found no partner.

use super::Core;
use super::place::{Draft, Passed};
use crate::amounts;
use crate::basket::payout_floor;
use crate::canary::{self, Canary};
use crate::group::{
    ADOPTED, BasketHealth, Group, GroupEvent, GroupState, HEDGE_LATE, Leg, Step, Stop,
};
use crate::ids::{Action, GroupId, MarketId, OrderRef, Outcome};
use crate::market::MarketDef;
use crate::note::{Alarm, Note, Place};
use crate::order::{EndKind, OrderState, Purpose, Record, Tif};
use crate::outbox::Outbox;
use crate::risk::{HaltWhy, LimitRow};
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::Purchases;

/// G5: for how long a better bid is waited for, where every sale would lose more than the group may lose.
const DEAR_MAX: Nanos = Nanos::from_secs(30);
/// The rounding of one leg's cost in one fill: a balance at Kalshi rounds up to $0.0001, fees to $0.00001 at the coarsest, costs to
/// a microdollar.
const ROUNDING: Usd = Usd::from_micros(120);

impl Core {
    /// Does what a group wants done, until it must wait or has ended.
    pub(super) fn advance(&mut self, now: Nanos, id: GroupId, out: &mut Outbox) {
        while let Some(slot) = self.groups.position(id) {
            self.groups.at_mut(slot).keep_time(now);
            if self.settle_beside(id) {
                return; // what a crash left open is known first
            }
            self.settle_target(slot);
            let group = self.groups.at(slot);
            let step = group.next_step(now, |leg, qty| self.sale(now, group, leg, qty));
            if matches!(step, Step::Correct { .. }) {
                self.groups.at_mut(slot).dear_since = None;
            }
            match step {
                Step::Wait => return,
                Step::Later => return self.wait_to_sell(now, slot, out),
                Step::TooDear => return self.wait_for_price(now, slot, out),
                // After a restart the rest is bought only once both venues agree with us. Later in a run a hedge does
                // not wait for a comparison.
                Step::Buy { .. } if !self.run.is_halted() && self.run.is_configuring() => return,
                Step::Buy { leg, qty } => {
                    let group = self.groups.at(slot);
                    let goes_on = group.missed > 0 || now > group.started;
                    if goes_on && group.is_beside(leg) && !group.has_partner(leg) {
                        return; // legs leave at once in one event: later this one waits for what the others get
                    }
                    // What is bought again corrects what is held, as a sale does: it waits for all that is counted and not told.
                    let waits = group.again > 0 && self.is_in_flight(id);
                    if (waits || group.missed > 0) && !self.may_hedge_again(now, group) {
                        self.give_leg_up(now, slot, leg, out);
                    } else if waits || (group.missed > 0 && now < group.next_at) {
                        return;
                    } else if now < group.legs[leg].next_hedge && !self.run.is_halted() {
                        return; // whatever is lacking by then is bought at once
                    } else {
                        self.buy_leg(now, slot, leg, qty, out);
                    }
                }
                Step::Correct { leg, with, excess } => {
                    if !self.correct_leg(now, slot, leg, with, excess, out) {
                        return;
                    }
                }
                Step::End(event) => return self.end_group(now, slot, event, out),
            }
        }
    }

    /// An order of a leg is over: the group learns what it got, and whether to send it again.
    pub(super) fn on_leg_over(&mut self, now: Nanos, slot: usize, index: usize, record: &Record) {
        let (order, got) = (&record.order, record.known_filled());
        let end = if got.is_zero() { record.end } else { EndKind::Traded };
        if got.is_zero() && end == EndKind::Traded && order.action == Action::Buy {
            self.doubt_untaken(now, record);
        }
        let buys_leg = order.action == Action::Buy && !order.purpose.corrects();
        let again = end == EndKind::Missed && buys_leg && self.may_buy_later(now, slot, index);
        if again {
            self.hold_again(slot, index, order.qty);
        }
        if index == 0 && order.purpose == Purpose::Leg && end != EndKind::Missed {
            self.groups.learn_first(slot, !got.is_zero());
        }
        let pause = self.top_up_pause(self.groups.at(slot).top_ups.saturating_add(1));
        let group = self.groups.at_mut(slot);
        match order.action {
            Action::Buy if again => group.buy_again(index),
            Action::Buy => group.on_bought(index, got),
            Action::Sell if order.purpose == Purpose::StopLoss && group.stop == Stop::Limit => {
                group.on_stop_over(index, got, end);
            }
            Action::Sell => group.on_sold(index, got, got >= order.qty, end),
        }
        if order.purpose == Purpose::TopUp && end != EndKind::Missed {
            group.top_ups += 1;
        }
        // Whatever is sent again waits a little, longer each time; but not what was decided before a halt, or its end, that is known
        // by now: its way is open.
        let is_outrun = order.epoch < self.run.epoch();
        let leg = &mut group.legs_mut()[index];
        match end {
            EndKind::Missed if order.purpose.corrects() && is_outrun => leg.next_sale = now,
            EndKind::Missed if order.purpose.corrects() => leg.put_off(now),
            EndKind::Missed | EndKind::Refused | EndKind::Traded => leg.missed = 0,
        }
        if order.purpose == Purpose::TopUp && end != EndKind::Missed && got.is_zero() {
            leg.next_top_up = now.after(pause);
        }
        if again {
            group.wait(now);
        } else {
            group.missed = 0;
        }
    }

    /// Whether a hedge that never reached the venue may still be tried: for as long as a leg may take. From then on, or
    /// when nothing may be bought, what is held is sold.
    fn may_hedge_again(&self, now: Nanos, group: &Group) -> bool {
        let limit = self.limits.span(LimitRow::LegTimeoutMs);
        !self.run.is_halted()
            && group.state() == GroupState::Working
            && group.one_leg_since.is_some_and(|since| now.since(since) < limit)
    }

    /// Whether a purchase that did not come about may be made later: a hedge for as long as it may be tried, and what was to leave
    /// beside others once these hold something.
    fn may_buy_later(&self, now: Nanos, slot: usize, index: usize) -> bool {
        let group = self.groups.at(slot);
        let waits =
            group.is_beside(index) && !self.run.is_halted() && group.state() == GroupState::Working;
        waits || self.may_hedge_again(now, group)
    }

    /// The cash of a leg that is to be bought later is held for it again: no other basket may take it meanwhile.
    fn hold_again(&mut self, slot: usize, index: usize, qty: Qty) {
        let leg = &self.groups.at(slot).legs[index];
        let (market, hold) = (leg.market, self.worst_cost(leg.market, leg.reach, qty));
        self.reserve(market, hold);
        self.groups.at_mut(slot).legs_mut()[index].hold = hold;
    }

    /// Whether an order of a group may still bring or take something: one that is over is in flight (G3) until each fill that the
    /// venue counts has been told. A fill that is only counted may be another one than the group takes it for, or fail.
    fn is_in_flight(&self, group: GroupId) -> bool {
        self.orders.live().any(|record| record.order.group == group)
    }

    /// A hedge that never reached the venue is not tried any more.
    fn give_leg_up(&mut self, now: Nanos, slot: usize, index: usize, out: &mut Outbox) {
        let group = self.groups.at_mut(slot);
        let leg = &mut group.legs_mut()[index];
        (leg.tried, leg.had) = (true, leg.bought);
        group.on_bought(index, Qty::ZERO);
        if group.is_uneven() {
            self.begin_unwind(now, slot, out);
        }
    }

    /// Buys the first leg of a group that has just begun. What [`Self::advance`] asks besides has but one answer for a new one: no
    /// leg stands alone, no adopted order is beside its own, its target is the plan's, and nothing is to be sold.
    pub(super) fn begin(&mut self, now: Nanos, slot: usize, first: &Passed, out: &mut Outbox) {
        let group = self.groups.at_mut(slot);
        let (id, risk) = (group.id, group.risk);
        // While a run begins, and while a crash has left something open, more is asked before.
        if !self.run.is_configuring() && self.groups.beside.is_empty() {
            let group = self.groups.at_mut(slot);
            let leg = &mut group.legs_mut()[0];
            assert!(!leg.tried && leg.net().is_zero(), "G4: nothing of a new group was sent");
            // The order holds its own cash from here; what the group held for this leg makes room for it.
            let held = std::mem::take(&mut leg.hold);
            (leg.tried, leg.price) = (true, leg.limit);
            let placed = self.place_passed(now, first, held, &risk, out);
            let group = self.groups.at_mut(slot);
            match placed {
                Ok(order) => {
                    group.legs_mut()[0].order = Some(order);
                    if !group.buys_beside() {
                        return; // in flight: the group waits for it
                    }
                }
                Err(_) => group.on_bought(0, Qty::ZERO),
            }
        }
        self.advance(now, id, out);
    }

    fn buy_leg(&mut self, now: Nanos, slot: usize, index: usize, qty: Qty, out: &mut Outbox) {
        let group = self.groups.at(slot);
        let (id, leg) = (group.id, group.legs[index]);
        // While no partner is held it is none that completes something: it is asked and sent as what opens, all of it or nothing.
        let opens = !group.has_partner(index);
        let more = canary::is(Canary::HedgeTooLarge) && !opens;
        let qty = if more { qty + Qty::from_contracts(1) } else { qty };
        // Plans made since have counted all that this one holds: its own figure still stands.
        let plan = opens.then_some(group.risk);
        let price = if opens && index == 0 && group.again == 0 {
            Some(leg.limit)
        } else if group.buys_beside() {
            // The slack is one for all legs: what leaves beside others keeps to the plan's own worst price.
            self.price_within(group, index, qty, leg.limit, Self::cost_at, ROUNDING)
        } else {
            self.hedge_price(group, index, qty)
        };
        // The order holds its own cash from here; what the group held for this leg makes room for it.
        self.reserve(leg.market, -leg.hold);
        let entry = &mut self.groups.at_mut(slot).legs_mut()[index];
        entry.hold = Usd::ZERO;
        entry.had = entry.bought;
        entry.tried = true;
        entry.price = price.unwrap_or(leg.price);
        let placed = price.and_then(|price| {
            let draft = Draft {
                group: id,
                market: leg.market,
                outcome: leg.outcome,
                action: Action::Buy,
                price,
                qty,
                tif: buying_tif(&leg, price, qty, opens),
                purpose: if opens { Purpose::Leg } else { Purpose::Hedge },
                expires: None,
                post_only: false,
                plan,
            };
            self.place(now, &draft, out).ok()
        });
        let next = now.after(self.limits.span(LimitRow::UnwindStepMs));
        match placed {
            Some(order) => {
                let group = self.groups.at_mut(slot);
                let makes_up = group.again > 0;
                let entry = &mut group.legs_mut()[index];
                entry.order = Some(order);
                if makes_up {
                    entry.next_hedge = next;
                }
            }
            // What the gate does not let leave beside others may follow once they hold something.
            None if opens && self.may_buy_later(now, slot, index) => {
                self.hold_again(slot, index, qty);
                let group = self.groups.at_mut(slot);
                group.buy_again(index);
                group.wait(now);
            }
            None => {
                let group = self.groups.at_mut(slot);
                group.on_bought(index, Qty::ZERO);
                if group.is_uneven() {
                    self.begin_unwind(now, slot, out);
                }
            }
        }
    }

    /// The highest price at which leg `index` may buy `qty` more contracts, so that complete units cost no more than they pay.
    ///
    /// The slack of a plan is one for all its legs. What the other legs really cost, or may cost at the plan's own worst
    /// prices, is taken off what the units pay; the rest is what this leg may use, up to what its cash was held for. Whatever is
    /// not paid yet is counted with every rounding of single fills: above the plan's own worst price the whole never costs more than
    /// it pays.
    ///
    /// Up to that price the roundings of one fill a leg ([`ROUNDING`]) are let pass, by which the whole may cost more than it pays: a
    /// cent less would miss the level that the plan is made of, and what is held would be sold at a loss.
    fn hedge_price(&self, group: &Group, index: usize, qty: Qty) -> Option<Price> {
        let leg = &group.legs[index];
        let careful = self.price_within(group, index, qty, leg.reach, Self::worst_cost, Usd::ZERO);
        if careful >= Some(leg.limit) {
            return careful;
        }
        self.price_within(group, index, qty, leg.limit, Self::cost_at, ROUNDING)
    }

    /// The highest allowed price up to `most` at which `qty` more contracts of leg `index` leave the complete units no dearer than
    /// they pay. `cost` says what a purchase that is not made yet comes to; `rounding` is let pass for each leg.
    fn price_within(
        &self,
        group: &Group,
        index: usize,
        qty: Qty,
        most: Price,
        cost: impl Fn(&Self, MarketId, Price, Qty) -> Usd,
        rounding: Usd,
    ) -> Option<Price> {
        let leg = &group.legs[index];
        let units = (leg.net() + qty).per(leg.ratio);
        let mut left = payout_floor(group.payout, units);
        for (other, entry) in group.legs().iter().enumerate() {
            let needed = units.times(entry.ratio);
            let held = entry.net().min(needed);
            let wanted = if other == index { Qty::ZERO } else { needed - held };
            left =
                left - self.cost_held(entry, held) - cost(self, entry.market, entry.limit, wanted);
            left += rounding;
        }
        let MarketDef { grid, .. } = *self.terms(leg.market);
        let grid = if leg.outcome == Outcome::Yes { grid } else { grid.mirrored() };
        let fits = |price: &Price| cost(self, leg.market, *price, qty) <= left;
        let (mut low, mut high) = (0, grid.slot(grid.floor(most)?)?);
        // A cost rises with its price: the highest slot that fits is found by halves.
        while low < high {
            let middle = (low + high).div_ceil(2);
            if grid.price(middle).as_ref().is_some_and(fits) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        grid.price(low).filter(|price| *price > Price::ZERO)
    }

    /// What `held` of a leg's contracts cost, fees included: their share of what was paid for all of them. Those whose
    /// fills are not booked yet may have cost as much as their order allowed.
    pub(super) fn cost_held(&self, leg: &Leg, held: Qty) -> Usd {
        let unbooked = leg.bought.saturating_sub(leg.booked);
        let all = leg.paid + self.worst_cost(leg.market, leg.price, unbooked);
        let of = leg.bought.max(leg.booked);
        if held.is_zero() || of.is_zero() { Usd::ZERO } else { all.share_ceil(held, of) }
    }

    /// What `qty` cost at a price, with the fee of a taker.
    fn cost_at(&self, market: MarketId, price: Price, qty: Qty) -> Usd {
        price.cost_ceil(qty) + self.terms(market).fee.fee(price, qty, true)
    }

    /// Corrects a leg that holds too much: sells that, or tops it up first where it is too little to sell. The first sale
    /// leaves at once, the next one no sooner than a step after it. Returns whether the group may go on.
    fn correct_leg(
        &mut self,
        now: Nanos,
        slot: usize,
        index: usize,
        with: Purpose,
        excess: Qty,
        out: &mut Outbox,
    ) -> bool {
        self.begin_unwind(now, slot, out);
        let group = self.groups.at(slot);
        let attempts = self.limits.raw(LimitRow::UnwindAttempts);
        if u64::from(group.attempts) >= attempts || self.is_overdue(now, group) {
            self.hand_over(now, slot, out);
            return false;
        }
        // A claimed fill whose details have not come yet cannot be sold: the ledger must hold it first.
        if self.is_in_flight(group.id) && !canary::is(Canary::CorrectionBeside) {
            return false;
        }
        let leg = group.legs[index];
        let draft = match with {
            Purpose::TopUp => self.top_up(now, group, &leg, excess),
            Purpose::Unwind => self
                .stop_draft(group, &leg, excess)
                .or_else(|| self.sale_draft(group, &leg, excess)),
            Purpose::Leg | Purpose::Hedge | Purpose::Exit | Purpose::Quote | Purpose::StopLoss => {
                unreachable!("a group corrects by a sale or a top-up")
            }
        };
        let placed = draft.and_then(|draft| Some((draft, self.place(now, &draft, out).ok()?)));
        let entry = &mut self.groups.at_mut(slot).legs_mut()[index];
        match placed {
            Some((draft, order)) => {
                entry.order = Some(order);
                let falls_back = draft.purpose == Purpose::Unwind;
                if draft.action == Action::Buy {
                    (entry.had, entry.price) = (entry.bought, draft.price);
                } else {
                    entry.next_sale = now.after(self.limits.span(LimitRow::UnwindStepMs));
                }
                if falls_back {
                    self.on_fallback(slot, out);
                }
            }
            None => entry.put_off(now), // the other legs do not wait for it
        }
        true
    }

    /// Something is to be sold and cannot be just now.
    fn wait_to_sell(&mut self, now: Nanos, slot: usize, out: &mut Outbox) {
        self.begin_unwind(now, slot, out);
        if self.is_overdue(now, self.groups.at(slot)) {
            self.hand_over(now, slot, out);
        }
    }

    /// Something is to be sold, and the group would lose more by it than it may.
    fn wait_for_price(&mut self, now: Nanos, slot: usize, out: &mut Outbox) {
        self.begin_unwind(now, slot, out);
        let since = *self.groups.at_mut(slot).dear_since.get_or_insert(now);
        if now.since(since) >= DEAR_MAX && !self.waits_for_mode(self.groups.at(slot)) {
            self.hand_over(now, slot, out);
        }
    }

    /// Nothing more can be done here: trading halts, and the group is a person's.
    fn hand_over(&mut self, now: Nanos, slot: usize, out: &mut Outbox) {
        self.trip(HaltWhy::Group, out);
        self.end_group(now, slot, GroupEvent::HandedOver, out);
    }

    pub(super) fn begin_unwind(&mut self, now: Nanos, slot: usize, out: &mut Outbox) {
        let group = self.groups.at_mut(slot);
        group.unwinding_since.get_or_insert(now);
        let began = group.state() != GroupState::Unwinding;
        group.step(GroupEvent::Uneven);
        if began {
            (group.next_at, group.missed) = (now, 0); // the first correction leaves at once
            self.release_holds(slot);
            self.note_group(slot, out);
            let most = self.limits.raw(LimitRow::LegMismatchPercent);
            if self.groups.at(slot).mismatch_percent() > most {
                self.alarm_group(Alarm::LegMismatch, slot, out);
            }
        }
    }

    fn release_holds(&mut self, slot: usize) {
        for index in 0..self.groups.at(slot).legs().len() {
            let leg = self.groups.at(slot).legs[index];
            self.reserve(leg.market, -leg.hold);
            self.groups.at_mut(slot).legs_mut()[index].hold = Usd::ZERO;
        }
    }

    fn end_group(&mut self, now: Nanos, slot: usize, event: GroupEvent, out: &mut Outbox) {
        self.release_holds(slot);
        let group = self.groups.at_mut(slot);
        let unwound = group.state() == GroupState::Unwinding;
        group.step(event);
        group.keep_time(now);
        let state = group.state();
        let (basket, group_stop) = (group.basket, group.stop);
        let counted = basket == ADOPTED || group.reopened || group_stop != Stop::Off;
        let group = self.groups.at(slot);
        let troubled = unwound || group.again > 0 || group.doubted;
        match state {
            // Never was a basket, or was counted when it first ended; what is learnt from it may be another thing now.
            _ if counted && state != GroupState::Operator => self.groups.learn_from(slot),
            GroupState::Hedged => {
                self.stats.baskets_completed += 1;
                self.groups.learn_from(slot);
            }
            GroupState::Operator => {
                // Contracts without a partner that are to be sold or completed never were a basket that was opened.
                let was_opened = basket != ADOPTED && group_stop == Stop::Off;
                self.stats.baskets_operator += u64::from(was_opened);
                self.groups.learn_from(slot);
                self.alarm_group(Alarm::GroupGivenUp, slot, out);
            }
            _ if unwound => {
                self.stats.baskets_unwound += 1;
                self.groups.learn_from(slot);
            }
            _ => self.stats.baskets_failed += 1,
        }
        let is_late = !counted && state == GroupState::Hedged && !unwound;
        if is_late && self.groups.at(slot).one_leg > HEDGE_LATE {
            self.alarm_group(Alarm::HedgeSlow, slot, out);
        }
        self.tell_ends(slot, out);
        let rest = if troubled || state == GroupState::Operator {
            LimitRow::CooldownLossMs
        } else {
            LimitRow::CooldownMs
        };
        let until = now.after(self.limits.span(rest));
        self.episodes.on_traded(basket, until);
        self.note_group(slot, out);
        self.groups.end(slot);
    }

    /// The last baskets, of which one has just ended, went worse than what was said of them last.
    fn tell_ends(&mut self, slot: usize, out: &mut Outbox) {
        match self.groups.ends_mut().poll_worse() {
            Some(BasketHealth::Bad) => self.alarm_group(Alarm::BasketsFailingMost, slot, out),
            Some(BasketHealth::Poor) => self.alarm_group(Alarm::BasketsFailing, slot, out),
            Some(BasketHealth::Good) | None => {}
        }
    }

    pub(super) fn alarm_group(&mut self, what: Alarm, slot: usize, out: &mut Outbox) {
        let group = self.groups.at(slot);
        let (group, market) = (Some(group.id), group.legs[0].market);
        let venue = Some(self.terms(market).venue);
        let place = Place { venue, group, ..Place::of_market(market) };
        self.alarm_at(what, place, out);
    }

    /// Cancels legs that take too long, asks again about what is unknown, and moves groups that were waiting.
    pub(super) fn tend_groups(&mut self, now: Nanos, out: &mut Outbox) {
        let mut at = 0;
        while at < self.groups.len() {
            let group = self.groups.at(at);
            let id = group.id;
            self.look_after(now, at, out);
            for leg in 0..self.groups.at(at).legs().len() {
                let Some(id) = self.groups.at(at).legs[leg].order else { continue };
                let Some(record) = self.orders.find(OrderRef::Id(id)) else { continue };
                let row = match record.order.purpose {
                    Purpose::StopLoss => LimitRow::StopWaitMs,
                    _ => LimitRow::LegTimeoutMs,
                };
                let late = now.since(record.sent) >= self.limits.span(row);
                if late && record.order.tif.may_rest() && record.state != OrderState::Cancelling {
                    self.withdraw(now, id, out);
                }
            }
            self.advance(now, id, out);
            if self.groups.position(id).is_some() {
                at += 1;
            }
        }
    }

    /// A link came up: what waited for the way to a venue is tried at once.
    pub(super) fn wake_groups(&mut self, now: Nanos, out: &mut Outbox) {
        for slot in 0..self.groups.len() {
            self.groups.at_mut(slot).wake(now);
        }
        self.tend_groups(now, out);
    }

    pub(super) fn note_group(&self, slot: usize, out: &mut Outbox) {
        out.note(note_of(self.groups.at(slot)));
    }
}

/// What is told of a group as it is now.
pub(super) fn note_of(group: &Group) -> Note {
    Note::Group {
        group: group.id,
        basket: group.basket,
        state: group.state(),
        units: if group.state().is_over() { group.matched() } else { group.target },
        promised: group.promised,
        result: group.result(),
        one_leg_ns: group.one_leg.get(),
    }
}

/// How long a leg's buying order lives.
///
/// What opens something is all or nothing (`whole`): half of it would only have to be matched or sold. What completes that takes what
/// it can get.
/// Where purchases that take at once are for a sum of money, and only in whole cents, they are used where that comes to
/// the same; else a limit order is sent, and its cancel at once.
pub(super) fn buying_tif(leg: &Leg, price: Price, qty: Qty, whole: bool) -> Tif {
    let rules = leg.venue.rules();
    match (rules.purchases, whole) {
        (Purchases::ByContracts, true) => Tif::Fok,
        (Purchases::ByContracts, false) => Tif::Ioc,
        (Purchases::ByMoney, true) => {
            let step = amounts::venue_lot_step(rules, price, Action::Buy, Tif::Fok);
            if qty.floor_to(step) == qty && !leg.deep { Tif::Fok } else { Tif::Gtc }
        }
        (Purchases::ByMoney, false) => Tif::Gtc,
    }
}
