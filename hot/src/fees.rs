//! What a fill costs, by the venue's own rule and rounding.

/// Parts per million.
pub type Ppm = u32;

/// A market's fee rule, as its metadata gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeRule {
    /// Polymarket: `shares × rate × (p(1−p))^exponent`, taker only, rounded to $0.00001.
    Polymarket {
        /// The schedule's rate, in parts per million (0.07 is 70,000).
        rate: Ppm,
        /// The schedule's exponent; 1 today.
        exponent: u8,
    },
    /// Kalshi: `coef × multiplier × contracts × p(1−p)`, rounded up to $0.000001 per fill; then the balance
    /// change is rounded down to the member's precision.
    Kalshi {
        /// Taker coefficient times multiplier, in parts per million.
        taker: Ppm,
        /// Maker coefficient times multiplier, in parts per million.
        maker: Ppm,
    },
}
