//! Prices, quantities, money and time as integers in newtypes, one scale each (P3).
//!
//! Conversion from a venue's text happens in the codecs and nowhere else. Where a product must be rounded the
//! name says which way, and the way is against us.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::pack::{Pack, PackSink, PackSource, pack_newtypes};

/// Micro-units in one contract or one dollar.
pub const MICROS: u64 = 1_000_000;

/// The most contracts one level, order or position may hold: a billion, so that no product overflows.
pub const QTY_MAX: Qty = Qty(1_000_000_000 * MICROS);

/// A price in $0.0001 ticks, from $0 to $1 inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u16);

impl Price {
    /// A price of $0: the outcome that lost.
    pub const ZERO: Self = Self(0);
    /// One dollar: what a winning contract pays.
    pub const ONE: Self = Self(10_000);

    /// `None` beyond $1: a price off the scale is a decode error, never clamped.
    pub const fn from_ticks(ticks: u16) -> Option<Self> {
        if ticks <= Self::ONE.0 { Some(Self(ticks)) } else { None }
    }

    /// The price in $0.0001.
    pub const fn ticks(self) -> u16 {
        self.0
    }

    /// What the other outcome costs when this one costs `self`.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::ONE.0 - self.0)
    }

    /// The most that buying `qty` can cost, rounded up to a microdollar.
    #[inline]
    pub fn cost_ceil(self, qty: Qty) -> Usd {
        match u64::from(self.0).checked_mul(qty.0) {
            Some(exact) => Usd(exact.div_ceil(10_000) as i64), // 1e-10 dollars; a division of 64 bits is far cheaper
            None => wide(|| (u128::from(self.0) * u128::from(qty.0)).div_ceil(10_000)),
        }
    }

    /// What `qty` comes to, rounded down and rounded up to a microdollar: [`Self::proceeds_floor`] and [`Self::cost_ceil`] by one
    /// product and one division.
    #[inline]
    pub fn worth_between(self, qty: Qty) -> (Usd, Usd) {
        match u64::from(self.0).checked_mul(qty.0) {
            Some(exact) => {
                let (floor, rest) = (exact / 10_000, exact % 10_000);
                (Usd(floor as i64), Usd((floor + u64::from(rest > 0)) as i64))
            }
            None => (self.proceeds_floor(qty), self.cost_ceil(qty)),
        }
    }

    /// The least that selling `qty` can bring, rounded down to a microdollar.
    #[inline]
    pub fn proceeds_floor(self, qty: Qty) -> Usd {
        match u64::from(self.0).checked_mul(qty.0) {
            Some(exact) => Usd((exact / 10_000) as i64),
            None => wide(|| u128::from(self.0) * u128::from(qty.0) / 10_000),
        }
    }
}

/// An amount in microdollars that takes 128 bits to work out: out of the way of the usual case, which does not.
#[cold]
#[inline(never)]
fn wide(micros: impl FnOnce() -> u128) -> Usd {
    Usd(i64::try_from(micros()).expect("QTY_MAX bounds what contracts cost and bring"))
}

impl fmt::Display for Price {
    /// Dollars with four decimals: `0.4700`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / 10_000, self.0 % 10_000)
    }
}

/// A quantity in millionths of a contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Qty(u64);

impl Qty {
    /// What a level that went and an order that is filled have left.
    pub const ZERO: Self = Self(0);

    /// From millionths. Codecs refuse anything beyond [`QTY_MAX`] before they get here.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// From whole contracts.
    pub const fn from_contracts(contracts: u64) -> Self {
        Self(contracts * MICROS)
    }

    /// Millionths of a contract.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Whether there is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self - other`, or zero where that would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `None` where `other` is larger.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(left) => Some(Self(left)),
            None => None,
        }
    }

    /// The contracts that so many units of a basket need of a leg with `ratio` contracts a unit.
    ///
    /// # Panics
    /// If that is more than 64 bits hold: [`QTY_MAX`] and the largest ratio bound it.
    #[must_use]
    pub const fn times(self, ratio: u16) -> Self {
        match self.0.checked_mul(ratio as u64) {
            Some(micros) => Self(micros),
            None => panic!("QTY_MAX and RATIO_MAX bound the contracts of a leg"),
        }
    }

    /// How many units of a basket these contracts are enough for, where a unit needs `ratio` of them: rounded down to a
    /// millionth.
    #[must_use]
    pub const fn per(self, ratio: u16) -> Self {
        if ratio == 1 { self } else { Self(self.0 / ratio as u64) }
    }

    /// The largest multiple of `step` that is not larger. A zero step means no grid.
    #[must_use]
    pub const fn floor_to(self, step: Self) -> Self {
        if step.0 == 0 { self } else { Self(self.0 - self.0 % step.0) }
    }
}

impl Add for Qty {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Qty {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Qty {
    type Output = Self;
    /// Panics below zero: a negative quantity is our mistake.
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for Qty {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl fmt::Display for Qty {
    /// Contracts with two decimals where that is exact, else six: `25.00`, `0.000001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / MICROS, self.0 % MICROS);
        if part % 10_000 == 0 {
            write!(f, "{whole}.{:02}", part / 10_000)
        } else {
            write!(f, "{whole}.{part:06}")
        }
    }
}

/// Money in microdollars; negative is owed or lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i64);

impl Usd {
    /// The amount that money is summed from.
    pub const ZERO: Self = Self(0);
    /// More than any account holds.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount of this many millionths of a dollar.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole dollars.
    pub const fn from_dollars(dollars: i64) -> Self {
        Self(dollars * MICROS as i64)
    }

    /// From whole cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents * 10_000)
    }

    /// The amount in millionths of a dollar.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// `self × num / den`, rounded down (towards minus infinity).
    #[must_use]
    #[inline(always)] // a division by a number known to the compiler is none
    pub fn scale_floor(self, num: i64, den: i64) -> Self {
        match self.0.checked_mul(num) {
            // The usual case: no division of 128 bits, and none that has to look at signs.
            Some(exact) if exact >= 0 && den > 0 => Self((exact as u64 / den as u64) as i64),
            Some(exact) => Self(exact.div_euclid(den)),
            None => self.scale_floor_wide(num, den),
        }
    }

    /// `self × num / den`, rounded up (towards infinity).
    #[must_use]
    #[inline(always)] // see `scale_floor`
    pub fn scale_ceil(self, num: i64, den: i64) -> Self {
        match self.0.checked_mul(num) {
            Some(exact) if exact >= 0 && den > 0 => {
                Self((exact as u64).div_ceil(den as u64) as i64)
            }
            _ => -(-self).scale_floor(num, den),
        }
    }

    #[cold]
    #[inline(never)]
    fn scale_floor_wide(self, num: i64, den: i64) -> Self {
        let exact = i128::from(self.0) * i128::from(num);
        Self(i64::try_from(exact.div_euclid(i128::from(den))).expect("a share of an amount fits"))
    }

    /// The larger of the two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Ord::max(self, other)
    }

    /// The smaller of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Ord::min(self, other)
    }

    /// The part of it that falls to `part` of `of` contracts, rounded up.
    ///
    /// # Panics
    /// Where `of` is zero, or `part` is more than `of`.
    #[must_use]
    pub fn share_ceil(self, part: Qty, of: Qty) -> Self {
        assert!(part <= of && !of.is_zero(), "a part of something");
        let exact = -i128::from(self.0) * i128::from(part.micros());
        let share = -exact.div_euclid(i128::from(of.micros()));
        Self(i64::try_from(share).expect("no more than the whole"))
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for Usd {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Neg for Usd {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl fmt::Display for Usd {
    /// Dollars with six decimals and no sign for plus: `-0.017500`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let abs = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}", abs / MICROS, abs % MICROS)
    }
}

/// Nanoseconds since the Unix epoch on our own clock, which never steps back within a run.
///
/// The shell anchors a monotonic clock to the wall once at start, so that one number serves for both intervals
/// and stamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(u64);

impl Nanos {
    /// The beginning of time: 1970-01-01T00:00:00Z, and a span of nothing.
    pub const ZERO: Self = Self(0);
    /// After everything: a deadline that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// A time of this many nanoseconds since 1970, or a span of so many.
    pub const fn new(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of milliseconds; [`Nanos::NEVER`] where it is beyond 584 years, which only a stranger's number is.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of seconds; [`Nanos::NEVER`] where it is beyond 584 years, which only a stranger's number is.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// The time, or the span, in nanoseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The time, or the span, in milliseconds, rounded down.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Later by `span`, or [`Nanos::NEVER`].
    #[must_use]
    pub const fn after(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This span doubled `times` times, at most `max`: the pause before the next try after so many.
    #[must_use]
    pub const fn doubled(self, times: u32, max: Self) -> Self {
        let factor = match 1_u64.checked_shl(times) {
            Some(factor) => factor,
            None => u64::MAX,
        };
        let span = self.0.saturating_mul(factor);
        if span < max.0 { Self(span) } else { max }
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

pack_newtypes!(Qty, Usd, Nanos);

impl Pack for Price {
    fn pack<W: PackSink>(&self, to: &mut W) {
        self.0.pack(to);
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        let ticks = match from.chance() {
            Some(word) => u16::try_from(word % 10_001).ok()?,
            None => Pack::unpack(from)?,
        };
        Self::from_ticks(ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P3, in every build: overflow checks are on in the release profile too.
    #[test]
    #[should_panic(expected = "overflow")]
    fn a_sum_that_does_not_fit_stops() {
        let most = std::hint::black_box(Usd::from_micros(i64::MAX));
        let _ = most + Usd::from_micros(1);
    }

    #[test]
    fn rounding_never_favours_us() {
        let (price, qty) = (Price::from_ticks(3_333).unwrap(), Qty::from_micros(1));
        assert_eq!(price.cost_ceil(qty), Usd::from_micros(1));
        assert_eq!(price.proceeds_floor(qty), Usd::ZERO);
        assert_eq!(price.worth_between(qty), (Usd::ZERO, Usd::from_micros(1)));
        let hundred = Qty::from_contracts(100);
        assert_eq!(Price::from_ticks(5_000).unwrap().cost_ceil(hundred), Usd::from_dollars(50));
        assert_eq!(Usd::from_micros(-3).scale_floor(1, 2), Usd::from_micros(-2));
        let up = |micros| Usd::from_micros(micros).scale_ceil(1, 2);
        assert_eq!([3, 2, 0, -3, i64::MAX].map(up).map(Usd::micros), [2, 1, 0, -1, 1 << 62]);
    }

    #[test]
    fn what_does_not_fit_64_bits_rounds_the_same_way() {
        let price = Price::from_ticks(9_999).unwrap();
        let near = Qty::from_micros(u64::MAX / 9_999); // the last product that fits
        let over = Qty::from_micros(near.micros() + 1);
        for qty in [near, over] {
            let exact = 9_999 * u128::from(qty.micros());
            assert_eq!(price.cost_ceil(qty).micros() as u128, exact.div_ceil(10_000));
            assert_eq!(price.proceeds_floor(qty).micros() as u128, exact / 10_000);
            let both = (price.proceeds_floor(qty), price.cost_ceil(qty));
            assert_eq!(price.worth_between(qty), both);
        }
        for micros in [i64::MAX / 7, i64::MAX / 7 + 1, i64::MIN / 7, i64::MIN / 7 - 1] {
            let exact = (i128::from(micros) * 7).div_euclid(10);
            assert_eq!(i128::from(Usd::from_micros(micros).scale_floor(7, 10).micros()), exact);
            let exact = -(-i128::from(micros) * 7).div_euclid(10);
            assert_eq!(i128::from(Usd::from_micros(micros).scale_ceil(7, 10).micros()), exact);
        }
    }

    #[test]
    fn a_share_of_a_cost_rounds_up() {
        let third = |micros| {
            Usd::from_micros(micros).share_ceil(Qty::from_contracts(1), Qty::from_contracts(3))
        };
        assert_eq!([9, 10, 0, -10].map(third), [3, 4, 0, -3].map(Usd::from_micros));
    }

    #[test]
    fn a_pause_doubles_up_to_its_bound() {
        let pause = |times| Nanos::from_millis(50).doubled(times, Nanos::from_secs(1)).millis();
        assert_eq!(
            [0, 1, 2, 4, 5, 63, 64, 1_000].map(pause),
            [50, 100, 200, 800, 1_000, 1_000, 1_000, 1_000]
        );
    }

    #[test]
    fn text_is_exact() {
        assert_eq!(Price::from_ticks(25).unwrap().to_string(), "0.0025");
        assert_eq!(Qty::from_micros(1_500_000).to_string(), "1.50");
        assert_eq!(Qty::from_micros(1).to_string(), "0.000001");
        assert_eq!(Usd::from_micros(-17_500).to_string(), "-0.017500");
        assert!(Price::from_ticks(10_001).is_none());
    }
}
