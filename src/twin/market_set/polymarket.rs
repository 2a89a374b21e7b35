//! The markets of Polymarket that a twin plays.

use surefoot_hot::fees::{FeeRule, Ppm};
use surefoot_hot::grid::Grid;
use surefoot_hot::units::{Nanos, Price};

/// Polymarket's taker rate of the synthetic markets, in parts per million: finance's, politics' and tech's
/// 0.04 (`venues/polymarket.md` §8, 2026-10).
pub const POLYMARKET_RATE: Ppm = 40_000;

/// Which generation of Polymarket's exchange settles a market (`venues/polymarket.md` §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The CTF Exchange and its neg-risk sibling, EIP-712 domain version "2". Gamma calls it `v1`.
    Two,
    /// ExchangeV3, EIP-712 domain version "3". Gamma calls it `v2`.
    Three,
}

/// A market of Polymarket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolymarketMarket {
    /// `0x` and 64 hex digits; generation 3 ends in `00`, which Gamma leaves out.
    pub condition_id: String,
    /// `0x` and 64 hex digits.
    pub question_id: String,
    /// First outcome's token, decimal.
    pub yes_token: String,
    /// Second outcome's token, decimal.
    pub no_token: String,
    pub question: String,
    /// The part of an address that names it.
    pub slug: String,
    /// What the member is called within its event; empty for a lone market.
    pub group_title: String,
    /// Gamma's event id.
    pub event_id: String,
    /// The event's slug.
    pub event_slug: String,
    /// The event's title.
    pub event_title: String,
    /// Which exchange settles it.
    pub generation: Generation,
    /// The event's neg-risk market, for a member of one.
    pub neg_risk_market_id: Option<String>,
    /// Price step, in $0.0001.
    pub tick: u16,
    /// Smallest order, in contracts.
    pub min_size: u32,
    /// Taker fee rate.
    pub fee_rate: Ppm,
    /// When trading ends by the market's terms; the result may be known earlier.
    pub close: Nanos,
    /// When it settles, if it does while we look, and what YES then pays.
    pub settle: Option<(Nanos, Price)>,
    /// Whether it plays a recorded session instead of a generated one.
    pub captured: bool,
}

impl PolymarketMarket {
    /// Whether it is a member of a neg-risk event.
    pub const fn neg_risk(&self) -> bool {
        self.neg_risk_market_id.is_some()
    }

    /// The prices at which orders are taken.
    pub fn grid(&self) -> Grid {
        Grid::uniform(self.tick).expect("worlds are made with ticks that divide a dollar")
    }

    /// The fee rates of the market.
    pub const fn fee(&self) -> FeeRule {
        FeeRule::Polymarket { rate: self.fee_rate, exponent: 1 }
    }
}
