//! The rows of the risk table: their names, profiles and what makes them consistent.

use surefoot_hot::event::Control;
use surefoot_hot::risk::{LIMIT_ROWS, LimitRow};
use surefoot_hot::units::{MICROS, QTY_MAX, Usd};

/// The unit of a row's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Millionths of a contract; written in contracts.
    Contracts,
    /// Microdollars; written in dollars.
    Dollars,
    /// Steps of $0.0001; written in dollars.
    Ticks,
    /// Percent.
    Percent,
    /// Parts per million.
    Ppm,
    /// Milliseconds.
    Millis,
    /// A number of things.
    Count,
}

/// What the configuration knows of a row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The configuration's key.
    pub key: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// The least and the most that make sense, in the row's own unit.
    pub bounds: (u64, u64),
    /// What it is, in a line.
    pub about: &'static str,
}

const DOLLARS_MOST: u64 = 1_000_000_000 * MICROS;
const MILLIS_MOST: u64 = 7 * 86_400_000;

/// What the configuration knows of `row`.
pub const fn row(row: LimitRow) -> Row {
    use LimitRow as L;
    let dollars = (MICROS, DOLLARS_MOST); // nothing under a dollar can be traded
    let (key, unit, bounds, about) = match row {
        L::OrderQty => (
            "limits.order_qty",
            Unit::Contracts,
            (MICROS, QTY_MAX.micros()),
            "contracts in one order",
        ),
        L::OrderNotional => {
            ("limits.order_notional", Unit::Dollars, dollars, "dollars in one order")
        }
        L::CashPercent => (
            "limits.cash_percent",
            Unit::Percent,
            (1, 100),
            "share of a venue's free cash for one order",
        ),
        L::PositionQty => (
            "limits.position_qty",
            Unit::Contracts,
            (MICROS, QTY_MAX.micros()),
            "contracts of one outcome, held or on the way",
        ),
        L::ExposureTotal => {
            ("limits.exposure_total", Unit::Dollars, dollars, "dollars at risk over everything")
        }
        L::DailyLoss => (
            "limits.daily_loss",
            Unit::Dollars,
            (0, DOLLARS_MOST),
            "dollars lost in a day before everything halts; 0 means observe only",
        ),
        L::OrdersPerMinute => {
            ("limits.orders_per_minute", Unit::Count, (1, 60_000), "order mutations a minute")
        }
        L::ExposureMarket => {
            ("limits.exposure_market", Unit::Dollars, dollars, "dollars at risk in one market")
        }
        L::ExposureCluster => (
            "limits.exposure_cluster",
            Unit::Dollars,
            dollars,
            "dollars at risk in markets that depend on each other",
        ),
        L::ExposureVenue => {
            ("limits.exposure_venue", Unit::Dollars, dollars, "dollars at risk at one venue")
        }
        L::Positions => (
            "limits.positions",
            Unit::Count,
            (1, 10_000),
            "baskets and single positions held at once",
        ),
        L::PositionNotional => {
            ("limits.position_notional", Unit::Dollars, dollars, "dollars in one position")
        }
        L::OrdersPerMinuteMarket => (
            "limits.orders_per_minute_market",
            Unit::Count,
            (1, 60_000),
            "order mutations a minute in one market",
        ),
        L::DuplicateMs => (
            "limits.duplicate_ms",
            Unit::Millis,
            (1, 60_000),
            "within this time the same order again is a mistake",
        ),
        L::EdgeMin => (
            "strategy.edge_min",
            Unit::Ticks,
            (1, 10_000),
            "least profit of a basket unit after fees",
        ),
        L::ProfitMin => (
            "strategy.profit_min",
            Unit::Dollars,
            (0, 1_000_000 * MICROS),
            "least profit of a whole basket after fees",
        ),
        L::EdgeMaxPercent => (
            "strategy.edge_max_percent",
            Unit::Percent,
            (1, 100),
            "an implied profit above this share of the payout is bad data",
        ),
        L::LegTimeoutMs => (
            "strategy.leg_timeout_ms",
            Unit::Millis,
            (100, 600_000),
            "how long a leg may take before the rest is unwound",
        ),
        L::CooldownMs => (
            "strategy.cooldown_ms",
            Unit::Millis,
            (0, MILLIS_MOST),
            "how long a basket rests after it was shot",
        ),
        L::CooldownLossMs => (
            "strategy.cooldown_loss_ms",
            Unit::Millis,
            (0, MILLIS_MOST),
            "how long a basket rests after an unwind or a loss",
        ),
        L::UnwindAttempts => (
            "strategy.unwind_attempts",
            Unit::Count,
            (1, 100),
            "orders an unwind may take before it is handed to a person",
        ),
        L::UnwindStepMs => (
            "strategy.unwind_step_ms",
            Unit::Millis,
            (0, 60_000),
            "least time between two corrective orders of a group",
        ),
        L::LegFailPpm => (
            "strategy.leg_fail_ppm",
            Unit::Ppm,
            (0, 1_000_000),
            "how often a later leg fails: an edge must pay for it",
        ),
        L::UnwindLossPpm => (
            "strategy.unwind_loss_ppm",
            Unit::Ppm,
            (0, 1_000_000),
            "what an unwind loses of its cost: an edge must pay for it",
        ),
    };
    Row { key, unit, bounds, about }
}

/// Whether a profile's value holds against a looser one of the file. The strategy's own numbers are the
/// operator's to choose, within their bounds.
pub fn profile_holds(limit: LimitRow) -> bool {
    row(limit).key.starts_with("limits.")
}

/// The more careful of two values of a row. A daily loss of zero is the most careful: observe only.
pub fn tighter(row: LimitRow, a: u64, b: u64) -> u64 {
    if row.larger_is_safer() { a.max(b) } else { a.min(b) }
}

/// A value as people read it: `500 contracts`, `$100`, `1.00 cent`, `95 %`.
pub fn show(limit: LimitRow, value: u64) -> String {
    let micros = i64::try_from(value).unwrap_or(i64::MAX);
    match row(limit).unit {
        Unit::Contracts => format!("{} contracts", trim(Usd::from_micros(micros))),
        Unit::Dollars => format!("${}", trim(Usd::from_micros(micros))),
        Unit::Ticks => format!("${}.{:04}", value / 10_000, value % 10_000),
        Unit::Percent => format!("{value} %"),
        Unit::Ppm => format!("{value} ppm"),
        Unit::Millis => format!("{value} ms"),
        Unit::Count => value.to_string(),
    }
}

/// Millionths as people write them: `100`, `0.50`.
pub fn micros(value: u64) -> String {
    trim(Usd::from_micros(i64::try_from(value).unwrap_or(i64::MAX)))
}

/// Without the zeros that say nothing: `100`, `0.50`.
fn trim(value: Usd) -> String {
    let text = value.to_string();
    let short = text.trim_end_matches('0');
    match short.len() - short.find('.').map_or(0, |dot| dot + 1) {
        0 => short.trim_end_matches('.').to_owned(),
        1 => format!("{short}0"),
        _ => short.to_owned(),
    }
}

/// What the operator's capital is taken to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// $50 to $500.
    Micro,
    /// $500 to $20,000.
    #[default]
    Small,
    /// More.
    Large,
}

impl Profile {
    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::Small => "small",
            Self::Large => "large",
        }
    }

    /// Every row's value for an account of `equity` dollars in all.
    pub fn limits(self, equity: Usd) -> Limits {
        let equity = u64::try_from(equity.micros()).unwrap_or(0);
        let percent = |share: u64| equity / 100 * share;
        let dollars = |amount: u64| amount * MICROS;
        let (loss, order, position, market, cluster, venue, total) = match self {
            Self::Micro => (50, 10, percent(20), 20, 30, dollars(60), dollars(100)),
            Self::Small => {
                (100, 100, dollars(100).min(percent(1)), 100, 200, dollars(500), dollars(1_000))
            }
            Self::Large => {
                let position = dollars(500).min(percent(1));
                (5_000, 15_000, position, 15_000, 50_000, percent(60), percent(90))
            }
        };
        let mut limits = Limits { values: [0; LIMIT_ROWS] };
        let loss = if self == Self::Large { dollars(loss).min(percent(5)) } else { dollars(loss) };
        // Never under what a venue takes: $1 for a marketable order on Polymarket (polymarket.md, 2026-10).
        limits.set(LimitRow::PositionNotional, position.max(dollars(1)));
        limits.set(LimitRow::OrderQty, dollars(500)); // millionths of a contract, as of a dollar
        limits.set(LimitRow::OrderNotional, dollars(order));
        limits.set(LimitRow::CashPercent, 95);
        limits.set(LimitRow::PositionQty, dollars(200));
        limits.set(LimitRow::ExposureTotal, total);
        limits.set(LimitRow::DailyLoss, loss);
        limits.set(LimitRow::OrdersPerMinute, 60);
        limits.set(LimitRow::ExposureMarket, dollars(market));
        limits.set(LimitRow::ExposureCluster, dollars(cluster));
        limits.set(LimitRow::ExposureVenue, venue);
        limits.set(LimitRow::Positions, 16);
        limits.set(LimitRow::EdgeMin, 100);
        limits.set(LimitRow::ProfitMin, dollars(1) / 2);
        limits.set(LimitRow::OrdersPerMinuteMarket, 20);
        limits.set(LimitRow::EdgeMaxPercent, 20);
        limits.set(LimitRow::LegTimeoutMs, 5_000);
        limits.set(LimitRow::CooldownMs, 1_000);
        limits.set(LimitRow::CooldownLossMs, 15 * 60_000);
        limits.set(LimitRow::UnwindAttempts, 5);
        limits.set(LimitRow::UnwindStepMs, 500);
        limits.set(LimitRow::LegFailPpm, 150_000); // 15 % and 3.5 % until there are rates of our own
        limits.set(LimitRow::UnwindLossPpm, 35_000);
        limits.set(LimitRow::DuplicateMs, 1_000);
        limits
    }
}

/// A value for every row, each in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    values: [u64; LIMIT_ROWS],
}

impl Limits {
    /// One row.
    pub const fn value(&self, row: LimitRow) -> u64 {
        self.values[row as usize]
    }

    /// Sets one row.
    pub const fn set(&mut self, row: LimitRow, value: u64) {
        self.values[row as usize] = value;
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (LimitRow, u64)> {
        LimitRow::ALL.into_iter().map(|row| (row, self.value(row)))
    }

    /// As the core takes them in: one event a row.
    pub fn events(&self) -> impl Iterator<Item = Control> {
        self.iter().map(|(row, value)| Control::Limit { row, value })
    }
}

/// Pairs of which the first may not exceed the second, the widest first.
pub const NESTED: [(LimitRow, LimitRow); 6] = [
    (LimitRow::ExposureVenue, LimitRow::ExposureTotal),
    (LimitRow::ExposureCluster, LimitRow::ExposureVenue),
    (LimitRow::ExposureMarket, LimitRow::ExposureCluster),
    (LimitRow::PositionNotional, LimitRow::ExposureMarket),
    (LimitRow::OrderNotional, LimitRow::ExposureVenue),
    (LimitRow::OrdersPerMinuteMarket, LimitRow::OrdersPerMinute),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_within_bounds() {
        for (profile, equity) in
            [(Profile::Micro, 50), (Profile::Small, 20_000), (Profile::Large, 1_000_000)]
        {
            let limits = profile.limits(Usd::from_dollars(equity));
            for (row, value) in limits.iter() {
                let (least, most) = super::row(row).bounds;
                assert!(
                    (least..=most).contains(&value),
                    "{} of {}",
                    super::row(row).key,
                    profile.name()
                );
            }
            for (inner, outer) in NESTED {
                assert!(limits.value(inner) <= limits.value(outer), "{}", row(inner).key);
            }
        }
    }

    #[test]
    fn the_table_of_the_small_profile() {
        let limits = Profile::Small.limits(Usd::from_dollars(20_000));
        assert_eq!(show(LimitRow::OrderQty, limits.value(LimitRow::OrderQty)), "500 contracts");
        assert_eq!(show(LimitRow::PositionNotional, 100_000_000), "$100");
        assert_eq!(limits.value(LimitRow::PositionNotional), 100_000_000);
        assert_eq!(show(LimitRow::ProfitMin, limits.value(LimitRow::ProfitMin)), "$0.50");
        assert_eq!(show(LimitRow::EdgeMin, limits.value(LimitRow::EdgeMin)), "$0.0100");
        let poor = Profile::Small.limits(Usd::from_dollars(1_000));
        assert_eq!(poor.value(LimitRow::PositionNotional), 10_000_000, "one percent");
    }
}
