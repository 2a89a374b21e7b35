//! What REST shows of an account while the chain has not caught up: the venue counts a trade when it is matched, wallets
//! and positions move once it is mined.

use surefoot_hot::ids::{Action, Outcome};
use surefoot_hot::units::{Qty, Usd};

use super::PolymarketVenue;
use super::trade::{Part, Trade, TradeStatus};

impl PolymarketVenue {
    /// An account's parts in trades that are matched and not mined, where the world lets money lag. A market that has its
    /// result shows everything.
    fn unmined(&self, account: usize) -> impl Iterator<Item = (&Trade, &Part)> {
        let lags = self.chain_rules.is_some_and(|rules| rules.money_lags);
        let settling =
            self.settling.iter().filter(move |_| lags).map(move |&index| &self.trades[index]);
        let settling = settling.filter(move |trade| {
            trade.status < TradeStatus::Mined && self.markets[trade.market].is_open()
        });
        settling
            .flat_map(|trade| {
                std::iter::once(&trade.taker).chain(&trade.makers).map(move |p| (trade, p))
            })
            .filter(move |(_, part)| part.account == account)
    }

    /// The cash that an account's wallet shows.
    pub(super) fn shown_cash(&self, account: usize) -> Usd {
        let mut cash = self.accounts[account].cash;
        for (trade, part) in self.unmined(account) {
            match part.action {
                Action::Buy => cash += part.amount,
                Action::Sell => cash -= part.amount,
            }
            if std::ptr::eq(part, &trade.taker) {
                cash += trade.fee;
            }
        }
        cash.max(Usd::ZERO)
    }

    /// The shares that an account's wallet shows.
    pub(super) fn shown_held(&self, account: usize, market: usize, outcome: Outcome) -> Qty {
        let (mut held, mut bought) = (self.accounts[account].held(market, outcome), Qty::ZERO);
        let here =
            |(trade, part): &(&Trade, &Part)| (trade.market, part.outcome) == (market, outcome);
        for (_, part) in self.unmined(account).filter(here) {
            match part.action {
                Action::Buy => bought += part.qty,
                Action::Sell => held += part.qty,
            }
        }
        held.saturating_sub(bought)
    }
}
