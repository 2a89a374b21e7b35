//! The markets that a twin plays: those of both venues, how they relate, and how they end.
//!
//! Everything here is synthetic and says so in its title. Results are drawn with the markets, once per question,
//! so the same question pays the same on both venues.

mod generate;
mod kalshi;
mod polymarket;

use surefoot_hot::units::{Nanos, Price};

pub use generate::{BLOCK_MARKETS, BUSY, MARKETS_MAX, PAIRS, SET_MEMBERS};
pub use kalshi::{
    FeeType, KALSHI_TAKER, KalshiEvent, KalshiMarket, KalshiSeries, Ladder, SeriesFee,
};
pub use polymarket::{Generation, POLYMARKET_RATE, PolymarketMarket};

/// The markets, and how they relate. Markets are known by their index here, at each venue.
#[derive(Clone, Debug, Default)]
pub struct MarketSet {
    pub polymarket: Vec<PolymarketMarket>,
    pub series: Vec<KalshiSeries>,
    pub events: Vec<KalshiEvent>,
    pub kalshi: Vec<KalshiMarket>,
    /// The same question on both venues.
    pub pairs: Vec<Pair>,
    /// Questions of one venue of which exactly one comes true.
    pub sets: Vec<ExclusiveSet>,
}

/// One question on both venues; YES means the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Index of Polymarket's market.
    pub polymarket: usize,
    /// Index of Kalshi's market.
    pub kalshi: usize,
    /// The fair price it starts from, in $0.0001.
    pub fair: u16,
}

/// Markets of one event of which exactly one resolves YES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExclusiveSet {
    /// The venue that all its markets trade at.
    pub venue: surefoot_hot::ids::Venue,
    /// Indices of its markets.
    pub members: Vec<usize>,
    /// The fair prices they start from, in $0.0001; they sum to a dollar.
    pub fair: Vec<u16>,
}

impl MarketSet {
    /// Adds a recorded market's counterpart on Kalshi: `market` is the index of a captured Polymarket market,
    /// `fair` its middle price in $0.0001.
    pub fn add_counterpart(&mut self, market: usize, fair: u16, close: Nanos) {
        let number = self.kalshi.len();
        let question = format!("Synthetic counterpart of a recorded market ({number})");
        let ladder = Ladder::DeciCent;
        let kalshi =
            self.push_kalshi(&format!("KXSYNCAP{number}"), &question, ladder, 0, close, None);
        self.pairs.push(Pair { polymarket: market, kalshi, fair });
    }

    /// A market's series.
    pub fn series_of(&self, kalshi: usize) -> &KalshiSeries {
        &self.series[self.series_index(kalshi)]
    }

    /// The index of that series.
    pub fn series_index(&self, kalshi: usize) -> usize {
        self.events[self.kalshi[kalshi].event].series
    }

    /// The shards that have markets, rising.
    pub fn shards(&self) -> Vec<u8> {
        let mut shards: Vec<u8> =
            (0..self.kalshi.len()).map(|m| self.series_of(m).exchange_index).collect();
        shards.sort_unstable();
        shards.dedup();
        shards
    }

    /// A lone Kalshi market with a series and an event of its own; gives its index.
    pub(super) fn push_kalshi(
        &mut self,
        series: &str,
        title: &str,
        ladder: Ladder,
        shard: u8,
        close: Nanos,
        settle: Option<(Nanos, Price)>,
    ) -> usize {
        self.series.push(KalshiSeries {
            ticker: series.into(),
            title: format!("{title} (series)"),
            category: if shard == 2 { "Crypto" } else { "Economics" },
            fee: SeriesFee { kind: FeeType::Quadratic, multiplier: 1_000_000 },
            exchange_index: shard,
        });
        let event = format!("{series}-26DEMO");
        self.events.push(KalshiEvent {
            ticker: event.clone(),
            series: self.series.len() - 1,
            title: title.into(),
            mutually_exclusive: false,
        });
        self.kalshi.push(KalshiMarket {
            ticker: format!("{event}-T1"),
            event: self.events.len() - 1,
            title: title.into(),
            yes_sub_title: "It does".into(),
            ladder,
            close,
            settle,
        });
        self.kalshi.len() - 1
    }
}
