//! The limits of a simulated account.

use surefoot_hot::group::Sequencing;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::{MICROS, Usd};

use crate::config::limits::{Limits, Profile};

/// The part of its cost that something without a partner may lose before its stop-loss sells it, in hundredths: so little that days have it.
const STOP_LOSS_PERCENT: u64 = 3;

/// What a simulated account may do: a large one's limits, with room for many baskets at once.
pub(super) fn limits(sequencing: Sequencing, unpaired: u64) -> Limits {
    let mut limits = Profile::Large.limits(Usd::from_dollars(200_000));
    limits.set(LimitRow::OrdersPerMinute, 600);
    limits.set(LimitRow::OrdersPerMinuteMarket, 200);
    limits.set(LimitRow::PositionQty, 5_000 * MICROS);
    limits.set(LimitRow::PositionNotional, 2_000 * MICROS);
    limits.set(LimitRow::PositionPercent, 100);
    limits.set(LimitRow::Positions, 64);
    // Always, and not where it is expected to cost less: it is to be tried.
    let row = match sequencing {
        Sequencing::Sequential => 0,
        Sequencing::Staggered => 3,
        Sequencing::Parallel => 4,
    };
    limits.set(LimitRow::Sequencing, row);
    limits.set(LimitRow::Unpaired, unpaired);
    limits.set(LimitRow::StopLossPercent, STOP_LOSS_PERCENT);
    limits
}
