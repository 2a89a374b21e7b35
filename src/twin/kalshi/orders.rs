//! Orders: what is accepted, how it matches, and how it ends.

use surefoot_hot::fees::FeeRule;
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::account::{Claim, FillRow, claims_sum, signed};
use super::fees::FeeAccumulator;
use super::{KalshiTwin, Status, TRADES_KEPT_MAX, Taken, TradeRow};
use crate::twin::matching::{HOUSE, Incoming, Match};

/// Why the venue says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub message: &'static str,
    pub details: Option<&'static str>,
}

impl Refusal {
    pub(super) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, details: None }
    }

    pub(super) const fn invalid(details: &'static str) -> Self {
        let (code, message) = ("invalid_parameters", "invalid parameters");
        Self { status: 400, code, message, details: Some(details) }
    }

    const fn order(details: &'static str) -> Self {
        Self {
            status: 400,
            code: "invalid_order",
            message: "invalid order",
            details: Some(details),
        }
    }

    pub(super) const fn not_found() -> Self {
        Self::new(404, "not_found", "not found")
    }
}

/// How long an order may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tif {
    Gtc,
    Ioc,
    Fok,
}

/// What happens where an order meets its owner's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelfTrade {
    /// The arriving order stops.
    TakerAtCross,
    /// The resting order goes.
    Maker,
}

impl SelfTrade {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TakerAtCross => "taker_at_cross",
            Self::Maker => "maker",
        }
    }
}

/// The three statuses the venue knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderStatus {
    Resting,
    Canceled,
    Executed,
}

impl OrderStatus {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Resting => "resting",
            Self::Canceled => "canceled",
            Self::Executed => "executed",
        }
    }
}

/// A create request whose shape is sound.
#[derive(Clone, Debug)]
pub(super) struct NewOrder {
    pub ticker: String,
    pub side: Side,
    pub qty: Qty,
    pub price: Price,
    pub tif: Tif,
    pub self_trade: SelfTrade,
    pub client_id: Option<String>,
    pub expires: Option<Nanos>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub cancel_on_pause: bool,
    pub group: Option<String>,
    /// `None` routes by ticker.
    pub shard: Option<u8>,
}

/// An amend request whose shape is sound.
#[derive(Clone, Debug)]
pub(super) struct Amend {
    pub ticker: String,
    pub side: Side,
    pub price: Price,
    /// Already filled plus wanted.
    pub total: Qty,
    pub client_id: Option<String>,
    pub new_client_id: Option<String>,
    /// Outer `None` keeps, inner `None` clears.
    pub expires: Option<Option<Nanos>>,
    pub shard: Option<u8>,
}

/// One accepted order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub id: String,
    pub account: u32,
    pub market: usize,
    pub client_id: String,
    pub side: Side,
    pub price: Price,
    pub initial: Qty,
    pub filled: Qty,
    pub left: Qty,
    pub status: OrderStatus,
    pub self_trade: SelfTrade,
    pub expires: Option<Nanos>,
    pub cancel_on_pause: bool,
    pub group: Option<usize>,
    pub created: Nanos,
    pub updated: Nanos,
    pub taker_cost: Usd,
    pub maker_cost: Usd,
    pub taker_fees: Usd,
    pub maker_fees: Usd,
    pub reason: Option<&'static str>,
    fees: FeeAccumulator,
}

impl KalshiTwin {
    /// Checks, matches and rests one order; gives its index.
    pub(super) fn create(
        &mut self,
        account: u32,
        new: NewOrder,
        now: Nanos,
    ) -> Result<usize, Refusal> {
        let market = self.tradable(&new.ticker, new.shard)?;
        let group = self.check_new(account, market, &new, now)?;
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
    fn tradable(&self, ticker: &str, shard: Option<u8>) -> Result<usize, Refusal> {
        let Some(&market) = self.by_ticker.get(ticker) else {
            return Err(Refusal::new(404, "market_not_found", "market not found"));
        };
        if shard.is_some_and(|shard| shard != self.markets[market].shard) {
            return Err(Refusal::new(404, "market_not_found", "market not found"));
        }
        if !self.trading_active {
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
            return Err(Refusal::new(409, "order_already_exists", "order already exists"));
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
    fn check_cash(
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

    fn reserve_again(&mut self, account: u32, market: usize) {
        let mut claims = self.claims(account, market, None);
        let owner = &mut self.accounts[account as usize];
        let need = claims_sum(owner.position(market).qty, &mut claims);
        if need == Usd::ZERO {
            owner.reserved.remove(&market);
        } else {
            owner.reserved.insert(market, need);
        }
    }

    /// Lets an order meet the book. What is left rests, or is cancelled.
    fn run(&mut self, index: usize, rest: bool, now: Nanos) {
        let (market, account, side) = {
            let order = &self.orders[index];
            (order.market, order.account, order.side)
        };
        let mut reason = None;
        loop {
            let order = &self.orders[index];
            let incoming = Incoming {
                id: index as u64,
                owner: account,
                side,
                limit: order.price,
                qty: order.left,
                rest,
                stop_at_own: true,
            };
            let done = self.markets[market].book.submit(incoming);
            for met in &done.matches {
                self.on_match(market, Some(index), side, met, now);
            }
            self.check_filled_groups(now);
            if done.stopped && self.orders[index].self_trade == SelfTrade::Maker {
                let front = self.markets[market].book.orders(side.other()).next().map(|o| o.id);
                let own =
                    usize::try_from(front.expect("it stopped at an order")).expect("an index");
                self.finish(own, "SelfTradeCancel", now);
                continue;
            }
            if done.rested {
                self.rest(index, now);
                if self.orders[index].group.is_some_and(|group| self.groups[group].triggered) {
                    self.finish(index, "", now); // its own fills tripped the group
                }
            } else if done.stopped {
                reason = Some("SelfTradeCancel");
            }
            break;
        }
        let order = &mut self.orders[index];
        order.updated = now;
        if order.status == OrderStatus::Resting && !self.is_open(index) {
            let order = &mut self.orders[index];
            order.left = Qty::ZERO;
            order.status = OrderStatus::Canceled;
            order.reason = reason;
        }
        self.reserve_again(account, market);
        self.show_order(index, now);
    }

    fn is_open(&self, index: usize) -> bool {
        let order = &self.orders[index];
        let open = self.accounts[order.account as usize].open.get(&order.market);
        open.is_some_and(|list| list.contains(&index))
    }

    /// The book holds it: tell everybody, and its owner which it is.
    fn rest(&mut self, index: usize, now: Nanos) {
        let order = &self.orders[index];
        let (account, market, side, price, left) =
            (order.account, order.market, order.side, order.price, order.left);
        self.accounts[account as usize].open.entry(market).or_default().push(index);
        self.show_delta(market, side, price, signed(left.micros()), Some(index), now);
    }

    /// Books one meeting for both parties and prints it. `taker` is `None` where the house arrives.
    pub(super) fn on_match(
        &mut self,
        market: usize,
        taker: Option<usize>,
        taker_side: Side,
        met: &Match,
        now: Nanos,
    ) {
        let trade_id = self.uuid();
        self.show_delta(
            market,
            taker_side.other(),
            met.price,
            -signed(met.qty.micros()),
            None,
            now,
        );
        let maker =
            (met.maker_owner != HOUSE).then(|| usize::try_from(met.maker).expect("an index"));
        if taker.is_some() || maker.is_some() {
            for (party, side) in [(taker, taker_side), (maker, taker_side.other())] {
                match party {
                    Some(order) => {
                        self.fill(order, met.price, met.qty, party == taker, &trade_id, now)
                    }
                    None => self.fill_house(market, side, met.price, met.qty, now),
                }
            }
        }
        if taker.is_some() && maker.is_none() {
            let (side, price, qty) = (taker_side.other(), met.price, met.qty);
            self.taken.push_back(Taken { market, side, price, qty });
        }
        let entry = &mut self.markets[market];
        entry.last = Some((met.price, met.qty));
        entry.volume += met.qty;
        entry.dollar_volume += met.price.cost_ceil(met.qty);
        if self.trades.len() == TRADES_KEPT_MAX {
            self.trades.pop_front();
        }
        let (price, qty) = (met.price, met.qty);
        self.trades.push_back(TradeRow {
            id: trade_id,
            market,
            taker: taker_side,
            price,
            qty,
            at: now,
        });
        self.show_trade(now);
    }

    fn fill(
        &mut self,
        index: usize,
        price: Price,
        qty: Qty,
        is_taker: bool,
        trade_id: &str,
        now: Nanos,
    ) {
        let fill_id = self.uuid();
        let order = &mut self.orders[index];
        let (account, market, side) = (order.account, order.market, order.side);
        let fee = order.fees.charge(self.markets[market].fee, is_taker, side, price, qty);
        let own = if side == Side::Bid { price } else { price.complement() };
        order.filled += qty;
        order.left -= qty;
        order.updated = now;
        order.reason = Some("Trade");
        let (cost, fees) = if is_taker {
            (&mut order.taker_cost, &mut order.taker_fees)
        } else {
            (&mut order.maker_cost, &mut order.maker_fees)
        };
        *cost += own.cost_ceil(qty);
        *fees += fee;
        if order.left.is_zero() {
            order.status = OrderStatus::Executed;
        }
        let group = order.group;
        let shard = self.markets[market].shard;
        let owner = &mut self.accounts[account as usize];
        let position = owner.positions.entry(market).or_default();
        let change = position.apply(side, price, qty, now);
        position.fees += fee;
        owner.pay(shard, change - fee);
        let trade_id = trade_id.to_owned();
        owner.fills.push(FillRow {
            fill_id,
            trade_id,
            order: index,
            market,
            side,
            price,
            qty,
            is_taker,
            fee,
            at: now,
        });
        if self.orders[index].left.is_zero() {
            self.leave(index);
        }
        self.reserve_again(account, market);
        self.show_fill(account, now);
        self.show_position(account, market, now);
        if !is_taker {
            self.show_order(index, now);
        }
        if let Some(group) = group {
            self.on_group_fill(group, qty, now);
        }
    }

    fn fill_house(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        let shard = self.markets[market].shard;
        let house = &mut self.accounts[HOUSE as usize];
        let change = house.positions.entry(market).or_default().apply(side, price, qty, now);
        house.pay(shard, change);
    }

    /// Takes an order off its owner's list of open ones.
    fn leave(&mut self, index: usize) {
        let order = &self.orders[index];
        let owner = &mut self.accounts[order.account as usize];
        if let Some(list) = owner.open.get_mut(&order.market) {
            list.retain(|other| *other != index);
            if list.is_empty() {
                owner.open.remove(&order.market);
            }
        }
    }

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

/// The fee if all of it fills at once at this price, rounded up to the member's precision.
fn worst_fee(rule: FeeRule, is_taker: bool, price: Price, qty: Qty) -> Usd {
    FeeAccumulator::default().charge(rule, is_taker, Side::Bid, price, qty)
}
