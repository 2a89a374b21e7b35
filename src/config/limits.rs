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
        Unit::Ticks => format!("${}", ticks(value)),
        Unit::Percent => format!("{value} %"),
        Unit::Ppm => format!("{value} ppm"),
        Unit::Millis => format!("{value} ms"),
        Unit::Count => value.to_string(),
    }
}

/// Steps of $0.0001 as they are written: `0.0100`.
pub fn ticks(value: u64) -> String {
    format!("{}.{:04}", value / 10_000, value % 10_000)
}

/// A value as it is written in the file, without its unit: `100`, `0.0100`, `95`.
pub fn written(limit: LimitRow, value: u64) -> String {
    match limit.def().unit {
        Unit::Contracts | Unit::Dollars => micros(value),
        Unit::Ticks => ticks(value),
        Unit::Percent | Unit::Ppm | Unit::Millis | Unit::Count => value.to_string(),
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
    /// From the smallest account to the largest.
    pub const ALL: [Self; 3] = [Self::Micro, Self::Small, Self::Large];

    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::Small => "small",
            Self::Large => "large",
        }
    }

    /// Every row's value for an account that began with `capital` dollars in all. What depends on what the account is worth
    /// later is a row in percent beside the one in dollars, and follows it while running.
    pub fn limits(self, capital: Usd) -> Limits {
        let mut limits = Limits { values: LimitRow::ALL.map(|row| row.def().default) };
        let dollars = match self {
            Self::Micro => [50, 10, 20, 5, 20, 30, 45, 60, 100],
            Self::Small => [100, 100, 100, 25, 100, 200, 300, 500, 1_000],
            // At a venue and over everything the shares alone hold.
            Self::Large => {
                [5_000, 15_000, 500, 125, 15_000, 50_000, 75_000, DOLLARS_MOST, DOLLARS_MOST]
            }
        };
        let rows = [
            LimitRow::DailyLoss,
            LimitRow::OrderNotional,
            LimitRow::PositionNotional,
            LimitRow::UnwindLoss,
            LimitRow::ExposureMarket,
            LimitRow::ExposureCluster,
            LimitRow::ExposureTheme,
            LimitRow::ExposureVenue,
            LimitRow::ExposureTotal,
        ];
        for (row, dollars) in rows.into_iter().zip(dollars) {
            limits.set(row, dollars * MICROS);
        }
        limits.set(LimitRow::DailyLossStrategy, limits.value(LimitRow::DailyLoss));
        let percent = match self {
            Self::Micro => [100, 20, 100, 100],
            Self::Small => [100, 1, 100, 100],
            Self::Large => [5, 1, 60, 90],
        };
        let rows = [
            LimitRow::DailyLossPercent,
            LimitRow::PositionPercent,
            LimitRow::ExposureVenuePercent,
            LimitRow::ExposureTotalPercent,
        ];
        for (row, percent) in rows.into_iter().zip(percent) {
            limits.set(row, percent);
        }
        limits.set(LimitRow::EquityFloor, u64::try_from(capital.micros()).unwrap_or(0) / 2);
        limits
    }
}

/// The most that a row in dollars can be set to.
const DOLLARS_MOST: u64 = 1_000_000_000;

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
pub const NESTED: [(LimitRow, LimitRow); 12] = [
    (LimitRow::ExposureVenue, LimitRow::ExposureTotal),
    (LimitRow::ExposureTheme, LimitRow::ExposureTotal),
    (LimitRow::ExposureCluster, LimitRow::ExposureVenue),
    (LimitRow::ExposureMarket, LimitRow::ExposureCluster),
    (LimitRow::PositionNotional, LimitRow::ExposureMarket),
    (LimitRow::OrderNotional, LimitRow::ExposureVenue),
    (LimitRow::DailyLossStrategy, LimitRow::DailyLoss),
    (LimitRow::ExposureVenuePercent, LimitRow::ExposureTotalPercent),
    (LimitRow::CategoryPercent, LimitRow::ExposureTotalPercent),
    (LimitRow::PositionPercent, LimitRow::CategoryPercent),
    (LimitRow::PositionPercent, LimitRow::ExposureVenuePercent),
    (LimitRow::OrdersPerMinuteMarket, LimitRow::OrdersPerMinute),
];

/// A limit that makes no sense beside another one or beside what the account began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absurd {
    /// The row to change.
    pub row: LimitRow,
    /// What is wrong with it.
    pub why: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Everything absurd about the rows that somebody has `given`: each holds, and none can have been meant. What a profile gives
/// is left alone: an account may be smaller than what its profile is meant for.
pub fn absurd(limits: &Limits, capital: Usd, given: impl Fn(LimitRow) -> bool) -> Vec<Absurd> {
    use LimitRow as L;
    let value = |row| limits.value(row);
    let capital = u64::try_from(capital.micros()).unwrap_or(0);
    let more_than_all = |row| value(row) >= capital;
    let all = [
        (
            L::DailyLoss,
            more_than_all(L::DailyLoss),
            "a day may lose all that the account began with",
            "lower it, or raise `starting_capital`",
        ),
        (
            L::EquityFloor,
            more_than_all(L::EquityFloor),
            "the account begins at or below its floor: everything would halt at once",
            "lower it, or raise `starting_capital`",
        ),
        (
            L::ExposureTotal,
            value(L::ExposureTotal) > capital,
            "more may be at risk than the account began with",
            "lower it, or raise `starting_capital`",
        ),
        (
            L::EdgeMin,
            value(L::EdgeMin) >= value(L::EdgeMaxPercent) * 100,
            "every edge that is large enough counts as bad data: nothing would ever be traded",
            "lower it, or raise `strategy.edge_max_percent`",
        ),
        (
            L::CooldownMs,
            value(L::CooldownMs) > value(L::CooldownLossMs),
            "a basket would rest longer after a profit than after a loss",
            "lower it, or raise `strategy.cooldown_loss_ms`",
        ),
        (
            L::UnwindStepMs,
            value(L::UnwindStepMs) > value(L::LegTimeoutMs),
            "an unwind would wait longer between two orders than a leg may take",
            "lower it, or raise `strategy.leg_timeout_ms`",
        ),
        (
            L::LegTimeoutMs,
            value(L::LegTimeoutMs) > value(L::CloseCutoffMs),
            "a leg may still wait for its partner when the market closes, and nothing can be sold there then",
            "lower it, or raise `limits.close_cutoff_ms`",
        ),
        (
            L::DailyLossStrategy,
            value(L::DailyLossStrategy) == 0 && value(L::DailyLoss) > 0,
            "a strategy that may lose nothing is refused everything, from the start on",
            "raise it, or set `limits.daily_loss` to 0 to only observe",
        ),
    ];
    let found = all.into_iter().filter(|&(row, is_absurd, ..)| is_absurd && given(row));
    found.map(|(row, _, why, remedy)| Absurd { row, why, remedy }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_may_not_wait_for_longer_than_the_cut_off_before_a_close() {
        let mut limits = Profile::Small.limits(Usd::from_dollars(10_000));
        let mut found = |wait| {
            limits.set(LimitRow::LegTimeoutMs, wait);
            absurd(&limits, Usd::from_dollars(10_000), |row| row == LimitRow::LegTimeoutMs)
        };
        assert_eq!(found(30_000), []);
        assert_eq!(found(30_001).first().map(|absurd| absurd.row), Some(LimitRow::LegTimeoutMs));
    }

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
        assert_eq!(
            poor.value(LimitRow::PositionNotional),
            100_000_000,
            "the share follows the account"
        );
        assert_eq!(poor.value(LimitRow::EquityFloor), 500_000_000, "half of what it began with");
    }

    /// Dollars of a day's loss, an order, a position, and what is at risk in a market, an event, at a venue and in all.
    #[test]
    fn dollars_are_the_profiles() {
        use LimitRow as L;
        let rows = [
            L::DailyLoss,
            L::OrderNotional,
            L::PositionNotional,
            L::ExposureMarket,
            L::ExposureCluster,
            L::ExposureVenue,
            L::ExposureTotal,
        ];
        let of = |profile: Profile| {
            let limits = profile.limits(Usd::from_dollars(9));
            rows.map(|row| limits.value(row) / 1_000_000)
        };
        assert_eq!(of(Profile::Micro), [50, 10, 20, 20, 30, 60, 100]);
        assert_eq!(of(Profile::Small), [100, 100, 100, 100, 200, 500, 1_000]);
        let large = of(Profile::Large);
        assert_eq!(large[..5], [5_000, 15_000, 500, 15_000, 50_000]);
        let most = DOLLARS_MOST;
        assert_eq!(large[5..], [most, most], "shares of the account hold there");
    }

    #[test]
    fn shares_of_the_account_are_the_profiles() {
        use LimitRow as L;
        let rows = [
            L::PositionPercent,
            L::DailyLossPercent,
            L::ExposureVenuePercent,
            L::ExposureTotalPercent,
        ];
        let of = |profile: Profile| rows.map(|row| profile.limits(Usd::from_dollars(9)).value(row));
        assert_eq!(of(Profile::Micro), [20, 100, 100, 100]);
        assert_eq!(of(Profile::Small), [1, 100, 100, 100]);
        assert_eq!(of(Profile::Large), [1, 5, 60, 90]);
        for profile in [Profile::Micro, Profile::Small, Profile::Large] {
            let limits = profile.limits(Usd::from_dollars(9));
            let all = [L::DrawdownPercent, L::CategoryPercent, L::LossWarnPercent];
            assert_eq!(all.map(|row| limits.value(row)), [10, 30, 80]);
            assert_eq!(limits.value(L::DailyLossStrategy), limits.value(L::DailyLoss));
        }
    }
}
