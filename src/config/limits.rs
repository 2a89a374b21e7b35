//! The limits that a profile gives, and what makes them consistent. The rows themselves are a table in `hot/src/risk/limits.rs`.

use surefoot_hot::event::Control;
use surefoot_hot::risk::{LIMIT_ROWS, LimitRow, LimitUnit as Unit};
use surefoot_hot::units::{MICROS, Usd};

/// Whether a profile's value holds against a looser one of the file. The strategy's own numbers are the
/// operator's to choose, within their bounds.
pub fn profile_holds(limit: LimitRow) -> bool {
    limit.def().key.starts_with("limits.")
}

/// The more careful of two values of a row. A daily loss of zero is the most careful: observe only.
pub fn tighter(row: LimitRow, a: u64, b: u64) -> u64 {
    if row.larger_is_safer() { a.max(b) } else { a.min(b) }
}

/// A value as people read it: `500 contracts`, `$100`, `1.00 cent`, `95 %`.
pub fn show(limit: LimitRow, value: u64) -> String {
    let micros = i64::try_from(value).unwrap_or(i64::MAX);
    match limit.def().unit {
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
        let mut limits = Limits { values: LimitRow::ALL.map(|row| row.def().default) };
        let loss = if self == Self::Large { dollars(loss).min(percent(5)) } else { dollars(loss) };
        // Never under what a venue takes: $1 for a marketable order on Polymarket (polymarket.md, 2026-10).
        limits.set(LimitRow::PositionNotional, position.max(dollars(1)));
        limits.set(LimitRow::OrderNotional, dollars(order));
        limits.set(LimitRow::ExposureTotal, total);
        limits.set(LimitRow::DailyLoss, loss);
        limits.set(LimitRow::ExposureMarket, dollars(market));
        limits.set(LimitRow::ExposureCluster, dollars(cluster));
        limits.set(LimitRow::ExposureVenue, venue);
        limits
    }
}

/// A value for every row, each in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    values: [u64; LIMIT_ROWS],
}

impl Limits {
    /// The limit of a row, in the row's unit.
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
                let (least, most) = row.def().bounds;
                assert!((least..=most).contains(&value), "{} of {}", row.def().key, profile.name());
            }
            for (inner, outer) in NESTED {
                assert!(limits.value(inner) <= limits.value(outer), "{}", inner.def().key);
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
