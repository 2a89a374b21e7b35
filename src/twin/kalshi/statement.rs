//! The statement of the account with the Ed25519 key.

use surefoot_hot::units::Qty;

use super::auth::KeyType;
use super::order::OrderStatus;
use super::{KalshiVenue, account_of_key};
use crate::twin::statement::{StatedOrder, Statement};

impl KalshiVenue {
    /// What the venue has of the account with the Ed25519 key, which a run prefers.
    ///
    /// # Panics
    /// There is none; the twin makes one of each kind.
    pub fn statement(&self) -> Statement {
        let key = self.keys.iter().position(|key| key.key_type == KeyType::Ed25519);
        let ours = account_of_key(key.expect("the twin has a key of each kind"));
        let account = &self.accounts[ours as usize];
        let held = |qty: i64| Qty::from_micros(qty.unsigned_abs());
        let open = account.positions.iter().filter(|(_, p)| !p.settled && p.qty != 0);
        let positions = open.map(|(market, position)| {
            let ticker = self.markets[*market].spec.ticker.clone();
            let qty = held(position.qty);
            if position.qty > 0 { (ticker, qty, Qty::ZERO) } else { (ticker, Qty::ZERO, qty) }
        });
        let orders = self.orders.iter().filter(|order| order.account == ours);
        let settled = self.markets.iter().filter_map(|market| {
            let determined = market.settled_at?;
            // Its money moves where it is paid.
            Some((market.spec.ticker.clone(), determined.max(market.pays_at)))
        });
        Statement {
            cash: account.cash.iter().map(|(&shard, &cash)| (shard, cash)).collect(),
            positions: positions.collect(),
            orders: orders
                .map(|order| StatedOrder {
                    id: order.id.clone(),
                    client_id: order.client_id.clone(),
                    filled: order.filled,
                    is_open: order.status == OrderStatus::Resting,
                })
                .collect(),
            repeated: self.repeated,
            settled: settled.collect(),
        }
    }
}
