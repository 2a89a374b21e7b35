//! The risk table once more, as plainly as it can be said: every row is looked at, in wide numbers, and the first broken one is
//! the answer. The one in use must say the same of any view.

use super::super::View;
use crate::ids::{Action, Outcome, Venue};
use crate::market::MarketStatus;
use crate::order::{Order, Purpose, Tif};
use crate::risk::{LimitRow as L, Refusal as R};
use crate::units::Price;
use crate::venue_mode::VenueMode;

/// The first row that the order breaks; `None` where it passes.
pub(super) fn check(v: &View<'_>, o: &Order) -> Option<R> {
    let table: Vec<(R, bool)> =
        [before(v, o), venue(v, o), terms(v, o), budget(v, o), last(v, o)].concat();
    table.into_iter().find(|(_, broken)| *broken).map(|(why, _)| why)
}

fn limit(v: &View<'_>, row: L) -> i128 {
    i128::from(v.limits.raw(row))
}

/// A row in milliseconds, in nanoseconds.
fn nanos(v: &View<'_>, row: L) -> i128 {
    limit(v, row) * 1_000_000
}

fn opens(o: &Order) -> bool {
    matches!(o.purpose, Purpose::Leg | Purpose::Quote)
}

fn reduces(o: &Order) -> bool {
    matches!(o.purpose, Purpose::Unwind | Purpose::Exit | Purpose::StopLoss)
}

fn before(v: &View<'_>, o: &Order) -> Vec<(R, bool)> {
    let halts = v.halted || !v.limits.complete();
    let refused_by_mode = match v.context.venue.mode {
        VenueMode::Open => false,
        VenueMode::PostOnly => !o.post_only,
        VenueMode::CancelOnly | VenueMode::Restarting | VenueMode::Shut => true,
    };
    vec![(R::Full, !v.room), (R::Halted, halts && !reduces(o)), (R::VenueMode, refused_by_mode)]
}

/// The venue, the market's data and what was rejected.
fn venue(v: &View<'_>, o: &Order) -> Vec<(R, bool)> {
    let context = &v.context;
    let now = i128::from(o.decided.get());
    let mut rows = Vec::new();
    if opens(o) {
        let latency = context.own_latency.map_or(0, |latency| i128::from(latency.get()));
        rows.extend([
            (R::Stopping, v.stopping),
            (R::Unreconciled, !v.reconciled),
            (R::Breaker, context.venue.breaker_open),
            (R::LinkDown, !v.linked),
            (R::Tokens, context.venue.tokens_short),
            (R::Stale, !v.book_good),
            (R::Quarantined, v.quarantined),
            (R::Withdrawn, v.withdrawn),
            (R::OldData, v.data_age.get() > 250_000_000),
            (R::OldTerms, i128::from(context.market.terms_age.get()) > nanos(v, L::MetadataAgeMs)),
            (R::Slow, latency > nanos(v, L::LatencyMs)),
            (R::ClockOff, i128::from(context.clock_error.get()) > nanos(v, L::ClockErrorMs)),
            (R::Disabled, context.disabled),
            (R::MarketPaused, now < i128::from(context.market.paused_until.get())),
        ]);
    }
    if o.purpose == Purpose::Quote {
        let ago = context.market.rejected.map(|at| (now - i128::from(at.get())).max(0));
        rows.extend([
            (R::NoClose, v.def.close.get() == u64::MAX),
            (R::QuoteCooldown, ago.is_some_and(|ago| ago < nanos(v, L::QuoteCooldownMs))),
            (R::RejectStorm, i128::from(context.rejects) > limit(v, L::RejectsPerMinute)),
        ]);
    }
    rows
}

/// What the market and the venue ask of any order.
fn terms(v: &View<'_>, o: &Order) -> Vec<(R, bool)> {
    let traded = match v.def.status {
        MarketStatus::Open => true,
        MarketStatus::Observe => !opens(o),
        _ => false,
    };
    let close = i128::from(v.def.close.get());
    // Times end where a close that is not known stands.
    let latest = (i128::from(o.decided.get()) + nanos(v, L::CloseCutoffMs)).min(LAST);
    let closing = opens(o) && latest >= close;
    let yes = match o.outcome {
        Outcome::Yes => o.price.ticks(),
        Outcome::No => 10_000 - o.price.ticks(),
    };
    let on_grid = yes > 0
        && yes < 10_000
        && Price::from_ticks(yes).and_then(|yes| v.def.grid.slot(yes)).is_some();
    let rests = matches!(o.tif, Tif::Gtc | Tif::Gtd);
    // Kalshi asks it of every order, Polymarket of those that may rest.
    let least = opens(o) || rests || o.venue == Venue::Kalshi;
    let small = o.qty.is_zero() || (least && o.qty < v.def.min_qty);
    // Worth in 1e-10 dollars, rounded down to microdollars: Polymarket asks for a dollar of what may take.
    let worth = i128::from(o.price.ticks()) * i128::from(o.qty.micros()) / 10_000;
    let cheap = o.venue == Venue::Polymarket && !o.post_only && worth < 1_000_000;
    vec![
        (R::NotOpen, !traded),
        (R::Closing, closing),
        (R::OffGrid, !on_grid),
        (R::MinSize, small),
        (R::MinSize, cheap),
        (R::Expiry, !expiry_fits(o)),
    ]
}

/// The last time that there is.
const LAST: i128 = u64::MAX as i128;

fn expiry_fits(o: &Order) -> bool {
    let ahead = match o.venue {
        Venue::Polymarket => 120,
        Venue::Kalshi => 0,
    };
    match (o.tif, o.expires) {
        (Tif::Gtd, Some(expires)) => {
            let earliest = i128::from(o.decided.get()) + (ahead + 2) * 1_000_000_000;
            i128::from(expires.time().get()) >= earliest
        }
        (Tif::Gtd, None) | (_, Some(_)) => false,
        (_, None) => true,
    }
}

/// What may be put at risk.
fn budget(v: &View<'_>, o: &Order) -> Vec<(R, bool)> {
    let micros = |usd: crate::units::Usd| i128::from(usd.micros());
    let (cost, cash) = (micros(v.cost), micros(v.cash_free));
    let mut rows = Vec::new();
    if opens(o) {
        let exact = i128::from(o.price.ticks()) * i128::from(o.qty.micros());
        let notional = (exact + 9_999) / 10_000;
        let share = (cash * limit(v, L::CashPercent).min(100)).div_euclid(100);
        rows.extend([
            (R::Collar, beyond_collar(v, o)),
            (R::OrderQty, i128::from(o.qty.micros()) > limit(v, L::OrderQty)),
            (R::OrderNotional, notional > limit(v, L::OrderNotional)),
            (R::Cash, cost > share),
        ]);
    }
    rows.push((R::Cash, !reduces(o) && cost > cash));
    if opens(o) {
        let position = i128::from(v.position.qty.micros()) + i128::from(o.qty.micros());
        let stake = micros(v.position.cost) + cost;
        let (risk, cluster) = (v.exposure, v.def.cluster);
        let is_new = risk.cluster(cluster).micros() == 0;
        let (equity, peak) = (micros(v.context.account.equity), micros(v.context.account.peak));
        let share = |whole: i128, row| whole.max(0) * limit(v, row).min(100) / 100;
        let worth = |dollars, percent| limit(v, dollars).min(share(equity, percent));
        let category = micros(risk.category(v.def.category));
        let theme = v.def.theme.map(|theme| micros(risk.theme(Some(theme))));
        let minute = |count: u64, row| i128::from(count) >= limit(v, row);
        let percent = |of: i128, row| (of * limit(v, row).min(100)).div_euclid(100);
        let floor = limit(v, L::EquityFloor);
        rows.extend([
            (R::Position, position > limit(v, L::PositionQty)),
            (R::Position, stake > limit(v, L::PositionNotional)),
            (R::ExposureMarket, micros(risk.market(o.market)) + cost > limit(v, L::ExposureMarket)),
            (
                R::ExposureCluster,
                micros(risk.cluster(cluster)) + cost > limit(v, L::ExposureCluster),
            ),
            (
                R::ExposureVenue,
                micros(risk.venue(o.venue)) + cost
                    > worth(L::ExposureVenue, L::ExposureVenuePercent),
            ),
            (
                R::ExposureTotal,
                micros(risk.total()) + cost > worth(L::ExposureTotal, L::ExposureTotalPercent),
            ),
            (R::Positions, is_new && i128::from(risk.positions()) >= limit(v, L::Positions)),
            (R::PositionShare, stake > share(equity, L::PositionPercent).max(1_000_000)),
            (R::Category, category + cost > share(equity, L::CategoryPercent)),
            (R::ExposureTheme, theme.is_some_and(|at| at + cost > limit(v, L::ExposureTheme))),
            (R::EquityFloor, equity <= limit(v, L::EquityFloor)),
            (R::Drawdown, peak - equity >= share(peak, L::DrawdownPercent)),
            (R::DailyLoss, limit(v, L::DailyLoss) == 0),
            (R::DailyLoss, -micros(v.day_result) >= worth(L::DailyLoss, L::DailyLossPercent)),
            (
                R::StrategyLoss,
                -micros(v.context.strategy_result)
                    >= worth(L::DailyLossStrategy, L::DailyLossPercent),
            ),
            (R::ClusterOutcome, micros(v.plan.cluster) > percent(equity, L::ClusterPercent)),
            (R::Shock, micros(v.plan.worst.loss) > percent(equity - floor, L::ShockBufferPercent)),
            (R::Rate, minute(v.rate.in_all(), L::OrdersPerMinute)),
            (R::Rate, minute(v.rate.in_market(o.market), L::OrdersPerMinuteMarket)),
            (R::Duplicate, v.rate.repeats(o)),
        ]);
    }
    rows
}

/// Whether the order pays more than elsewhere, or sells for less, by more than the collar.
fn beyond_collar(v: &View<'_>, o: &Order) -> bool {
    let (context, limits) = (&v.context, v.limits);
    let buys_yes = (o.action == Action::Buy) == (o.outcome == Outcome::Yes);
    // The price of YES that it could trade at there.
    let of = |best: crate::risk::BestPrices| {
        if buys_yes { best.ask.or(best.bid) } else { best.bid.or(best.ask) }
    };
    let trade = context.last_trade.filter(|last| {
        i128::from(o.decided.get()) - i128::from(last.at.get()) <= nanos(v, L::CollarTradeMs)
    });
    let spread = match context.market.best {
        crate::risk::BestPrices { bid: Some(bid), ask: Some(ask) } => {
            let between = i128::from(ask.ticks()) - i128::from(bid.ticks());
            between.clamp(0, limit(v, L::Collar))
        }
        _ => 0,
    };
    let elsewhere = [
        of(context.market.best).map(|yes| (yes, 0)),
        trade.map(|last| (last.price, spread)),
        context.other_venue.and_then(|other| other.best()).and_then(of).map(|yes| (yes, 0)),
    ];
    let is_worse = |(yes, beyond): (Price, i128)| {
        let there = if o.outcome == Outcome::Yes { yes } else { yes.complement() };
        let percent = i128::from(limits.raw(L::CollarPercent).min(100));
        let share = i128::from(there.ticks()) * percent / 100;
        let steps = 2 * i128::from(v.def.grid.step_at(yes));
        let most = share.min(limit(v, L::Collar)).max(steps);
        let more = i128::from(o.price.ticks()) - i128::from(there.ticks());
        let worse = if o.action == Action::Buy { more } else { -more };
        worse > most + beyond
    };
    let mut known = elsewhere.into_iter().flatten().peekable();
    known.peek().is_none() || known.any(is_worse)
}

fn last(v: &View<'_>, o: &Order) -> Vec<(R, bool)> {
    vec![
        (R::OwnCross, v.own_cross),
        (R::NotReducing, reduces(o) && o.action == Action::Buy),
        (R::NotReducing, o.action == Action::Sell && o.qty > v.held_free),
    ]
}
