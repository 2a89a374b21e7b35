//! How often a leg fails and what its unwind then loses, as this account's own groups show it.
//!
//! These are estimates, so they are binary fixed point and not money. What the limits assume counts like [`PRIOR`] observations.
//! Until there are [`EVIDENCE_MIN`] real ones a decision takes the estimate or the assumed figure, whichever is worse; from then
//! on the estimate, which may be better than what was assumed. It is kept for each pair of venues, the first leg's and the
//! second's ([`LegRisks`]): a leg fails by what its own venue does, and what is sold then was bought at the other.

use fixed::types::I32F32;

use crate::ids::Venue;
use crate::pack::{Pack, PackSink, PackSource, pack_fields};
use crate::per_venue::PerVenue;
use crate::units::Usd;

/// The assumed figure counts like so many observations: a few real ones do not swing the estimate.
const PRIOR: i64 = 20;
/// Until so many real observations the assumed figure is a floor: a few lucky ones make nobody careless.
const EVIDENCE_MIN: u32 = 20;

const MILLION: i64 = 1_000_000;

/// What was observed since the journal began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegRisk {
    /// Baskets that ended after their first leg had filled.
    baskets: u32,
    /// Those of them that did not come to hold every leg.
    failed: u32,
    /// Those of the failed ones that sold what they had bought: what that lost is known.
    unwound: u32,
    /// Sum over the unwound ones of the share of its cost that each lost; a gain counts as zero.
    loss_shares: I32F32,
    /// First legs that were sent.
    first: u32,
    /// Those of them that got nothing.
    missed: u32,
}

impl LegRisk {
    /// A basket ended whose first leg got something, or nothing.
    pub fn on_first(&mut self, got: bool) {
        self.first = self.first.saturating_add(1);
        self.missed = self.missed.saturating_add(u32::from(!got));
    }

    /// How often a leg that leaves at once gets nothing, in millionths, where `assumed` is expected before any evidence.
    pub fn miss_ppm(&self, assumed: u64) -> u64 {
        estimate(assumed, I32F32::saturating_from_num(self.missed), self.first)
    }

    /// Whether all that is estimated was observed often enough to choose by.
    pub fn is_known(&self) -> bool {
        self.baskets.min(self.unwound).min(self.first) >= EVIDENCE_MIN
    }

    /// A basket ended with every leg held.
    pub fn on_hedged(&mut self) {
        self.baskets = self.baskets.saturating_add(1);
    }

    /// A basket that had ended with every leg held has lost one since: it is counted anew.
    pub fn take_hedged_back(&mut self) {
        assert!(self.failed < self.baskets, "it was counted as one that had not failed");
        self.baskets -= 1;
    }

    /// A basket ended without every leg, and what it had bought was not sold: left, or handed to a person. What that costs
    /// is not known yet.
    pub fn on_failed(&mut self) {
        self.baskets = self.baskets.saturating_add(1);
        self.failed = self.failed.saturating_add(1);
    }

    /// A basket ended by selling what had cost `cost`, and lost `loss` by it: negative for a gain.
    pub fn on_unwound(&mut self, cost: Usd, loss: Usd) {
        self.on_failed();
        self.unwound = self.unwound.saturating_add(1);
        if cost > Usd::ZERO {
            let lost = i128::from(loss.micros().clamp(0, cost.micros()));
            // At most one, so it fits: the loss was cut to the cost.
            let share = (lost << I32F32::FRAC_NBITS) / i128::from(cost.micros());
            let share = I32F32::from_bits(i64::try_from(share).expect("a share of the cost"));
            assert!((I32F32::ZERO..=I32F32::ONE).contains(&share), "a loss is a share of the cost");
            self.loss_shares = self.loss_shares.saturating_add(share);
        }
        assert!(self.unwound <= self.failed, "what was unwound had failed");
        assert!(self.failed <= self.baskets, "what failed had begun");
    }

    /// [`Self::fail_ppm`], and no less than what is assumed before there is evidence.
    #[inline]
    pub fn fail_ppm_to_count(&self, assumed: u64) -> u64 {
        floored(self.fail_ppm(assumed), assumed, self.baskets)
    }

    /// [`Self::loss_ppm`], and no less than what is assumed before there is evidence.
    #[inline]
    pub fn loss_ppm_to_count(&self, assumed: u64) -> u64 {
        floored(self.loss_ppm(assumed), assumed, self.unwound)
    }

    /// What both have observed together.
    fn with(&self, other: &Self) -> Self {
        Self {
            baskets: self.baskets.saturating_add(other.baskets),
            failed: self.failed.saturating_add(other.failed),
            unwound: self.unwound.saturating_add(other.unwound),
            loss_shares: self.loss_shares.saturating_add(other.loss_shares),
            first: self.first.saturating_add(other.first),
            missed: self.missed.saturating_add(other.missed),
        }
    }

    /// How often a leg fails once another has filled, in millionths, where `assumed` is expected before any evidence.
    pub fn fail_ppm(&self, assumed: u64) -> u64 {
        estimate(assumed, I32F32::saturating_from_num(self.failed), self.baskets)
    }

    /// What an unwind loses of the cost, in millionths, where `assumed` is expected before any evidence.
    pub fn loss_ppm(&self, assumed: u64) -> u64 {
        estimate(assumed, self.loss_shares, self.unwound)
    }
}

fn floored(estimate: u64, assumed: u64, count: u32) -> u64 {
    if count < EVIDENCE_MIN { estimate.max(assumed) } else { estimate }
}

/// What was observed of each pair of venues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegRisks {
    /// By the venue of the first leg, then by that of the second.
    pairs: PerVenue<PerVenue<LegRisk>>,
}

impl LegRisks {
    /// Of baskets whose first leg trades at one venue and the second at another, or at the same.
    pub fn of(&self, first: Venue, second: Venue) -> &LegRisk {
        &self.pairs[first][second]
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, first: Venue, second: Venue) -> &mut LegRisk {
        &mut self.pairs[first][second]
    }

    /// Of all baskets together.
    pub fn of_all(&self) -> LegRisk {
        let pairs = self.pairs.values().flat_map(PerVenue::values);
        pairs.fold(LegRisk::default(), |sum, pair| sum.with(pair))
    }
}

/// The mean of `count` observations that sum to `sum` and of [`PRIOR`] assumed ones, in millionths.
fn estimate(assumed_ppm: u64, sum: I32F32, count: u32) -> u64 {
    if count == 0 {
        return assumed_ppm;
    }
    // By whole numbers, which takes no division of 128 bits.
    let assumed = I32F32::saturating_from_num(assumed_ppm) / MILLION;
    let mean = (assumed * PRIOR).saturating_add(sum) / (i64::from(count.min(1 << 30)) + PRIOR);
    mean.saturating_mul_int(MILLION).saturating_to_num::<u64>()
}

/// Its bits, as a whole number.
impl Pack for I32F32 {
    fn pack<W: PackSink>(&self, to: &mut W) {
        self.to_bits().pack(to);
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        i64::unpack(from).map(Self::from_bits)
    }
}

pack_fields! {
    LegRisk { baskets, failed, unwound, loss_shares, first, missed }
    LegRisks { pairs }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Binary fractions hold no cent exactly: a millionth of error is allowed.
    fn near(seen: u64, want: u64) {
        assert!(seen.abs_diff(want) <= 2, "{seen} where {want} was expected");
    }

    #[test]
    fn without_evidence_it_is_what_was_assumed_and_with_much_what_was_seen() {
        let mut risk = LegRisk::default();
        near(risk.fail_ppm(150_000), 150_000);
        near(risk.loss_ppm(35_000), 35_000);
        for nth in 0..10_000 {
            match nth % 4 {
                0 => risk.on_unwound(Usd::from_dollars(50), Usd::from_dollars(3)),
                _ => risk.on_hedged(),
            }
        }
        assert!(risk.fail_ppm(150_000).abs_diff(250_000) < 500);
        assert!(risk.loss_ppm(35_000).abs_diff(60_000) < 500);
    }

    #[test]
    fn what_was_not_sold_counts_as_a_failed_leg_and_says_nothing_of_the_loss() {
        let mut risk = LegRisk::default();
        risk.on_failed();
        near(risk.fail_ppm(150_000), (20 * 150_000 + 1_000_000) / 21);
        near(risk.loss_ppm(35_000), 35_000);
    }

    #[test]
    fn one_unwind_moves_it_by_its_weight() {
        let mut risk = LegRisk::default();
        risk.on_unwound(Usd::from_dollars(10), Usd::from_dollars(1));
        near(risk.fail_ppm(150_000), (20 * 150_000 + 1_000_000) / 21);
        near(risk.loss_ppm(35_000), (20 * 35_000 + 100_000) / 21);
    }

    #[test]
    fn a_gain_is_no_loss_and_more_than_everything_cannot_be_lost() {
        let mut risk = LegRisk::default();
        risk.on_unwound(Usd::from_dollars(10), -Usd::from_dollars(1));
        near(risk.loss_ppm(35_000), 20 * 35_000 / 21);
        risk.on_unwound(Usd::from_dollars(10), Usd::from_dollars(15));
        near(risk.loss_ppm(35_000), (20 * 35_000 + 1_000_000) / 22);
        risk.on_unwound(Usd::ZERO, Usd::from_dollars(1));
        assert!(risk.loss_ppm(35_000) < (20 * 35_000 + 1_000_000) / 22);
    }

    #[test]
    fn what_is_assumed_is_a_floor_until_there_is_evidence() {
        let mut risk = LegRisk::default();
        for _ in 0..EVIDENCE_MIN - 1 {
            risk.on_hedged();
        }
        assert!(risk.fail_ppm(150_000) < 80_000);
        assert_eq!(risk.fail_ppm_to_count(150_000), 150_000);
        risk.on_hedged();
        near(risk.fail_ppm_to_count(150_000), 75_000);
        assert_eq!(risk.loss_ppm_to_count(35_000), 35_000, "nothing was unwound");
        for _ in 0..EVIDENCE_MIN {
            assert_eq!(risk.loss_ppm_to_count(35_000), 35_000);
            risk.on_unwound(Usd::from_dollars(10), Usd::ZERO);
        }
        near(risk.loss_ppm_to_count(35_000), 17_500);
        // worse than assumed it counts from the first on
        let mut risk = LegRisk::default();
        risk.on_unwound(Usd::from_dollars(10), Usd::from_dollars(5));
        assert!(
            risk.fail_ppm_to_count(150_000) > 150_000 && risk.loss_ppm_to_count(35_000) > 35_000
        );
    }

    #[test]
    fn first_legs_that_get_nothing_are_counted_by_themselves() {
        let mut risk = LegRisk::default();
        near(risk.miss_ppm(150_000), 150_000);
        (0..20).for_each(|nth| risk.on_first(nth % 2 == 0));
        near(risk.miss_ppm(150_000), (3_000_000 + 10_000_000) / 40);
        assert_eq!(risk.fail_ppm(150_000), LegRisk::default().fail_ppm(150_000));
        assert!(!risk.is_known(), "of later legs and of unwinds nothing is known");
        (0..19).for_each(|_| risk.on_unwound(Usd::from_dollars(1), Usd::ZERO));
        assert!(!risk.is_known());
        risk.on_unwound(Usd::from_dollars(1), Usd::ZERO);
        assert!(risk.is_known());
    }

    #[test]
    fn each_pair_of_venues_has_its_own_and_all_are_one() {
        let mut risks = LegRisks::default();
        let [one, other] = Venue::ALL;
        risks.of_mut(one, other).on_failed();
        risks.of_mut(other, one).on_hedged();
        risks.of_mut(one, one).on_unwound(Usd::from_dollars(1), Usd::from_dollars(1));
        assert_eq!((risks.of(one, other).failed, risks.of(other, one).failed), (1, 0));
        let all = risks.of_all();
        assert_eq!((all.baskets, all.failed, all.unwound, all.loss_shares), (3, 2, 1, I32F32::ONE));
    }
}
