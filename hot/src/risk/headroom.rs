//! How much a purchase may cost before a sum of claims reaches its limit (R2) or takes more than the free cash (R6).

use crate::ids::{MarketId, Outcome};
use crate::market::MarketDef;
use crate::order::Order;
use crate::risk::{EquityLimits, Exposure, LimitRow as L, Limits, Stake};
use crate::units::{Nanos, Qty, Usd};

/// What was claimed since a [`Headroom`] was worked out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// The number of claims.
    pub count: u64,
    /// What they come to.
    pub cost: Usd,
}

impl Claimed {
    /// With another one.
    #[must_use]
    pub fn and(self, cost: Usd) -> Self {
        Self { count: self.count + 1, cost: self.cost + cost }
    }
}

/// What those rows of the gate leave to an opening purchase of an outcome that hold a sum of claims, or what is held, against a
/// limit: worked out once, where a plan is sized, and asked when its legs come to the gate.
///
/// It is made by working it out and in no other way, and says what it is of: it lets no order pass at another time, or of another
/// outcome or market. Claims made since count in full against all of it, whatever they are of: each sum is larger by no more than
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    at: Nanos,
    market: MarketId,
    outcome: Outcome,
    qty: Qty,
    here: Usd,
    around: Usd,
    cash: Usd,
    /// The least of all of them.
    cost: Usd,
    /// How many more events there may be something at risk in; without a bound where there is in this one.
    events: u64,
}

impl Headroom {
    /// Of an outcome of the market in `def` at `now`, of which `held` is held or may yet be bought; `cash_free` is not reserved where
    /// it would be paid.
    #[inline(always)] // into the one place that sizes plans
    pub fn new(
        (limits, shares, risk): (&Limits, &EquityLimits, &Exposure),
        def: &MarketDef,
        (now, outcome): (Nanos, Outcome),
        held: Stake,
        cash_free: Usd,
    ) -> Self {
        let usd = |row| limits.usd(row);
        let here =
            (shares.position - held.cost).min(usd(L::ExposureMarket) - risk.market(def.market));
        let of_cluster = risk.cluster(def.cluster);
        let mut around = (usd(L::ExposureCluster) - of_cluster)
            .min(shares.venue - risk.venue(def.venue))
            .min(shares.total - risk.total())
            .min(shares.category - risk.category(def.category));
        if def.theme.is_some() {
            around = around.min(usd(L::ExposureTheme) - risk.theme(def.theme));
        }
        let cash = cash_free.scale_floor(limits.percent(L::CashPercent), 100).min(cash_free);
        let events = limits.raw(L::Positions).saturating_sub(u64::from(risk.positions()));
        Self {
            at: now,
            market: def.market,
            outcome,
            qty: limits.qty(L::PositionQty).saturating_sub(held.qty),
            here,
            around,
            cash,
            cost: here.min(around).min(cash).min(usd(L::PositionNotional) - held.cost),
            events: if of_cluster == Usd::ZERO { events } else { u64::MAX },
        }
    }

    /// The most contracts that one outcome may have more.
    pub const fn qty(&self) -> Qty {
        self.qty
    }

    /// What the outcome and its market leave.
    pub const fn here(&self) -> Usd {
        self.here
    }

    /// What its cluster, venue, category and theme, and all of them, leave.
    pub const fn around(&self) -> Usd {
        self.around
    }

    /// The cash that one order may use.
    pub const fn cash(&self) -> Usd {
        self.cash
    }

    /// Whether none of these rows is broken by a purchase that costs `cost` at most, after other claims. `false` says that the rows
    /// themselves must be asked.
    #[inline(always)] // into the gate: see `gate::check`
    pub fn holds(&self, order: &Order, cost: Usd, since: Claimed) -> bool {
        assert!(
            (self.at, self.market, self.outcome) == (order.decided, order.market, order.outcome),
            "a headroom is of the order that it is asked about"
        );
        order.qty <= self.qty && cost + since.cost <= self.cost && since.count < self.events
    }
}
