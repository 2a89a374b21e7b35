//! The limits that follow what the account is worth.

use super::{Account, LimitRow as L, Limits};
use crate::pack::pack_fields;
use crate::units::Usd;

/// No share of the account makes a position smaller than this: a dollar is the least that a venue takes for an order that
/// trades at once (Polymarket, `polymarket.md`, 2026-10).
const POSITION_LEAST: Usd = Usd::from_dollars(1);

/// Limits in dollars, each the tighter one of a row in dollars and a share of what the account is worth.
///
/// They are worked out where the account is valued or a limit is set, so that the gate only compares. The share follows the
/// account up and down, and never above the row in dollars. Every rounding makes a limit tighter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EquityLimits {
    /// The most that one position may cost.
    pub position: Usd,
    /// The most at risk in one category.
    pub category: Usd,
    /// The most at risk at one venue.
    pub venue: Usd,
    /// The most at risk over everything.
    pub total: Usd,
    /// The loss of a day that halts.
    pub daily_loss: Usd,
    /// The loss of a day that warns.
    pub daily_loss_warn: Usd,
    /// The loss of one strategy in a day that halts.
    pub strategy_loss: Usd,
    /// The loss of one strategy in a day that warns.
    pub strategy_loss_warn: Usd,
    /// So far below its peak the account halts.
    pub drawdown: Usd,
}

impl EquityLimits {
    /// From the rows in force and what the account is worth. Of an account that was never valued nothing may be put at
    /// risk; its losses are measured by the rows in dollars.
    pub fn of(limits: &Limits, account: Account) -> Self {
        let share = |whole: Usd, row| {
            let percent = i64::try_from(limits.raw(row).min(100)).expect("at most 100");
            whole.max(Usd::ZERO).scale_floor(percent, 100)
        };
        let of_equity = |row| share(account.equity, row);
        let loss = |row| {
            let dollars = limits.usd(row);
            if account == Account::default() {
                dollars
            } else {
                dollars.min(of_equity(L::DailyLossPercent))
            }
        };
        let (daily_loss, strategy_loss) = (loss(L::DailyLoss), loss(L::DailyLossStrategy));
        Self {
            position: of_equity(L::PositionPercent)
                .max(POSITION_LEAST)
                .min(limits.usd(L::PositionNotional)),
            category: of_equity(L::CategoryPercent),
            venue: of_equity(L::ExposureVenuePercent).min(limits.usd(L::ExposureVenue)),
            total: of_equity(L::ExposureTotalPercent).min(limits.usd(L::ExposureTotal)),
            daily_loss,
            daily_loss_warn: share(daily_loss, L::LossWarnPercent),
            strategy_loss,
            strategy_loss_warn: share(strategy_loss, L::LossWarnPercent),
            drawdown: share(account.peak, L::DrawdownPercent),
        }
    }
}

pack_fields! {
    EquityLimits { position, category, venue, total, daily_loss, daily_loss_warn, strategy_loss, strategy_loss_warn, drawdown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(L, u64)], equity: i64, peak: i64) -> EquityLimits {
        let mut limits = Limits::unset();
        for row in L::ALL {
            limits.set(row, row.def().default, false);
        }
        for &(row, value) in rows {
            limits.set(row, value, false);
        }
        let account = Account { equity: Usd::from_micros(equity), peak: Usd::from_micros(peak) };
        EquityLimits::of(&limits, account)
    }

    const DOLLAR: i64 = 1_000_000;

    #[test]
    fn a_share_follows_the_account_and_never_above_the_dollars() {
        let position = |equity| of(&[], equity, equity).position;
        assert_eq!(position(20_000 * DOLLAR), Usd::from_dollars(100), "1 % is $200");
        assert_eq!(position(5_000 * DOLLAR), Usd::from_dollars(50));
        assert_eq!(position(5_000 * DOLLAR - 1), Usd::from_micros(49_999_999), "rounded down");
        assert_eq!(position(60 * DOLLAR), Usd::from_dollars(1), "never under what a venue takes");
        let rows = [(L::PositionNotional, 400_000)];
        assert_eq!(of(&rows, 60 * DOLLAR, 60 * DOLLAR).position, Usd::from_micros(400_000));
    }

    #[test]
    fn losses_follow_the_account_and_warn_before_they_halt() {
        let rows = [(L::DailyLossPercent, 5), (L::DailyLoss, 5_000 * 1_000_000)];
        let limits = of(&rows, 40_000 * DOLLAR, 50_000 * DOLLAR);
        assert_eq!(limits.daily_loss, Usd::from_dollars(2_000));
        assert_eq!(limits.daily_loss_warn, Usd::from_dollars(1_600));
        assert_eq!(limits.drawdown, Usd::from_dollars(5_000), "of the peak");
        let rich = of(&rows, 400_000 * DOLLAR, 400_000 * DOLLAR);
        assert_eq!(rich.daily_loss, Usd::from_dollars(5_000), "at most");
    }

    #[test]
    fn an_account_that_was_never_valued_risks_nothing_and_measures_its_losses_in_dollars() {
        let limits = of(&[], 0, 0);
        let nothing = (limits.category, limits.venue, limits.total);
        assert_eq!(nothing, (Usd::ZERO, Usd::ZERO, Usd::ZERO));
        assert_eq!(limits.daily_loss, Usd::from_dollars(100));
        let lost = of(&[], -DOLLAR, DOLLAR);
        assert_eq!((lost.total, lost.daily_loss), (Usd::ZERO, Usd::ZERO), "less than nothing");
    }
}
