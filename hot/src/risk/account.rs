//! What the account is worth, how far that is below its peak, and what may be risked of it.

use super::{LimitRow, Limits};
use crate::pack::pack_fields;
use crate::units::Usd;

/// What the account is worth at all venues together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Cash, claims, and what selling everything held would bring, as of the last valuation: complete baskets at no more
    /// than they cost.
    pub equity: Usd,
    /// The most that `equity` ever was. Money that is paid in raises both. Money that is gone lowers `equity` alone: until a
    /// person has said otherwise it is lost, whether it was taken out or not.
    pub peak: Usd,
}

impl Account {
    /// The account has been valued.
    pub fn on_valued(&mut self, equity: Usd) {
        *self = Self { equity, peak: self.peak.max(equity) };
    }

    /// Cash was corrected to the venue's figure by so much, which no order of ours explains.
    pub fn on_corrected(&mut self, by: Usd) {
        self.equity += by;
        self.peak += by.max(Usd::ZERO);
    }

    /// So much of an earlier correction is taken back, because a fill or a payment that is booked next is what it was.
    pub fn on_explained(&mut self, explained: Usd) {
        self.equity -= explained;
        self.peak = (self.peak - explained.max(Usd::ZERO)).max(self.equity);
    }

    /// A person has seen how far it is below its peak and goes on from here: the peak is what it is worth now.
    pub const fn begin_anew(&mut self) {
        self.peak = self.equity;
    }

    /// How far below its peak it is.
    #[inline]
    pub fn drawdown(self) -> Usd {
        self.peak - self.equity
    }

    /// The most that one plan may lose at worst, whatever others may lose besides: a share of what the equity is above its floor.
    /// Negative below the floor.
    #[inline(always)] // by value: the gate's view would else be written out for its address
    pub fn shock_room(self, limits: &Limits) -> Usd {
        (self.equity - limits.usd(LimitRow::EquityFloor))
            .scale_floor(limits.percent(LimitRow::ShockBufferPercent), 100)
    }

    /// The most that markets which depend on each other may lose in their worst outcome: a share of the equity.
    #[inline(always)] // see `shock_room`
    pub fn cluster_room(self, limits: &Limits) -> Usd {
        self.equity.scale_floor(limits.percent(LimitRow::ClusterPercent), 100)
    }
}

pack_fields! {
    Account { equity, peak }
}
