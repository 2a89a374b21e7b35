//! What becomes of markets besides trading: pauses, another close, a result that is amended.

use serde_json::json;
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty};

use super::{KalshiVenue, Status};
use crate::twin::matching::HOUSE;

impl KalshiVenue {
    /// The venue pauses a market, or lets it go on. What rests stays in the book for the pause, and is cancelled as it ends
    /// (`venues/kalshi.md` §6.2).
    pub fn pause_market(&mut self, market: usize, pauses: bool, now: Nanos) {
        match (self.markets[market].status, pauses) {
            (Status::Active, true) => {
                self.markets[market].status = Status::Inactive;
                self.show_life(
                    market,
                    &json!({ "event_type": "deactivated", "is_deactivated": true }),
                    now,
                );
            }
            (Status::Inactive, false) => {
                self.clear(market, "HaltCancel", now);
                self.markets[market].status = Status::Active;
                self.show_life(market, &json!({ "event_type": "activated" }), now);
            }
            _ => return,
        }
        self.touched.push(market);
    }

    /// A market closes at another time than was said.
    pub fn move_close(&mut self, market: usize, close: Nanos, now: Nanos) {
        if !matches!(self.markets[market].status, Status::Active | Status::Inactive) {
            return;
        }
        self.due.remove(&(self.markets[market].spec.close, market));
        self.markets[market].spec.close = close;
        self.due.insert((close, market));
        let close_ts = close.get() / 1_000_000_000;
        self.show_life(
            market,
            &json!({ "event_type": "close_date_updated", "close_ts": close_ts }),
            now,
        );
    }

    /// A result that was told and not paid yet is another one; its time until it pays begins anew.
    pub fn amend_result(&mut self, market: usize, yes_pays: Price, now: Nanos) {
        if self.markets[market].status != Status::Determined {
            return;
        }
        let pays_after = self.config.pays_ms.millis(&mut self.pay_rng);
        let entry = &mut self.markets[market];
        self.due.remove(&(entry.pays_at, market));
        entry.yes_pays = Some(yes_pays);
        entry.settled_at = Some(now);
        entry.pays_at = now.after(pays_after);
        self.due.insert((entry.pays_at, market));
        self.show_determined(market, now);
    }

    /// Everything that rests goes, for a reason.
    pub(super) fn clear(&mut self, market: usize, reason: &'static str, now: Nanos) {
        for side in [Side::Bid, Side::Ask] {
            let resting: Vec<(u64, u32, Price)> =
                self.markets[market].book.orders(side).map(|o| (o.id, o.owner, o.price)).collect();
            for (id, owner, price) in resting {
                if owner == HOUSE {
                    self.set_house(market, side, price, Qty::ZERO, now);
                } else {
                    self.finish(usize::try_from(id).expect("an index"), reason, now);
                }
            }
        }
    }
}
