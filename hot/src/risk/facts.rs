//! What the rows of the gate may look at.

use crate::market::MarketDef;
use crate::risk::collar::{Bound, PricesAround};
use crate::risk::{
    Account, Claimed, Context, EquityLimits, Exposure, Headroom, Limits, PlanRisk, Rate, Stake,
    VenueCondition,
};
use crate::units::{Nanos, Qty, Usd};

/// All that the rows may look at, of one order. Each is looked up where a row asks for it and not before: most orders are asked
/// only a part of the rows, and what is gathered ahead has to be kept until its row comes.
pub trait Facts {
    /// The limits in force.
    fn limits(&self) -> &Limits;
    /// The limits that follow what the account is worth.
    fn equity_limits(&self) -> &EquityLimits;
    /// What is at risk already, without what is held for this order's own leg.
    fn exposure(&self) -> &Exposure;
    /// The orders and cancels of the last minute.
    fn rate(&self) -> &Rate;
    /// The market's terms. What event the market belongs to, `cluster` says, and of what category it is, `category`.
    fn def(&self) -> &MarketDef;
    /// Whether trading is halted, whatever the cause.
    fn halted(&self) -> bool;
    /// Whether the run is ending.
    fn stopping(&self) -> bool;
    /// Whether both venues' figures agree with ours.
    fn reconciled(&self) -> bool;
    /// Whether the order path and the private stream of the venue are up.
    fn linked(&self) -> bool;
    /// Whether the book may be decided from.
    fn book_good(&self) -> bool;
    /// Whether the market is quarantined.
    fn quarantined(&self) -> bool;
    /// Whether the market is to be followed no more.
    fn withdrawn(&self) -> bool;
    /// The greatest age that the venue's market data can have.
    fn data_age(&self) -> Nanos;
    /// How long ago the market's terms were read.
    fn terms_age(&self) -> Nanos;
    /// Until when nothing is opened in the market, because purchase after purchase was rejected; zero if it never was so.
    fn paused_until(&self) -> Nanos;
    /// When an order in the market was last rejected, kills aside; `None` if none ever was.
    fn rejected(&self) -> Option<Nanos>;
    /// Cash that is not reserved, at the venue and shard that the order draws on.
    fn cash_free(&self) -> Usd;
    /// Contracts of the order's outcome that are held and not reserved for a sale.
    fn held_free(&self) -> Qty;
    /// What is held of the order's outcome, and what may yet be bought, without this order.
    fn position(&self) -> Stake;
    /// Realised and unrealised result of the day.
    fn day_result(&self) -> Usd;
    /// Today's result of the strategy that the order is of.
    fn strategy_result(&self) -> Usd;
    /// Whether an order of our own rests on the other side at this price or better.
    fn own_cross(&self) -> bool;
    /// Whether the order table has room.
    fn room(&self) -> bool;
    /// The most that the order can cost with fees; zero for a sale.
    fn cost(&self) -> Usd;
    /// What is at stake by the plan that the order belongs to, worked out once for all of its legs; nothing for an order that
    /// opens nothing.
    fn plan(&self) -> PlanRisk;
    /// The collar of the order's outcome, where it was worked out for the plan that the order belongs to; else the gate does so.
    fn collar(&self) -> Option<Bound>;
    /// What the sums of claims leave to an order of its outcome, where that was worked out for the plan that it belongs to, and what was
    /// claimed since; else each of these rows is asked.
    fn headroom(&self) -> Option<(&Headroom, Claimed)>;
    /// The prices that the order's is held against.
    fn around(&self) -> PricesAround<'_>;
    /// What the account is worth.
    fn account(&self) -> Account;
    /// How the order's venue is.
    fn venue(&self) -> VenueCondition;
    /// By how much our clock was off the system's when they were last compared, at most.
    fn clock_error(&self) -> Nanos;
    /// How long what is read from the sockets takes to reach the core, in 99 of 100 cases; `None` before enough was read.
    fn own_latency(&self) -> Option<Nanos>;
    /// Orders that venues rejected in the last minute, kills aside.
    fn rejects(&self) -> u64;
    /// Whether what sends orders of this kind is disabled, because it repeated itself.
    fn disabled(&self) -> bool;
}

/// All of them, gathered ahead, each under its name there: with this the tests and the measurements ask the gate.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub limits: &'a Limits,
    pub exposure: &'a Exposure,
    pub rate: &'a Rate,
    pub def: &'a MarketDef,
    pub halted: bool,
    pub stopping: bool,
    pub reconciled: bool,
    pub linked: bool,
    pub book_good: bool,
    pub quarantined: bool,
    pub withdrawn: bool,
    pub data_age: Nanos,
    pub cash_free: Usd,
    pub held_free: Qty,
    pub position: Stake,
    pub day_result: Usd,
    pub own_cross: bool,
    pub room: bool,
    pub cost: Usd,
    pub plan: PlanRisk,
    pub collar: Option<Bound>,
    pub headroom: Option<(Headroom, Claimed)>,
    /// The account as a whole, the market, the venue, the last trade, the other venue's price and our clock.
    pub context: Context<'a>,
}

impl<'a> View<'a> {
    /// A view with nothing in the way of an order beyond what is given: the account has a million dollars free and holds a
    /// thousand contracts that may be sold. The measurements and the tests of what comes behind the gate begin with it.
    pub const fn clear(
        limits: &'a Limits,
        exposure: &'a Exposure,
        rate: &'a Rate,
        def: &'a MarketDef,
        context: Context<'a>,
    ) -> Self {
        Self {
            limits,
            exposure,
            rate,
            def,
            halted: false,
            stopping: false,
            reconciled: true,
            linked: true,
            book_good: true,
            quarantined: false,
            withdrawn: false,
            data_age: Nanos::ZERO,
            cash_free: Usd::from_dollars(1_000_000),
            held_free: Qty::from_contracts(1_000),
            position: Stake::NONE,
            day_result: Usd::ZERO,
            own_cross: false,
            room: true,
            cost: Usd::ZERO,
            plan: PlanRisk::NONE,
            collar: None,
            headroom: None,
            context,
        }
    }
}

/// Each by its name.
macro_rules! gathered {
    ($($name:ident: $type:ty = $($field:ident).+;)*) => {
        $(fn $name(&self) -> $type {
            self.$($field).+
        })*
    };
}

impl Facts for View<'_> {
    fn equity_limits(&self) -> &EquityLimits {
        &self.context.equity_limits
    }

    fn headroom(&self) -> Option<(&Headroom, Claimed)> {
        self.headroom.as_ref().map(|(room, since)| (room, *since))
    }

    fn around(&self) -> PricesAround<'_> {
        PricesAround::of(&self.context)
    }

    gathered! {
        limits: &Limits = limits;
        exposure: &Exposure = exposure;
        rate: &Rate = rate;
        def: &MarketDef = def;
        halted: bool = halted;
        stopping: bool = stopping;
        reconciled: bool = reconciled;
        linked: bool = linked;
        book_good: bool = book_good;
        quarantined: bool = quarantined;
        withdrawn: bool = withdrawn;
        data_age: Nanos = data_age;
        terms_age: Nanos = context.market.terms_age;
        paused_until: Nanos = context.market.paused_until;
        rejected: Option<Nanos> = context.market.rejected;
        cash_free: Usd = cash_free;
        held_free: Qty = held_free;
        position: Stake = position;
        day_result: Usd = day_result;
        strategy_result: Usd = context.strategy_result;
        own_cross: bool = own_cross;
        room: bool = room;
        cost: Usd = cost;
        plan: PlanRisk = plan;
        collar: Option<Bound> = collar;
        account: Account = context.account;
        venue: VenueCondition = context.venue;
        clock_error: Nanos = context.clock_error;
        own_latency: Option<Nanos> = context.own_latency;
        rejects: u64 = context.rejects;
        disabled: bool = context.disabled;
    }
}
