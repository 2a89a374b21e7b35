//! The statement of the account with a deposit wallet.

use std::collections::BTreeMap;

use surefoot_cold::venue::polymarket::eip712::SignatureType;
use surefoot_hot::ids::Outcome;
use surefoot_hot::units::Qty;

use super::trade::TradeStatus;
use super::{PolymarketVenue, text};
use crate::twin::statement::{StatedOrder, Statement};

impl PolymarketVenue {
    /// What the venue has of the account that signs as a deposit wallet.
    ///
    /// # Panics
    /// There is none; the twin makes one of each kind.
    pub fn statement(&self) -> Statement {
        let ours = self.accounts.iter().position(|a| a.kind == Some(SignatureType::Deposit));
        let ours = ours.expect("the twin has an account of each kind");
        let account = &self.accounts[ours];
        let mut held: BTreeMap<usize, (Qty, Qty)> = BTreeMap::new();
        for (&(market, outcome), &qty) in account.shares.iter().filter(|(_, qty)| !qty.is_zero()) {
            let (yes, no) = held.entry(market).or_default();
            *(if outcome == Outcome::Yes as u8 { yes } else { no }) = qty;
        }
        let name = |market: usize| self.markets[market].spec.condition_id.clone();
        let orders = (0..self.orders.len()).filter(|&order| self.orders[order].account == ours);
        let resolved = self.markets.iter().filter(|market| !market.is_open());
        Statement {
            cash: vec![(0, account.cash)],
            positions: held.iter().map(|(&market, &(yes, no))| (name(market), yes, no)).collect(),
            orders: orders
                .map(|index| StatedOrder {
                    id: text::hex(&self.orders[index].id),
                    client_id: String::new(),
                    filled: self.orders[index].matched.saturating_sub(self.void_of(index)),
                    is_open: self.orders[index].status.is_open(),
                })
                .collect(),
            repeated: self.repeated,
            settled: resolved
                .map(|market| (market.spec.condition_id.clone(), market.resolved_at))
                .collect(),
        }
    }

    /// What an order traded in trades that failed later.
    fn void_of(&self, order: usize) -> Qty {
        let failed = self.orders[order].trades.iter().map(|&trade| &self.trades[trade]);
        let failed = failed.filter(|trade| trade.status == TradeStatus::Failed);
        let parts = failed.flat_map(|trade| std::iter::once(&trade.taker).chain(&trade.makers));
        let mine = parts.filter(|part| part.order == Some(order));
        mine.fold(Qty::ZERO, |sum, part| sum + part.qty)
    }
}
