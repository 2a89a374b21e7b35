//! What a reading of an account depends on, as a number: while it stays the same, so does what is read.

use std::hash::{DefaultHasher, Hasher as _};

use super::KalshiVenue;
use crate::twin::Versions;

impl KalshiVenue {
    /// The versions of everything that readers of accounts and results make something of. Prices and times that an answer carries
    /// beside it are left out.
    pub fn versions(&self) -> Versions {
        let (mut account, mut results) = (DefaultHasher::new(), DefaultHasher::new());
        for owner in self.accounts.iter().skip(1) {
            for (&shard, cash) in &owner.cash {
                account.write_u64(u64::from(shard));
                account.write_u64(cash.micros().cast_unsigned());
            }
            for (&market, position) in &owner.positions {
                account.write_u64((market as u64) << 1 | u64::from(position.settled));
                account.write_u64(position.qty.cast_unsigned());
            }
            for (&market, reserved) in &owner.reserved {
                account.write_u64(market as u64);
                account.write_u64(reserved.micros().cast_unsigned());
            }
            for &order in owner.open.values().flatten() {
                account.write_u64(order as u64);
                account.write_u64(self.orders[order].left.micros());
            }
            account.write_u64(owner.fills.len() as u64);
            account.write_u64(owner.settlements.len() as u64);
        }
        for market in &self.markets {
            results.write_u64(market.status as u64);
            results.write_u64(market.yes_pays.map_or(u64::MAX, |pays| u64::from(pays.ticks())));
        }
        Versions { account: account.finish(), results: results.finish() }
    }
}
