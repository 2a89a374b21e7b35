//! What a reading of an account depends on, as a number: while it stays the same, so does what is read.

use std::hash::{DefaultHasher, Hasher as _};

use surefoot_hot::units::Nanos;

use super::answers::secs;
use super::trade::TradeStatus;
use super::{HOUSE_ACCOUNT, PolymarketVenue};
use crate::twin::Versions;

impl PolymarketVenue {
    /// The versions of everything that readers of accounts and results make something of. Prices and times that an answer carries
    /// beside it are left out, and so is which trades are of the `window` before `now`: but for those that failed, a reader tells of
    /// none twice.
    pub fn versions(&self, now: Nanos, window: Nanos) -> Versions {
        let (mut account, mut results) = (DefaultHasher::new(), DefaultHasher::new());
        for owner in self.accounts.iter().skip(HOUSE_ACCOUNT + 1) {
            account.write_u64(owner.cash.micros().cast_unsigned());
            for (&(market, outcome), qty) in &owner.shares {
                account.write_u64((market as u64) << 8 | u64::from(outcome));
                account.write_u64(qty.micros());
            }
            account.write_u64(owner.live.len() as u64);
            for &order in &owner.live {
                account.write_u64(order as u64);
                account.write_u64(self.orders[order].matched.micros());
            }
        }
        account.write_u64(self.trades.len() as u64);
        for &trade in &self.settling {
            account.write_u64((trade as u64) << 8 | self.trades[trade].status as u64);
        }
        let after = secs(Nanos::new(now.get().saturating_sub(window.get())));
        let recent = self.trades.iter().enumerate().rev();
        for (index, trade) in recent.take_while(|(_, trade)| secs(trade.at) >= after) {
            if trade.status == TradeStatus::Failed {
                account.write_u64(index as u64);
            }
        }
        for market in &self.markets {
            let resolved = market.resolved.map_or(u64::MAX, |pays| u64::from(pays.ticks()));
            results.write_u64(resolved);
            account.write_u64(resolved); // once it is known, wallets show what the chain still settles
        }
        Versions { account: account.finish(), results: results.finish() }
    }
}
