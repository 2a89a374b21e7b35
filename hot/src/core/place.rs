//! From groups to orders: the one way an order comes to be, and the corrections that follow when it fails.

use super::Core;
use super::money::worst_cost;
use crate::amounts;
use crate::event::{HaltWhy, LimitRow};
use crate::group::{ADOPTED, Leg, Sale, Step};
use crate::ids::{Action, GroupId, MarketId, OrderId, Outcome, Venue};
use crate::intent::{Cancel, Intent, Order, Purpose, Query, Tif};
use crate::ledger::Purse;
use crate::note::{Alarm, GroupState, Note, OrderState, Refusal, Verdict};
use crate::order::{OrderEvent, Record};
use crate::outbox::Outbox;
use crate::report::OrderRef;
use crate::risk::Approved;
use crate::risk::gate::{self, View};
use crate::units::{Nanos, Price, Qty, Usd};

/// What to place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    pub group: GroupId,
    pub market: MarketId,
    pub outcome: Outcome,
    pub action: Action,
    pub price: Price,
    pub qty: Qty,
    pub tif: Tif,
    pub purpose: Purpose,
}

/// A leftover worth less than this may stay: selling it would cost as much.
const DUST_MAX: Usd = Usd::from_dollars(1);
/// How long a group may be unfinished before the alarm.
const STUCK_AFTER: Nanos = Nanos::from_secs(30);

impl Core {
    /// Whether the gate would let this pass, were it sent now, and the most it would cost. The order's own claim must
    /// not be reserved yet.
    pub(super) fn would_pass(&self, now: Nanos, draft: &Draft) -> Result<Usd, Refusal> {
        self.gate(self.order(now, draft), true).map(|(_, cost)| cost)
    }

    /// Places an order: gate, reservation, table, outbox, in this order and nowhere else.
    pub(super) fn place(
        &mut self,
        now: Nanos,
        draft: &Draft,
        out: &mut Outbox,
    ) -> Result<OrderId, Refusal> {
        let order = self.order(now, draft);
        self.rate.advance(now, self.limits.span(LimitRow::DuplicateMs));
        let (approved, cost) = self.gate(order, false).inspect_err(|&why| {
            self.stats.refusals += 1;
            out.note(Note::Refused { market: draft.market, group: draft.group, why });
        })?;
        self.next_order += 1;
        let (cash, qty) = match order.action {
            Action::Buy => (cost, Qty::ZERO),
            Action::Sell => self.claim(&order, order.qty),
        };
        self.reserve(order.market, cash);
        self.rate.count(now, order.market);
        self.rate.remember(now, &order);
        self.stats.orders_placed += 1;
        self.moved[order.venue.index()] = now;
        let record = Record {
            order,
            state: OrderState::Pending,
            key: None,
            filled: Qty::ZERO,
            claimed: Qty::ZERO,
            ended: None,
            reserved: cash,
            reserved_qty: qty,
            sent: now,
            asked: now,
            acked: false,
            absent: 0,
            absent_since: Nanos::ZERO,
        };
        self.orders.insert(record);
        out.send(Intent::Place(approved));
        note_record(&record, out);
        Ok(order.id)
    }

    fn order(&self, now: Nanos, draft: &Draft) -> Order {
        Order {
            id: OrderId::new(self.next_order),
            epoch: self.epoch,
            decided: now,
            group: draft.group,
            market: draft.market,
            venue: self.terms(draft.market).venue,
            outcome: draft.outcome,
            action: draft.action,
            price: draft.price,
            qty: draft.qty,
            tif: draft.tif,
            post_only: false,
            purpose: draft.purpose,
        }
    }

    /// Asks the gate, and says the most that the order can cost: nothing for a sale.
    fn gate(&self, order: Order, planning: bool) -> Result<(Approved<Order>, Usd), Refusal> {
        let market = order.market;
        let book = self.books.get(market).expect("a market in use has terms");
        let def = book.terms();
        let cost = match order.action {
            Action::Buy => worst_cost(def.fee, order.price, order.qty),
            Action::Sell => Usd::ZERO,
        };
        // What is asked only of opening orders, or only of reducing ones, is not worked out for the others.
        let (held_free, position) = if order.purpose.reduces() {
            (self.sellable(&order), Qty::ZERO)
        } else {
            (Qty::ZERO, self.position_worst(market, order.outcome))
        };
        let view = View {
            limits: &self.limits,
            exposure: &self.exposure,
            rate: &self.rate,
            def,
            halted: self.halted.is_some(),
            epoch: self.epoch,
            stopping: self.stopping,
            reconciled: self.reconciled == [true; 2],
            linked: self.linked(order.venue),
            book_good: book.is_good(),
            cash_free: self.cash_free(Purse::of(def.venue, def.shard)),
            held_free,
            position,
            day_result: self.day_result(),
            own_cross: self.own_cross(&order),
            room: self.orders.has_room(),
            cost,
            counted: !planning && order.purpose == Purpose::Hedge,
        };
        gate::check(&view, order).map(|approved| (approved, cost))
    }

    /// Does what a group wants done, until it must wait or has ended.
    pub(super) fn advance(&mut self, now: Nanos, id: GroupId, out: &mut Outbox) {
        while let Some(place) = self.groups.position(id) {
            self.groups.at_mut(place).keep_time(now);
            let step = self.groups.at(place).next_step(|leg, qty| self.sale(leg, qty));
            match step {
                Step::Wait => return,
                // After a restart the rest is bought only once both venues agree with us.
                Step::Buy { .. } if self.halted.is_none() && self.reconciled != [true; 2] => return,
                Step::Buy { leg, qty } => self.buy_leg(now, place, leg, qty, out),
                Step::Sell { leg, qty } => {
                    if !self.sell_leg(now, place, leg, qty, out) {
                        return;
                    }
                }
                Step::End(state) => return self.end_group(now, place, state, out),
            }
        }
    }

    /// What can be done about contracts without a partner.
    fn sale(&self, leg: &Leg, qty: Qty) -> Sale {
        if self.settled[leg.market.index()].is_some() {
            return Sale::Dust; // paid: there is nothing to sell any more
        }
        let terms = self.terms(leg.market);
        let value = leg.limit.proceeds_floor(qty);
        let under = qty < terms.min_qty || (terms.venue == Venue::Polymarket && value < DUST_MAX);
        match (under, value < DUST_MAX) {
            (false, _) => Sale::Possible,
            (true, true) => Sale::Dust,
            (true, false) => Sale::TooSmall,
        }
    }

    fn buy_leg(&mut self, now: Nanos, place: usize, index: usize, qty: Qty, out: &mut Outbox) {
        let group = self.groups.at(place);
        let (id, leg) = (group.id, group.legs[index]);
        let first = index == 0 && group.again == 0;
        let (price, tif) = buying_terms(&leg, qty, first);
        let purpose = if first { Purpose::Leg } else { Purpose::Hedge };
        // The order holds its own cash from here; what the group held for this leg makes room for it.
        self.reserve(leg.market, -leg.hold);
        let entry = &mut self.groups.at_mut(place).legs_mut()[index];
        entry.hold = Usd::ZERO;
        entry.had = entry.bought;
        entry.tried = true;
        let draft = Draft {
            group: id,
            market: leg.market,
            outcome: leg.outcome,
            action: Action::Buy,
            price,
            qty,
            tif,
            purpose,
        };
        match self.place(now, &draft, out) {
            Ok(order) => self.groups.at_mut(place).legs_mut()[index].order = Some(order),
            Err(_) => {
                self.groups.at_mut(place).on_over(index, true, Qty::ZERO);
                if !first {
                    self.begin_unwind(place, out);
                }
            }
        }
    }

    /// Sells part of a leg again. Returns whether an order went out; if not, the timer tries again.
    fn sell_leg(
        &mut self,
        now: Nanos,
        place: usize,
        index: usize,
        qty: Qty,
        out: &mut Outbox,
    ) -> bool {
        self.begin_unwind(place, out);
        let group = *self.groups.at(place);
        let leg = group.legs[index];
        if group.attempts > 0
            && now.since(group.corrected) < self.limits.span(LimitRow::UnwindStepMs)
        {
            return false;
        }
        if u64::from(group.attempts) >= self.limits.raw(LimitRow::UnwindAttempts) {
            self.trip(HaltWhy::Group, out);
            self.end_group(now, place, GroupState::Operator, out);
            return false;
        }
        // A claimed fill whose details have not come yet cannot be sold: the ledger must hold it first.
        if self.orders.live().any(|record| record.order.group == group.id) {
            return false;
        }
        let qty = match leg.venue {
            Venue::Kalshi => qty,
            Venue::Polymarket => qty.min(self.held_free(leg.market, leg.outcome)),
        };
        let Some(book) = self.books.get(leg.market) else { return false };
        let Some((bid, _)) = book.best_bid_for(leg.outcome) else { return false };
        if !book.is_good() || self.sale(&leg, qty) != Sale::Possible {
            return false;
        }
        let price = give_way(bid, group.attempts, self.terms(leg.market).grid, leg.outcome);
        let (qty, tif) = selling_terms(leg.venue, price, qty);
        if qty.is_zero() {
            return false;
        }
        let draft = Draft {
            group: group.id,
            market: leg.market,
            outcome: leg.outcome,
            action: Action::Sell,
            price,
            qty,
            tif,
            purpose: Purpose::Unwind,
        };
        let entry = self.groups.at_mut(place);
        entry.attempts += 1;
        entry.corrected = now;
        match self.place(now, &draft, out) {
            Ok(order) => {
                self.groups.at_mut(place).legs_mut()[index].order = Some(order);
                true
            }
            Err(_) => false,
        }
    }

    fn begin_unwind(&mut self, place: usize, out: &mut Outbox) {
        let group = self.groups.at_mut(place);
        if group.state != GroupState::Unwinding {
            group.state = GroupState::Unwinding;
            self.release_holds(place);
            self.note_group(place, out);
        }
    }

    fn release_holds(&mut self, place: usize) {
        for index in 0..self.groups.at(place).legs().len() {
            let leg = self.groups.at(place).legs[index];
            self.reserve(leg.market, -leg.hold);
            self.groups.at_mut(place).legs_mut()[index].hold = Usd::ZERO;
        }
    }

    fn end_group(&mut self, now: Nanos, place: usize, state: GroupState, out: &mut Outbox) {
        self.release_holds(place);
        let unwound = self.groups.at(place).state == GroupState::Unwinding;
        let group = self.groups.at_mut(place);
        group.state = state;
        group.keep_time(now);
        let group = *group;
        match state {
            // Never was a basket, or was counted when it first ended.
            _ if (group.basket == ADOPTED || group.reopened) && state != GroupState::Operator => {}
            GroupState::Hedged => self.stats.baskets_completed += 1,
            GroupState::Operator => {
                self.stats.baskets_operator += 1;
                self.alarm(Alarm::GroupStuck, Some(group.legs[0].market), None, out);
            }
            _ if unwound => self.stats.baskets_unwound += 1,
            _ => self.stats.baskets_failed += 1,
        }
        let rest = if unwound || group.again > 0 || state == GroupState::Operator {
            LimitRow::CooldownLossMs
        } else {
            LimitRow::CooldownMs
        };
        let until = now.after(self.limits.span(rest));
        let episode = self.episode(group.basket);
        episode.rests_until = until;
        episode.resting = true;
        episode.verdict = Verdict::Taken;
        self.note_group(place, out);
        self.groups.end(place);
    }

    /// Cancels legs that take too long, asks again about what is unknown, and moves groups that were waiting.
    pub(super) fn tend_groups(&mut self, now: Nanos, out: &mut Outbox) {
        let mut at = 0;
        while at < self.groups.len() {
            let group = *self.groups.at(at);
            if now.since(group.started) > STUCK_AFTER && !group.alarmed {
                self.groups.at_mut(at).alarmed = true;
                self.alarm(Alarm::GroupStuck, Some(group.legs[0].market), None, out);
            }
            for leg in group.legs() {
                let Some(id) = leg.order else { continue };
                let Some(record) = self.orders.find(OrderRef::Id(id)) else { continue };
                let late = now.since(record.sent) >= self.limits.span(LimitRow::LegTimeoutMs);
                if late && record.order.tif == Tif::Gtc && record.state != OrderState::Cancelling {
                    self.cancel(now, id, out);
                }
            }
            self.advance(now, group.id, out);
            if self.groups.position(group.id).is_some() {
                at += 1;
            }
        }
    }

    /// Asks for an order's cancellation. It counts as live until the venue has said otherwise.
    pub(super) fn cancel(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let Some(record) = self.orders.find_mut(OrderRef::Id(id)) else { return };
        if record.is_over() {
            return;
        }
        record.asked = now;
        let record = *record;
        self.step(id, OrderEvent::CancelSent, out);
        self.stats.cancels += 1;
        self.rate.count(now, record.order.market);
        out.send(Intent::Cancel(Cancel {
            order: id,
            key: record.key,
            market: record.order.market,
            venue: record.order.venue,
            qty: record.order.qty,
        }));
    }

    /// Asks the venue what became of an order.
    pub(super) fn query(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let Some(record) = self.orders.find_mut(OrderRef::Id(id)) else { return };
        record.asked = now;
        out.send(Intent::Query(Query {
            order: id,
            key: record.key,
            market: record.order.market,
            venue: record.order.venue,
        }));
    }

    pub(super) fn note_order(&self, id: OrderId, out: &mut Outbox) {
        if let Some(record) = self.orders.find(OrderRef::Id(id)) {
            note_record(record, out);
        }
    }

    pub(super) fn note_group(&self, place: usize, out: &mut Outbox) {
        let group = self.groups.at(place);
        out.note(Note::Group {
            group: group.id,
            basket: group.basket,
            state: group.state,
            units: if group.state.is_over() { group.matched() } else { group.target },
            promised: group.promised,
            result: group.result,
            one_leg_ns: group.one_leg.get(),
        });
    }
}

fn note_record(record: &Record, out: &mut Outbox) {
    out.note(Note::Order {
        order: record.order.id,
        state: record.state,
        filled: record.filled,
        reserved: record.reserved,
    });
}

/// Price and life of a leg's buying order.
///
/// The first leg is all or nothing: half of it would only have to be matched or sold. A later leg completes what
/// is held, so it may go as far as the basket still pays for, and takes what it can get. Polymarket's FAK and FOK
/// spend dollars, not contracts, and only in whole cents: they are used where that comes to the same, else a
/// limit order at once followed by its cancel (`venues/polymarket.md` §3.7).
fn buying_terms(leg: &Leg, qty: Qty, first: bool) -> (Price, Tif) {
    match (leg.venue, first) {
        (Venue::Kalshi, true) => (leg.limit, Tif::Fok),
        (Venue::Kalshi, false) => (leg.reach, Tif::Ioc),
        (Venue::Polymarket, true) => {
            let exact = qty.floor_to(amounts::lot_step(leg.limit, Action::Buy, Tif::Fok)) == qty;
            (leg.limit, if exact && !leg.deep { Tif::Fok } else { Tif::Gtc })
        }
        (Venue::Polymarket, false) => (leg.reach, Tif::Gtc),
    }
}

/// How much of a sale the venue's amounts allow at this price, and for how long it lives.
fn selling_terms(venue: Venue, price: Price, qty: Qty) -> (Qty, Tif) {
    match venue {
        Venue::Kalshi => (qty.floor_to(Qty::from_micros(10_000)), Tif::Ioc),
        Venue::Polymarket => {
            let step = amounts::lot_step(price, Action::Sell, Tif::Ioc);
            let rounded = qty.floor_to(step);
            if rounded.is_zero() {
                (qty.floor_to(Qty::from_micros(10_000)), Tif::Gtc)
            } else {
                (rounded, Tif::Ioc)
            }
        }
    }
}

/// The price of the `attempt`th sale: at the bid first, then a cent lower each time, never below the lowest price
/// of the grid.
fn give_way(bid: Price, attempt: u32, grid: crate::grid::Grid, outcome: Outcome) -> Price {
    let grid = if outcome == Outcome::Yes { grid } else { grid.mirrored() };
    let down = u16::try_from(attempt.min(100) * 100).expect("at most a dollar");
    let mut ticks = bid.ticks().saturating_sub(down).max(grid.finest());
    while ticks > 1 {
        let price = Price::from_ticks(ticks).expect("below the bid");
        if grid.allows(price) {
            return price;
        }
        ticks -= 1;
    }
    bid
}
