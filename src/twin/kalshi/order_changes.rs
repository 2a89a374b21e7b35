//! How a resting order is amended, made smaller, cancelled or expires.

use surefoot_hot::units::{Nanos, Qty};

use super::KalshiVenue;
use super::account::signed;
use super::order::{Amend, OrderStatus, Refusal};

impl KalshiVenue {
    /// Cancels a resting order; gives what was left of it.
    pub(super) fn finish(&mut self, index: usize, reason: &'static str, now: Nanos) -> Option<Qty> {
        if !self.is_open(index) {
            return None;
        }
        let (account, market) = (self.orders[index].account, self.orders[index].market);
        let gone = self.markets[market].book.cancel(index as u64).expect("open orders rest");
        self.leave(index);
        let order = &mut self.orders[index];
        order.status = OrderStatus::Canceled;
        order.left = Qty::ZERO;
        order.updated = now;
        order.reason = Some(reason);
        self.reserve_again(account, market);
        self.show_delta(
            market,
            gone.side,
            gone.price,
            -signed(gone.left.micros()),
            Some(index),
            now,
        );
        self.show_order(index, now);
        Some(gone.left)
    }

    /// A resting order of the account, on the shard that the request means. The venue looks on shard 0 where it
    /// is not told.
    pub(super) fn own_resting(
        &self,
        account: u32,
        id: &str,
        shard: Option<u8>,
    ) -> Result<usize, Refusal> {
        let found = self.by_order_id.get(id).copied().filter(|&index| {
            let order = &self.orders[index];
            order.account == account && self.markets[order.market].shard == shard.unwrap_or(0)
        });
        match found {
            Some(index) if self.is_open(index) => Ok(index),
            _ => Err(Refusal::not_found()),
        }
    }

    /// Cancels one order; gives its index and by how much it shrank.
    pub(super) fn cancel(
        &mut self,
        account: u32,
        id: &str,
        shard: Option<u8>,
        now: Nanos,
    ) -> Result<(usize, Qty), Refusal> {
        let index = self.own_resting(account, id, shard)?;
        let by = self.finish(index, "", now).expect("it rests");
        Ok((index, by))
    }

    /// Cancels whatever of an account's rests, on every shard.
    pub(super) fn cancel_all(&mut self, account: u32, now: Nanos) {
        let open: Vec<usize> =
            self.accounts[account as usize].open.values().flatten().copied().collect();
        for index in open {
            self.finish(index, "", now);
        }
    }

    /// Makes an order smaller where it stands.
    pub(super) fn decrease(
        &mut self,
        account: u32,
        id: &str,
        shard: Option<u8>,
        to: impl FnOnce(Qty) -> Option<Qty>,
        now: Nanos,
    ) -> Result<usize, Refusal> {
        let index = self.own_resting(account, id, shard)?;
        let left = self.orders[index].left;
        let to = to(left).filter(|to| *to <= left).ok_or(Refusal::new(
            400,
            "invalid_order_size",
            "invalid order size",
        ))?;
        if to.is_zero() {
            self.finish(index, "Decrease", now);
        } else {
            self.shrink(index, to, "Decrease", now);
        }
        Ok(index)
    }

    fn shrink(&mut self, index: usize, to: Qty, reason: &'static str, now: Nanos) {
        let order = &mut self.orders[index];
        let (account, market, side, price) = (order.account, order.market, order.side, order.price);
        let less = order.left - to;
        order.left = to;
        order.updated = now;
        order.reason = Some(reason);
        self.markets[market].book.reduce_to(index as u64, to).expect("open orders rest");
        self.reserve_again(account, market);
        if !less.is_zero() {
            self.show_delta(market, side, price, -signed(less.micros()), Some(index), now);
        }
        self.show_order(index, now);
    }

    /// Changes price, size or expiry. Smaller at the same price keeps its place; anything else queues again,
    /// and may trade.
    pub(super) fn amend(
        &mut self,
        account: u32,
        id: &str,
        amend: Amend,
        now: Nanos,
    ) -> Result<usize, Refusal> {
        let market = self.tradable(&amend.ticker, amend.shard)?;
        // An amend names the ticker, so the shard is known even where it is not given.
        let index = self.own_resting(account, id, Some(self.markets[market].shard))?;
        let left = self.check_amend(account, index, market, &amend, now)?;
        let order = &self.orders[index];
        let keeps_place = order.price == amend.price && left <= order.left;
        if !keeps_place {
            self.check_cash(account, market, Some(index), (order.side, amend.price, left))?;
        }
        let order = &mut self.orders[index];
        if let Some(new_id) = amend.new_client_id {
            self.accounts[account as usize].client_ids.insert(new_id.clone());
            order.client_id = new_id;
        }
        if let Some(expires) = amend.expires {
            order.expires = expires;
        }
        order.initial = amend.total;
        if keeps_place {
            self.shrink(index, left, "Amend", now);
            return Ok(index);
        }
        let gone = self.markets[market].book.cancel(index as u64).expect("open orders rest");
        self.leave(index);
        self.show_delta(
            market,
            gone.side,
            gone.price,
            -signed(gone.left.micros()),
            Some(index),
            now,
        );
        let order = &mut self.orders[index];
        order.price = amend.price;
        order.left = left;
        order.reason = Some("Amend");
        self.run(index, true, now);
        Ok(index)
    }

    /// What an amend would leave of the order, or why the venue refuses it. Cash is looked at later, because an order
    /// that keeps its place needs no more.
    fn check_amend(
        &self,
        account: u32,
        index: usize,
        market: usize,
        amend: &Amend,
        now: Nanos,
    ) -> Result<Qty, Refusal> {
        let order = &self.orders[index];
        let mismatch = |code| Err(Refusal::new(400, code, "the order says otherwise"));
        if order.market != market {
            return mismatch("order_ticker_mismatch");
        }
        if order.side != amend.side {
            return mismatch("order_side_mismatch");
        }
        if amend.client_id.as_ref().is_some_and(|given| *given != order.client_id) {
            return mismatch("order_id_and_client_order_id_mismatch");
        }
        if !self.markets[market].grid.allows(amend.price) {
            return Err(Refusal::order("invalid price"));
        }
        // Not documented of an amend; a new order that would cross is refused so (`venues/kalshi.md` §3.1).
        if order.post_only && self.markets[market].book.crosses(order.side, amend.price) {
            return Err(Refusal::order("post only cross"));
        }
        let left = match amend.total.checked_sub(order.filled) {
            Some(left) if !left.is_zero() => left,
            _ => return Err(Refusal::new(400, "invalid_order_size", "invalid order size")),
        };
        if amend.expires.flatten().is_some_and(|at| at <= now) {
            return Err(Refusal::invalid("expiration_time is in the past"));
        }
        let same_expiry = amend.expires.is_none_or(|expires| expires == order.expires);
        if order.price == amend.price && order.left == left && same_expiry {
            return Err(Refusal::new(400, "AMEND_ORDER_NO_OP", "the amend changes nothing"));
        }
        let used = &self.accounts[account as usize].client_ids;
        let is_taken = |id: &String| *id != order.client_id && used.contains(id);
        if amend.new_client_id.as_ref().is_some_and(is_taken) {
            return Err(Refusal::new(409, "order_already_exists", "order already exists"));
        }
        Ok(left)
    }

    /// Cancels what has expired.
    pub(super) fn expire(&mut self, now: Nanos) {
        let due: Vec<usize> = self
            .open_orders()
            .filter(|&index| self.orders[index].expires.is_some_and(|at| at <= now))
            .collect();
        for index in due {
            self.finish(index, "ExpiryCancel", now);
        }
    }

    /// When the next order expires.
    pub(super) fn next_expiry(&self) -> Nanos {
        self.open_orders()
            .filter_map(|index| self.orders[index].expires)
            .min()
            .unwrap_or(Nanos::NEVER)
    }

    fn open_orders(&self) -> impl Iterator<Item = usize> + '_ {
        self.accounts.iter().flat_map(|account| account.open.values().flatten().copied())
    }
}
