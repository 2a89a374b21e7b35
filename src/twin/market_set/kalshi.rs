//! The series, events and markets of Kalshi that a twin plays.

use surefoot_hot::fees::{FeeRule, Ppm};
use surefoot_hot::grid::Grid;
use surefoot_hot::units::{Nanos, Price};

/// Kalshi's taker coefficient, in parts per million (`venues/kalshi.md` §7.1, 2026-10).
pub const KALSHI_TAKER: Ppm = 70_000;

/// A series of Kalshi: what shares a fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KalshiSeries {
    pub ticker: String,
    pub title: String,
    pub category: &'static str,
    pub fee: SeriesFee,
    /// The shard of the exchange on which its markets trade.
    pub exchange_index: u8,
}

impl KalshiSeries {
    /// The fee rates of its markets.
    pub fn fee(&self) -> FeeRule {
        self.fee.rule()
    }
}

/// What the markets of a series charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesFee {
    /// The venue's kind of fee.
    pub kind: FeeType,
    /// Fee multiplier, in parts per million.
    pub multiplier: Ppm,
}

impl SeriesFee {
    /// The fee rates that it comes to.
    pub fn rule(self) -> FeeRule {
        let of = |coef: Ppm| {
            let exact = u64::from(coef) * u64::from(self.multiplier) / 1_000_000;
            Ppm::try_from(exact).expect("multipliers are near one")
        };
        let maker = match self.kind {
            FeeType::Quadratic => 0,
            FeeType::QuadraticWithMakerFees => KALSHI_TAKER / 4,
        };
        FeeRule::Kalshi { taker: of(KALSHI_TAKER), maker: of(maker) }
    }
}

/// Kalshi's fee types that single markets use (`venues/kalshi.md` §7.1, 2026-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeType {
    /// Takers alone pay.
    Quadratic,
    /// Makers pay a quarter.
    QuadraticWithMakerFees,
}

impl FeeType {
    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quadratic => "quadratic",
            Self::QuadraticWithMakerFees => "quadratic_with_maker_fees",
        }
    }
}

/// An event of Kalshi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KalshiEvent {
    pub ticker: String,
    /// Index of its series.
    pub series: usize,
    pub title: String,
    /// Whether at most one market of it resolves YES.
    pub mutually_exclusive: bool,
}

/// A market of Kalshi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KalshiMarket {
    pub ticker: String,
    /// Index of its event.
    pub event: usize,
    pub title: String,
    /// What YES says.
    pub yes_sub_title: String,
    /// The price ladder's name.
    pub ladder: Ladder,
    /// When it closes.
    pub close: Nanos,
    /// When it settles, if it does while we look, and what YES then pays.
    pub settle: Option<(Nanos, Price)>,
}

/// Kalshi price ladders that generated markets use (`venues/kalshi.md` §5, 2026-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// A step of $0.01 at every price.
    LinearCent,
    /// $0.001 below $0.10 and above $0.90, $0.01 between.
    TaperedDeciCent,
    /// A step of $0.001 at every price.
    DeciCent,
}

impl Ladder {
    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinearCent => "linear_cent",
            Self::TaperedDeciCent => "tapered_deci_cent",
            Self::DeciCent => "deci_cent",
        }
    }

    /// The bands as start, end and step, in $0.0001.
    pub const fn bands(self) -> &'static [(u16, u16, u16)] {
        match self {
            Self::LinearCent => &[(0, 10_000, 100)],
            Self::TaperedDeciCent => &[(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)],
            Self::DeciCent => &[(0, 10_000, 10)],
        }
    }

    /// The prices at which orders are taken.
    pub fn grid(self) -> Grid {
        let made = match self {
            Self::LinearCent => Grid::uniform(100),
            Self::TaperedDeciCent => Grid::banded(1_000, 9_000, 10, 100, 10),
            Self::DeciCent => Grid::uniform(10),
        };
        made.expect("steps divide their bands")
    }
}
