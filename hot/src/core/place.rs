//! The one way an order comes to be, and what is asked of the venue about it afterwards.

use super::Core;
use super::asked::Worked;
use super::money::worst_cost;
use crate::book::Book;
use crate::group::{Group, Leg};
use crate::ids::{Action, GroupId, MarketId, OrderId, OrderRef, Outcome};
use crate::intent::Intent;
use crate::ledger::CashAccount;
use crate::note::{Alarm, Note};
use crate::order::{Cancel, Expiry, Order, OrderEvent, Purpose, Query, Record, Tif};
use crate::outbox::Outbox;
use crate::risk::collar::{Bound, PricesAround};
use crate::risk::gate::{self, Facts, Place, Sums};
use crate::risk::{Approved, BestPrices, Claimed, LimitRow, OtherVenue, PlanRisk, Refusal};
use crate::strategy::arbitrage::Ahead;
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
    /// When it is to rest no more; only with [`Tif::Gtd`].
    pub expires: Option<Expiry>,
    /// Whether the venue is to reject it rather than let it trade at once.
    pub post_only: bool,
    /// What is at stake by the plan that it is an order of; `None` for an order that is a plan by itself, or opens nothing.
    pub plan: Option<PlanRisk>,
}

/// A leg of a plan as the gate is asked about it, before any of the plan leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegDraft<'a> {
    /// The plan, with what it puts at stake.
    pub group: &'a Group,
    pub leg: &'a Leg,
    /// Of its market.
    pub book: &'a Book,
    pub price: Price,
    pub tif: Tif,
    /// What holds for its outcome where the plan was sized, and what the legs before it have claimed since.
    pub ahead: Option<(&'a Ahead, Claimed)>,
    /// The most that it costs at its price.
    pub cost: Usd,
}

impl LegDraft<'_> {
    fn qty(&self) -> Qty {
        self.group.target.times(self.leg.ratio)
    }
}

/// An order that has passed the gate, and the most that it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    pub order: Approved<Order>,
    pub cost: Usd,
    /// Whether it is known to pass still once the other legs of its plan have claimed their cash.
    pub stands: bool,
}

impl Core {
    /// Whether the gate would let a leg of a plan pass, were it sent now, of which the first one has just passed. Its own claim must not
    /// be reserved yet.
    pub(super) fn would_follow(&self, now: Nanos, draft: &LegDraft<'_>) -> Result<(), Refusal> {
        self.ask_leg(now, draft, Place::Follows).map(|_| ())
    }

    /// The same of the first one, which is to leave at a lower price, and whose cash is held at its own: whether it would pass at both. What the
    /// lower one breaks counts first. Returns the order at the lower price, and the most that it would cost there.
    pub(super) fn would_pass_at_both(
        &self,
        now: Nanos,
        draft: &LegDraft<'_>,
        lower: Price,
    ) -> Result<Passed, Refusal> {
        let def = draft.book.terms();
        let cost = worst_cost(def.fee, lower, draft.qty());
        if let Ok(passed) = self.ask_leg(now, draft, Place::First) {
            let rate = self.orders.rate();
            let below = gate::passes_below((&passed, draft.cost), (lower, cost), def, rate);
            if let Some(order) = below {
                return Ok(Passed { order, cost, stands: false }); // nearly always, and most rows were asked once
            }
        }
        let order = self.ask_leg(now, &LegDraft { price: lower, cost, ..*draft }, Place::First)?;
        self.ask_leg(now, draft, Place::First)?;
        Ok(Passed { order, cost, stands: false })
    }

    /// Places an order: gate, reservation, outbox, table, in this order and nowhere else.
    pub(super) fn place(
        &mut self,
        now: Nanos,
        draft: &Draft,
        out: &mut Outbox,
    ) -> Result<OrderId, Refusal> {
        let order = self.order(now, draft);
        self.forget_old(now);
        match self.ask_gate(&order, draft.plan.as_ref()) {
            Ok(passed) => self.send(now, &passed, Usd::ZERO, out),
            Err(why) => {
                self.on_refused(now, &order, why, out);
                Err(why)
            }
        }
    }

    /// The same of an order that passed the gate earlier in this event, as the first one of the plan that puts `plan` at stake.
    /// Nothing but claims of the plan's legs may have changed since: `held` of its own, which gives way to what the order claims,
    /// and those of the others, which are asked about once more.
    pub(super) fn place_passed(
        &mut self,
        now: Nanos,
        passed: &Passed,
        held: Usd,
        plan: &PlanRisk,
        out: &mut Outbox,
    ) -> Result<OrderId, Refusal> {
        let &Passed { ref order, cost, stands } = passed;
        assert!(
            (order.decided, order.id.get(), order.epoch)
                == (now, self.orders.next_id(), self.run.epoch()),
            "O7: an order that passed is sent in the same event, and before any other"
        );
        self.forget_old(now);
        let passes = stands || self.passes_still(order, cost, held);
        if !passes || cfg!(debug_assertions) {
            self.reserve(order.market, -held);
            let asked = self.ask_gate(order, Some(plan)).map(|_| ());
            assert_eq!(asked.is_ok(), passes, "the whole table says the same");
            if let Err(why) = asked {
                self.on_refused(now, order, why, out);
                return Err(why);
            }
            self.reserve(order.market, held);
        }
        self.send(now, passed, held, out)
    }

    /// Whether an order that has passed, and for which cash is `held`, passes still though others have claimed some since.
    fn passes_still(&self, order: &Approved<Order>, cost: Usd, held: Usd) -> bool {
        let def = self.terms(order.market);
        let sums = Sums {
            limits: &self.limits,
            shares: &self.equity_limits,
            exposure: self.money.exposure(),
            def,
            cash_free: self.money.cash_free(CashAccount::of(def.venue, def.shard)),
            held,
            cost,
        };
        gate::passes_still(order, &sums)
    }

    /// What is too old to count is forgotten, so that the gate is asked of the last minute.
    fn forget_old(&mut self, now: Nanos) {
        self.orders.on_time(now, self.limits.span(LimitRow::DuplicateMs));
        self.rejections.on_time(now);
    }

    /// Sends an order that has passed: reservation, outbox, table. What is `held` for it already gives way to its own claim.
    fn send(
        &mut self,
        now: Nanos,
        passed: &Passed,
        held: Usd,
        out: &mut Outbox,
    ) -> Result<OrderId, Refusal> {
        let &Passed { order: approved, cost, .. } = passed;
        let order = *approved;
        // Only what the gate lets pass is kept back: the other program's gate may have refused it as ours does.
        if !self.may_place(&order) {
            self.reserve(order.market, -held);
            return Err(Refusal::Stopping);
        }
        let (cash, qty) = match order.action {
            Action::Buy => (cost, Qty::ZERO),
            Action::Sell => self.claim(&order, order.qty),
        };
        self.reserve(order.market, cash - held);
        self.stats.orders_placed += 1;
        let crossed = self.crosses(&order);
        let frames = self.books.get(order.market).map_or(0, Book::frames);
        let record = Record { crossed, frames, ..Record::new(order, cash, qty, now) };
        // The intent first: its bytes are copied once more, and would wait for a record whose place is not in the cache.
        out.send(Intent::Place(approved));
        self.orders.send(now, record);
        self.on_scripted();
        note_record(&record, out);
        Ok(order.id)
    }

    /// Whether an order's limit reaches the best price of the other side of its book, so that it may trade at once; also where
    /// the book cannot be relied on.
    pub(super) fn crosses(&self, order: &Order) -> bool {
        let Some(book) = self.books.get(order.market) else { return true };
        let reaches = match order.action {
            Action::Buy => {
                book.best_ask_for(order.outcome).is_some_and(|(ask, _)| order.price >= ask)
            }
            Action::Sell => {
                book.best_bid_for(order.outcome).is_some_and(|(bid, _)| order.price <= bid)
            }
        };
        reaches || !book.is_good()
    }

    /// The gate has refused an order. What repeats itself too often is disabled.
    pub(super) fn on_refused(&mut self, now: Nanos, order: &Order, why: Refusal, out: &mut Outbox) {
        self.count_refusal(order.market, order.group, why, out);
        let is_of_group = order.purpose == Purpose::Hedge || order.purpose.corrects();
        if why == Refusal::OwnCross && is_of_group {
            self.make_way(now, order, out);
        }
        if why != Refusal::Duplicate {
            return;
        }
        let (most, within) =
            (self.limits.raw(LimitRow::Repeats), self.limits.span(LimitRow::RepeatsMs));
        if self.repeats.on_repeat(now, order.purpose, most, within) {
            self.alarm(Alarm::Repeated, Some(order.market), None, out);
        }
    }

    pub(super) fn count_refusal(
        &mut self,
        market: MarketId,
        group: GroupId,
        why: Refusal,
        out: &mut Outbox,
    ) {
        self.stats.refusals += 1;
        self.stats.refused.add(why);
        out.note(Note::Refused { market, group, why });
    }

    pub(super) fn order(&self, now: Nanos, draft: &Draft) -> Order {
        Order {
            id: OrderId::new(self.orders.next_id()),
            epoch: self.run.epoch(),
            decided: now,
            group: draft.group,
            market: draft.market,
            venue: self.terms(draft.market).venue,
            outcome: draft.outcome,
            action: draft.action,
            price: draft.price,
            qty: draft.qty,
            tif: draft.tif,
            expires: draft.expires,
            post_only: draft.post_only,
            purpose: draft.purpose,
        }
    }

    /// A leg of a plan as an order: it opens, takes at once or is withdrawn, and leaves before any other order.
    #[inline(always)] // into `ask_leg`
    pub(super) fn leg_order(&self, now: Nanos, draft: &LegDraft<'_>) -> Order {
        let &LegDraft { group, leg, price, tif, .. } = draft;
        Order {
            id: OrderId::new(self.orders.next_id()),
            epoch: self.run.epoch(),
            decided: now,
            group: group.id,
            market: leg.market,
            venue: leg.venue,
            outcome: leg.outcome,
            action: Action::Buy,
            price,
            qty: draft.qty(),
            tif,
            expires: None,
            post_only: false,
            purpose: Purpose::Leg,
        }
    }

    /// Whether the gate lets an order pass now, and the most that it can cost.
    #[inline(never)]
    fn ask_gate(&self, order: &Order, plan: Option<&PlanRisk>) -> Result<Passed, Refusal> {
        let asked = self.asked(order, plan, Worked::default());
        gate::check(&asked, *order).map(|order| Passed { order, cost: asked.cost(), stands: false })
    }

    /// The same of a leg of a plan.
    #[inline(never)]
    fn ask_leg(
        &self,
        now: Nanos,
        draft: &LegDraft<'_>,
        place: Place,
    ) -> Result<Approved<Order>, Refusal> {
        let order = self.leg_order(now, draft);
        let worked = Worked { ahead: draft.ahead, cost: Some(draft.cost) };
        let asked = self.asked_of(draft.book, &order, Some(&draft.group.risk), worked);
        gate::check_leg(&asked, &order, place)
    }

    /// The prices that an order in the market of a book is held against.
    #[inline(always)] // see `gate::check`
    pub(super) fn prices_around(&self, book: &Book) -> PricesAround<'_> {
        let (books, baskets, market) = (&self.books, &self.baskets, book.terms().market);
        let price = |best: Option<(Price, Qty)>| best.map(|(price, _)| price);
        let (bid, ask) = (book.best_bid_for(Outcome::Yes), book.best_ask_for(Outcome::Yes));
        PricesAround {
            best: BestPrices { bid: price(bid), ask: price(ask) },
            last_trade: self.tape.last(market),
            other_venue: Some(OtherVenue { books, baskets, market }),
        }
    }

    /// The most that the first leg of a basket may pay for an outcome: see [`collar`](crate::risk::collar).
    #[inline(always)] // it is kept as it is worked out
    pub(super) fn collar(&self, now: Nanos, book: &Book, outcome: Outcome) -> Bound {
        let around = self.prices_around(book);
        Bound::new(&self.limits, book.terms(), &around, now, outcome, Action::Buy)
    }

    /// Asks for an order's cancellation, as often as its pace allows; the timer asks again. The order counts as live
    /// until the venue has said otherwise.
    pub(super) fn cancel(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let Some(record) = self.orders.find_mut(OrderRef::Id(id)) else { return };
        if record.is_over() || !record.cancels.is_due(now) {
            return;
        }
        record.cancels.on_sent(now);
        let record = *record;
        self.step(id, OrderEvent::CancelSent, out);
        self.stats.cancels += 1;
        self.orders.count_request(now, record.order.market);
        out.send(Intent::Cancel(Cancel {
            order: id,
            key: record.key,
            market: record.order.market,
            venue: record.order.venue,
            // Where the size may just be changing, "reduced by" says nothing of what was filled: then nobody knows.
            qty: if record.qty_is_known() { record.order.qty } else { Qty::ZERO },
        }));
    }

    /// A market's grid has changed: an order of ours that rests at a price off the new grid is cancelled, for the venue need
    /// not keep it and we could not place it again.
    pub(super) fn cancel_off_grid(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        let grid = self.terms(market).grid;
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            at += 1;
            let record = self.orders.find(OrderRef::Id(id)).expect("it is on the live list");
            let order = record.order;
            // As it stands, or as it will once a change that is under way is made.
            let changed = record.change.map(|change| change.to.on(&order));
            let is_off = |order: &Order| !grid.allows(order.on_book().1);
            let off = is_off(&order) || changed.as_ref().is_some_and(is_off);
            if order.market == market && off && order.tif.may_rest() {
                self.withdraw(now, id, out);
            }
        }
    }

    /// In the last moments before a market's stated close, in quarantine, and where only observing is wanted, nothing rests but
    /// what reduces; and no quote where none would pass the gate for long.
    pub(super) fn withdraw_where_none_opens(&mut self, now: Nanos, out: &mut Outbox) {
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            at += 1;
            let order = self.orders.find(OrderRef::Id(id)).expect("it is on the live list").order;
            let closes = gate::closes(&self.limits, self.terms(order.market), now);
            let is_shut = closes
                || (order.purpose.opens() && self.quarantine.holds(order.market))
                || (order.purpose.opens() && self.limits.observes_only())
                || (order.purpose == Purpose::Quote && self.shuts_quotes(now, order.market));
            if is_shut && order.tif.may_rest() && !order.purpose.reduces() {
                self.withdraw(now, id, out);
            }
        }
    }

    /// Whether no quote is wanted in a market: it has no close, it is paused, or quoting is, as a whole or because it repeated
    /// itself.
    fn shuts_quotes(&self, now: Nanos, market: MarketId) -> bool {
        self.terms(market).close == Nanos::NEVER
            || now < self.rejections.paused_until(market)
            || self.rejections.in_a_minute() > self.limits.raw(LimitRow::RejectsPerMinute)
            || self.repeats.is_disabled(Purpose::Quote)
    }

    /// Asks the venue what became of an order: now, or when its pace allows.
    pub(super) fn query(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let Some(record) = self.orders.find_mut(OrderRef::Id(id)) else { return };
        record.query_owed = !record.queries.is_due(now);
        if record.query_owed {
            return;
        }
        record.queries.on_sent(now);
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
}

fn note_record(record: &Record, out: &mut Outbox) {
    out.note(Note::Order {
        order: record.order.id,
        state: record.state,
        filled: record.filled,
        reserved: record.reserved,
    });
}
