//! The gate's reference: the risk table as a user would write it, structs of floats and a chain of `if`s, every row of it.
//!
//! Not a straw man: what a row needs lies ready in the order's market, nothing is allocated, and limits are in the units that
//! they are compared in.

#![allow(clippy::float_arithmetic, reason = "the reference is written with floats on purpose")]

use surefoot_hot::ids::{Action, Outcome, Venue};
use surefoot_hot::market::MarketStatus;
use surefoot_hot::order;
use surefoot_hot::risk::gate::View;
use surefoot_hot::risk::{LimitRow as L, LimitUnit as Unit, Refusal as R};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

/// The limits and the account as a user would hold them: dollars, contracts, seconds and shares of one.
#[derive(Debug)]
pub struct Desk {
    limits: [f64; L::ALL.len()],
    complete: bool,
    halted: bool,
    stopping: bool,
    reconciled: bool,
    room: bool,
    disabled: bool,
    equity: f64,
    peak: f64,
    day_result: f64,
    strategy_result: f64,
    at_venue: [f64; 2],
    total: f64,
    positions: f64,
    latency: Option<f64>,
    clock_error: f64,
    rejects: f64,
    in_a_minute: f64,
    /// Market, bid for YES or not, price of YES and contracts.
    recent: Vec<(u16, bool, f64, f64)>,
}

/// A market as a user would hold it.
#[derive(Debug)]
pub struct Market {
    status: MarketStatus,
    step: f64,
    min_qty: f64,
    close: f64,
    terms_age: f64,
    data_age: f64,
    linked: bool,
    breaker_open: bool,
    tokens_short: bool,
    /// Whether an order that trades at once is taken, and one that only rests.
    takes: [bool; 2],
    book_good: bool,
    quarantined: bool,
    withdrawn: bool,
    paused_until: f64,
    rejected: Option<f64>,
    bid: Option<f64>,
    ask: Option<f64>,
    /// Price and time.
    last_trade: Option<(f64, f64)>,
    elsewhere: Option<f64>,
    cash_free: f64,
    held_free: f64,
    position: f64,
    staked: f64,
    own_cross: bool,
    cost: f64,
    plan_loss: f64,
    plan_cluster: f64,
    at_risk: f64,
    in_cluster: f64,
    in_category: f64,
    in_theme: Option<f64>,
    in_a_minute: f64,
}

/// An order as a user would hold it.
#[derive(Debug)]
pub struct Order {
    market: u16,
    venue: usize,
    decided: f64,
    buys: bool,
    yes: bool,
    price: f64,
    qty: f64,
    rests: bool,
    /// Whether it rests until a time.
    dated: bool,
    /// Seconds; `None` where it has none.
    expires: Option<f64>,
    post_only: bool,
    opens: bool,
    quotes: bool,
    reduces: bool,
}

fn dollars(usd: Usd) -> f64 {
    usd.micros() as f64 / 1e6
}

fn contracts(qty: Qty) -> f64 {
    qty.micros() as f64 / 1e6
}

fn seconds(time: Nanos) -> f64 {
    if time == Nanos::NEVER { f64::INFINITY } else { time.get() as f64 / 1e9 }
}

fn of_one(price: Price) -> f64 {
    f64::from(price.ticks()) / 1e4
}

/// A limit in the unit that it is compared in.
fn limit(view: &View<'_>, row: L) -> f64 {
    let raw = view.limits.raw(row) as f64;
    match row.def().unit {
        Unit::Contracts | Unit::Dollars | Unit::Ppm => raw / 1e6,
        Unit::Ticks => raw / 1e4,
        Unit::Percent => raw.min(100.0) / 100.0,
        Unit::Millis => raw / 1e3,
        Unit::Count => raw,
    }
}

impl Desk {
    /// What is the same in every market.
    pub fn of(view: &View<'_>) -> Self {
        let context = &view.context;
        Self {
            limits: L::ALL.map(|row| limit(view, row)),
            complete: view.limits.complete(),
            halted: view.halted,
            stopping: view.stopping,
            reconciled: view.reconciled,
            room: view.room,
            disabled: context.disabled,
            equity: dollars(context.account.equity),
            peak: dollars(context.account.peak),
            day_result: dollars(view.day_result),
            strategy_result: dollars(context.strategy_result),
            at_venue: Venue::ALL.map(|venue| dollars(view.exposure.venue(venue))),
            total: dollars(view.exposure.total()),
            positions: f64::from(view.exposure.positions()),
            latency: context.own_latency.map(seconds),
            clock_error: seconds(context.clock_error),
            rejects: context.rejects as f64,
            in_a_minute: view.rate.in_all() as f64,
            recent: Vec::new(),
        }
    }

    /// An order that was sent within the duplicate window.
    pub fn sent(&mut self, order: &Order) {
        let Order { market, qty, .. } = *order;
        self.recent.push((market, order.bids(), order.on_yes(), qty));
    }
}

impl Market {
    /// What is told of a view's own market.
    pub fn of(view: &View<'_>) -> Self {
        let (def, context, risk) = (view.def, &view.context, view.exposure);
        let best = context.market.best;
        Self {
            status: def.status,
            step: f64::from(def.grid.finest()) / 1e4,
            min_qty: contracts(def.min_qty),
            close: seconds(def.close),
            terms_age: seconds(context.market.terms_age),
            data_age: seconds(view.data_age),
            linked: view.linked,
            breaker_open: context.venue.breaker_open,
            tokens_short: context.venue.tokens_short,
            takes: [false, true].map(|post_only| context.venue.mode.takes(post_only)),
            book_good: view.book_good,
            quarantined: view.quarantined,
            withdrawn: view.withdrawn,
            paused_until: seconds(context.market.paused_until),
            rejected: context.market.rejected.map(seconds),
            bid: best.bid.map(of_one),
            ask: best.ask.map(of_one),
            last_trade: context.last_trade.map(|last| (of_one(last.price), seconds(last.at))),
            elsewhere: None,
            cash_free: dollars(view.cash_free),
            held_free: contracts(view.held_free),
            position: contracts(view.position.qty),
            staked: dollars(view.position.cost),
            own_cross: view.own_cross,
            cost: dollars(view.cost),
            plan_loss: dollars(view.plan.worst.loss),
            plan_cluster: dollars(view.plan.cluster),
            at_risk: dollars(risk.market(def.market)),
            in_cluster: dollars(risk.cluster(def.cluster)),
            in_category: dollars(risk.category(def.category)),
            in_theme: def.theme.map(|theme| dollars(risk.theme(Some(theme)))),
            in_a_minute: view.rate.in_market(def.market) as f64,
        }
    }
}

impl Order {
    /// The same order.
    pub fn of(order: &order::Order) -> Self {
        Self {
            market: order.market.get(),
            venue: order.venue as usize,
            decided: seconds(order.decided),
            buys: order.action == Action::Buy,
            yes: order.outcome == Outcome::Yes,
            price: of_one(order.price),
            qty: contracts(order.qty),
            rests: order.tif.may_rest(),
            dated: order.tif == order::Tif::Gtd,
            expires: order.expires.map(|expires| seconds(expires.time())),
            post_only: order.post_only,
            opens: order.purpose.opens(),
            quotes: order.purpose == order::Purpose::Quote,
            reduces: order.purpose.reduces(),
        }
    }
}

impl Order {
    const fn bids(&self) -> bool {
        self.buys == self.yes
    }

    fn on_yes(&self) -> f64 {
        if self.yes { self.price } else { 1.0 - self.price }
    }
}

/// Room for what floats lose.
const EPS: f64 = 1e-9;

impl Desk {
    fn limit(&self, row: L) -> f64 {
        self.limits[row as usize]
    }

    /// Lets an order pass, or names the first row that it breaks.
    ///
    /// # Errors
    /// The row that refuses.
    pub fn check(&self, m: &Market, o: &Order) -> Result<(), R> {
        self.state(m, o)?;
        self.terms(m, o)?;
        if o.opens {
            self.size(m, o)?;
        }
        if !o.reduces && m.cost > m.cash_free + EPS {
            return Err(R::Cash);
        }
        if o.opens {
            self.exposure(m, o)?;
            self.account(m)?;
            self.rates(m, o)?;
        }
        if m.own_cross {
            return Err(R::OwnCross);
        }
        if (o.reduces && o.buys) || (!o.buys && o.qty > m.held_free + EPS) {
            return Err(R::NotReducing);
        }
        Ok(())
    }

    fn state(&self, m: &Market, o: &Order) -> Result<(), R> {
        if !self.room {
            return Err(R::Full);
        }
        if !o.reduces && (self.halted || !self.complete) {
            return Err(R::Halted);
        }
        if !m.takes[usize::from(o.post_only)] {
            return Err(R::VenueMode);
        }
        if o.opens {
            if self.stopping {
                return Err(R::Stopping);
            }
            if !self.reconciled {
                return Err(R::Unreconciled);
            }
            if m.breaker_open {
                return Err(R::Breaker);
            }
            if !m.linked {
                return Err(R::LinkDown);
            }
            if m.tokens_short {
                return Err(R::Tokens);
            }
            if !m.book_good {
                return Err(R::Stale);
            }
            if m.quarantined {
                return Err(R::Quarantined);
            }
            if m.withdrawn {
                return Err(R::Withdrawn);
            }
            self.ages(m, o)?;
        }
        if o.quotes {
            if m.close.is_infinite() {
                return Err(R::NoClose);
            }
            let cooldown = self.limit(L::QuoteCooldownMs);
            if m.rejected.is_some_and(|at| o.decided - at < cooldown) {
                return Err(R::QuoteCooldown);
            }
            if self.rejects > self.limit(L::RejectsPerMinute) {
                return Err(R::RejectStorm);
            }
        }
        Ok(())
    }

    fn ages(&self, m: &Market, o: &Order) -> Result<(), R> {
        if m.data_age > 0.25 {
            return Err(R::OldData);
        }
        if m.terms_age > self.limit(L::MetadataAgeMs) {
            return Err(R::OldTerms);
        }
        if self.latency.is_some_and(|p99| p99 > self.limit(L::LatencyMs)) {
            return Err(R::Slow);
        }
        if self.clock_error > self.limit(L::ClockErrorMs) {
            return Err(R::ClockOff);
        }
        if self.disabled {
            return Err(R::Disabled);
        }
        if o.decided < m.paused_until {
            return Err(R::MarketPaused);
        }
        Ok(())
    }

    fn terms(&self, m: &Market, o: &Order) -> Result<(), R> {
        let traded =
            m.status == MarketStatus::Open || (m.status == MarketStatus::Observe && !o.opens);
        if !traded {
            return Err(R::NotOpen);
        }
        if o.opens && o.decided + self.limit(L::CloseCutoffMs) >= m.close {
            return Err(R::Closing);
        }
        let steps = o.price / m.step;
        if o.price < EPS || o.price > 1.0 - EPS || (steps - steps.round()).abs() > 1e-6 {
            return Err(R::OffGrid);
        }
        let least = o.opens || o.rests || o.venue == Venue::Kalshi as usize;
        if o.qty < EPS || (least && o.qty < m.min_qty - EPS) {
            return Err(R::MinSize);
        }
        let takes_dollar = o.venue == Venue::Polymarket as usize && !o.post_only;
        if takes_dollar && o.price * o.qty < 1.0 - EPS {
            return Err(R::MinSize);
        }
        let ahead = if o.venue == Venue::Polymarket as usize { 122.0 } else { 2.0 };
        let is_near = o.expires.is_some_and(|at| at < o.decided + ahead);
        if o.dated != o.expires.is_some() || is_near {
            return Err(R::Expiry);
        }
        Ok(())
    }

    fn size(&self, m: &Market, o: &Order) -> Result<(), R> {
        if self.beyond_collar(m, o) {
            return Err(R::Collar);
        }
        if o.qty > self.limit(L::OrderQty) + EPS {
            return Err(R::OrderQty);
        }
        if o.price * o.qty > self.limit(L::OrderNotional) + EPS {
            return Err(R::OrderNotional);
        }
        if m.cost > m.cash_free * self.limit(L::CashPercent) + EPS {
            return Err(R::Cash);
        }
        Ok(())
    }

    fn beyond_collar(&self, m: &Market, o: &Order) -> bool {
        let collar = self.limit(L::Collar);
        let own = if o.bids() { m.ask.or(m.bid) } else { m.bid.or(m.ask) };
        let spread = match (m.bid, m.ask) {
            (Some(bid), Some(ask)) => (ask - bid).clamp(0.0, collar),
            _ => 0.0,
        };
        let (mut known, mut beyond) = (false, false);
        let mut hold = |yes: f64, more: f64| {
            let there = if o.yes { yes } else { 1.0 - yes };
            let most = collar.min(there * self.limit(L::CollarPercent)).max(2.0 * m.step) + more;
            let worse = if o.buys { o.price - there } else { there - o.price };
            known = true;
            beyond |= worse > most + EPS;
        };
        if let Some(yes) = own {
            hold(yes, 0.0);
        }
        if let Some((yes, at)) = m.last_trade
            && o.decided - at <= self.limit(L::CollarTradeMs)
        {
            hold(yes, spread);
        }
        if let Some(yes) = m.elsewhere {
            hold(yes, 0.0);
        }
        !known || beyond
    }

    fn exposure(&self, m: &Market, o: &Order) -> Result<(), R> {
        if m.position + o.qty > self.limit(L::PositionQty) + EPS {
            return Err(R::Position);
        }
        if m.staked + m.cost > self.limit(L::PositionNotional) + EPS {
            return Err(R::Position);
        }
        if m.at_risk + m.cost > self.limit(L::ExposureMarket) + EPS {
            return Err(R::ExposureMarket);
        }
        if m.in_cluster + m.cost > self.limit(L::ExposureCluster) + EPS {
            return Err(R::ExposureCluster);
        }
        let share = |dollars, percent| self.limit(dollars).min(self.equity * self.limit(percent));
        let venue = share(L::ExposureVenue, L::ExposureVenuePercent);
        if self.at_venue[o.venue] + m.cost > venue + EPS {
            return Err(R::ExposureVenue);
        }
        if self.total + m.cost > share(L::ExposureTotal, L::ExposureTotalPercent) + EPS {
            return Err(R::ExposureTotal);
        }
        if m.in_cluster == 0.0 && self.positions >= self.limit(L::Positions) {
            return Err(R::Positions);
        }
        Ok(())
    }

    fn account(&self, m: &Market) -> Result<(), R> {
        if m.staked + m.cost > (self.equity * self.limit(L::PositionPercent)).max(1.0) + EPS {
            return Err(R::PositionShare);
        }
        if m.in_category + m.cost > self.equity * self.limit(L::CategoryPercent) + EPS {
            return Err(R::Category);
        }
        if m.in_theme.is_some_and(|at| at + m.cost > self.limit(L::ExposureTheme) + EPS) {
            return Err(R::ExposureTheme);
        }
        if self.equity <= self.limit(L::EquityFloor) + EPS {
            return Err(R::EquityFloor);
        }
        if self.peak - self.equity >= self.peak * self.limit(L::DrawdownPercent) - EPS {
            return Err(R::Drawdown);
        }
        let share = self.equity * self.limit(L::DailyLossPercent);
        let daily = self.limit(L::DailyLoss);
        if daily == 0.0 || -self.day_result >= daily.min(share) - EPS {
            return Err(R::DailyLoss);
        }
        if -self.strategy_result >= self.limit(L::DailyLossStrategy).min(share) - EPS {
            return Err(R::StrategyLoss);
        }
        if m.plan_cluster > self.equity * self.limit(L::ClusterPercent) + EPS {
            return Err(R::ClusterOutcome);
        }
        let above = self.equity - self.limit(L::EquityFloor);
        if m.plan_loss > above * self.limit(L::ShockBufferPercent) + EPS {
            return Err(R::Shock);
        }
        Ok(())
    }

    fn rates(&self, m: &Market, o: &Order) -> Result<(), R> {
        if self.in_a_minute >= self.limit(L::OrdersPerMinute)
            || m.in_a_minute >= self.limit(L::OrdersPerMinuteMarket)
        {
            return Err(R::Rate);
        }
        for &(market, bids, price, qty) in &self.recent {
            let same = (price - o.on_yes()).abs() < EPS && (qty - o.qty).abs() < EPS;
            if market == o.market && bids == o.bids() && same {
                return Err(R::Duplicate);
            }
        }
        Ok(())
    }
}
