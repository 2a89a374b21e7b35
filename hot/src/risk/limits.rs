//! The rows of the risk table that can be set, and the limits in force.

use crate::pack::{enum_table, pack_fields};
use crate::units::{MICROS, Nanos, QTY_MAX, Qty, Usd};

const DOLLARS_MOST: u64 = 1_000_000_000 * MICROS;
const MILLIS_MOST: u64 = 7 * 86_400_000;

/// The unit of a row's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitUnit {
    /// Millionths of a contract; written in contracts.
    Contracts,
    /// Microdollars; written in dollars.
    Dollars,
    /// Steps of $0.0001; written in dollars.
    Ticks,
    /// Percent of what the row speaks of, without a fraction.
    Percent,
    /// Parts per million.
    Ppm,
    /// Milliseconds, without a fraction; shown with `ms` behind them.
    Millis,
    /// A number of things.
    Count,
}

/// Which of two values of a row is the more careful one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safer {
    /// The smaller one: the row bounds something from above.
    Smaller,
    /// The larger one: the row asks for at least so much.
    Larger,
}

/// What is known of a row before anybody sets it.
#[derive(Clone, Copy, Debug)]
pub struct LimitDef {
    /// Its key in the configuration file: section and name.
    pub key: &'static str,
    /// What it limits, in a line.
    pub about: &'static str,
    /// The unit of its value.
    pub unit: LimitUnit,
    /// The least and the most that make sense, in its unit.
    pub bounds: (u64, u64),
    /// Its value in the profile `small`, in its unit. What depends on the size of the account is derived from that instead.
    pub default: u64,
    /// Which way it may move while trading is open.
    pub safer: Safer,
}

/// The rows: variant, number in files, key in the configuration, meaning; unit, bounds, default and which value is safer.
macro_rules! limit_rows {
    ($(
        $row:ident = $number:literal, $section:ident.$name:ident, $about:literal,
            $unit:ident, $bounds:expr, $default:expr, $safer:ident;
    )*) => {
        enum_table! {
            /// The rows of the risk table that can be set.
            pub enum LimitRow {
                $(#[doc = $about] $row = $number, stringify!($name);)*
            }
        }

        static DEFS: [LimitDef; LIMIT_ROWS] = [$(LimitDef {
            key: concat!(stringify!($section), ".", stringify!($name)),
            about: $about,
            unit: LimitUnit::$unit,
            bounds: $bounds,
            default: $default,
            safer: Safer::$safer,
        }),*];
    };
}

limit_rows! {
    OrderQty = 0, limits.order_qty, "contracts in one order",
        Contracts, (MICROS, QTY_MAX.micros()), 500 * MICROS, Smaller;
    OrderNotional = 1, limits.order_notional, "dollars in one order",
        Dollars, (MICROS, DOLLARS_MOST), 100 * MICROS, Smaller;
    CashPercent = 2, limits.cash_percent, "share of a venue's free cash for one order",
        Percent, (1, 100), 95, Smaller;
    PositionQty = 3, limits.position_qty, "contracts of one outcome, held or on the way",
        Contracts, (MICROS, QTY_MAX.micros()), 200 * MICROS, Smaller;
    ExposureTotal = 4, limits.exposure_total, "dollars at risk over everything",
        Dollars, (MICROS, DOLLARS_MOST), 1_000 * MICROS, Smaller;
    DailyLoss = 5, limits.daily_loss, "dollars lost in a day before everything halts; 0 means observe only",
        Dollars, (0, DOLLARS_MOST), 100 * MICROS, Smaller;
    OrdersPerMinute = 6, limits.orders_per_minute, "order mutations a minute",
        Count, (1, 60_000), 60, Smaller;
    ExposureMarket = 7, limits.exposure_market, "dollars at risk in one market",
        Dollars, (MICROS, DOLLARS_MOST), 100 * MICROS, Smaller;
    ExposureCluster = 8, limits.exposure_cluster, "dollars at risk in markets that depend on each other",
        Dollars, (MICROS, DOLLARS_MOST), 200 * MICROS, Smaller;
    ExposureVenue = 9, limits.exposure_venue, "dollars at risk at one venue",
        Dollars, (MICROS, DOLLARS_MOST), 500 * MICROS, Smaller;
    Positions = 10, limits.positions, "events with something at risk at once",
        Count, (1, 10_000), 16, Smaller;
    EdgeMin = 11, strategy.edge_min, "least profit of a basket unit after fees",
        Ticks, (1, 10_000), 100, Larger;
    ProfitMin = 12, strategy.profit_min, "least profit of a whole basket after fees",
        Dollars, (0, 1_000_000 * MICROS), MICROS / 2, Larger;
    PositionNotional = 13, limits.position_notional, "dollars in one outcome of a market, held or on the way",
        Dollars, (MICROS, DOLLARS_MOST), 100 * MICROS, Smaller;
    OrdersPerMinuteMarket = 14, limits.orders_per_minute_market, "order mutations a minute in one market",
        Count, (1, 60_000), 20, Smaller;
    EdgeMaxPercent = 15, strategy.edge_max_percent, "an implied profit above this share of the payout is bad data",
        Percent, (1, 100), 20, Smaller;
    LegTimeoutMs = 16, strategy.leg_timeout_ms, "how long a leg may take before the rest is unwound",
        Millis, (100, 600_000), 5_000, Smaller;
    CooldownMs = 17, strategy.cooldown_ms, "how long a basket is not traded again after it was traded",
        Millis, (0, MILLIS_MOST), 1_000, Larger;
    CooldownLossMs = 18, strategy.cooldown_loss_ms, "how long a basket is not traded again after an unwind or a loss",
        Millis, (0, MILLIS_MOST), 900_000, Larger;
    UnwindAttempts = 19, strategy.unwind_attempts, "sales that the venue answers and that sell nothing, before an unwind is handed to a person",
        Count, (1, 100), 5, Smaller;
    UnwindStepMs = 20, strategy.unwind_step_ms, "least time between two corrective orders of a group",
        Millis, (0, 60_000), 500, Smaller;
    LegFailPpm = 21, strategy.leg_fail_ppm, "how often a later leg fails: an edge must pay for it",
        Ppm, (0, 1_000_000), 150_000, Larger;
    UnwindLossPpm = 22, strategy.unwind_loss_ppm, "what an unwind loses of its cost: an edge must pay for it",
        Ppm, (0, 1_000_000), 35_000, Larger;
    DuplicateMs = 23, limits.duplicate_ms, "within this time the same order again is a mistake",
        Millis, (1, 60_000), 1_000, Larger;
    HurdleRate = 24, strategy.hurdle_rate, "least profit a year on the money that a basket locks",
        Percent, (0, 1_000), 10, Larger;
    LockupDays = 25, strategy.lockup_days, "days that a basket counts as locking its money where no time is known at which a market closes or has paid",
        Count, (1, 3_650), 30, Larger;
    // Market, venue and time.
    Collar = 26, limits.collar, "how much worse than elsewhere an order that opens may be priced",
        Ticks, (1, 10_000), 1_000, Smaller;
    CollarPercent = 27, limits.collar_percent, "the same as a share of the price there; the smaller one holds, but two steps pass",
        Percent, (1, 100), 20, Smaller;
    CollarTradeMs = 28, limits.collar_trade_ms, "how old a market's last trade may be to be a price that orders are held against",
        Millis, (0, 3_600_000), 30_000, Larger;
    CloseCutoffMs = 29, limits.close_cutoff_ms, "how long before a market's close the last order that opens may leave",
        Millis, (0, MILLIS_MOST), 30_000, Larger;
    ClockErrorMs = 30, limits.clock_error_ms, "how far our clock may be off the system's",
        Millis, (1, 60_000), 250, Smaller;
    QuoteCooldownMs = 31, limits.quote_cooldown_ms, "how long a market is not quoted in after a reject there",
        Millis, (0, MILLIS_MOST), 30_000, Larger;
    RejectsMarket = 32, limits.rejects_market, "rejected purchases in a row that pause a market",
        Count, (1, 1_000), 5, Smaller;
    RejectsPerMinute = 33, limits.rejects_per_minute, "rejects in a minute, over which nothing is quoted anywhere",
        Count, (1, 1_000), 50, Smaller;
    Repeats = 34, limits.repeats, "orders refused as repeated ones, after which what sent them is disabled",
        Count, (1, 100), 3, Smaller;
    RepeatsMs = 35, limits.repeats_ms, "the time within which they count together",
        Millis, (1, 3_600_000), 10_000, Larger;
    LatencyMs = 36, limits.latency_ms, "how long what is read may take to be decided on, in 99 of 100 cases",
        Millis, (1, 60_000), 5, Smaller;
    MetadataAgeMs = 37, limits.metadata_age_ms, "how long ago a market's terms may have been read",
        Millis, (1_000, MILLIS_MOST), 1_800_000, Smaller;

    // What the account as a whole may lose, and shares of what it is worth.
    EquityFloor = 38, limits.equity_floor, "what the account is worth at least in dollars: at or below it everything halts",
        Dollars, (0, DOLLARS_MOST), 10_000 * MICROS, Larger;
    DrawdownPercent = 39, limits.drawdown_percent, "share of its peak that the account may lose before everything halts",
        Percent, (1, 100), 10, Smaller;
    DailyLossPercent = 40, limits.daily_loss_percent, "share of the account lost in a day before everything halts",
        Percent, (1, 100), 100, Smaller;
    DailyLossStrategy = 41, limits.daily_loss_strategy, "dollars that one strategy loses in a day before everything halts",
        Dollars, (0, DOLLARS_MOST), 100 * MICROS, Smaller;
    LossWarnPercent = 42, limits.loss_warn_percent, "share of a daily loss limit at which an alarm is raised",
        Percent, (1, 99), 80, Smaller;
    PositionPercent = 43, limits.position_percent, "share of the account in one outcome of a market, held or on the way",
        Percent, (1, 100), 1, Smaller;
    CategoryPercent = 44, limits.category_percent, "share of the account at risk in one category",
        Percent, (1, 100), 30, Smaller;
    ExposureVenuePercent = 45, limits.exposure_venue_percent, "share of the account at risk at one venue",
        Percent, (1, 100), 100, Smaller;
    ExposureTotalPercent = 46, limits.exposure_total_percent, "share of the account at risk over everything",
        Percent, (1, 100), 100, Smaller;
    ExposureTheme = 47, limits.exposure_theme, "dollars at risk in one theme that the operator has declared",
        Dollars, (MICROS, DOLLARS_MOST), 300 * MICROS, Smaller;
    ShockBufferPercent = 48, limits.shock_buffer_percent, "share of what equity is above its floor that a plan may lose at worst",
        Percent, (1, 100), 90, Smaller;
    ClusterPercent = 49, limits.cluster_percent, "share of equity that markets which depend on each other may lose in their worst outcome",
        Percent, (1, 100), 30, Smaller;

    // What a group that is sold again may cost.
    UnwindLoss = 50, limits.unwind_loss, "dollars that the sales of one group may lose before the rest is handed to a person",
        Dollars, (MICROS, DOLLARS_MOST), 25 * MICROS, Smaller;
    LegMismatchPercent = 51, strategy.leg_mismatch_percent, "share of a leg without a partner above which an alarm is raised as it is to be sold",
        Percent, (0, 100), 10, Smaller;
    Sequencing = 52, strategy.sequencing, "how many legs may be in flight at once: 0 one after the other, 1 the first and then all others, 2 all; 3 and 4 as 1 and 2, always",
        Count, (0, 4), 0, Smaller;

    // Contracts that neither a complete basket nor a group explains.
    Unpaired = 53, strategy.unpaired, "what is done about contracts without a partner that no group works on: 0 a person is told, 1 a stop-loss stands behind them, 2 they are sold, 3 their partner is bought where that is no worse than a sale, and else they are sold",
        Count, (0, 3), 0, Smaller;
    StopLossPercent = 54, strategy.stop_loss_percent, "share of their cost that such contracts may lose before the stop-loss sells them",
        Percent, (1, 100), 20, Smaller;
    StopAllowancePpm = 55, strategy.stop_allowance_ppm, "how far from the best price the limit of their first sale may lie, as a share of that price",
        Ppm, (0, 100_000), 5_000, Smaller;
    StopWaitMs = 56, strategy.stop_wait_ms, "how long their first sale may rest before it is cancelled",
        Millis, (0, 60_000), 2_000, Smaller;
}

/// How many rows there are.
pub const LIMIT_ROWS: usize = LimitRow::ALL.len();

const _: () = assert!(LIMIT_ROWS < 64, "Limits marks each row that is set by a bit of a word");
const _: () = {
    let mut row = 0;
    while row < LIMIT_ROWS {
        let LimitDef { bounds: (least, most), default, .. } = DEFS[row];
        assert!(least <= default && default <= most, "a default lies within its row's bounds");
        row += 1;
    }
};

impl LimitRow {
    /// What is known of it before anybody sets it.
    pub const fn def(self) -> &'static LimitDef {
        &DEFS[self as usize]
    }

    /// Whether a larger value is the more careful one.
    pub const fn larger_is_safer(self) -> bool {
        matches!(self.def().safer, Safer::Larger)
    }
}

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

    /// Sets a row. While trading is open (`tighten_only`) a row may only move towards caution (S10).
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
        assert!(self.raw(row) == value, "a limit that was taken is in force");
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

    /// A row's raw value; `None` where nobody has set it.
    pub const fn value(&self, row: LimitRow) -> Option<u64> {
        if self.set & (1 << row as usize) == 0 { None } else { Some(self.raw(row)) }
    }

    /// A row's raw value; 0 where nobody has set it.
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

    /// A row in percent, at most a hundred of them.
    pub fn percent(&self, row: LimitRow) -> i64 {
        i64::try_from(self.raw(row).min(100)).expect("at most 100")
    }

    /// A row in milliseconds.
    pub const fn span(&self, row: LimitRow) -> Nanos {
        Nanos::from_millis(self.raw(row))
    }
}

pack_fields! {
    Limits { values, set }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_end_at_a_week_and_sums_at_a_thousand_million_dollars() {
        let most = |row: LimitRow| row.def().bounds.1;
        assert_eq!(most(LimitRow::CloseCutoffMs), 7 * 24 * 3_600 * 1_000);
        assert_eq!(most(LimitRow::EquityFloor), 1_000_000_000_000_000);
    }

    #[test]
    fn an_open_run_only_tightens() {
        let mut limits = Limits::unset();
        assert_eq!(limits.value(LimitRow::Positions), None);
        assert!(limits.set(LimitRow::Positions, 7, true), "what was never set is no looser before");
        assert_eq!(limits.value(LimitRow::Positions), Some(7));
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
