//! A WebSocket connection: its subscriptions, one sid per channel, and how a frame is numbered.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use surefoot_hot::units::Nanos;

use super::limits::Bucket;

/// One WebSocket connection and its subscriptions.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) account: u32,
    pub(super) subs: Vec<Sub>,
    pub(super) sids: u64,
    /// Commands that it may still send.
    pub(super) commands: Bucket,
}

/// One channel of one connection.
#[derive(Debug)]
pub(super) struct Sub {
    pub channel: Channel,
    pub sid: u64,
    /// The last sequence number sent: over all markets, and over `ok`, `unsubscribed` and `error` frames too.
    pub seq: u64,
    /// `None` is all of them.
    pub markets: Option<BTreeSet<usize>>,
    pub use_yes_price: bool,
    pub names_tickers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Book,
    Ticker,
    Trade,
    Fill,
    Orders,
    Positions,
    Lifecycle,
    Groups,
    /// Multi-leg markets and quotes, of which this venue has none: subscribed, never sent.
    MultiLifecycle,
    Communications,
}

impl Channel {
    pub(super) const ALL: [Self; 10] = [
        Self::Book,
        Self::Ticker,
        Self::Trade,
        Self::Fill,
        Self::Orders,
        Self::Positions,
        Self::Lifecycle,
        Self::Groups,
        Self::MultiLifecycle,
        Self::Communications,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Book => "orderbook_delta",
            Self::Ticker => "ticker",
            Self::Trade => "trade",
            Self::Fill => "fill",
            Self::Orders => "user_orders",
            Self::Positions => "market_positions",
            Self::Lifecycle => "market_lifecycle_v2",
            Self::Groups => "order_group_updates",
            Self::MultiLifecycle => "multivariate_market_lifecycle",
            Self::Communications => "communications",
        }
    }

    /// Whether its data frames carry `seq` (`venues/kalshi.md` §4.3).
    const fn is_numbered(self) -> bool {
        !matches!(self, Self::Ticker | Self::Fill | Self::Orders | Self::Positions)
    }

    /// Whether a list of tickers narrows it.
    pub(super) const fn is_filtered(self) -> bool {
        !matches!(
            self,
            Self::Lifecycle | Self::Groups | Self::MultiLifecycle | Self::Communications
        )
    }
}

impl Conn {
    pub(super) const fn new(account: u32, commands: Bucket) -> Self {
        Self { account, subs: Vec::new(), sids: 0, commands }
    }

    /// How many markets the channel's subscription would have with `more`.
    pub(super) fn markets_with(&self, channel: Channel, more: Option<&BTreeSet<usize>>) -> usize {
        let sub = self.subs.iter().find(|sub| sub.channel == channel);
        let have = sub.and_then(|sub| sub.markets.as_ref());
        match (have, more) {
            (Some(have), Some(more)) => have.union(more).count(),
            (None, Some(more)) => more.len(),
            (_, None) => 0,
        }
    }

    pub(super) fn sub(&mut self, channel: Channel) -> Option<&mut Sub> {
        self.subs.iter_mut().find(|sub| sub.channel == channel)
    }
}

impl Sub {
    pub(super) fn has(&self, market: usize) -> bool {
        self.markets.as_ref().is_none_or(|set| set.contains(&market))
    }

    pub(super) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// A data frame around `msg`, which is JSON text.
    pub(super) fn frame(&mut self, kind: &str, id: Option<u64>, msg: &str, now: Nanos) -> String {
        let mut text = String::with_capacity(msg.len() + 96);
        text.push('{');
        if let Some(id) = id {
            let _ = write!(text, "\"id\":{id},");
        }
        let _ = write!(text, "\"type\":\"{kind}\",\"sid\":{}", self.sid);
        if self.channel.is_numbered() {
            let _ = write!(text, ",\"seq\":{}", self.next_seq());
        }
        let _ = write!(text, ",\"sending_ts_ms\":{},\"msg\":{msg}}}", now.millis());
        text
    }
}
