//! How an order comes in: what is checked, and the cash that it claims.

use surefoot_hot::fees::FeeRule;
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::account::{Claim, claims_sum};
use super::fees::FeeAccumulator;
use super::order::{NewOrder, Order, OrderStatus, Refusal, Tif};
use super::{Exchange, KalshiVenue, Status};

/// The code of a refusal of a client order id that was accepted before.
const USED_BEFORE: &str = "order_already_exists";

impl KalshiVenue {
    /// Checks, matches and rests one order; gives its index.
    pub(super) fn create(
        &mut self,
        account: u32,
        new: NewOrder,
        now: Nanos,
    ) -> Result<usize, Refusal> {
        let market = self.tradable(&new.ticker, new.shard)?;
        let checked = self.check_new(account, market, &new, now);
        let is_repeated = |refusal: &Refusal| refusal.code == USED_BEFORE;
        self.repeated += u64::from(checked.as_ref().is_err_and(is_repeated));
        let group = checked?;
        let mut qty = new.qty;
        if new.reduce_only {
            let held = self.accounts[account as usize].position(market).qty;
            let closes = if new.side == Side::Ask { held.max(0) } else { -held.min(0) };
            qty = qty.min(Qty::from_micros(closes.unsigned_abs()));
            if qty.is_zero() {
                return Err(Refusal::order("reduce only"));
            }
        }
        if new.tif == Tif::Fok && self.markets[market].book.would_fill(new.side, new.price) < qty {
            let code = "fill_or_kill_insufficient_resting_volume";
            return Err(Refusal::new(409, code, "fill or kill insufficient resting volume"));
        }
        self.check_cash(account, market, None, (new.side, new.price, qty))?;
        let client_id = new.client_id.unwrap_or_default();
        if !client_id.is_empty() {
            self.accounts[account as usize].client_ids.insert(client_id.clone());
        }
        let index = self.orders.len();
        let id = self.uuid();
        self.by_order_id.insert(id.clone(), index);
        self.orders.push(Order {
            id,
            account,
            market,
            client_id,
            side: new.side,
            price: new.price,
            initial: qty,
            filled: Qty::ZERO,
            left: qty,
            status: OrderStatus::Resting,
            self_trade: new.self_trade,
            expires: new.expires,
            post_only: new.post_only,
            cancel_on_pause: new.cancel_on_pause,
            group,
            created: now,
            updated: now,
            taker_cost: Usd::ZERO,
            maker_cost: Usd::ZERO,
            taker_fees: Usd::ZERO,
            maker_fees: Usd::ZERO,
            reason: None,
            fees: FeeAccumulator::default(),
        });
        self.run(index, new.tif == Tif::Gtc, now);
        Ok(index)
    }

    /// The market of a ticker, if it trades and lies on the shard that was named.
    pub(super) fn tradable(&self, ticker: &str, shard: Option<u8>) -> Result<usize, Refusal> {
        let Some(&market) = self.by_ticker.get(ticker) else {
            return Err(Refusal::new(404, "market_not_found", "market not found"));
        };
        if shard.is_some_and(|shard| shard != self.markets[market].shard) {
            return Err(Refusal::new(404, "market_not_found", "market not found"));
        }
        if self.exchange != Exchange::Active {
            return Err(Refusal::new(409, "trading_is_paused", "trading is paused"));
        }
        if self.markets[market].status != Status::Active {
            return Err(Refusal::new(400, "market_inactive", "MARKET_INACTIVE"));
        }
        Ok(market)
    }

    /// What can be refused before money is looked at; gives the order group's index.
    fn check_new(
        &self,
        account: u32,
        market: usize,
        new: &NewOrder,
        now: Nanos,
    ) -> Result<Option<usize>, Refusal> {
        if new.qty.is_zero() {
            return Err(Refusal::new(400, "invalid_order_size", "invalid order size"));
        }
        if !self.markets[market].grid.allows(new.price) {
            return Err(Refusal::order("invalid price"));
        }
        let used = &self.accounts[account as usize].client_ids;
        if new.client_id.as_ref().is_some_and(|id| used.contains(id)) {
            return Err(Refusal::new(409, USED_BEFORE, "order already exists"));
        }
        if new.tif != Tif::Gtc && (new.expires.is_some() || new.post_only) {
            return Err(Refusal::invalid("only good_till_canceled orders expire or are post only"));
        }
        if new.reduce_only && new.tif != Tif::Ioc {
            return Err(Refusal::invalid("reduce_only needs immediate_or_cancel"));
        }
        if new.expires.is_some_and(|at| at <= now) {
            return Err(Refusal::invalid("expiration_time is in the past"));
        }
        let group = match &new.group {
            None => None,
            Some(id) => Some(self.usable_group(account, id, self.markets[market].shard)?),
        };
        if new.post_only && self.markets[market].book.crosses(new.side, new.price) {
            return Err(Refusal::order("post only cross"));
        }
        Ok(group)
    }

    /// Whether the account's cash on the market's shard covers its orders with this one added, `without` taken
    /// out. The fee is the taker's at the limit: a better price saves more than the fee can grow.
    pub(super) fn check_cash(
        &self,
        account: u32,
        market: usize,
        without: Option<usize>,
        (side, price, left): (Side, Price, Qty),
    ) -> Result<(), Refusal> {
        let shard = self.markets[market].shard;
        let fee = worst_fee(self.markets[market].fee, true, price, left);
        let mut claims = self.claims(account, market, without);
        claims.push(Claim { side, price, left, fee });
        let owner = &self.accounts[account as usize];
        let need = claims_sum(owner.position(market).qty, &mut claims);
        let elsewhere = owner
            .reserved
            .iter()
            .filter(|(m, _)| **m != market && self.markets[**m].shard == shard)
            .fold(Usd::ZERO, |sum, (_, usd)| sum + *usd);
        if need + elsewhere > owner.cash.get(&shard).copied().unwrap_or_default() {
            return Err(Refusal::new(400, "insufficient_balance", "insufficient balance"));
        }
        Ok(())
    }

    fn claims(&self, account: u32, market: usize, without: Option<usize>) -> Vec<Claim> {
        let open = self.accounts[account as usize].open.get(&market);
        let rule = self.markets[market].fee;
        open.into_iter()
            .flatten()
            .filter(|order| Some(**order) != without)
            .map(|&order| {
                let Order { side, price, left, .. } = self.orders[order];
                Claim { side, price, left, fee: worst_fee(rule, false, price, left) }
            })
            .collect()
    }

    /// What may be spent on a shard.
    pub(super) fn free_cash(&self, account: u32, shard: u8) -> Usd {
        let owner = &self.accounts[account as usize];
        let on_shard =
            owner.reserved.iter().filter(|(market, _)| self.markets[**market].shard == shard);
        let held = on_shard.fold(Usd::ZERO, |sum, (_, usd)| sum + *usd);
        owner.cash.get(&shard).copied().unwrap_or_default() - held
    }

    pub(super) fn reserve_again(&mut self, account: u32, market: usize) {
        let mut claims = self.claims(account, market, None);
        let owner = &mut self.accounts[account as usize];
        let need = claims_sum(owner.position(market).qty, &mut claims);
        if need == Usd::ZERO {
            owner.reserved.remove(&market);
        } else {
            owner.reserved.insert(market, need);
        }
    }
}

/// The fee if all of it fills at once at this price, rounded up to the member's precision.
fn worst_fee(rule: FeeRule, is_taker: bool, price: Price, qty: Qty) -> Usd {
    FeeAccumulator::default().charge(rule, is_taker, Side::Bid, price, qty)
}
