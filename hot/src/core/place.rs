//! The one way an order comes to be, and what is asked of the venue about it afterwards.

use super::Core;
use super::money::worst_cost;
use crate::ids::{Action, GroupId, MarketId, OrderId, OrderRef, Outcome};
use crate::intent::Intent;
use crate::ledger::CashAccount;
use crate::note::{Alarm, Note};
use crate::order::{Cancel, Expiry, Order, OrderEvent, Purpose, Query, Record, Tif};
use crate::outbox::Outbox;
use crate::risk::collar::{Bound, PricesAround};
use crate::risk::gate::{self, Sums, View};
use crate::risk::{
    Approved, BestPrices, Context, LimitRow, MarketCondition, OtherVenue, PlanRisk, Refusal, Stake,
    VenueCondition,
};
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

/// An order that has passed the gate, and the most that it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    pub order: Approved<Order>,
    pub cost: Usd,
}

/// What was worked out for an order before the gate is asked about it; what is missing is worked out then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worked {
    /// The collar of its outcome.
    pub collar: Option<Bound>,
    /// The most that it costs: see [`worst_cost`].
    pub cost: Option<Usd>,
}

impl Core {
    /// Whether the gate would let this pass, were it sent now, and the most it would cost. The order's own claim must
    /// not be reserved yet.
    pub(super) fn would_pass(
        &self,
        now: Nanos,
        draft: &Draft,
        worked: Worked,
    ) -> Result<Passed, Refusal> {
        let (order, cost) = self.ask_gate(self.order(now, draft), draft.plan, worked)?;
        Ok(Passed { order, cost })
    }

    /// The same of a purchase that is to leave at a lower price, and whose cash is held at its own: whether it would pass at both.
    /// What the lower one breaks counts first. Returns the order at the lower price, and the most that it would cost at the other.
    pub(super) fn would_pass_at_both(
        &self,
        now: Nanos,
        draft: &Draft,
        lower: Price,
        worked: Worked,
    ) -> Result<(Passed, Usd), Refusal> {
        let order = self.order(now, draft);
        if let Ok((passed, cost)) = self.ask_gate(order, draft.plan, worked) {
            let (def, rate) = (self.terms(draft.market), self.orders.rate());
            let cost_there = worst_cost(def.fee, lower, draft.qty);
            let below = gate::passes_below((&passed, cost), (lower, cost_there), def, rate);
            if let Some(order) = below {
                return Ok((Passed { order, cost: cost_there }, cost)); // nearly always, and most rows were asked once
            }
        }
        let below = Worked { cost: None, ..worked };
        let below = self.would_pass(now, &Draft { price: lower, ..*draft }, below)?;
        Ok((below, self.would_pass(now, draft, worked)?.cost))
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
        match self.ask_gate(order, draft.plan, Worked::default()) {
            Ok((order, cost)) => self.send(now, Passed { order, cost }, Usd::ZERO, out),
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
        passed: Passed,
        held: Usd,
        plan: PlanRisk,
        out: &mut Outbox,
    ) -> Result<OrderId, Refusal> {
        let Passed { order, cost } = passed;
        assert!(
            (order.decided, order.id.get(), order.epoch)
                == (now, self.orders.next_id(), self.run.epoch()),
            "O7: an order that passed is sent in the same event, and before any other"
        );
        self.forget_old(now);
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
        let passes = gate::passes_still(&order, &sums);
        if !passes || cfg!(debug_assertions) {
            self.reserve(order.market, -held);
            let asked = self.ask_gate(*order, Some(plan), Worked::default()).map(|_| ());
            assert_eq!(asked.is_ok(), passes, "the whole table says the same");
            if let Err(why) = asked {
                self.on_refused(now, &order, why, out);
                return Err(why);
            }
            self.reserve(order.market, held);
        }
        self.send(now, passed, held, out)
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
        passed: Passed,
        held: Usd,
        out: &mut Outbox,
    ) -> Result<OrderId, Refusal> {
        let Passed { order: approved, cost } = passed;
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
        let record = Record { crossed, ..Record::new(order, cash, qty, now) };
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
        if why == Refusal::OwnCross
            && matches!(order.purpose, Purpose::Hedge | Purpose::TopUp | Purpose::Unwind)
        {
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

    /// Whether the gate lets an order pass now, and the most that it can cost. The one place where an order is asked about: what
    /// the rows look at is read where a row needs it, and not gathered in memory first.
    #[inline(never)]
    fn ask_gate(
        &self,
        order: Order,
        plan: Option<PlanRisk>,
        worked: Worked,
    ) -> Result<(Approved<Order>, Usd), Refusal> {
        let (view, cost) = self.view(&order, plan, worked);
        gate::check(&view, order).map(|approved| (approved, cost))
    }

    /// What the gate looks at for an order, and the most that it can cost: nothing for a sale. Of an order that is being
    /// changed nothing is counted but its own claim on cash and exposure, which the caller gives back first.
    #[inline(always)] // see `ask_gate`
    pub(super) fn view(
        &self,
        order: &Order,
        plan: Option<PlanRisk>,
        worked: Worked,
    ) -> (View<'_>, Usd) {
        let market = order.market;
        let book = self.books.get(market).expect("a market in use has terms");
        let def = book.terms();
        let worst = || worst_cost(def.fee, order.price, order.qty);
        let cost = match order.action {
            Action::Buy => worked.cost.unwrap_or_else(worst),
            Action::Sell => Usd::ZERO,
        };
        debug_assert!(worked.cost.is_none_or(|cost| cost == worst()), "R1: worked out alike");
        // What is asked only of opening orders, or only of reducing ones, is not worked out for the others.
        let (opens, reduces) = (order.purpose.opens(), order.purpose.reduces());
        let sells = reduces || order.action == Action::Sell;
        let held_free = if sells { self.sellable(order) } else { Qty::ZERO };
        let position =
            if opens { self.stake(market, order.outcome, Some(order.id)) } else { Stake::NONE };
        let alone = || PlanRisk::of_one(cost, self.money.cluster_worst(def.cluster));
        let plan = if opens { plan.unwrap_or_else(alone) } else { PlanRisk::NONE };
        let view = View {
            limits: &self.limits,
            exposure: self.money.exposure(),
            rate: self.orders.rate(),
            def,
            halted: self.run.is_halted(),
            stopping: self.run.is_stopping(),
            reconciled: self.agreed(),
            linked: self.truth.is_linked(order.venue),
            book_good: book.is_good() && !self.silence.is_suspect(market),
            quarantined: self.quarantine.holds(market),
            withdrawn: self.is_withdrawn(market),
            data_age: self.truth.data_age(order.decided, book),
            cash_free: self.money.cash_free(CashAccount::of(def.venue, def.shard)),
            held_free,
            position,
            day_result: self.money.day_result(),
            own_cross: self.own_cross(order),
            room: self.orders.has_room() || self.orders.find(OrderRef::Id(order.id)).is_some(),
            cost,
            plan,
            collar: worked.collar,
            context: self.context(order),
        };
        (view, cost)
    }

    /// What the gate may look at around an order.
    #[inline(always)] // see `ask_gate`
    pub(super) fn context(&self, order: &Order) -> Context<'_> {
        let (now, market, venue) = (order.decided, order.market, order.venue);
        let book = self.books.get(market).expect("a market in use has terms");
        let PricesAround { best, last_trade, other_venue } = self.prices_around(market);
        Context {
            account: self.money.account(),
            market: MarketCondition {
                terms_age: self.terms_age.age(now, venue, market),
                best,
                paused_until: self.rejections.paused_until(market),
                rejected: self.rejections.last_in(market),
            },
            equity_limits: self.equity_limits,
            strategy_result: self.money.strategy_result(order.purpose.strategy()),
            last_trade,
            venue: VenueCondition {
                has_data: self.truth.is_fed(book),
                agrees: self.truth.agrees(venue),
                held_back: self.truth.is_held(venue),
                refused_in_a_row: self.rejections.in_a_row(venue),
                latency: self.measured.latency(venue),
                breaker_open: self.measured.breaker_open(venue),
                tokens_short: self.measured.tokens_short(venue),
                mode: self.modes.of(venue, book.terms().shard),
            },
            other_venue,
            clock_error: self.measured.clock_error(),
            own_latency: self.measured.own_latency(),
            rejects: self.rejections.in_a_minute(),
            disabled: self.repeats.is_disabled(order.purpose),
        }
    }

    /// The prices that an order in a market is held against.
    #[inline(always)] // see `ask_gate`
    fn prices_around(&self, market: MarketId) -> PricesAround<'_> {
        let (books, baskets) = (&self.books, &self.baskets);
        let book = books.get(market).expect("a market in use has terms");
        let price = |best: Option<(Price, Qty)>| best.map(|(price, _)| price);
        let (bid, ask) = (book.best_bid_for(Outcome::Yes), book.best_ask_for(Outcome::Yes));
        PricesAround {
            best: BestPrices { bid: price(bid), ask: price(ask) },
            last_trade: self.tape.last(market),
            other_venue: Some(OtherVenue { books, baskets, market }),
        }
    }

    /// The most that the first leg of a basket may pay for an outcome: see [`collar`](crate::risk::collar).
    pub(super) fn collar(&self, now: Nanos, market: MarketId, outcome: Outcome) -> Bound {
        let (def, around) = (self.terms(market), self.prices_around(market));
        Bound::new(&self.limits, def, &around, now, outcome, Action::Buy)
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
