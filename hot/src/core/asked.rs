//! What the gate looks at for an order: each thing is looked up where a row asks for it.

use super::Core;
use super::money::worst_cost;
use crate::book::Book;
use crate::ids::{Action, OrderRef};
use crate::ledger::CashAccount;
use crate::market::MarketDef;
use crate::order::Order;
use crate::risk::collar::{Bound, PricesAround};
use crate::risk::gate::Facts;
use crate::risk::{
    Account, Claimed, EquityLimits, Exposure, Headroom, Limits, PlanRisk, Rate, Stake,
    VenueCondition,
};
use crate::strategy::arbitrage::Ahead;
use crate::units::{Nanos, Qty, Usd};

/// What was worked out for an order before the gate is asked about it; what is missing is worked out then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worked<'a> {
    /// What holds for its outcome where its plan was sized, and what was claimed since.
    pub ahead: Option<(&'a Ahead, Claimed)>,
    /// The most that it costs: see [`worst_cost`].
    pub cost: Option<Usd>,
}

/// An order that the gate is asked about, and the core as it is now.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    core: &'a Core,
    order: &'a Order,
    book: &'a Book,
    plan: Option<&'a PlanRisk>,
    ahead: Option<(&'a Ahead, Claimed)>,
    cost: Usd,
}

impl Core {
    /// What the gate looks at for an order. Of an order that is being changed nothing is counted but its own claim on cash and
    /// exposure, which the caller gives back first.
    #[inline(always)] // see `gate::check`
    pub(super) fn asked<'a>(
        &'a self,
        order: &'a Order,
        plan: Option<&'a PlanRisk>,
        worked: Worked<'a>,
    ) -> Asked<'a> {
        let book = self.books.get(order.market).expect("a market in use has terms");
        self.asked_of(book, order, plan, worked)
    }

    /// The same where the book of the order's market is known.
    #[inline(always)] // see `gate::check`
    pub(super) fn asked_of<'a>(
        &'a self,
        book: &'a Book,
        order: &'a Order,
        plan: Option<&'a PlanRisk>,
        worked: Worked<'a>,
    ) -> Asked<'a> {
        let worst = || worst_cost(book.terms().fee, order.price, order.qty);
        let cost = match order.action {
            Action::Buy => worked.cost.unwrap_or_else(worst),
            Action::Sell => Usd::ZERO,
        };
        debug_assert!(worked.cost.is_none_or(|cost| cost == worst()), "R1: worked out alike");
        Asked { core: self, order, book, plan, ahead: worked.ahead, cost }
    }
}

/// Always inline: see [`gate::check`](crate::risk::gate::check).
impl Facts for Asked<'_> {
    #[inline(always)]
    fn limits(&self) -> &Limits {
        &self.core.limits
    }

    #[inline(always)]
    fn equity_limits(&self) -> &EquityLimits {
        &self.core.equity_limits
    }

    #[inline(always)]
    fn exposure(&self) -> &Exposure {
        self.core.money.exposure()
    }

    #[inline(always)]
    fn rate(&self) -> &Rate {
        self.core.orders.rate()
    }

    #[inline(always)]
    fn def(&self) -> &MarketDef {
        self.book.terms()
    }

    #[inline(always)]
    fn halted(&self) -> bool {
        self.core.run.is_halted()
    }

    #[inline(always)]
    fn stopping(&self) -> bool {
        self.core.run.is_stopping()
    }

    #[inline(always)]
    fn reconciled(&self) -> bool {
        self.core.agreed()
    }

    #[inline(always)]
    fn linked(&self) -> bool {
        self.core.truth.is_linked(self.order.venue)
    }

    #[inline(always)]
    fn book_good(&self) -> bool {
        self.book.is_opened_from()
            && !self.core.silence.is_suspect(self.order.market, self.book.frames())
    }

    #[inline(always)]
    fn quarantined(&self) -> bool {
        self.core.quarantine.holds(self.order.market)
    }

    #[inline(always)]
    fn withdrawn(&self) -> bool {
        self.core.is_withdrawn(self.book)
    }

    #[inline(always)]
    fn data_age(&self) -> Nanos {
        self.core.truth.data_age(self.order.decided, self.book)
    }

    #[inline(always)]
    fn terms_age(&self) -> Nanos {
        self.core.terms_age.age(self.order.decided, self.order.venue, self.order.market)
    }

    #[inline(always)]
    fn paused_until(&self) -> Nanos {
        self.core.rejections.paused_until(self.order.market)
    }

    #[inline(always)]
    fn rejected(&self) -> Option<Nanos> {
        self.core.rejections.last_in(self.order.market)
    }

    #[inline(always)]
    fn cash_free(&self) -> Usd {
        let &MarketDef { venue, shard, .. } = self.def();
        self.core.money.cash_free(CashAccount::of(venue, shard))
    }

    #[inline(always)]
    fn held_free(&self) -> Qty {
        self.core.sellable(self.order)
    }

    #[inline(always)]
    fn position(&self) -> Stake {
        self.core.stake(self.order.market, self.order.outcome, Some(self.order.id))
    }

    #[inline(always)]
    fn day_result(&self) -> Usd {
        self.core.money.day_result()
    }

    #[inline(always)]
    fn strategy_result(&self) -> Usd {
        self.core.money.strategy_result(self.order.purpose.strategy())
    }

    #[inline(always)]
    fn own_cross(&self) -> bool {
        self.core.own_cross(self.order)
    }

    #[inline(always)]
    fn room(&self) -> bool {
        let orders = &self.core.orders;
        orders.has_room() || orders.find(OrderRef::Id(self.order.id)).is_some()
    }

    #[inline(always)]
    fn cost(&self) -> Usd {
        self.cost
    }

    #[inline(always)]
    fn plan(&self) -> PlanRisk {
        if !self.order.purpose.opens() {
            return PlanRisk::NONE;
        }
        let cluster = self.def().cluster;
        let alone = || PlanRisk::of_one(self.cost, self.core.money.cluster_worst(cluster));
        self.plan.copied().unwrap_or_else(alone)
    }

    #[inline(always)]
    fn collar(&self) -> Option<Bound> {
        self.ahead.map(|(ahead, _)| ahead.collar)
    }

    #[inline(always)]
    fn headroom(&self) -> Option<(&Headroom, Claimed)> {
        self.ahead.map(|(ahead, since)| (&ahead.room, since))
    }

    #[inline(always)]
    fn around(&self) -> PricesAround<'_> {
        self.core.prices_around(self.book)
    }

    #[inline(always)]
    fn account(&self) -> Account {
        self.core.money.account()
    }

    #[inline(always)]
    fn venue(&self) -> VenueCondition {
        let (core, venue) = (self.core, self.order.venue);
        VenueCondition {
            has_data: core.truth.is_fed(self.book),
            agrees: core.truth.agrees(venue),
            held_back: core.truth.is_held(venue),
            refused_in_a_row: core.rejections.in_a_row(venue),
            latency: core.measured.latency(venue),
            breaker_open: core.measured.breaker_open(venue),
            tokens_short: core.measured.tokens_short(venue),
            mode: core.modes.of(venue, self.def().shard),
        }
    }

    #[inline(always)]
    fn clock_error(&self) -> Nanos {
        self.core.measured.clock_error()
    }

    #[inline(always)]
    fn own_latency(&self) -> Option<Nanos> {
        self.core.measured.own_latency()
    }

    #[inline(always)]
    fn rejects(&self) -> u64 {
        self.core.rejections.in_a_minute()
    }

    #[inline(always)]
    fn disabled(&self) -> bool {
        self.core.repeats.is_disabled(self.order.purpose)
    }
}
