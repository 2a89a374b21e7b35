//! The rows of the risk table that can be set, and the limits in force.

use crate::units::{Nanos, Qty, Usd};

/// How many rows there are.
pub const LIMIT_ROWS: usize = LimitRow::ALL.len();

/// Every limit, by row. Trading needs all of them set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    values: [u64; LIMIT_ROWS],
    set: u64,
}

impl Limits {
    /// None set: nothing may be opened.
    pub const fn unset() -> Self {
        Self { values: [0; LIMIT_ROWS], set: 0 }
    }

    /// Sets a row. While trading is open (`tighten_only`) a row may only move towards caution.
    /// Returns whether it was taken.
    pub fn set(&mut self, row: LimitRow, value: u64, tighten_only: bool) -> bool {
        let index = row as usize;
        let known = self.set & (1 << index) != 0;
        if tighten_only && known {
            let tighter = if row.larger_is_safer() {
                value >= self.values[index]
            } else {
                value <= self.values[index]
            };
            if !tighter {
                return false;
            }
        }
        self.values[index] = value;
        self.set |= 1 << index;
        true
    }

    /// Whether every row is there.
    pub const fn complete(&self) -> bool {
        self.set == (1 << LIMIT_ROWS) - 1
    }

    /// Whether nothing may be opened, whatever the day brings: a daily loss of nothing.
    pub const fn observes_only(&self) -> bool {
        self.raw(LimitRow::DailyLoss) == 0
    }

    /// A row's raw value.
    pub const fn raw(&self, row: LimitRow) -> u64 {
        self.values[row as usize]
    }

    /// A row in contracts.
    pub const fn qty(&self, row: LimitRow) -> Qty {
        Qty::from_micros(self.raw(row))
    }

    /// A row in dollars.
    pub fn usd(&self, row: LimitRow) -> Usd {
        Usd::from_micros(i64::try_from(self.raw(row)).unwrap_or(i64::MAX))
    }

    /// A row in milliseconds.
    pub const fn span(&self, row: LimitRow) -> Nanos {
        Nanos::from_millis(self.raw(row))
    }
}

/// The rows of the risk table that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LimitRow {
    /// Contracts in one order (1e-6).
    OrderQty = 0,
    /// Dollars in one order (1e-6).
    OrderNotional = 1,
    /// Share of free cash that one order may use, in percent.
    CashPercent = 2,
    /// Contracts of one outcome held or on the way (1e-6).
    PositionQty = 3,
    /// Dollars at risk over everything (1e-6).
    ExposureTotal = 4,
    /// Dollars lost in a day, realised and unrealised (1e-6); zero means observe only.
    DailyLoss = 5,
    /// Order mutations a minute.
    OrdersPerMinute = 6,
    /// Dollars at risk in one market (1e-6).
    ExposureMarket = 7,
    /// Dollars at risk in one cluster (1e-6).
    ExposureCluster = 8,
    /// Dollars at risk at one venue (1e-6).
    ExposureVenue = 9,
    /// Baskets and single positions held at once.
    Positions = 10,
    /// Least profit per basket unit, in $0.0001.
    EdgeMin = 11,
    /// Least profit of a whole basket (1e-6 dollars).
    ProfitMin = 12,
    /// Dollars in one position (1e-6).
    PositionNotional = 13,
    /// Order mutations a minute in one market.
    OrdersPerMinuteMarket = 14,
    /// An implied profit above this share of the payout is bad data, in percent.
    EdgeMaxPercent = 15,
    /// How long a leg may take before it is cancelled and the rest unwound, in milliseconds.
    LegTimeoutMs = 16,
    /// How long a basket rests after it was shot, in milliseconds.
    CooldownMs = 17,
    /// How long a basket rests after an unwind or a loss, in milliseconds.
    CooldownLossMs = 18,
    /// How many orders an unwind may take before it is handed to a person.
    UnwindAttempts = 19,
    /// The least time between two corrective orders of one group, in milliseconds.
    UnwindStepMs = 20,
    /// How often a later leg fails, in parts per million; decides whether an edge pays for the risk.
    LegFailPpm = 21,
    /// What an unwind loses of its cost, in parts per million.
    UnwindLossPpm = 22,
    /// Within this time the same order again is a mistake, in milliseconds.
    DuplicateMs = 23,
}

impl LimitRow {
    /// Every row, in order of its number.
    pub const ALL: [Self; 24] = [
        Self::OrderQty,
        Self::OrderNotional,
        Self::CashPercent,
        Self::PositionQty,
        Self::ExposureTotal,
        Self::DailyLoss,
        Self::OrdersPerMinute,
        Self::ExposureMarket,
        Self::ExposureCluster,
        Self::ExposureVenue,
        Self::Positions,
        Self::EdgeMin,
        Self::ProfitMin,
        Self::PositionNotional,
        Self::OrdersPerMinuteMarket,
        Self::EdgeMaxPercent,
        Self::LegTimeoutMs,
        Self::CooldownMs,
        Self::CooldownLossMs,
        Self::UnwindAttempts,
        Self::UnwindStepMs,
        Self::LegFailPpm,
        Self::UnwindLossPpm,
        Self::DuplicateMs,
    ];

    /// Whether a larger value is the more careful one.
    pub const fn larger_is_safer(self) -> bool {
        matches!(
            self,
            Self::EdgeMin
                | Self::ProfitMin
                | Self::CooldownMs
                | Self::CooldownLossMs
                | Self::LegFailPpm
                | Self::UnwindLossPpm
                | Self::DuplicateMs
        )
    }

    /// The name used in the configuration, in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderQty => "order_qty",
            Self::OrderNotional => "order_notional",
            Self::CashPercent => "cash_percent",
            Self::PositionQty => "position_qty",
            Self::ExposureTotal => "exposure_total",
            Self::DailyLoss => "daily_loss",
            Self::OrdersPerMinute => "orders_per_minute",
            Self::ExposureMarket => "exposure_market",
            Self::ExposureCluster => "exposure_cluster",
            Self::ExposureVenue => "exposure_venue",
            Self::Positions => "positions",
            Self::EdgeMin => "edge_min",
            Self::ProfitMin => "profit_min",
            Self::PositionNotional => "position_notional",
            Self::OrdersPerMinuteMarket => "orders_per_minute_market",
            Self::EdgeMaxPercent => "edge_max_percent",
            Self::LegTimeoutMs => "leg_timeout_ms",
            Self::CooldownMs => "cooldown_ms",
            Self::CooldownLossMs => "cooldown_loss_ms",
            Self::UnwindAttempts => "unwind_attempts",
            Self::UnwindStepMs => "unwind_step_ms",
            Self::LegFailPpm => "leg_fail_ppm",
            Self::UnwindLossPpm => "unwind_loss_ppm",
            Self::DuplicateMs => "duplicate_ms",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_as_listed() {
        for (index, row) in LimitRow::ALL.into_iter().enumerate() {
            assert_eq!(row as usize, index, "{}", row.name());
        }
    }

    #[test]
    fn an_open_run_only_tightens() {
        let mut limits = Limits::unset();
        assert!(limits.set(LimitRow::OrderQty, 500, false));
        assert!(limits.set(LimitRow::EdgeMin, 100, false));
        assert!(!limits.set(LimitRow::OrderQty, 501, true));
        assert!(limits.set(LimitRow::OrderQty, 499, true));
        assert!(!limits.set(LimitRow::EdgeMin, 99, true));
        assert!(limits.set(LimitRow::EdgeMin, 101, true));
        assert_eq!(limits.raw(LimitRow::OrderQty), 499);
        assert!(!limits.complete());
    }
}
